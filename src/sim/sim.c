/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded world with a virtual clock; see sim.h. What is out waits in a
 * small queue; the earliest answer, fault or wake-up is next, and time jumps
 * there.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/series.h"
#include "sim/sim_state.h"

#define SHIFT_MS_DEFAULT 2000 /* from a write to its split being served */
#define CRASH_MS_DEFAULT 30000 /* until somebody resumes */

int64_t sim_now(const struct sim *s)
{
	return s->now_ms;
}

const struct rollout *sim_rollout(const struct sim *s)
{
	return &s->rollout;
}

const struct judgement *sim_judgement(const struct sim *s)
{
	return &s->out.judgement;
}

const struct evidence_seen *sim_seen(const struct sim *s)
{
	return &s->out.seen;
}

int sim_percent(const struct sim *s)
{
	return s->rollout.traffic.serving.candidate;
}

int sim_check(const struct policy *policy, const struct recording *recording,
	struct err *err_r)
{
	char name[SERIES_NAME_MAX];
	size_t i;
	int c;

	for (i = 0; i < policy->n_slos; i++) {
		for (c = 0; c < QUERY_ROLES; c++) {
			if (!query_role_text(&policy->slos[i], c))
				continue;
			series_name(&policy->slos[i], c, name);
			if (!recording_find(recording, name))
				return err_set(err_r, ERR_POLICY,
					"%s has no series \"%s\", which the "
					"policy asks for; record it again with "
					"this policy",
					recording->path, name);
		}
	}
	return 0;
}

static void find_chains(struct sim *s)
{
	const struct recording_series *series;
	char name[SERIES_NAME_MAX];
	size_t i;
	int c;

	for (i = 0; i < s->policy->n_slos; i++) {
		for (c = 0; c < QUERY_ROLES; c++) {
			if (!query_role_text(&s->policy->slos[i], c))
				continue;
			series_name(&s->policy->slos[i], c, name);
			series = recording_find(s->recording, name);
			s->chain[i][c].series = series;
			if (series && series->n_outages)
				s->has_outages[i] = true;
		}
	}
}

static bool fault_holds(const struct sim *s, enum fault_type type)
{
	const struct fault *f = s->options->faults;
	int64_t t = s->now_ms - s->result->start_ms;
	size_t i;

	for (i = 0; i < s->options->n_faults; i++) {
		if (f[i].type == type && t >= f[i].at_ms &&
			t < f[i].at_ms + f[i].for_ms)
			return true;
	}
	return false;
}

static struct event *push(struct sim *s, int64_t delay_ms, enum event_type type)
{
	size_t size = sizeof(struct event);
	struct pending *p;

	assert(s->n_queue < QUEUE_MAX);
	p = s->queue[s->n_queue++];
	p->at_ms = s->now_ms + delay_ms;
	p->order = s->order++;
	/* Of a size that it knows gcc makes an instruction of the processor's,
	 * which takes longer than memset. */
	__asm__("" : "+r"(size));
	memset(&p->event, 0, size);
	p->event.type = type;
	return &p->event;
}

/* The service. */

static void service_settle(struct sim *s)
{
	if (s->serve_at_ms && s->now_ms >= s->serve_at_ms) {
		if (s->spec.candidate && !s->served_ms)
			s->served_ms = s->serve_at_ms;
		s->serve_at_ms = 0;
		s->serving = s->spec;
	}
}

static void fill_traffic(struct sim *s, struct event *event)
{
	service_settle(s);
	s->read_version = s->version;
	event->spec = s->spec;
	event->serving = s->serving;
	event->generation = s->generation;
	event->reconciling = event->moving = s->serve_at_ms != 0;
	event->by_latest = s->by_latest;
	event->candidate_is_latest = true;
	event->tagged = s->tagged;
	event->stable_kept = s->stable_kept;
	event->stable_state = STABLE_READY;
}

static void service_write(struct sim *s, const struct effect *effect)
{
	s->spec = (struct split){effect->percent, 100 - effect->percent, 0};
	s->by_latest = effect->by_latest;
	s->stable_kept = effect->keep_stable;
	s->generation++;
	if (effect->tag != TAG_KEEP)
		s->tagged = effect->tag == TAG_ADD;
	s->serve_at_ms = s->now_ms + s->shift_ms;
}

