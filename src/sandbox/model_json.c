/*
 * Resources of the admin API as proto3 JSON: defaults are left out, int64 are
 * strings, names of other resources are full. Only reads the model.
 */
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "sandbox/model.h"

#define SERVICE_TYPE "type.googleapis.com/google.cloud.run.v2.Service"

/* Takes over `value`; defaults are left out. */
static void put(json_t *object, const char *name, json_t *value)
{
	bool absent = json_is_false(value) ||
		      (json_is_string(value) && !json_string_length(value)) ||
		      (json_is_array(value) && !json_array_size(value));

	if (absent)
		json_decref(value);
	else
		json_object_set_new(object, name, value);
}

static void put_text(json_t *object, const char *name, const char *text)
{
	put(object, name, json_string(text));
}

static void put_int64(json_t *object, const char *name, int64_t value)
{
	if (value)
		put(object, name, json_sprintf("%lld", (long long)value));
}

static json_t *time_json(int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	return json_string(timestamp_print(ms, text));
}

/* `state` without its prefix. */
static json_t *condition(const char *type, const char *state, int64_t ms)
{
	json_t *object = json_pack("{s:s}", "type", type);

	put(object, "state", json_sprintf("CONDITION_%s", state));
	put(object, "lastTransitionTime", time_json(ms));
	return object;
}

static json_t *failed_condition(
	const char *type, const char *reason, const char *message, int64_t ms)
{
	json_t *object = condition(type, "FAILED", ms);

	put_text(object, "message", message);
	put_text(object, "severity", "ERROR");
	put_text(object, "reason", reason);
	return object;
}

static void failure_of(const struct model_revision *revision, char text[256])
{
	snprintf(text, 256,
		"Revision '%s' is not ready and cannot serve traffic.",
		revision->name);
}

static json_t *routes_condition(const struct model *model, const char *type)
{
	if (model->pending)
		return condition(type, "RECONCILING", model->update_ms);
	if (model->route_failure[0])
		return failed_condition(type, "UNKNOWN", model->route_failure,
			model->routes_ms);
	return condition(type, "SUCCEEDED", model->routes_ms);
}

static json_t *configuration_condition(
	const struct model *model, const char *type)
{
	char text[256];

	if (!model->latest_created || model->latest_created->ready)
		return condition(type, "SUCCEEDED", model->configuration_ms);
	failure_of(model->latest_created, text);
	return failed_condition(
		type, "REVISION_FAILED", text, model->configuration_ms);
}

static json_t *terminal_condition(const struct model *model)
{
	bool broken = model->latest_created && !model->latest_created->ready;

	if (model->pending || model->route_failure[0] || !broken)
		return routes_condition(model, "Ready");
	return configuration_condition(model, "Ready");
}

static json_t *revision_name_json(
	const struct model *model, const struct model_revision *revision)
{
	if (!revision)
		return json_string("");
	return json_sprintf("%s/revisions/%s", model->name, revision->name);
}

static json_t *statuses(const struct model *model)
{
	struct routes all = {NULL, 0};
	json_t *list;

	if (model->served.n)
		return routes_print(&model->served, model->uri);
	routes_add(&all, ROUTE_LATEST, "", 100);
	list = routes_print(&all, model->uri);
	routes_fini(&all);
	return list;
}

json_t *model_service_json(const struct model *model)
{
	json_t *object = json_deep_copy(model->fields);

	put_text(object, "name", model->name);
	put_text(object, "uid", model->uid);
	put_int64(object, "generation", model->generation);
	put_int64(object, "observedGeneration", model->observed_generation);
	put(object, "createTime", time_json(model->create_ms));
	put(object, "updateTime", time_json(model->update_ms));
	put_text(object, "creator", model->creator);
	put_text(object, "lastModifier", model->last_modifier);
	put(object, "traffic", routes_print(&model->spec, NULL));
	put(object, "trafficStatuses", statuses(model));
	put(object, "latestReadyRevision",
		revision_name_json(model, model->latest_ready));
	put(object, "latestCreatedRevision",
		revision_name_json(model, model->latest_created));
	put(object, "reconciling", json_boolean(model->pending != NULL));
	put(object, "terminalCondition", terminal_condition(model));
	put(object, "conditions",
		json_pack("[o, o]", routes_condition(model, "RoutesReady"),
			configuration_condition(model, "ConfigurationsReady")));
	put_text(object, "uri", model->uri);
	put(object, "urls", json_pack("[s]", model->uri));
	put_text(object, "etag", model->etag);
	return object;
}

/* Whether requests or a tag reach the revision now. */
static bool is_active(
	const struct model *model, const struct model_revision *revision)
{
	size_t i;

	for (i = 0; i < model->served.n; i++) {
		const struct route *route = &model->served.item[i];

		if (route->type == ROUTE_LATEST
				? revision == model->latest_ready
				: strcmp(route->revision, revision->name) == 0)
			return true;
	}
	return !model->served.n && revision == model->latest_ready;
}

static json_t *revision_conditions(
	const struct model *model, const struct model_revision *revision)
{
	json_t *list = json_array(), *active;
	char text[256];

	if (revision->ready) {
		json_array_append_new(list,
			condition("Ready", "SUCCEEDED", revision->create_ms));
		json_array_append_new(
			list, condition("ContainerHealthy", "SUCCEEDED",
				      revision->create_ms));
	} else {
		failure_of(revision, text);
		json_array_append_new(list,
			failed_condition("Ready", "PROGRESS_DEADLINE_EXCEEDED",
				text, revision->create_ms));
	}
	active = condition("Active",
		is_active(model, revision) ? "SUCCEEDED" : "FAILED",
		revision->create_ms);
	if (!is_active(model, revision)) {
		put_text(active, "severity", "INFO");
		put_text(active, "revisionReason", "RESERVE");
	}
	json_array_append_new(list, active);
	return list;
}

json_t *model_revision_json(
	const struct model *model, const struct model_revision *revision)
{
	json_t *object = json_object();

	put(object, "name", revision_name_json(model, revision));
	put_text(object, "uid", revision->uid);
	put_text(object, "service", model->service);
	put_int64(object, "generation", 1);
	put_int64(object, "observedGeneration", 1);
	put(object, "createTime", time_json(revision->create_ms));
	put(object, "updateTime", time_json(revision->create_ms));
	put(object, "containers",
		json_pack("[{s:s}]", "image", revision->image));
	put(object, "maxInstanceRequestConcurrency", json_integer(80));
	put_text(object, "timeout", "300s");
	put(object, "conditions", revision_conditions(model, revision));
	put(object, "etag", json_sprintf("\"%.13s\"", revision->uid));
	return object;
}

/* A Service inside google.protobuf.Any. */
static json_t *any_service(json_t *service)
{
	json_t *any = json_copy(service);

	json_object_set_new(any, "@type", json_string(SERVICE_TYPE));
	return any;
}

json_t *model_operation_json(
	const struct model *model, const struct model_operation *operation)
{
	json_t *object = json_object();

	if (operation->id[0])
		put(object, "name",
			json_sprintf("projects/%s/locations/%s/operations/%s",
				model->project, model->region, operation->id));
	if (operation->metadata)
		put(object, "metadata", any_service(operation->metadata));
	put(object, "done", json_boolean(operation->done));
	if (operation->error)
		put(object, "error", rpc_error_status(operation->error));
	else if (operation->response)
		put(object, "response", any_service(operation->response));
	return object;
}
