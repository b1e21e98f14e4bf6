/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a policy's queries over time; see recorder.h. A track is one series:
 * its chunks are asked one after the other, track_ask, track_answered,
 * track_next, and again after track_wait. A few tracks run at a time.
 */
#include "sim/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "metrics/prometheus.h"
#include "metrics/slo_history.h"
#include "policy/template.h"
#include "sim/recorder_part.h"
#include "sim/recorder_state.h"

#define TRACKS_MAX       (POLICY_SLOS_MAX * QUERY_ROLES)
#define TRACKS_AT_ONCE   4
#define CHUNK_POINTS_MIN 8 /* of an answer that was too large */
#define BACKOFF_MS       1000 /* doubles */
#define BACKOFF_MS_MAX   30000
#define QUERY_BYTES_MAX  (256 * 1024)

static void track_next(struct track *track);
static void track_ask(void *arg);
static void track_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg);
static void track_wait(struct track *track, const struct err *err);

/* ---- the plan ---- */

/* A template that the query uses and nobody gave a value for. */
static int check_query(const struct recorder_plan *plan, const struct slo *slo,
	enum query_role kind, struct err *err_r)
{
	const struct series_context *c = &plan->context;
	const struct {
		const char *name, *value;
	} known[] = {
		{"candidate", c->candidate},
		{"stable", c->stable},
		{"revision",
			query_role_revision(kind, c->candidate, c->stable)},
		{"service", c->service},
		{"project", c->project},
		{"region", c->region},
		{"rollout", c->rollout},
		{"percent", NULL},
		{"reason", NULL},
		{"candidate_url", NULL},
	};
	const char *text = query_role_text(slo, kind);
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].value || !template_uses(text, known[i].name))
			continue;
		return err_set(err_r, ERR_USAGE,
			"the query of \"%s\" has {{%s}}: %s", slo->name,
			known[i].name,
			i < 7 ? "say what it was, --rollout knows all of it"
			      : "it changes during a rollout, so that there "
				"is nothing to record");
	}
	return 0;
}

/* What nobody can be asked any more, only a rollout tells. */
static int check_past(const struct recorder_plan *plan, struct err *err_r)
{
	const struct slo *slo = plan->policy->slos;
	const struct slo *end = slo + plan->policy->n_slos;

	for (; slo < end && !plan->context.rollout; slo++)
		if (slo->json)
			return err_set(err_r, ERR_USAGE,
				"SLO \"%s\" asks %s, which cannot be asked for "
				"the past: --rollout takes it from a journal",
				slo->name,
				slo->provider == SLO_SENTRY ? "Sentry"
							    : "a JSON API");
	return 0;
}

static int check_queries(const struct recorder_plan *plan, struct err *err_r)
{
	const struct slo *slo;
	size_t i;
	int kind;

	for (i = 0; i < plan->policy->n_slos; i++) {
		slo = &plan->policy->slos[i];
		if (slo->json)
			continue;
		for (kind = 0; kind < QUERY_ROLES; kind++) {
			if (query_role_text(slo, (enum query_role)kind) &&
				check_query(plan, slo, (enum query_role)kind,
					err_r) < 0)
				return -1;
		}
	}
	return 0;
}

static int check_span(const struct recorder_plan *plan, struct err *err_r)
{
	if (plan->from_ms <= 0 || plan->from_ms >= plan->to_ms)
		return err_set(err_r, ERR_USAGE,
			"the span is empty: --from has to be before --to");
	if ((plan->to_ms - plan->from_ms) / plan->step_ms > RECORDER_POINTS_MAX)
		return err_set(err_r, ERR_USAGE,
			"the span has more than %lld steps: make it shorter, "
			"or --interval longer",
			(long long)RECORDER_POINTS_MAX);
	return 0;
}

static void add_track(
	struct recorder *recorder, size_t slo, enum query_role kind)
{
	const struct recorder_plan *plan = &recorder->plan;
	struct track *track;
	struct buf query;

	if (!query_role_text(&plan->policy->slos[slo], kind))
		return;
	track = &recorder->tracks[recorder->n_tracks++];
	track->recorder = recorder;
	track->slo = slo;
	track->kind = kind;
	track->is_remembered = plan->policy->slos[slo].json != NULL;
	if (plan->counted[slo])
		track->counted = counted_new();
	track->chunk_points = query_role_counts(kind) ? RECORDER_COUNTER_POINTS
						      : RECORDER_CHUNK_POINTS;
	range_init(&track->range, query_role_counts(kind) ? RANGE_COUNTERS_MAX
							  : RANGE_SERIES_MAX);
	buf_init(&query, QUERY_BYTES_MAX);
	series_render(&plan->policy->slos[slo], kind, &plan->context, &query);
	track->query = buf_steal(&query);
}

