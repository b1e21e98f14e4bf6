/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of the sandbox: faults, profiles, metrics, its log. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "sandbox/recent.h"
#include "sandbox/revision_profile.h"
#include "sandbox/sandbox_counts.h"
#include "sandbox/sandbox_faults.h"
#include "sandbox/sandbox_log.h"
#include "sandbox/sandbox_metrics.h"

static int add(struct sandbox_faults *faults, const char *text, int64_t now_ms)
{
	struct rpc_error error = {.code = RPC_OK};
	json_t *body = json_loads(text, 0, NULL);
	int id = sandbox_faults_add(faults, body, now_ms, &error);

	json_decref(body);
	return id;
}

/* Whether a request meets a fault in this slot. */
static bool meets(struct sandbox_faults *faults, const char *method,
	const char *path, int64_t now_ms, enum fault_slot slot)
{
	struct admin_request request = {.method = method, .path = path};
	struct fault_plan plan;
	bool met;

	sandbox_faults_match(faults, &request, now_ms, &plan);
	met = plan.slot[slot].id != 0;
	fault_plan_fini(&plan);
	return met;
}

static void faults_meet_the_requests_they_are_meant_for(void **state)
{
	static const struct {
		const char *fault, *method, *path;
		enum fault_slot slot;
		const char *met; /* one letter per request: y or n */
	} rows[] = {
		{"{\"kind\":\"status\"}", "GET", "/a", SLOT_ANSWER, "yn"},
		{"{\"kind\":\"reset\",\"times\":2}", "GET", "/a", SLOT_ANSWER,
			"yyn"},
		{"{\"kind\":\"reset\",\"times\":\"always\"}", "GET", "/a",
			SLOT_ANSWER, "yyyyy"},
		{"{\"kind\":\"hang\",\"skip\":1}", "GET", "/a", SLOT_ANSWER,
			"nyn"},
		{"{\"kind\":\"slow\",\"method\":\"PATCH\"}", "GET", "/a",
			SLOT_SLOW, "nn"},
		{"{\"kind\":\"stale\",\"path\":\"*/b\"}", "GET", "/a",
			SLOT_STALE, "nn"},
		{"{\"kind\":\"stale\",\"path\":\"*/services/*\"}", "GET",
			"/v2/services/x", SLOT_STALE, "yn"},
		{"{\"kind\":\"operation-stuck\",\"for\":\"2s\"}", "PATCH", "/",
			SLOT_OPERATION, "yyn"},
		{"{\"kind\":\"drift\",\"when\":\"after\",\"set\":{}}", "PATCH",
			"/", SLOT_DRIFT_AFTER, "yn"},
	};
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sandbox_faults faults = {.n = 0};

		assert_true(add(&faults, rows[i].fault, 0) > 0);
		for (k = 0; rows[i].met[k]; k++)
			assert_int_equal(
				meets(&faults, rows[i].method, rows[i].path,
					(int64_t)k * 1000, rows[i].slot),
				rows[i].met[k] == 'y');
		sandbox_faults_fini(&faults);
	}
}

#define SPLIT(a, b)                                          \
	"{\"traffic\":[{\"revision\":\"one\",\"percent\":" a \
	"},{\"revision\":\"one\",\"percent\":" b             \
	",\"tag\":\"x\"},{\"type\":\"LATEST\",\"percent\":50}]}"

