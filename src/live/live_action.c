/*
 * EFFECT_ACTION: one run of one action, from the start to the event. One action
 * runs at a time; what it is told of the rollout does not change meanwhile.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/driver.h"

struct act {
	struct live *live;
	enum action_list list;
	int index, attempt;
	struct action_env env;
	struct release_values values;
	char *candidate_url, *reason; /* the live's own may change */
	struct action_run *run;
	struct timer *refused;
	const char *why; /* not run: why not; static */
	enum action_result refused_result;
};

static void act_ended(const struct action_end *end, void *arg);
static void act_was_refused(void *arg);
static void act_tell(struct act *act, enum action_result result,
	const char *detail, int64_t duration_ms);

struct action_env action_env_of(
	const struct world *world, const struct policy *policy)
{
	return (struct action_env){
		.loop = world->loop,
		.http = world->http,
		.credentials = world->credentials,
		.policy = policy,
		.store = world->store,
	};
}

static struct act *act_new(struct live *live, const struct effect *effect)
{
	struct act *act = xcalloc(1, sizeof(*act));

	act_cancel(&live->act);
	live->act = act;
	act->live = live;
	act->list = effect->list;
	act->index = effect->index;
	act->attempt = effect->attempt;
	return act;
}

static void refuse(struct act *act, enum action_result result, const char *why)
{
	act->why = why;
	act->refused_result = result;
	act->refused =
		timer_start(live_loop(act->live), 0, act_was_refused, act);
}

void act_start(struct live *live, const struct effect *effect)
{
	struct act *act = act_new(live, effect);
	const struct actions *list = &live->release->policy->lists[act->list];
	const struct action *action = &list->item[act->index];
	struct action_order order = {&act->env, action, &act->values.values,
		JOB_RUN, live_kept(live, action)};

	if (undo_has_done(live, act->list, act->index)) {
		refuse(act, ACTION_SKIPPED,
			"done by the rollback before this one, and not to be "
			"repeated");
		return;
	}
	act->env = action_env_of(live->world, live->release->policy);
	if (act->list == LIST_ROLLED_BACK)
		act->env.trouble = rollback_problem(&live->state);
	act->candidate_url = xstrdup(live->release->candidate_url);
	act->reason = xstrdup(live->state.reason);
	release_values(live->release, &live->state, live->release->candidate, 0,
		&act->values);
	act->values.values.candidate_url = act->candidate_url;
	act->values.values.reason = act->reason;
	act->run = action_job_start(&order, act_ended, act);
}

void act_refuse(struct live *live, const struct effect *effect, const char *why)
{
	refuse(act_new(live, effect), ACTION_FAILED, why);
}

static void act_ended(const struct action_end *end, void *arg)
{
	struct act *act = arg;

	act->run = NULL;
	if (end->result == ACTION_OK)
		live_opened(act->live, act->list, act->index);
	act_tell(act, end->result, end->detail, end->duration_ms);
}

static void act_was_refused(void *arg)
{
	struct act *act = arg;

	act->refused = NULL;
	act_tell(act, act->refused_result, act->why, 0);
}

static void act_free(struct act *act)
{
	free(act->candidate_url);
	free(act->reason);
	free(act);
}

static void act_tell(struct act *act, enum action_result result,
	const char *detail, int64_t duration_ms)
{
	struct live *live = act->live;
	struct event event = {
		.type = EVENT_ACTION,
		.list = act->list,
		.index = act->index,
		.attempt = act->attempt,
		.action_result = result,
		.text = detail,
		.duration_ms = duration_ms,
	};

	live->act = NULL;
	act_free(act);
	live_event(live, &event, NULL);
}

void act_cancel(struct act **act)
{
	if (!*act)
		return;
	action_cancel(&(*act)->run);
	timer_cancel(&(*act)->refused);
	act_free(*act);
	*act = NULL;
}
