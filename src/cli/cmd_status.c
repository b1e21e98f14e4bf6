/* `tidegate status`: where a rollout stands, why, and how to answer it. */
#include <stdio.h>

#include "base/printable.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/folded.h"
#include "cli/output.h"
#include "cli/status_json.h"
#include "cli/view.h"
#include "io/clock.h"

struct status_args {
	const char *state;
	int format;
};

static const struct option_spec options[] = {
	OPTION_STATE(struct status_args),
	OPTION_FORMAT(struct status_args),
	{0},
};

static void print_driver(const struct folded *folded,
	const struct store_lease *driver, struct buf *out)
{
	char time[TIMESTAMP_TEXT_MAX];

	buf_addf(out, "started %s by ",
		timestamp_print(folded->row.started_ms, time));
	printable_add(out, folded->row.starter);
	if (folded->row.ended_ms) {
		buf_addf(out, ", ended %s\n",
			timestamp_print(folded->row.ended_ms, time));
	} else if (driver) {
		buf_adds(out, ", driven by ");
		printable_add(out, driver->holder);
		if (!driver->alive)
			buf_addf(out,
				",\nwhich is not on this host and was alive at "
				"%s by its clock; if it is gone:\n"
				"  tidegate resume %s",
				timestamp_print(driver->renewed_ms, time),
				folded->row.id);
		buf_addc(out, '\n');
	} else {
		buf_addf(out,
			"\nnobody drives it, the SLOs are not watched:\n"
			"  tidegate resume %s\n",
			folded->row.id);
	}
}

static void print_text(const struct folded *folded,
	const struct store_lease *driver, int64_t now_ms, struct buf *out)
{
	struct screen screen;
	struct view view = {
		.policy = folded->policy,
		.rollout = &folded->fold.state,
		.id = folded->row.id,
		.candidate = folded->row.candidate,
		.stable = folded->row.stable,
		.now_ms = now_ms,
		.columns = VIEW_COLUMNS_MAX,
		.colour = output_has_colour(stdout),
		.utf8 = screen_has_utf8(),
	};

	screen_init(&screen, stdout);
	if (output_is_terminal(stdout))
		view.columns = screen_columns(&screen);
	view_render(&view, out);
	print_driver(folded, driver, out);
}

static int print(struct store *store, struct folded *folded, int format,
	struct err *err_r)
{
	int64_t now_ms = clock_wall_ms();
	const struct store_lease *driver;
	struct store_lease lease;
	struct buf out;
	int held;

	held = folded_driver(folded, store, &lease, err_r);
	if (held < 0)
		return -1;
	driver = held ? &lease : NULL;
	buf_init(&out, OUTPUT_BYTES_MAX);
	if (format == FORMAT_JSON)
		status_json_print(folded, driver, now_ms, &out);
	else
		print_text(folded, driver, now_ms, &out);
	output_write(stdout, &out);
	buf_fini(&out);
	return 0;
}

static int status(int argc, char **argv, struct err *err_r)
{
	struct status_args args = {0};
	struct folded *folded;
	struct store *store;
	int rc = -1;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r))
		return -1;
	store = context_store(args.state, STORE_LOOK, err_r);
	if (!store)
		return -1;
	folded = folded_load(
		store, argc > 1 ? argv[1] : NULL, FOLDED_NEWEST, err_r);
	if (folded)
		rc = print(store, folded, args.format, err_r);
	folded_free(&folded);
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
