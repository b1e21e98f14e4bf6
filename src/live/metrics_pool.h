/*
 * The clients that SLOs are measured with: one of a kind for all rollouts of a
 * policy in a project, so that the same question is asked once.
 */
#ifndef TIDEGATE_LIVE_METRICS_POOL_H
#define TIDEGATE_LIVE_METRICS_POOL_H

#include "base/err.h"

struct credentials;
struct http;
struct jsonapi;
struct loop;
struct metrics_pool;
struct policy;
struct prometheus;
struct release;

struct metrics_pool *metrics_pool_new(
	struct loop *loop, struct http *http, struct credentials *credentials);
void metrics_pool_free(struct metrics_pool **pool); /* nothing is asked */

/* For the release's policy and project; made when first asked for. Borrowed
 * until metrics_pool_forget. */
MUST_CHECK struct prometheus *metrics_pool_prometheus(struct metrics_pool *pool,
	const struct release *release, struct err *err_r);
struct jsonapi *metrics_pool_jsonapi(
	struct metrics_pool *pool, const struct release *release);

/* The last rollout of this policy is gone. */
void metrics_pool_forget(
	struct metrics_pool *pool, const struct policy *policy);

#endif
