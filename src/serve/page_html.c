/* SPDX-License-Identifier: Apache-2.0 */
/* Templates; see page_html.h. */
#include "serve/page_html.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "base/timestamp.h"

#define CLOCK_AT 11 /* "2026-01-01T" comes before the time of day */

/* What a URL may hold as it is; the rest is written %XX. */
static void add_segment(struct buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	/* A browser takes these for the folder and the one above. */
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		buf_adds(out, "%20");
	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}

static void add_time(struct buf *out, int64_t ms, bool dated)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_print(ms, text);
	buf_addf(out, "<time datetime=\"%s\">", text);
	if (dated)
		buf_addf(out, "%.10s %.5s UTC", text, text + CLOCK_AT);
	else
		buf_addf(out, "%.8s UTC", text + CLOCK_AT);
	buf_adds(out, "</time>");
}

static void add_value(struct buf *out, const char *text)
{
	static const struct {
		char c;
		const char *escaped;
	} special[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"},
		{'"', "&quot;"}, {'\'', "&#39;"}, {'\r', "&#13;"}};
	size_t i;

	for (; *text; text++) {
		for (i = 0; i < sizeof(special) / sizeof(special[0]); i++)
			if (special[i].c == *text)
				break;
		if (i < sizeof(special) / sizeof(special[0]))
			buf_adds(out, special[i].escaped);
		else
			buf_addc(out, *text);
	}
}

/* The summary's sentences name commands: "`abort` goes back now". */
static void add_commands(struct buf *out, const char *text)
{
	struct buf escaped;
	bool open = false;

	buf_init(&escaped, 2 * ESCAPE_BYTES_MAX);
	escape_html(&escaped, text);
	for (const char *c = escaped.data; *c; c++) {
		if (*c != '`' || (!open && !strchr(c + 1, '`'))) {
			buf_addc(out, *c);
			continue;
		}
		buf_adds(out, open ? "</code>" : "<code>");
		open = !open;
	}
	buf_fini(&escaped);
}

static const char *text_of(va_list *args)
{
	const char *text = va_arg(*args, const char *);

	return text ? text : "";
}

static void add_one(struct buf *out, char kind, va_list *args)
{
	switch (kind) {
	case 's':
		escape_html(out, text_of(args));
		break;
	case 'l':
		escape_html_lines(out, text_of(args));
		break;
	case 'c':
		add_commands(out, text_of(args));
		break;
	case 'v':
		add_value(out, text_of(args));
		break;
	case 'u':
		add_segment(out, text_of(args));
		break;
	case 'd':
		buf_addf(out, "%d", va_arg(*args, int));
		break;
	case 't':
	case 'T':
		add_time(out, va_arg(*args, int64_t), kind == 'T');
		break;
	case 'r':
		buf_adds(out, text_of(args));
		break;
	default:
		assert(kind == '%');
		buf_addc(out, '%');
	}
}

void html_addf(struct buf *out, const char *template, ...)
{
	const char *percent;
	va_list args;

	va_start(args, template);
	while ((percent = strchr(template, '%'))) {
		buf_add(out, template, (size_t)(percent - template));
		add_one(out, percent[1], &args);
		template = percent + 2;
	}
	buf_adds(out, template);
	va_end(args);
}
