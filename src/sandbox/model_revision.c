/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions: how they come and go, what leads to them; see model.h. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sandbox/model_parts.h"

/* FNV-1a: a name is found among a thousand by comparing numbers. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

struct model_revision *model_find_revision(
	const struct model *model, const char *name)
{
	uint32_t hash = hash_of(name);
	size_t i;

	for (i = 0; i < model->n_revisions; i++) {
		if (model->name_hash[i] == hash &&
			strcmp(model->revision[i]->name, name) == 0)
			return model->revision[i];
	}
	return NULL;
}

static const struct model_revision *revision_of_route(
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

	for (i = 0; i < model->served.n && !model->deleted; i++) {
		if (!model->served.item[i].percent)
			continue;
		revision = revision_of_route(model, &model->served.item[i]);
		for (k = 0; revision && k < model->served.item[i].percent; k++)
			part_r[n++] = revision;
	}
	if (!model->served.n && model->latest_ready && !model->deleted)
		while (n < 100)
			part_r[n++] = model->latest_ready;
	return n == 100 ? n : 0;
}

const struct model_revision *model_find_tag(
	const struct model *model, const char *tag)
{
	size_t i;

	for (i = 0; *tag && i < model->served.n && !model->deleted; i++) {
		if (strcmp(model->served.item[i].tag, tag) == 0)
			return revision_of_route(model, &model->served.item[i]);
	}
	return NULL;
}

/* ---- how they come ---- */

static void revision_name_make(
	struct model *model, char name[ROUTE_NAME_MAX + 1])
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
static void latest_follow(
	struct model *model, struct model_revision *revision, int64_t now_ms)
{
	if (model->latest_ready &&
		model->latest_ready->number > revision->number)
		return;
	model->latest_ready = revision;
	model->configuration_ms = now_ms;
	model_observe(model);
}

static void set_failure(struct model_revision *revision, const char *failure)
{
	if (failure)
		snprintf(revision->failure, sizeof(revision->failure), "%s",
			failure);
	else
		snprintf(revision->failure, sizeof(revision->failure),
			"Revision '%s' is not ready and cannot serve traffic.",
			revision->name);
}

/* By names: to look each of them up would take as long as there are revisions. */
static bool route_leads_to(const struct model *model, const struct route *route,
	const struct model_revision *revision)
{
	if (route->type == ROUTE_LATEST)
		return revision == model->latest_ready;
	return strcmp(route->revision, revision->name) == 0;
}

/* Whether requests can come to it: by its share or by a tag. */
static bool revision_has_part(const struct model *model,
	const struct model_revision *revision, bool tags_count)
{
	size_t i;

	for (i = 0; i < model->served.n; i++) {
		const struct route *route = &model->served.item[i];

		if ((route->percent || (tags_count && route->tag[0])) &&
			route_leads_to(model, route, revision))
			return true;
	}
	return !model->served.n && revision == model->latest_ready;
}

static void revision_drop(struct model *model, size_t i)
{
	size_t rest = --model->n_revisions - i;

	free(model->revision[i]);
	memmove(&model->revision[i], &model->revision[i + 1],
		rest * sizeof(model->revision[0]));
	memmove(&model->name_hash[i], &model->name_hash[i + 1],
		rest * sizeof(model->name_hash[0]));
}

/* Makes room as the real one does. False: all of them are needed. */
static bool revision_collect(struct model *model)
{
	size_t i;

	for (i = 0; i < model->n_revisions; i++) {
		const struct model_revision *revision = model->revision[i];

		if (revision == model->latest_created ||
			revision == model->latest_ready ||
			revision->due_ms != MODEL_NEVER ||
			revision_has_part(model, revision, true))
			continue;
		revision_drop(model, i);
		return true;
	}
	return false;
}

static int check_deploy(
	struct model *model, const char *name, struct rpc_error *error)
{
	if (model->deleted)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"The service was deleted: make it anew first.");
	if (name && !route_name_is_good(name))
		return rpc_error_field(error, "revision",
			"\"%.80s\" is not the name of a revision: lower-case "
			"letters, digits and hyphens, at most %d, a letter "
			"first.",
			name, ROUTE_NAME_MAX);
	if (name && model_find_revision(model, name))
		return rpc_error_set(error, RPC_ALREADY_EXISTS,
			"Revision named '%s' with different configuration "
			"already exists.",
			name);
	if (model->n_revisions == MODEL_REVISIONS_MAX &&
		!revision_collect(model))
		return rpc_error_set(error, RPC_RESOURCE_EXHAUSTED,
			"There are %d revisions and each of them has traffic "
			"or a tag.",
			MODEL_REVISIONS_MAX);
	return 0;
}

static struct model_revision *revision_new(
	struct model *model, const char *name, int64_t now_ms)
{
	struct model_revision *revision = xcalloc(1, sizeof(*revision));

