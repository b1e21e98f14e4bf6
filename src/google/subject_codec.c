/* SPDX-License-Identifier: Apache-2.0 */
/* Subject tokens; see subject_codec.h. */
#include "google/subject_codec.h"

#include <stdbool.h>
#include <string.h>

#include "base/printable.h"
#include "google/secret_json.h"

#define TYPE_JWT      "urn:ietf:params:oauth:token-type:jwt"
#define TYPE_ID_TOKEN "urn:ietf:params:oauth:token-type:id_token"
#define TYPE_SAML     "urn:ietf:params:oauth:token-type:saml2"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int decode_text(const char *bytes, size_t len, struct secret **token_r,
	struct err *err_r)
{
	size_t i;

	while (len && is_blank(bytes[len - 1]))
		len--;
	while (len && is_blank(*bytes)) {
		bytes++;
		len--;
	}
	if (!len)
		return err_set(err_r, ERR_PROTOCOL, "it is empty");
	for (i = 0; i < len && bytes[i] > ' ' && bytes[i] < 0x7f;)
		i++;
	if (i < len || len > SUBJECT_BYTES_MAX)
		return err_set(err_r, ERR_PROTOCOL,
			"it is not a token of at most %d visible ASCII "
			"characters; if it is JSON, \"format\" has to say so",
			SUBJECT_BYTES_MAX);
	*token_r = secret_new(bytes, len);
	return 0;
}

int subject_decode(const char *bytes, size_t len, const char *field,
	struct secret **token_r, struct err *err_r)
{
	json_t *root;
	int rc = -1;

	*token_r = NULL;
	if (!field)
		return decode_text(bytes, len, token_r, err_r);
	root = secret_json_load(bytes, len, err_r);
	if (root)
		rc = secret_json_secret(
			root, field, SUBJECT_BYTES_MAX, token_r, err_r);
	secret_json_free(&root);
	return rc;
}

/* {"version": 1, "success": false, "code": "401", "message": "…"} */
static int told_failure(const json_t *root, struct err *err_r)
{
	const char *code = json_string_value(json_object_get(root, "code"));
	const char *message =
		json_string_value(json_object_get(root, "message"));
	char code_shown[64], shown[256];

	printable_copy(code_shown, sizeof(code_shown), code ? code : "none");
	printable_copy(shown, sizeof(shown), message ? message : "none");
	err_set(err_r, ERR_AUTH, "it failed with code %s, message %s",
		code_shown, shown);
	redact_text(err_r->text, sizeof(err_r->text));
	return -1;
}

static int decode_expiration(
	const json_t *root, int64_t *exp_s_r, struct err *err_r)
{
	const json_t *exp = json_object_get(root, "expiration_time");

	*exp_s_r = 0;
	if (!exp || json_is_null(exp))
		return 0;
	*exp_s_r = json_integer_value(exp);
	if (json_is_integer(exp) && *exp_s_r > 0)
		return 0;
	return err_set(err_r, ERR_PROTOCOL,
		"\"expiration_time\" is not a number of Unix seconds");
}

static int decode_success(const json_t *root, struct secret **token_r,
	int64_t *exp_s_r, struct err *err_r)
{
	const char *type = secret_json_word(root, "token_type", 256, err_r);
	const char *member = "id_token";

	if (!type || decode_expiration(root, exp_s_r, err_r) < 0)
		return -1;
	if (strcmp(type, TYPE_SAML) == 0)
		member = "saml_response";
	else if (strcmp(type, TYPE_JWT) != 0 &&
		 strcmp(type, TYPE_ID_TOKEN) != 0)
		return err_set(err_r, ERR_PROTOCOL,
			"\"token_type\" is none of " TYPE_JWT ", " TYPE_ID_TOKEN
			", " TYPE_SAML);
	return secret_json_secret(
		root, member, SUBJECT_BYTES_MAX, token_r, err_r);
}

static int decode_answer(const json_t *root, struct secret **token_r,
	int64_t *exp_s_r, struct err *err_r)
{
	const json_t *version = json_object_get(root, "version");
	const json_t *success = json_object_get(root, "success");

	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return err_set(err_r, ERR_PROTOCOL,
			"\"version\" is not 1, the only one there is");
	if (!json_is_boolean(success))
		return err_set(err_r, ERR_PROTOCOL,
			"\"success\" is neither true nor false");
	if (json_is_false(success))
		return told_failure(root, err_r);
	return decode_success(root, token_r, exp_s_r, err_r);
}

int executable_decode(const char *bytes, size_t len, struct secret **token_r,
	int64_t *exp_s_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*token_r = NULL;
	*exp_s_r = 0;
	if (root)
		rc = decode_answer(root, token_r, exp_s_r, err_r);
	secret_json_free(&root);
	return rc;
}
