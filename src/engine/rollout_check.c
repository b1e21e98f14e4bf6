/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the SLOs when they are due, takes their answers, and says when they have
 * decided. What an answer means is check.c's; what a breach leads to in which
 * phase is rollout.c's.
 *
 * From the first moment that the candidate may have users all SLOs are asked,
 * in every phase up to reverting. Their times lie on a grid: from the exposure,
 * and anew from the end of each step's settle.
 */
#include "engine/backoff.h"
#include "engine/turn.h"

#define LATE_PART 50 /* due within 1/50 of its interval is due now */

bool checks_are_satisfied(const struct turn *t)
{
	return !checks_miss(t->policy, t->r, t->now);
}

static int64_t lost_ms(const struct policy *policy, const struct rollout *r)
{
	const struct check_state *check = r->check;
	int64_t most = 0;
	size_t i;

	for (i = 0; i < policy->n_slos; i++, check++)
		most = check->lost_ms > most ? check->lost_ms : most;
	return most;
}

int64_t checks_over_ms(const struct policy *policy, const struct rollout *r)
{
	return r->bake_from_ms + policy->steps[r->step].bake_ms +
	       lost_ms(policy, r);
}

int64_t rollout_baked_ms(const struct policy *policy,
	const struct rollout *state, int64_t now_ms)
{
	int64_t bake_ms, baked_ms;

	if (!state->bake_open || state->step < 0 ||
		(size_t)state->step >= policy->n_steps)
		return 0;
	/* Its bake begins anew after its load. */
	if (policy->steps[state->step].load &&
		!(state->loads_over >> state->step & 1))
		return 0;
	bake_ms = policy->steps[state->step].bake_ms;
	baked_ms = now_ms - state->bake_from_ms - lost_ms(policy, state);
	if (baked_ms < 0)
		return 0;
	return baked_ms < bake_ms ? baked_ms : bake_ms;
}

int64_t checks_undecided_ms(
	const struct policy *policy, const struct rollout *r)
{
	int64_t longer_ms =
		evidence_misses(policy, r) ? policy->steps[r->step].bake_ms : 0;

	return checks_over_ms(policy, r) + longer_ms;
}

int64_t checks_late_ms(const struct slo *slo)
{
	return slo->interval_ms / LATE_PART;
}

bool checks_are_answered(const struct turn *t)
{
	const struct check_state *check = t->r->check;
	int64_t over_ms = checks_over_ms(t->policy, t->r), due_ms;
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++, check++) {
		/* A step is judged only after something was asked in it, and
		 * all that was due in it. */
		if (check->latest_ms < t->r->bake_from_ms || check->put_off)
			return false;
		due_ms = check->asked_ms ? check->asked_ms : check->due_ms;
		if (due_ms <= over_ms + checks_late_ms(&t->policy->slos[i]))
			return false;
	}
	return true;
}

/* An SLO whose provider has been in trouble for too long, or -1. */
int checks_find_unevaluable(const struct turn *t)
{
	const struct check_state *check = t->r->check;
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++, check++) {
		if (check->errors >= CHECK_ERRORS_MAX)
			return (int)i;
	}
	return -1;
}

int64_t checks_gap_ms_max(const struct policy *policy)
{
	int64_t look_ms, most = 0;
	size_t i;

	for (i = 0; i < policy->n_slos; i++) {
		look_ms = check_look_ms_max(&policy->slos[i]);
		most = look_ms > most ? look_ms : most;
	}
	return most;
}

/* ---- when ---- */

void checks_begin(struct turn *t)
{
	size_t i;

	t->r->checking = true;
	t->r->grid_ms = t->now;
	for (i = 0; i < t->policy->n_slos; i++)
		t->r->check[i].due_ms = t->now;
}

void checks_expose(struct turn *t)
{
	struct rollout *r = t->r;

	r->moved = true;
	r->served = r->served || r->traffic.serving.candidate > 0;
	if (r->checking)
		return;
	r->settle_ms = r->traffic.serving.candidate > 0 ? 0 : INT64_MAX;
	checks_begin(t);
}

static void breached(
	struct turn *t, int slo, const struct judgement *j, const char *how);

void checks_settle(struct turn *t)
{
	struct rollout *r = t->r;
	size_t i;

	r->settle_ms = t->now + t->policy->settle_ms;
	r->bake_from_ms = r->settle_ms;
	for (i = 0; i < t->policy->n_slos; i++)
		check_begin_settle(&t->policy->slos[i], &r->check[i]);
	if (!r->checking)
		checks_begin(t);
	evidence_settle(t);
}

static void end_settle(struct turn *t, int i)
{
	const struct slo *slo = &t->policy->slos[i];
	struct check_state *check = &t->r->check[i];
	struct judgement j = {.outcome = OUTCOME_BREACH,
		.value = check->value,
		.limit = check->limit,
		.baseline = check->latest.baseline,
		.sign = ">",
		.by = LIMIT_ANY};

	if (check->failed || check_end_settle(slo, check) != VERDICT_FAIL)
		return;
	if (t->policy->on_breach == ON_BREACH_OBSERVE)
		check_observe(slo, check);
	if (check->latest.outcome == OUTCOME_BREACH ||
		check->latest.outcome == OUTCOME_NO_DATA)
		j = check->latest;
	breached(t, i, &j, " in every check of the settle");
}

