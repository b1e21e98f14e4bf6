/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks: finds the kind of an SLO and lets it judge; says a judgement in
 * words. Knows nothing of phases, nor what a kind does.
 */
#include "engine/check.h"

#include <math.h>
#include <stdio.h>

#include "engine/check_kind.h"
#include "policy/unit.h"

#define PRODUCT_MAX 192 /* what a limit is made of */

static const struct check_kind *kind_of(const struct slo *slo)
{
	static const struct check_kind *const kinds[SLO_KINDS] = {
		[SLO_THRESHOLD] = &check_threshold,
		[SLO_EVIDENCE] = &check_evidence,
	};

	return kinds[slo->kind];
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

/* "1.5 × stable's 48.8 ms" */
static void add_product(const struct slo *slo, const struct judgement *j,
	char text[PRODUCT_MAX])
{
	const char *whose = slo->compare_stable ? "stable" : "the baseline";
	char baseline[UNIT_TEXT_MAX], more[UNIT_TEXT_MAX];

	unit_print(slo, j->baseline, baseline);
	if (j->by == LIMIT_RATIO)
		snprintf(text, PRODUCT_MAX, " (%.6g × %s's %s)", slo->max_ratio,
			whose, baseline);
	else
		snprintf(text, PRODUCT_MAX, " (%s's %s + %s)", whose, baseline,
			unit_print_given(slo, slo->max_increase, more));
}

/* "73.8 ms > 73.1 ms (1.5 × stable's 48.8 ms)", "3.4 % > max 1 %" */
static void print_comparison(const struct slo *slo, const struct judgement *j,
	char text[CHECK_TEXT_MAX])
{
	static const char *const names[] = {[LIMIT_MAX] = "max ",
		[LIMIT_MIN] = "min ",
		[LIMIT_CRITICAL] = "critical "};
	bool computed = j->by == LIMIT_RATIO || j->by == LIMIT_INCREASE;
	char value[UNIT_TEXT_MAX], limit[UNIT_TEXT_MAX];
	char product[PRODUCT_MAX] = "";

	unit_print_both(slo, j->value, j->limit, !computed, value, limit);
	if (computed)
		add_product(slo, j, product);
	snprintf(text, CHECK_TEXT_MAX, "%s %s %s%s%s", value, j->sign,
		(size_t)j->by < sizeof(names) / sizeof(names[0]) && names[j->by]
			? names[j->by]
			: "",
		limit, product);
}

const char *judgement_print(const struct slo *slo, const struct judgement *j,
	char text[CHECK_TEXT_MAX])
{
	char requests[UNIT_TEXT_MAX], least[UNIT_TEXT_MAX];

	if (j->sign)
		print_comparison(slo, j, text);
	else if (j->outcome == OUTCOME_NO_DATA && !isnan(j->requests))
		snprintf(text, CHECK_TEXT_MAX, "no data: %s (%s < min %s)",
			j->why, unit_print_count(j->requests, requests),
			unit_print_count(j->requests_min, least));
	else
		snprintf(text, CHECK_TEXT_MAX, "%s%s",
			j->outcome == OUTCOME_NO_DATA ? "no data: " : "",
			j->why ? j->why : "not evaluated");
	return text;
}
