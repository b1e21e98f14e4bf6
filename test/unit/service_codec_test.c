/* SPDX-License-Identifier: Apache-2.0 */
/* Services, revisions, operations and errors as Google writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "cloudrun/service_codec.h"

#define NAME     "projects/acme/locations/europe-west1/services/shop"
#define LATEST   "\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST\""
#define REVISION "\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\""

static struct service *decode(const char *json, struct err *err_r)
{
	return service_decode(json, strlen(json), err_r);
}

/* A service with these members after its name. */
static struct service *decode_with(const char *members, struct err *err_r)
{
	char *json = xasprintf("{\"name\":\"" NAME "\"%s}", members);
	struct service *service = decode(json, err_r);

	xfree(&json);
	return service;
}

static const char whole[] =
	"{\"name\":\"" NAME "\",\"uid\":\"0f6e\",\"generation\":\"57\","
	"\"observedGeneration\":\"57\",\"lastModifier\":\"ci@acme.example\","
	"\"template\":{\"containers\":[{\"image\":\"x\"}],\"timeout\":\"300s\"}"
	","
	"\"traffic\":[{" REVISION ",\"revision\":\"shop-00041-abc\","
	"\"percent\":100,\"tag\":\"stable\"},"
	"{" REVISION ",\"revision\":\"shop-00042-def\",\"tag\":\"canary\"}],"
	"\"trafficStatuses\":[{" REVISION ",\"revision\":\"shop-00041-abc\","
	"\"percent\":100,\"tag\":\"stable\","
	"\"uri\":\"https://stable---shop-uvb3o4q2mq-ew.a.run.app\"},"
	"{" REVISION ",\"revision\":\"shop-00042-def\",\"tag\":\"canary\"}],"
	"\"latestReadyRevision\":\"" NAME "/revisions/shop-00042-def\","
	"\"latestCreatedRevision\":\"" NAME "/revisions/shop-00043-bad\","
	"\"terminalCondition\":{\"type\":\"Ready\","
	"\"state\":\"CONDITION_SUCCEEDED\"},"
	"\"uri\":\"https://shop-uvb3o4q2mq-ew.a.run.app\","
	"\"etag\":\"\\\"CKvXsMYGEMCopKUD/cHJv\\\"\",\"newField\":[{}]}";

static void a_whole_service_is_read(void **state)
{
	struct err err;
	struct service *s = decode(whole, &err);

	assert_non_null(s);
	assert_string_equal(s->name, NAME);
	assert_string_equal(s->etag, "\"CKvXsMYGEMCopKUD/cHJv\"");
	assert_string_equal(s->uri, "https://shop-uvb3o4q2mq-ew.a.run.app");
	assert_string_equal(s->latest_ready, "shop-00042-def");
	assert_string_equal(s->latest_created, "shop-00043-bad");
	assert_string_equal(s->last_modifier, "ci@acme.example");
	assert_int_equal(s->generation, 57);
	assert_false(service_is_moving(s));
	assert_true(s->green);
	assert_false(s->multi_region);
	assert_int_equal(s->spec.n, 2);
	assert_string_equal(s->spec.item[0].revision, "shop-00041-abc");
	assert_int_equal(s->spec.item[0].percent, 100);
	assert_string_equal(s->spec.item[0].tag, "stable");
	assert_int_equal(s->spec.item[1].percent, 0);
	assert_string_equal(
		traffic_uri(&s->statuses, "shop-00041-abc", "stable"),
		"https://stable---shop-uvb3o4q2mq-ew.a.run.app");
	service_free(&s);
	assert_null(s);
}

static void what_is_missing_has_its_default(void **state)
{
	struct err err;
	struct service *s = decode_with("", &err);

	assert_non_null(s);
	assert_null(s->etag);
	assert_false(s->reconciling);
	assert_false(s->green);
	assert_null(s->condition);
	assert_int_equal(s->spec.n, 1);
	assert_int_equal(s->spec.item[0].type, TARGET_LATEST);
	assert_int_equal(s->spec.item[0].percent, 100);
	assert_int_equal(s->statuses.n, 0);
	service_free(&s);
}

static void latest_in_statuses_is_resolved(void **state)
{
	struct err err;
	struct split split;
	struct service *s = decode_with(
		",\"traffic\":[{" LATEST ",\"percent\":100}],"
		"\"trafficStatuses\":[{" LATEST ",\"percent\":100}],"
		"\"latestReadyRevision\":\"" NAME "/revisions/shop-2\"",
		&err);

	assert_non_null(s);
	assert_string_equal(s->statuses.item[0].revision, "shop-2");
	assert_null(s->spec.item[0].revision);
	split = traffic_split(&s->statuses, "shop-2", "shop-1", NULL);
	assert_int_equal(split.candidate, 100);
	service_free(&s);
}

