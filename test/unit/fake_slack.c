/* SPDX-License-Identifier: Apache-2.0 */
/* A Slack; see fake_slack.h. Limits: https://docs.slack.dev/reference/block-kit */
#include "fake_slack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "identity/mac.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define BODY_MAX  4096

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- blocks ---- */

/* In characters. NULL: fine. */
static const char *text_problem(
	const json_t *text, const char *type, size_t max)
{
	const char *s = text_of(text, "text");
	size_t n = 0, len;
	uint32_t c;

	for (const char *p = s; *p; p += len, n++)
		if (!(len = utf8_decode(p, &c)))
			return "invalid UTF-8";
	if (strcmp(text_of(text, "type"), type) != 0 || !n || n > max)
		return "a text of the wrong type, empty or too long";
	if (strcmp(type, "mrkdwn") != 0)
		return NULL;
	/* Links of ours alone: no mention of a person, a channel, everybody. */
	for (const char *p = s; (p = strchr(p, '<')); p++)
		if (strncmp(p, "<https://", 9) != 0 || !strchr(p, '>'))
			return "a mention, or a bare <";
	return NULL;
}

static const char *confirm_problem(const json_t *confirm)
{
	static const struct {
		const char *name;
		size_t max;
	} parts[] = {
		{"title", 100}, {"text", 300}, {"confirm", 30}, {"deny", 30}};
	const char *problem;

	for (size_t i = 0; confirm && i < 4; i++) {
		problem = text_problem(json_object_get(confirm, parts[i].name),
			"plain_text", parts[i].max);
		if (problem)
			return problem;
	}
	return NULL;
}

static const char *button_problem(const json_t *button)
{
	const char *style = text_of(button, "style");
	const char *problem =
		text_problem(json_object_get(button, "text"), "plain_text", 75);

	if (problem)
		return problem;
	if (strcmp(text_of(button, "type"), "button") != 0 ||
		!*text_of(button, "action_id") ||
		strlen(text_of(button, "action_id")) > 255 ||
		strlen(text_of(button, "value")) > 2000)
		return "a button that is none, or has too long a value";
	if (*style && strcmp(style, "primary") != 0 &&
		strcmp(style, "danger") != 0)
		return "a style that is none";
	return confirm_problem(json_object_get(button, "confirm"));
}

static const char *actions_problem(const json_t *elements)
{
	const char *problem;

	if (!json_array_size(elements) || json_array_size(elements) > 25)
		return "1 to 25 elements";
	for (size_t i = 0; i < json_array_size(elements); i++) {
		problem = button_problem(json_array_get(elements, i));
		for (size_t j = 0; j < i; j++)
			if (!strcmp(text_of(json_array_get(elements, i),
					    "action_id"),
				    text_of(json_array_get(elements, j),
					    "action_id")))
				return "an action_id twice";
		if (problem)
			return problem;
	}
	return NULL;
}

static const char *input_problem(const json_t *block)
{
	const json_t *element = json_object_get(block, "element");

	if (strcmp(text_of(element, "type"), "plain_text_input") != 0 ||
		!*text_of(element, "action_id") ||
		json_integer_value(json_object_get(element, "max_length")) >
			3000)
		return "no input";
	return text_problem(
		json_object_get(block, "label"), "plain_text", 2000);
}

static const char *block_problem(const json_t *block, bool in_modal)
{
	const char *type = text_of(block, "type");
	const json_t *elements = json_object_get(block, "elements");

	if (strlen(text_of(block, "block_id")) > 255)
		return "a block_id of more than 255";
	if (!strcmp(type, "section"))
		return text_problem(
			json_object_get(block, "text"), "mrkdwn", 3000);
	if (!strcmp(type, "context") && json_array_size(elements) == 1)
		return text_problem(
			json_array_get(elements, 0), "mrkdwn", 3000);
	if (!strcmp(type, "actions") && !in_modal)
		return actions_problem(elements);
	if (!strcmp(type, "input") && in_modal)
		return input_problem(block);
	return "an unknown block";
}

