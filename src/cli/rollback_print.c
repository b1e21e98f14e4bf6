/* SPDX-License-Identifier: Apache-2.0 */
/* Drills, and nothing to do; see rollback_print.h. */
#include "cli/rollback_print.h"

#include "base/jsonw.h"
#include "base/printable.h"
#include "cli/context.h"
#include "cli/output.h"
#include "live/rollback.h"

#define DRILL_MISSING 4 /* the exit status */

static void print_table(const struct drill_report *report, struct buf *out)
{
	static const char *const heads[] = {"WHAT", "NAME", "", "DETAIL"};
	const struct drill_item *item = report->item;
	struct table table;

	table_init(&table, 4);
	table_add(&table, heads);
	for (size_t i = 0; i < report->n; i++) {
		const char *const cells[] = {item[i].what, item[i].name,
			item[i].is_ready ? "ready" : "MISSING", item[i].detail};

		table_add(&table, cells);
	}
	table_print(&table, out);
	table_fini(&table);
	if (report->n_missing)
		buf_addf(out, "not ready: %zu of these %s missing\n",
			report->n_missing,
			report->n_missing == 1 ? "is" : "are");
	else
		buf_adds(out, "ready; nothing was written\n");
}

static void print_json(
	const struct drill_report *report, int status, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	drill_report_print(report, &w);
	jsonw_int(&w, "exit", status);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

int rollback_print_drill(const struct drill_report *report, int format)
{
	int status = report->n_missing ? DRILL_MISSING : 0;
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (format == FORMAT_JSON)
		print_json(report, status, &out);
	else
		print_table(report, &out);
	output_write(stdout, &out);
	buf_fini(&out);
	return status;
}

void rollback_print_nothing(const char *stable, int format)
{
	struct buf out;
	struct jsonw w = {.out = &out};

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (format == FORMAT_JSON) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "event", "finished");
		jsonw_text(&w, "outcome", "nothing-to-do");
		jsonw_text(&w, "stable", stable);
		jsonw_int(&w, "exit", 0);
		jsonw_end(&w, '}');
	} else {
		buf_adds(&out, "nothing to do: ");
		printable_add(&out, stable);
		buf_adds(&out, " holds all traffic and no sequence is "
			       "unfinished (--again runs it all the same)");
	}
	buf_addc(&out, '\n');
	output_write(stdout, &out);
	buf_fini(&out);
}
