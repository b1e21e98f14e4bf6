/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: append-only, without gaps, guarded by the lease's fence. */
#include <string.h>

#include "store/store_sqlite.h"

/* Says why an append changed nothing. */
static int append_explain(struct store *store, const char *rollout,
	int64_t fence, int64_t seq, struct err *err_r)
{
	static const char sql[] =
		"SELECT last_seq, coalesce(fence, 0), coalesce(host, ''),"
		" coalesce(pid, 0) FROM rollout"
		" LEFT JOIN lease ON lease.service = rollout.service"
		" WHERE id = ?1";
	struct sqlite3_stmt *row =
		sql_start(store, sql, SQL_VALUES(sql_text(rollout)), err_r);
	int found = row ? sql_next(store, row, err_r) : -1;

	if (found < 0)
		return -1;
	if (!found)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout %.160s", rollout);
	if (sql_column_int(row, 1) != fence)
		err_set(err_r, ERR_LEASE,
			"%.160s is driven by another process now (%.64s pid "
			"%lld): this one must stop",
			rollout, sql_column_text(row, 2),
			(long long)sql_column_int(row, 3));
	else
		err_set(err_r, ERR_CONFLICT,
			"entry %lld does not follow the journal of %.160s, "
			"which ends with %lld",
			(long long)seq, rollout,
			(long long)sql_column_int(row, 0));
	sql_stop(row);
	return -1;
}

/* Moves the rollout on, if it is ours and these are the next entries. The
 * column that says whether it has ended is left alone until it does: an index
 * hangs on it. */
static int rollout_advance(struct store *store, const char *rollout,
	int64_t fence, const struct store_event *events, size_t n,
	const char *reason, struct err *err_r)
{
	static const char sql[] =
		"UPDATE rollout SET last_seq = ?2, phase = ?3,"
		" reason = coalesce(?4, reason)"
		" WHERE id = ?1 AND last_seq = ?5 - 1 AND EXISTS"
		" (SELECT 1 FROM lease WHERE lease.service = rollout.service"
		"  AND fence = ?6)";
	const struct store_event *last = &events[n - 1];
	int changed = sql_run(store, sql,
		SQL_VALUES(sql_text(rollout), sql_int(last->seq),
			sql_text(last->phase), sql_text(reason),
			sql_int(events[0].seq), sql_int(fence)),
		err_r);

	if (changed == 0)
		return append_explain(
			store, rollout, fence, events[0].seq, err_r);
	return changed < 0 ? -1 : 0;
}

static int rollout_end(struct store *store, const char *rollout,
	int64_t time_ms, struct err *err_r)
{
	static const char sql[] = "UPDATE rollout SET ended_ms = max(?2, 1)"
				  " WHERE id = ?1 AND ended_ms = 0";

	return sql_run(store, sql,
		       SQL_VALUES(sql_text(rollout), sql_int(time_ms)),
		       err_r) < 0
		       ? -1
		       : 0;
}

static int event_insert(struct store *store, const char *rollout,
	const struct store_event *event, struct err *err_r)
{
	static const char sql[] =
		"INSERT INTO event SELECT no, ?2, ?3, ?4, ?5, ?6, ?7, ?8"
		" FROM rollout WHERE id = ?1";

	return sql_run(store, sql,
		       SQL_VALUES(sql_text(rollout), sql_int(event->seq),
			       sql_int(event->time_ms), sql_int(event->is_note),
			       sql_text(event->name), sql_text(event->phase),
			       sql_int(event->percent), sql_text(event->data)),
		       err_r) < 0
		       ? -1
		       : 0;
}

static int events_insert(struct store *store, const char *rollout,
	const struct store_event *events, size_t n, struct err *err_r)
{
	for (size_t i = 0; i < n; i++)
		if (event_insert(store, rollout, &events[i], err_r) < 0)
			return -1;
	return 0;
}

