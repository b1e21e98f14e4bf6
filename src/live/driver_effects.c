/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine wants is carried out by runners, each for one kind of effect;
 * they answer by events. Decides nothing, journals nothing.
 *
 * Nothing is carried out before its event is durable, but in two cases.
 * Preflight only reads, and may begin as soon as the lease is held. And when the
 * journal cannot be written for longer than JOURNAL_PATIENCE_MS the candidate is
 * watched on, and a revert leaves; traffic does not go up and no action is run
 * before the journal has it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "live/action_io.h"
#include "live/check_run.h"
#include "live/driver_parts.h"
#include "live/keepalive.h"
#include "live/predecessor.h"
#include "live/traffic_io.h"
#include "metrics/counting.h"

static void start_check(struct driver *driver, int slo)
{
	struct measure_what what = {.release = driver->release,
		.state = driver->state,
		.slo = slo,
		.candidate = driver->release->candidate};

	check_run_cancel(&driver->checks[slo]);
	driver->checks[slo] = check_run_start(driver->world, &what,
		driver->counting[slo], driver->answered, driver);
}

void driver_forget_counters(struct driver *driver)
{
	for (size_t i = 0; i < driver->release->policy->n_slos; i++)
		if (driver->counting[i])
			counting_forget(driver->counting[i]);
}

static void run_action(struct driver *driver, const struct effect *effect)
{
	const struct actions *list =
		&driver->release->policy->lists[effect->list];
	struct action_io_what what = {
		.release = driver->release,
		.state = driver->state,
		.effect = effect,
		.captured = keepalive_captured(
			driver->keepalive, &list->item[effect->index]),
	};

	driver->action =
		action_io_start(driver->world, &what, driver->answered, driver);
}

static void action_looked_up(bool has_done, void *arg)
{
	struct driver *driver = arg;

	driver->search = NULL;
	if (!has_done)
		run_action(driver, &driver->searched);
	else
		driver->action = action_io_refuse(driver->world,
			&driver->searched, ACTION_SKIPPED,
			"done by the rollback before this one, and not to be "
			"repeated",
			driver->answered, driver);
}

void driver_cancel_action(struct driver *driver)
{
	predecessor_search_cancel(&driver->search);
	action_io_cancel(&driver->action);
}

static void start_action(struct driver *driver, const struct effect *effect)
{
	driver_cancel_action(driver);
	driver->searched = *effect;
	if (predecessor_may_have_done(driver->release, effect))
		driver->search = predecessor_search_start(driver->world,
			driver->release, effect, action_looked_up, driver);
	else
		run_action(driver, effect);
}

/* A breach may have come while the entry of a step up became durable. */
static void start_write(struct driver *driver, const struct effect *effect)
{
	const char *why = may_still_write(driver->release->policy,
		driver->state, effect, driver_now(driver));
	char text[ROLLOUT_TEXT_MAX];

	if (!why) {
		traffic_io_write(driver->traffic, effect,
			driver->state->traffic.write.deadline_ms -
				driver_now(driver));
		return;
	}
	snprintf(text, sizeof(text), "not written: %s", why);
	traffic_io_refuse(driver->traffic, effect, WRITE_BUSY, text);
}

void driver_carry_out_one(struct driver *driver, const struct effect *effect)
{
	switch (effect->type) {
	case EFFECT_PREFLIGHT:
		driver_preflight(driver);
		break;
	case EFFECT_READ:
		traffic_io_read(driver->traffic, effect);
		break;
	case EFFECT_WRITE:
		start_write(driver, effect);
		break;
	case EFFECT_HURRY:
		traffic_io_hurry(driver->traffic);
		break;
	case EFFECT_CHECK:
		start_check(driver, effect->slo);
		break;
	case EFFECT_ACTION:
		start_action(driver, effect);
		break;
	case EFFECT_CANCEL:
		driver_cancel_action(driver);
		break;
	case EFFECTS:
		assert(!"an effect that is none");
	}
}

static void drop_check(struct driver *driver, int slo)
{
	struct decided *kept = driver->effects;
	size_t left = 0;

	check_run_cancel(&driver->checks[slo]);
	for (size_t i = 0; i < driver->n_effects; i++)
		if (kept[i].effect.type != EFFECT_CHECK ||
			kept[i].effect.slo != slo)
			kept[left++] = kept[i];
	driver->n_effects = left;
}

void driver_replace(struct driver *driver, const struct effect *effect)
{
	if (effect->type == EFFECT_READ)
		traffic_io_cancel_read(driver->traffic);
	else if (effect->type == EFFECT_CHECK)
		drop_check(driver, effect->slo);
}

/* A load is stopped first, which is a signal and takes no time; then the way
 * back; then the rest. */
static int pass_of(const struct effect *effect)
{
	return effect->type == EFFECT_CANCEL  ? 0
	       : effect->type == EFFECT_WRITE ? 1
					      : 2;
}

/* An action that was cancelled before it was started is not started. */
static bool is_cancelled(const struct decided *decided, size_t i, size_t n)
{
	if (decided[i].effect.type != EFFECT_ACTION)
		return false;
	while (++i < n)
		if (decided[i].effect.type == EFFECT_CANCEL)
			return true;
	return false;
}

void driver_carry_out(struct driver *driver, int64_t seq)
{
	struct decided *decided = driver->effects;
	size_t all = driver->n_effects, n = 0;

	while (n < all && decided[n].seq <= seq)
		n++;
	/* None of these calls back before it returns. */
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < n; i++)
			if (pass_of(&decided[i].effect) == pass &&
				!is_cancelled(decided, i, n))
				driver_carry_out_one(
					driver, &decided[i].effect);
	assert(driver->n_effects == all);
	driver->n_effects = all - n;
	memmove(decided, decided + n, (all - n) * sizeof(*decided));
}

/* ---- at the start ---- */

void driver_carry_out_preflight(struct driver *driver)
{
	struct decided *kept = driver->effects;
	size_t left = 0;

	for (size_t i = 0; i < driver->n_effects; i++)
		if (driver->effects[i].effect.type == EFFECT_PREFLIGHT)
			driver_preflight(driver);
		else
			kept[left++] = driver->effects[i];
	driver->n_effects = left;
}

/* ---- while the journal is late ---- */

/* Drops actions that were cancelled before they were started. */
static size_t without_actions(struct decided *kept, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (kept[i].effect.type != EFFECT_ACTION)
			kept[left++] = kept[i];
	return left;
}

static void write_early(struct driver *driver, const struct effect *effect)
{
	if (effect->percent == 0 && driver_is_reverting(driver))
		driver_carry_out_one(driver, effect);
	else /* the engine asks itself anew whether it may */
		traffic_io_refuse(driver->traffic, effect, WRITE_BUSY,
			"not written: the journal cannot be written now");
}

void driver_carry_out_early(struct driver *driver)
{
	struct decided *kept = driver->effects;
	size_t n = driver->n_effects, left = 0;

	for (size_t i = 0; i < n; i++) {
		struct decided decided = driver->effects[i];
		const struct effect *effect = &decided.effect;

		switch (effect->type) {
		case EFFECT_PREFLIGHT:
		case EFFECT_ACTION:
			kept[left++] = decided;
			break;
		case EFFECT_WRITE:
			write_early(driver, effect);
			break;
		case EFFECT_CANCEL:
			left = without_actions(kept, left);
			driver_carry_out_one(driver, effect);
			break;
		case EFFECT_READ:
		case EFFECT_HURRY:
		case EFFECT_CHECK:
		case EFFECTS:
			driver_carry_out_one(driver, effect);
			break;
		}
	}
	driver->n_effects = left;
}
