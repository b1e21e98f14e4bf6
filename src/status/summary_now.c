/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence that says what is; see summary_parts.h. */
#include <string.h>

#include "status/summary_parts.h"

#define WAITING_SAID 5 /* decisions that are named in the sentence */

static void add_stop(struct buf *out)
{
	char last = out->len ? out->data[out->len - 1] : '.';

	if (last != '.' && last != '!' && last != '?')
		buf_addc(out, '.');
}

/* The step, as a sentence begins with it. */
static void begin_with_step(const struct making *m, struct buf *out)
{
	size_t at = out->len;

	buf_adds(out, say_step(m, m->r->step));
	if (out->data[at] == 's')
		out->data[at] = 'S';
}

static void add_serving(const struct making *m, struct buf *out)
{
	if (m->s->candidate_percent)
		buf_addf(out, "; %s serves %d %%", say_candidate(m),
			m->s->candidate_percent);
	else
		buf_addf(out, "; nobody is on %s", say_candidate(m));
	if (m->s->other_percent)
		buf_addf(out, ", others %d %%", m->s->other_percent);
}

static void add_serving_and_slos(const struct making *m, struct buf *out)
{
	add_serving(m, out);
	if (!m->r->checking || !is_exposed(m))
		return;
	buf_adds(out, ", ");
	add_slos(m, out);
}

static void add_trouble(const struct making *m, struct buf *out)
{
	if (m->r->traffic.write.trouble[0])
		buf_addf(
			out, "; the last try: %s", m->r->traffic.write.trouble);
}

static void add_reason(const struct making *m, struct buf *out)
{
	if (m->r->reason[0])
		buf_addf(out, ": %s", m->r->reason);
}

/* ---- before ---- */

static void say_preflight(const struct making *m, struct buf *out)
{
	const char *action = say_action(m);

	if (m->r->refusing) {
		buf_adds(out, "Refused");
		add_reason(m, out);
		buf_adds(out, "; the tag is taken off again");
	} else if (rollout_is_frozen(m->r)) {
		buf_adds(out, "Nothing has moved yet: a freeze lasts");
	} else if (action) {
		buf_addf(out, "Nothing has moved yet: %s", action);
	} else if (m->r->traffic.write.state == WRITER_WANTS) {
		buf_addf(out,
			"Nothing has moved yet: the tag \"%s\" is put on %s",
			m->policy->tag ? m->policy->tag : "", say_candidate(m));
	} else {
		buf_addf(out, "Nothing has moved yet: %s is looked at",
			m->s->service);
	}
	add_trouble(m, out);
}

static void say_gate(const struct making *m, struct buf *out)
{
	const struct summary_people *p = &m->s->people;
	const char *given = say_names(m, p->given, p->n_given, "and");

	begin_with_step(m, out);
	buf_addc(out, ' ');
	if (rollout_is_frozen(m->r)) {
		buf_adds(out, "waits: a freeze lasts");
	} else if (m->s->outlook.waits_for == OUTLOOK_APPROVALS) {
		buf_addf(out, "waits for approval: %zu of %d given", p->n_given,
			p->approval->minimum);
		if (p->n_given)
			buf_addf(out, " (%s)", given);
	} else {
		buf_addf(out, "is approved by %s and waits: ", given);
		if (!add_missing(m, out))
			buf_adds(out, "the service is looked at");
		add_serving(m, out);
		return;
	}
	add_serving_and_slos(m, out);
}

/* ---- on the way ---- */

static void say_pause_by(const struct making *m, struct buf *out)
{
	const struct deed *pause = m->s->people.pause;

	if (!pause)
		return;
	buf_addf(out, " by %s at %s", pause->who, say_when(m, pause->time_ms));
	if (*pause->comment)
		buf_addf(out, " (%s)", pause->comment);
}

static void add_wanted_pause(const struct making *m, struct buf *out)
{
	if (!m->r->pause_wanted)
		return;
	buf_adds(out, "; paused");
	say_pause_by(m, out);
	buf_adds(out, ", as soon as the split serves");
}

static void say_finish(const struct making *m, struct buf *out)
{
	const char *action = say_action(m);

	buf_addf(out, "Every step has passed, %s serves %d %%: %s",
		say_candidate(m), m->s->candidate_percent,
		action ? action : "the finish is written");
	add_trouble(m, out);
}

/* It was taken back to the first step's share, to ask stable. */
static void add_step_back(const struct making *m, struct buf *out)
{
	if (m->r->cause != CAUSE_SLO || !m->r->reason[0])
		return;
	buf_addf(out, "Stepped back: %s", m->r->reason);
	add_stop(out);
	buf_addc(out, ' ');
}

