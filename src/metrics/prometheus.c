/*
 * Asks a Prometheus; see prometheus.h. Owns the requests under way and who
 * waits for each; what an answer means is answer_codec.h's, whether to ask
 * again the caller's.
 *
 * A flight is one query on its way: ask_start, ask_authorized, ask_send,
 * ask_answered, ask_finish.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "metrics/prometheus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/http.h"
#include "io/loop.h"

#define BUCKETS         256 /* of flights; a power of two */
#define FORM_MAX        (4 * POLICY_BYTES_MAX) /* a query beyond is not sent */
#define TIMEOUT_MS      10000 /* where nobody gave one */
#define QUERY_PATH      "/api/v1/query"
#define RANGE_BYTES_MAX (16 * 1024 * 1024)
#define FORM_TYPE       "application/x-www-form-urlencoded"
#define QUOTA_HEADER    "x-goog-user-project"
#define GOOGLE_ENDPOINT "https://monitoring.googleapis.com"
#define GOOGLE_VARIABLE "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"
#define GOOGLE_PATH     "/v1/projects/%s/location/global/prometheus"

struct prometheus_call {
	TAILQ_ENTRY(prometheus_call) link;
	struct flight *flight;
	int64_t started_us;
	prometheus_fn fn;
	prometheus_range_fn range_fn; /* instead, of a range */
	void *arg;
};

struct flight {
	LIST_ENTRY(flight) link; /* in its bucket, until it is answered */
	TAILQ_HEAD(, prometheus_call) calls;
	struct prometheus *prometheus;
	uint32_t hash;
	char *query;
	struct prometheus_range range; /* step 0: an instant value */
	int64_t time_ms; /* as of when; 0: the server's now */
	int64_t timeout_ms, started_us;
	struct http_call *http_call;
	struct token_call *token_call;
	unsigned serial; /* of the token of ours that was sent; 0: none */
	bool by_get, refreshed; /* each fallback is tried once */
	bool answered; /* being told: nobody can cancel the flight */
};

struct prometheus {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials;
	const struct metrics *metrics;
	char *url; /* of queries; may hold secrets */
	char *range_url;
	char *shown; /* for messages: without secrets */
	struct http_header *headers;
	size_t n_headers;
	bool by_get; /* POST was not allowed once */
	LIST_HEAD(, flight) flights[BUCKETS];
};

static struct flight *ask_start(struct prometheus *prometheus,
	const char *query, const struct prometheus_range *range,
	int64_t timeout_ms);
static void ask_authorize(struct flight *flight);
static void ask_authorized(
	const struct secret *token, const struct err *err, void *arg);
static void ask_send(struct flight *flight, const struct secret *token);
static void ask_answered(const struct http_reply *reply, void *arg);
static void ask_finish(struct flight *flight, const struct sample *sample,
	const struct err *err);

/* Setting up. */

/* https://host/prefix?token=x becomes https://host/prefix/api/v1/query?token=x
 */
