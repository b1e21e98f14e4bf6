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
static void add_clear(struct screen *screen, struct buf *out)
{
	if (screen->lines)
		buf_addf(out, "\r\x1b[%dA\x1b[J", screen->lines);
	screen->lines = 0;
}

void screen_clear(struct screen *screen)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	add_clear(screen, &out);
	output_write(screen->stream, &out);
	buf_fini(&out);
}

void screen_paint(struct screen *screen, const struct buf *view)
{
	const char *p;
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	add_clear(screen, &out);
	buf_add(&out, view->data, view->len);
	for (p = view->data; (p = strchr(p, '\n')) != NULL; p++)
		screen->lines++;
	output_write(screen->stream, &out);
	fflush(screen->stream);
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