static void say_shift(const struct making *m, struct buf *out)
{
	const char *why = may_raise(m->policy, m->r, m->from->now_ms);

	if (!step_of(m)) {
		say_finish(m, out);
		return;
	}
	add_step_back(m, out);
	if (m->r->traffic.write.blocked_ms && why) {
		begin_with_step(m, out);
		buf_addf(out, " waits, %s", why);
		if (m->r->checking) {
			buf_adds(out, ": ");
			if (!add_missing(m, out))
				buf_adds(out, "the service is looked at");
		}
		add_serving(m, out);
		return;
	}
	begin_with_step(m, out);
	buf_adds(out, ": traffic is on its way");
	add_serving_and_slos(m, out);
	add_trouble(m, out);
	add_wanted_pause(m, out);
}

static void say_bake(const struct making *m, struct buf *out)
{
	const struct summary *s = m->s;
	const char *action = say_action(m);

	add_step_back(m, out);
	buf_addf(out, "%s has served %d %% for %s", say_candidate(m),
		s->candidate_percent, say_passed(m, s->now_ms - s->step_ms));
	if (rollout_is_frozen(m->r)) {
		buf_addf(out, ", step %d has passed, and a freeze lasts",
			m->r->step + 1);
	} else if (action && m->r->sequence.list == LIST_LOAD) {
		buf_addf(out, ": %s", action);
	} else if (load_was_made(m) && !m->r->bake_open) {
		buf_adds(out, "; its load is over, and its window goes by");
	} else if (!m->r->bake_open) {
		buf_adds(out, ", and settles");
	} else if (action) {
		buf_addf(out, ", step %d has passed: %s", m->r->step + 1,
			action);
	} else if (m->r->traffic.write.state == WRITER_WANTS) {
		buf_adds(out, "; somebody changed the traffic, it is set back");
	}
	buf_adds(out, "; ");
	add_slos(m, out);
	add_wanted_pause(m, out);
}

/* ---- waiting ---- */

/* What people have decided since it was paused. */
static void add_meanwhile(const struct making *m, struct buf *out)
{
	const struct summary_people *p = &m->s->people;

	if (p->approval && p->n_given)
		buf_addf(out, "; step %d is approved by %s meanwhile",
			p->gate_step,
			say_names(m, p->given, p->n_given, "and"));
}

static void add_cause(const struct making *m, struct buf *out)
{
	const struct summary_people *p = &m->s->people;

	buf_adds(out, m->r->reason);
	if (m->r->cause == CAUSE_APPROVAL && p->approval)
		buf_addf(out, " (%s, %zu of %d)", say_step(m, m->r->step),
			p->n_given, p->approval->minimum);
}

static void say_hold(const struct making *m, struct buf *out)
{
	const struct rollout *r = m->r;
	bool told = false;

	buf_adds(out, "Held: ");
	if (r->cause == CAUSE_UNDECIDED) {
		told = add_missing(m, out);
		if (!told)
			buf_adds(out, r->reason);
	} else {
		add_cause(m, out);
	}
	add_serving(m, out);
	if (!rollout_is_paused(r))
		return;
	buf_adds(out, "; paused as well");
	say_pause_by(m, out);
	add_meanwhile(m, out);
}

static void say_pause(const struct making *m, struct buf *out)
{
	buf_adds(out, "Paused");
	say_pause_by(m, out);
	add_meanwhile(m, out);
	add_serving_and_slos(m, out);
}

/* ---- back ---- */

static void say_revert(const struct making *m, struct buf *out)
{
	const char *action = say_action(m);

	if (m->r->revert_failed) {
		buf_adds(out, m->r->reason);
		add_serving(m, out);
		if (action)
			buf_addf(out, "; people are told: %s", action);
		return;
	}
	buf_adds(out, "Reverting");
	add_reason(m, out);
	add_serving(m, out);
	buf_addf(out, ", %s is given its 100 %% back", say_stable(m));
	add_trouble(m, out);
}

static void say_rollback(const struct making *m, struct buf *out)
{
	const char *action = say_action(m);

	buf_addf(out, "%s serves %d %% again", say_stable(m),
		m->s->stable_percent);
	if (m->r->reason[0])
		buf_addf(out, " (%s)", m->r->reason);
	if (m->r->actions_failed)
		buf_addf(out, ", %d action%s failed", m->r->actions_failed,
			m->r->actions_failed == 1 ? " has" : "s have");
	if (action)
		buf_addf(out, "; %s", action);
	else if (m->r->traffic.write.state == WRITER_WANTS)
		buf_adds(out, "; it is written once more");
	else
		buf_adds(out, "; the traffic is read a last time");
}

static void say_stopping(const struct making *m, struct buf *out)
{
	const char *action = say_action(m);

	buf_adds(out, "Stopping");
	add_reason(m, out);
	if (action)
		buf_addf(out, "; who is to be told is told: %s", action);
}

