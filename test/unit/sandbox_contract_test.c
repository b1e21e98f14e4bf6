/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of the wire: what the sandbox answers is of the API's schema and
 * understood by the adapter, what the adapter writes the sandbox takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cloudrun/service_codec.h"
#include "sandbox/admin_check.h"
#include "sandbox/admin_routes.h"

#define T0    INT64_C(1767225600000)
#define DELAY 1000
#define SHOP  "/v2/projects/acme/locations/us-central1/services/shop"

static struct model *world(void)
{
	static const struct model_config config = {.project = "acme",
		.region = "us-central1",
		.service = "shop",
		.uri = "http://127.0.0.1:1",
		.operation_delay_ms = DELAY,
		.seed = 1};
	struct model *model = model_new(&config, T0);
	struct rpc_error error = {.code = RPC_OK};

	model_deploy(model, "shop-1", true, T0, &error);
	model_deploy(model, "shop-2", true, T0, &error);
	return model;
}

/* The answer as text; owned by the caller. */
static char *ask(struct model *model, const char *method, const char *path,
	const char *target, const char *body, int64_t now_ms, int *status_r)
{
	static const struct admin_rules rules = {.etag_is_strict = true};
	static const struct fault_plan plan;
	struct admin_request request = {.method = method,
		.path = path,
		.target = target,
		.authorization = "Bearer x",
		.body = body,
		.body_len = body ? strlen(body) : 0};
	struct admin_reply reply;
	char *text;

	admin_routes_answer(model, &rules, &request, &plan, now_ms, &reply);
	text = json_dumps(reply.body, 0);
	json_decref(reply.body);
	*status_r = reply.status;
	return text;
}

static struct service *read_service(struct model *model, int64_t now_ms)
{
	struct service *service;
	struct rpc_error error = {.code = RPC_OK};
	struct err err;
	json_t *body;
	char *text;
	int status;

	text = ask(model, "GET", SHOP, SHOP, NULL, now_ms, &status);
	assert_int_equal(status, 200);
	body = json_loads(text, 0, NULL);
	assert_int_equal(
		admin_check_message(service_fields, body, "service", &error),
		0);
	json_decref(body);
	service = service_decode(text, strlen(text), &err);
	assert_non_null(service);
	free(text);
	return service;
}

static void the_adapter_and_the_sandbox_understand_each_other(void **state)
{
	struct target target[] = {
		{TARGET_REVISION, "shop-1", 90, NULL, NULL},
		{TARGET_REVISION, "shop-2", 10, "candidate", NULL},
	};
	const struct traffic wish = {target, 2};
	struct model *model = world();
	struct service *service = read_service(model, T0);
	struct operation operation;
	struct err err;
	struct buf body;
	char *text;
	int status;

	assert_true(!service_is_moving(service));
	assert_int_equal(service->statuses.item[0].type, TARGET_LATEST);
	buf_init(&body, 65536);
	traffic_encode(service->name, service->etag, &wish, &body);
	text = ask(model, "PATCH", SHOP, SHOP "?updateMask=traffic", body.data,
		T0, &status);
	assert_int_equal(status, 200);
	assert_int_equal(
		operation_decode(text, strlen(text), &operation, &err), 0);
	assert_false(operation.done);
	operation_fini(&operation);
	free(text);
	service_free(&service);

	service = read_service(model, T0 + 1);
	assert_true(service->reconciling);
	assert_false(!service_is_moving(service));
	service_free(&service);
	service = read_service(model, T0 + DELAY);
	assert_true(!service_is_moving(service));
	assert_true(traffic_equal(&service->statuses, &wish));
	assert_string_equal(
		traffic_uri(&service->statuses, "shop-2", "candidate"),
		"http://127.0.0.1:1/.tag/candidate");
	service_free(&service);

	/* The body still has the etag of before. */
	text = ask(model, "PATCH", SHOP, SHOP "?updateMask=traffic", body.data,
		T0 + DELAY, &status);
	assert_int_equal(status, 409);
	google_error_decode(status, text, strlen(text), 0, &err);
	assert_int_equal(err.code, ERR_CONFLICT);
	free(text);
	buf_fini(&body);
	model_free(&model);
}

