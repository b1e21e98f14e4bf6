/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the answers of query_range together; see range_codec.h. */
#include "metrics/range_codec.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "metrics/answer_codec.h"

#define LABELS_MAX     65536 /* bytes of one series' labels */
#define TIME_S_MAX     253402300799.0 /* year 9999 */
#define VALUE_TEXT_MAX 400

void range_init(struct range *range, size_t max)
{
	*range = (struct range){.max = max};
}

void range_fini(struct range *range)
{
	for (size_t i = 0; i < range->n; i++) {
		free(range->series[i].labels);
		buf_fini(&range->series[i].values);
	}
	free(range->series);
	range->series = NULL;
	range->n = range->size = 0;
}

/* Answers come in the same order, mostly: it is looked for at `at` first. */
static struct range_series *find_series(
	const struct range *range, const char *labels, size_t at)
{
	if (at < range->n && strcmp(range->series[at].labels, labels) == 0)
		return &range->series[at];
	for (size_t i = 0; i < range->n; i++) {
		if (strcmp(range->series[i].labels, labels) == 0)
			return &range->series[i];
	}
	return NULL;
}

/* The labels are the range's from now on. */
static struct range_series *add_labels(struct range *range, char *labels)
{
	struct range_series *series;

	if (range->n == range->size) {
		range->size = range->size ? 2 * range->size : 1;
		range->series = xrealloc(
			range->series, range->size, sizeof(*range->series));
	}
	series = &range->series[range->n++];
	*series = (struct range_series){.labels = labels, .last_ms = INT64_MIN};
	buf_init(&series->values, RANGE_TEXT_MAX);
	return series;
}

/* The series with these labels, a new one when there is none yet. */
static struct range_series *series_of(
	struct range *range, const json_t *metric, size_t at, struct err *err_r)
{
	struct range_series *series;
	char *labels;

	labels = json_dumps(metric, JSON_COMPACT | JSON_SORT_KEYS);
	if (!labels || *labels != '{' || strlen(labels) > LABELS_MAX) {
		free(labels);
		err_set(err_r, ERR_PROTOCOL,
			"a series of the answer has no usable \"metric\"");
		return NULL;
	}
	series = find_series(range, labels, at);
	if (series) {
		free(labels);
		return series;
	}
	if (range->n == range->max) {
		free(labels);
		err_set(err_r, ERR_INVALID,
			range->max == RANGE_SERIES_MAX
				? "the query yields more than %zu series; let "
				  "it yield one, with sum() or the like"
				: "the query yields more than %zu series; "
				  "narrow it",
			range->max);
		return NULL;
	}
	return add_labels(range, labels);
}

static int add_pair(
	struct range_series *series, const json_t *pair, struct err *err_r)
{
	const json_t *value = json_array_get(pair, 1);
	double time_s = json_number_value(json_array_get(pair, 0)), number;
	struct jsonw w = {.out = &series->values};
	int64_t ms;

	if (json_array_size(pair) != 2 || !(time_s >= 0) ||
		time_s > TIME_S_MAX || !json_is_string(value) ||
		json_string_length(value) > VALUE_TEXT_MAX ||
		sample_value_parse(json_string_value(value),
			json_string_length(value), &number) < 0)
		return err_set(err_r, ERR_PROTOCOL,
			"a sample of the answer is not [timestamp, \"value\"]");
	ms = (int64_t)(time_s * 1000 + 0.5);
	if (ms <= series->last_ms)
		return 0; /* the end of a chunk is the start of the next */
	series->last_ms = ms;
	series->n++;
	buf_addf(&series->values, "%s[%lld", series->values.len ? "," : "",
		(long long)(ms / 1000));
	if (ms % 1000)
		buf_addf(&series->values, ".%03lld", (long long)(ms % 1000));
	buf_addc(&series->values, ',');
	jsonw_text(&w, NULL, json_string_value(value));
	buf_addc(&series->values, ']');
	return 0;
}

static int add_series(
	struct range *range, const json_t *item, size_t at, struct err *err_r)
{
	const json_t *values = json_object_get(item, "values"), *pair;
	struct range_series *series;
	size_t i;

	if (json_is_null(values))
		return 0;
	if (!values && json_object_get(item, "histograms"))
		return err_set(err_r, ERR_INVALID,
			"the query yields native histograms, not numbers; use "
			"histogram_quantile(), histogram_count() or the like");
	if (!json_is_array(values))
		return err_set(err_r, ERR_PROTOCOL,
			"a series of the answer has no \"values\"");
	series = series_of(range, json_object_get(item, "metric"), at, err_r);
	if (!series)
		return -1;
	json_array_foreach(values, i, pair) {
		if (add_pair(series, pair, err_r) < 0)
			return -1;
	}
	if (series->values.overflow)
		return err_set(err_r, ERR_LIMIT,
			"a series is too long for one recording; record a "
			"shorter time or with a longer interval");
	return 0;
}

static int add_data(struct range *range, const json_t *data, struct err *err_r)
{
	const char *type =
		json_string_value(json_object_get(data, "resultType"));
	const json_t *result = json_object_get(data, "result"), *item;
	char shown[64];
	size_t i;

	if (!type || (!json_is_array(result) && !json_is_null(result)))
		return err_set(err_r, ERR_PROTOCOL,
			"the answer has no data.resultType and data.result");
	if (strcmp(type, "matrix") != 0) {
		printable_copy(shown, sizeof(shown), type);
		return err_set(err_r, ERR_PROTOCOL,
			"the answer is a %s where query_range gives a matrix",
			shown);
	}
	json_array_foreach(result, i, item) {
		if (add_series(range, item, i, err_r) < 0)
			return -1;
	}
	return 0;
}

/* The values may lack a part of the data. */
static int keep_warning(
	struct range *range, const json_t *root, struct err *err_r)
{
	struct metric_reading reading = {0};

	if (answer_warnings(root, &reading, err_r) < 0)
		return -1;
	range->partial = reading.answer.partial;
	if (reading.warnings)
		printable_copy(range->warning, sizeof(range->warning),
			reading.warnings);
	xfree(&reading.warnings);
	return 0;
}

int range_add(struct range *range, int status, const char *bytes, size_t len,
	struct err *err_r)
{
	json_t *root;
	int rc;

	if (answer_open(status, bytes, len, &root, err_r) < 0)
		return -1;
	rc = keep_warning(range, root, err_r);
	if (rc == 0)
		rc = add_data(range, json_object_get(root, "data"), err_r);
	json_decref(root);
	return rc;
}

void range_print(const struct range *range, struct buf *out)
{
	const struct range_series *series;

	buf_adds(out, "{\"resultType\":\"matrix\",\"result\":[");
	for (size_t i = 0; i < range->n; i++) {
		series = &range->series[i];
		buf_addf(out, "%s\n    {\"metric\":%s,\"values\":[",
			i ? "," : "", series->labels);
		buf_add(out, series->values.data, series->values.len);
		buf_adds(out, "]}");
	}
	buf_adds(out, "]}");
}
