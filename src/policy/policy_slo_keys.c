/* Keys that every SLO has, whoever is asked. */
#include <string.h>

#include "policy/load_slo.h"
#include "policy/quantity.h"

struct fail_after_draft {
	int breaches, of;
};

static const struct whole_range fail_range = {1, POLICY_FAIL_OF_MAX};

static const struct key fail_after_keys[] = {
	{"breaches", read_whole, offsetof(struct fail_after_draft, breaches),
		&fail_range, .required = true},
	{"of", read_whole, offsetof(struct fail_after_draft, of), &fail_range,
		.required = true},
	{0},
};

const struct section fail_after_section = {"fail_after", fail_after_keys};

/* `fail_after: N` is N of the last N. */
void read_fail_after(struct loader *loader, const struct node *value,
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

void read_limit(struct loader *loader, const struct node *value,
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

void read_requests_min(struct loader *loader, const struct node *value,
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

const struct choice slo_kinds[] = {
	{"threshold", SLO_THRESHOLD}, {"evidence", -1}, {0}};
const struct choice slo_providers[] = {
	{"prometheus", SLO_PROMETHEUS},
	{"json", SLO_JSON},
	{"sentry", SLO_SENTRY},
	{0},
};
static const struct choice arms[] = {{"stable", 1}, {0}};

void read_kind(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct slo *slo = into;
	int kind;

	if (choose(loader, value, slo_kinds, &kind))
		slo->kind = (enum slo_kind)kind;
}

void read_compare(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct slo *slo = into;
	int arm;

	slo->compare_stable = choose(loader, value, arms, &arm);
}

const struct choice no_data_choices[] = {
	{"wait", NO_DATA_WAIT},
	{"pass", NO_DATA_PASS},
	{"breach", NO_DATA_BREACH},
	{0},
};
const struct choice no_baseline_choices[] = {
	{"no-data", NO_BASELINE_NO_DATA},
	{"skip", NO_BASELINE_SKIP},
	{0},
};
const struct duration_range slo_span_range = {MS_SECOND, MS_DAY};
const struct duration_range slo_timeout_range = {100, 5 * MS_MINUTE};
const struct whole_range passes_range = {1, 1000};
