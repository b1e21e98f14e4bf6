/* The service of the sandbox: what a write does, when, and how it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/model.h"

#define T0    INT64_C(1767225600000)
#define DELAY 1000

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

	assert_non_null(model_deploy(model, "shop-1", true, T0, &error));
	assert_non_null(model_deploy(model, "shop-2", true, T0, &error));
	return model;
}

/* Writes A percent to `a` and the rest to `b`. */
static struct model_operation *split(struct model *model, const char *a,
	int percent, const char *b, int64_t now_ms)
{
	struct routes routes = {NULL, 0};
	struct model_write write = {.routes = &routes, .modifier = "me"};
	struct model_operation *operation;

	routes_add(&routes, ROUTE_REVISION, a, percent);
	routes_add(&routes, ROUTE_REVISION, b, 100 - percent);
	operation = model_write(model, &write, now_ms);
	routes_fini(&routes);
	return operation;
}

static int serves(const struct model *model, const char *name)
{
	const struct model_revision *part[100];
	size_t n = model_split(model, part);
	int count = 0;

	while (n-- > 0)
		count += strcmp(part[n]->name, name) == 0;
	return count;
}

static void a_write_serves_only_when_it_is_reconciled(void **state)
{
	struct model *model = world();
	struct model_operation *operation;

	assert_int_equal(serves(model, "shop-2"), 100);
	operation = split(model, "shop-1", 90, "shop-2", T0);
	assert_false(operation->done);
	assert_int_equal(model->generation, model->observed_generation + 1);
	assert_false(model_advance(model, T0 + DELAY - 1));
	assert_int_equal(serves(model, "shop-1"), 0);
	assert_int_equal(model_next_ms(model), T0 + DELAY);
	assert_true(model_advance(model, T0 + DELAY));
	assert_true(operation->done);
	assert_null(operation->error);
	assert_int_equal(serves(model, "shop-1"), 90);
	assert_int_equal(serves(model, "shop-2"), 10);
	assert_int_equal(model->generation, model->observed_generation);
	assert_int_equal(model_next_ms(model), MODEL_NEVER);
	model_free(&model);
}

static void targets_that_cannot_serve_fail_the_operation(void **state)
{
	static const struct {
		const char *revision;
		enum rpc_code code;
		const char *text;
	} rows[] = {
		{"shop-9", RPC_INTERNAL,
			"Revision 'shop-9' does not exist or is deleted. "
			"Update all traffic to route to currently available "
			"revisions."},
		{"shop-bad", RPC_FAILED_PRECONDITION,
			"Revision 'shop-bad' is not ready and cannot serve "
			"traffic."},
	};
	struct rpc_error error = {.code = RPC_OK};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model *model = world();
		struct model_operation *operation;

		assert_non_null(
			model_deploy(model, "shop-bad", false, T0, &error));
		operation = split(model, rows[i].revision, 10, "shop-1", T0);
		model_advance(model, T0 + DELAY);
		assert_true(operation->done);
		assert_int_equal(operation->error->code, rows[i].code);
		assert_string_equal(operation->error->message, rows[i].text);
		assert_int_equal(serves(model, "shop-2"), 100);
		assert_true(model->observed_generation < model->generation);
		split(model, "shop-1", 100, "shop-2", T0 + DELAY);
		model_advance(model, T0 + 2 * DELAY);
		assert_int_equal(model->observed_generation, model->generation);
		model_free(&model);
	}
}

static void a_later_write_preempts_the_one_under_way(void **state)
{
	struct model *model = world();
	struct model_operation *first, *second;

	first = split(model, "shop-1", 90, "shop-2", T0);
	second = split(model, "shop-1", 50, "shop-2", T0 + DELAY / 2);
	assert_true(first->done);
	assert_int_equal(first->error->code, RPC_ABORTED);
	model_advance(model, T0 + DELAY);
	assert_int_equal(serves(model, "shop-1"), 0);
	model_advance(model, T0 + DELAY + DELAY / 2);
	assert_true(second->done);
	assert_int_equal(serves(model, "shop-1"), 50);
	model_free(&model);
}

static void a_write_that_changes_nothing_is_done_at_once(void **state)
{
	struct model *model = world();
	struct model_operation *operation;
	int64_t generation;

	split(model, "shop-1", 90, "shop-2", T0);
	model_advance(model, T0 + DELAY);
	generation = model->generation;
	operation = split(model, "shop-1", 90, "shop-2", T0 + DELAY);
	assert_true(operation->done);
	assert_int_equal(model->generation, generation);
	model_free(&model);
}

