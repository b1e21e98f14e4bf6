/* SPDX-License-Identifier: Apache-2.0 */
/* Signed tokens: as they come, and as two JSON texts and a signature in lines,
 * so that what is behind base64url is reached, too. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "identity/jwt_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody has the private ones. */
static const char keys_text[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r1\",\"use\":\"sig\""
	",\"alg\":\"RS256\",\"n\":\"z_L9v1rcCfsgeOE9pTk8DJxYEDw8PJQ"
	"UpjQsQMA3oI86m-JswZe-Qcf15HAKJOlURkqmb3J-pWuQ6jCTNbtWLZl_L"
	"abIhT1JIgzouquMp22wTYRGP2ErXV5iio5u3oZYCm7sfl8gJNnxTARB6Fl"
	"ZeiASoIom8hyv4YV8FrXmTwXO0CAvgpUy9XtuaifnrV8eJQC2rq1qCS4u7"
	"f5Pixm9dWM4nBQqWtE2VEu15Ur5f_XOodDLLgnncH4D1sBMPynBG0ywXEg"
	"KugPz76K8I7IZAnPQEK_u4MtzFcRC7bDaqFeOO29GLkTZy4_j8d0SA0jCg"
	"YDjfDZAr-8l3h9mQHK-WQ\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\""
	"kid\":\"e1\",\"crv\":\"P-256\",\"x\":\"1xg8acTwG5imrMjzHg3"
	"JIFljnWtCAexJtpT8hzAjUaE\",\"y\":\"BvXYbnYa9UYiLXwHzYF5b3E"
	"Cp1aCcenmC-4LgsoLn2w\"}]}";

static const struct jwt_rule rule = {
	.algs = JWT_ALG_BIT(JWT_RS256) | JWT_ALG_BIT(JWT_ES256),
	.issuers = {"https://issuer.example", "issuer.example"},
	.audience = "us",
	.wants_azp = true,
	.life_s_max = 3600,
};

static const struct jwks *keys(void)
{
	static struct jwks *set;
	struct err err;

	if (!set)
		set = jwks_decode(keys_text, strlen(keys_text), &err);
	assert(set && jwks_count(set) == 2);
	return set;
}

static void check_reason(const struct refusal *why)
{
	assert(why->code != REFUSAL_NONE && *why->reason);
	assert(!strpbrk(why->reason, "\n\r\t\x1b"));
	assert(strlen(why->reason) < REFUSAL_REASON_MAX);
}

static void check_jwt(const struct jwt *jwt)
{
	const struct jwt_claims *claims = &jwt->claims;

	assert(jwt->alg && jwt->kid && *jwt->kid);
	assert(strlen(jwt->kid) <= JWT_KID_MAX);
	assert(jwt->signature_len <= JWT_SIGNATURE_MAX);
	assert(claims->exp_s > 0 && claims->iat_s > 0 && claims->nbf_s >= 0);
	assert(claims->n_aud <= JWT_AUDIENCES_MAX);
	assert(!claims->email_verified || claims->has_email_verified);
}

static void try_token(const char *text, size_t len)
{
	struct refusal why = {0};
	struct arena arena;
	struct jwt jwt;

	arena_init(&arena);
	if (jwt_decode(text, len, &arena, &jwt, &why) < 0) {
		check_reason(&why);
	} else {
		check_jwt(&jwt);
		if (jwt_check(&jwt, &rule, 1790000000, &why) < 0)
			check_reason(&why);
		/* It cannot be forged. */
		assert(jwt_check_signature(&jwt, &rule, keys(), &why) < 0);
		check_reason(&why);
	}
	arena_fini(&arena);
}

static void try_lines(const char *text, size_t len)
{
	const char *end = text + len, *stop;
	struct buf token;

	buf_init(&token, JWT_BYTES_MAX + 64);
	for (int i = 0; i < 3; i++) {
		stop = i < 2 ? memchr(text, '\n', (size_t)(end - text)) : NULL;
		if (!stop)
			stop = end;
		base64url_add(&token, text, (size_t)(stop - text));
		if (i < 2)
			buf_addc(&token, '.');
		text = stop < end ? stop + 1 : end;
	}
	try_token(token.data, token.len);
	buf_fini(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_token(text, size);
	try_lines(text, size);
	free(text);
	return 0;
}
