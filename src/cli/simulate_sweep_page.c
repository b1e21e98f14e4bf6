/* The page of a sweep of one key; see simulate_sweep.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/simulate_sweep.h"
#include "io/file.h"
#include "report/page.h"

#define TICKS_MOST 7 /* values named at the axis */

static void page_values(const struct sweep *s, struct page *page)
{
	char value[AXIS_TEXT_MAX], counts[SWEEP_COUNTS][SIMULATE_TEXT_MAX];
	const char *heads[1 + SWEEP_COUNTS] = {"value"};
	const char *cells[1 + SWEEP_COUNTS];
	struct sweep_tally t;
	size_t i, k;

	memcpy(heads + 1, sweep_count_names, sizeof(sweep_count_names));
	page_table_begin(page, heads, 1 + SWEEP_COUNTS);
	for (i = 0; i < s->n; i++) {
		sweep_count(s, i, &t);
		sweep_print_counts(&t, counts);
		cells[0] = axis_value(&s->axis[0], i, value);
		for (k = 0; k < SWEEP_COUNTS; k++)
			cells[1 + k] = counts[k];
		page_row(page, t.met == s->paths->n ? TONE_GOOD : TONE_PLAIN,
			cells, 1 + SWEEP_COUNTS);
		free(t.revert_s);
	}
	page_table_end(page);
}

static void page_courses(const struct sweep *s, struct page *page)
{
	static const char *const heads[2] = {"recording", "ends"};
	struct buf text;
	size_t i;

	page_table_begin(page, heads, 2);
	buf_init(&text, OUTPUT_BYTES_MAX);
	for (i = 0; i < s->paths->n; i++) {
		const char *cells[2] = {s->paths->item[i], NULL};

		buf_clear(&text);
		sweep_add_course(s, i, &text);
		cells[1] = text.data;
		page_row(page, TONE_PLAIN, cells, 2);
	}
	buf_fini(&text);
	page_table_end(page);
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

int sweep_write_page(const struct sweep *s, struct err *err_r)
{
	struct page_banner banner = {.title = s->axis[0].key};
	struct page page = {.format = PAGE_HTML};
	struct buf html, region, reason;
	int rc;

	buf_init(&html, OUTPUT_BYTES_MAX);
	buf_init(&region, OUTPUT_BYTES_MAX);
	buf_init(&reason, OUTPUT_BYTES_MAX);
	sweep_add_region(s, &region);
	buf_addf(&reason, "All %zu recordings end as expected with: %s.",
		s->paths->n, region.len ? region.data : "none of these values");
	banner.reason = reason.data;
	banner.tone = region.len ? TONE_GOOD : TONE_BAD;
	page.out = &html;
	page_begin(&page, s->axis[0].key);
	page_banner(&page, &banner);
	page_outcomes(s, &page);
	page_heading(&page, "Values");
	page_values(s, &page);
	page_heading(&page, "Recordings");
	page_courses(s, &page);
	page_end(&page);
	rc = file_replace(s->simulation->html, &html, err_r);
	buf_fini(&html);
	buf_fini(&region);
	buf_fini(&reason);
	return rc;
}
