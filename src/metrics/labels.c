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

bool labels_scan(
	struct scan *scan, struct arena *arena, struct labels *labels_r)
{
	struct label label[LABELS_MAX];
	bool first = true;
	size_t n = 0;

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
		if (strcmp(label[n].name, "le") != 0)
			n++;
		else if (!isnan(labels_r->le))
			return scan_fail(scan, "a series has a label twice");
		else if (!read_bound(scan, label[n].value, &labels_r->le))
			return false;
	}
	return !scan->failed && take(scan, arena, label, n, labels_r);
}
