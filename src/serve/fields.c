/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what came with a request by its table; see fields.h. */
#include "serve/fields.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/timestamp.h"
#include "io/server.h"
#include "serve/visit.h"

#define LIST_MAX 400 /* bytes of a list of names in a message */

static int field_index(const struct field *fields, const char *name)
{
	for (int i = 0; fields[i].name; i++)
		if (!strcmp(fields[i].name, name))
			return i;
	return -1;
}

static int unknown(
	const struct field *fields, const char *name, struct err *err_r)
{
	struct suggest suggest = {.word = name};

	for (int i = 0; fields[i].name; i++)
		suggest_try(&suggest, fields[i].name);
	if (suggest.best)
		return err_set(err_r, ERR_USAGE,
			"\"%.60s\" is not known here: did you mean %s?", name,
			suggest.best);
	return err_set(err_r, ERR_USAGE, "\"%.60s\" is not known here", name);
}

static int check_required(const struct field *fields,
	const struct field_value *values, struct err *err_r)
{
	for (int i = 0; fields[i].name; i++)
		if (fields[i].required && !values[i].there)
			return err_set(err_r, ERR_USAGE, "\"%s\" is missing",
				fields[i].name);
	return 0;
}

static int bad_choice(
	const struct field *field, const char *text, struct err *err_r)
{
	struct buf names;

	buf_init(&names, LIST_MAX);
	for (int i = 0; field->choices[i]; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", field->choices[i]);
	err_set(err_r, ERR_USAGE, "%s is \"%.60s\": it must be one of %s",
		field->name, text, names.data);
	buf_fini(&names);
	return -1;
}

/* Texts, times and choices. */
static int take_text(const struct field *field, const char *text,
	struct field_value *value, struct err *err_r)
{
	struct err why;

	if (field->kind == FIELD_TIME) {
		if (timestamp_parse(text, &value->number, &why) < 0)
			return err_set(err_r, ERR_USAGE, "%s: %.200s",
				field->name, why.text);
		return 0;
	}
	if (field->kind == FIELD_CHOICE) {
		while (field->choices[value->number] &&
			strcmp(field->choices[value->number], text) != 0)
			value->number++;
		if (!field->choices[value->number])
			return bad_choice(field, text, err_r);
	} else if (strlen(text) > (size_t)field->max) {
		return err_set(err_r, ERR_USAGE,
			"%s has %zu bytes: it may have at most %lld",
			field->name, strlen(text), (long long)field->max);
	} else if (field->required && !field->may_be_empty && !*text) {
		return err_set(err_r, ERR_USAGE, "%s is empty", field->name);
	}
	value->text = text;
	return 0;
}

static int take_whole(const struct field *field, int64_t number,
	struct field_value *value, struct err *err_r)
{
	if (number < 0 || number > field->max)
		return err_set(err_r, ERR_USAGE,
			"%s is %lld: it must be 0 to %lld", field->name,
			(long long)number, (long long)field->max);
	value->number = number;
	return 0;
}

/* ---- the query ---- */

static int take_query(const struct field *field, const char *text,
	struct field_value *value, struct err *err_r)
{
	char *end;
	long long number;

	value->there = true;
	if (field->kind == FIELD_FLAG) {
		value->number = !strcmp(text, "true");
		if (value->number || !strcmp(text, "false"))
			return 0;
		return err_set(err_r, ERR_USAGE,
			"%s is \"%.60s\": it must be true or false",
			field->name, text);
	}
	if (field->kind != FIELD_WHOLE)
		return take_text(field, text, value, err_r);
	number = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return err_set(err_r, ERR_USAGE,
			"%s is \"%.60s\": it must be a whole number",
			field->name, text);
	return take_whole(field, number, value, err_r);
}

/* Names as they stand in the target: ours need no escapes. */
int fields_check_query(const struct visit *visit, const struct field *fields,
	struct err *err_r)
{
	const char *at = strchr(request_target(visit->request), '?');
	char name[64];
	size_t len;

	for (; at && *at; at += strcspn(at, "&")) {
		at++;
		len = strcspn(at, "=&");
		if (!len)
			continue;
		if (len >= sizeof(name))
			len = sizeof(name) - 1;
		memcpy(name, at, len);
		name[len] = '\0';
		if (field_index(fields, name) < 0)
			return unknown(fields, name, err_r);
	}
	return 0;
}

int fields_of_query(struct visit *visit, const struct field *fields,
	struct field_value values_r[FIELDS_MAX], struct err *err_r)
{
	const char *text;

	memset(values_r, 0, FIELDS_MAX * sizeof(*values_r));
	if (fields_check_query(visit, fields, err_r) < 0)
		return -1;
	for (int i = 0; fields[i].name; i++) {
		text = request_query(visit->request, fields[i].name);
		if (text && take_query(&fields[i],
				    arena_strdup(&visit->arena, text),
				    &values_r[i], err_r) < 0)
			return -1;
	}
	return check_required(fields, values_r, err_r);
}

/* ---- the body ---- */

static int wrong_kind(const struct field *field, struct err *err_r)
{
	static const char *const kinds[] = {
		[FIELD_TEXT] = "a text",
		[FIELD_WHOLE] = "a whole number",
		[FIELD_FLAG] = "true or false",
		[FIELD_TIME] = "a time, RFC 3339",
		[FIELD_CHOICE] = "a text",
	};

	return err_set(err_r, ERR_USAGE, "%s must be %s", field->name,
		kinds[field->kind]);
}

static int take_json(struct visit *visit, const struct field *field,
	const json_t *json, struct field_value *value, struct err *err_r)
{
	value->there = true;
	if (field->kind == FIELD_FLAG) {
		value->number = json_is_true(json);
		return json_is_boolean(json) ? 0 : wrong_kind(field, err_r);
	}
	if (field->kind == FIELD_WHOLE)
		return json_is_integer(json)
			       ? take_whole(field, json_integer_value(json),
					 value, err_r)
			       : wrong_kind(field, err_r);
	if (!json_is_string(json))
		return wrong_kind(field, err_r);
	return take_text(field,
		arena_strdup(&visit->arena, json_string_value(json)), value,
		err_r);
}

static int take_members(struct visit *visit, const struct field *fields,
	json_t *root, struct field_value *values, struct err *err_r)
{
	const char *name;
	json_t *member;
	int i;

	if (!json_is_object(root))
		return err_set(
			err_r, ERR_USAGE, "the body must be a JSON object");
	json_object_foreach(root, name, member) {
		i = field_index(fields, name);
		if (i < 0)
			return unknown(fields, name, err_r);
		/* null is as if it were not there. */
		if (!json_is_null(member) &&
			take_json(visit, &fields[i], member, &values[i],
				err_r) < 0)
			return -1;
	}
	return check_required(fields, values, err_r);
}

static int check_content_type(const struct visit *visit, struct err *err_r)
{
	const char *type = request_header(visit->request, "Content-Type");
	size_t len = type ? strcspn(type, "; ") : 0;

	if (len == strlen(VISIT_JSON) && !strncasecmp(type, VISIT_JSON, len))
		return 0;
	return err_set(err_r, ERR_USAGE,
		"the body must be " VISIT_JSON
		", and its Content-Type must say so");
}

int fields_of_body(struct visit *visit, const struct field *fields,
	struct field_value values_r[FIELDS_MAX], struct err *err_r)
{
	json_error_t why;
	const char *body;
	json_t *root;
	size_t len;
	int rc;

	memset(values_r, 0, FIELDS_MAX * sizeof(*values_r));
	if (check_content_type(visit, err_r) < 0)
		return -1;
	body = request_body(visit->request, &len);
	root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return err_set(err_r, ERR_USAGE,
			"the body is not JSON: line %d, column %d: %.100s",
			why.line, why.column, why.text);
	rc = take_members(visit, fields, root, values_r, err_r);
	json_decref(root);
	return rc;
}
