/* SPDX-License-Identifier: Apache-2.0 */
/* Strict checks of what clients send; see admin_check.h. No state, no I/O. */
#include "sandbox/admin_check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"

/* What every Google API takes in a query. */
#define STANDARD_PARAMS \
	"alt fields prettyPrint quotaUser key $alt $prettyPrint $.xgafv"

bool admin_word_in(const char *word, size_t len, const char *list)
{
	const char *p = list;
	size_t n;

	while (*p) {
		n = strcspn(p, " ");
		if (n == len && memcmp(p, word, len) == 0)
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

int admin_check_json(
	const char *bytes, size_t len, json_t **body_r, struct rpc_error *error)
{
	json_error_t where;
	json_t *body = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where);

	if (!body)
		return rpc_error_field(error, "",
			"Invalid JSON payload received. %s (line %d, column "
			"%d)",
			where.text, where.line, where.column);
	if (!json_is_object(body)) {
		json_decref(body);
		return rpc_error_field(error, "",
			"Invalid JSON payload received. The body must be an "
			"object.");
	}
	*body_r = body;
	return 0;
}

int admin_duration_read(const char *text, int64_t *ms_r)
{
	size_t whole = strspn(text, "0123456789"), part = 0;
	const char *rest = text + whole;

	if (!whole || whole > 12)
		return -1;
	*ms_r = strtoll(text, NULL, 10) * 1000;
	if (*rest == '.') {
		part = strspn(++rest, "0123456789");
		if (!part || part > 9)
			return -1;
		for (size_t i = 0, scale = 100; i < part && scale; i++) {
			*ms_r += (rest[i] - '0') * (int64_t)scale;
			scale /= 10;
		}
		rest += part;
	}
	return strcmp(rest, "s") == 0 ? 0 : -1;
}

static bool is_int64_text(const char *text)
{
	const char *digits = text + (*text == '-');
	size_t n = strspn(digits, "0123456789");

	return n && n <= 19 && !digits[n];
}

static const char *kind_name(enum field_kind kind)
{
	static const char *const names[] = {
		[FIELD_STRING] = "TYPE_STRING",
		[FIELD_BOOL] = "TYPE_BOOL",
		[FIELD_INT32] = "TYPE_INT32",
		[FIELD_INT64] = "TYPE_INT64, a string",
		[FIELD_NUMBER] = "TYPE_FLOAT",
		[FIELD_TIME] = "google.protobuf.Timestamp",
		[FIELD_DURATION] = "google.protobuf.Duration",
		[FIELD_ENUM] = "TYPE_ENUM",
		[FIELD_MAP] = "map of strings",
		[FIELD_MESSAGE] = "an object",
	};

	return names[kind];
}

static bool is_map(const json_t *value)
{
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return false;
	json_object_foreach((json_t *)value, key, item) {
		if (!json_is_string(item))
			return false;
	}
	return true;
}

static bool is_of_kind(const struct field *field, const json_t *value)
{
	const char *text = json_string_value(value);
	int64_t ignored;
	struct err err;

	switch (field->kind) {
	case FIELD_STRING:
		return text;
	case FIELD_BOOL:
		return json_is_boolean(value);
	case FIELD_INT32:
		return json_is_integer(value) &&
		       json_integer_value(value) >= INT32_MIN &&
		       json_integer_value(value) <= INT32_MAX;
	case FIELD_INT64:
		return text && is_int64_text(text);
	case FIELD_NUMBER:
		return json_is_number(value);
	case FIELD_TIME:
		return text && timestamp_parse(text, &ignored, &err) == 0;
	case FIELD_DURATION:
		return text && admin_duration_read(text, &ignored) == 0;
	case FIELD_ENUM:
		return text && admin_word_in(text, strlen(text), field->values);
	case FIELD_MAP:
		return is_map(value);
	case FIELD_MESSAGE:
		return json_is_object(value);
	}
	return false;
}

static void check_value(const struct field *field, const json_t *value,
	const char *at, struct rpc_error *error)
{
	char *shown;

	if (!is_of_kind(field, value)) {
		shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		rpc_error_field(error, at, "Invalid value at '%s' (%s), %.80s",
			at, kind_name(field->kind), shown ? shown : "?");
		free(shown);
	} else if (field->kind == FIELD_MESSAGE &&
		   admin_check_message(field->message, value, at, error) < 0) {
		return;
	}
}

static void check_field(const struct field *field, const json_t *value,
	const char *at, struct rpc_error *error)
{
	char here[RPC_FIELD_MAX];
	json_t *item;
	size_t i;

	if (json_is_null(value))
		return; /* the same as leaving it out */
	if (!(field->flags & FIELD_REPEATED)) {
		check_value(field, value, at, error);
		return;
	}
	if (!json_is_array(value)) {
		rpc_error_field(error, at,
			"Invalid value at '%s': a list is expected.", at);
		return;
	}
	json_array_foreach(value, i, item) {
		snprintf(here, sizeof(here), "%.100s[%zu]", at, i);
		check_value(field, item, here, error);
	}
}

int admin_check_message(const struct field *fields, const json_t *body,
	const char *at, struct rpc_error *error)
{
	const struct field *field;
	char here[RPC_FIELD_MAX];
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)body, name, value) {
		for (field = fields; field->name; field++) {
			if (strcmp(field->name, name) == 0)
				break;
		}
		if (!field->name) {
			rpc_error_field(error, at,
				"Invalid JSON payload received. Unknown name "
				"\"%.60s\" at '%s': Cannot find field.",
				name, at);
			continue;
		}
		snprintf(here, sizeof(here), "%.*s.%s", RPC_FIELD_MAX - 34, at,
			name);
		check_field(field, value, here, error);
	}
	return error->code == RPC_OK ? 0 : -1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes; -1 when it is malformed, holds a NUL or does not fit. */
