/*
 * Checks: finds the kind of an SLO and lets it judge; says a judgement in
 * words. Knows nothing of phases, nor what a kind does.
 */
#include "engine/check.h"

#include <math.h>
#include <stdio.h>

#include "engine/check_kind.h"

static const struct check_kind *kind_of(const struct slo *slo)
{
	static const struct check_kind *const kinds[SLO_KINDS] = {
		[SLO_THRESHOLD] = &check_threshold,
		[SLO_EVIDENCE] = &check_evidence,
	};

	return kinds[slo->kind];
}

bool answers_have_error(const struct answers *answers)
{
	size_t role;

	for (role = 0; role < QUERY_ROLES; role++) {
		if (answers->item[role].kind == ANSWER_ERROR)
			return true;
	}
	return false;
}

bool answers_are_partial(const struct answers *answers)
{
	size_t role;

	for (role = 0; role < QUERY_ROLES; role++) {
		if (answers->item[role].partial)
			return true;
	}
	return false;
}

void check_judge(const struct slo *slo, const struct check_state *state,
	const struct answers *answers, struct judgement *judgement_r)
{
	kind_of(slo)->judge(slo, state, answers, judgement_r);
}

enum verdict check_apply(const struct slo *slo, struct check_state *state,
	const struct judgement *judgement, bool settling)
{
	return kind_of(slo)->apply(slo, state, judgement, settling);
}

void check_begin_settle(const struct slo *slo, struct check_state *state)
{
	kind_of(slo)->begin_settle(state);
}

enum verdict check_end_settle(const struct slo *slo, struct check_state *state)
{
	return kind_of(slo)->end_settle(slo, state);
}

bool check_is_satisfied(const struct slo *slo, const struct check_state *state)
{
	return kind_of(slo)->is_satisfied(slo, state);
}

void check_begin_step(const struct slo *slo, struct check_state *state)
{
	kind_of(slo)->begin_step(state);
}

void check_reset(const struct slo *slo, struct check_state *state)
{
	kind_of(slo)->reset(state);
}

void check_observe(const struct slo *slo, struct check_state *state)
{
	kind_of(slo)->observe(slo, state);
}

void check_discard(const struct slo *slo, struct check_state *state,
	const struct check_state *before)
{
	kind_of(slo)->discard(state, before);
}

void check_expire(const struct slo *slo, struct check_state *state)
{
	kind_of(slo)->expire(state);
}

const char *judgement_print(
	const struct judgement *j, char text[CHECK_TEXT_MAX])
{
	if (j->sign)
		snprintf(text, CHECK_TEXT_MAX, "%.6g %s %s %.6g", j->value,
			j->sign, j->why, j->limit);
	else if (j->outcome == OUTCOME_NO_DATA && !isnan(j->requests))
		snprintf(text, CHECK_TEXT_MAX, "no data: %s (%.6g < min %.6g)",
			j->why, j->requests, j->requests_min);
	else
		snprintf(text, CHECK_TEXT_MAX, "%s%s",
			j->outcome == OUTCOME_NO_DATA ? "no data: " : "",
			j->why ? j->why : "not evaluated");
	return text;
}
