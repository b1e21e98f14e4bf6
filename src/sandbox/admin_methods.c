/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods of the admin API, one function each; see admin_routes.h. They
 * read and write the model and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "sandbox/admin_call.h"
#include "sandbox/service_patch.h"

#define PERMISSIONS_MAX 100
#define PAGE_MAX        100

static int services_list(struct admin_call *call, struct rpc_error *error);
static int service_get(struct admin_call *call, struct rpc_error *error);
static int service_patch(struct admin_call *call, struct rpc_error *error);
static int service_test(struct admin_call *call, struct rpc_error *error);
static int revisions_list(struct admin_call *call, struct rpc_error *error);
static int revision_get(struct admin_call *call, struct rpc_error *error);
static int operations_list(struct admin_call *call, struct rpc_error *error);
static int operation_get(struct admin_call *call, struct rpc_error *error);
static int operation_wait(struct admin_call *call, struct rpc_error *error);

const struct admin_route admin_routes[] = {
	{"GET", "services", "run.services.list",
		"pageSize pageToken showDeleted", services_list},
	{"GET", "services/*", "run.services.get", "", service_get},
	{"PATCH", "services/*", "run.services.update",
		"updateMask validateOnly allowMissing forceNewRevision",
		service_patch},
	{"POST", "services/*:testIamPermissions", NULL, "", service_test},
	{"GET", "services/*/revisions", "run.revisions.list",
		"pageSize pageToken showDeleted", revisions_list},
	{"GET", "services/*/revisions/*", "run.revisions.get", "",
		revision_get},
	{"GET", "operations", "run.operations.list",
		"filter pageSize pageToken", operations_list},
	{"GET", "operations/*", "run.operations.get", "", operation_get},
	{"POST", "operations/*:wait", "run.operations.get", "", operation_wait},
	{.method = NULL},
};

static int check_service(const struct admin_call *call, struct rpc_error *error)
{
	if (strcmp(call->name[0], call->model->service) == 0 &&
		!call->model->deleted)
		return 0;
	return admin_not_found(error, call->model, "SERVICE", call->name[0]);
}

static int body_read(
	const struct admin_call *call, json_t **body_r, struct rpc_error *error)
{
	if (!call->request->body_len) {
		*body_r = json_object();
		return 0;
	}
	return admin_check_json(
		call->request->body, call->request->body_len, body_r, error);
}

static json_t *service_seen(const struct admin_call *call)
{
	const struct fault *stale = &call->plan->slot[SLOT_STALE];

	if (stale->generations)
		return model_service_before(call->model, stale->generations);
	return model_service_at(call->model,
		stale->id ? call->now_ms - stale->delay_ms : call->now_ms);
}

static int services_list(struct admin_call *call, struct rpc_error *error)
{
	struct admin_page page;

	if (admin_page_read(&call->query, "services", PAGE_MAX, &page, error))
		return -1;
	call->reply->body = json_object();
	if (!page.from && !call->model->deleted)
		json_object_set_new(call->reply->body, "services",
			json_pack("[o]", service_seen(call)));
	return 0;
}

static int service_get(struct admin_call *call, struct rpc_error *error)
{
	if (check_service(call, error) < 0)
		return -1;
	call->reply->body = service_seen(call);
	return 0;
}

static int check_etag(const struct admin_call *call, const json_t *body,
	struct rpc_error *error)
{
	const char *etag = json_string_value(json_object_get(body, "etag"));

	if (!call->rules->etag_is_strict || !etag || !*etag ||
		strcmp(etag, call->model->etag) == 0)
		return 0;
	return rpc_error_set(error, RPC_ABORTED,
		"Conflict for resource '%s': version '%.80s' was specified but "
		"current version is '%s'.",
		call->model->service, etag, call->model->etag);
}

/* Whether the real one refuses or queues a write meanwhile is not known. */
static int check_busy(const struct admin_call *call, struct rpc_error *error)
{
	if (!call->model->rules.busy_refuses || !call->model->pending)
		return 0;
	return rpc_error_set(error, RPC_ABORTED,
		"Conflict for resource '%s': another operation on it is under "
		"way.",
		call->model->service);
}

static int check_flags(const struct admin_call *call, bool *validate_only_r,
	struct rpc_error *error)
{
	bool missing, force;

	if (admin_query_bool(
		    &call->query, "validateOnly", validate_only_r, error) < 0 ||
		admin_query_bool(
			&call->query, "allowMissing", &missing, error) < 0 ||
		admin_query_bool(
			&call->query, "forceNewRevision", &force, error) < 0)
		return -1;
	if (missing || force)
		return rpc_error_set(error, RPC_UNIMPLEMENTED,
			"The sandbox does not do allowMissing and "
			"forceNewRevision: services and revisions are made by "
			"its own controls.");
	return 0;
}

