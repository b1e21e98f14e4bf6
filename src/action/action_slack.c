/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type slack: one Block Kit message to an incoming webhook. The
 * webhook's URL is the secret. What is put into the message is escaped, so
 * that a reason cannot call everybody.
 */
#include "action/action.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "action/api_call.h"
#include "base/jsonw.h"
#include "base/mrkdwn.h"
#include "base/xalloc.h"

/* Slack's limits are characters; bytes are never fewer. */
#define HEADER_MAX   150
#define SECTION_MAX  3000
#define SECTIONS_MAX 10 /* that one text is spread over */
#define FIELD_MAX    2000
#define TEXT_MAX     ((size_t)SECTION_MAX * SECTIONS_MAX)
#define BODY_MAX     (256 * 1024)
#define LINE_END_MAX 1000 /* of a section: where a better end is looked for */

static const struct action_slack *slack_of(const struct action_run *run)
{
	return &run->action->u.slack;
}

static int slack_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	return api_call_check(
		env, secret_reveal(action->u.slack.webhook), NULL, NULL, err_r);
}

/* ---- texts ---- */

/* A "&" of the policy's own text that is no entity is one character, too. */
static void add_own(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p != '&' || !strncmp(p, "&amp;", 5) ||
			!strncmp(p, "&lt;", 4) || !strncmp(p, "&gt;", 4))
			buf_addc(out, *p);
		else
			buf_adds(out, "&amp;");
}

/* What of the text goes into the next section: up to the end of a line, else of
 * a word, if there is one near enough. */
static size_t section_len(const char *text, size_t left)
{
	size_t max, len;

	if (left <= SECTION_MAX)
		return left;
	max = mrkdwn_whole(text, SECTION_MAX);
	for (int pass = 0; pass < 2; pass++)
		for (len = max; len > max - LINE_END_MAX; len--)
			if (text[len - 1] == (pass ? ' ' : '\n'))
				return len;
	return max;
}

static const char *title_of(const struct action_run *run)
{
	static const char *const titles[ACTION_LISTS + 1] = {
		[LIST_PREFLIGHT] = "release is about to start",
		[LIST_STARTED] = "release started",
		[LIST_STEP_PASSED] = "step passed",
		[LIST_PROMOTED] = "promoted",
		[LIST_ROLLBACK] = "rollback",
		[LIST_HEALTH] = "health after a rollback",
		[LIST_ROLLED_BACK] = "rolled back",
		[LIST_STOPPED] = "stopped, the traffic is as it is",
		[LIST_LOAD] = "load of a step",
		[ACTION_LISTS] = "message",
	};

	return run->env->trouble
		       ? "ROLLBACK FAILED, a person is needed"
		       : titles[policy_list_of(run->env->policy, run->action)];
}

/* The policy's own text may use Slack's markup; what is filled in may not. */
static void render_text(const struct action_run *run, struct buf *out)
{
	struct template_values safe = *run->values;
	const char *text = slack_of(run)->text;
	struct buf reason, url, own;

	buf_init(&reason, BODY_MAX);
	buf_init(&url, BODY_MAX);
	buf_init(&own, BODY_MAX);
	mrkdwn_escape(&reason, run->values->reason);
	mrkdwn_escape(&url, run->values->candidate_url);
	safe.reason = reason.data;
	safe.candidate_url = url.data;
	if (run->env->trouble) {
		buf_adds(out, "*");
		mrkdwn_escape(out, run->env->trouble);
		buf_adds(out, "*\n");
	}
	buf_adds(&own, "");
	add_own(&own, text ? text : "{{reason}}");
	template_render(out, own.data, &safe, ESCAPE_NONE);
	buf_fini(&own);
	buf_fini(&reason);
	buf_fini(&url);
	if (!out->len)
		buf_addf(out, "`%s` is at %s %%", safe.candidate, safe.percent);
	mrkdwn_cut(out, TEXT_MAX);
}

/* ---- the message ---- */

static void add_text(
	struct jsonw *w, const char *key, const char *type, const char *text)
{
	jsonw_object(w, key);
	jsonw_text(w, "type", type);
	jsonw_text(w, "text", text);
	jsonw_end(w, '}');
}

static void add_field(struct jsonw *w, const char *name, const char *value)
{
	struct buf text;

	buf_init(&text, BODY_MAX);
	buf_addf(&text, "*%s*\n", name);
	mrkdwn_escape(&text, value && *value ? value : "-");
	mrkdwn_cut(&text, FIELD_MAX);
	add_text(w, NULL, "mrkdwn", text.data);
	buf_fini(&text);
}

static void add_section(struct jsonw *w, const char *text, size_t len)
{
	char *part = xmemdup0(text, len);

	jsonw_object(w, NULL);
	jsonw_text(w, "type", "section");
	add_text(w, "text", "mrkdwn", part);
	jsonw_end(w, '}');
	free(part);
}

