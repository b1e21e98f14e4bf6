/* SPDX-License-Identifier: Apache-2.0 */
/* The admin API of the sandbox: what it takes, what it refuses, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/admin_routes.h"

#define T0    INT64_C(1767225600000)
#define DELAY 1000
#define ROOT  "/v2/projects/acme/locations/us-central1/"
#define SHOP  ROOT "services/shop"
#define REV   "\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\""
#define LAST  "\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST\""

struct world {
	struct model *model;
	struct admin_rules rules;
	struct fault_plan plan;
	int64_t now_ms;
};

static int world_open(void **state)
{
	static const struct model_config config = {.project = "acme",
		.region = "us-central1",
		.service = "shop",
		.uri = "http://127.0.0.1:1",
		.operation_delay_ms = DELAY,
		.seed = 1};
	struct world *world = calloc(1, sizeof(*world));
	struct rpc_error error = {.code = RPC_OK};

	world->now_ms = T0;
	world->rules.etag_is_strict = true;
	world->model = model_new(&config, T0);
	model_deploy(world->model, "shop-1", true, T0, &error);
	model_deploy(world->model, "shop-2", true, T0, &error);
	*state = world;
	return 0;
}

static int world_close(void **state)
{
	struct world *world = *state;

	model_free(&world->model);
	free(world);
	return 0;
}

/* The status; the body goes to `body_r` when that is not NULL. */
static int ask(struct world *world, const char *method, const char *target,
	const char *body, json_t **body_r)
{
	char path[1024];
	struct admin_request request = {.method = method,
		.path = path,
		.target = target,
		.authorization = "Bearer t",
		.body = body,
		.body_len = body ? strlen(body) : 0};
	struct admin_reply reply;

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(target, "?"), target);
	admin_routes_answer(world->model, &world->rules, &request, &world->plan,
		world->now_ms, &reply);
	assert_non_null(reply.body);
	if (body_r)
		*body_r = reply.body;
	else
		json_decref(reply.body);
	return reply.status;
}

static const char *text_at(const json_t *body, const char *a, const char *b)
{
	return json_string_value(json_object_get(json_object_get(body, a), b));
}

