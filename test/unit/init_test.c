/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From metrics to a policy: what is found and chosen, which limits a week makes,
 * how fast, and that the text of every proposal is a policy without warnings.
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

#include "base/rng.h"
#include "init/explain.h"
#include "init/proposal.h"
#include "policy/policy_load.h"

#define N(array)  (sizeof(array) / sizeof((array)[0]))
#define TEXT_MAX  (1024 * 1024)
#define STABLE    "backend-00041-xyz"
#define MINUTE_MS INT64_C(60000)

/* ---- what is found ---- */

/* A world of series, and what is found in it. */
struct hunt {
	struct arena arena;
	struct listing listing;
	struct found found;
};

/* "NAME a=1 b=2" a line. */
static void hunt_series(struct hunt *hunt, const char *text)
{
	struct listed_series *series =
		arena_alloc(&hunt->arena, 64 * sizeof(*series));
	struct listed_label *label;
	size_t n = 0, len, name;

	while (*text) {
		label = arena_alloc(&hunt->arena, 16 * sizeof(*label));
		series[n].label = label;
		len = strcspn(text, " \n");
		label->name = "__name__";
		label->value = arena_strndup(&hunt->arena, text, len);
		series[n].n = 1;
		for (text += len; *text == ' '; text += len) {
			text++;
			len = strcspn(text, " \n");
			name = strcspn(text, "=");
			label = (struct listed_label *)&series[n]
					.label[series[n].n++];
			label->name = arena_strndup(&hunt->arena, text, name);
			label->value = arena_strndup(
				&hunt->arena, text + name + 1, len - name - 1);
		}
		text += *text == '\n';
		n++;
	}
	hunt->listing = (struct listing){series, n};
}

static void hunt_open(
	struct hunt *hunt, const char *series, const char *counter)
{
	const struct find_what what = {
		.service = "backend", .stable = STABLE, .counter = counter};

	arena_init(&hunt->arena);
	hunt_series(hunt, series);
	find_metrics(&hunt->listing, &what, &hunt->arena, &hunt->found);
}

static void metrics_of_requests_are_found_by_name_and_labels(void **state)
{
	static const struct {
		const char *series;
		const char *counter, *histogram; /* NULL: none */
		const char *revision, *service, *code, *failures;
	} rows[] = {
		{"http_server_request_duration_seconds_count "
		 "faas_version=" STABLE " faas_name=backend "
		 "http_response_status_code=200\n"
		 "http_server_request_duration_seconds_bucket le=+Inf "
		 "faas_version=" STABLE " faas_name=backend "
		 "http_response_status_code=200",
			"http_server_request_duration_seconds_count",
			"http_server_request_duration_seconds", "faas_version",
			"faas_name", "http_response_status_code", "5.."},
		{"http_requests_total revision=" STABLE
		 " code=200 service=backend\n"
		 "http_request_duration_seconds_bucket le=+Inf "
		 "revision=" STABLE,
			"http_requests_total", "http_request_duration_seconds",
			"revision", "service", "code", "5.."},
		{"run_googleapis_com:request_count revision_name=" STABLE
		 " service_name=backend configuration_name=backend "
		 "response_code_class=2xx\n"
		 "run_googleapis_com:request_latencies_count "
		 "revision_name=" STABLE " response_code_class=2xx",
			"run_googleapis_com:request_count", NULL,
			"revision_name", "service_name", "response_code_class",
			"5xx"},
		{"shop_requests_total version=" STABLE
		 " status=2XX job=backend",
			"shop_requests_total", NULL, "version", "job", "status",
			"5XX"},
		/* The code is better than its class. */
		{"http_requests_total revision=" STABLE
		 " response_code=503 response_code_class=5xx",
			"http_requests_total", NULL, "revision", NULL,
			"response_code", "5.."},
		/* What is counted where it is answered comes first. */
		{"run_googleapis_com:request_count revision_name=" STABLE
		 " response_code=200\n"
		 "shop_requests_total revision=" STABLE " code=200\n"
		 "http_requests_total revision=" STABLE " code=200",
			"http_requests_total", NULL, "revision", NULL, "code",
			"5.."},
	};

	for (size_t i = 0; i < N(rows); i++) {
		const struct found_metric *counter;
		struct hunt hunt;

		hunt_open(&hunt, rows[i].series, NULL);
		counter = hunt.found.counter;
		assert_non_null(counter);
		assert_string_equal(counter->name, rows[i].counter);
		assert_string_equal(counter->revision, rows[i].revision);
		assert_string_equal(
			counter->service ? counter->service : "none",
			rows[i].service ? rows[i].service : "none");
		assert_string_equal(counter->code, rows[i].code);
		assert_string_equal(counter->failures, rows[i].failures);
		assert_string_equal(hunt.found.histogram
					    ? hunt.found.histogram->name
					    : "none",
			rows[i].histogram ? rows[i].histogram : "none");
		assert_null(hunt.found.other_counter);
		arena_fini(&hunt.arena);
	}
}

