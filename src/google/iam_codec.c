/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the IAM Credentials API; see iam_codec.h. Never quotes a token. */
#include "google/iam_codec.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/key_codec.h"
#include "google/secret_json.h"

#define EMAIL_MAX 320

bool iam_account_is_valid(const char *email)
{
	size_t len = strspn(email, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._@");

	return len > 0 && len <= EMAIL_MAX && !email[len];
}

int iam_target_decode(const char *url, char **email_r, struct err *err_r)
{
	static const char start[] = "https://iamcredentials.googleapis.com/v1/"
				    "projects/-/serviceAccounts/";
	static const char end[] = ":generateAccessToken";
	size_t len = strlen(url);
	char shown[256];

	*email_r = NULL;
	if (strncmp(url, start, strlen(start)) == 0 &&
		len > strlen(start) + strlen(end) &&
		strcmp(url + len - strlen(end), end) == 0)
		*email_r = xmemdup0(
			url + strlen(start), len - strlen(start) - strlen(end));
	if (*email_r && iam_account_is_valid(*email_r))
		return 0;
	xfree(email_r);
	printable_copy(shown, sizeof(shown), url);
	return err_set(err_r, ERR_AUTH,
		"\"service_account_impersonation_url\" is \"%s\", not "
		"%sEMAIL%s",
		shown, start, end);
}

/* Takes `body` over. */
static char *finish(json_t *body, char *const *delegates)
{
	json_t *list;
	char *text;

	if (delegates && *delegates) {
		list = json_array();
		for (; *delegates; delegates++)
			json_array_append_new(list, json_string(*delegates));
		json_object_set_new(body, "delegates", list);
	}
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!text)
		abort(); /* memory; all of it is visible ASCII */
	return text;
}

char *iam_access_encode(
	const char *scope, int64_t life_s, char *const *delegates)
{
	char life[32];

	snprintf(life, sizeof(life), "%llds", (long long)life_s);
	return finish(json_pack("{s[s] ss}", "scope", scope, "lifetime", life),
		delegates);
}

char *iam_id_encode(const char *audience, char *const *delegates)
{
	return finish(
		json_pack("{ss sb}", "audience", audience, "includeEmail", 1),
		delegates);
}

static int decode_members(const json_t *root, int64_t now_s,
	struct secret **token_r, int64_t *life_s_r, struct err *err_r)
{
	const char *end = secret_json_word(root, "expireTime", 64, err_r);
	int64_t end_ms, life_s;

	if (!end)
		return -1;
	if (timestamp_parse(end, &end_ms, err_r) < 0)
		return err_set(err_r, ERR_PROTOCOL,
			"\"expireTime\" is not a time as in RFC 3339");
	life_s = end_ms / 1000 - now_s;
	if (life_s < 1)
		return err_set(err_r, ERR_PROTOCOL,
			"\"expireTime\" has passed already: is the clock of "
			"this machine right (NTP)?");
	*life_s_r = life_s < TOKEN_LIFE_S_MAX ? life_s : TOKEN_LIFE_S_MAX;
	return secret_json_secret(
		root, "accessToken", TOKEN_BYTES_MAX, token_r, err_r);
}

int iam_access_decode(const char *bytes, size_t len, int64_t now_s,
	struct secret **token_r, int64_t *life_s_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*token_r = NULL;
	if (root)
		rc = decode_members(root, now_s, token_r, life_s_r, err_r);
	secret_json_free(&root);
	if (rc == 0)
		return 0;
	err_r->code = ERR_PROTOCOL;
	return err_wrap(err_r, "the token answer cannot be used");
}
