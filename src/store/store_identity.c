/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, sessions and their like; see store_identity.h. */
#include "store/store_identity.h"

#include "store/store_sqlite.h"

#define TOKEN_COLUMNS                                             \
	"id, hash, name, person, rights, created_by, created_ms," \
	" expires_ms, used_ms, revoked_ms"

/* Tokens */

static int64_t count(struct store *store, const char *sql,
	const struct sql_value *values, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store, sql, values, err_r);
	int64_t n;

	if (!row || sql_next(store, row, err_r) < 0)
		return -1;
	n = sql_column_int(row, 0);
	sql_stop(row);
	return n;
}

static int token_insert(
	struct store *store, const struct store_token *t, struct err *err_r)
{
	static const char sql[] =
		"INSERT INTO api_token (" TOKEN_COLUMNS ")"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0)";
	int64_t n = count(store,
		"SELECT count(*) FROM api_token"
		" WHERE revoked_ms = 0 AND expires_ms > ?1",
		SQL_VALUES(sql_int(t->created_ms)), err_r);

	if (n < 0)
		return -1;
	if (n >= STORE_TOKENS_MAX)
		return err_set(err_r, ERR_LIMIT,
			"there are %d tokens that can be used: revoke some",
			STORE_TOKENS_MAX);
	return sql_run(store, sql,
		       SQL_VALUES(sql_text(t->id), sql_text(t->hash),
			       sql_text(t->name), sql_text(t->person),
			       sql_text(t->rights), sql_text(t->created_by),
			       sql_int(t->created_ms), sql_int(t->expires_ms)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_token_add(
	struct store *store, const struct store_token *token, struct err *err_r)
{
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	if (token_insert(store, token, err_r) == 0)
		return sql_leave(store, own, err_r);
	sql_abandon(store, own);
	return -1;
}

static void token_read(
	struct sqlite3_stmt *row, struct arena *arena, void *token_r)
{
	struct store_token *t = token_r;
	int i = 0;

	t->id = arena_strdup(arena, sql_column_text(row, i++));
	t->hash = arena_strdup(arena, sql_column_text(row, i++));
	t->name = arena_strdup(arena, sql_column_text(row, i++));
	t->person = arena_strdup(arena, sql_column_text(row, i++));
	t->rights = arena_strdup(arena, sql_column_text(row, i++));
	t->created_by = arena_strdup(arena, sql_column_text(row, i++));
	t->created_ms = sql_column_int(row, i++);
	t->expires_ms = sql_column_int(row, i++);
	t->used_ms = sql_column_int(row, i++);
	t->revoked_ms = sql_column_int(row, i++);
}

int store_token_get(struct store *store, const char *id, struct arena *arena,
	struct store_token *token_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT " TOKEN_COLUMNS " FROM api_token WHERE id = ?1",
		SQL_VALUES(sql_text(id)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found > 0) {
		token_read(row, arena, token_r);
		sql_stop(row);
	}
	return found;
}

#define TOKENS_LISTED_MAX (4 * STORE_TOKENS_MAX) /* old ones included */

/* A file of 0.1.0 has no place for them, and who only looks makes none. */
static int64_t has_place(struct store *store, struct err *err_r)
{
	return count(store,
		"SELECT count(*) FROM sqlite_schema WHERE name = 'api_token'",
		SQL_NO_VALUES, err_r);
}

int store_token_list(struct store *store, struct arena *arena,
	struct store_token **tokens_r, size_t *n_r, struct err *err_r)
{
	struct sql_list list = {
		arena, sizeof(**tokens_r), TOKENS_LISTED_MAX, token_read};
	int64_t there = has_place(store, err_r);
	int rc;

	*tokens_r = NULL;
	*n_r = 0;
	if (there <= 0)
		return (int)there;
	rc = sql_list_read(store,
		sql_start(store,
			"SELECT " TOKEN_COLUMNS " FROM api_token"
			" ORDER BY created_ms DESC, id LIMIT ?1",
			SQL_VALUES(sql_int(TOKENS_LISTED_MAX)), err_r),
		&list, err_r);

	*tokens_r = list.items;
	*n_r = list.n;
	return rc;
}

int store_token_revoke(
	struct store *store, const char *id, int64_t now_ms, struct err *err_r)
{
	return sql_run(store,
		"UPDATE api_token SET revoked_ms = ?2"
		" WHERE id = ?1 AND revoked_ms = 0",
		SQL_VALUES(sql_text(id), sql_int(now_ms)), err_r);
}

int store_token_used(
	struct store *store, const char *id, int64_t now_ms, struct err *err_r)
{
	return sql_run(store, "UPDATE api_token SET used_ms = ?2 WHERE id = ?1",
		       SQL_VALUES(sql_text(id), sql_int(now_ms)), err_r) < 0
		       ? -1
		       : 0;
}

/* Sessions */

static int session_insert(
	struct store *store, const struct store_session *s, struct err *err_r)
{
	static const char sql[] =
		"INSERT INTO session (hash, data, created_ms, used_ms,"
		" expires_ms) VALUES (?1, ?2, ?3, ?3, ?4)";

	if (sql_run(store, "DELETE FROM session WHERE expires_ms <= ?1",
		    SQL_VALUES(sql_int(s->created_ms)), err_r) < 0 ||
		sql_run(store,
			"DELETE FROM session WHERE hash IN (SELECT hash"
			" FROM session ORDER BY used_ms DESC LIMIT -1"
			" OFFSET ?1)",
			SQL_VALUES(sql_int(STORE_SESSIONS_MAX - 1)), err_r) < 0)
		return -1;
	return sql_run(store, sql,
		       SQL_VALUES(sql_text(s->hash), sql_text(s->data),
			       sql_int(s->created_ms), sql_int(s->expires_ms)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_session_add(struct store *store, const struct store_session *session,
	struct err *err_r)
{
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	if (session_insert(store, session, err_r) == 0)
		return sql_leave(store, own, err_r);
	sql_abandon(store, own);
	return -1;
}

#define SESSION_COLUMNS "hash, data, created_ms, used_ms, expires_ms"

static void session_read(
	struct sqlite3_stmt *row, struct arena *arena, void *session_r)
{
	struct store_session *session = session_r;

	session->hash = arena_strdup(arena, sql_column_text(row, 0));
	session->data = arena_strdup(arena, sql_column_text(row, 1));
	session->created_ms = sql_column_int(row, 2);
	session->used_ms = sql_column_int(row, 3);
	session->expires_ms = sql_column_int(row, 4);
}

int store_session_get(struct store *store, const char *hash,
	struct arena *arena, struct store_session *session_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT " SESSION_COLUMNS " FROM session WHERE hash = ?1",
		SQL_VALUES(sql_text(hash)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found > 0) {
		session_read(row, arena, session_r);
		sql_stop(row);
	}
	return found;
}

int store_sessions_list(struct store *store, int64_t now_ms,
	struct arena *arena, struct store_session **sessions_r, size_t *n_r,
	struct err *err_r)
{
	struct sql_list list = {
		arena, sizeof(**sessions_r), STORE_SESSIONS_MAX, session_read};
	int rc = sql_list_read(store,
		sql_start(store,
			"SELECT " SESSION_COLUMNS
			" FROM session WHERE expires_ms > ?1"
			" ORDER BY used_ms DESC, hash LIMIT ?2",
			SQL_VALUES(
				sql_int(now_ms), sql_int(STORE_SESSIONS_MAX)),
			err_r),
		&list, err_r);

	*sessions_r = list.items;
	*n_r = list.n;
	return rc;
}

int store_session_used(struct store *store, const char *hash, int64_t now_ms,
	struct err *err_r)
{
	return sql_run(store, "UPDATE session SET used_ms = ?2 WHERE hash = ?1",
		       SQL_VALUES(sql_text(hash), sql_int(now_ms)), err_r) < 0
		       ? -1
		       : 0;
}

int store_session_end(struct store *store, const char *hash, struct err *err_r)
{
	return sql_run(store, "DELETE FROM session WHERE hash = ?1",
		       SQL_VALUES(sql_text(hash)), err_r) < 0
		       ? -1
		       : 0;
}

/* Proofs that were used, and our own key */

static int seen_insert(struct store *store, const char *what, int64_t now_ms,
	int64_t until_ms, struct err *err_r)
{
	int64_t n;

	if (sql_run(store, "DELETE FROM used_proof WHERE until_ms <= ?1",
		    SQL_VALUES(sql_int(now_ms)), err_r) < 0)
		return -1;
	n = count(
		store, "SELECT count(*) FROM used_proof", SQL_NO_VALUES, err_r);
	if (n >= STORE_SEEN_MAX)
		return err_set(err_r, ERR_LIMIT,
			"%d proofs that were used are remembered: no more are "
			"taken until some are over",
			STORE_SEEN_MAX);
	if (n < 0)
		return -1;
	return sql_run(store,
		"INSERT INTO used_proof (what, until_ms) VALUES (?1, ?2)"
		" ON CONFLICT DO NOTHING",
		SQL_VALUES(sql_text(what), sql_int(until_ms)), err_r);
}

int store_seen_add(struct store *store, const char *what, int64_t now_ms,
	int64_t until_ms, struct err *err_r)
{
	bool own;
	int n;

	if (sql_enter(store, &own, err_r))
		return -1;
	n = seen_insert(store, what, now_ms, until_ms, err_r);
	if (n >= 0)
		return sql_leave(store, own, err_r) ? -1 : n;
	sql_abandon(store, own);
	return -1;
}

int store_key_get(struct store *store, const char *name, const char *fresh,
	struct arena *arena, const char **key_r, struct err *err_r)
{
	struct sqlite3_stmt *row;

	if (sql_run(store,
		    "INSERT INTO own_key (name, value) VALUES (?1, ?2)"
		    " ON CONFLICT DO NOTHING",
		    SQL_VALUES(sql_text(name), sql_text(fresh)), err_r) < 0)
		return -1;
	row = sql_start(store, "SELECT value FROM own_key WHERE name = ?1",
		SQL_VALUES(sql_text(name)), err_r);
	if (!row || sql_next(store, row, err_r) < 0)
		return -1;
	*key_r = arena_strdup(arena, sql_column_text(row, 0));
	sql_stop(row);
	return 0;
}
