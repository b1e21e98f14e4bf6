/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a Prometheus; see prometheus.h. What an answer means is answer_codec.h's,
 * who waits for it api/flight.h's, whether to ask again the caller's.
 *
 * A question is one query on its way: query_new, query_send, query_answered,
 * query_finish.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "metrics/prometheus.h"

#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/duration.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "metrics/answer_codec.h"
#include "metrics/counter_codec.h"

#define FORM_MAX        (4 * POLICY_BYTES_MAX) /* a query beyond is not sent */
#define TIMEOUT_MS      10000 /* where nobody gave one */
#define API_PATH        "/api/v1/"
#define RANGE_BYTES_MAX (16 * 1024 * 1024)
#define TOO_LONG_MAX    64 /* joint queries that are remembered */
#define FORM_TYPE       "application/x-www-form-urlencoded"
#define CLOCK_MS_MAX \
	60000 /* of theirs and ours, where we say of when to tell */
#define GOOGLE_ENDPOINT "https://monitoring.googleapis.com"
#define GOOGLE_VARIABLE "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"
#define GOOGLE_PATH     "/v1/projects/%s/location/global/prometheus"

/* Of a range; other calls are plain ones. */
struct range_call {
	struct provider_call call;
	prometheus_range_fn fn;
};

struct question {
	struct flight flight;
	struct prometheus *prometheus;
	char *query;
	struct prometheus_range range; /* step 0: an instant value */
	char *ask_url; /* something else: `query` is its form */
	size_t ask_bytes;
	bool counts; /* many series are wanted */
	const char *role[JOINT_QUERY_MAX]; /* of a joint query */
	size_t n_roles; /* 0: it is none */
	bool deltas; /* their growth, up to this very time */
	int64_t time_ms; /* as of when; 0: the server's now */
	int64_t timeout_ms, deadline_ms;
	struct request *request;
	bool by_get; /* the fallback is tried once */
};

struct prometheus {
	struct api api;
	struct metrics metrics;
	char *base; /* as in the policy; may hold secrets, as these do: */
	char *url; /* of queries */
	char *range_url;
	char *shown; /* for messages: without secrets */
	bool by_get; /* POST was not allowed once */
	/* Hashes of joint queries that are too much for one answer; the newest
	 * take the places of the oldest. */
	uint32_t too_long[TOO_LONG_MAX];
	size_t n_too_long;
	struct flights flights;
};

static struct question *query_new(
	struct prometheus *prometheus, const char *query, int64_t timeout_ms);
static void query_send(struct question *question);
static void query_answered(const struct http_reply *reply, void *arg);
static void query_read(
	struct question *question, const struct http_reply *reply);
static void query_finish(struct question *question,
	const struct metric_reading *reading, const struct err *err);

/* Setting up. */

/* https://host/prefix?token=x becomes https://host/prefix/api/v1/query?token=x
 */
static char *api_url(const char *url, const char *path)
{
	size_t path_len = strcspn(url, "?"), base_len = path_len;

	while (base_len && url[base_len - 1] == '/')
		base_len--;
	return xasprintf("%.*s" API_PATH "%s%s", (int)base_len, url, path,
		url + path_len);
}

static void wipe_url(char **url)
{
	if (*url)
		explicit_bzero(*url, strlen(*url));
	xfree(url);
}

/* The PromQL front of Cloud Monitoring. */
static char *google_url(const struct metrics *metrics)
{
	char *base = request_endpoint(getenv(GOOGLE_VARIABLE), GOOGLE_ENDPOINT);
	char *url = xasprintf("%s" GOOGLE_PATH, base, metrics->project);

	free(base);
	return url;
}

static int check_url(const char *url, const char *shown, struct err *err_r)
{
	if (strchr(url, '#') || strlen(url) > HTTP_URL_MAX)
		return err_set(err_r, ERR_POLICY,
			"metrics.url %s has a fragment (#…) or more than %d "
			"bytes",
			shown, HTTP_URL_MAX);
	if (http_url_check(url, false, err_r) < 0) {
		err_r->code = ERR_POLICY;
		return err_wrap(err_r, "metrics.url");
	}
	return 0;
}

static int check_metrics(const struct metrics *metrics,
	const struct credentials *credentials, struct err *err_r)
{
	char *own;
	int rc;

	if (!metrics->url && !metrics->project)
		return err_set(err_r, ERR_POLICY,
			"metrics: whose? write project, or say --project");
	own = metrics->url ? NULL : google_url(metrics);
	rc = own ? check_url(own, own, err_r)
		 : check_url(secret_reveal(metrics->url), metrics->url_shown,
			   err_r);
	free(own);
	if (rc == 0 && metrics->auth.type == AUTH_GOOGLE && !credentials)
		rc = err_set(err_r, ERR_AUTH,
			"metrics.auth is google, but there are no Google "
			"credentials");
	return rc;
}