static void bad_writes_are_refused_with_the_field_named(void **state)
{
	/* long: a table */
	static const struct {
		const char *mask, *body, *field, *says;
	} rows[] = {
		{"traffic", "[]", "", "must be an object"},
		{"traffic", "{\"a\":1,\"a\":2}", "", "duplicate"},
		{"traffic", "{\"trafic\":[]}", "service",
			"Unknown name \"trafic\""},
		{"traffic", "{\"traffic\":{}}", "service.traffic",
			"a list is expected"},
		{"traffic", "{\"traffic\":[7]}", "service.traffic[0]",
			"Invalid value"},
		{"traffic",
			"{\"traffic\":[{" REV
			",\"revision\":\"shop-1\",\"percent\":\"100\"}]}",
			"service.traffic[0].percent", "TYPE_INT32"},
		{"traffic",
			"{\"traffic\":[{" REV
			",\"revision\":\"shop-1\",\"percent\":99.5}]}",
			"service.traffic[0].percent", "TYPE_INT32"},
		{"traffic",
			"{\"traffic\":[{" REV
			",\"revision\":\"shop-1\",\"percent\":101}]}",
			"service.traffic[0]", "between 0 and 100"},
		{"traffic",
			"{\"traffic\":[{" REV
			",\"revision\":\"shop-1\",\"percent\":90}]}",
			"service.traffic", "must sum to 100, not 90"},
		{"traffic",
			"{\"traffic\":[{" LAST
			",\"revision\":\"shop-1\",\"percent\":100}]}",
			"service.traffic[0]", "must be empty"},
		{"traffic", "{\"traffic\":[{" REV ",\"percent\":100}]}",
			"service.traffic[0]", "revision is required"},
		{"traffic",
			"{\"traffic\":[{\"revision\":\"shop-1\","
			"\"percent\":100}]}",
			"service.traffic[0]", ".type must be"},
		{"traffic", "{\"traffic\":[{\"type\":\"LATEST\"}]}",
			"service.traffic[0].type", "TYPE_ENUM"},
		{"traffic",
			"{\"traffic\":[{" REV
			",\"revision\":\"projects/p/locations/l/services/s/"
			"revisions/r\",\"percent\":100}]}",
			"service.traffic[0]", "short name"},
		{"traffic",
			"{\"traffic\":[{" LAST
			",\"percent\":100,\"tag\":\"Bad\"}]}",
			"service.traffic[0]", "lower-case"},
		{"traffic",
			"{\"traffic\":[{" LAST ",\"percent\":100,\"tag\":"
			"\"a23456789012345678901234567890123456789012345\"}]}",
			"service.traffic[0]", "longer than 46"},
		{"traffic",
			"{\"traffic\":[{" LAST
			",\"percent\":50,\"tag\":\"a\"},{" LAST
			",\"tag\":\"b\"},{" REV
			",\"revision\":\"shop-1\",\"percent\":50,\"tag\":"
			"\"a\"}]}",
			"service.traffic", "used twice"},
		{"traffic", "{\"name\":\"shop\"}", "service.name",
			"not the name in the path"},
		{"traffics", "{}", "update_mask", "not a field"},
		{"client_version", "{}", "update_mask", "lowerCamelCase"},
		{"traffic.percent", "{}", "update_mask", "goes into a list"},
		{"labels.a", "{}", "update_mask", "not a field"},
		{"labels", "{\"labels\":{\"a\":1}}", "service.labels", "map"},
		{"labels", "{\"labels\":{\"run.googleapis.com/x\":\"1\"}}",
			"labels", "reserved namespace"},
		{"scaling", "{\"scaling\":{\"minInstances\":1}}",
			"service.scaling", "Unknown name \"minInstances\""},
	};
	struct world *world = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char target[256];
		json_t *body, *detail, *row;

		snprintf(target, sizeof(target), SHOP "?updateMask=%s",
			rows[i].mask);
		assert_int_equal(
			ask(world, "PATCH", target, rows[i].body, &body), 400);
		assert_string_equal(
			text_at(body, "error", "status"), "INVALID_ARGUMENT");
		detail = json_array_get(
			json_object_get(
				json_object_get(body, "error"), "details"),
			0);
		row = json_array_get(
			json_object_get(detail, "fieldViolations"), 0);
		if (*rows[i].field)
			assert_string_equal(json_string_value(json_object_get(
						    row, "field")),
				rows[i].field);
		assert_non_null(strstr(
			text_at(body, "error", "message"), rows[i].says));
		json_decref(body);
	}
	assert_int_equal(world->model->n_operations, 0);
}

static void a_good_write_is_followed_to_its_end(void **state)
{
	struct world *world = *state;
	char target[256];
	json_t *body;

	assert_int_equal(
		ask(world, "PATCH", SHOP "?updateMask=traffic",
			"{\"traffic\":[{" REV
			",\"revision\":\"shop-1\",\"percent\":100,\"tag\":"
			"\"old\"},{" LAST "}]}",
			&body),
		200);
	assert_null(json_object_get(body, "done"));
	snprintf(target, sizeof(target), "/v2/%s",
		json_string_value(json_object_get(body, "name")));
	json_decref(body);
	assert_int_equal(ask(world, "GET", SHOP, NULL, &body), 200);
	assert_true(json_is_true(json_object_get(body, "reconciling")));
	json_decref(body);
	world->now_ms += DELAY;
	assert_int_equal(ask(world, "GET", target, NULL, &body), 200);
	assert_true(json_is_true(json_object_get(body, "done")));
	assert_string_equal(text_at(body, "response", "@type"),
		"type.googleapis.com/google.cloud.run.v2.Service");
	json_decref(body);
	assert_int_equal(
		ask(world, "GET", SHOP "?fields=trafficStatuses", NULL, &body),
		200);
	assert_int_equal(json_object_size(body), 1);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(
				json_object_get(body, "trafficStatuses"), 0),
			"uri")),
		"http://127.0.0.1:1/.tag/old");
	json_decref(body);
}

