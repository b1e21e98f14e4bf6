/* SPDX-License-Identifier: Apache-2.0 */
/* SLOs of provider prometheus: a query to the policy's metrics, or a preset. */
#include "policy/load_slo.h"
#include "policy/promql.h"

/* Of samples, for a rate to rely on: five, where one a minute makes 5m. */
#define WINDOW_SAMPLES 5

static const struct key requests_keys[] = {
	{"query", &query_reader, offsetof(struct slo, requests),
		.need = KEY_REQUIRED_UNLESS, .about = "Counts the requests"},
	{"min", &requests_min_reader, .need = KEY_REQUIRED_UNLESS,
		.about = "With fewer a check is no-data"},
	{0},
};

static const struct section requests_section = {"requests", requests_keys,
	.def = "requests", .about = "How many requests a check needs"};

static void read_requests(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	read_section(loader, value, &requests_section, into);
	for (const struct key *k = requests_keys; k->name; k++)
		if (value->kind == NODE_MAPPING && !node_get(value, k->name))
			problem_at(loader, value, "requests needs \"%s\"",
				k->name);
}

static const struct reader requests_reader = {read_requests, "a mapping",
	.sections = (const struct section *const[]){&requests_section, NULL}};

static const struct key slo_keys[] = {
	{"name", &identifier_reader, offsetof(struct slo, name),
		.need = KEY_REQUIRED_UNLESS,
		.about = "Its own in this policy; default: the preset's"},
	{"use", &use_reader, offsetof(struct slo, use),
		.about = "A preset: everything else has a value then"},
	{"with", &with_reader, .need = KEY_ONLY_WITH,
		.about = "Parameters of the preset"},
	{"query", &query_reader, offsetof(struct slo, query),
		.need = KEY_REQUIRED_UNLESS,
		.about = "PromQL that gives one series"},
	{"baseline", &query_reader, offsetof(struct slo, baseline),
		.about = "Another query to compare with"},
	{"requests", &requests_reader,
		.about = "Fewer requests than min are no data"},
	{"total", &query_reader, offsetof(struct slo, counters.total),
		.about = "Counters of all requests, for tidegate slo"},
	{"good", &query_reader, offsetof(struct slo, counters.good),
		.about = "… of the good ones among them"},
	{0},
};

static int64_t more_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static const struct rule prometheus_rules[] = {
	{RULE_ANY_OF, {"max", "min", "max_ratio", "max_increase"}},
	{RULE_NOT_BOTH, {"compare", "baseline"}},
	{RULE_TOGETHER, {"total", "good"}},
	{RULE_END},
};

static void check_counted(
	struct loader *loader, const struct node *node, const char *key)
{
	const struct node *query = node_get(node, key);

	if (query && query->text && !promql_is_selector(query->text))
		problem_at(loader, query,
			"%s is the selector of raw counters and nothing more, "
			"such as http_requests_total{code!~\"5..\"}: rates and "
			"sums are made of them by tidegate slo",
			key);
}

static void check_counters(struct loader *loader, const struct node *node)
{
	const struct node *total = node_get(node, "total");
	const struct node *good = node_get(node, "good");

	if (!total != !good)
		problem_at(loader, (total ? total : good)->key,
			"\"total\" and \"good\" belong together: %s is missing",
			total ? "good" : "total");
	check_counted(loader, node, "total");
	check_counted(loader, node, "good");
}

/* What is not given fits the samples of the metrics. */
static void read_prometheus_slo(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	int64_t sample_ms = loader->policy->metrics.resolution_ms;

	read_section(loader, node, &policy_slo_prometheus.section, slo);
	check_counters(loader, node);
	if (!node_get(node, "window"))
		slo->window_ms =
			more_of(slo->window_ms, WINDOW_SAMPLES * sample_ms);
	if (!node_get(node, "interval"))
		slo->interval_ms = more_of(slo->interval_ms, sample_ms);
}

static const struct asked_key asked_keys[] = {{"query"}, {0}};

const struct policy_slo policy_slo_prometheus = {
	.section = {"an SLO", slo_keys, .base = &every_slo_section,
		.def = "slo", .about = "A query to a Prometheus and its limits",
		.chosen = "prometheus", .unless = "use",
		.rules = prometheus_rules},
	.asked = asked_keys,
	.read = read_prometheus_slo,
};
