/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads of steps. A step's load is made while it bakes, and what comes after it
 * is judged: the bake begins anew when the longest window has gone by since its
 * end, so that no pass rests on the load's own requests. Checks go on all the
 * while, and a breach counts as ever. What the load itself says is taken here.
 */
#include "engine/turn.h"

static uint64_t bit_of(const struct turn *t)
{
	return UINT64_C(1) << t->r->step;
}

static bool is_in_step(const struct turn *t)
{
	return t->r->step >= 0 && !rollout_is_finishing(t);
}

bool load_is_over(struct turn *t)
{
	int load = step_now(t)->load;

	return !load || t->r->loads_over & bit_of(t) ||
	       sequence_ensure_one(t, LIST_LOAD, load - 1);
}

/* As a settle is over: rollout.c opens the bake when its time has come. Breaches
 * count meanwhile, since nothing was shifted. */
static void begin_bake_anew(struct turn *t)
{
	struct rollout *r = t->r;

	r->bake_from_ms = t->now + policy_look_ms_max(t->policy);
	r->bake_open = false;
	for (size_t i = 0; i < t->policy->n_slos; i++)
		check_begin_settle(&t->policy->slos[i], &r->check[i]);
}

/* It was made and the candidate did not bear it. */
static void load_missed(struct turn *t, const char *reason)
{
	struct note *note = turn_note(t, NOTE_BREACH, "%s", reason);

	switch (t->policy->on_breach) {
	case ON_BREACH_OBSERVE:
		note->type = NOTE_WOULD_REVERT;
		break;
	case ON_BREACH_HOLD:
		rollout_hold(t, CAUSE_SLO, t->now, reason);
		break;
	case ON_BREACH_ROLLBACK:
		rollout_revert(t, CAUSE_SLO, reason);
		break;
	}
}

static void take(struct turn *t)
{
	struct rollout *r = t->r;
	char reason[ROLLOUT_TEXT_MAX], ours[ROLLOUT_BRIEF_MAX];

	r->loads_over |= bit_of(t);
	begin_bake_anew(t);
	if (!(r->lists_stopped & 1u << LIST_LOAD))
		return;
	text_put(ours, sizeof(ours), "load of step %d", r->step + 1);
	sequence_say_failed(t, LIST_LOAD, ours, reason);
	if (r->sequence.result == ACTION_FAILED)
		load_missed(t, reason);
	else
		rollout_hold(t, CAUSE_HOOK, t->now, reason);
}

void load_take(struct turn *t)
{
	const struct rollout *r = t->r;

	if (r->lists_done & 1u << LIST_LOAD && is_in_step(t) &&
		!rollout_is_reverting(r) && !(r->loads_over & bit_of(t)))
		take(t);
}