/* A write that is done is told of when its operation is over. */
static void answer_write(struct sim *s, const struct effect *effect)
{
	struct event *event = push(s, 0, EVENT_WRITTEN);
	struct pending *pending = s->queue[s->n_queue - 1];

	event->write_attempt = effect->attempt;
	if (s->version != s->read_version) {
		event->result = WRITE_CONFLICT;
		event->text = "the service was changed since it was read";
	} else if (fault_holds(s, FAULT_PATCH_503)) {
		event->result = WRITE_BUSY;
		event->text = "503 UNAVAILABLE (fault)";
	} else {
		service_write(s, effect);
		event->result = WRITE_DONE;
		event->generation = s->generation;
		pending->at_ms = s->serve_at_ms;
		if (fault_holds(s, FAULT_PATCH_LOST)) {
			event->result = WRITE_UNKNOWN;
			event->generation = 0;
			event->text = "no answer (fault)";
			pending->at_ms = s->now_ms;
		}
	}
}

/* Nobody follows the operation any more. */
static void hurry_write(struct sim *s)
{
	for (size_t i = 0; i < s->n_queue; i++) {
		if (s->queue[i]->event.type == EVENT_WRITTEN)
			s->queue[i]->at_ms = s->now_ms;
	}
}

/* The metrics. */

static void answer_ask(struct sim *s, int slo)
{
	int64_t late_ms =
		sim_times_out(s, slo) ? s->policy->slos[slo].timeout_ms : 0;
	struct event *event = push(s, late_ms, EVENT_CHECK);

	event->slo = slo;
	event->latency_ms = late_ms;
	if (fault_holds(s, FAULT_METRICS_DOWN)) {
		event->answers.item[QUERY_VALUE].kind = ANSWER_ERROR;
		event->text = "metrics are down (fault)";
		return;
	}
	if (s->policy->slos[slo].kind == SLO_EVIDENCE) {
		sim_count(s, slo, sim_asked_ms(s), event);
		return;
	}
	sim_answer(s, slo, &event->answers);
}

/* Only loads take time, which their stages say. */
static void answer_act(struct sim *s, const struct effect *effect)
{
	const struct action *action =
		&s->policy->lists[effect->list].item[effect->index];
	struct event *event = push(s,
		action->kind == ACTION_LOAD ? load_duration_ms(&action->u.load)
					    : 0,
		EVENT_ACTION);

	event->list = effect->list;
	event->index = effect->index;
	event->attempt = effect->attempt;
	event->action_result = ACTION_OK;
	event->text = action->kind == ACTION_LOAD
			      ? "not simulated: only its time goes by"
		      : action->kind == ACTION_K6
			      ? "not simulated: only its script knows its time"
			      : "simulated";
}

/* Takes what waits at `which` out of the queue, which gets `other` for it. */
static struct pending *exchange(
	struct sim *s, size_t which, struct pending *other)
{
	struct pending *taken = s->queue[which];

	s->queue[which] = s->queue[--s->n_queue];
	s->queue[s->n_queue] = other;
	return taken;
}

static void drop_actions(struct sim *s)
{
	size_t i = 0;

	while (i < s->n_queue) {
		if (s->queue[i]->event.type == EVENT_ACTION)
			exchange(s, i, s->queue[i]);
		else
			i++;
	}
}

static void carry_out(struct sim *s, const struct effect *effect)
{
	struct event *event;

	switch (effect->type) {
	case EFFECT_PREFLIGHT:
		event = push(s, 0, EVENT_PREFLIGHT);
		event->ok = true;
		if (s->past) {
			event->histories = s->past->history;
			event->n_histories = s->past->n;
		}
		fill_traffic(s, event);
		break;
	case EFFECT_READ:
		fill_traffic(s, push(s, 0, EVENT_TRAFFIC));
		break;
	case EFFECT_WRITE:
		answer_write(s, effect);
		break;
	case EFFECT_CHECK:
		answer_ask(s, effect->slo);
		break;
	case EFFECT_ACTION:
		answer_act(s, effect);
		break;
	case EFFECT_CANCEL:
		drop_actions(s);
		break;
	case EFFECT_HURRY:
		hurry_write(s);
		break;
	case EFFECTS:
		break;
	}
}

