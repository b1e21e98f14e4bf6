/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as it is proposed, and as it is written, with the reasons beside each
 * choice. Pure.
 */
#ifndef TIDEGATE_INIT_PROPOSAL_H
#define TIDEGATE_INIT_PROPOSAL_H

#include "init/find.h"
#include "init/pace.h"
#include "init/week.h"

/* A limit and where it comes from. */
struct proposed_limit {
	double value; /* a share, or seconds */
	bool is_measured; /* else the usual one */
	struct week week; /* what there was of it, n 0: nothing */
	int chance; /* failures in `pace.expected`; 0: not looked at */
	bool is_raised; /* by chance, or not to lie below the least that is useful */
	/* So much more than stable at the same time, or so many times as long;
	 * 0: it is not compared, since the limit alone is as narrow. */
	double beyond_stable;
};

/* All borrowed. */
struct proposal {
	const char *project, *region, *service;
	const char *stable; /* "": not known */
	const char *when; /* today */

	bool is_managed; /* Cloud Monitoring is asked */
	const char *url; /* as it is written, ${VAR} and all */
	const char *token_file; /* NULL: none */
	const char *selector; /* more matchers; "": none */
	const struct found_metric *counter, *histogram; /* NULL: not asked */
	const char *unit; /* of the histogram */
	bool is_evidence;

	int64_t gap_ms; /* between samples; 0: not known */
	struct week_traffic traffic;
	struct pace pace;
	struct proposed_limit errors, latency;
	double quantile; /* of the latency's week */
	double last_bound; /* seconds, of the histogram; 0: not known */
	const char *path; /* of the smoke probe */
};

/* Takes the two weeks to limits: those of `is_measured` are set by it. */
void proposal_set_limits(struct proposal *proposal);

/* Which quantile of stable's latency the 95th of so few requests may come to. */
double proposal_quantile(double requests);

/* Whether the metric is asked by the presets for Cloud Run's own. */
bool proposal_is_cloud_run(
	const struct proposal *proposal, const struct found_metric *metric);

/* The policy. */
void proposal_print(const struct proposal *proposal, struct buf *out);

/* ---- what the week is asked ---- */

enum proposal_query {
	PROPOSAL_RATES, /* requests a second, by the hour */
	PROPOSAL_REQUESTS, /* in a window */
	PROPOSAL_FAILURES, /* in a window */
	PROPOSAL_LATENCY, /* in the unit of the histogram */
	PROPOSAL_QUERIES
};

/* By revision; false: there is nothing to ask. */
bool proposal_query_print(const struct proposal *proposal,
	enum proposal_query query, struct buf *out);

/* Cloud Run's own metrics, as Cloud Monitoring has them. */
extern const struct found_metric proposal_cloud_counter,
	proposal_cloud_histogram;

#endif
