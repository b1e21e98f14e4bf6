/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past, piece by piece; see past_ask.h.
 *
 *   past_ask_start ─ piece_next ─ piece_send ─ piece_answered ─┬─ piece_next …
 *                                                              └─ ask_conclude
 *
 * The queries come one after the other, each from its oldest piece on.
 */
#include "metrics/past_ask.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "metrics/counter_codec.h"
#include "metrics/metrics_pool.h"
#include "metrics/past_table.h"
#include "metrics/prometheus.h"
#include "metrics/query_role.h"

#define QUERY_BYTES_MAX (64 * 1024)
#define PIECE_CELLS     150000 /* samples of one answer, as far as is known */
#define PIECE_LOOKS     120 /* of the first */
#define ALL_MS_MAX      30000 /* a rollout does not wait for longer */

struct past_ask {
	struct past_ask_what what;
	const struct slo *slo;
	struct prometheus *prometheus;
	struct loop *loop;
	int64_t deadline_ms;

	char *query[COUNTER_ROLES]; /* NULL: not asked */
	struct past_table table[COUNTER_ROLES];
	int role; /* being asked */
	size_t upto; /* looks of it that are to be asked for */
	size_t from, looks; /* the piece under way */
	size_t piece; /* at most so many looks at once */
	struct provider_call *call;
	bool is_partial, is_longer;
	struct timer *done; /* ends in a later turn */
	struct err err; /* code ERR_NONE: none */

	past_ask_fn fn;
	void *arg;
};

static void piece_next(struct past_ask *ask);
static void piece_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg);
static void ask_conclude(void *arg);

/* ---- beginning ---- */

static const enum query_role asked_roles[COUNTER_ROLES] = {
	[COUNTER_TOTAL] = QUERY_TOTAL_STABLE,
	[COUNTER_BAD] = QUERY_BAD_STABLE,
};

static void render(struct past_ask *ask)
{
	struct template_values values = *ask->what.values;
	struct buf text;
	int role;

	values.revision = values.stable;
	for (role = 0; role < COUNTER_ROLES; role++) {
		if (!query_role_text(ask->slo, asked_roles[role]))
			continue;
		buf_init(&text, QUERY_BYTES_MAX);
		query_role_render(ask->slo, asked_roles[role], &values, &text);
		ask->query[role] = buf_steal(&text);
	}
}

static struct past_grid grid_of(const struct past_ask *ask)
{
	const struct metrics *metrics = &ask->what.policy->metrics;
	int64_t span_ms = ask->what.policy->evidence.history_ms;
	struct past_grid grid = {
		.step_ms = slo_history_step_ms(ask->what.policy, ask->slo)};
	int64_t end_ms = loop_wall_ms(ask->loop) - metrics->delay_ms;

	end_ms -= end_ms % grid.step_ms;
	grid.looks = (size_t)(span_ms / grid.step_ms) + 1;
	if (grid.looks > HISTORY_LOOKS_MAX)
		grid.looks = HISTORY_LOOKS_MAX;
	grid.start_ms = end_ms - (int64_t)(grid.looks - 1) * grid.step_ms;
	return grid;
}

static void end_soon(struct past_ask *ask)
{
	ask->done = timer_start(ask->loop, 0, ask_conclude, ask);
}

struct past_ask *past_ask_start(struct metrics_pool *pool,
	const struct past_ask_what *what, past_ask_fn fn, void *arg)
{
	struct past_ask *ask = xcalloc(1, sizeof(*ask));
	struct past_grid grid;
	int role;

	ask->what = *what;
	ask->slo = &what->policy->slos[what->slo];
	ask->loop = metrics_pool_loop(pool);
	ask->deadline_ms = loop_now(ask->loop) + ALL_MS_MAX;
	ask->fn = fn;
	ask->arg = arg;
	ask->piece = PIECE_LOOKS;
	render(ask);
	ask->what.values = NULL;
	grid = grid_of(ask);
	for (role = 0; role < COUNTER_ROLES; role++)
		past_table_init(&ask->table[role], &grid);
	ask->upto = grid.looks;
	ask->prometheus = metrics_pool_client(pool, &provider_prometheus,
		what->policy, what->project, &ask->err);
	if (ask->prometheus)
		piece_next(ask);
	else
		end_soon(ask);
	return ask;
}

void past_ask_cancel(struct past_ask **ask_p)
{
	struct past_ask *ask = *ask_p;
	int role;

	if (!ask)
		return;
	*ask_p = NULL;
	provider_cancel(&ask->call);
	timer_cancel(&ask->done);
	for (role = 0; role < COUNTER_ROLES; role++) {
		free(ask->query[role]);
		past_table_fini(&ask->table[role]);
	}
	free(ask);
}

/* ---- piece by piece ---- */

/* More series make shorter pieces. */
static size_t looks_of_piece(const struct past_ask *ask)
{
	size_t looks = ask->upto - ask->from, n = ask->table[ask->role].n;

	if (looks > ask->piece)
		looks = ask->piece;
	if (n && looks > PIECE_CELLS / n)
		looks = PIECE_CELLS / n ? PIECE_CELLS / n : 1;
	return looks;
}

