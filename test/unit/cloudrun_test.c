/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Admin API's client against a strict fake on loopback. A test is a script:
 * which requests must come, in which order, and what each is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "cloudrun_fixture.h"

static void heard_service(
	struct service *service, const struct err *err, void *arg)
{
	struct world *w = arg;

	assert_int_equal(!service, !!err);
	if (service)
		snprintf(w->etag, sizeof(w->etag), "%s", service->etag);
	service_free(&service);
	fixture_heard(w, err);
}

static void heard_revision(
	const struct revision *revision, const struct err *err, void *arg)
{
	struct world *w = arg;

	assert_int_equal(!revision, !!err);
	if (revision)
		snprintf(
			w->revision, sizeof(w->revision), "%s", revision->name);
	fixture_heard(w, err);
}

static void heard_write(enum write_result result, int64_t generation,
	const struct err *err, void *arg)
{
	struct world *w = arg;

	w->result = result;
	assert_int_equal(result == WRITE_DONE, !err);
	fixture_heard(w, err);
}

static struct cloudrun_call *start_read(struct world *w, const char *name)
{
	return cloudrun_get_service_start(
		w->cloudrun, name, 5000, heard_service, w);
}

static struct cloudrun_call *start_write(struct world *w, int64_t ms)
{
	struct target items[] = {
		{TARGET_REVISION, "shop-1", 90, "stable"},
		{TARGET_REVISION, "shop-2", 10},
	};
	struct traffic traffic = {items, 2};
	struct service service = {.name = NAME, .etag = "\"e1\""};
	struct write_times times = {.patience_ms = ms};

	return cloudrun_write_traffic_start(
		w->cloudrun, &service, &traffic, &times, heard_write, w);
}

static void heard_permissions(unsigned held, const struct err *err, void *arg)
{
	struct world *w = arg;

	w->held = held;
	fixture_heard(w, err);
}

static void heard_newer(int newer, const struct err *err, void *arg)
{
	struct world *w = arg;

	w->newer = newer;
	fixture_heard(w, err);
}

#define SERVICE_OF(etag) "{\"name\":\"" NAME "\",\"etag\":\"\\\"" etag "\\\"\"}"
#define SERVICE          SERVICE_OF("e1")

static void a_service_is_read_at_any_endpoint(void **state)
{
	static const struct {
		const char *prefix;
		struct turn script[2];
	} rows[] = {
		{"", {{GET, 200, SERVICE}}},
		{"/", {{GET, 200, SERVICE}}},
		{"//", {{GET, 200, SERVICE}}},
		{"/a/b", {{"GET /a/b/v2/" NAME, 200, SERVICE}}},
		{"/a/b/", {{"GET /a/b/v2/" NAME, 200, SERVICE}}},
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_connect(w, rows[i].prefix);
		fixture_script(w, rows[i].script);
		w->etag[0] = '\0';
		start_read(w, i % 2 ? "shop" : NAME);
		fixture_run(w);
		assert_string_equal(w->etag, "\"e1\"");
	}
}

static void heard_news(
	struct service *service, const struct err *err, void *arg)
{
	struct world *w = arg;

	snprintf(w->etag, sizeof(w->etag), "%s",
		service ? service->etag : "no news");
	service_free(&service);
	fixture_heard(w, err);
}

static void what_is_the_same_to_the_byte_is_no_news(void **state)
{
	static const struct turn same[] = {{GET, 200, SERVICE}, {0}};
	static const struct turn blank[] = {{GET, 200, SERVICE " "}, {0}};
	static const struct turn as_long[] = {
		{GET, 200, SERVICE_OF("e2")}, {0}};
	static const struct turn denied[] = {{GET, 403, "{}"}, {0}};
	struct world *w = *state;
	struct err err;
	struct service *known = service_decode(SERVICE, strlen(SERVICE), &err);
	size_t i;
	static const struct {
		const struct turn *script;
		const char *heard;
		enum err_code code;
	} rows[] = {{same, "no news", ERR_NONE}, {blank, "\"e1\"", ERR_NONE},
		{as_long, "\"e2\"", ERR_NONE}, {denied, "no news", ERR_DENIED}};

	assert_non_null(known);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_script(w, rows[i].script);
		cloudrun_look_again_start(
			w->cloudrun, known, 5000, heard_news, w);
		fixture_run(w);
		assert_string_equal(w->etag, rows[i].heard);
		assert_int_equal(w->code, rows[i].code);
	}
	service_free(&known);
}

