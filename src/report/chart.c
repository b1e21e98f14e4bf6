/* SPDX-License-Identifier: Apache-2.0 */
/* A chart as a figure; see chart.h. Knows nothing of rollouts. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/timestamp.h"
#include "report/chart_scale.h"

#define HEIGHT     130 /* pixels from the lowest to the highest value */
#define HEAD       10 /* above that, without labels */
#define FOOT       24 /* below it */
#define LANE       15
#define WIDTH      1000.0 /* of the lines, which are stretched */
#define CLOCK_LONG 8 /* "00:00:00" */
#define CLOCK      5

const char *tone_name(enum tone tone)
{
	static const char *const names[] = {
		[TONE_PLAIN] = "plain",
		[TONE_GOOD] = "good",
		[TONE_WAIT] = "wait",
		[TONE_BAD] = "bad",
	};

	return names[tone];
}

struct frame {
	const struct chart *chart;
	struct buf *out;
	struct chart_scale scale;
	struct chart_labels labels;
	int head; /* pixels above the plot */
	bool has_gaps, has_limits, has_others;
};

/* Percents of the width; pixels. */
static double left_of(const struct frame *f, int64_t time_ms)
{
	return 100 * chart_scale_x(&f->scale, time_ms);
}

static double y_of(const struct frame *f, double value)
{
	return f->head + HEIGHT * chart_scale_y(&f->scale, value);
}

/* In the coordinates of lines. */
static double x_of(const struct frame *f, int64_t time_ms)
{
	return WIDTH * chart_scale_x(&f->scale, time_ms);
}

static void add_value(const struct frame *f, double value)
{
	char text[CHART_TEXT_MAX];

	if (f->chart->print)
		escape_html(
			f->out, f->chart->print(f->chart->arg, value, text));
	else
		buf_addf(f->out, "%.4g", value);
}

/* ---- what there is ---- */

static void look(struct frame *f)
{
	const struct chart *c = f->chart;
	size_t i;

	f->has_limits = isfinite(c->limit);
	for (i = 0; i < c->n_points; i++) {
		f->has_gaps |= isnan(c->points[i].value);
		f->has_limits |= isfinite(c->points[i].limit);
		f->has_others |= c->other_name && !isnan(c->points[i].other);
	}
}

/* ---- axes ---- */

static void draw_values_axis(const struct frame *f)
{
	size_t i;

	for (i = 0; i < f->scale.n_ticks; i++) {
		double y = y_of(f, f->scale.tick[i]);

		buf_addf(f->out,
			"<line class=\"grid\" x2=\"100%%\" y1=\"%.1f\" "
			"y2=\"%.1f\"/><text x=\"-8\" y=\"%.1f\" "
			"text-anchor=\"end\">",
			y, y, y + 4);
		add_value(f, f->scale.tick[i]);
		buf_adds(f->out, "</text>");
	}
}

/* On a telephone there is room for every second one. */
static void draw_tick(
	const struct frame *f, size_t i, int64_t place, const char *text)
{
	double x = left_of(f, place);
	int bottom = f->head + HEIGHT;

	buf_addf(f->out,
		"<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" "
		"y1=\"%d\" y2=\"%d\"/><text class=\"%s\" x=\"%.2f%%\" "
		"y=\"%d\" text-anchor=\"%s\">",
		x, x, bottom, bottom + 5, i % 2 ? "fine" : "time", x,
		bottom + 20, x > 92 ? "end" : "middle");
	escape_html(f->out, text);
	buf_adds(f->out, "</text>");
}

static void draw_time_axis(const struct frame *f)
{
	const struct chart_base *base = f->chart->base;
	int64_t times[CHART_TIMES_MAX], step;
	char text[TIMESTAMP_TEXT_MAX], name[CHART_TEXT_MAX];
	size_t n, i;

	if (base) {
		for (i = 0; i < base->n_ticks; i++)
			draw_tick(f, i, base->ticks[i],
				base->print(base->arg, base->ticks[i], name));
		return;
	}
	n = chart_times(f->chart, times, &step);
	for (i = 0; i < n; i++) {
		timestamp_print_clock(times[i], text);
		text[step < 60000 ? CLOCK_LONG : CLOCK] = '\0';
		draw_tick(f, i, times[i], text);
	}
}

/* ---- lines ---- */

/* A line of at most two points a column: its lowest and its highest. */
struct thinned {
	struct chart_point point[2 * CHART_COLUMNS + 2];
	size_t n;
};

static void thin(const struct chart *c, struct thinned *out)
{
	size_t per = c->n_points / CHART_COLUMNS + 1, low, high;

	out->n = 0;
	for (size_t i = 0; i < c->n_points; i += per) {
		low = high = i;
		for (size_t k = i; k < i + per && k < c->n_points; k++) {
			if (c->points[k].value < c->points[low].value)
				low = k;
			if (c->points[k].value > c->points[high].value)
				high = k;
		}
		out->point[out->n++] = c->points[low < high ? low : high];
		if (low != high)
			out->point[out->n++] =
				c->points[low < high ? high : low];
	}
}

