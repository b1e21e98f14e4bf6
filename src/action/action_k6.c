/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type k6: the same program runs k6, reads its summary and knows
 * which of its exit statuses judge.
 */
#include <unistd.h>

#include "action/load_codec.h"
#include "action/load_run.h"

static struct command command_of(const struct action *action)
{
	static const char *const k6[] = {"k6", NULL};

	return (struct command){.argv = k6,
		.n_argv = 1,
		.env = action->u.k6.env,
		.n_env = action->u.k6.n_env};
}

static int k6_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	struct command command = command_of(action);

	if (access(action->u.k6.script, R_OK) < 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"the script %s cannot be read", action->u.k6.script);
	if (load_run_check(err_r) < 0)
		return -1;
	return command_check(env, &command, err_r);
}

static void k6_begin(struct action_run *run)
{
	struct command command = command_of(run->action);
	struct buf order;

	buf_init(&order, LOAD_ORDER_MAX);
	k6_order_print(&order, &run->action->u.k6, false);
	load_run_start(run, &order, &command);
	buf_fini(&order);
}

static void k6_drill(struct action_run *run)
{
	buf_addf(&run->detail, "would run k6 run %s", run->action->u.k6.script);
	action_run_end_soon(run, ACTION_OK);
}

const struct action_type action_type_k6 = {
	.check = k6_check,
	.start = {[JOB_RUN] = k6_begin, [JOB_DRILL] = k6_drill},
	.cancel = load_run_stop,
};
