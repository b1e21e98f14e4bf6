/* SPDX-License-Identifier: Apache-2.0 */
/* Drills of rollbacks; see store_drill.h. */
#include "store/store_drill.h"

#include <string.h>

#include "store/store_sqlite.h"

int store_drill_note(
	struct store *store, const struct store_drill *drill, struct err *err_r)
{
	int n = sql_run(store,
		"INSERT INTO drill (service, who, time_ms) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (service) DO UPDATE SET who = excluded.who,"
		" time_ms = excluded.time_ms"
		" WHERE excluded.time_ms > drill.time_ms",
		SQL_VALUES(sql_text(drill->service), sql_text(drill->who),
			sql_int(drill->time_ms)),
		err_r);

	return n < 0 ? -1 : 0;
}

static int count(struct store *store, size_t *n_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(
		store, "SELECT count(*) FROM drill", SQL_NO_VALUES, err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	*n_r = 0;
	if (found <= 0)
		return found;
	*n_r = (size_t)sql_column_int(row, 0);
	if (*n_r > STORE_DRILLS_MAX)
		*n_r = STORE_DRILLS_MAX;
	sql_stop(row);
	return 0;
}

int store_drills_list(struct store *store, struct arena *arena,
	struct store_drill **drills_r, size_t *n_r, struct err *err_r)
{
	struct sqlite3_stmt *row;
	struct store_drill *list;
	size_t size, n = 0;
	int more;

	if (count(store, &size, err_r) < 0)
		return -1;
	list = arena_alloc(arena, size * sizeof(*list) + 1);
	row = sql_start(store,
		"SELECT service, who, time_ms FROM drill"
		" ORDER BY time_ms DESC, service LIMIT ?1",
		SQL_VALUES(sql_int((int64_t)size)), err_r);
	if (!row)
		return -1;
	while ((more = sql_next(store, row, err_r)) > 0)
		list[n++] = (struct store_drill){
			.service = arena_strdup(arena, sql_column_text(row, 0)),
			.who = arena_strdup(arena, sql_column_text(row, 1)),
			.time_ms = sql_column_int(row, 2),
		};
	*drills_r = list;
	*n_r = n;
	return more < 0 ? -1 : 0;
}
