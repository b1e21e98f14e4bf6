/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind `threshold`: limits on a value and on its ratio to a baseline; so
 * many breaches among the last so many checks are a verdict. See check.h.
 */
#include <math.h>

#include "engine/check_kind.h"

static void judge(
	struct judgement *j, enum outcome outcome, double value, double limit)
{
	j->outcome = outcome;
	j->value = value;
	j->limit = limit;
}

/* A limit was looked at; the first breach decides, else the nearest limit to
 * be passed is shown. True: breached. */
static bool compare(struct judgement *j, bool breached, double value,
	const char *sign, enum limit_kind by, double limit)
{
	judge(j, breached ? OUTCOME_BREACH : OUTCOME_PASS, value, limit);
	j->sign = sign;
	j->by = by;
	j->why = NULL;
	return breached;
}

/* Limits on the value alone: true when one is breached. */
static bool judge_value(
	const struct slo *slo, double value, struct judgement *j)
{
	if (slo->has_critical && (slo->has_max || !slo->has_min) &&
		value > slo->critical) {
		j->critical = true;
		return compare(
			j, true, value, ">", LIMIT_CRITICAL, slo->critical);
	}
	if (slo->has_critical && !slo->has_max && slo->has_min &&
		value < slo->critical) {
		j->critical = true;
		return compare(
			j, true, value, "<", LIMIT_CRITICAL, slo->critical);
	}
	if (slo->has_max) {
		if (value > slo->max)
			return compare(
				j, true, value, ">", LIMIT_MAX, slo->max);
		compare(j, false, value, "<=", LIMIT_MAX, slo->max);
	}
	if (slo->has_min) {
		if (value < slo->min)
			return compare(
				j, true, value, "<", LIMIT_MIN, slo->min);
		compare(j, false, value, ">=", LIMIT_MIN, slo->min);
	}
	return false;
}

static void no_data(struct judgement *j, double value, const char *why)
{
	judge(j, OUTCOME_NO_DATA, value, NAN);
	j->sign = NULL;
	j->why = why;
}

/*
 * Limits against the baseline. A baseline that is zero (or less, or infinite)
 * has no ratio: then max_increase or max decide when they are given.
 */
static void judge_baseline(const struct slo *slo, double value,
	const struct answer *baseline, struct judgement *j)
{
	bool decided = slo->has_max || slo->has_min;
	double b = baseline->value;

	if (baseline->kind != ANSWER_VALUE || isnan(b) || isinf(b)) {
		if (slo->no_baseline == NO_BASELINE_SKIP && decided)
			return;
		no_data(j, value, "the baseline has none");
		return;
	}
	j->baseline = b;
	if (slo->has_max_increase) {
		decided = true;
		if (value > b + slo->max_increase) {
			compare(j, true, value, ">", LIMIT_INCREASE,
				b + slo->max_increase);
			return;
		}
		compare(j, false, value, "<=", LIMIT_INCREASE,
			b + slo->max_increase);
	}
	if (!slo->has_max_ratio)
		return;
	if (b > 0) {
		compare(j, value > b * slo->max_ratio, value,
			value > b * slo->max_ratio ? ">" : "<=", LIMIT_RATIO,
			b * slo->max_ratio);
		return;
	}
	if (!decided)
		no_data(j, value,
			"the baseline is zero, so that there is no ratio; "
			"add max or max_increase");
}

static bool has_baseline(const struct slo *slo)
{
	return slo->baseline || slo->compare_stable;
}

static bool is_whole(const struct slo *slo, const struct answer *answer)
{
	return answer->kind == ANSWER_VALUE &&
	       (!answer->partial || slo->partial == PARTIAL_ACCEPT);
}

/* The value breaches a limit of its own: whatever else was asked for beside it, and
 * was not answered, cannot make that better. */
static bool judge_own(
	const struct slo *slo, const struct answer *a, struct judgement *j)
{
	struct judgement own = *j;

	if (!is_whole(slo, &a[QUERY_VALUE]) || isnan(a[QUERY_VALUE].value))
		return false;
	if (slo->requests &&
		(!is_whole(slo, &a[QUERY_REQUESTS]) ||
			!(a[QUERY_REQUESTS].value >= slo->requests_min)))
		return false;
	if (!judge_value(slo, a[QUERY_VALUE].value, &own))
		return false;
	*j = own;
	return true;
}

static void threshold_judge(const struct slo *slo,
	const struct check_state *state, const struct answers *answers,
	struct judgement *j)
{
	const struct answer *a = answers->item;
	double requests = a[QUERY_REQUESTS].kind == ANSWER_VALUE
				  ? a[QUERY_REQUESTS].value
				  : 0;
	double value = a[QUERY_VALUE].value;

