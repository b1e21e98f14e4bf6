/* SPDX-License-Identifier: Apache-2.0 */
/* An Alertmanager and a Secret Manager; see fake_apis.h. */
#include "fake_apis.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/timestamp.h"
#include "fake_http.h"
#include "io/loop.h"

#define ENDPOINT "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"
#define ON       "b24="
#define OFF      "b2Zm"

struct fake_apis fake_apis;

static json_t *silence; /* as it was posted; NULL: there is none */
static json_t *payload[FAKE_VERSIONS_MAX]; /* of the secret's versions */

static char *text_of(json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	return text;
}

/* ---- Alertmanager ---- */

static json_t *silences(void)
{
	json_t *list = json_array(), *one;

	if (!silence)
		return list;
	one = json_copy(silence);
	json_object_set_new(one, "id", json_string("s-1"));
	if (!json_object_get(one, "status"))
		json_object_set_new(
			one, "status", json_pack("{s:s}", "state", "active"));
	json_array_append_new(list, one);
	return list;
}

static void serve_alerts(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	if (strcmp(request->method, "POST") == 0) {
		json_decref(silence);
		silence = json_loadb(request->body, request->body_len, 0, NULL);
		fake_apis.stored++;
		if (fake_apis.alerts_mumble) {
			fake_apis.alerts_mumble = false;
			fake_apis.alerts_refuse = true;
			answer->status = 503;
			return;
		}
		answer->body = text_of(json_pack("{s:s}", "silenceID", "s-1"));
	} else if (fake_apis.alerts_refuse) {
		fake_apis.alerts_refuse = false;
		answer->status = 403;
	} else if (strcmp(request->method, "DELETE") == 0) {
		json_decref(silence);
		silence = NULL;
		fake_apis.expired++;
	} else {
		answer->body = text_of(silences());
	}
}

void fake_alerts_person_ends(void)
{
	char now[TIMESTAMP_TEXT_MAX];

	timestamp_print(loop_wall_ms(NULL), now);
	json_object_set_new(silence, "endsAt", json_string(now));
	json_object_set_new(silence, "updatedAt", json_string(now));
	json_object_set_new(
		silence, "status", json_pack("{s:s}", "state", "expired"));
}

bool fake_alerts_are_silenced(void)
{
	const char *end = json_string_value(json_object_get(silence, "endsAt"));
	struct err err;
	int64_t end_ms;

	return end && timestamp_parse(end, &end_ms, &err) == 0 &&
	       end_ms > loop_wall_ms(NULL);
}

/* ---- Secret Manager ---- */

static json_t *named(int version)
{
	return json_pack("{s:o}", "name",
		json_sprintf("projects/1/secrets/switch/versions/%d", version));
}

static json_t *accessed(int version)
{
	json_t *answer = named(version);

	json_object_set(answer, "payload", payload[version - 1]);
	return answer;
}

static void add_version(json_t *value)
{
	assert(value && fake_apis.versions < FAKE_VERSIONS_MAX);
	payload[fake_apis.versions++] = json_incref(value);
}

void fake_secret_turn(bool on)
{
	const char *text = on ? "on" : "off";
	json_t *value = json_pack("{s:s, s:o}", "data", on ? ON : OFF,
		"dataCrc32c",
		json_sprintf("%u", (unsigned)crc32c(text, strlen(text))));

	add_version(value);
	json_decref(value);
}

bool fake_secret_is_on(void)
{
	const json_t *value = payload[fake_apis.versions - 1];

	return strcmp(json_string_value(json_object_get(value, "data")), ON) ==
	       0;
}

static void add_posted(const char *body)
{
	json_t *json = json_loads(body, 0, NULL);

	add_version(json_object_get(json, "payload"));
	json_decref(json);
}

static void serve_secrets(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	const char *version = strstr(request->target, "/versions/");

	if (fake_apis.secret_denied) {
		answer->status = 403;
	} else if (strstr(request->target, ":addVersion")) {
		add_posted(request->body);
		answer->body = text_of(named(fake_apis.versions));
	} else if (strstr(request->target, ":testIamPermissions")) {
		answer->body = text_of(json_pack("{s:[s]}", "permissions",
			"secretmanager.versions.add"));
	} else {
		assert(version);
		answer->body =
			text_of(accessed(strncmp(version + 10, "latest", 6) == 0
						 ? fake_apis.versions
						 : atoi(version + 10)));
	}
}

void fake_apis_open(void)
{
	memset(&fake_apis, 0, sizeof(fake_apis));
	fake_secret_turn(true);
	setenv(ENDPOINT, FAKE_SECRETS_ORIGIN "/", 1);
	fake_http_serve(FAKE_ALERTS_ORIGIN, serve_alerts);
	fake_http_serve(FAKE_SECRETS_ORIGIN, serve_secrets);
}

void fake_apis_close(void)
{
	while (fake_apis.versions)
		json_decref(payload[--fake_apis.versions]);
	json_decref(silence);
	silence = NULL;
}
