/* SPDX-License-Identifier: Apache-2.0 */
/* What actions speak to; see action_peers.h. */
#include "action_peers.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replay/fake_http.h"
#include "../replay/fake_loop.h"
#include "base/crc32c.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#define TOKENS_ORIGIN "http://127.0.0.1:7009"
#define ITEMS_MAX     16

struct peers peers;

struct release {
	char version[16], message[128], type[16];
	int64_t time_ms;
};

struct version {
	char data[64], crc[16];
};

static struct {
	char keys[ITEMS_MAX]
		 [128]; /* of events and incidents: each counts once */
	size_t n_keys;
	json_t *silences;
	struct release release[ITEMS_MAX];
	size_t n_releases;
	struct version version[ITEMS_MAX];
	size_t n_versions;
	int tokens;
} world;

static char *text_of(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_t *now_text(void)
{
	char text[TIMESTAMP_TEXT_MAX];

	return json_string(timestamp_print(loop_wall_ms(NULL), text));
}

/* ---- receivers that know an event again ---- */

static void count_once(const char *key)
{
	for (size_t i = 0; i < world.n_keys; i++)
		if (!strcmp(world.keys[i], key))
			return;
	snprintf(world.keys[world.n_keys++], sizeof(world.keys[0]), "%s", key);
	peers.effects++;
}

static void take_event(const json_t *posted, struct fake_answer *answer)
{
	count_once(member(posted, "id"));
}

static void take_incident(const json_t *posted, struct fake_answer *answer)
{
	count_once(member(posted, "dedup_key"));
	answer->status = 202;
	answer->body = xstrdup("{\"status\":\"success\"}");
}

static void take_message(const json_t *posted, struct fake_answer *answer)
{
	peers.effects++;
	answer->body = xstrdup("ok");
}

static void take_request(const json_t *posted, struct fake_answer *answer)
{
	peers.effects++;
	answer->body = xstrdup("{}");
}

/* ---- Alertmanager ---- */

static json_t *silence_find(const char *id)
{
	json_t *silence;
	size_t i;

	json_array_foreach(world.silences, i, silence)
		if (!strcmp(member(silence, "id"), id))
			return silence;
	return NULL;
}

static bool is_in_force(const json_t *silence)
{
	const json_t *status = json_object_get(silence, "status");
	struct err err;
	int64_t end_ms;

	return !strcmp(member(status, "state"), "active") &&
	       timestamp_parse(member(silence, "endsAt"), &end_ms, &err) == 0 &&
	       end_ms > loop_wall_ms(NULL);
}

int peers_silenced(void)
{
	const json_t *silence;
	int n = 0;
	size_t i;

	json_array_foreach(world.silences, i, silence)
		n += is_in_force(silence);
	return n;
}

static void set_state(json_t *silence, const char *state)
{
	json_object_set_new(
		silence, "status", json_pack("{s:s}", "state", state));
	json_object_set_new(silence, "updatedAt", now_text());
}

static void silence_post(const json_t *posted, struct fake_answer *answer)
{
	json_t *silence = silence_find(member(posted, "id"));

	if (!silence) {
		silence = json_object();
		json_array_append_new(world.silences, silence);
		peers.effects++;
	}
	json_object_update(silence, (json_t *)posted);
	json_object_set_new(silence, "id",
		json_sprintf("s-%zu", json_array_size(world.silences)));
	set_state(silence, "active");
	answer->body =
		text_of(json_pack("{s:s}", "silenceID", member(silence, "id")));
}

static void silence_expire(json_t *silence)
{
	json_object_set_new(silence, "endsAt", now_text());
	set_state(silence, "expired");
}

static void silences_get(const json_t *posted, struct fake_answer *answer)
{
	answer->body = json_dumps(world.silences, JSON_COMPACT);
}

/* ---- Firebase Hosting ---- */

static void release_add(
	const char *version, const char *type, const char *message)
{
	struct release *release = &world.release[world.n_releases++];

	snprintf(release->version, sizeof(release->version), "%s", version);
	snprintf(release->message, sizeof(release->message), "%s", message);
	snprintf(release->type, sizeof(release->type), "%s", type);
	release->time_ms = loop_wall_ms(NULL) + (int64_t)world.n_releases;
}

const char *peers_live_version(void)
{
	return world.release[world.n_releases - 1].version;
}

static json_t *release_json(const struct release *release)
{
	char time[TIMESTAMP_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:{s:o, s:s}}", "type", release->type,
		"message", release->message, "releaseTime",
		timestamp_print(release->time_ms, time), "version", "name",
		json_sprintf("sites/shop/versions/%s", release->version),
		"status", "FINALIZED");
}

static void releases_get(const json_t *posted, struct fake_answer *answer)
{
	json_t *list = json_array();

	for (size_t i = world.n_releases; i-- > 0;)
		json_array_append_new(list, release_json(&world.release[i]));
	answer->body = text_of(json_pack("{s:o}", "releases", list));
}

static void release_post(
	const char *target, const json_t *posted, struct fake_answer *answer)
{
	const char *version = strstr(target, "%2Fversions%2F");

	release_add(version ? version + 14 : "none", member(posted, "type"),
		member(posted, "message"));
	peers.effects++;
	answer->body =
		text_of(release_json(&world.release[world.n_releases - 1]));
}

/* ---- Secret Manager ---- */

static void version_add(const char *data, const char *crc)
{
	struct version *version = &world.version[world.n_versions++];

	snprintf(version->data, sizeof(version->data), "%s", data);
	snprintf(version->crc, sizeof(version->crc), "%s", crc);
}

static void version_put(const char *value, const char *data)
{
	char crc[16];

	snprintf(crc, sizeof(crc), "%u", crc32c(value, strlen(value)));
	version_add(data, crc);
}

