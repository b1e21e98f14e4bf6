/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a script of k6, with this process's environment, and reads what it says.
 * k6 is another project's program (AGPL): it is called, never linked.
 */
#ifndef TIDEGATE_LOAD_K6_RUN_H
#define TIDEGATE_LOAD_K6_RUN_H

#include "base/err.h"
#include "load/figures.h"

struct k6_run;
struct loop;

/* Once: what it judged, or `err`. Both are borrowed for the callback, which
 * does not free the run. */
typedef void (*k6_fn)(
	const struct load_figures *figures, const struct err *err, void *arg);

/* NULL: it cannot be begun. */
MUST_CHECK struct k6_run *k6_start(struct loop *loop, const char *script,
	k6_fn fn, void *arg, struct err *err_r);
void k6_free(struct k6_run **run); /* stops it; NULL inside is accepted */

#endif
