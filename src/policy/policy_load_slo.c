/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs: their keys, and the rules that tie their values together, to the
 * steps and to the metrics.
 */
#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "policy/load_slo.h"
#include "policy/quantity.h"
#include "policy/template.h"
#include "policy/unit.h"

/* ---- rules ---- */

static void check_limits(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	bool upper = slo->has_max || !slo->has_min;
	double limit = slo->has_max ? slo->max : slo->min;

	if (slo->has_max && slo->has_min && slo->min > slo->max)
		problem_at(loader, place_of(node, "min"),
			"min %s is above max %s: no value could pass",
			slo->texts.min, slo->texts.max);
	if (!slo->has_critical || (!slo->has_max && !slo->has_min))
		return;
	if (upper ? slo->critical <= limit : slo->critical >= limit)
		problem_at(loader, place_of(node, "critical"),
			"critical %s is not beyond %s %s: one check there "
			"reverts at once, so it must be %s",
			slo->texts.critical, upper ? "max" : "min",
			upper ? slo->texts.max : slo->texts.min,
			upper ? "higher" : "lower");
}

/* A share is no number of MiB: one of the two is not meant. */
static void check_unit(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	static const char *const keys[] = {
		"max", "min", "critical", "max_increase"};
	const char *const texts[] = {slo->texts.max, slo->texts.min,
		slo->texts.critical, slo->texts.max_increase};
	size_t i;

	for (i = 0; slo->unit && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!texts[i] || !unit_is_spelled(texts[i]))
			continue;
		problem_at(loader, place_of(node, "unit"),
			"unit is %s, but %s: %s has a unit of its own: write "
			"%s as a plain number of %s, or remove unit",
			slo->unit, keys[i], texts[i], keys[i], slo->unit);
		return;
	}
}

/* A key with a wrong value counts as given: its problem was reported. */
static bool is_given(const struct node *slo, const char *key)
{
	return node_get(slo, key) != NULL;
}

static void check_comparison(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	const struct node *query = node_get(node, "query");
	bool compares = is_given(node, "compare") || is_given(node, "baseline");
	bool relative =
		is_given(node, "max_ratio") || is_given(node, "max_increase");

	if (is_given(node, "compare") && is_given(node, "baseline"))
		problem_at(loader, place_of(node, "baseline")->key,
			"both compare and baseline: remove one");
	if (compares && !relative)
		problem_at(loader,
			place_of(node, is_given(node, "compare") ? "compare"
								 : "baseline"),
			"a comparison needs max_ratio or max_increase");
	if (relative && !compares)
		problem_at(loader,
			place_of(node, is_given(node, "max_ratio")
					       ? "max_ratio"
					       : "max_increase"),
			"compared with what? add \"compare: stable\" or "
			"\"baseline: <query>\"");
	if (!relative && !compares && !is_given(node, "max") &&
		!is_given(node, "min"))
		problem_at(loader, node,
			"this SLO has no limit: add max, min, or \"compare: "
			"stable\" with max_ratio or max_increase");
	if (slo->compare_stable && !slo->json && query &&
		query->kind == NODE_SCALAR &&
		!template_uses(query->text, "revision"))
		problem_at(loader, query,
			"\"compare: stable\" asks this query for the candidate "
			"and for stable: write {{revision}} for the one being "
			"asked");
}

static void check_slo_queries(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	static const char *const elsewhere[] = {"reason", "candidate_url"};
	const struct node *requests = node_get(node, "requests");
	const struct node *queries[] = {node_get(node, "query"),
		node_get(node, "baseline"), node_get(requests, "query")};

	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 2 && queries[i] && queries[i]->text; j++)
			if (template_uses(queries[i]->text, elsewhere[j]))
				problem_at(loader, queries[i],
					"{{%s}} has no meaning in a query",
					elsewhere[j]);
	}
	if (slo->query && !slo->json && template_uses(slo->query, "window") &&
		slo->window_ms < slo->interval_ms)
		problem_at(loader,
			place_of(node, is_given(node, "window") ? "window"
								: "interval"),
			"the window is shorter than the interval: what happens "
			"in between would never be looked at");
}

