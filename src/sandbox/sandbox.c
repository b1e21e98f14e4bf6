/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox put together: two servers, the model, its clock; see sandbox.h.
 *
 * The admin port:
 *   /v2/…          Cloud Run Admin API v2 (admin_routes.c)
 *   /sandbox…      the controls (control_api.c)
 *   /metrics       what the front door counted, for Prometheus
 *   /prometheus/…  a Prometheus that answers what it is told (metrics_api.c)
 * Requests there must name a loopback host, so that a page in a browser cannot
 * reach the controls under a name of its own. The front door: front_door.c.
 */
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"
#include "sandbox/admin_check.h"
#include "sandbox/load.h"
#include "sandbox/metrics_api.h"
#include "sandbox/sandbox_answer.h"
#include "sandbox/sandbox_metrics.h"
#include "sandbox/sandbox_options.h"
#include "sandbox/sandbox_parts.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void sandbox_changed(struct sandbox *sandbox);

static void sandbox_tick(void *arg)
{
	struct sandbox *sandbox = arg;

	sandbox->timer = NULL;
	sandbox_changed(sandbox);
}

static void sandbox_changed(struct sandbox *sandbox)
{
	int64_t now_ms = sandbox_now(sandbox), next_ms;

	cloud_advance(&sandbox->cloud, now_ms);
	front_door_follow(sandbox->front, sandbox->cloud.model);
	next_ms = cloud_next_ms(&sandbox->cloud);
	timer_cancel(&sandbox->timer);
	if (next_ms != MODEL_NEVER)
		sandbox->timer = timer_start(sandbox->loop,
			next_ms > now_ms ? next_ms - now_ms : 0, sandbox_tick,
			sandbox);
}

static void answer_metrics(
	struct sandbox *sandbox, struct server_request *request)
{
	struct buf text;

	buf_init(&text, METRICS_TEXT_MAX);
	front_door_metrics(sandbox->front, sandbox->metrics_names, &text);
	request_answer(request, text.overflow ? 500 : 200, METRICS_TYPE,
		text.data, text.len);
	buf_fini(&text);
}

static bool host_is_loopback(struct server_request *request)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
	const char *host = request_header(request, "Host");
	size_t i, len;

	for (i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i]);
		if (strncmp(host, names[i], len) == 0 &&
			(!host[len] || host[len] == ':'))
			return true;
	}
	return !host;
}

static void admin_request(struct server_request *request, void *arg)
{
	struct sandbox *sandbox = arg;
	const char *path = request_path(request);
	struct rpc_error error;

	if (!host_is_loopback(request)) {
		rpc_error_set(&error, RPC_PERMISSION_DENIED,
			"The sandbox is reached as 127.0.0.1 or localhost "
			"only.");
		sandbox_answer_error(request, &error);
	} else if (strncmp(path, "/v2/", 4) == 0) {
		admin_api_start(sandbox, request);
	} else if (strcmp(path, "/sandbox") == 0 ||
		   strncmp(path, "/sandbox/", 9) == 0) {
		control_api_answer(sandbox, request);
	} else if (strcmp(path, "/metrics") == 0) {
		answer_metrics(sandbox, request);
	} else if (strncmp(path, METRICS_API_PATH, strlen(METRICS_API_PATH)) ==
		   0) {
		metrics_api_start(sandbox->metrics, request);
	} else {
		rpc_error_set(&error, RPC_NOT_FOUND,
			"The sandbox has no %.400s.", path);
		sandbox_answer_error(request, &error);
	}
}

/* One "NAME[:latency=50ms,…]". */
static int add_revision(
	struct sandbox *sandbox, const char *text, struct err *err_r)
{
	size_t len = strcspn(text, ":");
	struct revision_profile *profile;
	struct model_revision *revision;
	char name[ROUTE_NAME_MAX + 2];
	struct rpc_error error = {.code = RPC_OK};

	snprintf(name, sizeof(name), "%.*s",
		len > ROUTE_NAME_MAX ? ROUTE_NAME_MAX + 1 : (int)len, text);
	revision = model_deploy(
		sandbox->cloud.model, name, true, sandbox_now(sandbox), &error);
	if (!revision)
		return err_set(err_r, ERR_USAGE, "--revision %.80s: %s", text,
			error.message);
	profile = front_door_profile(sandbox->front, name);
	if (text[len] &&
		(revision_profile_parse(text + len + 1, profile, err_r) < 0 ||
			(profile->proxy[0] && http_url_check(profile->proxy,
						      false, err_r) < 0))) {
		err_r->code = ERR_USAGE;
		return err_wrap(err_r, "--revision %.80s", name);
	}
	return 0;
}