const char *peers_secret(void)
{
	return world.version[world.n_versions - 1].data;
}

static json_t *version_name(size_t number)
{
	return json_sprintf("projects/1/secrets/flag/versions/%zu", number);
}

static void version_get(const char *target, struct fake_answer *answer)
{
	const char *which = strstr(target, "/versions/") + 10;
	size_t number = (size_t)atoi(which);

	if (!number)
		number = world.n_versions;
	answer->body = text_of(
		json_pack("{s:o, s:{s:s, s:s}}", "name", version_name(number),
			"payload", "data", world.version[number - 1].data,
			"dataCrc32c", world.version[number - 1].crc));
}

static void version_post(const json_t *posted, struct fake_answer *answer)
{
	const json_t *payload = json_object_get(posted, "payload");

	version_add(member(payload, "data"), member(payload, "dataCrc32c"));
	peers.effects++;
	answer->body = text_of(
		json_pack("{s:o, s:b}", "name", version_name(world.n_versions),
			"clientSpecifiedPayloadChecksum", 1));
}

static void permissions_get(const json_t *posted, struct fake_answer *answer)
{
	answer->body = text_of(json_pack("{s:O}", "permissions",
		json_object_get(posted, "permissions")));
}

/* ---- who is asked ---- */

static const struct {
	const char *path;
	void (*take)(const json_t *posted, struct fake_answer *answer);
} routes[] = {
	{"POST /do", take_request},
	{"POST /services/T0/B0/hook", take_message},
	{"POST /events", take_event},
	{"POST /v2/enqueue", take_incident},
	{"GET /am/api/v2/silences", silences_get},
	{"POST /am/api/v2/silences", silence_post},
	{"GET /v1beta1/sites/shop/channels/live/releases", releases_get},
	{"POST /v1/projects/acme/secrets/flag:testIamPermissions",
		permissions_get},
	{"POST /v1/projects/acme/secrets/flag:addVersion", version_post},
};

static void route(const struct fake_request *request, const char *target,
	struct fake_answer *answer)
{
	json_t *posted = json_loadb(request->body, request->body_len, 0, NULL);
	char path[512];

	snprintf(path, sizeof(path), "%s %s", request->method, target);
	path[strcspn(path, "?")] = '\0';
	answer->status = 404;
	if (!strncmp(path, "DELETE /am/api/v2/silence/", 26)) {
		silence_expire(silence_find(path + 26));
		answer->status = 200;
	} else if (strstr(path, ":access")) {
		answer->status = 200;
		version_get(path, answer);
	} else if (!strncmp(path, "POST /v1beta1", 13)) {
		answer->status = 200;
		release_post(target, posted, answer);
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (strcmp(path, routes[i].path) != 0)
			continue;
		answer->status = 200;
		routes[i].take(posted, answer);
	}
	json_decref(posted);
}

bool peers_take_mishap(struct mishap *mishap_r)
{
	peers.writes++;
	if (!peers.mishap.times)
		return false;
	peers.mishap.times--;
	*mishap_r = peers.mishap;
	return true;
}

static void go_wrong(const struct fake_request *request,
	const struct mishap *mishap, struct fake_answer *answer)
{
	if (mishap->has_effect)
		route(request, request->target, answer);
	if (!mishap->has_effect || mishap->status == 204 ||
		mishap->status >= 300)
		xfree(&answer->body);
	answer->status = mishap->status;
	answer->retry_after_ms = mishap->retry_after_ms;
	if (!mishap->status)
		answer->fate = FATE_SILENT;
}

static bool is_write(const struct fake_request *request)
{
	return !strcmp(request->method, "POST") &&
	       !strstr(request->target, ":testIamPermissions");
}

static void serve(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	struct mishap mishap;

	if (is_write(request) && peers_take_mishap(&mishap))
		go_wrong(request, &mishap, answer);
	else if (peers.token_refused && request->authorization &&
		 !strcmp(request->authorization, "Bearer token-1"))
		answer->status = 401;
	else
		route(request, request->target, answer);
}

/* Each is another one. */
static void serve_token(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	answer->body =
		xasprintf("{\"access_token\":\"token-%d\","
			  "\"expires_in\":3600,\"token_type\":\"Bearer\"}",
			++world.tokens);
}

/* ---- the world ---- */

void peers_person_acts(void)
{
	json_t *silence;
	size_t i;

	release_add("four", "DEPLOY", "");
	version_put("other", "b3RoZXI=");
	json_array_foreach(world.silences, i, silence)
		if (is_in_force(silence))
			silence_expire(silence);
	programs_person_acts();
}

void peers_release(void)
{
	release_add("three", "DEPLOY", "");
	programs_release();
}

void peers_open(void)
{
	memset(&world, 0, sizeof(world));
	peers = (struct peers){0};
	world.silences = json_array();
	release_add("one", "DEPLOY", "");
	release_add("two", "DEPLOY", "");
	version_put("old", "b2xk");
	version_put("on", "b24=");
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", PEERS_ORIGIN,
		1);
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_FIREBASEHOSTING", PEERS_ORIGIN,
		1);
	setenv("GCE_METADATA_HOST", TOKENS_ORIGIN + strlen("http://"), 1);
	unsetenv("CLOUDSDK_AUTH_ACCESS_TOKEN");
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	setenv("CLOUDSDK_CONFIG", "/nonexistent", 1);
	setenv("HOME", "/nonexistent", 1);
	fake_http_serve(PEERS_ORIGIN, serve);
	fake_http_serve(TOKENS_ORIGIN, serve_token);
	programs_open();
}

void peers_close(void)
{
	programs_close();
	json_decref(world.silences);
}
