/* SPDX-License-Identifier: Apache-2.0 */
/* Files of people; see user_codec.h. Never quotes a secret. */
#include "google/user_codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/xalloc.h"
#include "google/external_codec.h"
#include "google/secret_json.h"

#define WORD_MAX  512
#define TOKEN_MAX 4096
#define URL_MAX   8192

/* ---- People. ---- */

static int decode_federated(
	const json_t *root, struct user_key *key, struct err *err_r)
{
	if (secret_json_copy(
		    root, "token_url", WORD_MAX, &key->token_url, err_r) < 0 ||
		sts_url_check(key->token_url, err_r) < 0)
		return -1;
	return secret_json_optional(
		root, "audience", WORD_MAX, &key->account, err_r);
}

static int decode_user(const json_t *root, bool federated, struct user_key *key,
	struct err *err_r)
{
	if (secret_json_copy(
		    root, "client_id", WORD_MAX, &key->client_id, err_r) < 0 ||
		secret_json_secret(root, "client_secret", WORD_MAX,
			&key->client_secret, err_r) < 0 ||
		secret_json_secret(root, "refresh_token", TOKEN_MAX,
			&key->refresh_token, err_r) < 0 ||
		secret_json_optional(root, "quota_project_id", WORD_MAX,
			&key->quota_project, err_r) < 0)
		return -1;
	if (federated && strchr(key->client_id, ':'))
		return err_set(err_r, ERR_AUTH, "\"client_id\" has a colon");
	if (federated)
		return decode_federated(root, key, err_r);
	return secret_json_optional(
		root, "account", WORD_MAX, &key->account, err_r);
}

int user_decode(const char *bytes, size_t len, bool federated,
	struct user_key *key_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*key_r = (struct user_key){0};
	if (root)
		rc = decode_user(root, federated, key_r, err_r);
	if (rc < 0) {
		user_fini(key_r);
		err_r->code = ERR_AUTH;
	}
	secret_json_free(&root);
	return rc;
}

void user_fini(struct user_key *key)
{
	xfree(&key->client_id);
	secret_free(&key->client_secret);
	secret_free(&key->refresh_token);
	xfree(&key->token_url);
	xfree(&key->account);
	xfree(&key->quota_project);
}

/* ---- Who acts as a service account. ---- */

/* "projects/-/serviceAccounts/EMAIL", each allowed to act as the next. */
static int decode_delegates(
	const json_t *root, struct impersonated_key *key, struct err *err_r)
{
	static const char start[] = "projects/-/serviceAccounts/";
	const json_t *list = json_object_get(root, "delegates"), *one;
	const char *text;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > DELEGATES_MAX)
		return err_set(err_r, ERR_AUTH,
			"\"delegates\" must be a list of at most %d",
			DELEGATES_MAX);
	json_array_foreach(list, i, one) {
		text = json_string_value(one);
		if (text && strncmp(text, start, strlen(start)) == 0)
			text += strlen(start);
		if (!text || !iam_account_is_valid(text))
			return err_set(err_r, ERR_AUTH,
				"delegate %zu is not %sEMAIL", i + 1, start);
		key->delegates[i] = xasprintf("%s%s", start, text);
	}
	return 0;
}

static int decode_source(
	const json_t *root, struct impersonated_key *key, struct err *err_r)
{
	static const char *const types[] = {"authorized_user",
		"external_account", "external_account_authorized_user",
		"service_account"};
	const json_t *source = json_object_get(root, "source_credentials");
	char shown[64];
	size_t i;

	if (!json_is_object(source))
		return err_set(err_r, ERR_AUTH,
			"\"source_credentials\" is not an object {…}");
	if (secret_json_copy(
		    source, "type", WORD_MAX, &key->source_type, err_r) < 0)
		return err_wrap(err_r, "\"source_credentials\"");
	key->source = secret_json_text(source);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i], key->source_type) == 0)
			return 0;
	}
	printable_copy(shown, sizeof(shown), key->source_type);
	return err_set(err_r, ERR_AUTH,
		"\"source_credentials\" are of type \"%s\"; they can be those "
		"of a person, a service account or a federated identity",
		shown);
}

static int decode_impersonated(
	const json_t *root, struct impersonated_key *key, struct err *err_r)
{
	char *url;
	int rc = secret_json_copy(root, "service_account_impersonation_url",
		URL_MAX, &url, err_r);

	if (rc == 0)
		rc = iam_target_decode(url, &key->email, err_r);
	xfree(&url);
	if (rc < 0 || decode_delegates(root, key, err_r) < 0 ||
		decode_source(root, key, err_r) < 0)
		return -1;
	return secret_json_optional(
		root, "quota_project_id", WORD_MAX, &key->quota_project, err_r);
}

int impersonated_decode(const char *bytes, size_t len,
	struct impersonated_key *key_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*key_r = (struct impersonated_key){0};
	if (root)
		rc = decode_impersonated(root, key_r, err_r);
	if (rc < 0) {
		impersonated_fini(key_r);
		err_r->code = ERR_AUTH;
	}
	secret_json_free(&root);
	return rc;
}

void impersonated_fini(struct impersonated_key *key)
{
	size_t i;

	for (i = 0; key->delegates[i]; i++)
		xfree(&key->delegates[i]);
	xfree(&key->email);
	secret_free(&key->source);
	xfree(&key->source_type);
	xfree(&key->quota_project);
}
