/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors without their revision, and the budgets that are made of them. What
 * the rules do is tested by promtool, in test/e2e/slo.bats. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"
#include "slo/slo_print.h"

static struct arena arena;

static const struct template_values values = {
	.project = "acme", .region = "us-central1", .service = "back\"end"};

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static const char *without_revision(const char *text)
{
	struct selector selector;
	struct err err;

	if (selector_parse(&selector, text, &values, &arena, &err) < 0)
		return "";
	return selector_print(&selector, &arena);
}

static void matchers_of_a_revision_are_left_out(void **state)
{
	static const struct {
		const char *text, *left;
	} rows[] = {
		{"up", "up"},
		{" up {} ", "up"},
		{"a:b{}", "a:b"},
		{"up{revision=\"{{revision}}\"}", "up"},
		{"up{r=\"{{ candidate }}\",code=~\"5..\"}",
			"up{code=~\"5..\"}"},
		{"up{code!~'5..' , r=~'.*-{{stable}}',}", "up{code!~\"5..\"}"},
		{"{__name__=\"up\",r=\"{{revision}}\"}", "{__name__=\"up\"}"},
		{"up{a=\"x,y}\",b!=\"\"} # {{revision}}",
			"up{a=\"x,y}\",b!=\"\"}"},
		{"up{ # all,\n a=\"1\" }", "up{a=\"1\"}"},
		{"up{a=`b\\d`,c=\"d\\\\d\\\"\\n\"}",
			"up{a=\"b\\\\d\",c=\"d\\\\d\\\"\\n\"}"},
		{"up{s=\"{{service}}\",p=\"{{project}}\"}",
			"up{s=\"back\\\"end\",p=\"acme\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(
			without_revision(rows[i].text), rows[i].left);
}

static void a_template_without_a_value_is_said(void **state)
{
	static const struct template_values none = {.service = "s"};
	struct selector selector;
	struct err err;

	(void)state;
	assert_int_equal(selector_parse(&selector, "up{p=\"{{project}}\"}",
				 &none, &arena, &err),
		-1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.text, "--project"));
}