struct metrics prometheus_metrics(
	const struct policy *policy, const char *project)
{
	struct metrics metrics = policy->metrics;

	if (!metrics.url && !metrics.project)
		metrics.project = project ? project : policy->project;
	return metrics;
}

static void take_url(struct prometheus *prometheus)
{
	const struct metrics *metrics = &prometheus->metrics;
	char *own = metrics->url ? NULL : google_url(metrics);
	const char *url = own ? own : secret_reveal(metrics->url);

	prometheus->base = xstrdup(url);
	prometheus->url = api_url(url, "query");
	prometheus->range_url = api_url(url, "query_range");
	prometheus->shown = own ? own : xstrdup(metrics->url_shown);
}

static const struct flight_type question_type;

struct prometheus *prometheus_new(
	const struct api *api, const struct metrics *metrics, struct err *err_r)
{
	struct prometheus *prometheus;

	if (check_metrics(metrics, api->credentials, err_r) < 0)
		return NULL;
	prometheus = xcalloc(1, sizeof(*prometheus));
	prometheus->api = *api;
	prometheus->metrics = *metrics;
	flights_init(&prometheus->flights, &question_type);
	take_url(prometheus);
	return prometheus;
}

void prometheus_free(struct prometheus **prometheus)
{
	struct prometheus *old = *prometheus;

	*prometheus = NULL;
	if (!old)
		return;
	flights_fini(&old->flights);
	wipe_url(&old->base);
	wipe_url(&old->url);
	wipe_url(&old->range_url);
	free(old->shown);
	free(old);
}

/* Calls. */

static bool question_is_same(const struct flight *a, const struct flight *b)
{
	const struct question *ours = (const struct question *)a;
	const struct question *theirs = (const struct question *)b;

	return !ours->range.step_ms && !ours->ask_url &&
	       ours->counts == theirs->counts &&
	       ours->n_roles == theirs->n_roles &&
	       (!ours->deltas || ours->time_ms == theirs->time_ms) &&
	       ours->timeout_ms == theirs->timeout_ms &&
	       strcmp(ours->query, theirs->query) == 0;
}

static void question_free(struct flight *flight)
{
	struct question *question = (struct question *)flight;

	request_cancel(&question->request);
	xfree(&question->query);
	wipe_url(&question->ask_url);
	free(question);
}

static void caller_free(struct flight_caller *caller)
{
	free(caller);
}

static const struct flight_type question_type = {
	.is_same = question_is_same,
	.free = question_free,
	.free_caller = caller_free,
};

/* Takes the question over. */
static struct provider_call *query_start(struct prometheus *prometheus,
	struct question *question, metric_fn fn, void *arg)
{
	struct provider_call *call = xcalloc(1, sizeof(*call));
	bool is_new;

	question = (struct question *)flight_share(
		&prometheus->flights, &question->flight, &is_new);
	*call = (struct provider_call){.fn = fn,
		.arg = arg,
		.started_us = loop_now_us(prometheus->api.loop)};
	flight_join(&question->flight, &call->caller);
	if (is_new)
		query_send(question);
	return call;
}

struct provider_call *prometheus_query_start(struct prometheus *prometheus,
	const char *query, int64_t timeout_ms, metric_fn fn, void *arg)
{
	return query_start(
		prometheus, query_new(prometheus, query, timeout_ms), fn, arg);
}

static struct question *query_new_counters(struct prometheus *prometheus,
	const char *query, int64_t delta_ms, int64_t timeout_ms)
{
	struct question *question = query_new(prometheus, query, timeout_ms);
	int64_t wall_ms = loop_wall_ms(prometheus->api.loop);

	question->counts = true;
	question->deltas = delta_ms > 0;
	if (question->deltas)
		question->time_ms = (wall_ms - prometheus->metrics.delay_ms) /
				    delta_ms * delta_ms;
	return question;
}

struct provider_call *prometheus_counters_start(struct prometheus *prometheus,
	const char *query, int64_t delta_ms, int64_t timeout_ms, metric_fn fn,
	void *arg)
{
	return query_start(prometheus,
		query_new_counters(prometheus, query, delta_ms, timeout_ms), fn,
		arg);
}

static bool is_too_long(const struct prometheus *prometheus, const char *query)
{
	uint32_t hash = flight_hash(0, query);
	size_t i;

	for (i = 0; i < TOO_LONG_MAX && i < prometheus->n_too_long; i++) {
		if (prometheus->too_long[i] == hash)
			return true;
	}
	return false;
}

static void remember_too_long(const struct question *question)
{
	struct prometheus *prometheus = question->prometheus;

	prometheus->too_long[prometheus->n_too_long++ % TOO_LONG_MAX] =
		question->flight.hash;
}