static double value_of(const struct chart_point *p)
{
	return p->value;
}

static double other_of(const struct chart_point *p)
{
	return p->other;
}

static double limit_of(const struct chart_point *p)
{
	return p->limit;
}

/* One path: a part of it from gap to gap. */
static void draw_path(const struct frame *f, const struct thinned *line,
	const char *class, double (*of)(const struct chart_point *), bool steps)
{
	bool open = false;
	size_t i;

	buf_addf(f->out, "<path class=\"%s\" d=\"", class);
	for (i = 0; i < line->n; i++) {
		double value = of(&line->point[i]);

		if (isnan(value)) {
			open = false;
			continue;
		}
		if (open && steps)
			buf_addf(f->out, "H%.1f",
				x_of(f, line->point[i].time_ms));
		buf_addf(f->out, "%s%.1f %.1f", open ? "L" : "M",
			x_of(f, line->point[i].time_ms), y_of(f, value));
		/* One alone is seen, too. */
		if (!open &&
			(i + 1 == line->n || isnan(of(&line->point[i + 1]))))
			buf_adds(f->out, "h4");
		open = true;
	}
	if (open && steps && f->chart->holds)
		buf_addf(f->out, "H%.0f", WIDTH);
	buf_adds(f->out, "\"/>");
}

static void draw_area(const struct frame *f, const struct thinned *line)
{
	double bottom = y_of(f, 0), y = bottom;
	size_t i;

	if (!f->chart->holds || !line->n)
		return;
	buf_addf(f->out, "<path class=\"area\" d=\"M%.1f %.1f",
		x_of(f, line->point[0].time_ms), bottom);
	for (i = 0; i < line->n; i++) {
		double x = x_of(f, line->point[i].time_ms);

		buf_addf(f->out, "L%.1f %.1f", x, y);
		y = y_of(f, line->point[i].value);
		buf_addf(f->out, "L%.1f %.1f", x, y);
	}
	buf_addf(f->out, "H%.0fV%.1fZ\"/>", WIDTH, bottom);
}

/* A limit that is the same all the time is drawn all the time. */
static void draw_limit(const struct frame *f, const struct thinned *line)
{
	double y;

	if (!f->has_limits)
		return;
	if (!isfinite(f->chart->limit)) {
		draw_path(f, line, "limit", limit_of, true);
		return;
	}
	y = y_of(f, f->chart->limit);
	buf_addf(
		f->out, "<path class=\"limit\" d=\"M0 %.1fH%.0f\"/>", y, WIDTH);
}

static void draw_lines(const struct frame *f)
{
	int height = f->head + HEIGHT;
	struct thinned line;

	thin(f->chart, &line);
	buf_addf(f->out,
		"<svg width=\"100%%\" height=\"%d\" viewBox=\"0 0 %.0f %d\" "
		"preserveAspectRatio=\"none\">",
		height, WIDTH, height);
	draw_area(f, &line);
	if (f->has_others)
		draw_path(f, &line, "other", other_of, false);
	draw_limit(f, &line);
	draw_path(f, &line, "value", value_of, f->chart->holds);
	buf_adds(f->out, "</svg>");
}

/* ---- where all is well ---- */

static void draw_bands(const struct frame *f)
{
	const struct chart *c = f->chart;
	size_t i;

	for (i = 0; i < c->n_bands; i++) {
		double left = left_of(f, c->bands[i].from_ms);
		double right = left_of(f, c->bands[i].to_ms);

		buf_addf(f->out,
			"<rect class=\"band\" x=\"%.2f%%\" y=\"%d\" "
			"width=\"%.2f%%\" height=\"%d\"/>",
			left, f->head, fmax(right - left, 0.6), HEIGHT);
	}
}

/* ---- checks without a value ---- */

/* From the point before the gap to the point behind it. */
static void draw_gap(const struct frame *f, size_t from, size_t to)
{
	const struct chart_point *p = f->chart->points;
	double left, right;

	left = left_of(f, p[from ? from - 1 : from].time_ms);
	right = left_of(f, p[to < f->chart->n_points ? to : to - 1].time_ms);
	buf_addf(f->out,
		"<rect class=\"gap\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" "
		"height=\"%d\"/>",
		left, f->head, fmax(right - left, 0.3), HEIGHT);
}

static void draw_gaps(const struct frame *f)
{
	const struct chart *c = f->chart;
	size_t i, from;

	for (i = 0; i < c->n_points; i++) {
		if (!isnan(c->points[i].value))
			continue;
		from = i;
		while (i < c->n_points && isnan(c->points[i].value))
			i++;
		draw_gap(f, from, i);
	}
}

/* ---- dots ---- */

static void draw_ring(const struct frame *f)
{
	const struct chart_point *p = f->chart->decided;

	if (p && !isnan(p->value))
		buf_addf(f->out,
			"<circle class=\"ring\" cx=\"%.2f%%\" cy=\"%.1f\" "
			"r=\"7\"/>",
			left_of(f, p->time_ms), y_of(f, p->value));
}

