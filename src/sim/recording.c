/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads recordings in one pass; see recording.h. What one says at a time is
 * recording_at.c's.
 */
#include "sim/recording.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/suggest.h"
#include "base/xalloc.h"
#include "sim/recording_histories.h"
#include "sim/recording_labels.h"
#include "sim/recording_points.h"

#define WINDOW_BYTES    ((size_t)256 * 1024)
#define KEY_MAX         64
#define MEMBERS_MAX     32 /* of one object but `series` */
#define TEXT_BYTES      (64 * 1024)
#define OUTAGES_MAX     1024
#define INTERVAL_MS_MAX INT64_C(86400000)

struct reader {
	struct scan scan;
	struct recording *recording;
	struct points points; /* of the whole file */
	bool has_version, has_start, has_end, has_interval;
};

/* A list may be written as null: it is empty. */
static bool is_null(struct reader *r)
{
	return scan_peek(&r->scan) == 'n' && scan_skip(&r->scan);
}

/* The members of one object so far. */
struct members {
	char name[MEMBERS_MAX][KEY_MAX];
	size_t n;
};

/* The next member's name: of two with the same one would be lost. */
static bool read_name(
	struct reader *r, struct members *before, char key[KEY_MAX])
{
	if (!scan_key(&r->scan, key, KEY_MAX))
		return false;
	for (size_t i = 0; i < before->n; i++)
		if (!strcmp(before->name[i], key))
			return scan_fail(&r->scan, "`%s` is there twice", key);
	if (before->n == MEMBERS_MAX)
		return scan_fail(&r->scan, "more than %d members in an object",
			MEMBERS_MAX);
	memcpy(before->name[before->n++], key, KEY_MAX);
	return true;
}

/* Reads one member's value into what the object becomes. */
typedef bool (*member_fn)(struct reader *r, const char *key, void *into);

static bool read_object(struct reader *r, member_fn read, void *into)
{
	struct members before = {.n = 0};
	char key[KEY_MAX];
	bool first = true;

	if (!scan_open(&r->scan, '{'))
		return false;
	while (scan_item(&r->scan, '}', &first)) {
		if (!read_name(r, &before, key) || !read(r, key, into))
			return false;
	}
	return !r->scan.failed;
}

static bool unknown_key(struct reader *r, const char *key, const char *where)
{
	return scan_fail(&r->scan,
		"\"%.40s\" is not a key of %s; see tidegate-recording(5)", key,
		where);
}

static bool read_text(struct reader *r, const char **text_r)
{
	return scan_text(&r->scan, &r->recording->arena, TEXT_BYTES, text_r);
}

/* [[1767225600,"0.001"],…] */
static bool read_values(struct reader *r, struct recording_result *result)
{
	struct scan *s = &r->scan;
	size_t begin = r->points.n;
	bool first = true;
	int64_t time_ms, last_ms = INT64_MIN;
	double value;

	if (is_null(r)) {
		points_take(&r->points, begin, result);
		return true;
	}
	if (!scan_open(s, '['))
		return false;
	while (scan_item(s, ']', &first)) {
		if (!scan_pair(s, &time_ms, &value))
			return false;
		if (time_ms <= last_ms)
			return scan_fail(s, "times do not go forward here");
		if (!points_add(&r->points, time_ms, value))
			return scan_fail(s, "more than %d points in one file",
				RECORDING_POINTS_MAX);
		last_ms = time_ms;
	}
	points_take(&r->points, begin, result);
	return !s->failed;
}

struct result_draft {
	bool counts; /* its labels are kept */
	struct recording_result *result;
};

static bool read_result_member(struct reader *r, const char *key, void *into)
{
	const struct result_draft *draft = into;

	if (strcmp(key, "values") == 0)
		return read_values(r, draft->result);
	if (draft->counts && strcmp(key, "metric") == 0)
		return labels_read(
			&r->scan, &r->recording->arena, draft->result);
	if (strcmp(key, "histograms") == 0)
		return scan_fail(&r->scan,
			"native histograms are no values; ask for a number");
	return scan_skip(&r->scan);
}

