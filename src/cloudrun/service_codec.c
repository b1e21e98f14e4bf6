/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services and revisions; see service_codec.h. Owns what the fields mean. Must
 * not decide anything: who is stable or what to write is the engine's.
 */
#include "cloudrun/service_codec.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/service_name.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "cloudrun/json_get.h"
#include "cloudrun/services_codec.h"

#define TYPE_LATEST      "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
#define TYPE_REVISION    "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
#define TYPE_UNSPECIFIED "TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED"

/* A short name out of a short or full one; NULL stays NULL. */
static int decode_name(struct arena *arena, const json_t *object,
	const char *key, const char **name_r, struct err *err_r)
{
	const char *text;

	if (json_get_text(object, key, &text, err_r) < 0)
		return -1;
	*name_r = NULL;
	if (!text)
		return 0;
	if (!resource_is_label(resource_short_name(text)))
		return err_set(err_r, ERR_PROTOCOL,
			"\"%s\" is not the name of a revision", key);
	*name_r = arena_strdup(arena, resource_short_name(text));
	return 0;
}

/* A URL that is none is left out: it is for people and probes only. */
static const char *decode_uri(struct arena *arena, const char *uri)
{
	const char *c;

	for (c = uri; c && *c; c++)
		if (*c <= ' ' || *c > '~')
			return NULL;
	return arena_strdup(arena, uri);
}

static enum target_type decode_type(const char *type, const char *revision)
{
	if (!type || strcmp(type, TYPE_UNSPECIFIED) == 0)
		return revision ? TARGET_REVISION : TARGET_UNKNOWN;
	if (strcmp(type, TYPE_LATEST) == 0)
		return TARGET_LATEST;
	if (strcmp(type, TYPE_REVISION) == 0 && revision)
		return TARGET_REVISION;
	return TARGET_UNKNOWN;
}

static int decode_target(struct arena *arena, const json_t *entry,
	struct target *target_r, struct err *err_r)
{
	const char *type, *tag, *uri;
	int64_t percent;

	if (!json_is_object(entry))
		return err_set(err_r, ERR_PROTOCOL, "it is not an object");
	if (json_get_text(entry, "type", &type, err_r) < 0 ||
		json_get_text(entry, "tag", &tag, err_r) < 0 ||
		json_get_text(entry, "uri", &uri, err_r) < 0 ||
		json_get_int64(entry, "percent", &percent, err_r) < 0 ||
		decode_name(arena, entry, "revision", &target_r->revision,
			err_r) < 0)
		return -1;
	if (percent < 0 || percent > 100)
		return err_set(err_r, ERR_PROTOCOL,
			"\"percent\" is %lld, not one of 0 to 100",
			(long long)percent);
	if (tag && !resource_is_label(tag))
		return err_set(err_r, ERR_PROTOCOL, "\"tag\" is not a tag");
	target_r->type = decode_type(type, target_r->revision);
	target_r->percent = (int)percent;
	target_r->tag = arena_strdup(arena, tag);
	target_r->uri = decode_uri(arena, uri);
	return 0;
}

static int decode_traffic(struct arena *arena, const json_t *root,
	const char *key, struct traffic *traffic_r, struct err *err_r)
{
	json_t *array, *entry;
	size_t i;

	if (json_get_array(root, key, &array, err_r) < 0)
		return -1;
	if (json_array_size(array) > TRAFFIC_ENTRIES_MAX)
		return err_set(err_r, ERR_LIMIT,
			"\"%s\" has %zu entries, more than %d", key,
			json_array_size(array), TRAFFIC_ENTRIES_MAX);
	traffic_r->n = json_array_size(array);
	traffic_r->item = arena_alloc(
		arena, (traffic_r->n + 1) * sizeof(*traffic_r->item));
	json_array_foreach(array, i, entry)
		if (decode_target(arena, entry, &traffic_r->item[i], err_r) < 0)
			return err_wrap(err_r, "%s[%zu]", key, i);
	return 0;
}

static int decode_spec(
	struct service *service, const json_t *root, struct err *err_r)
{
	struct traffic *spec = &service->spec;
	int sum = 0;
	size_t i;

