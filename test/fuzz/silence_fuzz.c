/* Silences: what is found is ours and can be part of a path. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "action/silence_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct matcher matcher = {"service", "shop", false, true};
	struct silence_spec spec = {&matcher, 1, "tidegate r", "why", 0};
	struct silence_found found[SILENCES_OURS_MAX];
	char id[SILENCE_ID_MAX];
	struct err err = {.code = ERR_NONE};
	size_t n;

	if (silence_find(&spec, (const char *)data, size, found, &n, &err) ==
		0) {
		assert(n <= SILENCES_OURS_MAX);
		for (size_t i = 0; i < n; i++)
			assert(*found[i].id && !strpbrk(found[i].id, "/?.%"));
	}
	if (silence_decode_id((const char *)data, size, id, &err) == 0)
		assert(*id && !strpbrk(id, "/?.%"));
	return 0;
}