static void an_endpoint_that_would_leak_the_token_is_refused(void **state)
{
	static const char *const rows[] = {"http://run.googleapis.com/",
		"ftp://127.0.0.1/", "https://run.googleapis.com/?a=b",
		"https://user:pass@run.googleapis.com/", "run.googleapis.com",
		"https://run.googleapis.com/#a"};
	struct world *w = *state;
	const struct api api = {w->loop, w->http, &w->credentials};
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cloudrun_config config = {rows[i], "acme", "r"};

		assert_null(cloudrun_new(&api, &config, &err));
	}
}

static void a_rejected_token_is_replaced_once(void **state)
{
	static const struct turn again[] = {
		{GET, 401, "{}"}, {GET, 200, SERVICE}, {0}};
	static const struct turn twice[] = {
		{GET, 401, "{}"}, {GET, 401, "{}"}, {0}};
	static const struct turn write[] = {{PATCH, 401, ""},
		{PATCH, 200, RUNNING}, {WAIT, 401, ""}, {WAIT, 200, DONE}, {0}};
	struct world *w = *state;

	w->credentials.quota_project = "billing";
	fixture_script(w, again);
	start_read(w, "shop");
	fixture_run(w);
	assert_int_equal(w->code, ERR_NONE);
	assert_int_equal(w->credentials.serial, 2);

	w->credentials.cached = true;
	fixture_script(w, twice);
	start_read(w, "shop");
	fixture_run(w);
	assert_int_equal(w->code, ERR_AUTH);
	assert_int_equal(w->credentials.serial, 3);

	fixture_script(w, write);
	start_write(w, 5000);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_DONE);
	assert_int_equal(w->credentials.serial, 5);
}

static void a_name_that_is_none_is_told_later(void **state)
{
	static const char *const rows[] = {"a b", "projects/a/services/b", "",
		"../shop", NAME "/revisions/x", "shop?x"};
	static const struct turn nothing[] = {{0}};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_script(w, nothing);
		start_read(w, rows[i]);
		fixture_run(w);
		assert_int_equal(w->code, ERR_USAGE);
	}
	fixture_script(w, nothing);
	cloudrun_get_revision_start(
		w->cloudrun, "shop", "a b", heard_revision, w);
	fixture_run(w);
	assert_int_equal(w->code, ERR_USAGE);
}

static void reading_says_what_went_wrong(void **state)
{
	static const struct {
		struct turn script[2];
		enum err_code code;
		const char *says;
	} rows[] = {
		{{{GET, 403, STATUS("PERMISSION_DENIED")}}, ERR_DENIED,
			"reading services/shop: HTTP 403"},
		{{{GET, 404, ""}}, ERR_NOT_FOUND, "404"},
		{{{GET, 503, "", "7"}}, ERR_UNAVAILABLE, "503"},
		{{{GET, 302, ""}}, ERR_PROTOCOL, "302"},
		{{{GET, 200, "<html>"}}, ERR_PROTOCOL, "not valid JSON"},
		{{{GET, 200, "{\"name\":\"" NAME "-other\"}"}}, ERR_PROTOCOL,
			"another service"},
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_script(w, rows[i].script);
		start_read(w, "shop");
		fixture_run(w);
		assert_int_equal(w->code, rows[i].code);
		assert_int_equal(w->retry_after_ms,
			rows[i].script[0].retry_after ? 7000 : 0);
		if (!strstr(w->text, rows[i].says))
			fail_msg("%s", w->text);
	}
}

static void a_revision_is_read(void **state)
{
#define REVISION NAME "/revisions/shop-2"
	static const struct turn good[] = {
		{"GET /v2/" REVISION, 200, "{\"name\":\"" REVISION "\"}"}, {0}};
	static const struct turn gone[] = {{"GET /v2/" REVISION, 404, ""}, {0}};
	static const struct turn other[] = {
		{"GET /v2/" REVISION, 200, "{\"name\":\"shop-3\"}"}, {0}};
	struct world *w = *state;

	fixture_script(w, good);
	cloudrun_get_revision_start(
		w->cloudrun, "shop", "shop-2", heard_revision, w);
	fixture_run(w);
	assert_string_equal(w->revision, "shop-2");
	fixture_script(w, gone);
	cloudrun_get_revision_start(
		w->cloudrun, NAME, REVISION, heard_revision, w);
	fixture_run(w);
	assert_int_equal(w->code, ERR_NOT_FOUND);
	fixture_script(w, other);
	cloudrun_get_revision_start(
		w->cloudrun, "shop", "shop-2", heard_revision, w);
	fixture_run(w);
	assert_int_equal(w->code, ERR_PROTOCOL);
}

