/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a Prometheus: whatever comes, one of the promised results. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/answer_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reading(const struct metric_reading *reading)
{
	const struct answer *answer = &reading->answer;

	assert(answer->kind == ANSWER_VALUE || answer->kind == ANSWER_NO_DATA);
	assert(!isnan(answer->value));
	assert(reading->series <= 1);
	assert(answer->kind == ANSWER_NO_DATA || reading->series == 1);
	assert(!reading->warnings ||
		(*reading->warnings &&
			strlen(reading->warnings) < WARNINGS_BYTES_MAX));
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* 201 is read like 200, but never the short way. */
static void check_short_way(const char *data, size_t size)
{
	struct metric_reading quick, slow;
	struct err err;
	int rc = answer_decode(200, data, size, &quick, &err);

	assert(answer_decode(201, data, size, &slow, &err) == rc);
	if (rc < 0)
		return;
	assert(quick.answer.kind == slow.answer.kind);
	assert(quick.answer.value == slow.answer.value);
	assert(quick.series == slow.series);
	assert(same_text(quick.warnings, slow.warnings));
	xfree(&quick.warnings);
	xfree(&slow.warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 302, 400, 401, 404, 503};
	struct metric_reading reading;
	struct err err;
	size_t i;

	check_short_way((const char *)data, size);
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		err.code = ERR_NONE;
		if (answer_decode(statuses[i], (const char *)data, size,
			    &reading, &err) == 0) {
			assert(statuses[i] == 200);
			check_reading(&reading);
			xfree(&reading.warnings);
		} else {
			assert(err.code > ERR_NONE && err.code < ERR_CODES);
			assert(!strpbrk(err.text, "\n\r\x1b"));
		}
	}
	return 0;
}
