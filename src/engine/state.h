/*
 * What a rollout is: plain data, the fold of its journal. Only the engine
 * writes it (decision.c alone its phase); everybody may read it.
 */
#ifndef TIDEGATE_ENGINE_STATE_H
#define TIDEGATE_ENGINE_STATE_H

#include "base/rng.h"
#include "engine/event.h"

#define ROLLOUT_NAME_MAX 64 /* of a person or a revision */

/* Where the list of actions that runs stands; one runs at a time. */
struct sequence {
	bool active;
	enum action_list list;
	int index; /* of the action that runs or is next */
	int attempt; /* 0: not started */
	bool running; /* EFFECT_ACTION is out */
	int64_t retry_ms; /* when the next attempt is due; 0: none waits */
	int failed; /* of this list */
	bool stopped; /* one failed with on_failure stop */
};

#define ROLLOUT_SENT_MAX 3

/* What tidegate knows and wants of the service's traffic. */
struct traffic_state {
	/* Known: the last good read. */
	int64_t seen_ms; /* when it was asked for and answered; 0: never */
	struct split spec, serving;
	bool settled, green, by_latest, candidate_is_latest, tagged;
	bool fresh; /* nothing was written since: a write may build on it */

	/* Ours: whatever else is seen is drift. */
	struct split set; /* last seen confirmed */
	struct split sent[ROLLOUT_SENT_MAX]; /* written, not seen yet */
	int n_sent;

	/* Wanted. */
	bool wants;
	int percent; /* the candidate's */
	bool to_latest; /* given to LATEST (finish only) */
	enum tag_change tag;
	bool reassert; /* others have percents that are to go */
	int64_t deadline_ms; /* 0: none */

	/* Under way. */
	bool reading, writing;
	int attempt; /* of a read or write that failed, for back-off */
	int polls; /* reads since the write, waiting for the split */
	int64_t retry_ms; /* not before; 0: now */
	bool write_failed; /* the last write did not end well */
	bool rejected; /* a write failed for good */
	char trouble[ROLLOUT_TEXT_MAX]; /* the last failure's text */
};

struct rollout {
	enum phase phase;
	enum phase held_from, paused_from; /* where to go back to */
	enum cause cause;
	char reason[ROLLOUT_TEXT_MAX];
	struct rng rng;
	uint64_t seed; /* what rng began with */
	int64_t now_ms; /* time of the last event */
	int64_t started_ms, phase_ms; /* phase_ms: when the phase was entered */
	char starter[ROLLOUT_NAME_MAX];

	int step; /* index; == n_steps: finishing; -1: before the first */
	int64_t bake_from_ms; /* when settle is over; 0: not baking */
	bool bake_open; /* settle is over: passes count for this step */
	bool step_passed; /* was said; its hook runs */
	bool finish_begun; /* what the finish means was decided */
	bool checking; /* the first settle is over, or it was adopted */

	int64_t gate_deadline_ms; /* approval; 0: no gate is open */
	uint64_t approvals; /* bits over the step's approvers */
	int64_t hold_deadline_ms; /* 0: not held */
	bool pause_wanted; /* paused as soon as it may be */

	bool undoing; /* started to take the candidate back, by a person */
	bool looked; /* preflight's look was taken and was fine */
	bool begun; /* preflight passed: a rollback has something to undo */
	bool moved; /* the candidate was given users */
	bool revert_failed; /* a revert was given up */
	bool refusing; /* refused, but our tag is still to be removed */
	bool leaving; /* told to stop driving and leave things as they are */
	bool found_by_latest; /* as found, stable was served by LATEST */
	bool tag_is_ours;
	bool verifying, verified; /* the last read of a rollback */
	int reasserts;
	int failed_slo; /* -1: none */

	struct traffic_state traffic;
	struct sequence sequence;
	/* Bits of enum action_list: ran to their end, had a failure, ended early
	 * because of on_failure stop. */
	unsigned lists_done, lists_failed, lists_stopped;
	int actions_failed; /* in all lists, for the summary */
	int actions_unknown; /* started, not known how they ended */
	struct check_state check[POLICY_SLOS_MAX];
};

#endif
