/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon with its doors, from its start to the signal that ends it. */
#ifndef TIDEGATE_SERVE_SERVE_H
#define TIDEGATE_SERVE_SERVE_H

#include "base/buf.h"
#include "base/err.h"

struct daemon;
struct serve_config;

struct serve_events {
	/* Once, when requests and signals are taken: at which address, and what
	 * lets whoever started it in, once, with a browser; NULL: nothing
	 * does. */
	void (*ready)(const char *address, const char *invitation, void *arg);
	/* Right after that, and before the daemon is closed; NULL: nobody works
	 * with it. */
	void (*begin)(struct daemon *daemon, void *arg);
	void (*end)(void *arg);
	void *arg;
	/* SIGHUP: it ends with its terminal, but for nohup(1). */
	bool hangup_ends;
};

/* Until SIGINT or SIGTERM: 0, or -1 with err_r, and what is wrong with policies
 * in `problems`. SIGHUP reads the policies again. */
MUST_CHECK int serve_run(const struct serve_config *config,
	const struct serve_events *events, struct buf *problems,
	struct err *err_r);

#endif
