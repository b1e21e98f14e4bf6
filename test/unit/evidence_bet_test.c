/* SPDX-License-Identifier: Apache-2.0 */
/* A bet is what its definition says, however its wealth is counted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/evidence_bet.h"

#define FIRST  0.7
#define LATER  0.015
#define CAP    2.2
#define CHECKS 400
#define BETS   300

/* The definition, all of it in logarithms of as many digits as there are. */
struct textbook {
	long double stake[BET_SIZES_MAX], cash, wealth;
	int checks;
};

static long double add(long double a, long double b)
{
	long double most = a > b ? a : b, least = a > b ? b : a;

	return least == -INFINITY ? most : most + log1pl(expl(least - most));
}

static void textbook_init(struct textbook *t)
{
	*t = (struct textbook){.cash = 0};
	for (size_t i = 0; i < BET_SIZES_MAX; i++)
		t->stake[i] = -INFINITY;
}

static void textbook_update(struct textbook *t, const double *gain, size_t n)
{
	long double part = t->checks++ ? LATER : FIRST;
	long double put = t->cash + logl(part / (long double)n), limit;
	long double all = -INFINITY;
	size_t i;

	t->cash += log1pl(-part);
	for (i = 0; i < n; i++) {
		t->stake[i] = add(t->stake[i], put) + (gain ? gain[i] : 0);
		all = add(all, t->stake[i]);
	}
	limit = CAP + t->wealth + log1pl(-expl(t->cash - CAP - t->wealth));
	for (i = 0; i < n && all > limit; i++)
		t->stake[i] += limit - all;
	t->wealth = add(all > limit ? limit : all, t->cash);
}

static size_t textbook_heaviest(const struct textbook *t, size_t n)
{
	size_t i, most = 0;

	for (i = 1; i < n; i++)
		most = t->stake[i] > t->stake[most] ? i : most;
	return most;
}

/* A bet's gains lie within `spread` of what they are about. */
static void play(uint64_t seed, double about, double spread)
{
	const struct bet_rules rules = bet_rules(FIRST, LATER, CAP);
	double gain[BET_SIZES_MAX], off;
	struct textbook t;
	struct rng rng;
	struct bet bet;
	size_t n, heaviest;

	rng_init(&rng, seed);
	n = 1 + rng_below(&rng, BET_SIZES_MAX);
	textbook_init(&t);
	bet_init(&bet);
	for (int check = 0; check < CHECKS; check++) {
		bool none = rng_below(&rng, 8) == 0;

		for (size_t i = 0; i < n; i++)
			gain[i] = about + spread * (2 * rng_unit(&rng) - 1);
		bet_update(&bet, none ? NULL : gain, n, &rules);
		textbook_update(&t, none ? NULL : gain, n);
		off = fabs((double)(bet_wealth(&bet) - t.wealth));
		assert_true(off < 1e-11 * fmax(1, fabs((double)t.wealth)));
	}
	/* Where no stake is worth anything there is no heaviest one. */
	heaviest = textbook_heaviest(&t, n);
	if (t.stake[heaviest] > t.cash - 60)
		assert_true(fabsl(t.stake[bet_heaviest(&bet, n)] -
				    t.stake[heaviest]) < 1e-9L);
}

static void its_wealth_is_that_of_the_definition(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < BETS; seed++) {
		play(seed, 0, 0.1);
		play(seed, 0.02, 3);
		play(seed, -1, 2);
		play(seed, -150, 160);
	}
}

/* Evidence beyond what a double can be, and what comes back from there. */
static void so_it_is_beyond_the_numbers_that_there_are(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < BETS; seed++) {
		play(seed, 0, 500);
		play(seed, 3, 1);
		play(seed, 1000, 2000);
		play(seed, -20, 40);
	}
}

/* One check multiplies by e^cap at most, whatever it shows. */
static void no_check_decides_by_itself(void **state)
{
	const struct bet_rules rules = bet_rules(FIRST, LATER, CAP);
	const double much[BET_SIZES_MAX] = {50, 500, 5, 50, 5000};
	struct bet bet;

	(void)state;
	bet_init(&bet);
	for (int check = 1; check <= 400; check++) {
		bet_update(&bet, much, BET_SIZES_MAX, &rules);
		assert_true(fabs(bet_wealth(&bet) - CAP * check) < 1e-9);
	}
}

/* Of money that is never bet, (1 - 0.7) (1 - 0.015)^(n-1) is left after n. */
static void what_was_lost_leaves_the_cash(void **state)
{
	const struct bet_rules rules = bet_rules(FIRST, LATER, CAP);
	const double all_lost[4] = {-900, -900, -900, -900};
	struct bet bet;

	(void)state;
	bet_init(&bet);
	assert_true(bet_wealth(&bet) == 0);
	for (int check = 1; check <= 20000; check++) {
		double left = log(1 - FIRST) + (check - 1) * log1p(-LATER);

		bet_update(&bet, all_lost, 4, &rules);
		assert_true(fabs(bet_wealth(&bet) - left) < 1e-9);
	}
}

/* What is a fair bet stays as it is where nothing is gained. */
static void without_a_gain_nothing_changes(void **state)
{
	const struct bet_rules rules = bet_rules(FIRST, LATER, CAP);
	struct bet bet;

	(void)state;
	bet_init(&bet);
	for (int check = 0; check < 1000; check++) {
		bet_update(&bet, NULL, 5, &rules);
		assert_true(fabs(bet_wealth(&bet)) < 1e-12);
	}
}

static void means_and_sums_are_of_what_the_logarithms_stand_for(void **state)
{
	const double far[3] = {-1000, -1000 + log(2), -2000};
	const double none[2] = {-INFINITY, -INFINITY};
	const double some[5] = {log(1), log(2), log(3), log(4), log(90)};

	(void)state;
	assert_true(fabs(log_mean(some, 5) - log(20)) < 1e-14);
	assert_true(fabs(log_mean(far, 3) + 1000) < 1e-12);
	assert_true(log_mean(none, 2) == -INFINITY);
	assert_true(fabs(log_mean((double[]){-50, 0}, 2) + log(2)) < 1e-15);
	assert_true(fabs(log_mean((double[]){-39, 0}, 2) -
			    (log1p(exp(-39)) - log(2))) < 1e-16);
	assert_true(
		log_add(-INFINITY, -3) == -3 && log_add(-3, -INFINITY) == -3);
	assert_true(fabs(log_add(log(2), log(5)) - log(7)) < 1e-15);
	assert_true(log_add(-INFINITY, -INFINITY) == -INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_wealth_is_that_of_the_definition),
		cmocka_unit_test(so_it_is_beyond_the_numbers_that_there_are),
		cmocka_unit_test(no_check_decides_by_itself),
		cmocka_unit_test(what_was_lost_leaves_the_cash),
		cmocka_unit_test(without_a_gain_nothing_changes),
		cmocka_unit_test(
			means_and_sums_are_of_what_the_logarithms_stand_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
