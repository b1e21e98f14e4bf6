/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), as Google's APIs ask for it. Pure. */
#ifndef TIDEGATE_BASE_CRC32C_H
#define TIDEGATE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* "123456789" gives 0xe3069283. */
uint32_t crc32c(const void *bytes, size_t len);

#endif
