/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded rollouts of which all is pinned (told.h): what the engine decides, what
 * it says is missing and comes next, which commands it would take, and how an
 * engine with other rules would follow their journals.
 *
 * Times, values and counts are few and round, so that limits and deadlines are
 * met exactly: a `<` that ought to be a `<=` is told otherwise. No promise is
 * looked after here; that is random_rollouts_test's.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "status/summary.h"
#include "told.h"

#define ROLLOUTS  900
#define ALONE     600 /* of these; in the others there is more of others' doing */
#define TURNS_MAX 40 /* of trouble */
#define SECOND    INT64_C(1000)
#define MINUTE    (60 * SECOND)
#define DAY       (24 * 60 * MINUTE)
#define START_S   INT64_C(1767225600) /* the world's, as a zone shows it */
#define COUNTS    256 /* answers that may be under way */

#define LENGTH(a)      (sizeof(a) / sizeof((a)[0]))
#define ONE_OF(values) ((values)[rng_below(&rng, LENGTH(values))])

static struct rng rng;
static uint64_t seed;
static struct test_policy test, other_test;
static struct freeze freezes[2];
static struct slo_history histories[2];
static struct world world, other; /* the other follows the journal */
static bool has_other, is_calm, is_disputed, is_late_alone;
static int lost; /* the percent of a write that is on its way; -1: none is */
static int regime[2];
static int trouble, works, drifts; /* in percent: of turns, actions, troubles */
static struct check_counts ring[COUNTS];
static size_t next_counts;
static struct arena arena;
static struct buf *told;

static int pick(int n)
{
	return (int)rng_below(&rng, (uint64_t)n);
}

static bool chance(int percent)
{
	return pick(100) < percent;
}

/* ---- the policy ---- */

static void random_threshold(struct slo *slo)
{
	slo->fail_of = 1 + pick(4);
	slo->fail_breaches = 1 + pick(slo->fail_of);
	slo->min_passes = 1 + pick(4);
	slo->no_data = (enum no_data)pick(3);
	slo->no_baseline = (enum no_baseline)pick(2);
	slo->partial = (enum partial)pick(2);
	slo->has_max = !chance(20);
	slo->has_min = !slo->has_max || chance(20);
	slo->max = 1;
	slo->min = 0.5;
	slo->has_critical = chance(40);
	slo->critical = slo->has_max ? 2 : 0.25;
	slo->compare_stable = chance(40);
	slo->has_max_ratio = slo->compare_stable && chance(60);
	slo->has_max_increase = slo->compare_stable && chance(50);
	slo->max_ratio = 2;
	slo->max_increase = 0.5;
	slo->requests = chance(30) ? "r" : NULL;
	slo->requests_min = 10;
}

static void random_evidence(struct slo *slo)
{
	slo->kind = SLO_EVIDENCE;
	slo->total = "total";
	slo->bad = "bad";
	slo->objective = 0.01;
	slo->tolerance = chance(50) ? -1 : 1;
	slo->floor = chance(50) ? -1 : 0.002;
	slo->requests_needed = 100;
}

static void random_slo(struct slo *slo, const char *name)
{
	static const int intervals_s[] = {5, 10, 20, 30};

	*slo = (struct slo){.name = name,
		.query = "q",
		.texts = {.max = "1", .critical = "2"},
		.window_ms = (1 + pick(2)) * 20 * SECOND,
		.interval_ms = ONE_OF(intervals_s) * SECOND};
	slo->timeout_ms = slo->interval_ms - SECOND;
	if (chance(30))
		random_evidence(slo);
	else
		random_threshold(slo);
}

