/*
 * SLOs of kind evidence: raw counters instead of a query's value, and an
 * objective instead of limits. What becomes of them is engine/evidence.h.
 */
#include <string.h>

#include "policy/load_slo.h"
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

/* ---- the keys ---- */

static const struct duration_range interval_range = {
	5 * MS_SECOND, 10 * MS_MINUTE};

static const struct key evidence_slo_keys[] = {
	{"name", &name_reader, MEMBER(name), .need = KEY_REQUIRED,
		.about = "What the SLO is called"},
	{"kind", &choice_reader, MEMBER(kind), slo_kinds, .need = KEY_REQUIRED,
		.about = "How answers become a verdict"},
	{"objective", &share_reader, MEMBER(objective), &objective_range,
		.need = KEY_REQUIRED,
		.about = "The share of bad requests that may be"},
	{"total", &query_reader, MEMBER(total),
		.about = "Counters of all requests, with {{revision}}"},
	{"bad", &query_reader, MEMBER(bad),
		.about = "… of the bad ones among them"},
	{"buckets", &query_reader, MEMBER(buckets),
		.about = "A histogram's counters, instead of the two"},
	{"bound", &bound_reader, MEMBER(bound),
		.about = "Of `buckets`: slower requests are bad"},
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
	.chosen = "evidence", .chosen_by = "kind", .rules = evidence_rules};

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
		if (template_uses(query->text, "window") ||
			strstr(query->text, "rate(") ||
			strstr(query->text, "increase("))
			problem_at(loader, query,
				"%s is a selector of raw counters, such as "
				"http_requests_total{revision=\"{{revision}}\"}"
				": rates and sums are made here",
				keys[i]);
	}
}

void read_evidence_slo(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	bool counts = node_get(node, "total") || node_get(node, "bad");
	bool buckets = node_get(node, "buckets") || node_get(node, "bound");

	slo->tolerance = slo->floor = -1;
	read_section(loader, node, &evidence_slo_section, slo);
	slo->kind = SLO_EVIDENCE;
	if (node->kind != NODE_MAPPING)
		return;
	if (counts == buckets)
		problem_at(loader, node,
			"kind evidence needs \"total\" and \"bad\", or "
			"\"buckets\" and \"bound\"");
	else if (counts && (!node_get(node, "total") || !node_get(node, "bad")))
		problem_at(
			loader, node, "\"total\" and \"bad\" belong together");
	else if (buckets &&
		 (!node_get(node, "buckets") || !node_get(node, "bound")))
		problem_at(loader, node,
			"\"buckets\" and \"bound\" belong together");
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
