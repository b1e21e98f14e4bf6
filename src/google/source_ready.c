/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ready token from the environment. It cannot be refreshed: once an API has
 * refused it, that is said. The next request carries it again all the same: one
 * stray refusal must not keep a revert from ever being tried again.
 */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/key_codec.h"

/* The access token is there from the start. */
static void ready_start(struct fetch *fetch)
{
	struct err err;

	err_set(&err, ERR_AUTH,
		"an ID token for %.200s is needed, and the token in "
		"CLOUDSDK_AUTH_ACCESS_TOKEN gives none; use a service account "
		"through GOOGLE_APPLICATION_CREDENTIALS",
		fetch->audience);
	fetch_fail_soon(fetch, &err);
}

static void ready_free(struct source *source)
{
	free(source);
}

static const struct source_type source_ready = {
	.name = "ready token",
	.fetch_size = sizeof(struct fetch),
	.start = ready_start,
	.free = ready_free,
	.refused = "the token in CLOUDSDK_AUTH_ACCESS_TOKEN was refused, "
		   "expired perhaps, and cannot be refreshed; set a new one, "
		   "or use GOOGLE_APPLICATION_CREDENTIALS for work that takes "
		   "longer than a token's life",
};

struct source *source_ready_new(
	const struct retry_env *env, const char *token, struct err *err_r)
{
	struct source *ready;
	size_t len = strlen(token);

	if (!token_is_valid(token, len)) {
		err_set(err_r, ERR_AUTH,
			"CLOUDSDK_AUTH_ACCESS_TOKEN is not a token: it must be "
			"1 to %d visible ASCII characters without blanks or "
			"newlines",
			TOKEN_BYTES_MAX);
		return NULL;
	}
	ready = xcalloc(1, sizeof(*ready));
	ready->type = &source_ready;
	ready->env = *env;
	ready->describe = xstrdup("the token in CLOUDSDK_AUTH_ACCESS_TOKEN");
	ready->ready = secret_new(token, len);
	return ready;
}
