/* SPDX-License-Identifier: Apache-2.0 */
/* PromQL seen from outside; see promql.h. */
#include "policy/promql.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 64 /* of brackets; deeper ones are not looked at */

/* ---- tokens ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_NUMBER,
	TOKEN_STRING, /* with its quotes */
	TOKEN_OPEN_STRING, /* one that is not closed */
	TOKEN_TEMPLATE,
	TOKEN_MARK, /* one character */
};

struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
};

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == ':';
}

static const char *skip_blanks(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '#')
			return p;
		p += strcspn(p, "\n");
	}
}

/* What follows the closing quote; NULL: there is none in this line. A text in
 * backticks may have several, and knows no backslash. */
static const char *skip_string(const char *p)
{
	const char quote = *p++;

	for (; *p && *p != quote; p++) {
		if (quote == '`')
			continue;
		if (*p == '\n')
			return NULL;
		if (*p == '\\' && p[1])
			p++;
	}
	return *p ? p + 1 : NULL;
}

static void token_set(
	struct token *t, enum token_kind kind, const char *at, const char *end)
{
	t->kind = kind;
	t->at = at;
	t->len = (size_t)(end - at);
}

/* The next token at or after `p`; returns what follows it. */
static const char *token_next(const char *p, struct token *t)
{
	const char *start = p = skip_blanks(p), *end;

	if (!*p) {
		token_set(t, TOKEN_END, p, p);
	} else if (!strncmp(p, "{{", 2) && (end = strstr(p, "}}")) != NULL) {
		token_set(t, TOKEN_TEMPLATE, start, end + 2);
	} else if (strchr("\"'`", *p)) {
		end = skip_string(p);
		token_set(t, end ? TOKEN_STRING : TOKEN_OPEN_STRING, start,
			end ? end : p + strcspn(p, "\n"));
	} else if (isdigit((unsigned char)*p) ||
		   (*p == '.' && isdigit((unsigned char)p[1]))) {
		while (isalnum((unsigned char)*p) || *p == '.')
			p++;
		token_set(t, TOKEN_NUMBER, start, p);
	} else if (is_word_char(*p)) {
		while (is_word_char(*p))
			p++;
		token_set(t, TOKEN_WORD, start, p);
	} else {
		token_set(t, TOKEN_MARK, start, p + 1);
	}
	return t->at + t->len;
}

static bool token_is(const struct token *t, const char *text)
{
	return t->len == strlen(text) && !memcmp(t->at, text, t->len);
}

static bool token_ends(const struct token *t, const char *text)
{
	size_t len = strlen(text);

	return t->len >= len && !memcmp(t->at + t->len - len, text, len);
}

static bool token_has(const struct token *t, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + len <= t->len; i++)
		if (!memcmp(t->at + i, text, len))
			return true;
	return false;
}

/* ---- brackets and quotes ---- */

static char closing(char open)
{
	return open == '(' ? ')' : open == '[' ? ']' : '}';
}

bool promql_is_balanced(
	const char *text, size_t *at_r, char why_r[PROMQL_WHY_MAX])
{
	const char *open[DEPTH_MAX], *p = text;
	struct token t = {0};
	size_t depth = 0;

	for (p = token_next(p, &t); t.kind != TOKEN_END;
		p = token_next(p, &t)) {
		*at_r = (size_t)(t.at - text);
		if (t.kind == TOKEN_OPEN_STRING) {
			snprintf(why_r, PROMQL_WHY_MAX,
				"this quote is never closed");
			return false;
		}
		if (t.kind != TOKEN_MARK)
			continue;
		if (strchr("([{", *t.at)) {
			if (depth == DEPTH_MAX)
				return true;
			open[depth++] = t.at;
		} else if (strchr(")]}", *t.at)) {
			if (depth && closing(*open[depth - 1]) == *t.at) {
				depth--;
				continue;
			}
			snprintf(why_r, PROMQL_WHY_MAX,
				depth ? "this \"%c\" comes where \"%c\" is due"
				      : "this \"%c\" closes nothing",
				*t.at, depth ? closing(*open[depth - 1]) : 0);
			return false;
		}
	}
	if (!depth)
		return true;
	*at_r = (size_t)(open[depth - 1] - text);
	snprintf(why_r, PROMQL_WHY_MAX, "this \"%c\" is never closed",
		*open[depth - 1]);
	return false;
}

