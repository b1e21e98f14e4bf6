/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that every SLO has, whoever is asked. */
#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "policy/load_slo.h"
#include "policy/quantity.h"
#include "policy/unit.h"

struct fail_after_draft {
	int breaches, of;
};

static const struct whole_range fail_range = {1, POLICY_FAIL_OF_MAX};

static const struct key fail_after_keys[] = {
	{"breaches", &whole_reader, offsetof(struct fail_after_draft, breaches),
		&fail_range, .need = KEY_REQUIRED,
		.about = "So many breaches …"},
	{"of", &whole_reader, offsetof(struct fail_after_draft, of),
		&fail_range, .need = KEY_REQUIRED,
		.about = "… of the last checks that passed or breached"},
	{0},
};

static const struct section fail_after_section = {"fail_after", fail_after_keys,
	.def = "fail_after",
	.about = "When breaches add up to a failure; a number N: N of N"};

/* `fail_after: N` is N of the last N. */
static void read_fail_after(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct fail_after_draft draft = {0};
	struct slo *slo = into;

	if (value->kind == NODE_SCALAR) {
		if (whole_number(loader, value, &fail_range, &draft.breaches))
			draft.of = draft.breaches;
	} else {
		read_section(loader, value, &fail_after_section, &draft);
	}
	if (!draft.breaches || !draft.of)
		return;
	if (draft.breaches > draft.of) {
		problem_at(loader, value,
			"%d breaches of %d checks cannot be: breaches is at "
			"most of",
			draft.breaches, draft.of);
		return;
	}
	slo->fail_breaches = draft.breaches;
	slo->fail_of = draft.of;
}

static const struct reader fail_after_reader = {read_fail_after,
	"a number or a mapping",
	"'oneOf': [{'type': 'integer', 'minimum': 1, 'maximum': 64}, "
	"{'$ref': '#/$defs/fail_after'}]",
	.sections = (const struct section *const[]){&fail_after_section, NULL}};

/* Where a limit goes: the number, whether there is one, the text. */
struct limit_key {
	size_t given, text;
	double min; /* the least it may be */
};

static void read_limit(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const struct limit_key *limit = key->detail;
	const char *text = plain_text(loader, value);
	struct err err;
	double number;

	if (!text)
		return;
	if (quantity_parse(text, &number, &err) < 0) {
		problem_at(loader, value, "%s", err.text);
		return;
	}
	if (number < limit->min) {
		problem_at(loader, value, "%s of %s is below %g", key->name,
			text, limit->min);
		return;
	}
	*(double *)((char *)into + key->offset) = number;
	*(bool *)((char *)into + limit->given) = true;
	*(const char **)((char *)into + limit->text) = text;
}

static const struct reader limit_reader = {
	read_limit, "a limit", LIMIT_SCHEMA, .def = "limit"};

static void read_requests_min(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	struct slo *slo = into;
	struct err err;
	double number;

	if (!text)
		return;
	if (quantity_parse(text, &number, &err) < 0 || number < 1 ||
		strpbrk(text, "%smhd"))
		problem_at(loader, value,
			"\"%.40s\" is not a number of requests: write 1 or "
			"more",
			text);
	else
		slo->requests_min = number;
}

const struct reader requests_min_reader = {
	read_requests_min, "1 or more", "'type': 'number', 'minimum': 1"};

static void read_query(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *query = template_text(loader, value);

	if (query)
		*(const char **)((char *)into + key->offset) = query;
}

const struct reader query_reader = {
	read_query, "a query", TEXT_SCHEMA ", 'minLength': 1", .def = "query"};

/* What the values are shown with. */
static void read_unit(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);

	if (!text)
		return;
	if (!*text || strlen(text) > UNIT_NAME_MAX || strpbrk(text, " \t\n") ||
		is_digit(*text))
		problem_at(loader, value,
			"\"%.40s\" is no unit: write one word of at most %d "
			"bytes, as MiB, ms or requests/s",
			text, UNIT_NAME_MAX);
	else
		*(const char **)((char *)into + key->offset) = text;
}

