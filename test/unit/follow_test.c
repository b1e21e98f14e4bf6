/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal that another version decided: its fold has to be the state in which
 * that version was, member by member, after each entry. The other version is a
 * policy that differs: by its rules the rollout is driven and journaled, by
 * those of the test it is folded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "store/event_codec.h"
#include "store/fold.h"

static struct test_policy theirs, ours;
static struct world world;
static int64_t seq;
static struct fold fold;
/* Members that may differ, "name", or "name@phase" while it is in that phase. */
static const char *may_differ;

/* ---- the members that are compared ---- */

struct member {
	const char *name;
	size_t at, size;
};

#define M(member)                                                \
	{                                                        \
#member, offsetof(struct rollout, member),       \
			sizeof(((struct rollout *)NULL)->member) \
	}

static const struct member members[] = {
	M(phase),
	M(held_from),
	M(paused_from),
	M(cause),
	M(reason),
	M(rng),
	M(seed),
	M(now_ms),
	M(started_ms),
	M(phase_ms),
	M(starter),
	M(step),
	M(bake_from_ms),
	M(bake_open),
	M(step_passed),
	M(finish_begun),
	M(checking),
	M(settle_ms),
	M(grid_ms),
	M(gate_deadline_ms),
	M(approvals),
	M(approved_until_ms),
	M(hold_deadline_ms),
	M(held_ms),
	M(pause_wanted),
	M(undoing),
	M(looked),
	M(resuming),
	M(begun),
	M(moved),
	M(revert_failed),
	M(refusing),
	M(stopping),
	M(leaving),
	M(found_by_latest),
	M(tag_is_ours),
	M(verifying),
	M(verified),
	M(reasserts),
	M(failed_slo),
	M(traffic.spec),
	M(traffic.serving),
	M(traffic.generation),
	M(traffic.reconciling),
	M(traffic.moving),
	M(traffic.by_latest),
	M(traffic.candidate_is_latest),
	M(traffic.tagged),
	M(traffic.stable_kept),
	M(traffic.stable_state),
	M(traffic.stable_idle_ms),
	M(traffic.stale_ms),
	M(traffic.broken),
	M(traffic.stable_text),
	M(traffic.set),
	M(traffic.read),
	M(traffic.write),
	M(sequence),
	M(lists_done),
	M(lists_failed),
	M(lists_stopped),
	M(failed_action),
	M(actions_failed),
	M(actions_unknown),
	M(check),
};

static bool is_listed(const char *name, enum phase phase)
{
	size_t len = strlen(name), phase_len = strlen(phase_name(phase));
	const char *at = may_differ;

	while ((at = strstr(at, name))) {
		bool begins = at == may_differ || at[-1] == ' ';

		at += len;
		if (begins && (!*at || *at == ' '))
			return true;
		if (begins && *at == '@' &&
			strncmp(at + 1, phase_name(phase), phase_len) == 0)
			return true;
	}
	return false;
}

static void compare(const struct rollout *a, const struct rollout *b,
	const struct event *event)
{
	char different[512] = "";

	assert_int_equal(a->phase, b->phase);
	if (!may_differ)
		return;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const struct member *m = &members[i];
		size_t len = strlen(different);

		if (memcmp((const char *)a + m->at, (const char *)b + m->at,
			    m->size) != 0 &&
			!is_listed(m->name, a->phase))
			snprintf(different + len, sizeof(different) - len,
				" %s", m->name);
	}
	if (*different)
		fail_msg("after %s, in %s, differ:%s", event_name(event->type),
			phase_name(a->phase), different);
}

/* An entry as it is in the journal, and taken out of it. */
static void entry_take(const struct rollout *r, const char *name, bool is_note,
	struct buf *data)
{
	struct store_event entry = {.seq = seq + 1,
		.time_ms = r->now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(r->phase),
		.percent = r->traffic.serving.candidate,
		.data = data->data};
	struct err err;

