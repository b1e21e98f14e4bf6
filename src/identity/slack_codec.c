/* SPDX-License-Identifier: Apache-2.0 */
/* Slack's requests; see slack_codec.h. */
#include "identity/slack_codec.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "identity/mac.h"

#define TIMESTAMP_DIGITS_MAX 12
#define ANSWERS              "https://hooks.slack.com"
#define URL_MAX              1024
#define TRIGGER_MAX          512

/* ---- whether it is Slack's ---- */

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_signature(const char *text, unsigned char mac_r[MAC_BYTES])
{
	int high, low;

	if (!text || strncmp(text, "v0=", 3) != 0 ||
		strlen(text) != 3 + 2 * MAC_BYTES)
		return -1;
	text += 3;
	for (int i = 0; i < MAC_BYTES; i++, text += 2) {
		high = nibble(text[0]);
		low = nibble(text[1]);
		if (high < 0 || low < 0)
			return -1;
		mac_r[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

static int check_timestamp(
	const char *text, int64_t now_s, struct refusal *refusal_r)
{
	size_t len = text ? strlen(text) : 0;
	int64_t at_s;

	if (!len || len > TIMESTAMP_DIGITS_MAX ||
		strspn(text, "0123456789") != len)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"X-Slack-Request-Timestamp is no number of seconds");
	at_s = strtoll(text, NULL, 10);
	if (at_s < now_s - SLACK_SKEW_S || at_s > now_s + SLACK_SKEW_S)
		return refuse(refusal_r, REFUSAL_TIME,
			"Slack's request is of %+lld s from now, %d s are "
			"taken",
			(long long)(at_s - now_s), SLACK_SKEW_S);
	return 0;
}

int slack_check_signature(const struct secret *secret, const char *timestamp,
	const char *signature, const char *body, size_t len, int64_t now_s,
	struct refusal *refusal_r)
{
	unsigned char theirs[MAC_BYTES], ours[MAC_BYTES];

	if (check_timestamp(timestamp, now_s, refusal_r) < 0)
		return -1;
	if (parse_signature(signature, theirs) < 0)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"X-Slack-Signature is not v0= and 64 digits");
	mac_make(secret_reveal(secret), secret_len(secret),
		(const struct mac_part[]){{"v0:", 3},
			{timestamp, strlen(timestamp)}, {":", 1}, {body, len},
			{NULL, 0}},
		ours);
	if (!mac_is_same(theirs, ours))
		return refuse(refusal_r, REFUSAL_SIGNATURE,
			"X-Slack-Signature is not by our signing secret");
	return 0;
}

/* ---- what is in it ---- */

bool slack_may_answer(const char *url, const char *answers)
{
	const char *below = answers ? answers : ANSWERS;
	size_t len = strlen(below);

	return strncmp(url, below, len) == 0 && url[len] == '/' &&
	       !strpbrk(url, " \t\r\n@\\#");
}

struct take {
	struct arena *arena;
	struct refusal *refusal;
	int rc;
};

/* Absent and null give NULL; what is no text of that length is refused. */
static const char *take(
	struct take *t, const json_t *object, const char *name, size_t max)
{
	const json_t *member = json_object_get(object, name);
	size_t len = json_string_length(member);

	if (!member || json_is_null(member))
		return NULL;
	if (!json_is_string(member) || len > max ||
		strlen(json_string_value(member)) != len) {
		t->rc = refuse(t->refusal, REFUSAL_MALFORMED,
			"%s is not a text of at most %zu bytes", name, max);
		return NULL;
	}
	return arena_strdup(t->arena, json_string_value(member));
}

static void take_button(
	struct take *t, const json_t *root, struct slack_action *a)
{
	const json_t *actions = json_object_get(root, "actions");
	const json_t *button = json_array_get(actions, 0);

	if (json_array_size(actions) != 1 || !json_is_object(button)) {
		t->rc = refuse(t->refusal, REFUSAL_MALFORMED,
			"actions is not a list of one");
		return;
	}
	a->action_id = take(t, button, "action_id", SLACK_WORD_MAX);
	a->value = take(t, button, "value", SLACK_VALUE_MAX);
	a->action_ts = take(t, button, "action_ts", SLACK_WORD_MAX);
	a->channel =
		take(t, json_object_get(root, "channel"), "id", SLACK_WORD_MAX);
	a->message_ts = take(t, json_object_get(root, "container"),
		"message_ts", SLACK_WORD_MAX);
}

static void take_view(
	struct take *t, const json_t *root, struct slack_action *a)
{
	const json_t *view = json_object_get(root, "view");
	const json_t *values =
		json_object_get(json_object_get(view, "state"), "values");
	const json_t *input = json_object_get(
		json_object_get(values, SLACK_COMMENT_ID), SLACK_COMMENT_ID);

	a->callback_id = take(t, view, "callback_id", SLACK_WORD_MAX);
	a->metadata = take(t, view, "private_metadata", SLACK_VALUE_MAX);
	a->comment = take(t, input, "value", SLACK_TEXT_MAX);
}

static int take_all(struct take *t, const json_t *root, const char *answers,
	struct slack_action *a)
{
	const json_t *user = json_object_get(root, "user");

	a->type = take(t, root, "type", SLACK_WORD_MAX);
	a->app = take(t, root, "api_app_id", SLACK_WORD_MAX);
	a->team = take(t, json_object_get(root, "team"), "id", SLACK_WORD_MAX);
	a->user = take(t, user, "id", SLACK_WORD_MAX);
	a->user_team = take(t, user, "team_id", SLACK_WORD_MAX);
	a->trigger_id = take(t, root, "trigger_id", TRIGGER_MAX);
	a->response_url = take(t, root, "response_url", URL_MAX);
	if (a->response_url && !slack_may_answer(a->response_url, answers))
		a->response_url = NULL;
	if (t->rc == 0 && a->type && strcmp(a->type, "block_actions") == 0)
		take_button(t, root, a);
	else if (t->rc == 0 && a->type &&
		 strcmp(a->type, "view_submission") == 0)
		take_view(t, root, a);
	if (t->rc == 0 && (!a->type || !a->app || !a->user || !*a->user))
		t->rc = refuse(t->refusal, REFUSAL_MALFORMED,
			"type, api_app_id or user is missing");
	return t->rc;
}

int slack_decode(const char *body, size_t len, const char *answers,
	struct arena *arena, struct slack_action *action_r,
	struct refusal *refusal_r)
{
	struct take t = {.arena = arena, .refusal = refusal_r};
	const char *payload;
	struct form form;
	struct err err;
	json_t *root;
	int rc;

	*action_r = (struct slack_action){0};
	if (form_parse(body, len, arena, &form, &err) < 0)
		return refuse(refusal_r, REFUSAL_MALFORMED, "%s", err.text);
	payload = form_get(&form, "payload");
	if (!payload || form.n != 1)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"the form is not one field payload");
	root = json_loads(payload, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(root))
		rc = take_all(&t, root, answers, action_r);
	else
		rc = refuse(refusal_r, REFUSAL_MALFORMED,
			"payload is not a JSON object");
	json_decref(root);
	return rc;
}
