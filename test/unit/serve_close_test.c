/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon that is closed while requests of all kinds wait in it: each is
 * ended, by what it waits for, and nothing is left behind. What is not freed is
 * found by the sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/http.h"
#include "io/loop.h"
#include "serve/driven.h"
#include "serve_fixture.h"
#include "store/store.h"
#include "until.h"

#define TURNS_MAX 24 /* after which the daemon is closed, at most */

static struct served served;
static char *rollout; /* waits for approval, and somebody else drives it */
static struct store *elsewhere; /* theirs */
static struct arena arena;
static struct lease_watch lease_watch;
static struct store_lease lease;
static char *logged; /* the last line of a decision */

static void take_line(const char *line, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	if (!strstr(line, "event=decision"))
		return;
	free(logged);
	logged = xstrdup(line);
}

/* Its driver does not answer: a decision waits for as long as it may. */
static void be_driven_elsewhere(void)
{
	struct err err;

	served_stop(&served);
	elsewhere = store_open(served.config->state, STORE_EDIT, &err);
	assert_non_null(elsewhere);
	if (store_lease_take(elsewhere, SERVED_SERVICE, rollout, &lease_watch,
		    &arena, &lease, &err) < 0)
		fail_msg("%s", err.text);
	served_start(&served);
}

static int setup(void **state)
{
	arena_init(&arena);
	served_open(&served);
	rollout = served_rollout(&served, "awaiting-approval");
	be_driven_elsewhere();
	log_set_level(LOG_INFO);
	log_set_sink(take_line, NULL);
	return 0;
}

static int teardown(void **state)
{
	log_set_sink(NULL, NULL);
	store_lease_drop(elsewhere, SERVED_SERVICE, lease.fence);
	store_free(&elsewhere);
	served_close(&served);
	arena_fini(&arena);
	free(rollout);
	free(logged);
	return 0;
}

/* ---- requests that wait ---- */

static void take_nothing(const struct http_reply *reply, void *arg)
{
	(void)reply;
	(void)arg;
}

static void send(const char *method, const char *path, const char *body,
	const char *header, const char *value)
{
	char *url = xasprintf("%s%s", served.address, path);
	const struct http_header headers[] = {
		{"Authorization", served.token}, {header, value}};
	const struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.n_headers = header ? 2 : 1,
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.body_max = 1024 * 1024,
		.timeout_ms = 60000,
	};

	http_start(served.http, &request, take_nothing, NULL);
	free(url);
}

/* {} is the rollout, {n} a number that is new each time. */
static char *filled_in(const char *text, int n)
{
	struct buf out;

	if (!text)
		return NULL;
	buf_init(&out, 4096);
	for (; *text; text++)
		if (!strncmp(text, "{n}", 3)) {
			buf_addf(&out, "%d", n);
			text += 2;
		} else if (!strncmp(text, "{}", 2)) {
			buf_adds(&out, rollout);
			text++;
		} else {
			buf_addc(&out, *text);
		}
	return buf_steal(&out);
}

#define DECISION                                                      \
	"{\"verb\":\"pause\",\"step\":2,\"candidate\":\"backend-2\"," \
	"\"comment\":\"number {n}\"}"
#define SERVICE "\"service\":\"backend-{n}\""