static char *query_url(const char *url, const char *suffix)
{
	size_t path_len = strcspn(url, "?"), base_len = path_len;

	while (base_len && url[base_len - 1] == '/')
		base_len--;
	return xasprintf("%.*s" QUERY_PATH "%s%s", (int)base_len, url, suffix,
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
	const char *base = getenv(GOOGLE_VARIABLE);
	size_t len;

	if (!base || !*base)
		base = GOOGLE_ENDPOINT;
	len = strlen(base);
	while (len && base[len - 1] == '/')
		len--;
	return xasprintf("%.*s" GOOGLE_PATH, (int)len, base, metrics->project);
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
	const struct metrics *metrics = prometheus->metrics;
	char *own = metrics->url ? NULL : google_url(metrics);
	const char *url = own ? own : secret_reveal(metrics->url);

	prometheus->url = query_url(url, "");
	prometheus->range_url = query_url(url, "_range");
	prometheus->shown = own ? own : xstrdup(metrics->url_shown);
}

static void take_headers(struct prometheus *prometheus)
{
	const struct metrics *metrics = prometheus->metrics;
	const char *project = NULL;
	size_t i;

	if (metrics->quota_project)
		project = metrics->quota_project;
	else if (metrics->auth.type == AUTH_GOOGLE)
		project = credentials_quota_project(prometheus->credentials);
	prometheus->headers =
		xcalloc(metrics->n_headers + 1, sizeof(struct http_header));
	for (i = 0; i < metrics->n_headers; i++) {
		prometheus->headers[i] =
			(struct http_header){metrics->headers[i].name,
				secret_reveal(metrics->headers[i].value)};
	}
	if (project)
		prometheus->headers[i++] =
			(struct http_header){QUOTA_HEADER, project};
	prometheus->n_headers = i;
}

struct prometheus *prometheus_new(struct loop *loop, struct http *http,
	struct credentials *credentials, const struct metrics *metrics,
	struct err *err_r)
{
	struct prometheus *prometheus;

	if (check_metrics(metrics, credentials, err_r) < 0)
		return NULL;
	prometheus = xcalloc(1, sizeof(*prometheus));
	prometheus->loop = loop;
	prometheus->http = http;
	prometheus->credentials = credentials;
	prometheus->metrics = metrics;
	take_url(prometheus);
	take_headers(prometheus);
	return prometheus;
}

static void flight_free(struct flight *flight)
{
	http_cancel(&flight->http_call);
	token_cancel(&flight->token_call);
	xfree(&flight->query);
	free(flight);
}

void prometheus_free(struct prometheus **prometheus)
{
	struct prometheus *old = *prometheus;
	struct prometheus_call *call;
	struct flight *flight;
	size_t i;

	*prometheus = NULL;
	if (!old)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while ((flight = LIST_FIRST(&old->flights[i]))) {
			LIST_REMOVE(flight, link);
			while ((call = TAILQ_FIRST(&flight->calls))) {
				TAILQ_REMOVE(&flight->calls, call, link);
				free(call);
			}
			flight_free(flight);
		}
	}
	wipe_url(&old->url);
	wipe_url(&old->range_url);
	free(old->shown);
	free(old->headers);
	free(old);
}

/* Calls. */

/* FNV-1a; queries come from the policy: nobody forges collisions. */
static uint32_t hash_query(const char *query)
{
	uint32_t hash = 2166136261U;

	for (; *query; query++)
		hash = (hash ^ (unsigned char)*query) * 16777619U;
	return hash;
}

static struct flight *find_flight(const struct prometheus *prometheus,
	uint32_t hash, const char *query, int64_t timeout_ms)
{
	struct flight *flight;

	LIST_FOREACH(flight, &prometheus->flights[hash % BUCKETS], link) {
		if (flight->hash == hash && !flight->range.step_ms &&
			flight->timeout_ms == timeout_ms &&
			strcmp(flight->query, query) == 0)
			return flight;
	}
	return NULL;
}

static int64_t usable_timeout_ms(
	const struct prometheus *prometheus, int64_t timeout_ms)
{
	if (timeout_ms <= 0)
		timeout_ms = prometheus->metrics->timeout_ms;
	return timeout_ms > 0 ? timeout_ms : TIMEOUT_MS;
}

static struct prometheus_call *call_new(
	struct prometheus *prometheus, struct flight *flight, void *arg)
{
	struct prometheus_call *call = xcalloc(1, sizeof(*call));

	call->started_us = loop_now_us(prometheus->loop);
	call->arg = arg;
	call->flight = flight;
	TAILQ_INSERT_TAIL(&flight->calls, call, link);
	return call;
}

struct prometheus_call *prometheus_query_start(struct prometheus *prometheus,
	const char *query, int64_t timeout_ms, prometheus_fn fn, void *arg)
{
	static const struct prometheus_range now = {0};
	struct prometheus_call *call;
	struct flight *flight;

	timeout_ms = usable_timeout_ms(prometheus, timeout_ms);
	flight = find_flight(prometheus, hash_query(query), query, timeout_ms);
	if (!flight)
		flight = ask_start(prometheus, query, &now, timeout_ms);
	call = call_new(prometheus, flight, arg);
	call->fn = fn;
	return call;
}

