/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors and operations of Google's APIs; see service_codec.h. Owns which
 * answer means which code. Must not decide what is done about it.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "cloudrun/json_get.h"
#include "cloudrun/service_codec.h"

#define ERROR_BODY_MAX (64 * 1024) /* what is longer is no error of theirs */
#define RETRY_MS_MAX   INT64_C(3600000) /* no longer wait is believed */
#define DETAILS_MAX    16 /* entries of details[] that are looked at */
#define VIOLATIONS_MAX 4 /* named in one message */
#define TYPE_PREFIX    "type.googleapis.com/google.rpc."

/* Codes of google.rpc.Code: the index. What an operation's error means. */
static const struct {
	const char *name;
	enum err_code code;
} rpc_codes[] = {
	{"OK", ERR_PROTOCOL},
	{"CANCELLED", ERR_UNAVAILABLE},
	{"UNKNOWN", ERR_UNAVAILABLE},
	{"INVALID_ARGUMENT", ERR_INVALID},
	{"DEADLINE_EXCEEDED", ERR_TIMEOUT},
	{"NOT_FOUND", ERR_NOT_FOUND},
	{"ALREADY_EXISTS", ERR_INVALID},
	{"PERMISSION_DENIED", ERR_DENIED},
	{"RESOURCE_EXHAUSTED", ERR_THROTTLED},
	{"FAILED_PRECONDITION", ERR_INVALID},
	{"ABORTED", ERR_CONFLICT},
	{"OUT_OF_RANGE", ERR_INVALID},
	{"UNIMPLEMENTED", ERR_INVALID},
	{"INTERNAL", ERR_UNAVAILABLE},
	{"UNAVAILABLE", ERR_UNAVAILABLE},
	{"DATA_LOSS", ERR_UNAVAILABLE},
	{"UNAUTHENTICATED", ERR_AUTH},
};

#define RPC_CODES    (int)(sizeof(rpc_codes) / sizeof(rpc_codes[0]))
#define RPC_INTERNAL 13

static enum err_code code_of(int status, const char *name)
{
	/* It lasts, as other conflicts do not. */
	if (status == 409 && name && strcmp(name, "ALREADY_EXISTS") == 0)
		return ERR_INVALID;
	return http_status_code(status);
}

/* "3s" or "3.5s", rounded up to a millisecond; 0: it says nothing. */
static int64_t retry_delay_ms(const char *text)
{
	int64_t ms = 0, unit = 1000;
	bool point = false;

	for (; *text; text++) {
		if (*text == '.' && !point) {
			point = true;
		} else if (*text >= '0' && *text <= '9' && !point) {
			ms = ms * 10 + (*text - '0') * 1000;
			if (ms > RETRY_MS_MAX)
				ms = RETRY_MS_MAX;
		} else if (*text >= '0' && *text <= '9') {
			unit /= 10;
			ms += unit > 0 ? (*text - '0') * unit : *text > '0';
		} else {
			break;
		}
	}
	if (strcmp(text, "s") != 0)
		return 0;
	return ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX;
}

struct explanation {
	struct buf text;
	int64_t retry_ms;
};

static void explain_info(struct explanation *e, const json_t *detail)
{
	const json_t *metadata = json_object_get(detail, "metadata");
	const char *permission = json_get_hint(metadata, "permission");
	const char *service = json_get_hint(metadata, "service");
	const char *limit = json_get_hint(metadata, "quota_limit");
	const char *reason = json_get_hint(detail, "reason");

	if (permission) {
		buf_adds(&e->text, "; grant the permission ");
		json_hint_add(&e->text, permission);
	} else if (reason && strcmp(reason, "SERVICE_DISABLED") == 0) {
		buf_adds(&e->text, "; enable the API: gcloud services enable ");
		json_hint_add(
			&e->text, service ? service : "run.googleapis.com");
	} else if (limit) {
		buf_adds(&e->text, "; quota ");
		json_hint_add(&e->text, limit);
	}
}

/* QuotaFailure, BadRequest and PreconditionFailure differ in names only. */
static void explain_violations(struct explanation *e, const json_t *list,
	const char *what, const char *key)
{
	const json_t *violation;
	size_t i;

	json_array_foreach(list, i, violation) {
		const char *name = json_get_hint(violation, key);
		const char *text = json_get_hint(violation, "description");

		if (i >= VIOLATIONS_MAX)
			return;
		buf_addf(&e->text, "; %s ", what);
		json_hint_add(&e->text, name ? name : "");
		buf_adds(&e->text, ": ");
		json_hint_add(&e->text, text ? text : "(no description)");
	}
}

static void explain_detail(struct explanation *e, const json_t *detail)
{
	const char *type = json_get_hint(detail, "@type");
	const char *delay = json_get_hint(detail, "retryDelay");

	if (!type || strncmp(type, TYPE_PREFIX, strlen(TYPE_PREFIX)) != 0)
		return;
	type += strlen(TYPE_PREFIX);
	if (strcmp(type, "ErrorInfo") == 0)
		explain_info(e, detail);
	else if (strcmp(type, "RetryInfo") == 0 && delay)
		e->retry_ms = retry_delay_ms(delay);
	else if (strcmp(type, "QuotaFailure") == 0)
		explain_violations(e, json_object_get(detail, "violations"),
			"quota of", "subject");
	else if (strcmp(type, "BadRequest") == 0)
		explain_violations(e,
			json_object_get(detail, "fieldViolations"), "field",
			"field");
	else if (strcmp(type, "PreconditionFailure") == 0)
		explain_violations(e, json_object_get(detail, "violations"),
			"precondition", "subject");
}

