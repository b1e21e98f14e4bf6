/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about evidence; see evidence_text.h. */
#include "engine/evidence_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "engine/evidence_plan.h"
#include "engine/turn.h"

#define SHARE_TEXT_MAX 32
#define COUNT_TEXT_MAX 64
#define ARM_TEXT_MAX   160
#define ODDS_MAX       1e6 /* rarer is said to be rarer */

/* ---- numbers ---- */

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
static const char *count_print(double count, char text[COUNT_TEXT_MAX])
{
	char digits[32];
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

/* To one digit, or two when it begins with a small one: nobody knows more. */
static double about(double count)
{
	double unit = 1;

	if (count < 10)
		return ceil(count);
	while (unit * 10 <= count)
		unit *= 10;
	return count < 5 * unit ? round(count / unit * 10) * unit / 10
				: round(count / unit) * unit;
}

/* "candidate 1.2 % (36 of 3,004)" */
static void arm_print(
	const char *name, const struct request_sum *t, char text[ARM_TEXT_MAX])
{
	char share[SHARE_TEXT_MAX], bad[COUNT_TEXT_MAX], all[COUNT_TEXT_MAX];

	if (t->n <= 0) {
		snprintf(text, ARM_TEXT_MAX, "%s has no requests", name);
		return;
	}
	snprintf(text, ARM_TEXT_MAX, "%s %s (%s of %s)", name,
		part_print(share_of(t), share), count_print(t->x, bad),
		count_print(t->n, all));
}

static const char *take(char *text, size_t size, struct buf *from)
{
	text_set(text, size, from->data);
	buf_fini(from);
	return text;
}

/* ---- against the candidate ---- */

/* "1 of 310 rollouts" */
static void add_odds(struct buf *out, const struct evidence_memory *memory)
{
	char odds[COUNT_TEXT_MAX];
	double log_e = memory->result.log_e, most = log(ODDS_MAX);

	buf_addf(out,
		"; a candidate as good as stable shows this in %s1 of %s "
		"rollouts (limit: 1 of %.0f)",
		log_e > most ? "less than " : "",
		count_print(exp(fmin(log_e, most)), odds),
		1 / memory->rules.alpha);
}

static void add_compared(struct buf *out, const struct evidence_arms *arms)
{
	char stable[ARM_TEXT_MAX];

	if (arms->stable.n <= 0) {
		buf_adds(out, ", stable has no requests to compare with");
		return;
	}
	arm_print("stable", &arms->stable, stable);
	buf_addf(out, ", %s", stable);
	if (share_of(&arms->stable) > 0)
		buf_addf(out, ", %.2g times as many",
			share_of(&arms->candidate) / share_of(&arms->stable));
}

/* Beside what stable has shown to be normal. */
static void add_level(struct buf *out, const struct evidence_memory *memory,
	const struct evidence_slo *slo, const struct evidence_arms *arms)
{
	char stable[ARM_TEXT_MAX], normal[SHARE_TEXT_MAX];

	arm_print("stable", &arms->stable, stable);
	if (!memory->state.none && arms->stable.n > 0)
		buf_addf(out, ", %s", stable);
	buf_addf(out, ", more than is normal (%s)",
		part_print(objective_normal(&slo->objective, &memory->rules,
				   &slo->spec, 0),
			normal));
}

static void add_bound(struct buf *out, const struct slo *slo)
{
	char text[DURATION_TEXT_MAX];

	buf_adds(out, duration_print((int64_t)round(slo->bound * 1000), text));
}

static void add_shift(struct buf *out, const struct slo *policy_slo,
	const struct evidence_slo *slo, const struct evidence_arms *arms)
{
	char candidate[SHARE_TEXT_MAX], stable[SHARE_TEXT_MAX];

	buf_addf(out, "slower: %s of the candidate's requests take more than ",
		part_print(share_of(&arms->candidate), candidate));
	add_bound(out, policy_slo);
	buf_addf(out,
		", stable %s; its whole distribution is shifted by about "
		"+%.0f %%",
		part_print(share_of(&arms->stable), stable),
		100 * (objective_shift(&slo->objective) - 1));
}

const char *evidence_print_breach(const struct policy *policy,
	const struct evidence_memory *memory, const struct evidence_slo *slo,
	enum evidence_decision decision, char text[ROLLOUT_TEXT_MAX])
{
	struct evidence_arms arms = evidence_recent(slo);
	enum evidence_test test = objective_heaviest(&slo->spec, &slo->numbers);
	char candidate[ARM_TEXT_MAX];
	struct buf out;

	buf_init(&out, ROLLOUT_TEXT_MAX - 1);
	buf_addf(&out, "%s: ", policy->slos[slo->slo].name);
	arm_print("candidate", &arms.candidate, candidate);
	if (test == TEST_SHAPE)
		add_shift(&out, &policy->slos[slo->slo], slo, &arms);
	else
		buf_adds(&out, candidate);
	if (test == TEST_RATIO)
		add_compared(&out, &arms);
	if (test == TEST_LEVEL)
		add_level(&out, memory, slo, &arms);
	if (decision == EVIDENCE_STEP_BACK)
		buf_addf(&out,
			"; there is nothing to compare with: back to %d %% to "
			"ask stable; if stable has it too, the rollout goes "
			"on by itself",
			policy->steps[0].percent);
	else
		add_odds(&out, memory);
	return take(text, ROLLOUT_TEXT_MAX, &out);
}

/* ---- a step ---- */

/* "below 1 %, and not twice stable's" */
static void add_aim(struct buf *out, const struct policy *policy,
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
			policy->steps[r->evidence->step + 1].percent);
}

