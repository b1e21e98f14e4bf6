/*
 * A simulation as one page that needs nothing else: traffic over time, each
 * SLO against its limit, the check that decided, the decisions. Styles follow
 * the reader's light or dark.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "cli/simulate.h"
#include "cli/simulate_story.h"
#include "io/file.h"

#define PAGE_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define WIDTH          960 /* of a chart, with its margins */
#define LEFT           64
#define RIGHT          16
#define TOP            14
#define BOTTOM         26
#define PLOT           (WIDTH - LEFT - RIGHT)
#define TRAFFIC_HEIGHT 90
#define SLO_HEIGHT     120
#define DOTS_MAX       400 /* more checks than that are a line only */
#define COLUMNS_MAX    1200 /* points of a line; denser ones are thinned */
#define TICKS          6

static const char style[] =
	":root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;"
	"--line:#d5dbe3;--paper:#fff;--card:#f6f8fa;--blue:#2563c9;"
	"--fill:#2563c926;--good:#1a7f4b;--bad:#c62a2f;--wait:#9a6700}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;"
	"--line:#333c49;--paper:#12161c;--card:#1a2029;--blue:#6aa5ff;"
	"--fill:#6aa5ff30;--good:#4cc38a;--bad:#ff7b7f;--wait:#e5b341}}"
	"*{box-sizing:border-box}body{margin:0 auto;padding:24px 20px 48px;"
	"max-width:1040px;background:var(--paper);color:var(--ink);"
	"font:15px/1.5 system-ui,sans-serif}"
	"h1{font-size:22px;line-height:1.25;margin:0}h2{font-size:15px;"
	"margin:26px 0 4px}h2 small{font-weight:400;color:var(--soft);"
	"margin-left:8px}p{margin:4px 0;color:var(--soft);"
	"overflow-wrap:anywhere}"
	".good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}"
	"dl{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0 0}"
	"dl div{background:var(--card);border:1px solid var(--line);"
	"border-radius:8px;padding:8px 14px}dt{font-size:12px;"
	"color:var(--soft)}dd{margin:0;font-size:16px;font-weight:600}"
	"svg{display:block;width:100%;height:auto}svg text{font:11px "
	"system-ui,sans-serif;fill:var(--soft)}"
	".axis{stroke:var(--line);fill:none}.area{fill:var(--fill);"
	"stroke:var(--blue);stroke-width:1.5}.value{fill:none;"
	"stroke:var(--blue);stroke-width:1.5;stroke-linejoin:round}"
	".limit{stroke:var(--bad);stroke-dasharray:5 4;fill:none}"
	"svg text.limit-text{fill:var(--bad)}.pass{fill:var(--good)}"
	".breach{fill:var(--bad)}.no-data,.error{fill:var(--wait)}"
	".mark{stroke:var(--bad);stroke-width:1.5}.ring{fill:none;"
	"stroke:var(--bad);stroke-width:2}svg text.mark-text{fill:var(--bad);"
	"font-weight:600}"
	"@media(max-width:640px){svg{overflow:visible;margin:14px 0 24px}"
	"svg text{font-size:26px}.value,.area{stroke-width:3}"
	"svg circle{transform-box:fill-box;transform-origin:center;"
	"transform:scale(1.8)}.tick{transform:translateY(12px)}}"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;"
	"font-size:14px}th{text-align:left;font-size:12px;"
	"color:var(--soft);font-weight:400}th,td{padding:5px 12px 5px 0;"
	"border-bottom:1px solid var(--line);vertical-align:top}"
	"td:nth-child(-n+4){white-space:nowrap;"
	"font-variant-numeric:tabular-nums}td:nth-child(3),th:nth-child(3)"
	"{text-align:right}";

struct page {
	const struct story *story;
	const struct sim_result *result;
	const struct recording *recording;
	struct buf out;
};

/* ---- texts ---- */

static void add_text(struct buf *out, const char *text)
{
	struct buf shown;
	const char *p;

	buf_init(&shown, PAGE_BYTES_MAX);
	printable_add(&shown, text);
	for (p = shown.data; *p; p++) {
		switch (*p) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		default:
			buf_addc(out, *p);
		}
	}
	buf_fini(&shown);
}

static const char *offset(
	const struct page *page, int64_t time_ms, char text[SIMULATE_TEXT_MAX])
{
	return simulate_offset(page->result, time_ms, text);
}

/* ---- scales ---- */

static double x_of(const struct page *page, int64_t time_ms)
{
	double span =
		(double)(page->story->end_ms - page->story->start_ms) * 1.03 +
		1; /* some room for the end to be seen */

	return LEFT + (double)(time_ms - page->story->start_ms) / span * PLOT;
}

