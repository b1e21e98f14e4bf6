/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions: entries of preflight, hooks and the rollback sequence. One file per
 * type behind one `struct action_type`; the engine says when to run which.
 */
#ifndef TIDEGATE_ACTION_ACTION_H
#define TIDEGATE_ACTION_ACTION_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/rollout.h"
#include "policy/policy.h"
#include "policy/template.h"
#include "status/load_live.h"

#define ACTION_DETAIL_MAX (16 * 1024) /* bytes of a result's detail */

struct credentials;
struct http;
struct loop;
struct store;
struct worker;

/* What actions may use of the world; borrowed for their lives. */
struct action_env {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials; /* may be NULL */
	struct worker *worker; /* decodes long answers; may be NULL */
	const struct policy *policy;
	struct store *store; /* where the journal is; may be NULL */
	struct process_crew *programs; /* those it runs; may be NULL */
	/* Why a rollback needs a person, for those that tell of its end; NULL:
	 * it does not, or has not come to that. */
	const char *trouble;
};

#define ACTION_CAPTURED_MAX 256 /* bytes with the NUL */

struct action_end {
	enum action_result result;
	const char *detail; /* redacted; what happened, in one or few lines */
	int64_t duration_ms;
	const char *captured; /* NULL or "": nothing; see JOB_CAPTURE */
};

/* What can be asked of an action. */
enum action_job {
	JOB_RUN,
	/* Reads and probes only: what it would do, and what is missing. */
	JOB_DRILL,
	/* In preflight: asks the other side, reading only, whether a later run
	 * can do its work, and looks at what that has to know (`captured`), such
	 * as what to go back to. A failure refuses the rollout. */
	JOB_CAPTURE,
	/* A run opened something that ends by itself: keeps it open … */
	JOB_RENEW,
	/* … or closes it, at the end of the rollout. */
	JOB_RELEASE,
	JOBS
};

typedef void (*action_fn)(const struct action_end *end, void *arg);
struct action_run;

struct action_type {
	bool tells_people; /* of a rollback that has to be looked at, say */
	/* Validates without effect (program exists, URL parses). */
	int (*check)(const struct action_env *env, const struct action *action,
		struct err *err_r);
	/* Each calls action_run_end exactly once, later. NULL: it has no such
	 * job; a drill is then no more than the check. */
	void (*start[JOBS])(struct action_run *run);
	void (*cancel)(struct action_run *run); /* frees run->data */
	/* With JOB_RENEW: how long what it opened lasts. */
	int64_t (*lease_ms)(const struct action *action);
};

#define TYPE(kind, name, text) \
	extern const struct action_type action_type_##name;
ACTION_TYPES(TYPE)
#undef TYPE

/* Looks the kind up; every enum action_kind has one. */
const struct action_type *action_type_of(enum action_kind kind);

/* One run, shared by all types: times the action out, redacts the detail. */
struct action_run {
	const struct action_env *env;
	const struct action *action;
	const struct template_values *values; /* borrowed until the end */
	enum action_job job;
	const char *captured; /* by JOB_CAPTURE in preflight; NULL: nothing */
	struct buf detail; /* the type fills it */
	char capture[ACTION_CAPTURED_MAX]; /* and this, if there is anything */
	struct load_live live; /* of a load that is made */
	void *data; /* the type's own */
	int64_t started_ms;
	struct timer *timer;
	enum action_result soon; /* of action_run_end_soon */
	action_fn fn;
	void *arg;
};

MUST_CHECK int action_check(const struct action_env *env,
	const struct action *action, struct err *err_r);
/* `values` is borrowed until the callback or the cancel. */
struct action_run *action_start(const struct action_env *env,
	const struct action *action, const struct template_values *values,
	action_fn fn, void *arg);
/* A job for an action. All borrowed as long as `values`. */
struct action_order {
	const struct action_env *env;
	const struct action *action;
	const struct template_values *values;
	enum action_job job;
	const char *captured; /* NULL: nothing */
};
/* The same for any job that the action has. */
struct action_run *action_job_start(
	const struct action_order *order, action_fn fn, void *arg);
bool action_has_job(const struct action *action, enum action_job job);
/* How long what a run of it opened lasts; 0: it opens nothing. */
int64_t action_lease_ms(const struct action *action);
void action_cancel(struct action_run **run);

/* For the types: what a run is that was cut off and may have done its work. */
enum action_result action_cut_off(const struct action *action);
/* For the types: how long its program goes on while we are stopped. 0: for ever. */
int64_t action_stopped_ms_max(const struct action_run *run);

/* For the types: the result is there. What the type still holds is cancelled;
 * frees the run after the callback. */
void action_run_end(struct action_run *run, enum action_result result);
/* The same in the next turn, for a start that knows at once. */
void action_run_end_soon(struct action_run *run, enum action_result result);
/* What is left of the action's time, at least 1. */
int64_t action_time_left(const struct action_run *run);

#endif
