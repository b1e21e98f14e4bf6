/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of secrets as JSON; see version_codec.h. */
#include "action/version_codec.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/xalloc.h"

#define BASE64 \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

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

/* Both alphabets, with or without padding, and nothing else. */
static int take_base64(const char *text, struct buf *value, struct err *err_r)
{
	size_t len = strcspn(text, "="), padded = (len + 3) / 4 * 4;
	char *copy = xcalloc(1, padded + 1);
	unsigned char *raw = xcalloc(1, padded + 1);
	int n = -1;

	memcpy(copy, text, len);
	for (size_t i = 0; i < padded; i++)
		copy[i] = i >= len         ? '='
			  : copy[i] == '-' ? '+'
			  : copy[i] == '_' ? '/'
					   : copy[i];
	if (!copy[strspn(copy, BASE64)] && padded - len < 3 &&
		strspn(text + len, "=") == strlen(text + len))
		n = EVP_DecodeBlock(
			raw, (const unsigned char *)copy, (int)padded);
	if (n >= 0)
		buf_add(value, (const char *)raw, (size_t)n - (padded - len));
	explicit_bzero(raw, padded + 1);
	free(raw);
	wipe(copy);
	if (n < 0)
		return bad(err_r, "holds data that are not base64");
	return value->overflow ? bad(err_r, "is larger than a secret may be")
			       : 0;
}

/* int64 is a string in JSON; a number is taken as well. */
static bool crc_is(const json_t *payload, uint32_t crc)
{
	const json_t *at = json_object_get(payload, "dataCrc32c");
	const char *text = json_string_value(at);
	char digits[16];

	if (json_is_integer(at))
		return json_integer_value(at) == (json_int_t)crc;
	snprintf(digits, sizeof(digits), "%" PRIu32, crc);
	return text && !strcmp(text, digits);
}

int secret_access_decode(const char *bytes, size_t len,
	char number_r[VERSION_NUMBER_MAX], struct buf *value, struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *payload = json_object_get(root, "payload");
	int rc = take_number(root, number_r, err_r);

	if (rc == 0 && !json_is_object(payload))
		rc = bad(err_r, "has no payload");
	if (rc == 0)
		rc = take_base64(text_of(payload, "data"), value, err_r);
	if (rc == 0 && !crc_is(payload, crc32c(value->data, value->len)))
		rc = bad(err_r, "does not fit its own checksum");
	json_decref(root);
	return rc;
}

int secret_added_decode(const char *bytes, size_t len,
	char number_r[VERSION_NUMBER_MAX], struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	int rc = take_number(root, number_r, err_r);

	if (rc == 0 && !json_is_true(json_object_get(
			       root, "clientSpecifiedPayloadChecksum")))
		rc = bad(err_r, "does not say that the checksum was looked at: "
				"a version was added, try again");
	json_decref(root);
	return rc;
}

int granted_decode(const char *bytes, size_t len, const char *permission,
	bool *granted_r, struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *list = json_object_get(root, "permissions"), *one;
	bool is_list = !list || json_is_array(list) || json_is_null(list);
	int rc = json_is_object(root) && is_list
			 ? 0
			 : bad(err_r, "is no list of permissions");
	size_t i;

	*granted_r = false;
	json_array_foreach(list, i, one) {
		if (json_is_string(one) &&
			!strcmp(json_string_value(one), permission))
			*granted_r = true;
	}
	json_decref(root);
	return rc;
}

/* ---- refusals ---- */

void google_refusal_decode(const char *bytes, size_t len, struct buf *out)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *error = json_object_get(root, "error");

	if (*text_of(error, "message"))
		buf_addf(out, "%s: %s", text_of(error, "status"),
			text_of(error, "message"));
	json_decref(root);
}
