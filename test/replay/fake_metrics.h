/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics on the virtual clock: a Prometheus that is told what to say about
 * whom. The default is 0 for every query.
 */
#ifndef TIDEGATE_TEST_FAKE_METRICS_H
#define TIDEGATE_TEST_FAKE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_http.h"

#define FAKE_METRICS_ORIGIN "http://127.0.0.1:9090"
/* Google's front of them: who asks must have the token, and name its project. */
#define FAKE_GOOGLE_ORIGIN "https://monitoring.googleapis.com"

enum fake_said {
	SAYS_VALUE,
	SAYS_NOTHING, /* no series */
	SAYS_PARTIAL, /* a value, and that a store did not answer */
	SAYS_503,
	SAYS_GARBAGE, /* 200 that is no JSON */
	SAYS_BAD_QUERY, /* 400 */
	HANGS,
};

struct fake_metrics {
	int asked; /* queries that arrived */
	int64_t about_ms; /* the time the last one asked about; 0: the present */
	/* Told of each query when it is asked. */
	void (*on_query)(const char *query);
	/* Asked first, unless a rule says what to answer; false: it does not
	 * know the query. */
	bool (*answer)(const char *query, const char *form,
		struct fake_answer *answer);
};

extern struct fake_metrics fake_metrics;

void fake_metrics_open(void);

/* From now on, to queries that contain `part` (a revision, a metric's name);
 * what was said last goes first. */
void fake_metrics_say(const char *part, enum fake_said said, double value);
void fake_metrics_slow(int64_t delay_ms); /* every answer, from now on */

#endif
