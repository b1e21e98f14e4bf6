/*
 * What the rollouts of one process share: one transaction for what many of
 * them have to journal, one look for operators' commands, one heartbeat for all
 * leases, one object per set of metrics. Decides nothing about a rollout.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "jsonapi/jsonapi.h"
#include "live/driver.h"
#include "prometheus/prometheus.h"

#define POLL_MS         200 /* between looks for operators' commands */
#define COMMIT_PAUSE_MS 20 /* between commits of what is no verdict */
#define BEAT_MS         100 /* leases are renewed few at a time … */
#define BEATS           10 /* … and all of them within so many beats */

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
static void entries_drop(struct live *live);

struct hub *hub_new(const struct live_world *world)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->world = *world;
	TAILQ_INIT(&hub->lives);
	TAILQ_INIT(&hub->dirty);
	STAILQ_INIT(&hub->durable);
	hub->committed_ms = INT64_MIN;
	return hub;
}

static void forget_durable(struct hub *hub)
{
	struct hub_entry *entry;

	while ((entry = STAILQ_FIRST(&hub->durable))) {
		STAILQ_REMOVE_HEAD(&hub->durable, link);
		free(entry);
	}
}

void hub_free(struct hub **hub_p)
{
	struct hub *hub = *hub_p;

	if (!hub)
		return;
	if (hub->open)
		store_rollback(hub->world.store);
	loop_defer_cancel(hub->world.loop, hub_turn_end, hub);
	timer_cancel(&hub->pause);
	timer_cancel(&hub->poll);
	timer_cancel(&hub->heartbeat);
	timer_cancel(&hub->tell);
	forget_durable(hub);
	free(hub);
	*hub_p = NULL;
}

/* ---- members ---- */

void hub_visit(struct hub *hub, struct live *live)
{
	live->hub = hub;
	STAILQ_INIT(&live->entries);
	live->renewed_ms = loop_now(hub->world.loop);
	TAILQ_INSERT_TAIL(&hub->lives, live, link);
	hub->n_lives++;
}

