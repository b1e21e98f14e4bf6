/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of a rollout: its shape as published, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "otlp_shape.h"
#include "status/otlp_trace.h"

#define BEGAN_MS INT64_C(1767225600000)
#define TRACE    "0af7651916cd43dd8448eb211c80319c"
#define PARENT   "b7ad6b7169203331"

static struct rollout state;
static struct otlp_subject subject;
static struct otlp_trace *trace;

static int setup(void **unused)
{
	rollout_init(&state);
	state.phase = PHASE_PROMOTED;
	subject = (struct otlp_subject){.rollout = "shop-1",
		.service = "projects/p/locations/r/services/shop",
		.policy = "production",
		.candidate = "shop-2",
		.stable = "shop-1",
		.state = &state};
	trace = otlp_trace_new();
	return 0;
}

static int teardown(void **unused)
{
	otlp_trace_free(&trace);
	assert_null(trace);
	return 0;
}

static void take(
	int64_t at_ms, const char *name, const char *phase, const char *data)
{
	const struct store_event entry = {.time_ms = at_ms,
		.name = name,
		.phase = phase,
		.percent = 10,
		.data = data};

	otlp_trace_take(trace, &entry);
}

/* The spans of what is printed, whose shape is right; the caller's. */
static json_t *spans(void)
{
	const char *problem;
	json_t *root, *list;
	struct buf out;

	buf_init(&out, OTLP_BYTES_MAX);
	otlp_trace_print(trace, &subject, &out);
	problem = otlp_shape_problem(out.data, out.len);
	if (problem)
		fail_msg("%s in %s", problem, out.data);
	root = json_loadb(out.data, out.len, 0, NULL);
	list = json_object_get(
		json_array_get(
			json_object_get(json_array_get(json_object_get(root,
							       "resourceSpans"),
						0),
				"scopeSpans"),
			0),
		"spans");
	json_incref(list);
	json_decref(root);
	buf_fini(&out);
	return list;
}

static const char *text_of(const json_t *span, const char *key)
{
	return json_string_value(json_object_get(span, key));
}

static const char *attribute(const json_t *span, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(span, "attributes"), i, item) {
		if (!strcmp(text_of(item, "key"), key))
			return text_of(
				json_object_get(item, "value"), "stringValue");
	}
	return NULL;
}

static void phases_are_spans_and_checks_their_events(void **unused)
{
	json_t *list;
	const json_t *events;

	take(BEGAN_MS, "started", "preflight", "{}");
	take(BEGAN_MS + 1000, "traffic", "baking", "{}");
	take(BEGAN_MS + 2000, "check", "baking",
		"{\"slo\":\"errors\",\"outcome\":\"pass\",\"value\":0.5}");
	take(BEGAN_MS + 3000, "check", "baking",
		"{\"slo\":\"errors\",\"outcome\":\"breach\",\"value\":\"+"
		"Inf\"}");
	take(BEGAN_MS + 4000, "timer", "promoted", "{}");
	list = spans();
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(
		text_of(json_array_get(list, 1), "name"), "preflight");
	assert_string_equal(text_of(json_array_get(list, 2), "parentSpanId"),
		text_of(json_array_get(list, 0), "spanId"));
	assert_string_equal(text_of(json_array_get(list, 2), "endTimeUnixNano"),
		"1767225604000000000");
	events = json_object_get(json_array_get(list, 2), "events");
	assert_int_equal(json_array_size(events), 2);
	assert_string_equal(
		attribute(json_array_get(events, 1), "tidegate.outcome"),
		"breach");
	json_decref(list);
}

static void the_same_rollout_has_the_same_trace(void **unused)
{
	json_t *list = spans();
	char first[33];

	snprintf(first, sizeof(first), "%s",
		text_of(json_array_get(list, 0), "traceId"));
	json_decref(list);
	list = spans();
	assert_string_equal(text_of(json_array_get(list, 0), "traceId"), first);
	json_decref(list);
	subject.rollout = "shop-2";
	list = spans();
	assert_string_not_equal(
		text_of(json_array_get(list, 0), "traceId"), first);
	json_decref(list);
}

