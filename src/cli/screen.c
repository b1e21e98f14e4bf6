/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A panel at the bottom of a terminal, repainted in place with the few ECMA-48
 * sequences that every terminal knows; see screen.h.
 */
#define _GNU_SOURCE /* strcasestr */
#include "cli/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/output.h"
#include "cli/panel.h"

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT    24

void screen_init(struct screen *screen, FILE *stream)
{
	screen->stream = stream;
	buf_init(&screen->shown, OUTPUT_BYTES_MAX);
}

void screen_fini(struct screen *screen)
{
	buf_fini(&screen->shown);
}

/* Up to the first line of the panel, and everything below is erased. A terminal
 * that became narrower has broken its lines. */
static void add_clear(const struct screen *screen, struct buf *out)
{
	int rows = panel_rows(screen->shown.data, screen_columns(screen));
	int most = screen_rows(screen) - 1;

	if (rows)
		buf_addf(out, "\r\x1b[%dA\x1b[J", rows < most ? rows : most);
}

void screen_clear(struct screen *screen)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	add_clear(screen, &out);
	output_write(screen->stream, &out);
	buf_clear(&screen->shown);
	buf_fini(&out);
}

void screen_forget(struct screen *screen)
{
	buf_clear(&screen->shown);
}

void screen_update(
	struct screen *screen, const struct buf *lines, const struct buf *panel)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	add_clear(screen, &out);
	buf_add(&out, lines->data, lines->len);
	buf_add(&out, panel->data, panel->len);
	if (output_show(screen->stream, &out)) {
		buf_clear(&screen->shown);
		buf_add(&screen->shown, panel->data, panel->len);
	}
	buf_fini(&out);
}

static struct winsize screen_size(const struct screen *screen)
{
	struct winsize size = {0};

	if (ioctl(fileno(screen->stream), TIOCGWINSZ, &size) < 0)
		size = (struct winsize){0};
	return size;
}

static int size_or(int size, int otherwise, int least)
{
	size = size ? size : otherwise;
	return size < least ? least : size;
}

int screen_columns(const struct screen *screen)
{
	return size_or(
		screen_size(screen).ws_col, COLUMNS_DEFAULT, PANEL_COLUMNS_MIN);
}

int screen_rows(const struct screen *screen)
{
	return size_or(
		screen_size(screen).ws_row, ROWS_DEFAULT, PANEL_ROWS_MIN);
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

bool screen_can_paint(FILE *stream)
{
	const char *term = getenv("TERM");

	return output_is_terminal(stream) && term && *term &&
	       strcmp(term, "dumb") != 0;
}
