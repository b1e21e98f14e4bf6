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

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "engine/check.h"
#include "engine/traffic.h"
#include "policy/policy.h"

#define ROLLOUT_TEXT_MAX    256 /* of a reason */
#define ROLLOUT_NAME_MAX    64 /* of a person or a revision */
#define ROLLOUT_EFFECTS_MAX (POLICY_SLOS_MAX + 8)
#define ROLLOUT_NOTES_MAX   48

enum phase {
#define P(constant, name, end, meaning) constant,
#include "engine/phase.def"
#undef P
	PHASES
};

enum event_type {
#define V(constant, name, meaning) constant,
#include "engine/event.def"
#undef V
	EVENTS
};

enum note_type {
#define N(constant, name, meaning) constant,
#include "engine/note.def"
#undef N
	NOTES
};

enum effect_type {
#define X(constant, name, meaning) constant,
#include "engine/effect.def"
#undef X
	EFFECTS
};

const char *phase_name(enum phase phase);
bool phase_is_end(enum phase phase);
const char *event_name(enum event_type type);
enum event_type event_find(const char *name); /* EVENTS: unknown */
const char *note_name(enum note_type type);
const char *effect_name(enum effect_type type);

/* Why it holds or reverts; decides `when` of actions and the exit status. */
enum cause {
	CAUSE_NONE,
	CAUSE_SLO, /* a breach */
	CAUSE_UNDECIDED, /* bake over, evidence missing */
	CAUSE_METRICS, /* the provider is in trouble */
	CAUSE_APPROVAL, /* nobody approved in time */
	CAUSE_HOOK, /* a hook with on_failure: stop failed */
	CAUSE_WRITE, /* a step's write failed for good */
	CAUSE_PERSON, /* abort, reject */
	CAUSE_INTERRUPT, /* SIGINT, SIGTERM */
	CAUSE_DRIFT,
	CAUSE_PREFLIGHT,
	CAUSES
};

const char *cause_name(enum cause cause);

enum verb {
	VERB_APPROVE,
	VERB_REJECT,
	VERB_PAUSE,
	VERB_CONTINUE,
	VERB_ABORT,
	VERBS
};

const char *verb_name(enum verb verb);
enum verb verb_find(const char *name); /* VERBS: unknown */

enum write_result {
	WRITE_DONE, /* the operation ended well; serving is still to be seen */
	WRITE_CONFLICT, /* somebody wrote in between: read again */
	WRITE_UNKNOWN, /* timed out, broken: says nothing, read again */
	WRITE_BUSY, /* not done, may be tried again (429, 503, network) */
	WRITE_REJECTED, /* not done, and never will be */
	WRITE_RESULTS
};

const char *write_result_name(enum write_result result);
enum write_result write_result_find(const char *name);

enum action_result {
	ACTION_OK,
	ACTION_FAILED,
	ACTION_SKIPPED,
	ACTION_UNKNOWN,
	ACTION_RESULTS
};

const char *action_result_name(enum action_result result);
enum action_result action_result_find(const char *name);

/*
 * One event. Fields that a type does not use are zero; event_codec.c has the
 * list of which type uses which. Texts are borrowed for the call.
 */
struct event {
	enum event_type type;
	const char *who; /* started, command */
	const char *text; /* a reason, a comment, an error's text, a detail */

	/* started */
	uint64_t seed;
	bool adopt; /* the candidate may have traffic already */
	bool undo; /* goes straight back; `text` says who wants it and why */

	/* preflight: ok, or refused with `text` */
	bool ok;

	/* traffic, and preflight when ok */
	struct split spec; /* what is asked for */
	struct split serving; /* what trafficStatuses shows */
	bool settled; /* not reconciling and observed == generation */
	bool green; /* terminalCondition succeeded */
	bool by_latest; /* the positive percent is carried by LATEST */
	bool candidate_is_latest; /* … ready revision */
	bool tagged; /* our tag is on the candidate */

	/* written, traffic-error */
	enum write_result result;
	bool retryable;
	int64_t retry_after_ms;

	/* check */
	int slo;
	struct answers answers;
	int64_t latency_ms;

	/* action */
	enum action_list list;
	int index, attempt;
	enum action_result action_result;
	int64_t duration_ms;

	/* command */
	enum verb verb;
	int step; /* approve, reject: the gate that was meant; -1: the open one */
	int64_t command_id; /* of the store; so that it is taken once */

	/* interrupt */
	bool leave;
};

struct effect {
	enum effect_type type;
	int slo; /* check */
	enum action_list list; /* action */
	int index, attempt; /* action; attempt counts from 1 */
	int percent; /* write: the candidate's */
	bool by_latest; /* write: give it to LATEST (finish only) */
	enum tag_change tag; /* write */
	bool reassert; /* write: take the percents of others away */
};

struct note {
	enum note_type type;
	enum phase from, to; /* phase */
	int step;
	int slo; /* -1: none */
	enum action_list list; /* action-… */
	int index, attempt;
	double value, limit; /* NaN: none */
	char text[ROLLOUT_TEXT_MAX];
};

struct outcome_list {
	struct effect effect[ROLLOUT_EFFECTS_MAX];
	size_t n_effects;
	struct note note[ROLLOUT_NOTES_MAX];
	size_t n_notes;
	int64_t wake_ms; /* when a timer event is wanted; INT64_MAX: never */
	struct judgement judgement; /* of a check event */
	bool refused; /* of a command event; reason in `refusal` */
	char refusal[ROLLOUT_TEXT_MAX];
};

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