struct provider_call *prometheus_joint_start(struct prometheus *prometheus,
	const struct joint_part *parts, size_t n, int64_t delta_ms,
	int64_t timeout_ms, metric_fn fn, void *arg)
{
	struct question *question;
	struct buf text;
	size_t i;

	buf_init(&text, FORM_MAX);
	joint_query_print(parts, n, &text);
	if (is_too_long(prometheus, text.data)) {
		buf_fini(&text);
		return NULL;
	}
	question =
		query_new_counters(prometheus, text.data, delta_ms, timeout_ms);
	buf_fini(&text);
	for (i = 0; i < n; i++)
		question->role[i] = parts[i].role;
	question->n_roles = n;
	return query_start(prometheus, question, fn, arg);
}

/* Whose reader takes the whole body. */
static struct provider_call *query_start_alone(
	struct question *question, prometheus_range_fn fn, void *arg)
{
	struct range_call *call = xcalloc(1, sizeof(*call));

	call->call.arg = arg;
	call->fn = fn;
	flight_alone(&question->prometheus->flights, &question->flight);
	flight_join(&question->flight, &call->call.caller);
	query_send(question);
	return &call->call;
}

struct provider_call *prometheus_range_start(struct prometheus *prometheus,
	const char *query, const struct prometheus_range *range,
	prometheus_range_fn fn, void *arg)
{
	struct question *question = query_new(prometheus, query, 0);

	question->range = *range;
	return query_start_alone(question, fn, arg);
}

struct provider_call *prometheus_ask_start(struct prometheus *prometheus,
	const struct prometheus_ask *ask, prometheus_range_fn fn, void *arg)
{
	struct question *question = query_new(prometheus, ask->form, 0);

	question->ask_url = api_url(prometheus->base, ask->path);
	question->ask_bytes = ask->bytes_max;
	question->by_get |= ask->by_get;
	return query_start_alone(question, fn, arg);
}

/* The whole body is its reader's. */
static bool is_raw(const struct question *question)
{
	return question->range.step_ms > 0 || question->ask_url;
}

/* A question, in the order of time. */

static int64_t usable_timeout_ms(
	const struct prometheus *prometheus, int64_t timeout_ms)
{
	if (timeout_ms <= 0)
		timeout_ms = prometheus->metrics.timeout_ms;
	return timeout_ms > 0 ? timeout_ms : TIMEOUT_MS;
}

static struct question *query_new(
	struct prometheus *prometheus, const char *query, int64_t timeout_ms)
{
	struct loop *loop = prometheus->api.loop;
	struct question *question = xcalloc(1, sizeof(*question));

	question->prometheus = prometheus;
	question->query = xstrdup(query);
	question->flight.hash = flight_hash(0, query);
	question->timeout_ms = usable_timeout_ms(prometheus, timeout_ms);
	question->deadline_ms = loop_now(loop) + question->timeout_ms;
	if (prometheus->metrics.delay_ms)
		question->time_ms =
			loop_wall_ms(loop) - prometheus->metrics.delay_ms;
	question->by_get = prometheus->by_get;
	return question;
}

static void add_seconds(struct buf *form, const char *name, int64_t ms)
{
	buf_addf(form, "&%s=%lld.%03lld", name, (long long)(ms / 1000),
		(long long)(ms % 1000));
}

/* The server gives up when we do: a query nobody waits for costs it dearly. */
static void add_form(struct buf *form, const struct question *question)
{
	int64_t left_ms = question->deadline_ms -
			  loop_now(question->prometheus->api.loop);
	char *query;

	if (question->ask_url) {
		buf_adds(form, question->query);
		return;
	}
	query = http_escape(question->query);
	buf_addf(form, "query=%s&timeout=%lldms", query,
		(long long)(left_ms > 0 ? left_ms : 1));
	free(query);
	if (!question->range.step_ms && question->time_ms)
		add_seconds(form, "time", question->time_ms);
	if (!question->range.step_ms)
		return;
	add_seconds(form, "start", question->range.start_ms);
	add_seconds(form, "end", question->range.end_ms);
	add_seconds(form, "step", question->range.step_ms);
}

static size_t body_max(const struct question *question)
{
	if (question->ask_url)
		return question->ask_bytes;
	if (question->range.step_ms)
		return RANGE_BYTES_MAX;
	return question->counts ? COUNTER_BYTES_MAX : ANSWER_BYTES_MAX;
}

