/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the sandbox's Cloud Run on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/foreign.h"
#include "sandbox/sandbox_options.h"

#define T0    INT64_C(1767225600000)
#define DELAY 1000
#define ROOT  "/v2/projects/acme/locations/us-central1/"
#define SHOP  ROOT "services/shop"
#define REV   "\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\""

/* What became of one request. */
struct outcome {
	int ended; /* how often it was told */
	int64_t at_ms;
	int status; /* 0: the connection broke */
	int64_t retry_ms;
	json_t *body;
};

struct world {
	struct cloud cloud;
	struct outcome outcome[4];
};

static struct world *here;

static int world_open(void **state)
{
	static const struct model_config config = {.project = "acme",
		.region = "us-central1",
		.service = "shop",
		.uri = "http://127.0.0.1:1",
		.operation_delay_ms = DELAY,
		.seed = 1};
	struct rpc_error error = {.code = RPC_OK};
	struct world *world = calloc(1, sizeof(*world));
	struct routes routes = {NULL, 0};

	cloud_init(&world->cloud, &config, T0);
	model_deploy(world->cloud.model, "shop-1", true, T0, &error);
	model_deploy(world->cloud.model, "shop-2", true, T0, &error);
	routes_add(&routes, ROUTE_REVISION, "shop-1", 100);
	model_set_routes(world->cloud.model, &routes, T0);
	routes_fini(&routes);
	*state = here = world;
	return 0;
}

static int world_close(void **state)
{
	struct world *world = *state;
	size_t i;

	cloud_fini(&world->cloud);
	for (i = 0; i < 4; i++)
		json_decref(world->outcome[i].body);
	free(world);
	return 0;
}

static void answered(const struct admin_reply *reply, void *arg)
{
	struct outcome *outcome = arg;

	outcome->ended++;
	outcome->at_ms = here->cloud.now_ms;
	if (!reply)
		return;
	outcome->status = reply->status;
	outcome->retry_ms = reply->retry_ms;
	json_decref(outcome->body);
	outcome->body = json_incref(reply->body);
}

static struct cloud_call *start(struct world *world, int i, const char *method,
	const char *path, const char *body, int64_t now_ms)
{
	char *plain = strndup(path, strcspn(path, "?"));
	struct admin_request request = {.method = method,
		.path = plain,
		.target = path,
		.authorization = "Bearer t",
		.body = body,
		.body_len = body ? strlen(body) : 0};
	struct cloud_call *call;

	json_decref(world->outcome[i].body);
	world->outcome[i] = (struct outcome){.ended = 0};
	cloud_advance(&world->cloud, now_ms);
	call = cloud_call_start(
		&world->cloud, &request, now_ms, answered, &world->outcome[i]);
	free(plain);
	assert_non_null(call);
	assert_int_equal(world->outcome[i].ended, 0);
	return call;
}

#define SPLIT_90                                                               \
	"{\"traffic\":[{" REV ",\"revision\":\"shop-1\",\"percent\":90},{" REV \
	",\"revision\":\"shop-2\",\"percent\":10}]}"

static void fault(struct world *world, const char *text)
{
	struct rpc_error error = {.code = RPC_OK};
	json_t *body = json_loads(text, 0, NULL);

	assert_non_null(body);
	assert_true(sandbox_faults_add(&world->cloud.faults, body,
			    world->cloud.now_ms, &error) > 0);
	json_decref(body);
}

static int serves(const struct world *world, const char *name)
{
	const struct model_revision *part[100];
	size_t n = model_split(world->cloud.model, part);
	int count = 0;

	while (n-- > 0)
		count += strcmp(part[n]->name, name) == 0;
	return count;
}

