/* SPDX-License-Identifier: Apache-2.0 */
/* SLOs as people see them; see summary_parts.h. */
#include <math.h>
#include <string.h>

#include "policy/unit.h"
#include "status/summary_parts.h"

const char *slo_verdict_name(enum slo_verdict verdict)
{
	static const char *const names[SLO_VERDICTS] = {
		[SLO_UNDECIDED] = "undecided",
		[SLO_PASSES] = "pass",
		[SLO_BREACHES] = "breach",
		[SLO_NO_DATA] = "no data",
		[SLO_ERROR] = "error",
	};

	return names[verdict];
}

/* What another process saw, or was seen before the clock was set, says nothing
 * about now. */
static bool is_stale(const struct check_state *check)
{
	return check->last_ms && !check->latest_ms;
}

static enum slo_verdict verdict_of(
	const struct check_state *check, bool is_over)
{
	if (check->failed)
		return SLO_BREACHES;
	if (is_stale(check) && !is_over)
		return SLO_UNDECIDED;
	switch (check->outcome) {
	case OUTCOME_PASS:
		return SLO_PASSES;
	case OUTCOME_BREACH:
		return SLO_BREACHES;
	case OUTCOME_NO_DATA:
		return SLO_NO_DATA;
	case OUTCOME_ERROR:
		return SLO_ERROR;
	case OUTCOME_NONE:
		break;
	}
	return SLO_UNDECIDED;
}

/* ---- values ---- */

static const char *value_text(
	const struct making *m, const struct slo *slo, double value)
{
	char text[UNIT_TEXT_MAX];

	return arena_strdup(m->arena, unit_print(slo, value, text));
}

static const char *given_text(
	const struct making *m, const struct slo *slo, double value)
{
	char text[UNIT_TEXT_MAX];

	return arena_strdup(m->arena, unit_print_given(slo, value, text));
}

/* Before the first check: what the policy says by itself. */
static double first_limit(const struct slo *slo)
{
	if (slo->has_max)
		return slo->max;
	if (slo->has_min)
		return slo->min;
	return slo->has_critical ? slo->critical : NAN;
}

static void make_counted(struct making *m, struct summary_slo *s,
	const struct slo *slo, const struct evidence_slo *counted)
{
	const struct evidence_memory *memory = m->r->evidence;
	char text[CHECK_TEXT_MAX], meters[EVIDENCE_METER_MAX];

	s->counts = true;
	s->arms = evidence_recent(counted);
	s->value = evidence_share(counted);
	s->limit = counted->spec.objective;
	s->stable = s->arms.stable.n > 0 ? s->arms.stable.x / s->arms.stable.n
					 : NAN;
	s->against = evidence_against(memory, counted);
	s->in_favour = evidence_for(memory, counted);
	s->meters_text = arena_strdup(
		m->arena, evidence_print_meters(memory, counted, meters));
	s->limit_text = given_text(m, slo, s->limit);
	if (s->verdict == SLO_PASSES || s->verdict == SLO_BREACHES)
		s->reason = arena_strdup(
			m->arena, evidence_print_state(memory, counted, text));
	/* That it was counted is no pass. */
	if (s->verdict == SLO_PASSES &&
		memory->result.decision != EVIDENCE_PASS)
		s->verdict = SLO_UNDECIDED;
}

static void make_compared(struct making *m, struct summary_slo *s,
	const struct slo *slo, const struct check_state *check)
{
	const struct judgement *latest = &check->latest;
	bool asked = check->last_ms != 0;
	double limit = isnan(check->limit) ? first_limit(slo) : check->limit;
	bool computed =
		latest->by == LIMIT_RATIO || latest->by == LIMIT_INCREASE;

	s->value = check->value;
	s->limit = limit;
	s->stable = asked ? latest->baseline : NAN;
	s->limit_text = computed && !isnan(check->limit)
				? value_text(m, slo, limit)
				: given_text(m, slo, limit);
}

