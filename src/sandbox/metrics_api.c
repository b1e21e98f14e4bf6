/* SPDX-License-Identifier: Apache-2.0 */
/* A Prometheus that answers what it is told; see metrics_api.h. */
#include "sandbox/metrics_api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server.h"
#include "sandbox/sandbox_answer.h"

#define WAITING_MAX 256
#define POINTS_MAX  11000 /* of a range, as a real one has it */
#define DELAY_MAX   3600000 /* ms */
#define TEXT_MAX    256

enum metrics_kind {
	METRICS_VALUE,
	METRICS_NONE,
	METRICS_ERROR,
	METRICS_STATUS,
	METRICS_HANG
};

struct waiting {
	struct metrics_api *api;
	struct server_request *request;
	struct timer *timer; /* NULL: until there is another answer */
};

struct metrics_api {
	struct loop *loop;
	enum metrics_kind kind;
	double value;
	int status; /* METRICS_STATUS */
	char text[TEXT_MAX]; /* METRICS_ERROR; a warning, with data */
	int64_t delay_ms;
	struct waiting *waiting[WAITING_MAX];
	size_t n_waiting;
};

/* ---- What is asked. ---- */

/* Of a form, or of the query of a target: they are written alike. */
static double number_of(struct server_request *request, const char *name)
{
	size_t len = strlen(name), ignored;
	const char *text = request_query(request, name);
	const char *at;

	if (text)
		return strtod(text, NULL);
	for (at = request_body(request, &ignored); at && *at;
		at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return strtod(at + len + 1, NULL);
	}
	return NAN;
}

static json_t *pair(double time_s, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.17g", value);
	return json_pack("[f, s]", time_s, text);
}

/* NULL: a range that a real one refuses, too. */
static json_t *range_values(
	const struct metrics_api *api, struct server_request *request)
{
	double start = number_of(request, "start");
	double end = number_of(request, "end");
	double step = number_of(request, "step");
	double points = floor((end - start) / step) + 1;
	json_t *list;

	if (!(step > 0) || !(points > 0) || points > POINTS_MAX)
		return NULL;
	list = json_array();
	for (int i = 0; i < (int)points; i++)
		json_array_append_new(list, pair(start + i * step, api->value));
	return list;
}

static bool is_range(struct server_request *request)
{
	return strcmp(request_path(request),
		       METRICS_API_PATH "api/v1/query_range") == 0;
}

/* ---- Answers. ---- */

static void answer_error(struct server_request *request, int status,
	const char *type, const char *text)
{
	json_t *body = json_pack("{s:s, s:s, s:s}", "status", "error",
		"errorType", type, "error", text);

	sandbox_answer_json(request, status, body, false);
	json_decref(body);
}

static void answer_data(
	const struct metrics_api *api, struct server_request *request)
{
	bool range = is_range(request);
	json_t *result = json_array(), *body, *values;

	if (api->kind == METRICS_VALUE) {
		values = range ? range_values(api, request)
			       : pair((double)loop_now(api->loop) / 1000,
					 api->value);
		if (!values) {
			json_decref(result);
			answer_error(request, 400, "bad_data",
				"start, end and step make no range");
			return;
		}
		json_array_append_new(
			result, json_pack("{s:{}, s:o}", "metric",
					range ? "values" : "value", values));
	}
	body = json_pack("{s:s, s:{s:s, s:o}}", "status", "success", "data",
		"resultType", range ? "matrix" : "vector", "result", result);
	if (api->text[0])
		json_object_set_new(
			body, "warnings", json_pack("[s]", api->text));
	sandbox_answer_json(request, 200, body, false);
	json_decref(body);
}

static void answer_now(
	const struct metrics_api *api, struct server_request *request)
{
	static const char gone[] = "the server is gone\n";

	switch (api->kind) {
	case METRICS_VALUE:
	case METRICS_NONE:
		answer_data(api, request);
		break;
	case METRICS_ERROR:
		answer_error(request, 422, "execution", api->text);
		break;
	case METRICS_STATUS:
		request_answer(
			request, api->status, "text/plain", gone, strlen(gone));
		break;
	case METRICS_HANG:
		request_reset(request);
	}
}

/* ---- Waiting. ---- */

static void forget(struct waiting *waiting)
{
	struct metrics_api *api = waiting->api;
	size_t i = 0;

	while (api->waiting[i] != waiting)
		i++;
	api->waiting[i] = api->waiting[--api->n_waiting];
	timer_cancel(&waiting->timer);
	free(waiting);
}

static void on_due(void *arg)
{
	struct waiting *waiting = arg;

	waiting->timer = NULL;
	if (waiting->api->kind == METRICS_HANG)
		return;
	answer_now(waiting->api, waiting->request);
	forget(waiting);
}

