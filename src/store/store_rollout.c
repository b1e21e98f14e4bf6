/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts in the state file: made, found, listed; see store.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/holder.h"
#include "store/store_once.h"
#include "store/store_sqlite.h"

#define COLUMNS                                                          \
	"id, service, candidate, stable, policy_name, policy_path,"      \
	" policy_digest, options, starter, started_ms, ended_ms, phase," \
	" reason, last_seq"
#define COLUMN_SOURCE 14 /* after those of COLUMNS */

static int policy_keep(struct store *store, const struct store_rollout *rollout,
	struct err *err_r)
{
	return sql_run(store, "INSERT OR IGNORE INTO policy VALUES (?1, ?2)",
		       SQL_VALUES(sql_text(rollout->policy_digest),
			       sql_text(rollout->policy_source)),
		       err_r) < 0
		       ? -1
		       : 0;
}

static int rollout_insert(struct store *store,
	const struct store_rollout *rollout, struct err *err_r)
{
	static const char sql[] =
		"INSERT INTO rollout (id, service, candidate, stable,"
		" policy_name, policy_path, policy_digest, options, starter,"
		" started_ms, phase)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" ON CONFLICT (id) DO NOTHING";
	int n = sql_run(store, sql,
		SQL_VALUES(sql_text(rollout->id), sql_text(rollout->service),
			sql_text(rollout->candidate), sql_text(rollout->stable),
			sql_text(rollout->policy_name),
			sql_text(rollout->policy_path),
			sql_text(rollout->policy_digest),
			sql_text(rollout->options), sql_text(rollout->starter),
			sql_int(rollout->started_ms), sql_text(rollout->phase)),
		err_r);

	if (n == 0)
		return err_set(err_r, ERR_CONFLICT,
			"there is a rollout %s already", rollout->id);
	return n < 0 ? -1 : 0;
}

int store_rollout_create(struct store *store,
	const struct store_rollout *rollout, struct err *err_r)
{
	bool own;

	if (!*rollout->id || strlen(rollout->id) > STORE_ROLLOUT_ID_MAX)
		return err_set(err_r, ERR_INVALID,
			"the rollout's id is \"%.160s\": it must have 1 to %d "
			"bytes",
			rollout->id, STORE_ROLLOUT_ID_MAX);
	if (sql_enter(store, &own, err_r))
		return -1;
	if ((rollout->once && store_once_rollout(store, rollout->once,
				      rollout->id, err_r) < 0) ||
		policy_keep(store, rollout, err_r) ||
		rollout_insert(store, rollout, err_r)) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r);
}

int store_rollout_set_revisions(struct store *store, const char *id,
	const char *candidate, const char *stable, struct err *err_r)
{
	int n = sql_run(store,
		"UPDATE rollout SET candidate = ?1, stable = ?2 WHERE id = ?3",
		SQL_VALUES(sql_text(candidate), sql_text(stable), sql_text(id)),
		err_r);

	if (n == 0)
		return err_set(
			err_r, ERR_NOT_FOUND, "there is no rollout %.160s", id);
	return n < 0 ? -1 : 0;
}

static void row_read(
	struct sqlite3_stmt *row, struct arena *arena, struct store_rollout *r)
{
	int i = 0;

	r->id = arena_strdup(arena, sql_column_text(row, i++));
	r->service = arena_strdup(arena, sql_column_text(row, i++));
	r->candidate = arena_strdup(arena, sql_column_text(row, i++));
	r->stable = arena_strdup(arena, sql_column_text(row, i++));
	r->policy_name = arena_strdup(arena, sql_column_text(row, i++));
	r->policy_path = arena_strdup(arena, sql_column_text(row, i++));
	r->policy_digest = arena_strdup(arena, sql_column_text(row, i++));
	r->options = arena_strdup(arena, sql_column_text(row, i++));
	r->starter = arena_strdup(arena, sql_column_text(row, i++));
	r->started_ms = sql_column_int(row, i++);
	r->ended_ms = sql_column_int(row, i++);
	r->phase = arena_strdup(arena, sql_column_text(row, i++));
	r->reason = arena_strdup(arena, sql_column_text(row, i++));
	r->last_seq = sql_column_int(row, i++);
	r->policy_source = "";
	assert(i == COLUMN_SOURCE);
}

