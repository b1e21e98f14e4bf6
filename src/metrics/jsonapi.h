/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON APIs asked for one number each, by GET, or by POST where a question has
 * a body. Identical requests that are under way at the same moment are sent
 * once, whatever number each is asked for.
 *
 * Limits of the rate are honoured: who was told to wait is not asked before. A
 * call waits as long as its patience lasts and is answered with ERR_THROTTLED
 * then.
 */
#ifndef TIDEGATE_METRICS_JSONAPI_H
#define TIDEGATE_METRICS_JSONAPI_H

#include <stdint.h>

#include "metrics/provider.h"

struct api;
struct jsonapi;

/* The sources and questions that are asked are borrowed for the life of the
 * object: one for each policy. */
struct jsonapi *jsonapi_new(const struct api *api);
/* Calls under way are forgotten; not from inside a callback of one. */
void jsonapi_free(struct jsonapi **jsonapi);

struct jsonapi_question {
	const struct json_source *source;
	const struct json_question *what; /* one of the source's */
	const struct template_values *values; /* borrowed for the start */
	int64_t timeout_ms; /* of one request */
	int64_t patience_ms; /* how long limits of the rate may delay it */
};

/* The callback and the cancel as those of metrics/provider.h. A call that joins
 * one under way shares its time. NULL: it cannot be asked at all. */
MUST_CHECK struct provider_call *jsonapi_start(struct jsonapi *jsonapi,
	const struct jsonapi_question *question, metric_fn fn, void *arg,
	struct err *err_r);

#endif
