/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the daemon, as programs send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "serve_fixture.h"
#include "store/store.h"
#include "until.h"

static struct served served;

static int setup(void **state)
{
	served_open(&served);
	return 0;
}

static int teardown(void **state)
{
	served_close(&served);
	return 0;
}

static void assert_text(const char *pointer, const char *wanted)
{
	char *text = served_text(&served, pointer);

	assert_string_equal(text, wanted);
	free(text);
}

/* POST to a rollout's decisions. */
static void decide(const char *id, const char *body, const char *more)
{
	char *path = xasprintf("/api/v1/rollouts/%s/decisions", id);

	served_ask(&served, "POST", path, body, more);
	free(path);
}

static void expect_problem(int status, const char *code)
{
	if (served.status != status)
		fail_msg("%d and not %d: %s", served.status, status,
			served.body.data);
	assert_string_equal(served.content_type, "application/problem+json");
	assert_text("/code", code);
}

static void a_decision_is_about_what_was_seen(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");
	char *path = xasprintf("/api/v1/rollouts/%s", id);

	assert_text("/step", "2");
	assert_text("/candidate", "backend-2");
	assert_text("/verbs/0/verb", "approve");
	assert_text("/verbs/0/allowed", "true");
	assert_text("/verbs/3/why", "it is neither paused nor held");
	assert_text("/verbs/4/comment_needed", "true");

	/* Another step, another candidate: the state comes with the answer. */
	decide(id,
		"{\"verb\":\"approve\",\"step\":1,"
		"\"candidate\":\"backend-2\"}",
		NULL);
	expect_problem(409, "moved-on");
	assert_text("/state/step", "2");
	decide(id,
		"{\"verb\":\"approve\",\"step\":2,"
		"\"candidate\":\"backend-1\"}",
		NULL);
	expect_problem(409, "moved-on");
	/* The engine's words. */
	decide(id,
		"{\"verb\":\"continue\",\"step\":2,"
		"\"candidate\":\"backend-2\"}",
		NULL);
	expect_problem(409, "refused");
	assert_text("/detail", "it is neither paused nor held");
	decide(id,
		"{\"verb\":\"abort\",\"step\":2,"
		"\"candidate\":\"backend-2\"}",
		NULL);
	expect_problem(400, "comment-needed");
	decide(id, "{\"verb\":\"abort\",\"step\":2}", NULL);
	expect_problem(400, "bad-request");
	decide(id,
		"{\"verb\":\"abrot\",\"step\":2,"
		"\"candidate\":\"backend-2\"}",
		NULL);
	expect_problem(400, "bad-request");

	decide(id,
		"{\"verb\":\"approve\",\"step\":2,\"candidate\":"
		"\"backend-2\",\"comment\":\"looks good\"}",
		NULL);
	assert_int_equal(served.status, 202);
	assert_text("/state", "taken");
	assert_text("/who", "owner");
	served_wait_phase(&served, id, "promoted");
	assert_text("/decisions/0/who", "owner");
	assert_text("/decisions/0/comment", "looks good");
	/* Nothing can be decided any more. */
	assert_text("/verbs/0/allowed", "false");
	decide(id, "{\"verb\":\"pause\",\"candidate\":\"backend-2\"}", NULL);
	assert_int_equal(served.status, 409);
	free(path);
	free(id);
}

static void a_request_with_a_key_is_carried_out_once(void **state)
{
	static const char approve[] = "{\"verb\":\"approve\",\"step\":2,"
				      "\"candidate\":\"backend-2\"}";
	char *id = served_rollout(&served, "awaiting-approval");
	char *first;

	decide(id, approve, "Idempotency-Key: k-1");
	assert_int_equal(served.status, 202);
	first = xstrdup(served.body.data);
	decide(id, approve, "Idempotency-Key: k-1");
	assert_int_equal(served.status, 202);
	assert_string_equal(served.body.data, first);
	decide(id,
		"{\"verb\":\"pause\",\"step\":2,"
		"\"candidate\":\"backend-2\"}",
		"Idempotency-Key: k-1");
	expect_problem(422, "key-used");
	decide(id, approve, "Idempotency-Key: has blanks in it");
	expect_problem(400, "bad-request");
	/* A start, too. */
	served_ask(&served, "POST", "/api/v1/rollouts", "{\"policy\":\"e2e\"}",
		"Idempotency-Key: k-2");
	expect_problem(409, "busy");
	served_ask(&served, "POST", "/api/v1/rollouts", "{\"policy\":\"e2e\"}",
		"Idempotency-Key: k-2");
	expect_problem(409, "busy"); /* what was not done is done anew */
	/* Without one it is another decision. */
	decide(id, approve, NULL);
	assert_int_equal(served.status, 409);
	free(first);
	free(id);
}

