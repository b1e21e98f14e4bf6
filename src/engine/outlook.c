/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes next; see outlook.h. Each phase says here what its phase_* waits
 * for in rollout.c, by the same questions.
 */
#include "engine/outlook.h"

#include "engine/rollout.h"
#include "engine/turn.h"

struct look {
	const struct policy *policy;
	const struct rollout *r;
	int64_t now_ms;
	struct outlook *o;
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void wait_for(
	const struct look *v, enum outlook_wait what, enum phase phase)
{
	v->o->waits_for = what;
	v->o->phase = phase;
}

static void or_else(const struct look *v, enum phase phase, int64_t at_ms)
{
	v->o->late = phase;
	v->o->late_ms = at_ms;
}

/* ---- checks ---- */

/* The end of a settle asks all of them, and what they have passed before it is
 * not counted. */
static bool is_settling(const struct rollout *r)
{
	return r->bake_from_ms && !r->bake_open;
}

static int64_t next_check_ms(
	const struct rollout *r, const struct check_state *check)
{
	int64_t next_ms = check->asked_ms ? check->asked_ms : check->due_ms;

	return is_settling(r) && r->bake_from_ms < next_ms ? r->bake_from_ms
							   : next_ms;
}

static int64_t first_check_ms(const struct look *v)
{
	int64_t first = INT64_MAX, next;
	size_t i;

	if (!v->r->checking || rollout_is_reverting(v->r))
		return 0;
	for (i = 0; i < v->policy->n_slos; i++) {
		next = next_check_ms(v->r, &v->r->check[i]);
		first = next < first ? next : first;
	}
	return first == INT64_MAX ? 0 : first;
}

/* When the SLO may be satisfied at the earliest, if all checks from now on
 * pass; 0: it is. */
static int64_t satisfied_ms(const struct look *v, size_t i)
{
	const struct slo *slo = &v->policy->slos[i];
	const struct check_state *check = &v->r->check[i];
	int64_t at_ms = next_check_ms(v->r, check);
	int all = slo->kind == SLO_EVIDENCE ? 1 : slo->min_passes;
	int n = slo->kind == SLO_EVIDENCE ? 1 : all - check->passes;

	if (is_settling(v->r))
		return v->r->bake_from_ms + (all - 1) * slo->interval_ms;
	if (check_is_satisfied(slo, check) && check->latest_ms)
		return 0;
	while (--n > 0)
		at_ms = checks_after_ms(v->r, slo, at_ms);
	return at_ms;
}

/* When all that could not be evaluated are asked again. */
static int64_t all_evaluable_ms(const struct look *v)
{
	int64_t at_ms = 0;
	size_t i;

	for (i = 0; i < v->policy->n_slos; i++) {
		if (v->r->check[i].errors >= CHECK_ERRORS_MAX)
			at_ms = later(
				at_ms, next_check_ms(v->r, &v->r->check[i]));
	}
	return at_ms;
}

static int64_t all_satisfied_ms(const struct look *v)
{
	int64_t at_ms = 0;
	size_t i;

	for (i = 0; i < v->policy->n_slos; i++)
		at_ms = later(at_ms, satisfied_ms(v, i));
	return at_ms;
}

/* The last check that a step whose bake ends at `over_ms` has to hear; 0: all
 * were heard. */
static int64_t last_check_ms(const struct look *v, size_t i, int64_t over_ms)
{
	const struct slo *slo = &v->policy->slos[i];
	int64_t next_ms = next_check_ms(v->r, &v->r->check[i]);
	int64_t until_ms = over_ms + checks_late_ms(slo);

	/* A step is judged only after something was asked in it. */
	if (next_ms > until_ms)
		return v->r->check[i].latest_ms < v->r->bake_from_ms ? next_ms
								     : 0;
	return later(next_ms,
		checks_after_ms(v->r, slo, until_ms - slo->interval_ms));
}

static int64_t all_heard_ms(const struct look *v, int64_t over_ms)
{
	int64_t at_ms = over_ms;
	size_t i;

	for (i = 0; i < v->policy->n_slos; i++)
		at_ms = later(at_ms, last_check_ms(v, i, over_ms));
	return at_ms;
}

/* An SLO without samples, as its next checks will find it. */
struct silence {
	const struct slo *slo;
	int64_t next_ms, covered_ms, lost_ms;
	int checks;
};

static size_t begin_silences(
	const struct look *v, struct silence silences_r[POLICY_SLOS_MAX])
{
	const struct check_state *check = v->r->check;
	size_t i, n = 0;

	for (i = 0; i < v->policy->n_slos; i++, check++) {
		if (check->silent)
			silences_r[n++] = (struct silence){&v->policy->slos[i],
				next_check_ms(v->r, check), check->covered_ms,
				check->lost_ms, check->silent};
	}
	return n;
}

static struct silence *first_asked(struct silence *silences, size_t n)
{
	struct silence *first = silences, *s;