static void piece_send(struct past_ask *ask)
{
	const struct past_grid *grid = &ask->table[ask->role].grid;
	struct prometheus_range range = {.step_ms = grid->step_ms};

	ask->looks = looks_of_piece(ask);
	range.start_ms = grid->start_ms + (int64_t)ask->from * grid->step_ms;
	range.end_ms =
		range.start_ms + (int64_t)(ask->looks - 1) * grid->step_ms;
	ask->call = prometheus_range_start(ask->prometheus,
		ask->query[ask->role], &range, piece_answered, ask);
}

static void piece_next(struct past_ask *ask)
{
	while (ask->role < COUNTER_ROLES &&
		(!ask->query[ask->role] || ask->from == ask->upto)) {
		ask->role++;
		ask->from = 0;
	}
	if (ask->role == COUNTER_ROLES)
		end_soon(ask);
	else if (loop_now(ask->loop) < ask->deadline_ms)
		piece_send(ask);
	else {
		err_set(&ask->err, ERR_TIMEOUT,
			"not all of it was there within %d s",
			ALL_MS_MAX / 1000);
		end_soon(ask);
	}
}

/* Too many bytes: the same again in a smaller piece. */
static bool is_smaller(struct past_ask *ask, const struct err *err)
{
	if (err->code != ERR_LIMIT || ask->looks < 2)
		return false;
	ask->piece = ask->looks / 4 ? ask->looks / 4 : 1;
	return true;
}

static int take_piece(struct past_ask *ask, int status, const char *body,
	size_t len, struct err *err_r)
{
	const struct counter_reply reply = {
		status, body, len, query_role_delta_ms(ask->slo) > 0};
	struct metric_reading reading;

	if (counter_decode_range(&reply, ask->from, ask->looks,
		    &ask->table[ask->role], &reading, err_r) < 0)
		return -1;
	ask->is_partial |= reading.answer.partial;
	xfree(&reading.warnings);
	return 0;
}

static void piece_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg)
{
	struct past_ask *ask = arg;
	struct err trouble;
	int rc = -1;

	ask->call = NULL;
	if (err)
		trouble = *err;
	else
		rc = take_piece(ask, status, body, len, &trouble);
	if (rc == 0) {
		ask->from += ask->looks;
		piece_next(ask);
	} else if (err && is_smaller(ask, &trouble)) {
		piece_next(ask);
	} else {
		ask->err = trouble;
		end_soon(ask);
	}
}

/* ---- the end ---- */

/* The day before, if there were few bad requests in what is there. */
static bool is_too_short(
	const struct past_ask *ask, const struct slo_history *history)
{
	const struct past_grid *grid = &ask->table[0].grid;

	return !ask->is_longer &&
	       slo_history_is_short(
		       history, (int64_t)(grid->looks - 1) * grid->step_ms);
}

static void look_longer(struct past_ask *ask)
{
	size_t before = ask->table[0].grid.looks;
	size_t all = (size_t)(HISTORY_MS_MAX / ask->table[0].grid.step_ms) + 1;
	int role;

	ask->is_longer = true;
	for (role = 0; role < COUNTER_ROLES; role++) {
		if (query_role_delta_ms(ask->slo))
			past_table_take_apart(&ask->table[role]);
		past_table_extend(&ask->table[role], all - before);
	}
	ask->upto = all - before;
	ask->role = 0;
	ask->from = 0;
	piece_next(ask);
}

static int make_history(
	struct past_ask *ask, struct slo_history *history_r, struct err *err_r)
{
	struct past past = {.looks = ask->table[0].grid.looks,
		.step_s = (double)ask->table[0].grid.step_ms / 1000};
	struct past_series *series[COUNTER_ROLES];
	const char *labels = NULL;
	int role, rc;

	for (role = 0; role < COUNTER_ROLES; role++) {
		if (query_role_delta_ms(ask->slo))
			past_table_add_up(&ask->table[role]);
		series[role] = past_table_series(&ask->table[role]);
		past.role[role].series = series[role];
		past.role[role].n = ask->table[role].n;
		if (!labels)
			labels = past_table_no_counter(&ask->table[role]);
	}
	rc = slo_history_make(ask->slo, ask->what.slo, &past, history_r, err_r);
	if (rc == 0 && labels)
		rc = err_set(err_r, ERR_INVALID,
			"%.200s falls nearly as often as it grows: it is no "
			"counter",
			labels);
	for (role = 0; role < COUNTER_ROLES; role++)
		free(series[role]);
	return rc;
}

static void ask_finish(struct past_ask *ask, const struct slo_history *history)
{
	struct err err = ask->err;
	past_ask_fn fn = ask->fn;
	void *arg = ask->arg;
	bool is_partial = ask->is_partial;

	past_ask_cancel(&ask);
	fn(history, is_partial ? "a part of the metrics did not answer" : "",
		err.code ? &err : NULL, arg);
}

/* A longer look that fails leaves the shorter one. */
static void ask_conclude(void *arg)
{
	struct past_ask *ask = arg;
	struct slo_history history = {.slo = ask->what.slo};

	ask->done = NULL;
	if (ask->is_longer && ask->err.code != ERR_INVALID)
		ask->err.code = ERR_NONE;
	if (!ask->err.code && make_history(ask, &history, &ask->err) == 0 &&
		is_too_short(ask, &history)) {
		look_longer(ask);
		return;
	}
	ask_finish(ask, &history);
}
