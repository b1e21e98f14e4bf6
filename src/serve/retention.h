/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes what the configuration does not keep any longer: ended rollouts, a
 * few at a time, beside the loop. */
#ifndef TIDEGATE_SERVE_RETENTION_H
#define TIDEGATE_SERVE_RETENTION_H

#include <stdint.h>

struct desk;
struct loop;
struct retention;

/* `keep_ms` 0: everything is kept. Both are borrowed. */
struct retention *retention_new(
	struct loop *loop, struct desk *desk, int64_t keep_ms);
/* Before the desk is freed, whose last answer is still heard. */
void retention_stop(struct retention *retention);
void retention_free(struct retention **retention);

#endif
