/* The labels of recorded series; see recording_labels.h. */
#include "sim/recording_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "metrics/answer_codec.h"

#define LABELS_MAX      64 /* of one series */
#define LABEL_NAME_MAX  256
#define LABEL_BYTES_MAX (8 * 1024) /* of a value */
#define TEXT_MAX        (64 * 1024) /* of all of a series' */

struct label {
	char name[LABEL_NAME_MAX];
	const char *value;
};

struct labels {
	struct label label[LABELS_MAX];
	size_t n;
};

bool labels_are_kept(const char *series)
{
	static const char *const roles[] = {"total", "bad", "buckets",
		"baseline-total", "baseline-bad", "baseline-buckets"};
	const char *role = strchr(series, '/');
	size_t i;

	for (i = 0; role && i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(role + 1, roles[i]) == 0)
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct label *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static bool read_label(
	struct scan *s, struct arena *scratch, struct labels *labels)
{
	struct label *label;

	if (labels->n == LABELS_MAX)
		return scan_fail(
			s, "a series with more than %d labels", LABELS_MAX);
	label = &labels->label[labels->n++];
	if (!scan_key(s, label->name, sizeof(label->name)))
		return false;
	if (!*label->name || strlen(label->name) + 1 == sizeof(label->name))
		return scan_fail(s, "a label's name has 1 to %d bytes",
			LABEL_NAME_MAX - 2);
	return scan_text(s, scratch, LABEL_BYTES_MAX, &label->value);
}

static bool take_bound(
	struct scan *s, const char *text, struct recording_result *result)
{
	if (sample_value_parse(text, strlen(text), &result->le) < 0 ||
		isnan(result->le))
		return scan_fail(s,
			"the label le is \"%.40s\", which is no bound of a "
			"bucket",
			text);
	return true;
}

/* A name may hold what JSON escapes. */
static void print_label(struct jsonw *w, const struct label *label)
{
	jsonw_text(w, NULL, label->name);
	buf_addc(w->out, ':');
	w->comma = false;
	jsonw_text(w, NULL, label->value);
}

/* As the live program keeps them: an object without spaces, keys in order. */
static bool print_labels(struct scan *s, struct labels *labels,
	struct arena *arena, struct recording_result *result)
{
	struct buf text;
	struct jsonw w = {.out = &text};
	bool ok = true;
	size_t i;

	qsort(labels->label, labels->n, sizeof(labels->label[0]), by_name);
	buf_init(&text, TEXT_MAX);
	jsonw_object(&w, NULL);
	for (i = 0; i < labels->n && ok; i++) {
		const struct label *l = &labels->label[i];

		if (i && strcmp(l->name, labels->label[i - 1].name) == 0)
			ok = scan_fail(
				s, "the label `%.60s` is there twice", l->name);
		else if (strcmp(l->name, "le") == 0)
			ok = take_bound(s, l->value, result);
		else
			print_label(&w, l);
	}
	jsonw_end(&w, '}');
	if (ok && text.overflow)
		ok = scan_fail(s,
			"the labels of a series have more than %d "
			"bytes",
			TEXT_MAX);
	if (ok)
		result->labels = arena_strndup(arena, text.data, text.len);
	buf_fini(&text);
	return ok;
}

bool labels_read(
	struct scan *s, struct arena *arena, struct recording_result *result)
{
	struct labels labels = {.n = 0};
	struct arena scratch;
	bool first = true, ok;

	if (!scan_open(s, '{'))
		return false;
	arena_init(&scratch);
	while (scan_item(s, '}', &first))
		if (!read_label(s, &scratch, &labels))
			break;
	ok = !s->failed && print_labels(s, &labels, arena, result);
	arena_fini(&scratch);
	return ok;
}

static int by_labels(const void *a, const void *b)
{
	const struct recording_result *left = a, *right = b;
	int order = strcmp(left->labels, right->labels);

	if (order)
		return order;
	return (left->le > right->le) - (left->le < right->le);
}

bool labels_sort(struct recording_result *results, size_t n)
{
	size_t i;

	if (n)
		qsort(results, n, sizeof(*results), by_labels);
	for (i = 1; i < n; i++) {
		if (by_labels(&results[i - 1], &results[i]) == 0)
			return false;
	}
	return true;
}
