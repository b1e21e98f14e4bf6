/* SPDX-License-Identifier: Apache-2.0 */
/* Silences: what is found is ours and can be part of a path. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "action/silence_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct matcher matcher = {"service", "shop", false, true};
	struct silence_spec spec = {&matcher, 1, "r", "tidegate r", "why", 0};
	struct silences_found found;
	char id[SILENCE_ID_MAX];
	struct err err = {.code = ERR_NONE};

	if (silence_find(&spec, (const char *)data, size, &found, &err) == 0) {
		assert(found.n <= SILENCES_OURS_MAX);
		for (size_t i = 0; i < found.n; i++)
			assert(*found.item[i].id &&
				!strpbrk(found.item[i].id, "/?.%"));
		assert(!strpbrk(found.ended, "/?.%"));
	}
	if (silence_decode_id((const char *)data, size, id, &err) == 0)
		assert(*id && !strpbrk(id, "/?.%"));
	return 0;
}
