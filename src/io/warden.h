/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of what a child has started itself, when we die. The kernel kills a
 * child with its parent, and no grandchild: an action's shell would be gone and
 * what it runs would go on, beside the same action of whoever resumes. A warden
 * is a process of the child's group that waits for our death and kills all of it.
 *
 * Where that is wanted it does the same when we are stopped for long, since who is
 * stopped cannot end what it has started.
 */
#ifndef TIDEGATE_IO_WARDEN_H
#define TIDEGATE_IO_WARDEN_H

#include <stdint.h>
#include <sys/types.h>

/* 0: there is none, since no process could be made. `stopped_ms_max`: so long we
 * may be stopped, in whole seconds; 0: for ever. */
pid_t warden_start(pid_t group, int64_t stopped_ms_max);
/* It goes, and nobody else; it may be gone already. */
void warden_stop(pid_t *warden);

#endif
