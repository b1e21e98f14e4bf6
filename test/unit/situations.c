/* SPDX-License-Identifier: Apache-2.0 */
/* Situations; see situations.h. */
#include "situations.h"

#include "situations_evidence.h"

#define SECOND 1000

/* ---- answers ---- */

static struct answers value(double v)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, v}};
}

static struct answers no_value(struct world *w, int slo)
{
	(void)w;
	(void)slo;
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
}

static struct answers half_an_answer(struct world *w, int slo)
{
	struct answers answers = value(0);

	(void)w;
	(void)slo;
	answers.item[QUERY_VALUE].partial = true;
	return answers;
}

static struct answers few_requests(struct world *w, int slo)
{
	struct answers answers = value(0);

	(void)w;
	(void)slo;
	answers.item[QUERY_REQUESTS] = (struct answer){ANSWER_VALUE, 15.6};
	return answers;
}

static struct answers no_metrics(struct world *w, int slo)
{
	(void)w;
	(void)slo;
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_ERROR, 0}};
}

static struct answers bad(struct world *w, int slo)
{
	(void)w;
	(void)slo;
	return value(0.148);
}

static struct answers bad_after_40_s(struct world *w, int slo)
{
	return w->now_ms - w->start_ms < 40 * SECOND ? value(0) : bad(w, slo);
}

static struct answers lost_after_40_s(struct world *w, int slo)
{
	return w->now_ms - w->start_ms < 40 * SECOND ? value(0)
						     : no_metrics(w, slo);
}

static struct answers second_is_slow(struct world *w, int slo)
{
	struct answers answers = value(slo ? 0.0738 : 0);

	(void)w;
	if (slo)
		answers.item[QUERY_BASELINE] =
			(struct answer){ANSWER_VALUE, 0.0488};
	return answers;
}

static enum action_result all_fail(
	struct world *w, enum action_list list, int index, int attempt)
{
	(void)w;
	(void)list;
	(void)index;
	(void)attempt;
	return ACTION_FAILED;
}

/* ---- before ---- */

static void looked_at(struct stage *s)
{
	s->world.latency_ms = 5 * SECOND;
	stage_start(s, 2);
}

static void preflight_action(struct stage *s)
{
	test_policy_add(&s->test, LIST_PREFLIGHT, "smoke");
	s->world.latency_ms = 5 * SECOND;
	stage_start(s, 7);
}

static void tagging(struct stage *s)
{
	s->test.policy.tag = "canary";
	s->world.serve_delay_ms = 60 * SECOND;
	stage_start(s, 2);
}

static void refused(struct stage *s)
{
	s->world.version = 1;
	stage_start(s, 2);
}

static void gated(struct stage *s)
{
	s->test.steps[0].approval = &s->test.approval;
	stage_start(s, 45);
}

static void half_approved(struct stage *s)
{
	s->test.approval.minimum = 2;
	gated(s);
	stage_say(s, VERB_APPROVE, "bob", "looked at it");
}

static void approved_and_waiting(struct stage *s)
{
	s->test.steps[1].approval = &s->test.approval;
	s->test.policy.on_breach = ON_BREACH_ROLLBACK;
	stage_start(s, 75);
	s->world.answer = no_value;
	stage_run(s, 15);
	stage_say(s, VERB_APPROVE, "bob", "");
}

static void nobody_approved(struct stage *s)
{
	gated(s);
	stage_run(s, 600);
}

/* ---- on the way ---- */

static void on_its_way(struct stage *s)
{
	s->world.serve_delay_ms = 60 * SECOND;
	stage_start(s, 5);
}

static void not_written(struct stage *s)
{
	s->world.write_trouble = -1;
	s->world.write_result = WRITE_BUSY;
	stage_start(s, 20);
}

static void settling(struct stage *s)
{
	stage_start(s, 6);
}

static void baking(struct stage *s)
{
	stage_start(s, 45);
}

static void first_breach(struct stage *s)
{
	s->world.answer = bad_after_40_s;
	stage_start(s, 45);
}

static void nothing_known_yet(struct stage *s)
{
	s->world.answer = no_value;
	stage_start(s, 30);
}

static void too_short(struct stage *s)
{
	s->test.slos[0].min_passes = 9;
	stage_start(s, 45);
}

