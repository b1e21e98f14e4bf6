/* SPDX-License-Identifier: Apache-2.0 */
/* Update masks and what they do to a service; see service_patch.h. Pure. */
#include "sandbox/service_patch.h"

#include <string.h>

#include "sandbox/admin_check.h"

#define DESCRIPTION_MAX 512
#define GOOGLE_NAMESPACES                                              \
	"run.googleapis.com cloud.googleapis.com serving.knative.dev " \
	"autoscaling.knative.dev"

static const struct field *find(
	const struct field *fields, const char *name, size_t len)
{
	for (; fields && fields->name; fields++) {
		if (strlen(fields->name) == len &&
			memcmp(fields->name, name, len) == 0)
			return fields;
	}
	return NULL;
}

/* Proto3 knows no difference between a default and nothing at all. */
static bool is_default(const json_t *value)
{
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_string(value) && !json_string_length(value)) ||
	       (json_is_integer(value) && !json_integer_value(value)) ||
	       (json_is_real(value) && json_real_value(value) == 0.0) ||
	       ((json_is_array(value) && !json_array_size(value)) ||
		       (json_is_object(value) && !json_object_size(value)));
}

/* Drops what proto3 JSON would not print. */
static void prune(const struct field *fields, json_t *object)
{
	const struct field *field;
	const char *name;
	json_t *value, *item;
	void *next;
	size_t i;

	json_object_foreach_safe(object, next, name, value)
	{
		field = find(fields, name, strlen(name));
		if (field && field->message && json_is_object(value))
			prune(field->message, value);
		json_array_foreach(value, i, item) {
			if (field && field->message)
				prune(field->message, item);
		}
		if (is_default(value))
			json_object_del(object, name);
	}
}

/* Lays the value of one path over `to`. */
static void overlay(json_t *to, const json_t *from, const char *path)
{
	size_t len = strcspn(path, ".");
	char name[RPC_FIELD_MAX];
	json_t *value, *child;

	memcpy(name, path, len);
	name[len] = '\0';
	value = json_object_get(from, name);
	if (!path[len]) {
		if (!value || is_default(value))
			json_object_del(to, name);
		else
			json_object_set_new(to, name, json_deep_copy(value));
		return;
	}
	child = json_object_get(to, name);
	child = child ? json_incref(child) : json_object();
	overlay(child, value, path + len + 1);
	if (json_object_size(child))
		json_object_set(to, name, child);
	else
		json_object_del(to, name);
	json_decref(child);
}

static int bad_path(
	const char *path, size_t len, const char *why, struct rpc_error *error)
{
	return rpc_error_field(error, "update_mask",
		"Invalid value at 'update_mask': path \"%.*s\" %s.",
		len > 80 ? 80 : (int)len, path, why);
}

/* The top field of a path that makes sense, or NULL. */
static const struct field *path_check(
	const char *path, size_t len, struct rpc_error *error)
{
	const struct field *field = NULL, *top = NULL, *in = service_fields;
	size_t at = 0, n;

	if (len >= RPC_FIELD_MAX || memchr(path, '_', len)) {
		bad_path(path, len, "must be in lowerCamelCase", error);
		return NULL;
	}
	for (;; at += n + 1) {
		if (field && field->flags & FIELD_REPEATED) {
			bad_path(path, len, "goes into a list", error);
			return NULL;
		}
		for (n = 0; at + n < len && path[at + n] != '.'; n++)
			;
		field = find(in, path + at, n);
		if (!field) {
			bad_path(path, len, "is not a field of Service", error);
			return NULL;
		}
		top = top ? top : field;
		if (at + n == len)
			return top;
		in = field->message;
	}
}

static bool is_ignored(const struct field *field)
{
	return field->flags & FIELD_OUTPUT_ONLY ||
	       strcmp(field->name, "name") == 0 ||
	       strcmp(field->name, "etag") == 0;
}

static int path_apply(const char *path, size_t len, const json_t *body,
	struct service_patch *patch, struct rpc_error *error)
{
	const struct field *top = path_check(path, len, error);
	char text[RPC_FIELD_MAX];

