/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the service and how it changes; see model.h. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sandbox/model_parts.h"

struct model *model_new(const struct model_config *config, int64_t now_ms)
{
	struct model *model = xcalloc(1, sizeof(*model));

	model->project = xstrdup(config->project);
	model->region = xstrdup(config->region);
	model->service = xstrdup(config->service);
	model->uri = xstrdup(config->uri);
	model->name = xasprintf("projects/%s/locations/%s/services/%s",
		config->project, config->region, config->service);
	model->operation_delay_ms = config->operation_delay_ms;
	model->rules = config->rules;
	rng_init(&model->rng, config->seed);
	model_make_uuid(&model->rng, model->uid);
	model->fields = json_pack("{s:s, s:s}", "ingress",
		"INGRESS_TRAFFIC_ALL", "launchStage", "GA");
	model->generation = model->observed_generation = 1;
	model->create_ms = model->update_ms = now_ms;
	model->routes_ms = model->configuration_ms = now_ms;
	snprintf(model->creator, sizeof(model->creator),
		"sandbox@%s.iam.gserviceaccount.com", config->project);
	memcpy(model->last_modifier, model->creator, sizeof(model->creator));
	routes_add(&model->spec, ROUTE_LATEST, "", 100);
	routes_copy(&model->served, &model->spec);
	model_show_routes(model);
	model_changed(model, now_ms);
	return model;
}

static void operation_free(struct model_operation *operation)
{
	free(operation->error);
	json_decref(operation->metadata);
	json_decref(operation->response);
	free(operation);
}

void model_free(struct model **model_p)
{
	struct model *model = *model_p;
	size_t i;

	if (!model)
		return;
	for (i = 0; i < model->n_revisions; i++)
		free(model->revision[i]);
	for (i = 0; i < model->n_operations; i++)
		operation_free(model->operation[i]);
	model_forget_snapshots(model);
	json_decref(model->spec_json);
	json_decref(model->served_json);
	routes_fini(&model->spec);
	routes_fini(&model->served);
	json_decref(model->fields);
	free(model->project);
	free(model->region);
	free(model->service);
	free(model->uri);
	free(model->name);
	free(model);
	*model_p = NULL;
}

struct model_operation *model_find_operation(
	const struct model *model, const char *id)
{
	size_t i;

	for (i = 0; i < model->n_operations; i++) {
		if (strcmp(model->operation[i]->id, id) == 0)
			return model->operation[i];
	}
	return NULL;
}

/* What the real one says about targets that cannot serve. */
static int check_targets(const struct model *model, struct rpc_error *error)
{
	const struct model_revision *revision;
	size_t i;

	for (i = 0; i < model->spec.n; i++) {
		const struct route *route = &model->spec.item[i];

		if (route->type == ROUTE_LATEST ||
			(!route->percent &&
				model->rules.idle_targets_unchecked))
			continue;
		revision = model_find_revision(model, route->revision);
		if (!revision)
			return rpc_error_set(error, RPC_INTERNAL,
				"Revision '%s' does not exist or is deleted. "
				"Update all traffic to route to currently "
				"available revisions.",
				route->revision);
		if (!revision->ready)
			return rpc_error_set(error, RPC_FAILED_PRECONDITION,
				"Revision '%s' is not ready and cannot serve "
				"traffic.",
				route->revision);
	}
	return 0;
}

static int check_fate(const struct model *model,
	const struct model_operation *operation, struct rpc_error *error)
{
	if (operation->fate == FATE_FAILS ||
		operation->fate == FATE_FAILS_APPLIED)
		return rpc_error_set(error, operation->fate_code, "%s",
			operation->fate_text);
	if (model->rules.broken_fails_writes && model_is_broken(model))
		return rpc_error_set(error, RPC_FAILED_PRECONDITION, "%s",
			model->latest_created->failure);
	return 0;
}

static void operation_fail(
	struct model_operation *operation, const struct rpc_error *error)
{
	operation->done = true;
	operation->error = xcalloc(1, sizeof(*error));
	*operation->error = *error;
}

static void model_serve(struct model *model, int64_t now_ms)
{
	routes_copy(&model->served, &model->spec);
	model->route_failure[0] = '\0';
	model->routes_ms = now_ms;
	model_show_routes(model);
	model_observe(model);
}

static void model_reconcile(struct model *model, int64_t now_ms)
{
	struct model_operation *operation = model->pending;
	struct rpc_error error;
	bool applied = check_targets(model, &error) == 0;
	bool good = applied && check_fate(model, operation, &error) == 0;

	model->pending = NULL;
	if (applied && operation->fate != FATE_FAILS) {
		model_serve(model, now_ms);
	} else {
		snprintf(model->route_failure, sizeof(model->route_failure),
			"%.255s", error.message);
		model->routes_ms = now_ms;
	}
	model_changed(model, now_ms);
	if (operation->fate == FATE_STUCK_APPLIED)
		return;
	if (!good) {
		operation_fail(operation, &error);
		return;
	}
	operation->done = true;
	operation->response = model_service_json(model);
}

