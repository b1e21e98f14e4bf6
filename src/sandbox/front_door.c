/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front door; see front_door.h.
 *
 *   ANY /.tag/TAG[/…]   the revision that has the tag; the prefix is cut off
 *   ANY /…              a revision drawn by the split that serves; a host
 *                       TAG---SERVICE.… means the tag, too
 *
 * Every answer has X-Revision. Without a proxy the body is a line, or
 * {"status": "healthy", …} where the path ends in health, healthz, readyz or
 * livez. With one, method, path, body and the usual headers are passed on.
 *
 * A request: call_start, [call_latency_over], [call_proxied], call_end.
 */
#include "sandbox/front_door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"
#include "sandbox/sandbox_metrics.h"

#define TAG_PREFIX       "/.tag/"
#define PROXY_TIMEOUT_MS 60000

/* A revision as the door sees it. Freed when it is forgotten and idle. */
struct backend {
	char name[ROUTE_NAME_MAX + 1];
	struct revision_profile profile;
	struct revision_stats stats;
	struct recent *recent; /* NULL: it has answered nothing yet */
	bool forgotten;
};

struct front_call {
	struct front_door *door;
	struct server_request *request;
	struct backend *backend;
	const char *target; /* raw, without the prefix of a tag; borrowed */
	int64_t start_us;
	int code;
	struct timer *timer;
	struct http_call *upstream;
	struct front_call *next, **link; /* in the door's list */
};

struct front_door {
	struct loop *loop;
	struct http *http;
	struct server *server;
	const struct model *model;
	struct rng rng;
	struct backend *backend[MODEL_REVISIONS_MAX];
	size_t n_backends;
	struct backend *part[100]; /* who serves each percent */
	size_t n_parts; /* 0 or 100 */
	struct front_call *calls;
	size_t n_calls;
};

static void call_start(struct server_request *request, void *arg);
static void call_latency_over(void *arg);
static void call_proxied(const struct http_reply *reply, void *arg);
static void call_end(struct front_call *call, const char *type,
	const void *body, size_t len);

struct front_door *front_door_new(struct loop *loop, struct http *http,
	int port, uint64_t seed, struct err *err_r)
{
	struct front_door *door = xcalloc(1, sizeof(*door));

	door->loop = loop;
	door->http = http;
	rng_init(&door->rng, seed ^ 0xf407d001);
	door->server = server_new(loop, port, call_start, door, err_r);
	if (!door->server) {
		free(door);
		return NULL;
	}
	return door;
}

static void backend_free(struct backend *backend)
{
	free(backend->recent);
	free(backend);
}

static void call_free(struct front_call *call)
{
	struct backend *backend = call->backend;

	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	call->door->n_calls--;
	if (--backend->stats.in_flight == 0 && backend->forgotten)
		backend_free(backend);
	free(call);
}

void front_door_free(struct front_door **door_p)
{
	struct front_door *door = *door_p;
	size_t i;

	if (!door)
		return;
	while (door->calls) {
		struct front_call *call = door->calls;

		timer_cancel(&call->timer);
		http_cancel(&call->upstream);
		request_reset(call->request);
		call_free(call);
	}
	server_free(&door->server);
	for (i = 0; i < door->n_backends; i++)
		backend_free(door->backend[i]);
	free(door);
	*door_p = NULL;
}

int front_door_port(const struct front_door *door)
{
	return server_port(door->server);
}

static struct backend *backend_find(
	const struct front_door *door, const char *name)
{
	size_t i;

	for (i = 0; i < door->n_backends; i++) {
		if (strcmp(door->backend[i]->name, name) == 0)
			return door->backend[i];
	}
	return NULL;
}

static void backend_drop(struct front_door *door, size_t i)
{
	struct backend *backend = door->backend[i];

	door->n_backends--;
	memmove(&door->backend[i], &door->backend[i + 1],
		(door->n_backends - i) * sizeof(backend));
	backend->forgotten = true;
	if (!backend->stats.in_flight)
		backend_free(backend);
}

/* Revisions that Cloud Run collected are forgotten when there are too many. */
static void backends_collect(struct front_door *door)
{
	size_t i;

	for (i = door->n_backends; i-- > 0;) {
		if (!model_find_revision(door->model, door->backend[i]->name))
			backend_drop(door, i);
	}
}

static struct backend *backend_get(struct front_door *door, const char *name)
{
	struct backend *backend = backend_find(door, name);

