/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type http: one request and what is expected of the answer; with
 * `attempts`, asked again every so often until it is met. Owns the request,
 * never the decision what a failure means for the rollout.
 */
#include "action/action.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "action/api_call.h"
#include "action/expect_codec.h"
#include "action/template_sample.h"
#include "action/token_probe.h"
#include "base/sanitize.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "policy/match.h"
#include "policy/url.h"

#define REPLY_BYTES_MAX   (1024 * 1024)
#define REQUEST_BYTES_MAX (1024 * 1024)
#define BODY_SHOWN_MAX    400 /* bytes of an unexpected answer */
#define TRY_MS_MIN        1000
#define TRIES_MAX         10 /* when it says "too many" */

/* ---- what the policy asks for ---- */

static const struct action_http *http_of(const struct action *action)
{
	return &action->u.http;
}

static const char *content_type(const struct action_http *http)
{
	if (!http->body)
		return NULL;
	for (size_t i = 0; i < http->n_headers; i++)
		if (!strcasecmp(http->headers[i].name, "content-type"))
			return secret_reveal(http->headers[i].value);
	switch (http->body[strspn(http->body, " \t\r\n")]) {
	case '{':
	case '[':
		return "application/json";
	default:
		return "text/plain; charset=utf-8";
	}
}

static void render_url(const struct action_http *http,
	const struct template_values *values, struct buf *out)
{
	buf_init(out, HTTP_URL_MAX);
	template_render(out, secret_reveal(http->url), values, ESCAPE_URL);
}

static void render_body(const struct action_http *http,
	const struct template_values *values, struct buf *out)
{
	const char *type = content_type(http);

	buf_init(out, REQUEST_BYTES_MAX);
	if (http->body)
		template_render(
			out, http->body, values, template_escape_of(type));
}

/* ---- check ---- */

static int check_expect(const struct http_expect *expect, struct err *err_r)
{
	if (expect->body && match_check(expect->body, err_r) < 0)
		return -1;
	for (size_t i = 0; i < expect->n_json; i++)
		if (json_expect_check(&expect->json[i], err_r) < 0)
			return -1;
	return 0;
}

static int check_token_host(const char *text, struct err *err_r)
{
	struct url url;

	if (url_parse(text, &url, err_r) < 0)
		return -1;
	if (url_takes_access_tokens(&url))
		return 0;
	return err_set(err_r, ERR_POLICY,
		"auth google sends an access token, which is for "
		"*.googleapis.com only; a Cloud Run service wants an ID token: "
		"write \"type: id-token\"");
}

static int http_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	const struct action_http *http = http_of(action);
	struct buf url;
	int rc = 0;

	render_url(http, &template_sample, &url);
	if (http->auth.type == AUTH_GOOGLE)
		rc = check_token_host(url.data, err_r);
	if (rc == 0)
		rc = api_call_check(
			env, url.data, &http->auth, &http->tls, err_r);
	buf_wipe(&url);
	buf_fini(&url);
	if (rc < 0)
		return -1;
	return check_expect(&http->expect, err_r);
}

/* ---- run ---- */

struct attempt {
	struct action_run *run;
	struct request *request;
	struct timer *pause;
	int number; /* from 1 */
};

static void attempt_start(struct attempt *attempt);
static void attempt_answered(const struct http_reply *reply, void *arg);
static void attempt_failed(struct attempt *attempt, bool maybe_done);
static void attempt_again(void *arg);

/* Another address, such as the service's own, would be another revision's. */
static bool lacks_candidate_url(const struct action_run *run)
{
	const char *url = run->values->candidate_url;

	return (!url || !*url) &&
	       template_uses(secret_reveal(http_of(run->action)->url),
		       "candidate_url");
}

static void end_without_url(struct action_run *run)
{
	buf_adds(&run->detail,
		"not asked: {{candidate_url}} is the address of the "
		"candidate's tag, and there is none now; a tag of tidegate's "
		"own is there from preflight to the revert or the promotion, "
		"where the service has run.app URLs");
	action_run_end_soon(run, ACTION_FAILED);
}

static void http_begin(struct action_run *run)
{
	struct attempt *attempt;

	if (lacks_candidate_url(run)) {
		end_without_url(run);
		return;
	}
	attempt = xcalloc(1, sizeof(*attempt));

	attempt->run = run;
	run->data = attempt;
	attempt_start(attempt);
}

/* What is left of the action's time, shared evenly by the tries to come, so
 * that one that hangs does not take the others' chance. */
static int64_t attempt_timeout(const struct attempt *attempt)
{
	const struct action_run *run = attempt->run;
	const struct action_http *http = http_of(run->action);
	int64_t left = action_time_left(run);
	int64_t tries = http->attempts - attempt->number;

	if (tries > 1) {
		left = (left - (tries - 1) * http->every_ms) / tries;
		if (left < TRY_MS_MIN)
			left = TRY_MS_MIN;
	}
	return left > 0 ? left : 1;
}

static bool status_expected(const struct http_expect *expect, int status)
{
	if (!expect->n_statuses)
		return status >= 200 && status <= 299;
	for (size_t i = 0; i < expect->n_statuses; i++)
		if (expect->statuses[i] == status)
			return true;
	return false;
}

/* A refusal for being too much is asked again, unless it is what is hoped for:
 * nothing was done. */
static int tries_of(const struct http_expect *expect)
{
	return expect->n_statuses && status_expected(expect, 429) ? 0
								  : TRIES_MAX;
}