	if (decode_traffic(&service->arena, root, "traffic", spec, err_r) < 0)
		return -1;
	if (spec->n == 0) { /* there is room for one, see above */
		spec->n = 1;
		spec->item[0].type = TARGET_LATEST;
		spec->item[0].percent = 100;
	}
	for (i = 0; i < spec->n; i++) {
		sum += spec->item[i].percent;
		if (spec->item[i].type == TARGET_LATEST)
			spec->item[i].revision = NULL;
	}
	if (sum != 100)
		return err_set(err_r, ERR_PROTOCOL,
			"the percents of \"traffic\" sum to %d, not 100", sum);
	return 0;
}

/* While the service reconciles these may be anything: their sum is not looked
 * at, it shows in the split. */
static int decode_statuses(
	struct service *service, const json_t *root, struct err *err_r)
{
	struct traffic *statuses = &service->statuses;
	size_t i;

	if (decode_traffic(&service->arena, root, "trafficStatuses", statuses,
		    err_r) < 0)
		return -1;
	for (i = 0; i < statuses->n; i++)
		if (statuses->item[i].type == TARGET_LATEST &&
			!statuses->item[i].revision)
			statuses->item[i].revision = service->latest_ready;
	return 0;
}

static bool condition_succeeded(const json_t *condition)
{
	const char *state = json_get_hint(condition, "state");

	return state && strcmp(state, "CONDITION_SUCCEEDED") == 0;
}

/* Why a condition is not met, in words; "" when it says nothing. */
static void condition_explain(const json_t *condition, struct buf *out)
{
	static const char *const keys[] = {
		"message", "reason", "revisionReason", "state"};
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		text = json_get_hint(condition, keys[i]);
		if (text && *text) {
			json_hint_add(out, text);
			return;
		}
	}
}

static int decode_condition(
	struct service *service, const json_t *root, struct err *err_r)
{
	struct buf why;
	json_t *condition;

	if (json_get_object(root, "terminalCondition", &condition, err_r) < 0)
		return -1;
	service->green = condition_succeeded(condition);
	if (service->green)
		return 0;
	buf_init(&why, JSON_HINT_MAX);
	condition_explain(condition, &why);
	if (why.len > 0)
		service->condition = arena_strdup(&service->arena, why.data);
	buf_fini(&why);
	return 0;
}

static enum routes_state routes_of(const json_t *condition)
{
	const char *state = json_get_hint(condition, "state");

	if (!state)
		return ROUTES_UNKNOWN;
	if (strcmp(state, "CONDITION_SUCCEEDED") == 0)
		return ROUTES_READY;
	if (strcmp(state, "CONDITION_FAILED") == 0)
		return ROUTES_FAILED;
	return strcmp(state, "CONDITION_PENDING") == 0 ||
			       strcmp(state, "CONDITION_RECONCILING") == 0
		       ? ROUTES_MOVING
		       : ROUTES_UNKNOWN;
}

static int decode_routes(
	struct service *service, const json_t *root, struct err *err_r)
{
	json_t *conditions, *condition;
	const char *type;
	size_t i;

	if (json_get_array(root, "conditions", &conditions, err_r) < 0)
		return -1;
	json_array_foreach(conditions, i, condition) {
		type = json_get_hint(condition, "type");
		if (type && strcmp(type, "RoutesReady") == 0)
			service->routes = routes_of(condition);
	}
	return 0;
}

static int decode_identity(
	struct service *service, const json_t *root, struct err *err_r)
{
	struct arena *arena = &service->arena;
	const char *name, *etag, *uri, *modifier, *uid;

	if (json_get_text(root, "name", &name, err_r) < 0 ||
		json_get_text(root, "etag", &etag, err_r) < 0 ||
		json_get_text(root, "uri", &uri, err_r) < 0 ||
		json_get_text(root, "uid", &uid, err_r) < 0 ||
		json_get_text(root, "lastModifier", &modifier, err_r) < 0)
		return -1;
	if (!name || !resource_name_is(name, "services"))
		return err_set(err_r, ERR_PROTOCOL,
			"\"name\" is not "
			"projects/…/locations/…/services/…");
	service->name = arena_strdup(arena, name);
	service->etag = arena_strdup(arena, etag);
	service->uri = decode_uri(arena, uri);
	service->uid = arena_strdup(arena, uid);
	if (modifier) {
		struct buf clean;

		buf_init(&clean, JSON_HINT_MAX);
		json_hint_add(&clean, modifier);
		service->last_modifier = arena_strdup(arena, clean.data);
		buf_fini(&clean);
	}
	return 0;
}

