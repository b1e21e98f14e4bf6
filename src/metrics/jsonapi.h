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

#include "engine/check.h"
#include "policy/template.h"

struct credentials;
struct http;
struct jsonapi;
struct jsonapi_call;
struct loop;

/* credentials: for auth google; may be NULL otherwise. The sources and
 * questions that are asked are borrowed for the life of the object: one for
 * each policy. */
struct jsonapi *jsonapi_new(
	struct loop *loop, struct http *http, struct credentials *credentials);
/* Calls under way are forgotten; not from inside a callback of one. */
void jsonapi_free(struct jsonapi **api);

struct jsonapi_question {
	const struct json_source *source;
	const struct json_question *what; /* one of the source's */
	const struct template_values *values; /* borrowed for the start */
	int64_t timeout_ms; /* of one request */
	int64_t patience_ms; /* how long limits of the rate may delay it */
};

/* answer NULL: err says why. Both borrowed. latency_us counts from the start
 * of the call. */
typedef void (*jsonapi_fn)(const struct answer *answer, int64_t latency_us,
	const struct err *err, void *arg);

/* The callback runs exactly once, later, never after the cancel. A call that
 * joins one under way shares its time. NULL: it cannot be asked at all. */
MUST_CHECK struct jsonapi_call *jsonapi_start(struct jsonapi *api,
	const struct jsonapi_question *question, jsonapi_fn fn, void *arg,
	struct err *err_r);
void jsonapi_cancel(struct jsonapi_call **call); /* NULL inside: nothing */

#endif
