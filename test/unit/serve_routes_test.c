/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every request of the OpenAPI document, right and wrong: made from the table
 * of routes, so that a new row is tested by being there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/xalloc.h"
#include "serve/openapi.h"
#include "serve/page_assets.h"
#include "serve/route.h"
#include "serve_fixture.h"

#define EVERYTHING "read,start,operate,approve,metrics,admin"

static struct served served;
static char *rollout; /* waits for approval */
static json_t *document;

/* ---- requests made from a row ---- */

/* What a field may hold; what only makes sense together is said by name. */
static void put_value(json_t *body, const struct field *field)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{"policy", "e2e"},
		{"verb", "pause"},
		{"candidate", "backend-2"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(field->name, known[i].name)) {
			json_object_set_new(
				body, field->name, json_string(known[i].value));
			return;
		}
	json_object_set_new(body, field->name, json_string("x"));
}

/* Everything that is needed, without `without`. */
static char *body_of(const struct route *route, const char *without)
{
	json_t *body = json_object();
	char *text, *dumped;

	if (!route->body->name) {
		json_decref(body);
		return NULL;
	}
	for (const struct field *f = route->body; f->name; f++)
		if (f->required && (!without || strcmp(f->name, without) != 0))
			put_value(body, f);
	if (strstr(route->pattern, "/decisions"))
		json_object_set_new(body, "step", json_integer(2));
	dumped = json_dumps(body, JSON_COMPACT);
	text = xstrdup(dumped);
	free(dumped);
	json_decref(body);
	return text;
}

static void ask(const struct route *route, const char *path, const char *body)
{
	served_ask(&served, route->method, path, body, NULL);
}

static void expect(const struct route *route, const char *what, int status)
{
	if (served.status != status)
		fail_msg("%s %s, %s: %d and not %d: %s", route->method,
			route->pattern, what, served.status, status,
			served.body.data);
	if (status >= 400 &&
		strcmp(served.content_type, "application/problem+json") != 0)
		fail_msg("%s %s, %s: %s", route->method, route->pattern, what,
			served.content_type);
}

/* ---- right ---- */

static void every_request_is_answered_as_the_document_says(void **state)
{
	char *path, *body;

	for (const struct route *r = routes; r->method; r++) {
		/* What never ends is looked at in serve_stream_test. */
		if (!openapi_has(r) || !strcmp(r->answer, "text/event-stream"))
			continue;
		path = served_path(r->pattern, rollout);
		body = body_of(r, NULL);
		ask(r, path, body);
		/* The service has a rollout. */
		if (!strcmp(r->name, "rollouts_start")) {
			expect(r, "busy", 409);
			assert_true(served_has(&served, "\"busy\""));
		} else if (!strcmp(r->name, "rollbacks_start")) {
			expect(r, "rolled back at the end", 202);
		} else {
			expect(r, "right", r->status);
			if (strncmp(served.content_type, r->answer,
				    strcspn(r->answer, ";")) != 0)
				fail_msg("%s: %s and not %s", r->pattern,
					served.content_type, r->answer);
		}
		free(body);
		free(path);
	}
}

static void what_has_not_changed_is_not_sent_again(void **state)
{
	char *tag;

	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	tag = xasprintf("If-None-Match: %s", served.etag);
	assert_int_equal(strlen(served.etag), 34);
	served_ask(&served, "GET", "/api/v1/me", NULL, tag);
	assert_int_equal(served.status, 304);
	assert_int_equal(served.body.len, 0);
	free(tag);
}

/* ---- wrong ---- */

static void wrong_query(const struct route *route, const char *path)
{
	char *more = xasprintf("%s?colour=blue", path);

	ask(route, more, NULL);
	expect(route, "an unknown parameter", 400);
	free(more);
	for (const struct field *f = route->query; f->name; f++) {
		if (f->kind == FIELD_TEXT)
			continue;
		more = xasprintf("%s?%s=%%20none", path, f->name);
		ask(route, more, NULL);
		expect(route, f->name, 400);
		free(more);
	}
}

