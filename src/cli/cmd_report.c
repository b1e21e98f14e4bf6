/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate report`: what happened in a rollout, for people to read. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "report/report.h"
#include "status/rollout_snapshot.h"

struct report_args {
	const char *state, *output;
	int format;
};

static const char *const formats[] = {"markdown", "html", NULL};

#define MEMBER(m) offsetof(struct report_args, m)

static const struct option_spec options[] = {
	{.name = "format",
		.type = OPTION_CHOICE,
		.offset = MEMBER(format),
		.choices = formats,
		.help = "Markdown, or one page of HTML with charts (default: "
			"markdown)"},
	{.name = "output",
		.type = OPTION_TEXT,
		.offset = MEMBER(output),
		.letter = 'o',
		.value = "FILE",
		.help = "where it is written (default: \"-\", standard "
			"output)"},
	OPTION_STATE(struct report_args),
	OPTION_SERVER(struct report_args),
	{0},
};

static int print(const struct report_args *args, const struct report *report,
	struct err *err_r)
{
	struct buf text;
	int rc = 0;

	buf_init(&text, REPORT_BYTES_MAX);
	report_write(report, (enum page_format)args->format, &text);
	if (text.overflow)
		rc = err_set(err_r, ERR_LIMIT,
			"the report is larger than %d bytes", REPORT_BYTES_MAX);
	else
		rc = output_save(args->output, &text, err_r);
	buf_fini(&text);
	return rc;
}

static int report_of(struct store *store, const char *name,
	const struct report_args *args, struct err *err_r)
{
	struct rollout_snapshot *snapshot =
		rollout_snapshot_load(store, name, SNAPSHOT_NEWEST, err_r);
	struct report *report = NULL;
	struct store_lease lease = {0};
	int rc = -1, driven = -1;

	if (snapshot)
		driven =
			rollout_snapshot_driver(snapshot, store, &lease, err_r);
	if (driven >= 0)
		report = report_load(
			store, snapshot->row.id, snapshot->policy, err_r);
	if (report) {
		if (driven)
			report->driver =
				lease.alive ? SUMMARY_DRIVEN : SUMMARY_UNSEEN;
		rc = print(args, report, err_r);
	}
	report_free(&report);
	rollout_snapshot_free(&snapshot);
	return rc;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct report_args args = {0};
	struct store *store;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r))
		return -1;
	store = context_store(args.state, STORE_LOOK, err_r);
	if (!store)
		return -1;
	rc = report_of(store, argc > 1 ? argv[1] : NULL, &args, err_r);
	store_free(&store);
	return rc;
}

const struct command cmd_report = {
	.name = "report",
	.usage = "[ROLLOUT]",
	.summary = "Write down what happened in a rollout, for people to read",
	.options = options,
	.run = run,
};
