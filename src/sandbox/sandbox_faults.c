/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults; see sandbox_faults.h. Pure. */
#include "sandbox/sandbox_faults.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "sandbox/foreign.h"

#define HANG_MS  FAULT_DELAY_MS_MAX
#define SLOW_MS  1000
#define STALE_MS 5000

static const struct {
	const char *name;
	int64_t delay_ms; /* when none is given */
} kinds[FAULT_KINDS] = {
	[FAULT_STATUS] = {"status", 0},
	[FAULT_RESET] = {"reset", 0},
	[FAULT_HANG] = {"hang", HANG_MS},
	[FAULT_SLOW] = {"slow", SLOW_MS},
	[FAULT_OPERATION_ERROR] = {"operation-error", 0},
	[FAULT_OPERATION_STUCK] = {"operation-stuck", 0},
	[FAULT_STALE] = {"stale", STALE_MS},
	[FAULT_DRIFT] = {"drift", 0},
};

static void fault_free(struct fault *fault)
{
	json_decref(fault->drift);
	json_decref(fault->writing);
	free(fault);
}

void sandbox_faults_fini(struct sandbox_faults *faults)
{
	sandbox_faults_remove(faults, 0);
}

static int read_kind(
	const char *text, enum fault_kind *kind_r, struct rpc_error *error)
{
	int i;

	for (i = 0; i < FAULT_KINDS; i++) {
		if (strcmp(kinds[i].name, text) == 0) {
			*kind_r = (enum fault_kind)i;
			return 0;
		}
	}
	return rpc_error_field(error, "kind",
		"kind \"%.40s\" is none of status, reset, hang, slow, "
		"operation-error, operation-stuck, stale, drift",
		text);
}

static int read_delay(const char *name, const char *text, int64_t max,
	int64_t *ms_r, struct rpc_error *error)
{
	struct err err;

	if (!text)
		return 0;
	if (duration_parse(text, ms_r, &err) < 0)
		return rpc_error_field(
			error, name, "%s: %.200s", name, err.text);
	if (*ms_r > max)
		return rpc_error_field(error, name,
			"%s \"%.40s\" is longer than %lld s", name, text,
			(long long)(max / 1000));
	return 0;
}

static int read_when(const char *text, bool *after_r, struct rpc_error *error)
{
	*after_r = text && strcmp(text, "after") == 0;
	if (text && !*after_r && strcmp(text, "before") != 0)
		return rpc_error_field(error, "when",
			"when \"%.40s\" is neither before nor after", text);
	return 0;
}

/* What the JSON holds, before it is a fault. */
struct wish {
	const char *kind, *method, *path, *when, *during, *retry, *delay, *text;
	const char *body;
	json_int_t skip, generations;
	int status, code;
	json_t *times, *writing, *deed[5];
};

/* How often: a number, "always", or once; as long as `for` says when that is
 * all. */
static int read_times(const struct wish *wish, bool has_end, int64_t *left_r,
	struct rpc_error *error)
{
	json_int_t n = json_integer_value(wish->times);
	const char *text = json_string_value(wish->times);

	*left_r = has_end || text ? -1 : 1;
	if (!wish->times || (text && strcmp(text, "always") == 0))
		return 0;
	*left_r = n;
	if (n >= 1 && n <= FAULT_TIMES_MAX)
		return 0;
	return rpc_error_field(error, "times",
		"times must be between 1 and %d, or \"always\"",
		FAULT_TIMES_MAX);
}

static int check_writing(const json_t *writing, struct rpc_error *error)
{
	const char *name;
	json_t *percent;

	if (writing && !json_object_size(writing))
		goto bad;
	json_object_foreach((json_t *)writing, name, percent) {
		if (!json_is_integer(percent))
			goto bad;
	}
	return 0;
bad:
	return rpc_error_field(error, "writing",
		"writing must be an object such as {\"REVISION\": 100}");
}

static int check_numbers(const struct wish *wish, const struct fault *fault,
	struct rpc_error *error)
{
	if (wish->skip < 0 || wish->skip > FAULT_TIMES_MAX)
		return rpc_error_field(error, "skip",
			"skip must be between 0 and %d", FAULT_TIMES_MAX);
	if (wish->generations < 0 ||
		wish->generations > FAULT_GENERATIONS_MAX ||
		(wish->generations && wish->delay))
		return rpc_error_field(error, "generations",
			"generations must be between 1 and %d, and without a "
			"delay",
			FAULT_GENERATIONS_MAX);
	if (fault->kind == FAULT_STATUS &&
		(wish->status < (*wish->body ? 200 : 400) ||
			wish->status > 599))
		return rpc_error_field(error, "status",
			"status %d is not between 400 (with a body: 200) and "
			"599",
			wish->status);
	if (wish->code <= RPC_OK || wish->code >= RPC_CODES)
		return rpc_error_field(error, "code",
			"code %d is not one of gRPC's between 1 and 16",
			wish->code);
	return 0;
}

