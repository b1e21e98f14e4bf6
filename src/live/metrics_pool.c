/* Clients by policy and project; see metrics_pool.h. */
#include "live/metrics_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "live/release.h"
#include "metrics/jsonapi.h"
#include "metrics/prometheus.h"

struct metrics_slot {
	struct metrics_slot *next;
	const struct policy *policy;
	char *project; /* of the services it is for */
	struct metrics metrics;
	/* NULL: not asked yet. */
	struct prometheus *prometheus;
	struct jsonapi *jsonapi;
};

struct metrics_pool {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials;
	struct metrics_slot *slots;
};

struct metrics_pool *metrics_pool_new(
	struct loop *loop, struct http *http, struct credentials *credentials)
{
	struct metrics_pool *pool = xcalloc(1, sizeof(*pool));

	*pool = (struct metrics_pool){loop, http, credentials, NULL};
	return pool;
}

static void slot_free(struct metrics_slot *slot)
{
	prometheus_free(&slot->prometheus);
	jsonapi_free(&slot->jsonapi);
	free(slot->project);
	free(slot);
}

void metrics_pool_free(struct metrics_pool **pool_p)
{
	struct metrics_pool *pool = *pool_p;
	struct metrics_slot *slot;

	if (!pool)
		return;
	while ((slot = pool->slots)) {
		pool->slots = slot->next;
		slot_free(slot);
	}
	free(pool);
	*pool_p = NULL;
}

void metrics_pool_forget(struct metrics_pool *pool, const struct policy *policy)
{
	struct metrics_slot **at = &pool->slots, *slot;

	while ((slot = *at)) {
		if (slot->policy != policy) {
			at = &slot->next;
			continue;
		}
		*at = slot->next;
		slot_free(slot);
	}
}

static struct metrics_slot *slot_of(
	struct metrics_pool *pool, const struct release *release)
{
	const char *project = release->service.project;
	struct metrics_slot *slot;

	for (slot = pool->slots; slot; slot = slot->next)
		if (slot->policy == release->policy &&
			strcmp(slot->project, project) == 0)
			return slot;
	slot = xcalloc(1, sizeof(*slot));
	slot->next = pool->slots;
	slot->policy = release->policy;
	slot->project = xstrdup(project);
	pool->slots = slot;
	return slot;
}

struct prometheus *metrics_pool_prometheus(struct metrics_pool *pool,
	const struct release *release, struct err *err_r)
{
	struct metrics_slot *slot = slot_of(pool, release);

	if (slot->prometheus)
		return slot->prometheus;
	slot->metrics = prometheus_metrics(release->policy, slot->project);
	slot->prometheus = prometheus_new(pool->loop, pool->http,
		pool->credentials, &slot->metrics, err_r);
	return slot->prometheus;
}

struct jsonapi *metrics_pool_jsonapi(
	struct metrics_pool *pool, const struct release *release)
{
	struct metrics_slot *slot = slot_of(pool, release);

	if (!slot->jsonapi)
		slot->jsonapi =
			jsonapi_new(pool->loop, pool->http, pool->credentials);
	return slot->jsonapi;
}
