/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hiredis on our loop: what its asynchronous API asks of an event library.
 */
#ifndef TIDEGATE_ACTION_REDIS_ATTACH_H
#define TIDEGATE_ACTION_REDIS_ATTACH_H

#include <hiredis/async.h>
#include <stddef.h>

#define REDIS_UNREAD_MAX (64 * 1024 * 1024) /* bytes of one reply */

struct loop;

/* From now on the context reads and writes by itself until it is freed. A
 * reply that grows beyond REDIS_UNREAD_MAX is told to `too_large`, from a turn
 * of its own; the context is then to be freed there. */
void redis_attach(struct loop *loop, redisAsyncContext *context,
	void (*too_large)(redisAsyncContext *context));

#endif
