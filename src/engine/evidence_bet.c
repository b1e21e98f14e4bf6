/* SPDX-License-Identifier: Apache-2.0 */
/* A bet against the candidate; see evidence_bet.h. */
#include "engine/evidence_bet.h"

#include <assert.h>
#include <math.h>

#include "engine/logs.h"

#define NEAR      200 /* a gain that leaves a stake in bounds */
#define FAINT     40 /* e^-40 is lost beside 1 */
#define LOST      1e-30 /* of the cash: lost beside what the next check puts in */
#define CASH_MIN  1e-100 /* of all: beside it each stake is a number, or lost */
#define STAKE_MAX 1e130
#define TOTAL_MIN 1e-60 /* beyond these another unit is better */
#define TOTAL_MAX 1e60

/* Of as many sizes. */
static const double size_logs[BET_SIZES_MAX + 1] = {0, 0, 0.69314718055994529,
	1.0986122886681098, 1.3862943611198906, 1.6094379124341003};

double log_add(double a, double b)
{
	double most = a > b ? a : b, least = a > b ? b : a;

	if (least == -INFINITY)
		return most;
	return least - most < -FAINT ? most : most + log1p(exp(least - most));
}

double log_mean(const double *v, size_t n)
{
	double most = v[0], sum = 0, near[BET_SIZES_MAX];
	size_t i, n_near = 0;

	assert(n > 0 && n <= BET_SIZES_MAX);
	for (i = 1; i < n; i++)
		most = v[i] > most ? v[i] : most;
	if (most == -INFINITY)
		return most;
	for (i = 0; i < n; i++) {
		if (v[i] >= most - FAINT)
			near[n_near++] = v[i] - most;
	}
	if (n_near == 1)
		return most - size_logs[n];
	exps_of(near, n_near);
	for (i = 0; i < n_near; i++)
		sum += near[i];
	return most + log(sum / (double)n);
}

struct bet_share bet_share(double share)
{
	return (struct bet_share){share, 1 - share, log(share), log1p(-share)};
}

struct bet_rules bet_rules(double first, double later, double cap)
{
	return (struct bet_rules){.first = bet_share(first),
		.later = bet_share(later),
		.cap = cap,
		.cap_times = exp(cap)};
}

void bet_init(struct bet *bet)
{
	*bet = (struct bet){.cash = 1, .total = 1};
}

double bet_wealth(const struct bet *bet)
{
	return bet->unit + log(bet->total);
}

/* ---- by logarithms, whatever they are ---- */

static void part(struct bet *bet, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		bet->stake[i] = bet->unit + log(bet->stake[i]);
	bet->cash = bet->unit + log(bet->cash);
	bet->apart = true;
}

/* All in one unit again, if they can be counted in it. */
static void draw_near(struct bet *bet, size_t n)
{
	double cash = exp(bet->cash - bet->unit);
	size_t i;

	if (cash < CASH_MIN)
		return;
	for (i = 0; i < n; i++)
		bet->stake[i] = exp(bet->stake[i] - bet->unit);
	bet->cash = cash;
	bet->apart = false;
}

static void move_apart(struct bet *bet, const double *gain, size_t n,
	const struct bet_share *share, double cap)
{
	double most = cap + bet_wealth(bet), put, staked, limit;
	size_t i;

	if (!bet->apart)
		part(bet, n);
	put = bet->cash + share->put_log - size_logs[n];
	bet->cash += share->kept_log;
	for (i = 0; i < n; i++)
		bet->stake[i] =
			log_add(bet->stake[i], put) + (gain ? gain[i] : 0);
	staked = log_mean(bet->stake, n) + size_logs[n];
	limit = most + log1p(-exp(bet->cash - most));
	/* A factor made smaller stays fair, and no single check decides. */
	for (i = 0; i < n && staked > limit; i++)
		bet->stake[i] += limit - staked;
	bet->unit = log_add(staked < limit ? staked : limit, bet->cash);
	bet->total = 1;
	draw_near(bet, n);
}

/* ---- all in one unit ---- */

