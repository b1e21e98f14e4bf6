/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load in the foreground: runs an order on a loop of its own, shows it as it
 * goes, and prints what came of it. Stops at a signal, and when who gave the
 * order is gone.
 */
#ifndef TIDEGATE_CLI_LOAD_SESSION_H
#define TIDEGATE_CLI_LOAD_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The order is a line of JSON, see action/load_codec.h. Text: progress on stderr,
 * the result on stdout; `json`: all of it on stdout. Returns the exit status;
 * -1: it could not be done. */
MUST_CHECK int load_session_run(
	const char *order, size_t len, bool json, struct err *err_r);

/* The same for an order that comes on standard input, whose end stops it. */
MUST_CHECK int load_session_obey(struct err *err_r);

#endif
