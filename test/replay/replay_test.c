/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions and orders of effects, driver and all, on a virtual clock. What a
 * scenario is made of is in scenario.h.
 */
#include "scenario_test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_S 20

static void a_good_release_is_promoted(void **state)
{
	run();
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
	expect_writes_at_most(4);
	expect_journal("step-passed", NULL);
}

static void a_bad_release_is_reverted(void **state)
{
	given_policy(policy_short, NULL);
	run();
	until_step(1);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + 12 * SECOND);
	until_the_end();
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
	assert_string_equal(fake_deeds_order(), "undo purge");
}

static void who_dies_while_baking_is_followed_by_one_who_reverts(void **state)
{
	given_policy(policy_short, NULL);
	resume_after(3 * SECOND);
	run();
	until_step(0);
	crash();
	errors_of(FAKE_NEW, 0.5);
	until_the_rollout_ends(1);
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
	assert_int_equal(fake_deeds("undo"), 1);
}

/* FNV-1a over all that is durable. */
static uint64_t journal_hash(void)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < fake_store_entries(); i++) {
		struct fake_entry entry = fake_store_entry(i);

		hash = (hash ^ (uint64_t)entry.time_ms) * 1099511628211U;
		for (const char *at = entry.data; *at; at++)
			hash = (hash ^ (unsigned char)*at) * 1099511628211U;
	}
	return hash;
}

static uint64_t rollout_of_seed(uint64_t seed)
{
	scenario_close();
	scenario_open(seed);
	fake_loop_late(20);
	given_policy(policy_short, NULL);
	run();
	until_the_end();
	expect_exit(0);
	return journal_hash();
}

static void the_same_seed_gives_the_same_journal(void **state)
{
	uint64_t first = rollout_of_seed(7);

	assert_true(first == rollout_of_seed(7));
	assert_true(first != rollout_of_seed(8));
}

static jmp_buf back;

static void jump_back(const char *text)
{
	longjmp(back, strstr(text, "somebody wrote") == text ? 1 : 2);
}

static void leave(const char *text)
{
	_exit(3);
}

static void find_fault(const struct fake_request *request)
{
	promise(strcmp(request->method, "PATCH") != 0, "somebody wrote");
}

/* What is left of the process that broke it is never freed: only a process of
 * its own can do that. */
static int break_promise_and_go_on(void)
{
	int how;

	promise_broken = jump_back;
	fake_http_on_send = find_fault;
	how = setjmp(back);
	if (!how) {
		run();
		until_the_end();
	}
	promise_broken = leave;
	scenario_close();
	scenario_open(1);
	run();
	until_the_end();
	expect_exit(0);
	return how;
}

/* As books do: the code that broke it is still under way. */
static void a_promise_that_breaks_in_mid_turn_ends_its_scenario_alone(
	void **state)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(DEADLINE_S);
		_exit(break_promise_and_go_on());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_good_release_is_promoted),
		SCENARIO(a_bad_release_is_reverted),
		SCENARIO(who_dies_while_baking_is_followed_by_one_who_reverts),
		SCENARIO(the_same_seed_gives_the_same_journal),
		SCENARIO(
			a_promise_that_breaks_in_mid_turn_ends_its_scenario_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
