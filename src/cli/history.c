/* Asks for recorded metrics; see history.h. */
#include "cli/history.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/timestamp.h"
#include "cli/context.h"
#include "cli/output.h"
#include "io/clock.h"
#include "io/loop.h"
#include "live/world.h"
#include "prometheus/prometheus.h"
#include "sim/recorder.h"
#include "store/event_codec.h"

#define PROGRESS_MS 250
#define BAR_COLUMNS 30
#define NUMBER_MAX  32
#define SHOWN_MAX   40
#define NAME_PARTS  6 /* projects/P/locations/R/services/S */

/* Everything that is open while it is asked. */
struct reading {
	const struct history *history;
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

/* ---- times ---- */

static int seconds_parse(const char *text, int64_t *ms_r)
{
	char *end;
	double s;

	if (!*text || strlen(text) > NUMBER_MAX ||
		text[strspn(text, "0123456789.")])
		return -1;
	s = strtod(text, &end);
	if (*end || !(s >= 1) || s * 1000 > (double)TIMESTAMP_MS_MAX)
		return -1;
	*ms_r = (int64_t)(s * 1000 + 0.5);
	return 0;
}

int history_time(
	const char *text, int64_t now_ms, int64_t *ms_r, struct err *err_r)
{
	int64_t ms;

	if (strcmp(text, "now") == 0) {
		*ms_r = now_ms;
		return 0;
	}
	if (*text == '-' && duration_parse(text + 1, &ms, err_r) == 0) {
		*ms_r = now_ms - ms;
		return 0;
	}
	if (seconds_parse(text, ms_r) == 0 ||
		timestamp_parse(text, ms_r, err_r) == 0)
		return 0;
	return err_set(err_r, ERR_USAGE,
		"\"%.*s\" is not a time: write 2026-01-31T12:00:00Z, Unix "
		"seconds, -2h, or now",
		SHOWN_MAX, text);
}

/* ---- which span, whose queries ---- */

/* projects/P/locations/R/services/S becomes three texts. */
static void take_service(struct reading *r, const char *name)
{
	struct series_context *c = &r->plan.context;
	char *copy = arena_strdup(&r->arena, name), *part[NAME_PARTS], *save;
	size_t n = 0;

	for (part[n] = strtok_r(copy, "/", &save); part[n];
		part[n] = strtok_r(NULL, "/", &save)) {
		if (++n == NAME_PARTS)
			break;
	}
	if (n != NAME_PARTS) {
		c->service = name;
		return;
	}
	c->project = part[1];
	c->region = part[3];
	c->service = part[5];
}

static int64_t longest_interval_ms(const struct policy *policy)
{
	int64_t ms = 0;
	size_t i;

	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].interval_ms > ms)
			ms = policy->slos[i].interval_ms;
	}
	return ms;
}

/* What the journal says of the rollout's time, for the simulation: what chance
 * added to it, and how long traffic took. */
struct pace {
	struct reading *reading;
	int64_t looked_ms; /* preflight was over; 0: never */
	int64_t shift_ms, n_shifts,
		since_ms; /* sum, number, of one under way */
};

static int take_seed(
	struct reading *r, const struct store_event *entry, struct err *err_r)
{
	char text[NUMBER_MAX];
	struct event event;

	if (event_decode(entry->name, entry->data, r->policy, &r->arena, &event,
		    err_r) < 0)
		return -1;
	snprintf(text, sizeof(text), "%" PRIu64, event.seed);
	r->plan.seed = arena_strdup(&r->arena, text);
	return 0;
}

static int take_pace(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct pace *pace = arg;

	if (!entry->is_note &&
		strcmp(entry->name, event_name(EVENT_STARTED)) == 0)
		return take_seed(pace->reading, entry, err_r);
	if (!pace->looked_ms && !entry->is_note &&
		strcmp(entry->name, event_name(EVENT_PREFLIGHT)) == 0)
		pace->looked_ms = entry->time_ms;
	if (!entry->is_note)
		return 0;
	if (strcmp(entry->name, note_name(NOTE_SHIFT)) == 0)
		pace->since_ms = entry->time_ms;
	if (strcmp(entry->name, note_name(NOTE_STEP_STARTED)) == 0 &&
		pace->since_ms) {
		pace->shift_ms += entry->time_ms - pace->since_ms;
		pace->n_shifts++;
		pace->since_ms = 0;
	}
	return 0;
}

