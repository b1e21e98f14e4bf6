/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox's model behind a fake server; see fake_run.h. */
#include "fake_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "fake_http.h"
#include "fake_loop.h"
#include "sandbox/foreign.h"
#include "sandbox/sandbox_options.h"

#define OPERATION_MS 1000
#define PRINTED_MAX  2 /* reads of the service and of a revision take turns */
#define SERVICE_PATH "/v2/" FAKE_SERVICE
#define TARGET       "TRAFFIC_TARGET_ALLOCATION_TYPE_"

struct fake_run fake_run;

/* Answers that were printed last, the latest first. */
static struct printed {
	json_t *body;
	char *text;
} printed[PRINTED_MAX];

static int64_t now(void)
{
	return FAKE_EPOCH_MS + fake_now();
}

static json_t *json_of(const char *text)
{
	char *quoted = xstrdup(text), *at;
	json_error_t error;
	json_t *json;

	for (at = quoted; (at = strchr(at, '\''));)
		*at = '"';
	json = json_loads(quoted, 0, &error);
	if (!json) {
		fprintf(stderr, "%s: %s\n", text, error.text);
		abort();
	}
	free(quoted);
	return json;
}

static void changed(void)
{
	if (fake_run.on_change)
		fake_run.on_change();
}

static void watch(void);

static void cloud_due(void *arg)
{
	struct cloud *cloud = &fake_run.cloud;
	uint64_t version;

	if (!cloud->model)
		return;
	version = cloud->model->version;
	cloud_advance(cloud, now());
	if (cloud->model->version != version)
		changed();
	watch();
}

/* Somebody else wrote before or after a request of ours, as a fault has it. */
static void notice_foreign(void)
{
	const struct model *model = fake_run.cloud.model;

	if (model->generation != fake_run.generation &&
		strcmp(model->last_modifier, FOREIGN_WHO) == 0)
		fake_run.foreign_ms = fake_now();
	fake_run.generation = model->generation;
}

/* What is under way goes on when it is due. */
static void watch(void)
{
	int64_t due_ms = cloud_next_ms(&fake_run.cloud) - now();

	notice_foreign();
	if (due_ms < MODEL_NEVER - now())
		fake_world_after(due_ms > 0 ? due_ms : 0, cloud_due, NULL);
}

static void watch_model(void)
{
	watch();
	changed();
}

/* ---- the server ---- */

static char *path_of(const char *target)
{
	return xasprintf("%.*s", (int)strcspn(target, "?"), target);
}

static void count(const struct fake_request *request, const char *path)
{
	if (strcmp(path, SERVICE_PATH) != 0)
		return;
	if (strcmp(request->method, "PATCH") != 0) {
		fake_run.gets++;
		return;
	}
	fake_run.patches++;
	fake_run.patched_ms = fake_now();
}

/* Most reads are answered with the very same object as the one before. */
static char *text_of(json_t *body)
{
	struct printed it;
	int i = 0;

	while (i < PRINTED_MAX - 1 && printed[i].body != body)
		i++;
	it = printed[i];
	if (it.body != body) {
		json_decref(it.body);
		free(it.text);
		it.body = json_incref(body);
		it.text = json_dumps(body, JSON_COMPACT);
	}
	memmove(printed + 1, printed, (size_t)i * sizeof(it));
	printed[0] = it;
	return xstrdup(it.text);
}

/* An operation carries the service twice; printing and reading that takes half
 * the time of a scenario, and nothing looks at it. */
static char *operation_text(json_t *body)
{
	json_t *copy = json_copy(body);
	char *text;

	json_object_del(copy, "metadata");
	json_object_del(copy, "response");
	text = json_dumps(copy, JSON_COMPACT);
	json_decref(copy);
	return text;
}

static void answer_with(
	const struct admin_reply *reply, struct fake_answer *answer)
{
	answer->status = reply->status;
	answer->retry_after_ms = reply->retry_ms;
	if (reply->html)
		answer->body = xstrdup(reply->html);
	else if (json_object_get(reply->body, "metadata"))
		answer->body = operation_text(reply->body);
	else
		answer->body = text_of(reply->body);
}

