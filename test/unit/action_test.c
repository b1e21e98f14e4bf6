/* SPDX-License-Identifier: Apache-2.0 */
/* Actions against a real server and real programs on this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "action_fixture.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/server.h"

static struct server *server;

static struct {
	int requests, good_from; /* the first request that is answered well */
	char seen[4096]; /* "METHOD target body" of the last one */
	char header[256];
	bool hang;
	struct server_request *hanging[4];
	int n_hanging;
} peer;

static void answer(struct server_request *request, void *arg)
{
	static const char good[] = "{\"status\":\"healthy\",\"n\":1}";
	static const char bad[] = "down, token=open-sesame";
	const char *body, *header;
	size_t len;

	peer.requests++;
	body = request_body(request, &len);
	header = request_header(request, "X-Key");
	snprintf(peer.header, sizeof(peer.header), "%s", header ? header : "");
	snprintf(peer.seen, sizeof(peer.seen), "%s %s %.*s",
		request_method(request), request_target(request), (int)len,
		body ? body : "");
	if (peer.hang) {
		assert_true(peer.n_hanging < 4);
		peer.hanging[peer.n_hanging++] = request;
		return;
	}
	if (peer.requests < peer.good_from)
		request_answer(
			request, 503, "text/plain", bad, sizeof(bad) - 1);
	else
		request_answer(request, 200, "application/json", good,
			sizeof(good) - 1);
}

static int setup(void **state)
{
	struct err err;

	memset(&peer, 0, sizeof(peer));
	fixture_open();
	values.reason = "5xx \"high\"";
	server = server_new(loop, 0, answer, NULL, &err);
	assert_non_null(server);
	return 0;
}

static int teardown(void **state)
{
	while (peer.n_hanging)
		request_reset(peer.hanging[--peer.n_hanging]);
	if (action.kind == ACTION_HTTP)
		secret_free(&action.u.http.url);
	server_free(&server);
	fixture_close();
	return 0;
}

static void expect_detail(const char *part)
{
	expect(end.result, part);
}

static void set_url(const char *rest)
{
	char url[512];
	int n = snprintf(url, sizeof(url), "http://127.0.0.1:%d%s",
		server_port(server), rest);

	action.kind = ACTION_HTTP;
	action.u.http.attempts = 1;
	action.u.http.url = secret_new(url, (size_t)n);
}

/* ---- http ---- */

static void a_request_is_sent_as_the_policy_says(void **state)
{
	struct header header = {"X-Key", secret_new("k-0123456789", 12)};

	set_url("/purge?why={{reason}}");
	action.u.http.body = "{\"text\": \"{{reason}}\"}";
	action.u.http.headers = &header;
	action.u.http.n_headers = 1;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_string_equal(peer.seen, "POST /purge?why=5xx%20%22high%22 "
				       "{\"text\": \"5xx \\\"high\\\"\"}");
	assert_string_equal(peer.header, "k-0123456789");
	expect_detail("answered 200 in ");
	secret_free(&header.value);
}

static void an_answer_that_is_not_expected_fails_and_is_shown(void **state)
{
	struct secret *secret = secret_new("open-sesame", 11);

	peer.good_from = 100;
	set_url("/health");
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	expect_detail("answered 503 in ");
	expect_detail("down, token=***");
	assert_null(strstr(end.detail, "sesame"));
	secret_free(&secret);
}

static void status_body_json_and_latency_are_all_looked_at(void **state)
{
	static const int statuses[] = {200, 204};
	static const struct json_expect json[] = {
		{.pointer = "/n", .value = "1"},
		{.pointer = "/status", .exists = true},
	};

	set_url("/");
	action.u.http.expect = (struct http_expect){.statuses = statuses,
		.n_statuses = 2,
		.body = "heal(thy|ed)",
		.json = json,
		.n_json = 2,
		.max_latency_ms = 9000};
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
}