static int check_body(const struct admin_call *call, const json_t *body,
	struct rpc_error *error)
{
	const char *name = json_string_value(json_object_get(body, "name"));

	if (admin_check_message(service_fields, body, "service", error) < 0)
		return -1;
	if (name && *name && strcmp(name, call->model->name) != 0)
		return rpc_error_field(error, "service.name",
			"service.name is not the name in the path.");
	return 0;
}

static enum model_fate fate_of(const struct fault *fault)
{
	if (!fault->id)
		return FATE_GOOD;
	if (fault->kind == FAULT_OPERATION_ERROR)
		return fault->after ? FATE_FAILS_APPLIED : FATE_FAILS;
	return fault->after ? FATE_STUCK_APPLIED : FATE_STUCK;
}

static json_t *validated(const struct model *model)
{
	struct model_operation operation = {.done = true};
	json_t *service = model_service_json(model), *answer;

	operation.metadata = operation.response = service;
	answer = model_operation_json(model, &operation);
	json_decref(service);
	return answer;
}

static void patch_write(
	struct admin_call *call, const struct service_patch *patch)
{
	const struct fault *fault = &call->plan->slot[SLOT_OPERATION];
	char who[MODEL_WHO_MAX];
	struct model_write write = {
		.routes = patch->has_routes ? &patch->routes : NULL,
		.fields = patch->fields,
		.modifier = who,
		.fate = fate_of(fault),
		.fate_code = fault->code,
		.fate_text = fault->text,
	};

	snprintf(who, sizeof(who), "client@%s.iam.gserviceaccount.com",
		call->model->project);
	call->reply->body = model_operation_json(
		call->model, model_write(call->model, &write, call->now_ms));
}

static int service_patch(struct admin_call *call, struct rpc_error *error)
{
	struct service_patch patch = {.fields = NULL};
	bool validate_only;
	json_t *body;
	int rc = -1;

	if (check_service(call, error) < 0 ||
		check_flags(call, &validate_only, error) < 0 ||
		body_read(call, &body, error) < 0)
		return -1;
	if (check_body(call, body, error) < 0 ||
		service_patch_read(call->model, body,
			admin_query_get(&call->query, "updateMask"), &patch,
			error) < 0 ||
		check_etag(call, body, error) < 0 ||
		check_busy(call, error) < 0)
		goto out;
	if (validate_only)
		call->reply->body = validated(call->model);
	else
		patch_write(call, &patch);
	rc = 0;
out:
	service_patch_fini(&patch);
	json_decref(body);
	return rc;
}

static int check_permissions(const json_t *list, struct rpc_error *error)
{
	const char *text;
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > PERMISSIONS_MAX)
		return rpc_error_field(error, "permissions",
			"permissions must be a list of at most %d.",
			PERMISSIONS_MAX);
	json_array_foreach(list, i, item) {
		text = json_string_value(item);
		if (!text || strchr(text, '*') || !strchr(text, '.'))
			return rpc_error_field(error, "permissions",
				"Permission %zu is not valid for this "
				"resource.",
				i);
	}
	return 0;
}

static int service_test(struct admin_call *call, struct rpc_error *error)
{
	static const struct field fields[] = {
		{.name = "permissions", .flags = FIELD_REPEATED},
		{.name = NULL},
	};
	json_t *body, *list, *item, *held;
	size_t i;

	if (check_service(call, error) < 0 || body_read(call, &body, error) < 0)
		return -1;
	list = json_object_get(body, "permissions");
	if (admin_check_message(fields, body, "request", error) < 0 ||
		check_permissions(list, error) < 0) {
		json_decref(body);
		return -1;
	}
	held = json_array();
	json_array_foreach(list, i, item) {
		if (admin_is_granted(call->rules, json_string_value(item)))
			json_array_append(held, item);
	}
	call->reply->body = json_object();
	if (json_array_size(held))
		json_object_set(call->reply->body, "permissions", held);
	json_decref(held);
	json_decref(body);
	return 0;
}

static void page_end(json_t *body, const struct admin_page *page, size_t total)
{
	if (page->from + page->size < total)
		json_object_set_new(
			body, "nextPageToken", admin_page_token(page));
}

