/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past out of its counters. The numbers were computed by another
 * program, in another language, from the same small rules (requests_of,
 * bad_of, bucket_of).
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

#include "metrics/slo_history.h"

#define LOOKS      41
#define STEP_S     30
#define RESET      20 /* instance 2 starts anew before this look */
#define BORN       10 /* instance 3 before this one */
#define FAILS      14 /* instance 4 for the first time */
#define MISSED     5 /* instance 1 was not seen at this one */
#define BUCKETS    4
#define SERIES_MAX 32

static const struct slo errors = {
	.name = "errors", .kind = SLO_EVIDENCE, .total = "total", .bad = "bad"};
static const struct slo latency = {.name = "latency",
	.kind = SLO_EVIDENCE,
	.buckets = "buckets",
	.bound = 0.5,
	.bound_le = 0.5};
static const double bounds[BUCKETS] = {0.1, 0.5, 1, INFINITY};

/* Series of one role, and where their labels and values lie. */
struct role {
	struct past_series series[SERIES_MAX];
	char labels[SERIES_MAX][80];
	double values[SERIES_MAX][LOOKS];
	size_t n;
};

static struct role total, bad;
static struct slo_history history;
static struct err err;

static int setup(void **state)
{
	(void)state;
	total.n = bad.n = 0;
	return 0;
}

static double *add_series(
	struct role *role, int instance, const char *code, double le)
{
	size_t i = role->n++;

	snprintf(role->labels[i], sizeof(role->labels[i]),
		"{\"code\":\"%s\",\"instance\":\"i%d\",\"job\":\"api\"}", code,
		instance);
	role->series[i] =
		(struct past_series){role->labels[i], le, role->values[i]};
	return role->values[i];
}

static double good_of(int instance, int look)
{
	return 200 + (look * 7 + instance * 13) % 11;
}

static double bad_of(int instance, int look)
{
	if ((look * look + 3 * instance) % 13 == 0)
		return 25;
	return (look + instance) % 5 == 0;
}

static double bucket_of(int instance, int look, int bucket)
{
	switch (bucket) {
	case 0:
		return 5 + (look * 3 + instance) % 7;
	case 1:
		return 3 + (look + instance * 5) % 4;
	case 2:
		return (look * instance) % 3;
	default:
		return (look + instance) % 9 == 0;
	}
}

static bool is_missing(int instance, int look)
{
	return (instance == 1 && look == MISSED) ||
	       (instance == 3 && look < BORN);
}

/* A server counts by code, so that the bad requests are series of all. */
static void add_instance(int instance)
{
	double *good = add_series(&total, instance, "200", NAN);
	double *failed = add_series(&total, instance, "500", NAN);
	double *again = add_series(&bad, instance, "500", NAN);
	double n_good = 1000 * instance, n_bad = 7 * instance;
	int look;

	for (look = 0; look < LOOKS; look++) {
		if (instance == 2 && look == RESET)
			n_good = n_bad = 0;
		if (look) {
			n_good += good_of(instance, look);
			n_bad += bad_of(instance, look);
		}
		good[look] = is_missing(instance, look) ? NAN : n_good;
		failed[look] = again[look] =
			is_missing(instance, look) ? NAN : n_bad;
	}
}

static void add_histogram(int instance)
{
	double all[BUCKETS] = {0}, sum;
	double *values[BUCKETS];
	int look, b;

	for (b = 0; b < BUCKETS; b++)
		values[b] = add_series(&total, instance, "200", bounds[b]);
	for (look = 0; look < LOOKS; look++) {
		if (instance == 2 && look == RESET)
			memset(all, 0, sizeof(all));
		for (b = 0, sum = 0; b < BUCKETS; b++) {
			sum += bucket_of(instance, look, b);
			all[b] += look ? sum : 0;
			values[b][look] = all[b];
		}
	}
}

static int make_of(const struct slo *slo, size_t looks)
{
	const struct past past = {
		.role = {{total.series, total.n}, {bad.series, bad.n}},
		.looks = looks,
		.step_s = STEP_S};

	return slo_history_make(slo, 3, &past, &history, &err);
}

static void make(const struct slo *slo)
{
	assert_int_equal(make_of(slo, LOOKS), 0);
	assert_int_equal(history.slo, 3);
}

static void expect(const char *what, double seen, double wanted)
{
	if (fabs(seen - wanted) > 1e-9 * fmax(1, fabs(wanted)))
		fail_msg("%s is %.17g instead of %.17g", what, seen, wanted);
}

static void expect_dispersion(double phi, double level, double shape)
{
	expect("phi", history.dispersion.phi, phi);
	expect("phi_level", history.dispersion.phi_level, level);
	expect("phi_shape", history.dispersion.phi_shape, shape);
}

static void errors_are_counted_and_their_clusters_measured(void **state)
{
	int i;

	(void)state;
	for (i = 1; i <= 4; i++)
		add_instance(i);
	make(&errors);
	expect("seconds", history.seconds, (LOOKS - 1) * STEP_S);
	expect("requests", history.past.n, 31220);
	expect("bad", history.past.x, 477);
	expect_dispersion(25.17939310016803, 13.108315300932036, 1);
}

