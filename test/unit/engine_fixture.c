/* SPDX-License-Identifier: Apache-2.0 */
/* A world small enough to see at once; see engine_fixture.h. */
#include "engine_fixture.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "status/summary.h"

#define START_MS INT64_C(1767225600000)

static void append(char *to, size_t size, const char *text)
{
	size_t len = strlen(to);

	snprintf(to + len, size - len, "%s%s", len ? " " : "", text);
}

void test_policy_init(struct test_policy *test)
{
	static const int percents[] = {10, 50, 100};
	int i;

	memset(test, 0, sizeof(*test));
	for (i = 0; i < 3; i++) {
		test->steps[i].percent = percents[i];
		test->steps[i].bake_ms = 60000;
	}
	test->slos[0] = (struct slo){.name = "error-rate",
		.query = "up",
		.has_max = true,
		.max = 0.01,
		.window_ms = 20000,
		.interval_ms = 10000,
		.timeout_ms = 5000,
		.fail_breaches = 2,
		.fail_of = 3,
		.min_passes = 3};
	test->approvers[0] = "alice";
	test->approvers[1] = "bob";
	test->approvers[2] = "carol";
	test->approval = (struct approval){.approvers = test->approvers,
		.n_approvers = 3,
		.minimum = 1,
		.timeout_ms = 600000};
	test->policy = (struct policy){.name = "test",
		.steps = test->steps,
		.n_steps = 3,
		.slos = test->slos,
		.n_slos = 1,
		.settle_ms = 10000,
		.hold_timeout_ms = 300000,
		.revert_timeout_ms = 600000};
	for (i = 0; i < ACTION_LISTS; i++)
		test->policy.lists[i].item = test->actions[i];
}

struct action *test_policy_add(
	struct test_policy *test, enum action_list list, const char *name)
{
	size_t n = test->policy.lists[list].n++;

	assert(n < 4);
	test->actions[list][n] = (struct action){.name = name,
		.kind = ACTION_EXEC,
		.timeout_ms = 30000,
		.when = WHEN_ALL};
	return &test->actions[list][n];
}

void world_init(struct world *w, const struct policy *policy)
{
	memset(w, 0, sizeof(*w));
	w->policy = policy;
	w->now_ms = w->start_ms = START_MS;
	w->spec = w->serving = (struct split){0, 100, 0};
	w->settled = true;
	w->generation = 1;
	w->candidate_is_latest = true;
	w->serve_delay_ms = 2000;
	w->wake_ms = INT64_MAX;
	rollout_init(&w->rollout);
	append(w->phases, sizeof(w->phases), "preflight");
}

void world_push(struct world *w, int64_t delay_ms, const struct event *event)
{
	assert(w->n_queue < WORLD_QUEUE_MAX);
	w->queue[w->n_queue++] =
		(struct world_event){w->now_ms + delay_ms, w->order++, *event};
}

static void service_settle(struct world *w)
{
	if (w->settled || w->now_ms < w->serve_at_ms)
		return;
	w->settled = true;
	w->serving = w->spec;
}

static void copy_traffic(const struct world *w, struct event *event)
{
	event->spec = w->spec;
	event->serving = w->serving;
	event->generation = w->generation;
	event->reconciling = event->moving = !w->settled;
	event->by_latest = w->by_latest;
	event->candidate_is_latest = w->candidate_is_latest;
	event->tagged = w->tagged;
	event->stable_kept = w->stable_kept;
	event->stable_state = w->stable_state;
}

static void fill_traffic(struct world *w, struct event *event)
{
	service_settle(w);
	w->read_version = w->version;
	copy_traffic(w, event);
}

/* It changes now, which is not known everywhere at once. */
static void keep_past(struct world *w)
{
	w->past = (struct event){.type = EVENT_TRAFFIC};
	copy_traffic(w, &w->past);
	w->past_version = w->version;
}

static void answer_read(struct world *w)
{
	struct event event = {.type = EVENT_TRAFFIC};

	w->reads++;
	if (w->read_trouble) {
		w->read_trouble -= w->read_trouble > 0;
		event = (struct event){.type = EVENT_TRAFFIC_ERROR,
			.text = "503",
			.retryable = !w->read_refused,
			.retry_after_ms = w->retry_after_ms};
	} else if (w->old_reads && w->past.generation) {
		w->old_reads--;
		event = w->past;
		w->read_version = w->past_version;
	} else {
		fill_traffic(w, &event);
		event.deployed = w->deployed;
		w->deployed = false;
	}
	world_push(w, w->latency_ms, &event);
}

static void apply_write(struct world *w, const struct effect *effect)
{
	keep_past(w);
	w->spec = (struct split){effect->percent, 100 - effect->percent, 0};
	w->by_latest = effect->by_latest;
	w->stable_kept = effect->keep_stable;
	w->generation++;
	if (effect->tag != TAG_KEEP)
		w->tagged = effect->tag == TAG_ADD;
	w->settled = false;
	w->serve_at_ms = w->now_ms + w->serve_delay_ms;
	if (effect->percent > w->highest_percent)
		w->highest_percent = effect->percent;
	if (effect->percent == 0 && !w->reverted_ms)
		w->reverted_ms = w->now_ms;
	service_settle(w);
}