static void one_of_two(struct stage *s)
{
	s->test.slos[1] = s->test.slos[0];
	s->test.slos[1].name = "latency-p95";
	s->test.slos[1].texts.max = "500ms";
	s->test.slos[1].max = 0.5;
	s->test.slos[1].compare_stable = true;
	s->test.slos[1].has_max_ratio = true;
	s->test.slos[1].max_ratio = 1.5;
	s->test.slos[1].fail_breaches = 9;
	s->test.slos[1].fail_of = 10;
	s->test.policy.n_slos = 2;
	lookback_free(&s->lookback);
	s->lookback = lookback_new(&s->test.policy);
	s->world.answer = second_is_slow;
	stage_start(s, 45);
}

static void last_step(struct stage *s)
{
	s->test.policy.n_steps = 1;
	s->test.steps[0].percent = 100;
	stage_start(s, 45);
}

static void only_observed(struct stage *s)
{
	s->test.policy.on_breach = ON_BREACH_OBSERVE;
	s->world.answer = bad;
	stage_start(s, 45);
}

static void step_hook(struct stage *s)
{
	test_policy_add(&s->test, LIST_STEP_PASSED, "tell");
	stage_start(s, 72);
	s->world.latency_ms = 4 * SECOND;
	stage_run(s, 7);
}

static void with_load(struct stage *s, enum action_list list)
{
	static const struct load_stage stages[] = {{300 * SECOND, 500}};
	struct action *load = test_policy_add(&s->test, list, "users");

	load->kind = ACTION_LOAD;
	load->stop_on_failure = true;
	load->u.load.stages = stages;
	load->u.load.n_stages = 1;
}

static void under_load(struct stage *s)
{
	static const struct load_live live = {
		62000, 300000, 500, 480.25, 203.4, 0.001, 0};

	with_load(s, LIST_LOAD);
	s->test.steps[0].load = 1;
	s->world.load_ms = 300 * SECOND;
	s->load = &live;
	stage_start(s, 90);
}

static void under_load_elsewhere(struct stage *s)
{
	under_load(s);
	s->load = NULL;
}

static void after_load(struct stage *s)
{
	under_load_elsewhere(s);
	stage_run(s, 230);
}

static void preflight_load(struct stage *s)
{
	with_load(s, LIST_PREFLIGHT);
	s->world.latency_ms = 5 * SECOND;
	stage_start(s, 7);
}

static void finishing(struct stage *s)
{
	s->test.policy.n_steps = 1;
	test_policy_add(&s->test, LIST_PROMOTED, "tell");
	s->test.steps[0].percent = 100;
	stage_start(s, 72);
	s->world.latency_ms = 4 * SECOND;
	stage_run(s, 12);
}

static void taken_up(struct stage *s)
{
	stage_start(s, 45);
	s->world.latency_ms = 5 * SECOND;
	world_crash(&s->world, 30 * SECOND);
	stage_run(s, 1);
}

/* ---- held ---- */

static void held_without_data(struct stage *s)
{
	s->world.answer = no_value;
	stage_start(s, 120);
}

static void held_with_few_requests(struct stage *s)
{
	s->test.slos[0].requests = "sum(r)";
	s->test.slos[0].requests_min = 50;
	s->world.answer = few_requests;
	stage_start(s, 120);
}

static void held_with_half_answers(struct stage *s)
{
	s->world.answer = half_an_answer;
	stage_start(s, 120);
}

static void held_without_metrics(struct stage *s)
{
	s->world.answer = lost_after_40_s;
	stage_start(s, 70);
}

static void held_by_an_slo(struct stage *s)
{
	s->test.policy.on_breach = ON_BREACH_HOLD;
	s->world.answer = bad_after_40_s;
	stage_start(s, 60);
}

static void held_by_a_hook(struct stage *s)
{
	test_policy_add(&s->test, LIST_STARTED, "announce")->stop_on_failure =
		true;
	s->world.action = all_fail;
	stage_start(s, 20);
}

static void held_without_stable(struct stage *s)
{
	struct event event = {.type = EVENT_STABLE,
		.stable_state = STABLE_GONE,
		.text = "backend-1 was deleted"};

	stage_start(s, 45);
	s->world.stable_state = STABLE_GONE;
	world_feed(&s->world, &event);
}

static void held_and_paused(struct stage *s)
{
	held_without_data(s);
	stage_say(s, VERB_PAUSE, "bob", "asking the vendor");
}

/* ---- people ---- */

static void paused(struct stage *s)
{
	stage_start(s, 45);
	stage_say(s, VERB_PAUSE, "bob", "lunch");
	stage_run(s, 10);
}

static void approved_while_paused(struct stage *s)
{
	gated(s);
	stage_say(s, VERB_PAUSE, "bob", "");
	stage_run(s, 5);
	stage_say(s, VERB_APPROVE, "carol", "fine by me");
}