static void a_failed_operation_tells_the_adapter_why(void **state)
{
	struct target target = {TARGET_REVISION, "gone", 100, NULL, NULL};
	const struct traffic wish = {&target, 1};
	struct model *model = world();
	struct operation operation;
	char path[256], *text;
	struct err err;
	struct buf body;
	int status;

	buf_init(&body, 65536);
	traffic_encode(model->name, NULL, &wish, &body);
	free(ask(model, "PATCH", SHOP, SHOP "?updateMask=traffic", body.data,
		T0, &status));
	assert_int_equal(status, 200);
	snprintf(path, sizeof(path),
		"/v2/projects/acme/locations/us-central1/operations/%s",
		model->operation[0]->id);
	text = ask(model, "GET", path, path, NULL, T0 + DELAY, &status);
	assert_int_equal(
		operation_decode(text, strlen(text), &operation, &err), 0);
	assert_true(operation.done && operation.failed);
	assert_non_null(strstr(err.text, "does not exist or is deleted"));
	operation_fini(&operation);
	free(text);
	buf_fini(&body);
	model_free(&model);
}

static void revisions_are_ready_or_not_for_the_adapter(void **state)
{
	static const struct {
		const char *name;
		bool ready;
	} rows[] = {{"shop-1", true}, {"shop-3", false}, {"shop-4", false}};
	const struct model_deployment slow = {
		.name = "shop-4", .takes_ms = 5000};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	struct revision revision;
	char path[256], *text;
	struct err err;
	int status;
	size_t i;

	model_deploy(model, "shop-3", false, T0, &error);
	model_deploy_as(model, &slow, T0, &error);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(
			path, sizeof(path), SHOP "/revisions/%s", rows[i].name);
		text = ask(model, "GET", path, path, NULL, T0, &status);
		assert_int_equal(
			revision_decode(text, strlen(text), &revision, &err),
			0);
		assert_string_equal(revision.name, rows[i].name);
		assert_string_equal(revision.service, "shop");
		assert_int_equal(revision.ready, rows[i].ready);
		revision_fini(&revision);
		free(text);
	}
	model_free(&model);
}

/* Somebody's failed deployment: the adapter must not take it for a change of
 * the traffic that is under way. */
static void a_failed_deployment_reads_as_one(void **state)
{
	const struct model_deployment failing = {
		.name = "shop-3", .fails = true, .takes_ms = 5000, .by = "ci"};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	struct service *before = read_service(model, T0), *service;

	model_deploy_as(model, &failing, T0, &error);
	service = read_service(model, T0 + 1);
	assert_true(service->reconciling);
	service_free(&service);
	service = read_service(model, T0 + 5000);
	assert_false(service->reconciling);
	assert_int_equal(service->generation, before->generation + 1);
	assert_int_equal(
		service->observed_generation, before->observed_generation);
	assert_true(traffic_equal(&service->statuses, &before->statuses));
	assert_string_equal(service->latest_created, "shop-3");
	assert_string_equal(service->latest_ready, "shop-2");
	assert_string_equal(service->last_modifier, "ci");
	assert_non_null(strstr(service->condition, "shop-3"));
	service_free(&service);
	service_free(&before);
	model_free(&model);
}

static void what_is_asked_for_and_what_serves_are_told_apart(void **state)
{
	struct target target = {TARGET_REVISION, "gone", 100, NULL, NULL};
	const struct traffic wish = {&target, 1};
	struct model *model = world();
	struct service *service;
	struct buf body;
	int status;

	buf_init(&body, 65536);
	traffic_encode(model->name, NULL, &wish, &body);
	free(ask(model, "PATCH", SHOP, SHOP "?updateMask=traffic", body.data,
		T0, &status));
	service = read_service(model, T0 + DELAY);
	assert_false(service->reconciling);
	assert_int_equal(service->generation, service->observed_generation + 1);
	assert_true(traffic_equal(&service->spec, &wish));
	assert_false(traffic_equal(&service->statuses, &wish));
	assert_non_null(strstr(service->condition, "gone"));
	service_free(&service);
	buf_fini(&body);
	model_free(&model);
}