static void random_steps(void)
{
	static const int64_t bakes_s[] = {0, 20, 60, 120};
	static const int first[] = {0, 10, 99};

	test.steps[0].percent = ONE_OF(first);
	if (test.steps[0].percent == 99)
		test.steps[1].percent = 99;
	for (int i = 0; i < 3; i++) {
		test.steps[i].bake_ms = ONE_OF(bakes_s) * SECOND;
		if (chance(25))
			test.steps[i].approval = &test.approval;
	}
	if (chance(20)) { /* blue and green: all users in one step */
		test.steps[1] = test.steps[2];
		test.policy.n_steps = 2;
	}
	test.approval.minimum = 1 + pick(2);
	test.approval.self_approval = chance(20);
	test.approval.timeout_ms = (1 + pick(3)) * MINUTE;
}

static void random_actions(void)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct action *action;

	for (int list = 0; list < ACTION_LISTS; list++)
		for (int i = chance(60) ? 3 : pick(3); i < 3; i++) {
			action = test_policy_add(
				&test, (enum action_list)list, names[i]);
			action->retries = pick(3);
			action->stop_on_failure = chance(30);
			action->idempotent = chance(50);
			action->when = (unsigned)pick(WHEN_ALL + 1);
			action->timeout_ms = (1 + pick(2)) * 10 * SECOND;
		}
	for (int i = 0; i < 3 && test.policy.lists[LIST_LOAD].n; i++)
		test.steps[i].load = pick(2);
}

static void random_freezes(void)
{
	int64_t at_s = START_S;

	test.policy.freeze.list = freezes;
	test.policy.freeze.n = chance(25) ? 1 + (size_t)pick(2) : 0;
	for (size_t i = 0; i < test.policy.freeze.n; i++) {
		freezes[i].zone = &zone_utc;
		freezes[i].from_s = at_s += (1 + pick(3)) * 60;
		freezes[i].to_s = at_s += pick(4) * 60;
	}
}

static void random_policy(void)
{
	struct policy *policy = &test.policy;

	test_policy_init(&test);
	policy->n_slos = 1 + (size_t)pick(2);
	random_slo(&test.slos[0], "one");
	random_slo(&test.slos[1], "two");
	random_steps();
	policy->settle_ms = pick(3) * 10 * SECOND;
	policy->hold_timeout_ms = (1 + pick(3)) * MINUTE;
	policy->revert_timeout_ms = (1 + pick(2)) * 2 * MINUTE;
	policy->on_breach = (enum on_breach)pick(3);
	policy->on_undecided = (enum on_undecided)pick(2);
	policy->on_drift = (enum on_drift)pick(2);
	policy->on_interrupt = (enum on_interrupt)pick(2);
	policy->finish = (enum finish)pick(3);
	policy->tag = chance(40) ? "candidate" : NULL;
	policy->evidence = (struct evidence_policy){.alpha = 0.05,
		.harm = 10,
		.without_control = (enum without_control)pick(3)};
	if (test.slos[0].kind == SLO_EVIDENCE)
		policy->pace = (enum step_pace)pick(2);
	random_actions();
	random_freezes();
}

/* Its steps follow each other so soon that writes of earlier ones may come yet. */
static void hasty_policy(void)
{
	static const int64_t bakes_s[] = {0, 3, 5, 20};

	test.policy.settle_ms = 0;
	test.policy.pace = PACE_FIXED;
	for (int i = 0; i < 3; i++) {
		test.steps[i].bake_ms = ONE_OF(bakes_s) * SECOND;
		test.steps[i].approval = NULL;
		test.steps[i].load = false;
	}
	for (int i = 0; i < 2; i++) {
		if (test.slos[i].kind == SLO_EVIDENCE)
			random_threshold(&test.slos[i]);
		test.slos[i].kind = SLO_THRESHOLD;
		test.slos[i].interval_ms = 5 * SECOND;
		test.slos[i].timeout_ms = 4 * SECOND;
		test.slos[i].min_passes = 1;
	}
	for (int i = 0; i < ACTION_LISTS; i++)
		test.policy.lists[i].n = 0;
	test.policy.freeze.n = 0;
}

