/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world (engine_fixture.h) with two SLOs of kind evidence: "errors", at most
 * 1 % of the requests, and "latency", at most 5 % above 500 ms. Both revisions
 * show what the test says, drawn by a seed; there is a history of stable.
 */
#ifndef TIDEGATE_TEST_EVIDENCE_FIXTURE_H
#define TIDEGATE_TEST_EVIDENCE_FIXTURE_H

#include "base/rng.h"
#include "engine_fixture.h"

#define EVIDENCE_BUCKETS 6

/* What a revision shows. */
struct shown {
	double errors; /* share */
	double slower; /* its requests take so many times as long */
	bool silent; /* it has no fresh samples */
};

struct evidence_fixture {
	struct test_policy test;
	struct world world;
	struct slo_history histories[2];
	struct rng rng;
	double rate; /* requests per second */
	struct shown candidate, stable;
	int64_t counted_ms[2];
	struct check_counts ring[WORLD_QUEUE_MAX];
	size_t next;
};

/* 50 requests/s, 0.1 % errors, bakes of 10 minutes, pace evidence. */
void evidence_fixture_init(struct evidence_fixture *fixture, uint64_t seed);
void evidence_fixture_fini(struct evidence_fixture *fixture);
/* "errors" alone. */
void evidence_fixture_one_slo(struct evidence_fixture *fixture);
/* Starts, and runs for so long. */
void evidence_fixture_begin(struct evidence_fixture *fixture);
void evidence_fixture_run_s(struct evidence_fixture *fixture, double seconds);
/* Runs until the candidate serves that; fails after two hours. */
void evidence_fixture_reach(struct evidence_fixture *fixture, int percent);

#endif
