/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host names to addresses without blocking the loop: /etc/hosts and the name
 * servers of /etc/resolv.conf. For clients whose own library would block.
 */
#ifndef TIDEGATE_IO_RESOLVE_H
#define TIDEGATE_IO_RESOLVE_H

#include "base/err.h"

struct loop;
struct resolve;

/* `address` is one in numbers, for the callback only; NULL: err says why. */
typedef void (*resolve_fn)(
	const char *address, const struct err *err, void *arg);

/* Like http_start: the callback runs exactly once, later. */
struct resolve *resolve_start(
	struct loop *loop, const char *host, resolve_fn fn, void *arg);
void resolve_cancel(struct resolve **resolve);

#endif