	if (backend)
		return backend;
	if (door->n_backends == MODEL_REVISIONS_MAX)
		backends_collect(door);
	backend = xcalloc(1, sizeof(*backend));
	snprintf(backend->name, sizeof(backend->name), "%s", name);
	door->backend[door->n_backends++] = backend;
	return backend;
}

struct revision_profile *front_door_profile(
	struct front_door *door, const char *revision)
{
	return &backend_get(door, revision)->profile;
}

void front_door_forget(struct front_door *door, const char *revision)
{
	struct backend *backend = backend_find(door, revision);
	size_t i;

	if (!backend)
		return;
	for (i = 0; door->backend[i] != backend; i++)
		;
	backend_drop(door, i);
	front_door_follow(door, door->model);
}

void front_door_follow(struct front_door *door, const struct model *model)
{
	const struct model_revision *part[100];
	size_t i;

	door->model = model;
	door->n_parts = model_split(model, part);
	for (i = 0; i < door->n_parts; i++)
		door->part[i] = i && part[i] == part[i - 1]
					? door->part[i - 1]
					: backend_get(door, part[i]->name);
}

uint64_t front_door_requests(
	const struct front_door *door, const char *revision)
{
	const struct backend *backend = backend_find(door, revision);

	return backend ? backend->stats.count : 0;
}

void front_door_recent(const struct front_door *door, const char *revision,
	int64_t window_ms, struct recent_view *view_r)
{
	const struct backend *backend = backend_find(door, revision);

	recent_look(backend ? backend->recent : NULL,
		loop_now(door->loop) - window_ms, view_r);
}

void front_door_metrics(const struct front_door *door, enum metrics_names names,
	struct buf *out)
{
	struct metrics_row rows[MODEL_REVISIONS_MAX];
	struct metrics_owner owner = {door->model->project, door->model->region,
		door->model->service};
	size_t i, k;

	for (i = 0; i < door->n_backends; i++) {
		rows[i] = (struct metrics_row){
			door->backend[i]->name, &door->backend[i]->stats, 0};
		for (k = 0; k < door->n_parts; k++)
			rows[i].percent += door->part[k] == door->backend[i];
	}
	if (names == METRICS_NAMES_BOTH || names == METRICS_NAMES_PROMETHEUS)
		sandbox_metrics_print(
			owner.service, rows, door->n_backends, out);
	if (names == METRICS_NAMES_OPENTELEMETRY)
		otel_metrics_print(owner.service, rows, door->n_backends, out);
	if (names == METRICS_NAMES_BOTH || names == METRICS_NAMES_CLOUD_RUN)
		cloud_metrics_print(&owner, rows, door->n_backends, out);
}

/* The tag that a request names in its path or host; "" when it names none.
 * `target_r` is what is left of the target. */
static void tag_read(struct server_request *request,
	char tag[ROUTE_LABEL_MAX + 1], const char **target_r)
{
	const char *target = request_target(request);
	const char *host = request_header(request, "Host"), *dashes;
	size_t len;

	*target_r = target;
	tag[0] = '\0';
	dashes = host ? strstr(host, "---") : NULL;
	if (strncmp(target, TAG_PREFIX, strlen(TAG_PREFIX)) == 0) {
		target += strlen(TAG_PREFIX);
		len = strcspn(target, "/?");
		*target_r = target[len] ? target + len : "/";
	} else if (dashes) {
		target = host;
		len = (size_t)(dashes - host);
	} else {
		return;
	}
	if (len > ROUTE_LABEL_MAX || !len)
		len = 0, target = "?"; /* no such tag */
	memcpy(tag, target, len ? len : 1);
	tag[len ? len : 1] = '\0';
}

static struct backend *choose(struct front_door *door,
	struct server_request *request, const char **target_r)
{
	const struct model_revision *tagged;
	char tag[ROUTE_LABEL_MAX + 1];

	tag_read(request, tag, target_r);
	if (tag[0]) {
		tagged = model_find_tag(door->model, tag);
		return tagged ? backend_get(door, tagged->name) : NULL;
	}
	if (!door->n_parts)
		return NULL;
	return door->part[rng_below(&door->rng, door->n_parts)];
}

static void refuse(struct server_request *request, int status, const char *text)
{
	request_answer(request, status, "text/plain; charset=utf-8", text,
		strlen(text));
}

static bool ends_in(const char *target, const char *word)
{
	size_t len = strcspn(target, "?"), n = strlen(word);

	return len >= n && memcmp(target + len - n, word, n) == 0;
}

static bool is_health(const char *target)
{
	return ends_in(target, "/health") || ends_in(target, "/healthz") ||
	       ends_in(target, "/readyz") || ends_in(target, "/livez");
}

