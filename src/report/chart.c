/* Charts as SVG; see chart.h. Knows nothing of rollouts. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/timestamp.h"

#define WIDTH  800
#define HEIGHT 230
#define LEFT   60
#define RIGHT  788
#define TOP    40
#define BOTTOM 200

#define TICKS_MAX      8
#define LABEL_WIDTH    84 /* of a mark; a nearer one has only its line */
#define CHARACTER      6 /* about the width of one in a label */
#define MARK_LABEL_MAX 64
#define SHORTEST       6 /* of a limit that one point has */

const char chart_css[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b2430;--dim:#5b6775;"
	"--line:#d8dee6;--soft:#f3f5f8;--blue:#1f6feb;--good:#1a7f45;"
	"--wait:#9a6700;--bad:#c62828}"
	"@media(prefers-color-scheme:dark){:root{--bg:#12171e;--fg:#e4e9ef;"
	"--dim:#9aa6b4;--line:#303a46;--soft:#1a212a;--blue:#62a0ff;"
	"--good:#4cc38a;--wait:#e0b04b;--bad:#ff7b72}}"
	"svg.chart{display:block;width:100%;height:auto;margin:.6rem 0}"
	".chart text{font:12px system-ui,sans-serif;fill:var(--dim)}"
	".chart .title{font-weight:600;fill:var(--fg)}"
	".chart .grid{stroke:var(--line);stroke-width:1}"
	".chart .value{fill:none;stroke:var(--blue);stroke-width:2;"
	"stroke-linejoin:round}"
	".chart .area{fill:var(--blue);opacity:.14}"
	".chart .limit{fill:none;stroke:var(--bad);stroke-width:1.5;"
	"stroke-dasharray:6 4}"
	".chart .ring{fill:none;stroke:var(--bad);stroke-width:2}"
	".chart .limit-label{fill:var(--bad)}"
	".chart .mark{stroke:var(--dim);stroke-width:1;stroke-dasharray:2 3}"
	".chart .mark.bad{stroke:var(--bad)}.chart .mark.good"
	"{stroke:var(--good)}.chart .mark.wait{stroke:var(--wait)}"
	".chart circle{fill:var(--blue)}.chart circle.good{fill:var(--good)}"
	".chart circle.bad{fill:var(--bad)}.chart circle.wait"
	"{fill:var(--wait)}";

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

/* Where things are: values to coordinates. */
struct frame {
	const struct chart *chart;
	struct buf *out;
	double bottom, top; /* values at the edges */
};

static double x_of(const struct frame *f, int64_t time_ms)
{
	const struct chart *c = f->chart;
	double span = (double)(c->to_ms - c->from_ms);
	double at = span > 0 ? (double)(time_ms - c->from_ms) / span : 0;

	return LEFT + fmin(fmax(at, 0), 1) * (RIGHT - LEFT);
}

static double y_of(const struct frame *f, double value)
{
	double at = (value - f->bottom) / (f->top - f->bottom);

	return BOTTOM - fmin(fmax(at, 0), 1) * (BOTTOM - TOP);
}

/* The next of 1, 2, 5 times a power of ten: the distance of round numbers. */
static double round_step(double wanted)
{
	double power = pow(10, floor(log10(wanted)));
	double rest = wanted / power;

	return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

static void find_edges(struct frame *f)
{
	const struct chart *c = f->chart;
	double low = 0, high = isfinite(c->limit) ? c->limit : 0, step;

	for (size_t i = 0; i < c->n_points; i++) {
		if (!isfinite(c->points[i].value))
			continue;
		low = fmin(low, c->points[i].value);
		high = fmax(high, c->points[i].value);
		if (c->limits && isfinite(c->limits[i]))
			high = fmax(high, c->limits[i]);
	}
	low = fmin(low, high);
	if (isfinite(c->top))
		high = c->top;
	if (!(high - low > 0) || !isfinite(high - low))
		high = low + 1;
	step = round_step((high - low) / 4);
	f->bottom = floor(low / step) * step;
	f->top = isfinite(c->top) ? c->top : ceil(high * 1.05 / step) * step;
	if (!(f->top > f->bottom))
		f->top = f->bottom + 1;
}

static void draw_values_axis(const struct frame *f)
{
	double step = round_step((f->top - f->bottom) / 4);
	double value, y;

	for (int i = 0; i <= 2 * TICKS_MAX; i++) {
		value = f->bottom + i * step;
		if (value > f->top + step / 1000)
			break;
		y = y_of(f, value);
		buf_addf(f->out,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
			"y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" "
			"text-anchor=\"end\">%.4g</text>",
			LEFT, RIGHT, y, y, LEFT - 8, y + 4,
			fabs(value) < step / 1000 ? 0 : value);
	}
}

static void draw_time_axis(const struct frame *f)
{
	static const int64_t steps_s[] = {1, 2, 5, 10, 15, 30, 60, 120, 300,
		600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
		604800, 2592000};
	const struct chart *c = f->chart;
	int64_t span = c->to_ms - c->from_ms, step = 1000, time;
	char text[TIMESTAMP_TEXT_MAX];
	double x;

	for (size_t i = 0; i < sizeof(steps_s) / sizeof(*steps_s); i++) {
		step = steps_s[i] * 1000;
		if (span / step < TICKS_MAX)
			break;
	}
	time = c->from_ms - c->from_ms % step;
	for (int i = 0; i < 4 * TICKS_MAX && time <= c->to_ms; i++) {
		x = x_of(f, time);
		if (time >= c->from_ms)
			buf_addf(f->out,
				"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" "
				"y1=\"%d\" y2=\"%d\"/><text x=\"%.1f\" "
				"y=\"%d\" text-anchor=\"middle\">%.*s</text>",
				x, x, BOTTOM, BOTTOM + 5, x, BOTTOM + 20,
				step < 60000 ? 8 : 5,
				timestamp_print_clock(time, text));
		time += step;
	}
}

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

/* The line up to the first gap, from `i` on; where it ended. */
static size_t draw_run(
	const struct frame *f, const struct thinned *line, size_t i)
{
	const struct chart_point *p = line->point;
	double x = 0, y = 0, before;
	const char *verb = "M";

	buf_adds(f->out, "<path class=\"value\" d=\"");
	for (; i < line->n && !isnan(p[i].value); i++) {
		before = y;
		x = x_of(f, p[i].time_ms);
		y = y_of(f, p[i].value);
		if (f->chart->holds && *verb == 'L')
			buf_addf(f->out, "L%.1f %.1f", x, before);
		buf_addf(f->out, "%s%.1f %.1f", verb, x, y);
		verb = "L";
	}
	if (f->chart->holds && *verb == 'L')
		buf_addf(f->out, "L%d %.1f", RIGHT, y);
	buf_adds(f->out, "\"/>");
	return i;
}

static void draw_area(const struct frame *f, const struct thinned *line)
{
	double y = BOTTOM;

	if (!f->chart->holds || !line->n)
		return;
	buf_addf(f->out, "<path class=\"area\" d=\"M%.1f %d",
		x_of(f, line->point[0].time_ms), BOTTOM);
	for (size_t i = 0; i < line->n; i++) {
		double x = x_of(f, line->point[i].time_ms);

		buf_addf(f->out, "L%.1f %.1f", x, y);
		y = y_of(f, line->point[i].value);
		buf_addf(f->out, "L%.1f %.1f", x, y);
	}
	buf_addf(f->out, "L%d %.1fL%d %dZ\"/>", RIGHT, y, RIGHT, BOTTOM);
}

static void draw_line(const struct frame *f)
{
	struct thinned line;
	size_t i = 0;

	thin(f->chart, &line);
	draw_area(f, &line);
	while (i < line.n) {
		if (isnan(line.point[i].value))
			i++;
		else
			i = draw_run(f, &line, i);
	}
}

static void draw_ring(const struct frame *f)
{
	const struct chart_point *p = f->chart->decided;

	if (p && !isnan(p->value))
		buf_addf(f->out,
			"<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" "
			"r=\"7\"/>",
			x_of(f, p->time_ms), y_of(f, p->value));
}

static void draw_dots(const struct frame *f)
{
	const struct chart *c = f->chart;
	char time[TIMESTAMP_TEXT_MAX];
	int alarms = 0;

	draw_ring(f);
	for (size_t i = 0; i < c->n_points; i++) {
		const struct chart_point *p = &c->points[i];

		if (c->holds || isnan(p->value))
			continue;
		if (c->n_points > CHART_DOTS_MAX &&
			(p->tone != TONE_BAD || alarms++ >= CHART_ALARMS_MAX))
			continue;
		buf_addf(f->out,
			"<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">"
			"<title>%.8s UTC: %.6g</title></circle>",
			tone_name(p->tone), x_of(f, p->time_ms),
			y_of(f, p->value),
			timestamp_print_clock(p->time_ms, time), p->value);
	}
}

static void draw_limit(const struct frame *f)
{
	const struct chart *c = f->chart;
	double y;

	if (!isfinite(c->limit))
		return;
	y = y_of(f, c->limit);
	buf_addf(f->out,
		"<line class=\"limit\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
		"y2=\"%.1f\"/><text class=\"limit-label\" x=\"%d\" y=\"%.1f\" "
		"text-anchor=\"end\">",
		LEFT, RIGHT, y, y, RIGHT - 4, y - 5);
	if (c->limit_label)
		escape_html(f->out, c->limit_label);
	else
		buf_addf(f->out, "%.4g", c->limit);
	buf_adds(f->out, "</text>");
}

/* What single points were held against: a step from each to the next. */
static void draw_limits(const struct frame *f)
{
	const struct chart *c = f->chart;
	const double *last = NULL;
	double x, y;

	if (!c->limits)
		return;
	for (size_t i = 0; i < c->n_points; i++) {
		if (!isfinite(c->limits[i])) {
			if (last)
				buf_adds(f->out, "\"/>");
			last = NULL;
			continue;
		}
		x = x_of(f, c->points[i].time_ms);
		y = y_of(f, c->limits[i]);
		if (last)
			buf_addf(f->out, "H%.1fV%.1f", x, y);
		else
			buf_addf(f->out,
				"<path class=\"limit\" d=\"M%.1f %.1fh%d", x, y,
				SHORTEST);
		last = &c->limits[i];
	}
	if (last)
		buf_addf(f->out, "\"/>");
}

static void draw_marks(const struct frame *f)
{
	const struct chart *c = f->chart;
	double free_from = LEFT;

	for (size_t i = 0; i < c->n_marks; i++) {
		const struct chart_mark *mark = &c->marks[i];
		double x = x_of(f, mark->time_ms);
		bool right = x > RIGHT - LABEL_WIDTH;

		buf_addf(f->out,
			"<line class=\"mark %s\" x1=\"%.1f\" x2=\"%.1f\" "
			"y1=\"%d\" y2=\"%d\"><title>",
			tone_name(mark->tone), x, x, TOP - 6, BOTTOM);
		escape_html(f->out, mark->label);
		buf_adds(f->out, "</title></line>");
		if (x < free_from || (right && x - LABEL_WIDTH < free_from))
			continue;
		buf_addf(f->out, "<text x=\"%.1f\" y=\"%d\"%s>", x, TOP - 10,
			right ? " text-anchor=\"end\"" : "");
		escape_html(f->out, mark->label);
		buf_adds(f->out, "</text>");
		free_from = x + (right ? 0 : LABEL_WIDTH);
	}
}

void chart_svg(const struct chart *chart, struct buf *out)
{
	struct frame f = {.chart = chart, .out = out};

	find_edges(&f);
	buf_addf(out,
		"<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\">"
		"<title>",
		WIDTH, HEIGHT);
	escape_html(out, chart->title);
	buf_addf(out, "</title><text class=\"title\" x=\"4\" y=\"14\">");
	escape_html(out, chart->title);
	buf_adds(out, "</text>");
	draw_values_axis(&f);
	draw_time_axis(&f);
	draw_marks(&f);
	draw_line(&f);
	draw_limit(&f);
	draw_limits(&f);
	draw_dots(&f);
	buf_adds(out, "</svg>\n");
}
