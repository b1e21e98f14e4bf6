/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate run`: one rollout in the foreground. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/foreground.h"
#include "cli/output.h"
#include "cli/run_args.h"

static int run_in_foreground(struct foreground *foreground,
	const struct run_args *args, const struct policy *policy,
	const char *service, struct err *err_r)
{
	struct observer observer = foreground_observer;
	struct driver_options wanted = {
		.service = service,
		.starter = foreground->who,
		.wish = {.candidate = args->candidate,
			.adopt = args->adopt,
			.again = args->again,
			.committed_ms = args->committed_ms},
		.wait_ms = args->wait,
	};

	observer.arg = foreground;
	if (context_who(foreground->store, args->as, foreground->who, err_r) <
			0 ||
		foreground_open(foreground, err_r) < 0)
		return -1;
	foreground->driver =
		fleet_run(foreground->fleet, policy, &wanted, &observer, err_r);
	if (!foreground->driver)
		return -1;
	return foreground_run(foreground, err_r);
}

static int run_policy(const struct run_args *args,
	struct context_target *target, const struct policy *policy,
	struct err *err_r)
{
	struct foreground foreground = {.format = args->format,
		.quiet = args->quiet,
		.utc = args->utc,
		.wish = args->wish};
	struct arena arena;
	int status = -1;

	arena_init(&arena);
	context_take_policy(target, policy);
	if (context_resolve(target, &arena, err_r) < 0)
		goto out;
	foreground.project = target->project;
	foreground.region = target->region;
	foreground.store = context_store(args->state, STORE_CREATE, err_r);
	if (!foreground.store)
		goto out;
	status = run_in_foreground(
		&foreground, args, policy, target->name, err_r);
	foreground_close(&foreground);
	store_free(&foreground.store);
out:
	arena_fini(&arena);
	return status;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct run_args args;
	struct context_target target;
	struct policy *policy;
	int status;

	if (run_args_parse(&args, &argc, argv, err_r) < 0 ||
		exporter_check(&args.wish, err_r) < 0)
		return -1;
	output_never_wait(args.format == FORMAT_JSON);
	target = (struct context_target){
		.project = args.project,
		.region = args.region,
		.service = argc > 1 ? argv[1] : NULL,
	};
	policy = context_policy_warned(args.policy, &target, err_r);
	if (!policy)
		return -1;
	status = run_policy(&args, &target, policy, err_r);
	policy_free(&policy);
	return status;
}

const struct command cmd_run = {
	.name = "run",
	.usage = "SERVICE --policy FILE",
	.summary = "Release a revision step by step, or take it back",
	.options = run_options,
	.run = run,
};
