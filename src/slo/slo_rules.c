/* SPDX-License-Identifier: Apache-2.0 */
/* Error budgets of a policy's service; see slo_rules.h. */
#include "slo/slo_rules.h"

#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "policy/slo_preset.h"

#define BUCKET_SUFFIX "_bucket"
#define HOUR_MS       INT64_C(3600000)
#define DAY_MS        (24 * HOUR_MS)

static const struct slo_tier tiers[SLO_TIERS] = {
	{"1h", "5m", HOUR_MS, 0.02, true, 0},
	{"6h", "30m", 6 * HOUR_MS, 0.05, true, 0},
	{"1d", "2h", DAY_MS, 0.10, false, 0},
	{"3d", "6h", 3 * DAY_MS, 0.10, false, 0},
};

/* ---- which counters ---- */

/* Numbers as labels have them: 0.5, and of whole ones 1 or, since version 3,
 * 1.0. */
static struct slo_matcher bound_matcher(double bound, struct arena *arena)
{
	char text[JSONW_NUMBER_MAX];
	const char *number =
		arena_strdup(arena, jsonw_print_number(bound, text));

	if (bound != round(bound))
		return (struct slo_matcher){"le", MATCHER_EQUALS, number};
	return (struct slo_matcher){
		"le", MATCHER_LIKE, arena_printf(arena, "%s([.]0)?", number)};
}

/* All requests of a histogram are in its _count. */
static int count_buckets(struct slo_objective *o,
	const struct slo_counters *counters, struct arena *arena,
	struct err *err_r)
{
	struct slo_matcher bound = bound_matcher(counters->bound_le, arena);
	struct slo_matcher all = {"le", MATCHER_EQUALS, "+Inf"};
	size_t len = strlen(o->part.metric), suffix = strlen(BUCKET_SUFFIX);

	o->total = o->part;
	o->part_is_good = o->is_latency = true;
	o->bound = counters->bound;
	if (selector_add(&o->part, &bound, err_r) < 0)
		return -1;
	if (len <= suffix ||
		strcmp(o->part.metric + len - suffix, BUCKET_SUFFIX) != 0)
		return selector_add(&o->total, &all, err_r);
	o->total.metric = arena_printf(
		arena, "%.*s_count", (int)(len - suffix), o->part.metric);
	return 0;
}

static int count(struct slo_objective *o, const struct slo_counters *counters,
	const struct template_values *values, struct arena *arena,
	struct err *err_r)
{
	const char *part = counters->buckets ? counters->buckets
			   : counters->good  ? counters->good
					     : counters->bad;

	if (selector_parse(&o->part, part, values, arena, err_r) < 0)
		return -1;
	if (counters->buckets)
		return count_buckets(o, counters, arena, err_r);
	o->part_is_good = counters->good != NULL;
	o->is_latency = selector_has(&o->part, "le");
	return selector_parse(&o->total, counters->total, values, arena, err_r);
}

/* ---- which SLOs ---- */

/* "cloud-run/latency-p50": what half of the requests are held to. */
static bool is_median(const struct slo *slo)
{
	return (slo->kind == SLO_EVIDENCE &&
		       slo->objective > 1 - SLO_OBJECTIVE_MIN) ||
	       (slo->use && strstr(slo->use, "-p50"));
}

static const char *why_not(const struct slo *slo)
{
	const struct slo_counters *c = &slo->counters;

	if (!c->total && !c->buckets)
		return slo->json ? "its numbers are no counters"
				 : "it does not say its counts: add \"total\" "
				   "and \"good\" to it";
	if (c->buckets && is_median(slo))
		return "it is about half of the requests: no budget is made "
		       "of that";
	return NULL;
}

static bool selectors_are_alike(
	const struct selector *a, const struct selector *b, struct arena *arena)
{
	return !strcmp(selector_print(a, arena), selector_print(b, arena));
}

/* One that compares with stable counts what another counts already. */
static const struct slo_objective *find_alike(const struct slo_rules *rules,
	const struct slo_objective *o, struct arena *arena)
{
	for (size_t i = 0; i < rules->n; i++)
		if (selectors_are_alike(
			    &rules->objective[i].part, &o->part, arena) &&
			selectors_are_alike(
				&rules->objective[i].total, &o->total, arena))
			return &rules->objective[i];
	return NULL;
}

