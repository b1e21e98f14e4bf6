/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients that SLOs are measured with: one of a provider for all rollouts
 * of a policy in a project, so that the same question is asked once.
 */
#ifndef TIDEGATE_METRICS_METRICS_POOL_H
#define TIDEGATE_METRICS_METRICS_POOL_H

#include "metrics/provider.h"

struct metrics_pool;

struct metrics_pool *metrics_pool_new(const struct api *api);
void metrics_pool_free(struct metrics_pool **pool); /* nothing is asked */

struct loop *metrics_pool_loop(const struct metrics_pool *pool);

const struct provider *provider_find(enum slo_provider provider);

/* The provider's client for a policy and a project; made when first asked for.
 * Borrowed until metrics_pool_forget. NULL: it cannot be asked. */
MUST_CHECK void *metrics_pool_client(struct metrics_pool *pool,
	const struct provider *provider, const struct policy *policy,
	const char *project, struct err *err_r);

/* The last rollout of this policy is gone. */
void metrics_pool_forget(
	struct metrics_pool *pool, const struct policy *policy);

#endif
