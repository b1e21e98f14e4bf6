/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon counts, and its page for Prometheus: text format 0.0.4 or
 * OpenMetrics 1.0, the families of metrics.def. Everything is kept in memory: a page is made without
 * a look at the state file, and costs the same however many rollouts there are.
 * Belongs to the loop's thread.
 *
 * No label holds what is unbounded: rollout and revisions stand in
 * tidegate_rollout_info alone, one series for each service that is being
 * released. Counters of a service begin at zero with its first rollout here, so
 * that rate() sees a first failure. Services for which METRICS_SERIES_MAX leaves
 * no room are counted together, as service "_other".
 */
#ifndef TIDEGATE_SERVE_METRICS_PAGE_H
#define TIDEGATE_SERVE_METRICS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/rollout.h"
#include "store/store.h"

#define METRICS_SERIES_MAX 10000 /* of services; the rest is a few hundred */
#define METRICS_PAGE_MAX   (8 * 1024 * 1024)
/* What an ended rollout has besides counters stays so long. One that needs a
 * person stays until its service is released again. */
#define METRICS_ENDED_MS   (5 * 60 * 1000)
#define METRICS_ROUTES_MAX 256 /* pairs of route and status */

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_OPEN_TYPE \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_page;
struct metrics_rollout;

struct metrics_page *metrics_page_new(void);
/* When no rollout is left. NULL inside is accepted. */
void metrics_page_free(struct metrics_page **page);

/* ---- rollouts ---- */

/* One that this process begins to drive, or takes up. `service` is the full
 * name; the policy is borrowed until the end, texts are copied. */
struct metrics_rollout *metrics_rollout_new(struct metrics_page *page,
	const char *service, const char *id, const struct policy *policy);
/* When what it releases was committed; 0: not known. */
void metrics_rollout_committed(struct metrics_rollout *rollout, int64_t ms);
/* Each entry of its journal, in order, as a driver's observer is told of it;
 * `state` is the engine's, which may be ahead of the entry. Revisions: "" while
 * they are not known. */
void metrics_rollout_take(struct metrics_rollout *rollout,
	const struct store_event *entry, const struct rollout *state,
	const char *candidate, const char *stable);
/* It has ended, or is not driven here any more. NULL inside is accepted. */
void metrics_rollout_end(struct metrics_rollout **rollout);

/* ---- what else is counted ---- */

/* `route` is the pattern of the table of routes: static, and never a path. */
void metrics_http_request(
	struct metrics_page *page, const char *route, int status);
/* What became of a decision before it came to a journal; what the engine makes
 * of one is counted by its entry. */
enum metrics_decision { DECISION_DENIED, DECISION_MOVED_ON };
void metrics_decision(struct metrics_page *page, enum verb verb,
	enum metrics_decision result);
/* What the server has counted up to now; copied. */
struct server_counts;
void metrics_server(
	struct metrics_page *page, const struct server_counts *counts);
void metrics_store_commit(struct metrics_page *page, int64_t us);
void metrics_loop_lag(struct metrics_page *page, int64_t us);
void metrics_journal_failed(struct metrics_page *page);
void metrics_lease_failed(struct metrics_page *page);
/* A drill of the service (full name) found everything ready. */
void metrics_drill(
	struct metrics_page *page, const char *service, int64_t wall_ms);

/* ---- the page ---- */

struct process_usage;

/* What is only known when it is asked for; `usage` may be NULL. */
struct metrics_moment {
	int64_t wall_ms; /* now */
	bool is_open; /* OpenMetrics; the series are the same */
	const struct process_usage *usage;
};

void metrics_page_print(struct metrics_page *page,
	const struct metrics_moment *moment, struct buf *out);

/* What is said of services alone, for who drives one rollout. */
void metrics_page_print_services(struct metrics_page *page,
	const struct metrics_moment *moment, struct buf *out);

/* The families by number, as metrics.def has them; NULL ends them. */
const char *metrics_family_name(size_t i);

#endif
