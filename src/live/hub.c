/*
 * What the rollouts of one process share: one transaction per turn of the
 * loop, one look for operators' commands, one heartbeat for all leases, one
 * object per set of metrics. Decides nothing about a rollout.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "jsonapi/jsonapi.h"
#include "live/driver.h"
#include "prometheus/prometheus.h"

#define POLL_MS 200 /* between looks for operators' commands */

struct metrics_slot {
	struct metrics_slot *next;
	const struct policy *policy;
	char *project; /* of the services it is for */
	struct metrics metrics;
	/* NULL: not asked yet. */
	struct prometheus *prometheus;
	struct jsonapi *jsonapi;
};

static void hub_poll(void *arg);
static void hub_heartbeat(void *arg);
static void hub_turn_end(void *arg);

struct hub *hub_new(const struct live_world *world)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->world = *world;
	TAILQ_INIT(&hub->lives);
	TAILQ_INIT(&hub->dirty);
	STAILQ_INIT(&hub->entries);
	STAILQ_INIT(&hub->durable);
	arena_init(&hub->arena);
	return hub;
}

void hub_free(struct hub **hub_p)
{
	struct hub *hub = *hub_p;

	if (!hub)
		return;
	if (hub->open)
		store_rollback(hub->world.store);
	loop_defer_cancel(hub->world.loop, hub_turn_end, hub);
	timer_cancel(&hub->poll);
	timer_cancel(&hub->heartbeat);
	timer_cancel(&hub->tell);
	arena_fini(&hub->arena);
	free(hub);
	*hub_p = NULL;
}

/* ---- members ---- */

void hub_join(struct hub *hub, struct live *live)
{
	live->hub = hub;
	TAILQ_INSERT_TAIL(&hub->lives, live, link);
	if (!hub->poll)
		hub->poll =
			timer_start(hub->world.loop, POLL_MS, hub_poll, hub);
	if (!hub->heartbeat)
		hub->heartbeat = timer_start(hub->world.loop,
			STORE_HEARTBEAT_MS, hub_heartbeat, hub);
}

static void metrics_release(struct hub *hub, const struct policy *policy)
{
	struct metrics_slot **at = &hub->metrics, *slot;
	struct live *live;

	TAILQ_FOREACH(live, &hub->lives, link)
	if (live->policy == policy)
		return;
	while ((slot = *at)) {
		if (slot->policy != policy) {
			at = &slot->next;
			continue;
		}
		*at = slot->next;
		prometheus_free(&slot->prometheus);
		jsonapi_free(&slot->jsonapi);
		free(slot->project);
		free(slot);
	}
}

void hub_leave(struct live *live)
{
	struct hub *hub = live->hub;
	struct hub_entry *entry;

	STAILQ_FOREACH(entry, &hub->entries, link)
	if (entry->live == live)
		entry->live = NULL;
	if (live->dirty)
		TAILQ_REMOVE(&hub->dirty, live, dirty_link);
	TAILQ_REMOVE(&hub->lives, live, link);
	metrics_release(hub, live->policy);
	if (TAILQ_EMPTY(&hub->lives)) {
		timer_cancel(&hub->poll);
		timer_cancel(&hub->heartbeat);
	}
}

static struct metrics_slot *metrics_slot(struct live *live)
{
	struct hub *hub = live->hub;
	struct metrics_slot *slot;

	for (slot = hub->metrics; slot; slot = slot->next)
		if (slot->policy == live->policy &&
			strcmp(slot->project, live->project) == 0)
			return slot;
	slot = xcalloc(1, sizeof(*slot));
	slot->next = hub->metrics;
	slot->policy = live->policy;
	slot->project = xstrdup(live->project);
	hub->metrics = slot;
	return slot;
}

struct prometheus *hub_prometheus(struct live *live, struct err *err_r)
{
	const struct live_world *world = &live->hub->world;
	struct metrics_slot *slot = metrics_slot(live);

	if (slot->prometheus)
		return slot->prometheus;
	slot->metrics = prometheus_metrics(live->policy, slot->project);
	slot->prometheus = prometheus_new(world->loop, world->http,
		world->credentials, &slot->metrics, err_r);
	return slot->prometheus;
}

struct jsonapi *hub_jsonapi(struct live *live)
{
	const struct live_world *world = &live->hub->world;
	struct metrics_slot *slot = metrics_slot(live);

	if (!slot->jsonapi)
		slot->jsonapi = jsonapi_new(
			world->loop, world->http, world->credentials);
	return slot->jsonapi;
}

/* ---- the turn ---- */

int hub_begin(struct hub *hub, struct err *err_r)
{
	if (hub->open)
		return 0;
	if (store_begin(hub->world.store, err_r) < 0)
		return -1;
	hub->open = true;
	if (!hub->deferred) {
		hub->deferred = true;
		loop_defer(hub->world.loop, hub_turn_end, hub);
	}
	return 0;
}

