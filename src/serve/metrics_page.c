/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what the daemon counts; see metrics_page.h. What a journal's entry counts
 * for is metrics_entry.c's, the page metrics_print.c's. */
#include "serve/metrics_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/label_value.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "serve/metrics_parts.h"

#define ROUTE_OF_OTHERS "other"

/* ---- histograms ---- */

const double metrics_bounds_short[HISTOGRAM_BUCKETS] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 2.5, 10};
const double metrics_bounds_long[HISTOGRAM_BUCKETS] = {
	1, 5, 15, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400};

void metrics_observe(struct metrics_histogram *histogram,
	const double bounds[HISTOGRAM_BUCKETS], double value)
{
	size_t i = 0;

	while (i < HISTOGRAM_BUCKETS && value > bounds[i])
		i++;
	histogram->bucket[i]++;
	histogram->sum += value;
}

/* ---- services ---- */

/* Room for one more. */
static void *grown(void *list, size_t n, size_t *size, size_t item)
{
	if (n < *size)
		return list;
	*size = *size ? 2 * *size : 16;
	return xrealloc(list, *size, item);
}

static void add_label(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s%s=\"", out->len ? "," : "", name);
	label_value_add(out, value);
	buf_addc(out, '"');
}

static void service_init(struct metrics_service *service, const char *full)
{
	struct service_name name;
	struct arena arena;
	struct buf labels;
	struct err err;

	arena_init(&arena);
	buf_init(&labels, METRICS_LABELS_MAX - 128);
	if (service_name_parse(&name, full, &arena, &err) < 0)
		name = (struct service_name){
			.project = "", .region = "", .name = full};
	add_label(&labels, "project", name.project);
	add_label(&labels, "region", name.region);
	add_label(&labels, "service", name.name);
	*service = (struct metrics_service){
		.full = xstrdup(full), .labels = buf_steal(&labels)};
	buf_fini(&labels);
	arena_fini(&arena);
}

static void service_fini(struct metrics_service *service)
{
	for (size_t i = 0; i < service->n_slos; i++)
		free(service->slos[i].name);
	free(service->slos);
	free(service->full);
	free(service->labels);
	free(service->id);
	free(service->candidate);
	free(service->stable);
}

bool metrics_service_is_own(
	const struct metrics_page *page, const struct metrics_service *service)
{
	return service != &page->other;
}

struct metrics_slo *metrics_slo_of(
	struct metrics_service *service, const char *name)
{
	struct metrics_slo *slo;
	size_t i;

	for (i = 0; i < service->n_slos; i++)
		if (!strcmp(service->slos[i].name, name))
			return &service->slos[i];
	if (service->n_slos == METRICS_SLOS_MAX)
		return &service->slos[METRICS_SLOS_MAX - 1];
	service->slos = xrealloc(
		service->slos, service->n_slos + 1, sizeof(*service->slos));
	slo = &service->slos[service->n_slos++];
	*slo = (struct metrics_slo){.name = xstrdup(name),
		.success_s = NAN,
		.interval_s = NAN,
		.value = NAN,
		.limit = NAN,
		.stable = NAN};
	return slo;
}

static struct metrics_service *find_service(
	struct metrics_page *page, const char *full)
{
	for (size_t i = 0; i < page->n_services; i++)
		if (!strcmp(page->services[i]->full, full))
			return page->services[i];
	return NULL;
}

/* Its own, while there is room; a service keeps what it has got. */
static struct metrics_service *service_of(
	struct metrics_page *page, const char *full, size_t n_slos)
{
	size_t series = METRICS_SERVICE_SERIES + n_slos * METRICS_SLO_SERIES;
	struct metrics_service *service = find_service(page, full);

	if (service)
		return service;
	if (page->n_series + series > METRICS_SERIES_MAX)
		return &page->other;
	page->n_series += series;
	service = xcalloc(1, sizeof(*service));
	service_init(service, full);
	page->services = grown(page->services, page->n_services,
		&page->size_services, sizeof(struct metrics_service *));
	page->services[page->n_services++] = service;
	return service;
}

/* Counters are there before anything is counted. */
static void add_slos(
	struct metrics_service *service, const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_slos; i++)
		metrics_slo_of(service, policy->slos[i].name)->interval_s =
			(double)policy->slos[i].interval_ms / 1e3;
}

