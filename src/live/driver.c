/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rollout: events go in, are journaled, and when they are durable what the
 * engine wants is carried out. Also: how long people may keep it waiting.
 * Decides nothing that the engine decides.
 */
#include "live/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sanitize.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/driver_parts.h"
#include "live/keepalive.h"
#include "live/traffic_io.h"
#include "metrics/counting.h"

static void driver_wake(void *arg);

/* ---- events in ---- */

static void queue_effects(
	struct driver *driver, const struct outcome_list *outcome)
{
	size_t need;

	for (size_t i = 0; i < outcome->n_effects; i++)
		driver_replace(driver, &outcome->effect[i]);
	need = driver->n_effects + outcome->n_effects;
	if (need > driver->effects_size) {
		driver->effects = xrealloc(
			driver->effects, need, sizeof(*driver->effects));
		driver->effects_size = need;
	}
	/* The event and its notes are the next entries. */
	for (size_t i = 0; i < outcome->n_effects; i++)
		driver->effects[driver->n_effects + i] =
			(struct decided){outcome->effect[i],
				driver->seq + 1 + (int64_t)outcome->n_notes};
	driver->n_effects = need;
}

static bool is_verdict(const struct outcome_list *outcome)
{
	for (size_t i = 0; i < outcome->n_effects; i++)
		if (outcome->effect[i].type == EFFECT_WRITE ||
			outcome->effect[i].type == EFFECT_HURRY)
			return true;
	return false;
}

static void arm_wake(struct driver *driver, int64_t wake_ms)
{
	int64_t now = driver_now(driver);

	timer_cancel(&driver->wake);
	if (wake_ms == INT64_MAX)
		return;
	driver->wake = timer_start(driver->world->loop,
		wake_ms > now ? wake_ms - now : 0, driver_wake, driver);
}

static void driver_wake(void *arg)
{
	struct driver *driver = arg;
	struct event event = {.type = EVENT_TIMER};

	driver->wake = NULL;
	driver_event(driver, &event, NULL);
}

static void driver_patience_over(void *arg)
{
	struct driver *driver = arg;
	char text[DURATION_TEXT_MAX];
	struct err err;

	driver->patience = NULL;
	err_set(&err, ERR_REFUSED,
		"%s for longer than --wait %s; the rollout goes on with: "
		"tidegate resume %s",
		phase_name(driver->state->phase),
		duration_print(driver->wait_ms, text), driver->release->id);
	driver_finish(driver, 8, &err);
}

/* Adds up the time for which it waits for people. */
static void count_waiting(struct driver *driver)
{
	bool waits = rollout_waits_for_people(driver->state) ||
		     rollout_is_frozen(driver->state);
	int64_t left, now = driver_now(driver);

	if (waits == (driver->waiting_since_ms != 0))
		return;
	if (!waits) {
		driver->waited_ms += now - driver->waiting_since_ms;
		driver->waiting_since_ms = 0;
		timer_cancel(&driver->patience);
		return;
	}
	driver->waiting_since_ms = now;
	if (driver->wait_ms < 0)
		return;
	left = driver->wait_ms - driver->waited_ms;
	driver->patience = timer_start(driver->world->loop, left > 0 ? left : 0,
		driver_patience_over, driver);
}

static void journal_event(struct driver *driver, const struct event *event,
	const struct event_context *context, const struct outcome_list *outcome)
{
	const struct err *late;

	driver_journal(driver, event, context, outcome);
	if (is_verdict(outcome))
		journal_flush_first(driver->writer);
	late = journal_lateness(driver->journal);
	if (late)
		driver_late(driver, late);
}

/* A copy of a text without secrets; NULL gives NULL. */
static char *masked(const char *text)
{
	struct buf buf;

	if (!text)
		return NULL;
	buf_init(&buf, STORE_EVENT_BYTES_MAX / 4);
	sanitize_add(&buf, text, strlen(text), STORE_EVENT_BYTES_MAX / 8, 0);
	return buf_steal(&buf);
}

void driver_event(struct driver *driver, const struct event *event,
	const struct event_context *context)
{
	struct outcome_list outcome;
	struct event safe = *event;
	char *text;

	/* Until the end is in the journal answers still come in; only a person
	 * is told that it is too late. */
	if (driver->over || (phase_is_end(driver->state->phase) &&
				    event->type != EVENT_COMMAND))
		return;
	text = masked(event->text);
	safe.text = text;
	rollout_step(driver->release->policy, driver->state, &safe,
		driver_now(driver), &outcome);
	queue_effects(driver, &outcome);
	arm_wake(driver, outcome.wake_ms);
	count_waiting(driver);
	if (driver->unjournaled)
		driver_carry_out_unjournaled(driver, &outcome);
	else
		journal_event(driver, &safe, context, &outcome);
	free(text);
}

/* A runner is gone when it tells what became of its work. */
static void driver_answered(const struct event *event,
	const struct event_context *context, void *arg)
{
	struct driver *driver = arg;

	if (event->type == EVENT_CHECK)
		driver->checks[event->slo] = NULL;
	else if (event->type == EVENT_ACTION)
		driver->action = NULL;
	if (event->type == EVENT_ACTION)
		keepalive_ran(driver->keepalive, event->list, event->index,
			event->action_result);
	driver_event(driver, event, context);
}

