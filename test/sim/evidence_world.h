/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded worlds of requests, for evidence: what a candidate and its stable
 * revision show from check to check, and stable's history before it. Two
 * objectives: errors (at most 1 %) and latency (at most 5 % above 0.5 s).
 *
 * A good release is one whose candidate is drawn from the same distribution as
 * stable, whatever noise both have; what is noise and what is trouble of the
 * candidate are therefore two structs.
 */
#ifndef TEST_SIM_EVIDENCE_WORLD_H
#define TEST_SIM_EVIDENCE_WORLD_H

#include "base/rng.h"
#include "engine/evidence_memory.h"

#define WORLD_SLOS      2 /* errors, latency */
#define WORLD_BUCKETS   12
#define WORLD_BOUND     6 /* the bucket that ends at the latency's objective */
#define WORLD_CHECK_S   15
#define WORLD_INSTANCES 8 /* of the service */

enum { WORLD_ERRORS, WORLD_LATENCY };
enum { WORLD_CANDIDATE, WORLD_STABLE };

/* Something that comes and goes. */
struct noise_burst {
	double per_hour; /* 0: never */
	double for_s;
	double errors; /* share of errors meanwhile */
	double slower; /* requests take so many times as long; 0: as ever */
};

/* Something whose logarithm wanders around 0 and comes back. */
struct noise_wander {
	double by; /* standard deviation; 0: does not wander */
	double over_s; /* how long it remembers */
};

/* What is no fault of the candidate. All zero: independent requests. */
struct noise {
	double cluster; /* errors come so many at a time; 0: one by one */
	bool cluster_tail; /* … and some clusters are far larger */
	bool instances; /* what follows is of each instance by itself */
	struct noise_burst burst;
	struct noise_wander errors, latency;
	/* Instances differ for good, until others take their place. */
	double errors_differ, latency_differs, replaced_s;
	double traffic; /* requests of a check vary by such a part */
	double wave, wave_s; /* … and go up and down */
	double drift; /* share of errors is so many times higher in an hour */
	double uneven; /* the candidate's traffic, beside its share; 0: 1 */
	/* For some time both revisions have this share of errors, or are
	 * slower. */
	double incident, incident_slower, incident_s, incident_for_s;
	/* The metrics: arms are read at different times, samples are missing,
	 * counters start anew. */
	double window_s, missing, reset;
	/* The candidate's first seconds in a step are slower; one of its checks
	 * is nonsense. */
	double cold_slower, cold_s, broken_s;
};

struct world {
	double rate; /* requests per second */
	double base; /* share of errors of a good revision */
	struct noise noise;

	/* From `from_s` on the candidate has this share of errors; with a ramp
	 * it grows to that. */
	double errors, from_s, ramp_s;
	/* … its requests take so many times as long, or a part of them. */
	double slower, slow_part;
};

extern const struct world world_good;

/* An instance, and how it is at the moment. */
struct instance {
	double errors, latency; /* ln, for good */
	double errors_now, latency_now; /* ln, wandering */
	double burst_left_s;
};

/* A world as it goes on. */
struct world_run {
	const struct world *world;
	struct rng rng;
	double s; /* since the rollout began; below 0: history */
	struct instance service; /* what all instances have in common */
	struct instance instance[2][WORLD_INSTANCES]; /* candidate, stable */
	double missed_s[2]; /* since the arm's last sample */
	double offset_s[2]; /* of the arm's last sample */
	bool was_broken;
	double wave_from; /* phase */
	/* Shares of the buckets of the latest two speeds. */
	double in_bucket[2][WORLD_BUCKETS], bucket_slower[2];
	size_t bucket_next;
	/* Of the latest check. */
	struct request_sum bad; /* errors of the candidate, of all requests */
};

void world_begin(
	struct world_run *run, const struct world *world, uint64_t seed);

/* Stable's past three hours. To be called once, before the first check. */
void world_live_through_history(
	struct world_run *run, struct slo_history histories_r[WORLD_SLOS]);

/* The check that comes next, `share` being the candidate's, `in_step_s` seconds
 * after its step began. */
void world_check(struct world_run *run, double share, double in_step_s,
	struct check_counts counts_r[WORLD_SLOS]);

#endif