static void too_many_matchers_are_refused(void **state)
{
	char text[1024] = "up{";
	struct selector selector;
	struct err err;

	(void)state;
	for (int i = 0; i <= SELECTOR_MATCHERS_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"a%d=\"x\",", i);
	strcat(text, "}");
	assert_int_equal(
		selector_parse(&selector, text, &values, &arena, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

/* ---- examples ---- */

static const char *example(
	const char *text, const char *also, const char * not )
{
	struct selector selector, second, third, labels;
	struct err err;

	assert_int_equal(
		selector_parse(&selector, text, &values, &arena, &err), 0);
	if (also)
		assert_int_equal(
			selector_parse(&second, also, &values, &arena, &err),
			0);
	if (not )
		assert_int_equal(
			selector_parse(&third, not, &values, &arena, &err), 0);
	if (!selector_example(&selector, also ? &second : NULL,
		    not ? &third : NULL, &labels))
		return NULL;
	return selector_print(&labels, &arena);
}

static void examples_are_what_selectors_take_and_do_not(void **state)
{
	(void)state;
	assert_string_equal(
		example("up{code=~\"5..\"}", NULL, NULL), "up{code=\"500\"}");
	assert_string_equal(example("up{code!~\"5..|404\"}", NULL, NULL),
		"up{code=\"200\"}");
	assert_string_equal(
		example("up{a=\"b\"}", NULL, "up{a=\"b\",code=~\"5..\"}"),
		"up{code=\"200\",a=\"b\"}");
	assert_string_equal(
		example("up", NULL, "up{code!~\"5..\"}"), "up{code=\"500\"}");
	assert_string_equal(
		example("up{success=\"false\"}", "up{job=\"x\"}", NULL),
		"up{success=\"false\",job=\"x\"}");
	assert_null(example("up{a=~\"[^x]{40}\"}", NULL, NULL));
	/* It takes all that the other one takes. */
	assert_null(example("up{a=\"b\"}", NULL, "up{a=\"b\"}"));
}

/* ---- budgets ---- */

static struct policy *policy_of(const char *slos)
{
	return policy_given(&policy_env_real,
		"version: 1\nname: budgets\n"
		"metrics: {url: 'http://127.0.0.1:9090'}\n"
		"steps: [{percent: 100, bake: 1h}]\nslos: [%s]\n",
		slos);
}

static void make(const char *slos, double objective, int days,
	struct slo_rules *rules_r, struct policy **policy_r)
{
	struct slo_wish wish = {.service = "backend",
		.objective = objective,
		.latency_objective = 0.995,
		.period_ms = days * INT64_C(86400000)};
	struct err err;

	*policy_r = policy_of(slos);
	assert_int_equal(
		slo_rules_make(rules_r, *policy_r, &wish, &arena, &err), 0);
}

#define ERRORS "{use: http/error-rate}"

static void factors_are_those_of_the_declared_period(void **state)
{
	static const struct {
		int days;
		double factor[SLO_TIERS];
	} rows[] = {{30, {14.4, 6, 3, 1}}, {28, {13.44, 5.6, 2.8, 1}},
		{7, {3.36, 1.4, 1, 1}}, {90, {43.2, 18, 9, 3}}};
	struct slo_rules rules;
	struct policy *policy;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		make(ERRORS, 0.999, rows[i].days, &rules, &policy);
		assert_int_equal(rules.objective[0].n_tiers, SLO_TIERS);
		for (size_t j = 0; j < SLO_TIERS; j++)
			assert_true(fabs(rules.objective[0].tier[j].factor -
					    rows[i].factor[j]) < 1e-9);
		policy_free(&policy);
	}
}

static void what_could_never_fire_is_left_out(void **state)
{
	struct slo_rules rules;
	struct policy *policy;

	(void)state;
	make(ERRORS, 0.93, 30, &rules, &policy);
	assert_int_equal(rules.objective[0].n_tiers, 3);
	assert_string_equal(rules.objective[0].tier[0].window, "6h");
	policy_free(&policy);
}

static void a_latency_counts_what_is_within_its_bound(void **state)
{
	struct slo_rules rules;
	struct policy *policy;

	(void)state;
	make("{use: http/latency-p95, max: 2s}, "
	     "{name: ms, use: http/latency-p95, max: 250ms, with: {metric: "
	     "request_ms, unit: ms}}, "
	     "{name: own, query: up, max: 1, total: h_count, good: "
	     "'h_bucket{le=\"0.3\"}'}",
		0.999, 30, &rules, &policy);
	assert_int_equal(rules.n, 3);
	assert_string_equal(slo_ratio(&rules.objective[0], "5m", &arena),
		"1 - sum(rate(http_request_duration_seconds_bucket"
		"{le=~\"2([.]0)?\"}[5m]))\n"
		"  / sum(rate(http_request_duration_seconds_count[5m]))");
	assert_string_equal(selector_print(&rules.objective[1].part, &arena),
		"request_ms_bucket{le=~\"250([.]0)?\"}");
	for (int i = 0; i < 3; i++)
		assert_true(rules.objective[i].target == 0.995);
	policy_free(&policy);
}

static void a_query_of_ones_own_has_no_counts_of_a_preset(void **state)
{
	struct slo_rules rules;
	struct policy *policy;

	(void)state;
	make("{use: http/error-rate, query: up}", 0.999, 30, &rules, &policy);
	assert_int_equal(rules.n, 0);
	assert_int_equal(rules.n_left_out, 1);
	policy_free(&policy);
}

static void failures_that_never_were_are_none(void **state)
{
	struct slo_rules rules;
	struct policy *policy;

	(void)state;
	make(ERRORS, 0.999, 30, &rules, &policy);
	assert_string_equal(slo_ratio(&rules.objective[0], "1h", &arena),
		"(sum(rate(http_requests_total{code=~\"5..\"}[1h])) or 0 * "
		"sum(rate(http_requests_total[1h])))\n"
		"  / sum(rate(http_requests_total[1h]))");
	policy_free(&policy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(matchers_of_a_revision_are_left_out),
		TEST(a_template_without_a_value_is_said),
		TEST(too_many_matchers_are_refused),
		TEST(examples_are_what_selectors_take_and_do_not),
		TEST(factors_are_those_of_the_declared_period),
		TEST(what_could_never_fire_is_left_out),
		TEST(a_latency_counts_what_is_within_its_bound),
		TEST(a_query_of_ones_own_has_no_counts_of_a_preset),
		TEST(failures_that_never_were_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
