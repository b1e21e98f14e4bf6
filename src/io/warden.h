/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of what a child has started itself, when we die. The kernel kills a
 * child with its parent, and no grandchild: an action's shell would be gone and
 * what it runs would go on, beside the same action of whoever resumes. A warden
 * is a process of the child's group that waits for our death and kills all of it.
 * It is there before the child runs anything: whoever dies or is stopped between
 * the two would leave a child to itself.
 *
 * Where that is wanted it does the same when we are stopped for long, since who is
 * stopped cannot end what it has started.
 */
#ifndef TIDEGATE_IO_WARDEN_H
#define TIDEGATE_IO_WARDEN_H

#include <stdint.h>
#include <sys/types.h>

/* Whom it watches. */
struct charge {
	pid_t parent;
	int64_t stopped_s_max; /* 0: for ever */
	char stat[32]; /* of the parent, in /proc */
};

/* Us. `stopped_ms_max`: so long we may be stopped, in whole seconds; 0: for
 * ever. */
void charge_set(struct charge *charge, int64_t stopped_ms_max);

/* In a child of vfork that leads its group, with all signals blocked: a warden of
 * this group, which is a child of ours as well. 0: no process could be made. */
pid_t warden_start(const struct charge *charge);
/* The same by ourselves, when the child is its program already: where there is
 * none yet. With all signals blocked, too. */
pid_t warden_start_late(const struct charge *charge, pid_t group);
/* It goes, and nobody else; it may be gone already. */
void warden_stop(pid_t *warden);

#endif
