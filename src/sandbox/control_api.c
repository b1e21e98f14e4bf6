/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controls of the sandbox, for people and tests; bodies are JSON.
 *
 *   GET    /sandbox                  everything, as JSON
 *   PATCH  /sandbox                  options: see sandbox_options.c
 *   PUT    /sandbox/traffic          somebody else changes the traffic:
 *                                    {"REVISION": 90, "LATEST": 10} or
 *                                    {"traffic": [as in the admin API]}
 *   POST   /sandbox/deploy           a new revision: {"revision": NAME,
 *                                     "ready": true, "takes": "5s",
 *                                     "message": why it is not ready, "by":
 *                                     who makes it, and a profile}
 *   POST   /sandbox/revisions/NAME   {"latency": "80ms", "sigma": 0.5,
 *                                     "errors": "5%", "codes": {"503": "1%"},
 *                                     "proxy": "http://127.0.0.1:8080",
 *                                     "ready": false, "message": why}: what is
 *                                     named changes
 *   DELETE /sandbox/revisions/NAME   as if Cloud Run had collected it: it has
 *                                    no traffic, no tag and is not the latest;
 *                                    ?force=true: it has no traffic
 *   DELETE /sandbox/service          it is gone
 *   POST   /sandbox/service          it is made anew: the same names, another
 *                                    uid, generation 1
 *   GET    /sandbox/faults
 *   POST   /sandbox/faults           {"kind": …} and any of: method, path (a
 *                                    shell pattern without the query), skip,
 *                                    times (1; or "always"), for (a time),
 *                                    when (before or after the effect), writing
 *                                    ({"REVISION": 100}: only a PATCH that asks
 *                                    for this split). Kinds and their own keys:
 *                                     status           status retryAfter
 *                                                      message, or body (sent
 *                                                      as it is, as HTML)
 *                                     reset
 *                                     hang             delay (then a reset)
 *                                     slow             delay
 *                                     operation-error  code message
 *                                     operation-stuck
 *                                     stale            delay (how old) or
 *                                                      generations
 *                                     drift            set, deploy, remove, ready
 *                                                      or service: foreign.h
 *   DELETE /sandbox/faults[/ID]      hanging requests are reset, too
 *   PUT    /sandbox/metrics          what ADMIN/prometheus answers to every
 *                                    query: {"value": 0.5}, {"value": null}
 *                                    (no data), both also with "warning",
 *                                    {"error": "text"},
 *                                    {"status": 503} or {"hang": true}, any of
 *                                    them with {"delay": "500ms"}
 *   GET    /sandbox/recent           what a revision answered within a window:
 *                                    ?revision=NAME&window=5s; requests,
 *                                    errorRatio, p50 and p95 in seconds, null
 *                                    where it answered nothing
 *   GET    /sandbox/counts           requests: {"minute": {"reads": N,
 *                                    "writes": N}, "most": …, "all": …}; most:
 *                                    within any 60 s
 *   DELETE /sandbox/counts
 *   GET    /sandbox/log              requests to the admin API; ?after=SEQ,
 *                                    ?method=PATCH
 *   DELETE /sandbox/log
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"
#include "sandbox/admin_check.h"
#include "sandbox/foreign.h"
#include "sandbox/metrics_api.h"
#include "sandbox/sandbox_answer.h"
#include "sandbox/sandbox_options.h"
#include "sandbox/sandbox_parts.h"

#define TYPE      "TRAFFIC_TARGET_ALLOCATION_TYPE_"
#define REVISIONS "/sandbox/revisions/"
#define FAULTS    "/sandbox/faults/"
#define PERCENTS  100

#define WINDOW_MS_DEFAULT 5000

struct control {
	struct sandbox *sandbox;
	struct server_request *request;
	const char *rest; /* of the path, where the route ends in a slash */
	json_t *body; /* NULL when the route takes none */
	json_t *answer; /* NULL: the whole state */
};

typedef int (*control_fn)(struct control *control, struct rpc_error *error);

