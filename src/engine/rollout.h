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
 * SLOs are checked from the end of the first settle (one that is adopted: from
 * its first gate or shift), in every phase up to reverting; a breach reverts
 * from each of them. Time that no check covered is no bake. The finish (LATEST again, our
 * tag removed) is a last shifting with step == number of steps. A rollout that
 * is started to undo goes from preflight's look straight to reverting.
 */
#ifndef TIDEGATE_ENGINE_ROLLOUT_H
#define TIDEGATE_ENGINE_ROLLOUT_H

#include "engine/state.h"

void rollout_init(struct rollout *state);

/*
 * The one transition function. Never fails: what cannot be is ignored with a
 * note. `now_ms` must not go backwards (it is clamped when it does).
 */
void rollout_step(const struct policy *policy, struct rollout *state,
	const struct event *event, int64_t now_ms,
	struct outcome_list *outcome_r);

/* Exit status of an end phase, see tidegate(1); 8 while it has not ended. */
int rollout_exit_status(const struct rollout *state);

/* Once the sequence and health are over: why a person is needed; NULL: nobody
 * is. */
const char *rollback_problem(const struct rollout *state);

/* A gate, a pause or a hold: it waits for people. */
bool rollout_waits_for_people(const struct rollout *state);

/* Bake served so far and wanted, for progress bars; 0 when not baking. */
int64_t rollout_baked_ms(const struct policy *policy,
	const struct rollout *state, int64_t now_ms);

#endif
