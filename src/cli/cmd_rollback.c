/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate rollback`: a person wants to go back, now. The same engine and the
 * same driver as `run`; a rollout that has not ended is aborted and brought to
 * its end instead.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/foreground.h"
#include "cli/output.h"
#include "cli/rollback_args.h"
#include "cli/rollback_print.h"
#include "cli/rollback_take_over.h"
#include "io/loop.h"
#include "live/rollback.h"
#include "store/store_drill.h"

#define LOOKS_MAX 2 /* for what has not ended: the second is after its end */
#define TRIES_MAX 3 /* when others begin meanwhile */

extern const struct command cmd_resume;

/* The verb: what is found out, and a rollout in the foreground. */
struct going_back {
	struct rollback back;
	struct foreground foreground;
	struct rollback_survey *survey; /* NULL: it is not waited for */
	struct rollback_drill *drill; /* likewise */
	int status; /* of a drill */
	struct err err; /* of what is waited for; ERR_NONE: it went well */
};

/* ---- a rollout of its own ---- */

static int run_in_foreground(struct going_back *g,
	const struct rollback_args *args, struct err *err_r)
{
	struct observer observer = foreground_observer;
	const struct rollback *b = &g->back;
	char *who = g->foreground.who;
	char why[CONTEXT_NAME_MAX + STORE_COMMENT_MAX + 32];
	struct driver_options wanted = {
		.service = b->service,
		.starter = who,
		.wish = {.candidate = b->candidate,
			.stable = b->stable,
			.rollback_reason = why,
			.rollback_of = b->after,
			.anew = b->anew,
			.newest = b->newest},
		.wait_ms = -1,
	};

	observer.arg = &g->foreground;
	if (context_who(g->foreground.store, args->as, who, err_r) < 0)
		return -1;
	snprintf(why, sizeof(why), "rolled back by %s%s%s", who,
		args->comment ? ": " : "", args->comment ? args->comment : "");
	g->foreground.going_back = true;
	g->foreground.driver = fleet_run(
		g->foreground.fleet, b->policy, &wanted, &observer, err_r);
	if (!g->foreground.driver)
		return -1;
	return foreground_run(&g->foreground, err_r);
}

/* ---- one that has not ended ---- */

static int fence_out(const struct rollback_taken *taken,
	struct lease_watch *seen, struct arena *arena, struct err *err_r)
{
	struct store_lease lease;
	int is_ours = store_lease_take(taken->store, taken->service,
		taken->rollout, seen, arena, &lease, err_r);

	if (is_ours < 0)
		return -1;
	if (is_ours)
		store_lease_drop(taken->store, taken->service, lease.fence);
	return !is_ours;
}

static int take_over(struct going_back *g, const struct rollback_args *args,
	const char *rollout, struct err *err_r)
{
	const struct rollback_taken taken = {
		.store = g->foreground.store,
		.rollout = rollout,
		.service = g->back.service,
		.state = store_path(g->foreground.store),
		.format = args->format,
		.comment = args->comment,
		.as = args->as,
		.resume = &cmd_resume,
		.fence_out = fence_out,
	};

	return rollback_take_over(&taken, err_r);
}

/* Whether users may still be where they were: it was refused before it moved
 * anything, or was promoted meanwhile, or went back to another revision than the
 * one that is asked for. */
static bool is_no_way_back(struct going_back *g, const char *rollout)
{
	struct store_rollout row;
	struct err err;

	if (store_rollout_get(g->foreground.store, rollout, &g->back.arena,
		    &row, &err) <= 0 ||
		!row.ended_ms)
		return false;
	return !strcmp(row.phase, phase_name(PHASE_REFUSED)) ||
	       !strcmp(row.phase, phase_name(PHASE_PROMOTED)) ||
	       (g->back.to && strcmp(g->back.to, row.stable) != 0 &&
		       !strcmp(row.phase, phase_name(PHASE_ROLLED_BACK)));
}

/* Looks back, and ends what has not ended. 1: `status_r` is that of the verb; 0:
 * what is known is gone back from; -1: refused. */
static int end_unfinished(struct going_back *g,
	const struct rollback_args *args, int *status_r, struct err *err_r)
{
	const char *rollout;

	for (int looks = 0;; looks++) {
		if (rollback_look_back(&g->back, g->foreground.store, err_r) <
			0)
			return -1;
		rollout = rollback_to_end(&g->back);
		if (looks && !rollout && !g->back.stable) {
			*status_r = 0; /* nothing was moved before it */
			return 1;
		}
		if (!rollout || args->drill)
			return 0;
		if (looks == LOOKS_MAX)
			return err_set(err_r, ERR_REFUSED,
				"%s has begun meanwhile: look at tidegate "
				"status, and go back again",
				rollout);
		*status_r = take_over(g, args, rollout, err_r);
		if (!is_no_way_back(g, rollout))
			return *status_r < 0 ? -1 : 1;
		if (*status_r < 0)
			output_error(err_r->text);
	}
}

/* ---- the service ---- */

static void survey_done(const struct err *err, void *arg)
{
	struct going_back *g = arg;

	g->survey = NULL;
	if (err)
		g->err = *err;
	loop_stop(g->foreground.world.loop);
}

/* Waits for the service as long as a revert would. */
static int survey(struct going_back *g, struct err *err_r)
{
	struct world *world = &g->foreground.world;

	g->survey = rollback_survey_start(world, &g->back,
		g->back.policy->revert_timeout_ms, survey_done, g);
	if (loop_run(world->loop, err_r) < 0)
		return -1;
	if (!g->err.code)
		return 0;
	*err_r = g->err;
	return -1;
}

/* ---- a drill ---- */

static void drill_done(const struct drill_report *report, void *arg)
{
	struct going_back *g = arg;

	g->drill = NULL;
	g->status = rollback_print_drill(report, g->foreground.format);
	loop_stop(g->foreground.world.loop);
}

/* For who asks when it was last drilled; the result does not depend on it. */
static void note_drill(struct going_back *g, const struct rollback_args *args)
{
	const struct store_drill drill = {
		.service = g->back.service,
		.who = g->foreground.who,
		.time_ms = loop_wall_ms(g->foreground.world.loop),
	};
	struct err err;

	if (context_who(g->foreground.store, args->as, g->foreground.who,
		    &err) < 0 ||
		store_drill_note(g->foreground.store, &drill, &err) < 0)
		output_text(stderr,
			"tidegate: that it was drilled is not kept: %s\n",
			err.text);
}

static int drill(struct going_back *g, const struct rollback_args *args,
	struct err *err_r)
{
	struct world *world = &g->foreground.world;

	if (rollback_recall(&g->back, g->foreground.store, err_r) < 0)
		return -1;
	g->drill = rollback_drill_start(world, &g->back, drill_done, g, err_r);
	if (!g->drill || loop_run(world->loop, err_r) < 0)
		return -1;
	if (!g->status)
		note_drill(g, args);
	return g->status;
}

/* ---- in order ---- */

static int go_back_once(struct going_back *g, const struct rollback_args *args,
	struct err *err_r)
{
	int wanted, status;

	wanted = end_unfinished(g, args, &status, err_r);
	if (wanted)
		return wanted < 0 ? -1 : status;
	if (foreground_open(&g->foreground, err_r) < 0 ||
		(!args->drill &&
			foreground_listen(&g->foreground, err_r) < 0) ||
		survey(g, err_r) < 0)
		return -1;
	wanted = rollback_decide(&g->back, err_r);
	if (wanted < 0)
		return -1;
	if (args->drill)
		return drill(g, args, err_r);
	if (wanted)
		return run_in_foreground(g, args, err_r);
	rollback_print_nothing(g->back.stable, g->foreground.format);
	return 0;
}

static void close_world(struct going_back *g)
{
	rollback_survey_cancel(&g->survey);
	rollback_drill_cancel(&g->drill);
	foreground_close(&g->foreground);
}

/* Two who go back at once: the second waits for the first, and then looks whether
 * there is anything left to do. */
static int go_back(struct going_back *g, const struct rollback_args *args,
	struct err *err_r)
{
	int status;

	for (int tries = 1;; tries++) {
		status = go_back_once(g, args, err_r);
		close_world(g);
		if (!g->foreground.overtaken || tries == TRIES_MAX)
			return status;
		g->foreground.overtaken = false;
		g->foreground.err = (struct err){0};
		output_error(err_r->text);
	}
}

static int rollback_service(struct going_back *g,
	const struct rollback_args *args, struct context_target *target,
	struct err *err_r)
{
	int status;

	context_take_policy(target, g->back.policy);
	if (context_resolve(target, &g->back.arena, err_r) < 0)
		return -1;
	g->back.service = target->name;
	g->foreground.project = target->project;
	g->foreground.region = target->region;
	g->foreground.format = args->format;
	g->foreground.quiet = args->quiet;
	g->foreground.store = context_store(args->state, STORE_CREATE, err_r);
	if (!g->foreground.store)
		return -1;
	g->back.state = store_path(g->foreground.store);
	status = go_back(g, args, err_r);
	store_free(&g->foreground.store);
	return status;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct rollback_args args;
	struct going_back g = {0};
	struct context_target target;
	struct policy *policy;
	int status;

	if (rollback_args_parse(&args, &argc, argv, err_r) < 0)
		return -1;
	if (!args.drill) /* its result is all there is to a drill */
		output_never_wait(args.format == FORMAT_JSON);
	target = (struct context_target){
		.project = args.project,
		.region = args.region,
		.service = argc > 1 ? argv[1] : NULL,
	};
	policy = context_policy(args.policy, NULL, &target, err_r);
	if (!policy)
		return -1;
	rollback_init(&g.back);
	g.back.policy = policy;
	g.back.dashes = "--";
	g.back.to = args.to;
	g.back.wanted_candidate = args.candidate;
	g.back.again = args.again;
	status = rollback_service(&g, &args, &target, err_r);
	rollback_fini(&g.back);
	policy_free(&policy);
	return status;
}

const struct command cmd_rollback = {
	.name = "rollback",
	.usage = "SERVICE --policy FILE",
	.summary = "Take the traffic back now and run the rollback sequence",
	.options = rollback_options,
	.run = run,
};
