/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs of kind evidence, one check at a time: whether there was something to
 * evaluate. What the counts of all of them say together is not for one SLO to
 * know: see rollout_evidence.c.
 */
#include <math.h>

#include "engine/check_kind.h"
#include "engine/evidence_memory.h"

static void counted_judge(const struct slo *slo,
	const struct check_state *state, const struct answers *answers,
	struct judgement *judgement_r)
{
	struct judgement *j = judgement_r;

	(void)state;
	*j = (struct judgement){.value = NAN,
		.limit = NAN,
		.baseline = NAN,
		.requests = NAN,
		.requests_min = NAN,
		.partial = answers_are_partial(answers)};
	if (answers_have_error(answers)) {
		j->outcome = OUTCOME_ERROR;
		j->why = "the counters cannot be read";
	} else if (j->partial && slo->partial == PARTIAL_NO_DATA) {
		j->outcome = OUTCOME_NO_DATA;
		j->why = "the answer is incomplete";
	} else if (!answers->counts || !answers->counts->candidate.known) {
		j->outcome = OUTCOME_NO_DATA;
		j->why = "the candidate has no fresh sample";
	} else {
		j->outcome = OUTCOME_PASS;
		j->why = "counted";
	}
}

static enum verdict counted_apply(const struct slo *slo, struct check_state *s,
	const struct judgement *judgement, bool settling)
{
	(void)slo;
	(void)settling;
	s->outcome = judgement->outcome;
	s->latest = *judgement;
	s->partial = judgement->partial;
	s->errors = judgement->outcome == OUTCOME_ERROR ? s->errors + 1 : 0;
	s->latest_passes = judgement->outcome == OUTCOME_PASS;
	s->silent = judgement->outcome == OUTCOME_NO_DATA ? s->silent + 1 : 0;
	if (s->latest_passes)
		s->passes++;
	return VERDICT_UNDECIDED;
}

static void counted_begin_settle(struct check_state *s)
{
	(void)s;
}

static enum verdict counted_end_settle(
	const struct slo *slo, struct check_state *s)
{
	(void)slo;
	(void)s;
	return VERDICT_UNDECIDED;
}

static bool counted_is_satisfied(
	const struct slo *slo, const struct check_state *s)
{
	(void)slo;
	return s->latest_passes;
}

static void counted_begin_step(struct check_state *s)
{
	s->passes = 0;
	s->silent = 0;
}

static void counted_reset(struct check_state *s)
{
	s->failed = false;
	s->latest_passes = false;
}

static void counted_observe(const struct slo *slo, struct check_state *s)
{
	(void)slo;
	s->failed = false;
}

static void counted_discard(
	struct check_state *s, const struct check_state *before)
{
	s->passes = before->passes;
}

static void counted_expire(struct check_state *s)
{
	s->latest_passes = false;
}

const struct check_kind check_evidence = {
	.name = "evidence",
	.judge = counted_judge,
	.apply = counted_apply,
	.begin_settle = counted_begin_settle,
	.end_settle = counted_end_settle,
	.is_satisfied = counted_is_satisfied,
	.begin_step = counted_begin_step,
	.reset = counted_reset,
	.observe = counted_observe,
	.discard = counted_discard,
	.expire = counted_expire,
};
