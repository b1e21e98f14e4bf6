/* SPDX-License-Identifier: Apache-2.0 */
/* A Sentry and a JSON API; see fake_sentry.h. */
#include "fake_sentry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server.h"

#define BASE       "/api/0/organizations/acme/"
#define TIMES_MAX  64
#define BODY_MAX   65536
#define ISSUES_MAX 100

struct late {
	struct server_request *request;
	const struct fake_sentry *fake;
};

static void answer(struct server_request *request, int status, const char *json)
{
	request_answer(request, status, "application/json", json, strlen(json));
}

static void refuse(struct server_request *request, int status, const char *why)
{
	struct buf body;

	buf_init(&body, BODY_MAX);
	buf_addf(&body, "{\"detail\": \"%s\"}", why);
	answer(request, status, body.data);
	buf_fini(&body);
}

/* ---- parameters ---- */

static bool is_one_of(const char *word, size_t len, const char *const list[])
{
	for (size_t i = 0; list[i]; i++)
		if (strlen(list[i]) == len && !strncmp(list[i], word, len))
			return true;
	return false;
}

/* Names outside `known`, as a real API would pass over them in silence: a
 * test wants to hear of it. */
static bool has_strangers(
	const struct server_request *request, const char *const known[])
{
	const char *p = strchr(request_target(request), '?');

	while (p) {
		p++;
		if (!is_one_of(p, strcspn(p, "=&"), known))
			return true;
		p = strchr(p, '&');
	}
	return false;
}

static bool is_period(const char *text, const char *units)
{
	size_t digits = strspn(text, "0123456789");

	return digits && text[digits] && strchr(units, text[digits]) &&
	       !text[digits + 1];
}

static bool is_value(const char *text, const char *const list[])
{
	return text && is_one_of(text, strlen(text), list);
}

/* Whose data the query is about: "release:R", with a prefix. */
static bool is_about(const struct fake_sentry *fake,
	struct server_request *request, const char *prefix, const char *suffix)
{
	const char *query = request_query(request, "query");
	struct buf want;
	bool same;

	buf_init(&want, BODY_MAX);
	buf_addf(&want, "%s%s%s", prefix,
		fake->release ? fake->release : "(none)", suffix);
	same = query && !strcmp(query, want.data);
	buf_fini(&want);
	return same;
}

static bool check_common(struct server_request *request)
{
	const char *project = request_query(request, "project");
	const char *period = request_query(request, "statsPeriod");

	if (!project || (strcmp(project, "shop") && strcmp(project, "4711"))) {
		refuse(request, 400, "Invalid project parameter.");
		return false;
	}
	if (period && !is_period(period, "smhdw")) {
		refuse(request, 400, "Invalid statsPeriod");
		return false;
	}
	return true;
}

/* ---- endpoints ---- */

static void serve_events(
	struct fake_sentry *fake, struct server_request *request)
{
	static const char *const known[] = {"dataset", "field", "project",
		"environment", "query", "statsPeriod", "start", "end", NULL};
	static const char *const datasets[] = {"errors", "logs",
		"profile_functions", "spans", "tracemetrics", "uptime_results",
		NULL};
	const char *field = request_query(request, "field");
	struct buf body;

	if (!is_value(request_query(request, "dataset"), datasets)) {
		refuse(request, 400, "dataset: This field is required.");
		return;
	}
	if (!field || strcmp(field, "count()") ||
		has_strangers(request, known)) {
		refuse(request, 400, "No columns selected");
		return;
	}
	if (!check_common(request))
		return;
	buf_init(&body, BODY_MAX);
	buf_addf(&body,
		"{\"data\":[{\"count()\":%d}],\"meta\":{\"fields\":"
		"{\"count()\":\"integer\"}}}",
		is_about(fake, request, "release:", "") ? fake->errors : 0);
	answer(request, 200, body.data);
	buf_fini(&body);
}

static void add_groups(const struct fake_sentry *fake,
	struct server_request *request, struct buf *body)
{
	bool users = strstr(request_target(request), "rate%28user%29");

	if (!fake->sessions || !is_about(fake, request, "release:", ""))
		return;
	buf_addf(body,
		"{\"by\":{\"release\":\"%s\"},\"totals\":"
		"{\"crash_free_rate(%s)\":%s,\"%s\":%d},\"series\":{}}",
		fake->release, users ? "user" : "session", fake->crash_free,
		users ? "count_unique(user)" : "sum(session)", fake->sessions);
}

static void serve_sessions(
	struct fake_sentry *fake, struct server_request *request)
{
	static const char *const known[] = {"field", "groupBy", "project",
		"environment", "query", "statsPeriod", "interval",
		"includeSeries", NULL};
	static const char *const fields[] = {"crash_free_rate(session)",
		"crash_free_rate(user)", "sum(session)", "count_unique(user)",
		NULL};
	const char *interval = request_query(request, "interval");
	const char *group = request_query(request, "groupBy");
	struct buf body;

	if (!is_value(request_query(request, "field"), fields) ||
		has_strangers(request, known)) {
		refuse(request, 400, "Invalid field");
		return;
	}
	if (!group || strcmp(group, "release")) {
		refuse(request, 400, "Invalid groupBy");
		return;
	}
	if (!interval || !is_period(interval, "hd")) {
		refuse(request, 400, "The interval has to be at least 1h");
		return;
	}
	if (!check_common(request))
		return;
	buf_init(&body, BODY_MAX);
	buf_adds(&body, "{\"start\":\"2026-08-22T11:00:00Z\",\"groups\":[");
	add_groups(fake, request, &body);
	buf_adds(&body, "]}");
	answer(request, 200, body.data);
	buf_fini(&body);
}

