/* SPDX-License-Identifier: Apache-2.0 */
/* What a rollout's journal adds to a recording; see record_journal.h. */
#include "sim/record_journal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/event_codec.h"

#define NUMBER_MAX      32
#define QUERY_BYTES_MAX (256 * 1024)

/* ---- the span ---- */

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
	struct recorder_plan *plan;
	struct arena *arena;
	int64_t looked_ms; /* preflight was over; 0: never */
	int64_t shift_ms, n_shifts,
		since_ms; /* sum, number, of one under way */
};

static int take_seed(
	struct pace *pace, const struct store_event *entry, struct err *err_r)
{
	char text[NUMBER_MAX];
	struct event event;

	if (event_decode(entry->name, entry->data, pace->plan->policy,
		    pace->arena, &event, err_r) < 0)
		return -1;
	snprintf(text, sizeof(text), "%" PRIu64, event.seed);
	pace->plan->seed = arena_strdup(pace->arena, text);
	return 0;
}

/* An SLO of kind evidence is not known to be counted. */
static bool wants_counts(const struct recorder_plan *plan)
{
	const struct policy *policy = plan->policy;
	size_t i;

	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind == SLO_EVIDENCE && !plan->counted[i])
			return true;
	}
	return false;
}

/* Counts of the query that the policy asks now: they are all that is needed. */
static void take_counted(struct pace *pace, const struct store_event *entry)
{
	struct recorder_plan *plan = pace->plan;
	struct event_context asked;
	struct event event;
	struct err ignored;
	struct buf query;
	const char *before;

	if (!wants_counts(plan))
		return;
	if (event_decode(entry->name, entry->data, plan->policy, pace->arena,
		    &event, &ignored) < 0 ||
		!event.answers.counts || plan->counted[event.slo])
		return;
	event_queries(entry->data, pace->arena, &asked);
	before = asked.query[QUERY_TOTAL];
	buf_init(&query, QUERY_BYTES_MAX);
	series_render(&plan->policy->slos[event.slo], QUERY_TOTAL,
		&plan->context, &query);
	plan->counted[event.slo] = !before || strcmp(before, query.data) == 0;
	buf_fini(&query);
}

static void take_histories(struct pace *pace, const struct store_event *entry)
{
	struct recorder_plan *plan = pace->plan;
	struct event event;
	struct err ignored;

	if (event_decode(entry->name, entry->data, plan->policy, pace->arena,
		    &event, &ignored) < 0)
		return;
	plan->histories = event.histories;
	plan->n_histories = event.n_histories;
}