static void what_cannot_be_asked_is_said_with_the_reason(void **state)
{
	static const struct {
		const char *series, *why;
	} rows[] = {
		{"http_client_requests_total revision=" STABLE " code=200",
			"no requests that users send"},
		{"http_requests_total revision=another code=200",
			"no label of it names the stable revision"},
		{"http_requests_total revision=" STABLE " path=/a",
			"no label of it has the status"},
		{"http_requests_total revision=" STABLE " status=ok",
			"no label of it has the status"},
		{"http_requests_total revision=" STABLE " code=200\n"
		 "http_requests_total revision=" STABLE " code=odd",
			"no label of it has the status"},
		{"http_requests_total revision=" STABLE " code=200\n"
		 "http_requests_total revision=" STABLE " code=5xx",
			"no label of it has the status"},
		{"http.requests_total revision=" STABLE " code=200",
			"such a name cannot be asked for"},
		{"http_requests_total k8s.revision=" STABLE " code=200",
			"no label of it names the stable revision"},
		{"http_requests_total revision=" STABLE " http.code=200",
			"no label of it has the status"},
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct hunt hunt;
		struct buf text;

		hunt_open(&hunt, rows[i].series, NULL);
		assert_null(hunt.found.counter);
		buf_init(&text, TEXT_MAX);
		explain_found(&hunt.found, STABLE, &text);
		if (!strstr(text.data, rows[i].why))
			fail_msg("%s: %s", rows[i].series, text.data);
		buf_fini(&text);
		arena_fini(&hunt.arena);
	}
}

static void of_two_that_are_alike_a_person_chooses(void **state)
{
	static const char series[] =
		"a_requests_total revision=" STABLE " code=200\n"
		"b_requests_total revision=" STABLE " code=200";
	struct hunt hunt;

	hunt_open(&hunt, series, NULL);
	assert_string_equal(hunt.found.counter->name, "a_requests_total");
	assert_string_equal(hunt.found.other_counter->name, "b_requests_total");
	arena_fini(&hunt.arena);
	hunt_open(&hunt, series, "b_requests_total");
	assert_string_equal(hunt.found.counter->name, "b_requests_total");
	assert_null(hunt.found.other_counter);
	arena_fini(&hunt.arena);
}

/* A label of the service is no matcher when other series of stable lack it. */
static void a_label_that_some_series_lack_does_not_select(void **state)
{
	struct hunt hunt;

	hunt_open(&hunt,
		"http_requests_total revision=" STABLE
		" code=200 service=backend\n"
		"http_requests_total revision=" STABLE
		" code=500 service=other",
		NULL);
	assert_null(hunt.found.counter->service);
	arena_fini(&hunt.arena);
}

/* ---- a week ---- */

static void fill(struct past_table *table, const char *labels,
	const double *values, size_t n)
{
	struct err err;

	assert_int_equal(
		past_table_add(table, labels, NAN, values, 0, n, &err), 0);
	past_table_sort(table);
}

