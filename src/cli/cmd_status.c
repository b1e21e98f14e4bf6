/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate status`: where a rollout stands, why, and how to answer it. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/status_text.h"
#include "cli/watch.h"
#include "cli/wrap.h"
#include "io/clock.h"
#include "status/rollout_snapshot.h"
#include "status/status_json.h"

struct status_args {
	struct watch_options watch; /* which rollout, and how it is shown */
	bool follow;
};

#define MEMBER(m) offsetof(struct status_args, m)

static const struct option_spec options[] = {
	{"follow", OPTION_FLAG, MEMBER(follow), NULL,
		"follow it to its end, as watch does"},
	OPTION_STATE(struct watch_options),
	OPTION_SERVER(struct watch_options),
	OPTION_AS(struct watch_options),
	OPTION_UTC(struct watch_options),
	OPTION_FORMAT(struct watch_options),
	{0},
};

static void print_text(const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, int64_t now_ms, bool utc,
	struct buf *out)
{
	const struct status_text how = {
		.columns = wrap_columns(stdout),
		.colour = output_has_colour(stdout),
		.clock = local_clock_unless(utc),
	};
	struct arena arena;

	arena_init(&arena);
	status_text_print(rollout_snapshot_summary(
				  snapshot, driver, now_ms, how.clock, &arena),
		&how, out);
	arena_fini(&arena);
}

static int print(struct store *store, struct rollout_snapshot *snapshot,
	const struct watch_options *wanted, struct err *err_r)
{
	int64_t now_ms = clock_wall_ms();
	const struct store_lease *driver;
	struct store_lease lease;
	struct buf out;
	int held;

	held = rollout_snapshot_driver(snapshot, store, &lease, err_r);
	if (held < 0 || rollout_snapshot_waiting(snapshot, store, err_r))
		return -1;
	driver = held ? &lease : NULL;
	buf_init(&out, OUTPUT_BYTES_MAX);
	if (wanted->format == FORMAT_JSON)
		status_json_print(snapshot, driver, now_ms, &out);
	else
		print_text(snapshot, driver, now_ms, wanted->utc, &out);
	output_write(stdout, &out);
	buf_fini(&out);
	return 0;
}

static int status(int argc, char **argv, struct err *err_r)
{
	struct status_args args = {0};
	struct rollout_snapshot *snapshot;
	struct store *store;
	int rc = -1;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r))
		return -1;
	if (args.follow)
		return watch_follow(
			&args.watch, argc > 1 ? argv[1] : NULL, err_r);
	store = context_store(args.watch.state, STORE_LOOK, err_r);
	if (!store)
		return -1;
	snapshot = rollout_snapshot_load(
		store, argc > 1 ? argv[1] : NULL, SNAPSHOT_NEWEST, err_r);
	if (snapshot)
		rc = print(store, snapshot, &args.watch, err_r);
	rollout_snapshot_free(&snapshot);
	store_free(&store);
	return rc;
}

const struct command cmd_status = {
	.name = "status",
	.usage = "[ROLLOUT]",
	.summary = "Show where a rollout stands, why, and what it waits for",
	.options = options,
	.run = status,
};
