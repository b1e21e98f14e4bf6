/* SPDX-License-Identifier: Apache-2.0 */
/* Counters: what happened between two looks at them. */
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
#include "metrics/counting.h"
#include "metrics/query_role.h"

#define SERIES_MAX 4

struct look {
	const char *labels[SERIES_MAX];
	double values[SERIES_MAX];
};

static bool look(
	struct counters *counters, const struct look *l, double *growth)
{
	struct counter_series series[SERIES_MAX];
	size_t n = 0;

	while (n < SERIES_MAX && l->labels[n]) {
		series[n] =
			(struct counter_series){l->labels[n], &l->values[n]};
		n++;
	}
	return counters_look(counters, series, n, 1, growth);
}

static const struct look hundred = {{"a"}, {100}};

static void what_grew_fell_came_and_went_is_counted(void **state)
{
	static const struct {
		bool candidate;
		struct look before, now;
		double growth; /* NaN: no fresh sample */
	} rows[] = {
		{true, {{"a", "b"}, {100, 7}}, {{"a", "b"}, {130, 9}}, 32},
		{false, {{"a"}, {100}}, {{"a"}, {12}}, 12},
		{true, {{"a"}, {100}}, {{"a", "b"}, {101, 30}}, 31},
		{false, {{"a"}, {100}}, {{"a", "b"}, {105, 5000}}, 5},
		{false, {{"a", "b"}, {100, 50}}, {{"a"}, {104}}, 4},
		{true, {{NULL}, {0}}, {{"a"}, {40}}, 0},
		{true, {{"a"}, {100}}, {{NULL}, {0}}, NAN},
		{true, {{"a"}, {100}}, {{"a"}, {100}}, 0},
	};
	struct counters *counters;
	double growth;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		counters = counters_new(rows[i].candidate);
		look(counters, &rows[i].before, &growth);
		assert_true(look(counters, &rows[i].now, &growth) ==
			    !isnan(rows[i].growth));
		if (!isnan(rows[i].growth) && growth != rows[i].growth)
			fail_msg("row %zu: %g instead of %g", i, growth,
				rows[i].growth);
		counters_free(&counters);
	}
}

/* A scrape that one instance missed is no instance that began at zero. */
static void one_that_comes_back_is_known(void **state)
{
	static const struct look both = {{"a", "b"}, {100, 1000}};
	static const struct look back = {{"a", "b"}, {110, 1003}};
	struct counters *counters = counters_new(true);
	double growth;

	(void)state;
	look(counters, &both, &growth);
	look(counters, &hundred, &growth);
	assert_true(look(counters, &back, &growth));
	assert_true(growth == 13);
	counters_free(&counters);
}

static void what_was_forgotten_is_known_anew(void **state)
{
	struct counters *counters = counters_new(true);
	double growth;

	(void)state;
	look(counters, &hundred, &growth);
	counters_forget(counters);
	assert_true(look(counters, &hundred, &growth));
	assert_true(growth == 0);
	counters_free(&counters);
}

static bool buckets(struct counters *counters, const double *values, size_t n,
	double *growth)
{
	const struct counter_series series = {"a", values};

	return counters_look(counters, &series, 1, n, growth);
}

static void histograms_grow_by_bucket(void **state)
{
	static const double before[] = {1, 5, 10}, now[] = {2, 9, 16};
	static const double reset[] = {1, 1, 3}, torn[] = {9, 7, 9};
	struct counters *counters = counters_new(false);
	double growth[3];

	(void)state;
	buckets(counters, before, 3, growth);
	buckets(counters, now, 3, growth);
	assert_true(growth[0] == 1 && growth[1] == 3 && growth[2] == 2);
	buckets(counters, reset, 3, growth);
	assert_true(growth[0] == 1 && growth[1] == 0 && growth[2] == 2);
	/* Not all of it was read at the same instant: never below 0. */
	buckets(counters, torn, 3, growth);
	assert_true(growth[0] == 8 && growth[1] == 0 && growth[2] == 0);
	counters_free(&counters);
}

static void other_bounds_begin_anew(void **state)
{
	static const double three[] = {1, 5, 10}, two[] = {7, 30};
	struct counters *counters = counters_new(true);
	double growth[3];

	(void)state;
	buckets(counters, three, 3, growth);
	assert_true(buckets(counters, two, 2, growth));
	assert_true(growth[0] == 0 && growth[1] == 0);
	counters_free(&counters);
}

