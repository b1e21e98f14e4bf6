/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts as a table; see list_table.h. */
#include "cli/list_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cells.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "engine/event.h"

#define DOTS            "..."
#define COLUMNS         6
#define PHASE_SHOWN_MAX 64
#define TABLE_BYTES_MAX (64 * 1024 * 1024)

struct row {
	const struct store_rollout *rollout; /* of tries the newest */
	size_t tries;
};

struct rows {
	struct row *item;
	size_t n;
};

static void add(struct rows *rows, const struct store_rollout *rollout)
{
	rows->item[rows->n++] = (struct row){rollout, 1};
}

static bool is_refused(const struct store_rollout *rollout)
{
	return !strcmp(rollout->phase, phase_name(PHASE_REFUSED));
}

/* One more try of the row before. */
static bool is_another_try(
	const struct row *before, const struct store_rollout *rollout)
{
	return is_refused(rollout) && is_refused(before->rollout) &&
	       !strcmp(before->rollout->service, rollout->service);
}

static void add_ended(struct rows *rows, const struct list_table *list)
{
	size_t i, first = rows->n;
	struct row *last;

	for (i = 0; i < list->n_newest; i++) {
		if (!list->newest[i].ended_ms)
			continue;
		last = rows->n > first ? &rows->item[rows->n - 1] : NULL;
		if (last && is_another_try(last, &list->newest[i]))
			last->tries++;
		else if (rows->n - first == list->limit)
			return;
		else
			add(rows, &list->newest[i]);
	}
}

static void add_row(
	struct table *table, const struct row *row, summary_clock_fn print_time)
{
	const struct store_rollout *r = row->rollout;
	const char *slash = strrchr(r->service, '/');
	char time[SUMMARY_TIME_MAX], phase[PHASE_SHOWN_MAX];

	if (row->tries > 1)
		snprintf(phase, sizeof(phase), "%.20s, %zu tries", r->phase,
			row->tries);
	else
		snprintf(phase, sizeof(phase), "%.40s", r->phase);
	/* All with the date, as if they were read long ago. */
	table_add(table,
		(const char *const[COLUMNS]){r->id,
			slash ? slash + 1 : r->service, r->candidate, phase,
			print_time(r->started_ms, 0, time), r->reason});
}

/* Cut lines say so; a reason stands whole in `tidegate status`. */
static void add_cut(struct buf *out, const struct buf *text, int columns)
{
	const char *at = text->data, *end;
	struct buf line;

	buf_init(&line, TABLE_BYTES_MAX);
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		buf_clear(&line);
		buf_add(&line, at, (size_t)(end - at));
		if (cells_width(line.data) <= columns) {
			buf_addf(out, "%s\n", line.data);
			continue;
		}
		buf_add(out, line.data,
			cells_fit(line.data, columns - (int)strlen(DOTS)));
		buf_adds(out, DOTS "\n");
	}
	buf_fini(&line);
}

static void print_rows(
	const struct rows *rows, const struct list_table *list, struct buf *out)
{
	static const char *const heading[COLUMNS] = {"ROLLOUT", "SERVICE",
		"CANDIDATE", "PHASE", "STARTED", "REASON"};
	size_t shown = rows->n, i;
	struct table table;
	struct buf text;

	/* Heading and the line that counts the others. */
	if (list->lines && rows->n + 1 > list->lines)
		shown = list->lines > 2 ? list->lines - 2 : 1;
	buf_init(&text, TABLE_BYTES_MAX);
	table_init(&table, COLUMNS);
	table_add(&table, heading);
	for (i = 0; i < shown; i++)
		add_row(&table, &rows->item[i], list->clock);
	table_print(&table, &text);
	if (shown < rows->n)
		buf_addf(&text, "... and %zu more\n", rows->n - shown);
	if (list->columns)
		add_cut(out, &text, list->columns);
	else
		buf_add(out, text.data, text.len);
	table_fini(&table);
	buf_fini(&text);
}

size_t list_table_print(const struct list_table *list, struct buf *out)
{
	struct rows rows = {xcalloc(list->n_running + list->n_newest + 1,
				    sizeof(struct row)),
		0};
	size_t i, n;

	for (i = 0; i < list->n_running; i++)
		add(&rows, &list->running[i]);
	add_ended(&rows, list);
	if (rows.n)
		print_rows(&rows, list, out);
	n = rows.n;
	free(rows.item);
	return n;
}
