/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, which says whether bytes are those that were seen before. */
#ifndef TIDEGATE_IO_DIGEST_H
#define TIDEGATE_IO_DIGEST_H

#include <stddef.h>

#define DIGEST_BYTES    32
#define DIGEST_TEXT_MAX 65 /* hex digits and the NUL */

void digest_bytes(
	const void *bytes, size_t len, unsigned char digest[DIGEST_BYTES]);

/* Returns `text`. */
const char *digest_text(
	const void *bytes, size_t len, char text[DIGEST_TEXT_MAX]);

#endif
