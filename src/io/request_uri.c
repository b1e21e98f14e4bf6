/* SPDX-License-Identifier: Apache-2.0 */
/* Path and query of a request; see request_uri.h. */
#include "io/request_uri.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

/* RFC 3986's pchar and the slash. */
#define PATH_BYTES                                                           \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~" \
	"!$&'()*+,;=:@/%"
/* What browsers leave as it is in a query, too. */
#define QUERY_BYTES PATH_BYTES "?[]{}|^`"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_utf8(const char *text)
{
	uint32_t c;
	size_t n;

	for (; *text; text += n) {
		n = utf8_decode(text, &c);
		if (!n)
			return false;
	}
	return true;
}

/* In place. Bytes that would mean something else once they are decoded are
 * `forbidden`; a NUL always is. */
static enum gate_refusal percent_decode(
	char *text, bool plus_is_space, const char *forbidden)
{
	char *out = text;

	for (const char *at = text; *at; at++) {
		if (*at == '%') {
			int high = hex_value(at[1]);
			int low = high < 0 ? -1 : hex_value(at[2]);

			if (low < 0)
				return GATE_PERCENT;
			*out = (char)(high << 4 | low);
			if (strchr(forbidden, *out)) /* also a NUL */
				return GATE_PERCENT_BYTE;
			out++;
			at += 2;
		} else {
			*out++ = *at == '+' && plus_is_space ? ' ' : *at;
		}
	}
	*out = '\0';
	return is_utf8(text) ? GATE_PASSED : GATE_UTF8;
}

/* Control characters, percent-encoded. */
#define CONTROLS                                                           \
	"\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13" \
	"\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

static bool is_odd_segment(const char *segment, size_t len)
{
	return len == 0 || (len == 1 && segment[0] == '.') ||
	       (len == 2 && segment[0] == '.' && segment[1] == '.');
}

/* The last one may be empty: /a/. */
static enum gate_refusal segments_check(const char *path)
{
	const char *at = path + 1;

	while (*at) {
		size_t len = strcspn(at, "/");

		if (is_odd_segment(at, len))
			return GATE_SEGMENT;
		at += len;
		if (*at == '/')
			at++;
	}
	return GATE_PASSED;
}

static enum gate_refusal path_parse(char *path, bool strict)
{
	enum gate_refusal refusal;

	if (strict && path[strspn(path, PATH_BYTES)])
		return GATE_TARGET_BYTE;
	refusal =
		percent_decode(path, false, strict ? CONTROLS "\t\r\n/\\" : "");
	if (!refusal && strict)
		refusal = segments_check(path);
	return refusal;
}

static bool is_given(
	const struct request_field *parameters, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(parameters[i].name, name) == 0)
			return true;
	return false;
}

static enum gate_refusal parameter_parse(
	char *text, bool strict, struct request_field *parameter)
{
	char *value = strchr(text, '=');
	enum gate_refusal refusal;

	if (value)
		*value++ = '\0';
	else
		value = text + strlen(text);
	parameter->name = text;
	parameter->value = value;
	refusal = percent_decode(text, true, strict ? CONTROLS "\t\r\n" : "");
	if (!refusal && *value)
		refusal = percent_decode(value, true, strict ? CONTROLS : "");
	return refusal;
}

enum gate_refusal parameters_parse(char *text, bool strict,
	struct request_field parameters[GATE_PARAMETERS_MAX], int *n_r)
{
	char *next;

	*n_r = 0;
	for (; text; text = next) {
		struct request_field parameter;
		enum gate_refusal refusal;

		next = strchr(text, '&');
		if (next)
			*next++ = '\0';
		if (!*text)
			continue;
		if (*n_r == GATE_PARAMETERS_MAX)
			return GATE_QUERY_MANY;
		refusal = parameter_parse(text, strict, &parameter);
		if (refusal)
			return refusal;
		if (strict && is_given(parameters, *n_r, parameter.name))
			return GATE_QUERY_TWICE;
		parameters[(*n_r)++] = parameter;
	}
	return GATE_PASSED;
}

static enum gate_refusal query_parse(struct request_uri *uri, bool strict)
{
	enum gate_refusal refusal;

	if (strict && uri->query[strspn(uri->query, QUERY_BYTES)])
		return GATE_TARGET_BYTE;
	refusal = parameters_parse(
		uri->query, strict, uri->parameters, &uri->n_parameters);
	if (refusal && !strict) {
		uri->n_parameters = 0;
		refusal = GATE_PASSED;
	}
	return refusal;
}

enum gate_refusal request_uri_parse(
	struct request_uri *uri, const char *text, bool strict)
{
	enum gate_refusal refusal;
	size_t len = strcspn(text, "?");

	*uri = (struct request_uri){0};
	uri->path = xmemdup0(text, len);
	uri->query = xstrdup(text[len] ? text + len + 1 : "");
	if (*text != '/')
		return GATE_TARGET_FORM;
	refusal = path_parse(uri->path, strict);
	if (refusal && !strict) {
		uri->path[0] = '\0';
		refusal = GATE_PASSED;
	}
	if (!refusal)
		refusal = query_parse(uri, strict);
	return refusal;
}

void request_uri_fini(struct request_uri *uri)
{
	free(uri->path);
	free(uri->query);
	*uri = (struct request_uri){0};
}

const char *request_uri_parameter(
	const struct request_uri *uri, const char *name)
{
	for (int i = 0; i < uri->n_parameters; i++)
		if (strcmp(uri->parameters[i].name, name) == 0)
			return uri->parameters[i].value;
	return NULL;
}
