/* A bet against the candidate; see evidence_bet.h. */
#include "engine/evidence_bet.h"

#include <assert.h>
#include <math.h>

double bet_kernel(double hits, double trials, double chance, double odds)
{
	return hits * log(odds) - trials * log1p(chance * (odds - 1));
}

double log_add(double a, double b)
{
	double most = a > b ? a : b, least = a > b ? b : a;

	if (least == -INFINITY)
		return most;
	return most + log1p(exp(least - most));
}

static double log_sum(const double *v, size_t n)
{
	double sum = -INFINITY;
	size_t i;

	for (i = 0; i < n; i++)
		sum = log_add(sum, v[i]);
	return sum;
}

double log_mean(const double *v, size_t n)
{
	return log_sum(v, n) - log((double)n);
}

void bet_init(struct bet *bet)
{
	*bet = (struct bet){.cash = 0};
	for (size_t i = 0; i < BET_SIZES_MAX; i++)
		bet->stake[i] = -INFINITY;
}

void bet_update(struct bet *bet, const double *gain, size_t n,
	const struct bet_rules *rules)
{
	double share = bet->checks ? rules->later : rules->first;
	double put = bet->cash + log(share / (double)n), staked, limit;
	size_t i;

	assert(n > 0 && n <= BET_SIZES_MAX);
	bet->cash += log1p(-share);
	for (i = 0; i < n; i++)
		bet->stake[i] = log_add(bet->stake[i], put) + gain[i];
	staked = log_sum(bet->stake, n);
	/* A factor made smaller stays fair, and no single check decides. */
	limit = rules->cap + bet->wealth +
		log1p(-exp(bet->cash - rules->cap - bet->wealth));
	if (staked > limit) {
		for (i = 0; i < n; i++)
			bet->stake[i] += limit - staked;
		staked = limit;
	}
	bet->wealth = log_add(staked, bet->cash);
	bet->checks++;
}

void bet_bucket_ratios(
	const double *weights, size_t n, double kappa, double *ratios_r)
{
	double above, all = 0, power = 1 / kappa, share, moved;
	size_t i;

	for (i = n; i-- > 0;) {
		all += weights[i];
		ratios_r[i] = all; /* this bucket and all above it */
	}
	for (i = 0; i < n; i++) {
		above = ratios_r[i];
		share = i + 1 == n ? 1 : weights[i] / above;
		moved = i + 1 == n ? 1 : -expm1(power * log1p(-share));
		ratios_r[i] = pow(above / all, power - 1) * moved / share;
	}
}
