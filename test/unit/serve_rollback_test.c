/* SPDX-License-Identifier: Apache-2.0 */
/* Rollbacks that are asked for by a request, and their drills. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/http.h"
#include "io/loop.h"
#include "serve_fixture.h"
#include "store/store.h"
#include "until.h"

#define ROLLBACKS "/api/v1/rollbacks"
#define PLAIN     "{\"policy\": \"e2e\"}"

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

static void expect_problem(int status, const char *code)
{
	if (served.status != status)
		fail_msg("%d and not %d: %s", served.status, status,
			served.body.data);
	assert_text("/code", code);
}

static void reload(void)
{
	daemon_reload(served.daemon, NULL, NULL);
	RUN_UNTIL(daemon_loop(served.daemon),
		!daemon_is_reloading(served.daemon));
}

static char *promoted(void)
{
	char *id = served_rollout(&served, "awaiting-approval");
	char *path = xasprintf("/api/v1/rollouts/%s/decisions", id);

	served_expect(&served, 202, "POST", path,
		"{\"verb\":\"approve\",\"step\":2,\"candidate\":"
		"\"backend-2\"}");
	served_wait_phase(&served, id, "promoted");
	free(path);
	return id;
}

static size_t count(const char *text)
{
	size_t n = 0;

	for (const char *at = served.body.data; (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* What the sandbox was asked to change. */
static size_t patches(void)
{
	char *address = served.address;
	size_t n;

	served.address = served.admin;
	served_expect(&served, 200, "GET", "/sandbox/log?method=PATCH", NULL);
	served.address = address;
	n = count("\"PATCH\"");
	return n;
}

static void sandbox_fault(const char *fault)
{
	char *address = served.address;

	served.address = served.admin;
	served_ask(&served, "POST", "/sandbox/faults", fault, NULL);
	served.address = address;
	assert_true(served_has(&served, "\"id\""));
}

static void what_was_promoted_is_taken_back_once(void **state)
{
	static const char key[] = "Idempotency-Key: back-1";
	static const char body[] =
		"{\"policy\":\"e2e\",\"comment\":\"users complain\"}";
	char *release = promoted(), *id;

	served_be(&served, "bob", "read,operate");
	/* The owner alone is in the configuration of flags. */
	served_ask(&served, "POST", ROLLBACKS, body, NULL);
	expect_problem(403, "denied");
	served_be(&served, "owner", "read,start,operate,approve");
	served_ask(&served, "POST", ROLLBACKS, body, key);
	assert_int_equal(served.status, 201);
	id = served_text(&served, "/rollout");
	assert_string_not_equal(id, release);
	assert_text("/starter", "owner");
	served_ask(&served, "POST", ROLLBACKS, body, key);
	assert_int_equal(served.status, 201);
	assert_text("/rollout", id);
	served_wait_phase(&served, id, "rolled-back");
	assert_true(
		served_has(&served, "rolled back by owner: users complain"));
	assert_text("/candidate", "backend-2");
	assert_text("/stable", "backend-1");
	served_expect(&served, 200, "GET", "/api/v1/rollouts", NULL);
	assert_int_equal(count("\"rollout\":"), 2);
	/* Once more there is nothing to do, and to itself nothing goes. */
	served_expect(&served, 200, "POST", ROLLBACKS, PLAIN);
	assert_text("/outcome", "nothing-to-do");
	assert_text("/stable", "backend-1");
	served_ask(&served, "POST", ROLLBACKS,
		"{\"policy\":\"e2e\",\"to\":\"backend-1\",\"again\":true,"
		"\"candidate\":\"backend-1\"}",
		NULL);
	expect_problem(400, "bad-request");
	free(release);
	free(id);
}

static void one_that_has_not_ended_is_aborted(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");

	/* To where it does not go back. */
	served_ask(&served, "POST", ROLLBACKS,
		"{\"policy\":\"e2e\",\"to\":\"backend-2\"}", NULL);
	expect_problem(409, "refused");
	assert_true(served_has(&served, "leave to out"));
	served_expect(&served, 202, "POST", ROLLBACKS, PLAIN);
	assert_text("/rollout", id);
	assert_text("/outcome", "aborted");
	served_wait_phase(&served, id, "rolled-back");
	assert_true(served_has(&served, "aborted by owner"));
	served_expect(&served, 200, "GET", "/api/v1/rollouts", NULL);
	assert_int_equal(count("\"rollout\":"), 1);
	free(id);
}

static void sandbox_is_told(
	const char *method, const char *path, const char *body)
{
	char *address = served.address;

	served.address = served.admin;
	served_ask(&served, method, path, body, NULL);
	served.address = address;
	assert_int_equal(served.status / 100, 2);
}

/* After one that was promoted: it waits for its metrics, and moves nothing. */
static char *next_in_preflight(void)
{
	char *id;

	free(promoted());
	sandbox_is_told(
		"POST", "/sandbox/deploy", "{\"revision\":\"backend-3\"}");
	sandbox_is_told("PUT", "/sandbox/metrics", "{\"hang\": true}");
	served_expect(&served, 201, "POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"candidate\":\"backend-3\"}");
	id = served_text(&served, "/rollout");
	served_wait_phase(&served, id, "preflight");
	return id;
}