/* The span goes a little beyond the end: a simulation may decide an interval
 * later than the rollout did. */
static int take_row(struct reading *r, struct store *store,
	const struct store_rollout *row, struct err *err_r)
{
	int64_t after_ms =
		2 * longest_interval_ms(r->policy) + r->policy->settle_ms;
	struct series_context *c = &r->plan.context;
	int64_t now_ms = clock_wall_ms();
	struct pace pace = {.reading = r};

	if (store_each_event(store, row->id, 0, take_pace, &pace, err_r) < 0)
		return -1;
	take_service(r, row->service);
	c->candidate = row->candidate;
	c->stable = row->stable;
	c->rollout = row->id;
	r->plan.from_ms = pace.looked_ms ? pace.looked_ms : row->started_ms;
	if (pace.n_shifts)
		r->plan.shift_ms = pace.shift_ms / pace.n_shifts;
	r->plan.to_ms = row->ended_ms ? row->ended_ms + after_ms : now_ms;
	r->plan.from = r->plan.to = row->id;
	if (r->plan.to_ms <= now_ms)
		return 0;
	r->plan.to_ms = now_ms;
	output_text(stderr,
		"the rollout has only just ended: a simulation that decides a "
		"little later\nneeds a recording made a little later\n");
	return 0;
}

static int find_rollout(
	struct reading *r, struct store **store_r, struct err *err_r)
{
	const struct history *h = r->history;
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
	const struct history *h = r->history;
	int64_t now_ms = clock_wall_ms();

	if (h->from) {
		r->plan.from = h->from;
		if (history_time(h->from, now_ms, &r->plan.from_ms, err_r) < 0)
			return err_wrap(err_r, "--from");
	}
	if (h->to || !h->rollout) {
		r->plan.to = h->to ? h->to : "now";
		if (history_time(r->plan.to, now_ms, &r->plan.to_ms, err_r) < 0)
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
	const struct history *h = r->history;
	const struct policy *policy = r->policy;
	struct series_context *c = &r->plan.context;
	size_t i;

	if (!c->service && (h->service || policy->service))
		take_service(r, h->service ? h->service : policy->service);
	if (h->project || !c->project)
		c->project = h->project ? h->project : policy->project;
	if (h->region || !c->region)
		c->region = h->region ? h->region : policy->region;
	if (h->candidate)
		c->candidate = h->candidate;
	if (h->stable)
		c->stable = h->stable;
	r->plan.policy = policy;
	r->plan.part = h->part;
	r->plan.step_ms = h->interval_ms;
	for (i = 0; !h->interval_ms && i < policy->n_slos; i++) {
		if (!i || policy->slos[i].interval_ms < r->plan.step_ms)
			r->plan.step_ms = policy->slos[i].interval_ms;
	}
}

/* ---- checks, out of a journal ---- */

/* For each query the outage that goes on; from 0: none. */
struct outages {
	struct reading *reading;
	struct arena arena;
	struct recorder_outage open[POLICY_SLOS_MAX][QUERY_ROLES];
	int64_t asked_ms[POLICY_SLOS_MAX]; /* by the last check, or the start */
	struct event_context asked; /* the entry's queries */
};

/* It began and ended somewhere between two checks: the middle is as far from a
 * simulation's checks as can be, which come a little earlier or later. */
static int64_t turned_ms(const struct outages *o, int slo, int64_t asked_ms)
{
	int64_t before_ms = o->asked_ms[slo];

	return before_ms + (asked_ms - before_ms) / 2;
}

static void close_outage(
	struct outages *o, int slo, enum query_role kind, int64_t to_ms)
{
	struct recorder_outage *open = &o->open[slo][kind];

	if (open->from_ms && open->from_ms < to_ms) {
		open->to_ms = to_ms;
		recorder_add_outage(
			o->reading->recorder, (size_t)slo, kind, open);
	}
	open->from_ms = 0;
}

static void remember(struct outages *o, const struct event *event,
	enum query_role kind, const struct answer *answer, int64_t asked_ms)
{
	const char *queries[QUERY_ROLES] = {o->asked.query,
		o->asked.baseline_query, o->asked.requests_query};

