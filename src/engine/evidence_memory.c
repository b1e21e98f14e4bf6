/* SPDX-License-Identifier: Apache-2.0 */
/* What a rollout knows of its evidence; see evidence_memory.h. */
#include "engine/evidence_memory.h"

#include <math.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/evidence_plan.h"

#define RATIO_TOLERANCE 1.1
#define TAIL_TOLERANCE  1.25
#define FEW_REQUESTS    100
#define CS_MS           10
#define LATE_CS         100 /* answers come a little late */
#define MARGIN          1e-9 /* far more than rounding takes */

/* Of a latency with so many buckets: two each, and their bounds. */
#define LATENCY_BINS(buckets) (3 * (size_t)(buckets)-1)

_Static_assert(sizeof(struct evidence_slo) + LATENCY_BINS(EVIDENCE_BINS_MAX) *
						     sizeof(double) <=
		       2048,
	"what a rollout keeps of an SLO stays within 2 KiB");

static size_t count_slos(const struct policy *policy)
{
	size_t i, n = 0;

	for (i = 0; i < policy->n_slos; i++)
		n += policy->slos[i].kind == SLO_EVIDENCE;
	return n;
}

static int64_t longest_interval_ms(const struct policy *policy)
{
	int64_t most = 0;
	size_t i;

	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind == SLO_EVIDENCE &&
			policy->slos[i].interval_ms > most)
			most = policy->slos[i].interval_ms;
	}
	return most;
}

static void specify(struct evidence_slo *s, const struct evidence_rules *rules,
	const struct slo *slo)
{
	struct evidence_spec *spec = &s->spec;

	spec->objective = slo->objective;
	spec->check_s = (double)slo->interval_ms / 1000;
	spec->latency = slo->buckets != NULL;
	spec->bins = spec->latency ? 0 : 2;
	spec->tolerance = spec->latency ? TAIL_TOLERANCE : RATIO_TOLERANCE;
	if (slo->tolerance >= 0)
		spec->tolerance = slo->tolerance;
	spec->floor = slo->floor >= 0 ? slo->floor
				      : rules->floor_share * slo->objective;
}

size_t evidence_bound(const double *bounds, size_t bins, double bound)
{
	size_t b = 0;

	while (b + 2 < bins && bounds[b] < bound)
		b++;
	return b;
}

static const struct slo_history *find_history(
	const struct slo_history *histories, size_t n, size_t slo)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (histories[i].slo == (int)slo)
			return &histories[i];
	}
	return NULL;
}

/* How many doubles an SLO's bins are, or may become when they are not known. */
static size_t bins_of(const struct slo *slo, const struct slo_history *history)
{
	if (!slo->buckets)
		return 2;
	return LATENCY_BINS(
		history && history->bins ? history->bins : EVIDENCE_BINS_MAX);
}

static size_t bins_of_all(const struct policy *policy,
	const struct slo_history *histories, size_t n)
{
	size_t i, sum = 0;

	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind == SLO_EVIDENCE)
			sum += bins_of(&policy->slos[i],
				find_history(histories, n, i));
	}
	return sum;
}

static void set_bounds(struct evidence_slo *s, const struct slo *slo,
	const double *bounds, size_t bins)
{
	s->spec.bins = bins;
	/* The last bucket has no bound. */
	memcpy(evidence_bounds(s), bounds, (bins - 1) * sizeof(bounds[0]));
	s->spec.bound = evidence_bound(bounds, bins, slo->bound_le);
}

static void add_slo(struct evidence_memory *m, const struct policy *policy,
	int slo, const struct slo_history *history, double *bins)
{
	const struct dispersion unknown = {
		DISPERSION_UNKNOWN, DISPERSION_UNKNOWN, DISPERSION_UNKNOWN};
	struct evidence_slo *s = &m->slo[m->n++];
	struct request_sum none = {0, 0};

	s->slo = slo;
	specify(s, &m->rules, &policy->slos[slo]);
	dispersion_apply(history ? &history->dispersion : &unknown, &s->spec);
	s->objective.bins = bins;
	if (history && s->spec.latency && history->bins)
		set_bounds(
			s, &policy->slos[slo], history->bounds, history->bins);
	if (history && history->seconds > 0)
		s->rate = history->past.n / history->seconds;
	objective_init(&s->objective, &s->spec, bins,
		history ? history->past : none,
		history && s->spec.latency ? history->histogram : NULL);
}