	seq = entry.seq;
	if (fold_take(&fold, &ours.policy, &entry, &err) < 0)
		fail_msg("%s", err.text);
	buf_clear(data);
}

static void fed(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	struct event_context context = {.policy = w->policy,
		.state = &w->rollout,
		.judgement =
			event->type == EVENT_CHECK ? &out->judgement : NULL,
		.seen = event->type == EVENT_CHECK ? &out->seen : NULL};
	struct buf data;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	event_encode(event, &context, &data);
	entry_take(&w->rollout, event_name(event->type), false, &data);
	for (size_t i = 0; i < out->n_notes; i++) {
		note_encode(&out->note[i], &context, &data);
		entry_take(
			&w->rollout, note_name(out->note[i].type), true, &data);
	}
	buf_fini(&data);
	compare(&w->rollout, &fold.state, event);
}

static int setup(void **state)
{
	(void)state;
	test_policy_init(&theirs);
	test_policy_init(&ours);
	fold_init(&fold);
	seq = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fold_fini(&fold);
	return 0;
}

/* ---- stories ---- */

static void begin(const char *except, world_answer_fn answer)
{
	may_differ = except;
	world_init(&world, &theirs.policy);
	world.answer = answer;
	world.fed = fed;
	world_start(&world);
}

/* The journal had to be followed on the way to its end. */
static void end(const char *phases)
{
	world_run(&world, INT64_C(3600000));
	assert_string_equal(world.phases, phases);
	assert_true(fold.differs_seq > 0);
	assert_int_equal(fold.state.phase, world.rollout.phase);
}

static struct answers rising(struct world *w, int slo)
{
	struct answers answers = {.item[QUERY_VALUE] = {ANSWER_VALUE, 0}};

	(void)slo;
	if (w->now_ms > w->start_ms + 100000)
		answers.item[QUERY_VALUE].value = 0.05;
	return answers;
}

static enum action_result fails(
	struct world *w, enum action_list list, int index, int attempt)
{
	(void)w;
	(void)list;
	(void)index;
	(void)attempt;
	return ACTION_FAILED;
}

/* What this version's gate says until the journal says that it was written. */
#define WAITS "traffic.read@shifting traffic.write@shifting "

static void a_step_that_was_left_before_we_would_is_left(void **state)
{
	(void)state;
	ours.slos[0].min_passes = 60;
	begin(WAITS "sequence", NULL);
	end("preflight shifting baking shifting baking shifting baking "
	    "shifting promoted");
}

static void what_was_no_breach_there_reverts_nothing(void **state)
{
	(void)state;
	theirs.slos[0].max = 0.5;
	begin(WAITS "sequence check failed_slo", rising);
	end("preflight shifting baking shifting baking shifting baking "
	    "shifting promoted");
}

static void a_breach_there_takes_it_back(void **state)
{
	(void)state;
	ours.slos[0].max = 0.5;
	begin("check reason failed_slo rng", rising);
	end("preflight shifting baking shifting baking reverting rolling-back "
	    "rolled-back");
}

static void a_breach_that_held_it_there_holds_it(void **state)
{
	(void)state;
	ours.slos[0].fail_breaches = 3;
	ours.policy.on_breach = theirs.policy.on_breach = ON_BREACH_HOLD;
	begin("check reason failed_slo", rising);
	world_run(&world, 200000);
	assert_int_equal(fold.state.cause, CAUSE_SLO);
	world_command(&world, VERB_CONTINUE, "bob");
	end("preflight shifting baking shifting baking held baking held "
	    "reverting rolling-back rolled-back");
}

static void an_approval_that_was_enough_there_is_enough(void **state)
{
	(void)state;
	ours.approval.minimum = 2;
	theirs.steps[1].approval = &theirs.approval;
	ours.steps[1].approval = &ours.approval;
	begin(WAITS, NULL);
	world_run(&world, 200000);
	world_command(&world, VERB_APPROVE, "bob");
	end("preflight shifting baking awaiting-approval shifting baking "
	    "shifting baking shifting promoted");
}