static void answer_write(struct world *w, const struct effect *effect)
{
	struct event event = {.type = EVENT_WRITTEN,
		.write_attempt = effect->attempt,
		.result = WRITE_DONE};

	w->writes++;
	if (w->write_trouble) {
		w->write_trouble -= w->write_trouble > 0;
		event.result = w->write_result;
		event.text = "trouble";
		event.retry_after_ms = w->retry_after_ms;
	}
	if (w->version != w->read_version && !w->lax) {
		event.result = WRITE_CONFLICT;
		event.text = "etag";
	} else if (event.result == WRITE_FAILED) {
		/* What is asked for has changed, what serves has not. */
		w->spec = (struct split){
			effect->percent, 100 - effect->percent, 0};
		w->generation++;
		if (effect->percent > w->highest_percent)
			w->highest_percent = effect->percent;
	} else if (event.result == WRITE_DONE || w->write_applies) {
		apply_write(w, effect);
		event.generation =
			event.result == WRITE_DONE ? w->generation : 0;
	}
	world_push(w, w->latency_ms, &event);
}

static void answer_ask(struct world *w, int slo)
{
	struct event event = {.type = EVENT_CHECK, .slo = slo};
	int64_t latency_ms = w->latency_ms,
		most = w->policy->slos[slo].timeout_ms;

	w->asks++;
	event.answers.item[QUERY_VALUE] = (struct answer){ANSWER_VALUE, 0};
	if (w->answer)
		event.answers = w->answer(w, slo);
	if (!w->breach_ms &&
		event.answers.item[QUERY_VALUE].kind == ANSWER_VALUE &&
		event.answers.item[QUERY_VALUE].value >
			w->policy->slos[slo].max)
		w->breach_ms = w->now_ms;
	if (latency_ms > most) {
		latency_ms = most;
		event.answers.item[QUERY_VALUE].kind = ANSWER_ERROR;
	}
	world_push(w, latency_ms, &event);
}

static void answer_act(struct world *w, const struct effect *effect)
{
	const struct action *action =
		&w->policy->lists[effect->list].item[effect->index];
	struct event event = {.type = EVENT_ACTION,
		.list = effect->list,
		.index = effect->index,
		.attempt = effect->attempt,
		.action_result = ACTION_OK};

	append(w->actions, sizeof(w->actions), action->name);
	if (w->action)
		event.action_result = w->action(
			w, effect->list, effect->index, effect->attempt);
	world_push(w,
		w->latency_ms + 1 +
			(effect->list == LIST_LOAD ? w->load_ms : 0),
		&event);
}

static void drop_actions(struct world *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n_queue; i++) {
		if (w->queue[i].event.type != EVENT_ACTION)
			w->queue[n++] = w->queue[i];
	}
	w->n_queue = n;
}

/* No step up is written, and nothing is begun, before the journal has it. True:
 * the effect is not carried out now. */
static bool waits_for_store(struct world *w, const struct effect *effect)
{
	struct event busy = {.type = EVENT_WRITTEN,
		.write_attempt = effect->attempt,
		.result = WRITE_BUSY,
		.text = "the journal cannot be written"};

	if (!w->store_fails)
		return false;
	switch (effect->type) {
	case EFFECT_WRITE:
		if (effect->percent == 0 && w->rollout.phase == PHASE_REVERTING)
			return false;
		world_push(w, 0, &busy);
		return true;
	case EFFECT_PREFLIGHT:
	case EFFECT_ACTION:
		assert(w->n_kept < ROLLOUT_EFFECTS_MAX);
		w->kept[w->n_kept++] = *effect;
		return true;
	case EFFECT_CANCEL:
		w->n_kept = 0;
		return false;
	default:
		return false;
	}
}

static void carry_out(struct world *w, const struct effect *effect)
{
	struct event event = {.type = EVENT_PREFLIGHT, .ok = true};

	if (waits_for_store(w, effect))
		return;
	switch (effect->type) {
	case EFFECT_PREFLIGHT:
		/* As the rules of live's preflight are. */
		event.ok = !w->version;
		event.text = event.ok ? NULL : "somebody changed the traffic";
		event.histories = w->histories;
		event.n_histories = w->n_histories;
		fill_traffic(w, &event);
		world_push(w, w->latency_ms, &event);
		break;
	case EFFECT_READ:
		answer_read(w);
		break;
	case EFFECT_WRITE:
		answer_write(w, effect);
		break;
	case EFFECT_CHECK:
		answer_ask(w, effect->slo);
		break;
	case EFFECT_ACTION:
		answer_act(w, effect);
		break;
	case EFFECT_CANCEL:
		drop_actions(w);
		break;
	case EFFECT_HURRY:
	case EFFECTS:
		break;
	}
}

