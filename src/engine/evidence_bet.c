/* A bet against the candidate; see evidence_bet.h. */
#include "engine/evidence_bet.h"

#include <assert.h>
#include <math.h>

#define FAR   300 /* e^300 times more: the rest may be scaled anew */
#define SMALL 1e-3 /* below it five terms of a series are exact */

double log_1p(double v)
{
	double sum = 1 + v;

	if (sum <= 0)
		return -INFINITY;
	/* What the sum has lost by rounding is put back. */
	return log(sum) + (v - (sum - 1)) / sum;
}

double log_add(double a, double b)
{
	double most = a > b ? a : b, least = a > b ? b : a;

	if (least == -INFINITY)
		return most;
	return most + log_1p(exp(least - most));
}

double log_mean(const double *v, size_t n)
{
	double most = v[0], sum = 0;
	size_t i;

	for (i = 1; i < n; i++)
		most = v[i] > most ? v[i] : most;
	if (most == -INFINITY)
		return most;
	for (i = 0; i < n; i++)
		sum += exp(v[i] - most);
	return most + log(sum / (double)n);
}

struct bet_share bet_share(double share)
{
	return (struct bet_share){log(share), log1p(-share)};
}

void bet_init(struct bet *bet)
{
	*bet = (struct bet){.cash = 0};
	for (size_t i = 0; i < BET_SIZES_MAX; i++)
		bet->scale[i] = -INFINITY;
}

/* Adds e^put to a stake. */
static void stake_add(double *stake, double *scale, double put)
{
	double above = put - *scale;

	if (above > FAR) {
		*stake = *stake * exp(-above) + 1;
		*scale = put;
	} else {
		*stake += exp(above);
	}
}

/* ln of all stakes. */
static double staked(const struct bet *bet, size_t n)
{
	double most = bet->scale[0], sum;
	size_t i;

	for (i = 1; i < n; i++)
		most = bet->scale[i] > most ? bet->scale[i] : most;
	sum = bet->stake[0] * exp(bet->scale[0] - most);
	for (i = 1; i < n; i++)
		sum += bet->stake[i] * exp(bet->scale[i] - most);
	return most + log(sum);
}

size_t bet_heaviest(const struct bet *bet, size_t n)
{
	size_t i, most = 0;

	for (i = 1; i < n; i++) {
		if (log(bet->stake[i]) + bet->scale[i] >
			log(bet->stake[most]) + bet->scale[most])
			most = i;
	}
	return most;
}

void bet_update(struct bet *bet, const double *gain, size_t n,
	const struct bet_rules *rules)
{
	const struct bet_share *share =
		bet->checks ? &rules->later : &rules->first;
	double put = bet->cash + share->put - log((double)n), all, wealth;
	double limit, most = rules->cap + bet->wealth;
	size_t i;

	assert(n > 0 && n <= BET_SIZES_MAX);
	bet->cash += share->kept;
	for (i = 0; i < n; i++) {
		stake_add(&bet->stake[i], &bet->scale[i], put);
		bet->scale[i] += gain[i];
	}
	all = staked(bet, n);
	wealth = log_add(all, bet->cash);
	/* A factor made smaller stays fair, and no single check decides. */
	if (wealth > most) {
		limit = most + log1p(-exp(bet->cash - most));
		for (i = 0; i < n; i++)
			bet->scale[i] += limit - all;
		wealth = log_add(limit, bet->cash);
	}
	bet->wealth = wealth;
	bet->checks++;
}

void bet_buckets(const double *weights, size_t n, struct bet_buckets *buckets_r)
{
	struct bet_buckets *r = buckets_r;
	double all = 0, above[BET_BUCKETS_MAX];
	size_t i;

	assert(n > 0 && n <= BET_BUCKETS_MAX);
	r->n = n;
	for (i = n; i-- > 0;) {
		all += weights[i];
		above[i] = all; /* this bucket and all above it */
	}
	for (i = 0; i < n; i++) {
		r->above[i] = log(above[i] / all);
		r->share[i] = i + 1 == n ? 1 : weights[i] / above[i];
		r->rest[i] = i + 1 == n ? -INFINITY : log_1p(-r->share[i]);
	}
}

/* 1 - e^v, v <= 0, without losing the digits of a small one. */
static double one_minus_exp(double v)
{
	if (v < -SMALL)
		return 1 - exp(v);
	return -v * (1 + v / 2 * (1 + v / 3 * (1 + v / 4 * (1 + v / 5))));
}

void bet_bucket_ratios(
	const struct bet_buckets *buckets, double kappa, double *ratios_r)
{
	double power = 1 / kappa;
	size_t i;

	for (i = 0; i < buckets->n; i++)
		ratios_r[i] = exp((power - 1) * buckets->above[i]) *
			      one_minus_exp(power * buckets->rest[i]) /
			      buckets->share[i];
}
