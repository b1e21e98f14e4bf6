/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as Google's APIs tell them; see rpc_error.h. Decides nothing. */
#include "sandbox/rpc_error.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int http;
} codes[RPC_CODES] = {
#define R(constant, number, name, http) [number] = {name, http},
#include "sandbox/rpc_error.def"
#undef R
};

enum rpc_code rpc_code_of_http(int http)
{
	switch (http) {
	case 400:
		return RPC_INVALID_ARGUMENT;
	case 409:
		return RPC_ABORTED;
	case 500:
		return RPC_INTERNAL;
	case 502:
		return RPC_UNAVAILABLE;
	}
	for (int i = 1; i < RPC_CODES; i++) {
		if (codes[i].http == http)
			return (enum rpc_code)i;
	}
	return RPC_UNKNOWN;
}

/* Texts quote what came from outside; JSON takes no stray bytes. */
static void make_plain(char *text)
{
	unsigned char *p = (unsigned char *)text;

	for (; *p; p++) {
		if ((*p < 0x20 && *p != '\n') || *p > 0x7e)
			*p = '?';
	}
}

int rpc_error_set(
	struct rpc_error *error, enum rpc_code code, const char *fmt, ...)
{
	va_list args;

	memset(error, 0, sizeof(*error));
	error->code = code;
	va_start(args, fmt);
	vsnprintf(error->message, sizeof(error->message), fmt, args);
	va_end(args);
	make_plain(error->message);
	return -1;
}

int rpc_error_field(
	struct rpc_error *error, const char *field, const char *fmt, ...)
{
	struct rpc_violation *violation;
	size_t len = strlen(error->message);
	va_list args;

	error->code = RPC_INVALID_ARGUMENT;
	if (error->n_violations == RPC_VIOLATIONS_MAX)
		return -1;
	violation = &error->violation[error->n_violations++];
	snprintf(violation->field, sizeof(violation->field), "%s", field);
	va_start(args, fmt);
	vsnprintf(violation->text, sizeof(violation->text), fmt, args);
	va_end(args);
	make_plain(violation->field);
	make_plain(violation->text);
	snprintf(error->message + len, sizeof(error->message) - len, "%s%s",
		len ? "\n" : "", violation->text);
	return -1;
}

int rpc_error_http(const struct rpc_error *error)
{
	return error->http ? error->http : codes[error->code].http;
}

/* Takes over `detail`. */
static void add_detail(json_t *details, const char *type, json_t *detail)
{
	json_t *url = json_sprintf("type.googleapis.com/google.rpc.%s", type);

	json_object_set_new(detail, "@type", url);
	json_array_append_new(details, detail);
}

static void add_violations(const struct rpc_error *error, json_t *details)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < error->n_violations; i++) {
		const struct rpc_violation *violation = &error->violation[i];
		json_t *row =
			json_pack("{s:s}", "description", violation->text);

		if (violation->field[0])
			json_object_set_new(
				row, "field", json_string(violation->field));
		json_array_append_new(list, row);
	}
	add_detail(details, "BadRequest",
		json_pack("{s:o}", "fieldViolations", list));
}

static json_t *details_of(const struct rpc_error *error)
{
	json_t *details = json_array();

	if (error->n_violations)
		add_violations(error, details);
	if (error->permission[0])
		add_detail(details, "ErrorInfo",
			json_pack("{s:s, s:s, s:{s:s}}", "reason",
				"IAM_PERMISSION_DENIED", "domain",
				"iam.googleapis.com", "metadata", "permission",
				error->permission));
	if (error->retry_ms)
		add_detail(details, "RetryInfo",
			json_pack("{s:o}", "retryDelay",
				json_sprintf("%lld.%03llds",
					(long long)(error->retry_ms / 1000),
					(long long)(error->retry_ms % 1000))));
	return details;
}

json_t *rpc_error_body(const struct rpc_error *error)
{
	json_t *details = details_of(error);
	json_t *inner = json_pack("{s:i, s:s, s:s}", "code",
		rpc_error_http(error), "message", error->message, "status",
		codes[error->code].name);

	if (json_array_size(details))
		json_object_set(inner, "details", details);
	json_decref(details);
	return json_pack("{s:o}", "error", inner);
}

json_t *rpc_error_status(const struct rpc_error *error)
{
	return json_pack("{s:i, s:s}", "code", (int)error->code, "message",
		error->message);
}
