/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: one writer per service. A lease's row stays when it is dropped, so
 * that the fencing token only grows. See store.h.
 *
 * The column expires_ms is STORE_LEASE_MS after the holder's wall clock at its
 * last renewal, 0 when the lease was dropped. It changes with each renewal, and
 * only that counts: nobody compares it with a clock.
 */
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "store/holder.h"
#include "store/store_fence.h"
#include "store/store_sqlite.h"

/* Between two looks; a holder that lives renews more often than that. */
#define LOOK_PAUSE_MS_MAX (2 * STORE_HEARTBEAT_MS)

struct lease_row {
	bool there;
	struct holder holder;
	const char *rollout;
	int64_t fence, expires_ms;
};

static void text_copy(char text[HOLDER_TEXT_MAX], const char *from)
{
	snprintf(text, HOLDER_TEXT_MAX, "%s", from);
}

static int row_read(struct store *store, const char *service,
	struct arena *arena, struct lease_row *lease, struct err *err_r)
{
	static const char sql[] =
		"SELECT rollout, host, boot, pid_space, pid, pid_start, fence,"
		" expires_ms FROM lease WHERE service = ?1";
	struct sqlite3_stmt *row =
		sql_start(store, sql, SQL_VALUES(sql_text(service)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	*lease = (struct lease_row){.rollout = ""};
	if (found <= 0)
		return found;
	lease->there = true;
	lease->rollout = arena_strdup(arena, sql_column_text(row, 0));
	text_copy(lease->holder.host, sql_column_text(row, 1));
	text_copy(lease->holder.boot, sql_column_text(row, 2));
	text_copy(lease->holder.pid_space, sql_column_text(row, 3));
	lease->holder.pid = sql_column_int(row, 4);
	lease->holder.start = sql_column_int(row, 5);
	lease->fence = sql_column_int(row, 6);
	lease->expires_ms = sql_column_int(row, 7);
	sql_stop(row);
	return 0;
}

/* The lease is free at once; the next taker does not wait. */
static bool row_is_free(const struct lease_row *lease)
{
	return !lease->there || lease->expires_ms == 0 ||
	       holder_state(&lease->holder) == HOLDER_DEAD;
}

static void describe(const struct lease_row *row, const char *service,
	struct arena *arena, struct store_lease *lease_r)
{
	*lease_r = (struct store_lease){
		.service = arena_strdup(arena, service),
		.holder = arena_printf(arena, "%s pid %lld", row->holder.host,
			(long long)row->holder.pid),
		.rollout = row->rollout,
		.fence = row->fence,
		.renewed_ms = row->expires_ms - STORE_LEASE_MS,
		.alive = holder_state(&row->holder) == HOLDER_ALIVE,
	};
}

bool lease_watch_is_over(
	struct lease_watch *watch, const struct store_lease *lease)
{
	int64_t now_ms = clock_boot_ms();

	if (watch->fence != lease->fence ||
		watch->renewed_ms != lease->renewed_ms ||
		now_ms - watch->looked_ms > LOOK_PAUSE_MS_MAX)
		watch->since_ms = now_ms;
	watch->fence = lease->fence;
	watch->renewed_ms = lease->renewed_ms;
	watch->looked_ms = now_ms;
	return now_ms - watch->since_ms >= STORE_LEASE_MS;
}

static int row_write(struct store *store, const char *service,
	const struct lease_row *lease, struct err *err_r)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO lease (service, rollout, host, boot,"
		" pid_space, pid, pid_start, fence, expires_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
	const struct holder *h = &lease->holder;

	return sql_run(store, sql,
		       SQL_VALUES(sql_text(service), sql_text(lease->rollout),
			       sql_text(h->host), sql_text(h->boot),
			       sql_text(h->pid_space), sql_int(h->pid),
			       sql_int(h->start), sql_int(lease->fence),
			       sql_int(lease->expires_ms)),
		       err_r) < 0
		       ? -1
		       : 0;
}

/* Inside the transaction. */
static int row_take(struct store *store, const char *service,
	const char *rollout, struct lease_row *lease, struct err *err_r)
{
	holder_self(&lease->holder);
	lease->rollout = rollout;
	lease->fence++;
	lease->expires_ms = clock_wall_ms() + STORE_LEASE_MS;
	return row_write(store, service, lease, err_r) ? -1 : 1;
}

int store_lease_take(struct store *store, const char *service,
	const char *rollout, struct lease_watch *watch, struct arena *arena,
	struct store_lease *lease_r, struct err *err_r)
{
	struct lease_row lease;
	int taken = -1;
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	if (!row_read(store, service, arena, &lease, err_r)) {
		taken = row_is_free(&lease);
		describe(&lease, service, arena, lease_r);
		if (taken || lease_watch_is_over(watch, lease_r))
			taken = row_take(store, service,
				arena_strdup(arena, rollout), &lease, err_r);
	}
	if (taken < 0) {
		sql_abandon(store, own);
		return -1;
	}
	if (sql_leave(store, own, err_r))
		return -1;
	describe(&lease, service, arena, lease_r);
	return taken;
}

static int lease_is_lost(const char *service, struct err *err_r)
{
	return err_set(err_r, ERR_LEASE,
		"another process drives %.160s now: this one must stop",
		service);
}

/* A clock that is set back by just that much would give the same number. */
int store_lease_renew(struct store *store, const char *service, int64_t fence,
	struct err *err_r)
{
	int n;

	if (sql_is_in_place(store, err_r) < 0)
		return -1;
	n = sql_run(store,
		"UPDATE lease SET expires_ms ="
		" CASE expires_ms WHEN ?3 THEN ?3 + 1 ELSE ?3 END"
		" WHERE service = ?1 AND fence = ?2",
		SQL_VALUES(sql_text(service), sql_int(fence),
			sql_int(clock_wall_ms() + STORE_LEASE_MS)),
		err_r);
	if (n == 0)
		return lease_is_lost(service, err_r);
	return n < 0 ? -1 : 0;
}

int store_lease_end(struct store *store, const char *service, int64_t fence,
	struct err *err_r)
{
	return sql_run(store,
		       "UPDATE lease SET expires_ms = 0"
		       " WHERE service = ?1 AND fence = ?2",
		       SQL_VALUES(sql_text(service), sql_int(fence)), err_r) < 0
		       ? -1
		       : 0;
}

void store_lease_drop(struct store *store, const char *service, int64_t fence)
{
	struct err err;

	/* When this fails the lease is free after a while. */
	(void)!store_lease_end(store, service, fence, &err);
}

int store_lease_check(struct store *store, const char *service, int64_t fence,
	struct err *err_r)
{
	struct lease_row lease;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = row_read(store, service, &arena, &lease, err_r);
	arena_fini(&arena);
	if (rc == 0 && (!lease.there || lease.fence != fence))
		return lease_is_lost(service, err_r);
	return rc;
}

int store_lease_look(struct store *store, const char *service,
	struct arena *arena, struct store_lease *lease_r, struct err *err_r)
{
	struct lease_row lease;

	if (row_read(store, service, arena, &lease, err_r))
		return -1;
	if (row_is_free(&lease))
		return 0;
	describe(&lease, service, arena, lease_r);
	return 1;
}
