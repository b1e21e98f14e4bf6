/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rollouts in a random, hostile world: after every step of the engine
 * the promises hold, and when the trouble stops, the rollout ends. A failure
 * prints its seed; `random_rollouts_test SEED` plays that one again, with its
 * events shown. What the engine says of some is pinned, too: see told.h.
 *
 * The promises are checked against this file's own books, not the engine's.
 */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "told.h"

#define ROLLOUTS_DEFAULT 100000
#define ROLLOUTS_TOLD    2000 /* what the engine says of them is pinned */
#define TURNS_MAX        60 /* of trouble, each up to two minutes */
#define MINUTE           INT64_C(60000)
#define DAY              (24 * 60 * MINUTE)

/* What the test itself knows. */
struct books {
	struct rng rng;
	uint64_t seed;
	bool show;
	struct test_policy test;
	bool calm; /* the trouble is over */
	bool drifted; /* somebody else has written */
	int step; /* the last one that began to bake */
	int64_t bake_ms; /* when its settle is over */
	int bake_step; /* whose bake that is */
	int64_t exposed_ms; /* when the candidate may have got users; 0 */
	int64_t covered_ms[2], lost_ms[2]; /* of the bake */
	int64_t held_ms; /* when the hold began; 0: not held */
	int64_t asked_ms[2]; /* 0: no answer is awaited */
	int64_t heard_ms[2]; /* when the latest answer was asked for */
	int64_t answered_ms[2];
	int passes[2];
	bool good[2]; /* the latest answer was a pass */
	uint64_t window[2];
	int approved; /* accepted for the gate that is open */
	bool read_since_write;
	bool looked; /* at stable, before the service was read last */
	bool stopped, must_revert;
	int started[ACTION_LISTS][4]; /* times an action was started */
	int highest; /* percent this rollout may give at the most by now */
	bool undone; /* it was started to go back */
	int regime[2]; /* how an SLO's answers are drawn */
};

static struct world world;
static struct books books;
static struct books durable; /* as they were when the store began to fail */
static struct buf *told; /* NULL: nobody listens */

static void fail(const char *fmt, ...) PRINTFLIKE(1, 2);

static void fail(const char *fmt, ...)
{
	va_list args;

	printf("broken promise: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n  phase %s step %d cause %s reason \"%s\"\n",
		phase_name(world.rollout.phase), world.rollout.step,
		cause_name(world.rollout.cause), world.rollout.reason);
	printf("  phases: %s\n", world.phases);
	printf("  replay: test/sim/random_rollouts_test %" PRIu64 "\n",
		books.seed);
	exit(1);
}

/* An assertion of the engine is a broken promise too. */
static void on_abort(int signo)
{
	fail("an assertion of the engine failed");
}

static bool chance(int percent)
{
	return rng_below(&books.rng, 100) < (uint64_t)percent;
}

static int pick(int n)
{
	return (int)rng_below(&books.rng, (uint64_t)n);
}

/* One that is stopping has left the traffic to others. */
static bool is_over(const struct rollout *r)
{
	return r->phase == PHASE_REVERTING || r->phase == PHASE_ROLLING_BACK ||
	       r->stopping || phase_is_end(r->phase);
}

/* The policy. */

static void random_slo(struct slo *slo, const char *name)
{
	*slo = (struct slo){.name = name,
		.query = "q",
		.interval_ms = (1 + pick(30)) * 1000,
		.window_ms = 60000,
		.fail_of = 1 + pick(5),
		.min_passes = 1 + pick(4),
		.no_data = (enum no_data)pick(3)};
	slo->timeout_ms = slo->interval_ms - 1; /* what the loader allows */
	slo->fail_breaches = 1 + pick(slo->fail_of);
	slo->has_max = true;
	slo->max = 1;
	slo->has_critical = chance(40);
	slo->critical = 10;
	if (chance(30)) {
		slo->compare_stable = true;
		slo->has_max_ratio = true;
		slo->max_ratio = 2;
	}
	if (chance(30)) {
		slo->requests = "r";
		slo->requests_min = 10;
	}
	if (chance(20)) { /* what is too low is bad, and nothing too high */
		slo->has_max = false;
		slo->has_min = true;
		slo->min = 0.05;
		slo->critical = 0.01;
	}
	if (slo->compare_stable && chance(50)) {
		slo->has_max_increase = true;
		slo->max_increase = 0.2;
		slo->has_max_ratio = chance(50);
	}
	slo->no_baseline = (enum no_baseline)pick(2);
}

