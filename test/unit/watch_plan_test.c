/* SPDX-License-Identifier: Apache-2.0 */
/* What is done about a watched service, situation by situation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "serve/watch_plan.h"

#define OLD   "backend-1"
#define NEW   "backend-2"
#define NEWER "backend-3"
#define RUNS  .running = "backend-20260101-000000-abcd"
#define MADE  .since_ms = 1000, .made_known = true, .made_ms = 1001

static const struct {
	const char *what;
	struct watch_case c;
	struct watch_plan plan;
} rows[] = {
	{"nothing is new", {.ready = OLD, .serving = OLD},
		{WATCH_NOTHING, WATCH_IDLE, false, false}},
	{"nothing was ever ready", {.serving = NULL},
		{WATCH_NOTHING, WATCH_NOT_READY, false, false}},
	{"a new revision is asked when it was made",
		{.ready = NEW, .serving = OLD, .since_ms = 1000},
		{WATCH_ASK, WATCH_STARTING, false, false}},
	{"what is known of another revision is not of this one",
		{.ready = NEW, .serving = OLD, .since_ms = 1000, .made_ms = 5},
		{WATCH_ASK, WATCH_STARTING, false, false}},
	{"made after the watch began it is released",
		{.ready = NEW, .serving = OLD, MADE},
		{WATCH_START, WATCH_STARTING, false, false}},
	{"made in the moment of the first look it is not",
		{.ready = NEW,
			.serving = OLD,
			.since_ms = 1000,
			.made_known = true,
			.made_ms = 1000},
		{WATCH_NOTHING, WATCH_OLD, false, false}},
	{"a time that is not told is before the watch",
		{.ready = NEW,
			.serving = OLD,
			.since_ms = 1000,
			.made_known = true},
		{WATCH_NOTHING, WATCH_OLD, false, false}},
	{"rolled back once it stays so",
		{.ready = NEW,
			.serving = OLD,
			MADE,
			.past = "r",
			.past_phase = PHASE_ROLLED_BACK},
		{WATCH_NOTHING, WATCH_REJECTED, false, false}},
	{"so does one whose rollback failed",
		{.ready = NEW,
			.serving = OLD,
			MADE,
			.past = "r",
			.past_phase = PHASE_ROLLBACK_FAILED,
			.needs_person = true},
		{WATCH_NOTHING, WATCH_REJECTED, false, false}},
	{"what was refused is not tried again every look",
		{.ready = NEW,
			.serving = OLD,
			MADE,
			.past = "r",
			.past_phase = PHASE_REFUSED},
		{WATCH_NOTHING, WATCH_RELEASED, false, false}},
	{"what was promoted and then left is not released again",
		{.ready = NEW,
			.serving = OLD,
			MADE,
			.past = "r",
			.past_phase = PHASE_PROMOTED},
		{WATCH_NOTHING, WATCH_RELEASED, false, false}},
	{"a newer one waits for a person after a failed rollback",
		{.ready = NEWER, .serving = OLD, MADE, .needs_person = true},
		{WATCH_NOTHING, WATCH_BLOCKED, false, false}},
	{"LATEST has released it already",
		{.ready = NEW, .serving = NEW, .by_latest = true, MADE},
		{WATCH_NOTHING, WATCH_LATEST, false, false}},
	{"LATEST is about to release it",
		{.ready = NEW, .serving = OLD, .by_latest = true, MADE},
		{WATCH_NOTHING, WATCH_LATEST, false, false}},
	{"LATEST is pinned before the next deploy",
		{.ready = NEW, .serving = NEW, .by_latest = true, .pin = true},
		{WATCH_PIN, WATCH_LATEST, false, false}},
	{"a change that is under way is not overtaken by a pin",
		{.ready = OLD,
			.serving = OLD,
			.by_latest = true,
			.pin = true,
			.reconciling = true},
		{WATCH_NOTHING, WATCH_LATEST, false, false}},
	{"nor is anything pinned beside a rollout",
		{.ready = NEW,
			.serving = OLD,
			.by_latest = true,
			.pin = true,
			RUNS,
			.running_candidate = NEW},
		{WATCH_NOTHING, WATCH_RUNNING, false, false}},
	{"a share of LATEST is not pinned",
		{.ready = NEW, .by_latest = true, .pin = true},
		{WATCH_NOTHING, WATCH_LATEST, false, false}},
	{"a split that others made is theirs", {.ready = NEW, MADE},
		{WATCH_NOTHING, WATCH_SPLIT, false, false}},
	{"several regions are not released",
		{.ready = NEW, .serving = OLD, .multi_region = true, MADE},
		{WATCH_NOTHING, WATCH_UNSUPPORTED, false, false}},
	{"without its policy it is not released",
		{.ready = NEW, .serving = OLD, MADE, .has_problem = true},
		{WATCH_NOTHING, WATCH_PROBLEM, false, false}},
	{"in a freeze it is not",
		{.ready = NEW, .serving = OLD, MADE, .is_frozen = true},
		{WATCH_NOTHING, WATCH_FROZEN, false, false}},
	{"its own rollout runs",
		{.ready = NEW,
			RUNS,
			.running_candidate = NEW,
			.past = "r",
			.past_phase = PHASE_BAKING,
			MADE},
		{WATCH_NOTHING, WATCH_RUNNING, false, false}},
	{"a rollout in preflight may be its own",
		{.ready = NEW,
			.serving = OLD,
			RUNS,
			.running_candidate = "",
			MADE},
		{WATCH_NOTHING, WATCH_RUNNING, false, false}},
	{"beside a rollout a newer one is asked, too",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			.since_ms = 1000},
		{WATCH_ASK, WATCH_RUNNING, false, false}},
	{"a newer one waits",
		{.ready = NEWER, RUNS, .running_candidate = NEW, MADE},
		{WATCH_NOTHING, WATCH_WAITING, true, false}},
	{"the newest waits instead of it",
		{.ready = "backend-4",
			RUNS,
			.running_candidate = NEW,
			MADE,
			.waiting = NEWER},
		{WATCH_NOTHING, WATCH_WAITING, true, true}},
	{"what waits goes on waiting",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.waiting = NEWER},
		{WATCH_NOTHING, WATCH_WAITING, true, false}},
	{"an old one does not wait",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			.since_ms = 1000,
			.made_known = true,
			.made_ms = 5},
		{WATCH_NOTHING, WATCH_RUNNING, false, false}},
	{"a rejected one does not wait",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.past = "r",
			.past_phase = PHASE_ROLLED_BACK},
		{WATCH_NOTHING, WATCH_RUNNING, false, false}},
	{"a newer one replaces what the watch began",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.newer = NEWER_REPLACE,
			.claimed = NEW,
			.running_phase = PHASE_BAKING},
		{WATCH_REVERT, WATCH_REPLACING, true, false}},
	{"for what is not to begin by its policy nothing is replaced",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.newer = NEWER_REPLACE,
			.claimed = NEW,
			.running_phase = PHASE_BAKING,
			.has_problem = true},
		{WATCH_NOTHING, WATCH_WAITING, true, false}},
	{"nor for what a freeze holds up",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.newer = NEWER_REPLACE,
			.claimed = NEW,
			.running_phase = PHASE_BAKING,
			.is_frozen = true},
		{WATCH_NOTHING, WATCH_WAITING, true, false}},
	{"what goes back already is waited for",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.newer = NEWER_REPLACE,
			.claimed = NEW,
			.running_phase = PHASE_REVERTING},
		{WATCH_NOTHING, WATCH_REPLACING, true, false}},
	{"what runs its rollback sequence, too",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.newer = NEWER_REPLACE,
			.claimed = NEW,
			.running_phase = PHASE_ROLLING_BACK},
		{WATCH_NOTHING, WATCH_REPLACING, true, false}},
	{"what a person began is not replaced",
		{.ready = NEWER,
			RUNS,
			.running_candidate = NEW,
			MADE,
			.newer = NEWER_REPLACE,
			.claimed = OLD,
			.running_phase = PHASE_BAKING},
		{WATCH_NOTHING, WATCH_WAITING, true, false}},
	{"after the end the newest is released, and the older one is not",
		{.ready = NEWER, .serving = OLD, MADE, .waiting = NEW},
		{WATCH_START, WATCH_STARTING, false, true}},
};

static void each_situation_has_its_deed(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct watch_case c = rows[i].c;
		struct watch_plan plan, want = rows[i].plan;

		c.waiting = c.waiting ? c.waiting : "";
		c.claimed = c.claimed ? c.claimed : "";
		plan = watch_plan_of(&c);
		if (plan.deed == want.deed && plan.state == want.state &&
			plan.waits == want.waits && plan.skips == want.skips)
			continue;
		wrong++;
		print_error("%s: deed %d, %s, waits %d, skips %d\n",
			rows[i].what, plan.deed, watch_state_name(plan.state),
			plan.waits, plan.skips);
	}
	assert_int_equal(wrong, 0);
}

static void nothing_is_started_beside_a_rollout_or_twice(void **state)
{
	static const char *const names[] = {NULL, OLD, NEW, NEWER, ""};
	size_t n = 0;

	(void)state;
	for (int bits = 0; bits < 4 * 4 * 4 * 5 * 128 * PHASES; bits++) {
		int rest = bits / (4 * 4 * 4 * 5);
		struct watch_case c = {
			.ready = names[bits % 4],
			.serving = names[bits / 4 % 4],
			.past = names[bits / 16 % 4],
			.running = bits / 64 % 5 ? "r" : NULL,
			.running_candidate = names[bits / 64 % 5]
						     ? names[bits / 64 % 5]
						     : "",
			.by_latest = rest & 1,
			.needs_person = rest & 2,
			.made_known = rest & 4,
			.made_ms = rest & 8 ? 10 : 1,
			.since_ms = 5,
			.newer = rest & 16 ? NEWER_REPLACE : NEWER_QUEUE,
			.has_problem = rest & 32,
			.is_frozen = rest & 64,
			.past_phase = (enum phase)(rest / 128),
			.running_phase = (enum phase)(rest / 128),
			.waiting = "",
			.claimed = NEW,
		};
		struct watch_plan plan = watch_plan_of(&c);

		if (plan.deed != WATCH_START && plan.deed != WATCH_REVERT)
			continue;
		n++;
		assert_false(c.by_latest && plan.deed == WATCH_START);
		assert_null(c.past);
		assert_true(c.made_known && c.made_ms > c.since_ms);
		assert_string_not_equal(c.ready, c.serving ? c.serving : "");
		assert_true(!c.running == (plan.deed == WATCH_START));
		assert_false(c.has_problem || c.is_frozen);
	}
	assert_true(n > 100);
}

static void a_pin_changes_what_latest_has_and_nothing_else(void **state)
{
	struct target list[] = {
		{TARGET_LATEST, NULL, 100, "live", NULL},
		{TARGET_REVISION, OLD, 0, "old", NULL},
		{TARGET_LATEST, NULL, 0, "next", NULL},
	};
	const struct traffic now = {list, 3};
	struct traffic plan;
	struct arena arena;

	(void)state;
	arena_init(&arena);
	watch_plan_pin(&now, NEW, &arena, &plan);
	assert_int_equal(plan.n, 3);
	assert_int_equal(plan.item[0].type, TARGET_REVISION);
	assert_string_equal(plan.item[0].revision, NEW);
	assert_int_equal(plan.item[0].percent, 100);
	assert_string_equal(plan.item[0].tag, "live");
	assert_memory_equal(&plan.item[1], &list[1], 2 * sizeof(list[0]));
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_situation_has_its_deed),
		cmocka_unit_test(
			a_pin_changes_what_latest_has_and_nothing_else),
		cmocka_unit_test(nothing_is_started_beside_a_rollout_or_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