static void row_read_whole(
	struct sqlite3_stmt *row, struct arena *arena, struct store_rollout *r)
{
	row_read(row, arena, r);
	r->policy_source =
		arena_strdup(arena, sql_column_text(row, COLUMN_SOURCE));
}

#define WITH_SOURCE                               \
	"SELECT " COLUMNS ", source FROM rollout" \
	" LEFT JOIN policy ON policy.digest = rollout.policy_digest"

/* In the index' order an exact match is the first of its prefix. The upper bound
 * keeps more from being looked for to the end. */
#define WHERE_BEGINNING                                 \
	" WHERE id >= ?1 AND id <= ?1 || char(1114111)" \
	" AND substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT "

/* 1 when it is the only one; -1 when there are others. */
static int row_only(struct store *store, struct sqlite3_stmt *row,
	const char *prefix, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	struct store_rollout other;
	int more;

	row_read_whole(row, arena, rollout_r);
	more = sql_next(store, row, err_r);
	if (more <= 0)
		return more < 0 ? -1 : 1;
	if (strcmp(rollout_r->id, prefix) == 0) {
		sql_stop(row);
		return 1;
	}
	row_read(row, arena, &other);
	sql_stop(row);
	return err_set(err_r, ERR_USAGE, STORE_AMBIGUOUS, prefix, rollout_r->id,
		other.id);
}

int store_rollout_get(struct store *store, const char *id, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	static const char sql[] = WITH_SOURCE WHERE_BEGINNING "2";
	struct sqlite3_stmt *row;
	int more;

	if (!*id || strlen(id) > STORE_ROLLOUT_ID_MAX)
		return 0;
	row = sql_start(store, sql, SQL_VALUES(sql_text(id)), err_r);
	if (!row)
		return -1;
	more = sql_next(store, row, err_r);
	if (more <= 0)
		return more;
	return row_only(store, row, id, arena, rollout_r, err_r);
}