static void feed(struct sim *s, const struct event *event)
{
	size_t i;

	s->result->events++;
	rollout_step(s->policy, &s->rollout, event, s->now_ms, &s->out);
	s->wake_ms = s->out.wake_ms;
	if (event->type == EVENT_CHECK)
		sim_count_check(s, event->slo);
	if (s->listener)
		s->listener(s, event, NULL, s->arg);
	for (i = 0; i < s->out.n_notes; i++) {
		if (s->out.note[i].type == NOTE_PHASE &&
			s->out.note[i].to == PHASE_REVERTING)
			sim_count_revert(s);
		if (s->listener)
			s->listener(s, event, &s->out.note[i], s->arg);
	}
	for (i = 0; i < s->out.n_effects; i++)
		carry_out(s, &s->out.effect[i]);
}

/* People: as many approvers as the gate needs, when the options say so. */

static void watch_gate(struct sim *s)
{
	if (!s->rollout.gate_deadline_ms ||
		s->options->approve == SIM_APPROVE_NEVER ||
		rollout_gate_is_passed(s->policy, &s->rollout))
		s->gate_ms = INT64_MAX;
	else if (s->gate_ms == INT64_MAX)
		s->gate_ms = s->now_ms +
			     (s->options->approve == SIM_APPROVE_AFTER
					     ? s->options->approve_after_ms
					     : 0);
}

static void approve(struct sim *s)
{
	const struct approval *approval =
		s->policy->steps[s->rollout.step].approval;
	struct event event = {
		.type = EVENT_COMMAND, .verb = VERB_APPROVE, .step = -1};
	size_t i;

	event.text = "simulated";
	for (i = 0; i < approval->n_approvers && s->rollout.gate_deadline_ms;
		i++) {
		event.who = approval->approvers[i];
		feed(s, &event);
	}
	s->gate_ms = INT64_MAX;
}

static void go_to(struct sim *s, int64_t at_ms)
{
	int64_t served_ms = s->serve_at_ms;

	if (at_ms <= s->now_ms && s->counted_ms == s->now_ms && !served_ms)
		return; /* many answers come at the same instant */
	/* Exposure changes when the split begins to serve, not when seen. */
	if (served_ms && served_ms < at_ms) {
		s->now_ms = served_ms > s->now_ms ? served_ms : s->now_ms;
		sim_count_exposure(s);
		service_settle(s);
	}
	if (at_ms > s->now_ms)
		s->now_ms = at_ms;
	sim_count_exposure(s);
	service_settle(s);
}

/* Faults that happen once. */

static void fault_happen(struct sim *s, const struct fault *fault)
{
	struct event resumed = {.type = EVENT_RESUMED, .who = "simulate"};

	if (fault->type == FAULT_DRIFT) {
		s->spec = s->serving = (struct split){0, 0, 100};
		s->serve_at_ms = 0;
		s->version++;
		s->generation++;
	} else if (fault->type == FAULT_CRASH) {
		s->n_queue = 0;
		sim_counters_forget(s);
		go_to(s, s->now_ms + (fault->for_ms ? fault->for_ms
						    : CRASH_MS_DEFAULT));
		feed(s, &resumed);
	}
}

/* The next thing that happens: its time, and what it is. */

enum next { NEXT_ANSWER, NEXT_FAULT, NEXT_GATE, NEXT_WAKE };

static size_t earliest(const struct sim *s)
{
	size_t i, best = 0;

	for (i = 1; i < s->n_queue; i++) {
		if (s->queue[i]->at_ms < s->queue[best]->at_ms ||
			(s->queue[i]->at_ms == s->queue[best]->at_ms &&
				s->queue[i]->order < s->queue[best]->order))
			best = i;
	}
	return best;
}

static enum next find_next(
	const struct sim *s, int64_t *at_ms_r, size_t *which_r)
{
	enum next next = NEXT_WAKE;
	size_t i, first;
	int64_t at;

	*at_ms_r = s->wake_ms;
	if (s->gate_ms < *at_ms_r) {
		*at_ms_r = s->gate_ms;
		next = NEXT_GATE;
	}
	for (i = 0; i < s->options->n_faults; i++) {
		at = s->result->start_ms + s->options->faults[i].at_ms;
		if (s->fault_done[i] || at >= *at_ms_r)
			continue;
		*at_ms_r = at;
		*which_r = i;
		next = NEXT_FAULT;
	}
	if (!s->n_queue)
		return next;
	first = earliest(s);
	if (s->queue[first]->at_ms <= *at_ms_r) {
		*which_r = first;
		*at_ms_r = s->queue[first]->at_ms;
		next = NEXT_ANSWER;
	}
	return next;
}

