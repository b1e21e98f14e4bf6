/* SPDX-License-Identifier: Apache-2.0 */
/* Values put over a policy: where they go, and what is said of bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"

static const char source[] =
	"version: 1\n"
	"name: sim\n"
	"metrics: {url: 'https://metrics.example'}\n"
	"steps:\n"
	"  - {percent: 10, bake: 2m}\n"
	"  - {percent: 50, bake: 2m}\n"
	"  - {percent: 100, bake: 2m}\n"
	"slos:\n"
	"  - {name: errors, query: e, max: 1%, critical: 50%, window: 1m,\n"
	"     interval: 10s, fail_after: {breaches: 2, of: 3}, min_passes: 3}\n"
	"settle: 10s\n"
	"hold_timeout: 5m\n";

static struct policy *policy_with(const char *const *sets, size_t n)
{
	struct policy_env env = {.sets = sets, .n_sets = n};

	return policy_given(&env, "%s", source);
}

static void values_are_put_over_the_policy(void **state)
{
	static const char *const sets[] = {"slos.errors.max=2%",
		"slos.1.fail_after={breaches: 3, of: 4}", "steps.2.bake=5m",
		"settle=1s", "slos.errors.critical=null", "steps.2=null",
		"steps.2.bake=7m", "hold_timeout="};
	struct policy *policy =
		policy_with(sets, sizeof(sets) / sizeof(sets[0]));

	assert_float_equal(policy->slos[0].max, 0.02, 1e-12);
	assert_int_equal(policy->slos[0].fail_breaches, 3);
	assert_int_equal(policy->slos[0].fail_of, 4);
	assert_false(policy->slos[0].has_critical);
	assert_int_equal(policy->settle_ms, 1000);
	assert_int_equal(policy->n_steps, 2);
	assert_int_equal(policy->steps[1].percent, 100);
	assert_int_equal(policy->steps[1].bake_ms, 7 * 60000);
	assert_int_equal(policy->hold_timeout_ms, 30 * 60000);
	assert_string_equal(policy->source, source);
	policy_free(&policy);
}

static void bad_values_put_over_the_policy_are_told_with_their_text(
	void **state)
{
	static const struct {
		const char *set, *error;
	} rows[] = {
		{"slos.errors.max=2x", "--set:1:17: error: \"2x\" is not a"},
		{"setle=1s", "--set:1:1: error: a policy has no key \"setle\": "
			     "did you mean settle?"},
		{"slos.error.max=1", "no entry \"error\" in this list: did you "
				     "mean errors?"},
		{"steps.4.bake=1m",
			"no entry \"4\" in this list: write 1 to 3"},
		{"steps.0.bake=1m", "no entry \"0\""},
		{"steps.-1.bake=1m", "no entry \"-1\""},
		{"steps.99999999999999999999.bake=1m", "no entry \"9999"},
		{"steps.1.bake.x=1m", "there is nothing inside \"bake\""},
		{"settle", "this sets nothing: write KEY=VALUE"},
		{"=1", "a key is empty"},
		{"a..b=1", "a key is empty"},
		{"a.b.c.d.e.f.g.h.i=1", "too many keys"},
		{"settle=[1", "--set:1:"},
		{"steps.2.percent=5", "the percents of steps must rise"},
		{"hooks.x=1", "hooks has no key \"x\""},
	};
	struct policy_env env = {.n_sets = 1};
	struct policy *policy;
	struct buf problems;
	struct err err;
	size_t i;

	buf_init(&problems, 65536);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&problems);
		env.sets = &rows[i].set;
		policy = policy_parse("sim.yaml", source, sizeof(source) - 1,
			&env, &problems, &err);
		if (policy)
			fail_msg("%s was taken", rows[i].set);
		if (!strstr(problems.data, rows[i].error) ||
			!strstr(problems.data, rows[i].set))
			fail_msg("%s: %s", rows[i].set, problems.data);
	}
	buf_fini(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_put_over_the_policy),
		cmocka_unit_test(
			bad_values_put_over_the_policy_are_told_with_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
