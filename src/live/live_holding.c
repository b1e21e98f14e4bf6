/*
 * What actions opened and what they keep: silences that end by themselves are
 * renewed while the rollout goes on and closed at its end; what was found in
 * preflight is handed back when the action runs. All of it is in the journal,
 * so that a process that takes the rollout up knows it too.
 *
 * A renewal or a closing that fails is logged and never changes the rollout:
 * what was opened ends by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "action/shown.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/driver.h"
#include "live/kept_codec.h"
#include "store/event_codec.h"

#define RENEWALS_PER_LEASE 3
#define RELEASE_MS_MAX     15000 /* the end waits no longer */

/* One action of the policy that opened or keeps something. */
struct holding {
	LIST_ENTRY(holding) link;
	struct live *live;
	const struct action *action;
	char *recorded; /* NULL: nothing was */
	bool open;
	struct action_env env;
	struct release_values values;
	char *candidate_url, *reason; /* the live's own may change */
	struct action_run *run;
	struct timer *timer;
};

static void holding_renew(void *arg);
static void holding_renewed(const struct action_end *end, void *arg);
static void holding_released(const struct action_end *end, void *arg);

static struct holding *holding_of(
	struct live *live, const struct action *action)
{
	struct holding *holding;

	LIST_FOREACH(holding, &live->holdings, link)
		if (holding->action == action)
			return holding;
	holding = xcalloc(1, sizeof(*holding));
	holding->live = live;
	holding->action = action;
	LIST_INSERT_HEAD(&live->holdings, holding, link);
	return holding;
}

static const struct action *action_at(
	const struct live *live, enum action_list list, int index)
{
	return &live->release->policy->lists[list].item[index];
}

/* ---- what preflight found ---- */

void live_keep(struct live *live, const struct action *action, const char *kept)
{
	struct holding *holding = holding_of(live, action);

	free(holding->recorded);
	holding->recorded = xstrdup(kept);
}

const char *live_kept(struct live *live, const struct action *action)
{
	struct holding *holding;

	LIST_FOREACH(holding, &live->holdings, link)
		if (holding->action == action)
			return holding->recorded;
	return NULL;
}

/* ---- what runs opened ---- */

static void holding_job(
	struct holding *holding, enum action_job job, action_fn fn)
{
	struct live *live = holding->live;
	struct action_order order = {&holding->env, holding->action,
		&holding->values.values, job, holding->recorded};

	holding->env = action_env_of(live->world, live->release->policy);
	free(holding->candidate_url);
	free(holding->reason);
	holding->candidate_url = xstrdup(live->release->candidate_url);
	holding->reason = xstrdup(live->state.reason);
	release_values(live->release, &live->state, live->release->candidate, 0,
		&holding->values);
	holding->values.values.candidate_url = holding->candidate_url;
	holding->values.values.reason = holding->reason;
	holding->run = action_job_start(&order, fn, holding);
}

static void log_end(const struct holding *holding, const char *event,
	const struct action_end *end)
{
	log_line(end->result == ACTION_OK ? LOG_INFO : LOG_WARN,
		"rollout=%s event=%s action=%s text=\"%s\"",
		holding->live->release->id, event, holding->action->name,
		end->detail);
}

static void arm(struct holding *holding)
{
	timer_cancel(&holding->timer);
	holding->timer = timer_start(live_loop(holding->live),
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
	arm(holding);
}

void live_opened(struct live *live, enum action_list list, int index)
{
	const struct action *action = action_at(live, list, index);
	struct holding *holding;

	if (!action_has_job(action, JOB_RENEW))
		return;
	holding = holding_of(live, action);
	holding->open = true;
	if (!holding->run)
		arm(holding);
}

/* ---- the end ---- */

static bool any_is_open(const struct live *live)
{
	const struct holding *holding;

	LIST_FOREACH(holding, &live->holdings, link)
		if (holding->open)
			return true;
	return false;
}

static void holding_stop(struct holding *holding)
{
	action_cancel(&holding->run);
	timer_cancel(&holding->timer);
}

static void release_late(void *arg)
{
	struct live *live = arg;
	struct holding *holding;

	live->closing = NULL;
	LIST_FOREACH(holding, &live->holdings, link) {
		holding_stop(holding);
		if (holding->open)
			log_line(LOG_WARN,
				"rollout=%s event=released action=%s "
				"text=\"not finished in time, it ends by "
				"itself\"",
				live->release->id, holding->action->name);
		holding->open = false;
	}
	live->closed(live);
}

void live_release(struct live *live, void (*released)(struct live *live))
{
	struct holding *holding;

	live->closed = released;
	LIST_FOREACH(holding, &live->holdings, link) {
		holding_stop(holding);
		if (holding->open)
			holding_job(holding, JOB_RELEASE, holding_released);
	}
	live->closing = timer_start(live_loop(live),
		any_is_open(live) ? RELEASE_MS_MAX : 0, release_late, live);
}

static void holding_released(const struct action_end *end, void *arg)
{
	struct holding *holding = arg;
	struct live *live = holding->live;

	holding->run = NULL;
	holding->open = false;
	log_end(holding, "released", end);
	if (any_is_open(live))
		return;
	timer_cancel(&live->closing);
	live->closed(live);
}

void live_holdings_stop(struct live *live)
{
	struct holding *holding;

	timer_cancel(&live->closing);
	LIST_FOREACH(holding, &live->holdings, link)
		holding_stop(holding);
}

void live_holdings_free(struct live *live)
{
	struct holding *holding;

	live_holdings_stop(live);
	while ((holding = LIST_FIRST(&live->holdings))) {
		LIST_REMOVE(holding, link);
		free(holding->recorded);
		free(holding->candidate_url);
		free(holding->reason);
		free(holding);
	}
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

void live_keep_named(const char *name, const char *text, void *arg)
{
	struct live *live = arg;
	const struct action *action = action_find(live->release->policy, name);

	if (action)
		live_keep(live, action, text);
}

static void keep_all(struct live *live, const char *data)
{
	kept_decode(data, live_keep_named, live);
}

static int take_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct live *live = arg;
	enum event_type type = event_find(entry->name);
	struct arena arena;
	struct event event;
	int rc;

	if (entry->is_note)
		return 0;
	if (type == EVENT_PREFLIGHT)
		keep_all(live, entry->data);
	if (type != EVENT_ACTION)
		return 0;
	arena_init(&arena);
	rc = event_decode(entry->name, entry->data, live->release->policy,
		&arena, &event, err_r);
	if (rc == 0 && event.action_result == ACTION_OK)
		live_opened(live, event.list, event.index);
	arena_fini(&arena);
	return rc;
}

int live_holdings_read(struct live *live, struct err *err_r)
{
	struct holding *holding;

	if (store_each_event(live->world->store, live->release->id, 0,
		    take_entry, live, err_r) < 0)
		return -1;
	LIST_FOREACH(holding, &live->holdings, link)
		if (holding->open) { /* it may be about to end */
			timer_cancel(&holding->timer);
			holding->timer = timer_start(
				live_loop(live), 0, holding_renew, holding);
		}
	return 0;
}