static void answered(const struct admin_reply *reply, void *arg)
{
	struct fake_answer answer = {.fate = FATE_ANSWERED};
	struct fake_exchange *exchange = arg;

	if (reply)
		answer_with(reply, &answer);
	else
		answer.fate = FATE_RESET;
	fake_http_answer(exchange, &answer);
}

static void serve(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	char *path = path_of(request->target);
	const struct admin_request arrived = {
		.method = request->method,
		.path = path,
		.target = request->target,
		.authorization = request->authorization,
		.body = request->body,
		.body_len = request->body_len,
	};

	count(request, path);
	answer->fate = FATE_LATER;
	cloud_advance(&fake_run.cloud, now());
	if (!cloud_call_start(
		    &fake_run.cloud, &arrived, now(), answered, exchange))
		abort();
	free(path);
	cloud_due(NULL);
}

/* ---- the service ---- */

static void deploy(const char *name, bool ready)
{
	struct rpc_error error = {.code = RPC_OK};

	if (!model_deploy(fake_run.cloud.model, name, ready, now(), &error)) {
		fprintf(stderr, "%s: %s\n", name, error.message);
		abort();
	}
}

void fake_run_open(void)
{
	const struct model_config config = {
		.project = FAKE_PROJECT,
		.region = FAKE_REGION,
		.service = "shop",
		.uri = "https://shop.example",
		.operation_delay_ms = OPERATION_MS,
		.seed = 1,
	};

	memset(&fake_run, 0, sizeof(fake_run));
	cloud_init(&fake_run.cloud, &config, now());
	fake_run.cloud.rules.etag_is_strict = true;
	deploy(FAKE_STABLE, true);
	deploy(FAKE_NEW, true);
	fake_run_set_traffic("shop-1=100");
	fake_http_serve(FAKE_RUN_ORIGIN, serve);
}

void fake_run_close(void)
{
	cloud_reset_calls(&fake_run.cloud, false);
	cloud_fini(&fake_run.cloud);
	for (int i = 0; i < PRINTED_MAX; i++) {
		json_decref(printed[i].body);
		free(printed[i].text);
	}
	memset(printed, 0, sizeof(printed));
}

static int percent_of(const struct routes *routes, const char *revision)
{
	const struct model_revision *latest =
		fake_run.cloud.model->latest_ready;
	int percent = 0;

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->item[i];
		const char *name = route->revision;

		if (route->type == ROUTE_LATEST)
			name = latest ? latest->name : "";
		if (strcmp(name, revision) == 0)
			percent += route->percent;
	}
	return percent;
}

int fake_run_serves(const char *revision)
{
	return percent_of(&fake_run.cloud.model->served, revision);
}

int fake_run_wants(const char *revision)
{
	return percent_of(&fake_run.cloud.model->spec, revision);
}

/* "shop-1=90 shop-2=10#tag LATEST=0" */
static json_t *table_json(const char *table)
{
	json_t *list = json_array(), *entry;
	char name[64], rest[64], *tag;
	int n = 0, percent;

	for (; sscanf(table, " %63[^=]=%63s%n", name, rest, &n) == 2;
		table += n) {
		percent = (int)strtol(rest, &tag, 10);
		entry = json_pack("{s:s, s:s}", "type",
			strcmp(name, "LATEST") == 0 ? TARGET "LATEST"
						    : TARGET "REVISION",
			"revision", name);
		if (strcmp(name, "LATEST") == 0)
			json_object_del(entry, "revision");
		if (percent)
			json_object_set_new(
				entry, "percent", json_integer(percent));
		if (*tag == '#')
			json_object_set_new(entry, "tag", json_string(tag + 1));
		json_array_append_new(list, entry);
	}
	return list;
}

