/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes into the engine and what comes out: events, effects, notes, and
 * the names of everything it speaks of. Plain data.
 */
#ifndef TIDEGATE_ENGINE_EVENT_H
#define TIDEGATE_ENGINE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/check.h"
#include "engine/evidence_memory.h"
#include "engine/traffic.h"
#include "policy/policy.h"

#define ROLLOUT_TEXT_MAX    512 /* of a reason: what Cloud Run says is long */
#define ROLLOUT_BRIEF_MAX   256 /* of a fact of the service */
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

/* Bits over the phases: asked at each turn, several times. */
enum {
#define P(constant, name, end, meaning) | (end) << constant
	PHASES_AT_END = 0
#include "engine/phase.def"
#undef P
};

static inline bool phase_is_end(enum phase phase)
{
	return PHASES_AT_END >> phase & 1;
}

const char *phase_name(enum phase phase);
enum phase phase_find(const char *name); /* PHASES: unknown */
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
	CAUSE_STABLE, /* the way back is gone or not ready */
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
	WRITE_FAILED, /* accepted, then its operation ended in an error */
	WRITE_RESULTS
};

const char *write_result_name(enum write_result result);
enum write_result write_result_find(const char *name);

/* The revision that is the way back, when it was last looked at. */
enum stable_state {
	STABLE_UNKNOWN, /* not looked at, or the look failed */
	STABLE_READY,
	STABLE_NOT_READY,
	STABLE_GONE,
	STABLE_STATES
};

const char *stable_state_name(enum stable_state state);
enum stable_state stable_state_find(const char *name);

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

	/* preflight: ok, with warnings in `text`, a line each; or refused with
	 * `text` */
	bool ok;

	/* traffic, and preflight when ok */
	struct split spec; /* what is asked for */
	struct split serving; /* what trafficStatuses shows */
	int64_t generation; /* of what is asked for; 0: not known */
	bool reconciling; /* the service is being changed */
	bool moving; /* its routes are, as far as is known */
	bool by_latest; /* the positive percent is carried by LATEST */
	bool candidate_is_latest; /* … ready revision */
	bool tagged; /* our tag is on the candidate */
	bool stable_kept; /* the tag that keeps stable is on it */
	enum stable_state stable_state;
	bool anew; /* the service was deleted and made again */
	bool deployed; /* a revision was made since the read before */
	/* preflight when ok: of SLOs of kind evidence; borrowed */
	const struct slo_history *histories;
	size_t n_histories;

	/* written, traffic-error */
	enum write_result result;
	/* written: `generation` is that of the write, as far as it was told; of a
	 * conflict that which it was built on. Which write: as in its effect; 0: not
	 * said, as in journals of 0.1.0 */
	int64_t write_attempt;
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

	/* timer */
	bool clock_set; /* the machine's clock was; rollouts' time is another */
	int64_t wall_ms; /* resumed too: what it shows now; 0: not known */
	/* Many rollouts are told at once: their checks keep their distances, so
	 * that they do not all ask at once. Else each asks as soon as it can. */
	bool spread;
	int64_t stood_ms; /* spread: for how long the process stood still */
};

struct effect {
	enum effect_type type;
	int slo; /* check */
	enum action_list list; /* action */
	int index; /* action */
	int attempt; /* action, write: which one, from 1 */
	int percent; /* write: the candidate's */
	bool by_latest; /* write: give it to LATEST (finish only) */
	enum tag_change tag; /* write */
	bool reassert; /* write: take the percents of others away */
	bool keep_stable; /* write: stable stays referenced at 0 % */
	bool look_at_stable; /* read: its revision, too */
	bool stable_first; /* … and when that look was answered */
	int64_t timeout_ms; /* write: of the request; 0: the usual */
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
	struct evidence_seen seen; /* … of an SLO of kind evidence */
	bool refused; /* of a command event; reason in `refusal` */
	char refusal[ROLLOUT_TEXT_MAX];
};

#endif
