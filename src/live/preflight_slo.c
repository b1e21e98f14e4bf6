/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SLOs: every query for stable and for the candidate, asked as a rollout
 * asks and judged as a check would be. See preflight_parts.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/measure.h"
#include "live/preflight_parts.h"
#include "metrics/counting.h"
#include "policy/unit.h"

#define AT_ONCE    8
#define ARMS       2 /* stable, candidate */
#define DETAIL_MAX (4 * 1024)
#define FAR_FACTOR 1000 /* a limit so many times stable's value is a slip */

struct arm {
	struct preflight *preflight;
	int slo, tries;
	struct measurement *measurement;
	struct timer *again;
	bool wrong; /* the query, not who answers it */
	struct finding_arm *told; /* in the arena of the findings */
};

struct preflight_slos {
	struct arm *arm; /* ARMS for each SLO */
	size_t n, next, done;
};

static void ask_more(struct preflight *preflight);
static void arm_answered(const struct measurement_end *end, void *arg);
static void tell_all(struct preflight *preflight);

void preflight_slos(struct preflight *preflight)
{
	const struct policy *policy = preflight->release->policy;
	struct preflight_slos *slos;

	if (!preflight->asked) {
		for (size_t i = 0; i < policy->n_slos; i++)
			finding_tell(preflight, FINDING_SKIP, "slo",
				policy->slos[i].name, NULL,
				"not asked: no revision is known to ask about");
		preflight_next(preflight);
		return;
	}
	slos = xcalloc(1, sizeof(*slos));
	preflight->slos = slos;
	slos->n = policy->n_slos * ARMS;
	slos->arm = xcalloc(slos->n + 1, sizeof(*slos->arm));
	for (size_t i = 0; i < slos->n; i += ARMS) {
		struct finding_arm *told =
			arena_alloc(&preflight->arena, ARMS * sizeof(*told));

		for (size_t k = 0; k < ARMS; k++)
			slos->arm[i + k] = (struct arm){.preflight = preflight,
				.slo = (int)(i / ARMS),
				.told = &told[k]};
		told[0].revision = preflight->asked;
		if (*preflight->release->candidate)
			told[1].revision = preflight->release->candidate;
	}
	ask_more(preflight);
}

static void ask(void *arg)
{
	struct arm *arm = arg;
	struct preflight *preflight = arm->preflight;
	struct measure_what what = {.release = preflight->release,
		.state = preflight->what.state,
		.slo = arm->slo,
		.candidate = arm->told->revision};

	arm->again = NULL;
	arm->measurement =
		measure_start(preflight->world, &what, arm_answered, arm);
}

static void ask_more(struct preflight *preflight)
{
	struct preflight_slos *slos = preflight->slos;

	while (slos->next < slos->n && slos->next - slos->done < AT_ONCE) {
		struct arm *arm = &slos->arm[slos->next++];

		if (arm->told->revision)
			ask(arm);
		else
			slos->done++;
	}
	if (slos->done == slos->n)
		tell_all(preflight);
}

/* Whether there are counters, and such that can be counted. */
static void count(struct arm *arm, const struct measurement_end *end)
{
	const struct slo *slo =
		&arm->preflight->release->policy->slos[arm->slo];
	struct counting *counting;
	struct check_counts counts;
	struct err err;

	if (slo->kind != SLO_EVIDENCE)
		return;
	counting = counting_new(slo);
	if (counting_check(counting, slo, end->asked_ms, end->counters,
		    &arm->told->answers, &counts, &err) < 0) {
		arm->wrong = true;
		arm->told->trouble =
			arena_strdup(&arm->preflight->arena, err.text);
	}
	counting_free(&counting);
	check_judge(slo, &arm->preflight->what.state->check[arm->slo],
		&arm->told->answers, &arm->told->judgement);
	arm->told->answers.counts = NULL;
}

static void arm_answered(const struct measurement_end *end, void *arg)
{
	struct arm *arm = arg;
	struct preflight *preflight = arm->preflight;
	struct finding_arm *told = arm->told;

	arm->measurement = NULL;
	if (*end->trouble && end->retryable && !end->wrong &&
		++arm->tries < preflight->what.tries_max) {
		arm->again = timer_start(preflight->world->loop,
			preflight_delay_ms(preflight, arm->tries, 0), ask, arm);
		return;
	}
	arm->wrong = end->wrong;
	told->answers = end->answers;
	told->trouble = arena_strdup(&preflight->arena, end->trouble);
	told->warnings = arena_strdup(&preflight->arena, end->warnings);
	told->latency_us = end->latency_us;
	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		told->series[role] = end->series[role];
		told->query[role] =
			arena_strdup(&preflight->arena, end->query[role]);
	}
	check_judge(&preflight->release->policy->slos[arm->slo],
		&preflight->what.state->check[arm->slo], &told->answers,
		&told->judgement);
	count(arm, end);
	preflight->slos->done++;
	ask_more(preflight);
}

