/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load from its order to its end, whoever makes it: our own generator, or k6.
 * Prints nothing.
 */
#ifndef TIDEGATE_LOAD_LOAD_JOB_H
#define TIDEGATE_LOAD_LOAD_JOB_H

#include "load/generator.h"

struct load_job;

struct load_job_events {
	/* Each second, of our own generator. */
	void (*live)(const struct tally *tally, const struct tally_now *now,
		void *arg);
	/* Once, later or from within load_job_stop; figures NULL: `err` says why
	 * it could not be done. Does not free the job. */
	void (*over)(const struct load_figures *figures, const struct err *err,
		void *arg);
	void *arg;
};

/* `spec` is borrowed. NULL: it cannot be begun. */
MUST_CHECK struct load_job *load_job_start(struct loop *loop,
	const struct load_spec *spec, const struct load_job_events *events,
	struct err *err_r);
/* At once: no request leaves after this. */
void load_job_stop(struct load_job *job);
void load_job_free(struct load_job **job); /* NULL inside is accepted */

#endif