/* {"metric": {}, "values": […]} */
static bool read_result(
	struct reader *r, bool counts, struct recording_result *result)
{
	struct result_draft draft = {counts, result};

	*result = (struct recording_result){.le = NAN};
	if (counts)
		result->labels = "{}";
	return read_object(r, read_result_member, &draft);
}

/* The series that the query answered with, in a list that grows. */
struct results {
	struct recording_result *result;
	size_t n, size, max;
};

static struct recording_result *results_next(struct results *results)
{
	if (results->n == results->size) {
		results->size = results->size ? 2 * results->size : 4;
		results->result = xrealloc(results->result, results->size,
			sizeof(*results->result));
	}
	return &results->result[results->n++];
}

static bool read_result_list(
	struct reader *r, bool counts, struct results *results)
{
	struct scan *s = &r->scan;
	bool first = true;

	if (is_null(r))
		return true;
	if (!scan_open(s, '['))
		return false;
	while (scan_item(s, ']', &first)) {
		if (results->n == results->max)
			return scan_fail(s,
				"the query answered more than %zu series%s",
				results->max,
				counts ? "" : "; it should answer one");
		if (!read_result(r, counts, results_next(results)))
			return false;
	}
	if (!s->failed && counts && !labels_sort(results->result, results->n))
		return scan_fail(s, "two series have the same labels");
	return !s->failed;
}

static bool read_results(struct reader *r, struct recording_series *series)
{
	bool counts = labels_are_kept(series->name);
	struct results results = {
		.max = counts ? RECORDING_COUNTERS_MAX : RECORDING_RESULTS_MAX};
	bool ok = read_result_list(r, counts, &results);

	series->n_results = results.n;
	series->result = arena_alloc(
		&r->recording->arena, results.n * sizeof(*results.result));
	if (results.n)
		memcpy(series->result, results.result,
			results.n * sizeof(*results.result));
	free(results.result);
	return ok;
}

static bool read_result_type(struct reader *r)
{
	const char *type = NULL;

	if (!read_text(r, &type))
		return false;
	if (strcmp(type, "matrix") == 0)
		return true;
	return scan_fail(&r->scan,
		"resultType is \"%.20s\": record with query_range, which "
		"answers a matrix",
		type);
}

static bool read_data_member(struct reader *r, const char *key, void *into)
{
	if (strcmp(key, "resultType") == 0)
		return read_result_type(r);
	if (strcmp(key, "result") == 0)
		return read_results(r, into);
	return scan_skip(&r->scan);
}

static bool read_outage_member(struct reader *r, const char *key, void *into)
{
	struct recording_outage *outage = into;

	if (strcmp(key, "from") == 0)
		return scan_seconds(&r->scan, &outage->from_ms);
	if (strcmp(key, "to") == 0)
		return scan_seconds(&r->scan, &outage->to_ms);
	if (strcmp(key, "type") == 0)
		return read_text(r, &outage->type);
	return unknown_key(r, key, "an outage");
}

static bool read_outage(struct reader *r, struct recording_outage *outage)
{
	*outage = (struct recording_outage){INT64_MIN, INT64_MIN, "error"};
	if (!read_object(r, read_outage_member, outage))
		return false;
	if (outage->from_ms >= outage->to_ms)
		return scan_fail(&r->scan, "an outage has `from` before `to`");
	return true;
}

static bool read_outages(struct reader *r, struct recording_series *series)
{
	struct recording_outage *outage;
	bool first = true;
	size_t n = 0;

	if (is_null(r))
		return true;
	outage = xcalloc(OUTAGES_MAX, sizeof(*outage));
	if (scan_open(&r->scan, '[')) {
		while (scan_item(&r->scan, ']', &first)) {
			if (n == OUTAGES_MAX) {
				scan_fail(&r->scan,
					"more than %d outages of one series",
					OUTAGES_MAX);
				break;
			}
			if (!read_outage(r, &outage[n++]))
				break;
		}
	}
	series->n_outages = n;
	series->outage = arena_alloc(&r->recording->arena, n * sizeof(*outage));
	memcpy(series->outage, outage, n * sizeof(*outage));
	free(outage);
	return !r->scan.failed;
}