	if (!top)
		return -1;
	if (strcmp(top->name, "traffic") == 0) {
		patch->has_routes = true;
		return 0;
	}
	if (is_ignored(top))
		return 0;
	memcpy(text, path, len);
	text[len] = '\0';
	overlay(patch->fields, body, text);
	return 0;
}

static int mask_apply(const char *mask, const json_t *body,
	struct service_patch *patch, struct rpc_error *error)
{
	size_t len, n = 0;

	for (; *mask; mask += len + (mask[len] == ',')) {
		len = strcspn(mask, ",");
		if (n++ == SERVICE_PATCH_PATHS_MAX)
			return rpc_error_field(error, "update_mask",
				"More than %d paths in 'update_mask'.",
				SERVICE_PATCH_PATHS_MAX);
		if (path_apply(mask, len, body, patch, error) < 0)
			return -1;
	}
	return 0;
}

/* Without a mask: what the body has. With "*": everything. */
static void body_apply(
	const json_t *body, bool all, struct service_patch *patch)
{
	const struct field *field;
	json_t *value;

	for (field = service_fields; field->name; field++) {
		value = json_object_get(body, field->name);
		if (is_ignored(field) ||
			(!all && (!value || is_default(value))))
			continue;
		if (strcmp(field->name, "traffic") == 0)
			patch->has_routes = true;
		else
			overlay(patch->fields, body, field->name);
	}
}

static void check_keys(const struct model *model, const char *map,
	const json_t *fields, struct rpc_error *error)
{
	json_t *now = json_object_get(model->fields, map), *value;
	const char *key, *slash;

	json_object_foreach(json_object_get(fields, map), key, value) {
		slash = strchr(key, '/');
		if (!slash || json_object_get(now, key) ||
			!admin_word_in(
				key, (size_t)(slash - key), GOOGLE_NAMESPACES))
			continue;
		rpc_error_field(error, map,
			"service.%s: the key \"%.80s\" is in a reserved "
			"namespace.",
			map, key);
	}
}

static int check_meaning(const struct model *model,
	const struct service_patch *patch, struct rpc_error *error)
{
	static const char *const fixed[] = {
		"template", "multiRegionSettings", "buildConfig"};
	const json_t *text = json_object_get(patch->fields, "description");
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		json_t *now = json_object_get(model->fields, fixed[i]);
		json_t *then = json_object_get(patch->fields, fixed[i]);

		if (now == then || (now && then && json_equal(now, then)))
			continue;
		return rpc_error_set(error, RPC_UNIMPLEMENTED,
			"The sandbox does not change %s: new revisions are "
			"made by POST /sandbox/deploy.",
			fixed[i]);
	}
	check_keys(model, "labels", patch->fields, error);
	check_keys(model, "annotations", patch->fields, error);
	if (json_string_length(text) > DESCRIPTION_MAX)
		rpc_error_field(error, "service.description",
			"service.description is longer than %d characters.",
			DESCRIPTION_MAX);
	return error->code == RPC_OK ? 0 : -1;
}

int service_patch_read(const struct model *model, const json_t *body,
	const char *mask, struct service_patch *patch_r,
	struct rpc_error *error)
{
	struct service_patch patch = {.fields = json_deep_copy(model->fields)};

	if (!mask || !*mask || strcmp(mask, "*") == 0)
		body_apply(body, mask && *mask, &patch);
	else if (mask_apply(mask, body, &patch, error) < 0)
		goto out;
	prune(service_fields, patch.fields);
	if (check_meaning(model, &patch, error) < 0)
		goto out;
	if (patch.has_routes &&
		routes_read(json_object_get(body, "traffic"), model->service,
			&patch.routes, error) < 0)
		goto out;
	*patch_r = patch;
	return 0;
out:
	service_patch_fini(&patch);
	return -1;
}

void service_patch_fini(struct service_patch *patch)
{
	routes_fini(&patch->routes);
	json_decref(patch->fields);
	patch->fields = NULL;
}
