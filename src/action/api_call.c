/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of actions; see api_call.h. Judges no answer but by its status. */
#include "action/api_call.h"

#include <stdlib.h>

#include "base/sanitize.h"
#include "base/xalloc.h"

#define TRIES_MAX      10
#define BODY_SHOWN_MAX 400

struct api api_call_with(const struct action_env *env)
{
	return (struct api){
		env->loop, env->http, env->credentials, env->worker};
}

struct request *api_call_start(
	struct action_run *run, const struct request_spec *spec, http_fn fn)
{
	struct api api = api_call_with(run->env);
	struct request_spec timed = *spec;

	timed.timeout_ms = 0;
	timed.deadline_ms = run->started_ms + run->action->timeout_ms;
	timed.tries_max = TRIES_MAX;
	if (!timed.body_max)
		timed.body_max = API_CALL_ANSWER_MAX;
	return request_start(&api, &timed, fn, run);
}

int api_call_check(const struct action_env *env, const char *url,
	const struct auth *auth, const struct tls *tls, struct err *err_r)
{
	struct api api = api_call_with(env);

	return request_check(&api,
		&(struct request_spec){.url = url, .auth = auth, .tls = tls},
		err_r);
}

char *api_call_google_url(
	const char *variable, const char *endpoint, const char *path)
{
	char *base = request_endpoint(getenv(variable), endpoint);
	char *url = xasprintf("%s%s", base, path);

	free(base);
	return url;
}

/* ---- answers ---- */

bool api_call_succeeded(const struct http_reply *reply)
{
	return reply->status >= 200 && reply->status <= 299;
}

bool api_call_may_be_done(const struct http_reply *reply)
{
	if (!reply->status)
		return reply->maybe_sent;
	return reply->status >= 500 || api_call_succeeded(reply);
}

void api_call_describe(
	struct buf *out, const struct http_reply *reply, const char *why)
{
	if (out->len)
		buf_adds(out, "; ");
	if (!reply->status) {
		buf_adds(out, reply->err->text);
		return;
	}
	buf_addf(out, "answered %d", reply->status);
	if (why)
		buf_addf(out, ": %s", why);
	else if (reply->body_len) {
		buf_adds(out, ": ");
		sanitize_add(
			out, reply->body, reply->body_len, BODY_SHOWN_MAX, 0);
	}
}

void api_call_failed(
	struct action_run *run, const struct http_reply *reply, const char *why)
{
	api_call_describe(&run->detail, reply, why);
	action_run_end(run, !reply->status && reply->maybe_sent
				    ? action_cut_off(run->action)
				    : ACTION_FAILED);
}