static void unknown_types_are_unknown_and_names_are_short(void **state)
{
	struct err err;
	struct service *s = decode_with(
		",\"traffic\":[{\"type\":\"FUTURE\",\"revision\":\"a\"},"
		"{\"revision\":\"" NAME "/revisions/b\",\"percent\":100},"
		"{\"tag\":\"x\"},{" REVISION "}]",
		&err);

	assert_non_null(s);
	assert_int_equal(s->spec.item[0].type, TARGET_UNKNOWN);
	assert_int_equal(s->spec.item[1].type, TARGET_REVISION);
	assert_string_equal(s->spec.item[1].revision, "b");
	assert_int_equal(s->spec.item[2].type, TARGET_UNKNOWN);
	assert_int_equal(s->spec.item[3].type, TARGET_UNKNOWN);
	service_free(&s);
}

#define ROUTES(state) \
	",\"conditions\":[{\"type\":\"RoutesReady\",\"state\":\"" state "\"}]"

static void its_routes_move_while_it_reconciles(void **state)
{
	static const struct {
		const char *members;
		bool moving;
	} rows[] = {
		{",\"generation\":\"2\",\"observedGeneration\":\"2\"", false},
		/* A change that failed leaves its generation unobserved. */
		{",\"generation\":\"2\",\"observedGeneration\":\"1\"", false},
		{",\"generation\":\"2\"", false},
		{",\"reconciling\":true", true},
		{",\"reconciling\":null", false},
		/* Somebody deploys: the routes stay as they are. */
		{",\"reconciling\":true" ROUTES("CONDITION_SUCCEEDED"), false},
		{",\"reconciling\":true" ROUTES("CONDITION_RECONCILING"), true},
		{",\"reconciling\":true" ROUTES("CONDITION_NEW"), true},
		{ROUTES("CONDITION_FAILED"), false},
	};
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct service *s = decode_with(rows[i].members, &err);

		assert_non_null(s);
		assert_int_equal(service_is_moving(s), rows[i].moving);
		service_free(&s);
	}
}

static void a_red_service_says_why_on_one_line(void **state)
{
	struct err err;
	struct service *s = decode_with(
		",\"terminalCondition\":{\"type\":\"Ready\","
		"\"state\":\"CONDITION_FAILED\","
		"\"message\":\"no\\u001b[31m\\n\\u009bhealth – sorry\"}",
		&err);

	assert_non_null(s);
	assert_false(s->green);
	assert_string_equal(
		s->condition, "no\\x1b[31m\\n\\u{9b}health – sorry");
	service_free(&s);
	s = decode_with(",\"terminalCondition\":{\"type\":\"Ready\","
			"\"state\":\"CONDITION_FAILED\","
			"\"reason\":\"REVISION_FAILED\"}",
		&err);
	assert_string_equal(s->condition, "REVISION_FAILED");
	service_free(&s);
}

static void several_regions_are_seen(void **state)
{
	struct err err;
	struct service *s = decode_with(
		",\"multiRegionSettings\":{\"regions\":[\"a\"]}", &err);

	assert_true(s->multi_region);
	service_free(&s);
	s = decode_with(",\"multiRegionSettings\":{}", &err);
	assert_false(s->multi_region);
	service_free(&s);
}

static void who_reaches_a_service_is_told(void **state)
{
	static const struct {
		const char *json, *ingress;
		bool uri_disabled, iap;
	} rows[] = {
		{"", NULL, false, false},
		{",\"ingress\":\"INGRESS_TRAFFIC_ALL\"", NULL, false, false},
		{",\"ingress\":\"INGRESS_TRAFFIC_INTERNAL_ONLY\"",
			"internal-only", false, false},
		{",\"ingress\":\"INGRESS_TRAFFIC_NONE\","
		 "\"defaultUriDisabled\":true",
			"none", true, false},
		{",\"ingress\":\"INGRESS_TRAFFIC_\\u001b[\",\"iapEnabled\":"
		 "true",
			NULL, false, true},
		{",\"ingress\":7", NULL, false, false},
	};
	struct service *s;
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = decode_with(rows[i].json, &err);
		assert_non_null(s);
		if (rows[i].ingress)
			assert_string_equal(s->ingress, rows[i].ingress);
		else
			assert_null(s->ingress);
		assert_int_equal(s->uri_disabled, rows[i].uri_disabled);
		assert_int_equal(s->iap, rows[i].iap);
		service_free(&s);
	}
}

