/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page of metrics is made of: shared by the files that count
 * (metrics_page.c, metrics_entry.c) and the one that prints. Private to them.
 */
#ifndef TIDEGATE_SERVE_METRICS_PARTS_H
#define TIDEGATE_SERVE_METRICS_PARTS_H

#include "io/server.h"
#include "policy/policy_action.h"
#include "serve/metrics_page.h"
#include "status/recovery.h"

/* Series of a service without SLOs, while it is being released, and of each
 * SLO: what metrics_print.c prints at most. */
#define METRICS_SERVICE_SERIES 44
#define METRICS_SLO_SERIES     9
#define METRICS_SLOS_MAX       32 /* of a service; more share the last one's */

#define METRICS_OTHER      "_other"
#define METRICS_LABELS_MAX 1024 /* of one series */

/* Ends of phases, as labels have them. */
#define METRICS_OUTCOMES (PHASES - PHASE_PROMOTED)

/* Of a decision: what the engine says of it comes first. */
enum decision_fate {
	RESULT_TAKEN,
	RESULT_REFUSED,
	RESULT_DENIED,
	RESULT_MOVED_ON,
	DECISION_FATES
};

/* Reads of the service that failed count beside the results of writes. */
#define ATTEMPT_UNREAD  WRITE_RESULTS
#define ATTEMPT_RESULTS (WRITE_RESULTS + 1)

#define HISTOGRAM_BUCKETS 12 /* without +Inf */

struct metrics_histogram {
	uint64_t bucket[HISTOGRAM_BUCKETS + 1]; /* each alone; the last: +Inf */
	double sum;
};

/* The bounds that histograms have. */
extern const double metrics_bounds_short[HISTOGRAM_BUCKETS]; /* 0.5 ms … 10 s */
extern const double metrics_bounds_long[HISTOGRAM_BUCKETS]; /* 1 s … 1 day */

struct metrics_slo {
	char *name;
	uint64_t checks[OUTCOME_ERROR + 1]; /* by outcome */
	double success_s, interval_s; /* NaN: none, as with those below */
	double value, limit, stable;
};

struct metrics_service {
	char *full;
	char *labels; /* project="…",region="…",service="…" */
	struct metrics_slo *slos;
	size_t n_slos;
	uint64_t ended[METRICS_OUTCOMES], reverts[CAUSES];
	uint64_t attempts[ATTEMPT_RESULTS], drift;
	int64_t drill_ms; /* 0: none */

	/* The rollout that was last there; NULL: none was. */
	char *id, *candidate, *stable;
	bool driven; /* here and now */
	enum phase phase;
	int64_t phase_ms;
	int percent;
	int64_t over_ms; /* when it ended, or was given up; 0 */
};

/* One that is driven here. */
struct metrics_rollout {
	struct metrics_page *page;
	struct metrics_service *service; /* its own, or that of all others */
	const struct policy *policy; /* borrowed */
	char *id;
	size_t at; /* in the page's list */
	enum phase phase; /* as of the last entry; PHASES: there was none */
	int64_t began_ms, phase_ms, last_ms;
	int64_t revert_ms; /* since when it reverts; 0: it does not */
	enum verb verb; /* decided, not yet known whether taken; VERBS */
	int64_t committed_ms; /* 0: not known */
	struct recovery recovery;
};

struct metrics_route {
	const char *route;
	int status;
	uint64_t n;
};

struct metrics_page {
	struct metrics_service **services; /* in the order they came */
	size_t n_services, size_services, n_series;
	struct metrics_service other;
	struct metrics_rollout **rollouts; /* those that are driven */
	size_t n_rollouts, size_rollouts;

	uint64_t writes[WRITE_RESULTS];
	uint64_t actions[ACTION_KINDS][ACTION_RESULTS];
	uint64_t decisions[VERBS][DECISION_FATES];
	struct metrics_histogram check_duration, check_lateness;
	struct metrics_histogram revert_duration, store_commit, loop_lag;
	struct metrics_histogram lead_time, restore_time;
	struct metrics_histogram rollout_duration[METRICS_OUTCOMES];
	uint64_t journal_errors, lease_failures;
	struct server_counts server;
	struct metrics_route route[METRICS_ROUTES_MAX];
	size_t n_routes;
};

void metrics_observe(struct metrics_histogram *histogram,
	const double bounds[HISTOGRAM_BUCKETS], double value);
/* By name, made when it is not there. */
struct metrics_slo *metrics_slo_of(
	struct metrics_service *service, const char *name);
/* Whether all that is said of one rollout is said of this service's. */
bool metrics_service_is_own(
	const struct metrics_page *page, const struct metrics_service *service);
/* A decision whose refusal has not followed was taken. */
void metrics_rollout_settle(struct metrics_rollout *rollout);

#endif
