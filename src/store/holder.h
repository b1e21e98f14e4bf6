/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds a lease: a process that can be told from every other one, also
 * from a later one with the same number, and found dead without asking it.
 */
#ifndef TIDEGATE_STORE_HOLDER_H
#define TIDEGATE_STORE_HOLDER_H

#include <stdint.h>

#define HOLDER_TEXT_MAX 72

struct holder {
	char host[HOLDER_TEXT_MAX];
	char boot[HOLDER_TEXT_MAX]; /* the kernel's boot id; "" unknown */
	char pid_space[HOLDER_TEXT_MAX]; /* namespace of `pid`; "" unknown */
	int64_t pid;
	int64_t start; /* clock ticks from boot to its start; 0 unknown */
};

void holder_self(struct holder *holder_r);

/* Dead and alive only when that is certain: of a process on another host, of
 * another boot, in another namespace (a container), or one that is stopped or
 * may not be looked at nothing is known. */
enum holder_state { HOLDER_UNKNOWN, HOLDER_ALIVE, HOLDER_DEAD };
enum holder_state holder_state(const struct holder *holder);

#endif