static int fault_fill(const struct wish *wish, int64_t now_ms,
	struct fault *fault, struct rpc_error *error)
{
	int64_t during = 0;

	if (read_kind(wish->kind, &fault->kind, error) < 0 ||
		read_when(wish->when, &fault->after, error) < 0)
		return -1;
	fault->delay_ms = kinds[fault->kind].delay_ms;
	if (read_delay("delay", wish->delay, FAULT_DELAY_MS_MAX,
		    &fault->delay_ms, error) < 0 ||
		read_delay("retryAfter", wish->retry, FAULT_DELAY_MS_MAX,
			&fault->retry_ms, error) < 0 ||
		read_delay("for", wish->during, DURATION_MS_MAX, &during,
			error) < 0 ||
		read_times(wish, during > 0, &fault->left, error) < 0 ||
		check_writing(wish->writing, error) < 0 ||
		check_numbers(wish, fault, error) < 0)
		return -1;
	if (strlen(wish->method) >= sizeof(fault->method) ||
		strlen(wish->path) >= sizeof(fault->path) ||
		strlen(wish->body) >= sizeof(fault->body))
		return rpc_error_field(
			error, "path", "method, path or body is too long");
	strcpy(fault->body, wish->body);
	strcpy(fault->method, wish->method);
	strcpy(fault->path, wish->path);
	snprintf(fault->text, sizeof(fault->text), "%s", wish->text);
	fault->skip = wish->skip;
	fault->generations = wish->generations;
	fault->until_ms = during ? now_ms + during : MODEL_NEVER;
	fault->status = wish->status;
	fault->code = (enum rpc_code)wish->code;
	fault->writing = wish->writing ? json_deep_copy(wish->writing) : NULL;
	return 0;
}

/* What somebody else does: one of foreign.h, for a drift and only there. */
static int read_deed(
	const json_t *body, struct fault *fault, struct rpc_error *error)
{
	const char *name;
	json_t *value;

	fault->drift = json_object();
	json_object_foreach((json_t *)body, name, value) {
		if (foreign_is_deed(name))
			json_object_set_new(
				fault->drift, name, json_deep_copy(value));
	}
	if (json_object_size(fault->drift) == (fault->kind == FAULT_DRIFT))
		return 0;
	return rpc_error_field(error, "set",
		"a drift, and only a drift, has one of set, deploy, remove, "
		"ready and service");
}

int sandbox_faults_add(struct sandbox_faults *faults, const json_t *body,
	int64_t now_ms, struct rpc_error *error)
{
	struct wish wish = {.method = "",
		.path = "",
		.body = "",
		.status = 503,
		.code = RPC_INTERNAL,
		.text = "The sandbox was asked for this fault."};
	json_error_t where;
	struct fault *fault;

	if (faults->n == FAULTS_MAX)
		return rpc_error_set(error, RPC_RESOURCE_EXHAUSTED,
			"there are %d faults already: delete some", FAULTS_MAX);
	if (json_unpack_ex((json_t *)body, &where, JSON_STRICT,
		    "{s:s, s?s, s?s, s?s, s?s, s?s, s?s, s?s, s?o, s?I, s?i, "
		    "s?i, s?s, s?o, s?I, s?o, s?o, s?o, s?o, s?o}",
		    "kind", &wish.kind, "method", &wish.method, "path",
		    &wish.path, "when", &wish.when, "for", &wish.during,
		    "retryAfter", &wish.retry, "delay", &wish.delay, "message",
		    &wish.text, "times", &wish.times, "skip", &wish.skip,
		    "status", &wish.status, "code", &wish.code, "body",
		    &wish.body, "writing", &wish.writing, "generations",
		    &wish.generations, "set", &wish.deed[0], "deploy",
		    &wish.deed[1], "remove", &wish.deed[2], "ready",
		    &wish.deed[3], "service", &wish.deed[4]) < 0)
		return rpc_error_field(error, "", "fault: %s", where.text);
	fault = xcalloc(1, sizeof(*fault));
	if (fault_fill(&wish, now_ms, fault, error) < 0 ||
		read_deed(body, fault, error) < 0) {
		fault_free(fault);
		return -1;
	}
	fault->id = ++faults->made;
	faults->fault[faults->n++] = fault;
	return (int)fault->id;
}