bool promql_is_selector(const char *text)
{
	struct token t = {0};
	const char *p = token_next(text, &t);
	bool named = t.kind == TOKEN_WORD;

	if (named)
		p = token_next(p, &t);
	if (t.kind == TOKEN_END)
		return named;
	if (!token_is(&t, "{"))
		return false;
	do {
		p = token_next(p, &t);
		if (t.kind == TOKEN_END || t.kind == TOKEN_OPEN_STRING ||
			(t.kind == TOKEN_MARK && strchr("([{)]", *t.at)))
			return false;
	} while (!token_is(&t, "}"));
	(void)token_next(p, &t);
	return t.kind == TOKEN_END;
}

size_t promql_len(const char *text)
{
	struct token t = {0};
	const char *p, *end = text;

	for (p = token_next(text, &t); t.kind != TOKEN_END;
		p = token_next(p, &t))
		end = p;
	return (size_t)(end - text);
}

/* ---- what a query is about ---- */

/* One pass over the tokens. */
struct look {
	struct token label; /* the last word, which may be a label's name */
	char relation[3]; /* what followed it: "=", "=~", … */
	int braces; /* of { } and [ ] around the token */
	struct token metric[2]; /* the first of each side of the division */
	bool divided, has_or, has_failures, has_100, has_1000;
	bool has_quantile, has_bucket, has_sum, has_milliseconds;
	bool has_summary; /* the quantile is a label */
};

static bool is_number(const struct token *t, const char *const numbers[])
{
	for (; *numbers; numbers++)
		if (token_is(t, *numbers))
			return true;
	return false;
}

/* Names of latencies' metrics: of classic histograms, and native ones. */
static void look_at_name(struct look *look, const struct token *t)
{
	static const char *const seconds[] = {
		"_seconds_bucket", "_seconds", NULL};
	static const char *const milliseconds[] = {"_milliseconds_bucket",
		"_milliseconds_sum", "_milliseconds", "_ms_bucket", "_ms_sum",
		"_latencies_bucket", "_latencies", "_latencies_sum", NULL};

	for (size_t i = 0; seconds[i]; i++)
		look->has_bucket |= token_ends(t, seconds[i]);
	look->has_sum |= token_ends(t, "_seconds_sum");
	for (size_t i = 0; milliseconds[i]; i++)
		look->has_milliseconds |= token_ends(t, milliseconds[i]);
}

static void look_at_word(struct look *look, const struct token *t,
	const char *after, struct promql_look *found)
{
	static const char *const differences[] = {
		"delta", "idelta", "deriv", "predict_linear", NULL};

	look->label = *t;
	*look->relation = 0;
	if (look->braces)
		return;
	after = skip_blanks(after);
	if ((*after == '{' || *after == '[') &&
		!look->metric[look->divided].len)
		look->metric[look->divided] = *t;
	look->has_or |= !look->divided && token_is(t, "or");
	if (token_is(t, "histogram_quantile")) {
		look->has_quantile = true;
		if (*after == '(')
			found->quantile = strtod(after + 1, NULL);
	}
	found->may_be_negative |= is_number(t, differences);
	look_at_name(look, t);
}

static void look_at_mark(
	struct look *look, const struct token *t, struct promql_look *found)
{
	size_t len = strlen(look->relation);