int hub_append(struct live *live, const struct store_event *event, bool ended,
	struct err *err_r)
{
	struct hub *hub = live->hub;
	struct hub_entry *entry;

	if (hub_begin(hub, err_r) < 0 ||
		store_append(hub->world.store, live->id, live->fence, event,
			live->state.reason, ended, err_r) < 0)
		return -1;
	entry = arena_alloc(&hub->arena, sizeof(*entry));
	entry->live = live;
	entry->event = *event;
	entry->event.data = arena_strdup(&hub->arena, event->data);
	STAILQ_INSERT_TAIL(&hub->entries, entry, link);
	if (!live->dirty) {
		live->dirty = true;
		TAILQ_INSERT_TAIL(&hub->dirty, live, dirty_link);
	}
	return 0;
}

/* The arena is freed when none of its entries is left. */
static void arena_rest(struct hub *hub)
{
	if (STAILQ_EMPTY(&hub->entries) && STAILQ_EMPTY(&hub->durable))
		arena_fini(&hub->arena);
}

void hub_tell(struct hub *hub)
{
	struct hub_entry *entry;
	struct live *live;

	while ((entry = STAILQ_FIRST(&hub->durable))) {
		STAILQ_REMOVE_HEAD(&hub->durable, link);
		live = entry->live;
		if (live && live->listener.entry)
			live->listener.entry(
				live, &entry->event, live->listener.arg);
	}
	arena_rest(hub);
}

static void hub_tell_later(void *arg)
{
	struct hub *hub = arg;

	hub->tell = NULL;
	hub_tell(hub);
}

/* The next of those whose entries were in the transaction that is over. */
static struct live *next_dirty(struct live_list *dirty)
{
	struct live *live = TAILQ_FIRST(dirty);

	if (live) {
		TAILQ_REMOVE(dirty, live, dirty_link);
		live->dirty = false;
	}
	return live;
}

void hub_broken(struct hub *hub, const struct err *err)
{
	struct live *live;

	if (hub->open)
		store_rollback(hub->world.store);
	hub->open = false;
	STAILQ_INIT(&hub->entries);
	arena_rest(hub);
	while ((live = next_dirty(&hub->dirty)))
		live_unjournal(live, err);
}

void hub_flush(struct hub *hub, struct live *first)
{
	struct live *live;
	struct err err;

	if (!hub->open)
		return;
	if (store_commit(hub->world.store, &err) < 0) {
		hub_broken(hub, &err);
		return;
	}
	hub->open = false;
	STAILQ_CONCAT(&hub->durable, &hub->entries);
	if (first) /* one that is due in this turn would be in the way */
		timer_cancel(&hub->tell);
	if (!hub->tell)
		hub->tell =
			timer_start(hub->world.loop, 0, hub_tell_later, hub);
	if (first)
		live_carry_out(first);
	while ((live = next_dirty(&hub->dirty))) {
		live_carry_out(live);
		live_settle(live);
	}
}

static void hub_turn_end(void *arg)
{
	struct hub *hub = arg;

	hub->deferred = false;
	hub_flush(hub, NULL);
}

/* ---- now and then ---- */

static void hub_poll(void *arg)
{
	struct hub *hub = arg;
	int64_t counter;
	struct live *live;
	struct err err;

	hub->poll = timer_start(hub->world.loop, POLL_MS, hub_poll, hub);
	if (store_change_counter(hub->world.store, &counter, &err) < 0) {
		log_line(LOG_WARN, "event=poll error=\"%s\"", err.text);
		return;
	}
	if (counter == hub->counter)
		return;
	hub->counter = counter;
	TAILQ_FOREACH(live, &hub->lives, link)
	live_commands(live);
}

static void hub_heartbeat(void *arg)
{
	struct hub *hub = arg;
	struct live *live;
	struct err err;

	hub->heartbeat = timer_start(
		hub->world.loop, STORE_HEARTBEAT_MS, hub_heartbeat, hub);
	if (hub_begin(hub, &err) < 0) {
		log_line(LOG_WARN, "event=heartbeat error=\"%s\"", err.text);
		return;
	}
	TAILQ_FOREACH(live, &hub->lives, link)
	{
		if (!live->fence || live_is_over(live))
			continue;
		if (store_lease_renew(hub->world.store, live->service,
			    live->fence, loop_now(hub->world.loop), &err) == 0)
			continue;
		log_line(LOG_WARN, "rollout=%s event=heartbeat error=\"%s\"",
			live->id, err.text);
		if (err.code == ERR_LEASE)
			live_taken_over(live, &err);
	}
}
