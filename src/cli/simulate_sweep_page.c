/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a sweep; see simulate_sweep.h. One key has a chart, two keys a grid,
 * more of them the table of all combinations.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/simulate_sweep.h"
#include "report/page.h"
#include "report/page_heat.h"

#define TICKS_MOST 7 /* values named at the axis */

static void page_values(const struct sweep *s, struct page *page)
{
	char value[AXES_MAX][AXIS_TEXT_MAX];
	char counts[SWEEP_COUNTS][SIMULATE_TEXT_MAX];
	const char *heads[AXES_MAX + SWEEP_COUNTS];
	const char *cells[AXES_MAX + SWEEP_COUNTS];
	size_t n = s->n_axes + SWEEP_COUNTS, point, i;
	struct sweep_tally t;

	for (i = 0; i < n; i++)
		heads[i] = i < s->n_axes ? s->axis[i].key
					 : sweep_count_names[i - s->n_axes];
	page_table_begin(page, heads, n);
	for (point = 0; point < s->n; point++) {
		sweep_count(s, point, &t);
		sweep_print_counts(&t, counts);
		for (i = 0; i < s->n_axes; i++)
			cells[i] = axis_value(&s->axis[i],
				sweep_index(s, i, point), value[i]);
		for (i = 0; i < SWEEP_COUNTS; i++)
			cells[s->n_axes + i] = counts[i];
		page_row(page, t.met == s->paths->n ? TONE_GOOD : TONE_PLAIN,
			cells, n);
		free(t.revert_s);
	}
	page_table_end(page);
}

static void page_recordings(const struct sweep *s, struct page *page)
{
	static const char *const heads[2] = {"recording", "ends"};
	struct buf text;
	size_t i;

	page_table_begin(page, heads, 2);
	buf_init(&text, OUTPUT_BYTES_MAX);
	for (i = 0; i < s->paths->n; i++) {
		const char *cells[2] = {s->paths->item[i], NULL};

		buf_clear(&text);
		if (s->n_axes == 1)
			sweep_add_course(s, i, &text);
		else
			sweep_add_kinds(s, i, &text);
		cells[1] = text.data;
		page_row(page, TONE_PLAIN, cells, 2);
	}
	buf_fini(&text);
	page_table_end(page);
}

/* ---- two keys ---- */

struct grid {
	const struct sweep *s;
	size_t down,
		across; /* axes: of the one with fewer values columns are */
};

static const char *print_row_value(const void *arg, size_t row, char text[])
{
	const struct grid *grid = arg;

	return axis_value(&grid->s->axis[grid->down], row, text);
}

static const char *print_column_value(
	const void *arg, size_t column, char text[])
{
	const struct grid *grid = arg;

	return axis_value(&grid->s->axis[grid->across], column, text);
}

static size_t count_met(const void *arg, size_t row, size_t column)
{
	const struct grid *grid = arg;
	size_t point = sweep_point(grid->s, grid->down, row, column);

	return grid->s->paths->n - sweep_missed(grid->s, point);
}

static void page_grid(const struct sweep *s, struct page *page)
{
	bool lies = s->axis[1].n > s->axis[0].n;
	const struct grid grid = {s, lies, !lies};
	struct buf caption;
	struct heat heat = {.n_rows = s->axis[grid.down].n,
		.n_columns = s->axis[grid.across].n,
		.row = print_row_value,
		.column = print_column_value,
		.whole = s->paths->n,
		.count = count_met,
		.arg = &grid};

	buf_init(&caption, OUTPUT_BYTES_MAX);
	buf_addf(&caption,
		"How many of %zu recordings end as expected; down: %s, "
		"across: %s",
		s->paths->n, s->axis[grid.down].key, s->axis[grid.across].key);
	heat.caption = caption.data;
	page_heading(page, "Combinations");
	page_heat(page, &heat);
	buf_fini(&caption);
}

/* ---- the chart ---- */

#define PLACES 1e12 /* the width of the axis */

static int64_t place_of(const struct axis *axis, double number)
{
	double span = axis->to - axis->from;

	return span != 0 ? llround((number - axis->from) / span * PLACES) : 0;
}

/* As short as margins are: the table has it whole. */
static const char *print_place(
	const void *arg, int64_t place, char text[CHART_TEXT_MAX])
{
	const struct axis *axis = arg;
	double span = axis->to - axis->from, grain = axis_grain(axis);
	double number = axis->from + span * (double)place / PLACES;
	char value[AXIS_TEXT_MAX];

	axis_print(axis, round(number / grain) * grain, value);
	snprintf(text, CHART_TEXT_MAX, "%.*s", CHART_TEXT_MAX - 1, value);
	return text;
}

