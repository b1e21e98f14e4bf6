/*
 * Asks the SLOs when they are due, takes their answers, and says when they have
 * decided. What an answer means is check.c's; what a breach leads to in which
 * phase is rollout.c's.
 */
#include <stdio.h>

#include "engine/backoff.h"
#include "engine/turn.h"

bool checks_are_satisfied(const struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		if (!check_is_satisfied(&t->policy->slos[i], &t->r->check[i]))
			return false;
	}
	return true;
}

bool checks_are_answered(const struct turn *t, int64_t until_ms)
{
	const struct check_state *check = t->r->check;
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++, check++) {
		if ((check->asked_ms ? check->asked_ms : check->due_ms) <=
			until_ms)
			return false;
	}
	return true;
}

/* An SLO whose provider has been in trouble for too long, or -1. */
int checks_find_unevaluable(const struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		if (t->r->check[i].errors >= CHECK_ERRORS_MAX)
			return (int)i;
	}
	return -1;
}

/* An answer is in, or has timed out, by then. */
static int64_t look_ms_max(const struct slo *slo)
{
	return 2 * slo->interval_ms;
}

int64_t checks_gap_ms_max(const struct turn *t)
{
	int64_t look_ms, most = 0;
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		look_ms = look_ms_max(&t->policy->slos[i]);
		most = look_ms > most ? look_ms : most;
	}
	return most;
}

void checks_expire(struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++)
		check_expire(&t->policy->slos[i], &t->r->check[i]);
}

void checks_begin(struct turn *t)
{
	size_t i;

	t->r->checking = true;
	for (i = 0; i < t->policy->n_slos; i++)
		t->r->check[i].due_ms = t->now;
}

void checks_open_bake(struct turn *t)
{
	size_t i;

	t->r->bake_open = true;
	for (i = 0; i < t->policy->n_slos; i++)
		check_begin_step(&t->policy->slos[i], &t->r->check[i]);
	checks_begin(t);
}

void checks_reset(struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		if (t->r->check[i].failed)
			check_reset(&t->policy->slos[i], &t->r->check[i]);
	}
}

bool checks_are_due(const struct turn *t)
{
	const struct rollout *r = t->r;
	size_t i;

	if (!r->checking || rollout_is_reverting(r) || phase_is_end(r->phase))
		return false;
	for (i = 0; i < t->policy->n_slos; i++) {
		if (!r->check[i].asked_ms && r->check[i].due_ms <= t->now)
			return true;
	}
	return false;
}

/* Asks every SLO that is due. */
void checks_pump(struct turn *t)
{
	struct rollout *r = t->r;
	size_t i;

	if (!r->checking || rollout_is_reverting(r) || phase_is_end(r->phase))
		return;
	for (i = 0; i < t->policy->n_slos; i++) {
		if (r->check[i].asked_ms)
			continue;
		if (r->check[i].due_ms > t->now) {
			turn_wake(t, r->check[i].due_ms);
			continue;
		}
		r->check[i].asked_ms = t->now;
		turn_effect(t, EFFECT_CHECK)->slo = (int)i;
	}
}

static void breached(struct turn *t)
{
	const struct judgement *j = &t->out->judgement;
	const struct slo *slo = &t->policy->slos[t->event->slo];
	char reason[ROLLOUT_TEXT_MAX], text[CHECK_TEXT_MAX];
	struct note *note;

	snprintf(reason, sizeof(reason), "%s: %.180s", slo->name,
		judgement_print(j, text));
	note = turn_note(t, NOTE_BREACH, "%s", reason);
	note->slo = t->event->slo;
	note->value = j->value;
	note->limit = j->limit;
	if (t->policy->on_breach == ON_BREACH_OBSERVE) {
		note->type = NOTE_WOULD_REVERT;
		return;
	}
	t->r->failed_slo = t->event->slo;
	if (t->policy->on_breach == ON_BREACH_HOLD)
		rollout_hold(t, CAUSE_SLO, reason);
	else
		rollout_revert(t, CAUSE_SLO, reason);
}

/*
 * Trouble is asked again inside the interval, later and later. How late depends
 * on the rollout's seed, the SLO and how often it has failed, on nothing else
 * that happened: a simulation of the same rollout waits as long.
 */
static int64_t next_due(struct turn *t, const struct slo *slo,
	const struct check_state *check, int64_t asked_ms)
{
	struct backoff backoff = {slo->interval_ms / 8, slo->interval_ms};
	int64_t due = asked_ms + slo->interval_ms, earliest = t->now, again;
	struct rng rng;

	if (check->outcome == OUTCOME_ERROR) {
		rng_init(&rng, t->r->seed ^ ((uint64_t)t->event->slo << 32 |
						    (uint64_t)check->errors));
		earliest += backoff.base_ms;
		again = earliest +
			backoff_delay(&backoff, check->errors, 0, &rng);
		due = again < due ? again : due;
	}
	return due > earliest ? due : earliest;
}

void checks_take(struct turn *t)
{
	const struct slo *slo;
	struct check_state *check, before;
	int64_t asked_ms;
	enum verdict verdict;

	if (t->event->slo < 0 || (size_t)t->event->slo >= t->policy->n_slos)
		return;
	slo = &t->policy->slos[t->event->slo];
	check = &t->r->check[t->event->slo];
	check_judge(slo, check, &t->event->answers, &t->out->judgement);
	if (!check->asked_ms || rollout_is_reverting(t->r))
		return;
	asked_ms = check->asked_ms;
	check->asked_ms = 0;
	check->last_ms = t->now;
	before = *check;
	verdict = check_apply(slo, check, &t->out->judgement);
	if (t->policy->on_breach == ON_BREACH_OBSERVE)
		check_observe(slo, check);
	/* An answer that was asked for before the step's settle was over is no
	 * evidence for the step; one older than two intervals is none at all. */
	if ((t->r->bake_open && asked_ms < t->r->bake_from_ms) ||
		t->now - asked_ms > look_ms_max(slo))
		check_discard(slo, check, &before);
	if (t->now - asked_ms > look_ms_max(slo))
		check_expire(slo, check);
	check->due_ms = next_due(t, slo, check, asked_ms);
	/* One that had failed before was told, and holds until a person
	 * overrules it. */
	if (verdict == VERDICT_FAIL && !before.failed)
		breached(t);
}

void checks_resumed(struct turn *t)
{
	struct check_state *check = t->r->check;
	size_t i;

	checks_expire(t);
	for (i = 0; i < t->policy->n_slos; i++) {
		check[i].asked_ms = 0;
		if (t->r->checking && check[i].due_ms < t->now)
			check[i].due_ms = t->now;
	}
}
