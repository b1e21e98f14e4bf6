/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type http that tell a Cloud Run service who calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/action.h"
#include "base/xalloc.h"
#include "credentials_fixture.h"
#include "io/loop.h"
#include "io/server.h"

/* A service that lets in only who has an ID token for it. */
static struct {
	struct world *world;
	struct server *server;
	int refusals; /* of good tokens, before any is taken */
	int requests;
	char audience[128]; /* of the last token; "": not a good one */
} service;

static struct {
	bool there;
	enum action_result result;
	char detail[1024];
} end;

static struct policy policy = {.folder = "/"};
static const struct template_values values = {.service = "shop"};

static bool is_for_us(const char *audience)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "http://127.0.0.1:%d",
		server_port(service.server));
	return strcmp(audience, wanted) == 0;
}

static void let_in(struct server_request *request, void *arg)
{
	const char *auth = request_header(request, "Authorization");
	json_t *header = NULL, *claims = NULL;
	int status = 401;

	service.requests++;
	service.audience[0] = '\0';
	if (auth && strncmp(auth, "Bearer ", 7) == 0 &&
		fake_jwt_verify(key_pair, auth + 7, &header, &claims))
		snprintf(service.audience, sizeof(service.audience), "%s",
			json_string_value(json_object_get(claims, "aud")));
	if (is_for_us(service.audience) && service.refusals-- <= 0)
		status = 200;
	json_decref(header);
	json_decref(claims);
	request_answer(request, status, "text/plain", "ok", 2);
}

static int open_all(void **state)
{
	struct err err;

	memset(&service, 0, sizeof(service));
	memset(&end, 0, sizeof(end));
	if (set_up(state) < 0)
		return -1;
	service.world = *state;
	service.server = server_new(service.world->loop, 0, let_in, NULL, &err);
	assert_non_null(service.server);
	return 0;
}

static int close_all(void **state)
{
	server_free(&service.server);
	return tear_down(state);
}

static void ended(const struct action_end *told, void *arg)
{
	end.there = true;
	end.result = told->result;
	snprintf(end.detail, sizeof(end.detail), "%s", told->detail);
	loop_stop(service.world->loop);
}

/* One GET with an ID token for `audience`, NULL: for whom the URL leads to. */
static void call(struct world *world, const char *audience)
{
	const struct action_env env = {.loop = world->loop,
		.http = world->http,
		.credentials = world->credentials,
		.policy = &policy};
	struct action action = {.name = "probe",
		.kind = ACTION_HTTP,
		.timeout_ms = 10000,
		.u.http = {.attempts = 1,
			.auth = {.type = AUTH_ID_TOKEN, .audience = audience}}};
	char *url = xasprintf("http://127.0.0.1:%d/health?a={{service}}",
		server_port(service.server));
	struct err err;

	action.u.http.url = secret_new(url, strlen(url));
	assert_int_equal(action_check(&env, &action, &err), 0);
	action_start(&env, &action, &values, ended, NULL);
	run(world);
	assert_true(end.there);
	end.there = false;
	secret_free(&action.u.http.url);
	xfree(&url);
}

static void the_services_own_address_is_the_audience(void **state)
{
	struct world *world = *state;

	open_metadata(world);
	call(world, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_true(is_for_us(service.audience));
	call(world, NULL); /* the token is kept */
	assert_int_equal(world->google.requests, 1);
}

static void the_policy_may_name_another_audience(void **state)
{
	struct world *world = *state;

	open_metadata(world);
	call(world, "https://shop.example.com");
	assert_int_equal(end.result, ACTION_FAILED);
	assert_string_equal(service.audience, "https://shop.example.com");
}

static void a_refused_token_is_got_anew_once(void **state)
{
	struct world *world = *state;

	open_metadata(world);
	service.refusals = 1;
	call(world, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_int_equal(service.requests, 2);
	assert_int_equal(world->google.requests, 2);
	service.refusals = 9;
	call(world, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	assert_int_equal(service.requests, 4);
	assert_non_null(strstr(end.detail, "answered 401"));
}

static void who_has_no_id_token_is_told_so(void **state)
{
	struct world *world = *state;

	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "ready", 1);
	open_found(world);
	call(world, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	assert_int_equal(service.requests, 0);
	assert_non_null(strstr(end.detail, "use a service account"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_services_own_address_is_the_audience),
		TEST(the_policy_may_name_another_audience),
		TEST(a_refused_token_is_got_anew_once),
		TEST(who_has_no_id_token_is_told_so),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