static void a_misleading_service_is_refused(void **state)
{
	static const struct {
		const char *members, *says;
	} rows[] = {
		{",\"traffic\":[{" LATEST ",\"percent\":90}]", "sum to 90"},
		{",\"traffic\":[{" LATEST ",\"percent\":101}]", "101"},
		{",\"traffic\":[{" LATEST ",\"percent\":-1}]", "-1"},
		{",\"traffic\":[{" LATEST ",\"percent\":99.5}]",
			"traffic[0]: \"percent\" is not a whole number"},
		{",\"traffic\":[{" LATEST ",\"percent\":true}]", "percent"},
		{",\"traffic\":{}", "not an array"},
		{",\"traffic\":[1]", "not an object"},
		{",\"traffic\":[{" LATEST ",\"percent\":1,\"percent\":100}]",
			"not valid JSON"},
		{",\"traffic\":[{" REVISION
		 ",\"revision\":\"a b\",\"percent\":100}]",
			"not the name of a revision"},
		{",\"traffic\":[{" REVISION
		 ",\"revision\":\"x/..\",\"percent\":100}]",
			"not the name of a revision"},
		{",\"traffic\":[{" REVISION ",\"revision\":7}]",
			"\"revision\" is not a string"},
		{",\"traffic\":[{" LATEST
		 ",\"percent\":100,\"tag\":\"a\\u001b\"}]",
			"not a tag"},
		{",\"trafficStatuses\":[{" LATEST ",\"percent\":1000}]",
			"trafficStatuses[0]"},
		{",\"generation\":\"x\"", "generation"},
		{",\"generation\":\"99999999999999999999\"", "64 bits"},
		{",\"generation\":\"\"", "generation"},
		{",\"reconciling\":\"true\"", "true or false"},
		{",\"etag\":{}", "etag"},
		{",\"latestReadyRevision\":\"a/\"", "latestReadyRevision"},
		{",\"terminalCondition\":[]", "not an object"},
		{",\"multiRegionSettings\":[1]", "not an object"},
		{"", NULL},
	};
	size_t i;

	for (i = 0; rows[i].says; i++) {
		struct err err;

		assert_null(decode_with(rows[i].members, &err));
		assert_int_equal(err.code, ERR_PROTOCOL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].members, err.text);
	}
}

static void a_name_that_could_leave_its_path_is_refused(void **state)
{
	static const char *const names[] = {"", "shop",
		"projects/acme/locations/r/services/",
		"projects/acme/locations/r/services/shop/revisions/x",
		"projects/../locations/r/services/shop",
		"projects/acme/locations/r/services/shop?a",
		"projects/acme/locations/r%2f/services/shop",
		"projects/acme/locations/r/services/sh op",
		"/projects/acme/locations/r/services/shop"};
	struct service *s;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *json = xasprintf("{\"name\":\"%s\"}", names[i]);

		assert_null(decode(json, &err));
		assert_non_null(strstr(err.text, "\"name\""));
		xfree(&json);
	}
	s = decode("{\"name\":\"projects/example.com:a/locations/r/services/"
		   "s\"}",
		&err);
	assert_non_null(s);
	service_free(&s);
}