/* What another version may have had otherwise. */
static void other_policy(void)
{
	other_test = test;
	other_test.policy.steps = other_test.steps;
	other_test.policy.slos = other_test.slos;
	for (int i = 0; i < ACTION_LISTS; i++)
		other_test.policy.lists[i].item = other_test.actions[i];
	for (int i = 0; i < 3; i++) {
		other_test.steps[i].bake_ms = pick(4) * MINUTE;
		other_test.steps[i].approval =
			chance(30) ? &other_test.approval : NULL;
	}
	other_test.policy.on_breach = (enum on_breach)pick(3);
	other_test.policy.on_undecided = (enum on_undecided)pick(2);
	other_test.slos[0].min_passes = pick(4);
	other_test.slos[1].fail_breaches = 1 + pick(4);
	other_test.policy.hold_timeout_ms = (1 + pick(3)) * MINUTE;
}

/* ---- the world's answers ---- */

static struct answer random_answer(int of)
{
	static const double good[] = {0.5, 0.75, 1}, bad[] = {1.5, 2, 2.5},
			    odd[] = {INFINITY, -INFINITY, NAN, -1, 0.25};

	switch (is_calm ? 0 : chance(75) ? of : pick(6)) {
	case 2:
		return (struct answer){ANSWER_VALUE, ONE_OF(bad), chance(10)};
	case 3:
		return (struct answer){ANSWER_NO_DATA, 0, false};
	case 4:
		return (struct answer){ANSWER_ERROR, 0, false};
	case 5:
		return (struct answer){ANSWER_VALUE, ONE_OF(odd), false};
	default:
		return (struct answer){ANSWER_VALUE, is_calm ? 1 : ONE_OF(good),
			chance(10) && !is_calm};
	}
}

static void count_arm(struct evidence_counts *arm, int percent, bool is_bad)
{
	static const double rates[] = {0, 10, 100, 1000};

	arm->known = is_calm || !chance(5);
	arm->bin[0] = arm->bin[1] = 0;
	if (!arm->known)
		return;
	arm->bin[0] =
		is_calm ? 10 * percent : floor(ONE_OF(rates) * percent / 10);
	arm->bin[1] = floor(arm->bin[0] / (is_bad ? 20 : 1000));
}

static struct answers counted(const struct world *w, int slo)
{
	struct check_counts *c = &ring[next_counts++ % COUNTS];
	int of = is_calm ? 0 : regime[slo];

	*c = (struct check_counts){.bins = 2};
	count_arm(&c->candidate, w->serving.candidate, of == 2 || of == 5);
	count_arm(&c->stable, w->serving.stable, of == 5);
	if (of == 3)
		c->candidate.known = false;
	return (struct answers){
		.item[QUERY_TOTAL] = {of == 4 ? ANSWER_ERROR : ANSWER_VALUE,
			NAN, false},
		.counts = c};
}

static struct answers answer(struct world *w, int slo)
{
	static const double baselines[] = {0, 0.25, 0.5, 0.75, 1},
			    requests[] = {9, 10, 10, 11, 0};
	const struct slo *s = &w->policy->slos[slo];
	struct answers answers = {
		.item[QUERY_VALUE] = {ANSWER_VALUE, 0, false}};

	if (s->kind == SLO_EVIDENCE)
		return counted(w, slo);
	answers.item[QUERY_VALUE] = random_answer(regime[slo]);
	if (s->compare_stable)
		answers.item[QUERY_BASELINE] = (struct answer){
			!is_calm && chance(10) ? ANSWER_NO_DATA : ANSWER_VALUE,
			is_calm ? 1 : ONE_OF(baselines), false};
	if (s->requests)
		answers.item[QUERY_REQUESTS] = (struct answer){
			ANSWER_VALUE, is_calm ? 10 : ONE_OF(requests), false};
	return answers;
}

static enum action_result end_action(
	struct world *w, enum action_list list, int index, int attempt)
{
	(void)w;
	(void)list;
	(void)index;
	(void)attempt;
	return is_calm || chance(works)
		       ? ACTION_OK
		       : (enum action_result)pick(ACTION_RESULTS);
}

/* ---- what is told ---- */