static void a_gate_that_closed_there_is_closed(void **state)
{
	(void)state;
	theirs.approval.timeout_ms = 100000;
	theirs.steps[1].approval = &theirs.approval;
	ours.steps[1].approval = &ours.approval;
	begin("gate_deadline_ms approved_until_ms", NULL);
	world_run(&world, 200000);
	assert_int_equal(fold.state.cause, CAUSE_APPROVAL);
	world_command(&world, VERB_APPROVE, "bob");
	end("preflight shifting baking awaiting-approval held "
	    "awaiting-approval shifting baking shifting baking shifting "
	    "promoted");
}

static void a_preflight_that_had_nothing_to_run_has_passed(void **state)
{
	(void)state;
	test_policy_add(&ours, LIST_PREFLIGHT, "look");
	begin("sequence lists_done", NULL);
	end("preflight shifting baking shifting baking shifting baking "
	    "shifting promoted");
}

/* What became of the action is a fact, whatever follows from it. */
static void a_hook_that_held_it_there_holds_it(void **state)
{
	(void)state;
	test_policy_add(&theirs, LIST_STEP_PASSED, "tell")->stop_on_failure =
		true;
	test_policy_add(&ours, LIST_STEP_PASSED, "tell");
	begin("reason sequence lists_stopped", NULL);
	world.action = fails;
	world_run(&world, 100000);
	assert_int_equal(fold.state.phase, PHASE_HELD);
	assert_int_equal(fold.state.cause, CAUSE_HOOK);
	assert_int_equal(fold.state.failed_action[LIST_STEP_PASSED], 1);
	end("preflight shifting baking held reverting rolling-back "
	    "rolled-back");
}

static void a_hook_that_held_nothing_there_holds_nothing(void **state)
{
	(void)state;
	test_policy_add(&theirs, LIST_STEP_PASSED, "tell");
	test_policy_add(&ours, LIST_STEP_PASSED, "tell")->stop_on_failure =
		true;
	begin("sequence lists_stopped", NULL);
	world.action = fails;
	end("preflight shifting baking shifting baking shifting baking "
	    "shifting promoted");
}

static void a_rollback_that_failed_there_has_failed(void **state)
{
	(void)state;
	test_policy_add(&theirs, LIST_ROLLBACK, "undo")->stop_on_failure = true;
	test_policy_add(&ours, LIST_ROLLBACK, "undo");
	begin("reason sequence lists_stopped lists_done@rollback-failed "
	      "traffic.write@rollback-failed",
		NULL);
	world.action = fails;
	world_run(&world, 20000);
	world_command(&world, VERB_ABORT, "bob");
	end("preflight shifting baking reverting rolling-back "
	    "rollback-failed");
}

static void who_was_taken_up_there_goes_on(void **state)
{
	(void)state;
	ours.slos[0].min_passes = 60;
	begin(WAITS "sequence", NULL);
	world_run(&world, 80000);
	world_crash(&world, 5000);
	end("preflight shifting baking shifting baking shifting baking "
	    "shifting promoted");
}

/* ---- by rules that would have refused it ---- */

static void a_pause_there_is_a_pause(void **state)
{
	const struct event event = {
		.type = EVENT_COMMAND, .verb = VERB_PAUSE, .who = "bob"};
	static struct outcome_list outcome;
	static struct rollout before;

	(void)state;
	world_init(&world, &theirs.policy);
	world_start(&world);
	world_run(&world, 20000);
	assert_int_equal(world.rollout.phase, PHASE_BAKING);
	before = fold.state = world.rollout;
	world_command(&world, VERB_PAUSE, "bob");
	fold.state.now_ms = world.rollout.now_ms;
	rollout_follow(&theirs.policy, &before, &fold.state, &event,
		PHASE_PAUSED, &outcome);
	may_differ = "";
	compare(&world.rollout, &fold.state, &event);
}

