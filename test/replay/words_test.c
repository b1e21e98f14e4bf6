/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about a rollout: reasons are whole and name the cause. */
#include "scenario_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "report/report.h"

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

/* ---- the report ---- */

static char *report_now(enum page_format format)
{
	struct report *report;
	struct buf out;
	struct err err;

	report = report_load(NULL, fake_store_newest(), policy_given(), &err);
	if (!report)
		fail_msg("%s", err.text);
	buf_init(&out, REPORT_BYTES_MAX);
	report_write(report, format, &out);
	report_free(&report);
	return buf_steal(&out);
}

static void expect_report(const char *wanted, const char *unwanted)
{
	char *text = report_now(PAGE_MARKDOWN);

	if (wanted && !strstr(text, wanted))
		fail_msg("without \"%s\": %s", wanted, text);
	if (unwanted && strstr(text, unwanted))
		fail_msg("with \"%s\": %s", unwanted, text);
	free(text);
}

static const char one_step[] =
	"steps: [{percent: 20, bake: 100s}, {percent: 100, bake: 100s}]\n"
	"settle: 5s\n";

/* The SLO breached, was held and overruled; later a person aborted. */
static void an_abort_is_not_blamed_on_an_slo(void **state)
{
	given_policy(one_step, slo_errors, "on_breach: hold\n", NULL);
	run();
	until_step(0);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_HELD);
	until(fake_now() + 60 * SECOND);
	fake_store_command("abort", "bob", "enough", -1);
	until_the_end();
	expect_exit(6);
	expect_report("aborted by bob: enough", "What decided");
	expect_report("from the decision to users back: 1s", NULL);
}

/* Bad from 25 s into the step on; two of three checks revert. */
static void a_report_begins_with_what_people_ask(void **state)
{
	given_policy(one_step, slo_errors, NULL);
	run();
	until_step(0);
	until(fake_now() + 25 * SECOND);
	errors_of(FAKE_NEW, 0.031);
	until_the_end();
	expect_exit(5);
	expect_report(
		"# shop: rolled-back\n\nRolled back: shop-1 serves", NULL);
	expect_report("- highest share of traffic: 20 %\n", NULL);
	expect_report("- had users for: 36s (12.0 %·min of traffic)\n", NULL);
	/* Two checks, 10 s apart, and the write. */
	expect_report("- from the first bad sample to users back: 11s (", NULL);
	expect_report("- decided by: errors (an SLO)\n", NULL);
	expect_report("| errors | 3.1 % |  | 1 % | 3.1 % |", NULL);
}

static void who_decided_is_named(void **state)
{
	given_policy(one_step, slo_errors, NULL);
	run();
	until_step(0);
	fake_store_command("pause", "carol", "wait", -1);
	until(fake_now() + 2 * SECOND);
	fake_store_command("abort", "bob", "enough", -1);
	until_the_end();
	expect_report("- decided by: bob (abort)\n", "first bad sample");
}

/* One that has not ended says what comes, and what helps. */
static void a_report_of_what_goes_on_says_what_comes(void **state)
{
	given_policy(policy_gate, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	expect_report("Nobody drives it", NULL);
	expect_report("it has not ended, this is how it stood", NULL);
	expect_report("- tidegate resume ", "decided by");
}

static void too_few_requests_are_no_value_of_an_slo(void **state)
{
	char *json;

	given_policy(one_step,
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 20s, interval: 10s, min_passes: 1,\n"
		"     requests: {query: 'requests{r=\"{{candidate}}\"}',\n"
		"     min: 5000}}\n",
		NULL);
	fake_metrics_say("requests", SAYS_VALUE, 4452);
	run();
	until(80 * SECOND);
	expect_report("| errors |  |  |  |  | 9 no data | no data: too few "
		      "requests (4452 \\< min 5000) |",
		NULL);
	expect_not_journaled("check", "\"value\":4452");
	json = report_now(PAGE_HTML);
	assert_null(strstr(json, ">5,000<")); /* on the axis */
	assert_null(strstr(json, ">5000<"));
	free(json);
}

static void the_limit_that_decided_is_drawn(void **state)
{
	char *html;

	given_policy(one_step,
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{revision}}\"}',\n"
		"     compare: stable, max_ratio: 1.5, window: 20s,\n"
		"     interval: 10s, min_passes: 1, fail_after: 2}\n",
		NULL);
	errors_of(FAKE_STABLE, 0.02);
	errors_of(FAKE_NEW, 0.02);
	run();
	until_step(0);
	until(fake_now() + 30 * SECOND);
	errors_of(FAKE_NEW, 0.2);
	until_the_end();
	expect_exit(5);
	html = report_now(PAGE_HTML);
	assert_non_null(strstr(html, "<path class=\"limit\""));
	/* Stable's share, and what is 1.5 times that. */
	assert_non_null(strstr(html, "class=\"key other\">stable<"));
	assert_non_null(strstr(html, ">effective limit<"));
	assert_non_null(strstr(html, "<circle class=\"ring\""));
	free(html);
}

static void a_failed_preflight_action_is_nothing_to_do_by_hand(void **state)
{
	given_policy(policy_short,
		"preflight:\n"
		"  - {name: smoke, type: exec, command: [act, smoke]}\n",
		NULL);
	fake_deed_fails("smoke", false);
	run();
	until_the_end();
	expect_report("preflight: action", "by hand");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_reason_has_all_that_the_other_side_said),
		SCENARIO(a_comment_is_cut_between_letters),
		SCENARIO(a_refusal_names_the_preflight_action),
		SCENARIO(an_abort_is_not_blamed_on_an_slo),
		SCENARIO(a_report_begins_with_what_people_ask),
		SCENARIO(who_decided_is_named),
		SCENARIO(a_report_of_what_goes_on_says_what_comes),
		SCENARIO(too_few_requests_are_no_value_of_an_slo),
		SCENARIO(the_limit_that_decided_is_drawn),
		SCENARIO(a_failed_preflight_action_is_nothing_to_do_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