/* ---- reasons ---- */

static const char *say_outcome(const struct making *m, const struct slo *slo,
	const struct check_state *check)
{
	char text[CHECK_TEXT_MAX];

	if (!check->last_ms)
		return "not checked yet";
	if (is_stale(check) && !check->failed && !phase_is_end(m->r->phase))
		return "is asked anew";
	return arena_strdup(
		m->arena, judgement_print(slo, &check->latest, text));
}

static const char *add_count(
	const struct making *m, const struct summary_slo *s, const char *text)
{
	if (s->counts || !s->breaches)
		return text;
	return arena_printf(m->arena, "%s (%d of the last %d; %d of %d fail)",
		text, s->breaches, s->fail_of, s->fail_breaches, s->fail_of);
}

static const char *say_short(const struct making *m,
	const struct summary_slo *s, const struct check_state *check)
{
	const struct judgement *j = &check->latest;
	char requests[UNIT_TEXT_MAX], least[UNIT_TEXT_MAX];

	if (s->failed)
		return "failed";
	if (s->verdict == SLO_BREACHES && !s->counts)
		return arena_printf(m->arena, "breach: %d of %d", s->breaches,
			s->fail_breaches);
	if (s->verdict != SLO_NO_DATA)
		return slo_verdict_name(s->verdict);
	if (!isnan(j->requests))
		return arena_printf(m->arena, "no data: %s of %s requests",
			unit_print_count(j->requests, requests),
			unit_print_count(j->requests_min, least));
	return j->why ? arena_printf(m->arena, "no data: %s", j->why)
		      : "no data";
}

static const char *say_passes(
	const struct making *m, const struct summary_slo *s)
{
	if (phase_is_end(m->r->phase))
		return "";
	if (s->counts)
		return s->meters_text;
	return arena_printf(m->arena, "%d of %d", s->passes, s->min_passes);
}

static void make_slo(struct making *m, struct summary_slo *s, size_t i)
{
	const struct slo *slo = &m->policy->slos[i];
	const struct check_state *check = &m->r->check[i];
	const struct evidence_slo *counted =
		evidence_find(m->r->evidence, (int)i);
	char missing[ROLLOUT_MISS_MAX];

	s->name = slo->name;
	s->unit = unit_name(slo);
	s->verdict = verdict_of(check, phase_is_end(m->r->phase));
	s->passes = rollout_passes(m->r, i);
	s->min_passes = slo->min_passes;
	s->breaches = __builtin_popcountll(check->breaches);
	s->fail_breaches = slo->fail_breaches;
	s->fail_of = slo->fail_of;
	s->failed = check->failed;
	s->partial = check->partial;
	s->checked_ms = check->last_ms;
	s->next_ms = check->asked_ms ? check->asked_ms : check->due_ms;
	if (!m->r->checking || phase_is_end(m->r->phase) ||
		s->next_ms == INT64_MAX)
		s->next_ms = 0;
	s->reason = say_outcome(m, slo, check);
	if (counted)
		make_counted(m, s, slo, counted);
	else
		make_compared(m, s, slo, check);
	s->passes_text = say_passes(m, s);
	s->value_text = value_text(m, slo, s->value);
	s->stable_text = value_text(m, slo, s->stable);
	s->says = say_short(m, s, check);
	s->reason = add_count(m, s, s->reason);
	if (m->r->checking && !phase_is_end(m->r->phase) &&
		rollout_misses(m->policy, m->r, i, m->from->now_ms, missing))
		s->missing = arena_strdup(m->arena, missing);
}

/* A query as one line: what it is indented by says nothing. */
static const char *one_line(const struct making *m, const char *text)
{
	static const char blanks[] = " \t\r\n";
	struct buf out;
	size_t len;

	buf_init(&out, SENTENCE_MAX);
	for (text += strspn(text, blanks); *text; text += len) {
		len = strcspn(text, blanks);
		buf_addf(&out, "%s%.*s", out.len ? " " : "", (int)len, text);
		len += strspn(text + len, blanks);
	}
	return keep(m, &out);
}

