/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's watch has seen; see store_watch.h. */
#include "store/store_watch.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_sqlite.h"

/* ---- what there was ---- */

/* A rollout's candidate is in its options when it was asked for, and in its row
 * once preflight has passed. */
static const char *wished(struct arena *arena, const char *revision)
{
	return arena_printf(arena, "\"candidate\":\"%s\"", revision);
}

static int past_of_revision(struct store *store, const char *service,
	const char *revision, struct arena *arena, struct store_past *past,
	struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT id, phase FROM rollout WHERE service = ?1"
		" AND (candidate = ?2 OR instr(options, ?3))"
		" ORDER BY no DESC LIMIT 1",
		SQL_VALUES(sql_text(service), sql_text(revision),
			sql_text(wished(arena, revision))),
		err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	past->of_revision = arena_strdup(arena, sql_column_text(row, 0));
	past->phase = arena_strdup(arena, sql_column_text(row, 1));
	sql_stop(row);
	return 0;
}

static int past_of_service(struct store *store, const char *service,
	struct arena *arena, struct store_past *past, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT id, phase, candidate, ended_ms FROM rollout"
		" WHERE service = ?1 ORDER BY ended_ms = 0 DESC, no DESC"
		" LIMIT 1",
		SQL_VALUES(sql_text(service)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;
	const char *id;

	if (found <= 0)
		return found;
	id = arena_strdup(arena, sql_column_text(row, 0));
	if (!sql_column_int(row, 3)) {
		past->running = id;
		past->running_phase =
			arena_strdup(arena, sql_column_text(row, 1));
		past->running_candidate =
			arena_strdup(arena, sql_column_text(row, 2));
	} else if (!strcmp(sql_column_text(row, 1), "rollback-failed")) {
		past->failed = id;
	}
	sql_stop(row);
	return 0;
}

static int past_read(struct store *store, const char *service,
	const char *revision, struct arena *arena, struct store_past *past_r,
	struct err *err_r)
{
	*past_r = (struct store_past){0};
	if (past_of_service(store, service, arena, past_r, err_r) < 0)
		return -1;
	return past_of_revision(store, service, revision, arena, past_r, err_r);
}

/* ---- what was seen ---- */

static int watched_read(struct store *store, const char *service,
	struct arena *arena, struct store_watched *watched_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT since_ms, waiting, skipped, skipped_for, skipped_ms,"
		" claimed FROM watch WHERE service = ?1",
		SQL_VALUES(sql_text(service)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found <= 0)
		return found;
	*watched_r = (struct store_watched){
		.since_ms = sql_column_int(row, 0),
		.waiting = arena_strdup(arena, sql_column_text(row, 1)),
		.skipped = arena_strdup(arena, sql_column_text(row, 2)),
		.skipped_for = arena_strdup(arena, sql_column_text(row, 3)),
		.skipped_ms = sql_column_int(row, 4),
		.claimed = arena_strdup(arena, sql_column_text(row, 5)),
	};
	sql_stop(row);
	return 1;
}

int store_watch_look(struct store *store, const char *service,
	const char *revision, int64_t now_ms, struct arena *arena,
	struct store_watched *watched_r, struct store_past *past_r,
	struct err *err_r)
{
	int found = watched_read(store, service, arena, watched_r, err_r);

	if (found < 0)
		return -1;
	if (!found) {
		if (sql_run(store,
			    "INSERT OR IGNORE INTO watch (service, since_ms)"
			    " VALUES (?1, ?2)",
			    SQL_VALUES(sql_text(service), sql_int(now_ms)),
			    err_r) < 0)
			return -1;
		*watched_r = (struct store_watched){now_ms, "", "", "", 0, ""};
	}
	return past_read(store, service, revision, arena, past_r, err_r);
}

int store_watch_wait(struct store *store, const char *service,
	const char *waiting, const char *skipped, int64_t now_ms,
	struct err *err_r)
{
	int n;

	if (skipped)
		n = sql_run(store,
			"UPDATE watch SET waiting = ?2, skipped = ?3,"
			" skipped_for = ?2, skipped_ms = ?4 WHERE service = ?1",
			SQL_VALUES(sql_text(service), sql_text(waiting),
				sql_text(skipped), sql_int(now_ms)),
			err_r);
	else
		n = sql_run(store,
			"UPDATE watch SET waiting = ?2 WHERE service = ?1",
			SQL_VALUES(sql_text(service), sql_text(waiting)),
			err_r);
	return n < 0 ? -1 : 0;
}

/* ---- whose it is to start ---- */

static int claim_in(struct store *store, const char *service,
	const char *revision, int64_t now_ms, struct arena *arena,
	struct err *err_r)
{
	struct store_past past;
	int n;

	if (past_read(store, service, revision, arena, &past, err_r) < 0)
		return -1;
	if (past.running || past.of_revision)
		return 0;
	n = sql_run(store,
		"UPDATE watch SET claimed = ?2, claimed_ms = ?3, waiting = ''"
		" WHERE service = ?1 AND (claimed <> ?2"
		" OR claimed_ms NOT BETWEEN ?4 AND ?3)",
		SQL_VALUES(sql_text(service), sql_text(revision),
			sql_int(now_ms), sql_int(now_ms - STORE_CLAIM_MS)),
		err_r);
	return n < 0 ? -1 : n > 0;
}

int store_watch_claim(struct store *store, const char *service,
	const char *revision, int64_t now_ms, struct err *err_r)
{
	struct arena arena;
	bool own;
	int rc;

	if (sql_enter(store, &own, err_r))
		return -1;
	arena_init(&arena);
	rc = claim_in(store, service, revision, now_ms, &arena, err_r);
	arena_fini(&arena);
	if (rc < 0) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r) ? -1 : rc;
}