/* Revisions of long ago, for a service that has many. */
static void add_old_revisions(struct sandbox *sandbox, int n)
{
	struct rpc_error error = {.code = RPC_OK};
	char name[ROUTE_NAME_MAX + 1];
	int i;

	for (i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "%.45s-old-%04d",
			sandbox->cloud.model->service, i);
		(void)!model_deploy(sandbox->cloud.model, name, true,
			sandbox_now(sandbox), &error);
	}
}

/* Tags that somebody has left, on the oldest revisions by turns. */
static void add_old_tags(
	struct sandbox *sandbox, const struct sandbox_options *options)
{
	struct model *model = sandbox->cloud.model;
	size_t n = options->old_revisions ? (size_t)options->old_revisions : 1;
	struct routes routes = {NULL, 0};
	int i;

	routes_copy(&routes, &model->spec);
	for (i = 0; i < options->old_tags; i++) {
		routes_add(&routes, ROUTE_REVISION,
			model->revision[(size_t)i % n]->name, 0);
		snprintf(routes.item[routes.n - 1].tag,
			sizeof(routes.item[0].tag), "t%d", i + 1);
	}
	model_set_routes(model, &routes, sandbox_now(sandbox));
	routes_fini(&routes);
}

static int add_broken(struct sandbox *sandbox,
	const struct sandbox_options *options, struct err *err_r)
{
	struct rpc_error error = {.code = RPC_OK};
	size_t i;

	for (i = 0; i < options->n_broken; i++) {
		if (!model_deploy(sandbox->cloud.model, options->broken[i],
			    false, sandbox_now(sandbox), &error))
			return err_set(err_r, ERR_USAGE,
				"--broken-revision %.80s: %s",
				options->broken[i], error.message);
	}
	return 0;
}

static int set_traffic(struct sandbox *sandbox,
	const struct sandbox_options *options, struct err *err_r)
{
	const struct model *model = sandbox->cloud.model;
	struct rpc_error error = {.code = RPC_OK};
	char text[ROUTE_NAME_MAX + 8];

	snprintf(text, sizeof(text), "%s=100",
		model->n_revisions > 1
			? model->revision[options->old_revisions]->name
			: "LATEST");
	if (control_traffic(sandbox, options->traffic ? options->traffic : text,
		    &error) == 0)
		return 0;
	return err_set(err_r, ERR_USAGE, "--traffic: %s", error.message);
}

static int set_options(struct sandbox *sandbox,
	const struct sandbox_options *options, struct err *err_r)
{
	struct rpc_error error = {.code = RPC_OK};
	size_t i;

	for (i = 0; i < options->n_set; i++) {
		if (sandbox_option_parse(&sandbox->cloud, options->set[i],
			    sandbox_now(sandbox), &error) < 0)
			return err_set(err_r, ERR_USAGE, "--set %.80s: %s",
				options->set[i], error.message);
	}
	return 0;
}

static int add_faults(struct sandbox *sandbox,
	const struct sandbox_options *options, struct err *err_r)
{
	struct rpc_error error = {.code = RPC_OK};
	json_t *body;
	size_t i;
	int id;

	for (i = 0; i < options->n_faults; i++) {
		const char *text = options->faults[i];

		if (admin_check_json(text, strlen(text), &body, &error) < 0)
			goto bad;
		id = control_fault(sandbox, body, &error);
		json_decref(body);
		if (id < 0)
			goto bad;
	}
	return 0;
bad:
	return err_set(err_r, ERR_USAGE, "--fault %.80s: %s",
		options->faults[i], error.message);
}

/* The broken ones come last: a failed deployment changes no traffic. */
static int set_up(struct sandbox *sandbox,
	const struct sandbox_options *options, struct err *err_r)
{
	struct rpc_error error = {.code = RPC_OK};
	size_t i;

	if (set_options(sandbox, options, err_r) < 0)
		return -1;
	add_old_revisions(sandbox, options->old_revisions);
	for (i = 0; i < options->n_revisions; i++) {
		if (add_revision(sandbox, options->revisions[i], err_r) < 0)
			return -1;
	}
	if (!options->n_revisions)
		(void)!model_deploy(sandbox->cloud.model, NULL, true,
			sandbox_now(sandbox), &error);
	if (set_traffic(sandbox, options, err_r) < 0)
		return -1;
	if (options->old_tags)
		add_old_tags(sandbox, options);
	if (add_broken(sandbox, options, err_r) < 0)
		return -1;
	return add_faults(sandbox, options, err_r);
}