static const struct {
	const char *method, *path, *body, *header, *value;
} requests[] = {
	{"POST", "/api/v1/rollouts/{}/decisions", DECISION},
	{"POST", "/api/v1/rollouts/{}/decisions", DECISION, "Idempotency-Key",
		"decision-{n}"},
	{"POST", "/api/v1/rollouts", "{\"policy\":\"e2e\"," SERVICE "}"},
	{"POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"service\":\"backend-k{n}\"}",
		"Idempotency-Key", "start-{n}"},
	{"POST", "/api/v1/rollbacks",
		"{\"policy\":\"e2e\",\"drill\":true,\"service\":\"backend\"}",
		"Idempotency-Key", "drill-{n}"},
	{"POST", "/api/v1/rollbacks", "{\"policy\":\"e2e\"," SERVICE "}"},
	{"POST", "/api/v1/rollbacks", "{\"policy\":\"e2e\"}"},
	{"GET", "/api/v1/rollouts"},
	{"GET", "/api/v1/rollouts/{}"},
	{"GET", "/api/v1/rollouts/{}/report"},
	{"GET", "/api/v1/rollouts/{}/record"},
	{"GET", "/api/v1/rollouts/{}/events"},
	{"GET", "/api/v1/rollouts/{}/events", NULL, "Accept",
		"text/event-stream"},
	{"GET", "/api/v1/stream"},
	{"GET", "/api/v1/services"},
	{"GET", "/api/v1/services/acme/us-central1/backend"},
	{"GET", "/api/v1/me"},
	{"GET", "/"},
	{"GET", "/rollouts/{}"},
	{"GET", "/services/acme/us-central1/backend"},
	{"GET", "/me"},
};

static void send_all(int n)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		char *path = filled_in(requests[i].path, n);
		char *body = filled_in(requests[i].body, n);
		char *value = filled_in(requests[i].value, n);

		send(requests[i].method, path, body, requests[i].header, value);
		free(path);
		free(body);
		free(value);
	}
}

/* ---- tests ---- */

/* A list is read at the desk after the decision was left there. */
static void a_decision_that_waits_for_its_driver_is_told_of_the_end(
	void **state)
{
	char *path = filled_in("/api/v1/rollouts/{}/decisions", 0);
	char *body = filled_in(DECISION, 0);
	struct store_command *commands;
	size_t n = 0;
	struct err err;

	send("POST", path, body, NULL, NULL);
	RUN_UNTIL(daemon_loop(served.daemon),
		store_commands_waiting(
			elsewhere, rollout, &arena, &commands, &n, &err) == 0 &&
			n == 1);
	served_expect(&served, 200, "GET", "/api/v1/rollouts", NULL);
	assert_int_equal(daemon_visits(served.daemon), 1);
	assert_null(logged);
	served_stop(&served);
	served_start(&served);
	assert_non_null(logged);
	assert_non_null(strstr(logged, "result=waiting"));
	free(path);
	free(body);
}

static void requests_of_all_kinds_end_with_the_daemon_wherever_they_are(
	void **state)
{
	for (int n = 1; n <= TURNS_MAX; n++) {
		send_all(n);
		RUN_UNTIL(daemon_loop(served.daemon),
			daemon_visits(served.daemon) > 0);
		for (int turn = 0; turn < n; turn++)
			until_turn(daemon_loop(served.daemon));
		served_stop(&served);
		served_start(&served);
	}
	served_expect(&served, 200, "GET", "/readyz", NULL);
}

/* It waits for the lease that somebody else has. */
static void a_start_that_the_end_cut_short_may_be_sent_again(void **state)
{
	static const char service[] =
		"projects/acme/locations/us-central1/services/held";
	static const char body[] = "{\"policy\":\"e2e\",\"service\":\"held\"}";
	static const char key[] = "Idempotency-Key: cut-short";
	struct lease_watch watch = {0};
	struct store_lease held;
	struct err err;

	assert_int_equal(store_lease_take(elsewhere, service, "another", &watch,
				 &arena, &held, &err),
		1);
	send("POST", "/api/v1/rollouts", body, "Idempotency-Key", "cut-short");
	RUN_UNTIL(daemon_loop(served.daemon),
		driven_of_service(daemon_driven(served.daemon), service));
	served_stop(&served);
	served_start(&served);
	store_lease_drop(elsewhere, service, held.fence);
	served_ask(&served, "POST", "/api/v1/rollouts", body, key);
	assert_int_equal(served.status, 201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_start_that_the_end_cut_short_may_be_sent_again),
		cmocka_unit_test(
			a_decision_that_waits_for_its_driver_is_told_of_the_end),
		cmocka_unit_test(
			requests_of_all_kinds_end_with_the_daemon_wherever_they_are),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
