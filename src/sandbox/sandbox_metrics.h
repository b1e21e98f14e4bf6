/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the front door counts per revision, and its Prometheus text
 * (exposition format 0.0.4). Pure.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_METRICS_H
#define TIDEGATE_SANDBOX_SANDBOX_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define METRICS_BUCKETS  20 /* without +Inf */
#define METRICS_CODE_MIN 100
#define METRICS_CODES    500
#define METRICS_TEXT_MAX (16 * 1024 * 1024)

/* Cloud Monitoring's histogram: a millisecond and up, each by the root of two,
 * apart for each class of status. */
#define CLOUD_BUCKETS 34 /* without +Inf; the last ends at 93 s */
#define CLOUD_CLASSES 5 /* 1xx to 5xx */

struct cloud_stats {
	uint64_t bucket[CLOUD_BUCKETS + 1]; /* each alone; the last: +Inf */
	uint64_t count;
	double sum_ms;
};

/* OpenTelemetry's histogram has the status of the answer: one for each. A
 * revision that answers with more of them has the rest in the last one. */
#define CODE_STATS_MAX 16

struct code_stats {
	int code; /* 0: none yet */
	uint64_t bucket[METRICS_BUCKETS + 1]; /* each alone; the last: +Inf */
	uint64_t count;
	double sum_s;
};

struct revision_stats {
	uint64_t code[METRICS_CODES]; /* from METRICS_CODE_MIN */
	uint64_t bucket[METRICS_BUCKETS + 1]; /* each alone; the last: +Inf */
	uint64_t count;
	double sum_s;
	uint64_t in_flight;
	struct cloud_stats cloud[CLOUD_CLASSES];
	struct code_stats by_code[CODE_STATS_MAX];
};

void revision_stats_count(
	struct revision_stats *stats, int code, int64_t latency_us);

struct metrics_row {
	const char *revision;
	const struct revision_stats *stats;
	int percent; /* that it serves now */
};

/* Whose metrics they are; all borrowed. */
struct metrics_owner {
	const char *project, *region, *service;
};

/* 200 and 500 are there from the start, at zero, so that a first failure is an
 * increase that rate() sees. */
void sandbox_metrics_print(const char *service, const struct metrics_row *rows,
	size_t n, struct buf *out);

/* The upper bound of a bucket, as its label has it; the last is "+Inf". */
const char *sandbox_metrics_bound(size_t bucket);

/* Whose names /metrics has. */
enum metrics_names {
	METRICS_NAMES_BOTH, /* Prometheus' and Cloud Run's */
	METRICS_NAMES_PROMETHEUS,
	METRICS_NAMES_OPENTELEMETRY,
	METRICS_NAMES_CLOUD_RUN,
	METRICS_NAMES_NONE,
};

/* ---- otel_metrics.c ---- */

/* The same requests by OpenTelemetry's names, with the resource attributes
 * faas.name and faas.version promoted to labels. As with its SDKs, what never
 * happened has no series. */
void otel_metrics_print(const char *service, const struct metrics_row *rows,
	size_t n, struct buf *out);

/* ---- cloud_metrics.c ---- */

void cloud_stats_count(
	struct cloud_stats cloud[CLOUD_CLASSES], int code, int64_t latency_us);

/* The same requests by the names and labels that Cloud Run's metrics have in
 * Cloud Monitoring's PromQL. As there, what never happened has no series: no
 * failures, no 5xx. Latencies have the class of the status, not the status. */
void cloud_metrics_print(const struct metrics_owner *owner,
	const struct metrics_row *rows, size_t n, struct buf *out);

#endif
