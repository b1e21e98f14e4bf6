/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a trace in OTLP; see otlp_shape.h. */
#include "otlp_shape.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char problem[256];

typedef bool (*shape_fn)(const json_t *value);

struct member {
	const char *name;
	shape_fn fits;
	bool needed;
};

static bool wrong(const char *what, const char *name)
{
	if (!*problem)
		snprintf(problem, sizeof(problem), "%s: %s", name, what);
	return false;
}

static const struct member *find(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (!strcmp(members->name, name))
			return members;
	return NULL;
}

static bool is_message(const json_t *value, const struct member *members)
{
	const struct member *m;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return wrong("no object", members->name);
	for (m = members; m->name; m++)
		if (m->needed && !json_object_get(value, m->name))
			return wrong("is missing", m->name);
	json_object_foreach((json_t *)value, name, item) {
		m = find(members, name);
		if (!m)
			return wrong("is no member", name);
		if (!m->fits(item))
			return wrong("has another shape", name);
	}
	return true;
}

static bool each(const json_t *list, shape_fn fits)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, item) {
		if (!fits(item))
			return false;
	}
	return true;
}

/* ---- values ---- */

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_name(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_hex(const json_t *value, size_t digits)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == digits &&
	       strspn(text, "0123456789abcdef") == digits &&
	       strspn(text, "0") < digits;
}

static bool is_trace_id(const json_t *value)
{
	return is_hex(value, 32);
}

static bool is_span_id(const json_t *value)
{
	return is_hex(value, 16);
}

static bool is_uint32(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return json_is_integer(value) && n >= 0 && n <= UINT32_MAX;
}

/* fixed64: a string of digits. */
static bool is_time(const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || !*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	(void)strtoull(text, NULL, 10);
	return errno == 0;
}

static bool is_kind(const json_t *value)
{
	return is_uint32(value) && json_integer_value(value) <= 5;
}

static bool is_status_code(const json_t *value)
{
	return is_uint32(value) && json_integer_value(value) <= 2;
}

static bool is_bool(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_double(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_is_number(value) ||
	       (text && (!strcmp(text, "NaN") || !strcmp(text, "Infinity") ||
				!strcmp(text, "-Infinity")));
}

/* ---- messages ---- */

static bool is_any_value(const json_t *value)
{
	static const struct member members[] = {{"stringValue", is_text, false},
		{"boolValue", is_bool, false}, {"intValue", is_text, false},
		{"doubleValue", is_double, false}, {0}};

	return is_message(value, members) && json_object_size(value) == 1;
}

static bool is_key_value(const json_t *value)
{
	static const struct member members[] = {
		{"key", is_name, true}, {"value", is_any_value, true}, {0}};

	return is_message(value, members);
}

static bool is_attributes(const json_t *value)
{
	json_t *seen = json_object();
	const json_t *item;
	bool fits = each(value, is_key_value);
	const char *key;
	size_t i;

	json_array_foreach(value, i, item) {
		key = json_string_value(json_object_get(item, "key"));
		if (!fits)
			break;
		if (json_object_get(seen, key))
			fits = wrong("is there twice", key);
		json_object_set_new(seen, key, json_true());
	}
	json_decref(seen);
	return fits;
}

static bool is_event(const json_t *value)
{
	static const struct member members[] = {{"timeUnixNano", is_time, true},
		{"name", is_name, true}, {"attributes", is_attributes, false},
		{"droppedAttributesCount", is_uint32, false}, {0}};

	return is_message(value, members);
}

static bool is_events(const json_t *value)
{
	return each(value, is_event);
}

static bool is_status(const json_t *value)
{
	static const struct member members[] = {{"message", is_text, false},
		{"code", is_status_code, false}, {0}};

	return is_message(value, members);
}

static unsigned long long time_of(const json_t *span, const char *key)
{
	return strtoull(
		json_string_value(json_object_get(span, key)), NULL, 10);
}

static bool is_span(const json_t *value)
{
	static const struct member members[] = {{"traceId", is_trace_id, true},
		{"spanId", is_span_id, true},
		{"parentSpanId", is_span_id, false},
		{"traceState", is_text, false}, {"flags", is_uint32, false},
		{"name", is_name, true}, {"kind", is_kind, false},
		{"startTimeUnixNano", is_time, true},
		{"endTimeUnixNano", is_time, true},
		{"attributes", is_attributes, false},
		{"droppedAttributesCount", is_uint32, false},
		{"events", is_events, false},
		{"droppedEventsCount", is_uint32, false},
		{"status", is_status, false}, {0}};

	if (!is_message(value, members))
		return false;
	if (time_of(value, "startTimeUnixNano") >
		time_of(value, "endTimeUnixNano"))
		return wrong("is before the start", "endTimeUnixNano");
	return true;
}

static bool is_spans(const json_t *value)
{
	json_t *seen = json_object();
	const json_t *item;
	bool fits = each(value, is_span);
	const char *id;
	size_t i;

	json_array_foreach(value, i, item) {
		id = json_string_value(json_object_get(item, "spanId"));
		if (!fits)
			break;
		if (json_object_get(seen, id))
			fits = wrong("is there twice", id);
		json_object_set_new(seen, id, json_true());
	}
	json_decref(seen);
	return fits;
}

static bool is_scope(const json_t *value)
{
	static const struct member members[] = {{"name", is_text, false},
		{"version", is_text, false},
		{"attributes", is_attributes, false},
		{"droppedAttributesCount", is_uint32, false}, {0}};

	return is_message(value, members);
}

static bool is_scope_spans_item(const json_t *value)
{
	static const struct member members[] = {{"scope", is_scope, false},
		{"spans", is_spans, true}, {"schemaUrl", is_text, false}, {0}};

	return is_message(value, members);
}

static bool is_scope_spans(const json_t *value)
{
	return each(value, is_scope_spans_item);
}

static bool is_resource(const json_t *value)
{
	static const struct member members[] = {
		{"attributes", is_attributes, false},
		{"droppedAttributesCount", is_uint32, false}, {0}};

	return is_message(value, members);
}

static bool is_resource_spans_item(const json_t *value)
{
	static const struct member members[] = {
		{"resource", is_resource, false},
		{"scopeSpans", is_scope_spans, true},
		{"schemaUrl", is_text, false}, {0}};

	return is_message(value, members);
}

static bool is_resource_spans(const json_t *value)
{
	return each(value, is_resource_spans_item);
}

const char *otlp_shape_problem(const char *text, size_t len)
{
	static const struct member members[] = {
		{"resourceSpans", is_resource_spans, true}, {0}};
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	problem[0] = '\0';
	if (!root)
		snprintf(problem, sizeof(problem), "%.200s", error.text);
	else if (!is_message(root, members))
		(void)wrong("has another shape", "request");
	json_decref(root);
	return *problem ? problem : NULL;
}
