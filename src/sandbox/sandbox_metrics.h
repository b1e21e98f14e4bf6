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

struct revision_stats {
	uint64_t code[METRICS_CODES]; /* from METRICS_CODE_MIN */
	uint64_t bucket[METRICS_BUCKETS + 1]; /* each alone; the last: +Inf */
	uint64_t count;
	double sum_s;
	uint64_t in_flight;
};

void revision_stats_count(
	struct revision_stats *stats, int code, int64_t latency_us);

struct metrics_row {
	const char *revision;
	const struct revision_stats *stats;
	int percent; /* that it serves now */
};

/* 200 and 500 are there from the start, at zero, so that a first failure is an
 * increase that rate() sees. */
void sandbox_metrics_print(const char *service, const struct metrics_row *rows,
	size_t n, struct buf *out);

#endif