static void random_actions(struct test_policy *test)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct action *action;
	int list, i, n;

	for (list = 0; list < LIST_LOAD; list++) {
		n = chance(50) ? 0 : pick(4);
		for (i = 0; i < n; i++) {
			action = test_policy_add(
				test, (enum action_list)list, names[i]);
			action->retries = pick(3);
			action->stop_on_failure = chance(30);
			action->idempotent = chance(50);
			action->when = (unsigned)pick(WHEN_ALL + 1);
		}
	}
}

/* By draws of their own, and in none that is told: those have no loads. */
static void random_loads(struct test_policy *test)
{
	static const char *const names[] = {"x", "y", "z"};
	struct action *action;
	struct rng rng;

	rng_init(&rng, books.seed ^ 0x10ad);
	for (int i = 0; i < 3; i++) {
		if (told || rng_below(&rng, 3))
			continue;
		action = test_policy_add(test, LIST_LOAD, names[i]);
		action->retries = (int)rng_below(&rng, 2);
		action->stop_on_failure = rng_below(&rng, 2);
		action->idempotent = rng_below(&rng, 2);
		test->steps[i].load = (int)test->policy.lists[LIST_LOAD].n;
	}
}

static void random_policy(struct test_policy *test)
{
	static const int percents[] = {0, 10};
	int i;

	test_policy_init(test);
	test->policy.n_slos = 1 + (size_t)pick(2);
	random_slo(&test->slos[0], "one");
	random_slo(&test->slos[1], "two");
	test->steps[0].percent = percents[pick(2)];
	for (i = 0; i < 3; i++) {
		test->steps[i].bake_ms = pick(4) * 30000;
		if (chance(25))
			test->steps[i].approval = &test->approval;
	}
	test->approval.minimum = 1 + pick(2);
	test->approval.self_approval = chance(20);
	test->policy.settle_ms = pick(3) * 10000;
	test->policy.on_breach = (enum on_breach)pick(3);
	test->policy.on_undecided = (enum on_undecided)pick(2);
	test->policy.on_drift = (enum on_drift)pick(2);
	test->policy.finish = (enum finish)pick(3);
	test->policy.tag = chance(40) ? "candidate" : NULL;
	random_actions(test);
	random_loads(test);
}

/* The world's answers. */

static struct answer random_answer(int regime)
{
	double v = rng_unit(&books.rng);

	if (books.calm)
		return (struct answer){ANSWER_VALUE, 0.1};
	switch (chance(70) ? regime : pick(6)) {
	case 0:
	case 1:
		return (struct answer){ANSWER_VALUE, v};
	case 2:
		return (struct answer){ANSWER_VALUE, 1 + v * 12};
	case 3:
		return (struct answer){ANSWER_NO_DATA, 0};
	case 4:
		return (struct answer){ANSWER_ERROR, 0};
	default:
		return (struct answer){ANSWER_VALUE, chance(50)   ? INFINITY
						     : chance(50) ? (double)NAN
								  : -INFINITY};
	}
}

static struct answers answer_slo(struct world *w, int slo)
{
	const struct slo *s = &w->policy->slos[slo];
	struct answers answers = {
		.item[QUERY_VALUE] = random_answer(books.regime[slo])};

	if (s->compare_stable)
		answers.item[QUERY_BASELINE] = (struct answer){ANSWER_VALUE,
			books.calm ? 0.1 : rng_unit(&books.rng) * 2 - 0.2};
	if (s->requests)
		answers.item[QUERY_REQUESTS] = (struct answer){
			ANSWER_VALUE, books.calm ? 100 : pick(60)};
	return answers;
}

static enum action_result end_action(
	struct world *w, enum action_list list, int index, int attempt)
{
	return books.calm || chance(70) ? ACTION_OK : ACTION_FAILED;
}

