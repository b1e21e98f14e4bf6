/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document, out of the table of routes; see openapi.h. */
#include "serve/openapi.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "config.h"
#include "serve/handlers.h"
#include "serve/route.h"

#define PATH_MAX_BYTES 256

bool openapi_has(const struct route *route)
{
	return !strncmp(route->pattern, "/api/", 5) ||
	       (route->door == DOOR_OPEN &&
		       !strncmp(route->answer, "text/plain", 10)) ||
	       route->door == DOOR_METRICS;
}

/* ---- fields ---- */

static void print_schema(struct jsonw *w, const struct field *field)
{
	static const char *const types[] = {
		[FIELD_TEXT] = "string",
		[FIELD_WHOLE] = "integer",
		[FIELD_FLAG] = "boolean",
		[FIELD_TIME] = "string",
		[FIELD_CHOICE] = "string",
	};

	jsonw_text(w, "type", types[field->kind]);
	if (field->kind == FIELD_TIME)
		jsonw_text(w, "format", "date-time");
	if (field->kind == FIELD_WHOLE) {
		jsonw_int(w, "minimum", 0);
		jsonw_int(w, "maximum", field->max);
	}
	if (field->kind == FIELD_TEXT)
		jsonw_int(w, "maxLength", field->max);
	if (field->kind == FIELD_TEXT && field->required &&
		!field->may_be_empty)
		jsonw_int(w, "minLength", 1);
	if (field->kind != FIELD_CHOICE)
		return;
	jsonw_array(w, "enum");
	for (size_t i = 0; field->choices[i]; i++)
		jsonw_text(w, NULL, field->choices[i]);
	jsonw_end(w, ']');
}

static void print_parameter(struct jsonw *w, const char *in, const char *name,
	const struct field *field)
{
	bool required = !field || field->required;

	jsonw_object(w, NULL);
	jsonw_text(w, "name", name);
	jsonw_text(w, "in", in);
	jsonw_bool(w, "required", required);
	if (field)
		jsonw_text(w, "description", field->about);
	jsonw_object(w, "schema");
	if (field)
		print_schema(w, field);
	else
		jsonw_text(w, "type", "string");
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void print_parameters(struct jsonw *w, const struct route *route)
{
	static const struct field key = {"Idempotency-Key", FIELD_TEXT,
		.max = 255, .about = "The request is carried out once"};
	char name[PATH_MAX_BYTES];

	jsonw_array(w, "parameters");
	for (const char *p = route->pattern; (p = strchr(p, '{')); p++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, "}"),
			p + 1);
		print_parameter(w, "path", name, NULL);
	}
	for (const struct field *f = route->query; f->name; f++)
		print_parameter(w, "query", f->name, f);
	if (!strcmp(route->method, "POST"))
		print_parameter(w, "header", key.name, &key);
	jsonw_end(w, ']');
}

static void print_body(struct jsonw *w, const struct route *route)
{
	if (!route->body->name)
		return;
	jsonw_object(w, "requestBody");
	jsonw_bool(w, "required", true);
	jsonw_object(w, "content");
	jsonw_object(w, VISIT_JSON);
	jsonw_object(w, "schema");
	jsonw_text(w, "type", "object");
	jsonw_bool(w, "additionalProperties", false);
	jsonw_array(w, "required");
	for (const struct field *f = route->body; f->name; f++)
		if (f->required)
			jsonw_text(w, NULL, f->name);
	jsonw_end(w, ']');
	jsonw_object(w, "properties");
	for (const struct field *f = route->body; f->name; f++) {
		jsonw_object(w, f->name);
		jsonw_text(w, "description", f->about);
		print_schema(w, f);
		jsonw_end(w, '}');
	}
	for (int i = 0; i < 5; i++)
		jsonw_end(w, '}');
}

/* ---- requests ---- */

static void print_answers(struct jsonw *w, const struct route *route)
{
	char status[8];

	snprintf(status, sizeof(status), "%d", route->status);
	jsonw_object(w, "responses");
	jsonw_object(w, status);
	jsonw_text(w, "description", "As it was asked for");
	jsonw_object(w, "content");
	jsonw_object(w, route->answer);
	for (int i = 0; i < 3; i++)
		jsonw_end(w, '}');
	jsonw_object(w, "default");
	jsonw_text(w, "description", "What went wrong");
	jsonw_object(w, "content");
	jsonw_object(w, "application/problem+json");
	jsonw_object(w, "schema");
	jsonw_text(w, "$ref", "#/components/schemas/problem");
	for (int i = 0; i < 5; i++)
		jsonw_end(w, '}');
}

static void print_request(struct jsonw *w, const struct route *route)
{
	char method[8];
	size_t i;

	for (i = 0; route->method[i] && i + 1 < sizeof(method); i++)
		method[i] = (char)(route->method[i] | 0x20);
	method[i] = '\0';
	jsonw_object(w, method);
	jsonw_text(w, "operationId", route->name);
	jsonw_text(w, "summary", route->summary);
	if (route->door < DOOR_ANYBODY)
		jsonw_text(w, "x-right", right_names[route->door]);
	if (route->door == DOOR_OPEN)
		jsonw_raw(w, "security", "[]");
	print_parameters(w, route);
	print_body(w, route);
	print_answers(w, route);
	jsonw_end(w, '}');
}

static bool is_first_of_path(const struct route *route)
{
	for (const struct route *r = routes; r != route; r++)
		if (!strcmp(r->pattern, route->pattern))
			return false;
	return true;
}

static void print_paths(struct jsonw *w)
{
	jsonw_object(w, "paths");
	for (const struct route *route = routes; route->method; route++) {
		if (!openapi_has(route) || !is_first_of_path(route))
			continue;
		jsonw_object(w, route->pattern);
		for (const struct route *r = route; r->method; r++)
			if (!strcmp(r->pattern, route->pattern))
				print_request(w, r);
		jsonw_end(w, '}');
	}
	jsonw_end(w, '}');
}

void openapi_print(const char *server, struct buf *out)
{
	static const char components[] =
		"{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
		"\"scheme\":\"bearer\"}},\"schemas\":{\"problem\":{\"type\":"
		"\"object\",\"required\":[\"type\",\"title\",\"status\","
		"\"code\",\"detail\"],\"properties\":{\"type\":{\"type\":"
		"\"string\"},\"title\":{\"type\":\"string\"},\"status\":{"
		"\"type\":\"integer\"},\"code\":{\"type\":\"string\","
		"\"description\":\"Stays the same\"},\"detail\":{\"type\":"
		"\"string\"},\"state\":{\"type\":\"object\",\"description\":"
		"\"What there is now\"}}}}}";
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "openapi", "3.1.0");
	jsonw_object(&w, "info");
	jsonw_text(&w, "title", "tidegate serve");
	jsonw_text(&w, "version", PACKAGE_VERSION);
	jsonw_end(&w, '}');
	if (server) {
		jsonw_array(&w, "servers");
		jsonw_object(&w, NULL);
		jsonw_text(&w, "url", server);
		jsonw_end(&w, '}');
		jsonw_end(&w, ']');
	}
	jsonw_raw(&w, "security", "[{\"bearer\":[]}]");
	print_paths(&w);
	jsonw_raw(&w, "components", components);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}