void hub_join(struct hub *hub, struct live *live)
{
	hub_visit(hub, live);
	if (!hub->poll)
		hub->poll =
			timer_start(hub->world.loop, POLL_MS, hub_poll, hub);
	if (!hub->heartbeat)
		hub->heartbeat = timer_start(
			hub->world.loop, BEAT_MS, hub_heartbeat, hub);
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

/* What was not made durable will not be. */
static void entries_drop(struct live *live)
{
	struct hub_entry *entry;

	while ((entry = STAILQ_FIRST(&live->entries))) {
		STAILQ_REMOVE_HEAD(&live->entries, link);
		free(entry);
	}
	if (live->dirty)
		TAILQ_REMOVE(&live->hub->dirty, live, dirty_link);
	live->dirty = false;
}

void hub_leave(struct live *live)
{
	struct hub *hub = live->hub;
	struct hub_entry *entry;

	STAILQ_FOREACH(entry, &hub->durable, link)
		if (entry->live == live)
			entry->live = NULL;
	entries_drop(live);
	TAILQ_REMOVE(&hub->lives, live, link);
	hub->n_lives--;
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

/* ---- entries ---- */

static void flush_at_turn_end(struct hub *hub)
{
	timer_cancel(&hub->pause);
	if (hub->deferred)
		return;
	hub->deferred = true;
	loop_defer(hub->world.loop, hub_turn_end, hub);
}

static void hub_pause_over(void *arg)
{
	struct hub *hub = arg;

	hub->pause = NULL;
	flush_at_turn_end(hub);
}

/* A commit costs the same for one entry as for many: they wait for each other
 * a little when there was one just before. */
static void flush_soon(struct hub *hub)
{
	int64_t now = loop_now(hub->world.loop);
	int64_t due = hub->committed_ms == INT64_MIN
			      ? now
			      : hub->committed_ms + COMMIT_PAUSE_MS;

	if (hub->deferred || hub->pause)
		return;
	if (due <= now)
		flush_at_turn_end(hub);
	else
		hub->pause = timer_start(
			hub->world.loop, due - now, hub_pause_over, hub);
}

int hub_begin(struct hub *hub, struct err *err_r)
{
	if (hub->open)
		return 0;
	if (store_begin(hub->world.store, err_r) < 0)
		return -1;
	hub->open = true;
	flush_at_turn_end(hub);
	return 0;
}

void hub_append(struct live *live, const struct store_event *event, bool ended,
	const struct hub_settlement *settlement)
{
	struct hub *hub = live->hub;
	const char *answer = settlement ? settlement->answer : "";
	size_t data_len = strlen(event->data) + 1;
	size_t answer_len = strlen(answer) + 1;
	struct hub_entry *entry =
		xcalloc(1, sizeof(*entry) + data_len + answer_len);
	char *text = (char *)(entry + 1);

	entry->live = live;
	entry->ended = ended;
	entry->event = *event;
	entry->event.data = memcpy(text, event->data, data_len);
	if (settlement)
		entry->settlement = *settlement;
	entry->settlement.answer = memcpy(text + data_len, answer, answer_len);
	STAILQ_INSERT_TAIL(&live->entries, entry, link);
	if (!live->dirty) {
		live->dirty = true;
		TAILQ_INSERT_TAIL(&hub->dirty, live, dirty_link);
	}
	flush_soon(hub);
}

/* One that was settled by somebody else is none the worse for it. */
static int settle(struct store *store, const struct hub_settlement *settlement,
	struct err *err_r)
{
	if (!settlement->command_id ||
		store_command_settle(store, settlement->command_id,
			settlement->refused, settlement->answer, err_r) == 0)
		return 0;
	return err_r->code == ERR_CONFLICT ? 0 : -1;
}

/* All entries of one rollout. */
static int entries_write(struct live *live, struct err *err_r)
{
	struct store *store = live->hub->world.store;
	struct store_event *events;
	struct hub_entry *entry;
	bool ended = false;
	size_t n = 0;
	int rc;

	STAILQ_FOREACH(entry, &live->entries, link)
		n++;
	events = xcalloc(n, sizeof(*events));
	n = 0;
	STAILQ_FOREACH(entry, &live->entries, link) {
		events[n++] = entry->event;
		ended = ended || entry->ended;
	}
	rc = store_append(store, live->id, live->fence, events, n,
		live->state.reason, ended, err_r);
	free(events);
	STAILQ_FOREACH(entry, &live->entries, link)
		if (rc == 0)
			rc = settle(store, &entry->settlement, err_r);
	return rc;
}

/* Those who lost their lease are told so; the others are none the worse. */
static int write_dirty(struct hub *hub, struct live *only, struct err *err_r)
{
	struct live *live, *next;

	for (live = only ? only : TAILQ_FIRST(&hub->dirty); live; live = next) {
		next = only ? NULL : TAILQ_NEXT(live, dirty_link);
		if (!live->dirty || entries_write(live, err_r) == 0)
			continue;
		if (err_r->code != ERR_LEASE)
			return -1;
		entries_drop(live);
		live_taken_over(live, err_r);
	}
	return store_commit(hub->world.store, err_r);
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
		free(entry);
	}
}

static void hub_tell_later(void *arg)
{
	struct hub *hub = arg;

	hub->tell = NULL;
	hub_tell(hub);
}

void hub_broken(struct hub *hub, const struct err *err)
{
	struct live_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
	struct live *live;

	if (hub->open)
		store_rollback(hub->world.store);
	hub->open = false;
	TAILQ_CONCAT(&dirty, &hub->dirty, dirty_link);
	while ((live = TAILQ_FIRST(&dirty))) {
		TAILQ_REMOVE(&dirty, live, dirty_link);
		live->dirty = false;
		entries_drop(live);
		live_unjournal(live, err);
	}
}

static void carry_out(struct live_list *dirty, struct live *live)
{
	STAILQ_CONCAT(&live->hub->durable, &live->entries);
	TAILQ_REMOVE(dirty, live, dirty_link);
	live->dirty = false;
	live_carry_out(live);
	live_settle(live);
}

void hub_flush(struct hub *hub, struct live *first)
{
	struct live_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
	bool all = hub->open || !first;
	struct live *live;
	struct err err;

	if (!hub->open && TAILQ_EMPTY(&hub->dirty))
		return;
	if (hub_begin(hub, &err) < 0 ||
		write_dirty(hub, all ? NULL : first, &err) < 0) {
		hub_broken(hub, &err);
		return;
	}
	hub->open = false;
	hub->committed_ms = loop_now(hub->world.loop);
	if (first) /* one that is due in this turn would be in the way */
		timer_cancel(&hub->tell);
	if (!hub->tell)
		hub->tell =
			timer_start(hub->world.loop, 0, hub_tell_later, hub);
	if (all)
		TAILQ_CONCAT(&dirty, &hub->dirty, dirty_link);
	if (first && first->dirty)
		carry_out(all ? &dirty : &hub->dirty, first);
	while ((live = TAILQ_FIRST(&dirty)))
		carry_out(&dirty, live);
}

static void hub_turn_end(void *arg)
{
	struct hub *hub = arg;

	hub->deferred = false;
	hub_flush(hub, NULL);
}

/* ---- now and then ---- */

static int by_name(const void *id, const void *other)
{
	return strcmp(id, *(const char *const *)other);
}

/* One question for all rollouts: those for whom something waits are few. */
static int commands_take(struct hub *hub, struct err *err_r)
{
	struct live *live;
	struct arena arena;
	const char **ids;
	size_t n = 0;
	int rc;

	arena_init(&arena);
	rc = store_commands_rollouts(hub->world.store, &arena, &ids, &n, err_r);
	if (rc == 0 && n)
		TAILQ_FOREACH(live, &hub->lives, link)
			if (bsearch(live->id, ids, n, sizeof(*ids), by_name))
				live_commands(live);
	arena_fini(&arena);
	return rc;
}

static void hub_poll(void *arg)
{
	struct hub *hub = arg;
	int64_t counter;
	struct err err;

	hub->poll = timer_start(hub->world.loop, POLL_MS, hub_poll, hub);
	if (store_change_counter(hub->world.store, &counter, &err) == 0) {
		if (counter == hub->counter)
			return;
		hub_flush(hub, NULL); /* what is taken already is settled */
		if (commands_take(hub, &err) == 0) {
			hub->counter = counter;
			return;
		}
	}
	log_line(LOG_WARN, "event=poll error=\"%s\"", err.text);
}

static void beat(struct live *live)
{
	struct hub *hub = live->hub;
	struct err err;

	if (!live->fence || live_is_over(live))
		return;
	if (store_lease_renew(hub->world.store, live->service, live->fence,
		    loop_now(hub->world.loop), &err) == 0)
		return;
	log_line(LOG_WARN, "rollout=%s event=heartbeat error=\"%s\"", live->id,
		err.text);
	if (err.code == ERR_LEASE)
		live_taken_over(live, &err);
	else if (err.code == ERR_NOT_FOUND)
		live_unjournal(live, &err);
}

/* The lease whose turn it is, if it is time already. */
static struct live *next_to_renew(struct hub *hub)
{
	struct live *live = TAILQ_FIRST(&hub->lives);
	int64_t now = loop_now(hub->world.loop);

	if (!live ||
		now - live->renewed_ms < STORE_HEARTBEAT_MS - BEATS * BEAT_MS)
		return NULL;
	live->renewed_ms = now;
	TAILQ_REMOVE(&hub->lives, live, link);
	TAILQ_INSERT_TAIL(&hub->lives, live, link);
	return live;
}

static void hub_heartbeat(void *arg)
{
	struct hub *hub = arg;
	int left = (hub->n_lives + BEATS - 1) / BEATS;
	struct live *live;
	struct err err;

	hub->heartbeat =
		timer_start(hub->world.loop, BEAT_MS, hub_heartbeat, hub);
	while (left-- > 0 && (live = next_to_renew(hub))) {
		if (hub_begin(hub, &err) < 0) {
			log_line(LOG_WARN, "event=heartbeat error=\"%s\"",
				err.text);
			return;
		}
		beat(live);
	}
}