/* The books: they follow from events and effects alone. */

/* What lies between two answers too far apart was not watched. */
static void note_covered(int slo, int64_t asked_ms)
{
	if (asked_ms < books.covered_ms[slo])
		return;
	if (asked_ms - books.covered_ms[slo] >
		2 * books.test.slos[slo].interval_ms)
		books.lost_ms[slo] += asked_ms - books.covered_ms[slo];
	books.covered_ms[slo] = asked_ms;
}

static void note_check(const struct event *event, const struct judgement *j)
{
	const struct slo *slo = &books.test.slos[event->slo];
	bool pass = j->outcome == OUTCOME_PASS, breach = !pass;
	int64_t asked_ms = books.asked_ms[event->slo];
	bool settling = asked_ms < world.rollout.settle_ms;

	books.asked_ms[event->slo] = 0;
	books.heard_ms[event->slo] = asked_ms;
	books.answered_ms[event->slo] = world.now_ms;
	books.good[event->slo] = false;
	if (j->outcome == OUTCOME_ERROR)
		return;
	note_covered(event->slo, asked_ms);
	if (j->outcome == OUTCOME_NO_DATA) {
		if (slo->no_data == NO_DATA_WAIT)
			return;
		pass = slo->no_data == NO_DATA_PASS;
		breach = !pass;
	}
	if (settling) { /* only what is critical counts */
		if (j->critical && j->outcome == OUTCOME_BREACH &&
			books.test.policy.on_breach == ON_BREACH_ROLLBACK)
			books.must_revert = true;
		return;
	}
	books.window[event->slo] = (books.window[event->slo] << 1 | breach) &
				   ((UINT64_C(1) << slo->fail_of) - 1);
	if (books.test.policy.on_breach == ON_BREACH_OBSERVE && breach)
		pass = true;
	/* What was asked before a standstill says nothing about now. */
	if (world.now_ms - asked_ms > 2 * slo->interval_ms)
		pass = false;
	books.good[event->slo] = pass;
	if (pass && asked_ms >= books.bake_ms)
		books.passes[event->slo]++;
	if (books.test.policy.on_breach == ON_BREACH_ROLLBACK && breach &&
		(j->critical ||
			__builtin_popcountll(books.window[event->slo]) >=
				slo->fail_breaches))
		books.must_revert = true;
}

static void promise_evidence_is_good(void)
{
	size_t i;

	for (i = 0; i < books.test.policy.n_slos; i++) {
		if (books.passes[i] < books.test.slos[i].min_passes)
			fail("step %d was left with %d passes of \"%s\"",
				books.step, books.passes[i],
				books.test.slos[i].name);
		if (!books.good[i])
			fail("step %d was left while \"%s\" did not pass",
				books.step, books.test.slos[i].name);
	}
}

static void promise_step_was_earned(void)
{
	const struct step *step = &books.test.steps[books.step];
	int64_t over_ms = books.bake_ms + step->bake_ms, due_ms;
	size_t i;

	for (i = 0; i < books.test.policy.n_slos; i++)
		if (world.now_ms < over_ms + books.lost_ms[i])
			fail("step %d was left before its bake was over",
				books.step);
	for (i = 0; i < books.test.policy.n_slos; i++) {
		due_ms = books.heard_ms[i] + books.test.slos[i].interval_ms;
		if (books.asked_ms[i])
			due_ms = books.asked_ms[i];
		if (due_ms <= over_ms)
			fail("step %d was left before \"%s\" was heard",
				books.step, books.test.slos[i].name);
	}
	promise_evidence_is_good();
}

static void promise_gate_was_passed(int step)
{
	if (books.test.steps[step].approval &&
		books.approved < books.test.approval.minimum)
		fail("step %d went ahead with %d approvals", step,
			books.approved);
}