static void one_instance_is_compared_with_itself(void **state)
{
	(void)state;
	add_instance(4);
	make(&errors);
	expect("requests", history.past.n, 8379);
	expect("bad", history.past.x, 182);
	expect_dispersion(26.22720879104136, 20.669174245831858, 1);
}

static void histograms_are_added_up_by_bucket(void **state)
{
	static const double all[BUCKETS] = {1282, 720, 121, 16};
	int i, b;

	(void)state;
	for (i = 4; i >= 1; i--)
		add_histogram(i);
	make(&latency);
	assert_int_equal(history.bins, BUCKETS);
	for (b = 0; b < BUCKETS; b++) {
		expect("bucket", history.histogram[b], all[b]);
		assert_true(history.bounds[b] == bounds[b]);
	}
	expect("requests", history.past.n, 2139);
	expect("slow", history.past.x, 137);
	expect_dispersion(
		3.140691856468176, 1.2468196388528314, 1.654844849491612);
}

/* Whatever order they come in. */
static void the_same_past_gives_the_same_halves(void **state)
{
	double phi;
	int i;

	(void)state;
	for (i = 1; i <= 4; i++)
		add_instance(i);
	make(&errors);
	phi = history.dispersion.phi;
	total.n = bad.n = 0;
	for (i = 4; i >= 1; i--)
		add_instance(i);
	make(&errors);
	assert_true(history.dispersion.phi == phi);
}

/* A label may say what looks like another one. */
static void an_instance_is_what_its_label_says(void **state)
{
	size_t i;

	(void)state;
	add_instance(1);
	add_instance(2);
	make(&errors);
	expect_dispersion(45.644442561713596, 22.482445357107245, 1);
	for (i = 0; i < total.n; i++)
		snprintf(total.labels[i], sizeof(total.labels[i]),
			"{\"code\":\",\\\"instance\\\":\\\"%zu\\\"\"}", i);
	for (i = 0; i < bad.n; i++)
		snprintf(bad.labels[i], sizeof(bad.labels[i]),
			"{\"code\":\",\\\"instance\\\":\\\"%zu\\\"\"}", i);
	make(&errors);
	expect_dispersion(35.09488063116377, 22.482445357107245, 1);
}

static void without_a_past_nothing_is_known(void **state)
{
	(void)state;
	make(&errors);
	assert_true(history.seconds == 0 && history.past.n == 0);
	expect_dispersion(2, 2, 2);
	assert_int_equal(make_of(&errors, 0), 0);
	assert_true(history.seconds == 0);
	add_instance(1);
	assert_int_equal(make_of(&errors, 1), 0);
	assert_true(history.seconds == 0);
}

/* Stable is younger than the time that was asked for. */
static void time_before_the_first_sample_is_not_its_past(void **state)
{
	(void)state;
	add_instance(3);
	make(&errors);
	expect("seconds", history.seconds, (LOOKS - 1 - BORN) * STEP_S);
}

/* An instance that fails for the first time after a while: its counter of
 * failures is new, and began at zero. */
static void the_first_failures_of_an_instance_are_its_past(void **state)
{
	double *failed, *again, before, good = 0, late = 0;
	int look;

	(void)state;
	add_instance(2);
	add_instance(4);
	failed = total.values[3];
	again = bad.values[1];
	before = failed[FAILS - 1];
	for (look = 0; look < LOOKS; look++) {
		failed[look] = look < FAILS ? NAN : failed[look] - before;
		again[look] = failed[look];
		good += look ? good_of(2, look) + good_of(4, look) +
					bad_of(2, look)
			     : 0;
		late += look >= FAILS ? bad_of(4, look) : 0;
	}
	assert_true(failed[FAILS] > 0);
	make(&errors);
	expect("requests", history.past.n, good + late);
	for (look = 1; look < LOOKS; look++)
		late += bad_of(2, look);
	expect("bad", history.past.x, late);
}

static void what_is_no_histogram_is_refused(void **state)
{
	(void)state;
	add_instance(1);
	assert_int_equal(make_of(&latency, LOOKS), -1);
	assert_non_null(strstr(err.text, "NAME_bucket"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			errors_are_counted_and_their_clusters_measured, setup),
		cmocka_unit_test_setup(
			one_instance_is_compared_with_itself, setup),
		cmocka_unit_test_setup(
			histograms_are_added_up_by_bucket, setup),
		cmocka_unit_test_setup(
			the_same_past_gives_the_same_halves, setup),
		cmocka_unit_test_setup(
			an_instance_is_what_its_label_says, setup),
		cmocka_unit_test_setup(without_a_past_nothing_is_known, setup),
		cmocka_unit_test_setup(
			time_before_the_first_sample_is_not_its_past, setup),
		cmocka_unit_test_setup(
			the_first_failures_of_an_instance_are_its_past, setup),
		cmocka_unit_test_setup(what_is_no_histogram_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