static void a_request_is_answered_at_its_own_time_whatever_is_due(void **state)
{
	/* long: a table */
	static const struct {
		const char *fault; /* "": none */
		int status; /* 0: the connection breaks */
		int64_t answer_ms; /* after it came */
		int64_t serves_ms; /* when the split is there; -1: never */
	} rows[] = {
		{"", 200, 0, DELAY},
		{"{\"kind\":\"slow\",\"delay\":\"5s\"}", 200, 5000,
			5000 + DELAY},
		{"{\"kind\":\"slow\",\"delay\":\"5s\",\"when\":\"after\"}", 200,
			5000, DELAY},
		{"{\"kind\":\"hang\",\"delay\":\"20s\"}", 0, 20000, -1},
		{"{\"kind\":\"hang\",\"delay\":\"20s\",\"when\":\"after\"}", 0,
			20000, DELAY},
		{"{\"kind\":\"reset\"}", 0, 0, -1},
		{"{\"kind\":\"reset\",\"when\":\"after\"}", 0, 0, DELAY},
		{"{\"kind\":\"status\",\"status\":429,\"retryAfter\":\"45s\"}",
			429, 0, -1},
		{"{\"kind\":\"status\",\"when\":\"after\"}", 503, 0, DELAY},
		{"{\"kind\":\"operation-error\",\"code\":9}", 200, 0, -1},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *world = *state;
		const struct outcome *outcome = &world->outcome[0];
		int64_t at_ms;

		if (*rows[i].fault)
			fault(world, rows[i].fault);
		start(world, 0, "PATCH", SHOP, SPLIT_90, T0);
		for (at_ms = 0; at_ms < 60000; at_ms += 500) {
			cloud_advance(&world->cloud, T0 + at_ms);
			assert_int_equal(
				outcome->ended, at_ms >= rows[i].answer_ms);
			assert_int_equal(serves(world, "shop-2"),
				rows[i].serves_ms >= 0 &&
						at_ms >= rows[i].serves_ms
					? 10
					: 0);
		}
		assert_int_equal(outcome->status, rows[i].status);
		assert_int_equal(outcome->at_ms, T0 + rows[i].answer_ms);
		assert_int_equal(
			outcome->retry_ms, rows[i].status == 429 ? 45000 : 0);
		assert_int_equal(cloud_next_ms(&world->cloud), MODEL_NEVER);
		world_close(state);
		world_open(state);
	}
}

static void an_operation_is_waited_for_until_it_ends(void **state)
{
	struct world *world = *state;
	char path[256];
	int i;

	start(world, 0, "PATCH", SHOP, SPLIT_90, T0);
	cloud_advance(&world->cloud, T0);
	snprintf(path, sizeof(path), "/v2/%s:wait",
		json_string_value(
			json_object_get(world->outcome[0].body, "name")));
	start(world, 1, "POST", path, "{\"timeout\":\"0.4s\"}", T0 + 100);
	start(world, 2, "POST", path, "{\"timeout\":\"30s\"}", T0 + 100);
	for (i = 0; cloud_next_ms(&world->cloud) != MODEL_NEVER; i++) {
		assert_true(i < 20);
		cloud_advance(&world->cloud, cloud_next_ms(&world->cloud));
	}
	assert_int_equal(world->outcome[1].at_ms, T0 + 500);
	assert_null(json_object_get(world->outcome[1].body, "done"));
	assert_int_equal(world->outcome[2].at_ms, T0 + DELAY);
	assert_true(
		json_is_true(json_object_get(world->outcome[2].body, "done")));
}

static void who_is_forgotten_hears_nothing_and_has_written(void **state)
{
	struct world *world = *state;
	struct cloud_call *call;

	fault(world, "{\"kind\":\"slow\",\"delay\":\"1s\"}");
	call = start(world, 0, "PATCH", SHOP, SPLIT_90, T0);
	cloud_call_forget(&call);
	assert_null(call);
	cloud_advance(&world->cloud, T0 + 1000 + DELAY);
	assert_int_equal(world->outcome[0].ended, 0);
	assert_int_equal(serves(world, "shop-2"), 10);
}

static void hanging_requests_can_be_let_go(void **state)
{
	struct world *world = *state;

	fault(world, "{\"kind\":\"hang\"}");
	start(world, 0, "GET", SHOP, NULL, T0);
	fault(world, "{\"kind\":\"slow\",\"delay\":\"2s\"}");
	start(world, 1, "GET", SHOP, NULL, T0 + 1);
	cloud_advance(&world->cloud, T0 + 1);
	cloud_reset_calls(&world->cloud, true);
	assert_int_equal(world->outcome[0].ended, 1);
	assert_int_equal(world->outcome[0].status, 0);
	assert_int_equal(world->outcome[1].ended, 0);
	cloud_reset_calls(&world->cloud, false);
	assert_int_equal(world->outcome[1].ended, 1);
}

/* The order of what happens is the same each time. */
static void the_same_calls_get_the_same_answers(void **state)
{
	json_t *first[3] = {NULL};
	int turn, i;

	for (turn = 0; turn < 2; turn++) {
		struct world *world = *state;

		start(world, 0, "GET", SHOP, NULL, T0);
		start(world, 1, "PATCH", SHOP, SPLIT_90, T0);
		start(world, 2, "GET", SHOP, NULL, T0);
		cloud_advance(&world->cloud, T0);
		for (i = 0; i < 3; i++) {
			if (turn)
				assert_true(json_equal(
					first[i], world->outcome[i].body));
			else
				first[i] = json_incref(world->outcome[i].body);
		}
		assert_null(
			json_object_get(world->outcome[0].body, "reconciling"));
		assert_non_null(
			json_object_get(world->outcome[2].body, "reconciling"));
		if (!turn) {
			world_close(state);
			world_open(state);
		}
	}
	for (i = 0; i < 3; i++)
		json_decref(first[i]);
}

