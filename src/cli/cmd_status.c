/* `tidegate status`: where a rollout stands, why, and how to answer it. */
#include <stdio.h>

#include "base/printable.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/view.h"
#include "io/clock.h"
#include "status/rollout_snapshot.h"
#include "status/status_json.h"

struct status_args {
	const char *state;
	int format;
};

static const struct option_spec options[] = {
	OPTION_STATE(struct status_args),
	OPTION_FORMAT(struct status_args),
	{0},
};

static void print_driver(const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, struct buf *out)
{
	char time[TIMESTAMP_TEXT_MAX];

	buf_addf(out, "started %s by ",
		timestamp_print(snapshot->row.started_ms, time));
	printable_add(out, snapshot->row.starter);
	if (snapshot->row.ended_ms) {
		buf_addf(out, ", ended %s\n",
			timestamp_print(snapshot->row.ended_ms, time));
	} else if (driver) {
		buf_adds(out, ", driven by ");
		printable_add(out, driver->holder);
		if (!driver->alive)
			buf_addf(out,
				",\nwhich is not on this host and was alive at "
				"%s by its clock; if it is gone:\n"
				"  tidegate resume %s",
				timestamp_print(driver->renewed_ms, time),
				snapshot->row.id);
		buf_addc(out, '\n');
	} else {
		buf_addf(out,
			"\nnobody drives it, the SLOs are not watched:\n"
			"  tidegate resume %s\n",
			snapshot->row.id);
	}
}

static void print_text(const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, int64_t now_ms, struct buf *out)
{
	/* Lines are as long as they are: a remedy is not cut. */
	struct view view = {
		.policy = snapshot->policy,
		.rollout = &snapshot->fold.state,
		.id = snapshot->row.id,
		.candidate = snapshot->row.candidate,
		.stable = snapshot->row.stable,
		.now_ms = now_ms,
		.colour = output_has_colour(stdout),
		.utf8 = screen_has_utf8(),
		.undriven = !driver && !snapshot->row.ended_ms,
	};

	view_render(&view, out);
	print_driver(snapshot, driver, out);
}

static int print(struct store *store, struct rollout_snapshot *snapshot,
	int format, struct err *err_r)
{
	int64_t now_ms = clock_wall_ms();
	const struct store_lease *driver;
	struct store_lease lease;
	struct buf out;
	int held;

	held = rollout_snapshot_driver(snapshot, store, &lease, err_r);
	if (held < 0)
		return -1;
	driver = held ? &lease : NULL;
	if (!driver && snapshot->fold.last_ms)
		now_ms = snapshot->fold.last_ms; /* time stood still since */
	buf_init(&out, OUTPUT_BYTES_MAX);
	if (format == FORMAT_JSON)
		status_json_print(snapshot, driver, now_ms, &out);
	else
		print_text(snapshot, driver, now_ms, &out);
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
	store = context_store(args.state, STORE_LOOK, err_r);
	if (!store)
		return -1;
	snapshot = rollout_snapshot_load(
		store, argc > 1 ? argv[1] : NULL, SNAPSHOT_NEWEST, err_r);
	if (snapshot)
		rc = print(store, snapshot, args.format, err_r);
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