static void wrong_body(const struct route *route, const char *path)
{
	static const char *const bodies[] = {"", "[]", "{", "nothing",
		"{\"colour\": \"blue\"}", "{\"policy\":1,\"verb\":2}",
		"{\"verb\":\"pause\",\"verb\":\"pause\"}", "\xff\xfe"};
	char *body;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		ask(route, path, bodies[i]);
		expect(route, bodies[i], 400);
	}
	for (const struct field *f = route->body; f->name; f++) {
		if (!f->required)
			continue;
		body = body_of(route, f->name);
		ask(route, path, body);
		expect(route, f->name, 400);
		free(body);
	}
}

static void wrong_requests_are_refused_by_the_letter(void **state)
{
	char *path;

	for (const struct route *r = routes; r->method; r++) {
		if (!openapi_has(r) || strncmp(r->pattern, "/api/", 5) != 0)
			continue;
		path = served_path(r->pattern, rollout);
		if (!strcmp(r->method, "GET"))
			wrong_query(r, path);
		else
			wrong_body(r, path);
		served_ask(&served, "PUT", path, "{}", NULL);
		expect(r, "another method", 405);
		free(path);
		path = served_path(r->pattern, "backend-20200101-000000-none");
		if (strstr(r->pattern, "{rollout}")) {
			char *body = body_of(r, NULL);

			ask(r, path, body);
			expect(r, "a rollout that is not there", 404);
			free(body);
		}
		free(path);
	}
}

static void who_may_not_is_told_which_right_is_missing(void **state)
{
	char *path, *body;

	for (const struct route *r = routes; r->method; r++) {
		if (!openapi_has(r) || r->door >= DOOR_ANYBODY)
			continue;
		path = served_path(r->pattern, rollout);
		body = body_of(r, NULL);
		/* Somebody whom no row grants anything, and a token that is
		 * good for something else. */
		served_be(&served, "eve", EVERYTHING);
		ask(r, path, body);
		expect(r, "a stranger", 403);
		assert_true(served_has(&served, right_names[r->door]));
		served_be(&served, "owner", "admin");
		ask(r, path, body);
		expect(r, "a small token", 403);
		free(body);
		free(path);
	}
}

static void nobody_comes_in_without_a_proof(void **state)
{
	char *token = served.token, *path, *body;

	served.token = xstrdup("Bearer tgt_nothing");
	for (const struct route *r = routes; r->method; r++) {
		if (!openapi_has(r) || r->door == DOOR_OPEN)
			continue;
		path = served_path(r->pattern, rollout);
		body = body_of(r, NULL);
		ask(r, path, body);
		if (served.status != 401 && served.status != 429)
			fail_msg("%s: %d", r->pattern, served.status);
		free(body);
		free(path);
	}
	free(served.token);
	served.token = token;
}

/* ---- what programs are not told of ---- */

/* Pages, ways in and what Slack sends: each row that the document does not have
 * needs a case here, right and wrong. */
static const struct {
	const char *name; /* of the handler */
	int right;
	const char *right_body; /* a form; NULL: none */
	const char *wrong_path; /* NULL: the right one */
	int wrong;
	const char *wrong_body;
	int stranger; /* for whom no right is granted */
} others[] = {
	{"page_front_get", 200, NULL, "/nothing", 404, NULL, 403},
	{"page_rollout_get", 200, NULL, "/rollouts/none", 404, NULL, 403},
	{"page_decide_post", 200, "verb=pause&step=2&candidate=backend-2", NULL,
		400, "verb=dance", 404},
	{"page_service_get", 200, NULL, "/services/acme/backend", 404, NULL,
		403},
	{"page_person_get", 200, NULL, "/me/x", 404, NULL, 200},
	{"page_session_end_post", 404, "session=none", NULL, 400, "%zz", 404},
	{"page_signed_out_get", 200, NULL, "/signed-out/", 404, NULL, 200},
	{"page_asset_get", 200, NULL, "/assets/none", 404, NULL, 200},
	/* By flags there is no issuer, no invitation and no Slack. */
	{"login_get", 401, NULL, "/login?issuer=x", 401, NULL, 401},
	{"login_callback_get", 403, NULL, "/callback?code=x", 403, NULL, 403},
	{"logout_post", 303, NULL, "/logout/x", 404, NULL, 303},
	{"slack_actions_post", 404, "payload={}", "/slack/none", 404,
		"payload={}", 404},
};

