/* The state of the service and how it changes; see model.h. Pure. */
#include "sandbox/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void make_uuid(struct rng *rng, char id[MODEL_ID_MAX])
{
	uint64_t a = rng_next(rng), b = rng_next(rng);

	snprintf(id, MODEL_ID_MAX, "%08x-%04x-4%03x-a%03x-%012llx",
		(unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
		(unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0xfff),
		(unsigned long long)(b & 0xffffffffffff));
}

/* Every change that a reader can see ends here: the etag is another one, and
 * a snapshot is kept for readers who are to see the past. */
static void changed(struct model *model, int64_t now_ms)
{
	struct rng hash;

	model->version++;
	rng_init(&hash, model->version ^ model->generation << 32 ^ 0x7ea1);
	snprintf(model->etag, sizeof(model->etag), "\"CK%014llx\"",
		(unsigned long long)(rng_next(&hash) >> 8));
	if (model->n_snapshots == MODEL_SNAPSHOTS_MAX) {
		json_decref(model->snapshot[0].service);
		memmove(model->snapshot, model->snapshot + 1,
			sizeof(model->snapshot) - sizeof(model->snapshot[0]));
		model->n_snapshots--;
	}
	model->snapshot[model->n_snapshots++] =
		(struct model_snapshot){now_ms, model_service_json(model)};
}

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
	rng_init(&model->rng, config->seed);
	make_uuid(&model->rng, model->uid);
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
	changed(model, now_ms);
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
	for (i = 0; i < model->n_snapshots; i++)
		json_decref(model->snapshot[i].service);
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

struct model_revision *model_find_revision(
	const struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->n_revisions; i++) {
		if (strcmp(model->revision[i]->name, name) == 0)
			return model->revision[i];
	}
	return NULL;
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

		if (route->type == ROUTE_LATEST)
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

static int check_fate(
	const struct model_operation *operation, struct rpc_error *error)
{
	if (operation->fate != FATE_FAILS &&
		operation->fate != FATE_FAILS_APPLIED)
		return 0;
	return rpc_error_set(
		error, operation->fate_code, "%s", operation->fate_text);
}

static void fail(
	struct model_operation *operation, const struct rpc_error *error)
{
	operation->done = true;
	operation->error = xcalloc(1, sizeof(*error));
	*operation->error = *error;
}

static void serve(struct model *model, int64_t now_ms)
{
	routes_copy(&model->served, &model->spec);
	model->observed_generation = model->generation;
	model->route_failure[0] = '\0';
	model->routes_ms = now_ms;
}

static void reconcile(struct model *model, int64_t now_ms)
{
	struct model_operation *operation = model->pending;
	struct rpc_error error;
	bool applied = check_targets(model, &error) == 0;
	bool good = applied && check_fate(operation, &error) == 0;

	model->pending = NULL;
	if (applied && operation->fate != FATE_FAILS) {
		serve(model, now_ms);
	} else {
		snprintf(model->route_failure, sizeof(model->route_failure),
			"%.255s", error.message);
		model->routes_ms = now_ms;
	}
	changed(model, now_ms);
	if (operation->fate == FATE_STUCK_APPLIED)
		return;
	if (!good) {
		fail(operation, &error);
		return;
	}
	operation->done = true;
	operation->response = model_service_json(model);
}

bool model_advance(struct model *model, int64_t now_ms)
{
	if (!model->pending || model->pending->due_ms > now_ms)
		return false;
	reconcile(model, now_ms);
	return true;
}

int64_t model_next_ms(const struct model *model)
{
	return model->pending ? model->pending->due_ms : MODEL_NEVER;
}

static struct model_operation *operation_new(
	struct model *model, const struct model_write *write, int64_t now_ms)
{
	struct model_operation *operation = xcalloc(1, sizeof(*operation));

	make_uuid(&model->rng, operation->id);
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

static void preempt(struct model *model)
{
	struct rpc_error error;

	if (!model->pending)
		return;
	rpc_error_set(&error, RPC_ABORTED,
		"The operation was preempted by a later update of the "
		"service.");
	if (model->pending->fate != FATE_STUCK &&
		model->pending->fate != FATE_STUCK_APPLIED)
		fail(model->pending, &error);
	model->pending = NULL;
}

static bool changes_something(
	const struct model *model, const struct model_write *write)
{
	if (write->fate != FATE_GOOD || model->route_failure[0] ||
		model->pending)
		return true;
	if (write->routes && !routes_equal(write->routes, &model->spec))
		return true;
	return write->fields && !json_equal(write->fields, model->fields);
}

struct model_operation *model_write(
	struct model *model, const struct model_write *write, int64_t now_ms)
{
	struct model_operation *operation;
	bool changes;

	model_advance(model, now_ms);
	changes = changes_something(model, write);
	if (changes)
		preempt(model);
	operation = operation_new(model, write, now_ms);
	if (!changes) {
		operation->done = true;
		operation->metadata = model_service_json(model);
		operation->response = json_incref(operation->metadata);
		return operation;
	}
	if (write->routes)
		routes_copy(&model->spec, write->routes);
	if (write->fields) {
		json_decref(model->fields);
		model->fields = json_deep_copy(write->fields);
	}
	snprintf(model->last_modifier, sizeof(model->last_modifier), "%s",
		write->modifier);
	model->generation++;
	model->update_ms = now_ms;
	model->pending = operation;
	changed(model, now_ms);
	operation->metadata = model_service_json(model);
	return operation;
}

void model_set_routes(
	struct model *model, const struct routes *routes, int64_t now_ms)
{
	routes_copy(&model->spec, routes);
	serve(model, now_ms);
	changed(model, now_ms);
}

static void revision_name(struct model *model, char name[ROUTE_NAME_MAX + 1])
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz";
	char end[4] = {0};
	size_t i;

	for (i = 0; i < 3; i++)
		end[i] = letters[rng_below(&model->rng, sizeof(letters) - 1)];
	snprintf(name, ROUTE_NAME_MAX + 1, "%.49s-%05u-%s", model->service,
		model->revisions_made + 1, end);
}

/* LATEST follows the newest revision that is ready; it never goes back. */
static void follow_latest(
	struct model *model, struct model_revision *revision, int64_t now_ms)
{
	if (model->latest_ready &&
		model->latest_ready->number > revision->number)
		return;
	model->latest_ready = revision;
	model->configuration_ms = now_ms;
	if (!model->pending && !model->route_failure[0])
		model->observed_generation = model->generation;
}

static int check_deploy(
	const struct model *model, const char *name, struct rpc_error *error)
{
	if (model->n_revisions == MODEL_REVISIONS_MAX)
		return rpc_error_set(error, RPC_RESOURCE_EXHAUSTED,
			"The sandbox keeps at most %d revisions: delete one.",
			MODEL_REVISIONS_MAX);
	if (!name)
		return 0;
	if (!route_name_is_good(name))
		return rpc_error_field(error, "revision",
			"\"%.80s\" is not the name of a revision: lower-case "
			"letters, digits and hyphens, at most %d, a letter "
			"first.",
			name, ROUTE_NAME_MAX);
	if (model_find_revision(model, name))
		return rpc_error_set(error, RPC_ALREADY_EXISTS,
			"Revision named '%s' with different configuration "
			"already exists.",
			name);
	return 0;
}

struct model_revision *model_deploy(struct model *model, const char *name,
	bool ready, int64_t now_ms, struct rpc_error *error)
{
	struct model_revision *revision;

	if (check_deploy(model, name, error) < 0)
		return NULL;
	revision = xcalloc(1, sizeof(*revision));
	if (name)
		snprintf(revision->name, sizeof(revision->name), "%s", name);
	else
		revision_name(model, revision->name);
	revision->number = ++model->revisions_made;
	snprintf(revision->image, sizeof(revision->image), "sandbox/%.49s:%u",
		model->service, revision->number);
	make_uuid(&model->rng, revision->uid);
	revision->create_ms = now_ms;
	revision->ready = ready;
	model->revision[model->n_revisions++] = revision;
	model->latest_created = revision;
	json_object_set_new(model->fields, "template",
		json_pack("{s:[{s:s}], s:i, s:s}", "containers", "image",
			revision->image, "maxInstanceRequestConcurrency", 80,
			"timeout", "300s"));
	if (model->n_revisions > 1)
		model->generation++;
	model->update_ms = model->configuration_ms = now_ms;
	if (ready)
		follow_latest(model, revision, now_ms);
	changed(model, now_ms);
	return revision;
}

static bool is_routed(const struct routes *routes, const char *name)
{
	size_t i;

	for (i = 0; i < routes->n; i++) {
		if (strcmp(routes->item[i].revision, name) == 0)
			return true;
	}
	return false;
}

int model_remove(struct model *model, const char *name, int64_t now_ms,
	struct rpc_error *error)
{
	struct model_revision *revision = model_find_revision(model, name);
	size_t i;

	if (!revision)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"Revision '%.80s' does not exist.", name);
	if (revision == model->latest_created ||
		revision == model->latest_ready ||
		is_routed(&model->served, name))
		return rpc_error_set(error, RPC_FAILED_PRECONDITION,
			"Revision '%s' is the latest one or has traffic or a "
			"tag: it cannot be deleted.",
			name);
	for (i = 0; model->revision[i] != revision; i++)
		;
	model->n_revisions--;
	memmove(&model->revision[i], &model->revision[i + 1],
		(model->n_revisions - i) * sizeof(revision));
	free(revision);
	changed(model, now_ms);
	return 0;
}

