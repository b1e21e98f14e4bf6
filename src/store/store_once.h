/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are carried out once, however often they are sent: what came
 * with a key is kept for STORE_ONCE_MS, with its answer.
 *
 * What a request does is kept with its key in one commit, the rollout or the
 * command; its answer is kept after that, and may be lost with the process. So
 * a key without an answer says by itself what became of the request. One whose
 * work is not there is free again when nobody is at work on it any more.
 */
#ifndef TIDEGATE_STORE_STORE_ONCE_H
#define TIDEGATE_STORE_STORE_ONCE_H

#include "store/store.h"

#define STORE_ONCE_MS  (INT64_C(24) * 60 * 60 * 1000)
#define STORE_ONCE_MAX 100000 /* kept: more are refused */
/* For which a process may be at work of which it is not known whether it lives.
 * Two that are at work do it once: the rollout that is kept first counts. */
#define STORE_ONCE_WORK_MS (INT64_C(30) * 1000)

struct store_once {
	const char *key; /* of the caller and what they sent as their key */
	const char *digest; /* of the request */
	int64_t time_ms;
	int64_t command_id; /* the command that it left; 0: none */
	const char *rollout; /* that it began; "": none */
	int status; /* of the answer; 0: there is none yet */
	const char *answer;
	bool is_held; /* another process is, or may be, at work on it */
};

/* 1: it is new, or came to nothing, and is kept from now on, as this process's
 * work; 0: it was there, `known_r` says how; -1 error. What this process is at
 * work on is the caller's to know. Inside or outside of a transaction. */
MUST_CHECK int store_once_begin(struct store *store,
	const struct store_once *once, struct arena *arena,
	struct store_once *known_r, struct err *err_r);
/* 1 it is kept, 0 not, -1 error. */
MUST_CHECK int store_once_find(struct store *store, const char *key,
	struct arena *arena, struct store_once *known_r, struct err *err_r);
/* In the transaction that adds the command. */
MUST_CHECK int store_once_command(struct store *store, const char *key,
	int64_t command_id, struct err *err_r);
/* In the transaction that makes the rollout; ERR_LEASE: the key has one. */
MUST_CHECK int store_once_rollout(struct store *store, const char *key,
	const char *rollout, struct err *err_r);
MUST_CHECK int store_once_answer(struct store *store, const char *key,
	int status, const char *answer, struct err *err_r);
/* It came to nothing, as far as nothing is kept of it: the next one is new. */
MUST_CHECK int store_once_forget(
	struct store *store, const char *key, struct err *err_r);

#endif
