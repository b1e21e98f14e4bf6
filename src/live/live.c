/*
 * One rollout: events go in, are journaled, and what the engine wants is
 * carried out. Also: how long people may keep it waiting, and its end. Knows
 * nothing of how the world is asked; decides nothing that the engine decides.
 */
#include "live/live.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/shown.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/action_io.h"
#include "live/check_run.h"
#include "live/driver.h"
#include "live/keepalive.h"
#include "live/predecessor.h"
#include "live/preflight.h"
#include "live/traffic_io.h"

static void live_wake(void *arg);
static void live_end(void *arg);
static void live_tell_end(void *arg);

/* ---- small facts ---- */

struct loop *live_loop(const struct live *live)
{
	return live->world->loop;
}

int64_t live_now(const struct live *live)
{
	return loop_now(live->world->loop) + live->ahead_ms;
}

bool live_is_over(const struct live *live)
{
	return live->over;
}

const char *live_id(const struct live *live)
{
	return live->release->id;
}

const char *live_service(const struct live *live)
{
	return live->release->service.full;
}

int64_t live_seq(const struct live *live)
{
	return live->seq;
}

const struct rollout *live_state(const struct live *live)
{
	return &live->state;
}

const struct policy *live_policy(const struct live *live)
{
	return live->release->policy;
}

const char *live_candidate(const struct live *live)
{
	return live->release->candidate;
}

const char *live_stable(const struct live *live)
{
	return live->release->stable;
}

/* ---- events in ---- */

static void queue_effects(struct live *live, const struct outcome_list *outcome)
{
	size_t need = live->n_effects + outcome->n_effects;

	if (need > live->effects_size) {
		live->effects =
			xrealloc(live->effects, need, sizeof(*live->effects));
		live->effects_size = need;
	}
	if (outcome->n_effects)
		memcpy(live->effects + live->n_effects, outcome->effect,
			outcome->n_effects * sizeof(*live->effects));
	live->n_effects = need;
}

static bool is_verdict(const struct outcome_list *outcome)
{
	for (size_t i = 0; i < outcome->n_effects; i++)
		if (outcome->effect[i].type == EFFECT_WRITE ||
			outcome->effect[i].type == EFFECT_HURRY)
			return true;
	return false;
}

static void arm_wake(struct live *live, int64_t wake_ms)
{
	int64_t now = live_now(live);

	timer_cancel(&live->wake);
	if (wake_ms == INT64_MAX)
		return;
	live->wake = timer_start(live_loop(live),
		wake_ms > now ? wake_ms - now : 0, live_wake, live);
}

static void live_wake(void *arg)
{
	struct live *live = arg;
	struct event event = {.type = EVENT_TIMER};

	live->wake = NULL;
	live_event(live, &event, NULL);
}

static void live_patience_over(void *arg)
{
	struct live *live = arg;
	char text[DURATION_TEXT_MAX];
	struct err err;

	live->patience = NULL;
	err_set(&err, ERR_REFUSED,
		"%s for longer than --wait %s; the rollout goes on with: "
		"tidegate resume %s",
		phase_name(live->state.phase),
		duration_print(live->wait_ms, text), live->release->id);
	live_finish(live, 8, &err);
}

/* Adds up the time for which it waits for people. */
static void count_waiting(struct live *live)
{
	bool waits = rollout_waits_for_people(&live->state);
	int64_t left, now = live_now(live);

	if (waits == (live->waiting_since_ms != 0))
		return;
	if (!waits) {
		live->waited_ms += now - live->waiting_since_ms;
		live->waiting_since_ms = 0;
		timer_cancel(&live->patience);
		return;
	}
	live->waiting_since_ms = now;
	if (live->wait_ms < 0)
		return;
	left = live->wait_ms - live->waited_ms;
	live->patience = timer_start(
		live_loop(live), left > 0 ? left : 0, live_patience_over, live);
}

static void journal_event(struct live *live, const struct event *event,
	const struct event_context *context, const struct outcome_list *outcome)
{
	struct err err;

	if (live_journal(live, event, context, outcome, &err) == 0) {
		if (is_verdict(outcome))
			journal_flush_first(live->writer);
	} else {
		/* The entry in front may be among those that wait. */
		journal_fail(live->hub->journal, &err);
		live_unjournal(live, &err);
	}
}