static void a_job_is_the_parent_when_its_header_is_right(void **unused)
{
	static const struct {
		const char *header;
		bool right;
	} rows[] = {
		{"00-" TRACE "-" PARENT "-01", true},
		{"00-" TRACE "-" PARENT "-00", true},
		{"00-" TRACE "-" PARENT, false},
		{"00-" TRACE "-" PARENT "-0", false},
		{"00-" TRACE "-" PARENT "-zz", false},
		{"00-" TRACE "-" PARENT "-01-more", false},
		{"ff-" TRACE "-" PARENT "-01", false},
		{"00-00000000000000000000000000000000-" PARENT "-01", false},
		{"00-" TRACE "-0000000000000000-01", false},
		{"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false},
		{"", false},
	};
	const char *parent;
	json_t *list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		subject.traceparent = rows[i].header;
		list = spans();
		parent = text_of(json_array_get(list, 0), "parentSpanId");
		if ((parent != NULL) != rows[i].right)
			fail_msg("%s", rows[i].header);
		if (parent)
			assert_string_equal(parent, PARENT);
		json_decref(list);
	}
}

static void how_it_ended_is_told_in_the_words_for_pipelines(void **unused)
{
	static const struct {
		enum phase phase;
		enum cause cause;
		const char *result;
		int code;
	} rows[] = {
		{PHASE_PROMOTED, CAUSE_NONE, "success", 1},
		{PHASE_REFUSED, CAUSE_NONE, "skip", 1},
		{PHASE_STOPPED, CAUSE_DRIFT, "cancellation", 1},
		{PHASE_ROLLBACK_FAILED, CAUSE_SLO, "error", 2},
		{PHASE_ROLLED_BACK, CAUSE_SLO, "failure", 2},
		{PHASE_ROLLED_BACK, CAUSE_PERSON, "cancellation", 1},
		{PHASE_ROLLED_BACK, CAUSE_INTERRUPT, "cancellation", 1},
		{PHASE_ROLLED_BACK, CAUSE_APPROVAL, "timeout", 1},
		{PHASE_ROLLED_BACK, CAUSE_UNDECIDED, "timeout", 1},
		{PHASE_ROLLED_BACK, CAUSE_WRITE, "error", 2},
		{PHASE_ROLLED_BACK, CAUSE_HOOK, "error", 2},
	};
	const json_t *root;
	json_t *list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		state.phase = rows[i].phase;
		state.cause = rows[i].cause;
		list = spans();
		root = json_array_get(list, 0);
		assert_string_equal(attribute(root, "cicd.pipeline.result"),
			rows[i].result);
		assert_int_equal(
			json_integer_value(json_object_get(
				json_object_get(root, "status"), "code")),
			rows[i].code);
		json_decref(list);
	}
}

/* A state file may come from anybody. */
static void times_that_cannot_be_are_bounded(void **unused)
{
	json_t *list;

	take(-5, "started", "preflight", "{}");
	take(INT64_MAX, "check", "baking", "no JSON");
	take(INT64_MIN, "check", "baking", "{\"slo\":7,\"value\":1e999}");
	take(1000, "check", "no phase", "[]");
	list = spans();
	assert_int_equal(json_array_size(list), 3);
	json_decref(list);
}

static void what_is_too_much_is_counted(void **unused)
{
	const json_t *span;
	json_t *list;

	for (int i = 0; i < OTLP_EVENTS_MAX + 7; i++)
		take(BEGAN_MS + i, "check", "baking", "{}");
	list = spans();
	span = json_array_get(list, 1);
	assert_int_equal(json_array_size(json_object_get(span, "events")),
		OTLP_EVENTS_MAX);
	assert_int_equal(
		json_integer_value(json_object_get(span, "droppedEventsCount")),
		7);
	json_decref(list);
}

/* Checks of long phases, one phase after the other. */
static void a_long_rollout_fits(void **unused)
{
	static const char *const phases[] = {"baking", "held"};
	char data[256];
	json_t *list;

	snprintf(data, sizeof(data), "{\"slo\":\"%0120d\"}", 0);
	for (int i = 0; i < 40 * OTLP_EVENTS_MAX; i++)
		take(BEGAN_MS + i, "check", phases[i / OTLP_EVENTS_MAX % 2],
			data);
	list = spans();
	assert_int_equal(json_array_size(list), 41);
	assert_true(json_integer_value(json_object_get(json_array_get(list, 40),
			    "droppedEventsCount")) == OTLP_EVENTS_MAX);
	json_decref(list);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(phases_are_spans_and_checks_their_events),
		TEST(the_same_rollout_has_the_same_trace),
		TEST(a_job_is_the_parent_when_its_header_is_right),
		TEST(how_it_ended_is_told_in_the_words_for_pipelines),
		TEST(times_that_cannot_be_are_bounded),
		TEST(what_is_too_much_is_counted),
		TEST(a_long_rollout_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
