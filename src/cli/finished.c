/* How a rollout ended; see finished.h. */
#include "cli/finished.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "cli/github.h"
#include "report/escape.h"

void finished_print_json(const struct finished *f, struct buf *out)
{
	struct jsonw w = {.out = out};
	char time[TIMESTAMP_TEXT_MAX];

	jsonw_object(&w, NULL);
	jsonw_text(&w, "time", timestamp_print(f->time_ms, time));
	jsonw_text(&w, "rollout", f->rollout);
	jsonw_int(&w, "seq", f->seq);
	jsonw_text(&w, "event", "finished");
	jsonw_text(&w, "phase", f->phase);
	jsonw_int(&w, "percent", f->percent);
	jsonw_text(&w, "outcome", f->outcome);
	jsonw_text(&w, "reason", f->reason);
	jsonw_text(&w, "candidate", f->candidate);
	jsonw_text(&w, "stable", f->stable);
	jsonw_int(&w, "actions_failed", f->actions_failed);
	if (f->extra)
		jsonw_members(&w, f->extra);
	jsonw_int(&w, "exit", f->exit_status);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

void finished_print_text(const struct finished *f, struct buf *out)
{
	buf_addf(out, "%s: %s", f->rollout, f->outcome);
	if (*f->reason) {
		buf_adds(out, ": ");
		printable_add(out, f->reason);
	}
	buf_addc(out, '\n');
	if (*f->candidate && strcmp(f->outcome, "refused") != 0)
		buf_addf(out, "%s serves %d %%, stable was %s\n", f->candidate,
			f->percent, f->stable);
	if (f->actions_failed)
		buf_addf(out, "%d action%s failed: see tidegate status %s\n",
			f->actions_failed, f->actions_failed == 1 ? "" : "s",
			f->rollout);
}

/* ---- GitHub ---- */

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

void finished_tell_github(const struct finished *f)
{
	const char *slash = strrchr(f->service, '/');
	const char *short_name = slash ? slash + 1 : f->service;
	struct buf out;

	buf_init(&out, GITHUB_BYTES_MAX);
	add_output(&out, "rollout", f->rollout);
	add_output(&out, "outcome", f->outcome);
	add_output(&out, "phase", f->phase);
	add_output(&out, "reason", f->reason);
	add_output(&out, "candidate", f->candidate);
	add_output(&out, "stable", f->stable);
	buf_addf(&out, "percent=%d\nexit=%d\n", f->percent, f->exit_status);
	github_append("GITHUB_OUTPUT", &out);
	buf_clear(&out);
	buf_addf(&out, "### %s: %s\n\n| | |\n| --- | --- |\n", short_name,
		f->outcome);
	add_row(&out, "reason", f->reason);
	add_row(&out, "rollout", f->rollout);
	add_row(&out, "candidate", f->candidate);
	add_row(&out, "stable", f->stable);
	buf_addf(&out, "| candidate serves | %d %% |\n\n", f->percent);
	github_append("GITHUB_STEP_SUMMARY", &out);
	buf_fini(&out);
}