	*j = (struct judgement){.value = NAN,
		.limit = NAN,
		.baseline = NAN,
		.requests = NAN,
		.requests_min = NAN};
	j->partial = answers_are_partial(answers);
	if (judge_own(slo, a, j))
		return;
	if (answers_have_error(answers)) {
		judge(j, OUTCOME_ERROR, NAN, NAN);
		j->why = "metrics could not be read";
		return;
	}
	if (j->partial && slo->partial == PARTIAL_NO_DATA) {
		no_data(j, NAN, "the answer is incomplete");
		return;
	}
	if (a[QUERY_VALUE].kind != ANSWER_VALUE || isnan(value)) {
		no_data(j, NAN, "the query has no value");
		return;
	}
	if (slo->requests && !(requests >= slo->requests_min)) {
		no_data(j, value, "too few requests");
		j->requests = requests;
		j->requests_min = slo->requests_min;
		return;
	}
	(void)judge_value(slo, value, j); /* passes: see judge_own */
	if (has_baseline(slo))
		judge_baseline(slo, value, &a[QUERY_BASELINE], j);
	else if (j->outcome == OUTCOME_NONE)
		compare(j, false, value, "<=", LIMIT_CRITICAL, slo->critical);
}

static enum verdict threshold_window_apply(
	const struct slo *slo, struct check_state *s, bool breached)
{
	uint64_t mask = slo->fail_of >= 64 ? UINT64_MAX
					   : (UINT64_C(1) << slo->fail_of) - 1;

	s->breaches = (s->breaches << 1 | breached) & mask;
	if (s->decisive < slo->fail_of)
		s->decisive++;
	s->latest_passes = !breached;
	if (!breached)
		s->passes++;
	else if (__builtin_popcountll(s->breaches) >= slo->fail_breaches)
		s->failed = true;
	if (s->failed)
		return VERDICT_FAIL;
	return breached ? VERDICT_UNDECIDED : VERDICT_PASS;
}

/* The outcome as one of the window: whether it counts, and as a breach. Of an
 * incomplete answer it is not known whether there is no data: it never passes. */
static bool threshold_decides(
	const struct slo *slo, const struct judgement *j, bool *breached_r)
{
	bool nothing = j->outcome == OUTCOME_NO_DATA;

	*breached_r = j->outcome == OUTCOME_BREACH ||
		      (nothing && slo->no_data == NO_DATA_BREACH);
	return *breached_r || j->outcome == OUTCOME_PASS ||
	       (nothing && slo->no_data == NO_DATA_PASS && !j->partial);
}

static enum verdict threshold_apply(const struct slo *slo,
	struct check_state *s, const struct judgement *j, bool settling)
{
	bool breached, decides;

	s->outcome = j->outcome;
	s->latest = *j;
	s->partial = j->partial;
	if (j->sign) {
		s->value = j->value;
		s->limit = j->limit;
	}
	s->errors = j->outcome == OUTCOME_ERROR ? s->errors + 1 : 0;
	s->latest_passes = false;
	if (j->outcome == OUTCOME_BREACH && j->critical)
		s->failed = true;
	decides = threshold_decides(slo, j, &breached);
	if (decides && !settling)
		return threshold_window_apply(slo, s, breached);
	if (decides) {
		s->latest_passes = !breached;
		s->settle_checks++;
		s->settle_breaches += breached;
	}
	return s->failed ? VERDICT_FAIL : VERDICT_UNDECIDED;
}

static void threshold_begin_settle(struct check_state *s)
{
	s->settle_checks = 0;
	s->settle_breaches = 0;
}

static enum verdict threshold_end_settle(
	const struct slo *slo, struct check_state *s)
{
	if (!slo->has_critical && s->settle_checks >= slo->fail_breaches &&
		s->settle_breaches == s->settle_checks)
		s->failed = true;
	return s->failed ? VERDICT_FAIL : VERDICT_UNDECIDED;
}

static void threshold_begin_step(struct check_state *s)
{
	s->passes = 0;
}

static bool threshold_is_satisfied(
	const struct slo *slo, const struct check_state *s)
{
	return !s->failed && s->latest_passes && s->passes >= slo->min_passes;
}

static void threshold_reset(struct check_state *s)
{
	s->failed = false;
	s->breaches = 0;
	s->decisive = 0;
	s->passes = 0;
}

/* An observed breach is an evaluation like any other. */
static void threshold_observe(const struct slo *slo, struct check_state *s)
{
	bool breached = s->outcome == OUTCOME_BREACH ||
			(s->outcome == OUTCOME_NO_DATA &&
				slo->no_data == NO_DATA_BREACH);

	if (breached) {
		s->passes++;
		s->latest_passes = true;
	}
	if (!s->failed)
		return;
	s->failed = false;
	s->breaches = 0;
	s->decisive = 0;
}

static void threshold_discard(
	struct check_state *s, const struct check_state *before)
{
	s->passes = before->passes;
}

static void threshold_expire(struct check_state *s)
{
	s->latest_passes = false;
}

const struct check_kind check_threshold = {
	.name = "threshold",
	.judge = threshold_judge,
	.apply = threshold_apply,
	.begin_settle = threshold_begin_settle,
	.end_settle = threshold_end_settle,
	.is_satisfied = threshold_is_satisfied,
	.begin_step = threshold_begin_step,
	.reset = threshold_reset,
	.observe = threshold_observe,
	.discard = threshold_discard,
	.expire = threshold_expire,
};
