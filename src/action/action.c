/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all actions share: the table of types, the timeout of the whole run,
 * the detail that may be shown. Decides nothing about order or retries: that
 * is the engine's.
 */
#include "action/action.h"

#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/sanitize.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "store/store.h"

#define NOTICE_MS 3000 /* in which its end is sure, on a busy machine, too */

#define TYPE(kind, name, text) [ACTION_##kind] = &action_type_##name,

static const struct action_type *const types[ACTION_KINDS] = {
	ACTION_TYPES(TYPE)};

#undef TYPE

const struct action_type *action_type_of(enum action_kind kind)
{
	assert(kind < ACTION_KINDS && types[kind]);
	return types[kind];
}

int action_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	if (action_type_of(action->kind)->check(env, action, err_r) < 0)
		return err_wrap(err_r, "action \"%s\"", action->name);
	return 0;
}

bool action_has_job(const struct action *action, enum action_job job)
{
	return action_type_of(action->kind)->start[job] != NULL;
}

int64_t action_lease_ms(const struct action *action)
{
	const struct action_type *type = action_type_of(action->kind);

	return type->lease_ms ? type->lease_ms(action) : 0;
}

static void run_free(struct action_run *run)
{
	timer_cancel(&run->timer);
	buf_fini(&run->detail);
	free(run);
}

/* A run that is cut off may have done its work: only for one that can be
 * repeated safely is that the same as a failure. */
enum action_result action_cut_off(const struct action *action)
{
	return action->idempotent ? ACTION_FAILED : ACTION_UNKNOWN;
}

static void run_late(void *arg)
{
	struct action_run *run = arg;
	char text[DURATION_TEXT_MAX];

	run->timer = NULL;
	action_type_of(run->action->kind)->cancel(run);
	if (run->detail.len)
		buf_adds(&run->detail, "; ");
	buf_addf(&run->detail, "not finished after %s, given up",
		duration_print(run->action->timeout_ms, text));
	action_run_end(run, action_cut_off(run->action));
}

/* Others take the lease of one who has not renewed it, and run the same again if it
 * may be repeated. What may not is nobody else's, and goes on. */
int64_t action_stopped_ms_max(const struct action_run *run)
{
	return run->action->idempotent && run->env->programs
		       ? STORE_LEASE_MS - STORE_HEARTBEAT_MS - NOTICE_MS
		       : 0;
}

struct action_run *action_start(const struct action_env *env,
	const struct action *action, const struct template_values *values,
	action_fn fn, void *arg)
{
	struct action_order order = {env, action, values, JOB_RUN, NULL};

	return action_job_start(&order, fn, arg);
}

/* A drill looks at what can be looked at before it asks the world. */
static void drill(struct action_run *run, const struct action_type *type)
{
	struct err err;

	if (type->check(run->env, run->action, &err) < 0) {
		buf_addf(&run->detail, "missing: %s", err.text);
		action_run_end_soon(run, ACTION_FAILED);
	} else if (type->start[JOB_DRILL]) {
		type->start[JOB_DRILL](run);
	} else {
		buf_addf(&run->detail, "would be run: %s",
			action_kind_name(run->action->kind));
		action_run_end_soon(run, ACTION_OK);
	}
}

struct action_run *action_job_start(
	const struct action_order *order, action_fn fn, void *arg)
{
	const struct action_type *type = action_type_of(order->action->kind);
	struct action_run *run = xcalloc(1, sizeof(*run));

	*run = (struct action_run){.env = order->env,
		.action = order->action,
		.values = order->values,
		.job = order->job,
		.captured = order->captured,
		.started_ms = loop_now(order->env->loop),
		.fn = fn,
		.arg = arg};
	buf_init(&run->detail, ACTION_DETAIL_MAX);
	run->timer = timer_start(
		run->env->loop, run->action->timeout_ms, run_late, run);
	if (run->job == JOB_DRILL)
		drill(run, type);
	else
		type->start[run->job](run);
	return run;
}

void action_cancel(struct action_run **run)
{
	if (!*run)
		return;
	action_type_of((*run)->action->kind)->cancel(*run);
	run_free(*run);
	*run = NULL;
}

void action_run_end(struct action_run *run, enum action_result result)
{
	struct action_end end = {.result = result};

	action_type_of(run->action->kind)->cancel(run);
	redact(&run->detail);
	sanitize(&run->detail);
	end.detail = run->detail.data;
	end.captured = run->capture;
	end.duration_ms = loop_now(run->env->loop) - run->started_ms;
	timer_cancel(&run->timer);
	run->fn(&end, run->arg);
	run_free(run);
}

static void run_said(void *arg)
{
	struct action_run *run = arg;

	run->timer = NULL;
	action_run_end(run, run->soon);
}

void action_run_end_soon(struct action_run *run, enum action_result result)
{
	run->soon = result;
	timer_cancel(&run->timer);
	run->timer = timer_start(run->env->loop, 0, run_said, run);
}

int64_t action_time_left(const struct action_run *run)
{
	int64_t left = run->started_ms + run->action->timeout_ms -
		       loop_now(run->env->loop);

	return left > 0 ? left : 1;
}
