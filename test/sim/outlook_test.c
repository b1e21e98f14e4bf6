/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people are told comes next does come, at the time that they were told:
 * random rollouts are looked at in random moments, and then go on without
 * anybody interfering, either with what they wait for or without it. A failure
 * prints its seed; `outlook_test SEED` plays that one again.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"
#include "status/summary.h"

#define ROLLOUTS_DEFAULT 20000
#define LOOKS            6 /* at one rollout */
#define MINUTE           INT64_C(60000)
#define HOUR             (60 * MINUTE)

/* How an SLO is answered; without data a candidate that is counted is silent.
 * IDLE: there are no requests to count. */
enum regime { PASSES, BREACHES, NOTHING, TROUBLE, REGIMES, IDLE };

#define REQUESTS 20000 /* of an arm, in each check that counts some */

static struct test_policy test;
static struct world world;
static struct rng rng;
static uint64_t seed;
static enum regime regime[2];
static struct arena arena;

/* The first change of phase since the last look. */
static enum phase changed_to, changed_last; /* of one turn */
static enum cause changed_by;
static int64_t changed_ms; /* 0: none */

static size_t checked[OUTLOOK_LAST_LOOK + 1], failures, steps_back;

static int pick(int n)
{
	return (int)rng_below(&rng, (uint64_t)n);
}

static bool chance(int percent)
{
	return pick(100) < percent;
}

static void fail(const struct summary *s, const char *fmt, ...)
	PRINTFLIKE(2, 3);

static void fail(const struct summary *s, const char *fmt, ...)
{
	va_list args;

	printf("not as it was told: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n  told at %" PRId64 " ms, in %s: %s\n  %s\n"
	       "  waits for %d: %s at %" PRId64 ", else %s at %" PRId64 "\n"
	       "  it went to %s at %" PRId64 ": %s\n  phases: %s\n"
	       "  replay: test/sim/outlook_test %" PRIu64 "\n",
		s->now_ms - world.start_ms, phase_name(s->phase), s->now,
		s->next, s->outlook.waits_for, phase_name(s->outlook.phase),
		s->outlook.at_ms - world.start_ms, phase_name(s->outlook.late),
		s->outlook.late_ms - world.start_ms, phase_name(changed_to),
		changed_ms - world.start_ms, world.rollout.reason, world.phases,
		seed);
	exit(1);
}

/* ---- a rollout ---- */

/* Where there are no users there are no requests. */
static void count_arm(struct evidence_counts *arm, int percent, bool is_bad)
{
	arm->known = true;
	arm->bin[0] = percent ? REQUESTS : 0;
	arm->bin[1] = percent && is_bad ? REQUESTS / 10 : 0;
	arm->bin[0] -= arm->bin[1];
}

static struct answers counted(struct world *w, int slo)
{
	static struct check_counts ring[WORLD_QUEUE_MAX];
	static size_t next;
	struct check_counts *c = &ring[next++ % WORLD_QUEUE_MAX];
	bool idle = regime[slo] == IDLE;

	*c = (struct check_counts){.bins = 2};
	count_arm(&c->candidate, idle ? 0 : w->serving.candidate,
		regime[slo] == BREACHES);
	count_arm(&c->stable, idle ? 0 : w->serving.stable, false);
	c->candidate.known = regime[slo] != NOTHING;
	return (struct answers){
		.item[QUERY_TOTAL] = {regime[slo] == TROUBLE ? ANSWER_ERROR
							     : ANSWER_VALUE,
			NAN},
		.counts = c};
}

static struct answers answer(struct world *w, int slo)
{
	static const struct answer answers[REGIMES] = {
		[PASSES] = {ANSWER_VALUE, 0},
		[BREACHES] = {ANSWER_VALUE, 1},
		[NOTHING] = {ANSWER_NO_DATA, 0},
		[TROUBLE] = {ANSWER_ERROR, 0},
	};

	if (test.slos[slo].kind == SLO_EVIDENCE)
		return counted(w, slo);
	return (struct answers){.item[QUERY_VALUE] = answers[regime[slo]]};
}

static bool counts(size_t slo)
{
	return slo < test.policy.n_slos && test.slos[slo].kind == SLO_EVIDENCE;
}

