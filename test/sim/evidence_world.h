/*
 * Seeded worlds of requests, for evidence: what a candidate and its stable
 * revision show from check to check, and stable's history before it. Two
 * objectives: errors (at most 1 %) and latency (at most 5 % above 0.5 s).
 */
#ifndef TEST_SIM_EVIDENCE_WORLD_H
#define TEST_SIM_EVIDENCE_WORLD_H

#include "base/rng.h"
#include "engine/evidence.h"

#define WORLD_SLOS    2
#define WORLD_BUCKETS 12
#define WORLD_CHECK_S 15
#define WORLD_STEP_S  600 /* each of the three steps: 10, 50 and 100 % */
#define WORLD_STEPS   3

struct world {
	double rate; /* requests per second */
	double base; /* share of errors of a good revision */
	double cluster; /* errors come so many at a time; 1: one by one */

	/* From `from_s` on the candidate has this share of errors; with a ramp
	 * it grows to that. */
	double errors, from_s, ramp_s;
	/* … its requests take so many times as long, or a part of them. */
	double slower, slow_part;

	/* For five minutes both revisions have this share of errors. */
	double incident, incident_s;
};

extern const struct world world_good;

/* What became of a rollout with fixed steps. */
struct world_end {
	bool failed; /* taken back for good */
	bool crossed; /* the evidence was there, perhaps at 100 % first */
	double crossed_s; /* since the trouble began */
};

void world_play(
	const struct world *world, uint64_t seed, struct world_end *end_r);

#endif