int store_watch_unclaim(struct store *store, const char *service,
	const char *revision, struct err *err_r)
{
	return sql_run(store,
		       "UPDATE watch SET claimed = '', claimed_ms = 0"
		       " WHERE service = ?1 AND claimed = ?2",
		       SQL_VALUES(sql_text(service), sql_text(revision)),
		       err_r) < 0
		       ? -1
		       : 0;
}

/* ---- who is watched ---- */

static int by_name(const void *name, const void *other)
{
	return strcmp(name, *(const char *const *)other);
}

/* Of those that are kept: which are not among `services`. */
static int find_gone(struct store *store, const char *prefix,
	const char *const *services, size_t n, struct arena *arena,
	const char **gone_r, struct err *err_r)
{
	struct sqlite3_stmt *row = sql_start(store,
		"SELECT service FROM watch"
		" WHERE substr(service, 1, length(?1)) = ?1",
		SQL_VALUES(sql_text(prefix)), err_r);
	int found;

	*gone_r = NULL;
	while ((found = row ? sql_next(store, row, err_r) : -1) > 0) {
		const char *service = sql_column_text(row, 0);

		if (n && bsearch(service, services, n, sizeof(*services),
				 by_name))
			continue;
		*gone_r = arena_strdup(arena, service);
		sql_stop(row);
		return 1;
	}
	return found;
}

int store_watch_keep(struct store *store, const char *project,
	const char *region, const char *const *services, size_t n,
	struct err *err_r)
{
	struct arena arena;
	const char *gone, *prefix;
	int found;

	arena_init(&arena);
	prefix = arena_printf(
		&arena, "projects/%s/locations/%s/", project, region);
	while ((found = find_gone(
			store, prefix, services, n, &arena, &gone, err_r)) > 0)
		if (sql_run(store, "DELETE FROM watch WHERE service = ?1",
			    SQL_VALUES(sql_text(gone)), err_r) < 0) {
			found = -1;
			break;
		}
	arena_fini(&arena);
	return found;
}