int sandbox_check(const struct sandbox_options *options, struct err *err_r)
{
	const char *const names[] = {
		options->project, options->region, options->service};
	size_t i;

	for (i = 0; i < 3; i++) {
		if (route_name_is_good(names[i]))
			continue;
		return err_set(err_r, ERR_USAGE,
			"\"%.80s\" is not a name of a project, region or "
			"service: lower-case letters, digits and hyphens, a "
			"letter first",
			names[i]);
	}
	if (strlen(options->service) >= ROUTE_LABEL_MAX)
		return err_set(err_r, ERR_USAGE,
			"the service's name is longer than %d characters",
			ROUTE_LABEL_MAX - 1);
	return 0;
}

static void make_model(
	struct sandbox *sandbox, const struct sandbox_options *options)
{
	char *uri = xasprintf(
		"http://127.0.0.1:%d", front_door_port(sandbox->front));
	struct model_config config = {.project = options->project,
		.region = options->region,
		.service = options->service,
		.uri = uri,
		.operation_delay_ms = options->operation_delay_ms,
		.seed = options->seed};

	cloud_init(&sandbox->cloud, &config, sandbox_now(sandbox));
	sandbox->changed = sandbox_changed;
	sandbox->token = xstrdup(options->token);
	sandbox->cloud.rules.token = sandbox->token;
	sandbox->cloud.rules.etag_is_strict = options->etag_is_strict;
	free(uri);
}

struct sandbox *sandbox_new(struct loop *loop,
	const struct sandbox_options *options, struct err *err_r)
{
	struct sandbox *sandbox;

	if (sandbox_check(options, err_r) < 0)
		return NULL;
	sandbox = xcalloc(1, sizeof(*sandbox));
	sandbox->loop = loop;
	sandbox->metrics = metrics_api_new(loop);
	sandbox->metrics_names = (enum metrics_names)options->metrics_names;
	sandbox->start_ms = loop_wall_ms(loop) - loop_now(loop);
	sandbox->http = http_new(loop, err_r);
	if (sandbox->http)
		sandbox->front = front_door_new(loop, sandbox->http,
			options->front_port, options->seed, err_r);
	if (!sandbox->front)
		goto fail;
	make_model(sandbox, options);
	front_door_follow(sandbox->front, sandbox->cloud.model);
	if (set_up(sandbox, options, err_r) < 0)
		goto fail;
	sandbox->server =
		server_new(loop, options->port, admin_request, sandbox, err_r);
	if (!sandbox->server)
		goto fail;
	if (options->load)
		sandbox->load = load_new(loop, sandbox->http,
			sandbox->cloud.model->uri, options->load);
	sandbox_changed(sandbox);
	return sandbox;
fail:
	sandbox_free(&sandbox);
	return NULL;
}

void sandbox_free(struct sandbox **sandbox_p)
{
	struct sandbox *sandbox = *sandbox_p;

	if (!sandbox)
		return;
	if (sandbox->cloud.model)
		cloud_reset_calls(&sandbox->cloud, false);
	timer_cancel(&sandbox->timer);
	load_free(&sandbox->load);
	metrics_api_free(&sandbox->metrics);
	server_free(&sandbox->server);
	front_door_free(&sandbox->front);
	http_free(&sandbox->http);
	if (sandbox->cloud.model)
		cloud_fini(&sandbox->cloud);
	free(sandbox->token);
	free(sandbox);
	*sandbox_p = NULL;
}

void sandbox_print_ready(const struct sandbox *sandbox, struct buf *out)
{
	int port = server_port(sandbox->server);

	buf_addf(out,
		"{\"admin\": \"http://127.0.0.1:%d\", \"front\": \"%s\", "
		"\"metrics\": \"http://127.0.0.1:%d/metrics\", \"control\": "
		"\"http://127.0.0.1:%d/sandbox\", \"service\": \"%s\"}\n",
		port, sandbox->cloud.model->uri, port, port,
		sandbox->cloud.model->name);
}

void sandbox_print_scrape(const struct sandbox *sandbox, struct buf *out)
{
	buf_addf(out,
		"global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
		"scrape_configs:\n"
		"  - job_name: sandbox\n"
		"    static_configs: [{targets: ['127.0.0.1:%d']}]\n",
		server_port(sandbox->server));
}

void sandbox_print_env(const struct sandbox_options *options, struct buf *out)
{
	buf_addf(out,
		"export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN="
		"http://127.0.0.1:%d/\n"
		"export CLOUDSDK_AUTH_ACCESS_TOKEN=any\n"
		"export CLOUDSDK_CORE_PROJECT=%s\n"
		"export CLOUDSDK_RUN_REGION=%s\n"
		"export PROMETHEUS_URL=\"${PROMETHEUS_URL:-"
		"http://127.0.0.1:9090}\"\n",
		options->port, options->project, options->region);
}
