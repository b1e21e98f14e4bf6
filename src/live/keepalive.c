/* SPDX-License-Identifier: Apache-2.0 */
/* Resources that actions opened; see keepalive.h. */
#include "live/keepalive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/action_io.h"
#include "live/captured_codec.h"
#include "live/world.h"
#include "store/event_codec.h"

#define RENEWALS_PER_LEASE 3
#define CLOSE_MS_MAX       15000 /* the end waits no longer … */
#define UNSURE_MS_MAX      3000 /* … or so long, if it may be for nothing */

/* One action of the policy that opened or captured something. */
struct holding {
	LIST_ENTRY(holding) link;
	struct keepalive *keepalive;
	const struct action *action;
	char *captured; /* NULL: nothing was */
	bool open;
	bool unsure; /* a run failed that may have opened it all the same */
	struct action_env env;
	struct action_facts facts;
	struct action_run *run;
	struct timer *timer;
};

struct keepalive {
	struct world *world;
	const struct release *release;
	const struct rollout *state;
	LIST_HEAD(, holding) holdings;
	struct timer *closing; /* the end waits for holdings to be closed */
	void (*closed)(void *arg);
	void *arg;
};

static void holding_renew(void *arg);
static void holding_renewed(const struct action_end *end, void *arg);
static void holding_closed(const struct action_end *end, void *arg);

struct keepalive *keepalive_new(struct world *world,
	const struct release *release, const struct rollout *state)
{
	struct keepalive *keepalive = xcalloc(1, sizeof(*keepalive));

	keepalive->world = world;
	keepalive->release = release;
	keepalive->state = state;
	LIST_INIT(&keepalive->holdings);
	return keepalive;
}

static struct holding *holding_find(
	const struct keepalive *keepalive, const struct action *action)
{
	struct holding *holding;

	LIST_FOREACH(holding, &keepalive->holdings, link)
		if (holding->action == action)
			return holding;
	return NULL;
}

static struct holding *holding_of(
	struct keepalive *keepalive, const struct action *action)
{
	struct holding *holding = holding_find(keepalive, action);

	if (holding)
		return holding;
	holding = xcalloc(1, sizeof(*holding));
	holding->keepalive = keepalive;
	holding->action = action;
	LIST_INSERT_HEAD(&keepalive->holdings, holding, link);
	return holding;
}

static const struct action *action_at(
	const struct keepalive *keepalive, enum action_list list, int index)
{
	return &keepalive->release->policy->lists[list].item[index];
}

/* ---- what preflight found ---- */

void keepalive_capture(struct keepalive *keepalive, const struct action *action,
	const char *text)
{
	struct holding *holding = holding_of(keepalive, action);

	free(holding->captured);
	holding->captured = xstrdup(text);
}

const char *keepalive_captured(
	const struct keepalive *keepalive, const struct action *action)
{
	const struct holding *holding = holding_find(keepalive, action);

	return holding ? holding->captured : NULL;
}

/* ---- what runs opened ---- */

static void holding_job(
	struct holding *holding, enum action_job job, action_fn fn)
{
	struct keepalive *keepalive = holding->keepalive;
	struct action_order order = {&holding->env, holding->action,
		&holding->facts.values.values, job, holding->captured};

	holding->env =
		action_io_env(keepalive->world, keepalive->release->policy);
	holding->env.programs = keepalive->release->programs;
	action_facts_take(
		&holding->facts, keepalive->release, keepalive->state);
	holding->run = action_job_start(&order, fn, holding);
}

static void log_end(const struct holding *holding, const char *event,
	const struct action_end *end)
{
	log_line(end->result == ACTION_OK ? LOG_INFO : LOG_WARN,
		"rollout=%s event=%s action=\"%s\" text=\"%s\"",
		holding->keepalive->release->id, event, holding->action->name,
		end->detail);
}

static void arm(struct holding *holding)
{
	timer_cancel(&holding->timer);
	holding->timer = timer_start(holding->keepalive->world->loop,
		action_lease_ms(holding->action) / RENEWALS_PER_LEASE,
		holding_renew, holding);
}

static void holding_renew(void *arg)
{
	struct holding *holding = arg;

	holding->timer = NULL;
	holding_job(holding, JOB_RENEW, holding_renewed);
}

static void holding_renewed(const struct action_end *end, void *arg)
{
	struct holding *holding = arg;

	holding->run = NULL;
	log_end(holding, "renewed", end);
	if (end->result == ACTION_SKIPPED)
		holding->open = false;
	else
		arm(holding);
}

void keepalive_ran(struct keepalive *keepalive, enum action_list list,
	int index, enum action_result result)
{
	const struct action *action = action_at(keepalive, list, index);
	struct holding *holding;

	if (!action_has_job(action, JOB_RENEW))
		return;
	holding = holding_of(keepalive, action);
	if (result == ACTION_OK) {
		holding->open = true;
		if (!holding->run)
			arm(holding);
	} else if (result == ACTION_SKIPPED) {
		holding->open = false;
		timer_cancel(&holding->timer);
	} else {
		holding->unsure = true;
	}
}

