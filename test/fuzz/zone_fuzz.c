/* SPDX-License-Identifier: Apache-2.0 */
/* Files of time zones: whatever comes, offsets stay within a day or so, and a
 * freeze by it ends after it began. */
#include <assert.h>
#include <stdint.h>

#include "policy/freeze.h"

#define OFFSET_S_MAX (170 * 3600) /* of a rule; a table has less */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_times(const struct zone *zone)
{
	const struct freeze list[] = {
		{.weekly = true, .from_s = 403200, .to_s = 25200, .zone = zone},
		{.from_s = 1796000000, .to_s = 1797000000, .zone = zone}};
	const struct freezes freezes = {list, 2};

	for (int64_t t = -3000000000; t < 8000000000; t += 86399 * 37) {
		int64_t until = freeze_until_ms(&freezes, t * 1000);
		int offset_s = zone_offset_s(zone, t);

		assert(offset_s <= OFFSET_S_MAX && offset_s >= -OFFSET_S_MAX);
		assert(!until || until > t * 1000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct zone zone;
	struct err err;

	arena_init(&arena);
	if (zone_parse("Fuzz/Zone", data, size, &arena, &zone, &err) == 0)
		check_times(&zone);
	else
		assert(err.code == ERR_POLICY);
	arena_fini(&arena);
	return 0;
}
