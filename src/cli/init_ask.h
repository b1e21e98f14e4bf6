/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `tidegate init` asks a Prometheus for before it knows what to measure:
 * series, bounds of buckets, raw samples. The answers are listing_codec.h's.
 */
#ifndef TIDEGATE_CLI_INIT_ASK_H
#define TIDEGATE_CLI_INIT_ASK_H

#include "init/proposal.h"
#include "metrics/prometheus.h"

struct init_ask {
	struct prometheus *prometheus; /* borrowed */
	const struct proposal *proposal; /* selector and stable; borrowed */
	int64_t now_ms;
	prometheus_range_fn fn; /* as that of prometheus_ask_start */
	void *arg;
};

/* Metrics of requests of the last day: stable's by its usual labels, since a
 * server with many services has too many others; *is_wide: all of them, to say
 * what is missing. It is set where a long selector is narrow enough. */
struct provider_call *init_ask_series(
	const struct init_ask *ask, bool *is_wide);

/* The bounds of its buckets tell a histogram's unit and where it ends. */
struct provider_call *init_ask_bounds(
	const struct init_ask *ask, const struct found_metric *histogram);

/* Raw samples of stable's series tell how often they are scraped. */
struct provider_call *init_ask_samples(
	const struct init_ask *ask, const struct found_metric *counter);

#endif
