/* SPDX-License-Identifier: Apache-2.0 */
/* Values put over a policy: where they go, and what is said of bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/placeholder_env.h"
#include "policy/yaml_doc.h"
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

/* A policy of this project, and what is put over it. */
struct policy_file {
	const char *name;
	struct buf text;
	size_t n_keys;
};

static void file_read(struct policy_file *file, const char *name)
{
	const char *top = getenv("srcdir");
	const struct policy_env *env = &policy_env_real;
	char path[512];
	struct err err;

	snprintf(path, sizeof(path), "%s/policies/%s", top ? top : ".", name);
	*file = (struct policy_file){.name = name};
	buf_init(&file->text, 65536);
	if (env->read_file(path, &file->text, &err, env->arg) < 0)
		fail_msg("%s", err.text);
}

static void refuses(struct policy_file *file, const char *key)
{
	struct policy_env env = placeholder_env;
	struct policy *policy;
	struct buf problems;
	struct err err;
	char text[256];
	const char *const set = text;

	snprintf(text, sizeof(text), "%s=[[bogus]]", key);
	env.sets = &set;
	env.n_sets = 1;
	buf_init(&problems, 65536);
	policy = policy_parse(file->name, file->text.data, file->text.len, &env,
		&problems, &err);
	if (policy || !strstr(problems.data, "--set:1:"))
		fail_msg("%s: %s: %s", file->name, text, problems.data);
	buf_fini(&problems);
	file->n_keys++;
}

/* Each key below, entries of lists by their numbers; of a key with what parts
 * keys in it, only what is above it can be said. */
static void each_key_refuses(
	struct policy_file *file, const struct node *node, const char *above)
{
	const struct node *inner;
	char key[192];
	size_t i = 0;

	for (inner = node->first; inner; inner = inner->next) {
		if (node->kind == NODE_SEQUENCE) {
			snprintf(key, sizeof(key), "%s.%zu", above, ++i);
		} else {
			if (strpbrk(inner->key->text, ".="))
				continue;
			snprintf(key, sizeof(key), "%s%s%s", above,
				above[0] ? "." : "", inner->key->text);
			refuses(file, key);
		}
		if (inner->kind == NODE_MAPPING ||
			(inner->kind == NODE_SEQUENCE && inner->first &&
				inner->first->kind == NODE_MAPPING))
			each_key_refuses(file, inner, key);
	}
}

static void every_key_refuses_what_is_none_of_its_values(void **state)
{
	static const struct {
		const char *name;
		size_t n_keys;
	} rows[] = {{"canary-10-50-100.yaml", 50}, {"full-rollback.yaml", 70}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct problems problems = {.path = rows[i].name};
		struct arena arena;
		struct policy_file file;
		struct node *root;

		file_read(&file, rows[i].name);
		arena_init(&arena);
		problems.arena = &arena;
		problems.source = file.text.data;
		problems.source_len = file.text.len;
		root = yaml_parse(&arena, &problems);
		assert_non_null(root);
		each_key_refuses(&file, root, "");
		assert_true(file.n_keys > rows[i].n_keys);
		buf_fini(&file.text);
		arena_fini(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_put_over_the_policy),
		cmocka_unit_test(
			bad_values_put_over_the_policy_are_told_with_their_text),
		cmocka_unit_test(every_key_refuses_what_is_none_of_its_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