static void tell_commands(const struct rollout *r)
{
	static const char *const people[] = {"bob", "alice", "mallory", NULL};
	const char *who = people[(r->now_ms / SECOND) % 4], *why;
	char text[ROLLOUT_TEXT_MAX];

	for (int verb = 0; verb < VERBS; verb++) {
		why = rollout_refuses(
			&test.policy, r, (enum verb)verb, -1, who, text);
		if (why)
			buf_addf(told, "  no %s: %s\n",
				verb_name((enum verb)verb), why);
	}
}

static void tell_slos(const struct rollout *r)
{
	char text[ROLLOUT_MISS_MAX];
	const char *why;

	for (size_t i = 0; i < test.policy.n_slos; i++) {
		why = rollout_misses(&test.policy, r, i, world.now_ms, text);
		buf_addf(told,
			"  slo %zu: %d passes, %d of %d bad, misses %s\n", i,
			rollout_passes(r, i),
			__builtin_popcountll(r->check[i].breaches),
			r->check[i].decisive, why ? why : "nothing");
	}
}

static void tell_state(const struct rollout *r)
{
	const char *closed = may_raise(&test.policy, r, world.now_ms);
	struct outlook o = rollout_outlook(&test.policy, r, world.now_ms);

	buf_addf(told, "  for %s: %s\n", cause_name(r->cause), r->reason);
	buf_addf(told, "  raise: %s\n", closed ? closed : "yes");
	buf_addf(told,
		"  waits for %d: %s at %" PRId64 ", else %s at %" PRId64
		", check %" PRId64 "\n",
		(int)o.waits_for, phase_name(o.phase), o.at_ms,
		phase_name(o.late), o.late_ms, o.check_ms);
	buf_addf(told, "  %d%d%d%d lacks %d baked %" PRId64 " exit %d\n",
		rollout_waits_for_people(r), rollout_is_paused(r),
		rollout_is_frozen(r), rollout_gate_is_passed(&test.policy, r),
		(int)rollout_lacks(&test.policy, r),
		rollout_baked_ms(&test.policy, r, world.now_ms),
		rollout_exit_status(r));
	tell_slos(r);
	tell_commands(r);
}

/* The sentences for people. */
static void tell_summary(void)
{
	const struct summary *s;

	arena_init(&arena);
	s = world_summary(&world, &arena);
	buf_addf(told, "now: %s\nnext: %s\n", s->now, s->next);
	arena_fini(&arena);
}

/* The journal is folded by an engine with other rules, as store/fold.c does. */
static void follow(const struct event *event, const struct outcome_list *out)
{
	static struct outcome_list followed;
	static struct rollout before;

	before = other.rollout;
	other.now_ms = world.now_ms;
	rollout_step(&other_test.policy, &other.rollout, event, world.now_ms,
		&followed);
	if (other.rollout.phase != world.rollout.phase)
		rollout_follow(&other_test.policy, &before, &other.rollout,
			event, world.rollout.phase, &followed);
	buf_addf(told, "followed: ");
	told_add(told, &other, event, &followed);
	buf_addf(told, "  for %s: %s\n", cause_name(other.rollout.cause),
		other.rollout.reason);
	for (size_t i = 0; i < out->n_notes; i++)
		if (out->note[i].type == NOTE_SHIFT)
			rollout_follow_write(&other_test.policy, &other.rollout,
				world.now_ms, &followed);
}

/* A write that nobody answers may come late. */
static void remember_lost(const struct world *w, const struct outcome_list *out)
{
	for (size_t i = 0; i < out->n_effects; i++)
		if (lost < 0 && w->write_trouble &&
			out->effect[i].type == EFFECT_WRITE &&
			w->write_result == WRITE_UNKNOWN && !w->write_applies)
			lost = out->effect[i].percent;
}

static void watch(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	remember_lost(w, out);
	told_add(told, w, event, out);
	tell_state(&w->rollout);
	if (has_other)
		follow(event, out);
}

/* ---- trouble ---- */