/* A copy of a text without secrets; NULL gives NULL. */
static char *masked(const char *text)
{
	struct buf buf;

	if (!text)
		return NULL;
	buf_init(&buf, STORE_EVENT_BYTES_MAX / 4);
	shown_add(&buf, text, strlen(text), STORE_EVENT_BYTES_MAX / 8, 0);
	return buf_steal(&buf);
}

void live_event(struct live *live, const struct event *event,
	const struct event_context *context)
{
	struct outcome_list outcome;
	struct event safe = *event;
	char *text;

	/* Until the end is in the journal answers still come in; only a person
	 * is told that it is too late. */
	if (live_is_over(live) || (phase_is_end(live->state.phase) &&
					  event->type != EVENT_COMMAND))
		return;
	text = masked(event->text);
	safe.text = text;
	rollout_step(live->release->policy, &live->state, &safe, live_now(live),
		&outcome);
	queue_effects(live, &outcome);
	arm_wake(live, outcome.wake_ms);
	count_waiting(live);
	if (live->unjournaled)
		live_carry_out_unjournaled(live, &outcome);
	else
		journal_event(live, &safe, context, &outcome);
	free(text);
}

/* A runner is gone when it tells what became of its work. */
void live_answered(const struct event *event,
	const struct event_context *context, void *arg)
{
	struct live *live = arg;

	if (event->type == EVENT_PREFLIGHT)
		live->preflight = NULL;
	else if (event->type == EVENT_CHECK)
		live->checks[event->slo] = NULL;
	else if (event->type == EVENT_ACTION)
		live->action = NULL;
	if (event->type == EVENT_ACTION && event->action_result == ACTION_OK)
		keepalive_opened(live->keepalive, event->list, event->index);
	live_event(live, event, context);
}

void live_interrupt(struct live *live, const char *signal_name)
{
	struct event event = {
		.type = EVENT_INTERRUPT,
		.text = signal_name,
		.leave = live->release->policy->on_interrupt ==
			 ON_INTERRUPT_LEAVE,
	};
	struct err err;

	if (live->seq) {
		live_event(live, &event, NULL);
		return;
	}
	err_set(&err, ERR_REFUSED, "interrupted by %s before it began",
		signal_name);
	live_finish(live, err_exit_status(err.code), &err);
}

/* ---- effects out ---- */

static void start_preflight(struct live *live)
{
	struct preflight_what what = {
		.release = live->release,
		.state = &live->state,
		.traffic = live->traffic,
		.keepalive = live->keepalive,
		.journal = live->hub->journal,
	};

	if (release_goes_back(live->release))
		what.patient_until_ms =
			live->state.started_ms +
			live->release->policy->revert_timeout_ms -
			live->ahead_ms;
	preflight_cancel(&live->preflight);
	live->preflight =
		preflight_start(live->world, &what, live_answered, live);
}

static void start_check(struct live *live, int slo)
{
	struct inquiry_what what = {.release = live->release,
		.state = &live->state,
		.slo = slo,
		.candidate = live->release->candidate};

	check_run_cancel(&live->checks[slo]);
	live->checks[slo] =
		check_run_start(live->world, &what, live_answered, live);
}

static void start_action(struct live *live, const struct effect *effect)
{
	const struct actions *list =
		&live->release->policy->lists[effect->list];
	struct action_io_what what = {
		.release = live->release,
		.state = &live->state,
		.effect = effect,
		.captured = keepalive_captured(
			live->keepalive, &list->item[effect->index]),
	};

	action_io_cancel(&live->action);
	if (predecessor_has_done(live->world->store, live->release, effect))
		live->action = action_io_refuse(live->world, effect,
			ACTION_SKIPPED,
			"done by the rollback before this one, and not to be "
			"repeated",
			live_answered, live);
	else
		live->action = action_io_start(
			live->world, &what, live_answered, live);
}

void live_carry_out_one(struct live *live, const struct effect *effect)
{
	switch (effect->type) {
	case EFFECT_PREFLIGHT:
		start_preflight(live);
		break;
	case EFFECT_READ:
		traffic_io_read(live->traffic);
		break;
	case EFFECT_WRITE:
		traffic_io_write(live->traffic, effect,
			live->state.traffic.deadline_ms - live_now(live));
		break;
	case EFFECT_HURRY:
		traffic_io_hurry(live->traffic);
		break;
	case EFFECT_CHECK:
		start_check(live, effect->slo);
		break;
	case EFFECT_ACTION:
		start_action(live, effect);
		break;
	case EFFECT_CANCEL:
		action_io_cancel(&live->action);
		break;
	case EFFECTS:
		assert(!"an effect that is none");
	}
}