static void stable_is_who_had_most_of_the_users(void **state)
{
	static const struct past_grid grid = {.step_ms = 3600000, .looks = 4};
	static const double old[] = {100, 90, 0, NAN}, new[] = {NAN, 10, 50, 3},
			    bad[] = {1, 45, NAN, NAN}, none[] = {NAN, 1, 5, 1};
	struct past_table requests, failures;
	const struct week_what what = {.requests = &requests,
		.values = &failures,
		.least = 10,
		.absent = 0,
		.share = true};
	struct week_traffic traffic;
	double value[4];

	past_table_init(&requests, &grid);
	past_table_init(&failures, &grid);
	fill(&requests, "{\"r\":\"1\"}", old, 4);
	fill(&requests, "{\"r\":\"2\"}", new, 4);
	fill(&failures, "{\"r\":\"1\"}", bad, 4);
	fill(&failures, "{\"r\":\"2\"}", none, 4);
	/* The last window has too few requests. */
	assert_int_equal(week_values(&what, value), 3);
	assert_true(value[0] == 0.01 && value[1] == 0.5 && value[2] == 0.1);
	week_traffic(&requests, &traffic);
	assert_int_equal(traffic.revisions, 2);
	assert_true(fabs(traffic.days - 4 / 24.0) < 1e-9);
	assert_true(traffic.usual == 75 && traffic.quiet < 20);
	past_table_fini(&requests);
	past_table_fini(&failures);
}

/* From 0 to below 1. */
static double uniform(struct rng *rng)
{
	return (double)rng_below(rng, 1 << 30) / (1 << 30);
}

/* What has happened in a week says how often more than that happens in a month:
 * 200 services, each looked at for a week and for the month after it. */
static void a_limit_is_broken_less_than_once_a_month(void **state)
{
	enum { WEEK = 2016, MONTH = 8640, SERVICES = 200 };
	double *value = calloc(WEEK, sizeof(*value)), limit;
	int broken = 0, often = 0;
	struct week week;
	struct rng rng;

	rng_init(&rng, 7);
	for (int s = 0; s < SERVICES; s++) {
		int now = 0;

		for (int i = 0; i < WEEK; i++)
			value[i] = -0.001 * log(1 - uniform(&rng));
		week_judge(value, WEEK, 7, &week);
		limit = week_limit(&week);
		assert_true(limit >= week.high);
		assert_true(week_times(&week, limit) <= 1 + 1e-9);
		limit = week_round_up(limit);
		for (int i = 0; i < MONTH; i++)
			now += -0.001 * log(1 - uniform(&rng)) > limit;
		broken += now;
		often += now > 3;
	}
	assert_true(broken < SERVICES);
	assert_true(broken > 0); /* it is not merely far away */
	assert_true(often < SERVICES / 20);
	free(value);
}

static void a_limit_of_what_never_happens_is_useful(void **state)
{
	double value[WEEK_WINDOWS_MIN] = {0};
	char text[WEEK_TIMES_MAX];
	struct week week;

	week_judge(value, N(value), 7, &week);
	assert_true(week_limit(&week) == 0);
	assert_string_equal(
		week_times_print(&week, 0.01, text), "less than once in years");
	week_judge(value, 0, 0, &week);
	assert_false(week_is_enough(&week));
}

static void limits_are_numbers_that_people_write(void **state)
{
	static const double rows[][2] = {{0.01, 0.01}, {0.0101, 0.015},
		{0.0017, 0.002}, {0.9, 1}, {0.05, 0.05}, {0, 0}, {0.31, 0.4},
		{7, 8}, {123, 150}};

	for (size_t i = 0; i < N(rows); i++) {
		double up = week_round_up(rows[i][0]);

		if (fabs(up - rows[i][1]) > 1e-12)
			fail_msg("%g: %g", rows[i][0], up);
	}
}

/* By the Poisson distribution: P(X > k) below 1 in 500. */
static void few_requests_fail_by_chance(void **state)
{
	assert_int_equal(week_chance(200, 0), 0);
	assert_int_equal(week_chance(200, 0.001), 2);
	assert_int_equal(week_chance(1000, 0.001), 5);
	assert_int_equal(week_chance(1e6, 0.01), 10300);
}

/* ---- how fast ---- */

