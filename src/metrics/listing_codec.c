/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what a Prometheus has; see listing_codec.h. */
#include "metrics/listing_codec.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/answer_codec.h"

#define LABELS_MAX  128 /* of a series */
#define SAMPLES_MAX 4096 /* of a series */
#define TIME_S_MAX  253402300799.0 /* year 9999 */

const char *listed_value(const struct listed_series *series, const char *name)
{
	for (size_t i = 0; i < series->n; i++)
		if (strcmp(series->label[i].name, name) == 0)
			return series->label[i].value;
	return NULL;
}

/* `data` of an answer that says success, and the root to give back. */
static const json_t *open_data(
	const struct listing_reply *reply, json_t **root_r, struct err *err_r)
{
	*root_r = NULL;
	if (reply->len > LISTING_BYTES_MAX) {
		err_set(err_r, ERR_LIMIT,
			"the answer has more than %d bytes: narrow it",
			LISTING_BYTES_MAX);
		return NULL;
	}
	if (answer_open(reply->status, reply->bytes, reply->len, root_r,
		    err_r) < 0) {
		*root_r = NULL;
		return NULL;
	}
	return json_object_get(*root_r, "data");
}

/* NULL: it is no text that can be a name or a value. */
static const char *take_text(const char *text, size_t len, struct arena *arena)
{
	if (len > LISTING_TEXT_MAX || memchr(text, '\0', len))
		return NULL;
	return arena_strndup(arena, text, len);
}

/* ---- series ---- */

static int take_series(const json_t *item, struct arena *arena,
	struct listed_series *series, struct err *err_r)
{
	size_t size = json_object_size(item);
	struct listed_label *label;
	const char *name;
	json_t *value;

	*series = (struct listed_series){0};
	if (!json_is_object(item) || size > LABELS_MAX)
		return err_set(err_r, ERR_PROTOCOL,
			"a series of the answer is not its labels, at most %d",
			LABELS_MAX);
	label = arena_alloc(arena, size * sizeof(*label));
	series->label = label;
	json_object_foreach((json_t *)item, name, value) {
		label->name = take_text(name, strlen(name), arena);
		label->value =
			json_is_string(value)
				? take_text(json_string_value(value),
					  json_string_length(value), arena)
				: NULL;
		if (!label->name || !label->value)
			return err_set(err_r, ERR_PROTOCOL,
				"a label of the answer is no text of at most "
				"%d bytes",
				LISTING_TEXT_MAX);
		label++;
		series->n++;
	}
	return 0;
}

static int read_series(const json_t *data, struct arena *arena,
	struct listing *listing_r, struct err *err_r)
{
	size_t size = json_array_size(data), i;
	struct listed_series *series;

	*listing_r = (struct listing){0};
	if (!json_is_array(data) && !json_is_null(data))
		return err_set(err_r, ERR_PROTOCOL,
			"the answer has no list of series");
	if (size > LISTING_SERIES_MAX)
		return err_set(err_r, ERR_LIMIT,
			"there are more than %d series: narrow them",
			LISTING_SERIES_MAX);
	series = arena_alloc(arena, size * sizeof(*series));
	for (i = 0; i < size; i++) {
		if (take_series(json_array_get(data, i), arena, &series[i],
			    err_r) < 0)
			return -1;
	}
	*listing_r = (struct listing){series, size};
	return 0;
}

int listing_decode_series(const struct listing_reply *reply,
	struct arena *arena, struct listing *listing_r, struct err *err_r)
{
	json_t *root;
	const json_t *data = open_data(reply, &root, err_r);
	int rc = root ? read_series(data, arena, listing_r, err_r) : -1;

	json_decref(root);
	return rc;
}

/* ---- values of a label ---- */

static int read_values(const json_t *data, struct arena *arena,
	const char *const **value_r, size_t *n_r, struct err *err_r)
{
	size_t size = json_array_size(data), i;
	const char **value;
	const json_t *item;

	if ((!json_is_array(data) && !json_is_null(data)) ||
		size > LISTING_TEXTS_MAX)
		return err_set(err_r, ERR_PROTOCOL,
			"the answer has no list of at most %d values",
			LISTING_TEXTS_MAX);
	value = arena_alloc(arena, size * sizeof(*value));
	for (i = 0; i < size; i++) {
		item = json_array_get(data, i);
		value[i] = json_is_string(item)
				   ? take_text(json_string_value(item),
					     json_string_length(item), arena)
				   : NULL;
		if (!value[i])
			return err_set(err_r, ERR_PROTOCOL,
				"a value of the answer is no text of at most "
				"%d bytes",
				LISTING_TEXT_MAX);
	}
	*value_r = value;
	*n_r = size;
	return 0;
}

int listing_decode_values(const struct listing_reply *reply,
	struct arena *arena, const char *const **value_r, size_t *n_r,
	struct err *err_r)
{
	json_t *root;
	const json_t *data = open_data(reply, &root, err_r);
	int rc = root ? read_values(data, arena, value_r, n_r, err_r) : -1;

	json_decref(root);
	return rc;
}

/* ---- time between samples ---- */

static int by_size(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int64_t middle(int64_t *gap, size_t n)
{
	qsort(gap, n, sizeof(*gap), by_size);
	return gap[(n - 1) / 2];
}

/* Of one series. */
static int read_gap(const json_t *values, int64_t *gap_ms_r, struct err *err_r)
{
	size_t n = json_array_size(values), i;
	int64_t gap[SAMPLES_MAX], before = 0, at;
	double time_s;

	*gap_ms_r = 0;
	if (!json_is_array(values) || n > SAMPLES_MAX)
		return err_set(err_r, ERR_PROTOCOL,
			"a series of the answer has no list of at most %d "
			"samples",
			SAMPLES_MAX);
	for (i = 0; i < n; i++) {
		time_s = json_number_value(
			json_array_get(json_array_get(values, i), 0));
		if (!(time_s > 0) || time_s > TIME_S_MAX)
			return err_set(err_r, ERR_PROTOCOL,
				"a sample of the answer has no time");
		at = (int64_t)(time_s * 1000 + 0.5);
		if (i && at <= before)
			return err_set(err_r, ERR_PROTOCOL,
				"samples of the answer are not in order");
		if (i)
			gap[i - 1] = at - before;
		before = at;
	}
	if (n >= 3)
		*gap_ms_r = middle(gap, n - 1);
	return 0;
}

int listing_decode_gap(
	const struct listing_reply *reply, int64_t *gap_ms_r, struct err *err_r)
{
	json_t *root;
	const json_t *data = open_data(reply, &root, err_r);
	const json_t *list = json_object_get(data, "result"), *item;
	int64_t gap_ms;
	int rc = root ? 0 : -1;
	size_t i;

	*gap_ms_r = 0;
	if (rc == 0 && !json_is_array(list) && !json_is_null(list))
		rc = err_set(
			err_r, ERR_PROTOCOL, "the answer has no data.result");
	json_array_foreach(list, i, item) {
		if (rc == 0)
			rc = read_gap(json_object_get(item, "values"), &gap_ms,
				err_r);
		if (rc == 0 && (!*gap_ms_r || (gap_ms && gap_ms < *gap_ms_r)))
			*gap_ms_r = gap_ms;
	}
	json_decref(root);
	return rc;
}