static void a_fault_may_be_meant_for_one_split(void **state)
{
	static const struct {
		const char *writing, *method, *body;
		bool met;
	} rows[] = {
		{"{\"one\":50}", "PATCH", SPLIT("20", "30"), true},
		{"{\"one\":50,\"LATEST\":50}", "PATCH", SPLIT("20", "30"),
			true},
		{"{\"one\":50,\"two\":0}", "PATCH", SPLIT("50", "0"), true},
		{"{\"one\":50}", "PATCH", SPLIT("20", "20"), false},
		{"{\"one\":50}", "GET", SPLIT("20", "30"), false},
		{"{\"one\":0}", "PATCH", "{\"labels\":{}}", false},
		{"{\"one\":0}", "PATCH", "{", false},
		{"{\"one\":0}", "PATCH", NULL, false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct admin_request request = {.method = rows[i].method,
			.path = "/",
			.body = rows[i].body,
			.body_len = rows[i].body ? strlen(rows[i].body) : 0};
		struct sandbox_faults faults = {.n = 0};
		struct fault_plan plan;
		char text[256];

		snprintf(text, sizeof(text),
			"{\"kind\":\"operation-error\",\"times\":\"always\","
			"\"writing\":%s}",
			rows[i].writing);
		assert_true(add(&faults, text, 0) > 0);
		sandbox_faults_match(&faults, &request, 0, &plan);
		assert_int_equal(
			plan.slot[SLOT_OPERATION].id != 0, rows[i].met);
		fault_plan_fini(&plan);
		sandbox_faults_fini(&faults);
	}
}

static void requests_are_counted_within_a_minute(void **state)
{
	struct sandbox_counts counts = {.all = {0}};
	json_t *json;
	int i, minute, most, all, reads;

	for (i = 0; i < 100; i++)
		sandbox_counts_add(&counts, "PATCH", 1000000 + i * 500);
	assert_int_equal(sandbox_counts_add(&counts, "GET", 1050000), 1);
	assert_int_equal(sandbox_counts_add(&counts, "PATCH", 1070000), 79);
	json = sandbox_counts_json(&counts, 1100000);
	assert_int_equal(
		json_unpack(json, "{s:{s:i, s:i}, s:{s:i}, s:{s:i}}", "minute",
			"writes", &minute, "reads", &reads, "most", "writes",
			&most, "all", "writes", &all),
		0);
	assert_int_equal(minute, 19);
	assert_int_equal(reads, 1);
	assert_int_equal(most, 100);
	assert_int_equal(all, 101);
	json_decref(json);
}

static void bad_faults_are_refused(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{\"kind\":\"flood\"}",
		"{\"kind\":\"status\",\"status\":200}",
		"{\"kind\":\"status\",\"status\":199,\"body\":\"x\"}",
		"{\"kind\":\"status\",\"wen\":\"after\"}",
		"{\"kind\":\"status\",\"when\":\"later\"}",
		"{\"kind\":\"status\",\"times\":0}",
		"{\"kind\":\"status\",\"times\":-1}",
		"{\"kind\":\"status\",\"times\":\"often\"}",
		"{\"kind\":\"status\",\"skip\":-1}",
		"{\"kind\":\"status\",\"writing\":{}}",
		"{\"kind\":\"status\",\"writing\":{\"a\":\"100\"}}",
		"{\"kind\":\"stale\",\"generations\":17}",
		"{\"kind\":\"stale\",\"generations\":1,\"delay\":\"1s\"}",
		"{\"kind\":\"slow\",\"delay\":\"soon\"}",
		"{\"kind\":\"slow\",\"delay\":\"11m\"}",
		"{\"kind\":\"drift\"}",
		"{\"kind\":\"drift\",\"set\":{},\"remove\":\"a\"}",
		"{\"kind\":\"reset\",\"remove\":\"a\"}",
		"{\"kind\":\"status\",\"set\":{}}",
		"{\"kind\":\"operation-error\",\"code\":17}",
	};
	struct sandbox_faults faults = {.n = 0};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(add(&faults, rows[i], 0), -1);
	for (i = 0; i < FAULTS_MAX; i++)
		assert_true(add(&faults, "{\"kind\":\"reset\"}", 0) > 0);
	assert_int_equal(add(&faults, "{\"kind\":\"reset\"}", 0), -1);
	assert_false(sandbox_faults_remove(&faults, 9999));
	assert_true(sandbox_faults_remove(&faults, 3));
	assert_int_equal(faults.n, FAULTS_MAX - 1);
	sandbox_faults_fini(&faults);
	assert_int_equal(faults.n, 0);
}

static void profiles_are_read_from_text(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t latency_ms;
		size_t n_codes;
	} rows[] = {
		{"", 0, 0, 0},
		{"latency=50ms,sigma=0.4,errors=0.1%", 0, 50, 1},
		{"500=1%,503=0.02", 0, 0, 2},
		{"latency=50", -1, 0, 0},
		{"latency=2m", -1, 0, 0},
		{"sigma=9", -1, 0, 0},
		{"sigma=nan", -1, 0, 0},
		{"errors=101%", -1, 0, 0},
		{"errors=nan", -1, 0, 0},
		{"500=60%,503=60%", -1, 0, 0},
		{"99=1%", -1, 0, 0},
		{"speed=1", -1, 0, 0},
		{"latency", -1, 0, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct revision_profile profile = {.latency_ms = 0};
		struct err err;

		assert_int_equal(
			revision_profile_parse(rows[i].text, &profile, &err),
			rows[i].rc);
		if (rows[i].rc < 0)
			continue;
		assert_int_equal(profile.latency_ms, rows[i].latency_ms);
		assert_int_equal(profile.n_codes, rows[i].n_codes);
	}
}

static void a_profile_changes_only_where_it_is_told(void **state)
{
	struct revision_profile profile = {.latency_ms = 20, .sigma = 0.5};
	json_t *body = json_pack("{s:s}", "errors", "5%");
	json_t *bad = json_pack("{s:s, s:i}", "latency", "1s", "foo", 1);
	struct err err;

	assert_int_equal(revision_profile_read(body, "", &profile, &err), 0);
	assert_int_equal(profile.latency_ms, 20);
	assert_int_equal(profile.code[0].code, 500);
	assert_int_equal(revision_profile_read(bad, "", &profile, &err), -1);
	assert_int_equal(profile.latency_ms, 20);
	assert_int_equal(revision_profile_read(bad, "foo", &profile, &err), 0);
	assert_int_equal(profile.latency_ms, 1000);
	json_decref(body);
	json_decref(bad);
}

static void latencies_and_errors_follow_the_profile(void **state)
{
	struct revision_profile profile;
	int below = 0, failed = 0, busy = 0, far = 0, code, i;
	struct rng rng;
	struct err err;

	memset(&profile, 0, sizeof(profile));
	rng_init(&rng, 7);
	assert_int_equal(revision_profile_parse(
				 "latency=100ms,sigma=0.5,errors=5%,503=20%",
				 &profile, &err),
		0);
	for (i = 0; i < 10000; i++) {
		int64_t ms = revision_profile_latency_ms(&profile, &rng);

		below += ms < 100;
		far += ms > 164; /* one sigma above the median: 15.9 % */
		code = revision_profile_code(&profile, &rng);
		failed += code == 500;
		busy += code == 503;
	}
	assert_in_range(below, 4700, 5200);
	assert_in_range(far, 1450, 1720);
	assert_in_range(failed, 430, 570);
	assert_in_range(busy, 1880, 2120);
}

static void metrics_are_counted_and_escaped(void **state)
{
	struct revision_stats stats;
	struct metrics_row row = {"a\"b\\c\nd", &stats, 10};
	struct buf out;

	memset(&stats, 0, sizeof(stats));
	buf_init(&out, METRICS_TEXT_MAX);
	revision_stats_count(&stats, 200, 1000);
	revision_stats_count(&stats, 503, 1001);
	revision_stats_count(&stats, 200, 60000000);
	sandbox_metrics_print("shop", &row, 1, &out);
	assert_non_null(strstr(out.data,
		"http_requests_total{service=\"shop\",revision=\"a\\\"b\\\\c\\n"
		"d\",code=\"200\"} 2\n"));
	assert_non_null(strstr(out.data, "code=\"500\"} 0\n"));
	assert_non_null(strstr(out.data, "code=\"503\"} 1\n"));
	assert_non_null(strstr(out.data, "le=\"0.001\"} 1\n"));
	assert_non_null(strstr(out.data, "le=\"0.0025\"} 2\n"));
	assert_non_null(strstr(out.data, "le=\"10\"} 2\n"));
	assert_non_null(strstr(out.data, "le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(out.data, "_count{service=\"shop\""));
	buf_fini(&out);
}

/* Each status has a histogram of its own; the names are escaped. */
static void metrics_have_the_names_of_opentelemetry(void **state)
{
	struct revision_stats stats;
	struct metrics_row row = {"a\"b", &stats, 10};
	struct buf out;

	memset(&stats, 0, sizeof(stats));
	buf_init(&out, METRICS_TEXT_MAX);
	otel_metrics_print("shop", &row, 1, &out);
	assert_null(strstr(out.data, "job="));
	revision_stats_count(&stats, 200, 1000);
	revision_stats_count(&stats, 200, 60000000);
	revision_stats_count(&stats, 503, 1001);
	otel_metrics_print("shop", &row, 1, &out);
#define LABELS(code)                                                \
	"{job=\"shop\",faas_name=\"shop\",faas_version=\"a\\\"b\"," \
	"http_request_method=\"GET\",http_response_status_code=\"" code "\""
#define NAME "http_server_request_duration_seconds"
	assert_non_null(strstr(
		out.data, NAME "_bucket" LABELS("200") ",le=\"0.001\"} 1\n"));
	assert_non_null(strstr(
		out.data, NAME "_bucket" LABELS("200") ",le=\"+Inf\"} 2\n"));
	assert_non_null(strstr(
		out.data, NAME "_bucket" LABELS("503") ",le=\"0.001\"} 0\n"));
	assert_non_null(strstr(out.data, NAME "_count" LABELS("503") "} 1\n"));
	for (int code = 400; code < 440; code++)
		revision_stats_count(&stats, code, 1000);
	buf_clear(&out);
	otel_metrics_print("shop", &row, 1, &out);
	/* The last one has all that are too many. */
	assert_non_null(strstr(out.data, NAME "_count" LABELS("439") "} 27\n"));
#undef LABELS
#undef NAME
	buf_fini(&out);
}

/* What never happened has no series; milliseconds. */
static void metrics_of_the_cloud_are_shaped_as_there(void **state)
{
	static const struct metrics_owner owner = {"acme", "us-east1", "shop"};
	struct revision_stats stats;
	struct metrics_row row = {"shop-1", &stats, 10};
	struct buf out;

	memset(&stats, 0, sizeof(stats));
	buf_init(&out, METRICS_TEXT_MAX);
	cloud_metrics_print(&owner, &row, 1, &out);
	assert_null(strstr(out.data, "shop-1"));
	revision_stats_count(&stats, 200, 1000);
	revision_stats_count(&stats, 204, 2001);
	cloud_metrics_print(&owner, &row, 1, &out);
	assert_null(strstr(out.data, "5xx"));
	revision_stats_count(&stats, 503, 100000000);
	buf_clear(&out);
	cloud_metrics_print(&owner, &row, 1, &out);
#define LABELS                                                            \
	"{monitored_resource=\"cloud_run_revision\",project_id=\"acme\"," \
	"location=\"us-east1\",service_name=\"shop\","                    \
	"revision_name=\"shop-1\",configuration_name=\"shop\","
	assert_non_null(strstr(out.data,
		"run_googleapis_com:request_count" LABELS
		"response_code=\"503\",response_code_class=\"5xx\"} 1\n"));
	assert_non_null(strstr(out.data,
		"run_googleapis_com:request_latencies_bucket" LABELS
		"response_code_class=\"2xx\",le=\"1\"} 1\n"));
	assert_non_null(strstr(out.data, "class=\"2xx\",le=\"2\"} 1\n"));
	assert_non_null(strstr(out.data, "class=\"2xx\",le=\"2.82843\"} 2\n"));
	assert_non_null(strstr(out.data, "class=\"5xx\",le=\"92681.9\"} 0\n"));
	assert_non_null(strstr(out.data, "class=\"5xx\",le=\"+Inf\"} 1\n"));
	assert_non_null(strstr(out.data,
		"run_googleapis_com:request_latencies_sum" LABELS
		"response_code_class=\"5xx\"} 100000\n"));
	buf_fini(&out);
}

static void the_last_answers_make_shares_and_quantiles(void **state)
{
	struct recent *recent = xcalloc(1, sizeof(*recent));
	struct recent_view view;
	int i;

	recent_look(NULL, 0, &view);
	assert_int_equal(view.requests, 0);
	assert_true(isnan(view.error_ratio) && isnan(view.p95_s));
	/* One each millisecond, every fourth fails, from 1 to 100 ms. */
	for (i = 1; i <= 100; i++)
		recent_count(recent, i, i % 4 ? 404 : 503, i * 1000);
	recent_look(recent, 0, &view);
	assert_int_equal(view.requests, 100);
	assert_true(view.error_ratio == 0.25);
	assert_true(view.p50_s == 0.05 && view.p95_s == 0.095);
	recent_look(recent, 99, &view);
	assert_int_equal(view.requests, 1);
	assert_true(view.error_ratio == 1 && view.p50_s == 0.1);
	recent_look(recent, 100, &view);
	assert_int_equal(view.requests, 0);
	for (i = 0; i < 2 * RECENT_ANSWERS; i++)
		recent_count(recent, 200, 200, 1000);
	recent_look(recent, 0, &view);
	assert_int_equal(view.requests, RECENT_ANSWERS);
	assert_true(view.error_ratio == 0);
	free(recent);
}

static void the_log_keeps_the_newest_requests(void **state)
{
	struct sandbox_log log;
	uint64_t seq;
	json_t *all;
	int i;

	sandbox_log_init(&log);
	seq = sandbox_log_add(&log, 0, "PATCH", "/x?y", "{\"a\":1}", 7);
	sandbox_log_done(&log, seq, 409, 5);
	sandbox_log_add(&log, 1, "GET", "/x", NULL, 0);
	all = sandbox_log_json(&log, 0, "PATCH");
	assert_int_equal(json_array_size(json_object_get(all, "entries")), 1);
	assert_int_equal(
		json_integer_value(json_object_get(
			json_array_get(json_object_get(all, "entries"), 0),
			"status")),
		409);
	json_decref(all);
	for (i = 0; i < SANDBOX_LOG_MAX + 10; i++)
		sandbox_log_add(&log, i, "GET", "/y", "\xff", 1);
	all = sandbox_log_json(&log, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(all, "entries")),
		SANDBOX_LOG_MAX);
	json_decref(all);
	sandbox_log_clear(&log);
	all = sandbox_log_json(&log, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(all, "entries")), 0);
	json_decref(all);
	sandbox_log_fini(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_meet_the_requests_they_are_meant_for),
		cmocka_unit_test(a_fault_may_be_meant_for_one_split),
		cmocka_unit_test(requests_are_counted_within_a_minute),
		cmocka_unit_test(bad_faults_are_refused),
		cmocka_unit_test(profiles_are_read_from_text),
		cmocka_unit_test(a_profile_changes_only_where_it_is_told),
		cmocka_unit_test(latencies_and_errors_follow_the_profile),
		cmocka_unit_test(metrics_are_counted_and_escaped),
		cmocka_unit_test(metrics_of_the_cloud_are_shaped_as_there),
		cmocka_unit_test(metrics_have_the_names_of_opentelemetry),
		cmocka_unit_test(the_last_answers_make_shares_and_quantiles),
		cmocka_unit_test(the_log_keeps_the_newest_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
