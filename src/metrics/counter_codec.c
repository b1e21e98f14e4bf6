/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes answers with many counters; see counter_codec.h. The envelope's errors
 * are answer_codec.h's: it is asked as soon as an answer is not one of ours.
 */
#include "metrics/counter_codec.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/xalloc.h"
#include "metrics/answer_codec.h"
#include "metrics/labels.h"
#include "metrics/past_table.h"

#define KEY_MAX  32
#define WORD_MAX 64

/* What stands there in the answer; read once all before it is known. */
struct place {
	const char *begin; /* NULL: it was not there */
	const char *end; /* NULL: it was read at once */
};

/* What answers one query. */
struct samples {
	struct counter_sample *sample;
	size_t n, size;
};

struct decoder {
	struct scan scan;
	struct arena *arena;
	struct err trouble; /* the scanner's, and our refusal */
	bool refused; /* the query is at fault, not the answer */
	const char *status, *type;
	struct place warnings, partial;
	const char *const *role; /* of a joint query */
	size_t n_roles;
	struct samples samples[JOINT_QUERY_MAX]; /* by role; else the first */
	/* Of a range; else NULL. */
	struct past_table *table;
	bool deltas;
	size_t from, looks; /* on its grid */
	double *values; /* of the series being read */
};

/* One member of `result`. */
struct item {
	struct labels labels;
	double value;
	bool has_labels, has_value, is_native;
};

static bool refuse(struct decoder *d, const char *fmt, ...) PRINTFLIKE(2, 3);

static bool refuse(struct decoder *d, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	err_set(&d->trouble, ERR_INVALID, "%s", text);
	d->refused = d->scan.failed = true;
	return false;
}

static bool is_null(struct decoder *d)
{
	return scan_peek(&d->scan) == 'n' && scan_skip(&d->scan);
}

/* Of two members with one name one would be lost. */
static bool once(struct decoder *d, bool *seen)
{
	if (*seen)
		return scan_fail(&d->scan, "a member is there twice");
	*seen = true;
	return true;
}

/* ---- series ---- */

/* A sample of a range, where it belongs; any other value will do to tell that
 * it is no counter. */
static bool take_look(
	struct decoder *d, struct item *item, int64_t time_ms, double value)
{
	const struct past_grid *grid = &d->table->grid;
	int64_t at =
		time_ms - grid->start_ms - (int64_t)d->from * grid->step_ms;

	if (at < 0 || at % grid->step_ms ||
		at / grid->step_ms >= (int64_t)d->looks)
		return scan_fail(
			&d->scan, "a sample lies where none was asked for");
	d->values[at / grid->step_ms] = value;
	if (value < 0 || isinf(value))
		item->value = value;
	return true;
}

static bool read_looks(struct decoder *d, struct item *item)
{
	struct scan *s = &d->scan;
	bool first = true;
	int64_t time_ms;
	double value;
	size_t i;

	for (i = 0; i < d->looks; i++)
		d->values[i] = NAN;
	if (is_null(d))
		return true;
	if (!scan_open(s, '['))
		return false;
	while (scan_item(s, ']', &first)) {
		if (!scan_pair(s, &time_ms, &value) ||
			!take_look(d, item, time_ms, value))
			return false;
	}
	return !s->failed;
}

static bool read_item(struct decoder *d, struct item *item)
{
	struct scan *s = &d->scan;
	char key[KEY_MAX];
	bool first = true;
	int64_t time_ms;

	*item = (struct item){.value = NAN};
	if (!scan_open(s, '{'))
		return false;
	while (scan_item(s, '}', &first)) {
		if (!scan_key(s, key, sizeof(key)))
			return false;
		if (strcmp(key, "metric") == 0) {
			if (!once(d, &item->has_labels) ||
				!labels_scan(s, d->arena, &item->labels))
				return false;
		} else if (d->table && strcmp(key, "values") == 0) {
			if (!once(d, &item->has_value) || !read_looks(d, item))
				return false;
		} else if (!d->table && strcmp(key, "value") == 0) {
			if (!once(d, &item->has_value) ||
				!scan_pair(s, &time_ms, &item->value))
				return false;
		} else {
			item->is_native |= strncmp(key, "histogram", 9) == 0;
			if (!scan_skip(s))
				return false;
		}
	}
	return !s->failed;
}

