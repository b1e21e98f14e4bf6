/* `tidegate watch`: follows a rollout's journal to its end, from outside. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "io/clock.h"
#include "status/journal_print.h"
#include "status/outcome_print.h"
#include "status/rollout_snapshot.h"

#define PAUSE_MS  50
#define DRIVER_MS 5000 /* how often it is looked who drives it */

struct watch_args {
	const char *state;
	int format;
};

static const struct option_spec options[] = {
	OPTION_STATE(struct watch_args),
	OPTION_FORMAT(struct watch_args),
	{0},
};

struct watch {
	struct store *store;
	struct rollout_snapshot *snapshot;
	int format;
	int64_t printed_seq;
	int64_t counter; /* of the store when it was read last */
	struct lease_watch lease;
	int64_t driver_due_ms; /* when the driver is looked for again */
	bool alone_told;
};

static int print_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct watch *watch = arg;
	struct buf line;

	buf_init(&line, OUTPUT_BYTES_MAX);
	if (watch->format == FORMAT_JSON)
		journal_print_json(watch->snapshot->row.id, entry, &line);
	else
		journal_print_text(entry, &line);
	output_write(stdout, &line);
	buf_fini(&line);
	watch->printed_seq = entry->seq;
	return output_catch_up(stdout, err_r);
}

/* What is new is printed; 1 when that was the end. */
static int read_news(struct watch *watch, struct err *err_r)
{
	struct rollout_snapshot *snapshot = watch->snapshot;

	if (store_each_event(watch->store, snapshot->row.id, watch->printed_seq,
		    print_entry, watch, err_r) ||
		rollout_snapshot_update(snapshot, watch->store, err_r))
		return -1;
	/* An entry may have come between the two: print it before the end. */
	return phase_is_end(snapshot->fold.state.phase) &&
	       snapshot->fold.last_seq == watch->printed_seq;
}

/* A rollout that nobody drives goes nowhere: say so once. */
static int look_for_driver(struct watch *watch, struct err *err_r)
{
	struct store_lease lease;
	int held;

	if (clock_boot_ms() < watch->driver_due_ms)
		return 0;
	watch->driver_due_ms = clock_boot_ms() + DRIVER_MS;
	held = rollout_snapshot_driver(
		watch->snapshot, watch->store, &lease, err_r);
	if (held < 0)
		return -1;
	if (held && !lease.alive && lease_watch_is_over(&watch->lease, &lease))
		held = 0;
	if (!held && !watch->alone_told)
		output_text(stderr,
			"nobody drives %s: tidegate resume %s goes on with "
			"it\n",
			watch->snapshot->row.id, watch->snapshot->row.id);
	watch->alone_told = !held;
	return 0;
}

/* The last line, as `run` prints it. */
static void print_end(const struct watch *watch)
{
	const struct rollout_snapshot *snapshot = watch->snapshot;
	const struct rollout *state = &snapshot->fold.state;
	struct rollout_end end = {
		.rollout = snapshot->row.id,
		.service = snapshot->row.service,
		.candidate = snapshot->row.candidate,
		.stable = snapshot->row.stable,
		.outcome = phase_name(state->phase),
		.phase = phase_name(state->phase),
		.reason = state->reason,
		.time_ms = snapshot->fold.last_ms,
		.seq = snapshot->fold.last_seq + 1,
		.percent = snapshot->fold.percent,
		.exit_status = rollout_exit_status(state),
		.actions_failed = state->actions_failed,
	};
	struct buf line;

	buf_init(&line, OUTPUT_BYTES_MAX);
	if (watch->format == FORMAT_JSON)
		outcome_print_json(&end, &line);
	else
		outcome_print_text(&end, &line);
	output_write(stdout, &line);
	buf_fini(&line);
}

static int follow(struct watch *watch, struct err *err_r)
{
	int64_t counter;
	int ended = 0;

	watch->counter = -1;
	while (!ended) {
		if (store_change_counter(watch->store, &counter, err_r))
			return -1;
		if (counter != watch->counter || watch->counter == -1) {
			watch->counter = counter;
			ended = read_news(watch, err_r);
			continue;
		}
		if (look_for_driver(watch, err_r))
			return -1;
		context_pause(PAUSE_MS);
	}
	return ended;
}

static int watch(int argc, char **argv, struct err *err_r)
{
	struct watch_args args = {0};
	struct watch watch = {0};
	int status = -1;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r))
		return -1;
	watch.format = args.format;
	watch.store = context_store(args.state, STORE_LOOK, err_r);
	if (!watch.store)
		return -1;
	watch.snapshot = rollout_snapshot_load(watch.store,
		argc > 1 ? argv[1] : NULL, SNAPSHOT_UNFINISHED, err_r);
	if (watch.snapshot && follow(&watch, err_r) > 0 &&
		!rollout_snapshot_reload_row(
			watch.snapshot, watch.store, err_r)) {
		print_end(&watch);
		status = rollout_exit_status(&watch.snapshot->fold.state);
	}
	rollout_snapshot_free(&watch.snapshot);
	store_free(&watch.store);
	return status;
}

const struct command cmd_watch = {
	.name = "watch",
	.usage = "[ROLLOUT]",
	.summary = "Follow a rollout to its end and exit as it does",
	.options = options,
	.run = watch,
};
