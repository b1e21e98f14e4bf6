/* SPDX-License-Identifier: Apache-2.0 */
/* Databases and silences: programs of this machine, an Alertmanager of paper
 * that is as strict as the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "action/silence_codec.h"
#include "action_fixture.h"
#include "base/xalloc.h"
#include "io/server.h"

static struct server *server;

/* The Alertmanager: one silence at most, and what was asked of it. */
static struct {
	int status; /* 0: honest */
	bool old; /* has API v1 only */
	json_t *silence; /* NULL: none */
	int made, changed, expired;
	int others; /* silences of other people, in front of it */
	size_t list_len;
	char filter[512];
} peer;

static void refuse(struct server_request *request, const char *why)
{
	request_answer(request, 400, "application/json", why, strlen(why));
}

static void list(struct server_request *request)
{
	json_t *all = json_array();
	const char *query = strchr(request_target(request), '?');
	char *text;

	snprintf(peer.filter, sizeof(peer.filter), "%s", query ? query : "");
	for (int i = 0; i < peer.others; i++)
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}", "id",
				     "0d8eb77e-00f9-4e0e-9f20-047695569296",
				     "createdBy", "alice", "comment",
				     "a \\ \"quoted\" [text] {that} is no list",
				     "matchers", "name", "service", "value",
				     "other"));
	if (peer.silence)
		json_array_append(all, peer.silence);
	text = json_dumps(all, 0);
	peer.list_len = strlen(text);
	request_answer(request, 200, "application/json", text, peer.list_len);
	free(text);
	json_decref(all);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void store(struct server_request *request)
{
	static const char answer[] = "{\"silenceID\":\"7d8eb77e-00f9-4e0e\"}";
	size_t len;
	const char *body = request_body(request, &len);
	json_t *posted = json_loadb(body, len, 0, NULL);

	if (strcmp(request_header(request, "Content-Type"),
		    "application/json") != 0 ||
		!posted || !*text_of(posted, "createdBy") ||
		!*text_of(posted, "comment") ||
		strcmp(text_of(posted, "startsAt"),
			text_of(posted, "endsAt")) >= 0 ||
		!json_array_size(json_object_get(posted, "matchers"))) {
		refuse(request, "\"start time must be before end time\"");
		json_decref(posted);
		return;
	}
	if (!json_object_get(posted, "id"))
		peer.made++;
	else if (!strcmp(text_of(posted, "id"), text_of(peer.silence, "id")) &&
		 !strcmp(text_of(posted, "startsAt"),
			 text_of(peer.silence, "startsAt")))
		peer.changed++;
	json_decref(peer.silence);
	peer.silence = posted;
	json_object_set_new(posted, "id", json_string("7d8eb77e-00f9-4e0e"));
	json_object_set_new(
		posted, "status", json_pack("{s:s}", "state", "active"));
	request_answer(
		request, 200, "application/json", answer, sizeof(answer) - 1);
}

static void answer(struct server_request *request, void *arg)
{
	const char *method = request_method(request);
	const char *path = request_path(request);

	if (peer.old && strcmp(path, "/am/api/v1/status") != 0) {
		request_answer(request, 404, "text/plain", "404", 3);
	} else if (peer.old) {
		request_answer(request, 200, "application/json",
			"{\"status\":\"success\"}", 20);
	} else if (peer.status) {
		request_answer(request, peer.status, "text/plain", "gone", 4);
	} else if (!strcmp(path, "/am/api/v2/silence/7d8eb77e-00f9-4e0e") &&
		   !strcmp(method, "DELETE")) {
		peer.expired++;
		json_object_set_new(peer.silence, "status",
			json_pack("{s:s}", "state", "expired"));
		request_answer(request, 200, NULL, NULL, 0);
	} else if (strcmp(path, "/am/api/v2/silences") != 0) {
		request_answer(request, 404, "text/plain", "no", 2);
	} else if (!strcmp(method, "GET")) {
		list(request);
	} else {
		store(request);
	}
}

static int setup(void **state)
{
	struct err err;

	memset(&peer, 0, sizeof(peer));
	fixture_open();
	action.idempotent = true;
	server = server_new(loop, 0, answer, NULL, &err);
	assert_non_null(server);
	return 0;
}

