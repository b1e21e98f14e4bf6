/* SPDX-License-Identifier: Apache-2.0 */
/* Error bodies: whatever comes, the message is one printable line. The first
 * two bytes are the status. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cloudrun/service_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {.code = ERR_NONE};
	const unsigned char *c;
	json_t *text;
	int status;

	if (size < 2)
		return 0;
	status = 300 + (data[0] << 8 | data[1]) % 300;
	google_error_decode(
		status, (const char *)data + 2, size - 2, data[0], &err);
	assert(err.code != ERR_NONE && err.retry_after_ms >= 0);
	for (c = (const unsigned char *)err.text; *c; c++)
		assert(*c >= ' ' && *c != 0x7f);
	text = json_string(err.text);
	assert(text); /* valid UTF-8: the journal takes it */
	json_decref(text);
	return 0;
}
