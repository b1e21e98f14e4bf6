/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of Slack's Web API; see slack_api.h. */
#include "serve/slack_api.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api/request.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "identity/identity_config.h"

#define ENDPOINT   "https://slack.com/api"
#define JSON_TYPE  "application/json; charset=utf-8"
#define ANSWER_MAX (1024 * 1024) /* bytes: parsed in some 15 ms */
#define PAUSE_MS   30000 /* where Slack names none */
#define ANSWERS    64 /* under way at a time */

/* An answer that nobody waits for. */
struct sent_answer {
	LIST_ENTRY(sent_answer) link;
	struct slack_api *slack;
	struct slack_call *call;
};

struct slack_api {
	struct api api;
	const struct issuer_config *app;
	char *base;
	LIST_HEAD(, sent_answer) answers;
	int n_answers;
};

struct slack_call {
	struct request *request;
	struct auth auth;
	bool is_answer; /* says "ok", and no JSON */
	slack_fn fn;
	void *arg;
};

struct slack_api *slack_api_new(
	const struct api *api, const struct issuer_config *app)
{
	struct slack_api *slack = xcalloc(1, sizeof(*slack));

	slack->api = *api;
	slack->app = app;
	slack->base = request_endpoint(app->api_url, ENDPOINT);
	return slack;
}

void slack_call_cancel(struct slack_call **call_p)
{
	struct slack_call *call = *call_p;

	*call_p = NULL;
	if (!call)
		return;
	request_cancel(&call->request);
	secret_free(&call->auth.secret);
	free(call);
}

static void answer_free(struct sent_answer *answer)
{
	LIST_REMOVE(answer, link);
	answer->slack->n_answers--;
	slack_call_cancel(&answer->call);
	free(answer);
}

void slack_api_free(struct slack_api **slack_p)
{
	struct slack_api *slack = *slack_p;
	struct sent_answer *answer;

	*slack_p = NULL;
	if (!slack)
		return;
	while ((answer = LIST_FIRST(&slack->answers)))
		answer_free(answer);
	free(slack->base);
	free(slack);
}

/* ---- what an answer means ---- */

/* https://docs.slack.dev/reference/methods/chat.postMessage#errors */
static const struct {
	const char *word;
	enum slack_result result;
	const char *remedy;
} words[] = {
	{"ratelimited", SLACK_LATER, ""},
	{"rate_limited", SLACK_LATER, ""},
	{"internal_error", SLACK_UNKNOWN, ""},
	{"fatal_error", SLACK_UNKNOWN, ""},
	{"service_unavailable", SLACK_UNKNOWN, ""},
	{"request_timeout", SLACK_UNKNOWN, ""},
	{"not_in_channel", SLACK_REFUSED,
		"invite the app into the channel: /invite @…"},
	{"channel_not_found", SLACK_REFUSED,
		"the channel's id is wrong, or it is private and the app is "
		"not invited"},
	{"is_archived", SLACK_REFUSED, "the channel is archived"},
	{"missing_scope", SLACK_REFUSED,
		"give the app the scopes of tidegate-serve(8) and install it "
		"again"},
	{"invalid_auth", SLACK_REFUSED,
		"put a valid bot token into bot_token_file and send SIGHUP"},
	{"not_authed", SLACK_REFUSED,
		"put a valid bot token into bot_token_file and send SIGHUP"},
	{"token_revoked", SLACK_REFUSED,
		"put a new bot token into bot_token_file and send SIGHUP"},
	{"token_expired", SLACK_REFUSED,
		"put a new bot token into bot_token_file and send SIGHUP"},
	{"account_inactive", SLACK_REFUSED,
		"the app was removed from the workspace: install it again"},
	{"message_not_found", SLACK_REFUSED, "somebody has deleted it"},
	{"expired_trigger_id", SLACK_REFUSED, "press the button again"},
};

static void judge_word(struct slack_reply *reply)
{
	reply->result = SLACK_REFUSED;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(words[i].word, reply->word)) {
			reply->result = words[i].result;
			reply->remedy = words[i].remedy;
		}
}

static void judge_answer(struct slack_reply *reply, const json_t *answer)
{
	const char *word = json_string_value(json_object_get(answer, "error"));

	if (!json_is_object(answer)) {
		reply->result = SLACK_UNKNOWN;
		reply->word = "the answer is not Slack's";
		return;
	}
	reply->answer = answer;
	if (json_is_true(json_object_get(answer, "ok"))) {
		reply->result = SLACK_DONE;
		return;
	}
	reply->word = word ? word : "no reason";
	judge_word(reply);
}

