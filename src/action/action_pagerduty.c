/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type pagerduty: triggers an incident of the service with Events
 * API v2; in hooks.promoted it resolves it. One service has one incident, so
 * that a later rollout finds that of an earlier one.
 */
#include "action/action.h"

#include <stdio.h>
#include <string.h>

#include "action/api_call.h"
#include "action/expect_codec.h"
#include "base/jsonw.h"
#include "base/timestamp.h"

#define ENQUEUE     "https://events.pagerduty.com/v2/enqueue"
#define SUMMARY_MAX 1000 /* of 1024 */
#define BODY_MAX    (256 * 1024) /* of 512 KB */

static const struct action_pagerduty *pagerduty_of(const struct action *action)
{
	return &action->u.pagerduty;
}

static const char *url_of(const struct action *action)
{
	const struct secret *url = pagerduty_of(action)->url;

	return url ? secret_reveal(url) : ENQUEUE;
}

static int pagerduty_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	return api_call_check(env, url_of(action), NULL, NULL, err_r);
}

static bool resolves(const struct action_run *run)
{
	return policy_list_of(run->env->policy, run->action) == LIST_PROMOTED;
}

/* The reason stands whole in the details. */
static void cut(struct buf *summary)
{
	size_t len = SUMMARY_MAX - strlen("…");

	if (summary->len <= SUMMARY_MAX)
		return;
	while (((unsigned char)summary->data[len] & 0xc0) == 0x80)
		len--;
	buf_truncate(summary, len);
	buf_adds(summary, "…");
}

static void add_payload(struct jsonw *w, const struct action_run *run)
{
	const struct template_values *v = run->values;
	char time[TIMESTAMP_TEXT_MAX];
	struct buf summary;

	buf_init(&summary, BODY_MAX);
	buf_addf(&summary, "%s: ", v->service);
	if (run->env->trouble)
		buf_addf(&summary, "ROLLBACK FAILED, %s: ", run->env->trouble);
	buf_addf(&summary, "%s: %s", v->candidate,
		v->reason && *v->reason ? v->reason : "see the rollout");
	cut(&summary);
	jsonw_object(w, "payload");
	jsonw_text(w, "summary", summary.data);
	buf_fini(&summary);
	jsonw_text(w, "source", "tidegate");
	jsonw_text(w, "severity", pagerduty_of(run->action)->severity);
	jsonw_text(w, "timestamp", timestamp_print(run->started_ms, time));
	jsonw_text(w, "component", v->service);
	jsonw_text(w, "group", "cloud-run");
	jsonw_object(w, "custom_details");
	jsonw_text(w, "rollout", v->rollout);
	jsonw_text(w, "reason", v->reason ? v->reason : "");
	jsonw_text(w, "candidate", v->candidate);
	jsonw_text(w, "stable", v->stable);
	jsonw_text(w, "project", v->project);
	jsonw_text(w, "region", v->region);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void make_body(const struct action_run *run, struct buf *out)
{
	const struct template_values *v = run->values;
	struct jsonw w = {.out = out};
	char key[256];

	snprintf(key, sizeof(key), "tidegate/%s/%s/%s", v->project, v->region,
		v->service);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "routing_key",
		secret_reveal(pagerduty_of(run->action)->routing_key));
	jsonw_text(&w, "event_action", resolves(run) ? "resolve" : "trigger");
	jsonw_text(&w, "dedup_key", key);
	if (!resolves(run)) {
		jsonw_text(&w, "client", "tidegate");
		add_payload(&w, run);
	}
	jsonw_end(&w, '}');
}

static bool event_is_taken(const char *body, size_t len)
{
	static const struct json_expect success = {
		"/status", false, "\"success\"", JSON_EQUALS};
	struct err err;

	return json_expect_meet(&success, 1, body, len, &err) == 0;
}

static void pagerduty_answered(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	bool taken = api_call_succeeded(reply) &&
		     event_is_taken(reply->body, reply->body_len);

	run->data = NULL;
	if (!taken) {
		api_call_failed(run, reply,
			api_call_succeeded(reply)
				? "it does not say that the event was taken: "
				  "is this PagerDuty?"
				: NULL);
		return;
	}
	buf_adds(&run->detail,
		resolves(run) ? "resolved" : "triggered an incident");
	action_run_end(run, ACTION_OK);
}

static void pagerduty_begin(struct action_run *run)
{
	struct buf body;

	buf_init(&body, BODY_MAX);
	make_body(run, &body);
	run->data = api_call_start(run,
		&(struct request_spec){
			.url = url_of(run->action),
			.body = body.data,
			.body_len = body.len,
			.repeatable = true, /* the dedup_key is the same */
		},
		pagerduty_answered);
	buf_wipe(&body);
	buf_fini(&body);
}

static void pagerduty_drill(struct action_run *run)
{
	buf_addf(&run->detail, "would %s an incident (%s)",
		resolves(run) ? "resolve" : "trigger",
		pagerduty_of(run->action)->severity);
	action_run_end_soon(run, ACTION_OK);
}

static void pagerduty_stop(struct action_run *run)
{
	struct request *request = run->data;

	request_cancel(&request);
	run->data = NULL;
}

const struct action_type action_type_pagerduty = {
	.tells_people = true,
	.check = pagerduty_check,
	.start = {[JOB_RUN] = pagerduty_begin, [JOB_DRILL] = pagerduty_drill},
	.cancel = pagerduty_stop,
};