void world_feed(struct world *w, const struct event *event)
{
	static struct outcome_list out;
	size_t i;

	rollout_step(w->policy, &w->rollout, event, w->now_ms, &out);
	if (w->fed)
		w->fed(w, event, &out);
	w->wake_ms = out.wake_ms;
	w->refused = out.refused;
	snprintf(w->refusal, sizeof(w->refusal), "%s",
		out.refused ? out.refusal : "");
	for (i = 0; i < out.n_notes; i++) {
		append(w->notes, sizeof(w->notes), note_name(out.note[i].type));
		if (out.note[i].type == NOTE_PHASE)
			append(w->phases, sizeof(w->phases),
				phase_name(out.note[i].to));
	}
	if (w->watch)
		w->watch(w, event, &out);
	for (i = 0; i < out.n_effects; i++)
		carry_out(w, &out.effect[i]);
}

void world_drift(struct world *w, struct split split)
{
	keep_past(w);
	w->spec = w->serving = split;
	w->by_latest = false;
	w->settled = true;
	w->version++;
	w->generation++;
}

void world_start(struct world *w)
{
	struct event event = {
		.type = EVENT_STARTED, .who = "alice", .seed = 42};

	world_feed(w, &event);
}

void world_undo(struct world *w)
{
	struct event event = {.type = EVENT_STARTED,
		.who = "alice",
		.seed = 42,
		.undo = true,
		.text = "rolled back by alice"};

	world_feed(w, &event);
}

void world_command(struct world *w, enum verb verb, const char *who)
{
	struct event event = {.type = EVENT_COMMAND,
		.verb = verb,
		.who = who,
		.text = "",
		.step = -1};

	world_feed(w, &event);
}

/* The earliest event; at the same time, in the order they were pushed. */
static size_t next_event(const struct world *w)
{
	size_t i, best = 0;

	for (i = 1; i < w->n_queue; i++) {
		if (w->queue[i].at_ms < w->queue[best].at_ms ||
			(w->queue[i].at_ms == w->queue[best].at_ms &&
				w->queue[i].order < w->queue[best].order))
			best = i;
	}
	return best;
}

static void deliver(struct world *w, size_t i)
{
	struct event event = w->queue[i].event;

	if (w->now_ms < w->queue[i].at_ms)
		w->now_ms = w->queue[i].at_ms;
	w->queue[i] = w->queue[--w->n_queue];
	world_feed(w, &event);
}

void world_run(struct world *w, int64_t for_ms)
{
	struct event timer = {.type = EVENT_TIMER};
	int64_t until_ms = w->now_ms + for_ms;
	size_t i;

	while (!phase_is_end(w->rollout.phase)) {
		i = next_event(w);
		if (w->n_queue && w->queue[i].at_ms <= w->wake_ms) {
			if (w->queue[i].at_ms > until_ms)
				break;
			deliver(w, i);
		} else if (w->wake_ms <= until_ms) {
			if (w->now_ms < w->wake_ms)
				w->now_ms = w->wake_ms;
			world_feed(w, &timer);
		} else {
			break;
		}
	}
	if (!phase_is_end(w->rollout.phase))
		w->now_ms = until_ms;
}

void world_sleep(struct world *w, int64_t for_ms)
{
	w->now_ms += for_ms;
}

void world_store(struct world *w, bool fails)
{
	struct effect kept[ROLLOUT_EFFECTS_MAX];
	size_t n = w->n_kept;

	if (fails && !w->store_fails)
		w->durable = w->rollout;
	w->store_fails = fails;
	if (fails)
		return;
	memcpy(kept, w->kept, sizeof(kept));
	w->n_kept = 0;
	for (size_t i = 0; i < n; i++)
		carry_out(w, &kept[i]);
}

void world_crash_and_step(struct world *w, int64_t away_ms, int64_t by_ms)
{
	struct event event = {.type = EVENT_RESUMED};
	int64_t passed_ms = away_ms + by_ms > 0 ? away_ms + by_ms : 0;

	if (w->store_fails)
		w->rollout = w->durable;
	w->store_fails = false;
	w->n_kept = 0;
	w->n_queue = 0;
	w->now_ms += passed_ms;
	/* The service does not look at our clock. */
	w->serve_at_ms += passed_ms - away_ms;
	world_feed(w, &event);
}

void world_crash(struct world *w, int64_t away_ms)
{
	world_crash_and_step(w, away_ms, 0);
}

const struct summary *world_summary(const struct world *w, struct arena *arena)
{
	struct summary_source source = {
		.policy = w->policy,
		.rollout = &w->rollout,
		.id = "backend-1",
		.service = "backend",
		.candidate = "b2",
		.stable = "b1",
		.starter = "alice",
		.started_ms = w->start_ms,
		.now_ms = w->now_ms,
	};

	return summary_make(&source, arena);
}