struct evidence_memory *evidence_memory_new(const struct policy *policy,
	const struct slo_history *histories, size_t n)
{
	const struct slo_history *history;
	struct evidence_memory *m;
	size_t i, n_slos = count_slos(policy);
	double *bins;

	if (!n_slos)
		return NULL;
	m = xcalloc(
		1, sizeof(*m) + n_slos * sizeof(m->slo[0]) +
			   bins_of_all(policy, histories, n) * sizeof(double));
	bins = (double *)&m->slo[n_slos];
	m->rules = evidence_defaults;
	m->rules.alpha = policy->evidence.alpha;
	m->rules.check_s = (double)longest_interval_ms(policy) / 1000;
	/* There is nothing to step back to without a step with a control. */
	m->rules.step_back =
		policy->evidence.without_control == WITHOUT_STEP_BACK &&
		policy->steps[0].percent <= POLICY_CONTROL_PERCENT_MAX;
	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind != SLO_EVIDENCE)
			continue;
		history = find_history(histories, n, i);
		add_slo(m, policy, (int)i, history, bins);
		bins += bins_of(&policy->slos[i], history);
	}
	evidence_bet_rules(&m->rules, m->n, &m->bets);
	m->limits = evidence_limits(&m->rules);
	evidence_memory_climb_again(m);
	return m;
}

struct evidence_slo *evidence_find(struct evidence_memory *memory, int slo)
{
	size_t i = (size_t)slo;

	if (!memory)
		return NULL;
	/* It is there when all before it are of this kind. */
	if (i < memory->n && memory->slo[i].slo == slo)
		return &memory->slo[i];
	for (i = 0; i < memory->n; i++) {
		if (memory->slo[i].slo == slo)
			return &memory->slo[i];
	}
	return NULL;
}

/* Requests per second: the history's, or those of late if they are more. */
static double rate_of(
	const struct evidence_slo *s, const struct evidence_rules *rules)
{
	const struct evidence_objective *o = &s->objective;
	double kept = 1 - exp(-rules->check_s / rules->recent_s);
	double recent = (o->candidate.n + o->stable.n) * kept /
			evidence_check_s(rules, &s->spec);

	return fmax(s->rate, recent);
}

/* What was decided before is over. */
static void weigh(struct evidence_memory *memory)
{
	struct evidence_numbers numbers[POLICY_SLOS_MAX];
	size_t i;

	for (i = 0; i < memory->n; i++)
		numbers[i] = memory->slo[i].numbers;
	evidence_combine(numbers, memory->n, &memory->result);
	memory->is_untold = false;
}

void evidence_memory_tell(struct evidence_memory *memory)
{
	enum evidence_decision decision = memory->result.decision;
	struct evidence_slo *s;

	if (!memory->is_untold)
		return;
	for (s = memory->slo; s < memory->slo + memory->n; s++) {
		if (s->is_untold)
			objective_numbers(&s->objective, &memory->rules,
				&s->spec, &s->numbers);
		s->is_untold = false;
	}
	weigh(memory);
	memory->result.decision = decision;
}

bool evidence_is_against(
	const struct evidence_memory *memory, const struct evidence_slo *slo)
{
	struct evidence_numbers numbers = slo->numbers;

	if (slo->is_untold && slo->e > 0)
		return slo->e > 1;
	if (slo->is_untold)
		objective_numbers(
			&slo->objective, &memory->rules, &slo->spec, &numbers);
	return numbers.log_e > 0;
}

static void begin_slo(struct evidence_slo *s,
	const struct evidence_rules *rules, double share, double limit,
	bool final)
{
	s->limit = limit;
	s->step = (struct evidence_arms){{0, 0}, {0, 0}};
	s->checks = 0;
	objective_begin_step(
		&s->objective, rules, &s->spec, share, limit, final);
	/* Another SLO may be decided about before this one is asked again. */
	objective_numbers(&s->objective, rules, &s->spec, &s->numbers);
	s->is_untold = false;
	s->e = objective_e(&s->objective, &s->spec);
}