static int state_get(struct control *control, struct rpc_error *error);
static int options_set(struct control *control, struct rpc_error *error);
static int traffic_put(struct control *control, struct rpc_error *error);
static int deploy(struct control *control, struct rpc_error *error);
static int revision_set(struct control *control, struct rpc_error *error);
static int revision_delete(struct control *control, struct rpc_error *error);
static int service_delete(struct control *control, struct rpc_error *error);
static int service_recreate(struct control *control, struct rpc_error *error);
static int faults_get(struct control *control, struct rpc_error *error);
static int fault_add(struct control *control, struct rpc_error *error);
static int faults_delete(struct control *control, struct rpc_error *error);
static int metrics_put(struct control *control, struct rpc_error *error);
static int recent_get(struct control *control, struct rpc_error *error);
static int counts_get(struct control *control, struct rpc_error *error);
static int counts_delete(struct control *control, struct rpc_error *error);
static int log_get(struct control *control, struct rpc_error *error);
static int log_delete(struct control *control, struct rpc_error *error);

/* A path that ends in a slash takes one more name. */
static const struct control_route {
	const char *method, *path, *params;
	bool has_body;
	control_fn fn;
} routes[] = {
	{"GET", "/sandbox", "", false, state_get},
	{"PATCH", "/sandbox", "", true, options_set},
	{"PUT", "/sandbox/traffic", "", true, traffic_put},
	{"POST", "/sandbox/deploy", "", true, deploy},
	{"POST", REVISIONS, "", true, revision_set},
	{"DELETE", REVISIONS, "force", false, revision_delete},
	{"DELETE", "/sandbox/service", "", false, service_delete},
	{"POST", "/sandbox/service", "", true, service_recreate},
	{"GET", "/sandbox/faults", "", false, faults_get},
	{"POST", "/sandbox/faults", "", true, fault_add},
	{"DELETE", "/sandbox/faults", "", false, faults_delete},
	{"DELETE", FAULTS, "", false, faults_delete},
	{"PUT", "/sandbox/metrics", "", true, metrics_put},
	{"GET", "/sandbox/recent", "revision window", false, recent_get},
	{"GET", "/sandbox/counts", "", false, counts_get},
	{"DELETE", "/sandbox/counts", "", false, counts_delete},
	{"GET", "/sandbox/log", "after method", false, log_get},
	{"DELETE", "/sandbox/log", "", false, log_delete},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* The parts of the traffic that serve. */
struct split {
	const struct model_revision *part[PERCENTS];
	size_t n;
};

static json_t *revision_json(const struct sandbox *sandbox,
	const struct model_revision *revision, const struct split *split)
{
	json_t *row = revision_profile_json(
		front_door_profile(sandbox->front, revision->name));
	int percent = 0;
	size_t i;

	for (i = 0; i < split->n; i++)
		percent += split->part[i] == revision;
	json_object_set_new(row, "name", json_string(revision->name));
	json_object_set_new(row, "ready", json_boolean(revision->ready));
	if (revision->due_ms != MODEL_NEVER)
		json_object_set_new(row, "deploying", json_true());
	json_object_set_new(row, "percent", json_integer(percent));
	json_object_set_new(row, "requests",
		json_integer((json_int_t)front_door_requests(
			sandbox->front, revision->name)));
	return row;
}

/* The answer to what was done to one revision. */
static json_t *revision_answer(
	const struct sandbox *sandbox, const struct model_revision *revision)
{
	struct split split;

	split.n = model_split(sandbox->cloud.model, split.part);
	return revision_json(sandbox, revision, &split);
}

static json_t *state_json(const struct sandbox *sandbox)
{
	const struct model *model = sandbox->cloud.model;
	json_t *revisions = json_array(), *state;
	struct split split;
	size_t i;

	split.n = model_split(model, split.part);
	for (i = 0; i < model->n_revisions; i++)
		json_array_append_new(revisions,
			revision_json(sandbox, model->revision[i], &split));
	state = json_pack(
		"{s:s, s:s, s:I, s:I, s:b, s:s, s:o, s:o, s:o, s:o, s:I}",
		"service", model->name, "front", model->uri, "generation",
		(json_int_t)model->generation, "observedGeneration",
		(json_int_t)model->observed_generation, "reconciling",
		model->pending || model->n_deploying, "lastModifier",
		model->last_modifier, "traffic", json_incref(model->spec_json),
		"serving", json_incref(model->served_json), "revisions",
		revisions, "faults",
		sandbox_faults_json(&sandbox->cloud.faults), "adminRequests",
		(json_int_t)sandbox->cloud.log.made);
	json_object_set_new(state, "uid", json_string(model->uid));
	json_object_set_new(
		state, "options", sandbox_options_json(&sandbox->cloud));
	return state;
}

static int state_get(struct control *control, struct rpc_error *error)
{
	return 0;
}

static int options_set(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;

	return sandbox_options_set(
		&sandbox->cloud, control->body, sandbox_now(sandbox), error);
}

static int service_delete(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;

	model_delete(sandbox->cloud.model, sandbox_now(sandbox));
	return 0;
}

static int service_recreate(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;

	model_recreate(sandbox->cloud.model, sandbox_now(sandbox));
	return 0;
}

/* {"A": 90, "LATEST": 10} as the list of the admin API; a new reference. */
static json_t *traffic_list(const json_t *map)
{
	json_t *list = json_array(), *percent;
	const char *name;

	json_object_foreach((json_t *)map, name, percent) {
		bool latest = strcmp(name, "LATEST") == 0;
		json_t *entry = json_pack("{s:s, s:O}", "type",
			latest ? TYPE "LATEST" : TYPE "REVISION", "percent",
			percent);

		if (!latest)
			json_object_set_new(
				entry, "revision", json_string(name));
		json_array_append_new(list, entry);
	}
	return list;
}

static int traffic_put(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	json_t *fields = json_object_get(control->body, "traffic")
				 ? json_incref(control->body)
				 : json_pack("{s:o}", "traffic",
					   traffic_list(control->body));
	int rc = admin_routes_drift(sandbox->cloud.model, fields, FOREIGN_WHO,
		false, sandbox_now(sandbox), error);

	json_decref(fields);
	return rc;
}

int control_traffic(
	struct sandbox *sandbox, const char *text, struct rpc_error *error)
{
	struct routes list = {NULL, 0};
	char name[ROUTE_NAME_MAX + 1];
	int percent, used, sum = 0;

	for (; *text; text += used + (text[used] == ',')) {
		used = 0;
		if (sscanf(text, "%63[^=,]=%3d%n", name, &percent, &used) !=
				2 ||
			(text[used] && text[used] != ',') || percent < 0)
			break;
		sum += percent;
		if (strcmp(name, "LATEST") == 0)
			routes_add(&list, ROUTE_LATEST, "", percent);
		else if (model_find_revision(sandbox->cloud.model, name))
			routes_add(&list, ROUTE_REVISION, name, percent);
		else
			break;
	}
	if (*text || sum != 100) {
		routes_fini(&list);
		return rpc_error_field(error, "traffic",
			"the traffic must be REVISION=PERCENT,... of revisions "
			"that exist (or LATEST), 100 in sum");
	}
	model_set_routes(sandbox->cloud.model, &list, sandbox_now(sandbox));
	routes_fini(&list);
	return 0;
}

/* The profile in the body over what `profile` holds. */
static int profile_read(const json_t *body, const char *also,
	struct revision_profile *profile, struct rpc_error *error)
{
	struct err err;

	if (revision_profile_read(body, also, profile, &err) < 0 ||
		(profile->proxy[0] &&
			http_url_check(profile->proxy, false, &err) < 0))
		return rpc_error_field(error, "", "%.250s", err.text);
	return 0;
}

static int flag_read(const json_t *body, const char *name, bool *value,
	struct rpc_error *error)
{
	const json_t *flag = json_object_get(body, name);

	if (flag && !json_is_boolean(flag))
		return rpc_error_field(
			error, name, "%s must be true or false", name);
	if (flag)
		*value = json_is_true(flag);
	return 0;
}

static int deploy(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	struct revision_profile profile = {.latency_ms = 0};
	struct model_deployment deployment;
	struct model_revision *revision;

	if (profile_read(control->body, "revision ready takes message by",
		    &profile, error) < 0 ||
		foreign_read_deployment(control->body, &deployment, error) < 0)
		return -1;
	revision = model_deploy_as(
		sandbox->cloud.model, &deployment, sandbox_now(sandbox), error);
	if (!revision)
		return -1;
	*front_door_profile(sandbox->front, revision->name) = profile;
	control->answer = revision_answer(sandbox, revision);
	return 0;
}

static int revision_set(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	struct model_revision *revision =
		model_find_revision(sandbox->cloud.model, control->rest);
	struct revision_profile profile;
	const json_t *message = json_object_get(control->body, "message");
	bool ready;

	if (!revision)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"there is no revision \"%.80s\"", control->rest);
	profile = *front_door_profile(sandbox->front, revision->name);
	ready = revision->ready;
	if (profile_read(control->body, "ready message", &profile, error) < 0 ||
		flag_read(control->body, "ready", &ready, error) < 0)
		return -1;
	*front_door_profile(sandbox->front, revision->name) = profile;
	if (json_object_get(control->body, "ready"))
		model_set_ready(sandbox->cloud.model, revision, ready,
			json_string_value(message), sandbox_now(sandbox));
	control->answer = revision_answer(sandbox, revision);
	return 0;
}