/* ---- what it means ---- */

static bool no_data_holds(const struct slo *slo, const struct arm *arm)
{
	const struct judgement *judgement = &arm->told->judgement;

	return judgement->outcome == OUTCOME_NO_DATA &&
	       (slo->no_data != NO_DATA_PASS || judgement->partial);
}

/* Accepted or not: it is worth knowing before it hides something. */
static bool is_partial(const struct arm *arm)
{
	return arm[0].told->judgement.partial || arm[1].told->judgement.partial;
}

static double value_of(const struct arm *arm)
{
	return arm->told->answers.item[QUERY_VALUE].value;
}

static bool has_value(const struct arm *arm)
{
	return arm->told->revision && !*arm->told->trouble &&
	       arm->told->answers.item[QUERY_VALUE].kind == ANSWER_VALUE;
}

/* Nobody serves users with the candidate, and yet it looks just like stable:
 * the query does not tell them apart. Two zeros say nothing. */
static bool sees_all_revisions(const struct preflight *preflight,
	const struct slo *slo, const struct arm *arm)
{
	const struct service *service = preflight->snapshot;
	struct split split;

	if (slo->scope == SCOPE_SERVICE || !service || !has_value(&arm[0]) ||
		!has_value(&arm[1]) || value_of(&arm[0]) == 0 ||
		value_of(&arm[0]) != value_of(&arm[1]))
		return false;
	split = traffic_split(&service->statuses, arm[1].told->revision,
		arm[0].told->revision, service->latest_ready);
	return split.candidate == 0;
}

/* Written in another unit than the values are. Shares are small by nature. */
static bool limit_is_out_of_reach(const struct slo *slo, const struct arm *arm)
{
	return slo->has_max && slo->max >= 1 && has_value(arm) &&
	       value_of(arm) > 0 && slo->max >= FAR_FACTOR * value_of(arm);
}

static bool is_in_trouble(const struct arm *arm)
{
	return arm->told->revision && *arm->told->trouble;
}

static enum finding_kind weigh(const struct preflight *preflight,
	const struct slo *slo, const struct arm *arm)
{
	/* What answers for stable may not know the candidate before it serves;
	 * a query that is wrong for it stays so. */
	if (is_in_trouble(&arm[0]) || arm[1].wrong)
		return FINDING_FAIL;
	if (is_in_trouble(&arm[1]) ||
		arm[0].told->judgement.outcome == OUTCOME_BREACH ||
		no_data_holds(slo, arm) || is_partial(arm) ||
		sees_all_revisions(preflight, slo, arm) ||
		limit_is_out_of_reach(slo, arm))
		return FINDING_WARN;
	return FINDING_OK;
}

static const char *remedy_of(struct preflight *preflight, const struct slo *slo,
	const struct arm *arm)
{
	const struct policy *policy = preflight->release->policy;

	if (arm[0].wrong || arm[1].wrong)
		return arena_printf(&preflight->arena,
			"correct the query in %s, line %d; try it by hand "
			"where the metrics are",
			policy->path, slo->pos.line);
	if (is_in_trouble(&arm[0]))
		return "see that the metrics are up, that their URL and login "
		       "in the policy are right, and that they can be reached "
		       "from here";
	if (is_in_trouble(&arm[1]))
		return "the answer for stable is fine: if the same comes for "
		       "a candidate that serves users, the rollout is held";
	if (is_partial(arm))
		return slo->partial == PARTIAL_ACCEPT
			       ? "a part of the metrics did not answer; "
				 "metrics.partial accepts that, so that what "
				 "is missing is taken for good"
			       : "a part of the metrics did not answer: see "
				 "that all of it is up; a rollout waits for "
				 "whole answers (metrics.partial)";
	if (arm[0].told->judgement.outcome == OUTCOME_BREACH)
		return "stable itself breaches: as it is, a candidate no worse "
		       "would be taken back; mend stable or move the limit";
	if (sees_all_revisions(preflight, slo, arm))
		return "a bad candidate would pass unseen: ask about the "
		       "candidate, such as revision=\"{{candidate}}\", or "
		       "write "
		       "\"scope: service\" when the whole service is meant";
	if (limit_is_out_of_reach(slo, arm))
		return "is the limit in the unit of the query? A duration is "
		       "in seconds, 500ms is 0.5; a percentage is a share, 1% "
		       "is 0.01";
	return "does the query name labels that exist? A rollout waits for "
	       "data and is held when none comes (no_data)";
}

