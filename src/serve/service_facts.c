/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a service; see service_facts.h. */
#include "serve/service_facts.h"

#include <stdlib.h>
#include <string.h>

#include "live/options_codec.h"
#include "live/release.h"
#include "serve/driven.h"
#include "status/recovery.h"

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
	const struct driver *driver = driven ? driven_driver(driven) : NULL;
	const struct split *split =
		driver ? &driver_state(driver)->traffic.serving : NULL;

	facts->view.traffic = facts->traffic;
	if (split && split->candidate + split->stable + split->other > 0) {
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

/* How long it is between sorted ones: the nearest rank. */
static struct service_times times_of(int64_t *list, size_t n)
{
	struct service_times times = {.n = n};

	if (!n)
		return times;
	qsort(list, n, sizeof(*list), by_length);
	times.median_ms = list[n / 2];
	times.p90_ms = list[(n * 9 + 9) / 10 - 1];
	return times;
}

static int64_t lead_ms(
	struct service_facts *facts, const struct store_rollout *row)
{
	struct release_wish wish;
	struct err err;

	if (options_decode(row->options, facts->arena, &wish, &err) < 0 ||
		!wish.committed_ms || wish.committed_ms > row->ended_ms)
		return -1;
	return row->ended_ms - wish.committed_ms;
}

static int recover(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	(void)err_r;
	recovery_take(arg, entry);
	return ((struct recovery *)arg)->restored_ms != 0;
}

/* -1: not known; -2: error. */
static int64_t restore_ms(
	struct store *store, const struct store_rollout *row, struct err *err_r)
{
	struct recovery recovery = {0};
	int64_t ms = -2;

	if (store_each_event(store, row->id, 0, recover, &recovery, err_r) >= 0)
		ms = recovery_ms(&recovery);
	recovery_fini(&recovery);
	return ms;
}

int service_facts_read(struct service_facts *facts, struct store *store,
	int64_t now_ms, struct err *err_r)
{
	int64_t *leads = arena_alloc(
			facts->arena, (facts->n + 1) * sizeof(*leads)),
		*restores = arena_alloc(
			facts->arena, (facts->n + 1) * sizeof(*restores)),
		ms;
	size_t n_leads = 0, n_restores = 0, n_read = 0;

	for (size_t i = 0; i < facts->n; i++) {
		const struct store_rollout *row = &facts->list[i];
		enum phase phase = phase_find(row->phase);

		if (now_ms - row->started_ms > SERVICE_WEEKS * WEEK_MS)
			continue;
		if (phase == PHASE_PROMOTED) {
			ms = lead_ms(facts, row);
			if (ms >= 0)
				leads[n_leads++] = ms;
		} else if (phase == PHASE_ROLLED_BACK &&
			   n_read++ < SERVICE_RESTORES_MAX) {
			ms = restore_ms(store, row, err_r);
			if (ms == -2)
				return -1;
			if (ms >= 0)
				restores[n_restores++] = ms;
		}
	}
	facts->lead = times_of(leads, n_leads);
	facts->restore = times_of(restores, n_restores);
	return 0;
}

void service_facts_find(struct service_facts *facts, int64_t now_ms)
{
	find_releases(facts);
	find_rejected(facts);
	find_traffic(facts, now_ms);
	find_figures(facts, now_ms);
}