static const char *blocks_problem(const json_t *blocks, bool in_modal)
{
	const char *problem;
	const json_t *block;
	size_t i;

	if (!json_array_size(blocks) ||
		json_array_size(blocks) > (in_modal ? 100 : 50))
		return "1 to 50 blocks";
	json_array_foreach(blocks, i, block) {
		problem = block_problem(block, in_modal);
		if (problem)
			return problem;
	}
	return NULL;
}

/* ---- answers ---- */

static void say(struct server_request *request, int status, const json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	request_answer(request, status, JSON_TYPE, text, strlen(text));
	free(text);
}

static void say_ok(struct server_request *request, json_t *body)
{
	json_object_set_new(body, "ok", json_true());
	say(request, 200, body);
	json_decref(body);
}

static void say_error(struct fake_slack *fake, struct server_request *request,
	const char *word, const char *why)
{
	json_t *body = json_pack("{s:b, s:s}", "ok", 0, "error", word);

	fake->refused++;
	snprintf(fake->why, sizeof(fake->why), "%s: %s", word, why);
	say(request, 200, body);
	json_decref(body);
}

static void say_limited(struct fake_slack *fake, struct server_request *request)
{
	fake->limited++;
	json_t *body = json_pack("{s:b, s:s}", "ok", 0, "error", "ratelimited");

	request_set_header(request, "Retry-After",
		fake->retry_after ? fake->retry_after : "1");
	say(request, 429, body);
	json_decref(body);
}

static void hold(struct fake_slack *fake, struct server_request *request)
{
	if (fake->n_held == 64)
		abort();
	fake->held[fake->n_held++] = request;
}

/* ---- messages ---- */

static bool has_only(const json_t *object, const char *const *names)
{
	const char *key;
	json_t *value;
	bool known;

	json_object_foreach((json_t *)object, key, value) {
		known = false;
		for (const char *const *name = names; *name; name++)
			known |= !strcmp(*name, key);
		if (!known)
			return false;
	}
	return true;
}

/* Slack's word; NULL: it is fine. */
static const char *message_problem(
	struct fake_slack *fake, const json_t *m, bool is_new)
{
	static const char *const posted[] = {"channel", "text", "blocks",
		"metadata", "unfurl_links", "unfurl_media", NULL};
	static const char *const changed[] = {
		"channel", "ts", "text", "blocks", "metadata", NULL};
	const json_t *metadata = json_object_get(m, "metadata");
	const char *channel = text_of(m, "channel"), *problem;

	if (!has_only(m, is_new ? posted : changed))
		return "invalid_arguments";
	if (strcmp(channel, "C1") != 0 && strcmp(channel, "C2") != 0)
		return "not_in_channel";
	if (!*text_of(m, "text") || strlen(text_of(m, "text")) > 4000 ||
		strstr(text_of(m, "text"), "<!"))
		return "no_text";
	if (!*text_of(metadata, "event_type") ||
		!json_is_object(json_object_get(metadata, "event_payload")))
		return "invalid_metadata_format";
	problem = blocks_problem(json_object_get(m, "blocks"), false);
	if (problem)
		snprintf(fake->why, sizeof(fake->why), "%s", problem);
	return problem ? "invalid_blocks" : NULL;
}

static bool is_too_fast(struct fake_slack *fake, const char *channel)
{
	int i = channel[1] == '2';
	int64_t now_ms = loop_now(fake->loop);
	bool fast = fake->last_ms[i] && now_ms - fake->last_ms[i] < 990;

	fake->last_ms[i] = now_ms;
	return fast;
}

static void tell_post(struct fake_slack *fake, struct server_request *request,
	const struct fake_post *post)
{
	if (fake->mood == FAKE_SLACK_SWALLOWS)
		hold(fake, request);
	else
		say_ok(request, json_pack("{s:s, s:s}", "channel",
					post->channel, "ts", post->ts));
}

static void post(
	struct fake_slack *fake, struct server_request *request, json_t *m)
{
	struct fake_post *post = &fake->posts[fake->n_posts];