static int revision_delete(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	struct admin_query query;
	bool force;

	if (admin_query_read(request_target(control->request), "force", &query,
		    error) < 0 ||
		admin_query_bool(&query, "force", &force, error) < 0 ||
		model_remove(sandbox->cloud.model, control->rest, force,
			sandbox_now(sandbox), error) < 0)
		return -1;
	front_door_forget(sandbox->front, control->rest);
	return 0;
}

static int faults_get(struct control *control, struct rpc_error *error)
{
	control->answer = json_pack("{s:o}", "faults",
		sandbox_faults_json(&control->sandbox->cloud.faults));
	return 0;
}

int control_fault(
	struct sandbox *sandbox, const json_t *body, struct rpc_error *error)
{
	const char *kind = json_string_value(json_object_get(body, "kind"));

	if (kind && strcmp(kind, "drift") == 0 &&
		foreign_do(sandbox->cloud.model, body, true,
			sandbox_now(sandbox), error) < 0)
		return -1;
	return sandbox_faults_add(
		&sandbox->cloud.faults, body, sandbox_now(sandbox), error);
}

static int fault_add(struct control *control, struct rpc_error *error)
{
	int id = control_fault(control->sandbox, control->body, error);

	if (id < 0)
		return -1;
	control->answer = json_pack("{s:i}", "id", id);
	return 0;
}

