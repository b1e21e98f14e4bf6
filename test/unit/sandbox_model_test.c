/* SPDX-License-Identifier: Apache-2.0 */
/* The service of the sandbox: what a write does, when, and how it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
	model_set_ready(model, revision, true, NULL, T0);
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

	model_set_ready(
		model, model_find_revision(model, "shop-1"), false, NULL, T0);
	model_set_ready(
		model, model_find_revision(model, "shop-1"), true, NULL, T0);
	assert_string_equal(model->latest_ready->name, "shop-2");
	model_free(&model);
}

static void only_revisions_without_a_part_may_be_removed(void **state)
{
	struct model *model = world();
	struct rpc_error error;

	assert_int_equal(model_remove(model, "shop-2", false, T0, &error), -1);
	assert_int_equal(error.code, RPC_FAILED_PRECONDITION);
	assert_int_equal(model_remove(model, "shop-9", false, T0, &error), -1);
	assert_int_equal(error.code, RPC_NOT_FOUND);
	assert_int_equal(model_remove(model, "shop-1", false, T0, &error), 0);
	assert_null(model_find_revision(model, "shop-1"));
	model_free(&model);
}

static void what_serves_stays_when_it_is_removed_by_force(void **state)
{
	static const struct {
		const char *name;
		bool force;
		int rc;
	} rows[] = {
		{"shop-1", true, -1}, /* has traffic */
		{"shop-2", false, -1}, /* has a tag */
		{"shop-2", true, 0},
		{"shop-3", false, 0}, /* 0 %, no tag: nothing comes to it */
		{"shop-4", false, -1}, /* is the latest */
		{"shop-4", true, 0}, {"shop-1", true, -1}, /* is the only one */
	};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	struct routes routes = {NULL, 0};
	size_t i;

	assert_non_null(model_deploy(model, "shop-3", true, T0, &error));
	assert_non_null(model_deploy(model, "shop-4", true, T0, &error));
	routes_add(&routes, ROUTE_REVISION, "shop-1", 100);
	routes_add(&routes, ROUTE_REVISION, "shop-2", 0);
	strcpy(routes.item[1].tag, "debug");
	routes_add(&routes, ROUTE_REVISION, "shop-3", 0);
	model_set_routes(model, &routes, T0);
	routes_fini(&routes);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(model_remove(model, rows[i].name,
					 rows[i].force, T0, &error),
			rows[i].rc);
	assert_string_equal(model->latest_ready->name, "shop-1");
	assert_ptr_equal(model->latest_created, model->latest_ready);
	assert_int_equal(serves(model, "shop-1"), 100);
	model_free(&model);
}

/* "name=state" of each condition, the terminal one first. */
static void check_conditions(const struct model *model, const char *wanted)
{
	json_t *service = model_service_json(model), *condition;
	char text[256];
	size_t i, len;

	condition = json_object_get(service, "terminalCondition");
	len = (size_t)snprintf(text, sizeof(text), "%s",
		json_string_value(json_object_get(condition, "state")) + 10);
	json_array_foreach(json_object_get(service, "conditions"), i, condition)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			" %s=%s",
			json_string_value(json_object_get(condition, "type")),
			json_string_value(json_object_get(condition, "state")) +
				10);
	assert_string_equal(text, wanted);
	assert_int_equal(json_object_get(service, "reconciling") != NULL,
		strstr(wanted, "RECONCILING") != NULL);
	json_decref(service);
}

static void a_failed_deployment_leaves_what_serves(void **state)
{
	const struct model_deployment failing = {.name = "shop-3",
		.fails = true,
		.failure = "the container did not start",
		.takes_ms = 5000,
		.by = "ci@example.com"};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	int64_t generation;

	split(model, "shop-1", 100, "shop-2", T0);
	model_advance(model, T0 + DELAY);
	generation = model->generation;
	assert_non_null(model_deploy_as(model, &failing, T0 + DELAY, &error));
	assert_int_equal(model->generation, generation + 1);
	assert_string_equal(model->last_modifier, "ci@example.com");
	check_conditions(model, "RECONCILING RoutesReady=SUCCEEDED "
				"ConfigurationsReady=RECONCILING");
	assert_int_equal(model_next_ms(model), T0 + DELAY + 5000);
	assert_true(model_advance(model, T0 + DELAY + 5000));
	check_conditions(model, "FAILED RoutesReady=SUCCEEDED "
				"ConfigurationsReady=FAILED");
	assert_int_equal(model->observed_generation, generation);
	assert_string_equal(model->latest_created->name, "shop-3");
	assert_string_equal(model->latest_ready->name, "shop-2");
	assert_int_equal(serves(model, "shop-1"), 100);
	assert_int_equal(model_next_ms(model), MODEL_NEVER);

	split(model, "shop-1", 90, "shop-2", T0 + 6000);
	check_conditions(model, "RECONCILING RoutesReady=RECONCILING "
				"ConfigurationsReady=FAILED");
	model_advance(model, T0 + 7000);
	check_conditions(model, "FAILED RoutesReady=SUCCEEDED "
				"ConfigurationsReady=FAILED");
	assert_int_equal(serves(model, "shop-1"), 90);

	assert_non_null(model_deploy(model, "shop-4", true, T0 + 7000, &error));
	check_conditions(model, "SUCCEEDED RoutesReady=SUCCEEDED "
				"ConfigurationsReady=SUCCEEDED");
	assert_int_equal(model->observed_generation, model->generation);
	model_free(&model);
}