/* ---- the page's life ---- */

struct metrics_page *metrics_page_new(void)
{
	struct metrics_page *page = xcalloc(1, sizeof(*page));

	service_init(&page->other, METRICS_OTHER);
	return page;
}

void metrics_page_free(struct metrics_page **page)
{
	struct metrics_page *p = *page;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_services; i++) {
		service_fini(p->services[i]);
		free(p->services[i]);
	}
	service_fini(&p->other);
	free(p->services);
	free(p->rollouts);
	free(p);
	*page = NULL;
}

/* ---- rollouts ---- */

struct metrics_rollout *metrics_rollout_new(struct metrics_page *page,
	const char *service, const char *id, const struct policy *policy)
{
	struct metrics_rollout *rollout = xcalloc(1, sizeof(*rollout));

	*rollout = (struct metrics_rollout){.page = page,
		.service = service_of(page, service, policy->n_slos),
		.policy = policy,
		.id = xstrdup(id),
		.at = page->n_rollouts,
		.phase = PHASES,
		.verb = VERBS};
	if (metrics_service_is_own(page, rollout->service))
		add_slos(rollout->service, policy);
	page->rollouts = grown(page->rollouts, page->n_rollouts,
		&page->size_rollouts, sizeof(struct metrics_rollout *));
	page->rollouts[page->n_rollouts++] = rollout;
	return rollout;
}

void metrics_rollout_committed(struct metrics_rollout *rollout, int64_t ms)
{
	rollout->committed_ms = ms;
}

void metrics_rollout_settle(struct metrics_rollout *r)
{
	if (r->verb != VERBS)
		r->page->decisions[r->verb][RESULT_TAKEN]++;
	r->verb = VERBS;
}

void metrics_rollout_end(struct metrics_rollout **rollout)
{
	struct metrics_rollout *r = *rollout;
	struct metrics_page *page;

	if (!r)
		return;
	page = r->page;
	metrics_rollout_settle(r);
	if (r->service->id && !strcmp(r->service->id, r->id)) {
		r->service->driven = false;
		r->service->over_ms = r->last_ms;
	}
	page->rollouts[r->at] = page->rollouts[--page->n_rollouts];
	page->rollouts[r->at]->at = r->at;
	recovery_fini(&r->recovery);
	free(r->id);
	free(r);
	*rollout = NULL;
}

/* ---- what else is counted ---- */

void metrics_http_request(
	struct metrics_page *page, const char *route, int status)
{
	struct metrics_route *r = page->route;
	size_t i;

	if (page->n_routes >= METRICS_ROUTES_MAX - 1)
		route = ROUTE_OF_OTHERS;
	for (i = 0; i < page->n_routes; i++)
		if (r[i].status == status && !strcmp(r[i].route, route))
			break;
	if (i == METRICS_ROUTES_MAX)
		i--; /* of others, with another status */
	else if (i == page->n_routes)
		r[page->n_routes++] = (struct metrics_route){
			.route = route, .status = status};
	r[i].n++;
}

void metrics_decision(
	struct metrics_page *page, enum verb verb, enum metrics_decision result)
{
	page->decisions[verb][result == DECISION_DENIED ? RESULT_DENIED
							: RESULT_MOVED_ON]++;
}

void metrics_server(
	struct metrics_page *page, const struct server_counts *counts)
{
	page->server = *counts;
}

void metrics_store_commit(struct metrics_page *page, int64_t us)
{
	metrics_observe(
		&page->store_commit, metrics_bounds_short, (double)us / 1e6);
}

void metrics_loop_lag(struct metrics_page *page, int64_t us)
{
	metrics_observe(
		&page->loop_lag, metrics_bounds_short, (double)us / 1e6);
}

void metrics_journal_failed(struct metrics_page *page)
{
	page->journal_errors++;
}

void metrics_lease_failed(struct metrics_page *page)
{
	page->lease_failures++;
}

void metrics_drill(
	struct metrics_page *page, const char *service, int64_t wall_ms)
{
	struct metrics_service *s = find_service(page, service);

	/* Of many that are only drilled no room is taken from releases. */
	if (!s && page->n_series < METRICS_SERIES_MAX / 2)
		s = service_of(page, service, 0);
	if (s && metrics_service_is_own(page, s) && s->drill_ms < wall_ms)
		s->drill_ms = wall_ms;
}