static void a_start_with_a_key_is_one_rollout(void **state)
{
	static const char body[] = "{\"policy\":\"e2e\"}";
	static const char key[] = "Idempotency-Key: k-3";
	char *id;

	served_ask(&served, "POST", "/api/v1/rollouts", body, key);
	assert_int_equal(served.status, 201);
	id = served_text(&served, "/rollout");
	served_wait_phase(&served, id, "awaiting-approval");
	served_ask(&served, "POST", "/api/v1/rollouts", body, key);
	assert_int_equal(served.status, 201);
	assert_text("/rollout", id);
	/* Another caller's key is another one. */
	served_be(&served, "bob", "start");
	served_ask(&served, "POST", "/api/v1/rollouts", body, key);
	expect_problem(403, "denied");
	free(id);
}

static void what_is_not_known_is_refused(void **state)
{
	served_expect(&served, 404, "GET", "/api/v1/rollouts/backend", NULL);
	expect_problem(404, "not-found");
	served_expect(&served, 404, "GET", "/api/v2/rollouts", NULL);
	expect_problem(404, "not-found");
	served_expect(&served, 405, "DELETE", "/api/v1/rollouts", NULL);
	expect_problem(405, "method-not-allowed");
	served_expect(&served, 400, "GET", "/api/v1/rollouts?limt=3", NULL);
	assert_true(served_has(&served, "did you mean limit?"));
	served_expect(&served, 400, "GET", "/api/v1/rollouts?limit=201", NULL);
	served_expect(&served, 400, "GET", "/api/v1/rollouts?state=x", NULL);
	served_expect(&served, 400, "POST", "/api/v1/rollouts", "[]");
	served_expect(&served, 400, "POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"policy\":\"e2e\"}");
	served_expect(
		&served, 400, "POST", "/api/v1/rollouts", "{\"policy\":1}");
}

/* bob may read and operate another service than that of the fixture. */
static void let_bob_elsewhere(struct access_row rows[2])
{
	static const char *const who[] = {"bob"};
	static const char *const services[] = {"acme/*/another"};

	rows[0] = served.config->access.rows[0];
	rows[1] = (struct access_row){.who = who,
		.n_who = 1,
		.may = RIGHT_BIT(RIGHT_READ) | RIGHT_BIT(RIGHT_OPERATE),
		.services = services,
		.n_services = 1};
	served.config->access = (struct access){rows, 2};
}

/* One that was promoted long ago. */
static void add_ended(const char *id, const char *service)
{
	char *name = xasprintf(
		"projects/acme/locations/us-central1/services/%s", service);
	struct store_rollout row = {.id = id,
		.service = name,
		.candidate = "b",
		.stable = "a",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = "version: 1",
		.policy_digest = "d",
		.options = "{}",
		.starter = "alice",
		.started_ms = 1000,
		.ended_ms = 2000,
		.phase = "promoted",
		.reason = ""};
	struct err err;

	if (store_rollout_create(daemon_store(served.daemon), &row, &err) < 0)
		fail_msg("%s", err.text);
	free(name);
}

static void who_may_not_see_a_rollout_is_not_told_of_it(void **state)
{
	static const char *const rest[] = {"", "/events", "/record", "/report"};
	static const char abort[] =
		"{\"verb\":\"abort\",\"step\":2,\"candidate\":\"backend-2\","
		"\"comment\":\"x\"}";
	char *id = served_rollout(&served, "awaiting-approval"), *path, *none;
	struct access_row rows[2];

	add_ended("backend-1", "backend");
	add_ended("backend-12", "backend");
	served_expect(
		&served, 400, "GET", "/api/v1/rollouts/backend-/record", NULL);
	assert_true(served_has(&served, "more than one rollout (backend-1, "));
	let_bob_elsewhere(rows);
	served_be(&served, "bob", "read,operate,start");
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++) {
		path = xasprintf("/api/v1/rollouts/backend-%s", rest[i]);
		served_expect(&served, 404, "GET", path, NULL);
		assert_false(served_has(&served, "backend-1"));
		free(path);
	}
	decide("none", abort, NULL);
	expect_problem(404, "not-found");
	none = served_text(&served, "/detail");
	assert_string_equal(none, "there is no rollout \"none\"");
	decide(id, abort, NULL);
	expect_problem(404, "not-found");
	assert_false(served_has(&served, "projects/"));
	path = xasprintf("/rollouts/%s/decide", id);
	served_expect(&served, 404, "POST", path,
		"verb=abort&step=2&candidate=backend-2&comment=x&confirmed="
		"yes");
	assert_false(served_has(&served, "backend-1"));
	free(path);
	free(none);
	free(id);
}