void live_carry_out(struct live *live)
{
	size_t n = live->n_effects;

	/* None of these calls back before it returns. */
	for (size_t i = 0; i < n; i++)
		if (live->effects[i].type == EFFECT_WRITE)
			live_carry_out_one(live, &live->effects[i]);
	for (size_t i = 0; i < n; i++)
		if (live->effects[i].type != EFFECT_WRITE)
			live_carry_out_one(live, &live->effects[i]);
	assert(live->n_effects == n);
	live->n_effects = 0;
}

/* What is journaled is durable: is it the end? */
static void live_settle(struct live *live)
{
	struct err err;

	if (live_is_over(live))
		return;
	if (phase_is_end(live->state.phase)) {
		live_finish(live, rollout_exit_status(&live->state), NULL);
	} else if (live->state.leaving) {
		err_set(&err, ERR_REFUSED,
			"interrupted, and the policy says on_interrupt: leave; "
			"the rollout goes on with: tidegate resume %s",
			live->release->id);
		live_finish(live, 8, &err);
	}
}

/* ---- what became of entries ---- */

static void live_durable(void *arg)
{
	struct live *live = arg;

	live_carry_out(live);
	live_settle(live);
}

static void live_written(const struct store_event *entry, void *arg)
{
	struct live *live = arg;

	if (live->listener.entry)
		live->listener.entry(live, entry, live->listener.arg);
}

static void live_lost(const struct err *err, void *arg)
{
	struct live *live = arg;

	if (err->code == ERR_LEASE)
		live_taken_over(live, err);
	else
		live_unjournal(live, err);
}

const struct journal_owner live_journal_owner = {
	.durable = live_durable,
	.written = live_written,
	.lost = live_lost,
};

/* ---- the end ---- */

static void stop_all(struct live *live)
{
	timer_cancel(&live->wake);
	timer_cancel(&live->patience);
	timer_cancel(&live->lease_retry);
	preflight_cancel(&live->preflight);
	traffic_io_cancel(live->traffic);
	for (size_t i = 0; i < live->release->policy->n_slos; i++)
		check_run_cancel(&live->checks[i]);
	action_io_cancel(&live->action);
	keepalive_stop(live->keepalive);
	live->n_effects = 0;
}

void live_finish(struct live *live, int exit_status, const struct err *err)
{
	if (live_is_over(live))
		return;
	live->over = true;
	stop_all(live);
	live->end_status = exit_status;
	if (err) {
		live->end_err = xcalloc(1, sizeof(*err));
		*live->end_err = *err;
	}
	live->end = timer_start(live_loop(live), 0, live_end, live);
}

void live_taken_over(struct live *live, const struct err *err)
{
	struct err why = *err;

	live->fence = 0;
	err_wrap(&why, "another process has taken %s over", live->release->id);
	live_finish(live, 1, &why);
}

/* The journal has the end: the service is free for the next rollout. What
 * actions opened is closed only when the rollout is over for good. */
static void live_end(void *arg)
{
	struct live *live = arg;

	live->end = NULL;
	journal_flush(live->hub->journal);
	journal_tell(live->hub->journal); /* the end is told last */
	if (live->fence)
		store_lease_drop(live->world->store,
			live->release->service.full, live->fence);
	if (live->fence && phase_is_end(live->state.phase))
		keepalive_close(live->keepalive, live_tell_end, live);
	else
		live_tell_end(live);
	live->fence = 0;
}

static void live_tell_end(void *arg)
{
	struct live *live = arg;
	struct err *err = live->end_err;

	live->end_err = NULL;
	live->listener.end(live, live->end_status, err, live->listener.arg);
	free(err);
}

void live_free(struct live **live_p)
{
	struct live *live = *live_p;

	if (!live)
		return;
	stop_all(live);
	timer_cancel(&live->end);
	if (live->fence) {
		journal_flush(live->hub->journal);
		store_lease_drop(live->world->store,
			live->release->service.full, live->fence);
	}
	keepalive_free(&live->keepalive);
	traffic_io_free(&live->traffic);
	hub_leave(live);
	free(live->end_err);
	free(live->effects);
	free(live->checks);
	release_free(&live->release);
	free(live);
	*live_p = NULL;
}