static void note_phase(const struct note *note)
{
	int step = world.rollout.step;
	int n_steps = (int)books.test.policy.n_steps;

	if (note->to == PHASE_BAKING && note->from == PHASE_SHIFTING) {
		books.step = step;
	}
	if (note->from == PHASE_BAKING &&
		(note->to == PHASE_SHIFTING ||
			note->to == PHASE_AWAITING_APPROVAL))
		promise_step_was_earned();
	if (note->from == PHASE_AWAITING_APPROVAL &&
		note->to == PHASE_SHIFTING && step > 0)
		promise_evidence_is_good();
	books.held_ms = note->to == PHASE_HELD ? world.now_ms : 0;
	if (note->to == PHASE_AWAITING_APPROVAL && note->from != PHASE_HELD &&
		note->from != PHASE_PAUSED)
		books.approved = 0;
	if (note->to == PHASE_SHIFTING && step < n_steps)
		promise_gate_was_passed(step);
	if (note->to == PHASE_SHIFTING)
		books.highest =
			step < n_steps ? books.test.steps[step].percent : 100;
	if (note->to == PHASE_PROMOTED && books.step != n_steps - 1)
		fail("promoted after step %d", books.step);
	if (books.undone && note->to != PHASE_ROLLING_BACK &&
		!is_over(&world.rollout))
		fail("an undo went to %s", phase_name(note->to));
	if (note->to == PHASE_STOPPED)
		books.stopped = true;
}

static void promise_raise(const struct effect *effect)
{
	const char *why = may_raise(world.policy, &world.rollout, world.now_ms);

	if (why)
		fail("%d %% were written although: %s", effect->percent, why);
	if (!books.looked)
		fail("%d %% were written, and stable was not looked at",
			effect->percent);
}

static void promise_write(const struct effect *effect)
{
	if (!books.read_since_write)
		fail("a write without a read before it");
	if (books.stopped || world.rollout.stopping)
		fail("a write after the stop");
	if (effect->percent > world.rollout.traffic.spec.candidate ||
		effect->percent > world.rollout.traffic.serving.candidate)
		promise_raise(effect);
	if (effect->percent > 0 && !books.exposed_ms)
		books.exposed_ms = world.now_ms;
	if (effect->percent > books.highest)
		fail("%d %% were written where %d %% are allowed",
			effect->percent, books.highest);
	if (world.rollout.traffic.spec.other && !effect->reassert)
		fail("traffic was taken from what others put in charge");
	if (effect->reassert && is_over(&world.rollout) &&
		world.rollout.traffic.spec.other)
		fail("a revert took traffic from others");
	if (effect->by_latest && !world.rollout.traffic.candidate_is_latest)
		fail("LATEST was given traffic that is not the candidate's");
	books.read_since_write = false;
}

static void promise_act(const struct effect *effect)
{
	const struct action *action =
		&books.test.policy.lists[effect->list].item[effect->index];
	int *times = &books.started[effect->list][effect->index];

	if (effect->attempt == 1)
		++*times;
	if (effect->list == LIST_ROLLBACK && world.spec.candidate &&
		!books.drifted)
		fail("a rollback action before the revert");
	if (effect->list != LIST_STEP_PASSED && !action->idempotent &&
		*times > 1)
		fail("an action that is not idempotent was started twice");
}

static void watch_effects(struct world *w, const struct outcome_list *out)
{
	size_t i;

	for (i = 0; i < out->n_effects; i++) {
		switch (out->effect[i].type) {
		case EFFECT_WRITE:
			promise_write(&out->effect[i]);
			break;
		case EFFECT_READ:
			books.looked = out->effect[i].stable_first;
			break;
		case EFFECT_ACTION:
			promise_act(&out->effect[i]);
			break;
		case EFFECT_CHECK:
			books.asked_ms[out->effect[i].slo] = w->now_ms;
			break;
		default:
			break;
		}
	}
}

static void show(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	char text[CHECK_TEXT_MAX];
	size_t i;

	printf("%9.1fs %-13s %-17s step %d spec %d/%d/%d%s%s\n",
		(double)(w->now_ms - w->start_ms) / 1000,
		event_name(event->type), phase_name(w->rollout.phase),
		w->rollout.step, w->spec.candidate, w->spec.stable,
		w->spec.other, out->refused ? " refused" : "",
		event->type == EVENT_CHECK
			? judgement_print(&w->policy->slos[event->slo],
				  &out->judgement, text)
			: "");
	for (i = 0; i < out->n_effects; i++)
		printf("%40s -> %s %d\n", "", effect_name(out->effect[i].type),
			out->effect[i].percent);
	for (i = 0; i < out->n_notes; i++)
		printf("%40s    %s: %s\n", "", note_name(out->note[i].type),
			out->note[i].text);
}

