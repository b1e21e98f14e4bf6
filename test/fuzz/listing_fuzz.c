/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what a Prometheus has: whatever comes, texts within their bounds, or
 * an error that can be shown. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "metrics/listing_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct err *err)
{
	assert(err->code > ERR_NONE && err->code < ERR_CODES);
	assert(!strpbrk(err->text, "\n\r\x1b"));
}

static void check_series(const struct listing *listing)
{
	for (size_t i = 0; i < listing->n; i++)
		for (size_t k = 0; k < listing->series[i].n; k++)
			assert(strlen(listing->series[i].label[k].value) <=
				LISTING_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 400, 503};
	const char *const *value;
	struct listing listing;
	struct arena arena;
	struct err err;
	int64_t gap_ms;
	size_t n;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct listing_reply reply = {
			statuses[i], (const char *)data, size};

		err = (struct err){0};
		arena_init(&arena);
		if (listing_decode_series(&reply, &arena, &listing, &err) == 0)
			check_series(&listing);
		else
			check_error(&err);
		if (listing_decode_values(&reply, &arena, &value, &n, &err) < 0)
			check_error(&err);
		if (listing_decode_gap(&reply, &gap_ms, &err) == 0)
			assert(gap_ms >= 0);
		else
			check_error(&err);
		arena_fini(&arena);
	}
	return 0;
}
