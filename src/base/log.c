/* SPDX-License-Identifier: Apache-2.0 */
/* Logs as key=value lines; see log.h. */
#include "base/log.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/printable.h"
#include "base/secret.h"

#define LINE_MAX_BYTES 8192

static log_sink_fn log_sink;
static void *log_sink_arg;
static enum log_level log_least = LOG_INFO;

void log_set_sink(log_sink_fn sink, void *arg)
{
	log_sink = sink;
	log_sink_arg = arg;
}

void log_set_level(enum log_level least)
{
	log_least = least;
}

/* ---- what is put into a line ---- */

/* A conversion of the format: %s, %.40s, %d, %zu, %lld. */
struct spec {
	const char *end; /* behind its letter */
	char letter;
	int longs; /* l: 1, ll: 2, z: 3 */
	size_t max; /* bytes of a text */
};

static struct spec spec_at(const char *at)
{
	struct spec spec = {.max = LINE_MAX_BYTES};
	char *end = (char *)at;

	if (*at == '.')
		spec.max = strtoul(at + 1, &end, 10);
	for (; *end == 'l'; end++)
		spec.longs++;
	if (*end == 'z') {
		spec.longs = 3;
		end++;
	}
	spec.letter = *end;
	spec.end = end + 1;
	return spec;
}

/* One line, and what is in quotes does not end them: nobody writes lines or
 * pairs of their own by a name or a comment. */
static void add_text(
	struct buf *out, const char *text, size_t max, bool is_quoted)
{
	struct buf raw, plain;

	buf_init(&raw, LINE_MAX_BYTES);
	buf_init(&plain, 4 * LINE_MAX_BYTES);
	buf_add(&raw, text, strnlen(text, max));
	redact(&raw);
	printable_add(&plain, raw.data);
	for (char *c = plain.data; is_quoted && *c; c++)
		if (*c == '"')
			*c = '\'';
	buf_adds(out, plain.data);
	buf_fini(&plain);
	buf_fini(&raw);
}

static void add_value(
	struct buf *out, const struct spec *spec, bool is_quoted, va_list *args)
{
	const char *text;
	long long number;

	switch (spec->letter) {
	case 's':
		text = va_arg(*args, const char *);
		add_text(out, text ? text : "", spec->max, is_quoted);
		break;
	case '%':
		buf_addc(out, '%');
		break;
	case 'd':
		number = spec->longs == 2   ? va_arg(*args, long long)
			 : spec->longs == 1 ? va_arg(*args, long)
					    : va_arg(*args, int);
		buf_addf(out, "%lld", number);
		break;
	case 'u':
		assert(spec->longs == 3);
		buf_addf(out, "%zu", va_arg(*args, size_t));
		break;
	default:
		assert(!"a conversion that log_line knows");
	}
}

static void add_pairs(struct buf *out, const char *fmt, va_list *args)
{
	bool is_quoted = false;
	struct spec spec;

	while (*fmt) {
		if (*fmt != '%') {
			is_quoted ^= *fmt == '"';
			buf_addc(out, *fmt++);
			continue;
		}
		spec = spec_at(fmt + 1);
		add_value(out, &spec, is_quoted, args);
		fmt = spec.end;
	}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	struct buf line;
	va_list args;

	if (!log_sink || level < log_least)
		return;
	buf_init(&line, LINE_MAX_BYTES);
	buf_addf(&line, "level=%s ", names[level]);
	va_start(args, fmt);
	add_pairs(&line, fmt, &args);
	va_end(args);
	if (line.overflow)
		buf_adds(&line, "event=log-line-too-long");
	redact(&line);
	log_sink(line.data, line.len, log_sink_arg);
	buf_fini(&line);
}
