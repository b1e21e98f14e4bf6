/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told to the service manager that started this process (sd_notify(3)):
 * a datagram each, never waited for. Without a manager all of it does nothing.
 */
#ifndef TIDEGATE_IO_NOTIFY_H
#define TIDEGATE_IO_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define NOTIFY_STATUS_MAX \
	256 /* bytes of a status with its NUL; then it is cut */

struct notify;

/* Out of the environment, whose variables are taken away: children tell the
 * manager nothing. An address that is none is an error. */
MUST_CHECK struct notify *notify_new(struct err *err_r);
void notify_free(struct notify **notify);
bool notify_is_heard(const struct notify *notify); /* there is a manager */

void notify_ready(struct notify *notify);
/* Before a reload; notify_ready after it. */
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify);
/* One line for people: "driving 12 rollouts, 1 waits for approval". */
void notify_status(struct notify *notify, const char *text);

/* How often to say that we live: twice in the time after which the manager
 * takes us for dead; 0: it does not look. */
int64_t notify_alive_every_ms(const struct notify *notify);
void notify_alive(struct notify *notify);

#endif