static void add_place(const struct frame *f, int64_t place)
{
	const struct chart_base *base = f->chart->base;
	char time[TIMESTAMP_TEXT_MAX], text[CHART_TEXT_MAX];

	if (base)
		escape_html(f->out, base->print(base->arg, place, text));
	else
		buf_addf(
			f->out, "%.8s UTC", timestamp_print_clock(place, time));
}

static void draw_dot(const struct frame *f, const struct chart_point *p)
{
	buf_addf(f->out,
		"<circle class=\"%s\" cx=\"%.2f%%\" cy=\"%.1f\" r=\"3\">"
		"<title>",
		tone_name(p->tone), left_of(f, p->time_ms), y_of(f, p->value));
	add_place(f, p->time_ms);
	buf_adds(f->out, ": ");
	add_value(f, p->value);
	buf_adds(f->out, "</title></circle>");
}

static void draw_dots(const struct frame *f)
{
	const struct chart *c = f->chart;
	int alarms = 0;

	draw_ring(f);
	for (size_t i = 0; i < c->n_points; i++) {
		const struct chart_point *p = &c->points[i];

		if (c->holds || isnan(p->value))
			continue;
		if (c->n_points > CHART_DOTS_MAX &&
			(p->tone != TONE_BAD || alarms++ >= CHART_ALARMS_MAX))
			continue;
		draw_dot(f, p);
	}
}

/* ---- marks ---- */

static void draw_label(const struct frame *f, size_t i, double x)
{
	const struct chart_mark *mark = &f->chart->marks[i];
	int lane = i < CHART_LABELS_MAX ? f->labels.lane[i] : -1;

	if (!f->chart->labels || lane < 0)
		return;
	buf_addf(f->out,
		"<text class=\"%s\" x=\"%.2f%%\" y=\"%d\" "
		"text-anchor=\"%s\">",
		tone_name(mark->tone), x, f->head - 6 - lane * LANE,
		chart_label_is_left(x / 100) ? "end" : "start");
	escape_html(f->out, mark->label);
	buf_adds(f->out, "</text>");
}

static void draw_marks(const struct frame *f)
{
	const struct chart *c = f->chart;

	for (size_t i = 0; i < c->n_marks; i++) {
		const struct chart_mark *mark = &c->marks[i];
		double x = left_of(f, mark->time_ms);

		buf_addf(f->out,
			"<line class=\"mark %s\" x1=\"%.2f%%\" x2=\"%.2f%%\" "
			"y1=\"%d\" y2=\"%d\"><title>",
			tone_name(mark->tone), x, x, f->head, f->head + HEIGHT);
		escape_html(f->out, mark->label);
		buf_adds(f->out, "</title></line>");
		draw_label(f, i, x);
	}
}

/* ---- together ---- */

static void add_key(const struct frame *f, const char *class, const char *name)
{
	buf_addf(f->out, "<span class=\"key %s\">", class);
	escape_html(f->out, name);
	buf_adds(f->out, "</span>");
}

static void write_caption(const struct frame *f)
{
	const struct chart *c = f->chart;

	buf_adds(f->out, "<figcaption><b>");
	escape_html(f->out, c->title);
	buf_adds(f->out, "</b>");
	if (c->value_name)
		add_key(f, "value", c->value_name);
	if (f->has_others)
		add_key(f, "other", c->other_name);
	if (f->has_limits)
		add_key(f, "limit", c->limit_label ? c->limit_label : "limit");
	if (f->has_gaps)
		add_key(f, "gap", "no data");
	if (c->n_bands)
		add_key(f, "band", c->band_name);
	buf_adds(f->out, "<span class=\"key-time\">");
	escape_html(f->out, c->base ? c->base->name : "UTC");
	buf_adds(f->out, "</span></figcaption>");
}

void chart_write(const struct chart *chart, struct buf *out)
{
	struct frame f = {.chart = chart, .out = out, .head = HEAD};

	look(&f);
	chart_scale_make(chart, &f.scale);
	chart_labels_place(chart, &f.scale, &f.labels);
	if (chart->labels)
		f.head += f.labels.n_lanes * LANE;
	buf_adds(out, "<figure class=\"chart\">");
	write_caption(&f);
	buf_addf(out,
		"<svg class=\"plot\" height=\"%d\" role=\"img\" "
		"aria-label=\"",
		f.head + HEIGHT + FOOT);
	escape_html(out, chart->title);
	buf_adds(out, " over ");
	escape_html(out, chart->base ? chart->base->name : "time");
	buf_adds(out, "\">");
	draw_bands(&f);
	draw_gaps(&f);
	draw_values_axis(&f);
	draw_time_axis(&f);
	draw_marks(&f);
	draw_lines(&f);
	draw_dots(&f);
	buf_adds(out, "</svg></figure>\n");
}
