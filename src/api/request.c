/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of every client and action; see request.h. Owns who is asked as
 * whom, and how often. Judges no answer but "who are you?" and "later".
 *
 *   request_authorise -> request_transmit -> request_answered -> request_tell
 *          ^                                   |
 *          +---- 401, once; "later", a pause --+
 *
 * A long answer is decoded on a thread between the last two.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "api/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/http_status.h"
#include "base/xalloc.h"
#include "engine/backoff.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "io/worker.h"
#include "policy/url.h"

#define OUR_HEADERS  2 /* Accept and the quota's project */
#define QUOTA_HEADER "x-goog-user-project"

/* Between tries. */
static const struct backoff backoff = {.base_ms = 1000, .cap_ms = 30000};

const struct auth request_google = {.type = AUTH_GOOGLE};

struct request {
	struct api api;
	struct request_spec spec;
	char *url, *body;
	char *audience; /* of an ID token; NULL: an access token, or none */
	http_fn fn;
	void *arg;
	int tries;
	bool sent; /* a try has left us */
	bool maybe_sent; /* a try before was lost and may have arrived */
	bool renewed; /* a 401 is believed the second time */
	unsigned serial; /* of the token that was sent; 0: none of ours */
	struct token_call *token_call;
	struct http_call *http_call;
	struct decoding *decoding;
	struct timer *timer; /* the pause, the deadline of a token, a failure */
	struct err *err; /* of a failure to be told later; NULL: none */
};

/* An answer on a thread; outlives a request that is cancelled. */
struct decoding {
	struct request *request; /* NULL: cancelled */
	const struct decoder *decoder;
	struct http_reply reply; /* `body` is its own */
	char *body;
};

static void request_authorise(struct request *request);
static void request_got_token(
	const struct secret *token, const struct err *err, void *arg);
static void request_no_token(void *arg);
static void request_transmit(
	struct request *request, const struct secret *token);
static void request_answered(const struct http_reply *reply, void *arg);
static bool request_again(
	struct request *request, const struct http_reply *reply);
static void request_pause_over(void *arg);
static void request_fail_later(struct request *request, const struct err *err);
static void request_decode(
	struct request *request, const struct http_reply *reply);
static void request_tell(
	struct request *request, const struct http_reply *reply);

bool request_wants_token(const struct auth *auth)
{
	return auth &&
	       (auth->type == AUTH_GOOGLE || auth->type == AUTH_ID_TOKEN);
}

static int take_audience(struct request *request, struct err *err_r)
{
	const struct auth *auth = request->spec.auth;

	if (!request_wants_token(auth))
		return 0;
	if (!request->api.credentials)
		return err_set(err_r, ERR_AUTH,
			"it needs Google credentials and there are none");
	if (auth->type == AUTH_GOOGLE)
		return 0;
	request->audience = auth->audience ? xstrdup(auth->audience)
					   : url_audience(request->url, err_r);
	return request->audience ? 0 : -1;
}

struct request *request_start(const struct api *api,
	const struct request_spec *spec, http_fn fn, void *arg)
{
	struct request *request = xcalloc(1, sizeof(*request));
	struct err err;

	request->api = *api;
	request->spec = *spec;
	request->url = xstrdup(spec->url);
	if (spec->body)
		request->body = xmemdup0(spec->body, spec->body_len);
	request->fn = fn;
	request->arg = arg;
	if (take_audience(request, &err) < 0)
		request_fail_later(request, &err);
	else
		request_authorise(request);
	return request;
}

void request_cancel(struct request **request_p)
{
	struct request *request = *request_p;

	*request_p = NULL;
	if (!request)
		return;
	token_cancel(&request->token_call);
	http_cancel(&request->http_call);
	if (request->decoding)
		request->decoding->request = NULL;
	timer_cancel(&request->timer);
	explicit_bzero(request->url, strlen(request->url));
	if (request->body)
		explicit_bzero(request->body, request->spec.body_len);
	free(request->url);
	free(request->body);
	free(request->audience);
	free(request->err);
	free(request);
}

bool request_was_sent(const struct request *request)
{
	return request->sent;
}

/* ---- the token ---- */

static int64_t time_left(const struct request *request)
{
	int64_t deadline_ms = request->spec.deadline_ms, left_ms;

	if (!deadline_ms)
		return INT64_MAX;
	left_ms = deadline_ms - loop_now(request->api.loop);
	return left_ms > 0 ? left_ms : 0;
}