static int revisions_list(struct admin_call *call, struct rpc_error *error)
{
	const struct model *model = call->model;
	struct admin_page page;
	json_t *list;
	size_t i;

	if ((strcmp(call->name[0], "-") != 0 || model->deleted) &&
		check_service(call, error) < 0)
		return -1;
	if (admin_page_read(&call->query, call->request->path, PAGE_MAX, &page,
		    error) < 0)
		return -1;
	list = json_array();
	for (i = page.from; i < model->n_revisions && i < page.from + page.size;
		i++)
		json_array_append_new(list,
			model_revision_json(model,
				model->revision[model->n_revisions - 1 - i]));
	call->reply->body = json_object();
	if (json_array_size(list))
		json_object_set(call->reply->body, "revisions", list);
	json_decref(list);
	page_end(call->reply->body, &page, model->n_revisions);
	return 0;
}

static int revision_get(struct admin_call *call, struct rpc_error *error)
{
	const struct model_revision *revision =
		model_find_revision(call->model, call->name[1]);

	if (check_service(call, error) < 0)
		return -1;
	if (!revision)
		return admin_not_found(
			error, call->model, "REVISION", call->name[1]);
	call->reply->body = model_revision_json(call->model, revision);
	return 0;
}

static int filter_read(const char *filter, int *done_r, struct rpc_error *error)
{
	*done_r = -1;
	if (!filter || !*filter)
		return 0;
	if (strcmp(filter, "done:true") == 0)
		*done_r = 1;
	else if (strcmp(filter, "done:false") == 0)
		*done_r = 0;
	else
		return rpc_error_field(error, "filter",
			"filter must be done:true, done:false or empty.");
	return 0;
}

static int operations_list(struct admin_call *call, struct rpc_error *error)
{
	const struct model *model = call->model;
	struct admin_page page;
	size_t i, n = 0;
	json_t *list;
	int done;

	if (filter_read(admin_query_get(&call->query, "filter"), &done, error) <
			0 ||
		admin_page_read(
			&call->query, "operations", PAGE_MAX, &page, error) < 0)
		return -1;
	list = json_array();
	for (i = model->n_operations; i-- > 0;) {
		if (done >= 0 && model->operation[i]->done != done)
			continue;
		if (n >= page.from && n < page.from + page.size)
			json_array_append_new(
				list, model_operation_json(
					      model, model->operation[i]));
		n++;
	}
	call->reply->body = json_object();
	if (json_array_size(list))
		json_object_set(call->reply->body, "operations", list);
	json_decref(list);
	page_end(call->reply->body, &page, n);
	return 0;
}

static int operation_get(struct admin_call *call, struct rpc_error *error)
{
	const struct model_operation *operation =
		model_find_operation(call->model, call->name[0]);

	if (!operation)
		return admin_not_found(
			error, call->model, "OPERATION", call->name[0]);
	call->reply->body = model_operation_json(call->model, operation);
	return 0;
}

static int operation_wait(struct admin_call *call, struct rpc_error *error)
{
	static const struct field fields[] = {
		{.name = "timeout", .kind = FIELD_DURATION},
		{.name = NULL},
	};
	const struct model_operation *operation =
		model_find_operation(call->model, call->name[0]);
	const char *timeout;
	json_t *body;

	if (!operation)
		return admin_not_found(
			error, call->model, "OPERATION", call->name[0]);
	if (body_read(call, &body, error) < 0)
		return -1;
	if (admin_check_message(fields, body, "request", error) < 0) {
		json_decref(body);
		return -1;
	}
	timeout = json_string_value(json_object_get(body, "timeout"));
	call->reply->wait_ms = ADMIN_WAIT_MS;
	if (timeout && admin_duration_read(timeout, &call->reply->wait_ms) < 0)
		call->reply->wait_ms = 0;
	json_decref(body);
	if (call->reply->wait_ms > ADMIN_WAIT_MS_MAX)
		call->reply->wait_ms = ADMIN_WAIT_MS_MAX;
	if (!operation->done && call->reply->wait_ms)
		memcpy(call->reply->wait_for, operation->id,
			sizeof(operation->id));
	call->reply->body = model_operation_json(call->model, operation);
	return 0;
}

int admin_routes_drift(struct model *model, const json_t *fields,
	const char *who, bool dry, int64_t now_ms, struct rpc_error *error)
{
	struct service_patch patch;
	struct model_write write = {.modifier = who};

	if (model->deleted)
		return admin_not_found(error, model, "SERVICE", model->service);
	if (admin_check_message(service_fields, fields, "service", error) < 0 ||
		service_patch_read(model, fields, NULL, &patch, error) < 0)
		return -1;
	write.routes = patch.has_routes ? &patch.routes : NULL;
	write.fields = patch.fields;
	if (!dry)
		model_write(model, &write, now_ms);
	service_patch_fini(&patch);
	return 0;
}
