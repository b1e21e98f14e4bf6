/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes of the admin API; see admin_routes.h.
 *
 * All under /v2/projects/P/locations/L/ (P, L: as the sandbox was started):
 *
 *   GET   services                     the one service, as a list
 *   GET   services/S                   Service
 *   PATCH services/S                   Service -> Operation; updateMask,
 *                                      validateOnly
 *   POST  services/S:testIamPermissions
 *   GET   services/S/revisions         newest first; S may be "-"
 *   GET   services/S/revisions/R       Revision
 *   GET   operations                   filter done:true or done:false
 *   GET   operations/O                 Operation
 *   POST  operations/O:wait            {"timeout": "30s"}
 *
 * Errors are google.rpc bodies. Every request needs a bearer token. `fields`
 * selects fields of the top level, and of what is in them: "a,b/c". Where the real API's behaviour is not known
 * the stricter reading was taken: a name in the body that is not the one of
 * the path, a type that is missing in traffic, and numbers written as texts
 * are refused. A second write while the first one is reconciling preempts it.
 */
#include "sandbox/admin_routes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sandbox/admin_call.h"

/* Whether `path` is like `pattern`; the names go to `name`. */
static bool path_matches(
	const char *pattern, const char *path, char name[2][ADMIN_VALUE_MAX])
{
	size_t n = 0, len;

	for (; *pattern; pattern++) {
		if (*pattern != '*') {
			if (*path++ != *pattern)
				return false;
			continue;
		}
		len = strcspn(path, "/:");
		if (!len || len >= ADMIN_VALUE_MAX)
			return false;
		memcpy(name[n], path, len);
		name[n++][len] = '\0';
		path += len;
	}
	return !*path;
}

/* Splits /v2/projects/P/locations/L/REST; NULL: it is not of that form. */
static const char *place_read(const char *path, char place[2][ADMIN_VALUE_MAX])
{
	char head[2 * ADMIN_VALUE_MAX];
	const char *rest = path;
	int i;

	for (i = 0; i < 6 && rest; i++) /* "", v2, projects, P, locations, L */
		rest = strchr(rest + (i > 0), '/');
	if (!rest || (size_t)(rest - path) >= sizeof(head))
		return NULL;
	memcpy(head, path, (size_t)(rest - path));
	head[rest - path] = '\0';
	if (!path_matches("/v2/projects/*/locations/*", head, place))
		return NULL;
	return rest + 1;
}

static int check_token(const struct admin_rules *rules,
	const char *authorization, struct rpc_error *error)
{
	const char *token = authorization ? authorization : "";

	if (strncasecmp(token, "Bearer ", 7) == 0 && token[7] &&
		(!rules->token || strcmp(rules->token, token + 7) == 0))
		return 0;
	return rpc_error_set(error, RPC_UNAUTHENTICATED,
		"Request had invalid authentication credentials. Expected "
		"OAuth 2 access token, login cookie or other valid "
		"authentication credential.");
}

bool admin_is_granted(const struct admin_rules *rules, const char *permission)
{
	size_t i;

	for (i = 0; i < rules->n_deny; i++) {
		if (strcmp(rules->deny[i], permission) == 0)
			return false;
	}
	return true;
}

static int deny(
	struct rpc_error *error, const char *permission, const char *resource)
{
	rpc_error_set(error, RPC_PERMISSION_DENIED,
		"Permission '%s' denied on resource '%.400s' (or resource may "
		"not exist).",
		permission, resource);
	snprintf(
		error->permission, sizeof(error->permission), "%s", permission);
	return -1;
}

int admin_not_found(struct rpc_error *error, const struct model *model,
	const char *kind, const char *name)
{
	return rpc_error_set(error, RPC_NOT_FOUND,
		"Resource '%.200s' of kind '%s' in region '%s' in project '%s' "
		"does not exist.",
		name, kind, model->region, model->project);
}

void admin_routes_waited(const struct model *model, const char *operation,
	struct admin_reply *reply_r)
{
	const struct model_operation *found =
		model_find_operation(model, operation);
	struct rpc_error error;

	*reply_r = (struct admin_reply){.status = 200, .is_indented = true};
	if (found) {
		reply_r->body = model_operation_json(model, found);
		return;
	}
	admin_not_found(&error, model, "OPERATION", operation);
	admin_reply_error(reply_r, &error);
}

/* `field` of each object in a list, or of the one object, beside those that
 * were selected before; NULL: none was. A new reference. */
