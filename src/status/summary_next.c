/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence that says what comes next; see summary_parts.h. */
#include <string.h>

#include "status/summary_parts.h"

/* What is reached when a step is left, or the first begins. */
static const char *say_goal(const struct making *m, int step)
{
	const struct approval *approval;

	if (step >= (int)m->policy->n_steps)
		return "promotion";
	approval = m->policy->steps[step].approval;
	if (!approval)
		return arena_printf(
			m->arena, "%d %%", m->policy->steps[step].percent);
	return arena_printf(m->arena, "the approval of %s", say_step(m, step));
}

static const char *say_late(const struct making *m)
{
	switch (m->s->outlook.late) {
	case PHASE_HELD:
		return "it is held";
	case PHASE_REVERTING:
		return "it reverts";
	case PHASE_REFUSED:
		return "it is refused";
	case PHASE_STOPPED:
		return "it stops";
	case PHASE_ROLLBACK_FAILED:
		return "the rollback has failed";
	case PHASE_PROMOTED:
		return "it is left as it is";
	default:
		return phase_name(m->s->outlook.late);
	}
}

/* "; else it reverts at 14:32:10 UTC (in 9m45s)" */
static void add_else(const struct making *m, struct buf *out)
{
	if (m->s->outlook.late_ms)
		buf_addf(out, ", else %s at %s", say_late(m),
			say_when(m, m->s->outlook.late_ms));
}

/* One that is a breach away from it is named. */
static const char *say_failure(const struct making *m)
{
	const struct summary_slo *slo;
	size_t i;

	for (i = 0; i < m->s->n_slos; i++) {
		slo = &m->s->slos[i];
		if (slo->breaches && slo->breaches + 1 == slo->fail_breaches)
			return arena_printf(m->arena,
				"One more breach of %s among its last %d "
				"checks",
				slo->name, slo->fail_of);
	}
	return "An SLO that fails";
}

/* Where there is no control, evidence alone does not revert it at once: the
 * first goes back to ask stable, or a person decides. */
static const char *say_uncontrolled(const struct making *m)
{
	const struct evidence_memory *memory = m->r->evidence;

	if (!memory || !memory->state.none)
		return NULL;
	if (m->policy->evidence.without_control == WITHOUT_HOLD)
		return "holds it at once";
	if (!memory->rules.step_back || memory->state.stepped_back)
		return NULL;
	return arena_printf(m->arena,
		"takes it back to %d %% at once, to ask stable",
		m->policy->steps[0].percent);
}

/* The SLOs that count may do something else than the others. */
static void add_revert(const struct making *m, struct buf *out)
{
	const char *uncontrolled = say_uncontrolled(m);

	if (!uncontrolled)
		buf_addf(out, ". %s reverts it at once", say_failure(m));
	else if (m->r->evidence->n == m->policy->n_slos)
		buf_addf(out, ". An SLO that fails %s", uncontrolled);
	else
		buf_addf(out, ". %s reverts it at once, one of evidence %s",
			say_failure(m), uncontrolled);
}

/* What the SLOs do as long as it is exposed. */
static void add_breach(const struct making *m, struct buf *out)
{
	if (!m->r->checking)
		return;
	switch (m->policy->on_breach) {
	case ON_BREACH_ROLLBACK:
		add_revert(m, out);
		break;
	case ON_BREACH_HOLD:
		buf_addf(out, ". %s holds it at once", say_failure(m));
		break;
	case ON_BREACH_OBSERVE:
		buf_adds(out, ". An SLO that fails is only told of");
		break;
	}
}

static const char *missing_names(const struct making *m)
{
	const struct summary_people *p = &m->s->people;

	return say_names(m, p->missing, p->n_missing, "or");
}

static int missing_approvals(const struct making *m)
{
	const struct summary_people *p = &m->s->people;

	return p->approval->minimum - (int)p->n_given;
}

/* ---- what it waits for ---- */

static void say_look(const struct making *m, struct buf *out)
{
	if (m->r->resuming)
		buf_adds(out, "It goes on when the service was read");
	else if (m->r->undoing)
		buf_addf(
			out, "All traffic goes back to %s then", say_stable(m));
	else
		buf_addf(out, "If nothing speaks against it, %s comes next",
			say_goal(m, 0));
}

