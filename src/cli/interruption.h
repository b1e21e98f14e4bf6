/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells a command that follows a daemon to stop: signals, and a key. It is
 * noted, and cuts short what is waited for. Only in the program tidegate-remote.
 */
#ifndef TIDEGATE_CLI_INTERRUPTION_H
#define TIDEGATE_CLI_INTERRUPTION_H

#include "base/err.h"

struct wire;

struct interruption {
	struct wire *wire;
	const char *what; /* "SIGINT"; NULL: none, or it is dealt with */
	int n; /* so far */
};

/* From now on, for the life of the wire. */
MUST_CHECK int interruption_await(struct interruption *interruption,
	struct wire *wire, struct err *err_r);
void interruption_note(struct interruption *interruption, const char *what);

#endif
