/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type webhook: a CloudEvent 1.0 in structured JSON. Its id is made
 * of the rollout, the action and the candidate's share: trying again sends the
 * same event, which a receiver may know already.
 */
#include "action/action.h"

#include <string.h>

#include "action/api_call.h"
#include "action/template_sample.h"
#include "action/token_probe.h"
#include "base/jsonw.h"
#include "base/service_name.h"
#include "base/timestamp.h"

#define BODY_MAX (256 * 1024)

static const struct action_webhook *webhook_of(const struct action_run *run)
{
	return &run->action->u.webhook;
}

static void render_url(const struct action *action,
	const struct template_values *values, struct buf *out)
{
	buf_init(out, HTTP_URL_MAX);
	template_render(
		out, secret_reveal(action->u.webhook.url), values, ESCAPE_URL);
}

static int webhook_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	struct buf url;
	int rc;

	render_url(action, &template_sample, &url);
	rc = api_call_check(env, url.data, &action->u.webhook.auth,
		&action->u.webhook.tls, err_r);
	buf_wipe(&url);
	buf_fini(&url);
	return rc;
}

static const char *word_of(const struct action_run *run)
{
	static const char *const words[ACTION_LISTS + 1] = {
		[LIST_PREFLIGHT] = "preflight",
		[LIST_STARTED] = "started",
		[LIST_STEP_PASSED] = "steppassed",
		[LIST_PROMOTED] = "promoted",
		[LIST_ROLLBACK] = "rollback",
		[LIST_HEALTH] = "health",
		[LIST_ROLLED_BACK] = "rolledback",
		[LIST_STOPPED] = "stopped",
		[LIST_LOAD] = "load",
		[ACTION_LISTS] = "message",
	};

	return run->env->trouble
		       ? "rollbackfailed"
		       : words[policy_list_of(run->env->policy, run->action)];
}

static void add_texts(struct jsonw *w, const struct action_run *run)
{
	const struct template_values *v = run->values;
	char time[TIMESTAMP_TEXT_MAX];
	struct buf text;

	buf_init(&text, BODY_MAX);
	jsonw_text(w, "specversion", "1.0");
	buf_addf(&text, "%s/%s/%s", v->rollout, run->action->name, v->percent);
	jsonw_text(w, "id", text.data);
	buf_clear(&text);
	buf_addf(&text, "//tidegate.dev/" SERVICE_NAME_FORMAT, v->project,
		v->region, v->service);
	jsonw_text(w, "source", text.data);
	buf_clear(&text);
	buf_addf(&text, "dev.tidegate.rollout.%s.v1", word_of(run));
	jsonw_text(w, "type", text.data);
	jsonw_text(w, "subject", v->candidate);
	jsonw_text(w, "time", timestamp_print(run->started_ms, time));
	jsonw_text(w, "datacontenttype", "application/json");
	buf_fini(&text);
}

static void make_body(const struct action_run *run, struct buf *out)
{
	const struct template_values *v = run->values;
	const struct {
		const char *key, *value;
	} facts[] = {
		{"rollout", v->rollout},
		{"project", v->project},
		{"region", v->region},
		{"service", v->service},
		{"candidate", v->candidate},
		{"stable", v->stable},
		{"reason", v->reason},
		{"trouble", run->env->trouble},
		{"policy", run->env->policy->name},
		{"action", run->action->name},
	};
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	add_texts(&w, run);
	jsonw_object(&w, "data");
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		jsonw_text(
			&w, facts[i].key, facts[i].value ? facts[i].value : "");
	if (v->percent && *v->percent)
		jsonw_raw(&w, "percent", v->percent);
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
}

static void webhook_answered(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	const char *why = NULL;

	run->data = NULL;
	if (api_call_succeeded(reply)) {
		buf_addf(&run->detail, "answered %d", reply->status);
		action_run_end(run, ACTION_OK);
		return;
	}
	if (reply->status == 410)
		why = "the receiver wants no more events: remove this action";
	else if (reply->status == 415)
		why = "the receiver does not take CloudEvents in structured "
		      "JSON";
	else if (reply->status >= 300 && reply->status <= 399)
		why = "it redirects, which is never followed: write the URL it "
		      "leads to";
	api_call_failed(run, reply, why);
}

static void webhook_begin(struct action_run *run)
{
	const struct action_webhook *webhook = webhook_of(run);
	struct buf url, body;

	buf_init(&body, BODY_MAX);
	make_body(run, &body);
	render_url(run->action, run->values, &url);
	run->data = api_call_start(run,
		&(struct request_spec){
			.url = url.overflow ? "" : url.data,
			.body = body.data,
			.body_len = body.len,
			.content_type = "application/cloudevents+json; "
					"charset=UTF-8",
			.headers = webhook->headers,
			.n_headers = webhook->n_headers,
			.auth = &webhook->auth,
			.tls = &webhook->tls,
			.repeatable = true,
		},
		webhook_answered);
	buf_wipe(&url);
	buf_fini(&url);
	buf_fini(&body);
}

static void webhook_drill(struct action_run *run)
{
	buf_addf(&run->detail, "would send a dev.tidegate.rollout.%s.v1 event",
		word_of(run));
	action_run_end_soon(run, ACTION_OK);
}

/* Before anything moves: that the token can be had. */
static void webhook_capture(struct action_run *run)
{
	const struct auth *auth = &webhook_of(run)->auth;
	struct buf url;

	render_url(run->action, run->values, &url);
	token_probe_start(run, auth, url.overflow ? "" : url.data);
	buf_wipe(&url);
	buf_fini(&url);
}

static void webhook_stop(struct action_run *run)
{
	struct request *request = run->data;

	if (run->job == JOB_CAPTURE) {
		token_probe_cancel(run);
		return;
	}
	request_cancel(&request);
	run->data = NULL;
}

const struct action_type action_type_webhook = {
	.tells_people = true,
	.check = webhook_check,
	.start = {[JOB_RUN] = webhook_begin,
		[JOB_DRILL] = webhook_drill,
		[JOB_CAPTURE] = webhook_capture},
	.cancel = webhook_stop,
};