static void fault_drop(struct sandbox_faults *faults, size_t i)
{
	fault_free(faults->fault[i]);
	faults->n--;
	memmove(&faults->fault[i], &faults->fault[i + 1],
		(faults->n - i) * sizeof(faults->fault[0]));
}

bool sandbox_faults_remove(struct sandbox_faults *faults, unsigned id)
{
	bool found = id == 0;
	size_t i;

	for (i = faults->n; i-- > 0;) {
		if (id && faults->fault[i]->id != id)
			continue;
		fault_drop(faults, i);
		found = true;
	}
	return found;
}

static void faults_expire(struct sandbox_faults *faults, int64_t now_ms)
{
	size_t i;

	for (i = faults->n; i-- > 0;) {
		if (!faults->fault[i]->left ||
			faults->fault[i]->until_ms <= now_ms)
			fault_drop(faults, i);
	}
}

static enum fault_slot slot_of(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_SLOW:
		return SLOT_SLOW;
	case FAULT_OPERATION_ERROR:
	case FAULT_OPERATION_STUCK:
		return SLOT_OPERATION;
	case FAULT_STALE:
		return SLOT_STALE;
	case FAULT_DRIFT:
		return fault->after ? SLOT_DRIFT_AFTER : SLOT_DRIFT_BEFORE;
	default:
		return SLOT_ANSWER;
	}
}

/* The percent that a body of a PATCH asks for a revision; LATEST is a name. */
static json_int_t percent_asked(const json_t *body, const char *name)
{
	json_t *list = json_object_get(body, "traffic"), *entry, *revision;
	json_int_t sum = 0;
	size_t i;

	json_array_foreach(list, i, entry) {
		revision = json_object_get(entry, "revision");
		if (strcmp(revision ? json_string_value(revision) : "LATEST",
			    name) == 0)
			sum += json_integer_value(
				json_object_get(entry, "percent"));
	}
	return sum;
}

/* Whether a request writes the split that the fault is meant for. */
static bool fault_is_for_split(
	const struct fault *fault, const struct admin_request *request)
{
	const char *name;
	json_t *percent, *body;
	bool same;

	if (!fault->writing)
		return true;
	if (strcmp(request->method, "PATCH") != 0 || !request->body)
		return false;
	body = json_loadb(request->body, request->body_len, 0, NULL);
	same = json_object_get(body, "traffic") != NULL;
	json_object_foreach(fault->writing, name, percent)
		same = same &&
		       percent_asked(body, name) == json_integer_value(percent);
	json_decref(body);
	return same;
}

static bool fault_concerns(
	const struct fault *fault, const struct admin_request *request)
{
	if (fault->method[0] && strcmp(fault->method, request->method) != 0)
		return false;
	if (fault->path[0] && fnmatch(fault->path, request->path, 0) != 0)
		return false;
	return fault_is_for_split(fault, request);
}

void sandbox_faults_match(struct sandbox_faults *faults,
	const struct admin_request *request, int64_t now_ms,
	struct fault_plan *plan_r)
{
	struct fault *slot;
	size_t i;

	memset(plan_r, 0, sizeof(*plan_r));
	faults_expire(faults, now_ms);
	for (i = 0; i < faults->n; i++) {
		struct fault *fault = faults->fault[i];

		slot = &plan_r->slot[slot_of(fault)];
		if (slot->id || !fault_concerns(fault, request))
			continue;
		if (fault->skip) {
			fault->skip--;
			continue;
		}
		fault->hits++;
		if (fault->left > 0)
			fault->left--;
		*slot = *fault;
		json_incref(slot->drift);
		json_incref(slot->writing);
	}
	faults_expire(faults, now_ms);
}

void fault_plan_fini(struct fault_plan *plan)
{
	int i;

	for (i = 0; i < FAULT_SLOTS; i++) {
		json_decref(plan->slot[i].drift);
		json_decref(plan->slot[i].writing);
	}
	memset(plan, 0, sizeof(*plan));
}

json_t *sandbox_faults_json(const struct sandbox_faults *faults)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < faults->n; i++) {
		const struct fault *fault = faults->fault[i];

		json_array_append_new(list,
			json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
				"id", (int)fault->id, "kind",
				kinds[fault->kind].name, "method",
				fault->method, "path", fault->path, "when",
				fault->after ? "after" : "before", "skip",
				(json_int_t)fault->skip, "left",
				(json_int_t)fault->left, "hits",
				(json_int_t)fault->hits));
	}
	return list;
}