static void random_evidence(size_t i)
{
	test.slos[i] = (struct slo){.name = test.slos[i].name,
		.kind = SLO_EVIDENCE,
		.total = "total",
		.bad = "bad",
		.objective = 0.01,
		.tolerance = -1,
		.floor = -1,
		.requests_needed = 100,
		.interval_ms = test.slos[i].interval_ms,
		.timeout_ms = test.slos[i].timeout_ms};
}

static void random_policy(void)
{
	size_t i;

	test_policy_init(&test);
	test.policy.n_slos = 1 + (size_t)pick(2);
	test.slos[1] = test.slos[0];
	test.slos[1].name = "two";
	for (i = 0; i < 2; i++) {
		test.slos[i].texts.max = "1%";
		test.slos[i].interval_ms = (3 + pick(20)) * 1000;
		test.slos[i].timeout_ms = test.slos[i].interval_ms / 2;
		test.slos[i].min_passes = 1 + pick(6);
		test.slos[i].fail_of = 3 + pick(3);
		test.slos[i].fail_breaches = 2 + pick(2);
	}
	test.policy.evidence = (struct evidence_policy){.alpha = 0.05,
		.harm = 10,
		.without_control = (enum without_control)pick(3)};
	for (i = 0; i < 2 && chance(40); i++)
		random_evidence(i);
	/* A policy with that pace has evidence. */
	if (i && chance(50))
		test.policy.pace = PACE_EVIDENCE;
	for (i = 0; i < 3; i++) {
		test.steps[i].bake_ms = pick(5) * 30000;
		if (chance(30))
			test.steps[i].approval = &test.approval;
	}
	test.approval.minimum = 1 + pick(2);
	test.policy.settle_ms = pick(4) * 5000;
	test.policy.on_breach = (enum on_breach)pick(3);
	test.policy.on_undecided = (enum on_undecided)pick(2);
	test.policy.hold_timeout_ms = (2 + pick(4)) * MINUTE;
}

static void watch(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	bool is_later = changed_ms != 0;
	size_t i;

	(void)event;
	for (i = 0; !is_later && i < out->n_notes; i++) {
		if (out->note[i].type != NOTE_PHASE)
			continue;
		if (!changed_ms) {
			changed_to = out->note[i].to;
			changed_by = w->rollout.cause;
		}
		changed_last = out->note[i].to;
		changed_ms = w->now_ms;
	}
}

static void random_regime(void)
{
	regime[0] = chance(60) ? PASSES : (enum regime)pick(REGIMES);
	regime[1] = chance(60) ? PASSES : (enum regime)pick(REGIMES);
}

static void somebody_decides(void)
{
	static const char *const people[] = {"bob", "carol"};

	if (chance(60))
		world_command(&world, VERB_APPROVE, people[pick(2)]);
	else
		world_command(
			&world, chance(50) ? VERB_PAUSE : VERB_CONTINUE, "bob");
}

/* ---- what is told ---- */

static const struct summary *look(void)
{
	changed_ms = 0;
	return world_summary(&world, &arena);
}

static bool is_by_evidence(const struct summary *s)
{
	return (s->outlook.waits_for == OUTLOOK_BAKE ||
		       s->outlook.waits_for == OUTLOOK_SAMPLES) &&
	       strstr(s->next, "earlier when there is evidence enough");
}

/* How long evidence takes is not known before. */
static bool lacks_evidence(void)
{
	return rollout_lacks(&test.policy, &world.rollout) != LACK_NOTHING;
}

/* It came, and neither earlier than was told nor where it was not to go. */
static void expect_not_before(const struct summary *s)
{
	const struct outlook *o = &s->outlook;

	if (!changed_ms)
		return;
	if (changed_to == o->late && changed_ms >= o->late_ms)
		return;
	if (changed_to != o->phase && changed_last != o->phase)
		fail(s, "%s was to come", phase_name(o->phase));
	if (!is_by_evidence(s) && changed_ms < o->at_ms)
		fail(s, "%s was to come later", phase_name(o->phase));
}

static void expect(const struct summary *s, enum phase phase, int64_t at_ms)
{
	char clock[SUMMARY_TIME_MAX];

	if (!changed_ms || (changed_to != phase && changed_last != phase))
		fail(s, "%s was to come", phase_name(phase));
	if (at_ms <= s->now_ms)
		return; /* as soon as it comes */
	if (changed_ms != at_ms)
		fail(s, "%s was to come then", phase_name(phase));
	summary_clock_utc(at_ms, s->now_ms, clock);
	if (!strstr(s->next, clock))
		fail(s, "the sentence does not say %s", clock);
}

