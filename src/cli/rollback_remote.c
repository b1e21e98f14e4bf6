/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate rollback --server`: a daemon goes back, or drills it. Only in the
 * program tidegate-remote.
 */
#include <stdio.h>

#include "base/jsonw.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/decide_print.h"
#include "cli/interruption.h"
#include "cli/output.h"
#include "cli/remote_policy.h"
#include "cli/rollback_args.h"
#include "cli/rollback_print.h"
#include "cli/rollback_take_over.h"
#include "cli/run_follow.h"
#include "remote/remote_store.h"
#include "remote/wire.h"
#include "status/rollout_snapshot.h"

#define PATIENCE_MS 120000
#define TIMEOUT_MS  600000 /* each look of a drill takes what its action may */
#define BODY_MAX    (1024 * 1024)

struct going_back {
	const struct rollback_args *args;
	struct remote_policy policy;
	struct arena arena;
	struct remote_rollback back;
	struct interruption interruption;
};

/* ---- what is asked for ---- */

static void add(struct jsonw *w, const char *key, const char *value)
{
	if (value)
		jsonw_text(w, key, value);
}

static void back_body(const struct going_back *g, struct buf *out)
{
	const struct rollback_args *args = g->args;
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	remote_policy_add(&g->policy, &w);
	add(&w, "to", args->to);
	add(&w, "candidate", args->candidate);
	add(&w, "comment", args->comment);
	if (args->again)
		jsonw_bool(&w, "again", true);
	if (args->drill)
		jsonw_bool(&w, "drill", true);
	jsonw_end(&w, '}');
}

static int ask(struct going_back *g, struct err *err_r)
{
	char key[WIRE_KEY_MAX];
	struct wire_ask order = {.path = "/api/v1/rollbacks",
		.key = key,
		.begins = !g->args->drill,
		.patience_ms = PATIENCE_MS,
		.timeout_ms = TIMEOUT_MS};
	struct wire_answer answer;
	struct buf body;
	int rc;

	wire_make_key(key);
	buf_init(&body, BODY_MAX);
	back_body(g, &body);
	order.body = body.data;
	rc = wire_ask(remote_store_wire(), &order, &answer, err_r);
	if (rc == 0)
		rc = remote_rollback_decode(
			answer.body, answer.len, &g->arena, &g->back, err_r);
	else
		remote_policy_tell(&g->policy, &answer);
	buf_fini(&body);
	return rc;
}

/* ---- what came of it ---- */

static int follow(struct going_back *g, struct err *err_r)
{
	const struct run_follow_options options = {
		.who = context_caller(),
		.format = g->args->format,
		.quiet = g->args->quiet,
		.going_back = true,
		.wait_ms = -1,
	};

	return run_follow(&g->interruption, g->back.rollout, &options, err_r);
}

/* One that had not ended: as `abort` tells of it. */
static int tell_aborted(
	const struct going_back *g, struct store *store, struct err *err_r)
{
	const struct store_command command = {
		.rollout = g->back.rollout,
		.verb = verb_name(VERB_ABORT),
		.who = context_caller(),
		.state = 1,
	};
	struct rollout_snapshot *snapshot = rollout_snapshot_load(
		store, g->back.rollout, SNAPSHOT_UNFINISHED, err_r);

	if (!snapshot)
		return -1;
	if (g->back.kind == REMOTE_ABORTED)
		decide_print(snapshot, &command, true, g->args->format);
	rollout_snapshot_free(&snapshot);
	return 0;
}

static int take_over(const struct going_back *g, struct err *err_r)
{
	struct store *store = context_store(NULL, STORE_LOOK, err_r);
	const struct rollback_taken taken = {
		.store = store,
		.rollout = g->back.rollout,
		.format = g->args->format,
	};
	int status = -1;

	if (!store)
		return -1;
	rollback_say_taken(g->back.rollout);
	if (tell_aborted(g, store, err_r) == 0)
		status = rollback_watch(&taken, err_r);
	store_free(&store);
	return status;
}

static int tell(struct going_back *g, struct err *err_r)
{
	switch (g->back.kind) {
	case REMOTE_BEGUN:
		return follow(g, err_r);
	case REMOTE_ABORTED:
	case REMOTE_GOING_BACK:
		return take_over(g, err_r);
	case REMOTE_DRILLED:
		return rollback_print_drill(&g->back.report, g->args->format);
	case REMOTE_NOTHING:
		break;
	}
	rollback_print_nothing(g->back.stable, g->args->format);
	return 0;
}

/* ---- in order ---- */

static int go_back(struct going_back *g, struct err *err_r)
{
	if (remote_policy_read(&g->policy, err_r) < 0 ||
		interruption_await(
			&g->interruption, remote_store_wire(), err_r) < 0 ||
		ask(g, err_r) < 0)
		return -1;
	return tell(g, err_r);
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct rollback_args args;
	struct going_back g = {.args = &args};
	int status;

	if (rollback_args_parse(&args, &argc, argv, err_r) < 0)
		return -1;
	if (args.as)
		return err_set(err_r, ERR_REFUSED,
			"--as %.60s is refused: the daemon knows by itself who "
			"asks",
			args.as);
	if (!args.drill) /* its result is all there is to a drill */
		output_never_wait(args.format == FORMAT_JSON);
	g.policy = (struct remote_policy){
		.said = args.policy,
		.target = {.project = args.project,
			.region = args.region,
			.service = argc > 1 ? argv[1] : NULL},
	};
	arena_init(&g.arena);
	status = go_back(&g, err_r);
	arena_fini(&g.arena);
	remote_policy_fini(&g.policy);
	return status;
}

const struct command remote_rollback = {
	.name = "rollback",
	.usage = "SERVICE --policy FILE",
	.summary = "Take the traffic back now and run the rollback sequence",
	.options = rollback_options,
	.run = run,
};
