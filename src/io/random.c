/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's randomness; see random.h. It waits at most at the machine's
 * start, until there is some. */
#include "io/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void random_bytes(void *bytes, size_t len)
{
	unsigned char *at = bytes;
	ssize_t n;

	while (len) {
		n = getrandom(at, len, 0);
		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
}