static void stale_etags_are_refused_when_strict(void **state)
{
	static const struct {
		bool strict;
		const char *etag;
		int status;
	} rows[] = {
		{true, "\"stale\"", 409},
		{true, "", 200},
		{false, "\"stale\"", 200},
	};
	struct world *world = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *body = json_pack(
			"{s:s, s:[]}", "etag", rows[i].etag, "traffic");
		char *text = json_dumps(body, 0);

		world->rules.etag_is_strict = rows[i].strict;
		json_decref(body);
		assert_int_equal(ask(world, "PATCH", SHOP "?updateMask=traffic",
					 text, &body),
			rows[i].status);
		if (rows[i].status == 409)
			assert_string_equal(
				text_at(body, "error", "status"), "ABORTED");
		json_decref(body);
		free(text);
	}
}

static void a_mask_changes_what_it_names_and_nothing_else(void **state)
{
	struct world *world = *state;
	json_t *body;

	assert_int_equal(
		ask(world, "PATCH",
			SHOP "?updateMask=scaling.minInstanceCount,client,uid",
			"{\"scaling\":{\"minInstanceCount\":2,"
			"\"maxInstanceCount\":9},\"client\":\"me\","
			"\"description\":\"no\",\"uid\":\"x\"}",
			NULL),
		200);
	assert_int_equal(ask(world, "GET", SHOP, NULL, &body), 200);
	assert_int_equal(json_object_size(json_object_get(body, "scaling")), 1);
	assert_string_equal(
		json_string_value(json_object_get(body, "client")), "me");
	assert_null(json_object_get(body, "description"));
	assert_string_not_equal(
		json_string_value(json_object_get(body, "uid")), "x");
	json_decref(body);
	assert_int_equal(
		ask(world, "PATCH", SHOP, "{\"description\":\"yes\"}", NULL),
		200);
	assert_int_equal(ask(world, "GET", SHOP, NULL, &body), 200);
	assert_string_equal(
		json_string_value(json_object_get(body, "client")), "me");
	assert_string_equal(
		json_string_value(json_object_get(body, "description")), "yes");
	json_decref(body);
}

static void defaults_and_output_only_fields_write_nothing(void **state)
{
	struct world *world = *state;
	int64_t generation = world->model->generation;
	json_t *body, *scaling;

	assert_int_equal(ask(world, "PATCH", SHOP "?updateMask=uid,generation",
				 "{\"uid\":\"x\",\"generation\":\"9\"}", NULL),
		200);
	assert_int_equal(ask(world, "PATCH", SHOP "?updateMask=client",
				 "{\"client\":\"\"}", NULL),
		200);
	assert_int_equal(world->model->generation, generation);
	assert_int_equal(ask(world, "PATCH", SHOP "?updateMask=scaling",
				 "{\"scaling\":{\"minInstanceCount\":0,"
				 "\"maxInstanceCount\":3}}",
				 NULL),
		200);
	assert_int_equal(ask(world, "GET", SHOP, NULL, &body), 200);
	scaling = json_object_get(body, "scaling");
	assert_null(json_object_get(scaling, "minInstanceCount"));
	assert_non_null(json_object_get(scaling, "maxInstanceCount"));
	json_decref(body);
}

