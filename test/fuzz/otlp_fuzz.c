/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal from anybody as a trace: each line is "<ms> <name> <phase> <data>",
 * the first one the TRACEPARENT of a job. What is made of it has the shape that
 * is published.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "otlp_shape.h"
#include "status/otlp_trace.h"

#define LINES_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next word of a line, "" at its end. */
static char *word(char **at)
{
	char *begin = *at, *end = begin + strcspn(begin, " ");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return begin;
}

static void take_line(struct otlp_trace *trace, char *line)
{
	struct store_event entry = {.time_ms = strtoll(word(&line), NULL, 10)};

	entry.name = word(&line);
	entry.phase = word(&line);
	entry.percent = (int)(entry.time_ms % 101);
	entry.data = line;
	otlp_trace_take(trace, &entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup0(data, size), *rest = NULL, *line;
	struct otlp_trace *trace = otlp_trace_new();
	struct rollout state;
	struct otlp_subject subject = {.rollout = "shop-1",
		.service = "projects/p/locations/r/services/shop",
		.policy = text,
		.state = &state};
	const char *problem;
	struct buf out;

	rollout_init(&state);
	subject.traceparent = strtok_r(text, "\n", &rest);
	for (int i = 0; i < LINES_MAX; i++) {
		line = strtok_r(NULL, "\n", &rest);
		if (!line)
			break;
		take_line(trace, line);
	}
	buf_init(&out, OTLP_BYTES_MAX);
	otlp_trace_print(trace, &subject, &out);
	assert(!out.overflow);
	problem = otlp_shape_problem(out.data, out.len);
	assert(!problem);
	buf_fini(&out);
	otlp_trace_free(&trace);
	xfree(&text);
	return 0;
}