static size_t case_of(const struct route *route)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(others[i].name, route->name))
			return i;
	fail_msg("%s has no case here", route->name);
	return 0;
}

static void ask_form(
	const struct route *r, const char *path, const char *form, int status)
{
	served_ask_as(&served, r->method, path, form,
		form ? "application/x-www-form-urlencoded" : NULL, NULL);
	if (served.status != status)
		fail_msg("%s %s: %d and not %d: %s", r->method, path,
			served.status, status, served.body.data);
}

static void every_other_request_is_answered_as_its_case_says(void **state)
{
	size_t i, n = 0;
	char *path;

	for (const struct route *r = routes; r->method; r++) {
		if (openapi_has(r))
			continue;
		i = case_of(r);
		path = served_path(r->pattern, strstr(r->pattern, "{name}")
						       ? page_assets[0].name
						       : rollout);
		served_be(&served, "owner", EVERYTHING);
		ask_form(r, path, others[i].right_body, others[i].right);
		ask_form(r, others[i].wrong_path ? others[i].wrong_path : path,
			others[i].wrong_body, others[i].wrong);
		served_ask(&served, "PUT", path, "{}", NULL);
		assert_int_equal(served.status, 405);
		served_be(&served, "eve", EVERYTHING);
		ask_form(r, path, others[i].right_body, others[i].stranger);
		free(path);
		n++;
	}
	/* No case is of a row that is gone. */
	assert_int_equal(n, sizeof(others) / sizeof(*others));
}

/* ---- the document ---- */

static void the_document_has_what_is_served_and_nothing_else(void **state)
{
	const char *path, *method;
	json_t *item, *request;
	size_t n = 0, wanted = 0;

	served_expect(&served, 200, "GET", "/api/v1/openapi.json", NULL);
	document = json_loads(served.body.data, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	json_object_foreach(json_object_get(document, "paths"), path, item) {
		json_object_foreach(item, method, request) {
			n++;
			assert_non_null(json_object_get(request, "responses"));
		}
	}
	for (const struct route *r = routes; r->method; r++) {
		if (!openapi_has(r))
			continue;
		wanted++;
		item = json_object_get(
			json_object_get(document, "paths"), r->pattern);
		request = json_object_get(
			item, !strcmp(r->method, "GET") ? "get" : "post");
		assert_string_equal(json_string_value(json_object_get(
					    request, "operationId")),
			r->name);
	}
	assert_int_equal(n, wanted);
	assert_true(n >= 10);
	json_decref(document);
}

static int setup(void **state)
{
	served_open(&served);
	rollout = served_rollout(&served, "awaiting-approval");
	return 0;
}

static int teardown(void **state)
{
	free(rollout);
	served_close(&served);
	return 0;
}

static int be_owner(void **state)
{
	served_be(&served, "owner", EVERYTHING);
	return 0;
}

int main(void)
{
#define AS_OWNER(test) cmocka_unit_test_setup(test, be_owner)
	const struct CMUnitTest tests[] = {
		AS_OWNER(the_document_has_what_is_served_and_nothing_else),
		AS_OWNER(wrong_requests_are_refused_by_the_letter),
		AS_OWNER(what_has_not_changed_is_not_sent_again),
		AS_OWNER(who_may_not_is_told_which_right_is_missing),
		AS_OWNER(every_other_request_is_answered_as_its_case_says),
		AS_OWNER(every_request_is_answered_as_the_document_says),
		AS_OWNER(nobody_comes_in_without_a_proof),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
