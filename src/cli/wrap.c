/* SPDX-License-Identifier: Apache-2.0 */
/* Text in lines; see wrap.h. */
#include "cli/wrap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cells.h"
#include "base/printable.h"

#define COLUMNS_MAX    10000
#define WRAP_BYTES_MAX (4 * 1024 * 1024)

static int at_least(long columns)
{
	return columns < WRAP_COLUMNS_MIN ? WRAP_COLUMNS_MIN : (int)columns;
}

int wrap_columns(FILE *stream)
{
	const char *given = getenv("COLUMNS");
	struct winsize size;
	long columns;
	char *end;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col)
		return at_least(size.ws_col);
	if (!given || !*given)
		return 0;
	columns = strtol(given, &end, 10);
	return *end || columns < 1 || columns > COLUMNS_MAX ? 0
							    : at_least(columns);
}

/* What is not broken: up to a blank outside of backticks. */
static size_t piece_len(const char *text)
{
	const char *at = text, *close;

	for (; *at && *at != ' '; at++) {
		close = *at == '`' ? strchr(at + 1, '`') : NULL;
		if (close)
			at = close;
	}
	return (size_t)(at - text);
}

static size_t width_of(struct buf *piece, const char *text, size_t len)
{
	buf_clear(piece);
	buf_add(piece, text, len);
	return (size_t)cells_width(piece->data);
}

void wrap_add(struct buf *out, const char *text, int columns, int indent)
{
	struct buf shown, piece;
	const char *at;
	size_t len, width, used = 0;

	buf_init(&shown, WRAP_BYTES_MAX);
	buf_init(&piece, WRAP_BYTES_MAX);
	printable_add(&shown, text);
	for (at = shown.data; *at; at += len) {
		/* Blanks belong to the word behind them. */
		len = strspn(at, " ");
		len += piece_len(at + len);
		width = width_of(&piece, at, len);
		if (columns && used > (size_t)indent &&
			used + width > (size_t)columns) {
			buf_addf(out, "\n%*s", indent, "");
			used = (size_t)indent;
			width -= strspn(piece.data, " ");
			buf_adds(out, piece.data + strspn(piece.data, " "));
		} else {
			buf_adds(out, piece.data);
		}
		used += width;
	}
	buf_addc(out, '\n');
	buf_fini(&piece);
	buf_fini(&shown);
}