/* Instances that come and go for ever: at last everything is known anew. */
static void memory_of_instances_is_bounded(void **state)
{
	enum { N = COUNTER_SERIES_MAX / 2 + 1 };
	static struct counter_series series[N];
	static char labels[N][32];
	static const double one = 1;
	struct counters *counters = counters_new(true);
	double growth;
	int round, i;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < N; i++) {
			snprintf(labels[i], sizeof(labels[i]), "%d-%d", round,
				i);
			series[i] = (struct counter_series){labels[i], &one};
		}
		assert_true(counters_look(counters, series, N, 1, &growth));
		assert_true(growth == 0);
	}
	assert_true(counters_look(counters, series, N - 1, 1, &growth));
	assert_true(growth == 0);
	counters_free(&counters);
}

/* A candidate fails for the first time: its counter of failures is new. */
static void the_first_failures_are_counted(void **state)
{
	static const struct slo slo = {.total = "total", .bad = "bad"};
	static const struct counter_sample all[] = {
		{"{\"code\":\"200\"}", NAN, 100},
		{"{\"code\":\"500\"}", NAN, 30}};
	struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES] = {
		[ARM_CANDIDATE] = {{all, 1}}};
	struct counting *counting = counting_new(&slo);
	struct check_counts counts;
	struct err err;

	(void)state;
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	answers[ARM_CANDIDATE][COUNTER_TOTAL] = (struct counter_answer){all, 2};
	answers[ARM_CANDIDATE][COUNTER_BAD] =
		(struct counter_answer){all + 1, 1};
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	assert_true(counts.candidate.known && !counts.stable.known);
	assert_true(counts.candidate.bin[0] == 0);
	assert_true(counts.candidate.bin[1] == 30);
	counting_free(&counting);
}

#define OF(instance, code) \
	"{\"code\":\"" code "\",\"instance\":\"" instance "\"}"

/* As do stable's, where the instance was there before: else the first failures
 * of each instance would be missing in what the candidate is compared with. */
static void the_first_failures_of_a_known_instance_of_stable_are_counted(
	void **state)
{
	static const struct slo slo = {.total = "total", .bad = "bad"};
	struct counter_sample all[] = {{OF("a", "200"), NAN, 100},
		{OF("a", "500"), NAN, 3}, {OF("b", "200"), NAN, 7000},
		{OF("b", "500"), NAN, 70}};
	struct counter_sample bad[] = {all[1], all[3]};
	struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES] = {
		[ARM_STABLE] = {{all, 1}}};
	struct counting *counting = counting_new(&slo);
	struct check_counts counts;
	struct err err;

	(void)state;
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	/* "a" fails for the first time, "b" only begins to be known. */
	all[0].value = 110;
	answers[ARM_STABLE][COUNTER_TOTAL].n = 4;
	answers[ARM_STABLE][COUNTER_BAD] = (struct counter_answer){bad, 2};
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	assert_true(counts.stable.bin[0] == 10);
	assert_true(counts.stable.bin[1] == 3);
	all[3].value = bad[1].value = 72;
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	assert_true(counts.stable.bin[0] == 0);
	assert_true(counts.stable.bin[1] == 2);
	counting_free(&counting);
}

/* ---- a look that is repeated ---- */

#define INSTANCES 2
#define BOUNDS    3

/* What an arm shows, as a recording has it. */
struct shown {
	struct counter_sample sample[INSTANCES * BOUNDS];
	double value[INSTANCES * BOUNDS];
	size_t n;
};

/* Mostly it grows, by each bound at least what the one below has grown. */
static void grow(struct rng *rng, struct shown *shown, size_t bounds)
{
	double below = 0;
	size_t i;

	for (i = 0; i < shown->n; i++) {
		below = i % bounds ? below : 0;
		below += (double)rng_below(rng, 5);
		if (!rng_below(rng, 40))
			shown->value[i] = 0;
		shown->value[i] += below;
		shown->sample[i].value = shown->value[i];
	}
}

static void show(
	struct shown *shown, const char *const labels[INSTANCES], size_t bounds)
{
	static const double le[BOUNDS] = {0.1, 0.5, INFINITY};
	size_t i;

	shown->n = INSTANCES * bounds;
	for (i = 0; i < shown->n; i++) {
		shown->sample[i].labels = labels[i / bounds];
		shown->sample[i].le = bounds > 1 ? le[i % bounds] : NAN;
		shown->value[i] = 100;
		shown->sample[i].value = 100;
	}
}

static void answer_all(const struct slo *slo, struct shown *shown,
	struct rng *rng, struct counter_answer answers[][COUNTER_ROLES],
	struct counter_values values[][COUNTER_ROLES])
{
	int arm, role;

	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++, shown++) {
			if (slo->buckets && role == COUNTER_BAD)
				shown->n = 0;
			grow(rng, shown, slo->buckets ? BOUNDS : 1);
			answers[arm][role] = (struct counter_answer){
				shown->sample, shown->n};
			values[arm][role] =
				(struct counter_values){shown->value, shown->n};
		}
	}
}

