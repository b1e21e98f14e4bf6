/* SPDX-License-Identifier: Apache-2.0 */
/* Old rollouts are deleted, with all that belongs to them; see store.h. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/store_sqlite.h"

#define AT_ONCE 5 /* rollouts in one transaction: others wait for it */

struct old {
	int64_t no[AT_ONCE];
	char *id[AT_ONCE];
	int n;
};

#define NEWER                                                                 \
	"(SELECT 1 FROM rollout AS n WHERE n.service = r.service AND n.no > " \
	"r.no"

/* What the way back is known from stays (live/rollback_find.c): of each service
 * the newest that moved something, and what it undoes. So does the newest that
 * was taken back, whose revision is not released again, and the newest of all. */
static int find_old(struct store *store, int64_t before_ms, struct old *old,
	struct err *err_r)
{
	static const char sql[] =
		"SELECT no, id FROM rollout AS r"
		" WHERE ended_ms != 0 AND ended_ms < ?1"
		" AND EXISTS " NEWER ")"
		" AND (stable = '' OR phase = 'refused' OR EXISTS " NEWER
		"  AND n.ended_ms != 0 AND n.stable != ''"
		"  AND n.phase != 'refused'))"
		" AND (phase NOT IN ('rolled-back', 'rollback-failed')"
		"  OR EXISTS " NEWER
		"  AND n.phase IN ('rolled-back', 'rollback-failed')))"
		" AND NOT EXISTS " NEWER
		"  AND instr(n.options, '\"after\":\"' || r.id || '\"'))"
		" ORDER BY no LIMIT ?2";
	struct sqlite3_stmt *row = sql_start(store, sql,
		SQL_VALUES(sql_int(before_ms), sql_int(AT_ONCE)), err_r);
	int more = -1;

	while (row && (more = sql_next(store, row, err_r)) > 0) {
		old->no[old->n] = sql_column_int(row, 0);
		old->id[old->n++] = xstrdup(sql_column_text(row, 1));
	}
	return more;
}

static int forget_one(
	struct store *store, int64_t no, const char *id, struct err *err_r)
{
	if (sql_run(store, "DELETE FROM event WHERE rollout = ?1",
		    SQL_VALUES(sql_int(no)), err_r) < 0 ||
		sql_run(store, "DELETE FROM command WHERE rollout = ?1",
			SQL_VALUES(sql_text(id)), err_r) < 0 ||
		sql_run(store, "DELETE FROM notice WHERE rollout = ?1",
			SQL_VALUES(sql_text(id)), err_r) < 0 ||
		sql_run(store, "DELETE FROM rollout WHERE no = ?1",
			SQL_VALUES(sql_int(no)), err_r) < 0)
		return -1;
	return 0;
}

static int forget_all(
	struct store *store, const struct old *old, struct err *err_r)
{
	for (int i = 0; i < old->n; i++)
		if (forget_one(store, old->no[i], old->id[i], err_r) < 0)
			return -1;
	return sql_run(store,
		       "DELETE FROM policy WHERE NOT EXISTS (SELECT 1 FROM"
		       " rollout WHERE policy_digest = digest)",
		       SQL_NO_VALUES, err_r) < 0
		       ? -1
		       : 0;
}

int store_rollouts_forget(
	struct store *store, int64_t before_ms, struct err *err_r)
{
	struct old old = {.n = 0};
	bool own;
	int rc;

	if (sql_enter(store, &own, err_r))
		return -1;
	rc = find_old(store, before_ms, &old, err_r);
	if (!rc && old.n)
		rc = forget_all(store, &old, err_r);
	for (int i = 0; i < old.n; i++)
		free(old.id[i]);
	if (rc < 0) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r) ? -1 : old.n;
}
