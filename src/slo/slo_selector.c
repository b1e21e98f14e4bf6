/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors of counters; see slo_selector.h. */
#include "slo/slo_selector.h"

#include <stdio.h>
#include <string.h>

#include "base/label_value.h"
#include "policy/match.h"

#define SELECTOR_TEXT_MAX (64 * 1024)
#define PATTERN_MAX       512

static const char *const relations[] = {
	[MATCHER_EQUALS] = "=",
	[MATCHER_DIFFERS] = "!=",
	[MATCHER_LIKE] = "=~",
	[MATCHER_UNLIKE] = "!~",
};

/* ---- reading ---- */

static const char *skip_blanks(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n,");
		if (*p != '#')
			return p;
		p += strcspn(p, "\n");
	}
}

/* Templates, and then what PromQL's quotes escape; NULL: a template of one
 * revision, or (with err_r) one without a value. */
static const char *read_value(const char *text, size_t len, char quote,
	const struct template_values *values, struct arena *arena,
	bool *is_revision_r, struct err *err_r)
{
	static const char *const revisions[] = {
		"revision", "candidate", "stable"};
	const struct {
		const char *name, *value;
	} known[] = {{"project", values->project}, {"region", values->region},
		{"service", values->service}};
	const char *raw = arena_strndup(arena, text, len);
	struct buf out;

	*is_revision_r = false;
	for (size_t i = 0; i < sizeof(revisions) / sizeof(*revisions); i++)
		*is_revision_r |= template_uses(raw, revisions[i]);
	if (*is_revision_r)
		return "";
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i].value || !template_uses(raw, known[i].name))
			continue;
		err_set(err_r, ERR_USAGE,
			"{{%s}} is not known: set target.%s in the policy, or "
			"give --%s",
			known[i].name, known[i].name, known[i].name);
		return NULL;
	}
	buf_init(&out, SELECTOR_TEXT_MAX);
	template_render(
		&out, raw, values, quote == '`' ? ESCAPE_NONE : ESCAPE_PROMQL);
	raw = arena_strndup(arena, out.data, out.len);
	buf_clear(&out);
	for (; *raw; raw++) {
		if (quote != '`' && *raw == '\\' && raw[1])
			raw++;
		else {
			buf_addc(&out, *raw);
			continue;
		}
		buf_addc(&out, *raw == 'n' ? '\n' : *raw == 't' ? '\t' : *raw);
	}
	raw = arena_strndup(arena, out.data, out.len);
	buf_fini(&out);
	return raw;
}

/* One matcher; returns what follows it, NULL with err_r. */
static const char *read_matcher(struct selector *selector, const char *p,
	const struct template_values *values, struct arena *arena,
	struct err *err_r)
{
	size_t label_len = strcspn(p, "=!~ \t\r\n"), len;
	struct slo_matcher matcher = {
		.label = arena_strndup(arena, p, label_len)};
	bool is_revision;
	char quote;

	p = skip_blanks(p + label_len);
	if (!strncmp(p, "=~", 2))
		matcher.relation = MATCHER_LIKE;
	else if (!strncmp(p, "!~", 2))
		matcher.relation = MATCHER_UNLIKE;
	else if (!strncmp(p, "!=", 2))
		matcher.relation = MATCHER_DIFFERS;
	p = skip_blanks(p + strlen(relations[matcher.relation]));
	quote = *p++;
	if (!quote || !strchr("\"'`", quote)) {
		err_set(err_r, ERR_POLICY, "\"%.60s\" is no matcher", p - 1);
		return NULL;
	}
	for (len = 0; p[len] && p[len] != quote; len++)
		if (p[len] == '\\' && quote != '`' && p[len + 1])
			len++;
	matcher.value =
		read_value(p, len, quote, values, arena, &is_revision, err_r);
	if (!matcher.value ||
		(!is_revision && selector_add(selector, &matcher, err_r) < 0))
		return NULL;
	return p + len + (p[len] == quote);
}

int selector_parse(struct selector *selector_r, const char *text,
	const struct template_values *values, struct arena *arena,
	struct err *err_r)
{
	const char *p = skip_blanks(text);
	size_t len = strcspn(p, "{ \t\r\n#");

	*selector_r = (struct selector){.metric = arena_strndup(arena, p, len)};
	p = skip_blanks(p + len);
	if (*p != '{')
		return 0;
	for (p = skip_blanks(p + 1); *p && *p != '}'; p = skip_blanks(p)) {
		p = read_matcher(selector_r, p, values, arena, err_r);
		if (!p)
			return -1;
	}
	return 0;
}

int selector_add(struct selector *selector, const struct slo_matcher *matcher,
	struct err *err_r)
{
	if (selector->n == SELECTOR_MATCHERS_MAX)
		return err_set(err_r, ERR_LIMIT,
			"%.80s has more than %d matchers", selector->metric,
			SELECTOR_MATCHERS_MAX);
	selector->matcher[selector->n++] = *matcher;
	return 0;
}

