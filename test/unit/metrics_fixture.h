/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy with an SLO of kind evidence, and the Prometheus that it asks: each
 * query is kept, and the test's own function answers it.
 */
#ifndef TEST_METRICS_FIXTURE_H
#define TEST_METRICS_FIXTURE_H

#include "base/buf.h"
#include "io/loop.h"
#include "policy/policy.h"
#include "policy/template.h"

#define METRICS_ASKED_MAX 256

struct metrics_asked {
	char *query;
	int64_t start_ms, end_ms, step_ms; /* of a range; step 0: it is none */
};

struct metrics_fixture {
	struct loop *loop;
	struct http *http;
	struct server *server;
	struct metrics_pool *pool;
	struct policy *policy;
	struct template_values values;
	/* Puts the body there; the status. Without one all is empty. */
	int (*answer)(
		const struct metrics_asked *asked, struct buf *body, void *arg);
	void *arg;
	struct metrics_asked asked[METRICS_ASKED_MAX];
	int n_asked;
};

/* `slo` is one line of YAML: the keys of an SLO after its kind. */
void metrics_fixture_init(
	struct metrics_fixture *fixture, const char *more, const char *slo);
void metrics_fixture_fini(struct metrics_fixture *fixture);

#endif
