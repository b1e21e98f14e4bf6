/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C, four bits at a time: values are short, the table is small. */
#include "base/crc32c.h"

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t shift(uint32_t crc)
{
	return crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
}

uint32_t crc32c(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t table[16], crc = 0xffffffffu;

	for (uint32_t i = 0; i < 16; i++)
		table[i] = shift(shift(shift(shift(i))));
	for (; len; len--, p++) {
		crc ^= *p;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}