static void one_that_has_not_begun_is_ended_and_nothing_goes_back(void **state)
{
	char *id;

	sandbox_is_told("PUT", "/sandbox/metrics", "{\"hang\": true}");
	served_expect(&served, 201, "POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"candidate\":\"backend-2\"}");
	id = served_text(&served, "/rollout");
	served_wait_phase(&served, id, "preflight");
	served_expect(&served, 202, "POST", ROLLBACKS, "{\"policy\":\"e2e\"}");
	assert_text("/outcome", "aborted");
	assert_text("/rollout", id);
	served_wait_phase(&served, id, "refused");
	free(id);
}

static void one_that_has_not_begun_is_ended_and_who_serves_goes_back(
	void **state)
{
	char *next = next_in_preflight(), *id;

	served_expect(&served, 200, "POST", ROLLBACKS,
		"{\"policy\":\"e2e\",\"drill\":true}");
	assert_text("/drill/0/what", "rollout");
	assert_text("/drill/0/name", next);
	assert_text("/drill/1/detail", "backend-2 100 % -> backend-1 100 %");
	served_expect(&served, 201, "POST", ROLLBACKS,
		"{\"policy\":\"e2e\",\"to\":\"backend-1\"}");
	id = served_text(&served, "/rollout");
	assert_string_not_equal(id, next);
	served_wait_phase(&served, id, "rolled-back");
	assert_text("/candidate", "backend-2");
	assert_text("/stable", "backend-1");
	served_wait_phase(&served, next, "refused");
	assert_true(served_has(&served, "aborted by owner"));
	free(next);
	free(id);
}

/* Another process has driven it, and the daemon has yet to take it up. */
static void one_that_was_left_is_ended_and_who_serves_goes_back(void **state)
{
	char *next = next_in_preflight();
	struct lease_watch watch = {0};
	struct store *elsewhere;
	struct store_lease lease;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	served_stop(&served);
	elsewhere = store_open(served.config->state, STORE_EDIT, &err);
	assert_int_equal(store_lease_take(elsewhere, SERVED_SERVICE, next,
				 &watch, &arena, &lease, &err),
		1);
	served_start(&served);
	/* It has looked who drives what. */
	served_expect(&served, 200, "GET", "/api/v1/rollouts", NULL);
	store_lease_drop(elsewhere, SERVED_SERVICE, lease.fence);
	served_expect(&served, 201, "POST", ROLLBACKS, PLAIN);
	assert_text("/service", SERVED_SERVICE);
	served_wait_phase(&served, next, "refused");
	store_free(&elsewhere);
	arena_fini(&arena);
	free(next);
}

static void a_service_without_history_needs_a_name_to_go_to(void **state)
{
	served_ask(&served, "POST", ROLLBACKS, PLAIN, NULL);
	expect_problem(409, "refused");
	assert_true(served_has(&served, "say to which revision with to"));
	served_ask(&served, "POST", ROLLBACKS,
		"{\"policy\":\"e2e\",\"to\":\"backend-2\"}", NULL);
	assert_int_equal(served.status, 201);
	assert_text("/service", SERVED_SERVICE);
	served_ask(&served, "POST", ROLLBACKS,
		"{\"policy\":\"e2e\",\"service\":\"nobody\",\"to\":\"x\"}",
		NULL);
	expect_problem(404, "not-found");
}

#define DRILLED                                                            \
	"\ntidegate_last_drill_timestamp_seconds{project=\"acme\",region=" \
	"\"us-central1\",service=\"backend\"} "

/* As the page of metrics has it; NULL: never. */
static char *drilled_when(void)
{
	const char *at;

	served_expect(&served, 200, "GET", "/metrics", NULL);
	at = strstr(served.body.data, DRILLED);
	if (!at)
		return NULL;
	at += strlen(DRILLED);
	return xmemdup0(at, strcspn(at, "\n"));
}

static bool is_drilled(void)
{
	char *when = drilled_when();

	free(when);
	return when != NULL;
}

