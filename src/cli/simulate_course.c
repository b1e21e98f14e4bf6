/* SPDX-License-Identifier: Apache-2.0 */
/* How recordings end, value by value; see simulate_sweep.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate_sweep.h"

static int later(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;

	return (left > right) - (left < right);
}

void sweep_count(
	const struct sweep *s, size_t point, struct sweep_tally *tally_r)
{
	struct sweep_tally *t = tally_r;
	const struct sweep_cell *cell;
	size_t i;

	*t = (struct sweep_tally){
		.revert_s = xcalloc(s->paths->n, sizeof(*t->revert_s))};
	for (i = 0; i < s->paths->n; i++) {
		cell = &s->cell[i * s->n + point];
		t->end[cell->end]++;
		t->met += cell->met;
		t->false_reverts +=
			cell->end == END_REVERTED && !cell->wanted_back;
		t->missed += cell->end != END_REVERTED && cell->wanted_back;
		if (cell->wanted_back && cell->revert_s >= 0)
			t->revert_s[t->n_reverts++] = cell->revert_s;
	}
	qsort(t->revert_s, t->n_reverts, sizeof(*t->revert_s), later);
}

double sweep_within(const struct sweep_tally *t, size_t of_ten)
{
	return (double)t->revert_s[(t->n_reverts * of_ten + 9) / 10 - 1];
}

const char *const sweep_count_names[SWEEP_COUNTS] = {"promoted", "rolled back",
	"waiting", "other", "false reverts", "missed", "as expected",
	"time to revert: median", "9 of 10"};

void sweep_print_counts(const struct sweep_tally *t,
	char counts_r[SWEEP_COUNTS][SIMULATE_TEXT_MAX])
{
	const size_t counts[] = {t->end[END_PROMOTED], t->end[END_REVERTED],
		t->end[END_WAITING], t->end[END_OTHER], t->false_reverts,
		t->missed, t->met};
	size_t i, n = sizeof(counts) / sizeof(counts[0]);

	for (i = 0; i < n; i++)
		snprintf(counts_r[i], SIMULATE_TEXT_MAX, "%zu", counts[i]);
	strcpy(counts_r[n], "-");
	strcpy(counts_r[n + 1], "-");
	if (!t->n_reverts)
		return;
	simulate_length(sweep_within(t, 5) * 1000, counts_r[n]);
	simulate_length(sweep_within(t, 9) * 1000, counts_r[n + 1]);
}

const char *sweep_end_name(enum sweep_end end)
{
	static const char *const names[ENDS] = {
		"promoted", "rolled back", "waiting", "ended otherwise"};

	return names[end];
}

/* NULL: none did. */
const char *sweep_decided_by(
	const struct sweep *s, const struct sweep_cell *cell)
{
	return cell->slo >= 0 ? s->policy[0]->slos[cell->slo].name : NULL;
}

void sweep_add_end(
	const struct sweep *s, const struct sweep_cell *cell, struct buf *out)
{
	const char *slo = sweep_decided_by(s, cell);

	buf_adds(out, sweep_end_name(cell->end));
	if (slo)
		buf_addf(out, " by %s", slo);
	else if (cell->reason)
		buf_addf(out, " (%s)", cell->reason);
}

/* ---- how each recording ends, from which value on ---- */

/* "0.5% to 2%", "2%"; where it turns exactly, "above 2.13% to 4%", and at the
 * end of the axis "above 2.13%" */
static void add_stretch(const struct sweep *s,
	const struct sweep_course *course, size_t i, struct buf *out)
{
	const struct sweep_stretch *stretch = &course->item[i];
	const struct axis *axis = &s->axis[0];
	bool last = i + 1 == course->n;
	char value[AXIS_TEXT_MAX];

	if (stretch->exact)
		buf_addf(out, "%s %s",
			axis->from < axis->to ? "above" : "below",
			axis_print(axis, course->item[i - 1].to, value));
	else
		buf_adds(out, axis_print(axis, stretch->from, value));
	if (stretch->exact ? !last : stretch->to != stretch->from)
		buf_addf(out, " to %s", axis_print(axis, stretch->to, value));
}

void sweep_add_course(const struct sweep *s, size_t recording, struct buf *out)
{
	const struct sweep_course *course = &s->course[recording];
	size_t i;

	for (i = 0; i < course->n; i++) {
		buf_adds(out, i ? "; " : "");
		sweep_add_end(s, &course->item[i].cell, out);
		buf_adds(out, ": ");
		add_stretch(s, course, i, out);
	}
}

static bool all_met(const struct sweep *s, size_t point)
{
	size_t i;

	for (i = 0; i < s->paths->n; i++)
		if (!s->cell[i * s->n + point].met)
			return false;
	return true;
}

/* How far from a value on, towards the end of the axis or its begin, the
 * recording ends as expected. */
static double reach(
	const struct sweep_course *course, size_t point, bool onward)
{
	size_t i = course->n - 1;

	while (course->item[i].point > point)
		i--;
	if (onward) {
		while (i + 1 < course->n && course->item[i + 1].cell.met)
			i++;
		return course->item[i].to;
	}
	while (i && course->item[i - 1].cell.met)
		i--;
	return course->item[i].from;
}

/* The last value, from `point` on, with which all end as expected. */
static double reach_of_all(const struct sweep *s, size_t point, bool onward)
{
	bool rises = s->axis[0].from < s->axis[0].to;
	double least = reach(&s->course[0], point, onward), other;
	size_t i;

	for (i = 1; i < s->paths->n; i++) {
		other = reach(&s->course[i], point, onward);
		least = rises == onward ? fmin(least, other)
					: fmax(least, other);
	}
	return least;
}

bool sweep_next_region(
	const struct sweep *s, size_t *point, double *from_r, double *to_r)
{
	size_t first = *point, last;

	while (first < s->n && !all_met(s, first))
		first++;
	if (first == s->n)
		return false;
	last = first;
	while (last + 1 < s->n && all_met(s, last + 1))
		last++;
	*from_r = reach_of_all(s, first, false);
	*to_r = reach_of_all(s, last, true);
	*point = last + 1;
	return true;
}

void sweep_add_region(const struct sweep *s, struct buf *out)
{
	char value[AXIS_TEXT_MAX], other[AXIS_TEXT_MAX];
	size_t point = 0, begin = out->len;
	double from, to;

	while (sweep_next_region(s, &point, &from, &to)) {
		axis_print(&s->axis[0], from, value);
		axis_print(&s->axis[0], to, other);
		buf_addf(out, "%s%s", out->len > begin ? ", " : "", value);
		if (strcmp(value, other) != 0)
			buf_addf(out, " to %s", other);
	}
}

void sweep_print_courses(const struct sweep *s, struct buf *out)
{
	static const char *const heading[2] = {"RECORDING", "ENDS"};
	struct table table;
	struct buf text;
	size_t i;

	table_init(&table, 2);
	table_add(&table, heading);
	buf_init(&text, OUTPUT_BYTES_MAX);
	for (i = 0; i < s->paths->n; i++) {
		const char *cells[2] = {s->paths->item[i], NULL};

		buf_clear(&text);
		sweep_add_course(s, i, &text);
		cells[1] = text.data;
		table_add(&table, cells);
	}
	buf_addc(out, '\n');
	table_print(&table, out);
	table_fini(&table);
	buf_clear(&text);
	sweep_add_region(s, &text);
	buf_addf(out, "\nall end as expected with %s: %s\n", s->axis[0].key,
		text.len ? text.data : "none of these values");
	buf_fini(&text);
}
