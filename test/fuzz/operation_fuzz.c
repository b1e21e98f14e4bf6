/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: one that failed is done and says why. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cloudrun/service_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct operation operation;
	struct err err = {.code = ERR_NONE};

	if (operation_decode((const char *)data, size, &operation, &err) < 0) {
		assert(err.code == ERR_PROTOCOL);
		return 0;
	}
	assert(!operation.failed || operation.done);
	assert(operation.failed == (err.code != ERR_NONE));
	assert(!strstr(operation.name, "/."));
	operation_fini(&operation);
	return 0;
}