static void too_many_entries_are_refused(void **state)
{
	struct buf json;
	struct err err;
	int i;

	buf_init(&json, 1 << 20);
	buf_adds(&json, "{\"name\":\"" NAME "\",\"traffic\":[{}");
	for (i = 0; i < TRAFFIC_ENTRIES_MAX; i++)
		buf_adds(&json, ",{}");
	buf_adds(&json, "]}");
	assert_null(service_decode(json.data, json.len, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	buf_fini(&json);
}

static void what_is_no_json_is_said_to_be_none(void **state)
{
	static const char *const rows[] = {
		"", "<html>", "[]", "null", "{", "{}x", "{\"a\":\"\xff\"}"};
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(decode(rows[i], &err));
		assert_int_equal(err.code, ERR_PROTOCOL);
		assert_true(err_is_retryable(err.code));
	}
}

static void only_ready_makes_a_revision_ready(void **state)
{
	static const struct {
		const char *conditions;
		bool ready;
		const char *condition;
	} rows[] = {
		{"[{\"type\":\"Ready\",\"state\":\"CONDITION_SUCCEEDED\"},"
		 "{\"type\":\"Active\",\"state\":\"CONDITION_FAILED\","
		 "\"revisionReason\":\"RETIRED\"}]",
			true, NULL},
		{"[{\"type\":\"Active\",\"state\":\"CONDITION_SUCCEEDED\"},"
		 "{\"type\":\"Ready\",\"state\":\"CONDITION_FAILED\","
		 "\"revisionReason\":\"HEALTH_CHECK_CONTAINER_ERROR\"}]",
			false, "HEALTH_CHECK_CONTAINER_ERROR"},
		{"[{\"type\":\"Active\",\"state\":\"CONDITION_SUCCEEDED\"}]",
			false, "it has no condition Ready yet"},
		{"[{\"type\":\"Ready\",\"state\":\"CONDITION_NEW\"}]", false,
			"CONDITION_NEW"},
		{"null", false, "it has no condition Ready yet"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *json =
			xasprintf("{\"name\":\"" NAME "/revisions/shop-1\","
				  "\"service\":\"shop\",\"conditions\":%s}",
				rows[i].conditions);
		struct revision revision;
		struct err err;

		assert_int_equal(
			revision_decode(json, strlen(json), &revision, &err),
			0);
		assert_string_equal(revision.name, "shop-1");
		assert_string_equal(revision.service, "shop");
		assert_int_equal(revision.ready, rows[i].ready);
		if (rows[i].condition)
			assert_string_equal(
				revision.condition, rows[i].condition);
		else
			assert_null(revision.condition);
		revision_fini(&revision);
		xfree(&json);
	}
}

static void a_revision_belongs_to_a_service(void **state)
{
	static const char full[] = "{\"name\":\"" NAME "/revisions/shop-1\"}";
	static const char *const bad[] = {"{\"name\":\"shop-1\"}",
		"{\"service\":\"shop\"}",
		"{\"name\":\"a/services//revisions/b\"}"};
	struct revision revision;
	struct err err;
	size_t i;

	assert_int_equal(
		revision_decode(full, strlen(full), &revision, &err), 0);
	assert_string_equal(revision.service, "shop");
	revision_fini(&revision);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(revision_decode(bad[i], strlen(bad[i]),
					 &revision, &err),
			-1);
}

static void a_write_sends_what_was_planned_and_nothing_else(void **state)
{
	struct target items[] = {
		{TARGET_REVISION, "shop-1", 90, "stable", "https://x"},
		{TARGET_REVISION, "shop-2", 10},
		{TARGET_LATEST, "shop-2", 0, "next"},
	};
	struct traffic traffic = {items, 3};
	struct buf out;

	buf_init(&out, 4096);
	traffic_encode(NAME, "\"CK/v\"", &traffic, &out);
	assert_string_equal(out.data,
		"{\"name\":\"" NAME "\",\"etag\":\"\\\"CK/v\\\"\",\"traffic\":["
		"{" REVISION ",\"revision\":\"shop-1\",\"percent\":90,"
		"\"tag\":\"stable\"},"
		"{" REVISION ",\"revision\":\"shop-2\",\"percent\":10},"
		"{" LATEST ",\"percent\":0,\"tag\":\"next\"}]}");
	buf_clear(&out);
	traffic_encode(NAME, NULL, &traffic, &out);
	assert_null(strstr(out.data, "etag"));
	buf_clear(&out);
	traffic.n = 0;
	traffic_encode_array(&traffic, &out);
	assert_string_equal(out.data, "[]");
	buf_fini(&out);
}

#define OPERATION "projects/acme/locations/europe-west1/operations/2f1c"

static void operations_are_read(void **state)
{
	static const struct {
		const char *json;
		const char *name;
		bool done, failed;
		enum err_code code;
		const char *says;
	} rows[] = {
		{"{\"name\":\"" OPERATION "\"}", OPERATION},
		{"{\"done\":true,\"response\":{}}", "", true},
		{"{\"name\":\"" OPERATION "\",\"done\":true}", OPERATION, true},
		{"{\"name\":\"" OPERATION "\",\"error\":{\"code\":9}}",
			OPERATION},
		{"{\"done\":true,\"error\":{\"code\":10,\"message\":\"m\"}}",
			"", true, true, ERR_CONFLICT, "code 10 ABORTED: m"},
		{"{\"done\":true,\"error\":{\"code\":9,\"message\":\"m\"}}", "",
			true, true, ERR_INVALID, "FAILED_PRECONDITION"},
		{"{\"done\":true,\"error\":{\"code\":7}}", "", true, true,
			ERR_DENIED, "(no message)"},
		{"{\"done\":true,\"error\":{\"code\":13,\"message\":\"m\"}}",
			"", true, true, ERR_UNAVAILABLE, "INTERNAL"},
		{"{\"done\":true,\"error\":{\"code\":13,\"message\":\"Revision "
		 "'x' does not exist or is deleted. Update all traffic.\"}}",
			"", true, true, ERR_NOT_FOUND, "does not exist"},
		{"{\"done\":true,\"error\":{\"code\":99}}", "", true, true,
			ERR_PROTOCOL, "code 99"},
		{"{\"done\":true,\"error\":{}}", "", true, true, ERR_PROTOCOL,
			"code 0 OK"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct operation operation;
		struct err err;

		assert_int_equal(
			operation_decode(rows[i].json, strlen(rows[i].json),
				&operation, &err),
			0);
		assert_string_equal(operation.name, rows[i].name);
		assert_int_equal(operation.done, rows[i].done);
		assert_int_equal(operation.failed, rows[i].failed);
		if (rows[i].failed) {
			assert_int_equal(err.code, rows[i].code);
			assert_non_null(strstr(err.text, rows[i].says));
		}
		operation_fini(&operation);
	}
}

static void an_operation_that_is_none_is_refused(void **state)
{
	static const char *const rows[] = {"{\"name\":1}", "{\"done\":1}",
		"{\"error\":[]}", "[]",
		"{\"done\":true,\"error\":{\"code\":{}}}",
		"{\"name\":\"http://evil/operations/x\"}",
		"{\"name\":\"projects/a/../operations/x\"}",
		"{\"name\":\"projects/a/operations/x?y\"}"};
	struct operation operation;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(operation_decode(rows[i], strlen(rows[i]),
					 &operation, &err),
			-1);
		assert_int_equal(err.code, ERR_PROTOCOL);
	}
}

#define RPC "\"@type\":\"type.googleapis.com/google.rpc."

static const struct error_row {
	int status;
	const char *body;
	enum err_code code;
	const char *says;
	int64_t header_ms, retry_ms;
} error_rows[] = {
	{400,
		"{\"error\":{\"code\":400,\"message\":\"bad\","
		"\"status\":\"INVALID_ARGUMENT\",\"details\":[{" RPC
		"BadRequest\",\"fieldViolations\":[{\"field\":\"traffic\","
		"\"description\":\"sum 90\"}]}]}}",
		ERR_INVALID,
		"HTTP 400 INVALID_ARGUMENT: bad; field traffic: sum 90"},
	{401, "{\"error\":{\"status\":\"UNAUTHENTICATED\"}}", ERR_AUTH,
		"HTTP 401 UNAUTHENTICATED: (no message)"},
	{403,
		"{\"error\":{\"message\":\"denied\",\"status\":"
		"\"PERMISSION_DENIED\",\"details\":[{" RPC
		"ErrorInfo\",\"reason\":\"IAM_PERMISSION_DENIED\","
		"\"metadata\":{\"permission\":\"run.services.update\"}}]}}",
		ERR_DENIED, "grant the permission run.services.update"},
	{403,
		"{\"error\":{\"message\":\"off\",\"details\":[{" RPC
		"ErrorInfo\",\"reason\":\"SERVICE_DISABLED\",\"metadata\":"
		"{\"service\":\"run.googleapis.com\"}}]}}",
		ERR_DENIED, "gcloud services enable run.googleapis.com"},
	{403,
		"{\"error\":{\"message\":\"Permission "
		"'iam.serviceaccounts.actAs' denied\"}}",
		ERR_DENIED, "grant roles/iam.serviceAccountUser"},
	{404, "{\"error\":{\"message\":\"gone\"}}", ERR_NOT_FOUND, "gone"},
	{409, "{\"error\":{\"status\":\"ABORTED\"}}", ERR_CONFLICT, "ABORTED"},
	{409, "{\"error\":{\"status\":\"ALREADY_EXISTS\"}}", ERR_INVALID,
		"ALREADY_EXISTS"},
	{409, "", ERR_CONFLICT, "HTTP 409 with an empty body"},
	{412, "", ERR_CONFLICT, "412"},
	{429,
		"{\"error\":{\"message\":\"slow\",\"details\":[{" RPC
		"QuotaFailure\",\"violations\":[{\"subject\":\"project:1\","
		"\"description\":\"180 writes\"}]},{" RPC
		"RetryInfo\",\"retryDelay\":\"3.5s\"}]}}",
		ERR_THROTTLED, "quota of project:1: 180 writes", 1000, 3500},
	{429, "", ERR_THROTTLED, "empty", 7000, 7000},
	{429,
		"{\"error\":{\"details\":[{" RPC
		"RetryInfo\",\"retryDelay\":\"9999999999999999999999s\"}]}}",
		ERR_THROTTLED, "429", 0, 3600000},
	{503,
		"{\"error\":{\"details\":[{" RPC
		"RetryInfo\",\"retryDelay\":\"0.0001s\"}]}}",
		ERR_UNAVAILABLE, "503", 0, 1},
	{503,
		"{\"error\":{\"details\":[{" RPC
		"RetryInfo\",\"retryDelay\":\"-3s\"}]}}",
		ERR_UNAVAILABLE, "503", 0, 0},
	{429,
		"{\"error\":{\"details\":[{" RPC
		"ErrorInfo\",\"metadata\":{\"quota_limit\":\"WritesPerMin\"}}]}"
		"}",
		ERR_THROTTLED, "quota WritesPerMin"},
	{400,
		"{\"error\":{\"details\":[{" RPC
		"PreconditionFailure\",\"violations\":[{}]}]}}",
		ERR_INVALID, "precondition : (no description)"},
	{500, "<html>oops</html>", ERR_UNAVAILABLE, "HTTP 500 with a body"},
	{501, "", ERR_INVALID, "501"},
	{502, "[1]", ERR_UNAVAILABLE, "is a proxy in between?"},
	{503, "{\"error\":\"x\"}", ERR_UNAVAILABLE, "503"},
	{504, "", ERR_TIMEOUT, "504"},
	{302, "", ERR_PROTOCOL, "302"},
	{499, "", ERR_UNAVAILABLE, "499"},
	{418, "", ERR_INVALID, "418"},
	{500,
		"{\"error\":{\"status\":\"\\u001b[31m\",\"message\":5,"
		"\"details\":7}}",
		ERR_UNAVAILABLE, "HTTP 500: (no message)"},
};

static void errors_name_what_is_missing(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		const struct error_row *row = &error_rows[i];
		struct err err;

		google_error_decode(row->status, row->body, strlen(row->body),
			row->header_ms, &err);
		assert_int_equal(err.code, row->code);
		assert_int_equal(err.retry_after_ms, row->retry_ms);
		if (!strstr(err.text, row->says))
			fail_msg("%s: %s", row->says, err.text);
	}
}

static void a_long_message_is_cut_between_characters(void **state)
{
	struct buf json;
	struct err err;
	const char *end;
	int i;

	buf_init(&json, 4096);
	buf_adds(&json, "{\"error\":{\"message\":\"x");
	for (i = 0; i < 500; i++)
		buf_adds(&json, "é");
	buf_adds(&json, "\"}}");
	google_error_decode(500, json.data, json.len, 0, &err);
	end = err.text + strlen(err.text);
	assert_in_range(end - err.text, 790, 830);
	assert_memory_equal(end - 2, "é", 2);
	buf_fini(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_reaches_a_service_is_told),
		cmocka_unit_test(a_whole_service_is_read),
		cmocka_unit_test(what_is_missing_has_its_default),
		cmocka_unit_test(latest_in_statuses_is_resolved),
		cmocka_unit_test(unknown_types_are_unknown_and_names_are_short),
		cmocka_unit_test(its_routes_move_while_it_reconciles),
		cmocka_unit_test(a_red_service_says_why_on_one_line),
		cmocka_unit_test(several_regions_are_seen),
		cmocka_unit_test(a_misleading_service_is_refused),
		cmocka_unit_test(a_name_that_could_leave_its_path_is_refused),
		cmocka_unit_test(too_many_entries_are_refused),
		cmocka_unit_test(what_is_no_json_is_said_to_be_none),
		cmocka_unit_test(only_ready_makes_a_revision_ready),
		cmocka_unit_test(a_revision_belongs_to_a_service),
		cmocka_unit_test(
			a_write_sends_what_was_planned_and_nothing_else),
		cmocka_unit_test(operations_are_read),
		cmocka_unit_test(an_operation_that_is_none_is_refused),
		cmocka_unit_test(errors_name_what_is_missing),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
