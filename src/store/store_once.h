/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are carried out once, however often they are sent: what came
 * with a key is kept for STORE_ONCE_MS, with its answer.
 */
#ifndef TIDEGATE_STORE_STORE_ONCE_H
#define TIDEGATE_STORE_STORE_ONCE_H

#include "store/store.h"

#define STORE_ONCE_MS  (INT64_C(24) * 60 * 60 * 1000)
#define STORE_ONCE_MAX 100000 /* kept: more are refused */

struct store_once {
	const char *key; /* of the caller and what they sent as their key */
	const char *digest; /* of the request */
	int64_t time_ms;
	int64_t command_id; /* the command that it left; 0: none */
	int status; /* of the answer; 0: there is none yet */
	const char *answer;
};

/* 1: it is new, and kept from now on; 0: it was there, `known_r` says how; -1
 * error. Inside or outside of a transaction. */
MUST_CHECK int store_once_begin(struct store *store,
	const struct store_once *once, struct arena *arena,
	struct store_once *known_r, struct err *err_r);
/* 1 it is kept, 0 not, -1 error. */
MUST_CHECK int store_once_find(struct store *store, const char *key,
	struct arena *arena, struct store_once *known_r, struct err *err_r);
MUST_CHECK int store_once_command(struct store *store, const char *key,
	int64_t command_id, struct err *err_r);
MUST_CHECK int store_once_answer(struct store *store, const char *key,
	int status, const char *answer, struct err *err_r);
/* It came to nothing: the next one is new. */
MUST_CHECK int store_once_forget(
	struct store *store, const char *key, struct err *err_r);

#endif