static void wait_start(struct metrics_api *api, struct server_request *request)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));

	waiting->api = api;
	waiting->request = request;
	if (api->kind != METRICS_HANG)
		waiting->timer =
			timer_start(api->loop, api->delay_ms, on_due, waiting);
	api->waiting[api->n_waiting++] = waiting;
}

/* Those that hung are answered now. */
static void wake(struct metrics_api *api)
{
	size_t i;

	for (i = api->n_waiting; i-- > 0;) {
		struct waiting *waiting = api->waiting[i];

		if (waiting->timer)
			continue;
		answer_now(api, waiting->request);
		forget(waiting);
	}
}

/* ---- The public part. ---- */

struct metrics_api *metrics_api_new(struct loop *loop)
{
	struct metrics_api *api = xcalloc(1, sizeof(*api));

	api->loop = loop;
	return api;
}

void metrics_api_free(struct metrics_api **api_p)
{
	struct metrics_api *api = *api_p;

	while (api && api->n_waiting) {
		request_reset(api->waiting[0]->request);
		forget(api->waiting[0]);
	}
	free(api);
	*api_p = NULL;
}

void metrics_api_start(struct metrics_api *api, struct server_request *request)
{
	if (!is_range(request) && strcmp(request_path(request),
					  METRICS_API_PATH "api/v1/query") != 0)
		answer_error(request, 404, "not_found",
			"only query and query_range are answered here");
	else if (api->n_waiting == WAITING_MAX)
		answer_error(request, 503, "unavailable", "too many wait");
	else if (api->kind == METRICS_HANG || api->delay_ms)
		wait_start(api, request);
	else
		answer_now(api, request);
}

/* What `body` says over `to`, all of it or nothing. */
static int read_answer(
	const json_t *body, struct metrics_api *to, struct rpc_error *error)
{
	json_t *value = NULL;
	const char *text = NULL, *delay = NULL, *warning = NULL;
	int hang = 0, status = 0;
	json_error_t where;
	struct err err;

	if (json_unpack_ex((json_t *)body, &where, JSON_STRICT,
		    "{s?o, s?s, s?i, s?b, s?s, s?s}", "value", &value, "error",
		    &text, "status", &status, "hang", &hang, "delay", &delay,
		    "warning", &warning) < 0)
		return rpc_error_field(error, "", "%s", where.text);
	if (!!value + !!text + !!status + !!hang != 1)
		return rpc_error_field(error, "",
			"one of value, error, status and hang is wanted");
	if (warning && !value)
		return rpc_error_field(
			error, "warning", "a warning goes with a value");
	if (value && !json_is_number(value) && !json_is_null(value))
		return rpc_error_field(
			error, "value", "value must be a number or null");
	if (status && (status < 100 || status > 599))
		return rpc_error_field(
			error, "status", "status must be from 100 to 599");
	if (delay && (duration_parse(delay, &to->delay_ms, &err) < 0 ||
			     to->delay_ms > DELAY_MAX))
		return rpc_error_field(
			error, "delay", "\"%.40s\" is no delay", delay);
	to->kind = text                  ? METRICS_ERROR
		   : status              ? METRICS_STATUS
		   : hang                ? METRICS_HANG
		   : json_is_null(value) ? METRICS_NONE
					 : METRICS_VALUE;
	to->value = json_number_value(value);
	to->status = status;
	snprintf(to->text, sizeof(to->text), "%s",
		text      ? text
		: warning ? warning
			  : "");
	return 0;
}

int metrics_api_set(
	struct metrics_api *api, const json_t *body, struct rpc_error *error)
{
	struct metrics_api next = *api;

	next.delay_ms = 0;
	if (read_answer(body, &next, error) < 0)
		return -1;
	*api = next;
	if (api->kind != METRICS_HANG)
		wake(api);
	return 0;
}

json_t *metrics_api_json(const struct metrics_api *api)
{
	char delay[DURATION_TEXT_MAX];
	json_t *json = json_object();

	if (api->kind == METRICS_VALUE)
		json_object_set_new(json, "value", json_real(api->value));
	else if (api->kind == METRICS_NONE)
		json_object_set_new(json, "value", json_null());
	else if (api->kind == METRICS_ERROR)
		json_object_set_new(json, "error", json_string(api->text));
	else if (api->kind == METRICS_STATUS)
		json_object_set_new(json, "status", json_integer(api->status));
	else
		json_object_set_new(json, "hang", json_true());
	if (api->delay_ms)
		json_object_set_new(json, "delay",
			json_string(duration_print(api->delay_ms, delay)));
	return json;
}