static void add_aims(struct buf *out, const struct policy *policy,
	const struct rollout *r, const char *verb)
{
	const struct evidence_memory *memory = r->evidence;
	size_t i;

	for (i = 0; i < memory->n; i++) {
		buf_addf(out, "%s%s %s ", i ? "; " : "",
			policy->slos[memory->slo[i].slo].name, verb);
		add_aim(out, policy, r, &memory->slo[i]);
	}
}

const char *evidence_print_aim(const struct policy *policy,
	const struct rollout *r, char text[ROLLOUT_TEXT_MAX])
{
	struct buf out;

	buf_init(&out, ROLLOUT_TEXT_MAX - 1);
	add_aims(&out, policy, r, "is to be");
	return take(text, ROLLOUT_TEXT_MAX, &out);
}

const char *evidence_print_passed(const struct policy *policy,
	const struct rollout *r, int64_t now_ms, char text[ROLLOUT_TEXT_MAX])
{
	const struct evidence_memory *memory = r->evidence;
	char after[DURATION_TEXT_MAX];
	struct buf out;

	buf_init(&out, ROLLOUT_TEXT_MAX - 1);
	buf_addf(&out, "after %s: ",
		duration_print(
			(now_ms - r->bake_from_ms) / 1000 * 1000, after));
	if (memory->result.decision == EVIDENCE_PASS) {
		add_aims(&out, policy, r, "is");
		buf_addf(&out, " (%.0f %% sure)",
			100 * (1 - memory->rules.beta));
	} else {
		buf_adds(&out, "its time is over, and there is no evidence "
			       "against the candidate");
	}
	return take(text, ROLLOUT_TEXT_MAX, &out);
}

/* ---- what is missing ---- */

/* "waiting: stable has errors itself (1.4 %, normal 0.1 %)" */
static void add_uneasy(struct buf *out, const struct evidence_memory *memory,
	const struct evidence_slo *slo)
{
	const struct evidence_objective *o = &slo->objective;
	char now[SHARE_TEXT_MAX], normal[SHARE_TEXT_MAX];

	buf_addf(out,
		"waiting: stable %s itself (%s, normal %s); no step to a share "
		"without a control before it is calm",
		slo->spec.latency ? "is slow" : "has errors",
		part_print(share_of(&o->stable), now),
		part_print(objective_normal(o, &memory->rules, &slo->spec, 0),
			normal));
}

const char *evidence_print_uneasy(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX])
{
	struct buf out;

	buf_init(&out, ROLLOUT_TEXT_MAX - 1);
	add_uneasy(&out, memory, slo);
	return take(text, ROLLOUT_TEXT_MAX, &out);
}

/* "some evidence against the candidate: candidate 0.4 % (12 of 3,000), …" */
const char *evidence_print_doubt(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX])
{
	char state[CHECK_TEXT_MAX];

	text_put(text, ROLLOUT_TEXT_MAX,
		"some evidence against the candidate: %s",
		evidence_print_state(memory, slo, state));
	return text;
}

/* "the candidate had 64 requests in this step, 100 are needed to tell" */
const char *evidence_print_few(const struct slo *policy_slo,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX])
{
	double seen = slo->step.candidate.n;
	char n[COUNT_TEXT_MAX], needed[COUNT_TEXT_MAX];

	text_put(text, ROLLOUT_TEXT_MAX,
		"the candidate had %s request%s in this step, %s are needed to "
		"tell (min_requests)",
		count_print(seen, n), seen == 1 ? "" : "s",
		count_print(policy_slo->requests_needed, needed));
	return text;
}

/* A step as it goes on, at the rate at which requests came so far. */
static struct plan_step plan_of(const struct evidence_memory *memory,
	const struct evidence_slo *slo, double base)
{
	const struct evidence_objective *o = &slo->objective;
	double s = slo->checks * evidence_check_s(&memory->rules, &slo->spec);

	return (struct plan_step){
		.rate = s > 0 && o->share > 0
				? slo->step.candidate.n / s / o->share
				: 0,
		.base = base,
		.share = o->share,
		.objectives = memory->n,
		.history = o->learned,
	};
}

