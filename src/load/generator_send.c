/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a load and its answer; see generator_parts.h. */
#include <string.h>

#include "action/expect_codec.h"
#include "base/secret.h"
#include "config.h"
#include "load/generator_parts.h"
#include "policy/match.h"

#define REPLY_MAX   (1024 * 1024) /* bytes of an answer */
#define HEADERS_MAX 64
#define USER_AGENT  GENERATOR_AGENT_NAME "/" PACKAGE_VERSION

static const struct load_spec_request *choose(struct generator *g)
{
	const struct load_spec_request *request = g->spec->requests;
	uint64_t draw = rng_below(&g->rng, (uint64_t)g->spec->weights);

	while (draw >= (uint64_t)request->weight)
		draw -= (uint64_t)(request++)->weight;
	return request;
}

static bool status_is_expected(const struct http_expect *expect, int status)
{
	for (size_t i = 0; i < expect->n_statuses; i++)
		if (expect->statuses[i] == status)
			return true;
	return !expect->n_statuses && status >= 200 && status <= 299;
}

/* Why the answer is none that is expected; NULL: it is. */
static const char *judge_answer(const struct http_expect *expect,
	const struct http_reply *reply, struct err *err)
{
	if (!reply->status)
		return reply->err->text;
	if (!status_is_expected(expect, reply->status)) {
		(void)!err_set(err, ERR_ACTION, "status %d", reply->status);
		return err->text;
	}
	if (expect->body && match_find(expect->body, reply->body,
				    reply->body_len, err) != 1)
		return "the body does not match";
	if (expect->n_json && json_expect_meet(expect->json, expect->n_json,
				      reply->body, reply->body_len, err) < 0)
		return err->text;
	return NULL;
}

static void user_answered(const struct http_reply *reply, void *arg)
{
	struct load_user *user = arg;
	struct generator *g = user->generator;
	int64_t late_us = user->sent_us - user->due_us;
	struct err err;
	const char *why = judge_answer(&g->spec->expect.answer, reply, &err);

	user->call = NULL;
	g->n_busy--;
	if (late_us < TIMER_SLACK_US)
		late_us = 0;
	tally_answer(&g->tally, late_us + reply->latency_us,
		generator_is_warm(g, user->due_us), why);
	g->answered(user);
}

/* Nobody looks at it: it may be as long as it is. */
static bool drop_part(const char *bytes, size_t len, void *arg)
{
	return true;
}

static bool looks_at_body(const struct http_expect *expect)
{
	return expect->body || expect->n_json;
}

static size_t set_headers(const struct load_spec_request *request,
	struct http_header headers[HEADERS_MAX + 1])
{
	size_t n = 0;

	headers[n++] = (struct http_header){"User-Agent", USER_AGENT};
	for (size_t i = 0; i < request->n_headers && n <= HEADERS_MAX; i++)
		headers[n++] = (struct http_header){
			request->headers[2 * i], request->headers[2 * i + 1]};
	return n;
}

void user_send(struct load_user *user)
{
	struct generator *g = user->generator;
	const struct load_spec *spec = g->spec;
	const struct load_spec_request *chosen = choose(g);
	struct http_header headers[HEADERS_MAX + 1];
	struct http_request request = {
		.method = chosen->method,
		.url = chosen->url,
		.headers = headers,
		.n_headers = set_headers(chosen, headers),
		.bearer = g->token,
		.body = chosen->body,
		.body_len = chosen->body ? strlen(chosen->body) : 0,
		.content_type = chosen->body ? chosen->content_type : NULL,
		.timeout_ms = spec->request_timeout_ms,
		.body_max = REPLY_MAX,
		.ca_file = spec->tls.ca_file,
		.cert_file = spec->tls.cert_file,
		.key_file = spec->tls.key_file,
	};

	if (spec->auth.type == AUTH_BASIC) {
		request.username = spec->auth.username;
		request.password = spec->auth.secret;
	} else if (spec->auth.type == AUTH_BEARER) {
		request.bearer = spec->auth.secret;
	}
	if (!looks_at_body(&spec->expect.answer))
		request.part = drop_part;
	user->sent_us = generator_now_us(g);
	g->n_busy++;
	user->call = http_start(g->http, &request, user_answered, user);
}
