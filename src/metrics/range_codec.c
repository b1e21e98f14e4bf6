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

void range_init(struct range *range)
{
	range->n = 0;
	range->warning[0] = '\0';
}

void range_fini(struct range *range)
{
	for (size_t i = 0; i < range->n; i++) {
		free(range->series[i].labels);
		buf_fini(&range->series[i].values);
	}
	range->n = 0;
}

/* The series with these labels, a new one when there is none yet. */
static struct range_series *series_of(
	struct range *range, const json_t *metric, struct err *err_r)
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
	for (size_t i = 0; i < range->n; i++) {
		if (strcmp(range->series[i].labels, labels) == 0) {
			free(labels);
			return &range->series[i];
		}
	}
	if (range->n == RANGE_SERIES_MAX) {
		free(labels);
		err_set(err_r, ERR_INVALID,
			"the query yields more than %d series; let it yield "
			"one, with sum() or the like",
			RANGE_SERIES_MAX);
		return NULL;
	}
	series = &range->series[range->n++];
	*series = (struct range_series){.labels = labels, .last_ms = INT64_MIN};
	buf_init(&series->values, RANGE_TEXT_MAX);
	return series;
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
	struct range *range, const json_t *item, struct err *err_r)
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
	series = series_of(range, json_object_get(item, "metric"), err_r);
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
		if (add_series(range, item, err_r) < 0)
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