static const struct reader unit_reader = {read_unit, "a word",
	"'type': 'string', 'minLength': 1, 'maxLength': 16, "
	"'pattern': '^[^0-9 \\t\\n][^ \\t\\n]*$'"};

const struct choice slo_kinds[] = {
	{"threshold", SLO_THRESHOLD}, {"evidence", SLO_EVIDENCE}, {0}};
#define TYPE(provider, name, text, asked) {text, SLO_##provider},
static const struct choice providers[] = {SLO_PROVIDER_TYPES(TYPE){0}};
#undef TYPE
static const struct choice arms[] = {{"stable", true}, {0}};
static const struct choice no_data_choices[] = {
	{"wait", NO_DATA_WAIT},
	{"pass", NO_DATA_PASS},
	{"breach", NO_DATA_BREACH},
	{0},
};
static const struct choice no_baseline_choices[] = {
	{"no-data", NO_BASELINE_NO_DATA},
	{"skip", NO_BASELINE_SKIP},
	{0},
};
static const struct choice scopes[] = {
	{"candidate", SCOPE_CANDIDATE},
	{"service", SCOPE_SERVICE},
	{0},
};
static const struct duration_range span_range = {MS_SECOND, MS_DAY};
static const struct whole_range passes_range = {1, 1000};
const struct duration_range slo_timeout_range = {100, 5 * MS_MINUTE};

#define MEMBER(m) offsetof(struct slo, m)
#define LIMIT(m, least)                                 \
	MEMBER(m), &(const struct limit_key)            \
	{                                               \
		MEMBER(has_##m), MEMBER(texts.m), least \
	}

static const struct key every_slo_keys[] = {
	{"kind", &choice_reader, MEMBER(kind), slo_kinds, .value = "threshold",
		.about = "How answers become a verdict"},
	{"provider", &choice_reader, MEMBER(provider), providers,
		.value = "prometheus", .about = "Who is asked"},
	{"max", &limit_reader, LIMIT(max, -INFINITY),
		.about = "Breach when the value is above"},
	{"min", &limit_reader, LIMIT(min, -INFINITY),
		.about = "Breach when the value is below"},
	{"critical", &limit_reader, LIMIT(critical, -INFINITY),
		.about = "One check beyond this fails the SLO at once"},
	{"compare", &flag_reader, MEMBER(compare_stable), arms,
		.about = "Ask again with {{revision}} = stable"},
	{"max_ratio", &limit_reader, LIMIT(max_ratio, 0),
		.about = "Breach above so many times the baseline"},
	{"max_increase", &limit_reader, LIMIT(max_increase, 0),
		.about = "Breach above the baseline plus this"},
	{"unit", &unit_reader, MEMBER(unit),
		.about = "What the value counts, for people; % and durations "
			 "say it themselves"},
	{"window", &duration_reader, MEMBER(window_ms), &span_range,
		.value = "2m", .about = "What {{window}} stands for"},
	{"interval", &duration_reader, MEMBER(interval_ms), &span_range,
		.value = "30s", .about = "From one check to the next"},
	{"fail_after", &fail_after_reader, .value = "{'breaches': 2, 'of': 3}",
		.about = "When breaches add up; N is N of the last N"},
	{"min_passes", &whole_reader, MEMBER(min_passes), &passes_range,
		.value = "3", .about = "In each step, before it may be left"},
	{"no_data", &choice_reader, MEMBER(no_data), no_data_choices,
		.value = "wait", .about = "What no data counts as"},
	{"no_baseline", &choice_reader, MEMBER(no_baseline),
		no_baseline_choices, .value = "no-data",
		.about = "skip: without a baseline max and min decide"},
	{"scope", &choice_reader, MEMBER(scope), scopes, .value = "candidate",
		.about = "service: judges all revisions, as is meant"},
	{0},
};

const struct section every_slo_section = {
	"every SLO", every_slo_keys, .about = "Whoever is asked"};

const struct rule slo_rules[] = {
	{RULE_ANY_OF, {"max", "min", "max_ratio", "max_increase"}},
	{RULE_NOT_BOTH, {"compare", "baseline"}},
	{RULE_END},
};
