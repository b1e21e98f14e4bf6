/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon with its doors, from its start to the signal that ends it. */
#ifndef TIDEGATE_SERVE_SERVE_H
#define TIDEGATE_SERVE_SERVE_H

#include "base/buf.h"
#include "base/err.h"

struct serve_config;

/* Told once, when requests are taken: at which address, and what lets whoever
 * started it in, once, with a browser; NULL: nothing does. */
typedef void (*serve_ready_fn)(
	const char *address, const char *invitation, void *arg);

/* Until SIGINT or SIGTERM: 0, or -1 with err_r, and what is wrong with policies
 * in `problems`. SIGHUP reads the policies again. */
MUST_CHECK int serve_run(const struct serve_config *config,
	serve_ready_fn ready, void *arg, struct buf *problems,
	struct err *err_r);

#endif