static void add_sections(struct jsonw *w, const struct buf *text)
{
	size_t len;

	for (size_t at = 0; at < text->len; at += len) {
		len = section_len(text->data + at, text->len - at);
		add_section(w, text->data + at, len);
	}
}

static void add_fields(struct jsonw *w, const struct template_values *v)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "section");
	jsonw_array(w, "fields");
	add_field(w, "Candidate", v->candidate);
	add_field(w, "Stable", v->stable);
	add_field(w, "Candidate's share, %", v->percent);
	add_field(w, "Region", v->region);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static void add_context(struct jsonw *w, const struct template_values *v)
{
	struct buf text;

	buf_init(&text, BODY_MAX);
	buf_addf(&text,
		"tidegate `%s` · <https://console.cloud.google.com/run/detail/"
		"%s/%s/revisions?project=%s|Cloud Run>",
		v->rollout, v->region, v->service, v->project);
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "context");
	jsonw_array(w, "elements");
	add_text(w, NULL, "mrkdwn", text.data);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
	buf_fini(&text);
}

static void make_body(const struct action_run *run, struct buf *out)
{
	struct jsonw w = {.out = out};
	struct buf header, text, brief;

	buf_init(&header, BODY_MAX);
	buf_init(&text, BODY_MAX);
	buf_addf(&header, "%s: %s", run->values->service, title_of(run));
	mrkdwn_cut(&header, HEADER_MAX);
	render_text(run, &text);
	buf_init(&brief, BODY_MAX);
	buf_addf(&brief, "%s - %s", header.data, text.data);
	mrkdwn_cut(&brief, SECTION_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "text", brief.data); /* for notifications */
	buf_fini(&brief);
	jsonw_array(&w, "blocks");
	jsonw_object(&w, NULL);
	jsonw_text(&w, "type", "header");
	add_text(&w, "text", "plain_text", header.data);
	jsonw_end(&w, '}');
	add_sections(&w, &text);
	add_fields(&w, run->values);
	add_context(&w, run->values);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	buf_fini(&header);
	buf_fini(&text);
}

/* ---- run ---- */

/* Slack's refusals are one word in the body. */
static const char *remedy_of(const struct http_reply *reply)
{
	static const struct {
		const char *word, *remedy;
	} rows[] = {
		{"invalid_token", "invalid_token: the webhook is not valid "
				  "(any more), make a new one"},
		{"no_service", "no_service: the webhook was removed or "
			       "disabled, make a new one"},
		{"no_active_hooks", "no_active_hooks: the webhook is disabled"},
		{"no_team", "no_team: the workspace is gone"},
		{"team_disabled", "team_disabled: the workspace is gone"},
		{"channel_not_found", "channel_not_found: its channel is gone"},
		{"channel_is_archived",
			"channel_is_archived: its channel is archived"},
		{"action_prohibited", "action_prohibited: an administrator "
				      "forbids it"},
		{"posting_to_general_channel_denied",
			"posting_to_general_channel_denied: use another "
			"channel"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(reply->body, rows[i].word))
			return rows[i].remedy;
	return NULL;
}

/* A proxy's page has the status of a success, too. */
static bool is_taken(const struct http_reply *reply)
{
	size_t len = reply->body_len;

	while (len && isspace((unsigned char)reply->body[len - 1]))
		len--;
	return api_call_succeeded(reply) &&
	       (!len || (len == 2 && !memcmp(reply->body, "ok", 2)));
}

static void slack_answered(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;

	run->data = NULL;
	if (is_taken(reply)) {
		buf_adds(&run->detail, "message sent");
		action_run_end(run, ACTION_OK);
		return;
	}
	api_call_failed(run, reply, reply->status ? remedy_of(reply) : NULL);
}

static void slack_begin(struct action_run *run)
{
	struct buf body;

	buf_init(&body, BODY_MAX);
	make_body(run, &body);
	run->data = api_call_start(run,
		&(struct request_spec){
			.url = secret_reveal(slack_of(run)->webhook),
			.body = body.data,
			.body_len = body.len,
		},
		slack_answered);
	buf_fini(&body);
}

static void slack_drill(struct action_run *run)
{
	struct buf text;

	buf_init(&text, BODY_MAX);
	render_text(run, &text);
	buf_addf(&run->detail, "would send a message: %s", text.data);
	buf_fini(&text);
	action_run_end_soon(run, ACTION_OK);
}

static void slack_stop(struct action_run *run)
{
	struct request *request = run->data;

	request_cancel(&request);
	run->data = NULL;
}

const struct action_type action_type_slack = {
	.tells_people = true,
	.check = slack_check,
	.start = {[JOB_RUN] = slack_begin, [JOB_DRILL] = slack_drill},
	.cancel = slack_stop,
};