/* Before it could be no number in this one. */
static void change_unit(struct bet *bet, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		bet->stake[i] /= bet->total;
	bet->cash /= bet->total;
	bet->unit += log(bet->total);
	bet->total = 1;
}

/* What each stake is multiplied by. */
struct factors {
	const double *v; /* NULL: each is 1 */
	bool usual; /* all are what their gains say */
};

/* Gains that are no usual ones. Of very small ones it is enough that what they
 * leave is lost; one that is too large, or no number, does not fit. */
static bool leave_enough(
	const struct bet_move *move, const double *stake, double cash)
{
	size_t i;

	for (i = 0; i < move->n; i++) {
		if (!(move->gain[i] <= NEAR) ||
			(move->gain[i] < -NEAR && stake[i] > LOST * cash))
			return false;
	}
	return true;
}

/* Each stake is multiplied by its factor. False, and nothing has changed: it has
 * to be done by logarithms. */
static inline bool move_near(const struct bet_move *move, size_t n,
	const struct factors *factors, const struct bet_share *share,
	double cap_times)
{
	struct bet *bet = move->bet;
	double put = bet->cash * share->put / (double)n, sum = 0, less = 1;
	double cash = bet->cash * share->kept, most = cap_times * bet->total;
	double stake[BET_SIZES_MAX];
	bool fit = !bet->apart && cash >= CASH_MIN;
	size_t i;

	for (i = 0; i < n; i++) {
		stake[i] = bet->stake[i] + put;
		if (factors->v)
			stake[i] *= factors->v[i];
		fit &= stake[i] <= STAKE_MAX;
		sum += stake[i];
	}
	if (!fit || (!factors->usual && !leave_enough(move, stake, cash)))
		return false;
	if (sum + cash > most)
		less = (most - cash) / sum;
	for (i = 0; i < n; i++)
		bet->stake[i] = stake[i] * less;
	bet->cash = cash;
	bet->total = sum + cash > most ? most : sum + cash;
	if (bet->total < TOTAL_MIN || bet->total > TOTAL_MAX)
		change_unit(bet, n);
	return true;
}

size_t bet_heaviest(const struct bet *bet, size_t n)
{
	size_t i, most = 0;

	for (i = 1; i < n; i++) {
		if (bet->stake[i] > bet->stake[most])
			most = i;
	}
	return most;
}

static void move_one(const struct bet_move *move, const struct factors *factors,
	const struct bet_rules *rules)
{
	struct bet *bet = move->bet;
	const struct bet_share *share =
		bet->checks ? &rules->later : &rules->first;
	bool moved;

	assert(move->n > 0 && move->n <= BET_SIZES_MAX);
	/* A number that is known leaves no loops. */
	if (move->n == 4)
		moved = move_near(move, 4, factors, share, rules->cap_times);
	else
		moved = move_near(
			move, move->n, factors, share, rules->cap_times);
	if (!moved)
		move_apart(bet, move->gain, move->n, share, rules->cap);
	bet->checks++;
}

/* The exponents of a bet's factors, within what can be taken. */
static void put_exponents(
	const struct bet_move *move, double *exponents, struct factors *factors)
{
	double gain;
	size_t k;

	*factors = (struct factors){move->gain ? exponents : NULL, true};
	for (k = 0; move->gain && k < move->n; k++) {
		gain = move->gain[k];
		factors->usual &= gain <= NEAR && gain >= -NEAR;
		gain = gain <= NEAR ? gain : NEAR;
		exponents[k] = gain < -NEAR ? -NEAR : gain;
	}
}

void bets_update(
	const struct bet_move *moves, size_t n, const struct bet_rules *rules)
{
	double exponents[BETS_MAX * BET_SIZES_MAX];
	struct factors factors[BETS_MAX];
	size_t i, n_all = 0;

	assert(n <= BETS_MAX);
	for (i = 0; i < n; i++) {
		put_exponents(&moves[i], exponents + n_all, &factors[i]);
		n_all += factors[i].v ? moves[i].n : 0;
	}
	exps_of(exponents, n_all); /* all at once */
	for (i = 0; i < n; i++)
		move_one(&moves[i], &factors[i], rules);
}
