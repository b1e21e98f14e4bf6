/* SPDX-License-Identifier: Apache-2.0 */
/* Policies whose whole text comes with a request. */
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
#include "io/loop.h"
#include "serve/sent_policy.h"
#include "serve_fixture.h"
#include "until.h"

#define ROLLOUTS "/api/v1/rollouts"

static struct served served;
static struct access_row row;

static int setup(void **state)
{
	served_open(&served);
	row = served.config->access.rows[0];
	served.config->access.rows = &row;
	return 0;
}

static int teardown(void **state)
{
	served_close(&served);
	return 0;
}

/* A policy with these lines at its end, as a request. */
static void send(const char *more)
{
	char *text = xasprintf(
		"version: 1\n"
		"name: sent along\n"
		"target: {project: acme, region: us-central1, "
		"service: backend}\n"
		"metrics: {url: \"%s/prometheus\", timeout: 900ms}\n"
		"steps: [{percent: 20, bake: 1s},\n"
		"  {percent: 100, bake: 1s, approval: {approvers: [owner],\n"
		"   self_approval: true}}]\n"
		"settle: 0s\n"
		"slos: [{name: errors, query: 'x{r=\"{{candidate}}\"}',\n"
		"  max: 1, window: 2s, interval: 1s, min_passes: 1}]\n"
		"%s",
		served.admin, more);
	json_t *body = json_pack("{s:s}", "policy", text);
	char *dumped = json_dumps(body, JSON_COMPACT);

	served_ask(&served, "POST", ROLLOUTS, dumped, NULL);
	free(dumped);
	json_decref(body);
	free(text);
}

static void assert_text(const char *pointer, const char *wanted)
{
	char *text = served_text(&served, pointer);

	assert_string_equal(text, wanted);
	free(text);
}

static void expect(int status)
{
	if (served.status != status)
		fail_msg("%d and not %d: %s", served.status, status,
			served.body.data);
}

static void a_policy_may_be_sent_and_outlives_a_restart(void **state)
{
	char *id, *path;

	send("");
	expect(201);
	assert_text("/policy", "sent along");
	id = served_text(&served, "/rollout");
	served_wait_phase(&served, id, "awaiting-approval");
	served_stop(&served);
	served_start(&served);
	RUN_UNTIL(daemon_loop(served.daemon), served_is_driven(&served, id));
	path = xasprintf(ROLLOUTS "/%s/decisions", id);
	served_expect(&served, 202, "POST", path,
		"{\"verb\":\"approve\",\"step\":2,\"candidate\":"
		"\"backend-2\"}");
	served_wait_phase(&served, id, "promoted");
	free(path);
	free(id);
}

static void who_is_bound_to_policies_sends_none(void **state)
{
	static const char *const policies[] = {"e2e"};

	row.policies = policies;
	row.n_policies = 1;
	row.trust_sent = true;
	send("");
	expect(403);
	assert_text("/code", "denied");
	/* Nor is what they send looked at. */
	served_ask(&served, "POST", ROLLOUTS, "{\"policy\":\"{[\"}", NULL);
	expect(403);
	served_expect(&served, 201, "POST", ROLLOUTS, "{\"policy\":\"e2e\"}");
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
	char *long_one = xcalloc(1, SENT_POLICY_MAX + 32);

	send("setle: 3s\non_drift: run\n");
	expect(422);
	assert_string_equal(served.content_type, "application/problem+json");
	assert_text("/code", "policy-invalid");
	assert_text("/problems/0/line", "11");
	assert_text("/problems/0/column", "1");
	assert_true(served_has(&served, "did you mean settle?"));
	assert_text("/problems/1/line", "12");
	assert_text("/problems/1/column", "11");
	assert_text("/problems/2", "");
	served_ask(&served, "POST", ROLLOUTS, "{\"policy\":\"{[\"}", NULL);
	expect(422);
	assert_text("/problems/0/line", "1");
	memset(long_one, ' ', SENT_POLICY_MAX + 16);
	memcpy(long_one, "{\"policy\":\"", 11);
	memcpy(long_one + SENT_POLICY_MAX + 14, "\"}", 2);
	served_ask(&served, "POST", ROLLOUTS, long_one, NULL);
	expect(400);
	assert_true(served_has(&served, "it may have at most 49152"));
	free(long_one);
	/* Nothing of it began anything. */
	served_expect(&served, 200, "GET", ROLLOUTS, NULL);
	assert_text("/rollouts", "[]");
}