/* Everything that an answer depends on, as one text. */
static char *identity(const struct recorder *recorder)
{
	const struct recorder_plan *plan = &recorder->plan;
	struct buf text;
	size_t i;

	buf_init(&text, PART_LINE_MAX / 2);
	buf_addf(&text, "%s|%s|%lld|%lld", plan->from, plan->to,
		(long long)plan->step_ms,
		(long long)plan->policy->evidence.history_ms);
	if (plan->policy->metrics.delay_ms)
		buf_addf(&text, "|%lld",
			(long long)plan->policy->metrics.delay_ms);
	for (i = 0; i < recorder->n_tracks; i++)
		buf_addf(&text, "|%s", recorder->tracks[i].query);
	return buf_steal(&text);
}

/* ---- chunks ---- */

static bool track_is_done(const struct track *track)
{
	return track->is_remembered || track->counted ||
	       track->next_ms > track->recorder->plan.to_ms;
}

static void add_outage(
	struct track *track, const struct recorder_outage *outage)
{
	if (track->n_outages == RECORDER_OUTAGES_MAX)
		return;
	if (!track->outages)
		track->outages =
			xcalloc(RECORDER_OUTAGES_MAX, sizeof(*track->outages));
	track->outages[track->n_outages++] = *outage;
}

/* Any part of an incomplete answer may lack something. */
static int take_chunk(struct track *track, int64_t to_ms, int status,
	const char *body, size_t len, struct err *err_r)
{
	const struct recorder_outage chunk = {
		.from_ms = track->next_ms,
		.to_ms = to_ms + recorder_step_ms(track, to_ms),
		.type = TROUBLE_PARTIAL,
	};

	if (range_add(&track->range, status, body, len, err_r) < 0)
		return -1;
	if (track->range.partial)
		add_outage(track, &chunk);
	return 0;
}

/* The span may be that of a part file. */
static void begin_track(struct track *track)
{
	track->from_ms = recorder_begin_ms(track);
	track->next_ms = track->from_ms;
}

/* What is there of it is asked for once more, with what comes before it. */
static void begin_longer(struct track *track)
{
	size_t max = track->range.max;

	range_fini(&track->range);
	range_init(&track->range, max);
	track->n_outages = 0;
	track->is_longer = true;
	begin_track(track);
}

static int say_damaged(const struct recorder *recorder, struct err *err_r)
{
	return err_set(err_r, ERR_INVALID,
		"%s is damaged; remove it to begin anew", recorder->plan.part);
}

static int take_kept(
	const struct part_chunk *chunk, void *arg, struct err *err_r)
{
	struct recorder *recorder = arg;
	struct track *track;

	if (chunk->series < 0 || (size_t)chunk->series >= recorder->n_tracks ||
		chunk->to_ms > recorder->plan.to_ms)
		return say_damaged(recorder, err_r);
	track = &recorder->tracks[chunk->series];
	if (chunk->to_ms < track->from_ms) {
		if (!recorder_past_is_kept_longer(track, chunk->to_ms))
			return say_damaged(recorder, err_r);
		begin_longer(track);
	}
	if (take_chunk(track, chunk->to_ms, 200, chunk->body, chunk->body_len,
		    err_r) < 0)
		return err_wrap(err_r, "%s", recorder->plan.part);
	if (chunk->to_ms >= track->next_ms)
		track->next_ms =
			chunk->to_ms + recorder_step_ms(track, chunk->to_ms);
	return 0;
}

static int open_part(struct recorder *recorder, struct err *err_r)
{
	struct recorder_plan *plan = &recorder->plan;
	char *what = identity(recorder);
	struct part_head head = {what, plan->from_ms, plan->to_ms};

	recorder->part = part_open(plan->part, &head, err_r);
	free(what);
	if (!recorder->part)
		return -1;
	plan->from_ms = head.from_ms;
	plan->to_ms = head.to_ms;
	if (check_span(plan, err_r) < 0)
		return err_wrap(err_r, "%s", plan->part);
	return 0;
}

struct recorder *recorder_new(const struct recorder_plan *plan,
	struct loop *loop, struct prometheus *prometheus, struct err *err_r)
{
	struct recorder *recorder;
	size_t i;
	int kind;