/* The bake of a step begins where its settle ends. */
static void note_bake(void)
{
	int64_t bake_ms = world.rollout.bake_from_ms;
	size_t i;

	if (!bake_ms || bake_ms == books.bake_ms)
		return;
	books.bake_ms = bake_ms;
	for (i = 0; i < 2; i++) {
		books.covered_ms[i] = bake_ms;
		books.lost_ms[i] = 0;
		if (world.rollout.step != books.bake_step)
			books.passes[i] = 0;
	}
	books.bake_step = world.rollout.step;
}

/* Each SLO is asked, or will be when its interval is over. */
static void promise_somebody_watches(struct world *w)
{
	int64_t due_ms;
	size_t i;

	if (!books.exposed_ms || is_over(&w->rollout))
		return;
	for (i = 0; i < books.test.policy.n_slos; i++) {
		due_ms = books.answered_ms[i] > books.exposed_ms
				 ? books.answered_ms[i]
				 : books.exposed_ms;
		due_ms += books.test.slos[i].interval_ms;
		if (!books.asked_ms[i] && w->wake_ms > due_ms)
			fail("\"%s\" is not asked any more",
				books.test.slos[i].name);
	}
}

/* No step is passed before its load is over, and none goes on when the release
 * is taken back or over. */
static void promise_loads(const struct world *w, const struct outcome_list *out)
{
	const struct rollout *r = &w->rollout;
	int step;

	if (r->sequence.active && r->sequence.list == LIST_LOAD && is_over(r))
		fail("a load goes on though the rollout is over");
	for (size_t i = 0; i < out->n_notes; i++) {
		step = out->note[i].step;
		if (out->note[i].type == NOTE_STEP_PASSED &&
			books.test.steps[step].load &&
			!(r->loads_over >> step & 1))
			fail("step %d is passed without its load", step);
	}
}

static void watch(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	size_t i;

	if (books.show)
		show(w, event, out);
	if (told)
		told_add(told, w, event, out);
	note_bake();
	promise_loads(w, out);
	if (event->type == EVENT_TRAFFIC || event->type == EVENT_PREFLIGHT)
		books.read_since_write = true;
	/* What was not done leaves what was read as it is. */
	if (event->type == EVENT_WRITTEN &&
		(event->result == WRITE_BUSY ||
			event->result == WRITE_REJECTED))
		books.read_since_write = true;
	if (event->type == EVENT_RESUMED)
		memset(books.asked_ms, 0, sizeof(books.asked_ms));
	if (event->type == EVENT_CHECK && event->slo >= 0 && event->slo < 2 &&
		books.asked_ms[event->slo])
		note_check(event, &out->judgement);
	if (event->type == EVENT_COMMAND && event->verb == VERB_APPROVE &&
		!out->refused)
		books.approved++;
	for (i = 0; i < out->n_notes; i++) {
		if (out->note[i].type == NOTE_PHASE)
			note_phase(&out->note[i]);
	}
	watch_effects(w, out);
	if (books.must_revert && !is_over(&w->rollout))
		fail("a breach did not revert");
	if (books.held_ms && !w->rollout.resuming && !is_over(&w->rollout) &&
		w->now_ms > books.held_ms + books.test.policy.hold_timeout_ms)
		fail("a hold lasts longer than hold_timeout");
	promise_somebody_watches(w);
	if (!phase_is_end(w->rollout.phase) && w->wake_ms == INT64_MAX &&
		!w->n_queue && !w->n_kept && !out->n_effects &&
		w->rollout.phase != PHASE_PAUSED)
		fail("nothing is out and nothing will wake it");
}

/* The trouble. */