	if (name)
		snprintf(revision->name, sizeof(revision->name), "%s", name);
	else
		revision_name_make(model, revision->name);
	revision->number = ++model->revisions_made;
	snprintf(revision->image, sizeof(revision->image), "sandbox/%.49s:%u",
		model->service, revision->number);
	model_make_uuid(&model->rng, revision->uid);
	revision->create_ms = now_ms;
	model->name_hash[model->n_revisions] = hash_of(revision->name);
	model->revision[model->n_revisions++] = revision;
	model->latest_created = revision;
	return revision;
}

struct model_revision *model_deploying(const struct model *model)
{
	struct model_revision *first = NULL;
	size_t i;

	for (i = 0; model->n_deploying && i < model->n_revisions; i++) {
		struct model_revision *revision = model->revision[i];

		if (revision->due_ms != MODEL_NEVER &&
			(!first || revision->due_ms < first->due_ms))
			first = revision;
	}
	return first;
}

void model_deployment_end(
	struct model *model, struct model_revision *revision, int64_t now_ms)
{
	revision->due_ms = MODEL_NEVER;
	revision->ready = revision->becomes_ready;
	revision->change_ms = model->configuration_ms = now_ms;
	model->n_deploying--;
	if (revision->ready)
		latest_follow(model, revision, now_ms);
	model_changed(model, now_ms);
}

struct model_revision *model_deploy_as(struct model *model,
	const struct model_deployment *deployment, int64_t now_ms,
	struct rpc_error *error)
{
	struct model_revision *revision;

	if (check_deploy(model, deployment->name, error) < 0)
		return NULL;
	revision = revision_new(model, deployment->name, now_ms);
	revision->becomes_ready = !deployment->fails;
	set_failure(revision, deployment->failure);
	json_object_set_new(model->fields, "template",
		json_pack("{s:[{s:s}], s:i, s:s}", "containers", "image",
			revision->image, "maxInstanceRequestConcurrency", 80,
			"timeout", "300s"));
	if (model->n_revisions > 1)
		model->generation++;
	model->update_ms = model->configuration_ms = now_ms;
	model_modified_by(model, deployment->by);
	memcpy(revision->creator, model->last_modifier,
		sizeof(revision->creator));
	model->n_deploying++;
	revision->due_ms = now_ms + deployment->takes_ms;
	if (deployment->takes_ms)
		model_changed(model, now_ms);
	else
		model_deployment_end(model, revision, now_ms);
	return revision;
}

struct model_revision *model_deploy(struct model *model, const char *name,
	bool ready, int64_t now_ms, struct rpc_error *error)
{
	const struct model_deployment deployment = {
		.name = name, .fails = !ready};

	return model_deploy_as(model, &deployment, now_ms, error);
}

void model_set_ready(struct model *model, struct model_revision *revision,
	bool ready, const char *failure, int64_t now_ms)
{
	set_failure(revision, failure);
	if (revision->due_ms != MODEL_NEVER) {
		revision->becomes_ready = ready;
		model_deployment_end(model, revision, now_ms);
		return;
	}
	if (revision->ready == ready && !failure)
		return;
	revision->ready = ready;
	revision->change_ms = now_ms;
	if (ready)
		latest_follow(model, revision, now_ms);
	model_changed(model, now_ms);
}

/* ---- and how they go ---- */

static int check_remove(const struct model *model,
	const struct model_revision *revision, bool force,
	struct rpc_error *error)
{
	bool is_latest = revision == model->latest_created ||
			 revision == model->latest_ready;

	if (model->n_revisions > 1 &&
		!revision_has_part(model, revision, !force) &&
		(force || !is_latest))
		return 0;
	return rpc_error_set(error, RPC_FAILED_PRECONDITION,
		"Revision '%s' is the latest one or has traffic or a tag: it "
		"cannot be deleted.",
		revision->name);
}

/* The newest of those that are left. */
static void latest_find(struct model *model)
{
	size_t i;

	model->latest_created = model->latest_ready = NULL;
	for (i = 0; i < model->n_revisions; i++) {
		model->latest_created = model->revision[i];
		if (model->revision[i]->ready)
			model->latest_ready = model->revision[i];
	}
}

int model_remove(struct model *model, const char *name, bool force,
	int64_t now_ms, struct rpc_error *error)
{
	struct model_revision *revision = model_find_revision(model, name);
	bool is_latest;
	size_t i;

	if (!revision)
		return rpc_error_set(error, RPC_NOT_FOUND,
			"Revision '%.80s' does not exist.", name);
	if (check_remove(model, revision, force, error) < 0)
		return -1;
	is_latest = revision == model->latest_created ||
		    revision == model->latest_ready;
	model->n_deploying -= revision->due_ms != MODEL_NEVER;
	for (i = 0; model->revision[i] != revision; i++)
		;
	revision_drop(model, i);
	if (is_latest)
		latest_find(model);
	model_changed(model, now_ms);
	return 0;
}

void model_revisions_renew(struct model *model, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < model->n_revisions; i++) {
		struct model_revision *revision = model->revision[i];

		model_make_uuid(&model->rng, revision->uid);
		revision->create_ms = revision->change_ms = now_ms;
		revision->due_ms = MODEL_NEVER;
	}
	model->n_deploying = 0;
}