static void expect_same_counts(
	const struct check_counts *a, const struct check_counts *b)
{
	size_t size = a->bins * sizeof(double);

	assert_int_equal(a->bins, b->bins);
	assert_int_equal(a->candidate.known, b->candidate.known);
	assert_int_equal(a->stable.known, b->stable.known);
	assert_memory_equal(a->candidate.bin, b->candidate.bin, size);
	assert_memory_equal(a->stable.bin, b->stable.bin, size);
}

static void repeat_looks(const struct slo *slo)
{
	static const char *const labels[] = {"{\"a\":\"1\"}", "{\"a\":\"2\"}"};
	struct counting *one = counting_new(slo), *other = counting_new(slo);
	struct shown shown[COUNTER_ARMS * COUNTER_ROLES];
	struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES];
	struct counter_values values[COUNTER_ARMS][COUNTER_ROLES];
	struct check_counts counts, repeated;
	struct rng rng;
	struct err err;
	int i;

	rng_init(&rng, 1);
	counting_of_recording(one);
	counting_of_recording(other);
	for (i = 0; i < COUNTER_ARMS * COUNTER_ROLES; i++)
		show(&shown[i], labels, slo->buckets ? BOUNDS : 1);
	answer_all(slo, shown, &rng, answers, values);
	/* There was no look before. */
	assert_false(counting_repeat(other, values, &repeated));
	for (i = 0; i < 200; i++) {
		assert_int_equal(counting_look(one, answers, &counts, &err), 0);
		if (i)
			assert_true(counting_repeat(other, values, &repeated));
		else
			assert_int_equal(
				counting_look(other, answers, &repeated, &err),
				0);
		expect_same_counts(&counts, &repeated);
		answer_all(slo, shown, &rng, answers, values);
	}
	/* One is missing, or what was known is forgotten. */
	values[ARM_STABLE][COUNTER_TOTAL].n -= slo->buckets ? BOUNDS : 1;
	assert_false(counting_repeat(other, values, &repeated));
	counting_forget(one);
	values[ARM_STABLE][COUNTER_TOTAL].n += slo->buckets ? BOUNDS : 1;
	assert_false(counting_repeat(one, values, &repeated));
	counting_free(&one);
	counting_free(&other);
}

static void a_look_that_is_repeated_counts_the_same(void **state)
{
	static const struct slo ratio = {.total = "total", .bad = "bad"};
	static const struct slo latency = {.buckets = "buckets"};

	(void)state;
	repeat_looks(&ratio);
	repeat_looks(&latency);
}

/* Without its name nobody knows whether an instance was there. */
static void a_new_series_of_no_instance_only_begins_to_be_known(void **state)
{
	static const struct slo slo = {.total = "total", .bad = "bad"};
	static const struct counter_sample all[] = {
		{"{\"code\":\"200\"}", NAN, 100},
		{"{\"code\":\"500\"}", NAN, 30}};
	struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES] = {
		[ARM_STABLE] = {{all, 1}}};
	struct counting *counting = counting_new(&slo);
	struct check_counts counts;
	struct err err;

	(void)state;
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	answers[ARM_STABLE][COUNTER_TOTAL].n = 2;
	answers[ARM_STABLE][COUNTER_BAD] = (struct counter_answer){all + 1, 1};
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	assert_true(counts.stable.bin[0] == 0 && counts.stable.bin[1] == 0);
	counting_free(&counting);
}

/* Before its first requests a candidate has no series at all. */
static void the_first_requests_are_counted(void **state)
{
	static const struct slo slo = {.total = "total", .bad = "bad"};
	static const struct counter_sample all = {"{}", NAN, 100};
	struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES] = {
		[ARM_STABLE] = {{&all, 1}}};
	struct counting *counting = counting_new(&slo);
	struct check_counts counts;
	struct err err;

	(void)state;
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	assert_false(counts.candidate.known);
	answers[ARM_CANDIDATE][COUNTER_TOTAL] = answers[ARM_STABLE][0];
	assert_int_equal(counting_look(counting, answers, &counts, &err), 0);
	assert_true(counts.candidate.known);
	assert_true(counts.candidate.bin[0] == 100);
	assert_true(counts.stable.bin[0] == 0);
	counting_free(&counting);
}

static void buckets_are_no_plain_counters(void **state)
{
	static const struct slo slo = {.total = "total", .bad = "bad"};
	static const struct counter_sample all[] = {
		{"{}", 0.5, 100}, {"{}", INFINITY, 130}};
	const struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES] = {
		[ARM_CANDIDATE] = {{all, 2}}};
	struct counting *counting = counting_new(&slo);
	struct check_counts counts;
	struct err err;

	(void)state;
	assert_int_equal(counting_look(counting, answers, &counts, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.text, "NAME_count"));
	counting_free(&counting);
}

