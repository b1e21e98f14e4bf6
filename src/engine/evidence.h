/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence about a candidate: one promise for the whole rollout, however many
 * objectives it has. A good release is taken back with a probability of at most
 * alpha, although it is looked at after every check. Pure.
 *
 * The method: ratios against stable in the same time and levels against its
 * past, each an e-process, averaged over tests and objectives (Vovk, Wang, Ann.
 * Stat. 2021); evidence for leaving a step early likewise.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_H
#define TIDEGATE_ENGINE_EVIDENCE_H

#include "engine/evidence_objective.h"

enum evidence_decision {
	EVIDENCE_CONTINUE,
	EVIDENCE_PASS, /* the step may be left */
	EVIDENCE_STEP_BACK, /* to the first step's share, to ask stable */
	EVIDENCE_FAIL /* latched */
};

const char *evidence_decision_name(enum evidence_decision decision);

/* What all objectives of a rollout share. */
struct evidence_state {
	bool failed;
	bool stepped_back;
	bool final; /* of the step, see objective_begin_step */
	bool none;
	unsigned checks; /* of the step, with data of the candidate */
};

/* The numbers of a check, over all objectives. */
struct evidence_result {
	double log_e, log_pass;
	bool calm;
	enum evidence_decision decision;
};

/* How bets move with these rules and `n` objectives. */
void evidence_bet_rules(
	const struct evidence_rules *rules, size_t n, struct bet_rules *bets_r);

/* What is decided at, so that it need not be worked out at every check. */
struct evidence_limits {
	double cross, suspicion; /* E */
	double pass; /* of log_pass */
};

struct evidence_limits evidence_limits(const struct evidence_rules *rules);

/* What `n` objectives say together; nothing is decided by it. */
void evidence_combine(const struct evidence_numbers *numbers, size_t n,
	struct evidence_result *result_r);

void evidence_begin_step(struct evidence_state *state,
	const struct evidence_rules *rules, double share, bool final);

/* Decides by the numbers after a check of all objectives; the caller counts
 * the step's checks before. After a step back the caller begins the climb of
 * each objective again. */
void evidence_decide(struct evidence_state *state,
	const struct evidence_rules *rules, struct evidence_result *result);

#endif
