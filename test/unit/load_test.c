/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of a load: times in buckets, its course, orders, judgements,
 * and what k6 says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/load_codec.h"
#include "base/rng.h"
#include "load/course.h"
#include "load/k6_codec.h"
#include "load/spec_codec.h"
#include "load/tally.h"
#include "status/load_live.h"

/* ---- times ---- */

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void quantiles_are_right_to_one_percent(void **state)
{
	static const double quantiles[] = {0, 0.01, 0.5, 0.9, 0.95, 0.99, 1};
	static struct histogram h;
	static int64_t times[20000];
	const size_t n = sizeof(times) / sizeof(*times);
	struct rng rng;
	int64_t exact;
	size_t rank;

	rng_init(&rng, 7);
	for (size_t i = 0; i < n; i++) {
		/* From microseconds to an hour, each order as often. */
		times[i] = (int64_t)exp(rng_unit(&rng) * log(3.6e9));
		histogram_add(&h, times[i]);
	}
	qsort(times, n, sizeof(*times), by_time);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++) {
		rank = (size_t)ceil(quantiles[i] * (double)n);
		exact = times[rank ? rank - 1 : 0];
		assert_true(
			fabs((double)(histogram_quantile_us(&h, quantiles[i]) -
				      exact)) <= 0.005 * (double)exact);
	}
	assert_int_equal(h.max_us, times[n - 1]);
}

static void every_time_has_a_bucket(void **state)
{
	static struct histogram h;

	for (int64_t us = 0; us < INT64_C(1) << 34; us += us / 50 + 1) {
		histogram_clear(&h);
		histogram_add(&h, us);
		assert_int_equal(h.n, 1);
		assert_true(histogram_quantile_us(&h, 0.5) <= h.max_us);
	}
	histogram_clear(&h);
	histogram_add(&h, -5);
	assert_int_equal(histogram_quantile_us(&h, 1), 0);
	histogram_clear(&h);
	assert_int_equal(histogram_quantile_us(&h, 0.5), 0);
}

/* ---- the course ---- */

static const struct load_stage ramp[] = {{10000, 100}, {20000, 100}, {5000, 0}};

static void levels_go_in_straight_lines(void **state)
{
	const struct course course = {ramp, 3};

	assert_float_equal(course_level(&course, 0), 0, 1e-9);
	assert_float_equal(course_level(&course, 5000000), 50, 1e-9);
	assert_float_equal(course_level(&course, 10000000), 100, 1e-9);
	assert_float_equal(course_level(&course, 32500000), 50, 1e-9);
	assert_float_equal(course_level(&course, 35000000), 0, 1e-9);
	assert_int_equal(course_ms(&course), 35000);
}

/* As many as the area below the lines, none before its time. */
static void arrivals_are_due_when_the_rate_says(void **state)
{
	const struct course course = {ramp, 3};
	struct arrivals arrivals = {.course = &course};
	int64_t at, before = -1;
	int n = 0, in_first = 0, in_tenth = 0;

	while ((at = arrivals_next_us(&arrivals)) >= 0) {
		assert_true(at >= before && at <= 35000000);
		before = at;
		n++;
		in_first += at <= 10000000;
		in_tenth += at > 14000000 && at <= 15000000;
	}
	assert_int_equal(n, 500 + 2000 + 250);
	assert_int_equal(in_first, 500);
	assert_int_equal(in_tenth, 100);
}

static void a_stage_without_requests_has_none(void **state)
{
	static const struct load_stage pause[] = {
		{1000, 0}, {1000, 10}, {3000, 0}, {60000, 0}};
	const struct course course = {pause, 4};
	struct arrivals arrivals = {.course = &course};
	int64_t at;
	int n = 0;

	while ((at = arrivals_next_us(&arrivals)) >= 0) {
		assert_in_range(at, 1000000, 5000000);
		n++;
	}
	assert_int_equal(n, 20);
}

/* ---- orders ---- */

static struct load_spec *spec_of(const struct action_load *load)
{
	static const struct template_values values = {
		.candidate_url = "https://candidate---shop.a.run.app",
		.service = "shop",
	};
	struct load_spec *spec;
	struct buf order;
	struct err err;

