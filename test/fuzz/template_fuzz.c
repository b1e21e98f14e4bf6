/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: literals come out as they went in, whatever stands around them;
 * values are never looked into. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/template.h"

#define TEXT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(struct buf *out, const char *text,
	const struct template_values *values, enum template_escape escape)
{
	buf_clear(out);
	template_render(out, text, values, escape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = xmemdup0(data, size);
	const struct template_values values = {.reason = bytes};
	const size_t len = strlen(bytes);
	struct buf text, out;

	buf_init(&text, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	template_add_literal(&text, bytes, len);
	buf_adds(&text, "{{reason}}");
	render(&out, text.data, &values, ESCAPE_NONE);
	assert(text.overflow || out.overflow ||
		(out.len == 2 * len && !memcmp(out.data, bytes, len) &&
			!memcmp(out.data + len, bytes, len)));
	for (enum template_escape e = ESCAPE_NONE; e <= ESCAPE_PATH; e++)
		if (!template_check(bytes, NULL, NULL))
			render(&out, bytes, &values, e);
	buf_fini(&out);
	buf_fini(&text);
	free(bytes);
	return 0;
}
