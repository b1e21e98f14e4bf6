/* SPDX-License-Identifier: Apache-2.0 */
/* A load, whoever makes it; see load_job.h. */
#include "load/load_job.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "load/k6_run.h"

struct load_job {
	struct load_job_events events;
	struct generator *generator; /* or … */
	struct k6_run *k6;
};

static void job_live(
	const struct tally *tally, const struct tally_now *now, void *arg)
{
	struct load_job *job = arg;

	job->events.live(tally, now, job->events.arg);
}

static void job_generated(
	const struct tally *tally, const struct err *err, void *arg)
{
	struct load_job *job = arg;
	struct load_figures figures;

	tally_figures(tally, &figures);
	job->events.over(err ? NULL : &figures, err, job->events.arg);
}

static void job_k6_over(
	const struct load_figures *figures, const struct err *err, void *arg)
{
	struct load_job *job = arg;

	job->events.over(figures, err, job->events.arg);
}

struct load_job *load_job_start(struct loop *loop, const struct load_spec *spec,
	const struct load_job_events *events, struct err *err_r)
{
	struct load_job *job = xcalloc(1, sizeof(*job));
	struct generator_events generated = {job_live, job_generated, job};

	job->events = *events;
	if (spec->k6)
		job->k6 = k6_start(loop, spec->k6, job_k6_over, job, err_r);
	else
		job->generator = generator_start(loop, spec, &generated, err_r);
	if (!job->k6 && !job->generator)
		load_job_free(&job);
	return job;
}

void load_job_stop(struct load_job *job)
{
	struct load_figures figures = {.generator = "k6",
		.p50_ms = -1,
		.p95_ms = -1,
		.p99_ms = -1,
		.max_ms = -1,
		.mean_ms = -1,
		.stopped = true};

	if (job->generator) {
		generator_stop(job->generator);
		return;
	}
	k6_free(&job->k6);
	job->events.over(&figures, NULL, job->events.arg);
}

void load_job_free(struct load_job **job)
{
	if (!*job)
		return;
	generator_free(&(*job)->generator);
	k6_free(&(*job)->k6);
	free(*job);
	*job = NULL;
}
