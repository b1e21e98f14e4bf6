/* The sandbox's model behind a fake server; see fake_run.h. */
#include "fake_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "fake_http.h"
#include "fake_loop.h"
#include "sandbox/foreign.h"

#define OPERATION_MS  1000
#define SOMEBODY_ELSE "somebody-else@example.com"
#define SERVICE_PATH  "/v2/" FAKE_SERVICE
#define TARGET        "TRAFFIC_TARGET_ALLOCATION_TYPE_"

struct fake_run fake_run;

struct wait {
	LIST_ENTRY(wait) link;
	struct fake_exchange *exchange;
	char operation[MODEL_ID_MAX];
	int64_t until_ms;
};

static LIST_HEAD(, wait) waits;

static struct {
	json_t *body;
	char *text;
} printed; /* the last answer */

static void wait_look(void *arg);

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

/* What was asked for serves when its operation is over. */
static void model_due(void *arg)
{
	if (fake_run.model && model_advance(fake_run.model, now()))
		changed();
}

static void watch_model(void)
{
	int64_t due_ms = model_next_ms(fake_run.model);

	if (due_ms != MODEL_NEVER)
		fake_world_after(due_ms - now(), model_due, NULL);
	changed();
}

static void foreign_written(void)
{
	fake_run.foreign_ms = fake_now();
	watch_model();
}

/* ---- the server ---- */

static void drift(const struct fault *fault)
{
	struct rpc_error error = {.code = RPC_OK};

	if (fault->id && foreign_do(fake_run.model, fault->drift, false, now(),
				 &error) == 0)
		watch_model();
}

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

static void route(const struct fake_request *request, const char *path,
	const struct fault_plan *plan, struct admin_reply *reply_r)
{
	struct admin_request asked = {
		.method = request->method,
		.path = path,
		.target = request->target,
		.authorization = request->authorization,
		.body = request->body,
		.body_len = request->body_len,
	};
	struct routes before = {NULL, 0};

	drift(&plan->slot[SLOT_DRIFT_BEFORE]);
	routes_copy(&before, &fake_run.model->spec);
	admin_routes_answer(
		fake_run.model, &fake_run.rules, &asked, plan, now(), reply_r);
	if (strcmp(request->method, "PATCH") == 0) {
		if (reply_r->status == 200 && fake_run.on_written)
			fake_run.on_written(&before);
		watch_model();
	}
	routes_fini(&before);
	drift(&plan->slot[SLOT_DRIFT_AFTER]);
}

/* Most reads are answered with the very same object as the one before. */
static char *text_of(json_t *body)
{
	if (body != printed.body) {
		json_decref(printed.body);
		free(printed.text);
		printed.body = json_incref(body);
		printed.text = json_dumps(body, JSON_COMPACT);
	}
	return xstrdup(printed.text);
}

static void answer_with(struct admin_reply *reply, struct fake_answer *answer)
{
	answer->status = reply->status;
	/* An operation carries the service twice; printing and reading that
	 * takes half the time of a scenario, and nothing looks at it. */
	if (json_object_get(reply->body, "metadata")) {
		json_object_del(reply->body, "metadata");
		json_object_del(reply->body, "response");
	}
	answer->body = text_of(reply->body);
	answer->retry_after_ms = reply->retry_ms;
	json_decref(reply->body);
}

static void fault_answer(const struct fault *fault, struct fake_answer *answer)
{
	struct rpc_error error = {.code = rpc_code_of_http(fault->status)};
	struct admin_reply reply = {.body = NULL};

	if (fault->kind == FAULT_RESET) {
		answer->fate = FATE_RESET;
	} else if (fault->kind == FAULT_HANG) {
		answer->fate = FATE_SILENT;
	} else {
		error.http = fault->status;
		error.retry_ms = fault->retry_ms;
		snprintf(error.message, sizeof(error.message), "%s",
			fault->text);
		admin_reply_error(&reply, &error);
		answer_with(&reply, answer);
	}
}

static void wait_start(struct fake_exchange *exchange,
	struct admin_reply *reply, struct fake_answer *answer)
{
	struct wait *wait = xcalloc(1, sizeof(*wait));

	wait->exchange = exchange;
	wait->until_ms = fake_now() + reply->wait_ms;
	memcpy(wait->operation, reply->wait_for, sizeof(wait->operation));
	json_decref(reply->body);
	LIST_INSERT_HEAD(&waits, wait, link);
	answer->fate = FATE_LATER;
	fake_world_after(0, wait_look, wait);
}

static void wait_free(struct wait *wait)
{
	LIST_REMOVE(wait, link);
	free(wait);
}