static bool judge_status(
	struct slack_reply *reply, const struct http_reply *http)
{
	if (!http->status) {
		reply->result = http->maybe_sent ? SLACK_UNKNOWN : SLACK_LATER;
		reply->word = http->err ? http->err->text : "no answer";
		return true;
	}
	if (http->status == 429) {
		reply->result = SLACK_LATER;
		reply->word = "ratelimited";
		return true;
	}
	if (http->status >= 500) {
		reply->result = SLACK_UNKNOWN;
		reply->word = "Slack has trouble";
		return true;
	}
	return false;
}

static void slack_call_answered(const struct http_reply *http, void *arg)
{
	struct slack_call *call = arg;
	struct slack_reply reply = {.word = "", .remedy = ""};
	json_t *answer = NULL;

	if (!judge_status(&reply, http)) {
		answer = json_loadb(http->body, http->body_len,
			JSON_REJECT_DUPLICATES, NULL);
		if (call->is_answer)
			reply.result =
				http->status < 300 ? SLACK_DONE : SLACK_REFUSED;
		else
			judge_answer(&reply, answer);
	}
	reply.pause_ms = http->retry_after_ms ? http->retry_after_ms : PAUSE_MS;
	call->request = NULL;
	call->fn(&reply, call->arg);
	json_decref(answer);
	slack_call_cancel(&call);
}

/* ---- calls ---- */

static struct slack_call *send(struct slack_api *slack,
	struct request_spec *spec, bool is_answer, slack_fn fn, void *arg)
{
	struct slack_call *call = xcalloc(1, sizeof(*call));

	call->is_answer = is_answer;
	call->fn = fn;
	call->arg = arg;
	/* A copy: another one may be put in meanwhile. */
	call->auth = (struct auth){.type = AUTH_BEARER,
		.secret = secret_dup(slack->app->bot_token)};
	if (!is_answer)
		spec->auth = &call->auth;
	spec->body_max = ANSWER_MAX;
	spec->timeout_ms = SLACK_CALL_MS;
	call->request =
		request_start(&slack->api, spec, slack_call_answered, call);
	return call;
}

struct slack_call *slack_call_start(struct slack_api *slack, const char *method,
	const struct buf *body, slack_fn fn, void *arg)
{
	char *url = xasprintf("%s/%s", slack->base, method);
	struct request_spec spec = {.url = url,
		.content_type = JSON_TYPE,
		.body = body->data,
		.body_len = body->len};
	struct slack_call *call = send(slack, &spec, false, fn, arg);

	free(url);
	return call;
}

struct slack_call *slack_read_start(struct slack_api *slack, const char *method,
	const char *query, slack_fn fn, void *arg)
{
	char *url = xasprintf("%s/%s?%s", slack->base, method, query);
	struct request_spec spec = {.url = url};
	struct slack_call *call = send(slack, &spec, false, fn, arg);

	free(url);
	return call;
}

struct slack_call *slack_answer_start(struct slack_api *slack, const char *url,
	const struct buf *body, slack_fn fn, void *arg)
{
	struct request_spec spec = {.url = url,
		.content_type = JSON_TYPE,
		.body = body->data,
		.body_len = body->len};

	return send(slack, &spec, true, fn, arg);
}

static void answer_sent(const struct slack_reply *reply, void *arg)
{
	struct sent_answer *answer = arg;

	answer->call = NULL;
	if (reply->result != SLACK_DONE)
		log_line(LOG_WARN,
			"event=slack error=\"an answer to a button was not "
			"taken: %s\"",
			reply->word);
	answer_free(answer);
}

void slack_answer_send(
	struct slack_api *slack, const char *url, const struct buf *body)
{
	struct sent_answer *answer;

	if (slack->n_answers >= ANSWERS) {
		log_line(LOG_WARN,
			"event=slack error=\"%d answers to buttons are under "
			"way: this one is not sent\"",
			ANSWERS);
		return;
	}
	answer = xcalloc(1, sizeof(*answer));
	answer->slack = slack;
	LIST_INSERT_HEAD(&slack->answers, answer, link);
	slack->n_answers++;
	answer->call =
		slack_answer_start(slack, url, body, answer_sent, answer);
}
