/* SPDX-License-Identifier: Apache-2.0 */
/* The part file of a recording that was broken off, by anybody: it is refused,
 * or the recording can go on and be printed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/loop.h"
#include "sim/recorder.h"

#define TEXT_BYTES ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slo slos[] = {
	{.name = "errors", .query = "e", .interval_ms = 10000},
	{.name = "ratio",
		.query = "v",
		.compare_stable = true,
		.requests = "r",
		.interval_ms = 10000},
};
static const struct policy policy = {.slos = slos, .n_slos = 2};

static void go_on(struct recorder *recorder, int64_t to_ms)
{
	size_t done, all;
	struct buf out;

	recorder_progress(recorder, &done, &all);
	assert(done <= all);
	recorder_add_check(recorder, 0, QUERY_VALUE, "e", to_ms - 5000, 0.5);
	buf_init(&out, TEXT_BYTES);
	recorder_print(recorder, &out);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/part-fuzz.XXXXXX";
	int fd = mkstemp(path);
	struct recorder_plan plan = {.policy = &policy,
		.from_ms = 1767225600000,
		.to_ms = 1767225700000,
		.step_ms = 1000,
		.shift_ms = -1,
		.from = "a",
		.to = "b",
		.part = path};
	struct recorder *recorder;
	struct loop *loop;
	struct err err;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	loop = loop_new(&err);
	assert(loop);
	recorder = recorder_new(&plan, loop, NULL, &err);
	if (recorder)
		go_on(recorder, plan.to_ms);
	recorder_free(&recorder);
	loop_free(&loop);
	close(fd);
	unlink(path);
	return 0;
}