void evidence_memory_begin_step(struct evidence_memory *memory,
	const struct policy *policy, size_t step)
{
	double share = policy->steps[step].percent / 100.0, next = 1, limit;
	struct plan_step plan = {
		.late_s = (double)policy->metrics.delay_ms / 1000};
	bool final = step + 1 == policy->n_steps;
	size_t i;

	memory->step = step;
	if (!final)
		next = policy->steps[step + 1].percent / 100.0;
	final = final || next > memory->rules.no_control;
	evidence_begin_step(&memory->state, &memory->rules, share, final);
	for (i = 0; i < memory->n; i++) {
		plan.rate = rate_of(&memory->slo[i], &memory->rules);
		/* Of a rate that is not known, only the objective is safe. */
		limit = 0;
		if (plan.rate > 0)
			limit = plan_limit(&plan, &memory->rules,
				&memory->slo[i].spec, next,
				policy->evidence.harm);
		begin_slo(&memory->slo[i], &memory->rules, share, limit, final);
	}
	weigh(memory);
}

void evidence_memory_climb_again(struct evidence_memory *memory)
{
	size_t i;

	memory->climbs++;
	evidence_begin_step(&memory->state, &memory->rules, 0, true);
	for (i = 0; i < memory->n; i++) {
		objective_climb_again(&memory->slo[i].objective);
		begin_slo(&memory->slo[i], &memory->rules, 0, 0, true);
	}
	weigh(memory);
}

bool evidence_counts_fit(
	const struct evidence_slo *slo, const struct check_counts *counts)
{
	size_t i;

	if (!slo->spec.latency)
		return counts->bins == 2;
	if (!slo->spec.bins)
		return counts->bins >= 2 && counts->bins <= EVIDENCE_BINS_MAX;
	if (counts->bins != slo->spec.bins)
		return false;
	for (i = 0; i + 1 < counts->bins; i++) {
		if (counts->bounds[i] != evidence_bounds(slo)[i])
			return false;
	}
	return true;
}

static void arms_add(
	struct evidence_arms *sum, const struct evidence_arms *more)
{
	sum->candidate.n += more->candidate.n;
	sum->candidate.x += more->candidate.x;
	sum->stable.n += more->stable.n;
	sum->stable.x += more->stable.x;
}

/* How long a part of what came of late may take, so that all parts together
 * reach far enough back: a whole number of checks. */
static int64_t part_cs(int64_t interval_ms)
{
	int64_t checks = EVIDENCE_RECENT_MS / interval_ms - 1, each;

	each = (checks + EVIDENCE_RECENT - 2) / (EVIDENCE_RECENT - 1);
	return (each > 1 ? each : 1) * interval_ms / CS_MS + LATE_CS / 2;
}

/* What was the latest check joins the part before it, or becomes one. */
static void recent_take(struct evidence_slo *s,
	const struct evidence_arms *arms, int64_t took_cs, int64_t interval_ms)
{
	if (s->recent_cs[0] + s->recent_cs[1] <= part_cs(interval_ms)) {
		arms_add(&s->recent[1], &s->recent[0]);
		s->recent_cs[1] = (uint16_t)(s->recent_cs[1] + s->recent_cs[0]);
	} else {
		memmove(s->recent + 1, s->recent,
			(EVIDENCE_RECENT - 1) * sizeof(s->recent[0]));
		memmove(s->recent_cs + 1, s->recent_cs,
			(EVIDENCE_RECENT - 1) * sizeof(s->recent_cs[0]));
	}
	s->recent[0] = *arms;
	s->recent_cs[0] =
		(uint16_t)(took_cs < UINT16_MAX ? took_cs : UINT16_MAX);
}

static void remember(struct evidence_slo *s, const struct evidence_arms *arms,
	int64_t at_ms, int64_t interval_ms)
{
	int64_t took_ms = s->counted_ms && at_ms > s->counted_ms
				  ? at_ms - s->counted_ms
				  : 0;

	recent_take(s, arms, took_ms / CS_MS, interval_ms);
	s->counted_ms = at_ms;
	arms_add(&s->step, arms);
}

static unsigned most_checks(const struct evidence_memory *memory)
{
	unsigned most = 0;
	size_t i;

	for (i = 0; i < memory->n; i++) {
		if (memory->slo[i].checks > most)
			most = memory->slo[i].checks;
	}
	return most;
}

