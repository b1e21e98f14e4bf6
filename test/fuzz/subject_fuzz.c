/* SPDX-License-Identifier: Apache-2.0 */
/* Subject tokens of files, URLs and programs, and the claims of a JWT. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "google/claims_codec.h"
#include "google/iam_codec.h"
#include "google/key_codec.h"
#include "google/subject_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(struct secret *token, int rc, const struct err *err)
{
	const char *at;

	assert((rc == 0) == (token != NULL));
	if (rc < 0) {
		assert(!strpbrk(err->text, "\n\r\x1b"));
		return;
	}
	assert(secret_len(token) > 0);
	assert(secret_len(token) <= SUBJECT_BYTES_MAX);
	for (at = secret_reveal(token); *at; at++)
		assert(*at > ' ' && *at < 0x7f);
	secret_free(&token);
}

static void try_claims(const char *bytes, size_t len)
{
	struct secret *jwt = secret_hold(bytes, len);
	int64_t exp_s = 0;
	struct err err;

	if (claims_check(jwt, "https://shop.run.app", &exp_s, &err) == 0)
		assert(exp_s > 0);
	else
		assert(!strpbrk(err.text, "\n\r\x1b"));
	secret_free(&jwt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct secret *token;
	int64_t number = 0;
	struct err err;
	int rc;

	rc = subject_decode(bytes, size, NULL, &token, &err);
	check_token(token, rc, &err);
	rc = subject_decode(bytes, size, "value", &token, &err);
	check_token(token, rc, &err);
	rc = executable_decode(bytes, size, &token, &number, &err);
	check_token(token, rc, &err);
	rc = iam_access_decode(bytes, size, 1786950000, &token, &number, &err);
	check_token(token, rc, &err);
	assert(rc < 0 || (number >= 1 && number <= TOKEN_LIFE_S_MAX));
	rc = id_token_decode(bytes, size, "token", &token, &err);
	check_token(token, rc, &err);
	try_claims(bytes, size);
	return 0;
}
