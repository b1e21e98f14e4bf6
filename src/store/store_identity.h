/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the state file keeps of who may come in: tokens and sessions by the
 * hash of their secret, proofs that were used, and one key of our own. Rows
 * are bounded in number; nobody can come in with what is kept here but with
 * the key, which signs forms alone.
 */
#ifndef TIDEGATE_STORE_STORE_IDENTITY_H
#define TIDEGATE_STORE_STORE_IDENTITY_H

#include "store/store.h"

#define STORE_TOKENS_MAX   1000 /* that are neither over nor revoked */
#define STORE_SESSIONS_MAX 10000
#define STORE_SEEN_MAX     10000

struct store_token {
	const char *id; /* 8 characters */
	const char *hash; /* hex SHA-256 of the secret */
	const char *name;
	const char *person; /* "": a machine's */
	const char *rights; /* "read,operate" */
	const char *created_by;
	int64_t created_ms, expires_ms;
	int64_t used_ms, revoked_ms; /* 0: not yet */
};

/* ERR_LIMIT when there are too many that can be used. */
MUST_CHECK int store_token_add(struct store *store,
	const struct store_token *token, struct err *err_r);
/* 1 found, 0 not there, -1 error. */
MUST_CHECK int store_token_get(struct store *store, const char *id,
	struct arena *arena, struct store_token *token_r, struct err *err_r);
/* The newest first. */
MUST_CHECK int store_token_list(struct store *store, struct arena *arena,
	struct store_token **tokens_r, size_t *n_r, struct err *err_r);
/* 1 done, 0 it was revoked already or is not there, -1 error. */
MUST_CHECK int store_token_revoke(
	struct store *store, const char *id, int64_t now_ms, struct err *err_r);
MUST_CHECK int store_token_used(
	struct store *store, const char *id, int64_t now_ms, struct err *err_r);

struct store_session {
	const char *hash; /* hex SHA-256 of what the cookie holds */
	const char *data; /* JSON of who it is */
	int64_t created_ms, used_ms, expires_ms;
};

/* Also forgets those that are over, and the one longest unused when there
 * are too many. */
MUST_CHECK int store_session_add(struct store *store,
	const struct store_session *session, struct err *err_r);
/* 1 found, 0 not there, -1 error. */
MUST_CHECK int store_session_get(struct store *store, const char *hash,
	struct arena *arena, struct store_session *session_r,
	struct err *err_r);
/* Those that expire later than now, the last used first. */
MUST_CHECK int store_sessions_list(struct store *store, int64_t now_ms,
	struct arena *arena, struct store_session **sessions_r, size_t *n_r,
	struct err *err_r);
MUST_CHECK int store_session_used(struct store *store, const char *hash,
	int64_t now_ms, struct err *err_r);
MUST_CHECK int store_session_end(
	struct store *store, const char *hash, struct err *err_r);

/* Notes that a proof was used: 1 for the first time, 0 not so, -1 error. It is
 * remembered until then; ERR_LIMIT when too many are. */
MUST_CHECK int store_seen_add(struct store *store, const char *what,
	int64_t now_ms, int64_t until_ms, struct err *err_r);

/* The key of that name; when there is none, `fresh` becomes it. */
MUST_CHECK int store_key_get(struct store *store, const char *name,
	const char *fresh, struct arena *arena, const char **key_r,
	struct err *err_r);

#endif