static int faults_delete(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	unsigned long id = strtoul(control->rest, NULL, 10);

	if (*control->rest && (!id || id > UINT32_MAX))
		id = UINT32_MAX; /* no fault has it */
	if (!sandbox_faults_remove(&sandbox->cloud.faults, (unsigned)id))
		return rpc_error_set(error, RPC_NOT_FOUND,
			"there is no fault \"%.40s\"", control->rest);
	cloud_reset_calls(&sandbox->cloud, true);
	return faults_get(control, error);
}

static int metrics_put(struct control *control, struct rpc_error *error)
{
	struct metrics_api *api = control->sandbox->metrics;

	if (metrics_api_set(api, control->body, error) < 0)
		return -1;
	control->answer = metrics_api_json(api);
	return 0;
}

/* A null where there is no number. */
static json_t *number_json(double number)
{
	return isnan(number) ? json_null() : json_real(number);
}

static int recent_get(struct control *control, struct rpc_error *error)
{
	struct recent_view view;
	struct admin_query query;
	const char *revision, *window;
	int64_t window_ms = WINDOW_MS_DEFAULT;
	struct err err;

	if (admin_query_read(request_target(control->request),
		    "revision window", &query, error) < 0)
		return -1;
	revision = admin_query_get(&query, "revision");
	window = admin_query_get(&query, "window");
	if (!revision)
		return rpc_error_field(
			error, "revision", "whose answers? ?revision=NAME");
	if (window && duration_parse(window, &window_ms, &err) < 0)
		return rpc_error_field(error, "window", "%.200s", err.text);
	front_door_recent(control->sandbox->front, revision, window_ms, &view);
	control->answer = json_pack("{s:s, s:I, s:o, s:o, s:o}", "revision",
		revision, "requests", (json_int_t)view.requests, "errorRatio",
		number_json(view.error_ratio), "p50", number_json(view.p50_s),
		"p95", number_json(view.p95_s));
	return 0;
}