/* ---- the end ---- */

/* How long the end waits; 0: nothing is to be closed. */
static int64_t close_patience(const struct keepalive *keepalive)
{
	const struct holding *holding;
	int64_t ms = 0;

	LIST_FOREACH(holding, &keepalive->holdings, link) {
		if (holding->open)
			return CLOSE_MS_MAX;
		if (holding->unsure)
			ms = UNSURE_MS_MAX;
	}
	return ms;
}

static void holding_stop(struct holding *holding)
{
	action_cancel(&holding->run);
	timer_cancel(&holding->timer);
}

static void close_late(void *arg)
{
	struct keepalive *keepalive = arg;
	struct holding *holding;

	keepalive->closing = NULL;
	LIST_FOREACH(holding, &keepalive->holdings, link) {
		holding_stop(holding);
		if (holding->open || holding->unsure)
			log_line(LOG_WARN,
				"rollout=%s event=released action=\"%s\" "
				"text=\"not finished in time, it ends by "
				"itself\"",
				keepalive->release->id, holding->action->name);
		holding->open = holding->unsure = false;
	}
	keepalive->closed(keepalive->arg);
}

void keepalive_close(
	struct keepalive *keepalive, void (*closed)(void *arg), void *arg)
{
	struct holding *holding;

	keepalive->closed = closed;
	keepalive->arg = arg;
	LIST_FOREACH(holding, &keepalive->holdings, link) {
		holding_stop(holding);
		if (holding->open || holding->unsure)
			holding_job(holding, JOB_RELEASE, holding_closed);
	}
	keepalive->closing = timer_start(keepalive->world->loop,
		close_patience(keepalive), close_late, keepalive);
}

static void holding_closed(const struct action_end *end, void *arg)
{
	struct holding *holding = arg;
	struct keepalive *keepalive = holding->keepalive;

	holding->run = NULL;
	holding->open = holding->unsure = false;
	log_end(holding, "released", end);
	if (close_patience(keepalive))
		return;
	timer_cancel(&keepalive->closing);
	keepalive->closed(keepalive->arg);
}

void keepalive_stop(struct keepalive *keepalive)
{
	struct holding *holding;

	timer_cancel(&keepalive->closing);
	LIST_FOREACH(holding, &keepalive->holdings, link)
		holding_stop(holding);
}

void keepalive_free(struct keepalive **keepalive_p)
{
	struct keepalive *keepalive = *keepalive_p;
	struct holding *holding;

	if (!keepalive)
		return;
	keepalive_stop(keepalive);
	while ((holding = LIST_FIRST(&keepalive->holdings))) {
		LIST_REMOVE(holding, link);
		free(holding->captured);
		action_facts_fini(&holding->facts);
		free(holding);
	}
	free(keepalive);
	*keepalive_p = NULL;
}

/* ---- out of the journal ---- */

static const struct action *action_find(
	const struct policy *policy, const char *name)
{
	for (int list = 0; list < ACTION_LISTS; list++)
		for (size_t i = 0; i < policy->lists[list].n; i++)
			if (!strcmp(policy->lists[list].item[i].name, name))
				return &policy->lists[list].item[i];
	return NULL;
}

void keepalive_capture_named(const char *name, const char *text, void *arg)
{
	struct keepalive *keepalive = arg;
	const struct action *action =
		action_find(keepalive->release->policy, name);

	if (action)
		keepalive_capture(keepalive, action, text);
}

static void capture_all(struct keepalive *keepalive, const char *data)
{
	captured_decode(data, keepalive_capture_named, keepalive);
}

int keepalive_take(struct keepalive *keepalive, const struct store_event *entry,
	struct err *err_r)
{
	enum event_type type = event_find(entry->name);
	struct arena arena;
	struct event event;
	int rc;

	if (entry->is_note)
		return 0;
	if (type == EVENT_PREFLIGHT)
		capture_all(keepalive, entry->data);
	if (type != EVENT_ACTION)
		return 0;
	arena_init(&arena);
	rc = event_decode(entry->name, entry->data, keepalive->release->policy,
		&arena, &event, err_r);
	if (rc == 0)
		keepalive_ran(keepalive, event.list, event.index,
			event.action_result);
	arena_fini(&arena);
	return rc;
}

void keepalive_renew_soon(struct keepalive *keepalive)
{
	struct holding *holding;

	LIST_FOREACH(holding, &keepalive->holdings, link)
		if (holding->open) { /* it may be about to end */
			timer_cancel(&holding->timer);
			holding->timer = timer_start(keepalive->world->loop, 0,
				holding_renew, holding);
		}
}
