/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SLOs of kind evidence have decided together: a revert, a step back,
 * a step that may be left early. The numbers are evidence_memory.c's.
 */
#include <math.h>
#include <stdio.h>

#include "engine/evidence_text.h"
#include "engine/turn.h"

#define SILENT_MS 300000 /* without a sample, before a step is undecided */

static bool observes(const struct policy *policy)
{
	return policy->on_breach == ON_BREACH_OBSERVE;
}

static void begin_step(struct turn *t, int step)
{
	char text[ROLLOUT_TEXT_MAX];
	struct note *note;

	evidence_memory_begin_step(t->r->evidence, t->policy, (size_t)step);
	note = turn_note(t, NOTE_EVIDENCE, "%s",
		t->r->unseen ? "" : evidence_print_aim(t->policy, t->r, text));
	note->step = step;
}

void evidence_settle(struct turn *t)
{
	struct evidence_memory *memory = t->r->evidence;

	if (!memory || rollout_is_finishing(t))
		return;
	/* A cross that was only observed is observed again in the next step. */
	if (memory->state.failed && observes(t->policy)) {
		memory->state.failed = false;
		evidence_memory_climb_again(memory);
	}
	begin_step(t, t->r->step);
}

void evidence_overrule(struct turn *t)
{
	struct evidence_memory *memory = t->r->evidence;
	int step = t->r->step;

	if (!memory || !memory->state.failed)
		return;
	memory->state.failed = false;
	evidence_memory_climb_again(memory);
	/* At its gate, and until its split serves, it is the one before. */
	if (!t->r->bake_from_ms)
		step--;
	if (step >= 0 && !rollout_is_finishing(t))
		begin_step(t, step);
}

static struct note *note_breach(
	struct turn *t, const struct evidence_slo *slo, const char *text)
{
	struct evidence_arms arms = evidence_recent(slo);
	struct note *note = turn_note(t, NOTE_BREACH, "%s", text);

	note->slo = slo->slo;
	note->value = arms.candidate.n > 0 ? arms.candidate.x / arms.candidate.n
					   : NAN;
	note->limit = slo->spec.objective;
	return note;
}

static void crossed(struct turn *t, enum evidence_decision decision)
{
	struct evidence_memory *memory = t->r->evidence;
	const struct evidence_slo *slo;
	char text[ROLLOUT_TEXT_MAX];
	struct note *note;
	bool hold;

	hold = t->policy->on_breach == ON_BREACH_HOLD ||
	       (memory->state.none &&
		       t->policy->evidence.without_control == WITHOUT_HOLD);
	if (hold || observes(t->policy))
		decision = EVIDENCE_FAIL; /* nobody goes back to ask stable */
	slo = evidence_heaviest(memory);
	evidence_print_breach(t->policy, memory, slo, decision, text);
	note = note_breach(t, slo, text);
	if (observes(t->policy)) {
		note->type = NOTE_WOULD_REVERT;
		memory->state.failed = true;
		return;
	}
	t->r->failed_slo = slo->slo;
	if (hold) {
		memory->state.failed = true;
		t->r->check[slo->slo].failed = true;
		rollout_hold(t, CAUSE_SLO, t->now, text);
	} else if (decision == EVIDENCE_STEP_BACK) {
		evidence_memory_climb_again(memory);
		rollout_step_back(t, text);
	} else {
		t->r->check[slo->slo].failed = true;
		rollout_revert(t, CAUSE_SLO, text);
	}
}

/* Another SLO of this kind was asked at the same time and has not answered. */
static bool others_are_asked(const struct turn *t, int64_t asked_ms)
{
	const struct evidence_memory *memory = t->r->evidence;
	size_t i;

	for (i = 0; i < memory->n; i++) {
		if (t->r->check[memory->slo[i].slo].asked_ms == asked_ms)
			return true;
	}
	return false;
}

bool evidence_fits(const struct turn *t, int slo)
{
	const struct evidence_slo *s = evidence_find(t->r->evidence, slo);
	const struct check_counts *counts = t->event->answers.counts;

	return !s || !counts || evidence_counts_fit(s, counts);
}

void evidence_take(struct turn *t, int slo, int64_t asked_ms)
{
	struct evidence_memory *memory = t->r->evidence;
	struct evidence_slo *s = evidence_find(memory, slo);
	const struct check_counts *counts = t->event->answers.counts;
	bool failed;
	enum evidence_decision decision;

	if (!s)
		return;
	t->out->seen.climb = memory->climbs;
	if (counts && evidence_counts_fit(s, counts)) {
		evidence_memory_take(memory, t->policy, s, counts, asked_ms);
		t->out->seen.counted = true;
		t->out->seen.latency = s->spec.latency;
	}
	if (!t->r->unseen)
		evidence_memory_tell(memory);
	t->out->seen.own = s->numbers;
	/* What is decided must not depend on who answers first. */
	if (others_are_asked(t, asked_ms))
		return;
	failed = memory->state.failed;
	decision = evidence_memory_decide(memory);
	t->out->seen.decided = true;
	t->out->seen.all = memory->result;
	if (decision == EVIDENCE_STEP_BACK ||
		(decision == EVIDENCE_FAIL && !failed))
		crossed(t, decision);
}

static bool has_few_requests(
	const struct policy *policy, const struct evidence_slo *s)
{
	return s->step.candidate.n < policy->slos[s->slo].requests_needed;
}