	for (s = silences + 1; s < silences + n; s++) {
		if (s->next_ms < first->next_ms)
			first = s;
	}
	return first;
}

/* It is asked, and there is no sample again. */
static void go_on_silent(const struct look *v, struct silence *s)
{
	if (++s->checks > CHECKS_SILENT_MAX)
		s->lost_ms += s->next_ms - s->covered_ms;
	s->covered_ms = s->next_ms;
	s->next_ms = checks_after_ms(v->r, s->slo, s->next_ms);
}

/* When it is held if the candidate goes on to have no samples for the SLOs that
 * have none now, at least one: the step's time stands still at some point. */
static int64_t silent_until_ms(const struct look *v)
{
	int64_t over_ms = checks_over_ms(v->policy, v->r), until_ms;
	int64_t longer_ms = checks_undecided_ms(v->policy, v->r) - over_ms;
	int64_t from_ms =
		v->r->bake_from_ms + v->policy->steps[v->r->step].bake_ms;
	struct silence silences[POLICY_SLOS_MAX], *next;
	size_t n = begin_silences(v, silences);

	for (;;) {
		until_ms = later(all_heard_ms(v, over_ms), over_ms + longer_ms);
		next = first_asked(silences, n);
		/* A check that is due at the end of the bake is heard, one at
		 * the end of its longer time is not. */
		if (next->next_ms > until_ms ||
			(longer_ms && next->next_ms == until_ms))
			return until_ms;
		go_on_silent(v, next);
		if (next->checks >= evidence_silent_checks_max(next->slo))
			return next->covered_ms;
		over_ms = later(over_ms, from_ms + next->lost_ms);
	}
}

/* The step waits for samples; whatever else it waits for can be there in time. */
static bool waits_for_samples(const struct look *v, int64_t undecided_ms)
{
	size_t i;

	if (v->o->at_ms > undecided_ms ||
		rollout_lacks(v->policy, v->r) == LACK_TRUST)
		return false;
	for (i = 0; i < v->policy->n_slos; i++) {
		if (v->r->check[i].silent)
			return true;
	}
	return false;
}

/* When a step that is not passed is held. Of the longer time that evidence gets
 * the others have nothing once it is there. */
static int64_t undecided_at_ms(const struct look *v, int64_t over_ms)
{
	int64_t at_ms, there_ms = over_ms;
	size_t i;

	at_ms = later(over_ms, checks_undecided_ms(v->policy, v->r));
	for (i = 0; i < v->policy->n_slos; i++) {
		if (v->policy->slos[i].kind == SLO_EVIDENCE)
			there_ms = later(
				there_ms, next_check_ms(v->r, &v->r->check[i]));
	}
	return v->o->at_ms > there_ms && there_ms < at_ms ? there_ms : at_ms;
}

/* ---- phases ---- */

/* Where a step begins that is not serving yet. */
static enum phase begin_of(const struct look *v, int step)
{
	if ((size_t)step < v->policy->n_steps &&
		v->policy->steps[step].approval)
		return PHASE_AWAITING_APPROVAL;
	return PHASE_SHIFTING;
}

static enum phase or_paused(const struct look *v, enum phase phase)
{
	return v->r->pause_wanted ? PHASE_PAUSED : phase;
}

static bool is_wanting(const struct rollout *r)
{
	return r->traffic.write.state == WRITER_WANTS;
}

static void look_at_action(const struct look *v, enum phase phase)
{
	wait_for(v, OUTLOOK_ACTION, phase);
	v->o->at_ms = v->r->sequence.running ? 0 : v->r->sequence.retry_ms;
}

static void look_at_preflight(const struct look *v)
{
	const struct rollout *r = v->r;
	enum phase phase = r->undoing    ? PHASE_REVERTING
			   : r->refusing ? PHASE_REFUSED
					 : or_paused(v, begin_of(v, 0));

	if (r->sequence.active) {
		look_at_action(v, phase);
	} else if (is_wanting(r)) {
		wait_for(v, OUTLOOK_TRAFFIC, phase);
		or_else(v, PHASE_REFUSED, r->traffic.write.deadline_ms);
	} else {
		wait_for(v, OUTLOOK_LOOK, phase);
	}
}

static void look_at_gate(const struct look *v)
{
	const struct rollout *r = v->r;

	or_else(v, PHASE_HELD, r->gate_deadline_ms);
	if (!rollout_gate_is_passed(v->policy, r) ||
		v->now_ms >= r->approved_until_ms) {
		wait_for(v, OUTLOOK_APPROVALS, PHASE_SHIFTING);
	} else if (is_wanting(r)) {
		wait_for(v, OUTLOOK_TRAFFIC, PHASE_SHIFTING);
	} else {
		wait_for(v, OUTLOOK_CHECKS, PHASE_SHIFTING);
		v->o->at_ms = all_satisfied_ms(v);
	}
}

/* A shift that is not written, since the gate upwards is closed. */
static void look_at_blocked_shift(const struct look *v)
{
	const struct rollout *r = v->r;
	int64_t until_ms =
		r->traffic.write.blocked_ms + checks_gap_ms_max(v->policy);

	wait_for(v, OUTLOOK_CHECKS, PHASE_BAKING);
	v->o->at_ms = r->checking ? all_satisfied_ms(v) : 0;
	if (r->approved_until_ms && r->approved_until_ms < until_ms)
		until_ms = r->approved_until_ms;
	or_else(v, PHASE_HELD, until_ms);
}

static void look_at_shift(const struct look *v)
{
	const struct rollout *r = v->r;

	if ((size_t)r->step >= v->policy->n_steps) {
		if (r->sequence.active) {
			look_at_action(v, PHASE_PROMOTED);
			return;
		}
		wait_for(v, OUTLOOK_TRAFFIC, PHASE_PROMOTED);
		or_else(v, PHASE_PROMOTED, r->traffic.write.deadline_ms);
	} else if (is_wanting(r) && r->traffic.write.blocked_ms) {
		look_at_blocked_shift(v);
	} else {
		wait_for(v, OUTLOOK_TRAFFIC, PHASE_BAKING);
		or_else(v, PHASE_REVERTING, r->traffic.write.deadline_ms);
	}
}

static void look_at_bake(const struct look *v)
{
	const struct rollout *r = v->r;
	enum phase phase = or_paused(v, begin_of(v, r->step + 1));
	int64_t over_ms, undecided_ms;
	bool silent;

	if (r->sequence.active) {
		look_at_action(v,
			r->sequence.list == LIST_LOAD ? PHASE_BAKING : phase);
	} else if (!r->bake_open) {
		wait_for(v, OUTLOOK_SETTLE, PHASE_BAKING);
		v->o->at_ms = r->bake_from_ms;
	} else if (is_wanting(r)) {
		wait_for(v, OUTLOOK_TRAFFIC, PHASE_BAKING);
		or_else(v, PHASE_STOPPED, r->traffic.write.deadline_ms);
	} else {
		over_ms = all_heard_ms(v, checks_over_ms(v->policy, r));
		v->o->at_ms = later(over_ms, all_satisfied_ms(v));
		undecided_ms = undecided_at_ms(v, over_ms);
		silent = waits_for_samples(v, undecided_ms);
		wait_for(v, silent ? OUTLOOK_SAMPLES : OUTLOOK_BAKE, phase);
		or_else(v,
			v->policy->on_undecided == ON_UNDECIDED_ROLLBACK
				? PHASE_REVERTING
				: PHASE_HELD,
			silent ? silent_until_ms(v) : undecided_ms);
	}
}

static void look_at_hold(const struct look *v)
{
	const struct rollout *r = v->r;

	or_else(v, PHASE_REVERTING, r->hold_deadline_ms);
	switch (r->cause) {
	case CAUSE_UNDECIDED:
		wait_for(v, is_wanting(r) ? OUTLOOK_TRAFFIC : OUTLOOK_CHECKS,
			or_paused(v, r->held_from));
		v->o->at_ms = r->checking ? all_satisfied_ms(v) : 0;
		break;
	case CAUSE_METRICS:
		wait_for(v, OUTLOOK_METRICS, or_paused(v, r->held_from));
		v->o->at_ms = all_evaluable_ms(v);
		break;
	case CAUSE_APPROVAL:
		wait_for(v, OUTLOOK_APPROVALS, or_paused(v, r->held_from));
		break;
	case CAUSE_STABLE:
		wait_for(v, OUTLOOK_STABLE, or_paused(v, r->held_from));
		break;
	default:
		wait_for(v, OUTLOOK_PERSON, or_paused(v, r->held_from));
	}
}

static void look_at_revert(const struct look *v)
{
	if (v->r->sequence.active) {
		look_at_action(v, PHASE_ROLLBACK_FAILED);
		return;
	}
	wait_for(v, OUTLOOK_TRAFFIC, PHASE_ROLLING_BACK);
	or_else(v, PHASE_ROLLBACK_FAILED, v->r->traffic.write.deadline_ms);
}

static void look_at_rollback(const struct look *v)
{
	const struct rollout *r = v->r;
	enum phase end = rollback_has_failed(r) ? PHASE_ROLLBACK_FAILED
						: PHASE_ROLLED_BACK;

	if (r->sequence.active) {
		look_at_action(v, end);
	} else if (is_wanting(r)) {
		wait_for(v, OUTLOOK_TRAFFIC, PHASE_ROLLING_BACK);
		or_else(v, PHASE_ROLLBACK_FAILED, r->traffic.write.deadline_ms);
	} else {
		wait_for(v, OUTLOOK_LAST_LOOK, end);
		if (v->now_ms < r->traffic.write.loose_ms)
			v->o->at_ms = r->traffic.write.loose_ms;
		or_else(v, PHASE_ROLLBACK_FAILED, r->traffic.write.deadline_ms);
	}
}

static void look_at_pause(const struct look *v)
{
	wait_for(v, OUTLOOK_PERSON, v->r->paused_from);
}

static void look_at_freeze(const struct look *v)
{
	bool begun = v->r->phase == PHASE_SHIFTING ||
		     v->r->phase == PHASE_AWAITING_APPROVAL;

	/* What is paused is not frozen. */
	wait_for(v, OUTLOOK_FREEZE,
		begun ? v->r->phase : begin_of(v, v->r->step + 1));
	v->o->at_ms = v->r->freeze_ms;
}

struct outlook rollout_outlook(const struct policy *policy,
	const struct rollout *rollout, int64_t now_ms)
{
	static void (*const look_at[PHASES])(const struct look *v) = {
		[PHASE_PREFLIGHT] = look_at_preflight,
		[PHASE_AWAITING_APPROVAL] = look_at_gate,
		[PHASE_SHIFTING] = look_at_shift,
		[PHASE_BAKING] = look_at_bake,
		[PHASE_HELD] = look_at_hold,
		[PHASE_PAUSED] = look_at_pause,
		[PHASE_REVERTING] = look_at_revert,
		[PHASE_ROLLING_BACK] = look_at_rollback,
	};
	struct outlook o = {.phase = rollout->phase, .late = rollout->phase};
	const struct look v = {policy, rollout, now_ms, &o};

	if (phase_is_end(rollout->phase))
		return o;
	o.check_ms = first_check_ms(&v);
	if (rollout->stopping)
		look_at_action(&v, PHASE_STOPPED);
	else if (rollout->resuming)
		wait_for(&v, OUTLOOK_LOOK, rollout->phase);
	else if (rollout_is_frozen(rollout))
		look_at_freeze(&v);
	else
		look_at[rollout->phase](&v);
	return o;
}