	if (fake->n_posts == FAKE_SLACK_POSTS)
		abort();
	fake->n_posts++;
	snprintf(post->channel, sizeof(post->channel), "%s",
		text_of(m, "channel"));
	snprintf(post->ts, sizeof(post->ts), "%lld.%06d",
		(long long)(loop_wall_ms(fake->loop) / 1000), fake->n_posts);
	post->body = json_incref(m);
	tell_post(fake, request, post);
}

static void update(
	struct fake_slack *fake, struct server_request *request, json_t *m)
{
	for (int i = 0; i < fake->n_posts; i++) {
		struct fake_post *post = &fake->posts[i];

		if (strcmp(post->ts, text_of(m, "ts")) != 0 ||
			strcmp(post->channel, text_of(m, "channel")) != 0)
			continue;
		json_decref(post->body);
		post->body = json_incref(m);
		post->updates++;
		tell_post(fake, request, post);
		return;
	}
	say_error(fake, request, "message_not_found", text_of(m, "ts"));
}

static void write_message(struct fake_slack *fake,
	struct server_request *request, json_t *m, bool is_new)
{
	const char *problem = message_problem(fake, m, is_new);

	if (problem)
		say_error(fake, request, problem, fake->why);
	else if (is_too_fast(fake, text_of(m, "channel")))
		say_limited(fake, request);
	else if (is_new)
		post(fake, request, m);
	else
		update(fake, request, m);
}

/* The newest first, one on a page, so that pages are turned. */
static void history(struct fake_slack *fake, struct server_request *request)
{
	const char *channel = request_query(request, "channel");
	const char *oldest = request_query(request, "oldest");
	const char *latest = request_query(request, "latest");
	const char *cursor = request_query(request, "cursor");
	const char *all = request_query(request, "include_all_metadata");
	int at = cursor ? atoi(cursor) : fake->n_posts - 1;
	json_t *messages = json_array();
	const struct fake_post *post;
	char next[16] = "";

	for (; at >= 0 && !json_array_size(messages); at--) {
		post = &fake->posts[at];
		if (!channel || strcmp(post->channel, channel) != 0 ||
			(oldest && strcmp(post->ts, oldest) < 0) ||
			(latest && strcmp(post->ts, latest) > 0))
			continue;
		json_array_append_new(messages,
			json_pack("{s:s, s:s, s:O}", "type", "message", "ts",
				post->ts, "metadata",
				json_object_get(post->body, "metadata")));
		if (!all || strcmp(all, "true") != 0)
			json_object_del(
				json_array_get(messages, 0), "metadata");
	}
	if (at >= 0)
		snprintf(next, sizeof(next), "%d", at);
	say_ok(request, json_pack("{s:o, s:b, s:{s:s}}", "messages", messages,
				"has_more", at >= 0, "response_metadata",
				"next_cursor", next));
}

const char *fake_slack_message_problem(const json_t *body)
{
	struct fake_slack fake = {0};

	return message_problem(&fake, body, !json_object_get(body, "ts"));
}

const char *fake_slack_view_problem(const json_t *body)
{
	const json_t *view = json_object_get(body, "view");
	const char *problem =
		blocks_problem(json_object_get(view, "blocks"), true);

	if (!problem)
		problem = text_problem(
			json_object_get(view, "title"), "plain_text", 24);
	if (!problem)
		problem = text_problem(
			json_object_get(view, "submit"), "plain_text", 24);
	if (!problem &&
		(strcmp(text_of(view, "type"), "modal") != 0 ||
			strlen(text_of(view, "private_metadata")) > 3000 ||
			!*text_of(view, "callback_id")))
		problem = "no modal";
	return problem;
}

static void open_view(struct fake_slack *fake, struct server_request *request,
	const json_t *body)
{
	const char *problem = fake_slack_view_problem(body);

	if (strcmp(text_of(body, "trigger_id"), "trigger") != 0)
		say_error(fake, request, "expired_trigger_id", "");
	else if (problem)
		say_error(fake, request, "invalid_arguments", problem);
	else {
		json_decref(fake->view);
		fake->view = json_incref(json_object_get(body, "view"));
		say_ok(request, json_object());
	}
}

