/* SPDX-License-Identifier: Apache-2.0 */
/* The Prometheus of the policy's `metrics` as a provider; see provider.h. */
#include <assert.h>

#include "metrics/prometheus.h"
#include "metrics/provider.h"
#include "metrics/query_role.h"

static void *prometheus_open(const struct api *api, const struct policy *policy,
	const char *project, struct err *err_r)
{
	const struct metrics metrics = prometheus_metrics(policy, project);

	return prometheus_new(api, &metrics, err_r);
}

static void prometheus_close(void *client)
{
	struct prometheus *prometheus = client;

	prometheus_free(&prometheus);
}

static struct provider_call *prometheus_start(void *client,
	const struct metric_query *query, metric_fn fn, void *arg,
	struct err *err_r)
{
	return query_role_counts(query->role)
		       ? prometheus_counters_start(client, query->text,
				 query_role_delta_ms(query->slo),
				 query->timeout_ms, fn, arg)
		       : prometheus_query_start(client, query->text,
				 query->timeout_ms, fn, arg);
}

static struct provider_call *prometheus_start_joint(void *client,
	const struct metric_query *queries, size_t n, metric_fn fn, void *arg)
{
	struct joint_part parts[JOINT_QUERY_MAX];
	size_t i;

	assert(n > 0 && n <= JOINT_QUERY_MAX);
	for (i = 0; i < n; i++)
		parts[i] = (struct joint_part){
			query_role_name(queries[i].slo, queries[i].role),
			queries[i].text};
	return prometheus_joint_start(client, parts, n,
		query_role_delta_ms(queries[0].slo), queries[0].timeout_ms, fn,
		arg);
}

const struct provider provider_prometheus = {
	.open = prometheus_open,
	.close = prometheus_close,
	.start = prometheus_start,
	.start_joint = prometheus_start_joint,
};