static void each_expectation_can_fail_by_itself(void **state)
{
	static const int teapot = 418;
	static const struct json_expect json = {.pointer = "/n", .value = "2"};
	static const struct {
		struct http_expect expect;
		const char *said;
	} rows[] = {
		{{.statuses = &teapot, .n_statuses = 1}, "not expected"},
		{{.body = "sick"}, "does not match \"sick\""},
		{{.json = &json, .n_json = 1}, "/n is 1, expected 2"},
	};

	set_url("/");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		action.u.http.expect = rows[i].expect;
		run_job(JOB_RUN, NULL);
		assert_int_equal(end.result, ACTION_FAILED);
		expect_detail(rows[i].said);
	}
}

static void attempts_wait_until_it_is_healthy(void **state)
{
	peer.good_from = 3;
	set_url("/health");
	action.u.http.attempts = 5;
	action.u.http.every_ms = 20;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_int_equal(peer.requests, 3);
	assert_true(end.duration_ms >= 40);
}

static void attempts_that_run_out_are_a_failure(void **state)
{
	peer.good_from = 100;
	set_url("/health");
	action.u.http.attempts = 3;
	action.u.http.every_ms = 1;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	assert_int_equal(peer.requests, 3);
	expect_detail("(attempt 3 of 3)");
}

static void a_write_that_hangs_is_unknown_unless_it_may_be_repeated(
	void **state)
{
	peer.hang = true;
	set_url("/pay");
	action.u.http.body = "x";
	action.timeout_ms = 200;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_UNKNOWN);
	action.idempotent = true;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
}

static void bad_requests_are_found_before_a_rollout(void **state)
{
	struct err err;

	set_url("/");
	assert_int_equal(action_check(&env, &action, &err), 0);
	action.u.http.expect.body = "(";
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_non_null(strstr(err.text, "action \"probe\": "));
	action.u.http.expect.body = NULL;
	action.u.http.tls.ca_file = "/nonexistent/ca.pem";
	assert_int_equal(action_check(&env, &action, &err), -1);
	action.u.http.tls.ca_file = NULL;
	action.u.http.auth.type = AUTH_GOOGLE;
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	action.u.http.auth.type = AUTH_NONE;
	secret_free(&action.u.http.url);
	action.u.http.url = secret_new("http://example.com/", 19);
	assert_int_equal(action_check(&env, &action, &err), -1);
}

static void access_tokens_go_to_google_only(void **state)
{
	static const struct {
		const char *url;
		enum err_code code;
	} rows[] = {
		{"https://example.com/", ERR_POLICY},
		{"https://run.googleapis.com.example.com/", ERR_POLICY},
		{"https://notgoogleapis.com/", ERR_POLICY},
		{"https://run.googleapis.com@example.com/", ERR_POLICY},
		{"{{candidate_url}}/health", ERR_POLICY},
		/* These are fine; what is missing here are credentials. */
		{"https://run.googleapis.com/v2/x", ERR_AUTH},
		{"http://127.0.0.1:1/", ERR_AUTH},
	};
	struct err err;
	size_t i;

	action.u.http.auth.type = AUTH_GOOGLE;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		secret_free(&action.u.http.url);
		action.u.http.url =
			secret_new(rows[i].url, strlen(rows[i].url));
		assert_int_equal(action_check(&env, &action, &err), -1);
		assert_int_equal(err.code, rows[i].code);
	}
	action.u.http.auth.type = AUTH_NONE;
}

static void a_cancelled_run_says_nothing(void **state)
{
	struct action_run *started;
	struct err err;

	peer.hang = true;
	set_url("/");
	started = action_start(&env, &action, &values, ended, NULL);
	action_cancel(&started);
	assert_null(started);
	server_free(&server);
	assert_int_equal(loop_run(loop, &err), 0); /* nothing is left */
	assert_false(end.there);
}

/* ---- exec ---- */

static void set_command(const char **argv, size_t n)
{
	action.kind = ACTION_EXEC;
	action.u.exec.command = argv;
	action.u.exec.n_command = n;
}

static void a_program_gets_its_arguments_as_they_are(void **state)
{
	const char *argv[] = {"printf", "%s|%s", "{{reason}}", "$HOME; ls"};

	set_command(argv, 4);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_string_equal(end.detail, "exit 0: 5xx \"high\"|$HOME; ls");
}