static void a_drill_answers_a_table_and_changes_nothing(void **state)
{
	static const char drill[] = "{\"policy\":\"seq\",\"drill\":true}";
	static const char policy[] =
		"version: 1\n"
		"name: seq\n"
		"target: {project: acme, region: us-central1, "
		"service: backend}\n"
		"metrics: {url: \"${PROMETHEUS_URL}\"}\n"
		"steps: [{percent: 100, bake: 5m}]\n"
		"slos: [{name: errors, query: 'x{r=\"{{candidate}}\"}', "
		"max: 1}]\n"
		"rollback:\n"
		"  - {name: note, type: exec, command: [%s, x]}\n"
		"  - {name: look, type: http, url: %s/sandbox}\n";
	char *release = promoted(), *text, *first;
	size_t before = patches();

	text = xasprintf(policy, "touch", served.admin);
	served_write(&served, "policies/seq.yaml", text);
	free(text);
	reload();
	served_expect(&served, 200, "POST", ROLLBACKS, drill);
	assert_text("/drill/0/what", "traffic");
	assert_text("/drill/0/detail", "backend-2 100 % -> backend-1 100 %");
	assert_text("/drill/1/name", "backend-1");
	assert_text("/drill/2/name", "note");
	assert_text("/drill/3/name", "look");
	assert_text("/ready", "true");
	assert_text("/missing", "0");
	/* It is kept when that was, also for the daemon's next life. */
	first = drilled_when();
	assert_non_null(first);
	served_stop(&served);
	served_start(&served);
	RUN_UNTIL(daemon_loop(served.daemon), is_drilled());
	/* What is missing is named, and such a drill does not count. */
	text = xasprintf(policy, "no-such-program", served.admin);
	served_write(&served, "policies/seq.yaml", text);
	free(text);
	reload();
	served_expect(&served, 200, "POST", ROLLBACKS, drill);
	assert_text("/ready", "false");
	assert_text("/missing", "1");
	assert_text("/drill/2/ready", "false");
	assert_true(served_has(&served, "no-such-program"));
	text = drilled_when();
	assert_string_equal(text, first);
	free(text);
	free(first);
	assert_int_equal(patches(), before);
	served_expect(&served, 200, "GET", "/api/v1/rollouts", NULL);
	assert_int_equal(count("\"rollout\":"), 1);
	free(release);
}

/* It is a rollout like all others: the next daemon goes on with it. */
static void a_rollback_outlives_the_daemon(void **state)
{
	static const char policy[] =
		"version: 1\n"
		"name: slow\n"
		"target: {project: acme, region: us-central1, "
		"service: backend}\n"
		"metrics: {url: \"${PROMETHEUS_URL}\"}\n"
		"steps: [{percent: 100, bake: 5m}]\n"
		"slos: [{name: errors, query: 'x{r=\"{{candidate}}\"}', "
		"max: 1}]\n"
		"rollback:\n"
		"  - {name: slow, type: exec, idempotent: true, timeout: 5m,\n"
		"     on_failure: stop, command: [sh, -c,\n"
		"       \"test -e %s/go || exec tail -f /dev/null\"]}\n";
	char *release = promoted(), *text, *id;

	text = xasprintf(policy, served.folder);
	served_write(&served, "policies/slow.yaml", text);
	reload();
	served_expect(&served, 201, "POST", ROLLBACKS, "{\"policy\":\"slow\"}");
	id = served_text(&served, "/rollout");
	/* One at a time: it goes back already. */
	served_wait_phase(&served, id, "rolling-back");
	served_expect(&served, 202, "POST", ROLLBACKS, "{\"policy\":\"slow\"}");
	assert_text("/rollout", id);
	assert_text("/outcome", "going-back");
	served_stop(&served);
	served_write(&served, "go", "");
	served_start(&served);
	RUN_UNTIL(daemon_loop(served.daemon), served_is_driven(&served, id));
	served_wait_phase(&served, id, "rolled-back");
	assert_text("/stable", "backend-1");
	free(release);
	free(text);
	free(id);
}

static void forget_reply(const struct http_reply *reply, void *arg)
{
}

/* Whoever asked is not answered any more, and nothing is left behind. */
static void the_daemon_may_end_while_it_asks(void **state)
{
	const struct http_header headers[] = {{"Authorization", served.token}};
	char *url = xasprintf("%s" ROLLBACKS, served.address);
	const struct http_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.n_headers = 1,
		.content_type = "application/json",
		.body = "{\"policy\":\"e2e\",\"to\":\"backend-2\"}",
		.body_len = strlen("{\"policy\":\"e2e\",\"to\":\"backend-2\"}"),
		.body_max = 65536,
		.timeout_ms = 60000,
	};
	char *address = served.address;

	sandbox_fault("{\"method\": \"GET\", \"path\": \"*/services/backend\", "
		      "\"kind\": \"hang\"}");
	http_start(served.http, &request, forget_reply, NULL);
	served.address = served.admin;
	do {
		served_expect(
			&served, 200, "GET", "/sandbox/log?method=GET", NULL);
	} while (!served_has(&served, "services/backend"));
	served.address = address;
	assert_int_equal(daemon_visits(served.daemon), 1);
	free(url);
	served_stop(&served);
	served_start(&served);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(what_was_promoted_is_taken_back_once),
		WORLD(one_that_has_not_ended_is_aborted),
		WORLD(one_that_has_not_begun_is_ended_and_nothing_goes_back),
		WORLD(one_that_has_not_begun_is_ended_and_who_serves_goes_back),
		WORLD(one_that_was_left_is_ended_and_who_serves_goes_back),
		WORLD(a_service_without_history_needs_a_name_to_go_to),
		WORLD(a_drill_answers_a_table_and_changes_nothing),
		WORLD(a_rollback_outlives_the_daemon),
		WORLD(the_daemon_may_end_while_it_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
