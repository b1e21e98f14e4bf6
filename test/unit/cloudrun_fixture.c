/* SPDX-License-Identifier: Apache-2.0 */
/* The fake, and running a script; see cloudrun_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/xalloc.h"
#include "cloudrun_fixture.h"

static void complain(
	struct world *w, const char *what, struct server_request *request)
{
	if (!w->complaint[0])
		snprintf(w->complaint, sizeof(w->complaint), "%s: %s %s", what,
			request_method(request), request_target(request));
}

static void check_header(struct world *w, struct server_request *request,
	const char *name, const char *wanted)
{
	const char *value = request_header(request, name);

	if (wanted ? !value || strcmp(value, wanted) != 0 : value != NULL)
		complain(w, name, request);
}

/* Only what may be written: name, etag, traffic whose percents sum to 100. */
static bool is_traffic_body(const char *bytes, size_t len)
{
	json_t *root = json_loadb(bytes, len, 0, NULL), *entry;
	const json_t *list = json_object_get(root, "traffic");
	json_int_t sum = 0;
	bool good;
	size_t i;

	json_array_foreach(list, i, entry)
		sum += json_integer_value(json_object_get(entry, "percent"));
	good = json_object_size(root) == 3 && sum == 100 &&
	       json_is_string(json_object_get(root, "name")) &&
	       strcmp(json_string_value(json_object_get(root, "etag")),
		       "\"e1\"") == 0;
	json_decref(root);
	return good;
}

static const char *post_body(struct server_request *request)
{
	return strstr(request_target(request), ":testIamPermissions")
		       ? "{\"permissions\":[\"run.services.get\","
			 "\"run.services.update\"]}"
		       : "{\"timeout\":\"30s\"}";
}

static void check_request(struct world *w, struct server_request *request)
{
	const char *method = request_method(request);
	char bearer[64];
	size_t len;
	const char *body = request_body(request, &len);

	snprintf(bearer, sizeof(bearer), "Bearer token-%d",
		w->credentials.serial);
	check_header(w, request, "Authorization", bearer);
	check_header(w, request, "x-goog-user-project",
		w->credentials.quota_project);
	if (strcmp(method, "GET") == 0 && len > 0)
		complain(w, "a GET with a body", request);
	if (strcmp(method, "GET") == 0)
		return;
	check_header(w, request, "Content-Type", "application/json");
	if (strcmp(method, "PATCH") == 0 && !is_traffic_body(body, len))
		complain(w, "the body", request);
	if (strcmp(method, "POST") == 0 &&
		strcmp(body, post_body(request)) != 0)
		complain(w, "the body", request);
}

/* Waits are held open, polls see the end. */
static void serve_crowd(struct world *w, struct server_request *request)
{
	const char *body = RUNNING;

	if (strcmp(request_method(request), "POST") == 0) {
		w->silent[w->n_silent++] = request;
		return;
	}
	if (strcmp(request_method(request), "GET") == 0) {
		w->polls++;
		body = DONE;
	}
	request_answer(request, 200, "application/json", body, strlen(body));
}

static void fake_serve(struct server_request *request, void *arg)
{
	struct world *w = arg;
	const struct turn *turn = &w->script[w->at];
	char line[512];

	if (w->crowd) {
		serve_crowd(w, request);
		return;
	}
	snprintf(line, sizeof(line), "%s %s", request_method(request),
		request_target(request));
	if (w->at >= w->n_turns || strcmp(line, turn->expect) != 0) {
		complain(w, "not in the script", request);
		request_answer(request, 400, "text/plain", NULL, 0);
		return;
	}
	w->at++;
	check_request(w, request);
	if (turn->status == RESET) {
		request_reset(request);
	} else if (turn->status == SILENCE) {
		w->silent[w->n_silent++] = request;
	} else {
		if (turn->retry_after)
			request_set_header(
				request, "Retry-After", turn->retry_after);
		request_answer(request, turn->status, "application/json",
			turn->body, turn->body ? strlen(turn->body) : 0);
	}
}

void fixture_late(void *arg)
{
	struct world *w = arg;

	w->alarm = NULL;
	snprintf(w->complaint, sizeof(w->complaint), "no callback came");
	loop_stop(w->loop);
}

void fixture_connect(struct world *w, const char *prefix)
{
	char *endpoint = xasprintf(
		"http://127.0.0.1:%d%s", server_port(w->server), prefix);
	struct cloudrun_config config = {endpoint, "acme", "europe-west1"};
	struct api api = {w->loop, w->http, &w->credentials};
	struct err err;

	cloudrun_free(&w->cloudrun);
	w->cloudrun = cloudrun_new(&api, &config, &err);
	assert_non_null(w->cloudrun);
	xfree(&endpoint);
}

int fixture_set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err;

	w->loop = loop_new(&err);
	w->http = http_new(w->loop, &err);
	w->server = server_new(w->loop, 0, fake_serve, w, &err);
	assert_non_null(w->server);
	w->credentials.loop = w->loop;
	w->credentials.serial = 1;
	w->alarm = timer_start(w->loop, TEST_MS, fixture_late, w);
	fixture_connect(w, "/");
	*state = w;
	return 0;
}

int fixture_tear_down(void **state)
{
	struct world *w = *state;

	cloudrun_free(&w->cloudrun);
	while (w->n_silent > 0)
		request_reset(w->silent[--w->n_silent]);
	timer_cancel(&w->alarm);
	server_free(&w->server);
	http_free(&w->http);
	loop_free(&w->loop);
	fake_token_free(&w->credentials);
	free(w);
	return 0;
}

void fixture_script(struct world *w, const struct turn *turns)
{
	w->script = turns;
	for (w->n_turns = 0; w->n_turns < SCRIPT_MAX; w->n_turns++)
		if (!turns[w->n_turns].expect)
			break;
	w->at = 0;
	w->said = 0;
	w->complaint[0] = '\0';
	w->code = ERR_NONE;
	w->text[0] = '\0';
}

void fixture_run(struct world *w)
{
	struct err err;

	assert_int_equal(w->said, 0); /* never inside x_start */
	assert_int_equal(loop_run(w->loop, &err), 0);
	if (w->complaint[0])
		fail_msg("the fake: %s", w->complaint);
	assert_int_equal(w->at, w->n_turns);
	assert_int_equal(w->said, 1);
}

void fixture_heard(struct world *w, const struct err *err)
{
	w->said++;
	if (err) {
		w->code = err->code;
		w->retry_after_ms = err->retry_after_ms;
		memcpy(w->text, err->text, sizeof(w->text));
	}
	loop_stop(w->loop);
}
