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

	assert_true(service_is_settled(service));
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
	assert_false(service_is_settled(service));
	service_free(&service);
	service = read_service(model, T0 + DELAY);
	assert_true(service_is_settled(service));
	assert_true(traffic_equal(&service->statuses, &wish));
	assert_string_equal(traffic_tag_uri(&service->statuses, "candidate"),
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
	} rows[] = {{"shop-1", true}, {"shop-3", false}};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	struct revision revision;
	char path[256], *text;
	struct err err;
	int status;
	size_t i;

	model_deploy(model, "shop-3", false, T0, &error);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_adapter_and_the_sandbox_understand_each_other),
		cmocka_unit_test(a_failed_operation_tells_the_adapter_why),
		cmocka_unit_test(revisions_are_ready_or_not_for_the_adapter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