/* A settle in which every check has breached may end in a failure. */
static bool settle_may_fail(void)
{
	const struct check_state *check = world.rollout.check;
	size_t i;

	for (i = 0; !world.rollout.bake_open && i < test.policy.n_slos; i++) {
		if (check[i].settle_breaches)
			return true;
	}
	return false;
}

static bool waits_for_checks(const struct outlook *o)
{
	return o->waits_for == OUTLOOK_CHECKS || o->waits_for == OUTLOOK_BAKE ||
	       o->waits_for == OUTLOOK_SAMPLES ||
	       o->waits_for == OUTLOOK_METRICS;
}

static bool has_failed(void)
{
	size_t i;

	for (i = 0; i < test.policy.n_slos; i++) {
		if (world.rollout.check[i].failed)
			return true;
	}
	return false;
}

/* What it waits for comes: all checks pass from now on. */
static void check_that_it_comes(const struct summary *s)
{
	const struct outlook *o = &s->outlook;
	int64_t until_ms = o->late_ms > o->at_ms ? o->late_ms : o->at_ms;
	bool lacks = lacks_evidence();

	if (!waits_for_checks(o) || settle_may_fail() || has_failed())
		return;
	regime[0] = regime[1] = PASSES;
	world_run(&world, until_ms - s->now_ms + 1);
	/* A shift that may be written has to serve after that. At the same
	 * moment the deadline of a hold comes first. */
	if (lacks || s->phase == PHASE_SHIFTING ||
		(is_by_evidence(s) && changed_ms && changed_ms < o->at_ms))
		expect_not_before(s);
	else if (o->waits_for != OUTLOOK_SAMPLES && o->late_ms &&
		 o->late_ms < o->at_ms + (s->phase == PHASE_HELD))
		expect(s, o->late, o->late_ms);
	else
		expect(s, o->phase, o->at_ms);
	checked[o->waits_for]++;
}

/* All that the bake has to hear was heard, and passed. */
static bool was_last_check(const struct outlook *o)
{
	return o->check_ms > o->at_ms && o->at_ms == o->late_ms;
}

/* One that does not count is asked before the bake is over. */
static bool another_is_asked(const struct summary *s)
{
	size_t i;

	for (i = 0; i < test.policy.n_slos; i++) {
		if (!counts(i) && s->slos[i].next_ms <= s->outlook.at_ms)
			return true;
	}
	return false;
}

/* What is told of the end of a bake is told of what is missing. */
static bool may_come_else(const struct summary *s)
{
	bool lacks_requests =
		rollout_lacks(&test.policy, &world.rollout) == LACK_REQUESTS;

	if (s->outlook.waits_for != OUTLOOK_BAKE ||
		world.rollout.evidence == NULL)
		return true;
	return lacks_requests || (!lacks_evidence() && another_is_asked(s));
}

/* Nothing that would help comes any more. */
static void let_nothing_come(const struct summary *s)
{
	const struct outlook *o = &s->outlook;
	/* Where the others come too late, evidence that comes changes nothing. */
	enum regime counted =
		lacks_evidence() && o->at_ms <= o->late_ms ? IDLE : PASSES;
	size_t i;

	for (i = 0; i < 2; i++) {
		regime[i] = NOTHING;
		if (o->waits_for == OUTLOOK_METRICS)
			regime[i] = TROUBLE;
		else if (o->waits_for == OUTLOOK_BAKE && counts(i))
			regime[i] = counted;
		else if (o->waits_for == OUTLOOK_SAMPLES && counts(i) &&
			 !world.rollout.check[i].silent)
			regime[i] = PASSES;
	}
}

/* It does not come: there is no data any more, and nobody approves. */
static void check_what_comes_else(const struct summary *s)
{
	const struct outlook *o = &s->outlook;

	if (!o->late_ms || o->waits_for == OUTLOOK_TRAFFIC ||
		o->waits_for == OUTLOOK_STABLE || settle_may_fail() ||
		!may_come_else(s) ||
		(s->phase != PHASE_BAKING && s->phase != PHASE_HELD &&
			s->phase != PHASE_AWAITING_APPROVAL))
		return;
	let_nothing_come(s);
	world_run(&world, o->late_ms - s->now_ms + 1);
	if (is_by_evidence(s) && changed_ms && changed_ms <= o->at_ms)
		expect_not_before(s);
	else if (o->waits_for == OUTLOOK_BAKE && was_last_check(o))
		expect(s, o->phase, o->at_ms);
	else
		expect(s, o->late, o->late_ms);
	checked[o->waits_for]++;
}

