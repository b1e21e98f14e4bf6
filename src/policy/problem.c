/* SPDX-License-Identifier: Apache-2.0 */
/* Problems with source line and carets; see problem.h. Knows no key. */
#include "policy/problem.h"

#include <assert.h>
#include <string.h>

#include "base/cells.h"
#include "base/printable.h"
#include "base/secret.h"

#define PROBLEM_TEXT_MAX 600 /* bytes */
#define LINE_SHOWN_MAX   160 /* bytes of a source line */
#define LINE_BEFORE_MAX  100 /* of them before the place */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void problem_add(
	struct problems *problems, struct span span, const char *fmt, ...)
{
	size_t at = problems->n;
	struct buf text;
	va_list args;

	while (at > 0 && problems->item[at - 1].span.from > span.from)
		at--;
	if (problems->n == POLICY_PROBLEMS_MAX) {
		problems->dropped++;
		if (at == POLICY_PROBLEMS_MAX)
			return;
		problems->n--;
	}
	buf_init(&text, PROBLEM_TEXT_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	if (text.overflow)
		buf_adds(&text, "this value is too long to be told about");
	memmove(&problems->item[at + 1], &problems->item[at],
		(problems->n - at) * sizeof(problems->item[0]));
	problems->item[at].span = span;
	problems->item[at].text = arena_strdup(problems->arena, text.data);
	problems->n++;
	buf_fini(&text);
}

struct span problem_span(const struct problems *problems, int line, int column)
{
	const char *source = problems->source, *newline;
	size_t at = 0, len = problems->source_len;

	for (; line > 0 && at < len; line--) {
		newline = memchr(source + at, '\n', len - at);
		if (!newline)
			break;
		at = (size_t)(newline - source) + 1;
	}
	for (; column > 0 && at < len && source[at] != '\n'; column--) {
		at++;
		while (at < len && is_continuation(source[at]))
			at++;
	}
	return (struct span){at, at < len ? at + 1 : at};
}

/* Line and column, both from 1; columns count characters. */
static struct srcpos position(const struct problems *problems, size_t at)
{
	struct srcpos pos = {problems->path, 1, 1};
	size_t i = 0;

	if (problems->sets_at && at >= problems->sets_at) {
		pos.file = "--set";
		i = problems->sets_at;
	}
	for (; i < at && i < problems->source_len; i++) {
		if (problems->source[i] == '\n') {
			pos.line++;
			pos.col = 1;
		} else if (!is_continuation(problems->source[i])) {
			pos.col++;
		}
	}
	return pos;
}

/* The part of the line that is shown, and the place cut to it. */
struct excerpt {
	struct span line, marked;
	bool cut_before, cut_after;
};

static struct excerpt excerpt_find(
	const struct problems *problems, struct span span)
{
	const char *source = problems->source;
	size_t len = problems->source_len;
	struct excerpt e = {{span.from, span.from}, span, false, false};

	while (e.line.from > 0 && source[e.line.from - 1] != '\n')
		e.line.from--;
	while (e.line.to < len && source[e.line.to] != '\n')
		e.line.to++;
	if (e.line.to > e.line.from && source[e.line.to - 1] == '\r')
		e.line.to--;
	if (span.from - e.line.from > LINE_BEFORE_MAX) {
		e.line.from = span.from - LINE_BEFORE_MAX;
		e.cut_before = true;
	}
	if (e.line.to - e.line.from > LINE_SHOWN_MAX) {
		e.line.to = e.line.from + LINE_SHOWN_MAX;
		e.cut_after = true;
	}
	while (e.cut_before && e.line.from < e.line.to &&
		is_continuation(source[e.line.from]))
		e.line.from++;
	while (e.cut_after && e.line.to > e.line.from &&
		is_continuation(source[e.line.to]))
		e.line.to--;
	/* A block starts with its indentation: mark what is in it. */
	while (e.marked.from < e.marked.to && e.marked.from < e.line.to &&
		strchr(" \t", source[e.marked.from]))
		e.marked.from++;
	if (e.marked.to > e.line.to)
		e.marked.to = e.line.to;
	if (e.marked.from > e.marked.to)
		e.marked.from = e.marked.to;
	return e;
}

/* The source as it is shown: one line, a tab is a blank, secrets masked.
 * Returns its width. */
static size_t add_source(
	const struct problems *problems, struct span span, struct buf *out)
{
	size_t width;
	struct buf text;

	buf_init(&text, LINE_SHOWN_MAX);
	buf_add(&text, problems->source + span.from, span.to - span.from);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\t')
			text.data[i] = ' ';
	redact(&text);
	buf_clear(out);
	printable_add(out, text.data);
	width = (size_t)cells_width(out->data);
	buf_fini(&text);
	return width;
}

static void print_excerpt(const struct problems *problems, int line,
	const struct excerpt *e, struct buf *out)
{
	size_t before, upto;
	struct buf part;

	buf_init(&part, 16 * LINE_SHOWN_MAX);
	/* Masking moves things: measure what is shown, not what is there. */
	upto = add_source(
		problems, (struct span){e->line.from, e->marked.to}, &part);
	before = add_source(
		problems, (struct span){e->line.from, e->marked.from}, &part);
	(void)add_source(problems, e->line, &part);
	buf_addf(out, "%5d | %s%s%s\n", line, e->cut_before ? "..." : "",
		part.data, e->cut_after ? "..." : "");
	buf_addf(out, "      | %s%*s", e->cut_before ? "   " : "", (int)before,
		"");
	do {
		buf_addc(out, '^');
	} while (++before < upto);
	buf_addc(out, '\n');
	buf_fini(&part);
}

void problems_print(
	const struct problems *problems, const char *kind, struct buf *out)
{
	const struct problem *problem;
	struct excerpt excerpt;
	struct srcpos pos;

	for (size_t i = 0; i < problems->n; i++) {
		problem = &problems->item[i];
		excerpt = excerpt_find(problems, problem->span);
		pos = position(problems, excerpt.marked.from);
		printable_add(out, pos.file);
		buf_addf(out, ":%d:%d: %s: ", pos.line, pos.col, kind);
		printable_add(out, problem->text);
		buf_addc(out, '\n');
		if (excerpt.line.to > excerpt.line.from)
			print_excerpt(problems, pos.line, &excerpt, out);
	}
	if (problems->dropped)
		printable_add(out, problems->path);
	if (problems->dropped)
		buf_addf(out, ": %s: and %zu more\n", kind, problems->dropped);
	redact(out);
}

int problems_summary(const struct problems *problems, struct err *err_r)
{
	size_t more = problems->n + problems->dropped - 1;
	const struct problem *first = &problems->item[0];

	assert(problems->n > 0);
	if (more)
		err_set(err_r, ERR_POLICY, "%s (and %zu more)", first->text,
			more);
	else
		err_set(err_r, ERR_POLICY, "%s", first->text);
	redact_text(err_r->text, sizeof(err_r->text));
	err_r->pos = position(
		problems, excerpt_find(problems, first->span).marked.from);
	return -1;
}