static int sizes_check(const char *rollout, const struct store_event *events,
	size_t n, struct err *err_r)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(events[i].data) > STORE_EVENT_BYTES_MAX)
			return err_set(err_r, ERR_LIMIT,
				"entry %lld (%s) of %.160s has more than %d "
				"bytes",
				(long long)events[i].seq, events[i].name,
				rollout, STORE_EVENT_BYTES_MAX);
	return 0;
}

int store_append(struct store *store, const char *rollout, int64_t fence,
	const struct store_event *events, size_t n, const char *reason,
	bool ended, struct err *err_r)
{
	bool own;

	if (sizes_check(rollout, events, n, err_r) ||
		sql_enter(store, &own, err_r))
		return -1;
	if (rollout_advance(store, rollout, fence, events, n, reason, err_r) ||
		events_insert(store, rollout, events, n, err_r) ||
		(ended && rollout_end(store, rollout, events[n - 1].time_ms,
				  err_r))) {
		sql_abandon(store, own);
		return -1;
	}
	return sql_leave(store, own, err_r);
}

#define EVENT_COLUMNS                                                    \
	"SELECT seq, time_ms, is_note, name, event.phase, percent, data" \
	" FROM event WHERE rollout ="                                    \
	"  (SELECT no FROM rollout WHERE id = ?1)"

/* A state file may come from anybody: numbers and sizes are checked. */
static int event_read(struct sqlite3_stmt *row, const char *rollout,
	struct store_event *event, struct err *err_r)
{
	*event = (struct store_event){
		.seq = sql_column_int(row, 0),
		.time_ms = sql_column_int(row, 1),
		.is_note = sql_column_int(row, 2) != 0,
		.name = sql_column_text(row, 3),
		.phase = sql_column_text(row, 4),
		.percent = (int)sql_column_int(row, 5),
		.data = sql_column_text(row, 6),
	};
	if (strlen(event->data) > STORE_EVENT_BYTES_MAX)
		return err_set(err_r, ERR_STORE,
			"the journal of %.160s is damaged: entry %lld has %zu "
			"bytes",
			rollout, (long long)event->seq, strlen(event->data));
	return 0;
}

static int event_follows(const struct store_event *event, int64_t expected,
	const char *rollout, struct err *err_r)
{
	if (event->seq != expected)
		return err_set(err_r, ERR_STORE,
			"the journal of %.160s is damaged: entry %lld is "
			"followed by %lld",
			rollout, (long long)expected - 1,
			(long long)event->seq);
	return 0;
}

int store_each_event(struct store *store, const char *rollout,
	int64_t after_seq, store_event_fn fn, void *arg, struct err *err_r)
{
	static const char sql[] = EVENT_COLUMNS " AND seq > ?2 ORDER BY seq";
	struct sqlite3_stmt *row = sql_start(store, sql,
		SQL_VALUES(sql_text(rollout), sql_int(after_seq)), err_r);
	int64_t expected = after_seq + 1;
	struct store_event event;
	int more, rc;

	if (!row)
		return -1;
	while ((more = sql_next(store, row, err_r)) > 0) {
		rc = event_read(row, rollout, &event, err_r);
		if (rc == 0)
			rc = event_follows(&event, expected++, rollout, err_r);
		if (rc == 0)
			rc = fn(&event, arg, err_r);
		if (rc) {
			sql_stop(row);
			return rc;
		}
	}
	return more;
}

int store_each_named(struct store *store, const char *rollout, const char *name,
	store_event_fn fn, void *arg, struct err *err_r)
{
	static const char sql[] =
		EVENT_COLUMNS " AND name = ?2 AND NOT is_note ORDER BY seq";
	struct sqlite3_stmt *row = sql_start(store, sql,
		SQL_VALUES(sql_text(rollout), sql_text(name)), err_r);
	struct store_event event;
	int more, rc;

	if (!row)
		return -1;
	while ((more = sql_next(store, row, err_r)) > 0) {
		rc = event_read(row, rollout, &event, err_r);
		if (rc == 0)
			rc = fn(&event, arg, err_r);
		if (rc) {
			sql_stop(row);
			return rc;
		}
	}
	return more;
}