static json_t *select_inside(
	const json_t *value, const char *field, json_t *before)
{
	json_t *some, *item;
	size_t i;

	if (!json_is_array(value)) {
		some = before ? json_incref(before) : json_object();
		item = json_object_get(value, field);
		if (item)
			json_object_set(some, field, item);
		return some;
	}
	some = json_array();
	json_array_foreach(value, i, item) {
		json_array_append_new(some,
			select_inside(item, field, json_array_get(before, i)));
	}
	return some;
}

static void select_one(const json_t *all, char *name, json_t *some)
{
	char *inside = strchr(name, '/');
	json_t *value;

	if (inside)
		*inside++ = '\0';
	value = json_object_get(all, name);
	if (value && inside)
		json_object_set_new(some, name,
			select_inside(
				value, inside, json_object_get(some, name)));
	else if (value)
		json_object_set(some, name, value);
}

/* The fields that `fields` names. */
static int select_fields(struct admin_call *call, struct rpc_error *error)
{
	const char *fields = admin_query_get(&call->query, "fields");
	json_t *all = call->reply->body, *some;
	char name[RPC_FIELD_MAX];
	size_t len;

	if (!fields || !*fields || strcmp(fields, "*") == 0)
		return 0;
	some = json_object();
	for (; *fields; fields += len + (fields[len] == ',')) {
		len = strcspn(fields, ",");
		if (len >= sizeof(name) || strcspn(fields, "()*") < len) {
			json_decref(some);
			return rpc_error_field(error, "fields",
				"The sandbox knows only a,b/c in 'fields'.");
		}
		memcpy(name, fields, len);
		name[len] = '\0';
		select_one(all, name, some);
	}
	json_decref(all);
	call->reply->body = some;
	return 0;
}

void admin_reply_error(
	struct admin_reply *reply_r, const struct rpc_error *error)
{
	json_decref(reply_r->body);
	*reply_r = (struct admin_reply){.status = rpc_error_http(error),
		.body = rpc_error_body(error),
		.retry_ms = error->retry_ms,
		.is_indented = true};
}

static const struct admin_route *route_find(
	const char *method, const char *rest, struct admin_call *call)
{
	const struct admin_route *route;

	for (route = admin_routes; route->method; route++) {
		if (strcmp(route->method, method) == 0 &&
			path_matches(route->path, rest, call->name))
			return route;
	}
	return NULL;
}

static int check_place(const struct admin_call *call,
	char place[2][ADMIN_VALUE_MAX], const struct admin_route *route,
	struct rpc_error *error)
{
	const struct model *model = call->model;
	const char *permission =
		route->permission ? route->permission : "run.services.get";

	if (strcmp(place[0], model->project) != 0)
		return deny(error, permission, call->request->path);
	if (strcmp(place[1], "-") == 0)
		return rpc_error_field(error, "parent",
			"Invalid value at 'parent': a location is required, "
			"\"-\" is not one.");
	if (strcmp(place[1], model->region) != 0)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"Location '%.80s' has no such resource in project "
			"'%s'.",
			place[1], model->project);
	if (!admin_is_granted(call->rules, permission) && route->permission)
		return deny(error, permission, call->request->path);
	return 0;
}

static int answer(struct admin_call *call, struct rpc_error *error)
{
	char place[2][ADMIN_VALUE_MAX];
	const char *rest = place_read(call->request->path, place);
	const struct admin_route *route;

	if (check_token(call->rules, call->request->authorization, error) < 0)
		return -1;
	route = rest ? route_find(call->request->method, rest, call) : NULL;
	if (!route)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"The sandbox has no method %.10s %.400s.",
			call->request->method, call->request->path);
	if (check_place(call, place, route, error) < 0 ||
		admin_query_read(call->request->target, route->params,
			&call->query, error) < 0 ||
		route->fn(call, error) < 0)
		return -1;
	return select_fields(call, error);
}

void admin_routes_answer(struct model *model, const struct admin_rules *rules,
	const struct admin_request *request, const struct fault_plan *plan,
	int64_t now_ms, struct admin_reply *reply_r)
{
	struct rpc_error error = {.code = RPC_OK};
	struct admin_call call = {.model = model,
		.rules = rules,
		.request = request,
		.plan = plan,
		.now_ms = now_ms,
		.reply = reply_r};
	const char *pretty;

	*reply_r = (struct admin_reply){.status = 200, .is_indented = true};
	model_advance(model, now_ms);
	if (answer(&call, &error) < 0) {
		admin_reply_error(reply_r, &error);
		return;
	}
	pretty = admin_query_get(&call.query, "prettyPrint");
	reply_r->is_indented = !pretty || strcmp(pretty, "false") != 0;
}