int store_rollout_find(struct store *store, const char *id, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		WITH_SOURCE " WHERE id = ?1", SQL_VALUES(sql_text(id)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	row_read_whole(row, arena, rollout_r);
	sql_stop(row);
	return 1;
}

/* All rows of a query that was started, or NULL. */
static int list_take(struct store *store, struct sqlite3_stmt *row,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	struct store_rollout *list = NULL;
	size_t n = 0, size = 0;
	int more = row ? 1 : -1;

	while (row && (more = sql_next(store, row, err_r)) > 0) {
		if (n == size) {
			size = size ? size * 2 : 16;
			list = xrealloc(list, size, sizeof(*list));
		}
		row_read(row, arena, &list[n++]);
	}
	if (!more) {
		*rollouts_r = arena_alloc(arena, (n + 1) * sizeof(*list));
		if (n)
			memcpy(*rollouts_r, list, n * sizeof(*list));
		*n_r = n;
	}
	free(list);
	return more;
}

/* Which one is newer no clock says: it may have been set back since. */
#define LIST_WHERE(is_its_service)                              \
	"SELECT " COLUMNS " FROM rollout WHERE " is_its_service \
	" AND (NOT ?2 OR ended_ms = 0)"                         \
	" AND (?4 != 3 OR ended_ms != 0)"                       \
	" AND (?4 != 2 OR phase IN ('held', 'paused',"          \
	"  'awaiting-approval'))"                               \
	" AND started_ms >= ?5"                                 \
	" AND (?6 IS NULL OR no <"                              \
	"  (SELECT no FROM rollout WHERE id = ?6))"             \
	" ORDER BY no DESC LIMIT ?3"

int store_rollout_list(struct store *store, const struct store_filter *filter,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	static const char any[] =
		LIST_WHERE("(?1 IS NULL OR service = ?1 OR"
			   " substr(service, -length(?1) - 1) = '/' || ?1)");
	/* A full name, as each start asks with, has an index. */
	static const char full[] = LIST_WHERE("service = ?1");
	const char *sql =
		filter->service && strchr(filter->service, '/') ? full : any;
	struct sqlite3_stmt *row;

	row = sql_start(store, sql,
		SQL_VALUES(sql_text(filter->service),
			sql_int(filter->unfinished ||
				filter->state == STORE_ACTIVE ||
				filter->state == STORE_WAITING),
			sql_int(filter->limit > 0 ? filter->limit
						  : STORE_LIST_MAX),
			sql_int(filter->state), sql_int(filter->since_ms),
			sql_text(filter->after)),
		err_r);
	return list_take(store, row, arena, rollouts_r, n_r, err_r);
}

/* No id of a project begins with a digit: few are by number, and found by their
 * index. */
#define NAMED_WHERE(by)                                           \
	"SELECT " COLUMNS " FROM rollout WHERE ended_ms = 0 AND " \
	"(service " by ") AND substr(service, -length(?1)) = ?1 " \
	"ORDER BY no DESC"

int store_rollouts_named(struct store *store, const char *end, bool by_number,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	static const char numbers[] =
		NAMED_WHERE(">= 'projects/0' AND service < 'projects/:'");
	static const char ids[] =
		NAMED_WHERE("< 'projects/0' OR service >= 'projects/:'");
	struct sqlite3_stmt *row = sql_start(store, by_number ? numbers : ids,
		SQL_VALUES(sql_text(end)), err_r);

	return list_take(store, row, arena, rollouts_r, n_r, err_r);
}

int store_rollouts_beginning(struct store *store, const char *prefix,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM rollout" WHERE_BEGINNING "?2";
	struct sqlite3_stmt *row = sql_start(store, sql,
		SQL_VALUES(sql_text(prefix), sql_int(STORE_BEGINNING_MAX)),
		err_r);

	return list_take(store, row, arena, rollouts_r, n_r, err_r);
}

int store_rollouts_left(struct store *store, struct arena *arena,
	struct store_rollout **rollouts_r, size_t *n_r, struct err *err_r)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM rollout WHERE ended_ms = 0"
		" AND NOT EXISTS (SELECT 1 FROM lease"
		"  WHERE lease.service = rollout.service"
		"  AND lease.rollout = rollout.id AND expires_ms != 0"
		"  AND host = ?1 AND boot = ?2 AND pid_space = ?3"
		"  AND pid = ?4 AND pid_start = ?5)"
		" ORDER BY no";
	struct sqlite3_stmt *row;
	struct holder self;

	holder_self(&self);
	row = sql_start(store, sql,
		SQL_VALUES(sql_text(self.host), sql_text(self.boot),
			sql_text(self.pid_space), sql_int(self.pid),
			sql_int(self.start)),
		err_r);
	return list_take(store, row, arena, rollouts_r, n_r, err_r);
}

int store_rollout_overtaken(struct store *store, const char *id,
	struct arena *arena, struct store_rollout *rollout_r, struct err *err_r)
{
	/* Few rollouts begin while one is unfinished, of whatever service; a
	 * service may have any number: its index is not used. */
	static const char sql[] =
		"SELECT " COLUMNS " FROM rollout"
		" WHERE no > (SELECT no FROM rollout WHERE id = ?1)"
		" AND +service = (SELECT service FROM rollout WHERE id = ?1)"
		" AND phase NOT IN ('refused', 'preflight')"
		" ORDER BY no DESC LIMIT 1";
	struct sqlite3_stmt *row =
		sql_start(store, sql, SQL_VALUES(sql_text(id)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	row_read(row, arena, rollout_r);
	sql_stop(row);
	return 1;
}

int store_was_rolled_back(struct store *store, const char *service,
	const char *candidate, struct arena *arena, const char **id_r,
	struct err *err_r)
{
	/* The last rollout of the candidate counts: it may have been started
	 * with --again and promoted since. */
	static const char sql[] =
		"SELECT id, phase FROM rollout"
		" WHERE service = ?1 AND candidate = ?2 AND phase IN"
		"  ('promoted', 'rolled-back', 'rollback-failed')"
		" ORDER BY no DESC LIMIT 1";
	struct sqlite3_stmt *row;
	int found;

	row = sql_start(store, sql,
		SQL_VALUES(sql_text(service), sql_text(candidate)), err_r);
	if (!row)
		return -1;
	found = sql_next(store, row, err_r);
	if (found <= 0)
		return found;
	found = strcmp(sql_column_text(row, 1), "promoted") != 0;
	if (found)
		*id_r = arena_strdup(arena, sql_column_text(row, 0));
	sql_stop(row);
	return found;
}
