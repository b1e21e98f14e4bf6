/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queries of one SLO, asked together: its value, its baseline, how many
 * requests there were. Makes answers; what they mean is the engine's business.
 */
#ifndef TIDEGATE_METRICS_MEASUREMENT_H
#define TIDEGATE_METRICS_MEASUREMENT_H

#include "engine/check.h"
#include "metrics/counters.h"
#include "policy/template.h"

struct measurement;
struct metrics_pool;

struct measurement_end {
	struct answers answers;
	const char *query[QUERY_ROLES]; /* resolved; NULL: not asked */
	size_t series[QUERY_ROLES]; /* that were answered */
	const struct counter_answer *counters; /* by role */
	int64_t asked_ms; /* the time they are of, on the wall clock */
	const char *trouble; /* all that went wrong, or "" */
	bool wrong; /* a query does not parse or yields several series */
	bool retryable; /* all trouble may pass */
	const char *warnings; /* of the provider, or "" */
	int64_t latency_us; /* of the slowest */
};

/* The end is borrowed for the call. */
typedef void (*measurement_fn)(const struct measurement_end *end, void *arg);

/* What is measured, and about whom. Borrowed for the start. */
struct measurement_what {
	const struct policy *policy;
	const struct slo *slo; /* of the policy */
	const char *project; /* of the service */
	/* {{revision}} is set by each query's role. */
	const struct template_values *values;
};

/* The callback runs exactly once, later, never after the cancel. */
struct measurement *measurement_start(struct metrics_pool *pool,
	const struct measurement_what *what, measurement_fn fn, void *arg);
void measurement_cancel(
	struct measurement **measurement); /* NULL inside is accepted */

#endif