/* Where nothing stands in for a baseline, one of the limits has to. */
static void check_no_baseline(
	struct loader *loader, const struct node *node, const struct slo *slo)
{
	if (slo->no_baseline != NO_BASELINE_SKIP)
		return;
	if (!is_given(node, "compare") && !is_given(node, "baseline"))
		problem_at(loader, place_of(node, "no_baseline")->key,
			"this SLO is not compared with anything: remove "
			"no_baseline");
	else if (!is_given(node, "max") && !is_given(node, "min"))
		problem_at(loader, place_of(node, "no_baseline"),
			"without a baseline nothing would be looked at: add "
			"max or min");
}

/* Presets have both. */
static void check_query_given(struct loader *loader, const struct node *node,
	const struct node *whole)
{
	if (!is_given(whole, "name"))
		problem_at(loader, node, "an SLO needs \"name\"");
	if (!is_given(whole, "query"))
		problem_at(loader, node,
			"an SLO needs \"query\", or \"use\" for a preset");
}

#define TYPE(provider, name, text, asked) [SLO_##provider] = &policy_slo_##name,
static const struct policy_slo *const providers[SLO_PROVIDERS] = {
	SLO_PROVIDER_TYPES(TYPE)};
#undef TYPE

#define TYPE(provider, name, text, asked) \
	[SLO_##provider] = &policy_slo_##name.section,
static const struct section *const sections[SLO_PROVIDERS + 2] = {
	SLO_PROVIDER_TYPES(TYPE)[SLO_PROVIDERS] = &evidence_slo_section};
#undef TYPE

/* The provider decides which keys there are; a wrong one is reported later. */
static enum slo_provider slo_provider_of(const struct node *node)
{
	const struct node *value = node_get(node, "provider");

	for (int i = 0; i < SLO_PROVIDERS; i++)
		if (value && value->text &&
			!strcmp(value->text, sections[i]->chosen))
			return (enum slo_provider)i;
	return SLO_PROMETHEUS;
}

static void read_slo(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	enum slo_provider provider = slo_provider_of(node);
	const struct node *whole =
		provider == SLO_PROMETHEUS ? use_expand(loader, node) : node;

	*slo = (struct slo){.pos = node_pos(loader, node)};
	if (slo_is_evidence(node)) {
		read_evidence_slo(loader, whole ? whole : node, slo);
		return;
	}
	providers[provider]->read(loader, whole ? whole : node, slo);
	slo->provider = provider;
	if (node->kind != NODE_MAPPING || !whole)
		return;
	if (provider == SLO_PROMETHEUS) {
		check_query_given(loader, node, whole);
		use_counters(loader, whole, slo);
	}
	check_limits(loader, whole, slo);
	check_unit(loader, whole, slo);
	check_comparison(loader, whole, slo);
	check_no_baseline(loader, whole, slo);
	check_slo_queries(loader, whole, slo);
	if (slo->query)
		warn_of_slo(loader, whole, slo, providers[provider]->asked);
}

static void check_name(
	struct loader *loader, const struct node *list, const struct node *node)
{
	const struct node *name = node_get(node, "name"), *other;

	for (const struct node *n = list->first; n != node; n = n->next) {
		other = node_get(n, "name");
		if (!name || !other || !name->text || !other->text ||
			strcmp(name->text, other->text) != 0)
			continue;
		problem_at(loader, name,
			"another SLO has the name \"%.63s\": first in line %d",
			name->text, other->line);
		return;
	}
}

static void read_slos(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "slos", POLICY_SLOS_MAX), i = 0;
	struct policy *policy = into;

	if (!n && value->kind == NODE_SEQUENCE && !value->first)
		problem_at(loader, value,
			"without an SLO nothing is evaluated: add one");
	load_metrics(loader);
	policy->slos = arena_alloc(loader->arena, n * sizeof(*policy->slos));
	policy->n_slos = n;
	for (const struct node *node = value->first; node && i < n;
		node = node->next) {
		read_slo(loader, node, &policy->slos[i++]);
		check_name(loader, value, node);
	}
}

