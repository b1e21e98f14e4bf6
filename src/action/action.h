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

#define ACTION_DETAIL_MAX (16 * 1024) /* bytes of a result's detail */

struct credentials;
struct http;
struct loop;

/* What actions may use of the world; borrowed for their lives. */
struct action_env {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials; /* may be NULL */
	const struct policy *policy;
};

struct action_end {
	enum action_result result;
	const char *detail; /* redacted; what happened, in one or few lines */
	int64_t duration_ms;
};

typedef void (*action_fn)(const struct action_end *end, void *arg);
struct action_run;

struct action_type {
	const char *name;
	/* Validates without effect (program exists, URL parses). */
	int (*check)(const struct action_env *env, const struct action *action,
		struct err *err_r);
	/* Starts; calls action_run_end exactly once, later. */
	void (*start)(struct action_run *run);
	void (*cancel)(struct action_run *run); /* frees run->data */
};

extern const struct action_type action_type_http, action_type_exec;

/* Looks the kind up; every enum action_kind has one. */
const struct action_type *action_type_of(enum action_kind kind);

/* One run, shared by all types: times the action out, redacts the detail. */
struct action_run {
	const struct action_env *env;
	const struct action *action;
	const struct template_values *values; /* borrowed until the end */
	struct buf detail; /* the type fills it */
	void *data; /* the type's own */
	int64_t started_ms;
	struct timer *timer;
	action_fn fn;
	void *arg;
};

MUST_CHECK int action_check(const struct action_env *env,
	const struct action *action, struct err *err_r);
/* `values` is borrowed until the callback or the cancel. */
struct action_run *action_start(const struct action_env *env,
	const struct action *action, const struct template_values *values,
	action_fn fn, void *arg);
void action_cancel(struct action_run **run);

/* For the types: what a run is that was cut off and may have done its work. */
enum action_result action_cut_off(const struct action *action);

/* For the types: the result is there. Frees the run after the callback. */
void action_run_end(struct action_run *run, enum action_result result);

#endif