void fake_run_set_traffic(const char *table)
{
	json_t *list = table_json(table);
	struct rpc_error error = {.code = RPC_OK};
	struct routes routes = {NULL, 0};

	if (routes_read(list, "shop", &routes, &error) < 0) {
		fprintf(stderr, "%s: %s\n", table, error.message);
		abort();
	}
	model_set_routes(fake_run.cloud.model, &routes, now());
	routes_fini(&routes);
	json_decref(list);
	changed();
}

void fake_run_deploy(const char *revision)
{
	deploy(revision, true);
	changed();
}

static struct model_revision *revision_of(const char *name)
{
	struct model_revision *revision =
		model_find_revision(fake_run.cloud.model, name);

	assert(revision);
	return revision;
}

void fake_run_set_ready(const char *revision, bool ready)
{
	model_set_ready(fake_run.cloud.model, revision_of(revision), ready,
		NULL, now());
}

bool fake_run_is_ready(const char *revision)
{
	return revision_of(revision)->ready;
}

bool fake_run_remove(const char *revision)
{
	struct rpc_error error = {.code = RPC_OK};

	return model_remove(fake_run.cloud.model, revision, false, now(),
		       &error) == 0;
}

bool fake_run_refers_to(const char *revision, const char *tag)
{
	const struct routes *spec = &fake_run.cloud.model->spec;

	for (size_t i = 0; i < spec->n; i++)
		if (strcmp(spec->item[i].revision, revision) == 0 &&
			(!tag || strcmp(spec->item[i].tag, tag) == 0))
			return true;
	return false;
}

/* ---- faults ---- */

void fake_run_fault(const char *json)
{
	json_t *fault = json_of(json);
	struct rpc_error error = {.code = RPC_OK};

	if (sandbox_faults_add(&fake_run.cloud.faults, fault, now(), &error) <
		0) {
		fprintf(stderr, "%s: %s\n", json, error.message);
		abort();
	}
	json_decref(fault);
}

void fake_run_heal(void)
{
	sandbox_faults_remove(&fake_run.cloud.faults, 0);
}

void fake_run_option(const char *text)
{
	struct rpc_error error = {.code = RPC_OK};

	if (sandbox_option_parse(&fake_run.cloud, text, now(), &error) < 0) {
		fprintf(stderr, "%s: %s\n", text, error.message);
		abort();
	}
	changed();
}

void fake_run_foreign(const char *table)
{
	json_t *fields = json_pack("{s:o}", "traffic", table_json(table));
	struct rpc_error error = {.code = RPC_OK};

	if (admin_routes_drift(fake_run.cloud.model, fields, FOREIGN_WHO, false,
		    now(), &error) < 0) {
		fprintf(stderr, "%s: %s\n", table, error.message);
		abort();
	}
	json_decref(fields);
	watch_model();
}

void fake_run_foreign_failing(const char *table)
{
	json_t *list = table_json(table);
	struct rpc_error error = {.code = RPC_OK};
	struct routes routes = {NULL, 0};
	struct model_write write = {
		.routes = &routes,
		.modifier = FOREIGN_WHO,
		.fate = FATE_FAILS,
		.fate_code = RPC_INTERNAL,
		.fate_text = "The update failed.",
	};

	if (routes_read(list, "shop", &routes, &error) < 0) {
		fprintf(stderr, "%s: %s\n", table, error.message);
		abort();
	}
	model_write(fake_run.cloud.model, &write, now());
	routes_fini(&routes);
	json_decref(list);
	watch_model();
}

void fake_run_foreign_before_write(const char *table)
{
	json_t *fault = json_pack("{s:s, s:s, s:s, s:{s:o}}", "kind", "drift",
		"method", "PATCH", "when", "before", "set", "traffic",
		table_json(table));
	char *text = json_dumps(fault, 0);

	fake_run_fault(text);
	json_decref(fault);
	free(text);
}

void fake_run_failed_deployment(void)
{
	deploy(NULL, false);
	changed();
}
