/*
 * The controls of the sandbox, for people and tests; bodies are JSON.
 *
 *   GET    /sandbox                  everything, as JSON
 *   PATCH  /sandbox                  {"operationDelay": "2s",
 *                                     "etag": "strict" or "lax",
 *                                     "deny": ["run.operations.get", …],
 *                                     "clockAhead": "5m" (of the admin API's
 *                                     answers)}
 *   PUT    /sandbox/traffic          somebody else changes the traffic:
 *                                    {"REVISION": 90, "LATEST": 10} or
 *                                    {"traffic": [as in the admin API]}
 *   POST   /sandbox/deploy           a new revision: {"revision": NAME,
 *                                     "ready": true, and a profile}
 *   POST   /sandbox/revisions/NAME   {"latency": "80ms", "sigma": 0.5,
 *                                     "errors": "5%", "codes": {"503": "1%"},
 *                                     "proxy": "http://127.0.0.1:8080",
 *                                     "ready": false}: what is named changes
 *   DELETE /sandbox/revisions/NAME   as if Cloud Run had collected it
 *   GET    /sandbox/faults
 *   POST   /sandbox/faults           {"kind": …} and any of: method, path (a
 *                                    shell pattern without the query), skip,
 *                                    times (1), for (a time), when (before or
 *                                    after the effect). Kinds and their own
 *                                    keys:
 *                                     status           status retryAfter
 *                                                      message, or body (sent
 *                                                      as it is, as HTML)
 *                                     reset
 *                                     hang             delay (then a reset)
 *                                     slow             delay
 *                                     operation-error  code message
 *                                     operation-stuck
 *                                     stale            delay (how old)
 *                                     drift            set (fields of Service)
 *   DELETE /sandbox/faults[/ID]      hanging requests are reset, too
 *   PUT    /sandbox/metrics          what ADMIN/prometheus answers to every
 *                                    query: {"value": 0.5}, {"value": null}
 *                                    (no data), {"error": "text"},
 *                                    {"status": 503} or {"hang": true}, any of
 *                                    them with {"delay": "500ms"}
 *   GET    /sandbox/log              requests to the admin API; ?after=SEQ,
 *                                    ?method=PATCH
 *   DELETE /sandbox/log
 */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"
#include "sandbox/admin_check.h"
#include "sandbox/metrics_api.h"
#include "sandbox/sandbox_answer.h"
#include "sandbox/sandbox_parts.h"

#define TYPE      "TRAFFIC_TARGET_ALLOCATION_TYPE_"
#define SOMEBODY  "somebody-else@example.com"
#define REVISIONS "/sandbox/revisions/"
#define FAULTS    "/sandbox/faults/"
#define TIME_MAX  3600000 /* ms */
#define PERCENTS  100

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
static int faults_get(struct control *control, struct rpc_error *error);
static int fault_add(struct control *control, struct rpc_error *error);
static int faults_delete(struct control *control, struct rpc_error *error);
static int metrics_put(struct control *control, struct rpc_error *error);
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
	{"DELETE", REVISIONS, "", false, revision_delete},
	{"GET", "/sandbox/faults", "", false, faults_get},
	{"POST", "/sandbox/faults", "", true, fault_add},
	{"DELETE", "/sandbox/faults", "", false, faults_delete},
	{"DELETE", FAULTS, "", false, faults_delete},
	{"PUT", "/sandbox/metrics", "", true, metrics_put},
	{"GET", "/sandbox/log", "after method", false, log_get},
	{"DELETE", "/sandbox/log", "", false, log_delete},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static json_t *revision_json(
	const struct sandbox *sandbox, const struct model_revision *revision)
{
	const struct model_revision *part[PERCENTS];
	size_t n = model_split(sandbox->cloud.model, part);
	json_t *row = revision_profile_json(
		front_door_profile(sandbox->front, revision->name));
	int percent = 0;

	while (n-- > 0)
		percent += part[n] == revision;
	json_object_set_new(row, "name", json_string(revision->name));
	json_object_set_new(row, "ready", json_boolean(revision->ready));
	json_object_set_new(row, "percent", json_integer(percent));
	json_object_set_new(row, "requests",
		json_integer((json_int_t)front_door_requests(
			sandbox->front, revision->name)));
	return row;
}

static json_t *options_json(const struct sandbox *sandbox)
{
	char delay[DURATION_TEXT_MAX], ahead[DURATION_TEXT_MAX];
	json_t *deny = json_array();
	size_t i;

	for (i = 0; i < sandbox->cloud.rules.n_deny; i++)
		json_array_append_new(
			deny, json_string(sandbox->cloud.rules.deny[i]));
	return json_pack("{s:s, s:s, s:o, s:s}", "operationDelay",
		duration_print(sandbox->cloud.model->operation_delay_ms, delay),
		"etag", sandbox->cloud.rules.etag_is_strict ? "strict" : "lax",
		"deny", deny, "clockAhead",
		duration_print(sandbox->clock_ahead_ms, ahead));
}

static json_t *state_json(const struct sandbox *sandbox)
{
	const struct model *model = sandbox->cloud.model;
	json_t *revisions = json_array(), *state;
	size_t i;

	for (i = 0; i < model->n_revisions; i++)
		json_array_append_new(
			revisions, revision_json(sandbox, model->revision[i]));
	state = json_pack(
		"{s:s, s:s, s:I, s:I, s:b, s:s, s:o, s:o, s:o, s:o, s:I}",
		"service", model->name, "front", model->uri, "generation",
		(json_int_t)model->generation, "observedGeneration",
		(json_int_t)model->observed_generation, "reconciling",
		model->pending != NULL, "lastModifier", model->last_modifier,
		"traffic", routes_print(&model->spec, NULL), "serving",
		routes_print(&model->served, model->uri), "revisions",
		revisions, "faults",
		sandbox_faults_json(&sandbox->cloud.faults), "adminRequests",
		(json_int_t)sandbox->cloud.log.made);
	json_object_set_new(state, "options", options_json(sandbox));
	return state;
}