static const struct write_row {
	struct turn script[SCRIPT_MAX];
	enum write_result result;
	const char *says;
} write_rows[] = {
	/* The PATCH itself. */
	{{{PATCH, 200, DONE}}, WRITE_DONE},
	{{{PATCH, 200, "{\"done\":true}"}}, WRITE_DONE},
	{{{PATCH, 200, "{}"}}, WRITE_DONE},
	{{{PATCH, 200, ERROR("9")}}, WRITE_FAILED, "FAILED_PRECONDITION"},
	{{{PATCH, 200, "<html>"}}, WRITE_UNKNOWN, "not valid JSON"},
	{{{PATCH, 200, "{\"name\":\"http://evil/\"}"}}, WRITE_UNKNOWN, "name"},
	{{{PATCH, 400, STATUS("INVALID_ARGUMENT")}}, WRITE_REJECTED,
		"writing the traffic of services/shop: HTTP 400"},
	{{{PATCH, 403, STATUS("PERMISSION_DENIED")}}, WRITE_REJECTED, "403"},
	{{{PATCH, 404, ""}}, WRITE_REJECTED, "404"},
	{{{PATCH, 409, STATUS("ABORTED")}}, WRITE_CONFLICT, "ABORTED"},
	{{{PATCH, 409, STATUS("ALREADY_EXISTS")}}, WRITE_REJECTED, "EXISTS"},
	{{{PATCH, 409, "<html>"}}, WRITE_CONFLICT, "409"},
	{{{PATCH, 412, ""}}, WRITE_CONFLICT, "412"},
	{{{PATCH, 429, "", "7"}}, WRITE_BUSY, "429"},
	{{{PATCH, 500, ""}}, WRITE_UNKNOWN, "500"},
	{{{PATCH, 501, ""}}, WRITE_REJECTED, "501"},
	{{{PATCH, 502, "<html>"}}, WRITE_UNKNOWN, "502"},
	{{{PATCH, 503, ""}}, WRITE_BUSY, "503"},
	{{{PATCH, 504, ""}}, WRITE_UNKNOWN, "504"},
	{{{PATCH, 302, ""}}, WRITE_UNKNOWN, "302"},
	{{{PATCH, RESET}}, WRITE_UNKNOWN, "services/shop"},
	/* Its operation. */
	{{{PATCH, 200, RUNNING}, {WAIT, 200, DONE}}, WRITE_DONE},
	{{{PATCH, 200, RUNNING}, {WAIT, 200, RUNNING}, {WAIT, 200, DONE}},
		WRITE_DONE},
	{{{PATCH, 200, RUNNING}, {WAIT, 200, ERROR("10")}}, WRITE_FAILED,
		"ABORTED"},
	{{{PATCH, 200, RUNNING}, {WAIT, 200, ERROR("3")}}, WRITE_FAILED,
		"INVALID_ARGUMENT"},
	{{{PATCH, 200, RUNNING}, {WAIT, 200, ERROR("13")}}, WRITE_FAILED,
		"INTERNAL"},
	{{{PATCH, 200, RUNNING}, {WAIT, 200, ERROR("14")}}, WRITE_FAILED,
		"UNAVAILABLE"},
	{{{PATCH, 200, RUNNING},
		 {WAIT, 200,
			 "{\"done\":true,\"error\":{\"code\":13,\"message\":"
			 "\"Revision 'x' does not exist or is deleted.\"}}"}},
		WRITE_FAILED, "does not exist"},
	/* Without :wait. */
	{{{PATCH, 200, RUNNING}, {WAIT, 404, ""}, {POLL, 200, DONE}},
		WRITE_DONE},
	{{{PATCH, 200, RUNNING}, {WAIT, 501, ""}, {POLL, 200, RUNNING},
		 {POLL, 200, DONE}},
		WRITE_DONE},
	/* Without the right to read operations. */
	{{{PATCH, 200, RUNNING}, {WAIT, 403, ""}, {POLL, 403, ""}}, WRITE_DONE},
	/* A look that fails is not a write that failed. */
	{{{PATCH, 200, RUNNING}, {WAIT, 504, ""}, {POLL, 503, ""},
		 {POLL, RESET}, {POLL, 200, DONE}},
		WRITE_DONE},
	{{{PATCH, 200, RUNNING}, {WAIT, 500, ""}, {POLL, 500, ""},
		 {POLL, 200, "<html>"}, {POLL, 500, ""}},
		WRITE_UNKNOWN, "500"},
	{{{PATCH, 200, RUNNING}, {WAIT, 404, ""}, {POLL, 404, ""}},
		WRITE_UNKNOWN, "404"},
};

