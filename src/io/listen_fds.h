/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that a service manager handed over (sd_listen_fds(3)): which they
 * are, by name. They listen already and stay the manager's: closed here, never
 * shut down.
 */
#ifndef TIDEGATE_IO_LISTEN_FDS_H
#define TIDEGATE_IO_LISTEN_FDS_H

#include "base/err.h"

#define LISTEN_FDS_START 3
#define LISTEN_FDS_MAX   8

struct listen_fds {
	int fds[LISTEN_FDS_MAX];
	int n;
};

/* Those of that name, NULL: all; none is an error. Each is a stream socket that
 * listens, does not block and is not inherited further. The variables are taken
 * out of the environment: children are told of none. */
MUST_CHECK int listen_fds_take(
	const char *name, struct listen_fds *fds_r, struct err *err_r);

#endif
