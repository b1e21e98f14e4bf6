/* SPDX-License-Identifier: Apache-2.0 */
/* Operators' commands: left by one process, taken by the one that drives. */
#include <string.h>

#include "store/store_sqlite.h"

#define COLUMNS "id, rollout, verb, who, comment, step, time_ms, state, answer"

/* Says why a command was not added. */
static int add_explain(
	struct store *store, const char *rollout, struct err *err_r)
{
	struct sqlite3_stmt *row =
		sql_start(store, "SELECT phase FROM rollout WHERE id = ?1",
			SQL_VALUES(sql_text(rollout)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found < 0)
		return -1;
	if (!found)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout %.160s", rollout);
	err_set(err_r, ERR_REFUSED, "it is too late: %.160s has ended: %.40s",
		rollout, sql_column_text(row, 0));
	sql_stop(row);
	return -1;
}

/* One that has ended meanwhile refused all that waited: nobody would take it. */
int store_command_add(struct store *store, const struct store_command *command,
	int64_t *id_r, struct err *err_r)
{
	static const char sql[] =
		"INSERT INTO command (rollout, verb, who, comment, step,"
		" time_ms) SELECT id, ?2, ?3, ?4, ?5, ?6 FROM rollout"
		" WHERE id = ?1 AND ended_ms = 0";
	int n;

	if (strlen(command->comment) > STORE_COMMENT_MAX)
		return err_set(err_r, ERR_USAGE,
			"the comment has %zu bytes: it may have at most %d",
			strlen(command->comment), STORE_COMMENT_MAX);
	n = sql_run(store, sql,
		SQL_VALUES(sql_text(command->rollout), sql_text(command->verb),
			sql_text(command->who), sql_text(command->comment),
			sql_int(command->step), sql_int(command->time_ms)),
		err_r);
	if (n == 0)
		return add_explain(store, command->rollout, err_r);
	if (n < 0)
		return -1;
	*id_r = sql_last_id(store);
	return 0;
}

static void row_read(
	struct sqlite3_stmt *row, struct arena *arena, void *command_r)
{
	struct store_command *c = command_r;
	int i = 0;

	c->id = sql_column_int(row, i++);
	c->rollout = arena_strdup(arena, sql_column_text(row, i++));
	c->verb = arena_strdup(arena, sql_column_text(row, i++));
	c->who = arena_strdup(arena, sql_column_text(row, i++));
	c->comment = arena_strdup(arena, sql_column_text(row, i++));
	c->step = (int)sql_column_int(row, i++);
	c->time_ms = sql_column_int(row, i++);
	c->state = (int)sql_column_int(row, i++);
	c->answer = arena_strdup(arena, sql_column_text(row, i++));
}

int store_commands_rollouts(struct store *store, struct arena *arena,
	const char ***ids_r, size_t *n_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT DISTINCT rollout FROM command WHERE state = 0"
		" ORDER BY rollout LIMIT ?1",
		SQL_VALUES(sql_int(STORE_LIST_MAX)), err_r);
	const char **ids = NULL, **more_ids;
	size_t n = 0, size = 0;
	int more;

	if (!row)
		return -1;
	while ((more = sql_next(store, row, err_r)) > 0) {
		if (n == size) {
			size = size ? 2 * size : 16;
			more_ids = arena_alloc(arena, size * sizeof(*ids));
			if (n)
				memcpy(more_ids, ids, n * sizeof(*ids));
			ids = more_ids;
		}
		ids[n++] = arena_strdup(arena, sql_column_text(row, 0));
	}
	*ids_r = ids;
	*n_r = n;
	return more;
}

int store_commands_waiting(struct store *store, const char *rollout,
	struct arena *arena, struct store_command **commands_r, size_t *n_r,
	struct err *err_r)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM command"
		" WHERE rollout = ?1 AND state = 0"
		" ORDER BY verb NOT IN ('abort', 'reject'), id LIMIT ?2";
	struct sql_list list = {
		arena, sizeof(**commands_r), STORE_COMMANDS_MAX, row_read};
	int rc = sql_list_read(store,
		sql_start(store, sql,
			SQL_VALUES(
				sql_text(rollout), sql_int(STORE_COMMANDS_MAX)),
			err_r),
		&list, err_r);

	*commands_r = list.items;
	*n_r = list.n;
	return rc;
}

int store_command_settle(struct store *store, int64_t id, bool refused,
	const char *answer, struct err *err_r)
{
	int n = sql_run(store,
		"UPDATE command SET state = ?2, answer = ?3"
		" WHERE id = ?1 AND state = 0",
		SQL_VALUES(sql_int(id), sql_int(refused ? 2 : 1),
			sql_text(answer)),
		err_r);

	if (n == 0)
		return err_set(err_r, ERR_CONFLICT,
			"the command %lld does not wait any more",
			(long long)id);
	return n < 0 ? -1 : 0;
}

int store_commands_refuse(struct store *store, const char *rollout,
	const char *answer, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE command SET state = 2, answer = ?2"
		       " WHERE rollout = ?1 AND state = 0",
		       SQL_VALUES(sql_text(rollout), sql_text(answer)),
		       err_r) < 0
		       ? -1
		       : 0;
}

int store_command_get(struct store *store, int64_t id, struct arena *arena,
	struct store_command *command_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT " COLUMNS " FROM command WHERE id = ?1",
		SQL_VALUES(sql_int(id)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found < 0)
		return -1;
	if (!found)
		return err_set(err_r, ERR_NOT_FOUND, "there is no command %lld",
			(long long)id);
	row_read(row, arena, command_r);
	sql_stop(row);
	return 0;
}

/* No call here waits for anybody but the disk. */
struct loop *store_loop(const struct store *store)
{
	(void)store;
	return NULL;
}

const struct load_live *store_load(const struct store *store)
{
	(void)store;
	return NULL;
}

void store_interrupt(struct store *store)
{
	(void)store;
}
