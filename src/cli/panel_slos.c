/* SPDX-License-Identifier: Apache-2.0 */
/* The table of SLOs; see panel_parts.h. */
#include <math.h>
#include <string.h>

#include "cli/panel_parts.h"

#define GAP        2
#define NAME_MIN   12
#define NAME_MAX   32
#define VALUE_MIN  6
#define TREND_MIN  8
#define SAYS_MIN   9 /* "undecided" */
#define SAYS_MAX   60
#define LEVELS     8
#define MARKS      4 /* cells: selected, and the verdict */
#define TREND_STEP 3 /* cells of a check, where there is much room */

enum slo_column {
	COLUMN_NAME,
	COLUMN_NOW,
	COLUMN_LIMIT,
	COLUMN_STABLE,
	COLUMN_TREND,
	COLUMN_PASSES,
	COLUMN_SAYS,
	SLO_COLUMNS
};

struct slo_table {
	const struct panel *panel;
	int width[SLO_COLUMNS]; /* 0: there is no room for it */
};

/* ---- cells ---- */

static const char *or_none(const struct panel *panel, const char *text)
{
	if (text && *text)
		return text;
	return panel->utf8 ? "–" : "-";
}

static void cell_text(const struct panel *panel, const struct summary_slo *slo,
	enum slo_column column, struct buf *text)
{
	buf_clear(text);
	switch (column) {
	case COLUMN_NAME:
		buf_adds(text, slo->name);
		break;
	case COLUMN_NOW:
		buf_adds(text, or_none(panel, slo->value_text));
		break;
	case COLUMN_LIMIT:
		buf_adds(text, or_none(panel, slo->limit_text));
		break;
	case COLUMN_STABLE:
		buf_adds(text, or_none(panel, slo->stable_text));
		break;
	case COLUMN_PASSES:
		buf_adds(text, or_none(panel, slo->passes_text));
		break;
	case COLUMN_SAYS:
		buf_addf(text, "%s%s", slo->says,
			slo->partial ? ", incomplete" : "");
		break;
	default:
		break;
	}
}

static enum colour verdict_colour(const struct summary_slo *slo)
{
	switch (slo->verdict) {
	case SLO_PASSES:
		return COLOUR_GOOD;
	case SLO_BREACHES:
		return slo->failed ? COLOUR_BAD : COLOUR_WAIT;
	case SLO_UNDECIDED:
		return COLOUR_DIM;
	default:
		return COLOUR_WAIT;
	}
}

static const char *verdict_mark(
	const struct panel *panel, enum slo_verdict verdict)
{
	static const char *const marks[SLO_VERDICTS][2] = {
		[SLO_UNDECIDED] = {".", "·"},
		[SLO_PASSES] = {"+", "✓"},
		[SLO_BREACHES] = {"x", "✗"},
		[SLO_NO_DATA] = {"?", "?"},
		[SLO_ERROR] = {"!", "!"},
	};

	return marks[verdict][panel->utf8];
}

/* ---- trends ---- */

static double highest(const struct summary_slo *slo)
{
	double most = 0;
	size_t i;

	for (i = 0; i < slo->n_last; i++) {
		if (isfinite(slo->last[i].value))
			most = fmax(most, slo->last[i].value);
		if (isfinite(slo->last[i].limit))
			most = fmax(most, slo->last[i].limit);
	}
	return most;
}

