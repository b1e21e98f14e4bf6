/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a service; see service_facts.h. */
#include "serve/service_facts.h"

#include <stdlib.h>
#include <string.h>

#include "serve/driven.h"

#define WEEK_MS INT64_C(604800000)

/* ---- releases ---- */

static void find_releases(struct service_facts *facts)
{
	struct service_release *releases =
		arena_alloc(facts->arena, facts->n * sizeof(*releases) + 1);
	size_t i;

	for (i = 0; i < facts->n; i++) {
		const struct store_rollout *row = &facts->list[i];

		releases[i] = (struct service_release){.id = row->id,
			.candidate = row->candidate,
			.starter = row->starter,
			.reason = row->reason,
			.phase = phase_find(row->phase),
			.started_ms = row->started_ms,
			.ended_ms = row->ended_ms};
	}
	facts->view.releases = releases;
	facts->view.n_releases = facts->n;
}

static bool has_moved(enum phase phase)
{
	return phase == PHASE_PROMOTED || phase == PHASE_ROLLED_BACK ||
	       phase == PHASE_ROLLBACK_FAILED;
}

/* What its last rollout that moved anything says of a revision. */
static void find_rejected(struct service_facts *facts)
{
	struct service_rejected *rejected =
		arena_alloc(facts->arena, facts->n * sizeof(*rejected) + 1);
	const struct service_release *r = facts->view.releases;
	size_t n = 0, i, k;

	for (i = 0; i < facts->n; i++) {
		if (!has_moved(r[i].phase) || r[i].phase == PHASE_PROMOTED)
			continue;
		for (k = 0; k < i; k++)
			if (has_moved(r[k].phase) &&
				!strcmp(r[k].candidate, r[i].candidate))
				break;
		if (k == i)
			rejected[n++] =
				(struct service_rejected){r[i].candidate,
					r[i].id, r[i].reason, r[i].ended_ms};
	}
	facts->view.rejected = rejected;
	facts->view.n_rejected = n;
}

/* ---- traffic ---- */

static void add_traffic(struct service_facts *facts, const char *revision,
	int percent, const char *role)
{
	facts->traffic[facts->view.n_traffic++] = (struct service_traffic){
		*revision ? revision : "not known yet", percent, role};
}

/* As a rollout sees it, else as the last one left it. */
static void find_traffic(struct service_facts *facts, int64_t now_ms)
{
	const struct driven *driven =
		driven_of_service(facts->driven, facts->view.service.full);
	const struct driver *driver;
	const struct split *split;

	facts->view.traffic = facts->traffic;
	if (driven) {
		driver = driven_driver(driven);
		split = &driver_state(driver)->traffic.serving;
		add_traffic(facts, driver_candidate(driver), split->candidate,
			"candidate");
		add_traffic(
			facts, driver_stable(driver), split->stable, "stable");
		if (split->other)
			add_traffic(facts, "not ours", split->other, "");
		facts->view.traffic_ms = now_ms;
		return;
	}
	for (size_t i = 0; i < facts->n && !facts->view.n_traffic; i++) {
		enum phase phase = phase_find(facts->list[i].phase);

		if (phase == PHASE_PROMOTED)
			add_traffic(
				facts, facts->list[i].candidate, 100, "stable");
		else if (phase == PHASE_ROLLED_BACK)
			add_traffic(
				facts, facts->list[i].stable, 100, "stable");
		else if (phase != PHASE_REFUSED)
			return; /* it was left to others */
		facts->view.traffic_ms = facts->list[i].ended_ms;
	}
}

/* ---- figures ---- */

static int by_length(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Of the last weeks: what was refused has moved nothing and is none. */
static void find_figures(struct service_facts *facts, int64_t now_ms)
{
	int64_t *lengths =
		arena_alloc(facts->arena, facts->n * sizeof(*lengths) + 1);
	size_t n = 0;

	for (size_t i = 0; i < facts->n; i++) {
		const struct service_release *r = &facts->view.releases[i];

		if (!has_moved(r->phase) ||
			now_ms - r->started_ms > SERVICE_WEEKS * WEEK_MS)
			continue;
		if (r->phase == PHASE_PROMOTED)
			lengths[n++] = r->ended_ms - r->started_ms;
		else
			facts->n_failed++;
	}
	facts->n_promoted = (int)n;
	if (!n)
		return;
	qsort(lengths, n, sizeof(*lengths), by_length);
	facts->median_ms = lengths[n / 2];
}

void service_facts_find(struct service_facts *facts, int64_t now_ms)
{
	find_releases(facts);
	find_rejected(facts);
	find_traffic(facts, now_ms);
	find_figures(facts, now_ms);
}