	buf_init(&order, LOAD_ORDER_MAX);
	load_order_print(&order, load, &values, true);
	assert_false(order.overflow);
	spec = load_spec_parse(order.data, order.len, &err);
	if (!spec)
		fail_msg("%s in %s", err.text, order.data);
	buf_fini(&order);
	return spec;
}

static struct secret *held(const char *text)
{
	return secret_hold(text, strlen(text));
}

static void an_order_arrives_as_it_was_meant(void **state)
{
	static const int statuses[] = {200, 204};
	static const struct json_expect json[] = {
		{"/balance", true, NULL, JSON_EQUALS},
		{"/n", false, "7", JSON_GREATER}};
	struct header header = {"X-Test", held("a \"b\"")};
	struct load_request requests[] = {
		{"GET", held("{{candidate_url}}/a"), &header, 1, NULL, 3},
		{"POST", held("{{candidate_url}}/b"), NULL, 0,
			"{\"service\": \"{{service}}\"}", 1}};
	struct action_load load = {.requests = requests,
		.n_requests = 2,
		.auth = {AUTH_BASIC, "ada", held("correct-horse"), NULL},
		.tls = {.ca_file = "/ca.pem"},
		.stages = ramp,
		.n_stages = 3,
		.think_ms = 500,
		.warmup_ms = 2000,
		.request_timeout_ms = 9000,
		.expect = {{statuses, 2, "healthy", json, 2, 0},
			{1, 2, 3, 4, 0.25, 1000}}};
	struct load_spec *spec = spec_of(&load);

	assert_int_equal(spec->n_requests, 2);
	assert_int_equal(spec->weights, 4);
	assert_string_equal(
		spec->requests[0].url, "https://candidate---shop.a.run.app/a");
	assert_string_equal(spec->requests[0].headers[1], "a \"b\"");
	assert_null(spec->requests[0].body);
	assert_string_equal(spec->requests[1].body, "{\"service\": \"shop\"}");
	assert_string_equal(spec->requests[1].content_type, "application/json");
	assert_int_equal(spec->auth.type, AUTH_BASIC);
	assert_string_equal(spec->auth.username, "ada");
	assert_string_equal(secret_reveal(spec->auth.secret), "correct-horse");
	assert_string_equal(spec->tls.ca_file, "/ca.pem");
	assert_null(spec->tls.key_file);
	assert_int_equal(spec->n_stages, 3);
	assert_int_equal(spec->stages[1].to, 100);
	assert_int_equal(spec->think_ms, 500);
	assert_int_equal(spec->expect.answer.n_statuses, 2);
	assert_string_equal(spec->expect.answer.body, "healthy");
	assert_true(spec->expect.answer.json[0].exists);
	assert_int_equal(spec->expect.answer.json[1].relation, JSON_GREATER);
	assert_int_equal(spec->expect.limits.p99_ms, 3);
	assert_float_equal(spec->expect.limits.failed, 0.25, 0);
	assert_true(spec->live);
	load_spec_free(&spec);
	for (int i = 0; i < 2; i++)
		secret_free(&requests[i].url);
	secret_free(&header.value);
	secret_free(&load.auth.secret);
}

#define LIMITS_TEXT                                            \
	"\"p50_ms\":0,\"p95_ms\":0,\"p99_ms\":0,\"max_ms\":0," \
	"\"failed\":0.01,\"min_requests\":1"
#define ORDER(requests, rest)                                         \
	"{" LIMITS_TEXT ",\"requests\":[" requests                    \
	"],\"auth\":0,\"statuses\":[],\"json\":[],\"think_ms\":1000," \
	"\"warmup_ms\":0,\"request_timeout_ms\":1000," rest "}"
#define GET_IT                                               \
	"{\"method\":\"GET\",\"url\":\"http://127.0.0.1/\"," \
	"\"weight\":1,\"headers\":[]}"