static void the_pace_fits_traffic_and_samples(void **state)
{
	static const struct {
		double quiet;
		int64_t gap_ms;
		int percent, window_min, least;
		bool is_thin;
	} rows[] = {
		{500, 15000, 5, 2, 100, false},
		{500, 60000, 10, 5, 100, false}, /* four samples, at least */
		{50, 15000, 10, 5, 100, false},
		{4, 15000, 20, 5, 100, false},
		{2, 15000, 20, 10, 100, false},
		{0.7, 15000, 50, 10, 100, false},
		{0.1, 15000, 50, 30, 45, true},
		{0.001, 15000, 50, 30, 20, true},
		{0, 0, 10, 5, 100, false}, /* nothing is known */
		{50, 300000, 20, 30, 100, false},
	};

	for (size_t i = 0; i < N(rows); i++) {
		const struct pace_what what = {
			.quiet = rows[i].quiet, .gap_ms = rows[i].gap_ms};
		struct pace pace;

		pace_choose(&what, &pace);
		if (i == N(rows) - 1) { /* whatever the percent */
			assert_true(pace.window_ms >= 20 * MINUTE_MS);
			continue;
		}
		assert_int_equal(pace.step[0].percent, rows[i].percent);
		assert_int_equal(
			pace.window_ms, rows[i].window_min * MINUTE_MS);
		assert_int_equal(pace.requests_min, rows[i].least);
		assert_int_equal(pace.is_thin, rows[i].is_thin);
		assert_int_equal(pace.step[pace.n - 1].percent, 100);
		assert_true(pace.interval_ms >= rows[i].gap_ms);
		assert_true(pace.step[0].bake_ms >= 2 * pace.window_ms);
	}
}

/* ---- the text ---- */

static const struct found_metric counter = {.name = "http_requests_total",
	.kind = FIND_COUNTER,
	.style = "Prometheus",
	.revision = "revision",
	.service = "service",
	.code = "code",
	.failures = "5.."};
static const struct found_metric histogram = {.name = "shop_duration",
	.kind = FIND_HISTOGRAM,
	.style = "its own",
	.revision = "revision"};

static struct proposal proposal_of(bool is_managed)
{
	struct proposal p = {.project = "acme",
		.region = "us-central1",
		.service = "backend",
		.stable = STABLE,
		.when = "2026-11-29",
		.is_managed = is_managed,
		.url = "https://prometheus.example.com",
		.selector = "",
		.counter = is_managed ? &proposal_cloud_counter : &counter,
		.histogram =
			is_managed ? &proposal_cloud_histogram : &histogram,
		.unit = is_managed ? "ms" : "s",
		.gap_ms = is_managed ? 0 : 15000,
		.path = "/"};
	const struct pace_what what = {
		.gap_ms = p.gap_ms, .is_late = is_managed};

	pace_choose(&what, &p.pace);
	p.quantile = proposal_quantile(0);
	return p;
}

/* A week of it, with this share of failures and latency. */
static void measure(
	struct proposal *p, double quiet, double share, double seconds)
{
	const struct pace_what what = {.quiet = quiet,
		.gap_ms = p->gap_ms,
		.is_late = p->is_managed,
		.is_evidence = p->is_evidence};

	p->traffic = (struct week_traffic){2 * quiet, quiet, 7, 3};
	pace_choose(&what, &p->pace);
	p->quantile = proposal_quantile(p->pace.expected);
	p->errors.week = (struct week){2000, 7, share, 2 * share, 3 * share,
		1.5 * share, share / 3, 100};
	p->latency.week = (struct week){2000, 7, seconds, 2 * seconds,
		4 * seconds, 2 * seconds, seconds / 2, 100};
}

static struct policy *policy_of(const struct proposal *p, struct buf *text)
{
	static const struct policy_env nothing = {0};
	struct policy *policy;
	struct buf problems;
	struct err err;

	buf_init(text, TEXT_MAX);
	buf_init(&problems, TEXT_MAX);
	proposal_print(p, text);
	policy = policy_parse("proposed.yaml", text->data, text->len, &nothing,
		&problems, &err);
	if (!policy || problems.len)
		fail_msg("%s\n%s", problems.data, text->data);
	buf_fini(&problems);
	return policy;
}

/* Comments fit, but for a word that is longer by itself. */
static void expect_narrow(const char *text)
{
	size_t len;

	for (; *text; text += len + 1) {
		len = strcspn(text, "\n");
		if (len > 88 && memchr(text, '#', 6))
			fail_msg("%.*s", (int)len, text);
	}
}