static int state_get(struct control *control, struct rpc_error *error)
{
	return 0;
}

static int deny_read(
	const json_t *list, struct admin_rules *rules, struct rpc_error *error)
{
	const char *text;
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > ADMIN_DENY_MAX)
		return rpc_error_field(error, "deny",
			"deny must be a list of at most %d permissions",
			ADMIN_DENY_MAX);
	rules->n_deny = 0;
	json_array_foreach(list, i, item) {
		text = json_string_value(item);
		if (!text || strlen(text) >= ADMIN_PERMISSION_MAX)
			return rpc_error_field(error, "deny",
				"deny[%zu] must be a permission such as "
				"run.operations.get",
				i);
		strcpy(rules->deny[rules->n_deny++], text);
	}
	return 0;
}

/* `text` NULL: the time stays. */
static int time_read(const char *name, const char *text, int64_t *ms,
	struct rpc_error *error)
{
	int64_t read_ms;
	struct err err;

	if (!text)
		return 0;
	if (duration_parse(text, &read_ms, &err) < 0)
		return rpc_error_field(error, name, "%.200s", err.text);
	if (read_ms > TIME_MAX)
		return rpc_error_field(error, name, "%s is longer than %d s",
			name, TIME_MAX / 1000);
	*ms = read_ms;
	return 0;
}

static int options_set(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	struct admin_rules rules = sandbox->cloud.rules;
	int64_t delay_ms = sandbox->cloud.model->operation_delay_ms;
	int64_t ahead_ms = sandbox->clock_ahead_ms;
	const char *delay = NULL, *etag = NULL, *ahead = NULL;
	json_t *denied = NULL;
	json_error_t where;

	if (json_unpack_ex(control->body, &where, JSON_STRICT,
		    "{s?s, s?s, s?o, s?s}", "operationDelay", &delay, "etag",
		    &etag, "deny", &denied, "clockAhead", &ahead) < 0)
		return rpc_error_field(error, "", "%s", where.text);
	if (time_read("operationDelay", delay, &delay_ms, error) < 0 ||
		time_read("clockAhead", ahead, &ahead_ms, error) < 0)
		return -1;
	if (etag && strcmp(etag, "strict") != 0 && strcmp(etag, "lax") != 0)
		return rpc_error_field(error, "etag",
			"etag \"%.40s\" is neither strict nor lax", etag);
	if (denied && deny_read(denied, &rules, error) < 0)
		return -1;
	if (etag)
		rules.etag_is_strict = strcmp(etag, "strict") == 0;
	sandbox->cloud.rules = rules;
	sandbox->cloud.model->operation_delay_ms = delay_ms;
	sandbox->clock_ahead_ms = ahead_ms;
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
	int rc = admin_routes_drift(sandbox->cloud.model, fields, SOMEBODY,
		false, loop_wall_ms(sandbox->loop), error);

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
			"the traffic must be REVISION=PERCENT,… of revisions "
			"that exist (or LATEST), 100 in sum");
	}
	model_set_routes(
		sandbox->cloud.model, &list, loop_wall_ms(sandbox->loop));
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
	const json_t *name = json_object_get(control->body, "revision");
	struct revision_profile profile = {.latency_ms = 0};
	struct model_revision *revision;
	bool ready = true;

	if (profile_read(control->body, "revision ready", &profile, error) <
			0 ||
		flag_read(control->body, "ready", &ready, error) < 0)
		return -1;
	if (name && !json_is_string(name))
		return rpc_error_field(
			error, "revision", "revision must be a name");
	revision = model_deploy(sandbox->cloud.model, json_string_value(name),
		ready, loop_wall_ms(sandbox->loop), error);
	if (!revision)
		return -1;
	*front_door_profile(sandbox->front, revision->name) = profile;
	control->answer = revision_json(sandbox, revision);
	return 0;
}

static int revision_set(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	struct model_revision *revision =
		model_find_revision(sandbox->cloud.model, control->rest);
	struct revision_profile profile;
	bool ready;

	if (!revision)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"there is no revision \"%.80s\"", control->rest);
	profile = *front_door_profile(sandbox->front, revision->name);
	ready = revision->ready;
	if (profile_read(control->body, "ready", &profile, error) < 0 ||
		flag_read(control->body, "ready", &ready, error) < 0)
		return -1;
	*front_door_profile(sandbox->front, revision->name) = profile;
	model_set_ready(sandbox->cloud.model, revision, ready,
		loop_wall_ms(sandbox->loop));
	control->answer = revision_json(sandbox, revision);
	return 0;
}

static int revision_delete(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;

	if (model_remove(sandbox->cloud.model, control->rest,
		    loop_wall_ms(sandbox->loop), error) < 0)
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

static int fault_add(struct control *control, struct rpc_error *error)
{
	struct sandbox *sandbox = control->sandbox;
	const json_t *set = json_object_get(control->body, "set");
	int id;

	if (json_is_object(set) &&
		admin_routes_drift(sandbox->cloud.model, set, SOMEBODY, true,
			loop_wall_ms(sandbox->loop), error) < 0)
		return -1;
	id = sandbox_faults_add(&sandbox->cloud.faults, control->body,
		loop_wall_ms(sandbox->loop), error);
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

	cloud_advance(&sandbox->cloud, loop_wall_ms(sandbox->loop));
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