struct series_draft {
	struct recording_series *series;
	bool has_data;
};

static bool read_series_member(struct reader *r, const char *key, void *into)
{
	struct series_draft *draft = into;

	if (strcmp(key, "data") == 0)
		return draft->has_data =
			       read_object(r, read_data_member, draft->series);
	if (strcmp(key, "errors") == 0)
		return read_outages(r, draft->series);
	if (strcmp(key, "query") == 0)
		return read_text(r, &draft->series->query);
	return unknown_key(r, key, "a series");
}

static bool read_one_series(struct reader *r, struct recording_series *series)
{
	struct series_draft draft = {.series = series};

	if (!read_object(r, read_series_member, &draft))
		return false;
	if (!draft.has_data)
		return scan_fail(&r->scan, "the series \"%s\" has no `data`",
			series->name);
	return true;
}

static bool read_all_series(struct reader *r)
{
	struct recording *rec = r->recording;
	char key[KEY_MAX * 2];
	bool first = true;

	if (!scan_open(&r->scan, '{'))
		return false;
	rec->series = arena_alloc(
		&rec->arena, RECORDING_SERIES_MAX * sizeof(*rec->series));
	rec->n_series = 0;
	while (scan_item(&r->scan, '}', &first)) {
		if (!scan_key(&r->scan, key, sizeof(key)))
			return false;
		if (recording_find(rec, key))
			return scan_fail(&r->scan,
				"the series \"%.60s\" is there twice", key);
		if (rec->n_series == RECORDING_SERIES_MAX)
			return scan_fail(&r->scan,
				"more than %d series in one file",
				RECORDING_SERIES_MAX);
		rec->series[rec->n_series].name =
			arena_strdup(&rec->arena, key);
		if (!read_one_series(r, &rec->series[rec->n_series++]))
			return false;
	}
	return !r->scan.failed;
}

static bool read_shift(struct reader *r)
{
	double s;

	if (!scan_number(&r->scan, &s))
		return false;
	if (!(s >= 0 && s * 1000 <= (double)INTERVAL_MS_MAX))
		return scan_fail(
			&r->scan, "shift is in seconds, from 0 to 86400");
	r->recording->shift_ms = (int64_t)(s * 1000 + 0.5);
	return true;
}

static bool read_seed(struct reader *r)
{
	const char *text = "";
	char *end;

	if (!read_text(r, &text))
		return false;
	errno = 0;
	r->recording->seed = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return scan_fail(
			&r->scan, "seed is a number of 64 bits in a string");
	return true;
}

static bool read_context_member(struct reader *r, const char *key, void *into)
{
	struct recording *rec = into;
	const struct {
		const char *key, **text;
	} texts[] = {
		{"service", &rec->service},
		{"candidate", &rec->candidate},
		{"stable", &rec->stable},
		{"project", &rec->project},
		{"region", &rec->region},
		{"rollout", &rec->rollout},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0)
			return read_text(r, texts[i].text);
	if (strcmp(key, "shift") == 0)
		return read_shift(r);
	if (strcmp(key, "seed") == 0)
		return read_seed(r);
	return scan_skip(&r->scan);
}

static bool read_expect(struct reader *r)
{
	static const char *const outcomes[] = {"promoted", "rolled-back",
		"rollback-failed", "refused", "stopped", "waiting"};
	struct recording *rec = r->recording;
	size_t i;

	if (!read_text(r, &rec->expect))
		return false;
	for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		if (strcmp(rec->expect, outcomes[i]) == 0)
			return true;
	}
	return scan_fail(&r->scan,
		"expect is \"%.30s\"; it can be promoted, rolled-back, "
		"rollback-failed, refused, stopped or waiting",
		rec->expect);
}

static bool read_version(struct reader *r)
{
	double version;

	if (!scan_number(&r->scan, &version))
		return false;
	if (version != 1)
		return scan_fail(&r->scan,
			"version %g is not one that this program reads (1)",
			version);
	return true;
}

