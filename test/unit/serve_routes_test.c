/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every request of the OpenAPI document, right and wrong: made from the table
 * of routes, so that a new row is tested by being there.
 */
#include <arpa/inet.h>
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

#include "base/rng.h"
#include "base/xalloc.h"
#include "serve/openapi.h"
#include "serve/route.h"
#include "serve_fixture.h"

#define EVERYTHING "read,start,operate,approve,metrics,admin"

static struct served served;
static char *rollout; /* waits for approval */
static json_t *document;

/* ---- requests made from a row ---- */

/* The pattern with something that is there for each {name}. */
static char *path_of(const struct route *route, const char *id)
{
	struct buf path;

	buf_init(&path, 4096);
	for (const char *p = route->pattern; *p; p++) {
		if (*p != '{') {
			buf_addc(&path, *p);
			continue;
		}
		if (!strncmp(p, "{project}", 9))
			buf_adds(&path, "acme");
		else if (!strncmp(p, "{region}", 8))
			buf_adds(&path, "us-central1");
		else if (!strncmp(p, "{service}", 9))
			buf_adds(&path, "backend");
		else
			buf_adds(&path, id);
		p += strcspn(p, "}");
	}
	return buf_steal(&path);
}

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
		path = path_of(r, rollout);
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
		path = path_of(r, rollout);
		if (!strcmp(r->method, "GET"))
			wrong_query(r, path);
		else
			wrong_body(r, path);
		served_ask(&served, "PUT", path, "{}", NULL);
		expect(r, "another method", 405);
		free(path);
		path = path_of(r, "backend-20200101-000000-none");
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
		path = path_of(r, rollout);
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
		path = path_of(r, rollout);
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

/* ---- bytes ---- */

static void send_bytes(const char *bytes, size_t len)
{
	const char *port = strrchr(served.address, ':') + 1;
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	(void)!connect(fd, (struct sockaddr *)&address, sizeof(address));
	(void)!send(fd, bytes, len, MSG_NOSIGNAL);
	served_expect(&served, 200, "GET", "/healthz", NULL);
	close(fd);
}

/* TIDEGATE_RANDOM_REQUESTS says how many; a few belong to every run. */
static void random_bytes_leave_it_well(void **state)
{
	static const char start[] = "POST /api/v1/rollouts HTTP/1.1\r\nHost: "
				    "localhost\r\nContent-Length: 10\r\n";
	const char *text = getenv("TIDEGATE_RANDOM_REQUESTS");
	int n = text ? atoi(text) : 50;
	char bytes[512];
	struct rng rng;
	size_t len;

	rng_init(&rng, 7);
	while (n--) {
		len = (size_t)rng_below(&rng, sizeof(bytes));
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)rng_below(&rng, 256);
		/* Half of them begin well. */
		if (rng_below(&rng, 2) && len > sizeof(start))
			memcpy(bytes, start, sizeof(start) - 1);
		send_bytes(bytes, len);
	}
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
		AS_OWNER(every_request_is_answered_as_the_document_says),
		AS_OWNER(random_bytes_leave_it_well),
		AS_OWNER(nobody_comes_in_without_a_proof),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