static void about_to_be_paused(struct stage *s)
{
	s->world.serve_delay_ms = 60 * SECOND;
	stage_start(s, 5);
	stage_say(s, VERB_PAUSE, "bob", "");
}

/* ---- back ---- */

static void reverting(struct stage *s)
{
	s->world.answer = bad_after_40_s;
	stage_start(s, 40);
	s->world.serve_delay_ms = 60 * SECOND;
	stage_run(s, 15);
}

static void reverting_in_vain(struct stage *s)
{
	s->world.answer = bad_after_40_s;
	stage_start(s, 40);
	s->world.write_trouble = -1;
	s->world.write_result = WRITE_BUSY;
	stage_run(s, 60);
}

static void not_reverted(struct stage *s)
{
	reverting_in_vain(s);
	stage_run(s, 700);
}

static void sequence(struct stage *s)
{
	test_policy_add(&s->test, LIST_ROLLBACK, "cache");
	stage_start(s, 45);
	s->world.latency_ms = 4 * SECOND;
	stage_say(s, VERB_ABORT, "bob", "customers call");
	stage_run(s, 12);
}

static void sequence_again(struct stage *s)
{
	test_policy_add(&s->test, LIST_ROLLBACK, "cache")->retries = 3;
	s->world.action = all_fail;
	stage_start(s, 45);
	stage_say(s, VERB_ABORT, "bob", "");
	stage_run(s, 6);
}

static void last_look(struct stage *s)
{
	stage_start(s, 45);
	s->world.write_trouble = 1;
	s->world.write_result = WRITE_UNKNOWN;
	s->world.write_applies = true;
	stage_say(s, VERB_ABORT, "bob", "");
	stage_run(s, 10);
}

static void undoing(struct stage *s)
{
	s->world.spec = s->world.serving = (struct split){100, 0, 0};
	s->world.serve_delay_ms = 60 * SECOND;
	world_undo(&s->world);
	stage_run(s, 5);
}

/* ---- ended ---- */

static void promoted(struct stage *s)
{
	stage_start(s, 600);
}

static void rolled_back(struct stage *s)
{
	s->world.answer = bad_after_40_s;
	stage_start(s, 600);
}

static void rolled_back_with_a_failure(struct stage *s)
{
	test_policy_add(&s->test, LIST_ROLLBACK, "cache");
	s->world.action = all_fail;
	s->world.answer = bad_after_40_s;
	stage_start(s, 600);
}

static void rollback_failed(struct stage *s)
{
	test_policy_add(&s->test, LIST_ROLLBACK, "cache")->stop_on_failure =
		true;
	s->world.action = all_fail;
	s->world.answer = bad_after_40_s;
	stage_start(s, 600);
}

static void drift_is_told(struct stage *s)
{
	test_policy_add(&s->test, LIST_STOPPED, "tell");
	stage_start(s, 42);
	world_drift(&s->world, (struct split){10, 60, 30});
	s->world.latency_ms = 4 * SECOND;
	stage_run(s, 7);
}

static void stopped(struct stage *s)
{
	stage_start(s, 42);
	world_drift(&s->world, (struct split){10, 60, 30});
	stage_run(s, 60);
}

/* ---- who drives it, and the journal ---- */

static void undriven_hold(struct stage *s)
{
	held_without_data(s);
	s->driver = SUMMARY_UNDRIVEN;
}

static void undriven_gate(struct stage *s)
{
	gated(s);
	s->driver = SUMMARY_UNDRIVEN;
}

static void recorded_only(struct stage *s)
{
	static const struct store_command commands[] = {
		{.verb = "approve", .who = "bob", .comment = "fine by me"},
		{.verb = "pause", .who = "carol", .comment = ""}};

	gated(s);
	s->driver = SUMMARY_UNDRIVEN;
	s->waiting = commands;
	s->n_waiting = 2;
}

static void undriven_bake(struct stage *s)
{
	baking(s);
	s->driver = SUMMARY_UNDRIVEN;
}

static void undriven_revert(struct stage *s)
{
	reverting(s);
	s->driver = SUMMARY_UNDRIVEN;
}

static void late_journal(struct stage *s)
{
	baking(s);
	s->journal = SUMMARY_JOURNAL_LATE;
}

static void no_journal(struct stage *s)
{
	reverting(s);
	s->journal = SUMMARY_UNJOURNALED;
}

