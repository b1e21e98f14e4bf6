/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file's part about callers, from the loop: each look and each note
 * is a job of a thread of its own, since a file may let one wait. `fn` is told
 * once, in a later turn, never inside the call; what it is told is valid during
 * the call.
 */
#ifndef TIDEGATE_IDENTITY_IDENTITY_STORE_H
#define TIDEGATE_IDENTITY_IDENTITY_STORE_H

#include <sys/types.h>

#include "store/store_identity.h"

#define IDENTITY_JOBS_MAX 1024 /* that wait: more are told that it is busy */
#define OWN_KEY_BYTES     32

struct identity_store;
struct loop;

struct stored {
	int found; /* 1; 0: not there, or for `seen` not the first; -1: `err` */
	struct err err;
	struct store_token token;
	struct store_session session;
	const char *name; /* of an OS user */
};

typedef void (*stored_fn)(const struct stored *stored, void *arg);

/* Opens the file, and makes it when it is not there. This waits. */
MUST_CHECK struct identity_store *identity_store_new(
	struct loop *loop, const char *path, struct err *err_r);
/* Waits for what is under way, whose `fn` is told. */
void identity_store_free(struct identity_store **own);

/* Of this state file, the same for all who share it: OWN_KEY_BYTES. */
const unsigned char *identity_store_key(const struct identity_store *own);

void identity_store_token(
	struct identity_store *own, const char *id, stored_fn fn, void *arg);
void identity_store_session(
	struct identity_store *own, const char *hash, stored_fn fn, void *arg);
void identity_store_session_add(struct identity_store *own,
	const struct store_session *session, stored_fn fn, void *arg);
void identity_store_session_end(
	struct identity_store *own, const char *hash, stored_fn fn, void *arg);
/* found: 1, this was the first time. */
void identity_store_seen(struct identity_store *own, const char *what,
	int64_t now_ms, int64_t until_ms, stored_fn fn, void *arg);
/* The name of an OS user; "uid-1000" when it has none. */
void identity_store_os_user(
	struct identity_store *own, uid_t uid, stored_fn fn, void *arg);

/* Notes; what does not work out is logged. */
void identity_store_token_used(
	struct identity_store *own, const char *id, int64_t now_ms);
void identity_store_session_used(
	struct identity_store *own, const char *hash, int64_t now_ms);

#endif
