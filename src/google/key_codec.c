/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes credential files, tokens and OAuth errors; see key_codec.h. Must not
 * open files or sockets, and must never quote what it reads of a key.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "google/key_codec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/http_status.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/secret_json.h"

#define UNIVERSE      "googleapis.com"
#define WORD_MAX      512 /* names, e-mail addresses, URLs */
#define KEY_BYTES_MAX (16 * 1024) /* PEM of RSA 8192: 6.5 KiB */
#define OAUTH_MAX     280 /* bytes shown of an OAuth error */

/* Credential files. */

static int copy_optional(
	const json_t *root, const char *name, char **word_r, struct err *err_r)
{
	return secret_json_optional(root, name, WORD_MAX, word_r, err_r);
}

static int copy_word(
	const json_t *root, const char *name, char **word_r, struct err *err_r)
{
	return secret_json_copy(root, name, WORD_MAX, word_r, err_r);
}

static int check_universe(const json_t *root, struct err *err_r)
{
	char *universe, shown[64];
	int rc = copy_optional(root, "universe_domain", &universe, err_r);

	if (rc == 0 && universe && strcmp(universe, UNIVERSE) != 0) {
		printable_copy(shown, sizeof(shown), universe);
		rc = err_set(err_r, ERR_AUTH,
			"universe_domain \"%s\" is not supported by this "
			"version, only " UNIVERSE " is",
			shown);
	}
	xfree(&universe);
	return rc;
}

int key_type_decode(
	const char *bytes, size_t len, char **type_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*type_r = NULL;
	if (root && copy_word(root, "type", type_r, err_r) == 0 &&
		check_universe(root, err_r) == 0)
		rc = 0;
	if (rc < 0) {
		xfree(type_r);
		err_r->code = ERR_AUTH;
	}
	secret_json_free(&root);
	return rc;
}

/* A file may come from elsewhere and must not choose who gets what the key
 * signs: https, a host of Google's, no port, no user, nothing to be escaped. */
static int check_token_uri(const char *uri, struct err *err_r)
{
	static const char scheme[] = "https://", zone[] = ".googleapis.com";
	const char *host = uri + strlen(scheme);
	size_t len, zone_len = strlen(zone);
	char shown[128];

	if (strncasecmp(uri, scheme, strlen(scheme)) == 0) {
		len = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.");
		if (len > zone_len && host[0] != '.' &&
			memcmp(host + len - zone_len, zone, zone_len) == 0 &&
			(host[len] == '/' || !host[len]) &&
			!strpbrk(host + len, "\\@?#\"<>^`{|}"))
			return 0;
	}
	printable_copy(shown, sizeof(shown), uri);
	return err_set(err_r, ERR_AUTH,
		"token_uri \"%s\" is not https://oauth2.googleapis.com/token "
		"or another address under googleapis.com; "
		"CLOUDSDK_AUTH_TOKEN_HOST overrides it",
		shown);
}

static int copy_private_key(
	const json_t *root, struct secret **key_r, struct err *err_r)
{
	const json_t *member = json_object_get(root, "private_key");
	size_t len = json_string_length(member);

	if (!len || len > KEY_BYTES_MAX)
		return err_set(err_r, ERR_AUTH,
			"\"private_key\" must be a PEM text of 1 to %d bytes",
			KEY_BYTES_MAX);
	*key_r = secret_new(json_string_value(member), len);
	return 0;
}

static int decode_members(
	const json_t *root, struct service_account_key *key, struct err *err_r)
{
	if (copy_word(root, "client_email", &key->client_email, err_r) < 0 ||
		copy_word(root, "token_uri", &key->token_uri, err_r) < 0 ||
		check_token_uri(key->token_uri, err_r) < 0 ||
		copy_private_key(root, &key->private_key, err_r) < 0)
		return -1;
	if (copy_optional(root, "private_key_id", &key->private_key_id, err_r) <
			0 ||
		copy_optional(root, "quota_project_id", &key->quota_project,
			err_r) < 0)
		return -1;
	return 0;
}

int key_decode(const char *bytes, size_t len, struct service_account_key *key_r,
	struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*key_r = (struct service_account_key){0};
	if (root)
		rc = decode_members(root, key_r, err_r);
	if (rc < 0) {
		key_fini(key_r);
		err_r->code = ERR_AUTH;
	}
	secret_json_free(&root);
	return rc;
}

void key_fini(struct service_account_key *key)
{
	xfree(&key->client_email);
	xfree(&key->token_uri);
	xfree(&key->private_key_id);
	xfree(&key->quota_project);
	secret_free(&key->private_key);
}

/* Tokens. */

struct source_text {
	const char *bytes;
	size_t len;
};

bool token_is_valid(const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (bytes[i] <= ' ' || bytes[i] >= 0x7f)
			return false;
	}
	return len > 0 && len <= TOKEN_BYTES_MAX;
}

