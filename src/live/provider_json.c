/*
 * JSON APIs and Sentry as providers; see provider.h. Both are questions to
 * jsonapi.h: what is asked was made when the policy was loaded.
 */
#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "live/metrics_pool.h"
#include "live/provider.h"
#include "metrics/jsonapi.h"

#define PATIENCE_MS_MAX (5 * 60 * 1000) /* a check is not put off for longer */

struct provider_call {
	struct jsonapi_call *call;
	provider_fn fn;
	void *arg;
};

static char *json_text(const struct metric_query *query)
{
	const struct slo *slo = query->slo;
	const char *text = query->role == QUERY_VALUE      ? slo->query
			   : query->role == QUERY_REQUESTS ? slo->requests
			   : slo->compare_stable           ? slo->query
							   : slo->baseline;
	struct buf out;

	if (!text)
		return NULL;
	buf_init(&out, QUERY_BYTES_MAX);
	template_render(&out, text, query->values, ESCAPE_NONE);
	return buf_steal(&out);
}

static const struct json_question *what_of(const struct metric_query *query)
{
	const struct json_source *source = query->slo->json;

	switch (query->role) {
	case QUERY_REQUESTS:
		return &source->requests;
	case QUERY_BASELINE:
		return query->slo->compare_stable ? &source->value
						  : &source->baseline;
	default:
		return &source->value;
	}
}

static void json_answered(const struct answer *answer, int64_t latency_us,
	const struct err *err, void *arg)
{
	struct provider_call done = *(struct provider_call *)arg;
	struct sample sample = {.kind = SAMPLE_NONE, .value = NAN};

	free(arg);
	if (answer && answer->kind == ANSWER_VALUE)
		sample = (struct sample){.kind = SAMPLE_VALUE,
			.value = answer->value,
			.series = 1};
	done.fn(answer ? &sample : NULL, latency_us, err, done.arg);
}

/* A limit of the rate may delay a check, but not beyond the next. */
static int64_t patience_ms(const struct metric_query *query)
{
	int64_t ms = query->slo->interval_ms - query->timeout_ms;

	return ms < 0 ? 0 : ms < PATIENCE_MS_MAX ? ms : PATIENCE_MS_MAX;
}

static struct provider_call *json_start(struct metrics_pool *pool,
	const struct metric_query *query, provider_fn fn, void *arg,
	struct err *err_r)
{
	const struct jsonapi_question what = {
		.source = query->slo->json,
		.what = what_of(query),
		.values = query->values,
		.timeout_ms = query->timeout_ms,
		.patience_ms = patience_ms(query),
	};
	struct provider_call *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->arg = arg;
	call->call = jsonapi_start(metrics_pool_jsonapi(pool, query->release),
		&what, json_answered, call, err_r);
	if (call->call)
		return call;
	free(call);
	return NULL;
}

static void json_cancel(struct provider_call **call)
{
	if (!*call)
		return;
	jsonapi_cancel(&(*call)->call);
	free(*call);
	*call = NULL;
}

const struct provider provider_json = {
	.text = json_text,
	.start = json_start,
	.cancel = json_cancel,
};