static double y_of(double value, double top, int height)
{
	double share = top > 0 ? value / top : 0;

	if (!(share > 0))
		share = 0;
	return TOP + (1 - (share < 1 ? share : 1)) * height;
}

/* A span that is easy to read: 1, 2, 5, 10, 15, 30 of a unit. */
static int64_t tick_ms(int64_t span_ms)
{
	static const int64_t nice[] = {1000, 2000, 5000, 10000, 15000, 30000,
		60000, 120000, 300000, 600000, 900000, 1800000, 3600000,
		7200000, 14400000, 21600000, 43200000, 86400000};
	size_t i, n = sizeof(nice) / sizeof(nice[0]);

	for (i = 0; i + 1 < n && span_ms / nice[i] > TICKS + 2; i++)
		;
	return span_ms / nice[i] > 40 ? span_ms / TICKS : nice[i];
}

static void begin_chart(struct page *page, int height, const char *label)
{
	const struct story *story = page->story;
	int64_t step = tick_ms(story->end_ms - story->start_ms), t;
	char text[DURATION_TEXT_MAX];

	buf_addf(&page->out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
		height + TOP + BOTTOM);
	add_text(&page->out, label);
	buf_adds(&page->out, "\">\n");
	for (t = 0; t <= story->end_ms - story->start_ms; t += step) {
		double x = x_of(page, story->start_ms + t);

		buf_addf(&page->out,
			"<path class=\"axis\" d=\"M%.1f %dv%d\"/><text "
			"class=\"tick\" x=\"%.1f\" y=\"%d\" "
			"text-anchor=\"middle\">%s</text>",
			x, TOP, height, x, height + TOP + 17,
			duration_print(t, text));
	}
	buf_addf(&page->out, "<path class=\"axis\" d=\"M%d %dh%d\"/>\n", LEFT,
		TOP + height, PLOT);
}

static void add_y(struct page *page, double y, const char *text)
{
	buf_addf(&page->out,
		"<path class=\"axis\" d=\"M%d %.1fh%d\"/><text x=\"%d\" "
		"y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
		LEFT, y, PLOT, LEFT - 8, y + 4, text);
}

/* The moment of the revert, across every chart. */
static void end_chart(struct page *page, int height, bool named)
{
	double x;

	if (page->result->revert_ms) {
		x = x_of(page, page->result->revert_ms);
		buf_addf(&page->out, "<path class=\"mark\" d=\"M%.1f %dv%d\"/>",
			x, TOP, height);
		if (named)
			buf_addf(&page->out,
				"<text class=\"mark-text\" x=\"%.1f\" y=\"%d\" "
				"text-anchor=\"%s\">revert</text>",
				x > WIDTH / 2.0 ? x - 5 : x + 5, TOP + 10,
				x > WIDTH / 2.0 ? "end" : "start");
	}
	buf_adds(&page->out, "</svg>\n");
}

/* ---- charts ---- */

static void add_traffic(struct page *page)
{
	const struct story *story = page->story;
	double base = TOP + TRAFFIC_HEIGHT;
	size_t i;

	buf_adds(&page->out, "<h2>Traffic<small>percent that the candidate "
			     "serves</small></h2>\n");
	begin_chart(page, TRAFFIC_HEIGHT, "traffic of the candidate over time");
	add_y(page, y_of(100, 100, TRAFFIC_HEIGHT), "100 %");
	add_y(page, y_of(50, 100, TRAFFIC_HEIGHT), "50 %");
	buf_addf(&page->out, "<path class=\"area\" d=\"M%d %.1f", LEFT, base);
	for (i = 0; i < story->n_steps; i++)
		buf_addf(&page->out, "H%.1fV%.1f",
			x_of(page, story->step[i].time_ms),
			y_of(story->step[i].percent, 100, TRAFFIC_HEIGHT));
	buf_addf(&page->out, "H%dV%.1fz\"/>\n", LEFT + PLOT, base);
	end_chart(page, TRAFFIC_HEIGHT, true);
}

/* The highest of what is shown, with some air above it. */
static double top_of(const struct story_line *line)
{
	double top = 0;
	size_t i;

	for (i = 0; i < line->n; i++) {
		const struct story_point *p = &line->point[i];

		if (p->outcome != OUTCOME_PASS && p->outcome != OUTCOME_BREACH)
			continue;
		if (isfinite(p->value) && p->value > top)
			top = p->value;
		if (isfinite(p->limit) && p->limit > top)
			top = p->limit;
	}
	return top > 0 ? top * 1.15 : 1;
}