static const char *bar_of(
	const struct panel *panel, const struct past_check *check, double most)
{
	static const char *const bars[2][LEVELS] = {
		{"_", ".", ":", "-", "=", "+", "*", "#"},
		{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	};
	double part;

	if (isnan(check->value))
		return check->outcome == OUTCOME_ERROR ? "!" : "?";
	part = most > 0 ? check->value / most : 0;
	part = isfinite(part) ? fmin(fmax(part, 0), 1) : 1;
	return bars[panel->utf8][(int)lround(part * (LEVELS - 1))];
}

static enum colour bar_colour(const struct past_check *check)
{
	switch (check->outcome) {
	case OUTCOME_BREACH:
		return COLOUR_BAD;
	case OUTCOME_NO_DATA:
	case OUTCOME_ERROR:
		return COLOUR_WAIT;
	default:
		return COLOUR_NONE;
	}
}

static int trend_step(int width)
{
	return width / LOOKBACK_CHECKS ? width / LOOKBACK_CHECKS : 1;
}

static void put_trend(
	struct panel_line *line, const struct summary_slo *slo, int width)
{
	int step = trend_step(width), column = line->used + width, j;
	size_t room = (size_t)(width / step), i;
	double most = highest(slo);

	i = slo->n_last > room ? slo->n_last - room : 0;
	for (; i < slo->n_last; i++) {
		for (j = 0; j < step; j++)
			line_put(line, bar_colour(&slo->last[i]),
				bar_of(line->panel, &slo->last[i], most));
	}
	line_pad(line, column);
}

/* ---- columns ---- */

static const char *const headings[SLO_COLUMNS] = {
	"SLO", "now", "limit", "stable", "last checks", "passes", "says"};

static int clamp(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

static int widest(const struct panel *panel, enum slo_column column)
{
	int most = line_width(panel, headings[column]), width;
	struct buf text;
	size_t i;

	buf_init(&text, PANEL_LINE_MAX);
	for (i = 0; i < panel->summary->n_slos; i++) {
		cell_text(panel, &panel->summary->slos[i], column, &text);
		width = line_width(panel, text.data);
		most = width > most ? width : most;
	}
	buf_fini(&text);
	return most;
}

static int used_columns(const struct slo_table *table)
{
	int used = MARKS, i;

	for (i = 0; i < SLO_COLUMNS; i++)
		used += table->width[i] ? table->width[i] + GAP : 0;
	return used - GAP;
}

/* What is over goes to what is said, then to longer trends. */
static void share_rest(struct slo_table *table)
{
	int over = table->panel->columns - used_columns(table);
	int says = widest(table->panel, COLUMN_SAYS);
	int *trend = &table->width[COLUMN_TREND];
	int more, step;

	if (table->width[COLUMN_SAYS]) {
		more = clamp(says, SAYS_MIN, SAYS_MAX) -
		       table->width[COLUMN_SAYS];
		more = more < over ? more : over;
		table->width[COLUMN_SAYS] += more;
		over -= more;
	}
	if (!*trend || over <= 0)
		return;
	*trend += over;
	step = clamp(*trend / LOOKBACK_CHECKS, 1, TREND_STEP);
	*trend = clamp(*trend, TREND_MIN, step * LOOKBACK_CHECKS);
}

static void plan_columns(struct slo_table *table)
{
	const struct panel *panel = table->panel;
	int i;

	for (i = COLUMN_NOW; i < SLO_COLUMNS; i++)
		table->width[i] = clamp(widest(panel, (enum slo_column)i),
			VALUE_MIN, panel->columns);
	table->width[COLUMN_NAME] = clamp(widest(panel, COLUMN_NAME), NAME_MIN,
		clamp(panel->columns / 4, NAME_MIN, NAME_MAX));
	table->width[COLUMN_TREND] =
		clamp(line_width(panel, headings[COLUMN_TREND]), TREND_MIN, 11);
	table->width[COLUMN_SAYS] = SAYS_MIN;
	for (i = COLUMN_SAYS;
		i > COLUMN_NAME && used_columns(table) > panel->columns; i--)
		table->width[i] = 0;
	share_rest(table);
}

/* ---- together ---- */

static void put_heading(struct panel_line *line, const struct slo_table *table)
{
	int i;

	line_pad(line, MARKS);
	for (i = 0; i < SLO_COLUMNS; i++) {
		if (!table->width[i])
			continue;
		line_cell(line, COLOUR_DIM, headings[i], table->width[i]);
		line_pad(line, line->used + GAP);
	}
	line_end(line);
}

static void put_slo(
	struct panel_line *line, const struct slo_table *table, size_t n)
{
	const struct panel *panel = line->panel;
	const struct summary_slo *slo = &panel->summary->slos[n];
	enum colour colour = verdict_colour(slo);
	struct buf text;
	int i;

	buf_init(&text, PANEL_LINE_MAX);
	line_cell(line, COLOUR_NONE,
		panel->selected != (int)n ? ""
		: panel->utf8             ? "▸"
					  : ">",
		2);
	line_cell(line, colour, verdict_mark(panel, slo->verdict), 2);
	for (i = 0; i < SLO_COLUMNS; i++) {
		if (!table->width[i])
			continue;
		cell_text(panel, slo, (enum slo_column)i, &text);
		if (i == COLUMN_TREND)
			put_trend(line, slo, table->width[i]);
		else
			line_cell(line,
				i == COLUMN_SAYS || i == COLUMN_NOW ? colour
				: i == COLUMN_NAME || i == COLUMN_PASSES
					? COLOUR_NONE
					: COLOUR_DIM,
				text.data, table->width[i]);
		line_pad(line, line->used + GAP);
	}
	line_end(line);
	buf_fini(&text);
}

void slos_render(struct panel_line *line, size_t first, size_t n)
{
	struct slo_table table = {.panel = line->panel};
	size_t i;

	plan_columns(&table);
	put_heading(line, &table);
	for (i = first; i < first + n; i++)
		put_slo(line, &table, i);
}