static void what_is_no_order_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "empty"},
		{"[]", "object"},
		{"{}", "p50_ms"},
		{ORDER("", "\"stages\":[1000,1]"), "requests"},
		{ORDER(GET_IT, "\"stages\":[]"), "stages"},
		{ORDER(GET_IT, "\"stages\":[1000]"), "stages"},
		{ORDER(GET_IT, "\"stages\":[1000,2001]"), "stages"},
		{ORDER("{\"method\":\"STEAL\",\"url\":\"http://127.0.0.1/\","
		       "\"weight\":1,\"headers\":[]}",
			 "\"stages\":[1000,1]"),
			"method"},
		{ORDER("{\"method\":\"GET\",\"url\":\"http://example.com/\","
		       "\"weight\":1,\"headers\":[]}",
			 "\"stages\":[1000,1]"),
			"http"},
		{ORDER("{\"method\":\"GET\",\"url\":\"http://127.0.0.1/\","
		       "\"weight\":1,\"headers\":[\"A\",\"b\\r\\nC: d\"]}",
			 "\"stages\":[1000,1]"),
			"headers"},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		err.text[0] = '\0';
		assert_null(load_spec_parse(
			rows[i].text, strlen(rows[i].text), &err));
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

/* ---- judged ---- */

static void limits_judge_what_was_due(void **state)
{
	const struct load_limits limits = {
		.p95_ms = 100, .failed = 0.01, .min_requests = 100};
	struct load_figures f = {.generator = "g",
		.requests = 990,
		.failed = 9,
		.p95_ms = 100,
		.p50_ms = -1};
	struct buf missed;

	buf_init(&missed, 1000);
	assert_true(figures_judge(&f, &limits, &missed));
	f.dropped = 10; /* not sent is not answered */
	assert_false(figures_judge(&f, &limits, &missed));
	assert_string_equal(missed.data, "1.9 % failed, not 1 % or less");
	buf_clear(&missed);
	f = (struct load_figures){.requests = 99, .p95_ms = 100.1};
	assert_false(figures_judge(&f, &limits, &missed));
	assert_string_equal(missed.data,
		"99 requests, not 100 or more, p95 is 100.1 ms, not 100 ms or "
		"less");
	buf_clear(&missed);
	f = (struct load_figures){.requests = 100, .p95_ms = -1};
	assert_false(figures_judge(&f, &limits, &missed));
	assert_string_equal(missed.data, "p95 is not told");
	buf_fini(&missed);
}

static void the_warm_up_is_not_judged(void **state)
{
	static struct tally tally;
	struct load_figures f;

	tally_answer(&tally, 5000000, true, "status 500");
	tally_drop(&tally, 3, true);
	tally_answer(&tally, 10000, false, NULL);
	tally.judged_ms = 1000;
	tally_figures(&tally, &f);
	assert_int_equal(f.requests, 1);
	assert_int_equal(f.failed, 0);
	assert_int_equal(f.dropped, 0);
	assert_int_equal(f.warmup_requests, 1);
	assert_int_equal(f.warmup_failed, 1);
	assert_float_equal(f.max_ms, 10, 1e-9);
}

static void a_summary_is_read_where_it_is_printed(void **state)
{
	struct load_figures f = {.generator = "g",
		.requests = 10,
		.failed = 1,
		.rate = 5,
		.p95_ms = 12.5};
	const struct load_limits limits = {.failed = 0.01, .min_requests = 1};
	struct buf out, detail;

	buf_init(&out, LOAD_SUMMARY_MAX);
	buf_init(&detail, LOAD_SUMMARY_MAX);
	buf_adds(&out, "{\"type\":\"live\"}\n");
	assert_false(figures_print_json(&f, &limits, &out));
	assert_true(load_summary_read(out.data, out.len, &detail));
	assert_non_null(strstr(detail.data, "missed: 10 % failed"));
	assert_non_null(strstr(detail.data, "10 requests"));
	assert_false(load_summary_read("", 0, &detail));
	assert_false(load_summary_read("no\n", 3, &detail));
	assert_false(load_summary_read("{\"text\":7}\n", 11, &detail));
	buf_fini(&out);
	buf_fini(&detail);
}

