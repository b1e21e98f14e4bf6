/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an SLO of kind threshold would catch, in closed form for a jump of an
 * ideal stream of requests, and by playing seeded worlds:
 * requests are drawn, its query's value is computed from them, and the kind
 * itself judges (check.h). Only for queries of which it can be seen what they
 * say: a share of failures, or a quantile of latencies. Pure.
 */
#ifndef TIDEGATE_ENGINE_FORECAST_THRESHOLD_H
#define TIDEGATE_ENGINE_FORECAST_THRESHOLD_H

#include "base/rng.h"
#include "engine/check.h"

#define THRESHOLD_SLICES_MAX 1024 /* intervals of a window */

/* What a query's value is made of. */
struct threshold_query {
	bool is_share; /* of failures; else a quantile of latencies */
	double scale; /* a share is multiplied by this, 100 for percents */
	bool upside_down; /* a share of successes */
	double tail; /* of a quantile: the share that may be slower */
};

/* Whether worlds can be played for it; else why not. */
bool threshold_query_look(const struct slo *slo,
	struct threshold_query *query_r, const char **why_r);

/* The share of bad requests beyond which a value of the query breaches max, or
 * min where that is the limit; NAN: it has none, or is no share. */
double threshold_share(
	const struct threshold_query *query, const struct slo *slo);

/* Seconds after which an SLO has failed at the latest when its share of bad
 * requests jumps from none to `share` in a step, outside its settle. Its window
 * fills with them evenly; that much is known without a world. INFINITY: that
 * is within its limits. */
double threshold_within(const struct policy *policy, const struct slo *slo,
	const struct threshold_query *query, double share);

struct threshold_world {
	const struct policy *policy;
	const struct slo *slo;
	struct threshold_query query;
	double rate, base; /* requests a second; share of bad ones, of stable */
	double cluster; /* bad requests come so many at a time */
};

/* Begins step `step` with a candidate that has `size` times stable's share from
 * then on, and goes on in that step for `limit_s`: the seconds until it fails,
 * or INFINITY. */
double threshold_play(const struct threshold_world *world, size_t step,
	double size, double limit_s, struct rng *rng);

/* Whether a release as good as stable is taken back in any step. */
bool threshold_play_good(const struct threshold_world *world, struct rng *rng);

#endif
