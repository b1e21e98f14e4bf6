/*
 * What the rollouts of one process share: one journal, one look for operators'
 * commands, one heartbeat for all leases. Decides nothing about a rollout.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/driver.h"
#include "live/metrics_pool.h"

#define POLL_MS 200 /* between looks for operators' commands */
#define BEAT_MS 100 /* leases are renewed few at a time … */
#define BEATS   10 /* … and all of them within so many beats */

static void hub_poll(void *arg);
static void hub_heartbeat(void *arg);
static void hub_gap(const struct loop_gap *gap, void *arg);

struct hub *hub_new(struct world *world)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	hub->world = world;
	TAILQ_INIT(&hub->lives);
	hub->journal = journal_new(world->loop, world->store);
	hub->gaps = loop_on_gap(world->loop, hub_gap, hub);
	return hub;
}

void hub_free(struct hub **hub_p)
{
	struct hub *hub = *hub_p;

	if (!hub)
		return;
	loop_gap_cancel(&hub->gaps);
	timer_cancel(&hub->poll);
	timer_cancel(&hub->heartbeat);
	journal_free(&hub->journal);
	free(hub);
	*hub_p = NULL;
}

/* ---- members ---- */

void hub_join(struct hub *hub, struct live *live)
{
	live->hub = hub;
	live->world = hub->world;
	live->renewed_ms = loop_now(hub->world->loop);
	live->ahead_ms =
		loop_wall_ms(hub->world->loop) - loop_now(hub->world->loop);
	TAILQ_INSERT_TAIL(&hub->lives, live, link);
	hub->n_lives++;
	if (!hub->poll)
		hub->poll =
			timer_start(hub->world->loop, POLL_MS, hub_poll, hub);
	if (!hub->heartbeat)
		hub->heartbeat = timer_start(
			hub->world->loop, BEAT_MS, hub_heartbeat, hub);
}

static void metrics_forget(struct hub *hub, const struct policy *policy)
{
	struct live *live;

	TAILQ_FOREACH(live, &hub->lives, link)
		if (live->release->policy == policy)
			return;
	metrics_pool_forget(hub->world->metrics, policy);
}

void hub_leave(struct live *live)
{
	struct hub *hub = live->hub;

	journal_close(&live->writer);
	TAILQ_REMOVE(&hub->lives, live, link);
	hub->n_lives--;
	metrics_forget(hub, live->release->policy);
	if (TAILQ_EMPTY(&hub->lives)) {
		timer_cancel(&hub->poll);
		timer_cancel(&hub->heartbeat);
	}
}

/* ---- now and then ---- */

/* Nobody watched while the loop stood still: the engine sees that before any
 * answer that was waiting. */
static void hub_gap(const struct loop_gap *gap, void *arg)
{
	struct event event = {.type = EVENT_TIMER};
	struct hub *hub = arg;
	struct live *live;

	log_line(LOG_WARN,
		"event=gap stood_ms=%" PRId64 " clock_set_by_ms=%" PRId64,
		gap->stood_ms, gap->stepped_ms);
	if (gap->stood_ms)
		TAILQ_FOREACH(live, &hub->lives, link)
			if (live->seq)
				live_event(live, &event, NULL);
}

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
	rc = store_commands_rollouts(
		hub->world->store, &arena, &ids, &n, err_r);
	if (rc == 0 && n)
		TAILQ_FOREACH(live, &hub->lives, link)
			if (bsearch(live->release->id, ids, n, sizeof(*ids),
				    by_name))
				live_commands(live);
	arena_fini(&arena);
	return rc;
}

static void hub_poll(void *arg)
{
	struct hub *hub = arg;
	int64_t counter;
	struct err err;

	hub->poll = timer_start(hub->world->loop, POLL_MS, hub_poll, hub);
	if (store_change_counter(hub->world->store, &counter, &err) == 0) {
		if (counter == hub->counter)
			return;
		journal_flush(
			hub->journal); /* what is taken already is settled */
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
	if (store_lease_renew(hub->world->store, live->release->service.full,
		    live->fence, &err) == 0)
		return;
	log_line(LOG_WARN, "rollout=%s event=heartbeat error=\"%s\"",
		live->release->id, err.text);
	if (err.code == ERR_LEASE)
		live_taken_over(live, &err);
	else if (err.code == ERR_NOT_FOUND)
		live_unjournal(live, &err);
}

/* The lease whose turn it is, if it is time already. */
static struct live *next_to_renew(struct hub *hub)
{
	struct live *live = TAILQ_FIRST(&hub->lives);
	int64_t now = loop_now(hub->world->loop);

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
		timer_start(hub->world->loop, BEAT_MS, hub_heartbeat, hub);
	while (left-- > 0 && (live = next_to_renew(hub))) {
		if (journal_begin(hub->journal, &err) < 0) {
			log_line(LOG_WARN, "event=heartbeat error=\"%s\"",
				err.text);
			return;
		}
		beat(live);
	}
}
