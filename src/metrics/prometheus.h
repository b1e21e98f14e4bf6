/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Prometheus (or Thanos, Mimir, VictoriaMetrics, Cloud Monitoring) asked for
 * instant values by POST, or by GET where a proxy knows no POST. Identical
 * queries that are under way at the same moment are asked once.
 */
#ifndef TIDEGATE_METRICS_PROMETHEUS_H
#define TIDEGATE_METRICS_PROMETHEUS_H

#include <stdint.h>

#include "metrics/joint_query.h"
#include "metrics/provider.h"
#include "policy/policy.h"

struct api;
struct prometheus;

/* The policy's metrics for a service of this project, which Google's are when
 * the policy does not name another; project may be NULL otherwise. */
struct metrics prometheus_metrics(
	const struct policy *policy, const char *project);

/* What `metrics` points at is borrowed for the life of the object. */
MUST_CHECK struct prometheus *prometheus_new(const struct api *api,
	const struct metrics *metrics, struct err *err_r);
/* Calls under way are forgotten; not from inside a callback of one. */
void prometheus_free(struct prometheus **prometheus);

/* The query as of metrics->delay_ms ago. timeout_ms 0: that of `metrics`; a
 * call that joins one under way shares its time. The callback as that of
 * metrics/provider.h, and so is the cancel. */
struct provider_call *prometheus_query_start(struct prometheus *prometheus,
	const char *query, int64_t timeout_ms, metric_fn fn, void *arg);

/* The same for raw counters, many series of them: see counter_codec.h. With
 * delta_ms for their growth, as of the latest whole multiple of it. */
struct provider_call *prometheus_counters_start(struct prometheus *prometheus,
	const char *query, int64_t delta_ms, int64_t timeout_ms, metric_fn fn,
	void *arg);

/* The same for several queries at one instant, see joint_query.h: the callback
 * gets a reading for each part, in their order. The roles live for ever. NULL:
 * it was too much for one answer before. */
struct provider_call *prometheus_joint_start(struct prometheus *prometheus,
	const struct joint_part *parts, size_t n, int64_t delta_ms,
	int64_t timeout_ms, metric_fn fn, void *arg);

/* A query over time, evaluated at start, start + step, … up to the end, at
 * most PROMETHEUS_POINTS_MAX times. */
#define PROMETHEUS_POINTS_MAX 11000 /* more are refused by the server */

struct prometheus_range {
	int64_t start_ms, end_ms, step_ms;
};

/* The whole body, for range_codec.h; NULL: err says why. Borrowed. */
typedef void (*prometheus_range_fn)(int status, const char *body, size_t len,
	const struct err *err, void *arg);

/* Like prometheus_query_start; never shared. */
struct provider_call *prometheus_range_start(struct prometheus *prometheus,
	const char *query, const struct prometheus_range *range,
	prometheus_range_fn fn, void *arg);

/* What else its API answers, below /api/v1/: "series", "label/le/values", or
 * "query" for what is no vector. */
struct prometheus_ask {
	const char *path;
	const char *form; /* parameters, escaped; copied */
	bool by_get; /* not every server takes match[] in a form */
	size_t bytes_max; /* of the answer */
};

/* Never shared, either. */
struct provider_call *prometheus_ask_start(struct prometheus *prometheus,
	const struct prometheus_ask *ask, prometheus_range_fn fn, void *arg);

#endif