static void attempt_start(struct attempt *attempt)
{
	struct action_run *run = attempt->run;
	const struct action_http *http = http_of(run->action);
	struct api api = api_call_with(run->env);
	struct buf url, body;
	struct request_spec spec = {
		.method = http->method,
		.content_type = content_type(http),
		.headers = http->headers,
		.n_headers = http->n_headers,
		.auth = &http->auth,
		.tls = &http->tls,
		.body_max = REPLY_BYTES_MAX,
		.deadline_ms =
			loop_now(run->env->loop) + attempt_timeout(attempt),
		.tries_max = tries_of(&http->expect),
	};

	attempt->number++;
	buf_clear(&run->detail); /* only the last attempt is told */
	render_url(http, run->values, &url);
	render_body(http, run->values, &body);
	spec.url = url.overflow ? "" : url.data;
	if (http->body && !body.overflow) {
		spec.body = body.data;
		spec.body_len = body.len;
	}
	attempt->request =
		request_start(&api, &spec, attempt_answered, attempt);
	buf_wipe(&url);
	buf_fini(&url);
	buf_wipe(&body);
	buf_fini(&body);
}

static int expect_meet(const struct http_expect *expect,
	const struct http_reply *reply, struct err *err_r)
{
	int64_t ms = reply->latency_us / 1000;
	int found;

	if (!status_expected(expect, reply->status))
		return err_set(err_r, ERR_ACTION, "that is not expected");
	if (expect->body) {
		found = match_find(
			expect->body, reply->body, reply->body_len, err_r);
		if (found < 0)
			return -1;
		if (!found)
			return err_set(err_r, ERR_ACTION,
				"the body does not match \"%.80s\"",
				expect->body);
	}
	if (json_expect_meet(expect->json, expect->n_json, reply->body,
		    reply->body_len, err_r) < 0)
		return -1;
	if (expect->max_latency_ms && ms > expect->max_latency_ms)
		return err_set(err_r, ERR_ACTION,
			"that is slower than max_latency %lld ms",
			(long long)expect->max_latency_ms);
	return 0;
}

static bool method_is_safe(const struct action_http *http)
{
	const char *method = http->method ? http->method
			     : http->body ? "POST"
					  : "GET";

	return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

static void attempt_answered(const struct http_reply *reply, void *arg)
{
	struct attempt *attempt = arg;
	struct action_run *run = attempt->run;
	const struct action_http *http = http_of(run->action);
	struct err err;

	attempt->request = NULL;
	if (!reply->status) {
		buf_adds(&run->detail, reply->err->text);
		attempt_failed(
			attempt, reply->maybe_sent && !method_is_safe(http));
		return;
	}
	buf_addf(&run->detail, "answered %d in %lld ms", reply->status,
		(long long)(reply->latency_us / 1000));
	if (expect_meet(&http->expect, reply, &err) == 0) {
		action_run_end(attempt->run, ACTION_OK);
		return;
	}
	buf_addf(&run->detail, ": %s", err.text);
	if (reply->body_len) {
		buf_adds(&run->detail, ": ");
		sanitize_add(&run->detail, reply->body, reply->body_len,
			BODY_SHOWN_MAX, 0);
	}
	attempt_failed(attempt, false);
}

static void attempt_failed(struct attempt *attempt, bool maybe_done)
{
	struct action_run *run = attempt->run;
	const struct action_http *http = http_of(run->action);

	if (maybe_done && !run->action->idempotent) {
		action_run_end(attempt->run, ACTION_UNKNOWN);
		return;
	}
	if (attempt->number < http->attempts) {
		attempt->pause = timer_start(
			run->env->loop, http->every_ms, attempt_again, attempt);
		return;
	}
	if (http->attempts > 1)
		buf_addf(&run->detail, " (attempt %d of %d)", attempt->number,
			http->attempts);
	action_run_end(attempt->run, ACTION_FAILED);
}

static void attempt_again(void *arg)
{
	struct attempt *attempt = arg;

	attempt->pause = NULL;
	attempt_start(attempt);
}

static void attempt_free(struct attempt *attempt)
{
	attempt->run->data = NULL;
	request_cancel(&attempt->request);
	timer_cancel(&attempt->pause);
	free(attempt);
}

/* What only reads is done; the rest could be a write. */
static void http_drill(struct action_run *run)
{
	const struct action_http *http = http_of(run->action);
	struct buf url;

	if (method_is_safe(http) || lacks_candidate_url(run)) {
		http_begin(run);
		return;
	}
	render_url(http, run->values, &url);
	buf_addf(&run->detail, "would send %s ", http->method);
	redact(&url);
	buf_adds(&run->detail, url.data);
	buf_wipe(&url);
	buf_fini(&url);
	action_run_end_soon(run, ACTION_OK);
}

/* Before anything moves: that the token can be had, if the URL is known. */
static void http_capture(struct action_run *run)
{
	const struct action_http *http = http_of(run->action);
	struct buf url;

	render_url(http, run->values, &url);
	if (url.overflow ||
		http_url_check(url.data, false, &(struct err){0}) < 0)
		action_run_end_soon(run, ACTION_OK);
	else
		token_probe_start(run, &http->auth, url.data);
	buf_wipe(&url);
	buf_fini(&url);
}

static void http_stop(struct action_run *run)
{
	if (run->job == JOB_CAPTURE)
		token_probe_cancel(run);
	else if (run->data)
		attempt_free(run->data);
}

const struct action_type action_type_http = {
	.check = http_check,
	.start = {[JOB_RUN] = http_begin,
		[JOB_DRILL] = http_drill,
		[JOB_CAPTURE] = http_capture},
	.cancel = http_stop,
};