static int counts_get(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;

	control->answer = sandbox_counts_json(
		&sandbox->cloud.counts, sandbox_now(sandbox));
	return 0;
}

static int counts_delete(struct control *control, struct rpc_error *error)
{
	control->sandbox->cloud.counts = (struct sandbox_counts){.all = {0}};
	return counts_get(control, error);
}

static int log_get(struct control *control, struct rpc_error *error)
{
	const char *target = request_target(control->request);
	struct admin_query query;
	const char *after;

	if (admin_query_read(target, "after method", &query, error) < 0)
		return -1;
	after = admin_query_get(&query, "after");
	control->answer = sandbox_log_json(&control->sandbox->cloud.log,
		after ? strtoull(after, NULL, 10) : 0,
		admin_query_get(&query, "method"));
	return 0;
}

static int log_delete(struct control *control, struct rpc_error *error)
{
	sandbox_log_clear(&control->sandbox->cloud.log);
	control->answer =
		sandbox_log_json(&control->sandbox->cloud.log, 0, NULL);
	return 0;
}

static bool route_fits(const struct control_route *route, const char *method,
	const char *path, const char **rest_r)
{
	size_t len = strlen(route->path);

	if (strcmp(route->method, method) != 0 ||
		strncmp(route->path, path, len) != 0)
		return false;
	*rest_r = path + len;
	if (route->path[len - 1] == '/')
		return path[len] && !strchr(path + len, '/');
	return !path[len];
}

static int body_read(
	struct control *control, bool has_body, struct rpc_error *error)
{
	const char *bytes;
	size_t len;

	bytes = request_body(control->request, &len);
	if (has_body && len)
		return admin_check_json(bytes, len, &control->body, error);
	if (has_body)
		control->body = json_object();
	return 0;
}

static int answer(struct control *control, struct rpc_error *error)
{
	const char *method = request_method(control->request);
	const char *path = request_path(control->request);
	struct admin_query query;
	size_t i;

	for (i = 0; i < ROUTES; i++) {
		if (!route_fits(&routes[i], method, path, &control->rest))
			continue;
		if (admin_query_read(request_target(control->request),
			    routes[i].params, &query, error) < 0 ||
			body_read(control, routes[i].has_body, error) < 0)
			return -1;
		return routes[i].fn(control, error);
	}
	return rpc_error_set(error, RPC_NOT_FOUND,
		"The sandbox has no control %.10s %.200s: see tidegate help "
		"sandbox.",
		method, path);
}

void control_api_answer(struct sandbox *sandbox, struct server_request *request)
{
	struct control control = {.sandbox = sandbox, .request = request};
	struct rpc_error error = {.code = RPC_OK};

	cloud_advance(&sandbox->cloud, sandbox_now(sandbox));
	if (answer(&control, &error) < 0) {
		sandbox_answer_error(request, &error);
	} else {
		sandbox->changed(sandbox);
		if (!control.answer)
			control.answer = state_json(sandbox);
		sandbox_answer_json(request, 200, control.answer, true);
	}
	json_decref(control.answer);
	json_decref(control.body);
}