static void random_command(void)
{
	static const char *const people[] = {
		"alice", "bob", "carol", "mallory", ""};
	struct event event = {.type = EVENT_COMMAND,
		.verb = (enum verb)pick(VERBS),
		.who = people[pick(5)],
		.text = chance(50) ? "because" : "",
		.step = chance(80) ? -1 : pick(5)};

	if (event.verb == VERB_ABORT && chance(70))
		return;
	world_feed(&world, &event);
}

/* Something that nobody asked for. */
static void stray_event(void)
{
	static const enum event_type types[] = {EVENT_TRAFFIC_ERROR,
		EVENT_WRITTEN, EVENT_CHECK, EVENT_ACTION, EVENT_TIMER,
		EVENT_PREFLIGHT, EVENT_STARTED};
	struct event event = {.type = types[pick(7)],
		.who = "mallory",
		.text = "stray",
		.slo = pick(5) - 1,
		.list = (enum action_list)pick(LIST_LOAD),
		.index = pick(5),
		.attempt = pick(3),
		.result = (enum write_result)pick(WRITE_RESULTS),
		.action_result = (enum action_result)pick(ACTION_RESULTS),
		.clock_set = !books.asked_ms[0] && !books.asked_ms[1]};

	/* The driver never answers for effects that are out by itself. */
	if ((event.type == EVENT_WRITTEN &&
		    world.rollout.traffic.write.out_ms) ||
		(event.type == EVENT_TRAFFIC_ERROR &&
			world.rollout.traffic.read.out_ms) ||
		(event.type == EVENT_CHECK && event.slo >= 0 && event.slo < 2 &&
			books.asked_ms[event.slo]) ||
		(event.type == EVENT_ACTION &&
			world.rollout.sequence.running) ||
		(event.type == EVENT_PREFLIGHT && !world.rollout.looked))
		return;
	world_feed(&world, &event);
}

static void random_drift(void)
{
	struct split split = {pick(101), 0, 0};

	if (chance(50))
		split.other = pick(101 - split.candidate);
	split.stable = 100 - split.candidate - split.other;
	books.drifted = true;
	world_drift(&world, split);
}

/* A journal that cannot be written for long is one more reason to go back. */
static void store_trouble(void)
{
	struct event interrupt = {.type = EVENT_INTERRUPT,
		.text = "a journal that cannot be written"};

	if (!world.store_fails) {
		durable = books;
		world_store(&world, true);
	} else if (chance(50)) {
		world_store(&world, false);
	} else if (world.rollout.moved && !is_over(&world.rollout) &&
		   world.rollout.step < (int)books.test.policy.n_steps) {
		world_feed(&world, &interrupt);
	}
}

/* What is not in the journal is not known to the next process, but happened. */
static void forget_undurable(void)
{
	struct books now = books;

	if (!world.store_fails)
		return;
	books = durable;
	books.rng = now.rng;
	books.drifted = now.drifted;
	memcpy(books.regime, now.regime, sizeof(now.regime));
}

static void crash_trouble(void)
{
	int64_t away_ms = pick(600000), by_ms = 0;

	if (chance(20))
		by_ms = (chance(50) ? 1 : -1) * (int64_t)pick(7200000);
	forget_undurable();
	world_crash_and_step(&world, away_ms, by_ms);
}

static void random_trouble(void)
{
	struct event interrupt = {.type = EVENT_INTERRUPT, .text = "SIGTERM"};

	switch (pick(26)) {
	case 25:
		store_trouble();
		break;
	case 24:
		world_sleep(&world, pick(600000));
		break;
	case 0:
		world.read_trouble = pick(5);
		break;
	case 1:
		world.write_result = (enum write_result)pick(WRITE_RESULTS);
		world.write_trouble = pick(4);
		world.write_applies =
			world.write_result == WRITE_UNKNOWN && chance(50);
		break;
	case 2:
		world.latency_ms = pick(20000);
		break;
	case 3:
		world.serve_delay_ms = pick(60000);
		break;
	case 4:
		crash_trouble();
		break;
	case 5:
		if (chance(15))
			random_drift();
		break;
	case 6:
		if (chance(15))
			world_feed(&world, &interrupt);
		break;
	case 7:
		world.candidate_is_latest = chance(50);
		break;
	case 8:
		world.stable_state = chance(80) ? STABLE_READY : STABLE_GONE;
		break;
	case 9:
	case 10:
		stray_event();
		break;
	case 11:
		books.regime[pick(2)] = pick(5);
		break;
	default:
		random_command();
		break;
	}
}

