/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way, and its answer; see visit.h. */
#include "serve/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/digest.h"
#include "io/server.h"
#include "serve/daemon.h"
#include "serve/meter.h"
#include "serve/route.h"

#define NO_ROUTE    "none" /* where nothing is */
#define TAG_MAX     40
#define PROBLEM_MAX (VISIT_ANSWER_MAX + 64 * 1024)

/* What comes by a proxy that leaves the path as it was asked for is known by
 * its beginning. */
static const char *path_of(
	const struct daemon *daemon, const struct server_request *request)
{
	const char *path = request_path(request);
	const char *url = daemon_config(daemon)->public_url;
	const char *base = url ? strstr(url, "://") : NULL;
	size_t len;

	base = base ? strchr(base + 3, '/') : NULL;
	len = base ? strlen(base) : 0;
	while (len && base[len - 1] == '/')
		len--;
	if (!len || strncmp(path, base, len) != 0 || path[len] != '/')
		return path;
	return path + len;
}

struct visit *visit_new(struct daemon *daemon, struct server_request *request)
{
	struct visit *visit = xcalloc(1, sizeof(*visit));

	arena_init(&visit->arena);
	visit->daemon = daemon;
	visit->request = request;
	visit->path = path_of(daemon, request);
	daemon_visit_begins(daemon);
	return visit;
}

void visit_free(struct visit **visit)
{
	daemon_visit_ends((*visit)->daemon);
	visitor_free(&(*visit)->visitor);
	arena_fini(&(*visit)->arena);
	free(*visit);
	*visit = NULL;
}

/* What programs ask for again and again; whether they have it already. */
static bool is_known(const struct visit *visit, const struct buf *body)
{
	const char *known = request_header(visit->request, "If-None-Match");
	char digest[DIGEST_TEXT_MAX], tag[TAG_MAX];

	if (!visit->route || strcmp(visit->route->method, "GET") != 0 ||
		strncmp(visit->route->pattern, "/api/", 5) != 0)
		return false;
	digest_text(body->data, body->len, digest);
	snprintf(tag, sizeof(tag), "\"%.32s\"", digest);
	request_set_header(visit->request, "ETag", tag);
	return known && !strcmp(known, tag);
}

void visit_answer(struct visit **visit, int status, const char *content_type,
	const struct buf *body)
{
	struct server_request *request = (*visit)->request;
	const struct route *route = (*visit)->route;

	if (status == 200 && is_known(*visit, body))
		status = 304;
	metrics_http_request(meter_page(daemon_meter((*visit)->daemon)),
		route ? route->pattern : NO_ROUTE, status);
	visit_free(visit);
	if (status == 304)
		request_answer(request, 304, NULL, NULL, 0);
	else
		request_answer(
			request, status, content_type, body->data, body->len);
}

void visit_problem_more(struct visit **visit, int status, const char *code,
	const char *detail, const char *more)
{
	struct buf body;
	struct jsonw w = {.out = &body};

	if ((*visit)->problem) {
		(*visit)->problem(visit, status, detail);
		return;
	}
	buf_init(&body, PROBLEM_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "type", "about:blank");
	jsonw_text(&w, "title", http_status_reason(status));
	jsonw_int(&w, "status", status);
	jsonw_text(&w, "code", code);
	jsonw_text(&w, "detail", detail);
	if (more)
		jsonw_members(&w, more);
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	visit_answer(visit, status, "application/problem+json", &body);
	buf_fini(&body);
}

void visit_problem_with(struct visit **visit, int status, const char *code,
	const char *detail, const char *state)
{
	struct buf more;
	struct jsonw w = {.out = &more};

	buf_init(&more, PROBLEM_MAX);
	jsonw_object(&w, NULL);
	if (state) {
		jsonw_object(&w, "state");
		jsonw_members(&w, state);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, '}');
	visit_problem_more(visit, status, code, detail, more.data);
	buf_fini(&more);
}

void visit_problem(struct visit **visit, int status, const char *code,
	const char *fmt, ...)
{
	struct err err;
	va_list args;

	va_start(args, fmt);
	err_setv(&err, ERR_INTERNAL, fmt, args);
	va_end(args);
	visit_problem_with(visit, status, code, err.text, NULL);
}

/* What an error is to a program on the other side. */
static const struct {
	enum err_code code;
	int status;
	const char *name;
} kinds[] = {
	{ERR_USAGE, 400, "bad-request"},
	{ERR_INVALID, 400, "bad-request"},
	{ERR_POLICY, 422, "policy-invalid"},
	{ERR_DENIED, 403, "denied"},
	{ERR_AUTH, 401, "unauthenticated"},
	{ERR_NOT_FOUND, 404, "not-found"},
	{ERR_REFUSED, 409, "refused"},
	{ERR_CONFLICT, 409, "conflict"},
	{ERR_LEASE, 409, "busy"},
	{ERR_LIMIT, 429, "limit"},
	{ERR_BUSY, 503, "unavailable"},
	{ERR_DISK, 503, "unavailable"},
	{ERR_STORE, 503, "unavailable"},
	{ERR_UNAVAILABLE, 503, "unavailable"},
	{ERR_TIMEOUT, 504, "timeout"},
};

void visit_fail(struct visit **visit, const struct err *err)
{
	int status = 500;
	const char *name = "internal";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].code == err->code) {
			status = kinds[i].status;
			name = kinds[i].name;
		}
	visit_problem_with(visit, status, name, err->text, NULL);
}

bool visit_may(struct visit **visit, enum right right, const char *service,
	const char *policy)
{
	const struct access *access = daemon_access((*visit)->daemon);
	struct err why;

	if (access_may(access, (*visit)->visitor, right, service, policy, &why))
		return true;
	log_line(LOG_WARN,
		"event=denied who=\"%s\" peer=\"%s\" right=%s text=\"%s\"",
		(*visit)->visitor->name, (*visit)->visitor->caller.peer,
		right_names[right], why.text);
	visit_fail(visit, &why);
	return false;
}