	if (strchr("{[", *t->at))
		look->braces++;
	else if (strchr("}]", *t->at))
		look->braces--;
	else if (look->braces && strchr("=~!", *t->at) && len < 2)
		snprintf(look->relation + len, sizeof(look->relation) - len,
			"%c", *t->at);
	else if (!look->braces && *t->at == '/')
		look->divided = true;
	else if (!look->braces && *t->at == '-')
		found->may_be_negative = true;
}

static bool is_equal(const struct look *look)
{
	return !strcmp(look->relation, "=") || !strcmp(look->relation, "=~");
}

static bool string_begins(const struct token *t, const char *const words[])
{
	for (; *words; words++)
		if (!strncasecmp(t->at + 1, *words, strlen(*words)))
			return true;
	return false;
}

/* code=~"5..", status!="OK", response_code_class="5xx", success="false" */
static bool tells_failures(const struct look *look, const struct token *t)
{
	static const char *const bad[] = {"5", "err", "fail", NULL};
	static const char *const good[] = {
		"ok", "success", "1", "2", "3", "(2", "[1", "[2", NULL};
	static const char *const yes[] = {"true", "1", NULL};
	static const char *const no[] = {"false", "0", NULL};
	static const char *const names[] = {
		"code", "status", "class", "result", "outcome", NULL};

	if (token_has(&look->label, "success"))
		return string_begins(t, is_equal(look) ? no : yes);
	if (token_is(&look->label, "error"))
		return string_begins(t, is_equal(look) ? yes : no);
	for (size_t i = 0; names[i]; i++)
		if (token_has(&look->label, names[i]))
			return string_begins(t, is_equal(look) ? bad : good);
	return false;
}

static void look_at_string(struct look *look, const struct token *t)
{
	if (!look->braces || !*look->relation)
		return;
	look->has_summary |= token_is(&look->label, "quantile");
	if (!look->divided)
		look->has_failures |= tells_failures(look, t);
}

static void look_at_token(struct look *look, const struct token *t,
	const char *after, struct promql_look *found)
{
	static const char *const hundred[] = {"100", "100.0", "1e2", NULL};
	static const char *const thousand[] = {
		"1000", "1e3", "0.001", "1e-3", NULL};

	switch (t->kind) {
	case TOKEN_WORD:
		look_at_word(look, t, after, found);
		break;
	case TOKEN_MARK:
		look_at_mark(look, t, found);
		break;
	case TOKEN_STRING:
		look_at_string(look, t);
		break;
	case TOKEN_NUMBER:
		look->has_100 |= is_number(t, hundred);
		look->has_1000 |= is_number(t, thousand);
		break;
	default:
		break;
	}
}

/* The same metric on both sides, or one of failed requests and one of all. */
static bool is_part(const struct token *part, const struct token *whole)
{
	if (!part->len)
		return false;
	if (part->len == whole->len && !memcmp(part->at, whole->at, part->len))
		return true;
	return (token_has(part, "error") || token_has(part, "fail")) &&
	       token_has(whole, "request") && !token_has(whole, "error") &&
	       !token_has(whole, "fail");
}

void promql_look(const char *text, struct promql_look *look_r)
{
	struct look look = {0};
	struct token t = {0};
	bool same, quantile;
	const char *p;

	*look_r = (struct promql_look){0};
	for (p = token_next(text, &t); t.kind != TOKEN_END;
		p = token_next(p, &t))
		look_at_token(&look, &t, p, look_r);
	quantile = look.has_quantile || look.has_summary;
	same = is_part(&look.metric[0], &look.metric[1]);
	look_r->is_share = same && !look.has_100 && !look.has_1000;
	look_r->is_percent = same && look.has_100;
	look_r->needs_or = look.has_failures && !look.has_or;
	look_r->is_seconds =
		!look.has_1000 && ((quantile && look.has_bucket) ||
					  (look.has_sum && look.divided));
	look_r->is_milliseconds = !look.has_1000 && look.has_milliseconds &&
				  (quantile || look.divided);
}
