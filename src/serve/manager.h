/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon tells the service manager that started it: that it is ready,
 * what it does, that it lives. Where there is none it tells nobody.
 */
#ifndef TIDEGATE_SERVE_MANAGER_H
#define TIDEGATE_SERVE_MANAGER_H

#include "base/err.h"

struct daemon;
struct manager;

/* Before anything that has children. The daemon is borrowed. */
MUST_CHECK struct manager *manager_new(
	struct daemon *daemon, struct err *err_r);
void manager_free(struct manager **manager);

/* From now on it also hears, from the loop, what is driven and that we live. */
void manager_ready(struct manager *manager);
/* A reload begins; manager_ready when it is over. */
void manager_reloading(struct manager *manager);
void manager_stopping(struct manager *manager);

#endif
