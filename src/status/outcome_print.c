/* SPDX-License-Identifier: Apache-2.0 */
/* How a rollout ended; see outcome_print.h. */
#include "status/outcome_print.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/jsonw.h"
#include "base/printable.h"
#include "base/timestamp.h"

void outcome_print_json(const struct rollout_end *end, struct buf *out)
{
	struct jsonw w = {.out = out};
	char time[TIMESTAMP_TEXT_MAX];

	jsonw_object(&w, NULL);
	jsonw_text(&w, "time", timestamp_print(end->time_ms, time));
	jsonw_text(&w, "rollout", end->rollout);
	jsonw_int(&w, "seq", end->seq);
	jsonw_text(&w, "event", "finished");
	jsonw_text(&w, "phase", end->phase);
	jsonw_int(&w, "percent", end->percent);
	jsonw_text(&w, "outcome", end->outcome);
	jsonw_text(&w, "reason", end->reason);
	jsonw_text(&w, "candidate", end->candidate);
	jsonw_text(&w, "stable", end->stable);
	jsonw_int(&w, "actions_failed", end->actions_failed);
	if (end->extra)
		jsonw_members(&w, end->extra);
	jsonw_int(&w, "exit", end->exit_status);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

void outcome_print_text(const struct rollout_end *end, struct buf *out)
{
	buf_addf(out, "%s: %s", end->rollout, end->outcome);
	if (*end->reason) {
		buf_adds(out, ": ");
		printable_add(out, end->reason);
	}
	buf_addc(out, '\n');
	if (*end->candidate && strcmp(end->outcome, "refused") != 0)
		buf_addf(out, "%s serves %d %%, stable was %s\n",
			end->candidate, end->percent, end->stable);
	if (end->actions_failed)
		buf_addf(out, "%d action%s failed: see tidegate status %s\n",
			end->actions_failed,
			end->actions_failed == 1 ? "" : "s", end->rollout);
}

/* ---- for GitHub's runner ---- */

static void add_output(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s=", name);
	printable_add(out, value); /* one line, whatever it holds */
	buf_addc(out, '\n');
}

static void add_row(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_addf(out, "| %s | ", name);
	escape_markdown(out, value);
	buf_adds(out, " |\n");
}

void outcome_print_outputs(const struct rollout_end *end, struct buf *out)
{
	add_output(out, "rollout", end->rollout);
	add_output(out, "outcome", end->outcome);
	add_output(out, "phase", end->phase);
	add_output(out, "reason", end->reason);
	add_output(out, "candidate", end->candidate);
	add_output(out, "stable", end->stable);
	buf_addf(out, "percent=%d\nexit=%d\n", end->percent, end->exit_status);
}

void outcome_print_summary(const struct rollout_end *end, struct buf *out)
{
	const char *slash = strrchr(end->service, '/');
	const char *short_name = slash ? slash + 1 : end->service;

	buf_addf(out, "### %s: %s\n\n| | |\n| --- | --- |\n", short_name,
		end->outcome);
	add_row(out, "reason", end->reason);
	add_row(out, "rollout", end->rollout);
	add_row(out, "candidate", end->candidate);
	add_row(out, "stable", end->stable);
	buf_addf(out, "| candidate serves | %d %% |\n\n", end->percent);
}
