/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for recorded metrics; see record_metrics.h. */
#include "cli/record_metrics.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "api/request.h"
#include "base/timestamp.h"
#include "cli/context.h"
#include "cli/output.h"
#include "io/clock.h"
#include "io/loop.h"
#include "live/world.h"
#include "metrics/prometheus.h"
#include "sim/record_journal.h"

#define PROGRESS_MS 250
#define BAR_COLUMNS 30

/* Everything that is open while it is asked. */
struct reading {
	const struct record_wish *wish;
	const struct policy *policy;
	struct arena arena;
	struct recorder_plan plan;
	struct world world;
	struct metrics metrics;
	struct prometheus *prometheus;
	struct recorder *recorder;
	struct timer *tick;
	bool painting, interrupted;
	struct err end; /* code ERR_NONE: it is all there */
};

/* ---- which span, whose queries ---- */

static int take_row(struct reading *r, struct store *store,
	const struct store_rollout *row, struct err *err_r)
{
	int rc = record_journal_plan(
		&r->plan, store, row, clock_wall_ms(), &r->arena, err_r);

	if (rc > 0)
		output_text(stderr,
			"the rollout has only just ended: a simulation that "
			"decides a little later\nneeds a recording made a "
			"little later\n");
	return rc < 0 ? -1 : 0;
}

static int find_rollout(
	struct reading *r, struct store **store_r, struct err *err_r)
{
	const struct record_wish *h = r->wish;
	struct store_rollout row;
	int found;

	*store_r = context_store(h->state, STORE_LOOK, err_r);
	if (!*store_r)
		return -1;
	found = store_rollout_get(*store_r, h->rollout, &r->arena, &row, err_r);
	if (found == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\" in %s", h->rollout,
			store_path(*store_r));
	return found < 0 ? -1 : take_row(r, *store_r, &row, err_r);
}

static int take_times(struct reading *r, struct err *err_r)
{
	const struct record_wish *h = r->wish;
	int64_t now_ms = clock_wall_ms();

	if (h->from) {
		r->plan.from = h->from;
		if (timestamp_parse_point(
			    h->from, now_ms, &r->plan.from_ms, err_r) < 0)
			return err_wrap(err_r, "--from");
	}
	if (h->to || !h->rollout) {
		r->plan.to = h->to ? h->to : "now";
		if (timestamp_parse_point(
			    r->plan.to, now_ms, &r->plan.to_ms, err_r) < 0)
			return err_wrap(err_r, "--to");
	}
	if (!r->plan.from)
		return err_set(err_r, ERR_USAGE,
			"--from is missing: when does the span begin?");
	if (r->plan.to_ms > now_ms)
		return err_set(err_r, ERR_USAGE,
			"--to is in the future: nothing is known of it yet");
	return 0;
}

static void take_options(struct reading *r)
{
	const struct record_wish *h = r->wish;
	const struct policy *policy = r->policy;
	struct series_context *c = &r->plan.context;
	size_t i;

	if (!c->service && (h->service || policy->service))
		series_take_service(c,
			h->service ? h->service : policy->service, &r->arena);
	if (h->project || !c->project)
		c->project = h->project ? h->project : policy->project;
	if (h->region || !c->region)
		c->region = h->region ? h->region : policy->region;
	if (h->candidate)
		c->candidate = h->candidate;
	if (h->stable)
		c->stable = h->stable;
	r->plan.part = h->part;
	r->plan.step_ms = h->interval_ms;
	for (i = 0; !h->interval_ms && i < policy->n_slos; i++) {
		if (!i || policy->slos[i].interval_ms < r->plan.step_ms)
			r->plan.step_ms = policy->slos[i].interval_ms;
	}
}

/* ---- the world ---- */

static bool asks_metrics(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_slos; i++)
		if (!policy->slos[i].json)
			return true;
	return false;
}

static void on_signal(int signo, void *arg)
{
	struct reading *r = arg;

	r->interrupted = true;
	loop_stop(r->world.loop);
}

