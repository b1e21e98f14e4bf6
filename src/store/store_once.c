/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are carried out once; see store_once.h. */
#include "store/store_once.h"

#include "store/store_sqlite.h"

static int forget_old(struct store *store, int64_t now_ms, struct err *err_r)
{
	return sql_run(store, "DELETE FROM once WHERE time_ms < ?1",
		       SQL_VALUES(sql_int(now_ms - STORE_ONCE_MS)), err_r) < 0
		       ? -1
		       : 0;
}

int store_once_find(struct store *store, const char *key, struct arena *arena,
	struct store_once *known_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT digest, time_ms, command_id, status, answer FROM once"
		" WHERE key = ?1",
		SQL_VALUES(sql_text(key)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	*known_r = (struct store_once){
		.key = arena_strdup(arena, key),
		.digest = arena_strdup(arena, sql_column_text(row, 0)),
		.time_ms = sql_column_int(row, 1),
		.command_id = sql_column_int(row, 2),
		.status = (int)sql_column_int(row, 3),
		.answer = arena_strdup(arena, sql_column_text(row, 4)),
	};
	sql_stop(row);
	return 1;
}

static int insert(
	struct store *store, const struct store_once *once, struct err *err_r)
{
	int n = sql_run(store,
		"INSERT INTO once (key, digest, time_ms, command_id, status,"
		" answer) SELECT ?1, ?2, ?3, 0, 0, ''"
		" WHERE (SELECT count(*) FROM once) < ?4",
		SQL_VALUES(sql_text(once->key), sql_text(once->digest),
			sql_int(once->time_ms), sql_int(STORE_ONCE_MAX)),
		err_r);

	if (n == 0)
		return err_set(err_r, ERR_LIMIT,
			"%d requests with a key were sent within a day: no "
			"more are kept",
			STORE_ONCE_MAX);
	return n < 0 ? -1 : 1;
}

int store_once_begin(struct store *store, const struct store_once *once,
	struct arena *arena, struct store_once *known_r, struct err *err_r)
{
	int found;
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	found = forget_old(store, once->time_ms, err_r);
	if (!found)
		found = store_once_find(
			store, once->key, arena, known_r, err_r);
	if (!found)
		found = insert(store, once, err_r) < 0 ? -1 : 2;
	if (found < 0) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r) ? -1 : found - 1;
}

int store_once_command(struct store *store, const char *key, int64_t command_id,
	struct err *err_r)
{
	return sql_run(store, "UPDATE once SET command_id = ?2 WHERE key = ?1",
		       SQL_VALUES(sql_text(key), sql_int(command_id)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_once_answer(struct store *store, const char *key, int status,
	const char *answer, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE once SET status = ?2, answer = ?3 WHERE key = "
		       "?1",
		       SQL_VALUES(sql_text(key), sql_int(status),
			       sql_text(answer)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_once_forget(struct store *store, const char *key, struct err *err_r)
{
	return sql_run(store, "DELETE FROM once WHERE key = ?1 AND status = 0",
		       SQL_VALUES(sql_text(key)), err_r) < 0
		       ? -1
		       : 0;
}