/* As late as it was when the process stood still, but an interval at most. */
static void put_off(const struct turn *t, size_t slo)
{
	struct check_state *check = &t->r->check[slo];
	int64_t most_ms = t->now + t->policy->slos[slo].interval_ms;

	check->due_ms += t->event->stood_ms;
	if (check->due_ms > most_ms)
		check->due_ms = most_ms;
	check->put_off = true;
}

/* The step's evidence begins here, and so does the grid of its checks. */
void checks_open_bake(struct turn *t)
{
	struct rollout *r = t->r;
	struct check_state *check = r->check;
	size_t i;

	r->bake_open = true;
	r->grid_ms = r->bake_from_ms;
	for (i = 0; i < t->policy->n_slos; i++, check++) {
		end_settle(t, (int)i);
		check_begin_step(&t->policy->slos[i], check);
		check->covered_ms = r->bake_from_ms;
		check->lost_ms = 0;
		check->due_ms = r->bake_from_ms;
		if (t->event->spread)
			put_off(t, i);
	}
}

void checks_reset(struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		if (t->r->check[i].failed)
			check_reset(&t->policy->slos[i], &t->r->check[i]);
		t->r->check[i].covered_ms = t->now;
		t->r->check[i].lost_ms = 0;
	}
	if (t->r->bake_open)
		t->r->bake_from_ms = t->now;
	evidence_overrule(t);
}

int64_t checks_due_ms(const struct turn *t)
{
	const struct rollout *r = t->r;
	const struct check_state *check = r->check;
	int64_t due_ms = INT64_MAX;
	size_t i;

	if (!r->checking || rollout_is_reverting(r) || phase_is_end(r->phase))
		return INT64_MAX;
	for (i = 0; i < t->policy->n_slos; i++, check++) {
		if (!check->asked_ms && check->due_ms < due_ms)
			due_ms = check->due_ms;
	}
	return due_ms;
}

void checks_ask(struct turn *t)
{
	struct check_state *check = t->r->check;
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++, check++) {
		if (check->asked_ms)
			continue;
		if (check->due_ms > t->now) {
			turn_wake(t, check->due_ms);
			continue;
		}
		check->asked_ms = t->now;
		turn_effect(t, EFFECT_CHECK)->slo = (int)i;
	}
}

int64_t checks_after_ms(
	const struct rollout *r, const struct slo *slo, int64_t ms)
{
	int64_t every = slo->interval_ms, from = r->grid_ms;

	return ms < from ? from : from + ((ms - from) / every + 1) * every;
}

/* The first time on the grid after `ms`, but not one that is long past. */
static int64_t next_on_grid(
	const struct turn *t, const struct slo *slo, int64_t ms)
{
	int64_t every = slo->interval_ms;
	int64_t next = checks_after_ms(t->r, slo, ms);

	if (next < t->now)
		next += (t->now - next) / every * every;
	return next;
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
	int64_t due = next_on_grid(t, slo, asked_ms), again;
	struct rng rng;

	if (check->outcome != OUTCOME_ERROR)
		return due;
	rng_init(&rng, t->r->seed ^ ((uint64_t)t->event->slo << 32 |
					    (uint64_t)check->errors));
	again = t->now + backoff.base_ms +
		backoff_delay(&backoff, check->errors, 0, &rng);
	if (due < t->now + backoff.base_ms)
		due = t->now + backoff.base_ms;
	return again < due ? again : due;
}

/* ---- what came ---- */

static void breached(
	struct turn *t, int slo, const struct judgement *j, const char *how)
{
	char reason[ROLLOUT_TEXT_MAX], text[CHECK_TEXT_MAX];
	struct note *note;

	text_put(reason, sizeof(reason), "%s: %s%s", t->policy->slos[slo].name,
		judgement_print(&t->policy->slos[slo], j, text), how);
	note = turn_note(t, NOTE_BREACH, "%s", reason);
	note->slo = slo;
	note->value = j->value;
	note->limit = j->limit;
	if (t->policy->on_breach == ON_BREACH_OBSERVE) {
		note->type = NOTE_WOULD_REVERT;
		return;
	}
	if (!rollout_is_reverting(t->r)) /* for another one already */
		t->r->failed_slo = slo;
	if (t->policy->on_breach == ON_BREACH_HOLD)
		rollout_hold(t, CAUSE_SLO, t->now, reason);
	else
		rollout_revert(t, CAUSE_SLO, reason);
}

/* Without samples of the candidate a step's time stands still, and it is said
 * when that begins. */
static bool is_silent(
	struct turn *t, const struct slo *slo, const struct check_state *check)
{
	if (check->silent == CHECKS_SILENT_MAX + 1)
		turn_note(t, NOTE_WARNING,
			"%s: the candidate has had no fresh sample for %d "
			"checks: until there is one the time of the step does "
			"not count",
			slo->name, check->silent);
	return check->silent > CHECKS_SILENT_MAX;
}