static void serve_issues(
	struct fake_sentry *fake, struct server_request *request)
{
	static const char *const known[] = {
		"project", "environment", "query", "limit", NULL};
	const char *limit = request_query(request, "limit");
	struct buf body;

	if (!limit || atoi(limit) > ISSUES_MAX ||
		has_strangers(request, known)) {
		refuse(request, 400, "Invalid limit");
		return;
	}
	if (!check_common(request))
		return;
	buf_init(&body, BODY_MAX);
	for (int i = 0;
		is_about(fake, request, "firstRelease:", " is:unresolved") &&
		i < fake->issues && i < ISSUES_MAX;
		i++)
		buf_addf(&body, "%s{\"id\":\"%d\",\"count\":\"%d\"}",
			i ? "," : "[", i, i + 1);
	buf_adds(&body, body.len ? "]" : "[]");
	answer(request, 200, body.data);
	buf_fini(&body);
}

static void set_limits(
	const struct fake_sentry *fake, struct server_request *request)
{
	char text[32];

	request_set_header(request, "X-Sentry-Rate-Limit-Limit", "40");
	request_set_header(request, "X-Sentry-Rate-Limit-Remaining",
		fake->remaining ? fake->remaining : "39");
	request_set_header(
		request, "X-Sentry-Rate-Limit-ConcurrentLimit", "25");
	request_set_header(
		request, "X-Sentry-Rate-Limit-ConcurrentRemaining", "24");
	if (!fake->reset_in_s)
		return;
	snprintf(text, sizeof(text), "%lld",
		(long long)(loop_wall_ms(fake->loop) / 1000 +
			    fake->reset_in_s));
	request_set_header(request, "X-Sentry-Rate-Limit-Reset", text);
}

static void serve_sentry(
	struct fake_sentry *fake, struct server_request *request)
{
	const char *auth = request_header(request, "Authorization");
	const char *path = request_path(request);
	size_t len = strlen(path);

	set_limits(fake, request);
	if (path[len - 1] != '/') {
		request_set_header(request, "Location", "/elsewhere/");
		answer(request, 301, "");
	} else if (!auth) {
		refuse(request, 401,
			"Authentication credentials were not provided.");
	} else if (strcmp(auth, "Bearer " FAKE_SENTRY_TOKEN) != 0) {
		refuse(request, 401, "Invalid token");
	} else if (strcmp(request_method(request), "GET") != 0) {
		refuse(request, 405, "Method not allowed.");
	} else if (!strcmp(path, BASE "events/")) {
		serve_events(fake, request);
	} else if (!strcmp(path, BASE "sessions/")) {
		serve_sessions(fake, request);
	} else if (!strcmp(path, BASE "issues/")) {
		serve_issues(fake, request);
	} else {
		refuse(request, 404, "The requested resource does not exist");
	}
}

/* ---- the JSON API ---- */

static void answer_late(void *arg)
{
	struct late *late = arg;

	answer(late->request, late->fake->status ? late->fake->status : 200,
		late->fake->answer);
	free(late);
}

static void serve_json(struct fake_sentry *fake, struct server_request *request)
{
	const char *auth = request_header(request, "Authorization");
	struct late *late;

	if (!auth || strcmp(auth, "Bearer " FAKE_JSON_TOKEN) != 0) {
		answer(request, 401, "{\"error\":{\"message\":\"who?\"}}");
		return;
	}
	if (fake->location)
		request_set_header(request, "Location", fake->location);
	late = xcalloc(1, sizeof(*late));
	*late = (struct late){request, fake};
	timer_start(fake->loop, fake->delay_ms, answer_late, late);
}

/* ---- the server ---- */

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

static void serve(struct server_request *request, void *arg)
{
	struct fake_sentry *fake = arg;
	size_t len;

	if (fake->requests < TIMES_MAX)
		fake->times_ms[fake->requests] = loop_now_us(fake->loop) / 1000;
	fake->requests++;
	copy(fake->last, sizeof(fake->last), request_target(request));
	copy(fake->method, sizeof(fake->method), request_method(request));
	copy(fake->body, sizeof(fake->body), request_body(request, &len));
	copy(fake->header, sizeof(fake->header),
		request_header(request, "X-Tenant"));
	if (fake->n_limited > 0) {
		fake->n_limited--;
		set_limits(fake, request);
		if (fake->retry_after)
			request_set_header(
				request, "Retry-After", fake->retry_after);
		refuse(request, 429,
			"You are attempting to use this endpoint "
			"too frequently.");
	} else if (!strncmp(request_path(request), "/api/0/", 7)) {
		serve_sentry(fake, request);
	} else {
		serve_json(fake, request);
	}
}

void fake_sentry_init(struct fake_sentry *fake, struct loop *loop)
{
	struct err err;

	*fake = (struct fake_sentry){.loop = loop,
		.release = "shop@rev-2",
		.crash_free = "0.9875",
		.sessions = 800,
		.errors = 17,
		.answer = "{}"};
	fake->server = server_new(loop, 0, serve, fake, &err);
	assert_non_null(fake->server);
}

void fake_sentry_fini(struct fake_sentry *fake)
{
	server_free(&fake->server);
}

int fake_sentry_port(const struct fake_sentry *fake)
{
	return server_port(fake->server);
}