static void take_points(const struct sweep *s, struct chart_point *points)
{
	struct sweep_tally t;
	size_t i;

	for (i = 0; i < s->n; i++) {
		sweep_count(s, i, &t);
		points[i] = (struct chart_point){
			.time_ms = place_of(
				&s->axis[0], axis_number(&s->axis[0], i)),
			.value = (double)t.end[END_PROMOTED],
			.other = (double)t.end[END_REVERTED],
			.limit = NAN,
			.tone = t.met == s->paths->n ? TONE_GOOD : TONE_PLAIN,
		};
		free(t.revert_s);
	}
}

static size_t take_bands(const struct sweep *s, struct chart_band *bands)
{
	size_t point = 0, n = 0;
	double from, to;

	while (sweep_next_region(s, &point, &from, &to))
		bands[n++] = (struct chart_band){
			place_of(&s->axis[0], from), place_of(&s->axis[0], to)};
	return n;
}

/* At values that were tried, so many that they have room. */
static size_t take_ticks(const struct sweep *s, int64_t *ticks)
{
	size_t every = (s->n + TICKS_MOST - 1) / TICKS_MOST, i, n = 0;

	for (i = 0; i < s->n; i += every)
		ticks[n++] = place_of(&s->axis[0], axis_number(&s->axis[0], i));
	return n;
}

static void page_outcomes(const struct sweep *s, struct page *page)
{
	struct chart_point points[AXIS_VALUES_MAX];
	struct chart_band bands[AXIS_VALUES_MAX];
	int64_t ticks[TICKS_MOST];
	const struct chart_base base = {.name = s->axis[0].key,
		.ticks = ticks,
		.n_ticks = take_ticks(s, ticks),
		.print = print_place,
		.arg = &s->axis[0]};
	const struct chart chart = {.title = "How recordings end",
		.to_ms = (int64_t)PLACES,
		.points = points,
		.n_points = s->n,
		.top = (double)(s->paths->n + s->paths->n % 2),
		.limit = NAN,
		.value_name = "promoted",
		.other_name = "rolled back",
		.bands = bands,
		.n_bands = take_bands(s, bands),
		.band_name = "all as expected",
		.base = &base};

	take_points(s, points);
	page_chart(page, &chart);
}

static void add_title(const struct sweep *s, struct buf *title)
{
	size_t i;

	for (i = 0; i < s->n_axes; i++)
		buf_addf(title, "%s%s", i ? " and " : "", s->axis[i].key);
}

/* True: with some of them all do. */
static bool add_suiting(const struct sweep *s, struct buf *reason)
{
	size_t n = sweep_count_suiting(s);
	struct buf region;

	buf_addf(
		reason, "All %zu recordings end as expected with", s->paths->n);
	if (s->n_axes > 1) {
		buf_addf(reason, " %zu of %zu combinations.", n, s->n);
		return n > 0;
	}
	buf_init(&region, OUTPUT_BYTES_MAX);
	sweep_add_region(s, &region);
	n = region.len;
	buf_addf(reason, ": %s.", n ? region.data : "none of these values");
	buf_fini(&region);
	return n > 0;
}

static void write_page(const struct sweep *s, struct page *page)
{
	struct page_banner banner = {0};
	struct buf title, reason;

	buf_init(&title, OUTPUT_BYTES_MAX);
	buf_init(&reason, OUTPUT_BYTES_MAX);
	add_title(s, &title);
	banner.tone = add_suiting(s, &reason) ? TONE_GOOD : TONE_BAD;
	banner.title = title.data;
	banner.reason = reason.data;
	page_begin(page, title.data);
	page_banner(page, &banner);
	if (s->n_axes == 1)
		page_outcomes(s, page);
	else if (s->n_axes == 2)
		page_grid(s, page);
	page_heading(page, "Recordings");
	page_recordings(s, page);
	page_heading(page, "Values");
	page_values(s, page);
	page_end(page);
	buf_fini(&title);
	buf_fini(&reason);
}

int sweep_write_page(const struct sweep *s, struct err *err_r)
{
	struct page page = {.format = PAGE_HTML};
	struct buf html;
	int rc;

	buf_init(&html, OUTPUT_BYTES_MAX);
	page.out = &html;
	write_page(s, &page);
	rc = output_save(s->simulation->html, &html, err_r);
	buf_fini(&html);
	return rc;
}