/* Who reaches the service: only for hints, so that what is new means nothing
 * bad. INGRESS_TRAFFIC_INTERNAL_ONLY becomes "internal-only". */
static const char *decode_ingress(struct arena *arena, const json_t *root)
{
	static const char prefix[] = "INGRESS_TRAFFIC_";
	const char *value = json_get_hint(root, "ingress");
	char *text, *c;

	if (!value || strncmp(value, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	value += sizeof(prefix) - 1;
	if (!resource_is_label(value) || strcmp(value, "ALL") == 0 ||
		strcmp(value, "UNSPECIFIED") == 0)
		return NULL;
	text = arena_strdup(arena, value);
	for (c = text; *c; c++)
		*c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? *c + 32 : *c;
	return text;
}

static int decode_state(
	struct service *service, const json_t *root, struct err *err_r)
{
	struct arena *arena = &service->arena;
	json_t *regions;

	if (json_get_int64(root, "generation", &service->generation, err_r) <
			0 ||
		json_get_int64(root, "observedGeneration",
			&service->observed_generation, err_r) < 0 ||
		json_get_bool(root, "reconciling", &service->reconciling,
			err_r) < 0 ||
		json_get_object(root, "multiRegionSettings", &regions, err_r) <
			0 ||
		json_get_bool(root, "defaultUriDisabled",
			&service->uri_disabled, err_r) < 0 ||
		json_get_bool(root, "iapEnabled", &service->iap, err_r) < 0 ||
		decode_name(arena, root, "latestReadyRevision",
			&service->latest_ready, err_r) < 0 ||
		decode_name(arena, root, "latestCreatedRevision",
			&service->latest_created, err_r) < 0)
		return -1;
	service->multi_region = json_object_size(regions) > 0;
	service->ingress = decode_ingress(arena, root);
	if (decode_routes(service, root, err_r) < 0)
		return -1;
	return decode_condition(service, root, err_r);
}

struct service *service_of_json(const json_t *root, struct err *err_r)
{
	struct service *service = xcalloc(1, sizeof(*service));

	arena_init(&service->arena);
	if (decode_identity(service, root, err_r) < 0 ||
		decode_state(service, root, err_r) < 0 ||
		decode_spec(service, root, err_r) < 0 ||
		decode_statuses(service, root, err_r) < 0) {
		err_wrap(err_r, "service");
		service_free(&service);
	}
	return service;
}

struct service *service_decode(const char *bytes, size_t len, struct err *err_r)
{
	json_t *root = json_get_root("service", bytes, len, err_r);
	struct service *service = root ? service_of_json(root, err_r) : NULL;

	if (service && len <= SERVICE_COMPARED_MAX) {
		digest_bytes(bytes, len, service->digest);
		service->digested = len;
	}
	json_decref(root);
	return service;
}

void service_free(struct service **service)
{
	if (!*service)
		return;
	arena_fini(&(*service)->arena);
	free(*service);
	*service = NULL;
}

bool service_is_moving(const struct service *service)
{
	return service->reconciling && service->routes != ROUTES_READY;
}

const char *service_broken(const struct service *service)
{
	if (service->green || service->reconciling)
		return NULL;
	return service->condition ? service->condition
				  : "its condition Ready is not met";
}

/* The condition Ready; NULL: there is none. Active says something else: an
 * idle revision is not active and may get traffic all the same. */
static const json_t *find_ready(const json_t *conditions)
{
	const json_t *condition;
	const char *type;
	size_t i;

	json_array_foreach(conditions, i, condition) {
		type = json_get_hint(condition, "type");
		if (type && strcmp(type, "Ready") == 0)
			return condition;
	}
	return NULL;
}

static void decode_ready(struct revision *revision, const json_t *ready)
{
	struct buf why;

	revision->ready = condition_succeeded(ready);
	if (revision->ready)
		return;
	buf_init(&why, JSON_HINT_MAX);
	condition_explain(ready, &why);
	if (why.len == 0)
		buf_adds(&why, "it has no condition Ready yet");
	revision->condition = buf_steal(&why);
	buf_fini(&why);
}

/* The service in …/services/S/revisions/R; NULL: none is named. */
static const char *service_of(struct arena *arena, const char *name)
{
	const char *from = name ? strstr(name, "/services/") : NULL;
	const char *service;

	if (!from)
		return NULL;
	from += strlen("/services/");
	service = arena_strndup(arena, from, strcspn(from, "/"));
	return resource_is_label(service) ? service : NULL;
}

/* Who made it and when: what is missing or no time is not known. */
static void decode_origin(struct revision *revision, const json_t *root)
{
	const char *creator = json_get_hint(root, "creator");
	const char *created = json_get_hint(root, "createTime");
	struct buf clean;
	struct err err;

	if (created && timestamp_parse(created, &revision->created_ms, &err))
		revision->created_ms = 0;
	if (!creator || !*creator)
		return;
	buf_init(&clean, JSON_HINT_MAX);
	json_hint_add(&clean, creator);
	revision->creator = buf_steal(&clean);
	buf_fini(&clean);
}

int revision_decode(const char *bytes, size_t len, struct revision *revision_r,
	struct err *err_r)
{
	json_t *conditions,
		*root = json_get_root("revision", bytes, len, err_r);
	const char *name, *service;
	struct arena arena;
	int rc = -1;

	if (!root)
		return -1;
	arena_init(&arena);
	memset(revision_r, 0, sizeof(*revision_r));
	if (decode_name(&arena, root, "name", &name, err_r) < 0 ||
		decode_name(&arena, root, "service", &service, err_r) < 0 ||
		json_get_array(root, "conditions", &conditions, err_r) < 0)
		goto out;
	if (!service)
		service = service_of(&arena, json_get_hint(root, "name"));
	if (!name || !service) {
		err_set(err_r, ERR_PROTOCOL,
			"it does not say its name and its service");
		goto out;
	}
	revision_r->name = xstrdup(name);
	revision_r->service = xstrdup(service);
	decode_origin(revision_r, root);
	decode_ready(revision_r, find_ready(conditions));
	rc = 0;
out:
	if (rc < 0)
		err_wrap(err_r, "revision");
	arena_fini(&arena);
	json_decref(root);
	return rc;
}

void revision_fini(struct revision *revision)
{
	xfree(&revision->name);
	xfree(&revision->service);
	xfree(&revision->condition);
	xfree(&revision->creator);
}

static const char *type_name(enum target_type type)
{
	switch (type) {
	case TARGET_REVISION:
		return TYPE_REVISION;
	case TARGET_LATEST:
		return TYPE_LATEST;
	case TARGET_UNKNOWN:
		break;
	}
	return TYPE_UNSPECIFIED;
}

/* Texts in a list come out of a decoder, so that they are valid UTF-8. */
static json_t *encode_entries(const struct traffic *traffic)
{
	json_t *array = json_array(), *entry;
	size_t i;

	for (i = 0; i < traffic->n; i++) {
		const struct target *t = &traffic->item[i];

		entry = json_pack("{ss ss* si ss*}", "type", type_name(t->type),
			"revision",
			t->type == TARGET_LATEST ? NULL : t->revision,
			"percent", t->percent, "tag", t->tag);
		assert(entry);
		json_array_append_new(array, entry);
	}
	return array;
}

static int add_bytes(const char *bytes, size_t len, void *arg)
{
	struct buf *out = arg;

	buf_add(out, bytes, len);
	return 0;
}

void traffic_encode_array(const struct traffic *traffic, struct buf *out)
{
	json_t *array = encode_entries(traffic);

	json_dump_callback(array, add_bytes, out, JSON_COMPACT);
	json_decref(array);
}

void traffic_encode(const char *service_name, const char *etag,
	const struct traffic *traffic, struct buf *out)
{
	json_t *body = json_pack("{ss ss* so}", "name", service_name, "etag",
		etag, "traffic", encode_entries(traffic));

	assert(body);
	json_dump_callback(body, add_bytes, out, JSON_COMPACT);
	json_decref(body);
}