/* What happens until the next whole answer is counted then. */
static void a_part_of_an_answer_is_no_look(void **state)
{
	static const struct slo slo = {.total = "total", .bad = "bad"};
	struct counter_sample all = {"{}", NAN, 100};
	struct counter_answer counters[QUERY_ROLES] = {
		[QUERY_TOTAL] = {&all, 1}, [QUERY_TOTAL_STABLE] = {&all, 1}};
	struct counting *counting = counting_new(&slo);
	struct answers answers = {.counts = NULL};
	struct check_counts counts;
	struct err err;

	(void)state;
	assert_int_equal(counting_check(counting, &slo, 0, counters, &answers,
				 &counts, &err),
		0);
	all.value = 110;
	answers = (struct answers){.item[QUERY_BAD].partial = true};
	assert_int_equal(counting_check(counting, &slo, 0, counters, &answers,
				 &counts, &err),
		0);
	assert_null(answers.counts);
	all.value = 125;
	answers = (struct answers){.counts = NULL};
	assert_int_equal(counting_check(counting, &slo, 0, counters, &answers,
				 &counts, &err),
		0);
	assert_non_null(answers.counts);
	assert_true(counts.candidate.bin[0] == 25);
	counting_free(&counting);
}

/* Each minute has its own number of requests; the first only begins. */
static void growth_by_the_minute_is_counted_once(void **state)
{
	static const struct slo slo = {
		.total = "run_googleapis_com:request_count{}",
		.bad = "run_googleapis_com:request_count{c=\"5xx\"}",
		.interval_ms = 60000};
	static const struct {
		int64_t asked_ms;
		double good; /* NaN: no look */
	} rows[] = {{600000, 0}, {659999, NAN}, {660000, 90}, {661000, NAN},
		{725000, 90}, {3600000, 90}};
	const struct counter_sample all = {"{}", NAN, 100},
				    bad = {"{}", NAN, 10};
	const struct counter_answer counters[QUERY_ROLES] = {
		[QUERY_TOTAL] = {&all, 1}, [QUERY_BAD] = {&bad, 1}};
	struct counting *counting = counting_new(&slo);
	struct check_counts counts;
	struct answers answers;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answers = (struct answers){.counts = NULL};
		assert_int_equal(
			counting_check(counting, &slo, rows[i].asked_ms,
				counters, &answers, &counts, &err),
			0);
		assert_true((answers.counts == NULL) == isnan(rows[i].good));
		if (answers.counts) {
			assert_true(counts.candidate.known);
			assert_false(counts.stable.known);
			assert_true(counts.candidate.bin[0] == rows[i].good);
		}
	}
	counting_free(&counting);
}

static void growth_is_asked_for_by_the_minute(void **state)
{
	static const struct {
		const char *total;
		int64_t interval_ms;
		const char *asked;
	} rows[] = {
		{"run_googleapis_com:request_count{r=\"{{revision}}\"}\n",
			60000,
			"increase(run_googleapis_com:request_count{r=\"new\"}"
			"[60s])"},
		{"{\"run.googleapis.com/request_count\"}", 150000,
			"increase({\"run.googleapis.com/"
			"request_count\"}[120s])"},
		/* A comment after it would take the rest of the line. */
		{"# all\nrun_googleapis_com:n{r=\"#{{revision}}\"} # all\n",
			60000,
			"increase(# all\nrun_googleapis_com:n{r=\"#new\"}"
			"[60s])"},
		{"http_requests_total{}", 60000, "http_requests_total{}"},
	};
	struct template_values values = {.revision = "new"};
	struct buf text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct slo slo = {.total = rows[i].total,
			.bad = "b",
			.interval_ms = rows[i].interval_ms};

		buf_init(&text, 1024);
		query_role_render(&slo, QUERY_TOTAL, &values, &text);
		assert_string_equal(text.data, rows[i].asked);
		buf_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_grew_fell_came_and_went_is_counted),
		cmocka_unit_test(one_that_comes_back_is_known),
		cmocka_unit_test(what_was_forgotten_is_known_anew),
		cmocka_unit_test(histograms_grow_by_bucket),
		cmocka_unit_test(other_bounds_begin_anew),
		cmocka_unit_test(memory_of_instances_is_bounded),
		cmocka_unit_test(the_first_failures_are_counted),
		cmocka_unit_test(
			the_first_failures_of_a_known_instance_of_stable_are_counted),
		cmocka_unit_test(
			a_new_series_of_no_instance_only_begins_to_be_known),
		cmocka_unit_test(the_first_requests_are_counted),
		cmocka_unit_test(a_look_that_is_repeated_counts_the_same),
		cmocka_unit_test(buckets_are_no_plain_counters),
		cmocka_unit_test(a_part_of_an_answer_is_no_look),
		cmocka_unit_test(growth_by_the_minute_is_counted_once),
		cmocka_unit_test(growth_is_asked_for_by_the_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
