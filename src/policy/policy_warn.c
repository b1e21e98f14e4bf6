/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is allowed in a policy and hardly meant: warnings, each with its remedy.
 * Nothing here refuses a policy; `check --strict` does.
 */
#include <stdio.h>
#include <string.h>

#include "policy/load_slo.h"
#include "policy/promql.h"
#include "policy/template.h"

#define SECONDS_MUCH 60 /* a latency limit without a unit beyond this */

/* ---- who is asked about ---- */

static bool names_candidate(const struct node *node)
{
	if (node->kind == NODE_SCALAR)
		return template_uses(node->text, "candidate") ||
		       template_uses(node->text, "revision");
	for (const struct node *n = node->first; n; n = n->next)
		if (names_candidate(n))
			return true;
	return false;
}

static bool has_variable(const struct node *node)
{
	if (node->kind == NODE_SCALAR)
		return strstr(node->text, "${") != NULL;
	for (const struct node *n = node->first; n; n = n->next)
		if (has_variable(n))
			return true;
	return false;
}

static bool asks_about_candidate(
	const struct node *slo, const struct asked_key *keys)
{
	const struct node *value;

	for (const struct asked_key *key = keys; key->name; key++) {
		value = node_get(slo, key->name);
		if (value &&
			(names_candidate(value) ||
				(key->may_be_variable && has_variable(value))))
			return true;
	}
	return false;
}

static void warn_of_scope(struct loader *loader, const struct node *node,
	const struct slo *slo, const struct asked_key *keys)
{
	const struct node *requests = node_get(node, "requests");
	const struct node *query = node_get(requests, "query");

	if (slo->scope == SCOPE_SERVICE)
		return;
	if (!asks_about_candidate(node, keys))
		warning_at(loader, place_of(node, keys->name),
			"this names neither {{candidate}} nor {{revision}}: it "
			"judges all revisions at once, and a bad candidate "
			"hides behind stable; ask about the candidate, such as "
			"revision=\"{{candidate}}\", or write \"scope: "
			"service\" when the whole service is meant");
	else if (query && !names_candidate(query))
		warning_at(loader, query,
			"these are the requests of all revisions, however few "
			"reach the candidate: count its own, such as "
			"revision=\"{{candidate}}\"");
}

/* ---- PromQL ---- */

static bool warn_of_brackets(struct loader *loader, const struct node *query)
{
	char why[PROMQL_WHY_MAX], what[2] = "";
	size_t at;

	if (!query || query->kind != NODE_SCALAR ||
		promql_is_balanced(query->text, &at, why))
		return false;
	*what = query->text[at];
	problem_add(&loader->warnings,
		node_span_of(&loader->warnings, query, at, what),
		"PromQL: %s, so that the server would refuse the query: "
		"correct it here",
		why);
	return true;
}

static void warn_of_failures(struct loader *loader, const struct node *query,
	const struct slo *slo, const struct promql_look *look)
{
	if (!look->needs_or || slo->no_data == NO_DATA_PASS)
		return;
	warning_at(loader, query,
		"as long as no request fails, there is no series of failures "
		"and this has no value, which is no pass: write (sum(…) or "
		"vector(0)) for the failures");
}

/* Of one beyond 1 the server makes an infinity, and no error. */
static void warn_of_quantile(struct loader *loader, const struct node *query,
	const struct promql_look *look)
{
	if (look->quantile > 1 && look->quantile <= 100)
		warning_at(loader, query,
			"a quantile is between 0 and 1: of %g the server makes "
			"an infinity; for %g percent write %g",
			look->quantile, look->quantile, look->quantile / 100);
}

/* ---- limits ---- */

enum unit { UNIT_NONE, UNIT_TIME, UNIT_PERCENT };

static enum unit unit_of(const char *text)
{
	const size_t len = strlen(text);

	if (len && text[len - 1] == '%')
		return UNIT_PERCENT;
	return len && strchr("smhd", text[len - 1]) ? UNIT_TIME : UNIT_NONE;
}

/* A limit as it is written, and what it means. */
struct limit {
	const char *key, *text;
	double value;
	bool upper;
};