/* The time between two answers more than two intervals apart was not watched:
 * it does not count as bake of this SLO. */
static void cover(struct turn *t, const struct slo *slo,
	struct check_state *check, int64_t asked_ms)
{
	if (!t->r->bake_open || asked_ms < check->covered_ms ||
		check->outcome == OUTCOME_ERROR)
		return;
	if (is_silent(t, slo, check) ||
		asked_ms - check->covered_ms > check_look_ms_max(slo))
		check->lost_ms += asked_ms - check->covered_ms;
	check->covered_ms = asked_ms;
}

/* Stable that has served nobody for the whole window has no present to compare
 * with. */
static bool stable_is_past(const struct turn *t, const struct slo *slo)
{
	int64_t idle_ms = t->r->traffic.stable_idle_ms;

	return slo->compare_stable && idle_ms &&
	       t->now - idle_ms >= slo->window_ms;
}

/* There is no baseline. */
static void judge_alone(
	struct turn *t, const struct slo *slo, const struct check_state *check)
{
	struct answers answers = t->event->answers;
	struct answer *baseline = &answers.item[QUERY_BASELINE];

	/* It is not looked at. */
	*baseline = (struct answer){.kind = ANSWER_NO_DATA};
	check_judge(slo, check, &answers, &t->out->judgement);
}

/* The counts cannot be added to those of before. */
static void judge_misfit(
	struct turn *t, const struct slo *slo, const struct check_state *check)
{
	struct answers answers = t->event->answers;

	answers.item[QUERY_TOTAL].kind = ANSWER_ERROR;
	check_judge(slo, check, &answers, &t->out->judgement);
	t->out->judgement.why = "the histogram has other buckets than before";
}

static void judge(
	struct turn *t, const struct slo *slo, const struct check_state *check)
{
	if (slo->kind == SLO_EVIDENCE && !evidence_fits(t, t->event->slo))
		judge_misfit(t, slo, check);
	else if (stable_is_past(t, slo))
		judge_alone(t, slo, check);
	else
		check_judge(slo, check, &t->event->answers, &t->out->judgement);
}

static void take(
	struct turn *t, const struct slo *slo, struct check_state *check)
{
	int64_t asked_ms = check->asked_ms;
	bool settling = asked_ms < t->r->settle_ms, failed = check->failed;
	/* An answer that was asked for before the step's bake is no evidence
	 * for the step; one older than two intervals is none at all. */
	bool late = t->now - asked_ms > check_look_ms_max(slo);
	bool early =
		settling || (t->r->bake_open && asked_ms < t->r->bake_from_ms);
	struct check_state before;
	enum verdict verdict;

	check->asked_ms = 0;
	check->put_off = false;
	check->last_ms = t->now;
	if (early || late)
		before = *check;
	verdict = check_apply(slo, check, &t->out->judgement, settling);
	if (t->policy->on_breach == ON_BREACH_OBSERVE)
		check_observe(slo, check);
	if (early || late)
		check_discard(slo, check, &before);
	if (late)
		check_expire(slo, check);
	check->latest_ms = asked_ms;
	cover(t, slo, check, asked_ms);
	check->due_ms = next_due(t, slo, check, asked_ms);
	/* An SLO that failed before was noted then; it stays failed until
	 * a person overrules it. */
	if (verdict == VERDICT_FAIL && !failed)
		breached(t, t->event->slo, &t->out->judgement, "");
	if (slo->kind == SLO_EVIDENCE)
		evidence_take(t, t->event->slo, asked_ms);
}

void checks_take(struct turn *t)
{
	const struct slo *slo;
	struct check_state *check;

	if (t->event->slo < 0 || (size_t)t->event->slo >= t->policy->n_slos)
		return;
	slo = &t->policy->slos[t->event->slo];
	check = &t->r->check[t->event->slo];
	judge(t, slo, check);
	if (!check->asked_ms || rollout_is_reverting(t->r))
		return;
	take(t, slo, check);
}

void checks_resumed(struct turn *t)
{
	struct check_state *check = t->r->check;
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		check_expire(&t->policy->slos[i], &check[i]);
		check[i].latest_ms = 0;
		check[i].asked_ms = 0;
		if (t->r->checking && check[i].due_ms < t->now)
			check[i].due_ms = t->now;
	}
}

/* What is under way asks about a moment of the old clock, as what was answered
 * did: it is asked anew. */
void checks_clock_set(struct turn *t)
{
	struct check_state *check = t->r->check;
	size_t i;

	for (i = 0; t->r->checking && i < t->policy->n_slos; i++) {
		check[i].latest_ms = 0;
		if (!t->event->spread || check[i].asked_ms)
			check[i].due_ms = t->now;
		check[i].asked_ms = 0;
	}
}

void checks_put_off(struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		if (!t->r->check[i].asked_ms && t->r->check[i].due_ms <= t->now)
			put_off(t, i);
	}
}
