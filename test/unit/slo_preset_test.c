/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presets: every row is a good SLO by itself, the manual has the same ones with
 * the same parameters, and what a policy gives is put in
 * escaped. Their values are in test/e2e/slo-presets.bats.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/check.h"
#include "policy/policy_load.h"
#include "policy/slo_preset.h"

#define TEXT_MAX (1024 * 1024)

/* A policy of one SLO; NULL: `problems` says why not. */
static struct policy *parse(
	const char *metrics, const char *slo, struct buf *problems)
{
	static const struct policy_env nothing = {0};
	struct policy *policy;
	struct buf text;
	struct err err;

	buf_init(&text, TEXT_MAX);
	buf_addf(&text,
		"version: 1\nname: test\nmetrics: {%s}\n"
		"steps: [{percent: 100, bake: 30m}]\nslos:\n- {%s}\n",
		metrics, slo);
	policy = policy_parse(
		"test.yaml", text.data, text.len, &nothing, problems, &err);
	buf_fini(&text);
	return policy;
}

static struct policy *policy_of(const char *metrics, const char *slo)
{
	struct policy *policy;
	struct buf problems;

	buf_init(&problems, TEXT_MAX);
	policy = parse(metrics, slo, &problems);
	if (!policy)
		fail_msg("%s", problems.data);
	buf_fini(&problems);
	return policy;
}

static void every_row_with_counters_can_be_of_kind_evidence(void **state)
{
	const struct slo_preset *r;
	struct policy *policy;
	const struct slo *slo;
	struct buf problems;
	char text[200];

	for (r = slo_presets; r->use; r++) {
		snprintf(text, sizeof(text), "use: %s, kind: evidence", r->use);
		buf_init(&problems, TEXT_MAX);
		policy = parse("provider: google", text, &problems);
		assert_true(!policy == !r->counts.keys);
		if (policy) {
			slo = &policy->slos[0];
			assert_int_equal(slo->kind, SLO_EVIDENCE);
			assert_string_equal(slo->use, r->use);
			assert_true(slo->objective > 0);
			assert_true(!slo->total == !slo->bad);
			assert_true(!slo->total == !!slo->buckets);
			assert_true(!slo->buckets == !(slo->bound > 0));
			assert_int_equal(slo->interval_ms, 60000);
		} else {
			assert_non_null(strstr(
				problems.data, "no good and bad requests"));
		}
		policy_free(&policy);
		buf_fini(&problems);
	}
}

/* `max` of the preset, and the unit of its histogram. */
static void a_limit_of_a_preset_is_its_objective(void **state)
{
	static const struct {
		const char *slo;
		double objective, bound, bound_le;
	} rows[] = {
		{"use: http/error-rate, kind: evidence", 0.01, 0, 0},
		{"use: http/error-rate, kind: evidence, max: 0.3%", 0.003, 0,
			0},
		{"use: http/latency-p95, kind: evidence", 0.05, 1, 1},
		{"use: http/latency-p95, kind: evidence, max: 570ms, "
		 "with: {unit: ms}",
			0.05, 0.57, 570},
		{"use: cloud-run/latency-p99, kind: evidence, max: 800ms", 0.01,
			0.8, 800},
		{"use: cloud-run/latency-p50, kind: evidence", 0.5, 0.25, 250},
	};
	struct policy *policy;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		policy = policy_of("url: \"https://m.example\"", rows[i].slo);
		assert_true(policy->slos[0].objective == rows[i].objective);
		assert_true(policy->slos[0].bound == rows[i].bound);
		assert_true(policy->slos[0].bound_le == rows[i].bound_le);
		policy_free(&policy);
	}
}

static void every_row_is_a_good_slo_by_itself(void **state)
{
	static const char *const sources[] = {
		"provider: google", "url: \"https://m.example\""};
	struct policy *policy;
	const struct slo *slo;
	char text[200];

	for (size_t i = 0; i < 2; i++) {
		for (const struct slo_preset *r = slo_presets; r->use; r++) {
			snprintf(text, sizeof(text), "use: %s", r->use);
			policy = policy_of(sources[i], text);
			slo = &policy->slos[0];
			assert_string_equal(slo->name, slo_preset_name(r->use));
			assert_true(slo->has_max || slo->has_min);
			assert_null(strpbrk(slo->query, "<>"));
			assert_true(!slo->requests == !r->requests);
			if (slo->requests)
				assert_null(strpbrk(slo->requests, "<>"));
			assert_int_equal(slo->no_data, NO_DATA_WAIT);
			assert_true(slo->window_ms >= 4 * slo->interval_ms);
			policy_free(&policy);
		}
	}
}

