/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that nobody can guess, of the kernel: for tokens and identifiers. */
#ifndef TIDEGATE_IO_RANDOM_H
#define TIDEGATE_IO_RANDOM_H

#include <stddef.h>

void random_bytes(void *bytes, size_t len);

#endif
