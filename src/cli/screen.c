/*
 * A view at the bottom of a terminal, repainted in place with the few ECMA-48
 * sequences that every terminal knows; see view.h.
 */
#define _GNU_SOURCE /* strcasestr */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "cli/output.h"
#include "cli/view.h"

#define COLUMNS_DEFAULT 80

void screen_init(struct screen *screen, FILE *stream)
{
	screen->stream = stream;
	screen->lines = 0;
}

/* Up to the first line of the view, and everything below is erased. */
static void add_clear(const struct screen *screen, struct buf *out)
{
	if (screen->lines)
		buf_addf(out, "\r\x1b[%dA\x1b[J", screen->lines);
}

void screen_clear(struct screen *screen)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	add_clear(screen, &out);
	output_write(screen->stream, &out);
	screen->lines = 0;
	buf_fini(&out);
}

static int count_lines(const struct buf *text)
{
	const char *p = text->data;
	int n = 0;

	for (; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

void screen_update(
	struct screen *screen, const struct buf *lines, const struct buf *view)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	add_clear(screen, &out);
	buf_add(&out, lines->data, lines->len);
	buf_add(&out, view->data, view->len);
	if (output_show(screen->stream, &out))
		screen->lines = count_lines(view);
	buf_fini(&out);
}

int screen_columns(const struct screen *screen)
{
	struct winsize size;
	int columns = COLUMNS_DEFAULT;

	if (ioctl(fileno(screen->stream), TIOCGWINSZ, &size) == 0 &&
		size.ws_col)
		columns = size.ws_col;
	if (columns < VIEW_COLUMNS_MIN)
		columns = VIEW_COLUMNS_MIN;
	return columns < VIEW_COLUMNS_MAX ? columns : VIEW_COLUMNS_MAX;
}

bool screen_has_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = getenv(names[i]);
		if (value && *value)
			return strcasestr(value, "utf-8") ||
			       strcasestr(value, "utf8");
	}
	return false;
}