/* ---- the server ---- */

static bool is_method(const char *path, const char *method)
{
	return !strncmp(path, "/api/", 5) && !strcmp(path + 5, method);
}

static void call(struct fake_slack *fake, struct server_request *request,
	const char *path, json_t *body)
{
	if (is_method(path, "chat.postMessage"))
		write_message(fake, request, body, true);
	else if (is_method(path, "chat.update"))
		write_message(fake, request, body, false);
	else if (is_method(path, "conversations.history") &&
		 fake->mood == FAKE_SLACK_SCOPE)
		say_error(fake, request, "missing_scope", "channels:history");
	else if (is_method(path, "conversations.history"))
		history(fake, request);
	else if (is_method(path, "views.open"))
		open_view(fake, request, body);
	else
		say_error(fake, request, "unknown_method", path);
}

static void authorised(struct fake_slack *fake, struct server_request *request,
	const char *path, json_t *body)
{
	const char *token = request_header(request, "Authorization");
	const char *type = request_header(request, "Content-Type");
	bool reads = !strcmp(request_method(request), "GET");

	if (!token || strcmp(token, "Bearer " FAKE_SLACK_TOKEN) != 0)
		say_error(fake, request, "invalid_auth", "");
	else if (!reads && (!type || strcmp(type, JSON_TYPE) != 0 || !body))
		say_error(fake, request, "invalid_form_data", "");
	else
		call(fake, request, path, body);
}

static void take_answer(
	struct fake_slack *fake, struct server_request *request, json_t *body)
{
	/* The token is for the API alone. */
	if (request_header(request, "Authorization") ||
		!*text_of(body, "text") ||
		strcmp(text_of(body, "response_type"), "ephemeral") != 0) {
		say_error(fake, request, "invalid_payload", "");
		return;
	}
	json_decref(fake->answer);
	fake->answer = json_incref(body);
	fake->answers++;
	request_answer(request, 200, "text/plain", "ok", 2);
}

/* For tests that have it as a program. */
static void tell_state(struct fake_slack *fake, struct server_request *request)
{
	json_t *posts = json_array(), *state;

	for (int i = 0; i < fake->n_posts; i++)
		json_array_append_new(
			posts, json_pack("{s:s, s:i, s:O}", "channel",
				       fake->posts[i].channel, "updates",
				       fake->posts[i].updates, "body",
				       fake->posts[i].body));
	state = json_pack("{s:o, s:i, s:s, s:i, s:i}", "posts", posts,
		"refused", fake->refused, "why", fake->why, "limited",
		fake->limited, "calls", fake->calls);
	say(request, 200, state);
	json_decref(state);
}

static void control(struct fake_slack *fake, struct server_request *request,
	const char *path)
{
	if (!strcmp(path, "/fake/well"))
		fake->mood = FAKE_SLACK_WELL;
	else if (!strcmp(path, "/fake/swallows"))
		fake->mood = FAKE_SLACK_SWALLOWS;
	tell_state(fake, request);
}

static void answer(struct server_request *request, void *arg)
{
	struct fake_slack *fake = arg;
	const char *path = request_path(request), *text;
	json_t *body, *down;
	size_t len;

	if (!strncmp(path, "/fake", 5)) {
		control(fake, request, path);
		return;
	}
	text = request_body(request, &len);
	body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	fake->calls++;
	if (!strncmp(path, "/api/response/", 14)) {
		take_answer(fake, request, body);
	} else if (fake->mood == FAKE_SLACK_LIMITED) {
		say_limited(fake, request);
	} else if (fake->mood == FAKE_SLACK_DOWN) {
		down = json_object();
		say(request, 503, down);
		json_decref(down);
	} else if (fake->mood == FAKE_SLACK_HANGS) {
		hold(fake, request);
	} else {
		authorised(fake, request, path, body);
	}
	json_decref(body);
}