static void warn_of_share(struct loader *loader, const struct node *node,
	const struct limit *limit, const struct promql_look *look)
{
	enum unit unit = unit_of(limit->text);

	if (look->is_share && limit->value >= 1 && limit->upper)
		warning_at(loader, node,
			"this query gives a share, which is at most 1: nothing "
			"exceeds a %s of %s; for %g percent write %g%%",
			limit->key, limit->text, limit->value, limit->value);
	else if (look->is_share && limit->value > 1)
		warning_at(loader, node,
			"this query gives a share, which is at most 1: every "
			"value is below a %s of %s; for %g percent write %g%%",
			limit->key, limit->text, limit->value, limit->value);
	else if (look->is_percent && unit == UNIT_PERCENT)
		warning_at(loader, node,
			"this query gives percents, and %s is %g: write %g, or "
			"leave out the 100 in the query",
			limit->text, limit->value, limit->value * 100);
}

static void warn_of_unit(struct loader *loader, const struct node *node,
	const struct limit *limit, const struct promql_look *look)
{
	enum unit unit = unit_of(limit->text);

	if (look->is_seconds && unit == UNIT_NONE &&
		limit->value >= SECONDS_MUCH)
		warning_at(loader, node,
			"this query gives seconds: a %s of %s is hardly ever "
			"reached; write %sms for milliseconds, or %ss when "
			"seconds are meant",
			limit->key, limit->text, limit->text, limit->text);
	else if (look->is_milliseconds && unit == UNIT_TIME)
		warning_at(loader, node,
			"this query gives milliseconds, and %s is %g, in "
			"seconds: write %g, or divide the query by 1000",
			limit->text, limit->value, limit->value * 1000);
}

static void warn_of_limit(struct loader *loader, const struct node *node,
	const struct limit *limit, const struct promql_look *look)
{
	if (limit->value < 0 && !look->may_be_negative)
		warning_at(loader, node,
			"counts, shares and times are never below 0: with a %s "
			"of %s %s; write a limit above it",
			limit->key, limit->text,
			limit->upper ? "every check is a breach"
				     : "no check is a breach");
	warn_of_share(loader, node, limit, look);
	warn_of_unit(loader, node, limit, look);
}

static void warn_of_limits(struct loader *loader, const struct node *node,
	const struct slo *slo, const struct promql_look *look)
{
	const struct {
		bool given;
		struct limit limit;
	} limits[] = {
		{slo->has_max, {"max", slo->texts.max, slo->max, true}},
		{slo->has_min, {"min", slo->texts.min, slo->min, false}},
		{slo->has_critical,
			{"critical", slo->texts.critical, slo->critical,
				slo->has_max || !slo->has_min}},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].given)
			warn_of_limit(loader,
				place_of(node, limits[i].limit.key),
				&limits[i].limit, look);
}

/* ---- what evidence compares with ---- */

void warn_of_control(struct loader *loader)
{
	const struct policy *policy = loader->policy;
	const struct node *steps = node_get(loader->root, "steps");
	const struct node *first = steps ? steps->first : NULL;

	if (!first || policy->steps[0].percent <= POLICY_CONTROL_PERCENT_MAX)
		return;
	warning_at(loader, place_of(first, "percent"),
		"%s leaves stable too few requests to compare with: kind "
		"evidence then only knows stable's past, cannot tell a bad "
		"candidate from trouble that stable would have as well, and "
		"cannot step back to ask; begin with a step of 10 percent",
		policy->n_steps == 1 ? "the only step" : "the first step");
}

void warn_of_no_users(struct loader *loader)
{
	const struct policy *policy = loader->policy;
	const struct node *step = node_get(loader->root, "steps");

	step = step ? step->first : NULL;
	for (size_t i = 0; step && i < policy->n_steps; i++, step = step->next)
		if (policy->steps[i].percent == 0)
			warning_at(loader, place_of(step, "percent"),
				"at 0 percent the candidate has no requests of "
				"users, and without requests kind evidence "
				"knows nothing: the step holds; begin with one "
				"percent or more, or test the candidate in "
				"preflight, before it has users");
}

/* ---- together ---- */

void warn_of_slo(struct loader *loader, const struct node *node,
	const struct slo *slo, const struct asked_key *keys)
{
	const struct node *query = node_get(node, "query");
	struct promql_look look = {0};

	warn_of_scope(loader, node, slo, keys);
	if (!slo->json && slo->query && query &&
		!warn_of_brackets(loader, query)) {
		promql_look(slo->query, &look);
		warn_of_failures(loader, query, slo, &look);
		warn_of_quantile(loader, query, &look);
	}
	if (!slo->json) {
		(void)warn_of_brackets(loader, node_get(node, "baseline"));
		(void)warn_of_brackets(
			loader, node_get(node_get(node, "requests"), "query"));
	}
	warn_of_limits(loader, node, slo, &look);
}
