/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs of kind evidence: raw counters instead of a query's value, and an
 * objective instead of limits. What becomes of them is engine/evidence.h.
 */
#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "policy/load_slo.h"
#include "policy/promql.h"
#include "policy/quantity.h"
#include "policy/template.h"

#define MEMBER(m) offsetof(struct slo, m)

/* ---- numbers ---- */

struct number_range {
	double min, max;
	const char *rule;
};

static void read_number(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const struct number_range *range = key->detail;
	const char *text = plain_text(loader, value);
	struct err err;
	double number;

	if (!text)
		return;
	if (quantity_parse(text, &number, &err) < 0)
		problem_at(loader, value, "%s", err.text);
	else if (number < range->min || number > range->max ||
		 strpbrk(text, "smhd"))
		problem_at(loader, value, "%s is \"%.40s\": write %s",
			key->name, text, range->rule);
	else
		*(double *)((char *)into + key->offset) = number;
}

static const struct reader share_reader = {read_number, "a share",
	"'type': ['string', 'number'], "
	"'pattern': '^[0-9]+(\\\\.[0-9]+)?%?$'",
	.def = "share"};
static const struct reader number_reader = {
	read_number, "a number", "'type': 'number', 'minimum': 0"};

static const struct number_range objective_range = {
	1e-6, 0.5, "a share of bad requests up to 50%, such as 1%"};
static const struct number_range floor_range = {
	0, 0.5, "a share of bad requests that never counts, such as 0.1%"};
static const struct number_range tolerance_range = {
	1, 100, "how many times stable's share is tolerated, 1 or more"};
static const struct number_range requests_range = {
	0, 1e9, "a number of requests"};
static const struct number_range alpha_range = {
	1e-6, 0.5, "the share of good releases that may be taken back, as 5%"};
static const struct number_range harm_range = {
	1, 1e9, "how many bad requests a step may cost, 1 or more"};

/* A latency's bound: a duration, in seconds from here on. */
static void read_bound(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	struct err err;
	double number;

	if (!text)
		return;
	if (quantity_parse(text, &number, &err) < 0 || number <= 0 ||
		!strpbrk(text, "smhd"))
		problem_at(loader, value,
			"\"%.40s\" is no duration: slower requests are bad, "
			"write it as 500ms",
			text);
	else
		*(double *)((char *)into + key->offset) = number;
}

static const struct reader bound_reader = {read_bound, "a duration",
	"'type': 'string', "
	"'pattern': '^([0-9]+(\\\\.[0-9]{1,3})?(d|h|m|s|ms))+$'"};

/* With `use` it became the objective, or the bound, before this is read. */
static void read_max_alone(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	problem_at(loader, value->key,
		"max: an SLO of kind evidence has an objective: write "
		"objective: 1%%, and for a latency bound: 500ms beside it");
}

static const struct reader max_reader = {
	read_max_alone, "a limit", LIMIT_SCHEMA, .def = "limit"};

/* ---- the keys ---- */

static const struct duration_range interval_range = {
	5 * MS_SECOND, 10 * MS_MINUTE};
static const struct choice units[] = {{"s", false}, {"ms", true}, {0}};

/* An SLO while it is read. */
struct evidence_draft {
	struct slo slo;
	bool is_ms; /* the label le */
};