/* No trouble any more: then it ends, one way or the other. */
static void calm_down(void)
{
	int turn;

	books.calm = true;
	world.read_trouble = world.write_trouble = 0;
	world.stable_state = STABLE_READY;
	world_store(&world, false);
	for (turn = 0; turn < 8 && !phase_is_end(world.rollout.phase); turn++) {
		if (world.rollout.phase == PHASE_PAUSED ||
			world.rollout.pause_wanted)
			world_command(&world, VERB_CONTINUE, "bob");
		world_run(&world, DAY);
	}
	if (!phase_is_end(world.rollout.phase))
		fail("the trouble is over, but it does not end");
	if (world.spec.candidate + world.spec.stable + world.spec.other != 100)
		fail("the percents do not sum to 100");
	if (world.rollout.phase == PHASE_ROLLED_BACK && !books.drifted &&
		world.spec.stable != 100)
		fail("rolled back, but stable does not hold 100 %%");
	if (world.rollout.phase == PHASE_REFUSED && !books.drifted &&
		world.spec.stable != 100)
		fail("refused, but something moved");
}

/* What a rollout may have left. */
static struct split random_own_split(void)
{
	int percent = chance(50) ? 100 : pick(101);

	return (struct split){percent, 100 - percent, 0};
}

static void play(uint64_t seed, bool show_it)
{
	int turns;

	memset(&books, 0, sizeof(books));
	books.bake_step = -1;
	books.seed = seed;
	books.show = show_it;
	rng_init(&books.rng, seed);
	random_policy(&books.test);
	world_init(&world, &books.test.policy);
	world.watch = watch;
	world.answer = answer_slo;
	world.action = end_action;
	world.by_latest = chance(30);
	world.tagged = chance(20);
	world.candidate_is_latest = chance(80);
	world.lax = chance(30);
	world.load_ms = (int64_t)(books.seed % 5) * 40000;
	books.regime[0] = pick(5);
	books.regime[1] = pick(2);
	if (chance(10)) {
		world.spec = world.serving = random_own_split();
		world_undo(&world);
		books.undone = true;
	} else {
		world_start(&world);
	}
	for (turns = pick(TURNS_MAX); turns > 0; turns--) {
		if (phase_is_end(world.rollout.phase))
			break;
		random_trouble();
		world_run(&world, pick(2 * (int)MINUTE));
	}
	calm_down();
}

static void tell(uint64_t seed, struct buf *told_r)
{
	told = told_r;
	play(seed, false);
	told = NULL;
}

int main(int argc, char **argv)
{
	long i, n = ROLLOUTS_DEFAULT;
	int ends[PHASES] = {0};
	uint64_t first = 1;

	signal(SIGABRT, on_abort);
	if (argc == 2) {
		play(strtoull(argv[1], NULL, 10), true);
		return 0;
	}
	if (!told_compare("rollouts", ROLLOUTS_TOLD, tell))
		return 1;
	if (getenv("TIDEGATE_SIM_ROLLOUTS"))
		n = strtol(getenv("TIDEGATE_SIM_ROLLOUTS"), NULL, 10);
	if (getenv("TIDEGATE_SIM_SEED"))
		first = strtoull(getenv("TIDEGATE_SIM_SEED"), NULL, 10);
	printf("%ld random rollouts, seeds %" PRIu64 " to %" PRIu64 "\n", n,
		first, first + (uint64_t)n - 1);
	for (i = 0; i < n; i++) {
		play(first + (uint64_t)i, false);
		ends[world.rollout.phase]++;
	}
	for (i = 0; i < PHASES; i++) {
		if (phase_is_end((enum phase)i))
			printf("  %-16s %d\n", phase_name((enum phase)i),
				ends[i]);
	}
	return 0;
}