void driver_interrupt(struct driver *driver, const char *signal_name)
{
	struct event event = {
		.type = EVENT_INTERRUPT,
		.text = signal_name,
		.leave = driver->release->policy->on_interrupt ==
			 ON_INTERRUPT_LEAVE,
	};
	const struct err *lateness = journal_lateness(driver->journal);
	struct err err;

	/* Others' entries may be written again, and its own soon. */
	if (lateness && driver_waits_for_journal(driver)) {
		driver_unjournal(driver, lateness);
		return;
	}
	if (driver->walk) {
		driver->signal_name = signal_name; /* when the state is known */
		return;
	}
	if (driver->seq) {
		driver_event(driver, &event, NULL);
		return;
	}
	err_set(&err, ERR_REFUSED, "interrupted by %s before it began",
		signal_name);
	driver_finish(driver, err_exit_status(err.code), &err);
}

/* All entries are durable: ends the driver if the rollout has ended. */
static void driver_settle(struct driver *driver)
{
	struct err err;

	if (driver->over) {
		driver_end_soon(driver);
		return;
	}
	if (phase_is_end(driver->state->phase)) {
		driver_finish(driver, rollout_exit_status(driver->state), NULL);
	} else if (driver->state->leaving) {
		err_set(&err, ERR_REFUSED,
			"interrupted, and the policy says on_interrupt: leave; "
			"the rollout goes on with: tidegate resume %s",
			driver->release->id);
		driver_finish(driver, 8, &err);
	}
}

/* ---- what became of entries ---- */

static void driver_lease(int taken, const struct store_lease *lease,
	const struct err *err, void *arg)
{
	struct driver *driver = arg;

	driver->lease(driver, taken, lease, err);
}

static void driver_durable(int64_t seq, void *arg)
{
	struct driver *driver = arg;

	driver->begun = true;
	driver_not_late(driver);
	driver_carry_out(driver, seq);
	if (seq == driver->seq)
		driver_settle(driver);
}

static void driver_written(const struct store_event *entry, void *arg)
{
	struct driver *driver = arg;

	if (driver->observer.entry)
		driver->observer.entry(driver, entry, driver->observer.arg);
}

static void driver_told_late(const struct err *err, void *arg)
{
	driver_late(arg, err);
}

static void driver_lost(const struct err *err, void *arg)
{
	struct driver *driver = arg;

	if (err->code == ERR_LEASE)
		driver_taken_over(driver, err);
	else
		driver_unjournal(driver, err);
}

const struct journal_owner driver_journal_owner = {
	.lease = driver_lease,
	.durable = driver_durable,
	.written = driver_written,
	.late = driver_told_late,
	.lost = driver_lost,
};

/* ---- the journal cannot be written ---- */

static void interrupt(struct driver *driver)
{
	struct event event = {
		.type = EVENT_INTERRUPT,
		.text = "a journal that cannot be written",
	};

	driver_event(driver, &event, NULL);
}

/* At 100 % and finishing, leaving it alone is the safe thing. */
static void take_back(struct driver *driver)
{
	if (driver->state->moved && !phase_is_end(driver->state->phase) &&
		driver->state->step < (int)driver->release->policy->n_steps &&
		!driver_is_reverting(driver))
		interrupt(driver);
}

void driver_unjournal(struct driver *driver, const struct err *err)
{
	journal_drop(driver->writer);
	if (driver_unjournal_begin(driver, err))
		interrupt(driver);
}

/* The writers of a journal that is not late any more were told so before. */
static void driver_too_late(struct driver *driver, bool for_good)
{
	const struct err *err = journal_lateness(driver->journal);

	if (for_good && err)
		driver_unjournal(driver, err);
	else
		take_back(driver);
}

/* ---- making and freeing ---- */

struct driver *driver_new(struct world *world, struct journal *journal,
	struct release *release, const struct driver_options *options,
	const struct observer *observer)
{
	struct driver *driver = xcalloc(1, sizeof(*driver));

	driver->world = world;
	driver->journal = journal;
	driver->release = release;
	release->programs = &driver->programs;
	driver->observer = *observer;
	driver->answered = driver_answered;
	driver->too_late = driver_too_late;
	driver->wait_ms = options->wait_ms;
	driver->ahead_ms = loop_wall_ms(world->loop) - loop_now(world->loop);
	driver->checks =
		xcalloc(release->policy->n_slos + 1, sizeof(*driver->checks));
	driver->counting =
		xcalloc(release->policy->n_slos + 1, sizeof(*driver->counting));
	for (size_t i = 0; i < release->policy->n_slos; i++)
		if (release->policy->slos[i].kind == SLO_EVIDENCE)
			driver->counting[i] =
				counting_new(&release->policy->slos[i]);
	driver->state = rollout_new(release->policy);
	driver->traffic =
		traffic_io_new(world, release, driver_answered, driver);
	driver->keepalive = keepalive_new(world, release, driver->state);
	return driver;
}

void driver_free(struct driver **driver_p)
{
	struct driver *driver = *driver_p;

	if (!driver)
		return;
	driver_stop(driver);
	timer_cancel(&driver->end);
	if (driver->fence)
		journal_drop_lease(driver->writer);
	keepalive_free(&driver->keepalive);
	traffic_io_free(&driver->traffic);
	rollout_free(&driver->state);
	journal_close(&driver->writer);
	free(driver->end_err);
	free(driver->rival);
	free(driver->effects);
	free(driver->checks);
	for (size_t i = 0; i < driver->release->policy->n_slos; i++)
		counting_free(&driver->counting[i]);
	free(driver->counting);
	release_free(&driver->release);
	process_crew_fini(&driver->programs);
	free(driver);
	*driver_p = NULL;
}
