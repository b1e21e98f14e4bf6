/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of routes and the API's rules about them; see routes.h. Pure. */
#include "sandbox/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define TYPE "TRAFFIC_TARGET_ALLOCATION_TYPE_"

void routes_fini(struct routes *routes)
{
	free(routes->item);
	*routes = (struct routes){NULL, 0};
}

void routes_copy(struct routes *to, const struct routes *from)
{
	struct route *item = xcalloc(from->n, sizeof(*item));

	if (from->n)
		memcpy(item, from->item, from->n * sizeof(*item));
	routes_fini(to);
	*to = (struct routes){item, from->n};
}

bool routes_equal(const struct routes *a, const struct routes *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		const struct route *x = &a->item[i], *y = &b->item[i];

		if (x->type != y->type || x->percent != y->percent ||
			strcmp(x->revision, y->revision) != 0 ||
			strcmp(x->tag, y->tag) != 0)
			return false;
	}
	return true;
}

void routes_add(struct routes *routes, enum route_type type,
	const char *revision, int percent)
{
	struct route *route;

	routes->item = xrealloc(routes->item, routes->n + 1, sizeof(*route));
	route = &routes->item[routes->n++];
	memset(route, 0, sizeof(*route));
	route->type = type;
	route->percent = percent;
	snprintf(route->revision, sizeof(route->revision), "%s", revision);
}

bool route_name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len && len <= ROUTE_NAME_MAX && name[0] >= 'a' &&
	       name[0] <= 'z' && name[len - 1] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static const char *text_of(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text ? text : "";
}

static void target_read(const json_t *entry, const char *at,
	struct route *route, struct rpc_error *error)
{
	const char *type = text_of(entry, "type");
	const char *revision = text_of(entry, "revision");
	bool latest = strcmp(type, TYPE "LATEST") == 0;

	route->type = latest ? ROUTE_LATEST : ROUTE_REVISION;
	if (!latest && strcmp(type, TYPE "REVISION") != 0)
		rpc_error_field(error, at,
			"%s.type must be " TYPE "LATEST or " TYPE "REVISION.",
			at);
	else if (latest && *revision)
		rpc_error_field(error, at,
			"%s.revision must be empty when the type is " TYPE
			"LATEST.",
			at);
	else if (!latest && !*revision)
		rpc_error_field(error, at,
			"%s.revision is required when the type is " TYPE
			"REVISION.",
			at);
	else if (!latest && !route_name_is_good(revision))
		rpc_error_field(error, at,
			"%s.revision must be the short name of a revision, "
			"not \"%.80s\".",
			at, revision);
	else
		snprintf(route->revision, sizeof(route->revision), "%s",
			revision);
}

static void tag_read(const json_t *entry, const char *service, const char *at,
	struct route *route, struct rpc_error *error)
{
	const char *tag = text_of(entry, "tag");

	if (!*tag)
		return;
	if (!route_name_is_good(tag)) {
		rpc_error_field(error, at,
			"%s.tag \"%.60s\" must be lower-case letters, digits "
			"and hyphens, start with a letter and not end with a "
			"hyphen.",
			at, tag);
	} else if (strlen(tag) + strlen(service) > ROUTE_LABEL_MAX ||
		   strlen(tag) >= sizeof(route->tag)) {
		rpc_error_field(error, at,
			"%s.tag \"%s\" and the service name are longer than "
			"%d characters together.",
			at, tag, ROUTE_LABEL_MAX);
	} else {
		memcpy(route->tag, tag, strlen(tag) + 1);
	}
}

static void percent_read(const json_t *entry, const char *at,
	struct route *route, struct rpc_error *error)
{
	json_int_t percent =
		json_integer_value(json_object_get(entry, "percent"));

	if (percent < 0 || percent > 100)
		rpc_error_field(error, at,
			"%s.percent must be between 0 and 100, not %lld.", at,
			(long long)percent);
	else
		route->percent = (int)percent;
}

static int by_tag(const void *a, const void *b)
{
	const struct route *const *x = a, *const *y = b;

	return strcmp((*x)->tag, (*y)->tag);
}

/* Sorted, so that a thousand tags are compared in no time. */
static void check_tags(const struct routes *routes, struct rpc_error *error)
{
	const struct route **tagged = xcalloc(routes->n, sizeof(*tagged));
	size_t i, n = 0;

	for (i = 0; i < routes->n; i++) {
		if (routes->item[i].tag[0])
			tagged[n++] = &routes->item[i];
	}
	qsort(tagged, n, sizeof(*tagged), by_tag);
	for (i = 1; i < n; i++) {
		if (by_tag(&tagged[i - 1], &tagged[i]) == 0)
			rpc_error_field(error, "service.traffic",
				"Traffic tag \"%s\" is used twice.",
				tagged[i]->tag);
	}
	free(tagged);
}

static void check_together(const struct routes *routes, struct rpc_error *error)
{
	size_t i;
	int sum = 0;

	for (i = 0; i < routes->n; i++)
		sum += routes->item[i].percent;
	check_tags(routes, error);
	if (routes->n && sum != 100)
		rpc_error_field(error, "service.traffic",
			"The percents of the traffic targets must sum to 100, "
			"not %d.",
			sum);
}

int routes_read(const json_t *list, const char *service,
	struct routes *routes_r, struct rpc_error *error)
{
	char at[RPC_FIELD_MAX];
	json_t *entry;
	size_t i;

	*routes_r = (struct routes){NULL, 0};
	if (json_array_size(list) > ROUTES_MAX)
		return rpc_error_field(error, "service.traffic",
			"More than %d traffic targets.", ROUTES_MAX);
	json_array_foreach(list, i, entry) {
		snprintf(at, sizeof(at), "service.traffic[%zu]", i);
		routes_add(routes_r, ROUTE_REVISION, "", 0);
		target_read(entry, at, &routes_r->item[i], error);
		tag_read(entry, service, at, &routes_r->item[i], error);
		percent_read(entry, at, &routes_r->item[i], error);
	}
	if (error->code == RPC_OK)
		check_together(routes_r, error);
	if (error->code == RPC_OK)
		return 0;
	routes_fini(routes_r);
	return -1;
}

static json_t *route_print(const struct route *route, const char *uri_base)
{
	json_t *entry = json_pack("{s:s}", "type",
		route->type == ROUTE_LATEST ? TYPE "LATEST" : TYPE "REVISION");

	if (route->revision[0])
		json_object_set_new(
			entry, "revision", json_string(route->revision));
	if (route->percent)
		json_object_set_new(
			entry, "percent", json_integer(route->percent));
	if (!route->tag[0])
		return entry;
	json_object_set_new(entry, "tag", json_string(route->tag));
	if (uri_base)
		json_object_set_new(entry, "uri",
			json_sprintf("%s/.tag/%s", uri_base, route->tag));
	return entry;
}

json_t *routes_print(const struct routes *routes, const char *uri_base)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < routes->n; i++)
		json_array_append_new(
			list, route_print(&routes->item[i], uri_base));
	return list;
}