static void say_after_action(const struct making *m, struct buf *out)
{
	switch (m->s->outlook.phase) {
	case PHASE_AWAITING_APPROVAL:
	case PHASE_SHIFTING:
		buf_addf(out, "When it has ended, %s comes next",
			say_goal(m, m->r->step + 1));
		break;
	case PHASE_BAKING:
		buf_addf(out,
			"When it has ended, and a window after it, the bake of "
			"%s begins",
			say_length(m, step_of(m)->bake_ms));
		add_breach(m, out);
		break;
	case PHASE_PAUSED:
		buf_adds(out, "When it has ended, the rollout is paused");
		break;
	default:
		buf_addf(out, "When that has ended, the rollout ends as %s",
			phase_name(m->s->outlook.phase));
	}
}

static void say_approvals(const struct making *m, struct buf *out)
{
	int n = missing_approvals(m);

	buf_addf(out, "It goes to %d %% when %s %s", step_of(m)->percent,
		missing_names(m), n == 1 ? "approves" : "approve");
	if (n > 1)
		buf_addf(out, " (%d of them)", n);
	add_else(m, out);
	if (m->s->outlook.late == PHASE_REVERTING)
		buf_adds(out, "; `continue` does not help");
}

static const char *say_going_on(const struct making *m)
{
	return m->s->outlook.phase == PHASE_PAUSED ? "It is paused"
						   : "It goes on by itself";
}

static bool any_missing_but_evidence(const struct making *m)
{
	size_t i;

	for (i = 0; i < m->s->n_slos; i++) {
		if (m->s->slos[i].missing &&
			(!m->s->slos[i].counts ||
				m->s->slos[i].verdict == SLO_NO_DATA ||
				m->s->slos[i].verdict == SLO_ERROR))
			return true;
	}
	return false;
}

/* What the checks have to show. */
static const char *say_shown(const struct making *m)
{
	if (!any_missing_but_evidence(m)) {
		switch (rollout_lacks(m->policy, m->r)) {
		case LACK_TRUST:
			return "the evidence against it is gone";
		case LACK_REQUESTS:
			return "it has had requests enough";
		case LACK_CALM:
			return arena_printf(
				m->arena, "%s is calm again", say_stable(m));
		case LACK_NOTHING:
			break;
		}
	}
	return "every SLO passes";
}

static void say_checks(const struct making *m, struct buf *out)
{
	const struct outlook *o = &m->s->outlook;

	if (m->r->phase == PHASE_HELD && o->late_ms <= o->at_ms) {
		buf_addf(out,
			"It reverts at %s: no time is left for the checks "
			"that every SLO has to pass",
			say_when(m, o->late_ms));
		return;
	}
	buf_addf(out, "%s when %s", say_going_on(m), say_shown(m));
	if (o->at_ms > m->from->now_ms)
		buf_addf(out, ", at %s at the earliest", say_when(m, o->at_ms));
	add_else(m, out);
}

static void say_traffic(const struct making *m, struct buf *out)
{
	const struct outlook *o = &m->s->outlook;
	const char *length;

	if (m->r->pause_wanted && step_of(m)) {
		buf_adds(out, "When it serves, it is paused");
		add_else(m, out);
		add_breach(m, out);
		return;
	}
	if (o->phase == PHASE_BAKING && step_of(m)) {
		length = say_length(m, step_of(m)->bake_ms);
		buf_addf(out,
			"When it serves, it settles for %s and bakes for "
			"%s",
			say_length(m, m->policy->settle_ms), length);
		add_else(m, out);
		add_breach(m, out);
		return;
	}
	if (o->phase == PHASE_ROLLING_BACK)
		buf_adds(out, "When stable serves, the rollback sequence runs");
	else if (o->phase == PHASE_PROMOTED)
		buf_adds(out, "When that serves, it is promoted");
	else if (m->r->phase == PHASE_PREFLIGHT && o->phase != PHASE_REFUSED)
		buf_addf(
			out, "When it is there, %s comes next", say_goal(m, 0));
	else if (o->phase == PHASE_REFUSED)
		buf_adds(out, "Then it ends as refused");
	else
		buf_adds(out, "It goes on when the traffic serves as it is "
			      "wanted");
	add_else(m, out);
}

