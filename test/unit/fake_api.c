/* SPDX-License-Identifier: Apache-2.0 */
/* APIs that actions speak to; see fake_api.h. */
#include "fake_api.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server.h"

static void say(struct server_request *request, int status, const char *type,
	const char *body)
{
	request_answer(request, status, type, body, strlen(body));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool has_type(struct server_request *request, const char *type)
{
	const char *header = request_header(request, "Content-Type");

	return header && !strcmp(header, type);
}

/* ---- Slack ---- */

static bool text_is_good(const json_t *text, const char *type, size_t max)
{
	size_t len = strlen(text_of(text, "text"));

	return !strcmp(text_of(text, "type"), type) && len && len <= max;
}

static bool block_is_good(const json_t *block)
{
	const char *type = text_of(block, "type");
	const json_t *fields = json_object_get(block, "fields"), *field;
	const json_t *text = json_object_get(block, "text");
	size_t i;

	if (!strcmp(type, "header"))
		return text_is_good(text, "plain_text", 150);
	if (!strcmp(type, "context"))
		return json_array_size(json_object_get(block, "elements")) &&
		       text_is_good(
			       json_array_get(
				       json_object_get(block, "elements"), 0),
			       "mrkdwn", 3000);
	if (strcmp(type, "section") != 0 || json_array_size(fields) > 10)
		return false;
	json_array_foreach(fields, i, field) {
		if (!text_is_good(field, "mrkdwn", 2000))
			return false;
	}
	return fields ? !text : text_is_good(text, "mrkdwn", 3000);
}

static void slack(struct server_request *request, const json_t *posted)
{
	const json_t *blocks = json_object_get(posted, "blocks"), *block;
	size_t i;

	if (!has_type(request, "application/json") || !posted) {
		say(request, 400, "text/plain", "invalid_payload");
		return;
	}
	if (!*text_of(posted, "text")) {
		say(request, 400, "text/plain", "no_text");
		return;
	}
	json_array_foreach(blocks, i, block) {
		if (block_is_good(block))
			continue;
		say(request, 400, "text/plain", "invalid_blocks");
		return;
	}
	say(request, 200, "text/html", "ok");
}

/* ---- CloudEvents ---- */

static void cloudevents(struct server_request *request, const json_t *posted)
{
	static const char *const required[] = {
		"id", "source", "specversion", "type"};
	int64_t time;
	struct err err;

	if (!has_type(request, "application/cloudevents+json; charset=UTF-8")) {
		say(request, 415, "text/plain", "no CloudEvent");
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		if (*text_of(posted, required[i]))
			continue;
		say(request, 400, "text/plain", required[i]);
		return;
	}
	if (strcmp(text_of(posted, "specversion"), "1.0") != 0 ||
		timestamp_parse(text_of(posted, "time"), &time, &err) < 0 ||
		!json_is_object(json_object_get(posted, "data"))) {
		say(request, 400, "text/plain", "not 1.0");
		return;
	}
	request_answer(request, 202, NULL, NULL, 0);
}

/* ---- PagerDuty ---- */

static const char *event_problem(const json_t *event)
{
	static const char *const severities[] = {
		"critical", "error", "warning", "info"};
	const json_t *payload = json_object_get(event, "payload");
	const char *action = text_of(event, "event_action");
	size_t summary = strlen(text_of(payload, "summary"));

	if (strcmp(text_of(event, "routing_key"), FAKE_ROUTING_KEY) != 0)
		return "'routing_key' is invalid";
	if (strlen(text_of(event, "dedup_key")) > 255)
		return "'dedup_key' is too long";
	if (!strcmp(action, "resolve"))
		return *text_of(event, "dedup_key") ? NULL
						    : "'dedup_key' is missing";
	if (strcmp(action, "trigger") != 0)
		return "'event_action' is invalid";
	if (!summary || summary > 1024 || !*text_of(payload, "source"))
		return "'payload.summary' or 'source' is invalid";
	for (size_t i = 0; i < 4; i++)
		if (!strcmp(text_of(payload, "severity"), severities[i]))
			return NULL;
	return "'payload.severity' is invalid";
}

static void pagerduty(struct fake_api *api, struct server_request *request,
	const json_t *event)
{
	const char *problem = event_problem(event);
	char body[256];

	if (problem) {
		snprintf(body, sizeof(body),
			"{\"status\":\"invalid event\",\"message\":\"Event "
			"object is invalid\",\"errors\":[\"%s\"]}",
			problem);
		say(request, 400, "application/json", body);
		return;
	}
	if (!strcmp(text_of(event, "event_action"), "trigger"))
		snprintf(api->incident, sizeof(api->incident), "%s",
			text_of(event, "dedup_key"));
	else if (!strcmp(api->incident, text_of(event, "dedup_key")))
		api->incident[0] = '\0';
	say(request, 202, "application/json",
		"{\"status\":\"success\",\"message\":\"Event processed\"}");
}

/* ---- Google ---- */

static void google_error(struct server_request *request, int code,
	const char *status, const char *message)
{
	char body[512];

	snprintf(body, sizeof(body),
		"{\"error\":{\"code\":%d,\"message\":\"%s\",\"status\":\"%s\"}"
		"}",
		code, message, status);
	say(request, code, "application/json; charset=UTF-8", body);
}

static void version_say(struct server_request *request, int version,
	const char *data, const char *crc)
{
	char body[1024];

	snprintf(body, sizeof(body),
		"{\"name\":\"projects/1/secrets/flag/versions/%d\",\"payload\":"
		"{\"data\":\"%s\",\"dataCrc32c\":\"%s\"}}",
		version, data, crc);
	say(request, 200, "application/json", body);
}

static void secret_access(struct fake_api *api, struct server_request *request)
{
	if (!api->version) {
		google_error(request, 404, "NOT_FOUND",
			"Secret Version [projects/1/secrets/flag/versions/"
			"latest] not found.");
		return;
	}
	if (api->disabled) {
		google_error(request, 400, "FAILED_PRECONDITION",
			"Secret Version is in DISABLED state.");
		return;
	}
	version_say(request, api->version, api->data, api->crc);
}

static void put(struct fake_api *api, const char *data, const char *crc)
{
	memcpy(api->old_data, api->data, sizeof(api->old_data));
	memcpy(api->old_crc, api->crc, sizeof(api->old_crc));
	snprintf(api->data, sizeof(api->data), "%s", data);
	snprintf(api->crc, sizeof(api->crc), "%s", crc);
}

void fake_api_put(struct fake_api *api, int version, const char *value)
{
	char data[256], crc[16];

	EVP_EncodeBlock((unsigned char *)data, (const unsigned char *)value,
		(int)strlen(value));
	snprintf(crc, sizeof(crc), "%u", crc32c(value, strlen(value)));
	put(api, data, crc);
	api->version = version;
}

static void secret_add(struct fake_api *api, struct server_request *request,
	const json_t *posted)
{
	const json_t *payload = json_object_get(posted, "payload");
	const char *data = text_of(payload, "data");
	unsigned char raw[256] = {0};
	size_t len = strlen(data);
	char body[128], crc[16];
	int n;

	/* EVP_DecodeBlock counts padding as bytes. */
	n = len && len < sizeof(raw)
		    ? EVP_DecodeBlock(
			      raw, (const unsigned char *)data, (int)len)
		    : -1;
	for (size_t i = len; n > 0 && i && data[i - 1] == '='; i--)
		n--;
	snprintf(crc, sizeof(crc), "%u", n < 0 ? 0 : crc32c(raw, (size_t)n));
	if (n < 0 || strcmp(crc, text_of(payload, "dataCrc32c")) != 0) {
		google_error(request, 400, "INVALID_ARGUMENT",
			"The checksum does not match the data.");
		return;
	}
	put(api, data, crc);
	if (api->spoils)
		snprintf(api->crc, sizeof(api->crc), "1");
	api->version++;
	snprintf(body, sizeof(body),
		"{\"name\":\"projects/1/secrets/flag/versions/%d\",\"state\":"
		"\"ENABLED\"%s}",
		api->version,
		api->no_checksum ? ""
				 : ",\"clientSpecifiedPayloadChecksum\":true");
	say(request, 200, "application/json", body);
}

static void permissions(struct fake_api *api, struct server_request *request,
	const json_t *posted)
{
	const json_t *asked = json_object_get(posted, "permissions");

	if (json_array_size(asked) != 1)
		google_error(request, 400, "INVALID_ARGUMENT", "permissions");
	else if (api->may_not_add)
		say(request, 200, "application/json", "{}");
	else
		say(request, 200, "application/json",
			"{\"permissions\":[\"secretmanager.versions.add\"]}");
}

static void firebase(struct fake_api *api, struct server_request *request,
	const json_t *posted)
{
	const char *version = request_query(request, "versionName");
	char body[256];

	if (!strcmp(request_method(request), "GET")) {
		say(request, 200, "application/json", api->releases);
		return;
	}
	if (!version || strncmp(version, "sites/shop/versions/", 20) != 0 ||
		!strstr(api->releases, version) ||
		strlen(text_of(posted, "message")) > 512 ||
		(api->no_type && *text_of(posted, "type"))) {
		google_error(request, 400, "INVALID_ARGUMENT",
			"Request contains an invalid argument.");
		return;
	}
	snprintf(api->released, sizeof(api->released), "%s", version);
	snprintf(
		body, sizeof(body), "{\"version\":{\"name\":\"%s\"}}", version);
	say(request, 200, "application/json", body);
}

static void google(struct fake_api *api, struct server_request *request,
	const char *path, const json_t *posted)
{
	const char *token = request_header(request, "Authorization");

	if (!token || strcmp(token, "Bearer unit-token") != 0)
		google_error(request, 401, "UNAUTHENTICATED", "no token");
	else if (!strcmp(path, "/v1/projects/acme/secrets/flag/versions/"
			       "latest:access"))
		secret_access(api, request);
	else if (!strcmp(path,
			 "/v1/projects/acme/secrets/flag/versions/41:access"))
		version_say(request, 41, api->old_data, api->old_crc);
	else if (!strcmp(path, "/v1/projects/acme/secrets/flag"
			       ":testIamPermissions"))
		permissions(api, request, posted);
	else if (!strcmp(path, "/v1/projects/acme/secrets/flag:addVersion"))
		secret_add(api, request, posted);
	else if (!strcmp(path, "/v1beta1/sites/shop/channels/live/releases"))
		firebase(api, request, posted);
	else
		google_error(request, 404, "NOT_FOUND", "Method not found.");
}

/* ---- the server ---- */

static void take(struct fake_api *api, struct server_request *request)
{
	const char *type = request_header(request, "Content-Type");
	const char *key = request_header(request, "X-Key"), *body;
	size_t len;

	body = request_body(request, &len);
	json_decref(api->last);
	api->last = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	snprintf(
		api->last_type, sizeof(api->last_type), "%s", type ? type : "");
	snprintf(api->last_key, sizeof(api->last_key), "%s", key ? key : "");
}

static void answer(struct server_request *request, void *arg)
{
	struct fake_api *api = arg;
	const char *path = request_path(request);

	api->requests++;
	if (!strcmp(request_method(request), "POST"))
		take(api, request);
	if (api->n_scripted) {
		api->n_scripted--;
		if (api->retry_after)
			request_set_header(
				request, "Retry-After", api->retry_after);
		say(request, api->status, "text/plain",
			api->body ? api->body : "");
	} else if (!strcmp(path, "/services/T0/B0/secret-path")) {
		slack(request, api->last);
	} else if (!strcmp(path, "/events/shop")) {
		cloudevents(request, api->last);
	} else if (!strcmp(path, "/v2/enqueue")) {
		pagerduty(api, request, api->last);
	} else {
		google(api, request, path, api->last);
	}
}

void fake_api_init(struct fake_api *api, struct loop *loop)
{
	struct err err;

	*api = (struct fake_api){0};
	api->server = server_new(loop, 0, answer, api, &err);
	if (!api->server)
		abort();
}

void fake_api_fini(struct fake_api *api)
{
	server_free(&api->server);
	json_decref(api->last);
}

char *fake_api_url(const struct fake_api *api, const char *path)
{
	return xasprintf(
		"http://127.0.0.1:%d%s", server_port(api->server), path);
}
