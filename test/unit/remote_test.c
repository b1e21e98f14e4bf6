/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line makes of a daemon's address and answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "remote/event_stream.h"
#include "remote/journal_copy.h"
#include "remote/remote_codec.h"
#include "remote/server_url.h"

#define ID "backend-20261129-141722-ppzn"
#define ROW(id, service, phase)                                        \
	"{\"rollout\":\"" id "\",\"service\":\"" service               \
	"\",\"candidate\":\"backend-2\",\"stable\":\"\",\"policy\":\"" \
	"e2e\",\"phase\":\"" phase "\",\"reason\":\"\",\"starter\":"   \
	"\"alice\",\"started\":\"2026-11-29T14:17:22.000Z\","          \
	"\"ended\":null}"
#define SERVICE    "projects/acme/locations/us-central1/services/backend"
#define PAGE(rows) "{\"rollouts\":[" rows "],\"cursor\":null}"

/* ---- addresses ---- */

static void an_address_is_https_or_of_this_machine(void **state)
{
	static const struct {
		const char *said, *base, *unix_socket; /* base NULL: refused */
	} rows[] = {
		{"https://t.example.com", "https://t.example.com", NULL},
		{"https://t.example.com/ops//", "https://t.example.com/ops",
			NULL},
		{"http://127.0.0.1:8080/", "http://127.0.0.1:8080", NULL},
		{"http://localhost:1", "http://localhost:1", NULL},
		{"unix:/run/t.sock", "http://localhost", "/run/t.sock"},
		{"unix:run/t.sock", NULL, NULL},
		{"http://t.example.com", NULL, NULL},
		{"https://user@t.example.com", NULL, NULL},
		{"https://t.example.com/?a=b", NULL, NULL},
		{"https://t.example.com/#a", NULL, NULL},
		{"https://t.example.com/a b", NULL, NULL},
		{"ftp://t.example.com", NULL, NULL},
		{"t.example.com", NULL, NULL},
		{"", NULL, NULL},
	};
	struct server_url url;
	struct arena arena;
	struct err err;
	int rc;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rc = server_url_parse(rows[i].said, &arena, &url, &err);
		if (!rows[i].base) {
			if (rc == 0)
				fail_msg("%s is accepted", rows[i].said);
			assert_int_equal(err.code, ERR_USAGE);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(url.base, rows[i].base);
		if (rows[i].unix_socket)
			assert_string_equal(
				url.unix_socket, rows[i].unix_socket);
		else
			assert_null(url.unix_socket);
	}
	arena_fini(&arena);
}

/* ---- answers ---- */

static void a_list_has_rollouts_of_the_form_that_they_have(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: it is good */
	} rows[] = {
		{PAGE(ROW(ID, SERVICE, "baking")), NULL},
		{PAGE(""), NULL},
		{PAGE(ROW("a\\u001b[2J", SERVICE, "baking")), "\"rollout\""},
		{PAGE(ROW("../me", SERVICE, "baking")), "\"rollout\""},
		{PAGE(ROW(ID, "backend", "baking")), "\"service\""},
		{PAGE(ROW(ID, SERVICE, "Baking\\n")), "\"phase\""},
		{PAGE("7"), "rollouts[0]"},
		{"{\"rollouts\":{}}", "\"rollouts\""},
		{"[]", "not a JSON object"},
		{"<html>", "not valid JSON"},
		{"", "not valid JSON"},
	};
	struct remote_page *page = xcalloc(1, sizeof(*page));
	struct arena arena;
	struct err err;
	int rc;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rc = remote_page_decode(
			rows[i].text, strlen(rows[i].text), &arena, page, &err);
		if (!rows[i].says) {
			assert_int_equal(rc, 0);
			continue;
		}
		if (rc == 0 || !strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].text,
				rc ? err.text : "is taken");
		assert_int_equal(err.code, ERR_PROTOCOL);
	}
	arena_fini(&arena);
	free(page);
}

#define OTHERS                                                   \
	"\"seq\":1,\"policy_path\":\"\",\"policy_source\":\"\"," \
	"\"policy_digest\":\"\",\"lease\":null,\"waiting\":[]"
#define RECORD(more) "{\"row\":" ROW(ID, SERVICE, "baking") "," OTHERS more "}"
#define LOAD(users, failed)                                             \
	",\"load\":{\"at_ms\":1000,\"total_ms\":60000,\"users\":" users \
	",\"rate\":19.5,\"p95_ms\":12,\"failed_share\":" failed         \
	",\"dropped\":0}"

