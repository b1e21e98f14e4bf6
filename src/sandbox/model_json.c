/* SPDX-License-Identifier: Apache-2.0 */
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

static bool has_latest(const struct routes *routes)
{
	size_t i;

	for (i = 0; i < routes->n; i++) {
		if (routes->item[i].type == ROUTE_LATEST &&
			routes->item[i].percent)
			return true;
	}
	return !routes->n;
}

static json_t *routes_condition(const struct model *model, const char *type)
{
	if (model->pending || (model->n_deploying && has_latest(&model->spec)))
		return condition(type, "RECONCILING", model->update_ms);
	if (model->route_failure[0])
		return failed_condition(type, "UNKNOWN", model->route_failure,
			model->routes_ms);
	return condition(type, "SUCCEEDED", model->routes_ms);
}

bool model_is_broken(const struct model *model)
{
	const struct model_revision *newest = model->latest_created;

	return newest && !newest->ready && newest->due_ms == MODEL_NEVER;
}

static json_t *configuration_condition(
	const struct model *model, const char *type)
{
	if (model->n_deploying)
		return condition(type, "RECONCILING", model->configuration_ms);
	if (!model_is_broken(model))
		return condition(type, "SUCCEEDED", model->configuration_ms);
	return failed_condition(type, "REVISION_FAILED",
		model->latest_created->failure, model->configuration_ms);
}

static json_t *terminal_condition(const struct model *model)
{
	if (model->pending)
		return routes_condition(model, "Ready");
	if (model->n_deploying)
		return configuration_condition(model, "Ready");
	if (model->route_failure[0] || !model_is_broken(model))
		return routes_condition(model, "Ready");
	return configuration_condition(model, "Ready");
}

static json_t *conditions(const struct model *model)
{
	json_t *list = json_array();

	if (!model->rules.routes_condition_absent)
		json_array_append_new(
			list, routes_condition(model, "RoutesReady"));
	json_array_append_new(
		list, configuration_condition(model, "ConfigurationsReady"));
	return list;
}

static json_t *revision_name_json(
	const struct model *model, const struct model_revision *revision)
{
	if (!revision)
		return json_string("");
	return json_sprintf("%s/revisions/%s", model->name, revision->name);
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
	put(object, "traffic", json_incref(model->spec_json));
	put(object, "trafficStatuses", json_incref(model->served_json));
	put(object, "latestReadyRevision",
		revision_name_json(model, model->latest_ready));
	put(object, "latestCreatedRevision",
		revision_name_json(model, model->latest_created));
	put(object, "reconciling",
		json_boolean(model->pending || model->n_deploying));
	put(object, "terminalCondition", terminal_condition(model));
	put(object, "conditions", conditions(model));
	if (!model->rules.uris_absent) {
		put_text(object, "uri", model->uri);
		put(object, "urls", json_pack("[s]", model->uri));
	}
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

static json_t *active_condition(
	const struct model *model, const struct model_revision *revision)
{
	bool active = is_active(model, revision);
	json_t *object = condition(
		"Active", active ? "SUCCEEDED" : "FAILED", revision->change_ms);

	if (!active) {
		put_text(object, "severity", "INFO");
		put_text(object, "revisionReason", "RESERVE");
	}
	return object;
}

static json_t *ready_condition(const struct model_revision *revision)
{
	if (revision->ready)
		return condition("Ready", "SUCCEEDED", revision->change_ms);
	if (revision->due_ms != MODEL_NEVER)
		return condition("Ready", "RECONCILING", revision->create_ms);
	return failed_condition("Ready", "PROGRESS_DEADLINE_EXCEEDED",
		revision->failure, revision->change_ms);
}

static json_t *revision_conditions(
	const struct model *model, const struct model_revision *revision)
{
	json_t *list = json_array();

	json_array_append_new(list, ready_condition(revision));
	if (revision->ready)
		json_array_append_new(
			list, condition("ContainerHealthy", "SUCCEEDED",
				      revision->change_ms));
	json_array_append_new(list, active_condition(model, revision));
	return list;
}

json_t *model_revision_json(
	const struct model *model, const struct model_revision *revision)
{
	json_t *object = json_object();

	put(object, "name", revision_name_json(model, revision));
	put_text(object, "uid", revision->uid);
	put_text(object, "service", model->service);
	put_text(object, "creator", revision->creator);
	put_int64(object, "generation", 1);
	put_int64(object, "observedGeneration", 1);
	put(object, "createTime", time_json(revision->create_ms));
	put(object, "updateTime", time_json(revision->change_ms));
	put(object, "reconciling",
		json_boolean(revision->due_ms != MODEL_NEVER));
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