	if (check_past(plan, err_r) < 0 || check_span(plan, err_r) < 0 ||
		check_queries(plan, err_r) < 0)
		return NULL;
	recorder = xcalloc(1, sizeof(*recorder));
	recorder->plan = *plan;
	recorder->loop = loop;
	recorder->prometheus = prometheus;
	recorder->tracks = xcalloc(TRACKS_MAX, sizeof(*recorder->tracks));
	for (i = 0; i < plan->policy->n_slos; i++) {
		for (kind = 0; kind < QUERY_ROLES; kind++)
			add_track(recorder, i, (enum query_role)kind);
	}
	if (plan->part && open_part(recorder, err_r) < 0)
		recorder_free(&recorder);
	for (i = 0; recorder && i < recorder->n_tracks; i++)
		begin_track(&recorder->tracks[i]);
	if (recorder && recorder->part &&
		part_each_chunk(recorder->part, take_kept, recorder, err_r) < 0)
		recorder_free(&recorder);
	return recorder;
}

static void stop_tracks(struct recorder *recorder)
{
	size_t i;

	for (i = 0; i < recorder->n_tracks; i++) {
		provider_cancel(&recorder->tracks[i].call);
		timer_cancel(&recorder->tracks[i].timer);
	}
}

void recorder_free(struct recorder **recorder)
{
	struct recorder *old = *recorder;
	size_t i;

	*recorder = NULL;
	if (!old)
		return;
	stop_tracks(old);
	timer_cancel(&old->end);
	for (i = 0; i < old->n_tracks; i++) {
		free(old->tracks[i].query);
		free(old->tracks[i].outages);
		remembered_fini(&old->tracks[i].remembered);
		counted_free(&old->tracks[i].counted);
		range_fini(&old->tracks[i].range);
	}
	part_free(&old->part);
	free(old->tracks);
	free(old);
}

/* ---- running ---- */

static void tell_end(void *arg)
{
	struct recorder *recorder = arg;

	recorder->end = NULL;
	recorder->fn(recorder->err.code ? &recorder->err : NULL, recorder->arg);
}

/* Told in a later turn: whoever is told may free the recorder. */
static void finish(struct recorder *recorder, const struct err *err)
{
	if (recorder->over)
		return;
	recorder->over = true;
	if (err)
		recorder->err = *err;
	stop_tracks(recorder);
	recorder->end = timer_start(recorder->loop, 0, tell_end, recorder);
}

/* Now, that is: stable's past is read before the span. */
static bool track_has_more(const struct track *track)
{
	const struct recorder *recorder = track->recorder;

	return !track_is_done(track) &&
	       (recorder->past_is_read ||
		       track->next_ms < recorder->plan.from_ms);
}

/* Pasts with few bad requests are read again, and longer. */
static bool look_longer(struct recorder *recorder)
{
	bool wanted[POLICY_SLOS_MAX] = {false}, any = false;
	struct track *track = recorder->tracks;
	size_t i;

	for (i = 0; i < recorder->plan.policy->n_slos; i++)
		wanted[i] = recorder_past_wants_longer(recorder, i);
	for (; track < recorder->tracks + recorder->n_tracks; track++) {
		if (!wanted[track->slo] || track->is_longer ||
			!recorder_past_ms(track))
			continue;
		begin_longer(track);
		any = true;
	}
	return any;
}

static void start_tracks(struct recorder *recorder)
{
	size_t i;

	for (i = 0; i < recorder->n_tracks; i++) {
		if (recorder->n_running == TRACKS_AT_ONCE)
			return;
		if (recorder->tracks[i].running ||
			!track_has_more(&recorder->tracks[i]))
			continue;
		recorder->tracks[i].running = true;
		recorder->n_running++;
		track_ask(&recorder->tracks[i]);
	}
	if (recorder->n_running)
		return;
	if (recorder->past_is_read) {
		finish(recorder, NULL);
		return;
	}
	recorder->past_is_read = !look_longer(recorder);
	start_tracks(recorder);
}

void recorder_start(struct recorder *recorder, recorder_fn fn, void *arg)
{
	recorder->fn = fn;
	recorder->arg = arg;
	start_tracks(recorder);
}

static void track_next(struct track *track)
{
	struct recorder *recorder = track->recorder;

	track->tries = 0;
	track->next_ms = track->chunk_to_ms +
			 recorder_step_ms(track, track->chunk_to_ms);
	if (track_has_more(track)) {
		track_ask(track);
		return;
	}
	track->running = false;
	recorder->n_running--;
	start_tracks(recorder);
}