static void its_environment_is_built_and_not_inherited(void **state)
{
	struct env_var named[] = {{"TOKEN", secret_new("t-0123456789", 12)},
		{"TIDEGATE_STABLE", secret_new("mine", 4)}};
	const char *argv[] = {"env"};

	setenv("INHERITED", "yes", 1);
	set_command(argv, 1);
	action.u.exec.env = named;
	action.u.exec.n_env = 2;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	expect_detail("TIDEGATE_CANDIDATE=shop-2");
	expect_detail("PATH=");
	assert_null(strstr(end.detail, "INHERITED"));
	assert_null(strstr(end.detail, "TIDEGATE_STABLE=shop-1"));
	assert_null(strstr(end.detail, "t-0123456789"));
	secret_free(&named[0].value);
	secret_free(&named[1].value);
}

static void a_failure_shows_what_was_printed(void **state)
{
	const char *argv[] = {"sh", "-c", "echo no such table >&2; exit 3"};

	set_command(argv, 3);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_FAILED);
	assert_string_equal(end.detail, "exit 3: no such table");
}

static void a_program_that_does_not_end_is_stopped(void **state)
{
	const char *argv[] = {"sh", "-c", "echo halfway; exec sleep 60"};

	set_command(argv, 3);
	action.timeout_ms = 300;
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_UNKNOWN);
	expect_detail("halfway");
	expect_detail("had not finished");
}

static void much_output_is_cut_and_said_to_be(void **state)
{
	const char *argv[] = {"sh", "-c", "head -c 300000 /dev/zero"};

	set_command(argv, 3);
	run_job(JOB_RUN, NULL);
	assert_int_equal(end.result, ACTION_OK);
	assert_true(strlen(end.detail) < ACTION_DETAIL_MAX);
	expect_detail("bytes more]");
}

static void a_program_that_is_not_there_is_found_before(void **state)
{
	const char *argv[] = {"no-such-program-anywhere"};
	struct err err;

	set_command(argv, 1);
	assert_int_equal(action_check(&env, &action, &err), -1);
	argv[0] = "sh";
	assert_int_equal(action_check(&env, &action, &err), 0);
}

/* ---- report ---- */

static void a_report_is_for_a_file_that_can_be_written(void **state)
{
	char folder[] = "/tmp/action_test.XXXXXX";
	struct err err;

	assert_non_null(mkdtemp(folder));
	policy.folder = folder;
	action.kind = ACTION_REPORT;
	action.u.report.path = "{{rollout}}.md";
	assert_int_equal(action_check(&env, &action, &err), 0);
	action.u.report.path = "not-there/{{rollout}}.md";
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_non_null(strstr(err.text, "cannot write into the folder"));
	action.u.report.path = "/";
	assert_int_equal(action_check(&env, &action, &err), -1);
	action.u.report.path = "./";
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_non_null(strstr(err.text, "is no file's name: add one"));
	action.u.report.path = folder;
	assert_int_equal(action_check(&env, &action, &err), -1);
	assert_non_null(strstr(err.text, "is a folder: name a file in it"));
	assert_int_equal(rmdir(folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_sent_as_the_policy_says),
		TEST(an_answer_that_is_not_expected_fails_and_is_shown),
		TEST(status_body_json_and_latency_are_all_looked_at),
		TEST(each_expectation_can_fail_by_itself),
		TEST(attempts_wait_until_it_is_healthy),
		TEST(attempts_that_run_out_are_a_failure),
		TEST(a_write_that_hangs_is_unknown_unless_it_may_be_repeated),
		TEST(bad_requests_are_found_before_a_rollout),
		TEST(access_tokens_go_to_google_only),
		TEST(a_cancelled_run_says_nothing),
		TEST(a_program_gets_its_arguments_as_they_are),
		TEST(its_environment_is_built_and_not_inherited),
		TEST(a_failure_shows_what_was_printed),
		TEST(a_program_that_does_not_end_is_stopped),
		TEST(much_output_is_cut_and_said_to_be),
		TEST(a_program_that_is_not_there_is_found_before),
		TEST(a_report_is_for_a_file_that_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
