/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithms and exponentials of several numbers at once. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/logs.h"

#define ROUNDS 100000
#define SIZE   7

typedef void (*many_fn)(double *v, size_t n);
typedef long double (*one_fn)(long double v);

/* In units of the last place of what is right. */
static double wrong_by(double v, long double right)
{
	double place = fabs((double)right);

	place = nextafter(place, INFINITY) - place;
	return (double)(fabsl((long double)v - right) / place);
}

/* Of whichever number of them, and each as it is alone. */
static void try(many_fn many, one_fn one, const double *of, size_t n)
{
	double v[SIZE], alone;
	size_t i;

	memcpy(v, of, n * sizeof(v[0]));
	many(v, n);
	for (i = 0; i < n; i++) {
		assert_true(wrong_by(v[i], one(of[i])) < 1);
		alone = of[i];
		many(&alone, 1);
		assert_memory_equal(&alone, &v[i], sizeof(alone));
	}
}

/* Between two numbers; with `as_logs` between their exponentials. */
static void try_between(
	many_fn many, one_fn one, const double range[2], bool as_logs)
{
	double v[SIZE], at;
	struct rng rng;
	size_t i, n;

	rng_init(&rng, 1);
	for (int round = 0; round < ROUNDS; round++) {
		n = 1 + rng_below(&rng, SIZE);
		for (i = 0; i < n; i++) {
			at = range[0] + (range[1] - range[0]) * rng_unit(&rng);
			v[i] = as_logs ? exp(at) : at;
		}
		try(many, one, v, n);
	}
}

static void logarithms_are_right_to_the_last_place(void **state)
{
	(void)state;
	try_between(logs_of, logl, (const double[2]){-700, 700}, true);
	try_between(logs_of, logl, (const double[2]){0.3, 3}, false);
	try_between(logs_of, logl, (const double[2]){-1e-6, 1e-6}, true);
}

static void logarithms_of_one_and_more_are_right_to_the_last_place(void **state)
{
	(void)state;
	try_between(logs_of_1p, log1pl, (const double[2]){-0.99, 40}, false);
	try_between(logs_of_1p, log1pl, (const double[2]){-80, 0}, true);
}

static void exponentials_are_right_to_the_last_place(void **state)
{
	(void)state;
	try_between(exps_of, expl, (const double[2]){-700, 700}, false);
	try_between(exps_of, expl, (const double[2]){-1, 1}, false);
}

/* One that does not fit changes nothing for those beside it. */
static void what_is_no_usual_number_is_what_libm_makes_of_it(void **state)
{
	double v[] = {2, 0, INFINITY, DBL_MIN / 4, DBL_MAX, -1, NAN};
	double two = 2, one_and_two = 2, power = 2;

	(void)state;
	logs_of(v, SIZE);
	logs_of(&two, 1);
	assert_true(v[0] == two && v[1] == -INFINITY && v[2] == INFINITY);
	assert_true(v[3] == log(DBL_MIN / 4) && isnan(v[5]) && isnan(v[6]));
	assert_true(fabs(v[4] - log(DBL_MAX)) < 1e-12);

	memcpy(v, (double[]){2, -1, INFINITY, -2, NAN, 0, 1e-300}, sizeof(v));
	logs_of_1p(v, SIZE);
	logs_of_1p(&one_and_two, 1);
	assert_true(v[0] == one_and_two && v[1] == -INFINITY);
	assert_true(v[2] == INFINITY && isnan(v[3]) && isnan(v[4]));
	assert_true(v[5] == 0 && v[6] == 1e-300);

	memcpy(v, (double[]){2, -INFINITY, INFINITY, -740, 710, 0, NAN},
		sizeof(v));
	exps_of(v, SIZE);
	exps_of(&power, 1);
	assert_true(v[0] == power && v[1] == 0 && v[2] == INFINITY);
	assert_true(v[3] == exp(-740) && v[4] == INFINITY);
	assert_true(v[5] == 1 && isnan(v[6]));
	logs_of(v, 0);
	exps_of(v, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithms_are_right_to_the_last_place),
		cmocka_unit_test(
			logarithms_of_one_and_more_are_right_to_the_last_place),
		cmocka_unit_test(exponentials_are_right_to_the_last_place),
		cmocka_unit_test(
			what_is_no_usual_number_is_what_libm_makes_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