static int decode(const char *from, size_t len, char *to, size_t size)
{
	size_t i, n = 0;
	int c;

	for (i = 0; i < len; i++) {
		c = (unsigned char)from[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (i + 2 >= len || hex_digit(from[i + 1]) < 0 ||
				hex_digit(from[i + 2]) < 0)
				return -1;
			c = hex_digit(from[i + 1]) * 16 +
			    hex_digit(from[i + 2]);
			i += 2;
		}
		if (!c || n + 1 >= size)
			return -1;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return 0;
}

static int param_read(const char *text, size_t len, const char *known,
	struct admin_query *query, struct rpc_error *error)
{
	struct admin_param *param = &query->param[query->n];
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	const char *value = equals ? equals + 1 : text + len;

	if (query->n == ADMIN_PARAMS_MAX)
		return rpc_error_field(error, "",
			"More than %d query parameters.", ADMIN_PARAMS_MAX);
	if (decode(text, name_len, param->name, sizeof(param->name)) < 0 ||
		decode(value, len - (size_t)(value - text), param->value,
			sizeof(param->value)) < 0)
		return rpc_error_field(error, "",
			"A query parameter is malformed or too long.");
	if (!admin_word_in(param->name, strlen(param->name), known) &&
		!admin_word_in(
			param->name, strlen(param->name), STANDARD_PARAMS))
		return rpc_error_field(error, param->name,
			"Invalid JSON payload received. Unknown name \"%s\": "
			"Cannot bind query parameter. Field '%s' could not be "
			"found in request message.",
			param->name, param->name);
	if (admin_query_get(query, param->name))
		return rpc_error_field(error, param->name,
			"Query parameter \"%s\" is given twice.", param->name);
	query->n++;
	return 0;
}

int admin_query_read(const char *target, const char *known,
	struct admin_query *query_r, struct rpc_error *error)
{
	const char *p = strchr(target, '?');
	size_t len;

	query_r->n = 0;
	for (p = p ? p + 1 : ""; *p; p += len + (p[len] == '&')) {
		len = strcspn(p, "&");
		if (len && param_read(p, len, known, query_r, error) < 0)
			return -1;
	}
	return 0;
}

const char *admin_query_get(const struct admin_query *query, const char *name)
{
	size_t i;

	for (i = 0; i < query->n; i++) {
		if (strcmp(query->param[i].name, name) == 0)
			return query->param[i].value;
	}
	return NULL;
}

int admin_query_bool(const struct admin_query *query, const char *name,
	bool *value_r, struct rpc_error *error)
{
	const char *text = admin_query_get(query, name);

	*value_r = text && strcmp(text, "true") == 0;
	if (text && !*value_r && strcmp(text, "false") != 0)
		return rpc_error_field(error, name,
			"Invalid value at '%s' (TYPE_BOOL), \"%.60s\"", name,
			text);
	return 0;
}

/* FNV-1a: ties a token to the list and the parameters it was made for. */
static uint32_t mix(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

int admin_page_read(const struct admin_query *query, const char *of, size_t max,
	struct admin_page *page_r, struct rpc_error *error)
{
	const char *size = admin_query_get(query, "pageSize");
	const char *token = admin_query_get(query, "pageToken");
	const char *filter = admin_query_get(query, "filter");
	unsigned from, key;
	char *end;
	long n;
	int used = 0;

	*page_r = (struct admin_page){.size = max};
	if (size && *size) {
		n = strtol(size, &end, 10);
		if (*end || isspace((unsigned char)*size) || n < 0)
			return rpc_error_field(error, "page_size",
				"Invalid value at 'page_size' (TYPE_INT32), "
				"\"%.40s\"",
				size);
		if (n > 0 && (size_t)n < max)
			page_r->size = (size_t)n;
	}
	page_r->key = mix(mix(2166136261u, of), filter ? filter : "");
	page_r->key ^= (uint32_t)page_r->size;
	if (!token || !*token)
		return 0;
	if (sscanf(token, "Ch%8x-%8x%n", &from, &key, &used) != 2 ||
		token[used] || key != page_r->key)
		return rpc_error_field(error, "page_token",
			"The page token is not one of this list with these "
			"parameters.");
	page_r->from = from;
	return 0;
}

json_t *admin_page_token(const struct admin_page *page)
{
	return json_sprintf("Ch%08x-%08x", (unsigned)(page->from + page->size),
		(unsigned)page->key);
}