bool selector_has(const struct selector *selector, const char *label)
{
	for (size_t i = 0; i < selector->n; i++)
		if (!strcmp(selector->matcher[i].label, label))
			return true;
	return false;
}

const char *selector_print(const struct selector *selector, struct arena *arena)
{
	const char *text;
	struct buf out;

	buf_init(&out, SELECTOR_TEXT_MAX);
	buf_adds(&out, selector->metric);
	if (selector->n || !*selector->metric)
		buf_addc(&out, '{');
	for (size_t i = 0; i < selector->n; i++) {
		const struct slo_matcher *m = &selector->matcher[i];

		buf_addf(&out, "%s%s%s\"", i ? "," : "", m->label,
			relations[m->relation]);
		label_value_add(&out, m->value);
		buf_addc(&out, '"');
	}
	if (selector->n || !*selector->metric)
		buf_addc(&out, '}');
	text = arena_strndup(arena, out.data, out.len);
	buf_fini(&out);
	return text;
}

/* ---- an example ---- */

/* As Prometheus does, a pattern matches all of the value. */
static bool matches(const struct slo_matcher *matcher, const char *value)
{
	char pattern[PATTERN_MAX];
	bool like = false;
	struct err err;

	if (matcher->relation == MATCHER_LIKE ||
		matcher->relation == MATCHER_UNLIKE) {
		if (strlen(matcher->value) + 8 > sizeof(pattern))
			return false;
		snprintf(pattern, sizeof(pattern), "^(?:%s)$", matcher->value);
		like = match_find(pattern, value, strlen(value), &err) == 1;
	}
	switch (matcher->relation) {
	case MATCHER_EQUALS:
		return !strcmp(matcher->value, value);
	case MATCHER_DIFFERS:
		return strcmp(matcher->value, value) != 0;
	case MATCHER_LIKE:
		return like;
	case MATCHER_UNLIKE:
		return !like;
	}
	return false;
}

static bool are_met(
	const struct selector *selector, const char *label, const char *value)
{
	for (size_t i = 0; selector && i < selector->n; i++)
		if (!strcmp(selector->matcher[i].label, label) &&
			!matches(&selector->matcher[i], value))
			return false;
	return true;
}

/* What labels usually hold, those of good requests first, and each value that
 * is named. NULL: there are no more. */
static const char *candidate_value(
	const struct selector *const from[3], const char *label, size_t at)
{
	static const char *const usual[] = {"200", "2xx", "OK", "ok", "success",
		"false", "GET", "/", "500", "503", "5xx", "404", "4xx", "ERROR",
		"error", "INTERNAL", "failure", "true", "POST", "a", "1", ""};
	size_t n = sizeof(usual) / sizeof(*usual);

	for (size_t s = 0; s < 3; s++)
		for (size_t i = 0; from[s] && i < from[s]->n; i++) {
			const struct slo_matcher *m = &from[s]->matcher[i];

			if (strcmp(m->label, label) != 0 ||
				(m->relation != MATCHER_EQUALS &&
					m->relation != MATCHER_DIFFERS))
				continue;
			if (!at--)
				return m->value;
		}
	return at < n ? usual[at] : NULL;
}

/* The first value of the label that suits; NULL: none does. `against`: one that
 * this matcher refuses. */
static const char *choose(const struct selector *const from[3],
	const char *label, const struct slo_matcher *against)
{
	const char *value;

	for (size_t i = 0; (value = candidate_value(from, label, i)); i++)
		if (are_met(from[0], label, value) &&
			are_met(from[1], label, value) &&
			(!against || !matches(against, value)))
			return value;
	return NULL;
}

static bool add_labels(const struct selector *const from[3],
	const struct selector *of, struct selector *labels)
{
	struct err err;

	for (size_t i = 0; of && i < of->n; i++) {
		const char *label = of->matcher[i].label;
		const char *value;

		if (selector_has(labels, label))
			continue;
		value = choose(from, label, NULL);
		if (!value || selector_add(labels,
				      &(struct slo_matcher){
					      label, MATCHER_EQUALS, value},
				      &err) < 0)
			return false;
	}
	return true;
}

/* One label by which it is not selected is enough. */
static bool add_difference(const struct selector *const from[3],
	const struct selector * not, struct selector *labels)
{
	struct err err;

	for (size_t i = 0; i < not ->n; i++) {
		const struct slo_matcher *m = &not ->matcher[i];
		const char *value = choose(from, m->label, m);

		if (value)
			return selector_add(labels,
				       &(struct slo_matcher){
					       m->label, MATCHER_EQUALS, value},
				       &err) == 0;
	}
	return false;
}

bool selector_example(const struct selector *selector,
	const struct selector *also, const struct selector * not,
	struct selector *labels_r)
{
	const struct selector *const from[3] = {selector, also, not };

	*labels_r = (struct selector){.metric = selector->metric};
	if (not &&!add_difference(from, not, labels_r))
		return false;
	return add_labels(from, selector, labels_r) &&
	       add_labels(from, also, labels_r);
}