const struct reader slos_reader = {read_slos, "a list of SLOs", .def = "slos",
	.sections = sections, .by = "provider", .list_min = 1,
	.list_max = POLICY_SLOS_MAX};

/* How many checks fall into a bake: one at its start, then one an interval. */
static int64_t checks_in(const struct step *step, const struct slo *slo)
{
	return step->bake_ms / slo->interval_ms + 1;
}

static void check_bakes(struct loader *loader, const struct slo *slo)
{
	const struct policy *policy = loader->policy;
	const struct node *step = node_get(loader->root, "steps");
	char bake[DURATION_TEXT_MAX], interval[DURATION_TEXT_MAX],
		least[DURATION_TEXT_MAX];

	step = step ? step->first : NULL;
	for (size_t i = 0; step && i < policy->n_steps; step = step->next) {
		const struct step *s = &policy->steps[i++];

		if (s->bake_ms < 0 || checks_in(s, slo) >= slo->min_passes)
			continue;
		problem_at(loader, place_of(step, "bake"),
			"in %s SLO \"%s\" is checked %lld times, at an "
			"interval of %s, but needs min_passes %d: bake at "
			"least "
			"%s, or change that SLO",
			duration_print(s->bake_ms, bake), slo->name,
			(long long)checks_in(s, slo),
			duration_print(slo->interval_ms, interval),
			slo->min_passes,
			duration_print((slo->min_passes - 1) * slo->interval_ms,
				least));
	}
}

/* What SLOs have of `metrics`. A check that is still being asked when the next
 * is due would be lost: a default timeout is shortened, one that the policy
 * gives must fit. */
static void take_metrics(struct loader *loader)
{
	const struct node *metrics = node_get(loader->root, "metrics");
	const struct node *timeout = node_get(metrics, "timeout");
	struct policy *policy = loader->policy;
	const struct slo *shortest = NULL; /* of those that ask the metrics */
	int64_t chosen = policy->metrics.timeout_ms;
	char text[DURATION_TEXT_MAX], interval[DURATION_TEXT_MAX];

	for (size_t i = 0; i < policy->n_slos; i++) {
		struct slo *slo = &policy->slos[i];

		slo->partial = policy->metrics.partial;
		if (slo->timeout_ms)
			continue; /* its own, which its provider has checked */
		slo->timeout_ms = chosen;
		if (chosen >= slo->interval_ms)
			slo->timeout_ms = slo->interval_ms / 2;
		if (!slo->json &&
			(!shortest || slo->interval_ms < shortest->interval_ms))
			shortest = slo;
	}
	if (timeout && shortest && chosen >= shortest->interval_ms)
		problem_at(loader, timeout,
			"%s is not shorter than the interval %s of SLO \"%s\": "
			"lower it, or raise the interval",
			duration_print(chosen, text),
			duration_print(shortest->interval_ms, interval),
			shortest->name ? shortest->name : "");
}

/* A policy whose SLOs all have other providers needs no metrics. */
static void need_metrics(struct loader *loader)
{
	const struct policy *policy = loader->policy;
	size_t n = 0;

	for (size_t i = 0; i < policy->n_slos; i++)
		n += policy->slos[i].provider != SLO_PROMETHEUS;
	if (loader->root->kind == NODE_MAPPING && (!n || n < policy->n_slos) &&
		!node_get(loader->root, "metrics"))
		problem_at(loader, loader->root, "a policy needs \"metrics\"");
}

void check_slos(struct loader *loader)
{
	struct policy *policy = loader->policy;

	need_metrics(loader);
	if (!policy->n_slos)
		return;
	take_metrics(loader);
	for (size_t i = 0; i < policy->n_slos; i++)
		if (policy->slos[i].name)
			check_bakes(loader, &policy->slos[i]);
}