void fake_slack_open(struct fake_slack *fake, struct loop *loop, int port)
{
	struct err err;

	fake->loop = loop;
	fake->server = server_new(loop, port, answer, fake, &err);
	if (!fake->server) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

void fake_slack_close(struct fake_slack *fake)
{
	server_free(&fake->server);
	for (int i = 0; i < fake->n_held; i++)
		request_answer(fake->held[i], 500, NULL, NULL, 0);
	fake->n_held = 0;
}

void fake_slack_fini(struct fake_slack *fake)
{
	if (fake->server)
		fake_slack_close(fake);
	for (int i = 0; i < fake->n_posts; i++)
		json_decref(fake->posts[i].body);
	json_decref(fake->view);
	json_decref(fake->answer);
	*fake = (struct fake_slack){0};
}

char *fake_slack_url(const struct fake_slack *fake)
{
	return xasprintf("http://127.0.0.1:%d/api", server_port(fake->server));
}

/* ---- what was posted ---- */

const struct fake_post *fake_slack_post(
	const struct fake_slack *fake, const char *channel, int n)
{
	for (int i = 0; i < fake->n_posts; i++)
		if (!strcmp(fake->posts[i].channel, channel) && !n--)
			return &fake->posts[i];
	return NULL;
}

bool fake_post_has(const struct fake_post *post, const char *text)
{
	char *dumped = post ? json_dumps(post->body, JSON_COMPACT) : NULL;
	bool has = dumped && strstr(dumped, text);

	free(dumped);
	return has;
}

const char *fake_post_button(const struct fake_post *post, const char *verb)
{
	const json_t *blocks =
		post ? json_object_get(post->body, "blocks") : NULL;
	const json_t *block, *element;
	size_t i, j;

	json_array_foreach(blocks, i, block) {
		json_array_foreach(
			json_object_get(block, "elements"), j, element) {
			if (!strcmp(text_of(element, "action_id"), verb))
				return text_of(element, "value");
		}
	}
	return NULL;
}

/* ---- what Slack sends ---- */

/* No two presses are the same bytes. */
static json_t *press_json(const struct fake_press *press)
{
	static int presses;
	const char *team = press->team ? press->team : FAKE_SLACK_TEAM;
	json_t *root = json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:s, s:i}",
		"type", press->type ? press->type : "block_actions",
		"api_app_id", press->app ? press->app : FAKE_SLACK_APP, "team",
		"id", team, "user", "id", press->user ? press->user : "U1",
		"team_id", team, "trigger_id",
		press->trigger ? press->trigger : "trigger", "press",
		presses++);

	if (press->metadata)
		json_object_set_new(root, "view",
			json_pack("{s:s, s:s, s:{s:{s:{s:{s:s?}}}}}",
				"callback_id", "decide", "private_metadata",
				press->metadata, "state", "values", "comment",
				"comment", "value", press->comment));
	if (press->verb)
		json_object_set_new(root, "actions",
			json_pack("[{s:s, s:s, s:s}]", "action_id", press->verb,
				"value", press->value, "action_ts", "1.2"));
	if (press->answer_url)
		json_object_set_new(
			root, "response_url", json_string(press->answer_url));
	return root;
}

char *fake_slack_payload(const struct fake_press *press)
{
	json_t *root = press_json(press);
	char *text = json_dumps(root, JSON_COMPACT);
	char *escaped = http_escape(text);
	char *body = xasprintf("payload=%s", escaped);

	free(escaped);
	free(text);
	json_decref(root);
	return body;
}

char *fake_slack_sign(const char *body, int64_t now_s)
{
	char *at = xasprintf("%lld", (long long)now_s), *headers;
	unsigned char mac[MAC_BYTES];
	char hex[2 * MAC_BYTES + 1];

	mac_make(FAKE_SLACK_SECRET, strlen(FAKE_SLACK_SECRET),
		(const struct mac_part[]){{"v0:", 3}, {at, strlen(at)},
			{":", 1}, {body, strlen(body)}, {NULL, 0}},
		mac);
	for (int i = 0; i < MAC_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	headers = xasprintf("X-Slack-Request-Timestamp: %s\n"
			    "X-Slack-Signature: v0=%s",
		at, hex);
	free(at);
	return headers;
}
