/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader of OpenMetrics; see openmetrics.h. */
#include "openmetrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define NAMES_MAX  8192
#define LINE_BYTES 4096
#define NAME_START "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:"
#define NAME_MORE  NAME_START "0123456789"

static const struct {
	const char *type;
	const char *suffixes[4]; /* of samples; NULL ends them */
} types[] = {
	{"gauge", {""}},
	{"unknown", {""}},
	{"counter", {"_total", "_created"}},
	{"info", {"_info"}},
	{"histogram", {"_bucket", "_count", "_sum", "_created"}},
};
#define TYPES (sizeof(types) / sizeof(*types))

struct reading {
	char family[256];
	size_t type;
	bool has_help;
	char *name[NAMES_MAX]; /* of families with their suffixes */
	char *series[NAMES_MAX]; /* seen in this page */
	size_t n_names, n_series;
	char bucket[LINE_BYTES]; /* its labels without le */
	double last; /* of the buckets before; NAN: none */
	char trouble[LINE_BYTES];
};

static bool fail(struct reading *r, const char *why, const char *line)
{
	snprintf(r->trouble, sizeof(r->trouble), "%s: %.3000s", why, line);
	return false;
}

static bool put(char **list, size_t *n, const char *text)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(list[i], text))
			return false;
	if (*n == NAMES_MAX)
		return false;
	list[(*n)++] = xstrdup(text);
	return true;
}

static bool is_name(const char *text, size_t len)
{
	return len && strchr(NAME_START, *text) &&
	       strspn(text, NAME_MORE) >= len;
}

/* ---- "# TYPE name type" ---- */

static bool read_type(struct reading *r, const char *line)
{
	const char *name = line + strlen("# TYPE ");
	size_t len = strcspn(name, " ");
	char full[300];

	if (!is_name(name, len) || len >= sizeof(r->family))
		return fail(r, "no name", line);
	snprintf(r->family, sizeof(r->family), "%.*s", (int)len, name);
	for (r->type = 0; r->type < TYPES; r->type++)
		if (!strcmp(name + len + (name[len] == ' '),
			    types[r->type].type))
			break;
	if (r->type == TYPES)
		return fail(r, "no type", line);
	r->has_help = false;
	r->last = NAN;
	r->bucket[0] = '\0';
	/* Neither the family nor what its samples are called is another's. */
	if (*types[r->type].suffixes[0] &&
		!put(r->name, &r->n_names, r->family))
		return fail(r, "a name that is there already", line);
	for (size_t i = 0; i < 4 && types[r->type].suffixes[i]; i++) {
		snprintf(full, sizeof(full), "%s%s", r->family,
			types[r->type].suffixes[i]);
		if (!put(r->name, &r->n_names, full))
			return fail(r, "a name that is there already", line);
	}
	return true;
}

static bool read_help(struct reading *r, const char *line)
{
	const char *name = line + strlen("# HELP ");
	size_t len = strcspn(name, " ");

	if (r->has_help || len != strlen(r->family) ||
		strncmp(name, r->family, len) != 0)
		return fail(r, "help of another family", line);
	r->has_help = true;
	for (const char *p = name + len; *p; p++) {
		if (*p == '"')
			return fail(r, "a quote that is not escaped", line);
		if (*p == '\\' && !strchr("\\n\"", *++p))
			return fail(r, "no escape", line);
	}
	return true;
}

/* ---- samples ---- */

/* Past the closing brace; NULL: they are wrong. */
static const char *read_labels(const char *at)
{
	size_t len;

	for (at++;; at++) {
		len = strcspn(at, "=");
		if (!is_name(at, len) || at[len] != '=' || at[len + 1] != '"')
			return NULL;
		for (at += len + 2; *at != '"'; at++) {
			if (!*at || (*at == '\\' && !strchr("\\n\"", *++at)))
				return NULL;
		}
		if (*++at == '}')
			return at + 1;
		if (*at != ',')
			return NULL;
	}
}

/* Buckets of one histogram follow each other, and hold more and more. */
static bool read_bucket(
	struct reading *r, const char *line, double value, bool is_count)
{
	const char *le = strstr(line, "le=\"");
	char labels[LINE_BYTES];
	const char *open = strchr(line, '{');