static void request_authorise(struct request *request)
{
	struct credentials *credentials = request->api.credentials;
	const struct auth *auth = request->spec.auth;
	const struct secret *token;

	if (!request_wants_token(auth)) {
		request_transmit(request, auth && auth->type == AUTH_BEARER
						  ? auth->secret
						  : NULL);
		return;
	}
	token = request->audience ? NULL : token_cached(credentials);
	if (token) {
		request_got_token(token, NULL, request);
		return;
	}
	request->token_call =
		request->audience
			? id_token_start(credentials, request->audience,
				  request_got_token, request)
			: token_start(credentials, request_got_token, request);
	if (request->spec.deadline_ms)
		request->timer = timer_start(request->api.loop,
			time_left(request), request_no_token, request);
}

static void request_got_token(
	const struct secret *token, const struct err *err, void *arg)
{
	struct request *request = arg;
	struct credentials *credentials = request->api.credentials;
	struct http_reply none = {.body = "", .content_type = "", .err = err};

	request->token_call = NULL;
	timer_cancel(&request->timer);
	if (!token) {
		request_tell(request, &none);
		return;
	}
	request->serial = request->audience ? id_token_serial(credentials,
						      request->audience)
					    : token_serial(credentials);
	request_transmit(request, token);
}

static void request_no_token(void *arg)
{
	struct request *request = arg;
	struct err err;
	struct http_reply none = {.body = "", .content_type = "", .err = &err};

	request->timer = NULL;
	err_set(&err, ERR_TIMEOUT, "the token for it did not come in time");
	request_tell(request, &none);
}

/* ---- the request ---- */

static bool has_header(const struct request_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_headers; i++)
		if (!strcasecmp(spec->headers[i].name, name))
			return true;
	return false;
}

static const char *quota_project(const struct request *request)
{
	const struct request_spec *spec = &request->spec;

	if (spec->quota_project)
		return spec->quota_project;
	return spec->auth && spec->auth->type == AUTH_GOOGLE
		       ? credentials_quota_project(request->api.credentials)
		       : NULL;
}

/* At most the policy's and OUR_HEADERS. */
static size_t fill_headers(
	const struct request *request, struct http_header *headers)
{
	const struct request_spec *spec = &request->spec;
	const char *project = quota_project(request);
	size_t n;

	for (n = 0; n < spec->n_headers; n++)
		headers[n] = (struct http_header){spec->headers[n].name,
			secret_reveal(spec->headers[n].value)};
	if (spec->accept && !has_header(spec, "accept"))
		headers[n++] = (struct http_header){"Accept", spec->accept};
	if (project)
		headers[n++] = (struct http_header){QUOTA_HEADER, project};
	return n;
}

static const char *content_type(const struct request_spec *spec)
{
	if (!spec->body || has_header(spec, "content-type"))
		return NULL;
	return spec->content_type ? spec->content_type : "application/json";
}

static int64_t try_timeout(const struct request *request)
{
	int64_t timeout_ms = request->spec.timeout_ms;
	int64_t left_ms = time_left(request);

	if (left_ms == 0)
		left_ms = 1; /* a token took it all */
	if (left_ms == INT64_MAX || (timeout_ms && timeout_ms < left_ms))
		return timeout_ms;
	return left_ms;
}

static void request_transmit(
	struct request *request, const struct secret *token)
{
	static const struct auth no_auth;
	static const struct tls no_tls;
	const struct request_spec *spec = &request->spec;
	const struct auth *auth = spec->auth ? spec->auth : &no_auth;
	const struct tls *tls = spec->tls ? spec->tls : &no_tls;
	bool basic = auth->type == AUTH_BASIC;
	struct http_header *headers =
		xcalloc(spec->n_headers + OUR_HEADERS, sizeof(*headers));
	struct http_request sent = {
		.method = spec->method,
		.url = request->url,
		.headers = headers,
		.n_headers = fill_headers(request, headers),
		.bearer = token,
		.username = basic ? auth->username : NULL,
		.password = basic ? auth->secret : NULL,
		.content_type = content_type(spec),
		.body = request->body,
		.body_len = spec->body_len,
		.body_max = spec->body_max,
		.timeout_ms = try_timeout(request),
		.ca_file = tls->ca_file,
		.cert_file = tls->cert_file,
		.key_file = tls->key_file,
		.urgent = spec->urgent,
		.repeatable = spec->repeatable,
	};

	request->tries++;
	request->sent = true;
	request->http_call =
		http_start(request->api.http, &sent, request_answered, request);
	free(headers);
}

static void request_answered(const struct http_reply *reply, void *arg)
{
	struct request *request = arg;

	request->http_call = NULL;
	if (request_again(request, reply))
		return;
	if (request->spec.decoder && request->api.worker &&
		http_status_is_success(reply->status) &&
		reply->body_len > REQUEST_LONG_BYTES)
		request_decode(request, reply);
	else
		request_tell(request, reply);
}

/* ---- a long answer ---- */

static void decoding_run(void *arg)
{
	struct decoding *decoding = arg;

	decoding->reply.decoded = decoding->decoder->decode(&decoding->reply);
}