/* clang-format off */
const struct situation situations[] = {
	{"looked at", looked_at,
		"Nothing has moved yet: backend is looked at.",
		"If nothing speaks against it, 10 % comes next."},
	{"preflight action", preflight_action,
		"Nothing has moved yet: action \"smoke\" of preflight runs "
		"(1 of 1).",
		"When it has ended, 10 % comes next."},
	{"preflight load", preflight_load,
		"Nothing has moved yet: action \"users\" of preflight runs "
		"(1 of 1), since 00:00:05 UTC, until 00:05:05 UTC (in 4m58s).",
		"When it has ended, 10 % comes next."},
	{"under load", under_load,
		"backend-2 has served 10 % for 1m26s: its load \"users\" is "
		"made, since 00:00:13 UTC, until 00:05:13 UTC (in 3m44s), now "
		"500 users, 480.2/s, p95 203.4 ms, 0.1 % failed; error-rate "
		"passes.",
		"When it has ended, and a window after it, the bake of 1m "
		"begins. An SLO that fails reverts it at once."},
	{"under load elsewhere", under_load_elsewhere,
		"backend-2 has served 10 % for 1m26s: its load \"users\" is "
		"made, since 00:00:13 UTC, until 00:05:13 UTC (in 3m44s); "
		"error-rate passes.",
		"When it has ended, and a window after it, the bake of 1m "
		"begins. An SLO that fails reverts it at once."},
	{"after load", after_load,
		"backend-2 has served 10 % for 5m16s; its load is over, and "
		"its window goes by; error-rate passes.",
		"The bake of 1m begins at 00:05:33 UTC (in 14s); answers count "
		"from then on. An SLO that fails reverts it at once."},
	{"tagging", tagging,
		"Nothing has moved yet: the tag \"canary\" is put on "
		"backend-2.",
		"When it is there, 10 % comes next, else it is refused at "
		"00:10:00 UTC (in 9m58s)."},
	{"refused", refused,
		"Refused, nothing has moved: somebody changed the traffic.",
		"It has ended. Remove what speaks against it and run it "
		"again."},
	{"gated", gated,
		"Step 1 of 3 (10 %) waits for approval: 0 of 1 given; "
		"nobody is on backend-2.",
		"It goes to 10 % when bob or carol approves, else it is "
		"held at 00:10:00 UTC (in 9m15s)."},
	{"half approved", half_approved,
		"Step 1 of 3 (10 %) waits for approval: 1 of 2 given (bob); "
		"nobody is on backend-2.",
		"It goes to 10 % when carol approves, else it is held at "
		"00:10:00 UTC (in 9m15s)."},
	{"approved and waiting", approved_and_waiting,
		"Step 2 of 3 (50 %) is approved by bob and waits: "
		"error-rate: no data: the query has no value; backend-2 "
		"serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:01:33 "
		"UTC (in 4s) at the earliest, else it is held at 00:11:13 "
		"UTC (in 9m44s)."},
	{"nobody approved", nobody_approved,
		"Held: nobody approved in time (step 1 of 3 (10 %), 0 of "
		"1); nobody is on backend-2.",
		"It goes to 10 % when bob or carol approves, else it "
		"reverts at 00:15:00 UTC (in 4m15s); `continue` does not "
		"help; `abort` goes back now."},
	{"on its way", on_its_way,
		"Step 1 of 3 (10 %): traffic is on its way; nobody is on "
		"backend-2.",
		"When it serves, it settles for 10s and bakes for 1m, else "
		"it reverts at 00:10:00 UTC (in 9m55s). An SLO that fails "
		"reverts it at once."},
	{"not written", not_written,
		"Step 1 of 3 (10 %): traffic is on its way; nobody is on "
		"backend-2; the last try: trouble.",
		"When it serves, it settles for 10s and bakes for 1m, else "
		"it reverts at 00:10:00 UTC (in 9m40s). An SLO that fails "
		"reverts it at once."},
	{"settling", settling,
		"backend-2 has served 10 % for 2s, and settles; error-rate "
		"passes.",
		"The bake of 1m begins at 00:00:13 UTC (in 8s); answers "
		"count from then on. An SLO that fails reverts it at once."},
	{"baking", baking,
		"backend-2 has served 10 % for 41s; error-rate passes.",
		"50 % comes at 00:01:13 UTC (in 29s) if these hold. An SLO "
		"that fails reverts it at once."},
	{"first breach", first_breach,
		"backend-2 has served 10 % for 41s; error-rate: 14.8 % > "
		"max 1 % (1 of the last 3; 2 of 3 fail).",
		"50 % comes at 00:01:13 UTC (in 29s) if every SLO passes "
		"until then, else it is held at 00:01:13 UTC (in 29s). One "
		"more breach of error-rate among its last 3 checks reverts "
		"it at once."},
	{"nothing known yet", nothing_known_yet,
		"backend-2 has served 10 % for 26s; error-rate: no data: "
		"the query has no value.",
		"50 % comes at 00:01:13 UTC (in 44s) if every SLO passes "
		"until then, else it is held at 00:01:13 UTC (in 44s). An "
		"SLO that fails reverts it at once."},
	{"too short", too_short,
		"backend-2 has served 10 % for 41s; error-rate passes.",
		"It is held at 00:01:13 UTC (in 29s): its time is over "
		"before all SLOs can pass; 50 % follows when they do, at "
		"00:01:33 UTC (in 49s) at the earliest. An SLO that fails "
		"reverts it at once."},
	{"one of two", one_of_two,
		"backend-2 has served 10 % for 41s; 1 of 2 SLOs pass; "
		"latency-p95: 73.8 ms > 73.2 ms (1.5 × stable's 48.8 ms) (4 "
		"of the last 10; 9 of 10 fail).",
		"50 % comes at 00:01:13 UTC (in 29s) if every SLO passes "
		"until then, else it is held at 00:01:13 UTC (in 29s). An "
		"SLO that fails reverts it at once."},
	{"last step", last_step,
		"backend-2 has served 100 % for 41s; error-rate passes.",
		"Promotion comes at 00:01:13 UTC (in 29s) if these hold. An "
		"SLO that fails reverts it at once."},
	{"only observed", only_observed,
		"backend-2 has served 10 % for 41s; error-rate: 14.8 % > "
		"max 1 %.",
		"50 % comes at 00:01:13 UTC (in 29s) if these hold. An SLO "
		"that fails is only told of."},
	{"step hook", step_hook,
		"backend-2 has served 10 % for 1m15s, step 1 has passed: "
		"action \"tell\" of hooks.step_passed runs (1 of 1); "
		"error-rate passes.",
		"When it has ended, 50 % comes next."},
	{"finishing", finishing,
		"Every step has passed, backend-2 serves 100 %: the finish "
		"is written.",
		"When that serves, it is promoted, else it is left as it is "
		"at 00:11:17 UTC (in 9m54s)."},
	{"taken up", taken_up,
		"Taken up again, the service is not read yet. backend-2 has "
		"served 10 % for 1m12s; error-rate: is asked anew.",
		"It goes on when the service was read."},
	{"held without data", held_without_data,
		"Held: error-rate: no data: the query has no value; "
		"backend-2 serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:02:23 "
		"UTC (in 24s) at the earliest, else it reverts at 00:06:13 "
		"UTC (in 4m14s); `continue` does not help; `abort` goes "
		"back now."},
	{"held with few requests", held_with_few_requests,
		"Held: error-rate has too few requests (15.6 of 50 in 20s); "
		"backend-2 serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:02:23 "
		"UTC (in 24s) at the earliest, else it reverts at 00:06:13 "
		"UTC (in 4m14s); `continue` does not help; `abort` goes "
		"back now."},
	{"held with half answers", held_with_half_answers,
		"Held: error-rate: no data: the answer is incomplete; "
		"backend-2 serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:02:23 "
		"UTC (in 24s) at the earliest, else it reverts at 00:06:13 "
		"UTC (in 4m14s); `continue` does not help; `abort` goes "
		"back now."},
	{"held without metrics", held_without_metrics,
		"Held: error-rate could not be evaluated 4 times in a row: "
		"metrics are in trouble; backend-2 serves 10 %.",
		"It goes on by itself when the metrics answer again, at "
		"00:01:13 UTC (in 4s) at the earliest, else it reverts at "
		"00:05:50 UTC (in 4m41s); `continue` does not help; `abort` "
		"goes back now."},
	{"held by an slo", held_by_an_slo,
		"Held: error-rate: 14.8 % > max 1 %; backend-2 serves 10 %.",
		"A person decides: `continue` overrules the SLO, `abort` "
		"takes it back, else it reverts at 00:05:53 UTC (in 4m54s)."},
	{"held by a hook", held_by_a_hook,
		"Held: hook `started`: action \"announce\" failed; nobody "
		"is on backend-2.",
		"A person decides: `continue` goes on in spite of it, "
		"`abort` takes it back, else it reverts at 00:05:00 UTC (in "
		"4m41s)."},
	{"held without stable", held_without_stable,
		"Held: there is no way back: backend-1 was deleted; "
		"backend-2 serves 10 %.",
		"It goes on by itself when backend-1 is ready again, else "
		"it reverts at 00:05:45 UTC (in 5m); `continue` does not "
		"help; `abort` goes back now."},
	{"held and paused", held_and_paused,
		"Held: error-rate: no data: the query has no value; "
		"backend-2 serves 10 %; paused as well by bob at 00:02:00 "
		"UTC (asking the vendor).",
		"It is paused when every SLO passes, at 00:02:23 UTC (in "
		"24s) at the earliest, else it reverts at 00:06:13 UTC (in "
		"4m14s); `continue` takes back the pause alone; `abort` "
		"goes back now."},
	{"paused", paused,
		"Paused by bob at 00:00:45 UTC (lunch); backend-2 serves 10 "
		"%, error-rate passes.",
		"Nothing moves before somebody says `continue`. An SLO that "
		"fails reverts it at once."},
	{"approved while paused", approved_while_paused,
		"Paused by bob at 00:00:45 UTC; step 1 is approved by carol "
		"meanwhile; nobody is on backend-2.",
		"Nothing moves before somebody says `continue`."},
	{"about to be paused", about_to_be_paused,
		"Step 1 of 3 (10 %): traffic is on its way; nobody is on "
		"backend-2; paused by bob at 00:00:05 UTC, as soon as the "
		"split serves.",
		"When it serves, it is paused, else it reverts at 00:10:00 "
		"UTC (in 9m55s). An SLO that fails reverts it at once."},
	{"reverting", reverting,
		"Reverting: error-rate: 14.8 % > max 1 %; backend-2 serves "
		"10 %, backend-1 is given its 100 % back.",
		"When stable serves, the rollback sequence runs, else the "
		"rollback has failed at 00:10:53 UTC (in 9m59s)."},
	{"reverting in vain", reverting_in_vain,
		"Reverting: error-rate: 14.8 % > max 1 %; backend-2 serves "
		"10 %, backend-1 is given its 100 % back; the last try: "
		"trouble.",
		"When stable serves, the rollback sequence runs, else the "
		"rollback has failed at 00:10:53 UTC (in 9m14s)."},
	{"not reverted", not_reverted,
		"The rollback failed, a person is needed: stable could not "
		"be given its traffic back: the split did not serve in "
		"time: trouble; backend-2 serves 10 %.",
		"It has ended. `tidegate rollback backend --policy "
		"policy.yaml` tries again, `tidegate report "
		 SITUATION_ID "` lists what is left to do."},
	{"sequence", sequence,
		"backend-1 serves 100 % again (aborted by bob: customers "
		"call); action \"cache\" of rollback runs (1 of 1).",
		"When that has ended, the rollout ends as rolled-back."},
	{"sequence again", sequence_again,
		"backend-1 serves 100 % again (aborted by bob); action "
		"\"cache\" of rollback has failed and is tried again at "
		"00:00:54 UTC (in 4s) (attempt 4 of 4).",
		"When that has ended, the rollout ends as rolled-back."},
	{"last look", last_look,
		"backend-1 serves 100 % again (aborted by bob); the traffic "
		"is read a last time.",
		"Then it ends as rolled-back; not before 00:01:05 UTC (in "
		"10s), since a write without an answer may take effect "
		"until then."},
	{"undoing", undoing,
		"Reverting: rolled back by alice; backend-2 serves 100 %, "
		"backend-1 is given its 100 % back.",
		"When stable serves, the rollback sequence runs, else the "
		"rollback has failed at 00:10:00 UTC (in 9m55s)."},
	{"promoted", promoted,
		"Promoted: backend-2 serves 100 %; every step has passed; "
		"the candidate is pinned, new deployments get no traffic by "
		"themselves.",
		"It has ended: nothing comes any more."},
	{"rolled back", rolled_back,
		"Rolled back: backend-1 serves 100 %; error-rate: 14.8 % > "
		"max 1 %.",
		"It has ended: nothing comes any more."},
	{"rolled back with a failure", rolled_back_with_a_failure,
		"Rolled back: backend-1 serves 100 %; error-rate: 14.8 % > "
		"max 1 %; 1 action failed (cache).",
		"It has ended: nothing comes any more."},
	{"rollback failed", rollback_failed,
		"The rollback failed, a person is needed: the sequence "
		"stopped: action \"cache\" failed (error-rate: 14.8 % > max "
		"1 %); nobody is on backend-2; 1 action failed (cache).",
		"It has ended. `tidegate rollback backend --policy "
		"policy.yaml` tries again, `tidegate report "
		 SITUATION_ID "` lists what is left to do."},
	{"drift is told", drift_is_told,
		"Stopping: traffic is not what was last set; nothing is "
		"written any more; who is to be told is told: action "
		"\"tell\" of hooks.stopped runs (1 of 1).",
		"When that has ended, the rollout ends as stopped."},
	{"stopped", stopped,
		"Stopped: traffic is not what was last set; nothing is "
		"written any more (candidate 10 %, stable 60 %, others 30 "
		"%; last set was candidate 10 %, stable 90 %: stopped); "
		"backend-2 serves 10 %, others 30 %.",
		"It has ended, tidegate writes nothing any more. `tidegate "
		"report " SITUATION_ID "` lists what is left to "
		"do."},
	{"undriven hold", undriven_hold,
		"Held: error-rate: no data: the query has no value; "
		"backend-2 serves 10 %. Nobody drives it: the SLOs are not "
		"watched.",
		"Nothing happens by itself. `tidegate resume "
		 SITUATION_ID "` goes on with it: it reads "
		"the service first; if that is after 00:06:13 UTC, it "
		"reverts then."},
	{"undriven gate", undriven_gate,
		"Step 1 of 3 (10 %) waits for approval: 0 of 1 given; "
		"nobody is on backend-2. Nobody drives it.",
		"Nothing happens by itself. `tidegate resume "
		 SITUATION_ID "` goes on with it: it reads "
		"the service first; if that is after 00:10:00 UTC, it is "
		"held then."},
	{"recorded only", recorded_only,
		"Step 1 of 3 (10 %) waits for approval: 0 of 1 given; "
		"nobody is on backend-2. Nobody drives it. Recorded and "
		"not taken yet: approve by bob (fine by me), pause by "
		"carol.",
		"Nothing happens by itself. `tidegate resume "
		SITUATION_ID "` goes on with it: it reads the service "
		"first; if that is after 00:10:00 UTC, it is held then."},
	{"undriven bake", undriven_bake,
		"backend-2 has served 10 % for 41s; error-rate passes. "
		"Nobody drives it: the SLOs are not watched.",
		"Nothing happens by itself. `tidegate resume "
		 SITUATION_ID "` goes on with it: it reads "
		"the service first."},
	{"undriven revert", undriven_revert,
		"Reverting: error-rate: 14.8 % > max 1 %; backend-2 serves "
		"10 %, backend-1 is given its 100 % back. Nobody drives it: "
		"stable does not get its traffic back by itself.",
		"Nothing happens by itself. `tidegate resume "
		 SITUATION_ID "` goes on with it: it reads "
		"the service first."},
	{"late journal", late_journal,
		"backend-2 has served 10 % for 41s; error-rate passes. The "
		"journal cannot be written at the moment: what needs it "
		"waits.",
		"50 % comes at 00:01:13 UTC (in 29s) if these hold. An SLO "
		"that fails reverts it at once."},
	{"no journal", no_journal,
		"Reverting: error-rate: 14.8 % > max 1 %; backend-2 serves "
		"10 %, backend-1 is given its 100 % back. The journal "
		"cannot be written: stable gets its traffic back and "
		"nothing else is done.",
		"When stable serves, the rollback sequence runs, else the "
		"rollback has failed at 00:10:53 UTC (in 9m59s)."},
	{"weighed", weighed,
		"backend-2 has served 10 % for 1m56s; errors: candidate 0 % "
		"(0 of 590), stable 0.094 % (5 of 5,314); against 0.0 of "
		"3.0, for 0.2 of 3.0.",
		"50 % comes at 00:10:13 UTC (in 8m14s) if these hold. An "
		"SLO that fails reverts it at once."},
	{"weighed by pace", weighed_by_pace,
		"backend-2 has served 10 % for 1m56s; errors: candidate 0 % "
		"(0 of 590), stable 0.094 % (5 of 5,314); against 0.0 of "
		"3.0, for 0.2 of 3.0.",
		"50 % comes at 00:10:13 UTC (in 8m14s) if these hold, "
		"earlier when there is evidence enough. An SLO that fails "
		"reverts it at once."},
	{"going back to ask", going_back_to_ask,
		"Stepped back: errors: candidate 10 % (603 of 5,911), more "
		"than is normal (0.2 %); there is nothing to compare with: "
		"back to 10 % to ask stable; if stable has it too, the "
		"rollout goes on by itself. Step 1 of 3 (10 %): traffic is "
		"on its way; backend-2 serves 100 %, errors: candidate 10 % "
		"(603 of 5,911), stable has no requests; against 0.0 of "
		"3.0, for 0.0 of 3.0.",
		"When it serves, it settles for 10s and bakes for 10m, else "
		"it reverts at 00:32:23 UTC (in 9m55s). An SLO that fails "
		"reverts it at once."},
	{"stepped back", stepped_back,
		"Stepped back: errors: candidate 10 % (603 of 5,911), more "
		"than is normal (0.2 %); there is nothing to compare with: "
		"back to 10 % to ask stable; if stable has it too, the "
		"rollout goes on by itself. backend-2 has served 10 % for "
		"2m; errors: candidate 0 % (0 of 587), stable 0.11 % (6 of "
		"5,277); against 0.0 of 3.0, for 0.3 of 3.0.",
		"50 % comes at 00:32:35 UTC (in 8m10s) if these hold. An "
		"SLO that fails reverts it at once."},
	{"stepped back twice", stepped_back_twice,
		"Rolled back: backend-1 serves 100 %; errors: candidate 14 "
		"% (629 of 4,637), stable 0.16 % (2 of 1,227), 83 times as "
		"many; a candidate as good as stable shows this in 1 of 45 "
		"rollouts (limit: 1 of 20).",
		"It has ended: nothing comes any more."},
	{"silent", silent,
		"backend-2 has served 10 % for 1m56s; errors: no data: the "
		"candidate has no fresh sample.",
		"When errors has samples of backend-2 again, 50 % comes at "
		"00:10:13 UTC (in 8m14s) at the earliest, else it is held "
		"at 00:05:58 UTC (in 3m59s). An SLO that fails reverts it "
		"at once."},
	{"weighed without control", weighed_without_control,
		"backend-2 has served 100 % for 1m; errors: candidate 0.11 "
		"% (5 of 4,411), stable 0.067 % (1 of 1,500); against 0.0 "
		"of 3.0, for 8.7 of 3.0.",
		"Promotion comes at 00:30:38 UTC (in 9m10s) if these hold. "
		"An SLO that fails takes it back to 10 % at once, to ask "
		"stable."},
	{"held without control", held_without_control,
		"Held: errors: candidate 13 % (584 of 4,411), more than is "
		"normal (0.2 %); a candidate as good as stable shows this "
		"in 1 of 27 rollouts (limit: 1 of 20); backend-2 serves 100 "
		"%.",
		"A person decides: `continue` overrules the SLO, `abort` "
		"takes it back, else it reverts at 00:26:23 UTC (in 4m59s)."},
	{"held by stable in trouble", held_by_stable_in_trouble,
		"Held: errors: waiting: stable has errors itself (3 %, "
		"normal 2.6 %); no step to a share without a control before "
		"it is calm; backend-2 serves 50 %.",
		"It goes on by itself when backend-1 is calm again, else it "
		"reverts at 00:35:25 UTC (in 4m59s); `continue` does not "
		"help; `abort` goes back now."},
	{"held with few to weigh", held_with_few_to_weigh,
		"Held: errors: the candidate had 60 requests in this step, "
		"100 are needed to tell (min_requests); backend-2 serves 10 "
		"%.",
		"It goes on by itself when it has had requests enough, else "
		"it reverts at 00:25:13 UTC (in 4m59s); `continue` does not "
		"help; `abort` goes back now."},
	{"held in doubt", held_in_doubt,
		"Held: errors: some evidence against the candidate: against "
		"1.3 of 3.0, for 0.0 of 3.0; backend-2 serves 10 %.",
		"It goes on by itself when the evidence against it is gone, "
		"else it reverts at 00:25:13 UTC (in 4m59s); `continue` "
		"does not help; `abort` goes back now."},
	{"held in silence", held_in_silence,
		"Held: errors: no data: the candidate has no fresh sample; "
		"backend-2 serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:06:13 "
		"UTC (in 14s) at the earliest, else it reverts at 00:10:58 "
		"UTC (in 4m59s); `continue` does not help; `abort` goes "
		"back now."},
	{"stable is silent", stable_is_silent,
		"backend-2 has served 10 % for 1m56s; errors: candidate 0 % "
		"(0 of 590), stable has no requests; against 0.0 of 3.0, "
		"for 0.1 of 3.0.",
		"50 % comes at 00:10:13 UTC (in 8m14s) if these hold. An "
		"SLO that fails reverts it at once."},
};
/* clang-format on */
const size_t n_situations = sizeof(situations) / sizeof(situations[0]);