static void every_row_may_be_compared_or_says_it_cannot(void **state)
{
	struct policy *policy;
	struct buf problems;
	char text[200];

	buf_init(&problems, TEXT_MAX);
	for (const struct slo_preset *r = slo_presets; r->use; r++) {
		snprintf(
			text, sizeof(text), "use: %s, compare: stable", r->use);
		policy = parse("provider: google", text, &problems);
		assert_true(!policy == !r->compare);
		if (!policy)
			continue;
		assert_true(policy->slos[0].compare_stable);
		assert_true(policy->slos[0].has_max);
		assert_int_equal(policy->slos[0].no_baseline, NO_BASELINE_SKIP);
		assert_non_null(strstr(policy->slos[0].name, "-vs-stable"));
		policy_free(&policy);
	}
	assert_non_null(strstr(problems.data, "cannot be compared"));
	buf_fini(&problems);
}

/* One failed request among the fewest that count is no breach. */
static void one_failure_alone_is_no_breach(void **state)
{
	struct policy *policy =
		policy_of("provider: google", "use: cloud-run/error-rate");
	const struct slo *slo = &policy->slos[0];

	assert_true(1 / slo->requests_min <= slo->max);
	policy_free(&policy);
	policy = policy_of("provider: google",
		"use: cloud-run/error-rate, compare: stable");
	slo = &policy->slos[0];
	assert_true(1 / slo->requests_min <= slo->max_increase);
	policy_free(&policy);
}

static void what_the_policy_says_takes_precedence(void **state)
{
	struct policy *policy = policy_of("provider: google",
		"use: cloud-run/error-rate, name: x, max: 3%, window: 10m, "
		"interval: 2m, requests: {min: 7}, min_passes: 2, no_data: "
		"breach, fail_after: 1");
	const struct slo *slo = &policy->slos[0];

	assert_string_equal(slo->name, "x");
	assert_true(slo->max == 0.03 && slo->critical == 0.1);
	assert_int_equal(slo->window_ms, 600000);
	assert_int_equal(slo->interval_ms, 120000);
	assert_true(slo->requests_min == 7);
	assert_non_null(strstr(slo->requests, "increase("));
	assert_int_equal(slo->min_passes, 2);
	assert_int_equal(slo->no_data, NO_DATA_BREACH);
	assert_int_equal(slo->fail_of, 1);
	/* delay, window, one sample */
	assert_int_equal(policy->settle_ms, (4 + 10 + 1) * 60000);
	policy_free(&policy);
	policy = policy_of(
		"provider: google", "use: cloud-run/error-rate, max: 10%");
	assert_false(policy->slos[0].has_critical);
	policy_free(&policy);
}

static void sources_whose_samples_are_known_keep_their_defaults(void **state)
{
	struct policy *policy =
		policy_of("provider: google", "name: a, query: up, max: 1");

	assert_int_equal(policy->metrics.auth.type, AUTH_GOOGLE);
	assert_int_equal(policy->metrics.delay_ms, 240000);
	assert_int_equal(policy->slos[0].window_ms, 300000);
	assert_int_equal(policy->slos[0].interval_ms, 60000);
	assert_int_equal(policy->settle_ms, 600000);
	policy_free(&policy);
	policy = policy_of("provider: google, delay: 10s, resolution: 5s",
		"name: a, query: up, max: 1");
	assert_int_equal(policy->slos[0].window_ms, 120000);
	assert_int_equal(policy->slos[0].interval_ms, 30000);
	assert_int_equal(policy->settle_ms, 135000);
	policy_free(&policy);
	policy = policy_of(
		"url: \"https://m.example\"", "name: a, query: up, max: 1");
	assert_int_equal(policy->metrics.delay_ms, 0);
	assert_int_equal(policy->settle_ms, 30000);
	policy_free(&policy);
}

/* In whatever order the file has them. */
static void metrics_may_stand_after_the_slos(void **state)
{
	static const char text[] =
		"version: 1\nname: t\nslos: [{name: a, query: up, max: 1}]\n"
		"steps: [{percent: 100, bake: 30m}]\n"
		"metrics: {provider: google}\n";
	static const struct policy_env nothing = {0};
	struct policy *policy;
	struct buf problems;
	struct err err;

	buf_init(&problems, TEXT_MAX);
	policy = policy_parse(
		"t.yaml", text, sizeof(text) - 1, &nothing, &problems, &err);
	assert_non_null(policy);
	assert_int_equal(policy->slos[0].window_ms, 300000);
	policy_free(&policy);
	buf_fini(&problems);
}

