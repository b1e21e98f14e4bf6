/*
 * Where tokens come from. Each kind of credential is one file source_X.c with
 * one `struct source_type`; source.c lists them all. A source only knows how
 * to get a token, in as many requests as it takes; credentials.c decides when,
 * keeps it, and shares it.
 */
#ifndef TIDEGATE_GOOGLE_SOURCE_H
#define TIDEGATE_GOOGLE_SOURCE_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "google/exchange.h"

#define GOOGLE_SCOPE "https://www.googleapis.com/auth/cloud-platform"

struct source;

/* token NULL: err says why. The token belongs to the callee; `life_s` counts
 * from the fetch's start. */
typedef void (*source_fn)(
	struct secret *token, int64_t life_s, const struct err *err, void *arg);

struct source_file {
	const char *path;
	const char *bytes;
	size_t len;
};

struct source_type {
	const char *name; /* "type" in a file, or a name of our own */
	/* From a file; NULL: does not come from one. */
	struct source *(*open)(const struct exchange_env *env,
		const struct source_file *file, struct err *err_r);
	/* One at a time; the callback runs exactly once, later. */
	void (*fetch)(struct source *source, source_fn fn, void *arg);
	void (*cancel)(struct source *source); /* of the fetch, if any */
	void (*free)(struct source *source); /* after a cancel */
};

/* The head of every source; the type's own part follows it. */
struct source {
	const struct source_type *type;
	struct exchange_env env;
	char *describe; /* for messages */
	const char *origin; /* what led to it */
	char *path, *account; /* may be NULL */
	bool is_guess; /* nobody said that it is there */
	char *project, *quota_project; /* may be NULL */
	struct secret *ready; /* a token there from the start, or NULL */
};

extern const struct source_type source_service_account;

/* By the search order of Application Default Credentials. */
MUST_CHECK struct source *source_find(
	const struct exchange_env *env, struct err *err_r);
void source_free(struct source **source);

/* Nothing was found: where it was looked for, why not there at last, and what
 * to do. */
void source_not_found(struct err *err_r, const char *fmt, ...) PRINTFLIKE(2, 3);

/* credentials_new with a world of the caller's choice; and how long a token of
 * that life is not fetched again: until TOKEN_REFRESH_MARGIN_S before its end,
 * or half of a short life. */
struct credentials;
struct rng;
MUST_CHECK struct credentials *credentials_open(
	const struct exchange_env *env, struct err *err_r);
int64_t token_fresh_ms(int64_t life_ms, struct rng *rng);

/* CLOUDSDK_AUTH_ACCESS_TOKEN */
MUST_CHECK struct source *source_ready_new(
	const struct exchange_env *env, const char *token, struct err *err_r);
/* host[:port]; `is_guess`: nobody said that it is there. */
MUST_CHECK struct source *source_metadata_new(const struct exchange_env *env,
	const char *host, bool is_guess, struct err *err_r);

#endif