static void a_write_ends_as_the_answers_say(void **state)
{
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(write_rows) / sizeof(write_rows[0]); i++) {
		const struct write_row *row = &write_rows[i];

		fixture_script(w, row->script);
		w->credentials.cached = i % 2 && w->credentials.token;
		start_write(w, TEST_MS);
		fixture_run(w);
		if (w->result != row->result)
			fail_msg("row %zu: %s: %s", i,
				write_result_name(w->result), w->text);
		if (row->says && !strstr(w->text, row->says))
			fail_msg("row %zu: %s", i, w->text);
		if (row->result == WRITE_BUSY)
			assert_int_equal(w->retry_after_ms,
				row->script[0].retry_after ? 7000 : 0);
	}
}

static void a_write_that_could_not_be_sent_is_busy(void **state)
{
	static const struct turn nothing[] = {{0}};
	struct world *w = *state;

	server_free(&w->server);
	fixture_script(w, nothing);
	start_write(w, 5000);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_BUSY);
	assert_int_equal(w->code, ERR_UNAVAILABLE);
}

static void without_a_token_nothing_is_sent(void **state)
{
	static const struct turn nothing[] = {{0}};
	struct world *w = *state;

	w->credentials.fails = ERR_UNAVAILABLE;
	fixture_script(w, nothing);
	start_write(w, 5000);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_BUSY);
	w->credentials.fails = ERR_AUTH;
	fixture_script(w, nothing);
	start_write(w, 5000);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_REJECTED);
	fixture_script(w, nothing);
	start_read(w, "shop");
	fixture_run(w);
	assert_int_equal(w->code, ERR_AUTH);
}

/* It has time to leave on a starved machine, too. */
#define LATE_MS 2000

static void a_late_write_says_whether_it_left(void **state)
{
	static const struct turn nothing[] = {{0}};
	static const struct turn patch[] = {{PATCH, SILENCE}, {0}};
	static const struct turn operation[] = {
		{PATCH, 200, RUNNING}, {WAIT, SILENCE}, {0}};
	static const struct turn polls[] = {
		{PATCH, 200, RUNNING}, {WAIT, 503, "{}", "60"}, {0}};
	struct world *w = *state;

	fixture_script(w, nothing);
	start_write(w, 0);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_BUSY);
	fixture_script(w, patch);
	start_write(w, LATE_MS);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_UNKNOWN);
	assert_int_equal(w->code, ERR_TIMEOUT);
	fixture_script(w, operation);
	start_write(w, LATE_MS);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_UNKNOWN);
	fixture_script(w, polls);
	start_write(w, LATE_MS);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_UNKNOWN);
}

static void a_crowd_of_writes_leaves_room_for_others(void **state)
{
	struct world *w = *state;
	struct err err;
	int i;

	w->crowd = true;
	for (i = 0; i < CROWD; i++)
		start_write(w, TEST_MS);
	while (w->said < CROWD - 8 && !w->complaint[0])
		assert_int_equal(loop_run(w->loop, &err), 0);
	assert_string_equal(w->complaint, "");
	assert_int_equal(w->said, CROWD - 8);
	assert_int_equal(w->result, WRITE_DONE);
	assert_int_equal(w->polls, CROWD - 8);
	assert_int_equal(w->n_silent, 8);
}

struct hurry {
	struct world *w;
	struct cloudrun_call *call;
	struct timer *timer;
	bool patched; /* not before the write was accepted */
};