/* Without a person nothing moves it, whatever passes. */
static void check_that_it_stays(const struct summary *s)
{
	if (s->outlook.waits_for != OUTLOOK_PERSON ||
		s->phase != PHASE_PAUSED || settle_may_fail())
		return;
	regime[0] = regime[1] = PASSES;
	world_run(&world, HOUR);
	if (changed_ms)
		fail(s, "it was to stay");
	checked[OUTLOOK_PERSON]++;
}

static void check_settle(const struct summary *s)
{
	if (s->outlook.waits_for != OUTLOOK_SETTLE || settle_may_fail())
		return;
	regime[0] = regime[1] = PASSES;
	world_run(&world, s->outlook.at_ms - s->now_ms - 1);
	if (world.rollout.bake_open)
		fail(s, "the bake was to begin later");
	world_run(&world, 1);
	/* One of no length is over in the same turn. */
	if (!world.rollout.bake_open && !changed_ms)
		fail(s, "the bake was to begin");
	checked[OUTLOOK_SETTLE]++;
}

/* The phases that a sentence names for an SLO that fails. */
static bool is_named(const char *next, enum phase phase)
{
	return (strstr(next, "reverts it at once") &&
		       phase == PHASE_REVERTING) ||
	       (strstr(next, "holds it at once") && phase == PHASE_HELD) ||
	       (strstr(next, "takes it back to") && phase == PHASE_SHIFTING);
}

/* An SLO fails: what then becomes of it is what was said. */
static void check_what_a_failure_does(const struct summary *s)
{
	if (s->phase != PHASE_BAKING || has_failed() ||
		!world.rollout.bake_open)
		return;
	regime[0] = regime[1] = BREACHES;
	while (!changed_ms && world.now_ms < s->now_ms + HOUR)
		world_run(&world, 1000);
	if (!changed_ms || changed_by != CAUSE_SLO)
		return; /* its time was over before */
	if (!is_named(s->next, changed_to))
		fail(s, "that was not said of a failure");
	failures++;
	steps_back += world.rollout.phase == PHASE_SHIFTING;
}

static void look_and_wait(void)
{
	const struct summary *s = look();

	switch (pick(4)) {
	case 2:
		check_what_a_failure_does(s);
		break;
	case 0:
		check_that_it_comes(s);
		break;
	case 1:
		check_what_comes_else(s);
		break;
	default:
		check_that_it_stays(s);
		check_settle(s);
	}
}

static void play(void)
{
	int i;

	rng_init(&rng, seed);
	arena_init(&arena);
	random_policy();
	world_init(&world, &test.policy);
	world.answer = answer;
	world.watch = watch;
	world_start(&world);
	for (i = 0; i < LOOKS && !phase_is_end(world.rollout.phase); i++) {
		random_regime();
		world_run(&world, 1 + pick(90000));
		if (chance(50))
			somebody_decides();
		world_run(&world, 1 + pick(5000));
		if (!phase_is_end(world.rollout.phase))
			look_and_wait();
	}
	rollout_clear(&world.rollout);
	arena_fini(&arena);
}

int main(int argc, char **argv)
{
	const char *count = getenv("TIDEGATE_SIM_ROLLOUTS");
	uint64_t n = count ? strtoull(count, NULL, 10) / 5 : ROLLOUTS_DEFAULT;
	uint64_t first = 1, i;

	if (argc > 1) {
		first = strtoull(argv[1], NULL, 10);
		n = 1;
	}
	for (i = 0; i < n; i++) {
		seed = first + i;
		play();
	}
	printf("%" PRIu64 " rollouts; told and seen: bake %zu, checks %zu, "
	       "samples %zu, metrics %zu, approvals %zu, a person %zu, "
	       "settle %zu, failures %zu (where a step back was told %zu)\n",
		n, checked[OUTLOOK_BAKE], checked[OUTLOOK_CHECKS],
		checked[OUTLOOK_SAMPLES], checked[OUTLOOK_METRICS],
		checked[OUTLOOK_APPROVALS], checked[OUTLOOK_PERSON],
		checked[OUTLOOK_SETTLE], failures, steps_back);
	return 0;
}