static void settings_find_a_preset_by_its_name(void **state)
{
	static const char text[] =
		"version: 1\nname: t\nmetrics: {provider: google}\n"
		"steps: [{percent: 100, bake: 30m}]\n"
		"slos: [{use: cloud-run/latency-p95}]\n";
	static const char *const sets[] = {"slos.latency-p95.max=3s"};
	struct policy_env env = {.sets = sets, .n_sets = 1};
	struct policy *policy;
	struct buf problems;
	struct err err;

	buf_init(&problems, TEXT_MAX);
	policy = policy_parse(
		"t.yaml", text, sizeof(text) - 1, &env, &problems, &err);
	if (!policy)
		fail_msg("%s", problems.data);
	assert_true(policy->slos[0].max == 3);
	policy_free(&policy);
	buf_fini(&problems);
}

static void a_higher_max_does_without_the_presets_critical(void **state)
{
	struct policy *policy = policy_of("provider: google",
		"use: cloud-run/error-rate, compare: stable, max: 40%");

	assert_true(policy->slos[0].max == 0.4);
	assert_false(policy->slos[0].has_critical);
	policy_free(&policy);
}

/* Where stable has no requests left, the limit on the value decides. */
static void without_a_baseline_max_decides_alone(void **state)
{
	struct policy *policy = policy_of("provider: google",
		"use: cloud-run/error-rate, compare: stable");
	struct slo slo = policy->slos[0];
	struct answers answers = {{{ANSWER_VALUE, 0.049}, {ANSWER_NO_DATA, 0},
		{ANSWER_VALUE, 1000}}};
	struct judgement judgement;

	check_judge(&slo, NULL, &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_PASS);
	assert_true(judgement.limit == 0.05);
	answers.item[QUERY_VALUE].value = 0.051;
	check_judge(&slo, NULL, &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_BREACH);
	/* With one, it decides, too. */
	answers = (struct answers){{{ANSWER_VALUE, 0.022},
		{ANSWER_VALUE, 0.001}, {ANSWER_VALUE, 1000}}};
	check_judge(&slo, NULL, &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_BREACH);
	/* Trouble with it stays trouble, and so does too little traffic. */
	answers.item[QUERY_BASELINE].kind = ANSWER_ERROR;
	check_judge(&slo, NULL, &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_ERROR);
	answers.item[QUERY_BASELINE].kind = ANSWER_NO_DATA;
	answers.item[QUERY_REQUESTS].value = 10;
	check_judge(&slo, NULL, &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_NO_DATA);
	answers.item[QUERY_REQUESTS].value = 1000;
	slo.no_baseline = NO_BASELINE_NO_DATA;
	check_judge(&slo, NULL, &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_NO_DATA);
	policy_free(&policy);
}

/* ---- the manual ---- */

static void the_manual_has_every_row_and_parameter(void **state)
{
	const char *top = getenv("srcdir");
	char path[4096], line[100];
	struct buf manual;
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "%s/contrib/man/tidegate-policy.5",
		top ? top : ".");
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s cannot be read", path);
	buf_init(&manual, TEXT_MAX);
	while ((c = fgetc(file)) != EOF)
		buf_addc(&manual, (char)c);
	fclose(file);
	for (const struct slo_preset *r = slo_presets; r->use; r++) {
		snprintf(line, sizeof(line), ".It %s Ta ", r->use);
		if (!strstr(manual.data, line))
			fail_msg("%s is not in the manual", r->use);
		for (size_t i = 0; r->params[i].name; i++) {
			snprintf(line, sizeof(line), ".It %s Ta ",
				r->params[i].name);
			if (!strstr(manual.data, line))
				fail_msg("%s: %s is not in the manual", r->use,
					r->params[i].name);
		}
	}
	buf_fini(&manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_a_good_slo_by_itself),
		cmocka_unit_test(
			every_row_with_counters_can_be_of_kind_evidence),
		cmocka_unit_test(a_limit_of_a_preset_is_its_objective),
		cmocka_unit_test(every_row_may_be_compared_or_says_it_cannot),
		cmocka_unit_test(one_failure_alone_is_no_breach),
		cmocka_unit_test(what_the_policy_says_takes_precedence),
		cmocka_unit_test(
			sources_whose_samples_are_known_keep_their_defaults),
		cmocka_unit_test(metrics_may_stand_after_the_slos),
		cmocka_unit_test(settings_find_a_preset_by_its_name),
		cmocka_unit_test(
			a_higher_max_does_without_the_presets_critical),
		cmocka_unit_test(without_a_baseline_max_decides_alone),
		cmocka_unit_test(the_manual_has_every_row_and_parameter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
