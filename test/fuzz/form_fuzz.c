/* SPDX-License-Identifier: Apache-2.0 */
/* What HTML forms send. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct form form;
	struct err err;

	arena_init(&arena);
	if (form_parse((const char *)data, size, &arena, &form, &err) == 0) {
		assert(form.n <= FORM_FIELDS_MAX);
		for (size_t i = 0; i < form.n; i++) {
			assert(*form.fields[i].name);
			assert(form_get(&form, form.fields[i].name) ==
				form.fields[i].value);
		}
	} else {
		assert(*err.text && !strpbrk(err.text, "\n\r\x1b"));
	}
	arena_fini(&arena);
	return 0;
}