static bool refuse_item(struct decoder *d, const struct item *item)
{
	char name[WORD_MAX];

	printable_copy(name, sizeof(name),
		item->labels.name ? item->labels.name : "it");
	if (item->is_native)
		return refuse(d,
			"%s is a native histogram, which is not counted here: "
			"let it be scraped with classic buckets, too, and ask "
			"for NAME_bucket",
			name);
	return refuse(
		d, "%s has the value %g: it is no counter", name, item->value);
}

static bool is_counter(struct decoder *d, const struct item *item)
{
	if (!item->has_labels || (!item->has_value && !item->is_native))
		return scan_fail(
			&d->scan, "a series lacks its metric or value");
	if (item->is_native || item->value < 0 || isinf(item->value))
		return refuse_item(d, item);
	if (!item->labels.name && !d->deltas)
		return refuse(d,
			"the series have no name, so that something was made "
			"of them: ask for raw counters, as in NAME{…}, without "
			"sum() or the like");
	return true;
}

static struct samples *samples_of(struct decoder *d, const char *role)
{
	size_t i;

	for (i = 0; i < d->n_roles; i++) {
		if (role && strcmp(role, d->role[i]) == 0)
			return &d->samples[i];
	}
	return d->n_roles ? NULL : &d->samples[0];
}

static bool add_item(struct decoder *d, const struct item *item)
{
	struct samples *to;

	if (d->table) {
		if (past_table_add(d->table, item->labels.text, item->labels.le,
			    d->values, d->from, d->looks, &d->trouble) == 0)
			return true;
		d->refused = d->scan.failed = true;
		return false;
	}
	to = samples_of(d, item->labels.role);
	if (!to)
		return scan_fail(&d->scan,
			"a series does not say which query it answers");
	if (to->n == COUNTER_SAMPLES_MAX)
		return refuse(d,
			"the query yields more than %d series: narrow it, or "
			"drop labels where the metric is scraped",
			COUNTER_SAMPLES_MAX);
	if (to->n == to->size) {
		to->size = 2 * to->size + 64;
		to->sample =
			xrealloc(to->sample, to->size, sizeof(*to->sample));
	}
	to->sample[to->n++] = (struct counter_sample){
		item->labels.text, item->labels.le, item->value};
	return true;
}

static bool read_result(struct decoder *d)
{
	struct scan *s = &d->scan;
	struct item item;
	bool first = true;

	if (is_null(d))
		return true; /* a list without entries, as some write it */
	if (d->table && strcmp(d->type, "matrix") != 0)
		return scan_fail(s, "it is no matrix, as query_range gives");
	if (!d->table && strcmp(d->type, "matrix") == 0)
		return refuse(d,
			"the query yields ranges: ask for raw counters, "
			"without [%s]",
			"5m");
	if (!d->table && strcmp(d->type, "vector") != 0)
		return refuse(d,
			"the query yields a number or a text without a name: "
			"ask for raw counters, as in NAME{…}");
	if (!scan_open(s, '['))
		return false;
	while (scan_item(s, ']', &first)) {
		if (!read_item(d, &item) || !is_counter(d, &item) ||
			!add_item(d, &item))
			return false;
	}
	return !s->failed;
}

/* ---- the envelope ---- */

static bool note_place(struct decoder *d, struct place *place)
{
	if (place->begin)
		return scan_fail(&d->scan, "a member is there twice");
	scan_peek(&d->scan);
	place->begin = d->scan.p;
	return true;
}

/* The same, and goes past it. */
static bool keep_place(struct decoder *d, struct place *place)
{
	if (!note_place(d, place))
		return false;
	if (!scan_skip(&d->scan))
		return false;
	place->end = d->scan.p;
	return true;
}