static bool has_value(const struct story_point *p)
{
	return (p->outcome == OUTCOME_PASS || p->outcome == OUTCOME_BREACH) &&
	       !isnan(p->value);
}

/* A line with gaps where nothing was known; of many points every so many. */
static void add_path(struct page *page, const struct story_line *line,
	double top, const char *class, bool limits)
{
	size_t i, stride = line->n / COLUMNS_MAX + 1;
	const struct story_point *p;
	bool pen = false;

	buf_addf(&page->out, "<path class=\"%s\" d=\"", class);
	for (i = 0; i < line->n; i++) {
		p = &line->point[i];
		if (!has_value(p) || (limits && isnan(p->limit))) {
			pen = pen && limits && p->outcome != OUTCOME_NONE;
			continue;
		}
		if (i % stride && p->outcome != OUTCOME_BREACH)
			continue;
		buf_addf(&page->out, "%c%.1f %.1f", pen ? 'L' : 'M',
			x_of(page, p->time_ms),
			y_of(limits ? p->limit : p->value, top, SLO_HEIGHT));
		pen = true;
	}
	buf_adds(&page->out, "\"/>\n");
}

static void add_dot(struct page *page, const struct story_point *p, double top,
	bool decides)
{
	double x = x_of(page, p->time_ms), y = TOP + SLO_HEIGHT - 3;
	char number[JSONW_NUMBER_MAX], at[SIMULATE_TEXT_MAX];

	if (has_value(p))
		y = y_of(p->value, top, SLO_HEIGHT);
	buf_addf(&page->out,
		"<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\">"
		"<title>%s %s",
		outcome_name(p->outcome), x, y, offset(page, p->time_ms, at),
		outcome_name(p->outcome));
	if (has_value(p)) {
		snprintf(number, sizeof(number), "%.6g", p->value);
		buf_addf(&page->out, ": %s", number);
	}
	buf_adds(&page->out, "</title></circle>");
	if (decides)
		buf_addf(&page->out,
			"<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" "
			"r=\"7\"/>",
			x, y);
}

static void add_dots(struct page *page, size_t slo, double top)
{
	const struct story_line *line = &page->story->line[slo];
	bool failed = page->result->failed_slo == (int)slo;
	const struct story_point *p;
	bool decides;
	size_t i;

	for (i = 0; i < line->n; i++) {
		p = &line->point[i];
		decides = failed && p->time_ms == page->result->revert_ms;
		if (line->n <= DOTS_MAX || decides)
			add_dot(page, p, top, decides);
	}
	buf_addc(&page->out, '\n');
}

/* The limit's number where it begins. */
static void add_limit_text(
	struct page *page, const struct story_line *line, double top)
{
	size_t i = 0;

	while (i < line->n &&
		(!has_value(&line->point[i]) || isnan(line->point[i].limit)))
		i++;
	if (i == line->n)
		return;
	buf_addf(&page->out,
		"<text class=\"limit-text\" x=\"%.1f\" y=\"%.1f\">limit "
		"%.6g</text>\n",
		x_of(page, line->point[i].time_ms),
		y_of(line->point[i].limit, top, SLO_HEIGHT) - 5,
		line->point[i].limit);
}

static void add_slo(struct page *page, size_t slo)
{
	const struct story_line *line = &page->story->line[slo];
	const char *name = page->story->policy->slos[slo].name;
	double top = top_of(line);
	char number[32];
	size_t i, breaches = 0, passes = 0;

	for (i = 0; i < line->n; i++) {
		breaches += line->point[i].outcome == OUTCOME_BREACH;
		passes += line->point[i].outcome == OUTCOME_PASS;
	}
	buf_adds(&page->out, "<h2>");
	add_text(&page->out, name);
	buf_addf(&page->out,
		"<small>%zu checks: %zu passed, %zu breached, %zu without an "
		"answer</small></h2>\n",
		line->n, passes, breaches, line->n - passes - breaches);
	begin_chart(page, SLO_HEIGHT, name);
	snprintf(number, sizeof(number), "%.3g", top / 1.15);
	add_y(page, y_of(top / 1.15, top, SLO_HEIGHT), number);
	add_y(page, y_of(top / 2.3, top, SLO_HEIGHT), "");
	add_path(page, line, top, "limit", true);
	add_limit_text(page, line, top);
	add_path(page, line, top, "value", false);
	add_dots(page, slo, top);
	end_chart(page, SLO_HEIGHT, false);
}

/* ---- the rest ---- */