/* Each would be the sender's hand on the daemon's machine. */
static void nothing_of_the_daemon_is_in_what_is_sent(void **state)
{
	static const struct {
		const char *more, *why;
		const char *line, *column;
	} cases[] = {
		{"rollback:\n  - {name: a, type: exec, command: [true]}\n",
			"action a uses a program on the daemon", "12", "5"},
		{"hooks:\n  promoted:\n  - {name: a, type: database, command: "
		 "[true]}\n",
			"a program on the daemon", "13", "5"},
		{"rollback:\n  - {name: a, type: kubernetes, resource: "
		 "deployment/b, namespace: c}\n",
			"a program on the daemon", "12", "5"},
		{"hooks:\n  promoted:\n  - {name: a, type: report, path: x}\n",
			"a file on the daemon", "13", "5"},
		{"rollback:\n  - {name: a, type: secret, secret: b, value: "
		 "\"c\"}\n",
			"Google credentials", "12", "5"},
		{"rollback:\n  - {name: a, type: firebase-hosting, site: b}\n",
			"Google credentials", "12", "5"},
		{"health:\n  - {name: a, type: http, url: 'https://a.example',"
		 " auth: {type: google}}\n",
			"Google credentials", "12", "5"},
		{"health:\n  - {name: a, type: http, url: 'https://a.example',"
		 " tls: {ca_file: /etc/passwd}}\n",
			"files of the daemon", "12", "5"},
		{"health:\n  - {name: a, type: http, url: "
		 "'https://a.example/${HOME}'}\n",
			"a variable is the daemon", "12", "51"},
		{"health:\n  - {name: a, type: http, url: 'https://a.example',"
		 " auth: {type: bearer, token_file: /etc/passwd}}\n",
			"passwd\\\" is a file of the daemon", "12", ""},
	};
	char *line, *column;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		send(cases[i].more);
		expect(422);
		if (!served_has(&served, cases[i].why))
			fail_msg("%s: %s", cases[i].why, served.body.data);
		assert_true(served_has(&served, "trust_sent"));
		line = served_text(&served, "/problems/0/line");
		column = served_text(&served, "/problems/0/column");
		if (strcmp(line, cases[i].line) != 0 ||
			(*cases[i].column &&
				strcmp(column, cases[i].column) != 0))
			fail_msg("%s: %s", cases[i].why, served.body.data);
		free(line);
		free(column);
	}
}

static void a_row_may_trust_what_is_sent(void **state)
{
	static const char *const elsewhere[] = {"acme/*/frontend"};
	static const char more[] =
		"rollback:\n  - {name: a, type: exec, command: [\"true\"],\n"
		"     env: {WHO: \"${HOME}\"}}\n";

	row.trust_sent = true;
	/* Of another service it is not. */
	row.services = elsewhere;
	row.n_services = 1;
	send(more);
	expect(403);
	row.n_services = 0;
	send(more);
	expect(201);
	/* The same text from who is not trusted is another policy. */
	row.trust_sent = false;
	send(more);
	expect(422);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(a_policy_may_be_sent_and_outlives_a_restart),
		WORLD(who_is_bound_to_policies_sends_none),
		WORLD(what_is_wrong_is_told_with_its_place),
		WORLD(nothing_of_the_daemon_is_in_what_is_sent),
		WORLD(a_row_may_trust_what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