static void say_settle(const struct making *m, struct buf *out)
{
	buf_addf(out, "The bake of %s begins at %s; answers count from then on",
		say_length(m, step_of(m)->bake_ms),
		say_when(m, m->s->outlook.at_ms));
	add_breach(m, out);
}

/* It would be late even if all goes well from now on. */
static bool comes_late(const struct making *m)
{
	const struct outlook *o = &m->s->outlook;

	return o->late_ms && o->late_ms < o->at_ms;
}

static bool any_missing(const struct making *m)
{
	size_t i;

	for (i = 0; i < m->s->n_slos; i++) {
		if (m->s->slos[i].missing)
			return true;
	}
	return false;
}

static void add_pace(const struct making *m, struct buf *out)
{
	if (m->policy->pace == PACE_EVIDENCE)
		buf_adds(out, ", earlier when there is evidence enough");
}

static void say_bake(const struct making *m, struct buf *out)
{
	const struct outlook *o = &m->s->outlook;
	const char *goal = o->phase == PHASE_PAUSED
				   ? "the pause"
				   : say_goal(m, m->r->step + 1);

	if (comes_late(m)) {
		buf_addf(out, "%s at %s: its time is over before %s pass",
			o->late == PHASE_HELD ? "It is held" : "It reverts",
			say_when(m, o->late_ms), "all SLOs can");
		if (o->late == PHASE_HELD)
			buf_addf(out,
				"; %s follows when they do, at %s at the "
				"earliest",
				goal, say_when(m, o->at_ms));
	} else if (any_missing(m)) {
		buf_addf(out, "%s comes at %s if every SLO passes until then",
			goal, say_when(m, o->at_ms));
		add_pace(m, out);
		add_else(m, out);
	} else {
		buf_addf(out, "%s comes at %s if these hold", goal,
			say_when(m, o->at_ms));
		add_pace(m, out);
	}
	add_breach(m, out);
}

/* Which SLOs the candidate shows nothing of. */
static const char *say_silent(const struct making *m)
{
	const char *names[POLICY_SLOS_MAX];
	size_t i, n = 0;

	for (i = 0; i < m->policy->n_slos; i++) {
		if (m->r->check[i].silent)
			names[n++] = m->policy->slos[i].name;
	}
	return say_names(m, names, n, "and");
}

static void say_samples(const struct making *m, struct buf *out)
{
	const struct outlook *o = &m->s->outlook;

	buf_addf(out, "When %s has samples of %s again, %s comes at %s",
		say_silent(m), say_candidate(m),
		o->phase == PHASE_PAUSED ? "the pause"
					 : say_goal(m, m->r->step + 1),
		say_when(m, o->at_ms));
	if (m->policy->pace == PACE_EVIDENCE)
		add_pace(m, out);
	else
		buf_adds(out, " at the earliest");
	add_else(m, out);
	add_breach(m, out);
}

static void say_person(const struct making *m, struct buf *out)
{
	if (m->r->phase == PHASE_PAUSED) {
		buf_addf(out, "Nothing moves before somebody says `continue`");
		add_breach(m, out);
		return;
	}
	if (m->r->cause == CAUSE_DRIFT) {
		buf_addf(out,
			"%s when somebody has given the candidate its %d %% "
			"again",
			say_going_on(m), m->r->traffic.set.candidate);
		add_else(m, out);
		return;
	}
	buf_addf(out, "A person decides: `continue` %s, `abort` takes it back",
		m->r->cause == CAUSE_SLO ? "overrules the SLO"
					 : "goes on in spite of it");
	add_else(m, out);
}

static void say_freeze(const struct making *m, struct buf *out)
{
	bool begun = m->s->outlook.phase == m->r->phase;

	buf_addf(out,
		"The freeze ends at %s, and %s comes next; `continue` with a "
		"comment goes on now",
		say_when(m, m->s->outlook.at_ms),
		say_goal(m, m->r->step + !begun));
	add_breach(m, out);
}

static void say_last_look(const struct making *m, struct buf *out)
{
	const struct outlook *o = &m->s->outlook;

	buf_addf(out, "Then it ends as %s", phase_name(o->phase));
	if (o->at_ms)
		buf_addf(out,
			"; not before %s, since a write without an answer may "
			"take effect until then",
			say_when(m, o->at_ms));
}

