/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program of ours that runs beside this one from before the loop to
 * after it. These calls wait; beside a loop use io/process.h.
 *
 * It is in a process group of its own, so that a signal from the terminal is
 * not for it, and is killed when this process dies, however suddenly.
 */
#ifndef TIDEGATE_IO_COMPANION_H
#define TIDEGATE_IO_COMPANION_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define COMPANION_GRACE_MS 2000 /* from SIGTERM to SIGKILL */

struct companion;

/* Runs the program of this path, and waits for the first line that it prints,
 * which is appended to `line`. To be called before there are threads. */
MUST_CHECK struct companion *companion_start(const char *const *argv,
	int64_t wait_ms, struct buf *line, struct err *err_r);
/* Ends it and waits for that. NULL inside is accepted. */
void companion_stop(struct companion **companion);

#endif
