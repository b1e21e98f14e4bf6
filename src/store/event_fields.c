/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of every event; see event_fields.h. A table only. */
#include "store/event_fields.h"

#include <limits.h>

#include "base/timestamp.h"

#define RETRY_MS_MAX INT64_C(31536000000) /* 365 days */

static const char *verb_name_of(int value)
{
	return verb_name((enum verb)value);
}

static int verb_find_of(const char *name)
{
	return (int)verb_find(name);
}

static const char *write_name_of(int value)
{
	return write_result_name((enum write_result)value);
}

static int write_find_of(const char *name)
{
	return (int)write_result_find(name);
}

static const char *action_name_of(int value)
{
	return action_result_name((enum action_result)value);
}

static int action_find_of(const char *name)
{
	return (int)action_result_find(name);
}

static const char *stable_name_of(int value)
{
	return stable_state_name((enum stable_state)value);
}

static int stable_find_of(const char *name)
{
	return (int)stable_state_find(name);
}

static const struct names stable_names = {
	stable_name_of, stable_find_of, STABLE_STATES};
static const struct names verb_names = {verb_name_of, verb_find_of, VERBS};
static const struct names write_names = {
	write_name_of, write_find_of, WRITE_RESULTS};
static const struct names action_names = {
	action_name_of, action_find_of, ACTION_RESULTS};

#define AT(member) offsetof(struct event, member)

/* clang-format off */
#define TEXT(key) {key, KIND_TEXT, AT(text)}
#define WHO       {"who", KIND_TEXT, AT(who)}
#define WALL      {"wall_ms", KIND_COUNT, AT(wall_ms), TIMESTAMP_MS_MAX}
#define TRAFFIC                                                                \
	{"spec", KIND_SPLIT, AT(spec)},                                        \
	{"serving", KIND_SPLIT, AT(serving)},                                  \
	{"generation", KIND_COUNT, AT(generation), INT64_MAX},                 \
	{"reconciling", KIND_FLAG, AT(reconciling)},                           \
	{"moving", KIND_FLAG, AT(moving)},                                     \
	{"by_latest", KIND_BOOL, AT(by_latest)},                               \
	{"candidate_is_latest", KIND_BOOL, AT(candidate_is_latest)},           \
	{"tagged", KIND_BOOL, AT(tagged)},                                     \
	{"stable_kept", KIND_FLAG, AT(stable_kept)},                           \
	{"stable_state", KIND_CHOICE, AT(stable_state), .names = &stable_names},     \
	{"anew", KIND_FLAG, AT(anew)},                                         \
	{"deployed", KIND_FLAG, AT(deployed)}
#define RETRY                                                                  \
	{"retryable", KIND_BOOL, AT(retryable)},                               \
	{"retry_after_ms", KIND_LONG, AT(retry_after_ms), RETRY_MS_MAX}
/* clang-format on */

const struct field event_fields[EVENTS][EVENT_FIELDS_MAX] = {
	[EVENT_STARTED] = {WHO, {"seed", KIND_SEED, AT(seed)},
		{"adopt", KIND_BOOL, AT(adopt)}, {"undo", KIND_FLAG, AT(undo)},
		TEXT("reason")},
	[EVENT_PREFLIGHT] = {{"ok", KIND_BOOL, AT(ok)}, TEXT("reason"), TRAFFIC,
		{"history", KIND_HISTORIES, AT(histories)}},
	[EVENT_TRAFFIC] = {TRAFFIC, TEXT("broken")},
	[EVENT_STABLE] = {{"stable_state", KIND_NAME, AT(stable_state),
				  .names = &stable_names},
		TEXT("text")},
	[EVENT_TRAFFIC_ERROR] = {TEXT("text"), RETRY},
	[EVENT_WRITTEN] = {{"result", KIND_NAME, AT(result),
				   .names = &write_names},
		{"attempt", KIND_COUNT, AT(write_attempt), INT_MAX},
		{"generation", KIND_COUNT, AT(generation), INT64_MAX},
		TEXT("text"), RETRY},
	[EVENT_CHECK] = {{"slo", KIND_SLO, AT(slo)},
		{"answers", KIND_ANSWERS, AT(answers)},
		{"counts", KIND_COUNTS, AT(answers.counts)},
		{"latency_ms", KIND_LONG, AT(latency_ms), INT64_MAX},
		TEXT("trouble")},
	[EVENT_ACTION] = {{"name", KIND_ACTION, AT(index)},
		{"attempt", KIND_INT, AT(attempt), INT_MAX},
		{"result", KIND_NAME, AT(action_result),
			.names = &action_names},
		{"duration_ms", KIND_LONG, AT(duration_ms), INT64_MAX},
		TEXT("detail")},
	[EVENT_COMMAND] = {WHO,
		{"verb", KIND_NAME, AT(verb), .names = &verb_names},
		{"step", KIND_STEP, AT(step)},
		{"command_id", KIND_LONG, AT(command_id), INT64_MAX},
		TEXT("comment")},
	[EVENT_INTERRUPT] = {{"leave", KIND_BOOL, AT(leave)}, TEXT("text")},
	[EVENT_TIMER] = {{"clock_set", KIND_FLAG, AT(clock_set)}, WALL,
		{"spread", KIND_FLAG, AT(spread)},
		{"stood_ms", KIND_COUNT, AT(stood_ms), INT64_MAX}},
	[EVENT_RESUMED] = {WHO, TEXT("overtaken"), WALL},
};

const char *const answer_keys[QUERY_ROLES] = {
	[QUERY_VALUE] = "value",
	[QUERY_BASELINE] = "baseline",
	[QUERY_REQUESTS] = "requests",
	[QUERY_TOTAL] = "total",
	[QUERY_TOTAL_STABLE] = "baseline_total",
	[QUERY_BAD] = "bad",
	[QUERY_BAD_STABLE] = "baseline_bad",
};

const char *const event_query_keys[QUERY_ROLES] = {
	[QUERY_VALUE] = "query",
	[QUERY_BASELINE] = "baseline_query",
	[QUERY_REQUESTS] = "requests_query",
	[QUERY_TOTAL] = "total_query",
	[QUERY_TOTAL_STABLE] = "baseline_total_query",
	[QUERY_BAD] = "bad_query",
	[QUERY_BAD_STABLE] = "baseline_bad_query",
};