static bool read_data(struct decoder *d)
{
	struct scan *s = &d->scan;
	const char *end;
	struct place result = {NULL};
	char key[KEY_MAX];
	bool first = true;

	if (is_null(d))
		return true;
	if (!scan_open(s, '{'))
		return false;
	while (scan_item(s, '}', &first)) {
		if (!scan_key(s, key, sizeof(key)))
			return false;
		if (strcmp(key, "resultType") == 0 && !d->type) {
			if (!scan_text(s, d->arena, WORD_MAX, &d->type))
				return false;
		} else if (strcmp(key, "result") == 0) {
			if (d->type && !result.begin
					? !note_place(d, &result) ||
						  !read_result(d)
					: !keep_place(d, &result))
				return false;
		} else if (!scan_skip(s)) {
			return false;
		}
	}
	if (s->failed)
		return false;
	if (!d->type || !result.begin)
		return scan_fail(s, "it has no data.resultType and result");
	if (!result.end)
		return true; /* read already */
	end = s->p;
	s->p = result.begin;
	if (!read_result(d))
		return false;
	s->p = end;
	return true;
}

static bool read_envelope(struct decoder *d)
{
	struct scan *s = &d->scan;
	bool first = true, has_data = false;
	char key[KEY_MAX];

	if (!scan_open(s, '{'))
		return false;
	while (scan_item(s, '}', &first)) {
		if (!scan_key(s, key, sizeof(key)))
			return false;
		if (strcmp(key, "status") == 0 && !d->status
				? !scan_text(s, d->arena, WORD_MAX, &d->status)
			: strcmp(key, "data") == 0
				? !once(d, &has_data) || !read_data(d)
			: strcmp(key, "warnings") == 0
				? !keep_place(d, &d->warnings)
			: strcmp(key, "isPartial") == 0
				? !keep_place(d, &d->partial)
				: !scan_skip(s))
			return false;
	}
	return scan_at_end(s) && d->status &&
	       strcmp(d->status, "success") == 0 && has_data;
}

static void add_member(json_t *root, const char *key, const struct place *place)
{
	if (place->begin)
		json_object_set_new(root, key,
			json_loadb(place->begin,
				(size_t)(place->end - place->begin),
				JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
}

static int take_warnings(
	struct decoder *d, struct metric_reading *reading_r, struct err *err_r)
{
	json_t *root;
	int rc;

	if (!d->warnings.begin && !d->partial.begin)
		return 0;
	root = json_object();
	add_member(root, "warnings", &d->warnings);
	add_member(root, "isPartial", &d->partial);
	rc = answer_warnings(root, reading_r, err_r);
	json_decref(root);
	return rc;
}

/* ---- what came of it ---- */

static int by_labels_and_bound(const void *a, const void *b)
{
	const struct counter_sample *left = a, *right = b;
	int order = strcmp(left->labels, right->labels);

	if (order)
		return order;
	return (left->le > right->le) - (left->le < right->le);
}

/* How many of the samples from `at` on are of the same series. */
static size_t series_len(const struct samples *samples, size_t at)
{
	const struct counter_sample *sample = samples->sample;
	size_t i = at + 1;

	while (i < samples->n &&
		strcmp(sample[i].labels, sample[at].labels) == 0)
		i++;
	return i - at;
}

static bool is_whole(const struct counter_sample *sample, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (isnan(sample[i].value))
			return false;
	}
	return true;
}

static bool has_twins(const struct counter_sample *sample, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (!(sample[i - 1].le < sample[i].le))
			return true;
	}
	return false;
}

/* Puts them in order, without those that have no sample. */
static bool sort_samples(struct decoder *d, struct samples *samples)
{
	struct counter_sample *sample = samples->sample;
	size_t i, len, kept = 0;

	if (samples->n)
		qsort(sample, samples->n, sizeof(*sample), by_labels_and_bound);
	for (i = 0; i < samples->n; i += len) {
		len = series_len(samples, i);
		if (has_twins(&sample[i], len))
			return scan_fail(&d->scan, "a series is there twice");
		if (!is_whole(&sample[i], len))
			continue;
		memmove(&sample[kept], &sample[i], len * sizeof(*sample));
		kept += len;
	}
	samples->n = kept;
	return true;
}

