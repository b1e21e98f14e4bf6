/* What is said about a rollout: reasons are whole and name the cause. */
#include "scenario_test.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* As Cloud Run writes it, when a container does not come up. */
#define CLOUD_RUN_SAYS                                                       \
	"Revision shop-2 is not ready and cannot serve traffic. The user-"   \
	"provided container failed to start and listen on the port defined " \
	"by the PORT=8080 environment variable. Logs URL: "                  \
	"https://console.cloud.google.com/logs/viewer?"

static void a_reason_has_all_that_the_other_side_said(void **state)
{
	run();
	fake_run_fault("{'kind': 'operation-error', 'method': 'PATCH', "
		       "'code': 9, 'message': '" CLOUD_RUN_SAYS "', "
		       "'for': '24h'}");
	while (!fake_run.patches)
		until(fake_now() + 10);
	until_the_end();
	expect_exit(5);
	expect_reason(CLOUD_RUN_SAYS);
}

static void a_comment_is_cut_between_letters(void **state)
{
	char comment[1024] = "";
	const char *reason;
	uint32_t letter;
	size_t len;

	for (size_t n = 0; n < 3; n++) {
		scenario_close();
		scenario_open(1);
		run();
		until_step(0);
		memset(comment, 'x', n);
		for (len = n; len + 2 < sizeof(comment) - 1; len += 2)
			memcpy(comment + len, "é", 2);
		comment[len] = '\0';
		fake_store_command("abort", "bob", comment, -1);
		until_the_end();
		expect_exit(6);
		reason = fake_store_reason(fake_store_newest());
		assert_true(strlen(reason) > 400);
		for (; *reason; reason += len) {
			len = utf8_decode(reason, &letter);
			assert_int_not_equal(len, 0);
		}
	}
}

static void a_refusal_names_the_preflight_action(void **state)
{
	given_policy(policy_short,
		"preflight:\n"
		"  - {name: smoke, type: exec, command: [act, smoke]}\n",
		NULL);
	fake_deed_fails("smoke", false);
	run();
	until_the_end();
	expect_exit(4);
	expect_reason("preflight: action \"smoke\" failed: exit ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_reason_has_all_that_the_other_side_said),
		SCENARIO(a_comment_is_cut_between_letters),
		SCENARIO(a_refusal_names_the_preflight_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