	snprintf(labels, sizeof(labels), "%.*s",
		is_count ? (open ? (int)strcspn(open + 1, "}") : 0)
			 : (int)(le - open - 1),
		open ? open + 1 : "");
	if (*labels && labels[strlen(labels) - 1] == ',')
		labels[strlen(labels) - 1] = '\0';
	if (strcmp(labels, r->bucket) != 0)
		r->last = NAN;
	snprintf(r->bucket, sizeof(r->bucket), "%s", labels);
	if (is_count)
		return r->last == value ||
		       fail(r, "not the count of the last bucket", line);
	if (r->last > value)
		return fail(r, "a bucket with less than the one before", line);
	r->last = value;
	return true;
}

static bool read_value(struct reading *r, const char *line, const char *text,
	const char *suffix)
{
	char *end;
	double value = strtod(text, &end);

	if (!*text || *end ||
		(strspn(text, "+-.0123456789e") != strlen(text) &&
			strcmp(text, "NaN") != 0 && strcmp(text, "+Inf") != 0 &&
			strcmp(text, "-Inf") != 0))
		return fail(r, "no number", line);
	if (*suffix && strcmp(suffix, "_sum") != 0 &&
		!(value >= 0 && value < INFINITY))
		return fail(r, "a counter below 0 or without an end", line);
	if (!strcmp(suffix, "_info") && value != 1)
		return fail(r, "an info that is not 1", line);
	if (!strcmp(suffix, "_bucket")) {
		if (!strstr(line, "le=\""))
			return fail(r, "a bucket without a bound", line);
		return read_bucket(r, line, value, false);
	}
	return strcmp(suffix, "_count") != 0 ||
	       read_bucket(r, line, value, true);
}

static bool read_sample(struct reading *r, const char *line)
{
	size_t len = strcspn(line, "{ "), family = strlen(r->family);
	const char *at = line + len, *suffix = NULL;
	char series[LINE_BYTES];

	if (!family || !is_name(line, len) || len < family ||
		strncmp(line, r->family, family) != 0)
		return fail(r, "a sample of another family", line);
	for (size_t i = 0; i < 4 && types[r->type].suffixes[i]; i++)
		if (strlen(types[r->type].suffixes[i]) == len - family &&
			!strncmp(line + family, types[r->type].suffixes[i],
				len - family))
			suffix = types[r->type].suffixes[i];
	if (!suffix)
		return fail(r, "a sample of another name", line);
	if (*at == '{')
		at = read_labels(at);
	if (!at || *at != ' ')
		return fail(r, "wrong labels", line);
	snprintf(series, sizeof(series), "%.*s", (int)(at - line), line);
	if (!put(r->series, &r->n_series, series))
		return fail(r, "a series that is there already", line);
	return read_value(r, line, at + 1, suffix);
}

static bool read_line(struct reading *r, const char *line)
{
	if (!strncmp(line, "# TYPE ", 7))
		return read_type(r, line);
	if (!strncmp(line, "# HELP ", 7))
		return read_help(r, line);
	if (!*line || *line == '#')
		return fail(r, "neither a sample nor about a family", line);
	return read_sample(r, line);
}

const char *openmetrics_trouble(const char *text)
{
	static char trouble[LINE_BYTES];
	struct reading *r = xcalloc(1, sizeof(*r));
	char *copy = xstrdup(text), *rest = copy, *line;
	bool ended = false;

	while (!*r->trouble && (line = strsep(&rest, "\n")) && rest) {
		if (ended)
			(void)fail(r, "something after the end", line);
		ended = !strcmp(line, "# EOF");
		if (!ended)
			(void)read_line(r, line);
	}
	if (!*r->trouble && (!ended || *line))
		(void)fail(r, "it has no end", "");
	snprintf(trouble, sizeof(trouble), "%s", r->trouble);
	for (size_t i = 0; i < r->n_names; i++)
		free(r->name[i]);
	for (size_t i = 0; i < r->n_series; i++)
		free(r->series[i]);
	free(copy);
	free(r);
	return *trouble ? trouble : NULL;
}

char *metrics_series(const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *line;
	struct buf out;

	buf_init(&out, strlen(text) + 1);
	while ((line = strsep(&rest, "\n")))
		if (*line && *line != '#')
			buf_addf(&out, "%s\n", line);
	free(copy);
	return buf_steal(&out);
}
