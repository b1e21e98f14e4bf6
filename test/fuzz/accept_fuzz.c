/* SPDX-License-Identifier: Apache-2.0 */
/* The header Accept: a weight is one, and what stands beside lowers none. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/accept.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup0(data, size), *more;
	int weight = accept_weight(text, "text/plain", "0.0.4");

	assert(weight >= 0 && weight <= ACCEPT_MAX);
	more = xasprintf("text/plain;q=0.5 , %s", text);
	assert(accept_weight(more, "text/plain", "0.0.4") >=
		(weight > 500 ? weight : 500));
	free(more);
	free(text);
	return 0;
}