static void what_the_sandbox_cannot_do_it_says(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
		const char *code;
	} rows[] = {
		{"PATCH", SHOP "?updateMask=template",
			"{\"template\":{\"containers\":[{\"image\":\"x\"}]}}",
			501, "UNIMPLEMENTED"},
		{"PATCH", SHOP "?updateMask=*", "{}", 501, "UNIMPLEMENTED"},
		{"PATCH", SHOP "?allowMissing=true", "{}", 501,
			"UNIMPLEMENTED"},
		{"PATCH", SHOP "?validateOnly=yes", "{}", 400,
			"INVALID_ARGUMENT"},
		{"GET", SHOP "?foo=1", NULL, 400, "INVALID_ARGUMENT"},
		{"GET", SHOP "?fields=template(containers)", NULL, 400,
			"INVALID_ARGUMENT"},
		{"DELETE", SHOP, NULL, 404, "NOT_FOUND"},
		{"GET", "/v2/projects", NULL, 404, "NOT_FOUND"},
		{"GET", ROOT "services/other", NULL, 404, "NOT_FOUND"},
		{"GET", SHOP "/revisions/none", NULL, 404, "NOT_FOUND"},
		{"GET", ROOT "operations/none", NULL, 404, "NOT_FOUND"},
		{"GET", "/v2/projects/acme/locations/-/services", NULL, 400,
			"INVALID_ARGUMENT"},
		{"GET", "/v2/projects/acme/locations/mars/services", NULL, 404,
			"NOT_FOUND"},
		{"GET", "/v2/projects/evil/locations/us-central1/services",
			NULL, 403, "PERMISSION_DENIED"},
		{"GET", ROOT "operations?filter=x", NULL, 400,
			"INVALID_ARGUMENT"},
		{"GET", SHOP "/revisions?pageToken=x", NULL, 400,
			"INVALID_ARGUMENT"},
	};
	struct world *world = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *body;

		assert_int_equal(ask(world, rows[i].method, rows[i].target,
					 rows[i].body, &body),
			rows[i].status);
		assert_string_equal(
			text_at(body, "error", "status"), rows[i].code);
		json_decref(body);
	}
}

static void validate_only_changes_nothing(void **state)
{
	struct world *world = *state;
	int64_t generation = world->model->generation;
	json_t *body;

	assert_int_equal(ask(world, "PATCH",
				 SHOP "?updateMask=traffic&validateOnly=true",
				 "{\"traffic\":[{" REV
				 ",\"revision\":\"shop-1\",\"percent\":100}]}",
				 &body),
		200);
	assert_true(json_is_true(json_object_get(body, "done")));
	assert_null(json_object_get(body, "name"));
	assert_int_equal(world->model->generation, generation);
	json_decref(body);
}

static void tokens_and_permissions_are_asked_for(void **state)
{
	static const struct {
		const char *authorization, *token;
		int status;
	} rows[] = {
		{NULL, NULL, 401},
		{"Bearer ", NULL, 401},
		{"Basic abc", NULL, 401},
		{"Bearer abc", NULL, 200},
		{"Bearer abc", "xyz", 401},
		{"Bearer xyz", "xyz", 200},
	};
	struct world *world = *state;
	struct admin_reply reply;
	json_t *body;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct admin_request request = {.method = "GET",
			.path = SHOP,
			.target = SHOP,
			.authorization = rows[i].authorization};

		world->rules.token = rows[i].token;
		admin_routes_answer(world->model, &world->rules, &request,
			&world->plan, T0, &reply);
		assert_int_equal(reply.status, rows[i].status);
		json_decref(reply.body);
	}
	world->rules.token = NULL;
	strcpy(world->rules.deny[0], "run.services.update");
	world->rules.n_deny = 1;
	assert_int_equal(ask(world, "PATCH", SHOP, "{}", &body), 403);
	assert_non_null(
		strstr(text_at(body, "error", "message"), "services.update"));
	json_decref(body);
	assert_int_equal(ask(world, "POST", SHOP ":testIamPermissions",
				 "{\"permissions\":[\"run.services.get\","
				 "\"run.services.update\"]}",
				 &body),
		200);
	assert_int_equal(
		json_array_size(json_object_get(body, "permissions")), 1);
	json_decref(body);
}