void evidence_memory_take(struct evidence_memory *memory,
	const struct policy *policy, struct evidence_slo *slo,
	const struct check_counts *counts, int64_t at_ms)
{
	struct evidence_arms arms;

	if (!slo->spec.bins)
		set_bounds(slo, &policy->slos[slo->slo], counts->bounds,
			counts->bins);
	arms = objective_check(&slo->objective, &memory->rules, &slo->spec,
		&memory->bets, &counts->candidate, &counts->stable);
	slo->is_untold = memory->is_untold = true;
	slo->e = objective_e(&slo->objective, &slo->spec);
	memory->result.decision = EVIDENCE_CONTINUE;
	remember(slo, &arms, at_ms, policy->slos[slo->slo].interval_ms);
	slo->checks += counts->candidate.known;
	memory->state.checks = most_checks(memory);
}

/* ---- what they show together ---- */

enum sight { SEEN_NO, SEEN_YES, NOT_SEEN };

/* Whether all logarithms of passing are above the limit. */
static enum sight see_pass(const struct evidence_memory *m)
{
	bool needs_calm = m->state.final && !m->state.none;
	enum sight sight = SEEN_YES;
	const struct evidence_slo *s;
	struct objective_bounds b;

	for (s = m->slo; s < m->slo + m->n; s++) {
		b = objective_pass_bounds(&s->objective);
		if (b.most < m->limits.pass - MARGIN)
			return SEEN_NO;
		if (!(b.least > m->limits.pass + MARGIN))
			sight = NOT_SEEN;
	}
	for (s = m->slo; needs_calm && s < m->slo + m->n; s++) {
		if (!objective_is_calm(&s->objective, &m->rules, &s->spec))
			return SEEN_NO;
	}
	return sight;
}

/* The mean of all evidence; 0: it may be no number. */
static double mean_e(const struct evidence_memory *m)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (!(m->slo[i].e > 0))
			return 0;
		sum += m->slo[i].e;
	}
	return sum / (double)m->n;
}

/* Decides as evidence_decide does where no logarithm is near a limit, as it
 * mostly is. False: it has to be looked at. */
static bool decide_at_sight(struct evidence_memory *m)
{
	double e;

	if (!m->is_untold || m->state.failed)
		return false;
	e = mean_e(m);
	if (!(e > 0) || !(e < m->limits.cross * (1 - MARGIN)))
		return false;
	m->result.decision = EVIDENCE_CONTINUE;
	if (e > m->limits.suspicion * (1 + MARGIN) ||
		m->state.checks * m->rules.check_s < m->rules.dwell_s)
		return true;
	switch (see_pass(m)) {
	case SEEN_NO:
		return true;
	case SEEN_YES:
		m->result.decision = EVIDENCE_PASS;
		return e < m->limits.suspicion * (1 - MARGIN);
	default:
		return false;
	}
}

enum evidence_decision evidence_memory_decide(struct evidence_memory *memory)
{
	if (decide_at_sight(memory))
		return memory->result.decision;
	evidence_memory_tell(memory);
	evidence_decide(&memory->state, &memory->rules, &memory->result);
	return memory->result.decision;
}

struct evidence_arms evidence_recent(const struct evidence_slo *slo)
{
	struct evidence_arms sum = slo->recent[0];
	int64_t cs = slo->recent_cs[0];
	size_t i;

	for (i = 1; i < EVIDENCE_RECENT; i++) {
		cs += slo->recent_cs[i];
		if (cs > EVIDENCE_RECENT_MS / CS_MS + LATE_CS)
			break;
		arms_add(&sum, &slo->recent[i]);
	}
	return sum.candidate.n < FEW_REQUESTS ? slo->step : sum;
}

double evidence_share(const struct evidence_slo *slo)
{
	struct request_sum seen = evidence_recent(slo).candidate;

	return seen.n > 0 ? seen.x / seen.n : NAN;
}

const struct evidence_slo *evidence_heaviest(
	const struct evidence_memory *memory)
{
	const struct evidence_slo *most = &memory->slo[0];
	size_t i;

	for (i = 1; i < memory->n; i++) {
		if (memory->slo[i].numbers.log_e > most->numbers.log_e)
			most = &memory->slo[i];
	}
	return most;
}