static void a_service_is_read_whatever_it_leaves_out(void **state)
{
	const struct model_rules rules = {
		.uris_absent = true, .routes_condition_absent = true};
	struct target target = {
		TARGET_REVISION, "shop-1", 100, "candidate", NULL};
	const struct traffic wish = {&target, 1};
	struct model *model = world();
	struct service *service;
	struct buf body;
	int status;

	model_set_rules(model, &rules, T0);
	buf_init(&body, 65536);
	traffic_encode(model->name, NULL, &wish, &body);
	free(ask(model, "PATCH", SHOP, SHOP "?updateMask=traffic", body.data,
		T0, &status));
	service = read_service(model, T0 + DELAY);
	assert_true(traffic_equal(&service->statuses, &wish));
	assert_null(service->uri);
	assert_null(traffic_uri(&service->statuses, "shop-1", "candidate"));
	service_free(&service);
	buf_fini(&body);
	model_free(&model);
}

static void a_thousand_revisions_and_tags_are_written_and_read(void **state)
{
	struct target *target = calloc(1001, sizeof(*target));
	struct traffic wish = {target, 1001};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	char name[2][1000][16];
	struct service *service;
	struct buf body;
	int status, i;

	for (i = 0; i < 1000; i++) {
		snprintf(name[0][i], sizeof(name[0][i]), "old-%d", i);
		snprintf(name[1][i], sizeof(name[1][i]), "t%d", i);
		if (i < 998)
			model_deploy(model, name[0][i], true, T0, &error);
		target[i + 1] = (struct target){TARGET_REVISION,
			i < 998 ? name[0][i] : "shop-2", 0, name[1][i], NULL};
	}
	target[0] = (struct target){TARGET_REVISION, "shop-1", 100, NULL, NULL};
	assert_int_equal(model->n_revisions, 1000);
	buf_init(&body, 1024 * 1024);
	traffic_encode(model->name, NULL, &wish, &body);
	free(ask(model, "PATCH", SHOP, SHOP "?updateMask=traffic", body.data,
		T0, &status));
	assert_int_equal(status, 200);
	service = read_service(model, T0 + DELAY);
	assert_true(traffic_equal(&service->statuses, &wish));
	service_free(&service);
	buf_fini(&body);
	free(target);
	model_free(&model);
}

static void what_is_gone_or_refused_has_its_code(void **state)
{
	struct model *model = world();
	struct model_rules rules = {.busy_refuses = true};
	struct err err;
	char *text;
	int status;

	model_set_rules(model, &rules, T0);
	free(ask(model, "PATCH", SHOP, SHOP, "{\"description\":\"a\"}", T0,
		&status));
	text = ask(model, "PATCH", SHOP, SHOP, "{\"description\":\"b\"}", T0,
		&status);
	google_error_decode(status, text, strlen(text), 0, &err);
	assert_int_equal(err.code, ERR_CONFLICT);
	free(text);
	model_delete(model, T0);
	text = ask(model, "GET", SHOP, SHOP, NULL, T0, &status);
	google_error_decode(status, text, strlen(text), 0, &err);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	free(text);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_adapter_and_the_sandbox_understand_each_other),
		cmocka_unit_test(a_failed_operation_tells_the_adapter_why),
		cmocka_unit_test(revisions_are_ready_or_not_for_the_adapter),
		cmocka_unit_test(a_failed_deployment_reads_as_one),
		cmocka_unit_test(
			what_is_asked_for_and_what_serves_are_told_apart),
		cmocka_unit_test(a_service_is_read_whatever_it_leaves_out),
		cmocka_unit_test(
			a_thousand_revisions_and_tags_are_written_and_read),
		cmocka_unit_test(what_is_gone_or_refused_has_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
