/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where tokens come from. Each kind of credential is one file source_X.c with
 * one `struct source_type`; source.c lists them all. A source only knows how
 * to get a token, in as many requests as it takes; credentials.c decides when,
 * keeps it, and shares it.
 */
#ifndef TIDEGATE_GOOGLE_SOURCE_H
#define TIDEGATE_GOOGLE_SOURCE_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "base/secret.h"
#include "google/fetch.h"
#include "google/retry_request.h"

#define GOOGLE_SCOPE "https://www.googleapis.com/auth/cloud-platform"

struct source;

struct source_file {
	const char *path;
	const char *bytes;
	size_t len;
};

struct source_type {
	const char *name; /* "type" in a file, or a name of our own */
	/* From a file; NULL: does not come from one. */
	struct source *(*open)(const struct retry_env *env,
		const struct source_file *file, struct err *err_r);
	size_t fetch_size; /* of the head and what follows it */
	void (*start)(struct fetch *fetch); /* the first step */
	void (*stop)(struct fetch *fetch); /* what the head has not; or NULL */
	void (*free)(struct source *source); /* no fetch is under way */
	/* Its access token is the only one there will ever be: what to say and
	 * to do when an API has refused it. NULL: it gets new ones. */
	const char *refused;
};

/* Of the file as it was read: by what is to be told from this. */
struct source_mark {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written, changed;
};

/* The head of every source; the type's own part follows it. */
struct source {
	const struct source_type *type;
	struct retry_env env;
	char *describe; /* for messages */
	const char *origin; /* what led to it */
	char *path, *account; /* may be NULL */
	bool is_guess; /* nobody said that it is there */
	char *quota_project; /* may be NULL */
	struct secret *ready; /* a token there from the start, or NULL */
	bool is_file; /* that may be read again: `path`, with this mark */
	struct source_mark mark;
	int n_fetches; /* under way */
	SLIST_ENTRY(source) older; /* of source_slot.c */
};

extern const struct source_type source_authorized_user, source_external,
	source_external_impersonated, source_federated_user,
	source_impersonated, source_service_account;

/* By the search order of Application Default Credentials. */
MUST_CHECK struct source *source_find(
	const struct retry_env *env, struct err *err_r);
/* By its "type". */
MUST_CHECK struct source *source_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r);
void source_free(struct source **source);
/* 1: its file is another one by now, which has been opened; 0: it is not; -1: it
 * cannot be used, which is told once for each change. */
MUST_CHECK int source_open_again(
	struct source *source, struct source **newer_r, struct err *err_r);

/* Nothing was found: where it was looked for, why not there at last, and what
 * to do. */
void source_not_found(struct err *err_r, const char *fmt, ...) PRINTFLIKE(2, 3);

/* For messages about a date that was refused: that our clock and Google's
 * differ, by how much, and what to do; "" when they do not. Returns `text`. */
#define CLOCK_NOTE_MAX   160
#define CLOCK_TROUBLE_MS 60000 /* what nobody minds */
const char *clock_note(const struct source *source, char text[CLOCK_NOTE_MAX]);

/* Where to ask for a token: $CLOUDSDK_AUTH_TOKEN_HOST, which comes from who
 * runs us and may name any host, else `url`. Plain http to loopback only. */
MUST_CHECK int token_url_choose(
	const char *url, char **url_r, struct err *err_r);

/* The bytes of a file that must be a file, or -1: at most `max`, read without
 * waiting; it may be rewritten at any time. */
struct buf;
MUST_CHECK int source_file_read(
	const char *path, struct buf *out, struct err *err_r);

/* credentials_new with a world of the caller's choice; and how long a token of
 * that life is not fetched again: until TOKEN_REFRESH_MARGIN_S before its end,
 * or half of a short life. */
struct credentials;
struct rng;
MUST_CHECK struct credentials *credentials_open(
	const struct retry_env *env, struct err *err_r);
int64_t token_fresh_ms(int64_t life_ms, struct rng *rng);

/* Whom to act as; copied. */
struct impersonation {
	const struct source_type *type; /* what it is told to be */
	const char *path; /* of the file that says so */
	const char *email, *quota_project; /* the second may be NULL */
	char *const *delegates; /* NULL-terminated, or NULL */
	int64_t life_s;
};

/* The base is its own from now on, also when it fails. */
MUST_CHECK struct source *source_impersonated_new(
	struct source *base, const struct impersonation *as, struct err *err_r);

/* CLOUDSDK_AUTH_ACCESS_TOKEN */
MUST_CHECK struct source *source_ready_new(
	const struct retry_env *env, const char *token, struct err *err_r);
/* host[:port]; `is_guess`: nobody said that it is there. */
MUST_CHECK struct source *source_metadata_new(const struct retry_env *env,
	const char *host, bool is_guess, struct err *err_r);

#endif