static int teardown(void **state)
{
	if (action.kind == ACTION_SILENCE)
		secret_free(&action.u.silence.url);
	json_decref(peer.silence);
	server_free(&server);
	fixture_close();
	return 0;
}

/* ---- silences ---- */

static const struct matcher matchers[] = {
	{"service", "{{service}}", false, true},
	{"alertname", "Err.*|Slow", true, true},
	{"team", "data & \"x\"", false, false},
	{"job", "a \"b\"", false, true},
};

static void set_silence(void)
{
	char url[64];
	int n = snprintf(url, sizeof(url), "http://127.0.0.1:%d/am/",
		server_port(server));

	action.kind = ACTION_SILENCE;
	action.u.silence = (struct action_silence){
		.url = secret_hold(url, (size_t)n),
		.matchers = matchers,
		.n_matchers = 4,
		.lease_ms = 600000,
	};
}

static void a_silence_is_made_once_and_then_renewed(void **state)
{
	set_silence();
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "silenced what has service=shop, "
			  "alertname=~Err.*|Slow, team!=data");
	assert_string_equal(end.captured, "7d8eb77e-00f9-4e0e");
	assert_string_equal(peer.filter,
		"?filter=service%3D%22shop%22"
		"&filter=job%3D%22a%20%5C%22b%5C%22%22");
	assert_string_equal(text_of(peer.silence, "createdBy"),
		"tidegate shop-20260101-000000-aaaa");
	assert_string_equal(text_of(peer.silence, "comment"),
		"rollout shop-20260101-000000-aaaa: too many errors");
	run_job(JOB_RUN, NULL); /* again, after a crash */
	expect(ACTION_OK, "renewed the silence");
	run_job(JOB_RENEW, NULL);
	assert_int_equal(peer.made, 1);
	assert_int_equal(peer.changed, 2);
}

static void a_release_expires_what_is_ours_and_only_that(void **state)
{
	set_silence();
	run_job(JOB_RUN, NULL);
	run_job(JOB_RELEASE, NULL);
	expect(ACTION_OK, "expired 1 silence");
	assert_int_equal(peer.expired, 1);
	run_job(JOB_RELEASE, NULL);
	expect(ACTION_OK, "expired 0 silences");
	json_decref(peer.silence);
	peer.silence = NULL;
	run_job(JOB_RUN, NULL);
	assert_int_equal(peer.made, 2);
	json_object_set_new(
		peer.silence, "createdBy", json_string("somebody else"));
	run_job(JOB_RELEASE, NULL);
	expect(ACTION_OK, "expired 0 silences");
	assert_int_equal(peer.expired, 1);
}

static void set(const char *key, const char *text)
{
	json_object_set_new(peer.silence, key, json_string(text));
}

static void a_silence_that_somebody_has_touched_is_left_so(void **state)
{
	static const enum action_job jobs[] = {JOB_RENEW, JOB_RUN};

	set_silence();
	for (size_t i = 0; i < 2; i++) {
		run_job(JOB_RUN, NULL);
		set("createdBy", "alice");
		run_job(jobs[i], NULL);
		expect(ACTION_SKIPPED, "somebody has taken silence "
				       "7d8eb77e-00f9-4e0e over: it stays his");
		set("createdBy", "tidegate shop-20260101-000000-aaaa");
		set("endsAt", "2999-01-01T00:00:00.000Z");
		run_job(jobs[i], NULL);
		expect(ACTION_OK, "silence 7d8eb77e-00f9-4e0e lasts until "
				  "2999-01-01T00:00:00.000Z already");
		json_object_set_new(peer.silence, "status",
			json_pack("{s:s}", "state", "expired"));
		set("endsAt", "2026-01-01T00:00:00.000Z");
		set("updatedAt", "2026-01-01T00:00:00.002Z");
		run_job(jobs[i], NULL);
		expect(ACTION_SKIPPED, "somebody has ended silence "
				       "7d8eb77e-00f9-4e0e: it stays ended");
		assert_int_equal(peer.made, 1);
		/* It ran out while nothing renewed it. */
		set("updatedAt", "2025-12-31T23:50:00.002Z");
		run_job(jobs[i], NULL);
		expect(ACTION_OK, "silenced what has");
		assert_int_equal(peer.made, 2);
		peer.made = peer.changed = 0;
		json_decref(peer.silence);
		peer.silence = NULL;
	}
}

