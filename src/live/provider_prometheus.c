/* The Prometheus of the policy's `metrics` as a provider; see provider.h. */
#include "live/metrics_pool.h"
#include "live/provider.h"
#include "metrics/prometheus.h"

static const char *query_template(const struct slo *slo, enum query_role role)
{
	switch (role) {
	case QUERY_BASELINE:
		return slo->compare_stable ? slo->query : slo->baseline;
	case QUERY_REQUESTS:
		return slo->requests;
	default:
		return slo->query;
	}
}

static char *query_text(const struct metric_query *query)
{
	const char *text = query_template(query->slo, query->role);
	struct buf out;

	if (!text)
		return NULL;
	buf_init(&out, QUERY_BYTES_MAX);
	template_render(&out, text, query->values, ESCAPE_PROMQL);
	return buf_steal(&out);
}

/* A call is the Prometheus's own: there is nothing to add to it. */
static struct provider_call *query_start(struct metrics_pool *pool,
	const struct metric_query *query, provider_fn fn, void *arg,
	struct err *err_r)
{
	struct prometheus *prometheus =
		metrics_pool_prometheus(pool, query->release, err_r);

	if (!prometheus)
		return NULL;
	return (struct provider_call *)prometheus_query_start(
		prometheus, query->text, query->timeout_ms, fn, arg);
}

static void query_cancel(struct provider_call **call)
{
	struct prometheus_call *own = (struct prometheus_call *)*call;

	prometheus_cancel(&own);
	*call = NULL;
}

const struct provider provider_prometheus = {
	.text = query_text,
	.start = query_start,
	.cancel = query_cancel,
};
