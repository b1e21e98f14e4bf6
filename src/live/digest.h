/* The digest under which a policy is kept: SHA-256 of its bytes. */
#ifndef TIDEGATE_LIVE_DIGEST_H
#define TIDEGATE_LIVE_DIGEST_H

#include <stddef.h>

#define DIGEST_TEXT_MAX 65 /* hex digits and the NUL */

/* Returns `text`. */
const char *digest_text(
	const void *bytes, size_t len, char text[DIGEST_TEXT_MAX]);

#endif