int64_t model_next_ms(const struct model *model)
{
	const struct model_revision *revision = model_deploying(model);
	int64_t write_ms =
		model->pending ? model->pending->due_ms : MODEL_NEVER;

	return revision && revision->due_ms < write_ms ? revision->due_ms
						       : write_ms;
}

bool model_advance(struct model *model, int64_t now_ms)
{
	struct model_revision *revision;
	bool moved = false;
	int64_t at_ms;

	while ((at_ms = model_next_ms(model)) <= now_ms) {
		revision = model_deploying(model);
		if (revision && revision->due_ms == at_ms)
			model_deployment_end(model, revision, at_ms);
		else
			model_reconcile(model, at_ms);
		moved = true;
	}
	return moved;
}

static struct model_operation *operation_new(
	struct model *model, const struct model_write *write, int64_t now_ms)
{
	struct model_operation *operation = xcalloc(1, sizeof(*operation));

	model_make_uuid(&model->rng, operation->id);
	operation->make_ms = now_ms;
	operation->due_ms = write->fate == FATE_STUCK
				    ? MODEL_NEVER
				    : now_ms + model->operation_delay_ms;
	operation->fate = write->fate;
	operation->fate_code = write->fate_code;
	snprintf(operation->fate_text, sizeof(operation->fate_text), "%s",
		write->fate_text ? write->fate_text : "");
	if (model->n_operations == MODEL_OPERATIONS_MAX) {
		if (model->operation[0] == model->pending)
			model->pending = NULL;
		operation_free(model->operation[0]);
		memmove(model->operation, model->operation + 1,
			sizeof(model->operation) - sizeof(operation));
		model->n_operations--;
	}
	model->operation[model->n_operations++] = operation;
	return operation;
}

static void operation_preempt(struct model *model)
{
	struct rpc_error error;

	if (!model->pending)
		return;
	rpc_error_set(&error, RPC_ABORTED,
		"The operation was preempted by a later update of the "
		"service.");
	if (model->pending->fate != FATE_STUCK &&
		model->pending->fate != FATE_STUCK_APPLIED)
		operation_fail(model->pending, &error);
	model->pending = NULL;
}

static bool changes_something(
	const struct model *model, const struct model_write *write)
{
	if (write->fate != FATE_GOOD || model->pending ||
		model->rules.same_write_counts)
		return true;
	if (model->route_failure[0] && !model->rules.failed_write_is_final)
		return true;
	if (write->routes && !routes_equal(write->routes, &model->spec))
		return true;
	return write->fields && !json_equal(write->fields, model->fields);
}

/* An operation that has nothing to wait for. */
static void operation_end(
	struct model *model, struct model_operation *operation)
{
	operation->done = true;
	operation->metadata = model_service_json(model);
	operation->response = json_incref(operation->metadata);
}

static void model_set_fields(
	struct model *model, const struct model_write *write)
{
	if (write->routes) {
		routes_copy(&model->spec, write->routes);
		model_show_routes(model);
	}
	if (write->fields) {
		json_decref(model->fields);
		model->fields = json_deep_copy(write->fields);
	}
	model_modified_by(model, write->modifier);
}

struct model_operation *model_write(
	struct model *model, const struct model_write *write, int64_t now_ms)
{
	struct model_operation *operation;
	bool changes, counts;

	model_advance(model, now_ms);
	changes = changes_something(model, write);
	counts =
		changes && (write->routes || !model->rules.fields_do_not_count);
	if (counts)
		operation_preempt(model);
	operation = operation_new(model, write, now_ms);
	if (changes) {
		model_set_fields(model, write);
		model->update_ms = now_ms;
	}
	if (counts) {
		model->generation++;
		model->pending = operation;
	}
	if (changes)
		model_changed(model, now_ms);
	if (counts)
		operation->metadata = model_service_json(model);
	else
		operation_end(model, operation);
	return operation;
}

void model_set_routes(
	struct model *model, const struct routes *routes, int64_t now_ms)
{
	routes_copy(&model->spec, routes);
	model_serve(model, now_ms);
	model_changed(model, now_ms);
}

void model_set_rules(
	struct model *model, const struct model_rules *rules, int64_t now_ms)
{
	model->rules = *rules;
	model_show_routes(model);
	model_changed(model, now_ms);
}

void model_delete(struct model *model, int64_t now_ms)
{
	operation_preempt(model);
	model->deleted = true;
	model_changed(model, now_ms);
}

void model_recreate(struct model *model, int64_t now_ms)
{
	operation_preempt(model);
	model->deleted = false;
	model_make_uuid(&model->rng, model->uid);
	model_revisions_renew(model, now_ms);
	model->generation = 1;
	model->observed_generation = 0;
	model->create_ms = model->update_ms = model->configuration_ms = now_ms;
	model_serve(model, now_ms);
	model_changed(model, now_ms);
}
