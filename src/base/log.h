/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs: one line per decision, where it is taken, as key=value pairs:
 *   level=info rollout=… phase=baking event=breach slo=latency-p95 value=0.81
 * Lines go to a sink (standard error unless a test or the terminal view takes
 * them) after redact(). The engine never logs: it returns reasons.
 */
#ifndef TIDEGATE_BASE_LOG_H
#define TIDEGATE_BASE_LOG_H

#include <stddef.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* `line` has no newline and is valid during the call only. */
typedef void (*log_sink_fn)(const char *line, size_t len, void *arg);

void log_set_sink(log_sink_fn sink, void *arg); /* NULL: nothing is logged */
void log_set_level(enum log_level least);

/* `fmt` gives the pairs after the level; texts are quoted by the caller, and what
 * is put in stays within: text=\"%s\". Of conversions %s, %.40s, %d, %ld, %lld and
 * %zu are known. */
void log_line(enum log_level level, const char *fmt, ...) PRINTFLIKE(2, 3);

#endif
