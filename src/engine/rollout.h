/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollout: the state machine that decides. PURE: no I/O, no clock, no
 * globals. (policy, state, event, now) gives (new state, effects, notes).
 *
 *   preflight ──refused──> [refused]
 *       │
 *       ├──────────────┐ a step with a gate
 *       │     awaiting-approval ──rejected, aborted──────────────┐
 *       ├──────────────┘                                         │
 *   shifting ──────────────── failed for good, breach ──────────>│
 *       │                                                        │
 *   baking ─── breach ──────────────────────────────────────────>│
 *       │  │                                                     │
 *       │  └─ undecided, metrics lost, gate late ─> held ──late─>│
 *       │  └─ pause ─> paused ─ continue ─> back                 │
 *       │                                                    reverting
 *       ├─ next step ─> awaiting-approval or shifting            │
 *       │                                                   rolling-back
 *   [promoted]                                                   │
 *                              [rolled-back] or [rollback-failed]
 *   drift, seen anywhere: [stopped], or written back (reassert)
 *
 * SLOs are checked from the first moment that the candidate may have users, in
 * every phase up to reverting; a breach reverts from each of them. Time that no
 * check covered is no bake. The finish (LATEST again, our tags removed) is a
 * last shifting with step == number of steps. A rollout that is started to undo
 * goes from preflight's look straight to reverting; one that is taken up reads
 * the service before it does anything.
 */
#ifndef TIDEGATE_ENGINE_ROLLOUT_H
#define TIDEGATE_ENGINE_ROLLOUT_H

#include "engine/state.h"

void rollout_init(struct rollout *state);

/* Frees what the engine has allocated for it. A copy shares that. */
void rollout_clear(struct rollout *state);

/* One with room for the policy's SLOs alone: most have few, and a process may
 * drive thousands of rollouts. It must not be copied as a whole. */
struct rollout *rollout_new(const struct policy *policy);
void rollout_free(struct rollout **state); /* NULL inside is accepted */
/* To one of either kind, with what the engine has allocated for it. */
void rollout_move(
	const struct policy *policy, struct rollout *to, struct rollout *from);

/*
 * The one transition function. Never fails: what cannot be is ignored with a
 * note. `now_ms` must not go backwards (it is clamped when it does).
 */
void rollout_step(const struct policy *policy, struct rollout *state,
	const struct event *event, int64_t now_ms,
	struct outcome_list *outcome_r);

/*
 * For folds of what another version decided: `before` went to `state` by
 * `event`, but the journal says that it went to `phase`. Takes the facts of the
 * event, and the decision of the journal, into the state.
 */
void rollout_follow(const struct policy *policy, const struct rollout *before,
	struct rollout *state, const struct event *event, enum phase phase,
	struct outcome_list *outcome_r);
/* The journal says that what is wanted was written then, though this version
 * would have waited. Nothing when it is out, or nothing is wanted. */
void rollout_follow_write(const struct policy *policy, struct rollout *state,
	int64_t now_ms, struct outcome_list *outcome_r);

/* Why the candidate must not get more traffic now; NULL: it may. The one gate:
 * no write that raises it leaves while there is a reason. */
const char *may_raise(const struct policy *policy, const struct rollout *state,
	int64_t now_ms);

/* The same for a write that was decided before and waited for its journal: what
 * came meanwhile may have overtaken it. */
const char *may_still_write(const struct policy *policy,
	const struct rollout *state, const struct effect *write,
	int64_t now_ms);

/* The step has no gate, or the gate has all its approvals. */
bool rollout_gate_is_passed(
	const struct policy *policy, const struct rollout *state);

/* Who has approved this step, as bits over its approvers. Of a gate that is open
 * none have any more when their time is over at `now_ms`. */
uint64_t rollout_approvals(const struct rollout *state, int64_t now_ms);

/* Exit status of an end phase, see tidegate(1); 8 while it has not ended. */
int rollout_exit_status(const struct rollout *state);

/* Once the sequence and health are over: why a person is needed; NULL: nobody
 * is. */
const char *rollback_problem(const struct rollout *state);

/* A gate, a pause or a hold: it waits for people. */
bool rollout_waits_for_people(const struct rollout *state);

/* A person paused it, though it may be held as well, or not be where a pause
 * begins. */
bool rollout_is_paused(const struct rollout *state);
/* A freeze alone keeps it from its next step: `continue` overrules that, with a
 * comment. */
bool rollout_is_frozen(const struct rollout *state);

/* Passes of the step; of a step that does not serve yet there are none, though
 * the checks go on. */
int rollout_passes(const struct rollout *state, size_t slo);

#define ROLLOUT_MISS_MAX ROLLOUT_TEXT_MAX

/* What evidence of this SLO is missing now, as text; NULL: none is. Returns
 * `text`. */
const char *rollout_misses(const struct policy *policy,
	const struct rollout *state, size_t slo, int64_t now_ms,
	char text[ROLLOUT_MISS_MAX]);

/* What SLOs of kind evidence lack, all together, before the step may be left. */
enum evidence_lack {
	LACK_NOTHING,
	LACK_TRUST, /* there is some evidence against the candidate */
	LACK_REQUESTS, /* it had too few to tell */
	LACK_CALM, /* stable is in trouble itself, and will be no control */
};
enum evidence_lack rollout_lacks(
	const struct policy *policy, const struct rollout *state);

/* Bake served so far and wanted, for progress bars; 0 when not baking. */
int64_t rollout_baked_ms(const struct policy *policy,
	const struct rollout *state, int64_t now_ms);

#endif