/* However many of others are newer, and the place to go on is not one of theirs. */
static void a_list_has_what_may_be_read_alone(void **state)
{
	struct access_row rows[2];
	char id[40];

	add_ended("another-1", "another");
	add_ended("another-2", "another");
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "backend-%d", i);
		add_ended(id, "backend");
	}
	let_bob_elsewhere(rows);
	served_be(&served, "bob", "read");
	served_expect(&served, 200, "GET", "/api/v1/rollouts?limit=1", NULL);
	assert_text("/rollouts/0/rollout", "another-2");
	assert_text("/cursor", "another-2");
	served_expect(&served, 200, "GET",
		"/api/v1/rollouts?limit=1&cursor=another-2", NULL);
	assert_text("/rollouts/0/rollout", "another-1");
	served_expect(&served, 200, "GET", "/", NULL);
	assert_true(served_has(&served, "another-1"));
	assert_false(served_has(&served, "backend"));
}

static void a_journal_is_read_from_where_one_is(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");
	char *path = xasprintf("/api/v1/rollouts/%s/events", id);
	char *later = xasprintf("%s?after=1", path);

	served_expect(&served, 200, "GET", path, NULL);
	assert_string_equal(served.content_type, "application/jsonl");
	assert_true(served_has(&served, "\"seq\":1,\"event\":\"started\""));
	served_expect(&served, 200, "GET", later, NULL);
	assert_false(served_has(&served, "\"event\":\"started\""));
	assert_true(served_has(&served, "\"seq\":2,"));
	free(later);
	free(path);
	decide(id,
		"{\"verb\":\"abort\",\"step\":2,\"candidate\":"
		"\"backend-2\",\"comment\":\"enough\"}",
		NULL);
	assert_int_equal(served.status, 202);
	served_wait_phase(&served, id, "rolled-back");
	free(id);
}

static void lists_go_on_where_they_ended(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval"), *path;

	served_expect(
		&served, 200, "GET", "/api/v1/rollouts?state=waiting", NULL);
	assert_text("/rollouts/0/rollout", id);
	assert_text("/rollouts/1/rollout", "");
	decide(id,
		"{\"verb\":\"reject\",\"step\":2,\"candidate\":"
		"\"backend-2\",\"comment\":\"no\"}",
		NULL);
	assert_int_equal(served.status, 202);
	served_wait_phase(&served, id, "rolled-back");
	served_expect(&served, 201, "POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"candidate\":\"backend-9\"}");
	free(id);
	id = served_text(&served, "/rollout");
	served_wait_phase(&served, id, "refused");

	served_expect(&served, 200, "GET", "/api/v1/rollouts?limit=1", NULL);
	assert_text("/rollouts/0/rollout", id);
	assert_text("/cursor", id);
	path = xasprintf("/api/v1/rollouts?limit=1&cursor=%s", id);
	served_expect(&served, 200, "GET", path, NULL);
	assert_text("/rollouts/0/phase", "rolled-back");
	served_expect(
		&served, 200, "GET", "/api/v1/rollouts?state=active", NULL);
	assert_text("/rollouts", "[]");
	served_expect(&served, 200, "GET",
		"/api/v1/rollouts?since=2999-01-01T00:00:00Z", NULL);
	assert_text("/rollouts", "[]");
	served_expect(
		&served, 200, "GET", "/api/v1/rollouts?service=backend", NULL);
	assert_text("/rollouts/0/rollout", id);
	free(path);
	free(id);
}

static void what_was_left_is_taken_up(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");

	served_stop(&served);
	served_start(&served);
	RUN_UNTIL(daemon_loop(served.daemon), served_is_driven(&served, id));
	decide(id,
		"{\"verb\":\"approve\",\"step\":2,"
		"\"candidate\":\"backend-2\"}",
		NULL);
	assert_int_equal(served.status, 202);
	served_wait_phase(&served, id, "promoted");
	free(id);
}

/* Who went on with it is the daemon, in the journal. */
static void what_was_taken_up_counts_as_its_starters(void **state)
{
	static const char another[] =
		"{\"policy\":\"e2e\",\"service\":\"another\"}";
	char *id;

	served.config->person_rollouts_max = 1;
	id = served_rollout(&served, "awaiting-approval");
	served_ask(&served, "POST", "/api/v1/rollouts", another, NULL);
	expect_problem(429, "limit");
	served_stop(&served);
	served_start(&served);
	RUN_UNTIL(daemon_loop(served.daemon), served_is_driven(&served, id));
	served_ask(&served, "POST", "/api/v1/rollouts", another, NULL);
	expect_problem(429, "limit");
	served.config->person_rollouts_max = 2;
	served_expect(&served, 201, "POST", "/api/v1/rollouts", another);
	free(id);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(a_decision_is_about_what_was_seen),
		WORLD(a_request_with_a_key_is_carried_out_once),
		WORLD(a_start_with_a_key_is_one_rollout),
		WORLD(what_is_not_known_is_refused),
		WORLD(who_may_not_see_a_rollout_is_not_told_of_it),
		WORLD(a_list_has_what_may_be_read_alone),
		WORLD(a_journal_is_read_from_where_one_is),
		WORLD(lists_go_on_where_they_ended),
		WORLD(what_was_left_is_taken_up),
		WORLD(what_was_taken_up_counts_as_its_starters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
