/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about rollouts; see store_notice.h. */
#include "store/store_notice.h"

#include "store/store_sqlite.h"

#define COLUMNS "rollout, place, mark, message, begun_ms, over"

static void take_row(
	struct sqlite3_stmt *row, struct arena *arena, void *notice_r)
{
	*(struct store_notice *)notice_r = (struct store_notice){
		.rollout = arena_strdup(arena, sql_column_text(row, 0)),
		.place = arena_strdup(arena, sql_column_text(row, 1)),
		.mark = arena_strdup(arena, sql_column_text(row, 2)),
		.message = arena_strdup(arena, sql_column_text(row, 3)),
		.begun_ms = sql_column_int(row, 4),
		.over = sql_column_int(row, 5) != 0,
	};
}

static int find(struct store *store, const struct store_notice *notice,
	struct arena *arena, struct store_notice *known_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT " COLUMNS " FROM notice WHERE rollout = ?1 AND"
		" place = ?2",
		SQL_VALUES(sql_text(notice->rollout), sql_text(notice->place)),
		err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	take_row(row, arena, known_r);
	sql_stop(row);
	return 1;
}

/* A rollout that was forgotten meanwhile gets no row that nobody removes. */
static int insert(struct store *store, const struct store_notice *notice,
	struct err *err_r)
{
	int n = sql_run(store,
		"INSERT INTO notice (" COLUMNS ") SELECT ?1, ?2, ?3, '', ?4, 0"
		" WHERE EXISTS (SELECT 1 FROM rollout WHERE id = ?1)",
		SQL_VALUES(sql_text(notice->rollout), sql_text(notice->place),
			sql_text(notice->mark), sql_int(notice->begun_ms)),
		err_r);

	if (n == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\"", notice->rollout);
	return n < 0 ? -1 : 0;
}

int store_notice_begin(struct store *store, const struct store_notice *notice,
	struct arena *arena, struct store_notice *known_r, struct err *err_r)
{
	int found;
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	found = find(store, notice, arena, known_r, err_r);
	if (!found && insert(store, notice, err_r) < 0)
		found = -1;
	if (found < 0) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r) ? -1 : !found;
}

int store_notice_begin_again(struct store *store,
	const struct store_notice *notice, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE notice SET begun_ms = ?3 WHERE rollout = ?1 AND"
		       " place = ?2",
		       SQL_VALUES(sql_text(notice->rollout),
			       sql_text(notice->place),
			       sql_int(notice->begun_ms)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_notice_posted(struct store *store, const char *rollout,
	const char *place, const char *message, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE notice SET message = ?3 WHERE rollout = ?1 AND"
		       " place = ?2",
		       SQL_VALUES(sql_text(rollout), sql_text(place),
			       sql_text(message)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_notice_over(struct store *store, const char *rollout,
	const char *place, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE notice SET over = 1 WHERE rollout = ?1 AND"
		       " place = ?2",
		       SQL_VALUES(sql_text(rollout), sql_text(place)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_notice_list(struct store *store, struct arena *arena,
	struct store_notice **notices_r, size_t *n_r, struct err *err_r)
{
	struct sql_list list = {
		arena, sizeof(**notices_r), STORE_NOTICES_MAX, take_row};
	int rc = sql_list_read(store,
		sql_start(store,
			"SELECT " COLUMNS " FROM notice WHERE over = 0"
			" AND EXISTS (SELECT 1 FROM rollout"
			"  WHERE id = notice.rollout AND ended_ms != 0)"
			" ORDER BY begun_ms LIMIT ?1",
			SQL_VALUES(sql_int(STORE_NOTICES_MAX)), err_r),
		&list, err_r);

	*notices_r = list.items;
	*n_r = list.n;
	return rc;
}