/* Which commands do not help, where people would try them. */
static void add_useless(const struct making *m, struct buf *out)
{
	if (m->r->phase != PHASE_HELD || m->r->cause == CAUSE_SLO ||
		m->r->cause == CAUSE_HOOK)
		return;
	if (rollout_is_paused(m->r))
		buf_adds(out, "; `continue` takes back the pause alone");
	else if (m->s->outlook.waits_for != OUTLOOK_APPROVALS)
		buf_adds(out, "; `continue` does not help");
	buf_adds(out, "; `abort` goes back now");
}

/* ---- together ---- */

static void say_wait(const struct making *m, struct buf *out)
{
	switch (m->s->outlook.waits_for) {
	case OUTLOOK_OVER:
		break;
	case OUTLOOK_PERSON:
		say_person(m, out);
		break;
	case OUTLOOK_LOOK:
		say_look(m, out);
		break;
	case OUTLOOK_ACTION:
		say_after_action(m, out);
		break;
	case OUTLOOK_APPROVALS:
		say_approvals(m, out);
		break;
	case OUTLOOK_CHECKS:
		say_checks(m, out);
		break;
	case OUTLOOK_TRAFFIC:
		say_traffic(m, out);
		break;
	case OUTLOOK_FREEZE:
		say_freeze(m, out);
		break;
	case OUTLOOK_SETTLE:
		say_settle(m, out);
		break;
	case OUTLOOK_BAKE:
		say_bake(m, out);
		break;
	case OUTLOOK_SAMPLES:
		say_samples(m, out);
		break;
	case OUTLOOK_METRICS:
		buf_addf(out, "%s when the metrics answer again",
			say_going_on(m));
		if (m->s->outlook.at_ms > m->from->now_ms)
			buf_addf(out, ", at %s at the earliest",
				say_when(m, m->s->outlook.at_ms));
		add_else(m, out);
		break;
	case OUTLOOK_STABLE:
		buf_addf(out, "%s when %s is ready again", say_going_on(m),
			say_stable(m));
		add_else(m, out);
		break;
	case OUTLOOK_LAST_LOOK:
		say_last_look(m, out);
		break;
	}
	add_useless(m, out);
}

static void say_end(const struct making *m, struct buf *out)
{
	switch (m->r->phase) {
	case PHASE_REFUSED:
		buf_adds(out, "It has ended. Remove what speaks against it and "
			      "run it again");
		break;
	case PHASE_ROLLBACK_FAILED:
		buf_addf(out,
			"It has ended. `%s` tries again, `tidegate report %s` "
			"lists what is left to do",
			m->s->remedies[0].line, m->from->id);
		break;
	case PHASE_STOPPED:
		buf_addf(out,
			"It has ended, tidegate writes nothing any more. "
			"`tidegate report %s` lists what is left to do",
			m->from->id);
		break;
	default:
		buf_adds(out, "It has ended: nothing comes any more");
	}
}

static void say_undriven(const struct making *m, struct buf *out)
{
	const struct outlook *o = &m->s->outlook;

	buf_addf(out,
		"Nothing happens by itself. `tidegate resume %s` goes on with "
		"it: it reads the service first",
		m->from->id);
	if (o->late_ms && (m->r->phase == PHASE_HELD ||
				  m->r->phase == PHASE_AWAITING_APPROVAL))
		buf_addf(out, "; if that is after %s, %s then",
			say_when(m, o->late_ms), say_late(m));
}

static void capitalize(struct buf *out)
{
	if (out->data[0] >= 'a' && out->data[0] <= 'z')
		out->data[0] = (char)(out->data[0] - 'a' + 'A');
}

const char *make_next(const struct making *m)
{
	struct buf out;

	buf_init(&out, SENTENCE_MAX);
	if (phase_is_end(m->r->phase))
		say_end(m, &out);
	else if (m->from->driver == SUMMARY_UNDRIVEN)
		say_undriven(m, &out);
	else
		say_wait(m, &out);
	capitalize(&out);
	buf_addc(&out, '.');
	return keep(m, &out);
}