static const struct key evidence_slo_keys[] = {
	{"name", &identifier_reader, MEMBER(name), .need = KEY_REQUIRED_UNLESS,
		.about = "Its own in this policy; default: the preset's"},
	{"kind", &choice_reader, MEMBER(kind), slo_kinds, .need = KEY_REQUIRED,
		.about = "How answers become a verdict"},
	{"use", &use_reader, MEMBER(use),
		.about = "A preset: it has the counters and an objective"},
	{"with", &with_reader, .need = KEY_ONLY_WITH,
		.about = "Parameters of the preset"},
	{"max", &max_reader, .need = KEY_ONLY_WITH,
		.about = "The objective; of a latency the bound"},
	{"objective", &share_reader, MEMBER(objective), &objective_range,
		.need = KEY_REQUIRED_UNLESS,
		.about = "The share of bad requests that may be"},
	{"total", &query_reader, MEMBER(total),
		.about = "Counters of all requests, with {{revision}}"},
	{"bad", &query_reader, MEMBER(bad),
		.about = "… of the bad ones among them"},
	{"buckets", &query_reader, MEMBER(buckets),
		.about = "A histogram's counters, instead of the two"},
	{"bound", &bound_reader, MEMBER(bound),
		.about = "Of `buckets`: slower requests are bad"},
	{"unit", &flag_reader, offsetof(struct evidence_draft, is_ms), units,
		.value = "s", .about = "Of the label le of `buckets`"},
	{"tolerance", &number_reader, MEMBER(tolerance), &tolerance_range,
		.about = "So many times stable's share is no worse; 1.1, of "
			 "latency 1.25"},
	{"floor", &share_reader, MEMBER(floor), &floor_range,
		.about = "Below this share nothing counts; a tenth of the "
			 "objective"},
	{"min_requests", &number_reader, MEMBER(requests_needed),
		&requests_range, .value = "100",
		.about = "Of the candidate, before an undecided step is left"},
	{"interval", &duration_reader, MEMBER(interval_ms), &interval_range,
		.value = "15s", .about = "From one check to the next"},
	/* What a threshold has and evidence has not. */
	{"good", .instead = "kind evidence counts the bad requests: write bad, "
			    "the selector of those"},
	{"query", .instead =
			  "kind evidence counts requests: write total and bad "
			  "(counters), or buckets and bound (a histogram)"},
	{"min", .instead = "kind evidence knows the share of bad requests "
			   "only: write objective, or leave out kind"},
	{"critical", .instead = "evidence finds an outage in two checks "
				"without it: remove it"},
	{"compare", .instead = "kind evidence always compares with stable: "
			       "remove it"},
	{"baseline", .instead = "kind evidence always compares with stable: "
				"remove it"},
	{"no_baseline", .instead = "without stable's requests evidence looks "
				   "at its history: remove it"},
	{"max_ratio", .instead = "how many times stable's share is no worse is "
				 "called tolerance: write tolerance: 1.5"},
	{"max_increase", .instead = "what is too little to count is called "
				    "floor: write floor: 0.1%"},
	{"requests", .instead = "how many the candidate needs is called "
				"min_requests: write min_requests: 100"},
	{"window", .instead = "counters are looked at as they grow, without a "
			      "window: remove it"},
	{"fail_after", .instead = "evidence adds up over all checks, and alpha "
				  "says how sure it has to be: remove it"},
	{"min_passes", .instead = "evidence adds up over all checks: remove "
				  "it, or write min_requests"},
	{"no_data", .instead = "checks without data are no evidence, and never "
			       "a pass: remove it"},
	{"scope", .instead = "kind evidence compares the candidate with "
			     "stable: remove it"},
	{"provider", .instead = "kind evidence asks the Prometheus of metrics "
				"for counters: remove it, or leave out kind"},
	{0},
};

static const struct rule evidence_rules[] = {
	{RULE_ONE_OF, {"total", "buckets"}},
	{RULE_TOGETHER, {"total", "bad"}},
	{RULE_TOGETHER, {"buckets", "bound"}},
	{RULE_END},
};

const struct section evidence_slo_section = {"an SLO of kind evidence",
	evidence_slo_keys, .def = "evidenceSlo",
	.about = "Counters of the candidate and of stable, and an objective",
	.chosen = "evidence", .chosen_by = "kind", .unless = "use",
	.rules = evidence_rules};

/* ---- rules ---- */

static void check_counters(struct loader *loader, const struct node *node)
{
	static const char *const keys[] = {"total", "bad", "buckets"};
	const struct node *query;
	size_t i;

	for (i = 0; i < 3; i++) {
		query = node_get(node, keys[i]);
		if (!query || query->kind != NODE_SCALAR)
			continue;
		if (!template_uses(query->text, "revision"))
			problem_at(loader, query,
				"%s is asked for the candidate and for stable: "
				"write {{revision}} for the one being asked",
				keys[i]);
		if (!promql_is_selector(query->text))
			problem_at(loader, query,
				"%s is the selector of raw counters and "
				"nothing more, such as "
				"http_requests_total{revision=\"{{revision}}\"}"
				": rates, windows and sums are made of them "
				"here",
				keys[i]);
	}
}

/* A preset has what is asked for; a wrong one was told of. */
static void check_counters_given(struct loader *loader, const struct node *node)
{
	bool counts = node_get(node, "total") || node_get(node, "bad");
	bool buckets = node_get(node, "buckets") || node_get(node, "bound");

	if (node_get(node, "use") && !counts && !buckets)
		return;
	if (!node_get(node, "name"))
		problem_at(loader, node, "an SLO needs \"name\"");
	if (!node_get(node, "objective"))
		problem_at(loader, node,
			"an SLO of kind evidence needs \"objective\"");
	if (counts == buckets)
		problem_at(loader, node,
			"kind evidence needs \"total\" and \"bad\", or "
			"\"buckets\" and \"bound\", or \"use\" for a preset");
	else if (counts && (!node_get(node, "total") || !node_get(node, "bad")))
		problem_at(
			loader, node, "\"total\" and \"bad\" belong together");
	else if (buckets &&
		 (!node_get(node, "buckets") || !node_get(node, "bound")))
		problem_at(loader, node,
			"\"buckets\" and \"bound\" belong together");
}