static bool sort_all(struct decoder *d)
{
	size_t i;

	for (i = 0; i < JOINT_QUERY_MAX; i++) {
		if (!sort_samples(d, &d->samples[i]))
			return false;
	}
	return true;
}

static void take_samples(struct arena *arena, const struct samples *samples,
	struct metric_reading *reading)
{
	size_t size = samples->n * sizeof(*samples->sample);
	struct counter_sample *sample;

	if (!samples->n)
		return;
	sample = arena_alloc(arena, size);
	memcpy(sample, samples->sample, size);
	reading->counters = (struct counter_answer){sample, samples->n};
	reading->series = samples->n;
	reading->answer.kind = ANSWER_VALUE;
	reading->answer.value = (double)samples->n;
}

/* What an answer lacks may be of any query. */
static void take_all(struct decoder *d, struct metric_reading *readings)
{
	size_t n = d->n_roles ? d->n_roles : 1, i;

	for (i = 0; i < n; i++) {
		readings[i].answer.partial = readings[0].answer.partial;
		take_samples(d->arena, &d->samples[i], &readings[i]);
	}
}

/* An answer that is not one of ours, or says itself that it failed. */
static int explain(const struct decoder *d, const struct counter_reply *reply,
	struct err *err_r)
{
	char shown[PRINTABLE_QUOTE_MAX];
	json_t *root;

	if (d->refused) {
		*err_r = d->trouble;
		return -1;
	}
	if (reply->len <= ANSWER_BYTES_MAX) {
		if (answer_open(reply->status, reply->bytes, reply->len, &root,
			    err_r) < 0)
			return -1;
		json_decref(root);
	}
	printable_quote(shown, reply->bytes, reply->len);
	return err_set(err_r, ERR_PROTOCOL,
		"the answer is none with counters%s%s: %s",
		*d->trouble.text ? ": " : "", d->trouble.text, shown);
}

int counter_decode(const struct counter_reply *reply, struct arena *arena,
	struct metric_reading *readings_r, struct err *err_r)
{
	struct decoder d = {.arena = arena,
		.deltas = reply->deltas,
		.role = reply->role,
		.n_roles = reply->n_roles};
	size_t i;
	int rc = -1;

	assert(reply->n_roles <= JOINT_QUERY_MAX);
	for (i = 0; i == 0 || i < reply->n_roles; i++)
		readings_r[i] = (struct metric_reading){
			.answer = {.kind = ANSWER_NO_DATA}};
	if (reply->len > COUNTER_BYTES_MAX)
		return err_set(err_r, ERR_LIMIT,
			"the answer has more than %d bytes: narrow the query",
			COUNTER_BYTES_MAX);
	scan_init(&d.scan, "answer", reply->bytes, reply->len, &d.trouble);
	if (reply->status / 100 == 2 && read_envelope(&d) && sort_all(&d))
		rc = take_warnings(&d, readings_r, err_r);
	else
		explain(&d, reply, err_r);
	if (rc == 0)
		take_all(&d, readings_r);
	else
		xfree(&readings_r->warnings);
	for (i = 0; i < JOINT_QUERY_MAX; i++)
		free(d.samples[i].sample);
	return rc;
}

int counter_decode_range(const struct counter_reply *reply, size_t from,
	size_t n, struct past_table *table, struct metric_reading *reading_r,
	struct err *err_r)
{
	struct arena arena;
	struct decoder d = {.arena = &arena,
		.deltas = reply->deltas,
		.table = table,
		.from = from,
		.looks = n};
	int rc = -1;

	*reading_r =
		(struct metric_reading){.answer = {.kind = ANSWER_NO_DATA}};
	arena_init(&arena);
	d.values = xcalloc(n ? n : 1, sizeof(*d.values));
	scan_init(&d.scan, "answer", reply->bytes, reply->len, &d.trouble);
	if (reply->status / 100 == 2 && read_envelope(&d))
		rc = take_warnings(&d, reading_r, err_r);
	else
		explain(&d, reply, err_r);
	past_table_sort(table);
	free(d.values);
	arena_fini(&arena);
	return rc;
}
