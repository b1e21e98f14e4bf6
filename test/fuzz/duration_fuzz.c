/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and times: what is accepted is printed and read back the same. */
#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_duration(const char *text)
{
	char printed[DURATION_TEXT_MAX];
	int64_t ms, again;
	struct err err;

	if (duration_parse(text, &ms, &err) < 0)
		return;
	assert(ms >= 0);
	assert(duration_parse(duration_print(ms, printed), &again, &err) == 0);
	assert(ms == again);
}

static void try_timestamp(const char *text)
{
	char printed[TIMESTAMP_TEXT_MAX];
	int64_t ms, again;
	struct err err;

	if (timestamp_parse(text, &ms, &err) < 0)
		return;
	assert(timestamp_parse(timestamp_print(ms, printed), &again, &err) ==
		0);
	assert(ms == again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup0(data, size);

	try_duration(text);
	try_timestamp(text);
	free(text);
	return 0;
}