/* "12 series, 3 of bad requests": which of them grow is the history's. */
static void add_counters(struct buf *out, const struct finding_arm *told)
{
	if (!told->series[QUERY_TOTAL])
		buf_adds(out, "no series");
	else
		buf_addf(out, "%zu series", told->series[QUERY_TOTAL]);
	if (told->query[QUERY_BAD])
		buf_addf(out, ", %zu of bad requests", told->series[QUERY_BAD]);
	if (told->judgement.partial)
		buf_addf(out, " (%s)", told->warnings);
}

static void add_arm(struct buf *out, const struct slo *slo, const char *who,
	const struct arm *arm)
{
	const struct finding_arm *told = arm->told;
	char text[CHECK_TEXT_MAX], number[UNIT_TEXT_MAX];

	if (!told->revision)
		return;
	buf_addf(out, "%s%s: ", out->len ? "; " : "", who);
	if (*told->trouble) {
		buf_adds(out, told->trouble);
		return;
	}
	if (told->query[QUERY_TOTAL]) {
		add_counters(out, told);
		return;
	}
	buf_addf(out, "%s (%zu series",
		judgement_print(slo, &told->judgement, text),
		told->series[QUERY_VALUE]);
	if (told->answers.item[QUERY_BASELINE].kind == ANSWER_VALUE)
		buf_addf(out, ", baseline %s",
			unit_print(slo,
				told->answers.item[QUERY_BASELINE].value,
				number));
	if (told->answers.item[QUERY_REQUESTS].kind == ANSWER_VALUE)
		buf_addf(out, ", %s requests",
			unit_print_count(
				told->answers.item[QUERY_REQUESTS].value,
				number));
	if (told->judgement.partial)
		buf_addf(out, "; %s", told->warnings);
	buf_addc(out, ')');
}

static void add_remarks(struct buf *out, const struct preflight *preflight,
	const struct slo *slo, const struct arm *arm)
{
	if (sees_all_revisions(preflight, slo, arm))
		buf_adds(out, "; the very same, though the candidate serves "
			      "nobody: the query judges all revisions");
	if (limit_is_out_of_reach(slo, arm))
		buf_addf(out, "; max is %.0f times stable's value",
			slo->max / value_of(arm));
}

static bool same_trouble(const struct arm *arm)
{
	return is_in_trouble(&arm[0]) && is_in_trouble(&arm[1]) &&
	       !strcmp(arm[0].told->trouble, arm[1].told->trouble);
}

static void tell(struct preflight *preflight, const struct arm *arm)
{
	const struct slo *slo = &preflight->release->policy->slos[arm->slo];
	enum finding_kind kind = weigh(preflight, slo, arm);
	struct finding *finding;
	struct buf text;

	buf_init(&text, DETAIL_MAX);
	if (same_trouble(arm)) {
		buf_adds(&text, arm[0].told->trouble);
	} else {
		add_arm(&text, slo, "stable", &arm[0]);
		add_arm(&text, slo, "candidate", &arm[1]);
		add_remarks(&text, preflight, slo, arm);
	}
	finding = finding_tell(preflight, kind, "slo", slo->name,
		kind == FINDING_OK ? NULL : remedy_of(preflight, slo, arm),
		"%s", text.data);
	finding->arms = arm[0].told;
	finding_refuse(preflight, finding, "SLO \"%s\": %s", slo->name,
		*arm[0].told->trouble ? arm[0].told->trouble : text.data);
	buf_fini(&text);
}

static void tell_all(struct preflight *preflight)
{
	for (size_t i = 0; i < preflight->slos->n; i += ARMS)
		tell(preflight, &preflight->slos->arm[i]);
	preflight_next(preflight);
}

void preflight_slos_cancel(struct preflight *preflight)
{
	struct preflight_slos *slos = preflight->slos;

	if (!slos)
		return;
	for (size_t i = 0; i < slos->n; i++) {
		measurement_cancel(&slos->arm[i].measurement);
		timer_cancel(&slos->arm[i].again);
	}
	free(slos->arm);
	free(slos);
	preflight->slos = NULL;
}
