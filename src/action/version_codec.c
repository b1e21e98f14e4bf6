/* Versions of secrets and of sites as JSON; see version_codec.h. */
#include "action/version_codec.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

/* ---- secrets ---- */

/* Standard base64 with padding; the caller wipes and frees it. */
static char *base64(const char *value, size_t len)
{
	char *text = xcalloc(1, 4 * ((len + 2) / 3) + 1);

	EVP_EncodeBlock(
		(unsigned char *)text, (const unsigned char *)value, (int)len);
	return text;
}

static void wipe(char *text)
{
	explicit_bzero(text, strlen(text));
	free(text);
}

void secret_version_encode(const char *value, size_t len, struct buf *out)
{
	char *text = base64(value, len);

	buf_adds(out, "{\"payload\":{\"data\":\"");
	buf_adds(out, text);
	buf_addf(
		out, "\",\"dataCrc32c\":\"%" PRIu32 "\"}}", crc32c(value, len));
	wipe(text);
}

static int bad(struct err *err_r, const char *why)
{
	return err_set(err_r, ERR_PROTOCOL, "the answer %s", why);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The digits after the last '/': "projects/1/secrets/s/versions/42". */
static int take_number(const json_t *root, char number_r[VERSION_NUMBER_MAX],
	struct err *err_r)
{
	const char *name = text_of(root, "name");
	const char *slash = strrchr(name, '/');
	size_t len = slash ? strspn(slash + 1, "0123456789") : 0;

	if (!len || slash[1 + len] || len >= VERSION_NUMBER_MAX)
		return bad(err_r, "names no version");
	snprintf(number_r, VERSION_NUMBER_MAX, "%s", slash + 1);
	return 0;
}

/* Both alphabets, with or without padding. */
static bool same_base64(const char *a, const char *b)
{
	size_t n = strcspn(a, "="), m = strcspn(b, "=");

	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = b[i] == '-' ? '+' : b[i] == '_' ? '/' : b[i];

		if (a[i] != c)
			return false;
	}
	return true;
}

/* int64 is a string in JSON; a number is taken as well. */
static uint32_t crc_of(const json_t *payload)
{
	const json_t *crc = json_object_get(payload, "dataCrc32c");

	if (json_is_integer(crc))
		return (uint32_t)json_integer_value(crc);
	return (uint32_t)strtoul(text_of(payload, "dataCrc32c"), NULL, 10);
}

int secret_access_decode(const char *bytes, size_t len, const struct buf *value,
	char number_r[VERSION_NUMBER_MAX], bool *same_r, struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *payload = json_object_get(root, "payload");
	char *text = base64(value->data, value->len);
	int rc = take_number(root, number_r, err_r);

	if (rc == 0 && !payload)
		rc = bad(err_r, "has no payload");
	*same_r = rc == 0 && same_base64(text, text_of(payload, "data"));
	if (*same_r && crc_of(payload) != crc32c(value->data, value->len))
		rc = bad(err_r, "does not fit its own checksum");
	wipe(text);
	json_decref(root);
	return rc;
}

int secret_added_decode(const char *bytes, size_t len,
	char number_r[VERSION_NUMBER_MAX], struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	int rc = take_number(root, number_r, err_r);

	json_decref(root);
	return rc;
}

/* ---- sites ---- */

static const char *version_of(const json_t *release)
{
	return text_of(json_object_get(release, "version"), "name");
}

static bool is_released(const json_t *release)
{
	return strcmp(text_of(release, "type"), "SITE_DISABLE") != 0;
}

/* Content that is still there. */
static bool can_be_released(const json_t *release)
{
	return is_released(release) && *version_of(release) &&
	       !strcmp(text_of(json_object_get(release, "version"), "status"),
		       "FINALIZED");
}

/* The newest release, or the newest that can be released and is not of
 * `version`. The order of the list means nothing. */
static const json_t *find_newest(const json_t *list, const char *version)
{
	const json_t *release, *found = NULL;
	int64_t best = INT64_MIN, time;
	struct err err;
	size_t i;

	json_array_foreach(list, i, release)
	{
		if (version && (!can_be_released(release) ||
				       !strcmp(version_of(release), version)))
			continue;
		if (timestamp_parse(
			    text_of(release, "releaseTime"), &time, &err) < 0)
			continue;
		if (time > best) {
			best = time;
			found = release;
		}
	}
	return found;
}

/* sites/SITE/versions/V, which becomes part of a URL. */
static int take_version(const json_t *release, const char *site,
	char version_r[VERSION_NAME_MAX], struct err *err_r)
{
	const char *name = version_of(release), *p;
	char prefix[VERSION_NAME_MAX];
	int len = snprintf(prefix, sizeof(prefix), "sites/%s/versions/", site);

	if (strncmp(name, prefix, (size_t)len) != 0 ||
		strlen(name) >= VERSION_NAME_MAX)
		return bad(err_r, "names a version of another site");
	for (p = name + len;
		isalnum((unsigned char)*p) || *p == '-' || *p == '_';)
		p++;
	if (*p || p == name + len)
		return bad(err_r, "names a version that is none");
	snprintf(version_r, VERSION_NAME_MAX, "%s", name);
	return 0;
}

int site_releases_decode(const char *bytes, size_t len, const char *site,
	const char *mark, struct site_releases *releases_r, struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *list = json_object_get(root, "releases");
	const json_t *current = find_newest(list, NULL), *previous = NULL;
	int rc = 0;

	*releases_r = (struct site_releases){0};
	if (!root || (list && !json_is_array(list))) {
		rc = bad(err_r, "is no list of releases");
	} else if (current) {
		releases_r->done =
			strstr(text_of(current, "message"), mark) != NULL;
		if (is_released(current))
			rc = take_version(
				current, site, releases_r->current, err_r);
		previous = find_newest(list, version_of(current));
	}
	if (rc == 0 && previous)
		rc = take_version(previous, site, releases_r->previous, err_r);
	json_decref(root);
	return rc;
}

void google_refusal_decode(const char *bytes, size_t len, struct buf *out)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *error = json_object_get(root, "error");

	if (*text_of(error, "message"))
		buf_addf(out, "%s: %s", text_of(error, "status"),
			text_of(error, "message"));
	json_decref(root);
}
