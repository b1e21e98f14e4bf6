/* SPDX-License-Identifier: Apache-2.0 */
/* {{templates}}: finding, checking and filling in; see template.h. */
#define _GNU_SOURCE /* strcasestr */
#include "policy/template.h"

#include <string.h>

#include "base/label_value.h"
#include "base/suggest.h"

#define NAME_SHOWN_MAX 40 /* bytes of an unknown name that a message repeats */

static const struct known {
	const char *name;
	size_t offset; /* of its text in struct template_values */
} known[] = {
#define KNOWN(name)                                           \
	{                                                     \
#name, offsetof(struct template_values, name) \
	}
	KNOWN(candidate),
	KNOWN(stable),
	KNOWN(revision),
	KNOWN(candidate_url),
	KNOWN(service),
	KNOWN(project),
	KNOWN(region),
	KNOWN(window),
	KNOWN(percent),
	KNOWN(rollout),
	KNOWN(reason),
#undef KNOWN
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

/* One {{name}} in a text; blanks around the name do not count. */
struct tag {
	const char *open; /* at "{{" */
	const char *name;
	size_t len;
	const char *end; /* after "}}"; NULL: it is not closed */
};

static bool tag_find(const char *text, struct tag *tag)
{
	const char *close;

	tag->open = strstr(text, "{{");
	if (!tag->open)
		return false;
	tag->name = tag->open + 2;
	close = strstr(tag->name, "}}");
	tag->end = close ? close + 2 : NULL;
	if (!close)
		return true;
	while (tag->name < close && *tag->name == ' ')
		tag->name++;
	while (close > tag->name && close[-1] == ' ')
		close--;
	tag->len = (size_t)(close - tag->name);
	return true;
}

static bool tag_is(const struct tag *tag, const char *name)
{
	return strlen(name) == tag->len &&
	       memcmp(tag->name, name, tag->len) == 0;
}

static const struct known *tag_known(const struct tag *tag)
{
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		if (tag_is(tag, known[i].name))
			return &known[i];
	}
	return NULL;
}

static void unknown_name(const struct tag *tag, struct err *err_r)
{
	char word[SUGGEST_WORD_MAX + 1] = "";
	struct suggest suggest = {.word = word};
	int shown = tag->len < NAME_SHOWN_MAX ? (int)tag->len : NAME_SHOWN_MAX;

	if (tag->len <= SUGGEST_WORD_MAX)
		memcpy(word, tag->name, tag->len);
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		suggest_try(&suggest, known[i].name);
	if (suggest.best)
		err_set(err_r, ERR_POLICY,
			"unknown template {{%.*s}}: did you mean {{%s}}?",
			shown, tag->name, suggest.best);
	else
		err_set(err_r, ERR_POLICY,
			"unknown template {{%.*s}}: there are candidate, "
			"stable, revision, candidate_url, service, project, "
			"region, window, percent, rollout and reason",
			shown, tag->name);
}

size_t template_check(const char *text, template_problem_fn fn, void *arg)
{
	const char *rest = text;
	size_t problems = 0;
	struct err err;
	struct tag tag;

	for (; rest && tag_find(rest, &tag); rest = tag.end) {
		if (tag.end && tag_known(&tag))
			continue;
		if (tag.end)
			unknown_name(&tag, &err);
		else
			err_set(&err, ERR_POLICY,
				"this \"{{\" is never closed: a template is "
				"written {{name}}");
		if (fn)
			fn((size_t)(tag.open - text), &err, arg);
		problems++;
	}
	return problems;
}

/* ---- literals ---- */

/* {{{}} is rendered as one brace: no policy can write it, as no name is so. */
#define BRACE_NAME "{"

void template_add_literal(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '{')
			buf_adds(out, "{{" BRACE_NAME "}}");
		else
			buf_addc(out, bytes[i]);
	}
}

/* ---- escaping ---- */

static void add_json(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if ((unsigned char)*value < 0x20) {
			buf_addf(out, "\\u%04x", (unsigned)*value);
			continue;
		}
		if (*value == '\\' || *value == '"')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
}

/* All but the unreserved characters of RFC 3986. */
static void add_url(struct buf *out, const char *value)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~";

	for (; *value; value++) {
		if (strchr(unreserved, *value))
			buf_addc(out, *value);
		else
			buf_addf(out, "%%%02X", (unsigned char)*value);
	}
}

/* Characters that XML 1.0 cannot hold, in no spelling, become blanks. */
static void add_xml(struct buf *out, const char *value)
{
	static const char special[] = "&<>\"'";

	for (; *value; value++) {
		if (strchr(special, *value))
			buf_addf(out, "&#%d;", *value);
		else if ((unsigned char)*value < 0x20 &&
			 !strchr("\t\n\r", *value))
			buf_addc(out, ' ');
		else
			buf_addc(out, *value);
	}
}

static void add_glob(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (strchr("*?[]\\", *value))
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
}

/* A value is a part of one name: it leads into no other folder. */
static void add_path(struct buf *out, const char *value)
{
	const char *start = value;

	for (; *value; value++)
		buf_addc(out, *value == '/' || (value == start && *value == '.')
				      ? '_'
				      : *value);
}

static void add_value(struct buf *out, const struct tag *tag, const char *value,
	enum template_escape escape)
{
	switch (escape) {
	case ESCAPE_NONE:
		buf_adds(out, value);
		break;
	case ESCAPE_PROMQL:
		label_value_add(out, value);
		break;
	case ESCAPE_URL:
		if (tag_is(tag, "candidate_url"))
			buf_adds(out, value);
		else
			add_url(out, value);
		break;
	case ESCAPE_JSON:
		add_json(out, value);
		break;
	case ESCAPE_FORM:
		add_url(out, value);
		break;
	case ESCAPE_XML:
		add_xml(out, value);
		break;
	case ESCAPE_GLOB:
		add_glob(out, value);
		break;
	case ESCAPE_PATH:
		add_path(out, value);
		break;
	}
}

enum template_escape template_escape_of(const char *content_type)
{
	if (strcasestr(content_type, "json"))
		return ESCAPE_JSON;
	if (strcasestr(content_type, "x-www-form-urlencoded"))
		return ESCAPE_FORM;
	if (strcasestr(content_type, "xml") || strcasestr(content_type, "html"))
		return ESCAPE_XML;
	return ESCAPE_NONE;
}

void template_render(struct buf *out, const char *text,
	const struct template_values *values, enum template_escape escape)
{
	const struct known *name;
	const char *value;
	struct tag tag;

	for (; tag_find(text, &tag) && tag.end; text = tag.end) {
		buf_add(out, text, (size_t)(tag.open - text));
		if (tag_is(&tag, BRACE_NAME))
			buf_adds(out, BRACE_NAME);
		name = tag_known(&tag);
		if (!name)
			continue;
		memcpy(&value, (const char *)values + name->offset,
			sizeof(value));
		if (value)
			add_value(out, &tag, value, escape);
	}
	buf_adds(out, text);
}

bool template_uses(const char *text, const char *name)
{
	struct tag tag;

	for (; tag_find(text, &tag) && tag.end; text = tag.end) {
		if (tag_is(&tag, name))
			return true;
	}
	return false;
}

bool template_starts_with(const char *text, const char *name)
{
	struct tag tag;

	return tag_find(text, &tag) && tag.open == text && tag.end &&
	       tag_is(&tag, name);
}
