/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of what a child has started itself, when we die. The kernel kills a
 * child with its parent, and no grandchild: an action's shell would be gone and
 * what it runs would go on, beside the same action of whoever resumes. A warden
 * is a process of the child's group that waits for our death and kills all of it.
 */
#ifndef TIDEGATE_IO_WARDEN_H
#define TIDEGATE_IO_WARDEN_H

#include <sys/types.h>

/* 0: there is none, since no process could be made. */
pid_t warden_start(pid_t group);
/* It goes, and nobody else; it may be gone already. */
void warden_stop(pid_t *warden);

#endif
