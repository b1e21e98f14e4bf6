/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate run --server`: a daemon releases, this process starts it and follows.
 * Only in the program tidegate-remote.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/interruption.h"
#include "cli/output.h"
#include "cli/remote_policy.h"
#include "cli/run_args.h"
#include "cli/run_follow.h"
#include "remote/remote_store.h"
#include "remote/wire.h"

#define START_PATIENCE_MS 120000 /* a daemon that restarts takes less */
#define BODY_MAX          (1024 * 1024)

/* ---- what is asked for ---- */

static void start_body(const struct run_args *args,
	const struct remote_policy *policy, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	remote_policy_add(policy, &w);
	if (args->candidate)
		jsonw_text(&w, "candidate", args->candidate);
	if (args->again)
		jsonw_bool(&w, "again", true);
	if (args->adopt)
		jsonw_bool(&w, "adopt", true);
	if (args->committed)
		jsonw_text(&w, "committed", args->committed);
	jsonw_end(&w, '}');
}

/* With one key for all attempts: whatever is lost on the way, one rollout
 * begins, and is known also after a signal. */
static int start(struct wire *wire, const struct run_args *args,
	const struct remote_policy *policy, char id_r[STORE_ROLLOUT_ID_MAX],
	struct err *err_r)
{
	char key[WIRE_KEY_MAX];
	struct wire_ask ask = {.path = "/api/v1/rollouts",
		.key = key,
		.begins = true,
		.patience_ms = START_PATIENCE_MS};
	struct wire_answer answer;
	struct buf body;
	int rc;

	wire_make_key(key);
	buf_init(&body, BODY_MAX);
	start_body(args, policy, &body);
	ask.body = body.data;
	rc = wire_ask(wire, &ask, &answer, err_r);
	if (rc == 0)
		rc = remote_started_decode(
			answer.body, answer.len, id_r, err_r);
	else
		remote_policy_tell(policy, &answer);
	buf_fini(&body);
	return rc;
}

/* ---- in order ---- */

static int start_and_follow(struct wire *wire, const struct run_args *args,
	const struct remote_policy *policy, struct err *err_r)
{
	const struct run_follow_options options = {
		.who = context_caller(),
		.format = args->format,
		.quiet = args->quiet,
		.utc = args->utc,
		.wait_ms = args->wait,
	};
	struct interruption interruption;
	char id[STORE_ROLLOUT_ID_MAX];

	if (interruption_await(&interruption, wire, err_r) < 0)
		return -1;
	if (start(wire, args, policy, id, err_r) < 0)
		return -1;
	return run_follow(&interruption, id, &options, err_r);
}

static int check_args(const struct run_args *args, struct err *err_r)
{
	if (args->as)
		return err_set(err_r, ERR_REFUSED,
			"--as %.60s is refused: the daemon knows by itself who "
			"asks",
			args->as);
	if (args->wish.push || args->wish.otlp)
		return err_set(err_r, ERR_USAGE,
			"--push-metrics and --otlp tell of what this process "
			"drives: the daemon's rollouts are in its /metrics");
	return 0;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct remote_policy policy;
	struct run_args args;
	int status = -1;

	if (run_args_parse(&args, &argc, argv, err_r) < 0 ||
		check_args(&args, err_r) < 0)
		return -1;
	output_never_wait(args.format == FORMAT_JSON);
	policy = (struct remote_policy){
		.said = args.policy,
		.target = {.project = args.project,
			.region = args.region,
			.service = argc > 1 ? argv[1] : NULL},
	};
	if (remote_policy_read(&policy, err_r) == 0)
		status = start_and_follow(
			remote_store_wire(), &args, &policy, err_r);
	remote_policy_fini(&policy);
	return status;
}

const struct command remote_run = {
	.name = "run",
	.usage = "SERVICE --policy FILE",
	.summary = "Release a revision step by step, or take it back",
	.options = run_options,
	.run = run,
};