static void leave_out(
	struct slo_rules *rules, const char *name, const char *why)
{
	rules->left_out[rules->n_left_out++] = (struct slo_left_out){name, why};
}

/* What can fire: not when a budget would have to burn faster than with every
 * request bad, nor slower than it may. */
static void set_tiers(struct slo_objective *o, int64_t period_ms)
{
	struct slo_tier *tier;

	for (size_t i = 0; i < SLO_TIERS; i++) {
		tier = &o->tier[o->n_tiers];
		*tier = tiers[i];
		tier->factor = fmax(1, tier->share * (double)period_ms /
					       (double)tier->window_ms);
		o->n_tiers += tier->factor * o->budget < 1 &&
			      tier->window_ms < period_ms;
	}
}

static int take_slo(struct slo_rules *rules, const struct slo *slo,
	const struct template_values *values, struct arena *arena,
	struct err *err_r)
{
	struct slo_objective *o = &rules->objective[rules->n];
	const char *why = why_not(slo);
	const struct slo_objective *alike;

	if (why) {
		leave_out(rules, slo->name, why);
		return 0;
	}
	*o = (struct slo_objective){.name = slo->name};
	if (count(o, &slo->counters, values, arena, err_r) < 0)
		return err_wrap(err_r, "%s", slo->name);
	alike = find_alike(rules, o, arena);
	if (alike) {
		leave_out(rules, slo->name,
			arena_printf(arena, "it counts what %s counts",
				alike->name));
		return 0;
	}
	o->target = o->is_latency ? rules->wish.latency_objective
				  : rules->wish.objective;
	o->budget = round((1 - o->target) * 1e9) / 1e9;
	set_tiers(o, rules->wish.period_ms);
	rules->n++;
	return 0;
}

int slo_rules_make(struct slo_rules *rules_r, const struct policy *policy,
	const struct slo_wish *wish, struct arena *arena, struct err *err_r)
{
	struct template_values values = {.project = wish->project,
		.region = wish->region,
		.service = wish->service};

	*rules_r = (struct slo_rules){.wish = *wish};
	for (size_t i = 0; i < policy->n_slos; i++)
		if (take_slo(rules_r, &policy->slos[i], &values, arena, err_r) <
			0)
			return -1;
	return 0;
}

/* ---- expressions ---- */

static const char *sum_of(const char *function, const struct selector *selector,
	const char *window, struct arena *arena)
{
	return arena_printf(arena, "sum(%s(%s[%s]))", function,
		selector_print(selector, arena), window);
}

const char *slo_ratio(
	const struct slo_objective *o, const char *window, struct arena *arena)
{
	const char *part = sum_of("rate", &o->part, window, arena);
	const char *total = sum_of("rate", &o->total, window, arena);

	if (o->part_is_good)
		return arena_printf(arena, "1 - %s\n  / %s", part, total);
	return arena_printf(
		arena, "(%s or 0 * %s)\n  / %s", part, total, total);
}

const char *slo_bad(
	const struct slo_objective *o, const char *window, struct arena *arena)
{
	const char *part = sum_of("increase", &o->part, window, arena);
	const char *total = sum_of("increase", &o->total, window, arena);

	if (o->part_is_good)
		return arena_printf(arena, "%s - %s", total, part);
	return arena_printf(arena, "%s or 0 * %s", part, total);
}

const char *slo_part_is_missing(
	const struct slo_objective *o, struct arena *arena)
{
	return arena_printf(arena, "%s > 0\n  unless %s",
		sum_of("rate", &o->total, "10m", arena),
		sum_of("rate", &o->part, "10m", arena));
}

const char *slo_total_is_missing(
	const struct slo_objective *o, struct arena *arena)
{
	return arena_printf(
		arena, "absent(%s)", sum_of("rate", &o->total, "30m", arena));
}

const char *slo_share_print(double share, struct arena *arena)
{
	char text[JSONW_NUMBER_MAX];

	return arena_printf(arena, "%s%%",
		jsonw_print_number(round(share * 1e9) / 1e7, text));
}