static void hurry_now(void *arg)
{
	struct hurry *hurry = arg;

	hurry->timer = NULL;
	if (hurry->patched && hurry->w->at < 2)
		hurry->timer = timer_start(hurry->w->loop, 1, hurry_now, hurry);
	else
		cloudrun_write_hurry(hurry->call);
}

static void a_write_in_a_hurry_is_not_followed(void **state)
{
	static const struct turn followed[] = {
		{PATCH, 200, RUNNING}, {WAIT, SILENCE}, {0}};
	static const struct turn not_yet[] = {{PATCH, 200, RUNNING}, {0}};
	static const struct turn done[] = {{PATCH, 200, DONE}, {0}};
	struct world *w = *state;
	struct hurry hurry = {.w = w, .patched = true};

	fixture_script(w, followed);
	hurry.call = start_write(w, TEST_MS);
	hurry_now(&hurry);
	fixture_run(w);
	assert_int_equal(w->result, WRITE_UNKNOWN);
	assert_non_null(strstr(w->text, "more urgent"));

	/* What is under way is waited for, and told as it is. */
	fixture_script(w, not_yet);
	cloudrun_write_hurry(start_write(w, TEST_MS));
	fixture_run(w);
	assert_int_equal(w->result, WRITE_UNKNOWN);
	fixture_script(w, done);
	cloudrun_write_hurry(start_write(w, TEST_MS));
	fixture_run(w);
	assert_int_equal(w->result, WRITE_DONE);
}

struct cancel {
	struct world *w;
	struct cloudrun_call *call;
};

static void cancel_now(void *arg)
{
	struct cancel *cancel = arg;

	cloudrun_cancel(&cancel->call);
	timer_cancel(&cancel->w->alarm);
	cancel->w->alarm =
		timer_start(cancel->w->loop, 20, fixture_late, cancel->w);
}

/* In each of the first turns: at the token, the PATCH, the look, the pause. */
static void what_is_cancelled_is_never_heard_of_again(void **state)
{
	static const struct turn script[] = {
		{PATCH, 200, RUNNING}, {WAIT, 200, RUNNING}, {0}};
	struct world *w = *state;
	struct err err;
	int ms;

	for (ms = 0; ms < 10; ms++) {
		struct cancel cancel = {w, NULL};

		fixture_script(w, script);
		cancel.call = start_write(w, 5000);
		if (ms == 9)
			cancel_now(&cancel); /* at once */
		else
			timer_start(w->loop, ms, cancel_now, &cancel);
		assert_int_equal(loop_run(w->loop, &err), 0);
		assert_null(cancel.call);
		assert_int_equal(w->said, 0);
		assert_string_equal(w->complaint, "no callback came");
	}
	cloudrun_cancel(&(struct cloudrun_call *){NULL});
}

static void what_is_freed_takes_its_calls_along(void **state)
{
	struct world *w = *state;

	start_read(w, "shop");
	start_read(w, "a b");
	start_write(w, 5000);
	cloudrun_free(&w->cloudrun);
	assert_null(w->cloudrun);
	cloudrun_free(&w->cloudrun);
	assert_int_equal(w->said, 0);
}

static void permissions_that_are_held_are_told_by_place(void **state)
{
	static const char *const asked[] = {
		"run.services.get", "run.services.update", NULL};
	static const struct {
		const char *body;
		enum err_code code;
		unsigned held;
	} rows[] = {
		{"{}", ERR_NONE, 0},
		{"{\"permissions\":[\"run.services.update\"]}", ERR_NONE, 2},
		{"{\"permissions\":[\"run.services.update\","
		 "\"run.services.get\"]}",
			ERR_NONE, 3},
		{"{\"permissions\":[\"run.jobs.run\"]}", ERR_PROTOCOL, 0},
		{"{\"permissions\":[1]}", ERR_PROTOCOL, 0},
		{"{\"permissions\":{}}", ERR_PROTOCOL, 0},
		{"[]", ERR_PROTOCOL, 0},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct turn script[] = {{"POST /v2/" NAME ":testIamPermissions",
						200, rows[i].body},
			{0}};

		fixture_script(w, script);
		cloudrun_test_permissions_start(
			w->cloudrun, "shop", asked, heard_permissions, w);
		fixture_run(w);
		assert_int_equal(w->code, rows[i].code);
		assert_int_equal(w->held, rows[i].held);
	}
}