struct prometheus_call *prometheus_range_start(struct prometheus *prometheus,
	const char *query, const struct prometheus_range *range,
	prometheus_range_fn fn, void *arg)
{
	struct prometheus_call *call = call_new(prometheus,
		ask_start(prometheus, query, range,
			usable_timeout_ms(prometheus, 0)),
		arg);

	call->range_fn = fn;
	return call;
}

void prometheus_cancel(struct prometheus_call **call)
{
	struct flight *flight;

	if (!*call)
		return;
	flight = (*call)->flight;
	TAILQ_REMOVE(&flight->calls, *call, link);
	free(*call);
	*call = NULL;
	if (TAILQ_EMPTY(&flight->calls) && !flight->answered) {
		LIST_REMOVE(flight, link);
		flight_free(flight);
	}
}

/* A flight, in the order of time. */

static struct flight *ask_start(struct prometheus *prometheus,
	const char *query, const struct prometheus_range *range,
	int64_t timeout_ms)
{
	struct flight *flight = xcalloc(1, sizeof(*flight));

	TAILQ_INIT(&flight->calls);
	flight->prometheus = prometheus;
	flight->hash = hash_query(query);
	flight->query = xstrdup(query);
	flight->range = *range;
	flight->timeout_ms = timeout_ms;
	flight->started_us = loop_now_us(prometheus->loop);
	if (prometheus->metrics->delay_ms)
		flight->time_ms = loop_wall_ms(prometheus->loop) -
				  prometheus->metrics->delay_ms;
	flight->by_get = prometheus->by_get;
	LIST_INSERT_HEAD(
		&prometheus->flights[flight->hash % BUCKETS], flight, link);
	ask_authorize(flight);
	return flight;
}

static void ask_authorize(struct flight *flight)
{
	struct prometheus *prometheus = flight->prometheus;
	const struct auth *auth = &prometheus->metrics->auth;
	const struct secret *token;

	if (auth->type != AUTH_GOOGLE) {
		ask_send(flight,
			auth->type == AUTH_BEARER ? auth->secret : NULL);
		return;
	}
	token = token_cached(prometheus->credentials);
	if (token)
		ask_authorized(token, NULL, flight);
	else
		flight->token_call = token_start(
			prometheus->credentials, ask_authorized, flight);
}

static void ask_authorized(
	const struct secret *token, const struct err *err, void *arg)
{
	struct flight *flight = arg;

	flight->token_call = NULL;
	if (err) {
		ask_finish(flight, NULL, err);
		return;
	}
	flight->serial = token_serial(flight->prometheus->credentials);
	ask_send(flight, token);
}

static void add_seconds(struct buf *form, const char *name, int64_t ms)
{
	buf_addf(form, "&%s=%lld.%03lld", name, (long long)(ms / 1000),
		(long long)(ms % 1000));
}

/* The server gives up when we do: a query nobody waits for costs it dearly. */
static void add_form(
	struct buf *form, const struct flight *flight, int64_t left_ms)
{
	char *query = http_escape(flight->query);

	buf_addf(form, "query=%s&timeout=%lldms", query, (long long)left_ms);
	free(query);
	if (!flight->range.step_ms && flight->time_ms)
		add_seconds(form, "time", flight->time_ms);
	if (!flight->range.step_ms)
		return;
	add_seconds(form, "start", flight->range.start_ms);
	add_seconds(form, "end", flight->range.end_ms);
	add_seconds(form, "step", flight->range.step_ms);
}

