/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON APIs and Sentry as providers; see provider.h. Both are questions to
 * jsonapi.h: what is asked was made when the policy was loaded.
 */
#include "metrics/jsonapi.h"
#include "metrics/provider.h"
#include "metrics/query_role.h"

#define PATIENCE_MS_MAX (5 * 60 * 1000) /* a check is not put off for longer */

static void *json_open(const struct api *api, const struct policy *policy,
	const char *project, struct err *err_r)
{
	return jsonapi_new(api);
}

static void json_close(void *client)
{
	struct jsonapi *jsonapi = client;

	jsonapi_free(&jsonapi);
}

/* A limit of the rate may delay a check, but not beyond the next. */
static int64_t patience_ms(const struct metric_query *query)
{
	int64_t ms = query->slo->interval_ms - query->timeout_ms;

	return ms < 0 ? 0 : ms < PATIENCE_MS_MAX ? ms : PATIENCE_MS_MAX;
}

static struct provider_call *json_start(void *client,
	const struct metric_query *query, metric_fn fn, void *arg,
	struct err *err_r)
{
	const struct jsonapi_question question = {
		.source = query->slo->json,
		.what = query_role_question(query->slo, query->role),
		.values = query->values,
		.timeout_ms = query->timeout_ms,
		.patience_ms = patience_ms(query),
	};

	return jsonapi_start(client, &question, fn, arg, err_r);
}

const struct provider provider_json = {
	.open = json_open,
	.close = json_close,
	.start = json_start,
};