/* One request and its answer at once; the status. */
static int ask(struct world *world, const char *method, const char *path,
	const char *body)
{
	int64_t now_ms = world->cloud.now_ms;

	start(world, 0, method, path, body, now_ms);
	cloud_advance(&world->cloud, now_ms);
	return world->outcome[0].status;
}

static const char *answer(const struct world *world, const char *member)
{
	return json_string_value(
		json_object_get(world->outcome[0].body, member));
}

/* A write of 90 % for shop-1, with the etag of the last answer or without. */
static int write_90(struct world *world, bool with_etag)
{
	json_t *body = json_loads(SPLIT_90, 0, NULL);
	char *text;
	int status;

	if (with_etag)
		json_object_set_new(
			body, "etag", json_string(answer(world, "etag")));
	text = json_dumps(body, 0);
	status = ask(world, "PATCH", SHOP "?updateMask=traffic", text);
	json_decref(body);
	free(text);
	return status;
}

static void a_foreign_write_comes_between_a_read_and_a_write(void **state)
{
	static const struct {
		bool strict, changes_traffic;
		int status;
		const char *generation; /* in the end */
	} rows[] = {
		{true, true, 409, "3"},
		{true, false, 409, "3"},
		{false, true, 200, "4"},
		{false, false, 200, "4"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *world = *state;

		world->cloud.rules.etag_is_strict = rows[i].strict;
		fault(world,
			rows[i].changes_traffic
				? "{\"kind\":\"drift\",\"method\":\"PATCH\","
				  "\"set\":{\"traffic\":[{" REV
				  ",\"revision\":\"shop-2\","
				  "\"percent\":100}]}}"
				: "{\"kind\":\"drift\",\"method\":\"PATCH\","
				  "\"set\":{\"description\":\"x\"}}");
		ask(world, "GET", SHOP, NULL);
		assert_string_equal(answer(world, "generation"), "2");
		assert_int_equal(write_90(world, true), rows[i].status);
		cloud_advance(&world->cloud, world->cloud.now_ms + 2 * DELAY);
		ask(world, "GET", SHOP, NULL);
		assert_string_equal(
			answer(world, "generation"), rows[i].generation);
		assert_int_equal(serves(world, "shop-1"),
			rows[i].status == 200     ? 90
			: rows[i].changes_traffic ? 0
						  : 100);
		world_close(state);
		world_open(state);
	}
}

/* What is there when a client reads may be gone when it writes. */
static void anything_may_happen_between_a_read_and_a_write(void **state)
{
	/* long: a table */
	static const struct {
		const char *deed;
		int status; /* of the write, without an etag */
		int percent; /* of shop-1 in the end */
		const char *latest; /* created */
	} rows[] = {
		{"\"set\":{\"labels\":{\"a\":\"b\"}}", 200, 90, "shop-2"},
		{"\"deploy\":{\"revision\":\"shop-3\",\"ready\":false}", 200,
			90, "shop-3"},
		{"\"remove\":\"shop-2\"", 200, 100, "shop-1"},
		{"\"remove\":\"shop-1\"", 200, 90, "shop-2"}, /* serves */
		{"\"ready\":{\"shop-2\":false}", 200, 100, "shop-2"},
		{"\"service\":\"deleted\"", 404, 0, NULL},
		{"\"service\":\"recreated\"", 200, 90, "shop-2"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *world = *state;
		const char *latest;
		char text[256];

		snprintf(text, sizeof(text),
			"{\"kind\":\"drift\",\"method\":\"GET\","
			"\"when\":\"after\",%s}",
			rows[i].deed);
		fault(world, text);
		assert_int_equal(ask(world, "GET", SHOP, NULL), 200);
		assert_non_null(
			strstr(answer(world, "latestCreatedRevision"), "-2"));
		assert_int_equal(write_90(world, false), rows[i].status);
		cloud_advance(&world->cloud, world->cloud.now_ms + DELAY);
		assert_int_equal(serves(world, "shop-1"), rows[i].percent);
		if (rows[i].latest) {
			ask(world, "GET", SHOP, NULL);
			latest = answer(world, "latestCreatedRevision");
			assert_string_equal(
				strrchr(latest, '/') + 1, rows[i].latest);
		}
		world_close(state);
		world_open(state);
	}
}

static void bad_deeds_are_refused(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{\"set\":7}",
		"{\"set\":{\"labls\":{}}}",
		"{\"deploy\":{\"ready\":1}}",
		"{\"deploy\":{\"takes\":\"soon\"}}",
		"{\"deploy\":{\"revision\":1}}",
		"{\"remove\":1}",
		"{\"ready\":{}}",
		"{\"ready\":{\"shop-1\":\"no\"}}",
		"{\"service\":\"lost\"}",
	};
	struct world *world = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rpc_error error = {.code = RPC_OK};
		json_t *deed = json_loads(rows[i], 0, NULL);

		assert_int_equal(
			foreign_do(world->cloud.model, deed, true, T0, &error),
			-1);
		assert_int_equal(error.code, RPC_INVALID_ARGUMENT);
		json_decref(deed);
	}
}

/* The operation of a write that was accepted. */
static json_t *operation_error(struct world *world)
{
	char path[256];

	snprintf(path, sizeof(path), "/v2/%s", answer(world, "name"));
	cloud_advance(&world->cloud, world->cloud.now_ms + DELAY);
	assert_int_equal(ask(world, "GET", path, NULL), 200);
	assert_true(
		json_is_true(json_object_get(world->outcome[0].body, "done")));
	return json_object_get(world->outcome[0].body, "error");
}

static void the_operation_of_a_certain_write_fails_so_often(void **state)
{
	struct world *world = *state;
	json_t *error, *service;
	int i;

	fault(world,
		"{\"kind\":\"operation-error\",\"writing\":{\"shop-1\":100},"
		"\"code\":9,\"message\":\"bad luck\",\"times\":2}");
	assert_int_equal(write_90(world, false), 200);
	assert_null(operation_error(world));
	for (i = 0; i < 3; i++) {
		assert_int_equal(ask(world, "PATCH", SHOP "?updateMask=traffic",
					 "{\"traffic\":[{" REV
					 ",\"revision\":\"shop-1\","
					 "\"percent\":100}]}"),
			200);
		error = operation_error(world);
		assert_int_equal(error != NULL, i < 2);
		assert_int_equal(serves(world, "shop-1"), i < 2 ? 90 : 100);
		if (!error)
			break;
		assert_int_equal(
			json_integer_value(json_object_get(error, "code")), 9);
		assert_string_equal(
			json_string_value(json_object_get(error, "message")),
			"bad luck");
		ask(world, "GET", SHOP, NULL);
		service = world->outcome[0].body;
		assert_int_equal(
			json_array_size(json_object_get(service, "traffic")),
			1);
		assert_int_equal(json_array_size(json_object_get(
					 service, "trafficStatuses")),
			2);
	}
}

static void reads_lag_by_generations_or_by_time(void **state)
{
	static const struct {
		const char *fault, *generation;
	} rows[] = {
		{"{\"kind\":\"stale\",\"generations\":1}", "4"},
		{"{\"kind\":\"stale\",\"generations\":2}", "3"},
		{"{\"kind\":\"stale\",\"generations\":16}", "1"},
		{"{\"kind\":\"stale\",\"delay\":\"14s\"}", "4"},
		{"{\"kind\":\"stale\",\"delay\":\"16s\"}", "3"},
	};
	struct world *world = *state;
	char body[64];
	size_t i;

	for (i = 0; i < 3; i++) {
		cloud_advance(&world->cloud, T0 + 10000 * (int64_t)(i + 1));
		snprintf(body, sizeof(body), "{\"description\":\"%zu\"}", i);
		assert_int_equal(ask(world, "PATCH", SHOP, body), 200);
	}
	cloud_advance(&world->cloud, T0 + 35000);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault(world, rows[i].fault);
		ask(world, "GET", SHOP, NULL);
		assert_string_equal(
			answer(world, "generation"), rows[i].generation);
		ask(world, "GET", SHOP, NULL);
		assert_string_equal(answer(world, "generation"), "5");
	}
}

