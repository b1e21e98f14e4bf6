/* SPDX-License-Identifier: Apache-2.0 */
/* From a measurement to EVENT_CHECK; see check_run.h. */
#include "live/check_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "live/release.h"
#include "metrics/counting.h"
#include "store/event_codec.h"

struct check_run {
	int slo;
	const struct slo *what; /* of the policy */
	struct counting *counting;
	struct measurement *measurement;
	event_fn fn;
	void *arg;
};

static void check_run_answered(const struct measurement_end *end, void *arg);

struct check_run *check_run_start(struct world *world,
	const struct measure_what *what, struct counting *counting, event_fn fn,
	void *arg)
{
	struct check_run *run = xcalloc(1, sizeof(*run));

	run->slo = what->slo;
	run->what = &what->release->policy->slos[what->slo];
	run->counting = counting;
	run->fn = fn;
	run->arg = arg;
	run->measurement = measure_start(world, what, check_run_answered, run);
	return run;
}

static void check_run_answered(const struct measurement_end *end, void *arg)
{
	struct check_run run = *(struct check_run *)arg;
	struct event event = {
		.type = EVENT_CHECK,
		.slo = run.slo,
		.answers = end->answers,
		.latency_ms = end->latency_us / 1000,
		.text = *end->trouble ? end->trouble : NULL,
	};
	struct check_counts counts;
	struct err err;
	struct event_context context = {
		.warnings = *end->warnings ? end->warnings : NULL,
	};

	memcpy(context.query, end->query, sizeof(context.query));
	if (run.counting &&
		counting_check(run.counting, run.what, end->asked_ms,
			end->counters, &event.answers, &counts, &err) < 0)
		event.text = err.text;
	free(arg);
	run.fn(&event, &context, run.arg);
}

void check_run_cancel(struct check_run **run)
{
	if (!*run)
		return;
	measurement_cancel(&(*run)->measurement);
	free(*run);
	*run = NULL;
}