static void do_next(struct sim *s, enum next next, size_t which)
{
	static const struct event timer = {.type = EVENT_TIMER};

	switch (next) {
	case NEXT_ANSWER:
		s->told = exchange(s, which, s->told);
		feed(s, &s->told->event);
		break;
	case NEXT_FAULT:
		s->fault_done[which] = true;
		fault_happen(s, &s->options->faults[which]);
		break;
	case NEXT_GATE:
		approve(s);
		break;
	case NEXT_WAKE:
		feed(s, &timer);
		break;
	}
	watch_gate(s);
}

static void start(struct sim *s)
{
	struct event event = {.type = EVENT_STARTED,
		.who = "simulate",
		.seed = s->recording->seed};

	rollout_init(&s->rollout);
	s->rollout.unseen = !s->listener;
	s->now_ms = s->counted_ms = s->result->start_ms;
	s->spec = s->serving = (struct split){0, 100, 0};
	s->by_latest = false;
	s->stable_kept = false;
	s->generation = 1;
	s->gate_ms = INT64_MAX;
	s->shift_ms = s->options->shift_ms;
	if (s->shift_ms < 0)
		s->shift_ms = s->recording->shift_ms;
	if (s->shift_ms < 0)
		s->shift_ms = SHIFT_MS_DEFAULT;
	find_chains(s);
	feed(s, &event);
	watch_gate(s);
}

const char *sim_outcome(const struct sim_result *result)
{
	return phase_is_end(result->phase) ? phase_name(result->phase)
					   : "waiting";
}

/* From then on the world would have been another one. */
static bool has_stepped_back(const struct sim *s)
{
	return s->rollout.evidence && s->rollout.evidence->state.stepped_back;
}

static void finish(struct sim *s)
{
	struct sim_result *r = s->result;

	r->phase = s->rollout.phase;
	r->cause = s->rollout.cause;
	r->end_ms = s->now_ms;
	r->failed_slo = s->rollout.failed_slo;
	r->exit_status = rollout_exit_status(&s->rollout);
	memcpy(r->reason, s->rollout.reason, sizeof(r->reason));
	if (phase_is_end(r->phase))
		return;
	r->stepped_back = has_stepped_back(s);
	if (r->stepped_back)
		snprintf(r->reason, sizeof(r->reason),
			"it steps back to %d %% to ask stable: what came then "
			"was not recorded",
			s->policy->steps[0].percent);
	else
		snprintf(r->reason, sizeof(r->reason),
			"the recording ends before the decision");
}

void sim_run(const struct policy *policy, const struct recording *recording,
	const struct sim_options *options, sim_listener listener, void *arg,
	struct sim_result *result_r)
{
	struct sim_past *past =
		options->past ? NULL : sim_past_new(policy, recording);
	struct sim s;
	enum next next;
	size_t which = 0, i;
	int64_t at_ms;

	/* The queue and the lists are big and need no zeroes. */
	memset(&s, 0, offsetof(struct sim, out));
	memset(s.chain, 0, sizeof(s.chain));
	memset(s.has_outages, 0, sizeof(s.has_outages));
	memset(s.fault_done, 0, sizeof(s.fault_done));
	memset(s.streak, 0, sizeof(s.streak));
	memset(s.counters, 0, sizeof(s.counters));
	s.past = options->past ? options->past : past;
	s.served_ms = 0;
	s.policy = policy;
	s.recording = recording;
	s.options = options;
	s.listener = listener;
	s.arg = arg;
	s.result = result_r;
	s.tagged = false;
	s.serve_at_ms = 0;
	s.version = s.read_version = 0;
	s.n_queue = 0;
	s.order = 0;
	s.told = &s.place[QUEUE_MAX];
	for (i = 0; i < QUEUE_MAX; i++)
		s.queue[i] = &s.place[i];
	*result_r = (struct sim_result){.start_ms = recording->start_ms};
	start(&s);
	while (!phase_is_end(s.rollout.phase) && !has_stepped_back(&s)) {
		next = find_next(&s, &at_ms, &which);
		/* A revert under way is seen to its end. */
		if (at_ms > recording->end_ms && !result_r->revert_ms)
			break;
		go_to(&s, at_ms);
		do_next(&s, next, which);
	}
	finish(&s);
	sim_counters_free(&s);
	rollout_clear(&s.rollout);
	free(past);
}
