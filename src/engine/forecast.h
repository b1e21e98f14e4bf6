/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy would catch, before anything is released: for each step and SLO
 * how long a candidate with two, five, ten times the bad requests of stable
 * would stay unseen, and how many requests that costs. SLOs of kind evidence by
 * the growth of their bets (evidence_plan.h), those of kind threshold by
 * simulation of seeded worlds (forecast_threshold.h), so that both kinds can be
 * compared. Pure.
 */
#ifndef TIDEGATE_ENGINE_FORECAST_H
#define TIDEGATE_ENGINE_FORECAST_H

#include "engine/evidence_memory.h"

#define FORECAST_SIZES 3
/* How much a service disperses whose history is not known, and calm. */
#define FORECAST_CALM 1.1
/* Stable's requests a second below which a holdback misses late trouble. */
#define FORECAST_HOLDBACK_RATE 5

extern const double forecast_sizes[FORECAST_SIZES]; /* times stable's share */

/* What is known of the service. NAN: not known. */
struct forecast_load {
	double rate; /* requests a second, of all revisions */
	double bad; /* share of them, of a good revision */
	double slow; /* share beyond a bound; not known: a fifth of what may be */
	/* Measured, of SLOs of kind evidence: they go before. */
	const struct slo_history *histories;
	size_t n_histories;
	bool counted_only; /* no worlds are played, which takes seconds */
};

/* A regression of one size that begins with a step. Times from then on. */
struct forecast_case {
	double size; /* times stable's share */
	double median_s, most_s; /* half, nine of ten found; INFINITY: never */
	double requests, bad; /* of the candidate, until half are found */
};

struct forecast_step {
	double requests; /* of the candidate per second */
	struct forecast_case sizes[FORECAST_SIZES];
	double smallest; /* found nine of ten times within it; INFINITY: none */
};

enum forecast_by { FORECAST_NONE, FORECAST_EVIDENCE, FORECAST_WORLDS };

struct forecast_slo {
	enum forecast_by by;
	const char *why; /* FORECAST_NONE: why not */
	bool slow; /* bad requests are slow ones */
	bool measured; /* the next ones are from a history */
	double rate, base, phi;
	/* Of good releases, taken back by it: of kind threshold, as simulated. */
	double false_share;
	struct forecast_step step[POLICY_STEPS_MAX];
};

/* What would cost a person's `hurt` requests at most. */
struct forecast_advice {
	bool known;
	double share; /* of the first step, such that an outage costs that */
	double bake_s; /* finds forecast_sizes' last nine of ten times there */
	double bad; /* what that costs; may be more than was wanted */
};

/* Whether a policy keeps stable enough traffic near the end. */
enum forecast_holdback {
	HOLDBACK_NOT_KNOWN,
	HOLDBACK_TOO_LITTLE, /* even 10 % of the traffic would be */
	HOLDBACK_WORTHWHILE
};

struct forecast {
	double hurt; /* what the advice is for */
	struct forecast_advice advice;
	enum forecast_holdback holdback;
	size_t n; /* as many as the policy has SLOs */
	/* The same requests by an SLO of kind evidence, of each that was
	 * played in worlds. */
	struct forecast_slo *instead;
	struct forecast_slo slo[];
};

/* `hurt`: how many bad requests may be. Free it with free(). */
struct forecast *forecast_new(const struct policy *policy,
	const struct forecast_load *load, double hurt);

/* Requests of the candidate until `share` bad ones are told from `base`, of an
 * SLO of kind evidence, in a step: that much is known without a rate. INFINITY:
 * never. */
double forecast_requests(const struct policy *policy, size_t slo, size_t step,
	double base, double share);

#endif