/* A daemon of an earlier version tells nothing of it. */
static void a_record_has_how_a_load_goes_or_nothing(void **state)
{
	static const struct {
		const char *text;
		int users; /* -1: it is refused */
	} rows[] = {
		{RECORD(LOAD("20", "0.25")), 20},
		{RECORD(",\"load\":null"), 0},
		{RECORD(""), 0},
		{RECORD(LOAD("-1", "0")), -1},
		{RECORD(LOAD("\"20\"", "0")), -1},
		{RECORD(LOAD("20", "1.5")), -1},
		{RECORD(",\"load\":{}"), -1},
		{RECORD(",\"load\":7"), -1},
	};
	struct remote_record *record = xcalloc(1, sizeof(*record));
	struct arena arena;
	struct err err;
	int rc;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rc = remote_record_decode(rows[i].text, strlen(rows[i].text),
			&arena, record, &err);
		if ((rc < 0) != (rows[i].users < 0))
			fail_msg("%s: %s", rows[i].text,
				rc ? err.text : "is taken");
		if (rc < 0) {
			assert_non_null(strstr(err.text, "\"load\""));
			continue;
		}
		assert_int_equal(record->load.users, rows[i].users);
		assert_int_equal(
			record->load.total_ms, rows[i].users ? 60000 : 0);
	}
	arena_fini(&arena);
	free(record);
}

#define LINE(seq, more)                                                \
	"{\"time\":\"2026-11-29T14:17:22.000Z\",\"rollout\":\"" ID     \
	"\",\"seq\":" seq ",\"event\":\"check\",\"phase\":\"baking\"," \
	"\"percent\":20" more "}\n"

static void a_journal_has_no_gaps_and_its_own_bytes(void **state)
{
	static const struct {
		const char *text, *says;
		size_t n;
	} rows[] = {
		{LINE("1", ",\"value\":0.10") LINE("2", ""), NULL, 2},
		{LINE("1", "") LINE("1", ""), NULL, 1},
		{LINE("1", "") LINE("3", ""), "entry 3 after entry 1", 1},
		{LINE("0", ""), "\"seq\"", 0},
		{LINE("1", ",\"value\":"), "not valid JSON", 0},
		{"{\"seq\":1}\n", "\"rollout\"", 0},
		{" " LINE("1", ""), "not written as this version", 0},
		{"{}", "the middle of a line", 0},
	};
	struct journal_copy copy = {0};
	struct err err;
	size_t added;
	int rc;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		journal_copy_choose(&copy, ID);
		rc = journal_copy_add_lines(&copy, rows[i].text,
			strlen(rows[i].text), &added, &err);
		assert_int_equal(rc, rows[i].says ? -1 : 0);
		if (rows[i].says && !strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(copy.n, rows[i].n);
		if (i == 0) {
			assert_string_equal(
				copy.entry[0]->data, "{\"value\":0.10}");
			assert_string_equal(copy.entry[1]->data, "{}");
			assert_false(copy.entry[0]->is_note);
		}
		journal_copy_fini(&copy);
	}
}

static void a_problem_is_told_without_control_characters(void **state)
{
	static const char good[] = "{\"code\":\"moved-on\",\"detail\":"
				   "\"it is\\u001b[2J\"}";
	struct remote_problem problem;

	remote_problem_decode(good, strlen(good), &problem);
	assert_string_equal(problem.code, "moved-on");
	assert_string_equal(problem.detail, "it is\\x1b[2J");
	remote_problem_decode("<html>\n", 7, &problem);
	assert_string_equal(problem.code, "");
	assert_non_null(strstr(problem.detail, "<html>"));
}

/* ---- events ---- */

static bool note(const char *name, const char *data, size_t len, void *arg)
{
	buf_addf(arg, "%s=%.*s;", name, (int)len, data);
	return true;
}

static void events_are_the_same_however_they_are_cut(void **state)
{
	static const char text[] = "retry: 2000\n\nid: 7\nevent: rollout\r\n"
				   "data: {}\r\n\r\n: hb\n\ndata: a\ndata:b\n\n"
				   "other: x\nevent: bye\ndata\n\nid: 8\n\n";
	struct event_stream stream;
	struct buf seen;
	size_t len = strlen(text);

	buf_init(&seen, 1000);
	for (size_t cut = 0; cut <= len; cut++) {
		event_stream_init(&stream);
		buf_clear(&seen);
		assert_true(event_stream_feed(&stream, text, cut, note, &seen));
		assert_true(event_stream_feed(
			&stream, text + cut, len - cut, note, &seen));
		assert_string_equal(seen.data, "rollout={};=a\nb;bye=;");
		assert_string_equal(stream.place, "8");
		event_stream_fini(&stream);
	}
	buf_fini(&seen);
}

static void a_stream_without_end_is_ended(void **state)
{
	struct event_stream stream;
	static char much[65536];
	size_t fed = 0;

	memset(much, 'x', sizeof(much));
	event_stream_init(&stream);
	while (event_stream_feed(&stream, much, sizeof(much), note, NULL))
		fed += sizeof(much);
	assert_true(fed <= 2 * EVENT_STREAM_DATA_MAX);
	event_stream_fini(&stream);
	event_stream_init(&stream);
	assert_false(
		event_stream_feed(&stream, "data: a\0b\n\n", 11, note, NULL));
	event_stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_https_or_of_this_machine),
		cmocka_unit_test(
			a_list_has_rollouts_of_the_form_that_they_have),
		cmocka_unit_test(a_record_has_how_a_load_goes_or_nothing),
		cmocka_unit_test(a_journal_has_no_gaps_and_its_own_bytes),
		cmocka_unit_test(a_problem_is_told_without_control_characters),
		cmocka_unit_test(events_are_the_same_however_they_are_cut),
		cmocka_unit_test(a_stream_without_end_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