	if (answer->kind != ANSWER_NOT_ASKED)
		recorder_add_check(o->reading->recorder, (size_t)event->slo,
			kind, queries[kind], asked_ms,
			answer->kind == ANSWER_VALUE ? answer->value : NAN);
}

static void take_check(
	struct outages *o, const struct event *event, int64_t time_ms)
{
	const struct answer *answers = event->answers.item;
	const struct slo *slo = &o->reading->policy->slos[event->slo];
	/* Of the data that was asked for: see `delay` of metrics. */
	int64_t asked_ms = time_ms - event->latency_ms -
			   o->reading->policy->metrics.delay_ms;
	struct recorder_outage *open;
	int kind;

	for (kind = 0; kind < QUERY_ROLES; kind++) {
		open = &o->open[event->slo][kind];
		if (answers[kind].kind != ANSWER_ERROR) {
			close_outage(o, event->slo, (enum query_role)kind,
				turned_ms(o, event->slo, asked_ms));
			remember(o, event, (enum query_role)kind,
				&answers[kind], asked_ms);
			continue;
		}
		if (!open->from_ms)
			*open = (struct recorder_outage){
				.from_ms = turned_ms(o, event->slo, asked_ms)};
		if (event->latency_ms >= slo->timeout_ms)
			open->timeout = true;
	}
	o->asked_ms[event->slo] = asked_ms;
}

/* Entries that this policy does not know say nothing about its series. */
static int take_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct outages *o = arg;
	struct event event;
	struct err ignored;

	if (entry->is_note || strcmp(entry->name, event_name(EVENT_CHECK)) != 0)
		return 0;
	if (event_decode(entry->name, entry->data, o->reading->policy,
		    &o->arena, &event, &ignored) == 0) {
		event_queries(entry->data, &o->arena, &o->asked);
		take_check(o, &event, entry->time_ms);
	}
	arena_fini(&o->arena);
	return 0;
}

static int take_checks(
	struct reading *r, struct store *store, struct err *err_r)
{
	struct outages o = {.reading = r};
	int64_t from_ms, to_ms;
	size_t i;
	int kind, rc;

	arena_init(&o.arena);
	recorder_span(r->recorder, &from_ms, &to_ms);
	for (i = 0; i < r->policy->n_slos; i++)
		o.asked_ms[i] = from_ms;
	rc = store_each_event(
		store, r->plan.context.rollout, 0, take_entry, &o, err_r);
	for (i = 0; i < r->policy->n_slos; i++) {
		for (kind = 0; kind < QUERY_ROLES; kind++)
			close_outage(&o, (int)i, (enum query_role)kind, to_ms);
	}
	return rc;
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

	if (world_open(&r->world, &options, err_r) < 0)
		return -1;
	if (loop_on_signal(r->world.loop, SIGINT, on_signal, r, err_r) < 0 ||
		loop_on_signal(r->world.loop, SIGTERM, on_signal, r, err_r) < 0)
		return -1;
	if (asks_metrics(r->policy)) {
		r->metrics =
			prometheus_metrics(r->policy, r->plan.context.project);
		r->prometheus = prometheus_new(r->world.loop, r->world.http,
			r->world.credentials, &r->metrics, err_r);
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

	if (r->history->rollout && find_rollout(r, &store, err_r) < 0)
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
	if (store && take_checks(r, store, err_r) < 0)
		goto out;
	recorder_print(r->recorder, out);
	rc = out->overflow
		     ? err_set(err_r, ERR_LIMIT, "the recording is too large")
		     : 0;
out:
	store_free(&store);
	return rc;
}

int history_read(const struct history *history, const struct policy *policy,
	struct buf *out, struct err *err_r)
{
	struct reading r = {
		.history = history, .policy = policy, .plan = {.shift_ms = -1}};
	int rc;

	arena_init(&r.arena);
	rc = read_all(&r, out, err_r);
	close_world(&r);
	arena_fini(&r.arena);
	return rc;
}

void history_forget(const struct history *history)
{
	if (history->part)
		unlink(history->part);
}