/* The share that stable shows; of one that shows nothing bad, less than that. */
static double base_of(const struct evidence_objective *o)
{
	return o->learned.n > 0 ? fmax(o->learned.x, 0.5) / o->learned.n : 0;
}

/* "; telling 1 % from 0.1 % takes about 900 more, 30 min at this rate" */
static void add_needed(struct buf *out, const struct evidence_memory *memory,
	const struct evidence_slo *slo)
{
	double base = base_of(&slo->objective);
	double bad = fmax(
		slo->objective.limit_level, memory->rules.pass_ratio * base);
	struct plan_step plan = plan_of(memory, slo, base);
	char share[SHARE_TEXT_MAX], usual[SHARE_TEXT_MAX], n[COUNT_TEXT_MAX];
	double each_s = plan.rate * plan.share, more;
	struct plan_times times;

	if (base <= 0 || each_s <= 0)
		return;
	plan_find(&plan, &memory->rules, &slo->spec, bad / base, &times);
	more = times.most_s * each_s - slo->step.candidate.n;
	if (more <= 0 || isinf(more))
		return;
	buf_addf(out, "; telling %s from %s takes about %s more, ",
		part_print(bad, share), part_print(base, usual),
		count_print(about(more), n));
	if (more / each_s < 90)
		buf_addf(out, "%.0f s", more / each_s);
	else
		buf_addf(out, "%.0f min", more / each_s / 60);
	buf_adds(out, " at this rate");
}

static void add_undecided(struct buf *out, const struct evidence_memory *memory,
	const struct evidence_slo *slo)
{
	const struct request_sum *seen = &slo->step.candidate;
	char n[COUNT_TEXT_MAX], bad[COUNT_TEXT_MAX];

	buf_addf(out, "undecided: %s request%s and %s %s%s",
		count_print(seen->n, n), seen->n == 1 ? "" : "s",
		count_print(seen->x, bad),
		slo->spec.latency ? "slow one" : "error",
		seen->x == 1 ? "" : "s");
	add_needed(out, memory, slo);
}

const char *evidence_print_missing(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX])
{
	const struct evidence_numbers *now = &slo->numbers;
	char meters[EVIDENCE_METER_MAX];
	struct buf out;

	if (memory->result.decision == EVIDENCE_PASS)
		return NULL;
	buf_init(&out, ROLLOUT_TEXT_MAX - 1);
	if (now->log_e >= memory->rules.suspicion || memory->state.failed)
		buf_addf(&out, "some evidence against the candidate: %s",
			evidence_print_meters(memory, slo, meters));
	else if (!now->calm && memory->state.final && !memory->state.none)
		add_uneasy(&out, memory, slo);
	else if (now->log_pass < -log(memory->rules.beta))
		add_undecided(&out, memory, slo);
	if (!out.len) {
		buf_fini(&out);
		return NULL;
	}
	return take(text, ROLLOUT_TEXT_MAX, &out);
}

/* ---- meters ---- */

struct evidence_meter evidence_against(
	const struct evidence_memory *memory, const struct evidence_slo *slo)
{
	return (struct evidence_meter){fmax(0, slo->numbers.log_e),
		log((double)memory->n / memory->rules.alpha)};
}

struct evidence_meter evidence_for(
	const struct evidence_memory *memory, const struct evidence_slo *slo)
{
	return (struct evidence_meter){
		fmax(0, slo->numbers.log_pass), -log(memory->rules.beta)};
}

static const char *print_meters(const struct evidence_memory *memory,
	const struct evidence_slo *slo, const struct evidence_numbers *now,
	char text[EVIDENCE_METER_MAX])
{
	snprintf(text, EVIDENCE_METER_MAX,
		"against %.1f of %.1f, for %.1f of %.1f", fmax(0, now->log_e),
		evidence_against(memory, slo).full, fmax(0, now->log_pass),
		evidence_for(memory, slo).full);
	return text;
}

const char *evidence_print_meters(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[EVIDENCE_METER_MAX])
{
	return print_meters(memory, slo, &slo->numbers, text);
}

const char *evidence_print_state(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[CHECK_TEXT_MAX])
{
	return evidence_print_check(memory, slo, &slo->numbers, text);
}

const char *evidence_print_check(const struct evidence_memory *memory,
	const struct evidence_slo *slo, const struct evidence_numbers *numbers,
	char text[CHECK_TEXT_MAX])
{
	struct evidence_arms arms = evidence_recent(slo);
	char meters[EVIDENCE_METER_MAX], one[ARM_TEXT_MAX], two[ARM_TEXT_MAX];
	char whole[sizeof(meters) + sizeof(one) + sizeof(two) + 8];

	arm_print("candidate", &arms.candidate, one);
	arm_print("stable", &arms.stable, two);
	snprintf(whole, sizeof(whole), "%s, %s; %s", one, two,
		print_meters(memory, slo, numbers, meters));
	text_set(text, CHECK_TEXT_MAX, whole);
	return text;
}
