/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rollout is: plain data, the fold of its journal. Only the engine
 * writes it (decision.c alone its phase); everybody may read it.
 */
#ifndef TIDEGATE_ENGINE_STATE_H
#define TIDEGATE_ENGINE_STATE_H

#include "base/rng.h"
#include "engine/event.h"
#include "engine/evidence_memory.h"

#define ROLLOUT_NAME_MAX 64 /* of a person or a revision */

/* Where the list of actions that runs stands; one runs at a time. */
struct sequence {
	bool active;
	enum action_list list;
	int index; /* of the action that runs or is next */
	int attempt; /* 0: not started */
	bool running; /* EFFECT_ACTION is out … */
	int64_t started_ms; /* … since then */
	int64_t retry_ms; /* when the next attempt is due; 0: none waits */
	int failed; /* of this list */
	bool stopped; /* one failed with on_failure stop */
	bool single; /* this action alone, not the list */
	bool cut_off; /* that at `index` was, by a crash, and is not repeated */
	enum action_result result; /* of the last one that was over */
};

/* Reads of the service: one at most is out. */
struct traffic_reader {
	int64_t out_ms; /* since when one is out; 0: none */
	int64_t seen_ms; /* when the last good answer came; 0: never */
	bool fresh; /* a write may build on it */
	bool kept; /* nothing was written since: in need a revert may, too */
	bool stable_first; /* the last one asked looked at stable before */
	int attempt; /* failed in a row, for back-off */
	int hung; /* given up in a row: how long the next one is waited for */
	int64_t retry_ms; /* the next one not before; 0: now */
};

enum writer_state {
	WRITER_IDLE, /* what serves is what is wanted */
	WRITER_WANTS, /* written when it may be, until it serves */
	WRITER_GAVE_UP
};

/* What a write is to bring about. */
struct traffic_intent {
	int percent; /* the candidate's */
	bool to_latest; /* given to LATEST (finish only) */
	bool keep_stable; /* at 100 %: stable stays referenced */
	enum tag_change tag;
	bool reassert; /* others have percents that are to go */
};

#define TRAFFIC_SENT_MAX   3
#define TRAFFIC_ROUNDS_MAX 3 /* of writes that do not come to serve */
/* A write without an answer may still take effect for so long. */
#define TRAFFIC_LOOSE_MS 20000

struct traffic_writer {
	enum writer_state state;
	struct traffic_intent intent;
	int64_t out_ms; /* since when a write is out; 0: none */
	int64_t wrote_ms; /* when the last one left; 0: none has */
	int attempt; /* which one that is, or was the last */
	int out_percent; /* of that write */
	enum write_result result; /* of the last one */
	int64_t since_ms; /* when that came to be wanted, or is read for again */
	int64_t deadline_ms; /* 0: none */
	int64_t blocked_ms; /* since when the gate forbids it; 0: it does not */

	/* What was written since the generation it was based on. */
	int64_t base; /* that generation */
	int64_t upon; /* the newest that was known as the last one was sent */
	int64_t told; /* the generation of a write, as it was answered; 0 */
	int n_written; /* that may have been done */
	int n_deployed; /* by others, each a generation of its own */
	struct split sent[TRAFFIC_SENT_MAX];
	int n_sent;
	int64_t loose_ms; /* until when one without an answer may still come */

	/* Back-off. */
	int refused; /* in a row */
	int rounds; /* written in a row without coming to serve */
	bool arrived; /* one of them was done, or what is wanted was read */
	bool taken_up; /* another process wrote them */
	bool raced; /* what replaced them was written over at once */
	int polls; /* reads since the write that did not show it serving */
	int64_t retry_ms; /* the next one not before; 0: now */
	int64_t failing_ms; /* since when operations end in errors; 0: no */
	char trouble[ROLLOUT_TEXT_MAX]; /* the last failure's text */
};

/* What tidegate knows and wants of the service's traffic. */
struct traffic_state {
	/* Known: the last good read. */
	struct split spec, serving;
	int64_t generation; /* the newest known, read or told; 0: unknown */
	int64_t refuted; /* a write upon it met or made a newer one; 0 */
	bool reconciling, moving, by_latest, candidate_is_latest, tagged;
	bool stable_kept;
	enum stable_state stable_state; /* as of the last look that said it */
	int64_t stable_idle_ms; /* since when it serves nobody; 0: it does */
	int64_t stale_ms; /* since when answers are older than that; 0 */
	char broken[ROLLOUT_BRIEF_MAX]; /* what the service says is broken */
	char stable_text[ROLLOUT_BRIEF_MAX]; /* what is wrong with stable */

	struct split set; /* ours: whatever else is seen is drift */
	struct traffic_reader read;
	struct traffic_writer write;
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
	int64_t bake_from_ms; /* when settle is over; 0: the split is not seen */
	bool bake_open; /* settle is over: answers count for this step */
	bool step_passed; /* was said; its hook runs */
	uint64_t loads_over; /* bits over the steps: made, or cut off */
	bool finish_begun; /* what the finish means was decided */
	bool checking; /* the candidate has or had users: SLOs are asked */
	int64_t settle_ms; /* until when answers do not count; 0: they do */
	int64_t grid_ms; /* the check times lie at whole intervals from here */

	int64_t gate_deadline_ms; /* approval; 0: no gate is open */
	uint64_t approvals; /* bits over the step's approvers */
	int64_t approved_until_ms; /* when they expire, all at once; 0: none */
	int64_t hold_deadline_ms; /* 0: not held */
	int64_t held_ms; /* earlier holds of this step, in sum */
	bool pause_wanted; /* paused as soon as it may be */
	int64_t freeze_ms; /* until when it waits for that alone; 0: not */
	/* Freezes are moments of the wall clock, as it is set when it is asked;
	 * these two are by it, and it shows now_ms + wall_lead_ms. */
	int64_t freeze_said_ms; /* the end of the freeze that was told */
	int64_t freeze_over_ms; /* until when a person has overruled it */
	int64_t wall_lead_ms;

	bool undoing; /* started to take the candidate back, by a person */
	bool looked; /* preflight's look was taken and was fine */
	bool resuming; /* taken up, and the service was not read since */
	bool begun; /* preflight passed: a rollback has something to undo */
	bool moved; /* the candidate was given users */
	bool served; /* it was seen to have some, by whose doing ever */
	bool revert_failed; /* a revert was given up */
	bool refusing; /* refused, but our tag is still to be removed */
	bool stopping; /* stopped, but who is to be told is told first */
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
	short failed_action
		[ACTION_LISTS]; /* the list's last, from 1; 0: none */
	int actions_failed; /* in all lists, for the summary */
	int actions_unknown; /* started, not known how they ended */
	struct evidence_memory *evidence; /* NULL: no SLO is of that kind */
	/* Set by who plays it: nobody looks at what an outcome has `seen`, nor at
	 * what notes say of evidence, so that what it comes to is worked out
	 * only where something hangs on it. */
	bool unseen;
	/* Last: rollout_new leaves out what the policy has no SLOs for. */
	struct check_state check[POLICY_SLOS_MAX];
};

#endif
