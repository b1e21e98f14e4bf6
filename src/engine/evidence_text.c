/* Sentences about evidence; see evidence_text.h. */
#include "engine/evidence_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/evidence_plan.h"
#include "engine/turn.h"

#define SHARE_TEXT_MAX 32
#define COUNT_TEXT_MAX 32
#define ODDS_MAX       1e6 /* rarer is said to be rarer */

/* "1.2 %": two digits, or whole when there are more. */
static const char *part_print(double share, char text[SHARE_TEXT_MAX])
{
	double percent = 100 * share;

	snprintf(text, SHARE_TEXT_MAX,
		percent >= 9.95                   ? "%.0f %%"
		: percent > 0 && percent < 0.0001 ? "%.5f %%"
						  : "%.2g %%",
		percent);
	return text;
}

static double share_of(const struct request_sum *t)
{
	return t->n > 0 ? t->x / t->n : 0;
}

/* "27,110" */
static const char *count_print(double count, char *text)
{
	char digits[COUNT_TEXT_MAX];
	size_t len, i, n = 0;

	snprintf(digits, sizeof(digits), "%.0f", fmin(count, 1e15));
	len = strlen(digits);
	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[n++] = ',';
		text[n++] = digits[i];
	}
	text[n] = '\0';
	return text;
}

/* "candidate 1.2 % (36 of 3,004)" */
static int arm_print(
	const char *name, const struct request_sum *t, char *text, size_t size)
{
	char share[SHARE_TEXT_MAX], bad[COUNT_TEXT_MAX * 2];
	char all[COUNT_TEXT_MAX * 2];

	return snprintf(text, size, "%s %s (%s of %s)", name,
		part_print(share_of(t), share), count_print(t->x, bad),
		count_print(t->n, all));
}

const char *evidence_print_breach(const struct policy *policy,
	const struct evidence_memory *memory, const struct evidence_slo *slo,
	enum evidence_decision decision, char text[ROLLOUT_TEXT_MAX])
{
	struct evidence_arms arms = evidence_recent(slo);
	char candidate[96], stable[96], times[48] = "", whole[512];
	double odds = exp(fmin(memory->result.log_e, log(ODDS_MAX)));

	arm_print("candidate", &arms.candidate, candidate, sizeof(candidate));
	arm_print("stable", &arms.stable, stable, sizeof(stable));
	if (memory->state.none || arms.stable.n <= 0)
		snprintf(stable, sizeof(stable),
			"stable has no requests to compare with");
	else if (share_of(&arms.stable) > 0)
		snprintf(times, sizeof(times), ", %.2g times as many",
			share_of(&arms.candidate) / share_of(&arms.stable));
	if (decision == EVIDENCE_STEP_BACK)
		snprintf(whole, sizeof(whole),
			"%s: %s; %s: back to %d %% to ask stable",
			policy->slos[slo->slo].name, candidate, stable,
			policy->steps[0].percent);
	else
		snprintf(whole, sizeof(whole),
			"%s: %s, %s%s; a candidate as good as stable shows "
			"this in 1 of %.0f rollouts (limit: 1 of %.0f)",
			policy->slos[slo->slo].name, candidate, stable, times,
			odds, 1 / memory->rules.alpha);
	text_set(text, ROLLOUT_TEXT_MAX, whole);
	return text;
}

/* ---- a step ---- */

/* "below 1 %, and not twice stable's" */
static void aim_add(struct buf *out, const struct policy *policy,
	const struct rollout *r, const struct evidence_slo *s)
{
	const struct evidence_objective *o = &s->objective;
	char share[SHARE_TEXT_MAX];

	buf_addf(out, "below %s", part_print(o->limit_level, share));
	if (o->none)
		return;
	if (o->full)
		buf_adds(out, ", and not twice stable's");
	else
		buf_addf(out, ": more would cost at most %.0f %s at %d %%",
			policy->evidence.harm * plan_weight(&s->spec),
			s->spec.latency ? "slow requests" : "requests",
			policy->steps[r->step + 1].percent);
}

const char *evidence_print_aim(const struct policy *policy,
	const struct rollout *r, char text[ROLLOUT_TEXT_MAX])
{
	const struct evidence_memory *memory = r->evidence;
	struct buf out;
	size_t i;

	buf_init(&out, ROLLOUT_TEXT_MAX - 1);
	for (i = 0; i < memory->n; i++) {
		buf_addf(&out, "%s%s is to be ", i ? "; " : "",
			policy->slos[memory->slo[i].slo].name);
		aim_add(&out, policy, r, &memory->slo[i]);
	}
	text_set(text, ROLLOUT_TEXT_MAX, out.data);
	buf_fini(&out);
	return text;
}