static void a_failed_write_leaves_what_serves(void **state)
{
	struct model *model = world();
	int64_t generation = model->generation;

	split(model, "shop-9", 100, "shop-1", T0);
	check_conditions(model, "RECONCILING RoutesReady=RECONCILING "
				"ConfigurationsReady=SUCCEEDED");
	model_advance(model, T0 + DELAY);
	check_conditions(model, "FAILED RoutesReady=FAILED "
				"ConfigurationsReady=SUCCEEDED");
	assert_int_equal(model->generation, generation + 1);
	assert_int_equal(model->observed_generation, generation);
	assert_string_equal(model->spec.item[0].revision, "shop-9");
	assert_int_equal(serves(model, "shop-2"), 100);
	model_free(&model);
}

static void a_deployment_and_a_write_may_overlap(void **state)
{
	const struct model_deployment slow = {
		.name = "shop-3", .takes_ms = 5000};
	struct model *model = world();
	struct rpc_error error = {.code = RPC_OK};
	struct model_operation *operation;
	json_t *revision;

	assert_non_null(model_deploy_as(model, &slow, T0, &error));
	revision = model_revision_json(model, model->latest_created);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(
				json_object_get(revision, "conditions"), 0),
			"state")),
		"CONDITION_RECONCILING");
	json_decref(revision);
	operation = split(model, "shop-1", 90, "shop-2", T0);
	model_advance(model, T0 + DELAY);
	assert_true(operation->done);
	assert_int_equal(serves(model, "shop-1"), 90);
	assert_true(model->observed_generation < model->generation);
	model_advance(model, T0 + 5000);
	assert_int_equal(model->observed_generation, model->generation);
	assert_string_equal(model->latest_ready->name, "shop-3");
	model_free(&model);
}

/* What the real one does is not known: see struct model_rules. */
static void rules_decide_where_the_real_one_is_not_known(void **state)
{
	/* long: a table */
	static const struct {
		struct model_rules rules;
		bool broken; /* the newest revision is */
		const char *target; /* of the other 0 %; NULL: the same split
				     * as before */
		int generations; /* made by the write */
		bool observed, failed; /* when it is over */
		int percent; /* of shop-1 then */
	} rows[] = {
		{{false}, true, "shop-2", 1, true, false, 100},
		{{.broken_stays_behind = true}, true, "shop-2", 1, false, false,
			100},
		{{.broken_stays_behind = true}, false, "shop-2", 1, true, false,
			100},
		{{.broken_fails_writes = true}, true, "shop-2", 1, true, true,
			100},
		{{false}, false, "shop-9", 1, false, true, 50},
		{{.idle_targets_unchecked = true}, false, "shop-9", 1, true,
			false, 100},
		{{false}, false, NULL, 0, true, false, 50},
		{{.same_write_counts = true}, false, NULL, 1, true, false, 50},
	};
	struct rpc_error error = {.code = RPC_OK};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model *model = world();
		struct model_operation *operation;
		int64_t generation;

		split(model, "shop-1", 50, "shop-2", T0);
		model_advance(model, T0 + DELAY);
		model_set_rules(model, &rows[i].rules, T0 + DELAY);
		if (rows[i].broken)
			model_deploy(
				model, "shop-3", false, T0 + DELAY, &error);
		generation = model->generation;
		operation = split(model, "shop-1", rows[i].target ? 100 : 50,
			rows[i].target ? rows[i].target : "shop-2", T0 + DELAY);
		model_advance(model, T0 + 2 * DELAY);
		assert_true(operation->done);
		assert_int_equal(operation->error != NULL, rows[i].failed);
		assert_int_equal(
			model->generation, generation + rows[i].generations);
		assert_int_equal(
			model->observed_generation == model->generation,
			rows[i].observed);
		assert_int_equal(serves(model, "shop-1"), rows[i].percent);
		model_free(&model);
	}
}

static void a_list_that_failed_may_be_worth_a_second_try(void **state)
{
	static const struct model_rules rules[] = {
		{false}, {.failed_write_is_final = true}};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct model *model = world();
		struct rpc_error error = {.code = RPC_OK};
		int64_t generation;

		model_set_rules(model, &rules[i], T0);
		split(model, "shop-3", 100, "shop-1", T0);
		model_advance(model, T0 + DELAY);
		model_deploy(model, "shop-3", true, T0 + DELAY, &error);
		generation = model->generation;
		split(model, "shop-3", 100, "shop-1", T0 + DELAY);
		model_advance(model, T0 + 2 * DELAY);
		assert_int_equal(model->generation, generation + !i);
		assert_int_equal(model->route_failure[0] != 0, i);
		split(model, "shop-3", 99, "shop-1", T0 + 2 * DELAY);
		model_advance(model, T0 + 3 * DELAY);
		assert_int_equal(serves(model, "shop-3"), 99);
		model_free(&model);
	}
}