static bool read_interval(struct reader *r)
{
	double s;

	if (!scan_number(&r->scan, &s))
		return false;
	if (!(s >= 0.001 && s * 1000 <= (double)INTERVAL_MS_MAX))
		return scan_fail(&r->scan,
			"interval is in seconds, from 0.001 to 86400");
	r->recording->interval_ms = (int64_t)(s * 1000 + 0.5);
	return true;
}

static bool read_member(struct reader *r, const char *key, void *into)
{
	if (strcmp(key, "version") == 0)
		return r->has_version = read_version(r);
	if (strcmp(key, "start") == 0)
		return r->has_start =
			       scan_seconds(&r->scan, &r->recording->start_ms);
	if (strcmp(key, "end") == 0)
		return r->has_end =
			       scan_seconds(&r->scan, &r->recording->end_ms);
	if (strcmp(key, "interval") == 0)
		return r->has_interval = read_interval(r);
	if (strcmp(key, "context") == 0)
		return read_object(r, read_context_member, r->recording);
	if (strcmp(key, "history") == 0)
		return histories_read(&r->scan, r->recording);
	if (strcmp(key, "expect") == 0)
		return read_expect(r);
	if (strcmp(key, "series") == 0)
		return read_all_series(r);
	return unknown_key(r, key, "a recording");
}

static bool read_recording(struct reader *r)
{
	const struct recording *rec = r->recording;

	if (!read_object(r, read_member, NULL) || !scan_at_end(&r->scan))
		return false;
	if (!r->has_version || !r->has_start || !r->has_end ||
		!r->has_interval || !rec->n_series)
		return scan_fail(&r->scan,
			"a recording has version, start, end, interval and "
			"series; %s is missing",
			!r->has_version    ? "version"
			: !r->has_start    ? "start"
			: !r->has_end      ? "end"
			: !r->has_interval ? "interval"
					   : "series");
	if (rec->start_ms <= 0 || rec->start_ms >= rec->end_ms)
		return scan_fail(&r->scan, "start has to be before end");
	return true;
}

static struct recording *recording_new(const char *path)
{
	struct recording *rec = xcalloc(1, sizeof(*rec));

	arena_init(&rec->arena);
	rec->path = arena_strdup(&rec->arena, path);
	rec->service = rec->candidate = rec->stable = "";
	rec->shift_ms = -1;
	rec->seed = RECORDING_SEED;
	return rec;
}

/* All of what r's scanner finds; NULL with its error. */
static struct recording *read_all(
	struct reader *r, const char *path, size_t size)
{
	struct recording *rec = r->recording;

	points_init(&r->points, size);
	if (read_recording(r)) {
		rec->n_points = r->points.n;
		rec->points = points_finish(&r->points, rec);
		return rec;
	}
	/* The path in the error is the caller's, not the arena's. */
	r->scan.err->pos.file = path;
	points_fini(&r->points);
	recording_free(&rec);
	return NULL;
}

struct recording *recording_parse(
	const char *path, const char *bytes, size_t len, struct err *err_r)
{
	struct reader r = {.recording = recording_new(path)};

	scan_init(&r.scan, r.recording->path, bytes, len, err_r);
	return read_all(&r, path, len);
}

struct recording *recording_read(const char *path,
	const struct recording_source *source, struct err *err_r)
{
	struct reader r = {.recording = recording_new(path)};
	struct recording *recording;

	scan_init_fill(&r.scan, r.recording->path,
		source->size && source->size < WINDOW_BYTES ? source->size
							    : WINDOW_BYTES,
		source->fill, source->arg, err_r);
	recording = read_all(&r, path, source->size);
	scan_fini(&r.scan);
	return recording;
}

void recording_free(struct recording **recording)
{
	if (!*recording)
		return;
	free((*recording)->points);
	arena_fini(&(*recording)->arena);
	free(*recording);
	*recording = NULL;
}

const struct recording_series *recording_find(
	const struct recording *rec, const char *name)
{
	size_t i;

	for (i = 0; i < rec->n_series; i++) {
		if (strcmp(rec->series[i].name, name) == 0)
			return &rec->series[i];
	}
	return NULL;
}
