/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings: what a policy's queries answered over some time, in one JSON
 * file (tidegate-recording(5)). `data` is verbatim what Prometheus answers to
 * query_range. Reading is one streaming pass: bounded depth, bounded numbers,
 * points kept as two words each.
 */
#ifndef TIDEGATE_SIM_RECORDING_H
#define TIDEGATE_SIM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/evidence_memory.h"
#include "metrics/counters.h"

#define RECORDING_SERIES_MAX   128 /* named ones */
#define RECORDING_RESULTS_MAX  64 /* of one query; more are an error */
#define RECORDING_COUNTERS_MAX 8192 /* of one query for counters */
#define RECORDING_POINTS_MAX   (16 * 1024 * 1024) /* in one file */
#define RECORDING_DEPTH_MAX    32

struct recording_point {
	int64_t time_ms;
	double value;
};

/* One series that a query answered with; times strictly ascending. */
struct recording_result {
	const struct recording_point *point; /* in the recording's block */
	size_t n, offset;
	/* Of counters: all labels but `le`, as in counters.h; else NULL. */
	const char *labels;
	double le; /* NaN: none */
};

/* The provider was in trouble: from_ms <= t < to_ms. "partial": it answered,
 * and said that the answer was incomplete. */
struct recording_outage {
	int64_t from_ms, to_ms;
	const char *type;
};

#define RECORDING_SEED UINT64_C(0x7469646567617465)

/* "error-rate", "error-rate/requests", "errors-vs-stable/baseline" */
struct recording_series {
	const char *name;
	const char *query; /* as it was asked; NULL: not said */
	struct recording_result *result; /* counters: by labels and `le` */
	size_t n_results;
	struct recording_outage *outage;
	size_t n_outages;
};

/* Stable's past as a rollout knew it: what of the series before `start` is not
 * looked at for this SLO. */
struct recording_history {
	const char *slo;
	struct slo_history history; /* without `slo` */
};

struct recording {
	struct arena arena; /* names; points are allocated apart */
	const char *path; /* as given */
	int64_t start_ms, end_ms, interval_ms;
	const char *service, *candidate, *stable; /* "" when not said */
	const char *project, *region, *rollout; /* NULL when not said */
	int64_t shift_ms; /* from a write to its split serving; -1: not said */
	uint64_t seed; /* of the rollout; RECORDING_SEED: not said */
	const char *expect; /* an outcome, "promoted"; NULL: not said */
	struct recording_series *series;
	size_t n_series;
	struct recording_history *history;
	size_t n_histories;
	struct recording_point *points; /* all of them, one block */
	size_t n_points;
};

/* Reads a file ("-": standard input). Errors name file, line and column. */
MUST_CHECK struct recording *recording_load(
	const char *path, struct err *err_r);
MUST_CHECK struct recording *recording_parse(
	const char *path, const char *bytes, size_t len, struct err *err_r);

/* Puts up to `size` more bytes there: how many, 0 at the end, -1 with err_r. */
struct recording_source {
	ssize_t (*fill)(char *bytes, size_t size, void *arg, struct err *err_r);
	void *arg;
	size_t size; /* about how many bytes it has; 0: not known */
};

/* The same from pieces: what is held of the text does not grow with it. */
MUST_CHECK struct recording *recording_read(const char *path,
	const struct recording_source *source, struct err *err_r);
void recording_free(struct recording **recording);

/* NULL: the recording does not have it. */
const struct recording_series *recording_find(
	const struct recording *recording, const char *name);

/*
 * What the query would have answered at a time. A value holds from its
 * timestamp until the next one or for 2 x interval, whichever is shorter; for
 * one interval where another series of the query has a sample then.
 * `cursor` makes neighbouring times cheap: start with 0, keep it.
 */
enum recorded {
	RECORDED_VALUE,
	RECORDED_NOTHING,
	RECORDED_SEVERAL,
	RECORDED_OUTAGE,
	RECORDED_TIMEOUT /* an outage of the type "timeout": a late error */
};

enum recorded recording_at(const struct recording *recording,
	const struct recording_series *series, int64_t time_ms, size_t *cursor,
	double *value_r);

/* What a query for counters would have answered: the series that hold, in
 * `samples`, which has room for all. `cursors`: one for each series. `span_ms`: a
 * value is what came in so much time, and holds for as long; 0: they are
 * counters. */
enum recorded recording_look(const struct recording *recording,
	const struct recording_series *series, int64_t time_ms, int64_t span_ms,
	size_t *cursors, struct counter_sample *samples, size_t *n_r);

/* The values alone, when all of the series hold one: they are `n_results`, in their
 * order. False: they do not, or the provider was in trouble. */
bool recording_values(const struct recording *recording,
	const struct recording_series *series, int64_t time_ms, size_t *cursors,
	double *values);

/* One series at `looks` times that are step_ms apart; NaN: it has no value.
 * It holds for two of the steps at least, or for `span_ms` as above. */
void recording_past(const struct recording *recording,
	const struct recording_result *result, int64_t from_ms, int64_t step_ms,
	int64_t span_ms, size_t looks, double *values);

/* In an outage of the type "timeout". */
bool recording_times_out(
	const struct recording_series *series, int64_t time_ms);

/* Whether the answers of that time were incomplete, as they said themselves. */
bool recording_is_partial(
	const struct recording_series *series, int64_t time_ms);

/* The time of the sample that holds at a time; the time itself when none
 * does. `cursor` is one for a time nearby. */
int64_t recording_sample_ms(const struct recording *recording,
	const struct recording_series *series, int64_t time_ms, size_t cursor);

#endif
