/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of JSON APIs: a number, no data, or an error that can be shown. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "metrics/number_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_question questions[] = {
	{.pointer = "", .scale = 1},
	{.pointer = "/data/0/count()", .shape = SHAPE_COUNT, .scale = 1},
	{.pointer = "/groups/0/totals/crash_free_rate(session)",
		.shape = SHAPE_RELEASE_SHARE,
		.scale = 1},
	{.pointer = "/groups/0/totals/sum(session)",
		.shape = SHAPE_RELEASE_COUNT,
		.scale = 1},
	{.pointer = "", .shape = SHAPE_ISSUES, .scale = 1},
	{.pointer = "/a~1b/1/~0", .scale = 1e300},
};

static void check(
	const struct json_question *question, const struct number_reply *reply)
{
	struct answer answer = {ANSWER_NOT_ASKED, NAN};
	struct err err = {0};

	if (number_decode(reply, question, "shop@1", &answer, &err) < 0) {
		assert(err.code > ERR_NONE && err.code < ERR_CODES);
		assert(!strpbrk(err.text, "\n\r\x1b"));
		return;
	}
	assert(reply->status / 100 == 2);
	assert(answer.kind == ANSWER_VALUE || answer.kind == ANSWER_NO_DATA);
	if (answer.kind == ANSWER_NO_DATA)
		return;
	assert(isfinite(answer.value));
	if (question->shape == SHAPE_RELEASE_SHARE)
		assert(answer.value >= 0 && answer.value <= 1);
	if (question->shape != SHAPE_ANY)
		assert(answer.value >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 204, 302, 400, 401, 429, 503};
	struct number_reply reply = {.bytes = (const char *)data, .len = size};

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		for (size_t j = 0; j < sizeof(statuses) / sizeof(*statuses);
			j++) {
			reply.status = statuses[j];
			check(&questions[i], &reply);
		}
	}
	return 0;
}