/* Each minute of Google's metrics is counted once, as a whole. */
static void check_minutes(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	if (!slo_counts_by_the_minute(slo) || slo->interval_ms % MS_MINUTE == 0)
		return;
	if (node_get(node, "interval"))
		problem_at(loader, node_get(node, "interval"),
			"Google's metrics have a sample a minute, each of "
			"which "
			"is counted once: write whole minutes, such as 1m");
	else
		slo->interval_ms = MS_MINUTE;
}

void read_evidence_slo(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	struct evidence_draft draft = {.slo = *slo};
	int64_t sample_ms = loader->policy->metrics.resolution_ms;

	draft.slo.tolerance = draft.slo.floor = -1;
	read_section(loader, node, &evidence_slo_section, &draft);
	*slo = draft.slo;
	slo->kind = SLO_EVIDENCE;
	slo->bound_le =
		draft.is_ms ? round(slo->bound * 1e6) / 1e3 : slo->bound;
	slo->counters = (struct slo_counters){slo->total, NULL, slo->bad,
		slo->buckets, slo->bound, slo->bound_le};
	if (node->kind != NODE_MAPPING)
		return;
	if (node_get(node, "unit") && !node_get(node, "buckets"))
		problem_at(loader, place_of(node, "unit")->key,
			"unit is that of the label le of buckets: remove it");
	if (!node_get(node, "interval") && slo->interval_ms < sample_ms)
		slo->interval_ms = sample_ms;
	check_minutes(loader, node, slo);
	check_counters_given(loader, node);
	check_counters(loader, node);
}

/* ---- what all of them share ---- */

#define SHARED(m) offsetof(struct evidence_policy, m)

static const struct choice without_control_choices[] = {
	{"step-back", WITHOUT_STEP_BACK},
	{"revert", WITHOUT_REVERT},
	{"hold", WITHOUT_HOLD},
	{0},
};
static const struct duration_range history_range = {
	10 * MS_MINUTE, 24 * MS_HOUR};

static const struct key evidence_keys[] = {
	{"alpha", &share_reader, SHARED(alpha), &alpha_range, .value = "5%",
		.about = "Chance that a good release is taken back"},
	{"harm", &number_reader, SHARED(harm), &harm_range, .value = "10",
		.about = "Bad requests that a step may cost unseen"},
	{"without_control", &choice_reader, SHARED(without_control),
		without_control_choices, .value = "step-back",
		.about = "When stable has no traffic to compare with"},
	{"history", &duration_reader, SHARED(history_ms), &history_range,
		.value = "3h", .about = "Of stable, looked at in preflight"},
	{0},
};

const struct section evidence_section = {"evidence", evidence_keys,
	.def = "evidence", .about = "What SLOs of kind evidence share"};

/* ---- with the rest of the policy ---- */

static bool has_evidence(const struct policy *policy)
{
	size_t i;

	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind == SLO_EVIDENCE)
			return true;
	}
	return false;
}

/* Before so long no step is left on evidence. */
static void check_dwell(struct loader *loader)
{
	const struct policy *policy = loader->policy;
	const struct node *step = node_get(loader->root, "steps");
	char given[DURATION_TEXT_MAX], least[DURATION_TEXT_MAX];
	size_t i;

	step = step ? step->first : NULL;
	for (i = 0; step && i < policy->n_steps; i++, step = step->next) {
		if (policy->steps[i].bake_ms < 0 ||
			policy->steps[i].bake_ms >= POLICY_DWELL_MS)
			continue;
		problem_at(loader, place_of(step, "bake"),
			"with \"pace: evidence\" bake is the longest time of a "
			"step, and none is left before %s: %s is less; write "
			"%s or more, or \"pace: fixed\"",
			duration_print(POLICY_DWELL_MS, least),
			duration_print(policy->steps[i].bake_ms, given), least);
	}
}

/* They know every request of the candidate, and a load's are not its users'. */
static void warn_of_loads(struct loader *loader)
{
	const struct node *step = node_get(loader->root, "steps");

	for (step = step ? step->first : NULL; step; step = step->next)
		if (node_get(step, "load"))
			warning_at(loader, node_get(step, "load")->key,
				"SLOs of kind evidence count the load's "
				"requests as those of users: leave them out of "
				"the metrics by their User-Agent, "
				"tidegate-load, or make the load in preflight");
}

void check_policy_evidence(struct loader *loader)
{
	const struct node *pace = node_get(loader->root, "pace");
	const struct node *shared = node_get(loader->root, "evidence");

	if (has_evidence(loader->policy)) {
		if (loader->policy->pace == PACE_EVIDENCE)
			check_dwell(loader);
		warn_of_control(loader);
		warn_of_no_users(loader);
		warn_of_loads(loader);
		return;
	}
	if (pace && loader->policy->pace == PACE_EVIDENCE)
		problem_at(loader, pace,
			"no SLO has \"kind: evidence\", so that no step would "
			"be left by it: add it to one, or remove pace");
	if (shared)
		problem_at(loader, shared->key,
			"no SLO has \"kind: evidence\", which this is about: "
			"add it to one, or remove this");
}
