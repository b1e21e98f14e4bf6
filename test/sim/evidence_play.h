/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts in seeded worlds of requests, decided by the engine: by evidence, or
 * by thresholds of a policy's. Three steps, 10, 50 and 100 %, of ten minutes.
 */
#ifndef TEST_SIM_EVIDENCE_PLAY_H
#define TEST_SIM_EVIDENCE_PLAY_H

#include "engine/evidence_plan.h"
#include "evidence_world.h"

#define PLAY_STEPS  3
#define PLAY_BAKE_S 600

struct play_rules {
	/* Two SLOs, of errors and of latency; NULL: evidence decides. */
	const struct policy *thresholds;
	enum step_pace pace; /* of evidence */
	enum without_control without_control;
};

/* Times are NAN when it did not happen. */
struct play_end {
	bool reverted; /* for good */
	bool promoted;
	double crossed_s; /* since the trouble began: reverted, or stepped back */
	double full_s; /* when all traffic was the candidate's */
	double hurt; /* its errors until then that stable would not have had */
};

void play(const struct world *world, const struct play_rules *rules,
	uint64_t seed, struct play_end *end_r);

/* How long it took to find the candidate's errors in one step that does not
 * end, and what a plan said that it would take. */
struct play_found {
	double found_s; /* INFINITY: not within four times what was said */
	struct plan_times said;
};

void play_step(const struct world *world, uint64_t seed, int step,
	struct play_found *found_r);

/* The policy that a rollout by evidence is played with; `steps` and `slos` are
 * those it will hold. */
void play_policy(struct policy *policy, const struct play_rules *rules,
	struct step steps[PLAY_STEPS], struct slo slos[WORLD_SLOS]);

#endif
