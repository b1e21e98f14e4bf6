/* SPDX-License-Identifier: Apache-2.0 */
/* A bet against the candidate; see evidence_bet.h. */
#include "engine/evidence_bet.h"

#include <assert.h>
#include <math.h>

#define FAR         300 /* e^300 times more: the rest may be scaled anew */
#define NEAR        200 /* a gain that leaves a stake in bounds */
#define FAINT       40 /* e^-40 is lost beside 1 */
#define SMALL_SHARE 0.1
#define STAKE_MIN   1e-130
#define STAKE_MAX   1e130
#define SMALL       1e-3 /* below it five terms of a series are exact */

/* Of as many sizes. */
static const double size_logs[BET_SIZES_MAX + 1] = {0, 0, 0.69314718055994529,
	1.0986122886681098, 1.3862943611198906, 1.6094379124341003};

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

/* e^v, v <= 0: nothing beside 1 where it cannot be seen there. */
static double exp_below(double v)
{
	if (v == 0)
		return 1;
	return v < -FAINT ? 0 : exp(v);
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
		sum += exp_below(v[i] - most);
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

/* Adds e^put to each stake. Their scales are the same, mostly. */
static void stakes_add(struct bet *bet, size_t n, double put)
{
	double above, last = 0, more = 1;
	size_t i;

	for (i = 0; i < n; i++) {
		above = put - bet->scale[i];
		if (above > FAR) {
			bet->stake[i] = bet->stake[i] * exp(-above) + 1;
			bet->scale[i] = put;
			continue;
		}
		if (above != last)
			more = exp(above);
		last = above;
		bet->stake[i] += more;
	}
}

/* Multiplies a stake by e^gain. */
static void stake_gain(double *stake, double *scale, double gain)
{
	double more;

	if (gain == 0)
		return;
	if (gain < -NEAR || gain > NEAR) {
		*scale += gain;
		return;
	}
	more = *stake * exp(gain);
	if (more > STAKE_MIN && more < STAKE_MAX)
		*stake = more;
	else
		*scale += gain;
}

static double highest_scale(const struct bet *bet, size_t n)
{
	double most = bet->scale[0];
	size_t i;

	for (i = 1; i < n; i++)
		most = bet->scale[i] > most ? bet->scale[i] : most;
	return most;
}

/* All stakes, in e^most. */
static double staked(const struct bet *bet, size_t n, double most)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += bet->scale[i] == most
			       ? bet->stake[i]
			       : bet->stake[i] * exp(bet->scale[i] - most);
	return sum;
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

/* A factor made smaller stays fair, and no single check decides. */
static void bet_limit(struct bet *bet, size_t n, double all, double most)
{
	double limit = most + log1p(-exp(bet->cash - most));
	size_t i;

	for (i = 0; i < n; i++)
		bet->scale[i] += limit - all;
	bet->wealth = log_add(limit, bet->cash);
}

void bet_update(struct bet *bet, const double *gain, size_t n,
	const struct bet_rules *rules)
{
	const struct bet_share *share =
		bet->checks ? &rules->later : &rules->first;
	double most = rules->cap + bet->wealth, put, top, sum, cash;
	size_t i;

	assert(n > 0 && n <= BET_SIZES_MAX);
	put = bet->cash + share->put - size_logs[n];
	bet->cash += share->kept;
	stakes_add(bet, n, put);
	for (i = 0; i < n; i++)
		stake_gain(&bet->stake[i], &bet->scale[i], gain[i]);
	top = highest_scale(bet, n);
	sum = staked(bet, n, top);
	cash = exp(bet->cash - top);
	/* Beside very much cash the stakes would be lost, and so the other way. */
	if (cash < STAKE_MAX)
		bet->wealth = top + log(sum + cash);
	else
		bet->wealth = log_add(top + log(sum), bet->cash);
	if (bet->wealth > most)
		bet_limit(bet, n, top + log(sum), most);
	bet->checks++;
}

static bool is_hit(const struct bet_buckets *buckets, size_t i)
{
	return !buckets->hit || buckets->hit[i];
}

void bet_buckets(const double *weights, size_t n, const bool *hit,
	struct bet_buckets *buckets_r)
{
	struct bet_buckets *r = buckets_r;
	double all = 0, above[BET_BUCKETS_MAX], share;
	size_t i;

	assert(n > 0 && n <= BET_BUCKETS_MAX);
	r->n = n;
	r->hit = hit;
	for (i = n; i-- > 0;) {
		all += weights[i];
		above[i] = all; /* this bucket and all above it */
	}
	r->above[0] = 0;
	for (i = 0; i < n; i++) {
		/* A bucket needs what is above it, which is the next one's. */
		if (i && (is_hit(r, i) || is_hit(r, i - 1)))
			r->above[i] = log(above[i] / all);
		if (!is_hit(r, i))
			continue;
		r->part[i] = weights[i] / all;
		share = weights[i] / above[i];
		r->rest[i] = share < SMALL_SHARE ? log_1p(-share) : NAN;
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
	double power = 1 / kappa, here, next = 1;
	size_t i, known = 0; /* the bucket whose survival `next` is */

	for (i = 0; i < buckets->n; i++) {
		if (!is_hit(buckets, i))
			continue;
		here = known == i ? next : exp(power * buckets->above[i]);
		if (i + 1 == buckets->n) {
			next = 0;
		} else if (isnan(buckets->rest[i])) {
			next = exp(power * buckets->above[i + 1]);
			known = i + 1;
		} else {
			/* A difference would have lost the digits. */
			ratios_r[i] = here *
				      one_minus_exp(power * buckets->rest[i]) /
				      buckets->part[i];
			continue;
		}
		ratios_r[i] = (here - next) / buckets->part[i];
	}
}