static void a_pause_before_a_step_was_written_wants_nothing(void **state)
{
	const struct event event = {
		.type = EVENT_COMMAND, .verb = VERB_PAUSE, .who = "bob"};
	static struct outcome_list outcome;
	static struct rollout before;

	(void)state;
	world_init(&world, &theirs.policy);
	world.read_trouble = -1;
	world_start(&world);
	world_run(&world, 5000);
	assert_int_equal(world.rollout.phase, PHASE_SHIFTING);
	before = fold.state = world.rollout;
	world_command(&world, VERB_PAUSE, "bob");
	assert_int_equal(world.rollout.phase, PHASE_PAUSED);
	fold.state.now_ms = world.rollout.now_ms;
	rollout_follow(&theirs.policy, &before, &fold.state, &event,
		PHASE_PAUSED, &outcome);
	may_differ = "";
	compare(&world.rollout, &fold.state, &event);
}

static struct rollout known; /* before the event */

/* As if this version had taken the facts and left the phase as it was. */
static void follow_moves(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	static struct outcome_list outcome;
	static struct rollout twin;

	(void)out;
	twin = w->rollout;
	if (known.phase != w->rollout.phase) {
		rollout_follow(w->policy, &known, &twin, event,
			w->rollout.phase, &outcome);
		assert_int_equal(twin.traffic.write.state,
			w->rollout.traffic.write.state);
		assert_int_equal(twin.traffic.write.intent.percent,
			w->rollout.traffic.write.intent.percent);
		assert_true(outcome.wake_ms > w->rollout.now_ms);
		compare(&w->rollout, &twin, event);
	}
	known = w->rollout;
}

static void each_move_is_made_alike_when_it_is_followed(void **state)
{
	(void)state;
	/* How traffic got there, and what the next phase begins to run. */
	may_differ = "traffic.write traffic.read rng sequence traffic.set "
		     "reason@reverting failed_slo@reverting "
		     "verified@rolled-back verifying@rolled-back "
		     "lists_done@rolled-back";
	theirs.steps[1].approval = &theirs.approval;
	world_init(&world, &theirs.policy);
	known = world.rollout;
	world.latency_ms = 300;
	world.watch = follow_moves;
	world_start(&world);
	world_run(&world, 70000);
	world_command(&world, VERB_PAUSE, "bob");
	world_run(&world, 20000);
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, 200000);
	world_command(&world, VERB_APPROVE, "bob");
	world_run(&world, 20000);
	world_crash(&world, 20000);
	world_run(&world, 20000);
	world.answer = rising;
	world_run(&world, INT64_C(3600000));
	assert_string_equal(world.phases,
		"preflight shifting baking paused baking awaiting-approval "
		"shifting baking reverting rolling-back rolled-back");
}

/* ---- any other rules ---- */

#define PAIRS 500

static struct rng rng;

static int pick(int n)
{
	return (int)rng_below(&rng, (uint64_t)n);
}

static void draw_rules(struct test_policy *test, unsigned lists)
{
	static const char *const names[] = {"first", "second"};

	test_policy_init(test);
	test->slos[0].max = pick(2) ? 0.01 : 0.1;
	test->slos[0].min_passes = 1 + pick(8);
	test->slos[0].fail_breaches = 1 + pick(3);
	test->policy.on_breach = (enum on_breach[]){
		ON_BREACH_ROLLBACK, ON_BREACH_HOLD, ON_BREACH_OBSERVE}[pick(3)];
	test->policy.on_drift = pick(2) ? ON_DRIFT_STOP : ON_DRIFT_REASSERT;
	test->policy.on_undecided =
		pick(2) ? ON_UNDECIDED_HOLD : ON_UNDECIDED_ROLLBACK;
	test->policy.settle_ms = 1000 * pick(30);
	test->policy.hold_timeout_ms = 60000 * (1 + pick(4));
	test->approval.minimum = 1 + (unsigned)pick(2);
	test->approval.timeout_ms = 60000 * (1 + pick(5));
	if (pick(2))
		test->steps[pick(3)].approval = &test->approval;
	/* Both have the same actions, as the journal names them. */
	for (int list = 0; list < LIST_LOAD; list++)
		for (unsigned i = 0; i < (lists >> 2 * list) % 3; i++)
			test_policy_add(test, (enum action_list)list, names[i])
				->stop_on_failure = pick(2);
	if (lists % 3 == 0) {
		test_policy_add(test, LIST_LOAD, "users")->stop_on_failure =
			pick(2);
		test->steps[lists % 2].load = 1;
	}
}