static void track_ask(void *arg)
{
	struct track *track = arg;
	struct prometheus_range range = {.start_ms = track->next_ms,
		.end_ms = recorder_chunk_end_ms(track, track->next_ms),
		.step_ms = recorder_step_ms(track, track->next_ms)};

	track->timer = NULL;
	track->chunk_to_ms = range.end_ms;
	track->tries++;
	track->call = prometheus_range_start(track->recorder->prometheus,
		track->query, &range, track_answered, track);
}

static int keep(const struct track *track, const char *body, size_t len,
	struct err *err_r)
{
	const struct recorder *recorder = track->recorder;
	const struct part_chunk chunk = {
		.series = (int)(track - recorder->tracks),
		.to_ms = track->chunk_to_ms,
		.body = body,
		.body_len = len,
	};

	return recorder->part ? part_add(recorder->part, &chunk, err_r) : 0;
}

static void track_answered(int status, const char *body, size_t len,
	const struct err *cause, void *arg)
{
	struct track *track = arg;
	struct err err;

	track->call = NULL;
	if (cause)
		err = *cause;
	else if (take_chunk(track, track->chunk_to_ms, status, body, len,
			 &err) == 0) {
		if (keep(track, body, len, &err) < 0)
			finish(track->recorder, &err);
		else
			track_next(track);
		return;
	}
	if (err.code == ERR_LIMIT && track->chunk_points > CHUNK_POINTS_MIN &&
		query_role_counts(track->kind)) {
		track->chunk_points /= 2;
		track->tries = 0;
		track_ask(track);
		return;
	}
	track_wait(track, &err);
}

static void track_wait(struct track *track, const struct err *cause)
{
	const struct policy *policy = track->recorder->plan.policy;
	int64_t wait_ms = BACKOFF_MS << (track->tries - 1);
	char name[SERIES_NAME_MAX];
	struct err err = *cause;

	if (!err_is_retryable(err.code) || track->tries >= RECORDER_TRIES) {
		err_wrap(&err, "%s",
			series_name(
				&policy->slos[track->slo], track->kind, name));
		finish(track->recorder, &err);
		return;
	}
	if (wait_ms < err.retry_after_ms)
		wait_ms = err.retry_after_ms;
	if (wait_ms > BACKOFF_MS_MAX)
		wait_ms = BACKOFF_MS_MAX;
	track->timer =
		timer_start(track->recorder->loop, wait_ms, track_ask, track);
}

/* ---- what came of it ---- */

void recorder_progress(
	const struct recorder *recorder, size_t *done_r, size_t *all_r)
{
	const struct track *track = recorder->tracks;
	const struct track *end = track + recorder->n_tracks;
	int64_t at_ms;

	*done_r = *all_r = 0;
	for (; track < end; track++) {
		if (track->counted || track->is_remembered) {
			++*done_r;
			++*all_r;
			continue;
		}
		for (at_ms = track->from_ms; at_ms <= recorder->plan.to_ms;) {
			*done_r += at_ms < track->next_ms;
			++*all_r;
			at_ms = recorder_chunk_end_ms(track, at_ms);
			at_ms += recorder_step_ms(track, at_ms);
		}
	}
}

void recorder_span(
	const struct recorder *recorder, int64_t *from_ms_r, int64_t *to_ms_r)
{
	*from_ms_r = recorder->plan.from_ms;
	*to_ms_r = recorder->plan.to_ms;
}

static struct track *find_track(
	const struct recorder *recorder, size_t slo, enum query_role kind)
{
	struct track *track = recorder->tracks;
	struct track *end = track + recorder->n_tracks;

	while (track < end && (track->slo != slo || track->kind != kind))
		track++;
	return track < end ? track : NULL;
}

void recorder_add_outage(struct recorder *recorder, size_t slo,
	enum query_role kind, const struct recorder_outage *outage)
{
	struct track *track = find_track(recorder, slo, kind);

	if (track)
		add_outage(track, outage);
}

void recorder_add_check(struct recorder *recorder, size_t slo,
	enum query_role kind, const char *query, int64_t asked_ms, double value)
{
	struct track *track = find_track(recorder, slo, kind);

	if (track && (track->is_remembered ||
			     (query && strcmp(query, track->query) == 0)))
		remembered_add(&track->remembered, asked_ms, value);
}

void recorder_warnings(const struct recorder *recorder, struct buf *out)
{
	const struct track *track = recorder->tracks;
	char name[SERIES_NAME_MAX];
	size_t i;

	for (i = 0; i < recorder->n_tracks; i++, track++) {
		if (!track->range.warning[0])
			continue;
		buf_addf(out, "warning: %s: %s\n",
			series_name(&recorder->plan.policy->slos[track->slo],
				track->kind, name),
			track->range.warning);
	}
}