static int take_pace(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct pace *pace = arg;

	if (!entry->is_note &&
		strcmp(entry->name, event_name(EVENT_STARTED)) == 0)
		return take_seed(pace, entry, err_r);
	if (!entry->is_note &&
		strcmp(entry->name, event_name(EVENT_CHECK)) == 0)
		take_counted(pace, entry);
	if (!pace->looked_ms && !entry->is_note &&
		strcmp(entry->name, event_name(EVENT_PREFLIGHT)) == 0) {
		pace->looked_ms = entry->time_ms;
		take_histories(pace, entry);
	}
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
int record_journal_plan(struct recorder_plan *plan, struct store *store,
	const struct store_rollout *row, int64_t now_ms, struct arena *arena,
	struct err *err_r)
{
	int64_t after_ms =
		2 * longest_interval_ms(plan->policy) + plan->policy->settle_ms;
	struct pace pace = {.plan = plan, .arena = arena};

	series_take_service(&plan->context, row->service, arena);
	plan->context.candidate = row->candidate;
	plan->context.stable = row->stable;
	plan->context.rollout = row->id;
	if (store_each_event(store, row->id, 0, take_pace, &pace, err_r) < 0)
		return -1;
	plan->from_ms = pace.looked_ms ? pace.looked_ms : row->started_ms;
	if (pace.n_shifts)
		plan->shift_ms = pace.shift_ms / pace.n_shifts;
	plan->to_ms = row->ended_ms ? row->ended_ms + after_ms : now_ms;
	plan->from = plan->to = row->id;
	if (plan->to_ms <= now_ms)
		return 0;
	plan->to_ms = now_ms;
	return 1;
}

/* ---- checks ---- */

/* For each query the outage that goes on; from 0: none. */
struct outages {
	struct recorder *recorder;
	const struct policy *policy;
	struct arena arena;
	struct recorder_outage open[POLICY_SLOS_MAX][QUERY_ROLES];
	int64_t asked_ms[POLICY_SLOS_MAX]; /* by the last check, or the start */
	struct event_context asked; /* the entry's queries */
	const bool *counted; /* by SLO */
};

/* It began and ended somewhere between two checks: the middle is as far from a
 * simulation's checks as can be, which come a little earlier or later. */
static int64_t turned_ms(const struct outages *o, int slo, int64_t asked_ms)
{
	int64_t before_ms = o->asked_ms[slo];

	return before_ms + (asked_ms - before_ms) / 2;
}

/* What the answer was an instance of; -1: it was as it should be. */
static int trouble_of(const struct answer *answer, bool is_late)
{
	if (answer->kind == ANSWER_ERROR)
		return is_late ? TROUBLE_TIMEOUT : TROUBLE_ERROR;
	return answer->partial ? TROUBLE_PARTIAL : -1;
}

static void close_outage(
	struct outages *o, int slo, enum query_role kind, int64_t to_ms)
{
	struct recorder_outage *open = &o->open[slo][kind];

	if (open->from_ms && open->from_ms < to_ms) {
		open->to_ms = to_ms;
		recorder_add_outage(o->recorder, (size_t)slo, kind, open);
	}
	open->from_ms = 0;
}

static void remember(struct outages *o, const struct event *event,
	enum query_role kind, const struct answer *answer, int64_t asked_ms)
{
	if (answer->kind != ANSWER_NOT_ASKED)
		recorder_add_check(o->recorder, (size_t)event->slo, kind,
			o->asked.query[kind], asked_ms,
			answer->kind == ANSWER_VALUE ? answer->value : NAN);
}

static void take_answer(struct outages *o, const struct event *event,
	enum query_role kind, int64_t asked_ms)
{
	const struct answer *answer = &event->answers.item[kind];
	const struct slo *slo = &o->policy->slos[event->slo];
	struct recorder_outage *open = &o->open[event->slo][kind];
	int trouble = trouble_of(answer, event->latency_ms >= slo->timeout_ms);
	int64_t from_ms = turned_ms(o, event->slo, asked_ms);

	/* One that is late is the same outage, which hangs from now on. */
	if (open->from_ms && trouble == TROUBLE_TIMEOUT &&
		open->type == TROUBLE_ERROR)
		open->type = TROUBLE_TIMEOUT;
	if (open->from_ms && trouble == TROUBLE_ERROR &&
		open->type == TROUBLE_TIMEOUT)
		trouble = TROUBLE_TIMEOUT;
	if (trouble < 0 || (int)open->type != trouble)
		close_outage(o, event->slo, kind, from_ms);
	if (trouble >= 0 && !open->from_ms)
		*open = (struct recorder_outage){.from_ms = from_ms,
			.type = (enum recorder_trouble)trouble};
	if (answer->kind != ANSWER_ERROR && !query_role_counts(kind))
		remember(o, event, kind, answer, asked_ms);
}

static void take_check(
	struct outages *o, const struct event *event, int64_t time_ms)
{
	/* Of the data that was asked for: see `delay` of metrics. */
	int64_t asked_ms =
		time_ms - event->latency_ms - o->policy->metrics.delay_ms;

	for (int kind = 0; kind < QUERY_ROLES; kind++)
		take_answer(o, event, (enum query_role)kind, asked_ms);
	if (event->answers.counts && o->counted[event->slo])
		recorder_add_counts(o->recorder, (size_t)event->slo, asked_ms,
			event->answers.counts);
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
	if (event_decode(entry->name, entry->data, o->policy, &o->arena, &event,
		    &ignored) == 0) {
		event_queries(entry->data, &o->arena, &o->asked);
		take_check(o, &event, entry->time_ms);
	}
	arena_fini(&o->arena);
	return 0;
}

int record_journal_checks(struct recorder *recorder,
	const struct recorder_plan *plan, struct store *store,
	struct err *err_r)
{
	struct outages o = {.recorder = recorder,
		.policy = plan->policy,
		.counted = plan->counted};
	int64_t from_ms, to_ms;
	size_t i;
	int kind, rc;

	arena_init(&o.arena);
	recorder_span(recorder, &from_ms, &to_ms);
	for (i = 0; i < o.policy->n_slos; i++)
		o.asked_ms[i] = from_ms - plan->policy->metrics.delay_ms;
	rc = store_each_event(
		store, plan->context.rollout, 0, take_entry, &o, err_r);
	for (i = 0; i < o.policy->n_slos; i++) {
		for (kind = 0; kind < QUERY_ROLES; kind++)
			close_outage(&o, (int)i, (enum query_role)kind, to_ms);
	}
	return rc;
}