static void random_command(void)
{
	static const char *const people[] = {
		"alice", "bob", "carol", "mallory", ""};
	struct event event = {.type = EVENT_COMMAND,
		.verb = (enum verb)pick(VERBS),
		.who = ONE_OF(people),
		.text = chance(50) ? "because" : "",
		.step = chance(80) ? -1 : pick(5)};

	if (event.verb == VERB_ABORT && chance(70))
		event.verb = VERB_APPROVE;
	world_feed(&world, &event);
}

static void random_drift(void)
{
	static const int percents[] = {0, 10, 50, 90, 100};
	struct split split = {ONE_OF(percents), 0, 0};

	if (chance(50))
		split.other = (100 - split.candidate) / 2;
	split.stable = 100 - split.candidate - split.other;
	world_drift(&world, split);
}

static void read_trouble(void)
{
	world.read_trouble = pick(5);
}

static void write_trouble(void)
{
	world.write_result = (enum write_result)pick(WRITE_RESULTS);
	world.write_trouble = pick(6);
	world.write_applies = world.write_result == WRITE_UNKNOWN && chance(50);
}

static void slow_trouble(void)
{
	static const int64_t latencies_s[] = {0, 0, 1, 5, 10, 20},
			     delays_s[] = {0, 2, 10, 60};

	world.latency_ms = ONE_OF(latencies_s) * SECOND;
	world.serve_delay_ms = ONE_OF(delays_s) * SECOND;
}

static void process_trouble(void)
{
	static const int64_t away_s[] = {0, 1, 10, 60, 600};
	int64_t by_ms = chance(70) ? 0 : (pick(7) - 3) * MINUTE;

	world_crash_and_step(&world, ONE_OF(away_s) * SECOND, by_ms);
}

static void interrupt(void)
{
	struct event event = {.type = EVENT_INTERRUPT,
		.text = "SIGTERM",
		.leave = chance(30)};

	if (chance(20))
		world_feed(&world, &event);
}

static void clock_trouble(void)
{
	struct event event = {.type = EVENT_TIMER, .clock_set = chance(50)};

	world_sleep(&world, pick(4) * 30 * SECOND);
	if (event.clock_set && chance(70))
		event.wall_ms = world.now_ms + (pick(9) - 4) * MINUTE;
	event.spread = !event.clock_set && chance(50);
	event.stood_ms = event.spread ? pick(4) * 30 * SECOND : 0;
	world_feed(&world, &event);
}

static void service_trouble(void)
{
	world.candidate_is_latest = chance(70);
	world.stable_state = chance(70)
				     ? STABLE_READY
				     : (enum stable_state)pick(STABLE_STATES);
}

static void new_regime(void)
{
	regime[pick(2)] = chance(50) ? 0 : pick(6);
}

/* Who wants it to go on. */
static void friendly_command(void)
{
	world_command(&world, VERB_APPROVE, chance(50) ? "bob" : "carol");
	if (chance(50))
		world_command(&world, VERB_CONTINUE, "bob");
}

static void random_trouble_alone(void)
{
	static void (*const troubles[])(void) = {random_command, random_command,
		random_command, random_command, new_regime, new_regime,
		read_trouble, write_trouble, slow_trouble, process_trouble,
		clock_trouble, service_trouble, interrupt};

	if (!chance(trouble))
		friendly_command();
	else if (chance(drifts))
		random_drift();
	else
		ONE_OF(troubles)();
}

/* ---- disputes ---- */

static struct split of_candidate(int percent)
{
	return (struct split){percent, 100 - percent, 0};
}

static void lose_writes(void)
{
	world.write_result = WRITE_UNKNOWN;
	world.write_trouble = 1 + pick(2);
	world.write_applies = false;
}

static void lost_write_comes(void)
{
	if (lost < 0 || lost == world.rollout.traffic.set.candidate)
		return;
	world_drift(&world, of_candidate(lost));
	lost = -1;
}

