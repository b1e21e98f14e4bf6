/*
 * What is still done when the journal cannot be written any more: a disk that
 * fills up leaves traffic alone or reverted. The candidate loses its users and
 * then driving ends; no step is taken, no action is run, nothing is promised
 * that a later `resume` could not see in the service itself.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "live/action_io.h"
#include "live/driver.h"
#include "live/traffic_io.h"

/* Forward moves and actions are answered instead of done. */
static void carry_out_or_refuse(struct live *live, const struct effect *effect)
{
	static const char why[] = "not done: the journal cannot be written";

	switch (effect->type) {
	case EFFECT_WRITE:
		if (effect->percent > 0)
			traffic_io_refuse(live->traffic, WRITE_BUSY, why);
		else
			live_carry_out_one(live, effect);
		break;
	case EFFECT_ACTION:
		action_io_cancel(&live->action);
		live->action = action_io_refuse(live->world, effect,
			ACTION_FAILED, why, live_answered, live);
		break;
	case EFFECT_READ:
	case EFFECT_HURRY:
	case EFFECT_CANCEL:
		live_carry_out_one(live, effect);
		break;
	case EFFECT_PREFLIGHT:
	case EFFECT_CHECK:
	case EFFECTS:
		break; /* nothing is decided on it any more */
	}
}

static void drain(struct live *live)
{
	for (size_t i = 0; i < live->n_effects; i++)
		carry_out_or_refuse(live, &live->effects[i]);
	live->n_effects = 0;
}

static void end_unjournaled(struct live *live)
{
	struct err err = *live->end_err;
	bool safe =
		live->state.phase == PHASE_ROLLED_BACK || !live->state.moved;

	err_wrap(&err,
		"the journal cannot be written; traffic was %s, what else "
		"happened is not recorded",
		live->state.phase == PHASE_ROLLED_BACK ? "given back to stable"
		: safe                                 ? "not moved"
						       : "left as it is");
	xfree((char **)&live->end_err);
	live_finish(live,
		live->state.phase == PHASE_ROLLBACK_FAILED
			? rollout_exit_status(&live->state)
			: 1,
		&err);
}

void live_carry_out_unjournaled(
	struct live *live, const struct outcome_list *outcome)
{
	live_log_notes(live, outcome, true);
	drain(live);
	if (phase_is_end(live->state.phase))
		end_unjournaled(live);
}

void live_unjournal(struct live *live, const struct err *err)
{
	struct event event = {
		.type = EVENT_INTERRUPT,
		.text = "a journal that cannot be written",
	};

	if (live->unjournaled || live_is_over(live))
		return;
	log_line(LOG_ERROR, "rollout=%s event=journal-lost error=\"%s\"",
		live->release->id, err->text);
	live->unjournaled = true;
	live->end_err = xcalloc(1, sizeof(*err));
	*live->end_err = *err;
	/* At 100 % and finishing, leaving it alone is the safe thing. */
	if (!live->state.moved || phase_is_end(live->state.phase) ||
		live->state.step >= (int)live->release->policy->n_steps) {
		live->n_effects = 0;
		end_unjournaled(live);
		return;
	}
	drain(live);
	live_event(live, &event, NULL);
}
