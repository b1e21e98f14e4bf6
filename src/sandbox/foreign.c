/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody else does; see foreign.h. Pure. */
#include "sandbox/foreign.h"

#include <string.h>

#include "base/duration.h"
#include "sandbox/admin_check.h"
#include "sandbox/admin_routes.h"

#define DEEDS "set deploy remove ready service"

bool foreign_is_deed(const char *name)
{
	return admin_word_in(name, strlen(name), DEEDS);
}

static int deed_text(const json_t *body, const char *name, const char **text_r,
	struct rpc_error *error)
{
	const json_t *text = json_object_get(body, name);

	*text_r = json_string_value(text);
	if (text && !*text_r)
		return rpc_error_field(error, name, "%s must be a text", name);
	return 0;
}

int foreign_read_deployment(const json_t *body,
	struct model_deployment *deployment_r, struct rpc_error *error)
{
	const json_t *ready = json_object_get(body, "ready");
	const char *takes, *by;
	struct err err;

	*deployment_r = (struct model_deployment){
		.fails = json_is_false(ready), .by = FOREIGN_WHO};
	if (deed_text(body, "revision", &deployment_r->name, error) < 0 ||
		deed_text(body, "message", &deployment_r->failure, error) < 0 ||
		deed_text(body, "takes", &takes, error) < 0 ||
		deed_text(body, "by", &by, error) < 0)
		return -1;
	if (by)
		deployment_r->by = by;
	if (ready && !json_is_boolean(ready))
		return rpc_error_field(
			error, "ready", "ready must be true or false");
	if (takes && duration_parse(takes, &deployment_r->takes_ms, &err) < 0)
		return rpc_error_field(error, "takes", "%.200s", err.text);
	return 0;
}

static int do_deploy(struct model *model, const json_t *body, bool dry,
	int64_t now_ms, struct rpc_error *error)
{
	struct model_deployment deployment;

	if (foreign_read_deployment(body, &deployment, error) < 0)
		return -1;
	if (dry)
		return 0;
	return model_deploy_as(model, &deployment, now_ms, error) ? 0 : -1;
}

static int do_remove(struct model *model, const json_t *name, bool dry,
	int64_t now_ms, struct rpc_error *error)
{
	if (!json_is_string(name))
		return rpc_error_field(
			error, "remove", "remove must be a revision");
	if (dry)
		return 0;
	return model_remove(
		model, json_string_value(name), true, now_ms, error);
}

static int do_ready(struct model *model, const json_t *map, bool dry,
	int64_t now_ms, struct rpc_error *error)
{
	struct model_revision *revision;
	const char *name;
	json_t *ready;

	if (!json_object_size(map))
		return rpc_error_field(error, "ready",
			"ready must be an object such as {\"REVISION\": "
			"false}");
	json_object_foreach((json_t *)map, name, ready) {
		revision = model_find_revision(model, name);
		if (!json_is_boolean(ready))
			return rpc_error_field(error, "ready",
				"ready.%.63s must be true or false", name);
		if (revision && !dry)
			model_set_ready(model, revision, json_is_true(ready),
				NULL, now_ms);
	}
	return 0;
}

static int do_service(struct model *model, const json_t *word, bool dry,
	int64_t now_ms, struct rpc_error *error)
{
	const char *text = json_string_value(word);
	bool deletes = text && strcmp(text, "deleted") == 0;

	if (!deletes && (!text || strcmp(text, "recreated") != 0))
		return rpc_error_field(error, "service",
			"service must be \"deleted\" or \"recreated\"");
	if (dry)
		return 0;
	if (deletes)
		model_delete(model, now_ms);
	else
		model_recreate(model, now_ms);
	return 0;
}

static int do_set(struct model *model, const json_t *fields, bool dry,
	int64_t now_ms, struct rpc_error *error)
{
	if (!json_is_object(fields))
		return rpc_error_field(
			error, "set", "set must be an object of fields");
	return admin_routes_drift(
		model, fields, FOREIGN_WHO, dry, now_ms, error);
}

int foreign_do(struct model *model, const json_t *deed, bool dry,
	int64_t now_ms, struct rpc_error *error)
{
	static const struct {
		const char *name;
		int (*fn)(struct model *model, const json_t *value, bool dry,
			int64_t now_ms, struct rpc_error *error);
	} deeds[] = {
		{"set", do_set},
		{"deploy", do_deploy},
		{"remove", do_remove},
		{"ready", do_ready},
		{"service", do_service},
	};
	size_t i;

	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		const json_t *value = json_object_get(deed, deeds[i].name);

		if (value)
			return deeds[i].fn(model, value, dry, now_ms, error);
	}
	return rpc_error_field(
		error, "", "somebody else must do one of " DEEDS);
}