/* Somebody asks for what we had asked for, or puts it right. */
static void drift_to_ours(void)
{
	const struct traffic_writer *w = &world.rollout.traffic.write;

	if (w->n_sent && chance(70))
		world_drift(&world, w->sent[pick(w->n_sent)]);
	else
		world_drift(&world, world.rollout.traffic.set);
}

static void lag(void)
{
	world.old_reads = 1 + pick(4);
}

/* A revision of others takes no traffic. */
static void deploy(void)
{
	world.deployed = true;
	world.generation++;
	world.version++;
	world.candidate_is_latest = false;
}

static void impatient_trouble(void)
{
	static const int64_t after_s[] = {0, 2, 10, 11};

	world.retry_after_ms = ONE_OF(after_s) * SECOND;
	world.read_refused = chance(20);
}

static void dispute(void)
{
	static void (*const disputes[])(void) = {lose_writes, lost_write_comes,
		lost_write_comes, friendly_command, lag, drift_to_ours,
		drift_to_ours, random_drift, deploy, impatient_trouble};

	disputes[pick(is_late_alone ? 5 : LENGTH(disputes))]();
}

static void random_trouble(void)
{
	if (is_disputed && chance(80)) {
		dispute();
		return;
	}
	random_trouble_alone();
}

/* ---- a rollout ---- */

static void begin(void)
{
	static const struct dispersion usual = {1.2, 1.5, 1.1};
	static const int troubles[] = {15, 50, 90}, working[] = {100, 95, 70},
			 drifting[] = {0, 3, 20};

	world_init(&world, &test.policy);
	world.watch = watch;
	world.answer = answer;
	world.action = end_action;
	world.by_latest = chance(30);
	world.tagged = chance(20);
	world.candidate_is_latest = chance(80);
	world.lax = chance(30);
	world.load_ms = pick(5) * 40 * SECOND;
	for (int i = 0; i < 2; i++)
		histories[i] = (struct slo_history){.slo = i,
			.seconds = 3600,
			.past = {180000, 180},
			.dispersion = usual};
	world.histories = histories;
	world.n_histories = chance(50) ? test.policy.n_slos : 0;
	other_policy();
	has_other = seed % 3 == 0;
	world_init(&other, &other_test.policy);
	trouble = ONE_OF(troubles);
	works = ONE_OF(working);
	drifts = ONE_OF(drifting);
	regime[0] = chance(70) ? 0 : 2;
	regime[1] = 0;
	is_calm = false;
	if (is_disputed) {
		trouble = 15;
		regime[0] = 0;
		is_late_alone = chance(70);
		lose_writes();
	}
	if (chance(10)) {
		world.spec = world.serving = (struct split){50, 50, 0};
		world_undo(&world);
	} else {
		world_start(&world);
	}
}

static void calm_down(void)
{
	is_calm = true;
	world.read_trouble = world.write_trouble = world.old_reads = 0;
	world.stable_state = STABLE_READY;
	for (int i = 0; i < 4 && !phase_is_end(world.rollout.phase); i++) {
		world_command(&world, VERB_CONTINUE, "bob");
		world_run(&world, 10 * MINUTE);
	}
	world_run(&world, DAY);
}

static void tell(uint64_t of_seed, struct buf *told_r)
{
	seed = of_seed;
	told = told_r;
	rng_init(&rng, seed);
	is_disputed = seed > ALONE;
	lost = -1;
	random_policy();
	if (is_disputed)
		hasty_policy();
	begin();
	for (int i = pick(TURNS_MAX); i > 0; i--) {
		if (phase_is_end(world.rollout.phase))
			break;
		random_trouble();
		world_run(&world, is_disputed ? pick(9) * SECOND / 2
					      : pick(9) * 5 * SECOND);
		tell_summary();
	}
	calm_down();
	tell_summary();
	rollout_clear(&world.rollout);
	rollout_clear(&other.rollout);
}

int main(void)
{
	return told_compare("coarse", ROLLOUTS, tell) ? 0 : 1;
}
