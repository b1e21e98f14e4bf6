/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence about a candidate; see evidence.h. */
#include "engine/evidence.h"

#include <math.h>

const char *evidence_decision_name(enum evidence_decision decision)
{
	static const char *const names[] = {
		[EVIDENCE_CONTINUE] = "continue",
		[EVIDENCE_PASS] = "pass",
		[EVIDENCE_STEP_BACK] = "step-back",
		[EVIDENCE_FAIL] = "fail",
	};

	return names[decision];
}

void evidence_bet_rules(
	const struct evidence_rules *rules, size_t n, struct bet_rules *bets_r)
{
	/* One check may not decide, two may. */
	double cap = 0.4 + 0.5 * log((double)n / rules->alpha);

	*bets_r = bet_rules(rules->first,
		fmin(0.25, rules->check_s / rules->hazard_s), cap);
	bets_r->longer = exp(-rules->check_s / rules->memory_s);
	bets_r->recent = exp(-rules->check_s / rules->recent_s);
	bets_r->pass_ratio_log = log(rules->pass_ratio);
}

struct evidence_limits evidence_limits(const struct evidence_rules *rules)
{
	return (struct evidence_limits){
		1 / rules->alpha, exp(rules->suspicion), -log(rules->beta)};
}

void evidence_begin_step(struct evidence_state *state,
	const struct evidence_rules *rules, double share, bool final)
{
	state->none = share > rules->no_control;
	state->final = final;
	state->checks = 0;
}

static bool step_is_passed(const struct evidence_state *state,
	const struct evidence_rules *rules, const struct evidence_result *r)
{
	if (r->log_pass < -log(rules->beta) || r->log_e >= rules->suspicion ||
		state->checks * rules->check_s < rules->dwell_s)
		return false;
	/* What comes next has no control: stable must not be in trouble. */
	return r->calm || !state->final || state->none;
}

static enum evidence_decision cross(
	struct evidence_state *state, const struct evidence_rules *rules)
{
	if (state->none && rules->step_back && !state->stepped_back) {
		state->stepped_back = true;
		return EVIDENCE_STEP_BACK;
	}
	state->failed = true;
	return EVIDENCE_FAIL;
}

/* ln of the mean of all evidence. */
static double log_e_of(const struct evidence_numbers *numbers, size_t n)
{
	double most = -INFINITY, sum = 0;
	size_t i;

	for (i = 0; i < n && numbers[i].e > 0; i++)
		sum += numbers[i].e;
	if (i == n)
		return log(sum / (double)n);
	for (i = 0; i < n; i++)
		most = fmax(most, numbers[i].log_e);
	for (i = 0, sum = 0; i < n; i++)
		sum += exp(numbers[i].log_e - most);
	return most + log(sum / (double)n);
}

void evidence_combine(const struct evidence_numbers *numbers, size_t n,
	struct evidence_result *result_r)
{
	struct evidence_result *r = result_r;
	size_t i;

	*r = (struct evidence_result){.log_pass = INFINITY, .calm = true};
	for (i = 0; i < n; i++) {
		if (numbers[i].log_pass < r->log_pass)
			r->log_pass = numbers[i].log_pass;
		r->calm = r->calm && numbers[i].calm;
	}
	r->log_e = log_e_of(numbers, n);
}

void evidence_decide(struct evidence_state *state,
	const struct evidence_rules *rules, struct evidence_result *result)
{
	if (state->failed)
		result->decision = EVIDENCE_FAIL;
	else if (result->log_e >= -log(rules->alpha))
		result->decision = cross(state, rules);
	else if (step_is_passed(state, rules, result))
		result->decision = EVIDENCE_PASS;
	else
		result->decision = EVIDENCE_CONTINUE;
}
