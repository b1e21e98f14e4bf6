/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Prometheus that answers what it is told: one answer for every query, which
 * the controls change while it runs. For who needs an answer, not metrics.
 *
 *   /prometheus/api/v1/query, /prometheus/api/v1/query_range
 */
#ifndef TIDEGATE_SANDBOX_METRICS_API_H
#define TIDEGATE_SANDBOX_METRICS_API_H

#include <jansson.h>

#include "sandbox/rpc_error.h"

#define METRICS_API_PATH "/prometheus/"

struct loop;
struct metrics_api;
struct server_request;

/* Its answer is the value 0. */
struct metrics_api *metrics_api_new(struct loop *loop);
/* Requests that wait are reset. */
void metrics_api_free(struct metrics_api **api);

void metrics_api_start(struct metrics_api *api, struct server_request *request);

/*
 * One of these, which replaces the one before:
 *   {"value": 0.5}    {"value": null}: no data
 *   {"error": "text"} the query cannot be executed
 *   {"status": 503}   as of a proxy whose server is gone
 *   {"hang": true}    until there is another answer
 * and with any of them {"delay": "500ms"}.
 */
MUST_CHECK int metrics_api_set(
	struct metrics_api *api, const json_t *body, struct rpc_error *error);
json_t *metrics_api_json(const struct metrics_api *api);

#endif