/* An SLO that the candidate had too few requests for; NULL: none. */
static const struct evidence_slo *find_few_requests(
	const struct evidence_memory *memory, const struct policy *policy)
{
	size_t i;

	for (i = 0; i < memory->n; i++) {
		if (has_few_requests(policy, &memory->slo[i]))
			return &memory->slo[i];
	}
	return NULL;
}

static const struct evidence_slo *find_uneasy(
	const struct evidence_memory *memory)
{
	size_t i;

	for (i = 0; i < memory->n; i++) {
		if (!memory->slo[i].numbers.calm)
			return &memory->slo[i];
	}
	return NULL;
}

/* What is missing, and the SLO that it lies at. */
static enum evidence_lack find_lack(const struct policy *policy,
	const struct rollout *r, const struct evidence_slo **slo_r)
{
	struct evidence_memory *memory = r->evidence;

	if (!memory || memory->result.decision == EVIDENCE_PASS)
		return LACK_NOTHING;
	evidence_memory_tell(memory);
	*slo_r = evidence_heaviest(memory);
	if (memory->state.failed)
		return observes(policy) ? LACK_NOTHING : LACK_TRUST;
	if (memory->result.log_e >= memory->rules.suspicion)
		return LACK_TRUST;
	*slo_r = find_few_requests(memory, policy);
	if (*slo_r)
		return LACK_REQUESTS;
	*slo_r = find_uneasy(memory);
	if (*slo_r && memory->state.final && !memory->state.none)
		return LACK_CALM;
	return LACK_NOTHING;
}

enum evidence_lack rollout_lacks(
	const struct policy *policy, const struct rollout *r)
{
	const struct evidence_slo *slo;

	return find_lack(policy, r, &slo);
}

const char *evidence_misses(
	const struct policy *policy, const struct rollout *r)
{
	static const char *const texts[] = {
		[LACK_NOTHING] = NULL,
		[LACK_TRUST] = "there is some evidence against the candidate",
		[LACK_REQUESTS] = "the candidate had too few requests to tell",
		[LACK_CALM] = "stable has trouble itself",
	};

	return texts[rollout_lacks(policy, r)];
}

const char *evidence_say_missing(const struct policy *policy,
	const struct rollout *r, char text[ROLLOUT_TEXT_MAX])
{
	const struct evidence_slo *slo;
	char what[ROLLOUT_TEXT_MAX];

	switch (find_lack(policy, r, &slo)) {
	case LACK_NOTHING:
		return NULL;
	case LACK_TRUST:
		evidence_print_doubt(r->evidence, slo, what);
		break;
	case LACK_REQUESTS:
		evidence_print_few(&policy->slos[slo->slo], slo, what);
		break;
	case LACK_CALM:
		evidence_print_uneasy(r->evidence, slo, what);
		break;
	}
	text_put(text, ROLLOUT_TEXT_MAX, "%s: %s", policy->slos[slo->slo].name,
		what);
	return text;
}

const char *evidence_misses_of(const struct policy *policy,
	const struct rollout *r, size_t slo, char text[ROLLOUT_TEXT_MAX])
{
	const struct evidence_slo *s = evidence_find(r->evidence, (int)slo);
	const struct evidence_slo *lacking;
	enum evidence_lack lack = find_lack(policy, r, &lacking);

	if (!s || lack == LACK_NOTHING)
		return NULL;
	if (lack == LACK_REQUESTS && has_few_requests(policy, s))
		return evidence_print_few(&policy->slos[slo], s, text);
	return evidence_print_missing(r->evidence, s, text);
}

void evidence_say_passed(const struct turn *t, char text[ROLLOUT_TEXT_MAX])
{
	char how[ROLLOUT_TEXT_MAX];

	if (t->r->evidence && !t->r->evidence->state.failed)
		text_put(text, ROLLOUT_TEXT_MAX, "step %d has passed %s",
			t->r->step + 1,
			evidence_print_passed(t->policy, t->r, t->now, how));
	else
		text_put(text, ROLLOUT_TEXT_MAX, "step %d has passed",
			t->r->step + 1);
}

int evidence_silent_checks_max(const struct slo *slo)
{
	return (int)((SILENT_MS + slo->interval_ms - 1) / slo->interval_ms);
}

int evidence_find_silent(const struct turn *t)
{
	size_t i;

	if (!t->r->evidence)
		return -1;
	for (i = 0; i < t->policy->n_slos; i++) {
		if (t->r->check[i].silent &&
			t->r->check[i].silent >=
				evidence_silent_checks_max(&t->policy->slos[i]))
			return (int)i;
	}
	return -1;
}

const char *evidence_say_silent(
	const struct turn *t, char text[ROLLOUT_TEXT_MAX])
{
	int silent = evidence_find_silent(t);

	if (silent < 0)
		return NULL;
	text_put(text, ROLLOUT_TEXT_MAX,
		"%s: the candidate has had no fresh sample for %d checks",
		t->policy->slos[silent].name, t->r->check[silent].silent);
	return text;
}

static bool is_asked(const struct turn *t)
{
	size_t i;

	for (i = 0; i < t->policy->n_slos; i++) {
		if (t->r->check[i].asked_ms)
			return true;
	}
	return false;
}

/* The grid begins anew with the bake: counted in checks, the least time of a
 * step would hold one that came right after the one before. */
static bool dwelt(const struct turn *t)
{
	return t->now - t->r->bake_from_ms >= POLICY_DWELL_MS;
}

bool evidence_is_enough(const struct turn *t)
{
	return t->policy->pace == PACE_EVIDENCE && t->r->evidence &&
	       t->r->evidence->result.decision == EVIDENCE_PASS && dwelt(t) &&
	       !is_asked(t);
}
