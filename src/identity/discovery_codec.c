/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery documents; see discovery_codec.h. */
#include "identity/discovery_codec.h"

#include <jansson.h>
#include <string.h>

#include "base/printable.h"
#include "base/xalloc.h"
#include "io/http.h"

#define URL_MAX 1024

/* Absent gives NULL. */
static int take_url(
	const json_t *root, const char *name, char **url_r, struct err *err_r)
{
	const json_t *member = json_object_get(root, name);
	const char *url = json_string_value(member);

	*url_r = NULL;
	if (!member)
		return 0;
	if (!url || strlen(url) != json_string_length(member) ||
		strlen(url) > URL_MAX || strpbrk(url, " \t\r\n#") ||
		http_url_check(url, false, err_r) < 0)
		return err_set(err_r, ERR_PROTOCOL,
			"\"%s\" is not an https URL of at most %d bytes", name,
			URL_MAX);
	*url_r = xstrdup(url);
	return 0;
}

static bool has_text(const json_t *list, const char *wanted)
{
	const json_t *one;
	const char *text;
	size_t i;

	json_array_foreach(list, i, one) {
		text = json_string_value(one);
		if (text && strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

static int decode_members(const json_t *root, const char *issuer,
	struct discovery *d, struct err *err_r)
{
	const char *said = json_string_value(json_object_get(root, "issuer"));
	const json_t *methods =
		json_object_get(root, "token_endpoint_auth_methods_supported");
	char shown[128];

	if (!said || strcmp(said, issuer) != 0) {
		printable_copy(shown, sizeof(shown), said ? said : "(missing)");
		return err_set(err_r, ERR_PROTOCOL,
			"\"issuer\" is %s, not %.200s", shown, issuer);
	}
	if (take_url(root, "jwks_uri", &d->keys_url, err_r) < 0 ||
		take_url(root, "authorization_endpoint", &d->authorization_url,
			err_r) < 0 ||
		take_url(root, "token_endpoint", &d->token_url, err_r) < 0)
		return -1;
	if (!d->keys_url)
		return err_set(err_r, ERR_PROTOCOL, "\"jwks_uri\" is missing");
	d->posts_secret = has_text(methods, "client_secret_post") &&
			  !has_text(methods, "client_secret_basic");
	return 0;
}

int discovery_decode(const char *bytes, size_t len, const char *issuer,
	struct discovery *discovery_r, struct err *err_r)
{
	json_t *root =
		len <= DISCOVERY_BYTES_MAX
			? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL)
			: NULL;
	int rc;

	*discovery_r = (struct discovery){0};
	if (!json_is_object(root))
		rc = err_set(err_r, ERR_PROTOCOL,
			"the discovery document is not a JSON object of at "
			"most 64 KiB");
	else
		rc = decode_members(root, issuer, discovery_r, err_r);
	if (rc < 0)
		discovery_fini(discovery_r);
	json_decref(root);
	return rc;
}

void discovery_fini(struct discovery *discovery)
{
	xfree(&discovery->keys_url);
	xfree(&discovery->authorization_url);
	xfree(&discovery->token_url);
}
