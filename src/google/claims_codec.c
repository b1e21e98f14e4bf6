/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of a JWT; see claims_codec.h. Pure; quotes the audience only. */
#include "google/claims_codec.h"

#include <string.h>

#include "base/base64url.h"
#include "base/printable.h"
#include "google/secret_json.h"

/* The middle one of three parts. */
static int decode_payload(const struct secret *jwt, struct buf *out)
{
	const char *text = secret_reveal(jwt), *first, *second;

	first = strchr(text, '.');
	second = first ? strchr(first + 1, '.') : NULL;
	if (!second || strchr(second + 1, '.'))
		return -1;
	return base64url_decode(first + 1, (size_t)(second - first - 1), out);
}

static bool is_for(const json_t *aud, const char *audience)
{
	const json_t *one;
	size_t i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), audience) == 0;
	json_array_foreach(aud, i, one) {
		if (json_is_string(one) &&
			strcmp(json_string_value(one), audience) == 0)
			return true;
	}
	return false;
}

static int check_members(const json_t *claims, const char *audience,
	int64_t *exp_s_r, struct err *err_r)
{
	const json_t *exp = json_object_get(claims, "exp");
	const char *aud;
	char shown[128];

	if (!json_is_integer(exp) || json_integer_value(exp) <= 0)
		return err_set(err_r, ERR_PROTOCOL,
			"the ID token does not say when it expires");
	if (!is_for(json_object_get(claims, "aud"), audience)) {
		aud = json_string_value(json_object_get(claims, "aud"));
		printable_copy(shown, sizeof(shown), aud ? aud : "(others)");
		return err_set(err_r, ERR_AUTH,
			"the ID token is for the audience %s, not for %.200s",
			shown, audience);
	}
	*exp_s_r = json_integer_value(exp);
	return 0;
}

int claims_check(const struct secret *jwt, const char *audience,
	int64_t *exp_s_r, struct err *err_r)
{
	struct buf payload;
	json_t *claims = NULL;
	int rc = -1;

	buf_init_secret(&payload, secret_len(jwt));
	if (decode_payload(jwt, &payload) < 0)
		err_set(err_r, ERR_PROTOCOL,
			"the ID token is not a signed JWT of three parts");
	else if (!(claims = secret_json_load(payload.data, payload.len, err_r)))
		err_wrap(err_r, "the claims of the ID token");
	else
		rc = check_members(claims, audience, exp_s_r, err_r);
	secret_json_free(&claims);
	buf_wipe(&payload);
	buf_fini(&payload);
	return rc;
}
