/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is still done when the journal cannot be written any more: a disk that
 * fills up leaves traffic alone or reverted. The candidate loses its users and
 * then driving ends; no step is taken, no action is run, nothing is promised
 * that a later `resume` could not see in the service itself.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "live/action_io.h"
#include "live/driver_parts.h"
#include "live/traffic_io.h"

/* Forward moves and actions are answered instead of done. */
static void carry_out_or_refuse(
	struct driver *driver, const struct effect *effect)
{
	static const char why[] = "not done: the journal cannot be written";

	switch (effect->type) {
	case EFFECT_WRITE:
		if (effect->percent > 0)
			traffic_io_refuse(
				driver->traffic, effect, WRITE_BUSY, why);
		else
			driver_carry_out_one(driver, effect);
		break;
	case EFFECT_ACTION:
		driver_cancel_action(driver);
		driver->action = action_io_refuse(driver->world, effect,
			ACTION_FAILED, why, driver->answered, driver);
		break;
	case EFFECT_READ:
	case EFFECT_HURRY:
	case EFFECT_CANCEL:
		driver_carry_out_one(driver, effect);
		break;
	case EFFECT_PREFLIGHT:
	case EFFECT_CHECK:
	case EFFECTS:
		break; /* no decision depends on their answers any more */
	}
}

static void drain(struct driver *driver)
{
	for (size_t i = 0; i < driver->n_effects; i++)
		carry_out_or_refuse(driver, &driver->effects[i].effect);
	driver->n_effects = 0;
}

static void end_unjournaled(struct driver *driver)
{
	struct err err = *driver->end_err;
	bool safe = driver->state->phase == PHASE_ROLLED_BACK ||
		    !driver->state->moved;

	err_wrap(&err,
		"the journal cannot be written; traffic was %s, what else "
		"happened is not recorded",
		driver->state->phase == PHASE_ROLLED_BACK
			? "given back to stable"
		: safe ? "not moved"
		       : "left as it is");
	xfree((char **)&driver->end_err);
	driver_finish(driver,
		driver->state->phase == PHASE_ROLLBACK_FAILED
			? rollout_exit_status(driver->state)
			: 1,
		&err);
}

void driver_carry_out_unjournaled(
	struct driver *driver, const struct outcome_list *outcome)
{
	driver_log_notes(driver, outcome, true);
	drain(driver);
	if (phase_is_end(driver->state->phase))
		end_unjournaled(driver);
}

bool driver_unjournal_begin(struct driver *driver, const struct err *err)
{
	if (driver->unjournaled || driver->over)
		return false;
	log_line(LOG_ERROR, "rollout=%s event=journal-lost error=\"%s\"",
		driver->release->id, err->text);
	driver->unjournaled = true;
	driver->end_err = xcalloc(1, sizeof(*err));
	*driver->end_err = *err;
	/* At 100 % and finishing, leaving it alone is the safe thing. */
	if (!driver->state->moved || phase_is_end(driver->state->phase) ||
		driver->state->step >= (int)driver->release->policy->n_steps) {
		driver->n_effects = 0;
		end_unjournaled(driver);
		return false;
	}
	drain(driver);
	return true;
}
