/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts are this machine: the only ones that plain http may go to. Pure. */
#ifndef TIDEGATE_BASE_LOOPBACK_H
#define TIDEGATE_BASE_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

/* "localhost", an address of 127.0.0.0/8 in its usual form, "[::1]" as it
 * stands in a URL. No name is looked up. */
bool loopback_host(const char *host, size_t len);

#endif