static void wait_look(void *arg)
{
	struct wait *wait = arg;
	const struct model_operation *operation =
		model_find_operation(fake_run.model, wait->operation);
	int64_t left_ms = wait->until_ms - fake_now();
	struct fake_answer answer = {.fate = FATE_ANSWERED};
	struct admin_reply reply;

	if (operation && !operation->done && left_ms > 0) {
		fake_world_after(
			left_ms < 100 ? left_ms : 100, wait_look, wait);
		return;
	}
	admin_routes_waited(fake_run.model, wait->operation, &reply);
	answer_with(&reply, &answer);
	fake_http_answer(wait->exchange, &answer);
	wait_free(wait);
}

static void serve(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	static const struct fault_plan good;
	char *path = path_of(request->target);
	struct fault_plan plan = good;
	const struct fault *fault = &plan.slot[SLOT_ANSWER];
	struct admin_reply reply = {.body = NULL};
	const struct admin_request asked = {
		.method = request->method,
		.path = path,
		.target = request->target,
		.body = request->body,
		.body_len = request->body_len,
	};

	count(request, path);
	if (fake_run.faults.n)
		sandbox_faults_match(&fake_run.faults, &asked, now(), &plan);
	answer->delay_ms = plan.slot[SLOT_SLOW].delay_ms;
	if (!fault->id || fault->after)
		route(request, path, &plan, &reply);
	if (fault->id) {
		json_decref(reply.body);
		fault_answer(fault, answer);
		if (answer->fate != FATE_SILENT &&
			strcmp(request->method, "GET") == 0)
			fake_run.read_refused_ms = fake_now();
	} else if (reply.wait_for[0]) {
		wait_start(exchange, &reply, answer);
	} else {
		answer_with(&reply, answer);
	}
	fault_plan_fini(&plan);
	free(path);
}

/* ---- the service ---- */

static void deploy(const char *name, bool ready)
{
	struct rpc_error error = {.code = RPC_OK};

	if (!model_deploy(fake_run.model, name, ready, now(), &error)) {
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
	fake_run.model = model_new(&config, now());
	fake_run.rules.etag_is_strict = true;
	deploy(FAKE_STABLE, true);
	deploy(FAKE_NEW, true);
	fake_run_set_traffic("shop-1=100");
	fake_http_serve(FAKE_RUN_ORIGIN, serve);
}

void fake_run_close(void)
{
	while (!LIST_EMPTY(&waits))
		wait_free(LIST_FIRST(&waits));
	json_decref(printed.body);
	free(printed.text);
	memset(&printed, 0, sizeof(printed));
	model_free(&fake_run.model);
	sandbox_faults_fini(&fake_run.faults);
}

static int percent_of(const struct routes *routes, const char *revision)
{
	const struct model_revision *latest = fake_run.model->latest_ready;
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
	return percent_of(&fake_run.model->served, revision);
}

int fake_run_wants(const char *revision)
{
	return percent_of(&fake_run.model->spec, revision);
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
	model_set_routes(fake_run.model, &routes, now());
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
		model_find_revision(fake_run.model, name);

	assert(revision);
	return revision;
}

void fake_run_set_ready(const char *revision, bool ready)
{
	model_set_ready(
		fake_run.model, revision_of(revision), ready, NULL, now());
}

bool fake_run_remove(const char *revision)
{
	struct rpc_error error = {.code = RPC_OK};

	return model_remove(fake_run.model, revision, false, now(), &error) ==
	       0;
}

bool fake_run_refers_to(const char *revision, const char *tag)
{
	const struct routes *spec = &fake_run.model->spec;

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

	if (sandbox_faults_add(&fake_run.faults, fault, now(), &error) < 0) {
		fprintf(stderr, "%s: %s\n", json, error.message);
		abort();
	}
	json_decref(fault);
}

void fake_run_heal(void)
{
	sandbox_faults_remove(&fake_run.faults, 0);
}

void fake_run_foreign(const char *table)
{
	json_t *fields = json_pack("{s:o}", "traffic", table_json(table));
	struct rpc_error error = {.code = RPC_OK};

	if (admin_routes_drift(fake_run.model, fields, SOMEBODY_ELSE, false,
		    now(), &error) < 0) {
		fprintf(stderr, "%s: %s\n", table, error.message);
		abort();
	}
	json_decref(fields);
	foreign_written();
}

void fake_run_foreign_failing(const char *table)
{
	json_t *list = table_json(table);
	struct rpc_error error = {.code = RPC_OK};
	struct routes routes = {NULL, 0};
	struct model_write write = {
		.routes = &routes,
		.modifier = SOMEBODY_ELSE,
		.fate = FATE_FAILS,
		.fate_code = RPC_INTERNAL,
		.fate_text = "The update failed.",
	};

	if (routes_read(list, "shop", &routes, &error) < 0) {
		fprintf(stderr, "%s: %s\n", table, error.message);
		abort();
	}
	model_write(fake_run.model, &write, now());
	routes_fini(&routes);
	json_decref(list);
	foreign_written();
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
