/* SPDX-License-Identifier: Apache-2.0 */
/* Labels as they are compared; see labels.h. */
#include "metrics/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "metrics/answer_codec.h"

#define NAME_BYTES_MAX  1024 /* of a label's name, with the NUL */
#define VALUE_BYTES_MAX 8192
#define TEXT_BYTES_MAX  65536 /* of all of them */

struct label {
	const char *name, *value;
};

static bool read_bound(struct scan *s, const char *text, double *le_r)
{
	char shown[64];

	if (sample_value_parse(text, strlen(text), le_r) == 0 &&
		!isnan(*le_r) && *le_r > -INFINITY)
		return true;
	printable_copy(shown, sizeof(shown), text);
	return scan_fail(s, "the label le is \"%s\", not a bound", shown);
}

static bool read_label(
	struct scan *s, struct arena *arena, struct label *label_r)
{
	char name[NAME_BYTES_MAX];

	if (!scan_key(s, name, sizeof(name)) ||
		!scan_text(s, arena, VALUE_BYTES_MAX, &label_r->value))
		return false;
	if (!*name || strlen(name) == sizeof(name) - 1)
		return scan_fail(s, "the name of a label is empty or too long");
	label_r->name = arena_strdup(arena, name);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct label *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void print(struct buf *out, const struct label *label, size_t n)
{
	struct jsonw w = {.out = out};
	size_t i;

	buf_addc(out, '{');
	for (i = 0; i < n; i++) {
		jsonw_text(&w, NULL, label[i].name);
		buf_addc(out, ':');
		w.comma = false;
		jsonw_text(&w, NULL, label[i].value);
	}
	buf_addc(out, '}');
}

static bool take(struct scan *s, struct arena *arena, struct label *label,
	size_t n, struct labels *labels)
{
	struct buf text;
	size_t i;

	qsort(label, n, sizeof(*label), by_name);
	for (i = 1; i < n; i++) {
		if (strcmp(label[i - 1].name, label[i].name) == 0)
			return scan_fail(s, "a series has a label twice");
	}
	buf_init(&text, TEXT_BYTES_MAX);
	print(&text, label, n);
	if (text.overflow)
		scan_fail(s, "a series has too much in its labels");
	else
		labels->text = arena_strndup(arena, text.data, text.len);
	buf_fini(&text);
	return !s->failed;
}

/* ---- the short way ---- */

/* A label where it stands in the answer, with nothing to unescape. */
struct slice {
	const char *name, *value;
	size_t name_len, value_len;
};

/* Past a string of plain letters, and where it is; NULL: it is another one. */
static const char *quick_string(
	const char *p, const char *end, const char **text_r, size_t *len_r)
{
	if (p == end || *p++ != '"')
		return NULL;
	*text_r = p;
	while (p < end && *p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
		p++;
	*len_r = (size_t)(p - *text_r);
	return p < end && *p == '"' ? p + 1 : NULL;
}

static bool is_after(const struct slice *slice, const struct slice *before)
{
	size_t len = slice->name_len < before->name_len ? slice->name_len
							: before->name_len;
	int order = memcmp(slice->name, before->name, len);

	return order > 0 || (order == 0 && slice->name_len > before->name_len);
}

static const char *quick_label(
	const char *p, const char *end, struct slice *slice)
{
	p = quick_string(p, end, &slice->name, &slice->name_len);
	if (!p || p == end || *p++ != ':')
		return NULL;
	p = quick_string(p, end, &slice->value, &slice->value_len);
	if (!p || !slice->name_len || slice->name_len >= NAME_BYTES_MAX - 1 ||
		slice->value_len >= VALUE_BYTES_MAX)
		return NULL;
	return p;
}

static bool is_called(const struct slice *slice, const char *name)
{
	return slice->name_len == strlen(name) &&
	       memcmp(slice->name, name, slice->name_len) == 0;
}

/* Takes what `labels` has a member for; false: it is no bound. */
static bool quick_take(
	const struct slice *slice, struct arena *arena, struct labels *labels)
{
	char text[64];

	if (is_called(slice, "__name__"))
		labels->name =
			arena_strndup(arena, slice->value, slice->value_len);
	if (is_called(slice, LABEL_ROLE))
		labels->role =
			arena_strndup(arena, slice->value, slice->value_len);
	if (!is_called(slice, "le"))
		return true;
	if (slice->value_len >= sizeof(text))
		return false;
	memcpy(text, slice->value, slice->value_len);
	text[slice->value_len] = '\0';
	return sample_value_parse(text, slice->value_len, &labels->le) == 0 &&
	       !isnan(labels->le) && labels->le > -INFINITY;
}

static const char *quick_print(
	struct arena *arena, const struct slice *slice, size_t n)
{
	size_t size = 3, i;
	char *text, *at;

	for (i = 0; i < n; i++)
		size += slice[i].name_len + slice[i].value_len + 6;
	if (size > TEXT_BYTES_MAX)
		return NULL;
	text = at = arena_alloc(arena, size);
	*at++ = '{';
	for (i = 0; i < n; i++) {
		if (is_called(&slice[i], "le") ||
			is_called(&slice[i], LABEL_ROLE))
			continue;
		if (at > text + 1)
			*at++ = ',';
		/* With the quotes around it. */
		memcpy(at, slice[i].name - 1, slice[i].name_len + 2);
		at += slice[i].name_len + 2;
		*at++ = ':';
		memcpy(at, slice[i].value - 1, slice[i].value_len + 2);
		at += slice[i].value_len + 2;
	}
	*at = '}';
	return text;
}

/* Labels as Prometheus writes nearly all of them, in order and without escapes:
 * read where they stand. Everything else goes the long way. */
static bool labels_quick(
	struct scan *scan, struct arena *arena, struct labels *labels)
{
	const char *p = scan->p, *end = scan->end;
	struct slice slice[LABELS_MAX];
	size_t n = 0;

	if (p == end || *p++ != '{')
		return false;
	do {
		if (n == LABELS_MAX)
			return false;
		p = quick_label(p, end, &slice[n]);
		if (!p || p == end ||
			(n && !is_after(&slice[n], &slice[n - 1])) ||
			!quick_take(&slice[n], arena, labels))
			return false;
		n++;
	} while (*p++ == ',');
	if (p[-1] != '}')
		return false;
	labels->text = quick_print(arena, slice, n);
	if (labels->text)
		scan->p = p;
	return labels->text != NULL;
}

/* Takes what is no part of the text; *kept_r: it is one. */
static bool take_aside(struct scan *s, const struct label *label,
	struct labels *labels, bool *kept_r)
{
	bool is_role = strcmp(label->name, LABEL_ROLE) == 0;

	*kept_r = !is_role && strcmp(label->name, "le") != 0;
	if (*kept_r)
		return true;
	if (is_role ? labels->role != NULL : !isnan(labels->le))
		return scan_fail(s, "a series has a label twice");
	if (!is_role)
		return read_bound(s, label->value, &labels->le);
	labels->role = label->value;
	return true;
}

bool labels_scan(
	struct scan *scan, struct arena *arena, struct labels *labels_r)
{
	struct label label[LABELS_MAX];
	bool first = true, kept;
	size_t n = 0;

	*labels_r = (struct labels){.le = NAN};
	if (scan_peek(scan) == '{' && labels_quick(scan, arena, labels_r))
		return true;
	*labels_r = (struct labels){.le = NAN};
	if (!scan_open(scan, '{'))
		return false;
	while (scan_item(scan, '}', &first)) {
		if (n == LABELS_MAX)
			return scan_fail(scan,
				"a series has more than %d labels", LABELS_MAX);
		if (!read_label(scan, arena, &label[n]))
			return false;
		if (strcmp(label[n].name, "__name__") == 0)
			labels_r->name = label[n].value;
		if (!take_aside(scan, &label[n], labels_r, &kept))
			return false;
		n += kept;
	}
	return !scan->failed && take(scan, arena, label, n, labels_r);
}
