/*
 * Who holds a lease: a process that can be told from every other one, also
 * from a later one with the same number, and found dead without asking it.
 */
#ifndef TIDEGATE_STORE_HOLDER_H
#define TIDEGATE_STORE_HOLDER_H

#include <stdbool.h>
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

/* Only when that is certain: another host, another boot, another namespace
 * (a container) or a process that may not be looked at is not dead. */
bool holder_is_dead(const struct holder *holder);

#endif