/* ---- ended ---- */

static void add_failed_actions(const struct making *m, struct buf *out)
{
	const char *trouble =
		m->from->lookback ? lookback_action_trouble(m->from->lookback)
				  : "";

	if (!m->r->actions_failed)
		return;
	buf_addf(out, "; %d action%s failed", m->r->actions_failed,
		m->r->actions_failed == 1 ? "" : "s");
	if (*trouble)
		buf_addf(out, " (%s)", trouble);
}

static void add_drift(const struct making *m, struct buf *out)
{
	const struct found_drift *drift = m->s->drift;

	if (!drift)
		return;
	if (*drift->entries)
		buf_addf(out, " (asked for is %s", drift->entries);
	else
		buf_addf(out, " (%s", drift->text);
	if (*drift->modifier)
		buf_addf(out, "; last changed by %s", drift->modifier);
	buf_addc(out, ')');
}

static void say_end(const struct making *m, struct buf *out)
{
	switch (m->r->phase) {
	case PHASE_PROMOTED:
		buf_addf(out, "Promoted: %s serves %d %%", say_candidate(m),
			m->s->candidate_percent);
		if (m->r->reason[0])
			buf_addf(out, "; %s", m->r->reason);
		break;
	case PHASE_ROLLED_BACK:
		buf_addf(out, "Rolled back: %s serves %d %%", say_stable(m),
			m->s->stable_percent);
		if (m->r->reason[0])
			buf_addf(out, "; %s", m->r->reason);
		break;
	case PHASE_REFUSED:
		buf_adds(out, "Refused, nothing has moved");
		add_reason(m, out);
		break;
	case PHASE_ROLLBACK_FAILED:
		buf_adds(out, "The rollback failed, a person is needed");
		add_reason(m, out);
		add_serving(m, out);
		break;
	default:
		buf_adds(out, "Stopped");
		add_reason(m, out);
		add_drift(m, out);
		add_serving(m, out);
	}
	add_failed_actions(m, out);
}

/* ---- together ---- */

static void say_phase(const struct making *m, struct buf *out)
{
	static void (*const say[PHASES])(
		const struct making *, struct buf *) = {
		[PHASE_PREFLIGHT] = say_preflight,
		[PHASE_AWAITING_APPROVAL] = say_gate,
		[PHASE_SHIFTING] = say_shift,
		[PHASE_BAKING] = say_bake,
		[PHASE_HELD] = say_hold,
		[PHASE_PAUSED] = say_pause,
		[PHASE_REVERTING] = say_revert,
		[PHASE_ROLLING_BACK] = say_rollback,
	};

	if (m->r->resuming && !phase_is_end(m->r->phase))
		buf_adds(out, "Taken up again, the service is not read yet. ");
	if (m->r->stopping && !phase_is_end(m->r->phase))
		say_stopping(m, out);
	else if (say[m->r->phase])
		say[m->r->phase](m, out);
	else
		say_end(m, out);
}

static const char *undriven(const struct making *m)
{
	if (m->r->phase == PHASE_REVERTING)
		return " Nobody drives it: stable does not get its traffic "
		       "back by itself.";
	return m->r->checking ? " Nobody drives it: the SLOs are not watched."
			      : " Nobody drives it.";
}

/* It was recorded, and is taken by whoever drives it. */
static void add_waiting(const struct making *m, struct buf *out)
{
	const struct store_command *c;
	size_t i;

	for (i = 0; i < m->from->n_waiting && i < WAITING_SAID; i++) {
		c = &m->from->waiting[i];
		buf_addf(out, "%s%s by %s",
			i ? ", " : " Recorded and not taken yet: ", c->verb,
			c->who);
		if (*c->comment)
			buf_addf(out, " (%s)", c->comment);
	}
	if (m->from->n_waiting > WAITING_SAID)
		buf_addf(out, " and %zu more",
			m->from->n_waiting - WAITING_SAID);
	if (i)
		buf_addc(out, '.');
}

const char *make_now(const struct making *m)
{
	struct buf out;

	buf_init(&out, SENTENCE_MAX);
	say_phase(m, &out);
	add_stop(&out);
	if (phase_is_end(m->r->phase))
		return keep(m, &out);
	if (m->from->journal == SUMMARY_JOURNAL_LATE)
		buf_adds(&out,
			" The journal cannot be written at the moment: what "
			"needs it waits.");
	else if (m->from->journal == SUMMARY_UNJOURNALED)
		buf_adds(&out,
			" The journal cannot be written: stable gets its "
			"traffic back and nothing else is done.");
	if (m->from->driver == SUMMARY_UNDRIVEN)
		buf_adds(&out, undriven(m));
	add_waiting(m, &out);
	return keep(m, &out);
}