static void decoding_done(void *arg)
{
	struct decoding *decoding = arg;
	struct request *request = decoding->request;

	if (request) {
		request->decoding = NULL;
		request_tell(request, &decoding->reply);
	} else {
		decoding->decoder->discard(decoding->reply.decoded);
	}
	free(decoding->body);
	free(decoding);
}

static void request_decode(
	struct request *request, const struct http_reply *reply)
{
	struct decoding *decoding = xcalloc(1, sizeof(*decoding));

	decoding->request = request;
	decoding->decoder = request->spec.decoder;
	decoding->body = xmemdup0(reply->body, reply->body_len);
	decoding->reply = *reply;
	decoding->reply.body = decoding->body;
	decoding->reply.content_type = "";
	decoding->reply.call = NULL;
	request->decoding = decoding;
	worker_start(
		request->api.worker, decoding_run, decoding_done, decoding);
}

void *request_decoded(
	const struct http_reply *reply, const struct decoder *decoder)
{
	return reply->decoded ? reply->decoded : decoder->decode(reply);
}

/* ---- again ---- */

/* A token may end, or be withdrawn, before its time. */
static bool renew_token(struct request *request, int status)
{
	struct credentials *credentials = request->api.credentials;
	struct err err;
	struct http_reply none = {.body = "", .content_type = "", .err = &err};

	if (status != 401 || !request->serial || request->renewed)
		return false;
	request->renewed = true;
	request->tries--; /* it was not understood as ours */
	if (request->audience) {
		id_token_reject(
			credentials, request->audience, request->serial);
	} else if (token_reject(credentials, request->serial, &err) < 0) {
		request_tell(request, &none);
		return true;
	}
	request_authorise(request);
	return true;
}

static bool says_later(
	const struct request *request, const struct http_reply *reply)
{
	if (reply->status == 429)
		return true;
	if (!request->spec.repeatable)
		return false;
	if (!reply->status)
		return err_is_retryable(reply->err->code);
	return reply->status >= 400 &&
	       err_is_retryable(http_status_code(reply->status));
}

static bool request_again(
	struct request *request, const struct http_reply *reply)
{
	int64_t pause_ms;

	if (renew_token(request, reply->status))
		return true;
	if (request->tries >= request->spec.tries_max ||
		!says_later(request, reply))
		return false;
	pause_ms = backoff_delay(&backoff, request->tries - 1,
		reply->retry_after_ms, loop_rng(request->api.loop));
	if (pause_ms >= time_left(request))
		return false;
	request->maybe_sent |= reply->maybe_sent;
	request->timer = timer_start(
		request->api.loop, pause_ms, request_pause_over, request);
	return true;
}

static void request_pause_over(void *arg)
{
	struct request *request = arg;

	request->timer = NULL;
	request_authorise(request);
}

/* ---- the end ---- */

static void request_fail_now(void *arg)
{
	struct request *request = arg;
	struct http_reply none = {
		.body = "", .content_type = "", .err = request->err};

	request->timer = NULL;
	request_tell(request, &none);
}

static void request_fail_later(struct request *request, const struct err *err)
{
	request->err = xcalloc(1, sizeof(*err));
	*request->err = *err;
	request->timer =
		timer_start(request->api.loop, 0, request_fail_now, request);
}

/* The callback may start the next request in this one's place. */
static void request_tell(
	struct request *request, const struct http_reply *reply)
{
	struct http_reply told = *reply;
	http_fn fn = request->fn;
	void *arg = request->arg;
	struct err err;

	if (reply->err) {
		err = *reply->err; /* it may be the request's own */
		told.err = &err;
	}
	if (!told.status)
		told.maybe_sent |= request->maybe_sent;
	request_cancel(&request);
	fn(&told, arg);
}

/* ---- beforehand ---- */

static int check_file(const char *path, const char *what, struct err *err_r)
{
	if (path && access(path, R_OK) < 0)
		return err_set(err_r, ERR_POLICY,
			"%s \"%s\" cannot be read: %s", what, path,
			strerror(errno));
	return 0;
}

int request_check(const struct api *api, const struct request_spec *spec,
	struct err *err_r)
{
	const struct tls *tls = spec->tls;

	if (http_url_check(spec->url, false, err_r) < 0)
		return -1;
	if (request_wants_token(spec->auth) && !api->credentials)
		return err_set(err_r, ERR_AUTH,
			"it needs Google credentials and there are none");
	if (!tls)
		return 0;
	if (check_file(tls->ca_file, "ca_file", err_r) < 0 ||
		check_file(tls->cert_file, "cert_file", err_r) < 0)
		return -1;
	return check_file(tls->key_file, "key_file", err_r);
}

char *request_endpoint(const char *instead, const char *usual)
{
	const char *url = instead && *instead ? instead : usual;
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	return xmemdup0(url, len);
}
