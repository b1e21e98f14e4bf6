/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded worlds of requests as recordings: what a Prometheus would have
 * answered about the counters of a candidate and of stable, and of stable's
 * past.
 */
#ifndef TEST_SIM_RECORDED_WORLD_H
#define TEST_SIM_RECORDED_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define RECORDED_START_S 1767225600
#define RECORDED_SHARES  4

struct recorded_world {
	double rate; /* requests per second */
	double base; /* share of errors of stable */
	double errors; /* … of the candidate */
	double slower; /* its requests take so many times as long */
	/* Between these seconds both have this share of errors. */
	double incident;
	int incident_from_s, incident_to_s;
	int instances; /* of stable; at least 1 */
	int history_s, length_s; /* before the start, and after it */
	int step_s; /* between samples; the history has one in 30 s */
	/* What the candidate gets from a second on; in order. */
	struct {
		int from_s, percent;
	} share[RECORDED_SHARES];
	bool latency; /* the series "latency/buckets", too */
	/* And "error-rate": the candidate's share of errors in two minutes, as
	 * a query would give it. */
	bool rates;
	uint64_t seed;
	const char *expect; /* NULL: nothing */
};

/* A step of 10, 50 and 100 % for ten minutes each, 50 requests per second, one
 * of 1,000 an error; two instances; an hour of history. */
extern const struct recorded_world recorded_good;

/* Appends the recording: "errors/total", "errors/bad" … */
void recorded_world_print(const struct recorded_world *world, struct buf *out);

#endif