static void what_is_told_each_second_is_read_and_said(void **state)
{
	static const char *const strange[] = {"", "no", "[]", "{}",
		"{\"type\":\"summary\",\"text\":\"x\"}", "{\"type\":\"live\"}",
		"{\"type\":\"live\",\"at_ms\":1,\"total_ms\":9,\"users\":-1,"
		"\"rate\":1,\"p95_ms\":1,\"failed_share\":0,\"dropped\":0}",
		"{\"type\":\"live\",\"at_ms\":1,\"total_ms\":9,\"users\":1,"
		"\"rate\":1e99,\"p95_ms\":1,\"failed_share\":0,\"dropped\":0}",
		"{\"type\":\"live\",\"at_ms\":1,\"total_ms\":9,\"users\":1,"
		"\"rate\":1,\"p95_ms\":1,\"failed_share\":1.5,\"dropped\":0}"};
	const struct tally_now now = {80500, 300000, 20, 1000};
	struct tally tally = {0};
	struct load_live live;
	struct buf out;

	buf_init(&out, LOAD_SUMMARY_MAX);
	for (int i = 0; i < 200; i++)
		tally_answer(&tally, 12000, false, i ? NULL : "status 500");
	tally_drop(&tally, 3, false);
	tally_print_live(&tally, &now, &out);
	assert_true(load_live_read(out.data, out.len, &live));
	buf_clear(&out);
	load_live_add_course(&live, &out);
	assert_non_null(strstr(out.data, "1m20s of 5m: 20 users, 20"));
	assert_non_null(strstr(out.data, " % failed, 3 not sent in time"));
	assert_true(live.p95_ms > 11.9 && live.p95_ms < 12.1);
	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++)
		assert_false(
			load_live_read(strange[i], strlen(strange[i]), &live));
	buf_fini(&out);
}

/* ---- k6 ---- */

static void only_judgements_of_k6_judge(void **state)
{
	const char *why;

	assert_int_equal(k6_verdict_of(0, &why), K6_PASSED);
	for (int status = 1; status < 256; status++) {
		bool judges = status == 99 || status == 108 || status == 110;

		assert_int_equal(k6_verdict_of(status, &why),
			judges ? K6_MISSED : K6_ERROR);
		assert_non_null(why);
	}
}

static void the_summary_of_k6_is_in_milliseconds(void **state)
{
	static const char text[] =
		"{\"metrics\": {\"http_req_duration\": {\"avg\": 10.5, "
		"\"min\": "
		"1, \"med\": 9, \"max\": 310.25, \"p(90)\": 20, \"p(95)\": "
		"30.125, \"thresholds\": {\"p(95)<500\": false}}, "
		"\"http_req_failed\": {\"value\": 0.002, \"passes\": 2, "
		"\"fails\": 998}, \"http_reqs\": {\"count\": 1000, \"rate\": "
		"33.3}, \"dropped_iterations\": {\"count\": 4, \"rate\": 1}, "
		"\"vus_max\": {\"value\": 20, \"min\": 20, \"max\": 20}}, "
		"\"root_group\": {}}";
	struct load_figures f;
	struct err err;

	assert_int_equal(k6_summary_parse(text, strlen(text), &f, &err), 0);
	assert_int_equal(f.requests, 1000);
	assert_int_equal(f.failed, 2);
	assert_int_equal(f.dropped, 4);
	assert_int_equal(f.users, 20);
	assert_float_equal(f.p50_ms, 9, 0);
	assert_float_equal(f.p95_ms, 30.125, 0);
	assert_true(f.p99_ms < 0);
	assert_int_equal(k6_summary_parse("{}", 2, &f, &err), -1);
	assert_int_equal(k6_summary_parse("x", 1, &f, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_right_to_one_percent),
		cmocka_unit_test(every_time_has_a_bucket),
		cmocka_unit_test(levels_go_in_straight_lines),
		cmocka_unit_test(arrivals_are_due_when_the_rate_says),
		cmocka_unit_test(a_stage_without_requests_has_none),
		cmocka_unit_test(an_order_arrives_as_it_was_meant),
		cmocka_unit_test(what_is_no_order_is_refused),
		cmocka_unit_test(limits_judge_what_was_due),
		cmocka_unit_test(the_warm_up_is_not_judged),
		cmocka_unit_test(a_summary_is_read_where_it_is_printed),
		cmocka_unit_test(what_is_told_each_second_is_read_and_said),
		cmocka_unit_test(only_judgements_of_k6_judge),
		cmocka_unit_test(the_summary_of_k6_is_in_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
