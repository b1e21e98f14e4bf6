/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the API's behaviour is not known, the sandbox has both readings: a
 * good release is promoted and a bad one taken back whichever is true.
 */
#include "scenario_test.h"

static const struct run_options the_new_one = {.wish = {.candidate = FAKE_NEW}};

static const char *const readings[] = {
	"etag=lax",
	"uris=absent",
	"routesCondition=absent",
	"observedWhenBroken=stays",
	"writeWhenBroken=fails",
	"idleTargets=unchecked",
	"busyWrite=refused",
	"sameWrite=counted",
	"failedWriteAgain=ignored",
	"fieldWrite=ignored",
	"writesPerMinute=3",
	"operationDelay=15s",
};

#define READINGS (sizeof(readings) / sizeof(readings[0]))

static void run_as(const char *reading)
{
	scenario_close();
	scenario_open(1);
	given_policy(policy_short, NULL);
	fake_run_option(reading);
	run_with(&the_new_one);
}

static void a_good_release_is_promoted_in_any_case(void **state)
{
	for (size_t i = 0; i < READINGS; i++) {
		run_as(readings[i]);
		until_the_end();
		expect_exit(0);
		expect_serving(FAKE_NEW, 100);
		expect_writes_at_most(3);
	}
}

static void a_bad_release_is_taken_back_in_any_case(void **state)
{
	for (size_t i = 0; i < READINGS; i++) {
		run_as(readings[i]);
		until_step(0);
		errors_of(FAKE_NEW, 0.5);
		until_the_end();
		expect_exit(5);
		expect_serving(FAKE_STABLE, 100);
		expect_writes_at_most(2);
	}
}

/* A reset or a status hides what became of the write. */
static void a_write_whose_answer_was_lost_is_found_in_any_case(void **state)
{
	for (size_t i = 0; i < READINGS; i++) {
		run_as(readings[i]);
		fake_run_fault("{'kind': 'reset', 'method': 'PATCH', "
			       "'when': 'after'}");
		until_the_end();
		expect_exit(0);
		expect_serving(FAKE_NEW, 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_good_release_is_promoted_in_any_case),
		SCENARIO(a_bad_release_is_taken_back_in_any_case),
		SCENARIO(a_write_whose_answer_was_lost_is_found_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