static void a_quota_is_for_sixty_seconds(void **state)
{
	struct world *world = *state;
	int i;

	world->cloud.quota[COUNT_WRITES] = 3;
	for (i = 0; i < 5; i++) {
		assert_int_equal(write_90(world, false), i < 3 ? 200 : 429);
		cloud_advance(&world->cloud, world->cloud.now_ms + 10000);
	}
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(world->outcome[0].body, "error"),
			"status")),
		"RESOURCE_EXHAUSTED");
	assert_int_equal(ask(world, "GET", SHOP, NULL), 200);
	cloud_advance(&world->cloud, world->cloud.now_ms + 30000);
	assert_int_equal(write_90(world, false), 200);
}

static int set(struct world *world, const char *text, struct rpc_error *error)
{
	json_t *body = json_loads(text, 0, NULL);
	int rc;

	*error = (struct rpc_error){.code = RPC_OK};
	assert_non_null(body);
	rc = sandbox_options_set(&world->cloud, body, T0, error);
	json_decref(body);
	return rc;
}

static void options_hold_together_or_not_at_all(void **state)
{
	static const struct {
		const char *body, *says; /* says NULL: it is taken */
	} rows[] = {
		{"{\"etag\":\"lax\",\"uris\":\"absent\"}", NULL},
		{"{\"deny\":[\"run.operations.get\"]}", NULL},
		{"{\"operationDelay\":\"5s\",\"clockAhead\":\"1m\"}", NULL},
		{"{\"etag\":\"strict\",\"uris\":\"gone\"}",
			"uris must be \"given\" or \"absent\""},
		{"{\"etag\":true}", "etag must be"},
		{"{\"operationDelay\":7}", "must be a time"},
		{"{\"operationDelay\":\"2d\"}", "longer than 3600 s"},
		{"{\"writesPerMinute\":180,\"readsPerMinute\":\"3000\"}", NULL},
		{"{\"writesPerMinute\":-1}", "between 0 and"},
		{"{\"writesPerMinute\":\"many\"}", "between 0 and"},
		{"{\"deny\":[7]}", "must be a permission"},
		{"{\"etags\":\"lax\"}", "no option \"etags\""},
	};
	struct world *world = *state;
	struct rpc_error error;
	json_t *options;
	size_t i;

	world->cloud.rules.etag_is_strict = true;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(set(world, rows[i].body, &error),
			rows[i].says ? -1 : 0);
		if (rows[i].says)
			assert_non_null(strstr(error.message, rows[i].says));
	}
	options = sandbox_options_json(&world->cloud);
	assert_string_equal(
		json_string_value(json_object_get(options, "etag")), "lax");
	assert_string_equal(
		json_string_value(json_object_get(options, "uris")), "absent");
	assert_string_equal(
		json_string_value(json_object_get(options, "operationDelay")),
		"5s");
	json_decref(options);
	assert_true(world->cloud.model->rules.uris_absent);
	assert_int_equal(world->cloud.rules.n_deny, 1);
	assert_int_equal(world->cloud.quota[COUNT_WRITES], 180);
	assert_int_equal(world->cloud.quota[COUNT_READS], 3000);
}