static int open_world(struct reading *r, struct err *err_r)
{
	struct world_options options = {
		.anonymous = r->policy->metrics.auth.type != AUTH_GOOGLE};
	struct api api;

	if (world_open(&r->world, &options, err_r) < 0)
		return -1;
	if (loop_on_signal(r->world.loop, SIGINT, on_signal, r, err_r) < 0 ||
		loop_on_signal(r->world.loop, SIGTERM, on_signal, r, err_r) < 0)
		return -1;
	if (asks_metrics(r->policy)) {
		api = (struct api){
			r->world.loop, r->world.http, r->world.credentials};
		r->metrics =
			prometheus_metrics(r->policy, r->plan.context.project);
		r->prometheus = prometheus_new(&api, &r->metrics, err_r);
		if (!r->prometheus)
			return -1;
	}
	r->recorder =
		recorder_new(&r->plan, r->world.loop, r->prometheus, err_r);
	return r->recorder ? 0 : -1;
}

static void close_world(struct reading *r)
{
	timer_cancel(&r->tick);
	recorder_free(&r->recorder);
	prometheus_free(&r->prometheus);
	world_close(&r->world);
}

/* ---- progress ---- */

static void paint(const struct reading *r)
{
	size_t done, all, full;

	recorder_progress(r->recorder, &done, &all);
	full = all ? done * BAR_COLUMNS / all : 0;
	output_text(stderr, "\r[%.*s%*s] %zu of %zu chunks ", (int)full,
		"==============================", (int)(BAR_COLUMNS - full), "",
		done, all);
}

static void tick(void *arg)
{
	struct reading *r = arg;

	paint(r);
	r->tick = timer_start(r->world.loop, PROGRESS_MS, tick, r);
}

static void say_end(const struct reading *r)
{
	char from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX];
	int64_t from_ms, to_ms;
	struct buf warnings;
	size_t done, all;

	recorder_progress(r->recorder, &done, &all);
	recorder_span(r->recorder, &from_ms, &to_ms);
	if (r->painting)
		output_text(stderr, "\r\033[K");
	output_text(stderr, "%zu of %zu chunks are read, %s to %s\n", done, all,
		timestamp_print(from_ms, from), timestamp_print(to_ms, to));
	buf_init(&warnings, OUTPUT_BYTES_MAX);
	recorder_warnings(r->recorder, &warnings);
	output_write(stderr, &warnings);
	buf_fini(&warnings);
}

/* ---- running ---- */

static void on_end(const struct err *err, void *arg)
{
	struct reading *r = arg;

	if (err)
		r->end = *err;
	loop_stop(r->world.loop);
}

static int run(struct reading *r, struct err *err_r)
{
	r->painting = output_is_terminal(stderr);
	if (r->painting)
		tick(r);
	recorder_start(r->recorder, on_end, r);
	if (loop_run(r->world.loop, err_r) < 0)
		return -1;
	say_end(r);
	if (r->interrupted)
		err_set(&r->end, ERR_IO, "interrupted");
	if (!r->end.code)
		return 0;
	*err_r = r->end;
	return -1;
}

static int read_all(struct reading *r, struct buf *out, struct err *err_r)
{
	struct store *store = NULL;
	int rc = -1;

	if (r->wish->rollout && find_rollout(r, &store, err_r) < 0)
		goto out;
	take_options(r);
	if (take_times(r, err_r) < 0 || open_world(r, err_r) < 0)
		goto out;
	if (run(r, err_r) < 0) {
		if (r->plan.part)
			err_wrap(err_r,
				"%s keeps what was read, the same command goes "
				"on from there",
				r->plan.part);
		goto out;
	}
	if (store &&
		record_journal_checks(r->recorder, &r->plan, store, err_r) < 0)
		goto out;
	recorder_print(r->recorder, out);
	rc = out->overflow
		     ? err_set(err_r, ERR_LIMIT, "the recording is too large")
		     : 0;
out:
	store_free(&store);
	return rc;
}

int record_metrics(const struct record_wish *wish, const struct policy *policy,
	struct buf *out, struct err *err_r)
{
	struct reading r = {.wish = wish,
		.policy = policy,
		.plan = {.policy = policy, .shift_ms = -1}};
	int rc;

	arena_init(&r.arena);
	rc = read_all(&r, out, err_r);
	close_world(&r);
	arena_fini(&r.arena);
	return rc;
}

void record_metrics_forget(const struct record_wish *wish)
{
	if (wish->part)
		unlink(wish->part);
}
