/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate resume`: goes on with a rollout that was left. */
#include <stdio.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/foreground.h"
#include "cli/local_clock.h"
#include "cli/output.h"

#define SHOWN_MAX 8 /* rollouts named when several are unfinished */

struct resume_args {
	const char *state, *as;
	int64_t wait;
	int format;
	bool quiet, utc;
};

#define MEMBER(m) offsetof(struct resume_args, m)

static const struct option_spec options[] = {
	OPTION_STATE(struct resume_args),
	OPTION_AS(struct resume_args),
	{"wait", OPTION_DURATION, MEMBER(wait), "TIME",
		"how long it may be held or wait for people, in sum; "
		"then exit with 8 (default: for ever)"},
	OPTION_FORMAT(struct resume_args),
	OPTION_UTC(struct resume_args),
	{"quiet", OPTION_FLAG, MEMBER(quiet), NULL, "print only how it ended"},
	{0},
};

/* The one that is unfinished, when none was named. */
static int find_only(struct store *store, struct arena *arena,
	const char **id_r, struct err *err_r)
{
	struct store_filter filter = {.unfinished = true};
	struct store_rollout *rollouts;
	struct buf names;
	size_t n;

	if (store_rollout_list(store, &filter, arena, &rollouts, &n, err_r) < 0)
		return -1;
	if (n == 0)
		return err_set(err_r, ERR_REFUSED,
			"nothing to resume: no rollout in %s is unfinished",
			store_path(store));
	if (n == 1) {
		*id_r = rollouts[0].id;
		return 0;
	}
	buf_init(&names, ERR_TEXT_MAX / 2);
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", rollouts[i].id);
	err_set(err_r, ERR_USAGE,
		"%zu rollouts are unfinished, name one of them: %s%s", n,
		names.data, n > SHOWN_MAX ? ", …" : "");
	buf_fini(&names);
	return -1;
}

static int find(struct store *store, const char *name, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	int found;

	if (!name && find_only(store, arena, &name, err_r) < 0)
		return -1;
	found = store_rollout_get(store, name, arena, rollout_r, err_r);
	if (found == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"no rollout \"%.100s\" in %s; see: tidegate list", name,
			store_path(store));
	return found < 0 ? -1 : 0;
}

static int run_in_foreground(struct foreground *foreground,
	const struct resume_args *args, const struct policy *policy,
	const struct store_rollout *rollout, struct err *err_r)
{
	struct observer observer = foreground_observer;
	struct driver_options wanted = {
		.starter = foreground->who, .wait_ms = args->wait};

	observer.arg = foreground;
	if (context_who(foreground->store, args->as, foreground->who, err_r) <
			0 ||
		foreground_open(foreground, err_r) < 0)
		return -1;
	foreground->driver = fleet_resume(foreground->fleet, policy,
		rollout->id, &wanted, &observer, err_r);
	if (!foreground->driver)
		return -1;
	return foreground_run(foreground, err_r);
}

static int resume_found(struct foreground *foreground,
	const struct resume_args *args, const struct store_rollout *rollout,
	struct arena *arena, struct err *err_r)
{
	struct context_target target = {.service = rollout->service};
	struct policy *policy;
	int status;

	if (context_resolve(&target, arena, err_r) < 0)
		return -1;
	foreground->project = target.project;
	foreground->region = target.region;
	/* As it was when the rollout started, not as the file is now. */
	policy = context_policy(
		rollout->policy_path, rollout->policy_source, &target, err_r);
	if (!policy)
		return -1;
	status = run_in_foreground(foreground, args, policy, rollout, err_r);
	foreground_close(foreground);
	policy_free(&policy);
	return status;
}

static int resume(int argc, char **argv, struct err *err_r)
{
	struct resume_args args = {.wait = -1};
	struct foreground foreground = {0};
	struct store_rollout rollout;
	struct arena arena;
	int status = -1;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r) < 0)
		return -1;
	output_never_wait(args.format == FORMAT_JSON);
	foreground.format = args.format;
	foreground.quiet = args.quiet;
	foreground.utc = args.utc;
	foreground.store = context_store(args.state, STORE_EDIT, err_r);
	if (!foreground.store)
		return -1;
	arena_init(&arena);
	if (find(foreground.store, argc > 1 ? argv[1] : NULL, &arena, &rollout,
		    err_r) == 0)
		status = resume_found(
			&foreground, &args, &rollout, &arena, err_r);
	arena_fini(&arena);
	store_free(&foreground.store);
	return status;
}

const struct command cmd_resume = {
	.name = "resume",
	.usage = "[ROLLOUT]",
	.summary = "Go on with a rollout that was left or interrupted",
	.options = options,
	.run = resume,
};