static void every_proposal_is_a_policy_without_warnings(void **state)
{
	static const double rates[] = {0, 0.01, 2, 40, 5000};
	static const double shares[] = {0, 0.0001, 0.01, 0.3};
	static const double seconds[] = {0.0001, 0.2, 20};

	for (int bits = 0; bits < 8; bits++)
		for (size_t i = 0; i < N(rates) * N(shares) * N(seconds); i++) {
			struct proposal p = proposal_of(bits & 1);
			struct policy *policy;
			struct buf text;

			p.is_evidence = bits & 2;
			if (bits & 4)
				p.histogram = NULL;
			if (rates[i % N(rates)] > 0)
				measure(&p, rates[i % N(rates)],
					shares[i / N(rates) % N(shares)],
					seconds[i / N(rates) / N(shares)]);
			p.last_bound = 30;
			proposal_set_limits(&p);
			policy = policy_of(&p, &text);
			assert_true(policy->n_slos >= 1);
			expect_narrow(text.data);
			policy_free(&policy);
			buf_fini(&text);
		}
}

static bool has(const struct buf *text, const char *part)
{
	return strstr(text->data, part) != NULL;
}

static void limits_have_their_numbers_beside_them(void **state)
{
	struct proposal p = proposal_of(false);
	struct policy *policy;
	struct buf text;

	measure(&p, 40, 0.002, 0.1);
	proposal_set_limits(&p);
	policy = policy_of(&p, &text);
	assert_true(policy->slos[0].max == 0.008);
	assert_true(policy->slos[0].window_ms == 5 * MINUTE_MS);
	assert_true(has(&text, "Stable, 2000 windows of 5m in 7 days: half "
			       "below 0.2 %, 99 of 100"));
	assert_true(has(&text, "above the limit 0.2 times a month."));
	assert_true(has(&text, "holds 20 samples, one every 15s."));
	assert_true(has(&text, "plan --policy FILE --rate 80/s --base 0.2%  "));
	assert_true(
		has(&text, "backend has 80 requests a second, 40 in quiet"));
	assert_true(has(&text, "selector: \"service=\\\"{{service}}\\\"\""));
	policy_free(&policy);
	buf_fini(&text);
}

/* Of 200 requests in a window one in a thousand fails: two by chance. */
static void a_limit_is_not_below_what_chance_does(void **state)
{
	struct proposal p = proposal_of(false);

	measure(&p, 7, 0.0001, 0.1);
	proposal_set_limits(&p);
	assert_true(p.errors.is_raised);
	assert_true(p.errors.value * p.pace.expected >= p.errors.chance);
	assert_true(p.errors.chance >= 1);
}

static void without_a_day_of_figures_limits_are_usual_ones(void **state)
{
	struct proposal p = proposal_of(false);
	struct policy *policy;
	struct buf text;

	measure(&p, 40, 0.001, 0.1);
	p.errors.week.days = p.latency.week.days = 0.2;
	proposal_set_limits(&p);
	policy = policy_of(&p, &text);
	assert_true(policy->slos[0].max == 0.05);
	assert_true(policy->slos[0].max_increase == 0.02);
	assert_true(policy->slos[1].max == 1);
	assert_true(has(&text, "A usual limit, not this service's own"));
	policy_free(&policy);
	buf_fini(&text);
}

/* A limit of bad days is no reason to overlook what stable does not have. */
static void what_stable_had_in_incidents_is_compared(void **state)
{
	struct proposal p = proposal_of(false);
	struct policy *policy;
	struct buf text;

	measure(&p, 400, 0.001, 0.1);
	p.errors.week.high = 0.2;
	p.latency.week.high = 2;
	proposal_set_limits(&p);
	policy = policy_of(&p, &text);
	assert_true(policy->slos[0].max == 0.2);
	assert_true(policy->slos[0].has_max_increase);
	assert_true(policy->slos[0].max_increase == 0.005);
	assert_true(policy->slos[1].max == 2 && policy->slos[1].has_max_ratio);
	policy_free(&policy);
	buf_fini(&text);
	measure(&p, 400, 0.001, 0.1);
	p.errors.beyond_stable = p.latency.beyond_stable = 0;
	proposal_set_limits(&p);
	policy = policy_of(&p, &text);
	assert_false(policy->slos[0].has_max_increase);
	policy_free(&policy);
	buf_fini(&text);
}

/* Slower than the last bucket nothing is, for who asks. */
static void a_latency_beyond_the_buckets_is_no_slo(void **state)
{
	struct proposal p = proposal_of(false);
	struct policy *policy;
	struct buf text;

	measure(&p, 40, 0.001, 1);
	p.last_bound = 2.5;
	proposal_set_limits(&p);
	policy = policy_of(&p, &text);
	assert_int_equal(policy->n_slos, 1);
	assert_true(has(&text, "the buckets of shop_duration end at 2.5 s"));
	policy_free(&policy);
	buf_fini(&text);
}

