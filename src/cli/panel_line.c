/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the panel; see panel_parts.h. */
#include <ctype.h>
#include <string.h>

#include "base/cells.h"
#include "cli/panel_parts.h"

static int line_room(const struct panel_line *line)
{
	return line->panel->columns - line->used;
}

/* `text` is as the terminal shows it. */
static void line_add(
	struct panel_line *line, enum colour colour, const char *text)
{
	output_coloured(line->out, line->panel->colour, colour, text);
	line->used += cells_width(text);
}

int line_width(const struct panel *panel, const char *text)
{
	struct buf shown;
	int width;

	buf_init(&shown, PANEL_LINE_MAX);
	cells_add(&shown, text, panel->utf8);
	width = cells_width(shown.data);
	buf_fini(&shown);
	return width;
}

void line_put(struct panel_line *line, enum colour colour, const char *text)
{
	struct buf shown;

	if (line_room(line) <= 0)
		return;
	buf_init(&shown, PANEL_LINE_MAX);
	cells_add(&shown, text, line->panel->utf8);
	buf_truncate(&shown, cells_fit(shown.data, line_room(line)));
	line_add(line, colour, shown.data);
	buf_fini(&shown);
}

void line_putf(
	struct panel_line *line, enum colour colour, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, PANEL_LINE_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	line_put(line, colour, text.data);
	buf_fini(&text);
}

void line_cell(struct panel_line *line, enum colour colour, const char *text,
	int width)
{
	const char *more = line->panel->utf8 ? "…" : "~";
	int column = line->used + width;
	struct buf shown;

	buf_init(&shown, PANEL_LINE_MAX);
	cells_add(&shown, text, line->panel->utf8);
	if (cells_width(shown.data) > width) {
		buf_truncate(&shown, cells_fit(shown.data, width - 1));
		buf_adds(&shown, more);
	}
	line_add(line, colour, shown.data);
	buf_fini(&shown);
	line_pad(line, column);
}

void line_pad(struct panel_line *line, int column)
{
	for (; line->used < column && line_room(line) > 0; line->used++)
		buf_addc(line->out, ' ');
}

void line_end(struct panel_line *line)
{
	while (line->out->len && line->out->data[line->out->len - 1] == ' ')
		buf_truncate(line->out, line->out->len - 1);
	buf_addc(line->out, '\n');
	line->used = 0;
}

/* ---- sentences ---- */

static size_t word_len(const char *text)
{
	return strspn(text, " ") + strcspn(text + strspn(text, " "), " ");
}

/* The command that begins here without backticks: its verb, what it is about,
 * its options. */
static size_t command_len(const char *text)
{
	size_t len = strlen("tidegate"), words;

	for (words = 0; words < 2 && text[len]; words++)
		len += word_len(text + len);
	while (!strncmp(text + len, " --", 3)) {
		len += word_len(text + len);
		if (text[len] && strncmp(text + len, " --", 3) != 0)
			len += word_len(text + len);
	}
	return len;
}

/* What is not broken: a word, or a whole command. */
static size_t piece_len(const char *text)
{
	const char *at = text, *close;

	if (!strncmp(text, "tidegate ", strlen("tidegate ")))
		return command_len(text);
	for (; *at && *at != ' '; at++) {
		close = *at == '`' ? strchr(at + 1, '`') : NULL;
		if (close)
			at = close;
	}
	/* A number keeps its sign: "10 %". */
	if (!strncmp(at, " %", 2) && !isalnum((unsigned char)at[2]))
		at += 2 + strcspn(at + 2, " ");
	return (size_t)(at - text);
}

void line_flow(struct panel_line *line, enum colour colour, const char *text,
	int indent)
{
	struct buf shown, piece;
	const char *at;
	int width;

	buf_init(&shown, PANEL_LINE_MAX);
	buf_init(&piece, PANEL_LINE_MAX);
	cells_add(&shown, text, line->panel->utf8);
	for (at = shown.data; *at; at += piece.len) {
		at += strspn(at, " ");
		buf_clear(&piece);
		buf_add(&piece, at, piece_len(at));
		width = cells_width(piece.data);
		if (line->used > indent && line_room(line) <= width)
			line_end(line);
		else if (line->used && at != shown.data)
			line_pad(line, line->used + 1);
		/* At the margin, when it is wider than the terminal. */
		if (!line->used && width < line->panel->columns)
			line_pad(line, width + indent < line->panel->columns
					       ? indent
					       : 0);
		line_add(line, colour, piece.data);
	}
	line_end(line);
	buf_fini(&piece);
	buf_fini(&shown);
}