static void ask_send(struct flight *flight, const struct secret *token)
{
	struct prometheus *prometheus = flight->prometheus;
	const struct metrics *metrics = prometheus->metrics;
	bool ranges = flight->range.step_ms > 0;
	const char *base = ranges ? prometheus->range_url : prometheus->url;
	struct http_request request = {
		.headers = prometheus->headers,
		.n_headers = prometheus->n_headers,
		.bearer = token,
		.body_max = ranges ? RANGE_BYTES_MAX : ANSWER_BYTES_MAX,
		.repeatable = true,
		.ca_file = metrics->tls.ca_file,
		.cert_file = metrics->tls.cert_file,
		.key_file = metrics->tls.key_file,
	};
	int64_t spent_us = loop_now_us(prometheus->loop) - flight->started_us;
	char *url = NULL;
	struct buf form;

	request.timeout_ms = flight->timeout_ms - spent_us / 1000;
	if (request.timeout_ms < 1)
		request.timeout_ms = 1; /* a token took it all */
	buf_init(&form, FORM_MAX);
	add_form(&form, flight, request.timeout_ms);
	if (metrics->auth.type == AUTH_BASIC) {
		request.username = metrics->auth.username;
		request.password = metrics->auth.secret;
	}
	if (flight->by_get) {
		url = xasprintf("%s%c%s", base, strchr(base, '?') ? '&' : '?',
			form.data);
	} else {
		request.content_type = FORM_TYPE;
		request.body = form.data;
		request.body_len = form.len;
	}
	request.url = url ? url : base;
	flight->http_call =
		http_start(prometheus->http, &request, ask_answered, flight);
	wipe_url(&url);
	buf_fini(&form);
}

/* Whether the answer only says that this way of asking was the wrong one. */
static bool ask_again(struct flight *flight, int status)
{
	struct prometheus *prometheus = flight->prometheus;

	if (status == 405 && !flight->by_get) {
		flight->by_get = true;
		prometheus->by_get = true;
	} else if (status == 401 && flight->serial && !flight->refreshed) {
		flight->refreshed = true;
		token_reject(prometheus->credentials, flight->serial);
	} else {
		return false;
	}
	ask_authorize(flight);
	return true;
}

/* What the body means is its reader's business. */
static void ask_finish_range(
	struct flight *flight, const struct http_reply *reply)
{
	struct prometheus_call *call = TAILQ_FIRST(&flight->calls), done;

	LIST_REMOVE(flight, link);
	flight->answered = true;
	TAILQ_REMOVE(&flight->calls, call, link);
	done = *call;
	free(call);
	done.range_fn(
		reply->status, reply->body, reply->body_len, NULL, done.arg);
	flight_free(flight);
}

static void ask_answered(const struct http_reply *reply, void *arg)
{
	struct flight *flight = arg;
	struct sample sample;
	struct err err;

	flight->http_call = NULL;
	if (reply->err) {
		err = *reply->err;
		if (err.code == ERR_LIMIT)
			err_wrap(&err,
				"the query yields too much; let sum() or the "
				"like make one series of it");
		ask_finish(flight, NULL, &err);
		return;
	}
	if (ask_again(flight, reply->status))
		return;
	if (flight->range.step_ms) {
		ask_finish_range(flight, reply);
		return;
	}
	if (answer_decode(reply->status, reply->body, reply->body_len, &sample,
		    &err) == 0) {
		ask_finish(flight, &sample, NULL);
		return;
	}
	err.retry_after_ms = reply->retry_after_ms;
	ask_finish(flight, NULL, &err);
}

static void ask_finish(struct flight *flight, const struct sample *sample,
	const struct err *cause)
{
	struct prometheus *prometheus = flight->prometheus;
	int64_t now_us = loop_now_us(prometheus->loop);
	struct prometheus_call *call, done;
	struct err err;

	if (cause) {
		err = *cause;
		err_wrap(&err, "metrics %s", prometheus->shown);
	}
	/* Whoever asks the same from inside a callback asks anew. */
	LIST_REMOVE(flight, link);
	flight->answered = true;
	while ((call = TAILQ_FIRST(&flight->calls))) {
		TAILQ_REMOVE(&flight->calls, call, link);
		done = *call;
		free(call);
		if (done.range_fn)
			done.range_fn(0, NULL, 0, &err, done.arg);
		else
			done.fn(sample, now_us - done.started_us,
				cause ? &err : NULL, done.arg);
	}
	flight_free(flight);
}