static const char *class_of(const struct story_decision *d)
{
	if (d->type == NOTE_STEP_PASSED)
		return "good";
	if (d->type != NOTE_PHASE)
		return "";
	switch (d->to) {
	case PHASE_PROMOTED:
		return "good";
	case PHASE_REVERTING:
	case PHASE_ROLLED_BACK:
	case PHASE_ROLLBACK_FAILED:
	case PHASE_STOPPED:
		return "bad";
	case PHASE_HELD:
	case PHASE_PAUSED:
	case PHASE_AWAITING_APPROVAL:
		return "wait";
	default:
		return "";
	}
}

static void add_decisions(struct page *page)
{
	const struct story_decision *d;
	char at[SIMULATE_TEXT_MAX], clock[TIMESTAMP_TEXT_MAX];
	size_t i;

	buf_adds(&page->out,
		"<h2>Decisions</h2>\n<div class=\"scroll\"><table><tr><th>after"
		"<th>UTC<th>traffic<th>decision<th>because</tr>\n");
	for (i = 0; i < page->story->n_decisions; i++) {
		d = &page->story->decision[i];
		buf_addf(&page->out,
			"<tr><td>%s<td>%s<td>%d %%<td class=\"%s\">%s<td>",
			offset(page, d->time_ms, at),
			timestamp_print_clock(d->time_ms, clock), d->percent,
			class_of(d), d->what);
		add_text(&page->out, d->text);
		buf_adds(&page->out, "</tr>\n");
	}
	buf_adds(&page->out, "</table></div>\n");
}

static void add_figure(struct page *page, const char *name, const char *value)
{
	buf_addf(&page->out, "<div><dt>%s</dt><dd>", name);
	add_text(&page->out, value);
	buf_adds(&page->out, "</dd></div>");
}

static void add_figures(struct page *page)
{
	const struct sim_result *result = page->result;
	char text[SIMULATE_TEXT_MAX];

	buf_adds(&page->out, "<dl>");
	add_figure(page, "ended after",
		simulate_offset(result, result->end_ms, text) + 1);
	if (result->first_bad_ms) {
		add_figure(page, "first bad sample",
			simulate_offset(result, result->first_bad_ms, text));
		add_figure(page, "time to revert",
			simulate_reaction(result, text));
	}
	add_figure(page, "exposure", simulate_exposure(result, text));
	snprintf(text, sizeof(text), "%d", result->checks);
	add_figure(page, "checks", text);
	snprintf(text, sizeof(text), "%d", result->exit_status);
	add_figure(page, "exit status of run", text);
	buf_adds(&page->out, "</dl>\n");
}

static void add_head(struct page *page)
{
	const struct sim_result *result = page->result;
	const char *outcome = sim_outcome(result);
	char from[TIMESTAMP_TEXT_MAX];

	buf_adds(&page->out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
		"charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\""
		" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
		"<meta name=\"viewport\" content=\"width=device-width\">"
		"<title>");
	add_text(&page->out, page->story->policy->name);
	buf_addf(&page->out, ": %s</title><style>%s</style></head>\n<body>",
		outcome, style);
	buf_adds(&page->out, "<h1>");
	add_text(&page->out, page->story->policy->name);
	buf_addf(&page->out, ": <span class=\"%s\">%s</span></h1>\n<p>",
		result->exit_status == 0   ? "good"
		: result->exit_status == 8 ? "wait"
					   : "bad",
		outcome);
	add_text(&page->out, result->reason);
	buf_adds(&page->out, "</p>\n<p>simulated on ");
	add_text(&page->out, page->recording->path);
	buf_addf(&page->out, ", from %s",
		timestamp_print(result->start_ms, from));
	if (*page->recording->candidate) {
		buf_adds(&page->out, ", candidate ");
		add_text(&page->out, page->recording->candidate);
	}
	buf_adds(&page->out, "</p>\n");
}

int simulate_write_html(const struct story *story,
	const struct recording *recording, const struct sim_result *result,
	const char *path, struct err *err_r)
{
	struct page page = {
		.story = story, .result = result, .recording = recording};
	size_t i;
	int rc;

	buf_init(&page.out, PAGE_BYTES_MAX);
	add_head(&page);
	add_figures(&page);
	add_traffic(&page);
	for (i = 0; i < story->policy->n_slos; i++)
		add_slo(&page, i);
	add_decisions(&page);
	buf_adds(&page.out, "</body></html>\n");
	if (page.out.overflow)
		rc = err_set(
			err_r, ERR_LIMIT, "%s: the page is too large", path);
	else
		rc = file_replace(path, &page.out, err_r);
	buf_fini(&page.out);
	return rc;
}