static void lists_come_in_pages_newest_first(void **state)
{
	struct world *world = *state;
	char target[256];
	json_t *body, *entry;

	assert_int_equal(
		ask(world, "GET", SHOP "/revisions?pageSize=1", NULL, &body),
		200);
	entry = json_array_get(json_object_get(body, "revisions"), 0);
	assert_non_null(strstr(
		json_string_value(json_object_get(entry, "name")), "shop-2"));
	snprintf(target, sizeof(target),
		SHOP "/revisions?pageSize=1&pageToken=%s",
		json_string_value(json_object_get(body, "nextPageToken")));
	json_decref(body);
	assert_int_equal(ask(world, "GET", target, NULL, &body), 200);
	entry = json_array_get(json_object_get(body, "revisions"), 0);
	assert_non_null(strstr(
		json_string_value(json_object_get(entry, "name")), "shop-1"));
	assert_null(json_object_get(body, "nextPageToken"));
	json_decref(body);
	target[strlen(SHOP "/revisions?pageSize=")] = '2';
	assert_int_equal(ask(world, "GET", target, NULL, NULL), 400);
}

static void a_write_during_another_one_may_be_refused(void **state)
{
	struct world *world = *state;
	struct model_rules rules = {.busy_refuses = true};
	json_t *body;

	model_set_rules(world->model, &rules, T0);
	assert_int_equal(
		ask(world, "PATCH", SHOP, "{\"description\":\"a\"}", NULL),
		200);
	assert_int_equal(
		ask(world, "PATCH", SHOP, "{\"description\":\"b\"}", &body),
		409);
	assert_string_equal(text_at(body, "error", "status"), "ABORTED");
	json_decref(body);
	world->now_ms += DELAY;
	assert_int_equal(
		ask(world, "PATCH", SHOP, "{\"description\":\"b\"}", NULL),
		200);
}

static void a_deleted_service_is_not_found(void **state)
{
	struct world *world = *state;
	struct rpc_error error = {.code = RPC_OK};
	json_t *body, *fields = json_pack("{s:s}", "description", "x");

	model_delete(world->model, T0);
	assert_int_equal(ask(world, "GET", SHOP, NULL, NULL), 404);
	assert_int_equal(ask(world, "PATCH", SHOP, "{}", NULL), 404);
	assert_int_equal(
		ask(world, "GET", SHOP "/revisions/shop-1", NULL, NULL), 404);
	assert_int_equal(
		ask(world, "GET", ROOT "services/-/revisions", NULL, NULL),
		404);
	assert_int_equal(ask(world, "GET", ROOT "services", NULL, &body), 200);
	assert_int_equal(json_object_size(body), 0);
	json_decref(body);
	assert_int_equal(admin_routes_drift(
				 world->model, fields, "x", false, T0, &error),
		-1);
	assert_int_equal(error.code, RPC_NOT_FOUND);
	json_decref(fields);
	assert_null(model_deploy(world->model, NULL, true, T0, &error));
	model_recreate(world->model, T0);
	assert_int_equal(ask(world, "GET", SHOP, NULL, NULL), 200);
}

static void stale_reads_show_the_past(void **state)
{
	struct world *world = *state;
	json_t *body;

	world->now_ms += 10000;
	ask(world, "PATCH", SHOP, "{\"description\":\"new\"}", NULL);
	world->now_ms += 1000;
	world->plan.slot[SLOT_STALE] =
		(struct fault){.id = 1, .kind = FAULT_STALE, .delay_ms = 5000};
	ask(world, "GET", SHOP, NULL, &body);
	assert_null(json_object_get(body, "description"));
	json_decref(body);
	world->plan.slot[SLOT_STALE].delay_ms = 500;
	ask(world, "GET", SHOP, NULL, &body);
	assert_non_null(json_object_get(body, "description"));
	json_decref(body);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		T(bad_writes_are_refused_with_the_field_named),
		T(a_good_write_is_followed_to_its_end),
		T(stale_etags_are_refused_when_strict),
		T(a_mask_changes_what_it_names_and_nothing_else),
		T(defaults_and_output_only_fields_write_nothing),
		T(what_the_sandbox_cannot_do_it_says),
		T(validate_only_changes_nothing),
		T(tokens_and_permissions_are_asked_for),
		T(lists_come_in_pages_newest_first),
		T(a_write_during_another_one_may_be_refused),
		T(a_deleted_service_is_not_found),
		T(stale_reads_show_the_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
