/* SPDX-License-Identifier: Apache-2.0 */
/* PromQL seen from outside: a flaw has a place in the text and is said. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/promql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup0(data, size), why[PROMQL_WHY_MAX] = "";
	struct promql_look look;
	size_t at = SIZE_MAX;

	if (!promql_is_balanced(text, &at, why))
		assert(at < strlen(text) && *why && !promql_is_selector(text));
	promql_look(text, &look);
	assert(!look.is_share || !look.is_percent);
	free(text);
	return 0;
}
