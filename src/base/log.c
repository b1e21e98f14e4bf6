/* SPDX-License-Identifier: Apache-2.0 */
/* Logs as key=value lines; see log.h. */
#include "base/log.h"

#include "base/buf.h"
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
	buf_addv(&line, fmt, args);
	va_end(args);
	if (line.overflow)
		buf_adds(&line, "event=log-line-too-long");
	redact(&line);
	log_sink(line.data, line.len, log_sink_arg);
	buf_fini(&line);
}