/* 3599, 3599.0 and "3599". */
static int decode_life(
	const json_t *member, int64_t *life_s_r, struct err *err_r)
{
	const char *text = json_string_value(member);
	double life = -1;

	if (json_is_number(member))
		life = json_number_value(member);
	else if (text && *text && strspn(text, "0123456789") == strlen(text))
		life = strtod(text, NULL);
	if (!(life >= 1))
		return err_set(err_r, ERR_PROTOCOL,
			"\"expires_in\" is not a positive number of seconds");
	*life_s_r = life < TOKEN_LIFE_S_MAX ? (int64_t)life : TOKEN_LIFE_S_MAX;
	return 0;
}

static int decode_token_members(const json_t *root, bool exchanged,
	struct secret **token_r, int64_t *life_s_r, struct err *err_r)
{
	const char *token =
		secret_json_word(root, "access_token", TOKEN_BYTES_MAX, err_r);
	const json_t *type = json_object_get(root, "token_type");
	const json_t *life = json_object_get(root, "expires_in");

	if (!token)
		return -1;
	if (type && (!json_is_string(type) ||
			    strcasecmp(json_string_value(type), "Bearer") != 0))
		return err_set(
			err_r, ERR_PROTOCOL, "\"token_type\" is not Bearer");
	if (((life && !json_is_null(life)) || !exchanged) &&
		decode_life(life, life_s_r, err_r) < 0)
		return -1;
	*token_r = secret_new(token, strlen(token));
	return 0;
}

static int decode_token(const struct source_text *text, bool exchanged,
	struct secret **token_r, int64_t *life_s_r, struct err *err_r)
{
	json_t *root = secret_json_load(text->bytes, text->len, err_r);
	int rc = -1;

	*token_r = NULL;
	if (root)
		rc = decode_token_members(
			root, exchanged, token_r, life_s_r, err_r);
	secret_json_free(&root);
	return rc < 0 ? err_wrap(err_r, "the token answer cannot be used") : 0;
}

int token_decode(const char *bytes, size_t len, struct secret **token_r,
	int64_t *expires_in_s_r, struct err *err_r)
{
	return decode_token(&(struct source_text){bytes, len}, false, token_r,
		expires_in_s_r, err_r);
}

int exchanged_decode(const char *bytes, size_t len, struct secret **token_r,
	int64_t *expires_in_s_r, struct err *err_r)
{
	return decode_token(&(struct source_text){bytes, len}, true, token_r,
		expires_in_s_r, err_r);
}

int id_token_decode(const char *bytes, size_t len, const char *name,
	struct secret **token_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	const char *token =
		root ? secret_json_word(root, name, TOKEN_BYTES_MAX, err_r)
		     : NULL;

	*token_r = token ? secret_new(token, strlen(token)) : NULL;
	secret_json_free(&root);
	return token ? 0 : err_wrap(err_r, "the answer cannot be used");
}

/* Errors. */

static bool is_passing(const char *word)
{
	return strcmp(word, "internal_failure") == 0 ||
	       strcmp(word, "server_error") == 0 ||
	       strcmp(word, "temporarily_unavailable") == 0;
}

/* What a token service does not take is the credential. */
static enum err_code code_of(int status)
{
	enum err_code code = http_status_code(status);

	return code == ERR_DENIED || code == ERR_NOT_FOUND ||
			       (status >= 400 && err_is_retryable(code))
		       ? code
		       : ERR_AUTH;
}

/* {"error": "invalid_grant", "error_description": "…"}; IAM Credentials and
 * STS also know {"error": {"status": …, "message": …}}, and GitHub's token
 * service says {"message": …, "typeName": …}. */
void oauth_error_decode(
	int status, const char *bytes, size_t len, struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *error = json_object_get(root, "error");
	const char *word, *text, *subtype;
	char word_shown[64], text_shown[OAUTH_MAX], subtype_shown[64];
	enum err_code code = code_of(status);

	if (json_is_object(error)) {
		word = json_string_value(json_object_get(error, "status"));
		text = json_string_value(json_object_get(error, "message"));
	} else {
		word = json_string_value(error);
		text = json_string_value(
			json_object_get(root, "error_description"));
	}
	if (!text)
		text = json_string_value(json_object_get(root, "message"));
	subtype = json_string_value(json_object_get(root, "error_subtype"));
	if ((word && is_passing(word)) || (text && is_passing(text)))
		code = ERR_UNAVAILABLE;
	printable_copy(word_shown, sizeof(word_shown), word ? word : "");
	printable_copy(text_shown, sizeof(text_shown), text ? text : "");
	printable_copy(
		subtype_shown, sizeof(subtype_shown), subtype ? subtype : "");
	if (word)
		err_set(err_r, code, "HTTP %d, %s%s%s%s%s%s", status,
			word_shown, subtype ? " (" : "", subtype_shown,
			subtype ? ")" : "", text ? ": " : "", text_shown);
	else
		err_set(err_r, code, "HTTP %d%s%s", status, text ? ": " : "",
			text_shown);
	redact_text(err_r->text, sizeof(err_r->text));
	json_decref(root);
}
