/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are carried out once; see store_once.h. */
#include "store/store_once.h"

#include <stdio.h>
#include <string.h>

#include "store/holder.h"
#include "store/store_sqlite.h"

static int forget_old(struct store *store, int64_t now_ms, struct err *err_r)
{
	return sql_run(store, "DELETE FROM request WHERE time_ms < ?1",
		       SQL_VALUES(sql_int(now_ms - STORE_ONCE_MS)), err_r) < 0
		       ? -1
		       : 0;
}

struct known {
	struct store_once once;
	struct holder holder;
};

static void take_text(char text[HOLDER_TEXT_MAX], const char *from)
{
	snprintf(text, HOLDER_TEXT_MAX, "%s", from);
}

static int known_read(struct store *store, const char *key, struct arena *arena,
	struct known *known_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT digest, time_ms, command_id, status, answer, rollout,"
		" host, boot, pid_space, pid, pid_start FROM request"
		" WHERE key = ?1",
		SQL_VALUES(sql_text(key)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	known_r->once = (struct store_once){
		.key = arena_strdup(arena, key),
		.digest = arena_strdup(arena, sql_column_text(row, 0)),
		.time_ms = sql_column_int(row, 1),
		.command_id = sql_column_int(row, 2),
		.status = (int)sql_column_int(row, 3),
		.answer = arena_strdup(arena, sql_column_text(row, 4)),
		.rollout = arena_strdup(arena, sql_column_text(row, 5)),
	};
	take_text(known_r->holder.host, sql_column_text(row, 6));
	take_text(known_r->holder.boot, sql_column_text(row, 7));
	take_text(known_r->holder.pid_space, sql_column_text(row, 8));
	known_r->holder.pid = sql_column_int(row, 9);
	known_r->holder.start = sql_column_int(row, 10);
	sql_stop(row);
	return 1;
}

int store_once_find(struct store *store, const char *key, struct arena *arena,
	struct store_once *known_r, struct err *err_r)
{
	struct known known;
	int found = known_read(store, key, arena, &known, err_r);

	if (found > 0)
		*known_r = known.once;
	return found;
}

/* ---- whose work it is ---- */

static bool is_same(const struct holder *a, const struct holder *b)
{
	return a->pid == b->pid && a->start == b->start &&
	       !strcmp(a->host, b->host) && !strcmp(a->boot, b->boot) &&
	       !strcmp(a->pid_space, b->pid_space);
}

/* Of one in another container nobody knows whether it lives. A clock that was
 * set back proves nothing. */
static bool is_held(
	const struct known *known, const struct holder *self, int64_t now_ms)
{
	int64_t age_ms = now_ms - known->once.time_ms;

	if (is_same(&known->holder, self))
		return false;
	switch (holder_state(&known->holder)) {
	case HOLDER_ALIVE:
		return true;
	case HOLDER_DEAD:
		return false;
	case HOLDER_UNKNOWN:
		break;
	}
	return age_ms >= 0 && age_ms < STORE_ONCE_WORK_MS;
}

static int insert(struct store *store, const struct store_once *once,
	const struct holder *self, struct err *err_r)
{
	int n = sql_run(store,
		"INSERT INTO request (key, digest, time_ms, command_id, status,"
		" answer, host, boot, pid_space, pid, pid_start)"
		" SELECT ?1, ?2, ?3, 0, 0, '', ?5, ?6, ?7, ?8, ?9"
		" WHERE (SELECT count(*) FROM request) < ?4",
		SQL_VALUES(sql_text(once->key), sql_text(once->digest),
			sql_int(once->time_ms), sql_int(STORE_ONCE_MAX),
			sql_text(self->host), sql_text(self->boot),
			sql_text(self->pid_space), sql_int(self->pid),
			sql_int(self->start)),
		err_r);

	if (n == 0)
		return err_set(err_r, ERR_LIMIT,
			"%d requests with a key were sent within a day: no "
			"more are kept",
			STORE_ONCE_MAX);
	return n < 0 ? -1 : 1;
}

static int begin(struct store *store, const struct store_once *once,
	struct arena *arena, struct store_once *known_r, struct err *err_r)
{
	struct holder self;
	struct known known;
	int found = known_read(store, once->key, arena, &known, err_r);

	if (found < 0)
		return -1;
	holder_self(&self);
	if (!found)
		return insert(store, once, &self, err_r);
	*known_r = known.once;
	known_r->is_held = is_held(&known, &self, once->time_ms);
	if (known_r->status || known_r->command_id || *known_r->rollout ||
		known_r->is_held)
		return 0;
	/* It came to nothing. */
	return store_once_forget(store, once->key, err_r) < 0
		       ? -1
		       : insert(store, once, &self, err_r);
}

int store_once_begin(struct store *store, const struct store_once *once,
	struct arena *arena, struct store_once *known_r, struct err *err_r)
{
	int is_new = -1;
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	if (forget_old(store, once->time_ms, err_r) == 0)
		is_new = begin(store, once, arena, known_r, err_r);
	if (is_new < 0) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r) ? -1 : is_new;
}

/* ---- what came of it ---- */

int store_once_command(struct store *store, const char *key, int64_t command_id,
	struct err *err_r)
{
	return sql_run(store,
		       "UPDATE request SET command_id = ?2 WHERE key = ?1",
		       SQL_VALUES(sql_text(key), sql_int(command_id)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_once_rollout(struct store *store, const char *key,
	const char *rollout, struct err *err_r)
{
	int n = sql_run(store,
		"UPDATE request SET rollout = ?2 WHERE key = ?1 AND rollout = "
		"''",
		SQL_VALUES(sql_text(key), sql_text(rollout)), err_r);

	if (n == 0)
		return err_set(err_r, ERR_LEASE,
			"another process has taken this request up: ask what "
			"became of it");
	return n < 0 ? -1 : 0;
}

int store_once_answer(struct store *store, const char *key, int status,
	const char *answer, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE request SET status = ?2, answer = ?3 WHERE key "
		       "= "
		       "?1",
		       SQL_VALUES(sql_text(key), sql_int(status),
			       sql_text(answer)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_once_forget(struct store *store, const char *key, struct err *err_r)
{
	return sql_run(store,
		       "DELETE FROM request WHERE key = ?1 AND status = 0"
		       " AND command_id = 0 AND rollout = ''",
		       SQL_VALUES(sql_text(key)), err_r) < 0
		       ? -1
		       : 0;
}