static void look_back(struct making *m, struct summary_slo *s, size_t i)
{
	struct past_check *last;

	if (!m->from->lookback)
		return;
	last = arena_alloc(m->arena, LOOKBACK_CHECKS * sizeof(*last));
	s->n_last = lookback_checks(m->from->lookback, i, last);
	s->last = last;
	s->query = one_line(m, lookback_query(m->from->lookback, i));
}

void make_slos(struct making *m)
{
	size_t n = m->policy->n_slos, i;
	struct summary_slo *slos = arena_alloc(m->arena, n * sizeof(*slos));

	for (i = 0; i < n; i++) {
		make_slo(m, &slos[i], i);
		look_back(m, &slos[i], i);
		m->s->n_passing += slos[i].verdict == SLO_PASSES;
	}
	m->s->slos = slos;
	m->s->n_slos = n;
}

/* ---- together ---- */

static bool is_told(const struct summary_slo *s)
{
	return s->verdict != SLO_PASSES;
}

/* Evidence that is not there yet is no failure. */
static size_t count_undecided(const struct summary *s)
{
	size_t n = 0, i;

	for (i = 0; i < s->n_slos; i++)
		n += s->slos[i].counts && s->slos[i].verdict == SLO_UNDECIDED;
	return n;
}

void add_slos(const struct making *m, struct buf *out)
{
	const struct summary *s = m->s;
	size_t undecided = count_undecided(s);
	size_t i;

	if (s->n_slos == 1 && is_told(&s->slos[0]))
		buf_addf(out, "%s: %s", s->slos[0].name, s->slos[0].reason);
	else if (s->n_slos == 1)
		buf_addf(out, "%s passes", s->slos[0].name);
	else if (undecided && s->n_passing + undecided == s->n_slos)
		buf_adds(out, "no SLO is against it so far");
	else if (s->n_passing == s->n_slos && s->n_slos == 2)
		buf_adds(out, "both SLOs pass");
	else if (s->n_passing == s->n_slos)
		buf_addf(out, "all %zu SLOs pass", s->n_slos);
	else
		buf_addf(out, "%zu of %zu SLOs pass", s->n_passing, s->n_slos);
	for (i = 0; s->n_slos > 1 && i < s->n_slos; i++) {
		if (is_told(&s->slos[i]))
			buf_addf(out, "; %s: %s", s->slos[i].name,
				s->slos[i].reason);
	}
}

/* One whose requests are too few says how many it wants, and in which time. */
static void add_missing_of(const struct making *m, size_t i, struct buf *out)
{
	const struct slo *slo = &m->policy->slos[i];
	const struct judgement *j = &m->r->check[i].latest;
	char requests[UNIT_TEXT_MAX], least[UNIT_TEXT_MAX];

	if (j->outcome == OUTCOME_NO_DATA && !isnan(j->requests))
		buf_addf(out, "%s has too few requests (%s of %s in %s)",
			slo->name, unit_print_count(j->requests, requests),
			unit_print_count(j->requests_min, least),
			say_length(m, slo->window_ms));
	else if (m->s->slos[i].verdict == SLO_PASSES ||
		 m->s->slos[i].verdict == SLO_UNDECIDED)
		buf_addf(out, "%s: %s", slo->name, m->s->slos[i].missing);
	else
		buf_addf(out, "%s: %s", slo->name, m->s->slos[i].reason);
}

bool add_missing(const struct making *m, struct buf *out)
{
	bool any = false;
	size_t i;

	for (i = 0; i < m->s->n_slos; i++) {
		if (!m->s->slos[i].missing)
			continue;
		buf_adds(out, any ? "; " : "");
		add_missing_of(m, i, out);
		any = true;
	}
	return any;
}
