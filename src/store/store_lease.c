/*
 * Leases: one writer per service. A lease's row stays when it is dropped, so
 * that the fencing token only grows. See store.h.
 */
#include <stdio.h>
#include <string.h>

#include "store/holder.h"
#include "store/store_sqlite.h"

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

static bool row_is_live(const struct lease_row *lease, int64_t now_ms)
{
	return lease->there && lease->expires_ms > now_ms &&
	       !holder_is_dead(&lease->holder);
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
		.expires_ms = row->expires_ms,
	};
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

/* Inside the transaction. The caller's clock may have been set back since the
 * holder renewed: a lease never has more than STORE_LEASE_MS to go. */
static int take_or_shorten(struct store *store, const char *service,
	const char *rollout, int64_t now_ms, struct lease_row *lease,
	struct err *err_r)
{
	bool live = row_is_live(lease, now_ms);

	if (live && lease->expires_ms <= now_ms + STORE_LEASE_MS)
		return 0;
	if (!live) {
		holder_self(&lease->holder);
		lease->rollout = rollout;
		lease->fence++;
	}
	lease->expires_ms = now_ms + STORE_LEASE_MS;
	if (row_write(store, service, lease, err_r))
		return -1;
	return live ? 0 : 1;
}

int store_lease_take(struct store *store, const char *service,
	const char *rollout, int64_t now_ms, struct arena *arena,
	struct store_lease *lease_r, struct err *err_r)
{
	struct lease_row lease;
	int taken = -1;
	bool own;

	if (sql_enter(store, &own, err_r))
		return -1;
	if (!row_read(store, service, arena, &lease, err_r))
		taken = take_or_shorten(store, service,
			arena_strdup(arena, rollout), now_ms, &lease, err_r);
	if (taken < 0) {
		sql_abandon(store, own);
		return -1;
	}
	if (sql_leave(store, own, err_r))
		return -1;
	describe(&lease, service, arena, lease_r);
	return taken;
}

int store_lease_renew(struct store *store, const char *service, int64_t fence,
	int64_t now_ms, struct err *err_r)
{
	int n;

	if (sql_is_in_place(store, err_r) < 0)
		return -1;
	n = sql_run(store,
		"UPDATE lease SET expires_ms = ?3"
		" WHERE service = ?1 AND fence = ?2",
		SQL_VALUES(sql_text(service), sql_int(fence),
			sql_int(now_ms + STORE_LEASE_MS)),
		err_r);
	if (n == 0)
		return err_set(err_r, ERR_LEASE,
			"another process drives %.160s now: this one must stop",
			service);
	return n < 0 ? -1 : 0;
}

void store_lease_drop(struct store *store, const char *service, int64_t fence)
{
	struct err err;

	/* When this fails the lease expires by itself. */
	if (sql_run(store,
		    "UPDATE lease SET expires_ms = 0"
		    " WHERE service = ?1 AND fence = ?2",
		    SQL_VALUES(sql_text(service), sql_int(fence)), &err) < 0)
		return;
}

int store_lease_look(struct store *store, const char *service, int64_t now_ms,
	struct arena *arena, struct store_lease *lease_r, struct err *err_r)
{
	struct lease_row lease;

	if (row_read(store, service, arena, &lease, err_r))
		return -1;
	if (!row_is_live(&lease, now_ms))
		return 0;
	describe(&lease, service, arena, lease_r);
	return 1;
}