void model_set_ready(struct model *model, struct model_revision *revision,
	bool ready, int64_t now_ms)
{
	if (revision->ready == ready)
		return;
	revision->ready = ready;
	if (ready)
		follow_latest(model, revision, now_ms);
	changed(model, now_ms);
}

static const struct model_revision *resolve(
	const struct model *model, const struct route *route)
{
	if (route->type == ROUTE_LATEST)
		return model->latest_ready;
	return model_find_revision(model, route->revision);
}

size_t model_split(
	const struct model *model, const struct model_revision *part_r[100])
{
	const struct model_revision *revision;
	size_t i, n = 0;
	int k;

	for (i = 0; i < model->served.n; i++) {
		revision = resolve(model, &model->served.item[i]);
		for (k = 0; revision && k < model->served.item[i].percent; k++)
			part_r[n++] = revision;
	}
	if (!model->served.n && model->latest_ready)
		while (n < 100)
			part_r[n++] = model->latest_ready;
	return n == 100 ? n : 0;
}

const struct model_revision *model_find_tag(
	const struct model *model, const char *tag)
{
	size_t i;

	for (i = 0; *tag && i < model->served.n; i++) {
		if (strcmp(model->served.item[i].tag, tag) == 0)
			return resolve(model, &model->served.item[i]);
	}
	return NULL;
}

json_t *model_service_at(const struct model *model, int64_t at_ms)
{
	size_t i = model->n_snapshots;

	while (i > 1 && model->snapshot[i - 1].at_ms > at_ms)
		i--;
	return json_incref(model->snapshot[i - 1].service);
}