/* What error (google.rpc.Status) says; the caller frees the text. */
static struct explanation explain(const json_t *error)
{
	const json_t *details = json_object_get(error, "details"), *detail;
	const char *message = json_get_hint(error, "message");
	struct explanation e = {.retry_ms = 0};
	size_t i;

	buf_init(&e.text, ERR_TEXT_MAX - 128);
	json_hint_add(&e.text, message ? message : "(no message)");
	json_array_foreach(details, i, detail)
		if (i < DETAILS_MAX)
			explain_detail(&e, detail);
	if (message && (strstr(message, "iam.serviceaccounts.actAs") ||
			       strstr(message, "iam.serviceAccounts.actAs")))
		buf_adds(&e.text,
			"; grant roles/iam.serviceAccountUser on the service's "
			"identity");
	return e;
}

static void set_explained(struct err *err_r, enum err_code code,
	const char *head, const json_t *error)
{
	struct explanation e = explain(error);

	err_set(err_r, code, "%s: %s", head, e.text.data);
	err_r->retry_after_ms = e.retry_ms;
	buf_fini(&e.text);
}

/* Known names only: it becomes part of a message. */
static const char *status_name(const json_t *error)
{
	const char *name = json_get_hint(error, "status");
	int i;

	for (i = 0; name && i < RPC_CODES; i++)
		if (strcmp(rpc_codes[i].name, name) == 0)
			return rpc_codes[i].name;
	return NULL;
}

void google_error_decode(int status, const char *bytes, size_t len,
	int64_t retry_after_ms, struct err *err_r)
{
	bool usual = len > 0 && len <= ERROR_BODY_MAX;
	json_t *root = usual ? json_loadb(bytes, len, 0, NULL) : NULL;
	const json_t *error = json_object_get(root, "error");
	const char *name = status_name(error);
	enum err_code code = code_of(status, name);
	char head[64];

	snprintf(head, sizeof(head), "HTTP %d%s%s", status, name ? " " : "",
		name ? name : "");
	if (json_is_object(error))
		set_explained(err_r, code, head, error);
	else
		err_set(err_r, code, "%s with %s", head,
			len == 0 ? "an empty body"
				 : "a body that is not an error of Google's "
				   "APIs: is a proxy in between?");
	if (retry_after_ms > RETRY_MS_MAX)
		retry_after_ms = RETRY_MS_MAX;
	if (retry_after_ms > err_r->retry_after_ms)
		err_r->retry_after_ms = retry_after_ms;
	json_decref(root);
}

/* A revision that is gone comes as INTERNAL, which else says nothing. */
static bool says_revision_is_gone(const json_t *error)
{
	const char *message = json_get_hint(error, "message");

	return message && strncmp(message, "Revision '", 10) == 0 &&
	       strstr(message, "does not exist or is deleted");
}

static int decode_operation_error(const json_t *error, struct err *err_r)
{
	enum err_code code = ERR_PROTOCOL;
	int64_t rpc;
	char head[64];

	if (json_get_int64(error, "code", &rpc, err_r) < 0)
		return -1;
	if (rpc >= 0 && rpc < RPC_CODES)
		code = rpc_codes[rpc].code;
	if (rpc == RPC_INTERNAL && says_revision_is_gone(error))
		code = ERR_NOT_FOUND;
	snprintf(head, sizeof(head), "the operation failed with code %lld%s%s",
		(long long)rpc, rpc >= 0 && rpc < RPC_CODES ? " " : "",
		rpc >= 0 && rpc < RPC_CODES ? rpc_codes[rpc].name : "");
	set_explained(err_r, code, head, error);
	return 0;
}

/* Of the service in `response`: a hint that need not be there. */
static int64_t generation_of(const json_t *root)
{
	const json_t *response = json_object_get(root, "response");
	struct err err;
	int64_t generation;

	if (!json_is_object(response) ||
		json_get_int64(response, "generation", &generation, &err) < 0 ||
		generation < 0)
		return 0;
	return generation;
}

int operation_decode(const char *bytes, size_t len,
	struct operation *operation_r, struct err *err_r)
{
	json_t *error, *root = json_get_root("operation", bytes, len, err_r);
	const char *name;
	int rc = -1;

	if (!root)
		return -1;
	memset(operation_r, 0, sizeof(*operation_r));
	if (json_get_text(root, "name", &name, err_r) < 0 ||
		json_get_bool(root, "done", &operation_r->done, err_r) < 0 ||
		json_get_object(root, "error", &error, err_r) < 0)
		goto out;
	if (name && !resource_name_is(name, "operations")) {
		err_set(err_r, ERR_PROTOCOL,
			"\"name\" is not projects/…/locations/…/operations/…");
		goto out;
	}
	operation_r->failed = operation_r->done && error;
	if (operation_r->failed && decode_operation_error(error, err_r) < 0)
		goto out;
	operation_r->generation = generation_of(root);
	operation_r->name = xstrdup(name ? name : "");
	rc = 0;
out:
	if (rc < 0)
		err_wrap(err_r, "operation");
	json_decref(root);
	return rc;
}

void operation_fini(struct operation *operation)
{
	xfree(&operation->name);
}