static void writes_of_other_fields_may_count_or_not(void **state)
{
	bool counts;

	for (counts = false;; counts = true) {
		struct model *model = world();
		struct model_rules rules = {.fields_do_not_count = !counts};
		struct model_write write = {.modifier = "me"};
		int64_t generation = model->generation;
		char etag[32];

		model_set_rules(model, &rules, T0);
		memcpy(etag, model->etag, sizeof(etag));
		write.fields = json_pack("{s:s}", "description", "x");
		assert_int_equal(model_write(model, &write, T0)->done, !counts);
		json_decref(write.fields);
		assert_int_equal(model->generation, generation + counts);
		assert_string_not_equal(model->etag, etag);
		model_free(&model);
		if (counts)
			return;
	}
}

static void a_service_made_anew_has_only_its_names_left(void **state)
{
	struct model *model = world();
	struct model_operation *operation;
	char uid[2][MODEL_ID_MAX];

	memcpy(uid[0], model->uid, MODEL_ID_MAX);
	memcpy(uid[1], model->revision[0]->uid, MODEL_ID_MAX);
	split(model, "shop-1", 90, "shop-2", T0);
	model_advance(model, T0 + DELAY);
	operation = split(model, "shop-1", 100, "shop-2", T0 + DELAY);
	model_delete(model, T0 + DELAY);
	assert_int_equal(operation->error->code, RPC_ABORTED);
	assert_int_equal(serves(model, "shop-1"), 0);
	model_recreate(model, T0 + DELAY);
	assert_int_equal(serves(model, "shop-1"), 100);
	assert_int_equal(model->generation, 1);
	assert_int_equal(model->observed_generation, 1);
	assert_string_not_equal(model->uid, uid[0]);
	assert_string_not_equal(model->revision[0]->uid, uid[1]);
	assert_string_equal(model->revision[0]->name, "shop-1");
	model_free(&model);
}

static void what_a_service_need_not_have_can_be_left_out(void **state)
{
	const struct model_rules rules = {
		.uris_absent = true, .routes_condition_absent = true};
	struct model *model = world();
	struct routes routes = {NULL, 0};
	json_t *service, *entry;
	int turn;

	routes_add(&routes, ROUTE_LATEST, "", 100);
	strcpy(routes.item[0].tag, "live");
	model_set_routes(model, &routes, T0);
	routes_fini(&routes);
	for (turn = 0; turn < 2; turn++) {
		if (turn)
			model_set_rules(model, &rules, T0);
		service = model_service_json(model);
		entry = json_array_get(
			json_object_get(service, "trafficStatuses"), 0);
		assert_int_equal(json_object_get(entry, "uri") != NULL, !turn);
		assert_int_equal(
			json_object_get(service, "uri") != NULL, !turn);
		assert_int_equal(
			json_object_get(service, "urls") != NULL, !turn);
		json_decref(service);
		check_conditions(
			model, turn ? "SUCCEEDED ConfigurationsReady=SUCCEEDED"
				    : "SUCCEEDED RoutesReady=SUCCEEDED "
				      "ConfigurationsReady=SUCCEEDED");
	}
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
	split(model, "shop-1", 100, "shop-2", T0);
	model_advance(model, T0 + DELAY);
	assert_non_null(
		model_deploy(model, "shop-new", true, T0 + DELAY, &error));
	assert_int_equal(model->n_revisions, MODEL_REVISIONS_MAX);
	assert_non_null(model_find_revision(model, "shop-1"));
	assert_null(model_find_revision(model, "shop-2"));
	assert_non_null(model_find_revision(model, "shop-new"));
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
		cmocka_unit_test(what_serves_stays_when_it_is_removed_by_force),
		cmocka_unit_test(a_failed_deployment_leaves_what_serves),
		cmocka_unit_test(a_failed_write_leaves_what_serves),
		cmocka_unit_test(a_deployment_and_a_write_may_overlap),
		cmocka_unit_test(rules_decide_where_the_real_one_is_not_known),
		cmocka_unit_test(a_list_that_failed_may_be_worth_a_second_try),
		cmocka_unit_test(writes_of_other_fields_may_count_or_not),
		cmocka_unit_test(a_service_made_anew_has_only_its_names_left),
		cmocka_unit_test(what_a_service_need_not_have_can_be_left_out),
		cmocka_unit_test(every_visible_change_makes_another_etag),
		cmocka_unit_test(the_past_can_be_read),
		cmocka_unit_test(everything_kept_is_bounded),
		cmocka_unit_test(proto_defaults_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