static void query_send(struct question *question)
{
	struct prometheus *prometheus = question->prometheus;
	const struct metrics *metrics = &prometheus->metrics;
	const char *base = question->ask_url         ? question->ask_url
			   : question->range.step_ms ? prometheus->range_url
						     : prometheus->url;
	struct request_spec spec = {
		.url = base,
		.content_type = FORM_TYPE,
		.headers = metrics->headers,
		.n_headers = metrics->n_headers,
		.auth = &metrics->auth,
		.tls = &metrics->tls,
		.quota_project = metrics->quota_project,
		.body_max = body_max(question),
		.deadline_ms = question->deadline_ms,
		.repeatable = true,
	};
	char *url = NULL;
	struct buf form;

	buf_init(&form, FORM_MAX);
	add_form(&form, question);
	if (question->by_get) {
		url = xasprintf("%s%c%s", base, strchr(base, '?') ? '&' : '?',
			form.data);
		spec.url = url;
	} else {
		spec.body = form.data;
		spec.body_len = form.len;
	}
	question->request = request_start(
		&prometheus->api, &spec, query_answered, question);
	wipe_url(&url);
	buf_fini(&form);
}

/* Whether the answer only says that this way of asking was the wrong one. */
static bool query_by_get(struct question *question, int status)
{
	if (status != 405 || question->by_get)
		return false;
	question->by_get = true;
	question->prometheus->by_get = true;
	query_send(question);
	return true;
}

/* What the body means is its reader's business. */
static void query_finish_raw(
	struct question *question, const struct http_reply *reply)
{
	struct range_call *call =
		(struct range_call *)flight_land(&question->flight);

	call->fn(reply->status, reply->body, reply->body_len, NULL,
		call->call.arg);
	free(call);
	flight_land(&question->flight);
}

/* It was asked as of a moment of our clock, which is another one by theirs: what
 * it tells may be from before the split. */
static int check_clock(const struct question *question,
	const struct http_reply *reply, struct err *err_r)
{
	struct http_clock clock = {0};
	char length[DURATION_TEXT_MAX];
	int64_t off_ms;

	if (!question->time_ms)
		return 0;
	http_clock_take(&clock, reply);
	off_ms = clock.ahead_ms < 0 ? -clock.ahead_ms : clock.ahead_ms;
	if (off_ms < CLOCK_MS_MAX)
		return 0;
	return err_set(err_r, ERR_UNAVAILABLE,
		"the clock of this machine is %s %s that of the answer's "
		"sender, so that a query is asked about another moment than is "
		"meant: set it right (NTP)",
		duration_print(off_ms, length),
		clock.ahead_ms < 0 ? "behind" : "ahead of");
}

static void query_answered(const struct http_reply *reply, void *arg)
{
	struct question *question = arg;
	struct err err;

	question->request = NULL;
	if (reply->err) {
		err = *reply->err;
		if (err.code == ERR_LIMIT)
			err_wrap(&err, "the query yields too much; %s",
				question->counts || question->ask_url
					? "narrow it"
					: "let sum() or the like make "
					  "one series of it");
		query_finish(question, NULL, &err);
		return;
	}
	if (query_by_get(question, reply->status))
		return;
	if (is_raw(question)) {
		query_finish_raw(question, reply);
		return;
	}
	if (reply->status / 100 == 2 && check_clock(question, reply, &err) < 0)
		query_finish(question, NULL, &err);
	else
		query_read(question, reply);
}

static void query_read(
	struct question *question, const struct http_reply *reply)
{
	const struct counter_reply counters = {reply->status, reply->body,
		reply->body_len, question->deltas, question->role,
		question->n_roles};
	struct metric_reading readings[JOINT_QUERY_MAX];
	struct arena arena;
	struct err err;
	int rc;

	arena_init(&arena);
	rc = question->counts
		     ? counter_decode(&counters, &arena, readings, &err)
		     : answer_decode(reply->status, reply->body,
			       reply->body_len, readings, &err);
	if (rc < 0)
		err.retry_after_ms = reply->retry_after_ms;
	query_finish(question, readings, rc < 0 ? &err : NULL);
	if (rc == 0)
		xfree(&readings[0].warnings);
	arena_fini(&arena);
}

static void query_finish(struct question *question,
	const struct metric_reading *reading, const struct err *cause)
{
	int64_t now_us = loop_now_us(question->prometheus->api.loop);
	bool raw = is_raw(question);
	struct flight_caller *caller;
	struct err err;

	if (cause) {
		err = *cause;
		err_wrap(&err, "metrics %s", question->prometheus->shown);
	}
	if (cause && cause->code == ERR_LIMIT && question->n_roles)
		remember_too_long(question);
	while ((caller = flight_land(&question->flight))) {
		struct provider_call *call = (struct provider_call *)caller;

		if (raw)
			((struct range_call *)call)
				->fn(0, NULL, 0, &err, call->arg);
		else
			call->fn(reading, now_us - call->started_us,
				cause ? &err : NULL, call->arg);
		free(call);
	}
}