static void a_list_of_millions_of_bytes_is_looked_through(void **state)
{
	set_silence();
	run_job(JOB_RUN, NULL);
	peer.others = 30000;
	run_job(JOB_RENEW, NULL);
	expect(ACTION_OK, "renewed the silence");
	assert_true(peer.list_len > 5000000);
	assert_int_equal(peer.made, 1);
}

static void a_drill_makes_no_silence(void **state)
{
	set_silence();
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would silence what has service=shop");
	assert_int_equal(peer.made, 0);
}

static void a_server_without_the_api_is_told(void **state)
{
	set_silence();
	peer.status = 410;
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 410: there is no API v2 at this URL");
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED, "answered 410: there is no API v2 at this URL");
	peer.old = true;
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_FAILED,
		"answered 404: this Alertmanager only has API v1");
	peer.old = false;
	peer.status = 0;
	run_job(JOB_CAPTURE, NULL);
	expect(ACTION_OK, "API v2 answers");
	assert_int_equal(peer.made, 0);
	assert_true(action_has_job(&action, JOB_RENEW));
	assert_int_equal(action_lease_ms(&action), 600000);
}

static void matchers_that_match_nothing_in_particular_are_refused(void **state)
{
	static const struct {
		struct matcher matcher;
		int rc;
	} rows[] = {
		{{"a", "x", false, true}, 0},
		{{"a", "", false, true}, -1},
		{{"a", "x", false, false}, -1},
		{{"a", "", false, false}, 0},
		{{"a", "x|y", true, true}, 0},
		{{"a", ".*", true, true}, -1},
		{{"a", ".+", true, false}, -1},
		{{"a", "(", true, true}, -1},
	};
	struct err err;

	set_silence();
	action.u.silence.n_matchers = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		action.u.silence.matchers = &rows[i].matcher;
		assert_int_equal(action_check(&env, &action, &err), rows[i].rc);
	}
}

static void answers_that_are_none_are_refused(void **state)
{
	static const char *const rows[] = {"", "{}", "[", "nothing", "[{]",
		"[{\"me\":1}] x", "[{\"me\"}]", "[{\"a\\",
		"[{\"id\":\"../x\",\"createdBy\":\"me\",\"matchers\":"
		"[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false}]}]"};
	struct matcher matcher = {"a", "b", false, true};
	struct silence_spec spec = {&matcher, 1, "me", "me", "", 0};
	struct silences_found found;
	char id[SILENCE_ID_MAX];
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(silence_find(&spec, rows[i], strlen(rows[i]),
					 &found, &err),
			-1);
		assert_int_equal(
			silence_decode_id(rows[i], strlen(rows[i]), id, &err),
			-1);
	}
}

/* Longer than what is parsed of it may be; to be freed. */
static char *long_list(const char *one, const char *last)
{
	struct buf list;

	buf_init(&list, 2 * SILENCES_PARSED_MAX);
	buf_adds(&list, "[");
	while (list.len < SILENCES_PARSED_MAX / 2 * 3)
		buf_adds(&list, one);
	buf_adds(&list, last);
	buf_adds(&list, "]");
	assert_false(list.overflow);
	return buf_steal(&list);
}

static void ours_are_found_in_a_long_list_of_others(void **state)
{
	static const char others[] =
		"{\"id\":\"o\",\"createdBy\":\"you\",\"comment\":"
		"\"\\\\\\\"]},{\\\\\",\"matchers\":[]}, ";
	static const char ours[] =
		"{\"id\":\"a-1\",\"createdBy\":\"me\",\"comment\":\"\\\"\","
		"\"matchers\":[{\"name\":\"a\",\"value\":\"b\","
		"\"isRegex\":false}]}";
	struct matcher matcher = {"a", "b", false, true};
	/* "me" is in "comment", too: that is no name of ours. */
	struct silence_spec spec = {&matcher, 1, "\"me\"", "me", "", 0};
	struct silences_found found;
	char *list = long_list(others, ours);
	struct err err;

	assert_int_equal(
		silence_find(&spec, list, strlen(list), &found, &err), 0);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.item[0].id, "a-1");
	free(list);
}

