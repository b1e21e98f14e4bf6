/* Answers of a Prometheus: whatever comes, one of the promised results. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "metrics/answer_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sample(const struct sample *sample)
{
	assert(memchr(sample->warnings, '\0', sizeof(sample->warnings)));
	switch (sample->kind) {
	case SAMPLE_VALUE:
		assert(sample->series == 1 && !isnan(sample->value));
		break;
	case SAMPLE_NAN:
		assert(sample->series == 1 && isnan(sample->value));
		break;
	case SAMPLE_NONE:
		assert(sample->series == 0);
		break;
	case SAMPLE_SEVERAL:
		assert(sample->series > 1);
		break;
	default:
		assert(!"a kind that exists");
	}
}

/* 201 is read like 200, but never the short way. */
static void check_short_way(const char *data, size_t size)
{
	struct sample quick, slow;
	struct err err;
	int rc = answer_decode(200, data, size, &quick, &err);

	assert(answer_decode(201, data, size, &slow, &err) == rc);
	if (rc < 0)
		return;
	assert(quick.kind == slow.kind && quick.series == slow.series);
	assert(quick.value == slow.value || isnan(quick.value));
	assert(isnan(quick.value) == isnan(slow.value));
	assert(strcmp(quick.warnings, slow.warnings) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 302, 400, 401, 404, 503};
	struct sample sample;
	struct err err;
	size_t i;

	check_short_way((const char *)data, size);
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		err.code = ERR_NONE;
		if (answer_decode(statuses[i], (const char *)data, size,
			    &sample, &err) == 0) {
			assert(statuses[i] == 200);
			check_sample(&sample);
		} else {
			assert(err.code > ERR_NONE && err.code < ERR_CODES);
			assert(!strpbrk(err.text, "\n\r\x1b"));
		}
	}
	return 0;
}