/* The revision answers by itself. */
static void call_answer(struct front_call *call)
{
	char text[256];
	const char *name = call->backend->name;
	bool good = call->code < 400, json = good && is_health(call->target);

	if (json)
		snprintf(text, sizeof(text),
			"{\"status\":\"healthy\",\"revision\":\"%s\"}\n", name);
	else
		snprintf(text, sizeof(text),
			good ? "hello from %s\n" : "%s fails on purpose\n",
			name);
	call_end(call, json ? "application/json" : "text/plain; charset=utf-8",
		text, strlen(text));
}

/* The headers that a proxied request keeps. */
static size_t headers_copy(
	struct server_request *request, struct http_header *header, size_t size)
{
	static const char *const names[] = {"Accept", "Accept-Language",
		"Authorization", "Cookie", "If-None-Match", "Range",
		"User-Agent", "X-Request-Id", "Traceparent"};
	size_t i, n = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && n < size; i++) {
		header[n].name = names[i];
		header[n].value = request_header(request, names[i]);
		n += header[n].value != NULL;
	}
	return n;
}

static void call_proxy(struct front_call *call)
{
	struct http_header header[16];
	struct http_request request = {
		.method = request_method(call->request),
		.headers = header,
		.content_type = request_header(call->request, "Content-Type"),
		.timeout_ms = PROXY_TIMEOUT_MS,
		.no_proxy = true,
	};
	char *url =
		xasprintf("%s%s", call->backend->profile.proxy, call->target);

	request.url = url;
	request.n_headers = headers_copy(call->request, header, 16);
	request.body = request_body(call->request, &request.body_len);
	if (!request.body_len)
		request.body = NULL;
	call->upstream =
		http_start(call->door->http, &request, call_proxied, call);
	free(url);
}

static void call_proxied(const struct http_reply *reply, void *arg)
{
	static const char *const names[] = {"Cache-Control", "ETag",
		"Last-Modified", "Location", "Set-Cookie"};
	struct front_call *call = arg;
	const char *value;
	size_t i;

	call->upstream = NULL;
	if (!reply->status) {
		call->code = 502;
		call_end(call, "text/plain; charset=utf-8", reply->err->text,
			strlen(reply->err->text));
		return;
	}
	call->code = reply->status;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = http_reply_header(reply, names[i]);
		if (value)
			request_set_header(call->request, names[i], value);
	}
	call_end(call, reply->content_type, reply->body, reply->body_len);
}

static void call_latency_over(void *arg)
{
	struct front_call *call = arg;

	call->timer = NULL;
	if (call->backend->profile.proxy[0] && call->code < 400)
		call_proxy(call);
	else
		call_answer(call);
}

static void call_start(struct server_request *request, void *arg)
{
	struct front_door *door = arg;
	struct front_call *call;
	struct backend *backend;
	const char *target;
	int64_t latency_ms;

	backend = choose(door, request, &target);
	if (!backend) {
		refuse(request, 404, "no revision serves this\n");
		return;
	}
	if (door->n_calls == FRONT_CALLS_MAX) {
		refuse(request, 503, "too many requests are under way\n");
		return;
	}
	call = xcalloc(1, sizeof(*call));
	*call = (struct front_call){.door = door,
		.request = request,
		.backend = backend,
		.target = target,
		.start_us = loop_now_us(door->loop),
		.next = door->calls,
		.link = &door->calls};
	if (door->calls)
		door->calls->link = &call->next;
	door->calls = call;
	door->n_calls++;
	backend->stats.in_flight++;
	call->code = revision_profile_code(&backend->profile, &door->rng);
	latency_ms = revision_profile_latency_ms(&backend->profile, &door->rng);
	if (latency_ms)
		call->timer = timer_start(
			door->loop, latency_ms, call_latency_over, call);
	else
		call_latency_over(call);
}

static void call_end(
	struct front_call *call, const char *type, const void *body, size_t len)
{
	struct front_door *door = call->door;
	struct backend *backend = call->backend;
	int64_t latency_us = loop_now_us(door->loop) - call->start_us;

	revision_stats_count(&backend->stats, call->code, latency_us);
	if (!backend->recent)
		backend->recent = xcalloc(1, sizeof(*backend->recent));
	recent_count(
		backend->recent, loop_now(door->loop), call->code, latency_us);
	request_set_header(call->request, "X-Revision", backend->name);
	request_answer(call->request, call->code, type, body, len);
	call_free(call);
}