static void too_many_that_name_the_rollout_are_refused(void **state)
{
	struct matcher matcher = {"a", "b", false, true};
	struct silence_spec spec = {&matcher, 1, "shop-7", "me", "", 0};
	struct silences_found found;
	char *list = long_list("{\"comment\":\"shop-7\"},", "{}");
	struct err err;

	assert_int_equal(
		silence_find(&spec, list, strlen(list), &found, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	free(list);
	list = long_list("{\"comment\":\"shop-8\"},", "{}");
	assert_int_equal(
		silence_find(&spec, list, strlen(list), &found, &err), 0);
	free(list);
}

static void a_list_that_is_null_has_no_silence(void **state)
{
	struct matcher matcher = {"a", "b", false, true};
	struct silence_spec spec = {&matcher, 1, "me", "me", "", 0};
	struct silences_found found;
	struct err err;

	assert_int_equal(silence_find(&spec, " null\n", 6, &found, &err), 0);
	assert_int_equal(silence_find(&spec, "nullx", 5, &found, &err), -1);
	assert_int_equal(silence_find(&spec, "nul", 3, &found, &err), -1);
}

/* ---- databases ---- */

static const char *yes[] = {"sh", "-c", "echo revision 41; exit 0", NULL};
static const char *no[] = {"sh", "-c", "echo a column is gone; exit 3", NULL};
static const char *die[] = {"sh", "-c", "kill -9 $$", NULL};

static void set_database(const char **guard, const char **command)
{
	action.kind = ACTION_DATABASE;
	action.u.database = (struct action_database){
		.exec = {.command = command, .n_command = 3},
		.guard = guard,
		.n_guard = guard ? 3 : 0,
	};
	action.idempotent = false;
}

static void a_guard_that_says_yes_lets_the_schema_go_back(void **state)
{
	set_database(yes, yes);
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "downgraded: exit 0: revision 41");
}

static void a_guard_that_says_no_keeps_the_schema_and_is_no_failure(
	void **state)
{
	set_database(no, yes);
	run_job(JOB_RUN, NULL);
	expect(ACTION_SKIPPED, "not possible: the schema is kept");
	expect(ACTION_SKIPPED, "exit 3: a column is gone");
}

static void a_guard_that_cannot_answer_is_a_failure(void **state)
{
	set_database(die, yes);
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "the guard could not be asked: ended by signal");
}

static void a_downgrade_that_fails_is_told_with_its_status(void **state)
{
	set_database(NULL, no);
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "not downgraded: exit 3: a column is gone");
	set_database(yes, die);
	run_job(JOB_RUN, NULL);
	expect(ACTION_UNKNOWN, "not downgraded: ended by signal 9");
}

static void a_drill_asks_the_guard_and_runs_nothing_else(void **state)
{
	set_database(yes, die);
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would run sh -c 'kill -9 $$'");
	set_database(no, die);
	run_job(JOB_DRILL, NULL);
	expect(ACTION_SKIPPED, "not possible");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_silence_is_made_once_and_then_renewed),
		TEST(a_release_expires_what_is_ours_and_only_that),
		TEST(a_silence_that_somebody_has_touched_is_left_so),
		TEST(a_list_of_millions_of_bytes_is_looked_through),
		TEST(a_drill_makes_no_silence),
		TEST(a_server_without_the_api_is_told),
		TEST(matchers_that_match_nothing_in_particular_are_refused),
		TEST(answers_that_are_none_are_refused),
		TEST(ours_are_found_in_a_long_list_of_others),
		TEST(too_many_that_name_the_rollout_are_refused),
		TEST(a_list_that_is_null_has_no_silence),
		TEST(a_guard_that_says_yes_lets_the_schema_go_back),
		TEST(a_guard_that_says_no_keeps_the_schema_and_is_no_failure),
		TEST(a_guard_that_cannot_answer_is_a_failure),
		TEST(a_downgrade_that_fails_is_told_with_its_status),
		TEST(a_drill_asks_the_guard_and_runs_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
