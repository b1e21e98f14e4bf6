/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a recording: asks every query of a policy over a span of time, in
 * chunks, a few series at a time, with retries. What was read can be kept in a
 * part file as it comes, so that a recording that was broken off goes on.
 *
 * A chunk that cannot be had fails the recording: nothing is made up. What a
 * JSON API said in the past nobody can ask: the series of such SLOs are what
 * the checks of a rollout found.
 */
#ifndef TIDEGATE_SIM_RECORDER_H
#define TIDEGATE_SIM_RECORDER_H

#include "base/buf.h"
#include "engine/evidence_memory.h"
#include "sim/series.h"

#define RECORDER_CHUNK_POINTS   10000 /* below what Prometheus refuses */
#define RECORDER_COUNTER_POINTS 240 /* the same, of many series */
#define RECORDER_TRIES          6 /* of one chunk */
#define RECORDER_POINTS_MAX     INT64_C(4000000) /* of one series */
#define RECORDER_OUTAGES_MAX    1000 /* of one series */

struct loop;
struct prometheus;
struct recorder;

struct recorder_plan {
	const struct policy *policy;
	/* By SLO: a journal has the counts of its checks: nobody is asked. */
	bool counted[POLICY_SLOS_MAX];
	/* Stable's past as that rollout knew it; borrowed. */
	const struct slo_history *histories;
	size_t n_histories;
	struct series_context context;
	int64_t from_ms, to_ms, step_ms;
	int64_t shift_ms; /* from a write to its split serving; -1: not known */
	const char *seed; /* of the rollout, as a number; NULL: none */
	const char *part; /* the file; NULL: none */
	/* What the span was called by the user: a part file that was begun for
	 * the same words goes on with its own times. */
	const char *from, *to;
};

/* The plan's texts are borrowed until recorder_free. A part file of something
 * else is an error, and so is an SLO that only a rollout can tell of when there
 * is none. prometheus may be NULL when no SLO asks it. */
MUST_CHECK struct recorder *recorder_new(const struct recorder_plan *plan,
	struct loop *loop, struct prometheus *prometheus, struct err *err_r);
void recorder_free(struct recorder **recorder);

/* err NULL: all of it is there. Runs once, never after recorder_free. */
typedef void (*recorder_fn)(const struct err *err, void *arg);
void recorder_start(struct recorder *recorder, recorder_fn fn, void *arg);

/* Chunks that are there, and all of them. */
void recorder_progress(
	const struct recorder *recorder, size_t *done_r, size_t *all_r);
/* The span: that of the part file when there was one. */
void recorder_span(
	const struct recorder *recorder, int64_t *from_ms_r, int64_t *to_ms_r);

/* The provider was in trouble then. */
enum recorder_trouble {
	TROUBLE_ERROR, /* it answered with an error, at once */
	TROUBLE_TIMEOUT, /* it did not answer */
	TROUBLE_PARTIAL /* its answers said that they were incomplete */
};

struct recorder_outage {
	int64_t from_ms, to_ms; /* from < to */
	enum recorder_trouble type;
};

/* In the order of time. */
void recorder_add_outage(struct recorder *recorder, size_t slo,
	enum query_role kind, const struct recorder_outage *outage);

/* What a check found; NaN: nothing. In the order of time. Of SLOs that cannot
 * be asked again it is all there is. With the others it is woven into what the
 * provider says now, unless `query` (NULL: not known) is not the one recorded:
 * the policy was another one then. */
void recorder_add_check(struct recorder *recorder, size_t slo,
	enum query_role kind, const char *query, int64_t asked_ms,
	double value);

/* What a check counted, of an SLO that the plan says is counted. In the order of
 * time. */
void recorder_add_counts(struct recorder *recorder, size_t slo,
	int64_t asked_ms, const struct check_counts *counts);

/* Warnings of the provider, one line each; "" for none. */
void recorder_warnings(const struct recorder *recorder, struct buf *out);

/* The recording, when all of it is there. */
void recorder_print(const struct recorder *recorder, struct buf *out);

#endif