static void what_comes_from_outside_is_quoted(void **state)
{
	struct proposal p = proposal_of(false);
	struct policy *policy;
	struct buf text;

	p.selector = "job=\"a\\\"b: #{{service}}\\n\\\\\",x!=\"é\"";
	p.url = "https://prometheus.example.com/a'b:%5Bc,d";
	p.path = "/a%20b?c='d:[e]'";
	proposal_set_limits(&p);
	policy = policy_of(&p, &text);
	assert_non_null(strstr(policy->slos[0].query,
		"service=\"{{service}}\",job=\"a\\\"b: #{{service}}\\n\\\\\","
		"x!=\"é\""));
	assert_string_equal(policy->metrics.url_shown,
		"https://prometheus.example.com/a'b:%5Bc,d");
	policy_free(&policy);
	buf_fini(&text);
}

static void the_week_is_asked_of_this_service_by_revision(void **state)
{
	static const struct {
		bool is_managed;
		enum proposal_query query;
		const char *text;
		const char *stable; /* without a selector */
	} rows[] = {
		{false, PROPOSAL_RATES,
			"sum by (revision) (rate(http_requests_total{revision!="
			"\"\",service=\"backend\",a=\"b\"}[5m]))"},
		{false, PROPOSAL_FAILURES,
			"sum by (revision) (increase(http_requests_total{"
			"revision!=\"\",service=\"backend\",a=\"b\",code=~"
			"\"5..\"}[5m]))"},
		{false, PROPOSAL_LATENCY,
			"histogram_quantile(0.95, sum by (revision, le) (rate("
			"shop_duration_bucket{revision!=\"\",a=\"b\"}[5m])))"},
		{false, PROPOSAL_LATENCY,
			"histogram_quantile(0.95, sum by (revision, le) (rate("
			"shop_duration_bucket{revision=~\"backend-.*\"}[5m])))",
			STABLE},
		{false, PROPOSAL_LATENCY,
			"histogram_quantile(0.95, sum by (revision, le) (rate("
			"shop_duration_bucket{revision=\"other\"}[5m])))",
			"other"},
		{true, PROPOSAL_REQUESTS,
			"sum by (revision_name) (increase(run_googleapis_com:"
			"request_count{revision_name!=\"\",monitored_resource="
			"\"cloud_run_revision\",project_id=\"acme\",location="
			"\"us-central1\",service_name=\"backend\",a=\"b\"}["
			"5m]))"},
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct proposal p = proposal_of(rows[i].is_managed);
		struct buf text;

		p.selector = rows[i].stable ? "" : "a=\"b\"";
		if (rows[i].stable)
			p.stable = rows[i].stable;
		buf_init(&text, TEXT_MAX);
		assert_true(proposal_query_print(&p, rows[i].query, &text));
		assert_string_equal(text.data, rows[i].text);
		buf_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			metrics_of_requests_are_found_by_name_and_labels),
		cmocka_unit_test(what_cannot_be_asked_is_said_with_the_reason),
		cmocka_unit_test(of_two_that_are_alike_a_person_chooses),
		cmocka_unit_test(a_label_that_some_series_lack_does_not_select),
		cmocka_unit_test(stable_is_who_had_most_of_the_users),
		cmocka_unit_test(a_limit_is_broken_less_than_once_a_month),
		cmocka_unit_test(a_limit_of_what_never_happens_is_useful),
		cmocka_unit_test(limits_are_numbers_that_people_write),
		cmocka_unit_test(few_requests_fail_by_chance),
		cmocka_unit_test(the_pace_fits_traffic_and_samples),
		cmocka_unit_test(every_proposal_is_a_policy_without_warnings),
		cmocka_unit_test(limits_have_their_numbers_beside_them),
		cmocka_unit_test(a_limit_is_not_below_what_chance_does),
		cmocka_unit_test(
			without_a_day_of_figures_limits_are_usual_ones),
		cmocka_unit_test(what_stable_had_in_incidents_is_compared),
		cmocka_unit_test(a_latency_beyond_the_buckets_is_no_slo),
		cmocka_unit_test(what_comes_from_outside_is_quoted),
		cmocka_unit_test(the_week_is_asked_of_this_service_by_revision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
