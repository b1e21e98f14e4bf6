/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the recording answers, and the figures of a simulation: exposure, the
 * first bad sample, checks until the revert. Decides nothing.
 */
#include <math.h>

#include "sim/sim_state.h"

/* Leaves the answer as it is, which is not asked, where there is no series. */
static void answer_from(const struct sim *s,
	const struct recording_series *series, int64_t time_ms, size_t *cursor,
	struct answer *answer)
{
	if (!series)
		return;
	switch (recording_at(
		s->recording, series, time_ms, cursor, &answer->value)) {
	case RECORDED_VALUE:
		answer->kind =
			isnan(answer->value) ? ANSWER_NO_DATA : ANSWER_VALUE;
		break;
	case RECORDED_NOTHING:
		answer->kind = ANSWER_NO_DATA;
		break;
	case RECORDED_SEVERAL:
	case RECORDED_OUTAGE:
	case RECORDED_TIMEOUT:
		answer->kind = ANSWER_ERROR;
		return;
	}
	answer->partial =
		series->n_outages && recording_is_partial(series, time_ms);
}

/* What `run` is told now is as of so long ago: see `delay` of metrics. */
int64_t sim_asked_ms(const struct sim *s)
{
	return s->now_ms - s->policy->metrics.delay_ms;
}

bool sim_times_out(const struct sim *s, int slo)
{
	const struct chain *chain = s->chain[slo];
	int kind;

	if (!s->has_outages[slo])
		return false;
	for (kind = 0; kind < QUERY_ROLES; kind++) {
		if (chain[kind].series &&
			recording_times_out(
				chain[kind].series, sim_asked_ms(s)))
			return true;
	}
	return false;
}

void sim_answer(struct sim *s, int slo, struct answers *answers)
{
	struct chain *chain = s->chain[slo];
	int64_t asked_ms = sim_asked_ms(s);
	int role;

	for (role = QUERY_VALUE; role <= QUERY_REQUESTS; role++, chain++)
		answer_from(s, chain->series, asked_ms, &chain->cursor,
			&answers->item[role]);
}

/* All checks of the settle were breaches so far: together they decide. */
static bool settles_badly(const struct sim *s, const struct check_state *check)
{
	return !s->rollout.bake_open && check->settle_checks &&
	       check->settle_breaches == check->settle_checks;
}

/* Evidence comes check by check: it is since when it has been against the
 * candidate. What came with a check began after the one before. */
static void count_evidence(struct sim *s, const struct evidence_slo *slo)
{
	struct streak *streak = &s->streak[slo->slo];
	int64_t before_ms = streak->last_ms;

	streak->last_ms = sim_asked_ms(s);
	if (!evidence_is_against(s->rollout.evidence, slo)) {
		streak->from_ms = 0;
		streak->checks = 0;
		return;
	}
	if (!streak->from_ms)
		streak->from_ms = before_ms ? before_ms : streak->last_ms;
	streak->checks++;
}

void sim_count_check(struct sim *s, int slo)
{
	const struct check_state *check = &s->rollout.check[slo];
	struct streak *streak = &s->streak[slo];

	s->result->checks++;
	if (s->policy->slos[slo].kind == SLO_EVIDENCE) {
		const struct evidence_slo *evidence =
			evidence_find(s->rollout.evidence, slo);

		if (evidence)
			count_evidence(s, evidence);
		return;
	}
	if (!check->breaches && !check->failed && !settles_badly(s, check)) {
		*streak = (struct streak){0, 0, 0};
		return;
	}
	if (!streak->from_ms)
		streak->from_ms = sim_asked_ms(s);
	streak->checks++;
}

static bool was_bad(const struct sim *s, int slo, int64_t time_ms)
{
	const struct chain *chain = s->chain[slo];
	struct answers answers = {.counts = NULL};
	struct judgement judgement;
	size_t cursor;
	int role;

	/* A look back, beside the cursors that only go forward. */
	for (role = 0; role < QUERY_ROLES; role++) {
		cursor = chain[role].cursor;
		answer_from(s, chain[role].series, time_ms, &cursor,
			&answers.item[role]);
	}
	check_judge(&s->policy->slos[slo], &s->rollout.check[slo], &answers,
		&judgement);
	return judgement.outcome == OUTCOME_BREACH;
}

/* A check sees a bad sample late: the first of those without a good one
 * before the check that saw it. */
static int64_t first_bad(const struct sim *s, int slo)
{
	const struct chain *chain = &s->chain[slo][0];
	int64_t time_ms = s->streak[slo].from_ms, sample_ms = time_ms;
	bool samples = s->policy->slos[slo].kind != SLO_EVIDENCE;

	while (samples && time_ms >= s->served_ms && was_bad(s, slo, time_ms)) {
		sample_ms = recording_sample_ms(
			s->recording, chain->series, time_ms, chain->cursor);
		time_ms = sample_ms - 1;
	}
	return sample_ms > s->served_ms ? sample_ms : s->served_ms;
}

void sim_count_revert(struct sim *s)
{
	struct sim_result *r = s->result;
	int slo = s->rollout.failed_slo;

	r->revert_ms = s->now_ms;
	if (slo < 0 || !s->streak[slo].from_ms)
		return;
	r->first_bad_ms = first_bad(s, slo);
	r->checks_to_revert = s->streak[slo].checks;
}

void sim_count_exposure(struct sim *s)
{
	s->result->exposure_s += (double)s->serving.candidate / 100 *
				 (double)(s->now_ms - s->counted_ms) / 1000;
	s->counted_ms = s->now_ms;
	if (s->serving.candidate && !s->served_ms)
		s->served_ms = s->now_ms;
}