static struct answers any_answer(struct world *w, int slo)
{
	static const double values[] = {0, 0, 0, 0.005, 0.05, 0.5};
	struct answers answers = {
		.item[QUERY_VALUE] = {ANSWER_VALUE, values[pick(6)]}};

	(void)w;
	(void)slo;
	if (pick(12) == 0)
		answers.item[QUERY_VALUE].kind = ANSWER_ERROR;
	return answers;
}

static enum action_result any_result(
	struct world *w, enum action_list list, int index, int attempt)
{
	(void)w;
	(void)list;
	(void)index;
	(void)attempt;
	return pick(4) ? ACTION_OK : ACTION_FAILED;
}

static void something_happens(void)
{
	static const enum verb verbs[] = {VERB_PAUSE, VERB_CONTINUE,
		VERB_CONTINUE, VERB_APPROVE, VERB_APPROVE, VERB_ABORT};

	switch (pick(8)) {
	case 0:
		world_crash(&world, 1000 * pick(90));
		break;
	case 1:
		world.read_trouble = pick(3);
		break;
	case 2:
		if (!pick(4))
			world_drift(&world, (struct split){0, 90, 10});
		break;
	default:
		world_command(
			&world, verbs[pick(6)], pick(2) ? "bob" : "carol");
	}
}

static void whatever_the_rules_were_it_is_where_the_journal_says(void **state)
{
	unsigned lists;
	int followed = 0;

	for (int i = 0; i < PAIRS; i++) {
		rng_init(&rng, (uint64_t)i + 1);
		lists = (unsigned)pick(1 << 2 * LIST_LOAD);
		draw_rules(&theirs, lists);
		draw_rules(&ours, lists);
		world_init(&world, &theirs.policy);
		world.answer = any_answer;
		world.action = any_result;
		world.latency_ms = pick(3) * 700;
		world.load_ms = pick(3) * 40000;
		world.fed = fed;
		may_differ = NULL; /* all but the phase */
		world_start(&world);
		for (int n = 0; n < 40 && !phase_is_end(world.rollout.phase);
			n++) {
			world_run(&world, 1000 * (1 + pick(60)));
			if (!phase_is_end(world.rollout.phase))
				something_happens();
		}
		followed += fold.differs_seq > 0;
		teardown(state);
		setup(state);
	}
	assert_true(followed > PAIRS / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_step_that_was_left_before_we_would_is_left),
		TEST(what_was_no_breach_there_reverts_nothing),
		TEST(a_breach_there_takes_it_back),
		TEST(a_breach_that_held_it_there_holds_it),
		TEST(an_approval_that_was_enough_there_is_enough),
		TEST(a_gate_that_closed_there_is_closed),
		TEST(a_preflight_that_had_nothing_to_run_has_passed),
		TEST(a_hook_that_held_it_there_holds_it),
		TEST(a_hook_that_held_nothing_there_holds_nothing),
		TEST(a_rollback_that_failed_there_has_failed),
		TEST(who_was_taken_up_there_goes_on),
		TEST(a_pause_there_is_a_pause),
		TEST(a_pause_before_a_step_was_written_wants_nothing),
		TEST(each_move_is_made_alike_when_it_is_followed),
		TEST(whatever_the_rules_were_it_is_where_the_journal_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