#define LIST                                                            \
	"GET /v2/" NAME "/revisions?pageSize=100&fields=nextPageToken," \
	"revisions/name"
#define REV(n) "{\"name\":\"" NAME "/revisions/shop-" n "\"}"

static void revisions_are_counted_until_the_one_asked_for(void **state)
{
	static const struct {
		struct turn script[3];
		int newer;
	} rows[] = {
		{{{LIST, 200, "{\"revisions\":[" REV("7") "," REV("1") "]}"}},
			1},
		{{{LIST, 200, "{\"revisions\":[" REV("1") "]}"}}, 0},
		{{{LIST, 200,
			  "{\"revisions\":[" REV("9") "," REV(
				  "8") "],\"nextPageToken\":\"a b\"}"},
			 {LIST "&pageToken=a%20b", 200,
				 "{\"revisions\":[" REV("7") "," REV(
					 "1") "]}"}},
			3},
		{{{LIST, 200, "{\"revisions\":[" REV("7") "]}"}}, -1},
		{{{LIST, 200, "{}"}}, -1},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_script(w, rows[i].script);
		cloudrun_count_newer_start(
			w->cloudrun, "shop", "shop-1", heard_newer, w);
		fixture_run(w);
		assert_int_equal(w->code, ERR_NONE);
		assert_int_equal(w->newer, rows[i].newer);
	}
}

static void what_may_not_be_looked_at_is_said(void **state)
{
	static const char *const asked[] = {"run.services.get", NULL};
	static const struct turn denied[] = {
		{LIST, 403, STATUS("PERMISSION_DENIED")}, {0}};
	static const struct turn nameless[] = {
		{LIST, 200, "{\"revisions\":[{}]}"}, {0}};
	struct world *w = *state;

	fixture_script(w, denied);
	cloudrun_count_newer_start(
		w->cloudrun, "shop", "shop-1", heard_newer, w);
	fixture_run(w);
	assert_int_equal(w->code, ERR_DENIED);
	assert_int_equal(w->newer, -1);
	assert_non_null(strstr(w->text, "listing revisions"));

	fixture_script(w, nameless);
	cloudrun_count_newer_start(
		w->cloudrun, "shop", "shop-1", heard_newer, w);
	fixture_run(w);
	assert_int_equal(w->code, ERR_PROTOCOL);

	fixture_script(w, (struct turn[]){{0}});
	cloudrun_test_permissions_start(
		w->cloudrun, "a/b", asked, heard_permissions, w);
	fixture_run(w);
	assert_int_equal(w->code, ERR_USAGE);
}

static void the_clock_of_the_api_is_told(void **state)
{
	static const struct turn script[] = {{GET, 200, SERVICE}, {0}};
	struct world *w = *state;
	int64_t ahead_ms;

	assert_false(cloudrun_clock(w->cloudrun, &ahead_ms));
	fixture_script(w, script);
	start_read(w, "shop");
	fixture_run(w);
	assert_true(cloudrun_clock(w->cloudrun, &ahead_ms));
	assert_in_range(ahead_ms + 2000, 0, 4000);
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_service_is_read_at_any_endpoint),
		TEST(what_is_the_same_to_the_byte_is_no_news),
		TEST(an_endpoint_that_would_leak_the_token_is_refused),
		TEST(a_rejected_token_is_replaced_once),
		TEST(a_name_that_is_none_is_told_later),
		TEST(reading_says_what_went_wrong),
		TEST(a_revision_is_read),
		TEST(permissions_that_are_held_are_told_by_place),
		TEST(revisions_are_counted_until_the_one_asked_for),
		TEST(what_may_not_be_looked_at_is_said),
		TEST(the_clock_of_the_api_is_told),
		TEST(a_write_ends_as_the_answers_say),
		TEST(a_write_that_could_not_be_sent_is_busy),
		TEST(without_a_token_nothing_is_sent),
		TEST(a_late_write_says_whether_it_left),
		TEST(a_write_in_a_hurry_is_not_followed),
		TEST(a_crowd_of_writes_leaves_room_for_others),
		TEST(what_is_cancelled_is_never_heard_of_again),
		TEST(what_is_freed_takes_its_calls_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
