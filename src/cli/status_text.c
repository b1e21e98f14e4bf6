/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout for people; see status_text.h. What is said is the summary's. */
#include "cli/status_text.h"

#include <string.h>

#include "base/cells.h"
#include "base/duration.h"
#include "base/printable.h"
#include "cli/output.h"
#include "cli/wrap.h"

#define COLUMNS        6
#define LINE_BYTES_MAX (64 * 1024)
#define INDENT         2

struct printing {
	const struct summary *s;
	const struct status_text *how;
	struct buf *out;
};

static void say(const struct printing *p, int indent, const char *fmt, ...)
	PRINTFLIKE(3, 4);

static void say(const struct printing *p, int indent, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, LINE_BYTES_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	wrap_add(p->out, text.data, p->how->columns, indent);
	buf_fini(&text);
}

static void print_title(const struct printing *p)
{
	printable_add(p->out, p->s->id);
	buf_adds(p->out, "  ");
	output_coloured(p->out, p->how->colour,
		output_phase_colour(p->s->phase), phase_name(p->s->phase));
	buf_addc(p->out, '\n');
	say(p, 0, "%s", p->s->now);
	say(p, 0, "%s", p->s->next);
	buf_addc(p->out, '\n');
}

static void print_traffic(const struct printing *p)
{
	const struct summary *s = p->s;
	char baked[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];

	if (*s->candidate)
		say(p, INDENT, "candidate %s %d %%", s->candidate,
			s->candidate_percent);
	if (*s->stable)
		say(p, INDENT, "stable    %s %d %%", s->stable,
			s->stable_percent);
	if (s->other_percent)
		say(p, INDENT, "others    %d %%", s->other_percent);
	if (s->step < 1 || s->step > s->n_steps)
		return;
	buf_addf(p->out, "step      %d of %d", s->step, s->n_steps);
	if (s->bake_ms && !s->settled_ms)
		buf_addf(p->out, ", baked %s of %s",
			duration_print(s->baked_ms / 1000 * 1000, baked),
			duration_print(s->bake_ms, whole));
	buf_addc(p->out, '\n');
}

/* ---- SLOs ---- */

static const char *or_none(const char *text)
{
	return *text ? text : "-";
}

static const char *says(const struct summary_slo *slo, struct buf *text)
{
	buf_clear(text);
	buf_adds(text, slo->says);
	if (slo->partial)
		buf_adds(text, ", incomplete");
	return text->data;
}

static void fill_table(const struct printing *p, struct table *table)
{
	static const char *const heading[COLUMNS] = {
		"SLO", "NOW", "LIMIT", "STABLE", "PASSES", "SAYS"};
	struct buf text;
	size_t i;

	buf_init(&text, LINE_BYTES_MAX);
	table_add(table, heading);
	for (i = 0; i < p->s->n_slos; i++) {
		const struct summary_slo *slo = &p->s->slos[i];

		table_add(table,
			(const char *const[COLUMNS]){slo->name,
				or_none(slo->value_text),
				or_none(slo->limit_text),
				or_none(slo->stable_text),
				or_none(slo->passes_text), says(slo, &text)});
	}
	buf_fini(&text);
}

static size_t widest(const struct buf *text)
{
	const char *at = text->data, *end;
	size_t width, most = 0;
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		buf_clear(&line);
		buf_add(&line, at, (size_t)(end - at));
		width = (size_t)cells_width(line.data);
		most = width > most ? width : most;
	}
	buf_fini(&line);
	return most;
}

/* Where the table has no room: one after the other. */
static void print_narrow(const struct printing *p)
{
	struct buf text;
	size_t i;

	buf_init(&text, LINE_BYTES_MAX);
	for (i = 0; i < p->s->n_slos; i++) {
		const struct summary_slo *slo = &p->s->slos[i];

		say(p, INDENT,
			"%s: %s; now %s, limit %s, stable %s; passes: %s",
			slo->name, says(slo, &text), or_none(slo->value_text),
			or_none(slo->limit_text), or_none(slo->stable_text),
			or_none(slo->passes_text));
	}
	buf_fini(&text);
}

static void print_slos(const struct printing *p)
{
	struct table table;
	struct buf text;

	buf_init(&text, OUTPUT_BYTES_MAX);
	table_init(&table, COLUMNS);
	fill_table(p, &table);
	table_print(&table, &text);
	if (p->how->columns && widest(&text) > (size_t)p->how->columns)
		print_narrow(p);
	else
		buf_add(p->out, text.data, text.len);
	table_fini(&table);
	buf_fini(&text);
}

/* ---- people ---- */

static const char *time_of(
	const struct printing *p, int64_t ms, char text[SUMMARY_TIME_MAX])
{
	summary_clock_fn print = p->how->clock;

	return print(ms, p->s->read_ms, text);
}

static void print_deed(const struct printing *p, const struct deed *deed)
{
	char time[SUMMARY_TIME_MAX];

	say(p, INDENT, "%s  %s by %s%s%s%s%s", time_of(p, deed->time_ms, time),
		verb_name(deed->verb), deed->who, *deed->comment ? ": " : "",
		deed->comment, deed->refused ? ", refused: " : "",
		deed->refusal);
}

static void print_people(const struct printing *p)
{
	const struct summary *s = p->s;
	char time[SUMMARY_TIME_MAX];
	size_t i;

	say(p, INDENT, "started %s by %s", time_of(p, s->started_ms, time),
		s->people.starter);
	for (i = 0; i < s->people.n_deeds; i++)
		print_deed(p, &s->people.deeds[i]);
	if (s->drift)
		say(p, INDENT, "%s  traffic was changed: %s%s%s",
			time_of(p, s->drift->time_ms, time), s->drift->text,
			*s->drift->modifier ? "; last changed by " : "",
			s->drift->modifier);
	if (s->ended_ms)
		say(p, INDENT, "ended %s", time_of(p, s->ended_ms, time));
	if (*s->driver)
		say(p, INDENT, "%s", s->driver);
}

static void print_remedies(const struct printing *p)
{
	size_t i;

	for (i = 0; i < p->s->n_remedies; i++) {
		buf_addf(p->out, "%*s", INDENT, "");
		printable_add(p->out, p->s->remedies[i].line);
		buf_addf(p->out, "\n%*s", 3 * INDENT, "");
		say(p, 3 * INDENT, "%s", p->s->remedies[i].says);
	}
}

void status_text_print(const struct summary *summary,
	const struct status_text *how, struct buf *out)
{
	const struct printing p = {summary, how, out};

	print_title(&p);
	print_traffic(&p);
	if (*summary->candidate || summary->step > 0)
		buf_addc(out, '\n');
	if (summary->phase != PHASE_PREFLIGHT &&
		summary->phase != PHASE_REFUSED) {
		print_slos(&p);
		buf_addc(out, '\n');
	}
	print_people(&p);
	print_remedies(&p);
}