static void fates_decide_what_is_done_and_what_is_said(void **state)
{
	static const struct {
		enum model_fate fate;
		bool applied, done, failed;
	} rows[] = {
		{FATE_GOOD, true, true, false},
		{FATE_FAILS, false, true, true},
		{FATE_FAILS_APPLIED, true, true, true},
		{FATE_STUCK, false, false, false},
		{FATE_STUCK_APPLIED, true, false, false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model *model = world();
		struct routes routes = {NULL, 0};
		struct model_write write = {.routes = &routes,
			.modifier = "me",
			.fate = rows[i].fate,
			.fate_code = RPC_INTERNAL,
			.fate_text = "bad luck"};
		struct model_operation *operation;

		routes_add(&routes, ROUTE_REVISION, "shop-1", 100);
		operation = model_write(model, &write, T0);
		routes_fini(&routes);
		model_advance(model, T0 + DELAY);
		assert_int_equal(
			serves(model, "shop-1"), rows[i].applied ? 100 : 0);
		assert_int_equal(operation->done, rows[i].done);
		assert_int_equal(operation->error != NULL, rows[i].failed);
		model_free(&model);
	}
}

static void a_deploy_serves_at_once_only_where_latest_has_traffic(void **state)
{
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	struct model_revision *revision;

	revision = model_deploy(model, NULL, true, T0, &error);
	assert_int_equal(serves(model, revision->name), 100);
	revision = model_deploy(model, "shop-bad", false, T0, &error);
	assert_int_equal(serves(model, "shop-bad"), 0);
	model_set_ready(model, revision, true, T0);
	assert_int_equal(serves(model, "shop-bad"), 100);

	split(model, "shop-1", 100, "shop-2", T0);
	model_advance(model, T0 + DELAY);
	revision = model_deploy(model, NULL, true, T0 + DELAY, &error);
	assert_int_equal(serves(model, revision->name), 0);
	assert_ptr_equal(model->latest_ready, revision);
	assert_int_equal(model->observed_generation, model->generation);
	model_free(&model);
}

static void an_old_revision_that_recovers_is_not_the_latest(void **state)
{
	struct model *model = world();

	model_set_ready(model, model_find_revision(model, "shop-1"), false, T0);
	model_set_ready(model, model_find_revision(model, "shop-1"), true, T0);
	assert_string_equal(model->latest_ready->name, "shop-2");
	model_free(&model);
}

static void only_revisions_without_a_part_may_be_removed(void **state)
{
	struct model *model = world();
	struct rpc_error error;

	assert_int_equal(model_remove(model, "shop-2", T0, &error), -1);
	assert_int_equal(error.code, RPC_FAILED_PRECONDITION);
	assert_int_equal(model_remove(model, "shop-9", T0, &error), -1);
	assert_int_equal(error.code, RPC_NOT_FOUND);
	assert_int_equal(model_remove(model, "shop-1", T0, &error), 0);
	assert_null(model_find_revision(model, "shop-1"));
	model_free(&model);
}

static void every_visible_change_makes_another_etag(void **state)
{
	struct model *model = world();
	char etags[3][32];

	memcpy(etags[0], model->etag, 32);
	split(model, "shop-1", 90, "shop-2", T0);
	memcpy(etags[1], model->etag, 32);
	model_advance(model, T0 + DELAY);
	memcpy(etags[2], model->etag, 32);
	assert_string_not_equal(etags[0], etags[1]);
	assert_string_not_equal(etags[1], etags[2]);
	assert_int_equal(etags[0][0], '"');
	model_free(&model);
}

static void the_past_can_be_read(void **state)
{
	struct model *model = world();
	json_t *then, *now;

	split(model, "shop-1", 90, "shop-2", T0 + 5000);
	model_advance(model, T0 + 6000);
	then = model_service_at(model, T0 + 5500);
	now = model_service_at(model, T0 + 6000);
	assert_true(json_is_true(json_object_get(then, "reconciling")));
	assert_null(json_object_get(now, "reconciling"));
	json_decref(then);
	json_decref(now);
	model_free(&model);
}

static void everything_kept_is_bounded(void **state)
{
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	int i;

	for (i = 0; i < 3 * MODEL_OPERATIONS_MAX; i++)
		split(model, "shop-1", i % 100, "shop-2", T0 + i);
	assert_int_equal(model->n_operations, MODEL_OPERATIONS_MAX);
	assert_int_equal(model->n_snapshots, MODEL_SNAPSHOTS_MAX);
	while (model->n_revisions < MODEL_REVISIONS_MAX)
		assert_non_null(model_deploy(model, NULL, true, T0, &error));
	assert_null(model_deploy(model, NULL, true, T0, &error));
	assert_int_equal(error.code, RPC_RESOURCE_EXHAUSTED);
	model_free(&model);
}

static void proto_defaults_are_left_out(void **state)
{
	struct model *model = world();
	json_t *service, *entry;

	split(model, "shop-1", 0, "shop-2", T0);
	service = model_service_json(model);
	assert_string_equal(
		json_string_value(json_object_get(service, "generation")), "3");
	entry = json_array_get(json_object_get(service, "traffic"), 0);
	assert_null(json_object_get(entry, "percent"));
	entry = json_array_get(json_object_get(service, "trafficStatuses"), 0);
	assert_null(json_object_get(entry, "revision"));
	assert_null(json_object_get(entry, "uri"));
	assert_string_equal(json_string_value(json_object_get(
				    service, "latestReadyRevision")),
		"projects/acme/locations/us-central1/services/shop/revisions/"
		"shop-2");
	json_decref(service);
	model_free(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_serves_only_when_it_is_reconciled),
		cmocka_unit_test(targets_that_cannot_serve_fail_the_operation),
		cmocka_unit_test(a_later_write_preempts_the_one_under_way),
		cmocka_unit_test(a_write_that_changes_nothing_is_done_at_once),
		cmocka_unit_test(fates_decide_what_is_done_and_what_is_said),
		cmocka_unit_test(
			a_deploy_serves_at_once_only_where_latest_has_traffic),
		cmocka_unit_test(
			an_old_revision_that_recovers_is_not_the_latest),
		cmocka_unit_test(only_revisions_without_a_part_may_be_removed),
		cmocka_unit_test(every_visible_change_makes_another_etag),
		cmocka_unit_test(the_past_can_be_read),
		cmocka_unit_test(everything_kept_is_bounded),
		cmocka_unit_test(proto_defaults_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