/* The names are those of `struct model_rules`, each by its word. */
static void each_option_can_be_set_by_its_text(void **state)
{
	/* long: a table */
	static const struct {
		const char *text;
		size_t offset;
	} rows[] = {
#define RULE(member) offsetof(struct model_rules, member)
		{"uris=absent", RULE(uris_absent)},
		{"routesCondition=absent", RULE(routes_condition_absent)},
		{"observedWhenBroken=stays", RULE(broken_stays_behind)},
		{"writeWhenBroken=fails", RULE(broken_fails_writes)},
		{"idleTargets=unchecked", RULE(idle_targets_unchecked)},
		{"busyWrite=refused", RULE(busy_refuses)},
		{"sameWrite=counted", RULE(same_write_counts)},
		{"failedWriteAgain=ignored", RULE(failed_write_is_final)},
		{"fieldWrite=ignored", RULE(fields_do_not_count)},
	};
	struct world *world = *state;
	struct rpc_error error = {.code = RPC_OK};
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sandbox_option_parse(&world->cloud,
					 rows[i].text, T0, &error),
			0);
		for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			assert_int_equal(*((char *)&world->cloud.model->rules +
						 rows[k].offset),
				k <= i);
	}
	assert_int_equal(
		sandbox_option_parse(&world->cloud, "uris", T0, &error), -1);
	assert_int_equal(
		sandbox_option_parse(&world->cloud, "uris=\xff", T0, &error),
		-1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		T(a_request_is_answered_at_its_own_time_whatever_is_due),
		T(an_operation_is_waited_for_until_it_ends),
		T(who_is_forgotten_hears_nothing_and_has_written),
		T(hanging_requests_can_be_let_go),
		T(the_same_calls_get_the_same_answers),
		T(a_foreign_write_comes_between_a_read_and_a_write),
		T(anything_may_happen_between_a_read_and_a_write),
		T(bad_deeds_are_refused),
		T(the_operation_of_a_certain_write_fails_so_often),
		T(reads_lag_by_generations_or_by_time),
		T(a_quota_is_for_sixty_seconds),
		T(options_hold_together_or_not_at_all),
		T(each_option_can_be_set_by_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
