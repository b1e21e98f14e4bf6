/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that expectations are held against, with numbers of any size. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "action/expect_codec.h"
#include "base/json_numbers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_expect expects[] = {
		{.pointer = "", .exists = true},
		{.pointer = "/a/0", .exists = true},
		{"/n", false, "18446744073709551615", JSON_GREATER},
	};
	const char *bytes = (const char *)data;
	struct buf tamed, again;
	struct err err;

	for (size_t i = 0; i < sizeof(expects) / sizeof(*expects); i++)
		(void)!json_expect_meet(&expects[i], 1, bytes, size, &err);
	buf_init(&tamed, 2 * size + 64);
	buf_init(&again, 4 * size + 256);
	buf_adds(&tamed, "");
	/* Nothing is left to be tamed. */
	if (json_numbers_tame(bytes, size, &tamed))
		assert(tamed.overflow ||
			!json_numbers_tame(tamed.data, tamed.len, &again));
	buf_fini(&tamed);
	buf_fini(&again);
	return 0;
}
