/*
 * What all actions share: the table of types, the timeout of the whole run,
 * the detail that may be shown. Decides nothing about order or retries: that
 * is the engine's.
 */
#include "action/action.h"

#include <assert.h>
#include <stdlib.h>

#include "action/shown.h"
#include "base/duration.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/loop.h"

static const struct action_type *const types[] = {
	[ACTION_HTTP] = &action_type_http,
	[ACTION_EXEC] = &action_type_exec,
};

const struct action_type *action_type_of(enum action_kind kind)
{
	assert(kind < sizeof(types) / sizeof(*types));
	return types[kind];
}

int action_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	if (action_type_of(action->kind)->check(env, action, err_r) < 0)
		return err_wrap(err_r, "action \"%s\"", action->name);
	return 0;
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

struct action_run *action_start(const struct action_env *env,
	const struct action *action, const struct template_values *values,
	action_fn fn, void *arg)
{
	struct action_run *run = xcalloc(1, sizeof(*run));

	*run = (struct action_run){.env = env,
		.action = action,
		.values = values,
		.started_ms = loop_now(env->loop),
		.fn = fn,
		.arg = arg};
	buf_init(&run->detail, ACTION_DETAIL_MAX);
	run->timer = timer_start(env->loop, action->timeout_ms, run_late, run);
	action_type_of(action->kind)->start(run);
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

	redact(&run->detail);
	shown_clean(&run->detail);
	end.detail = run->detail.data;
	end.duration_ms = loop_now(run->env->loop) - run->started_ms;
	timer_cancel(&run->timer);
	run->fn(&end, run->arg);
	run_free(run);
}
