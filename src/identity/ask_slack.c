/* SPDX-License-Identifier: Apache-2.0 */
/* Buttons in Slack; see ask_slack.h. */
#include "identity/ask_slack.h"

#include <string.h>

#include "base/xalloc.h"
#include "identity/slack_codec.h"
#include "io/loop.h"
#include "io/server.h"

#define SLACK_TIMESTAMP "X-Slack-Request-Timestamp"
#define SLACK_SIGNATURE "X-Slack-Signature"

static void slack_seen(const struct stored *stored, void *arg);

/* The workspace is ours, and so is the person's: others may share a channel. */
static int check_whose(struct ask *ask, const struct issuer_config *config,
	const struct slack_action *action)
{
	if (strcmp(action->app, config->app) != 0)
		return refuse(&ask->refusal, REFUSAL_APP,
			"api_app_id is %.60s, not %.60s", action->app,
			config->app);
	if (!action->team || strcmp(action->team, config->team) != 0)
		return refuse(&ask->refusal, REFUSAL_TEAM,
			"team is %.60s, not %.60s",
			action->team ? action->team : "missing", config->team);
	if (action->user_team && strcmp(action->user_team, config->team) != 0)
		return refuse(&ask->refusal, REFUSAL_TEAM,
			"the person is of team %.60s, not %.60s",
			action->user_team, config->team);
	return 0;
}

/* NULL with ask->refusal. */
static const struct issuer_config *signed_for(
	struct ask *ask, const struct issuer_config *issuers, size_t n)
{
	struct server_request *request = ask->request;
	const char *timestamp = request_header(request, SLACK_TIMESTAMP);
	const char *signature = request_header(request, SLACK_SIGNATURE);
	int64_t now_s = loop_wall_ms(ask->common->loop) / 1000;
	size_t len;
	const char *body = request_body(request, &len);

	(void)refuse(&ask->refusal, REFUSAL_UNSUPPORTED,
		"Slack is no identity that is configured");
	for (size_t i = 0; i < n; i++) {
		if (issuers[i].kind == ISSUER_SLACK &&
			slack_check_signature(issuers[i].signing_secret,
				timestamp, signature, body, len, now_s,
				&ask->refusal) == 0)
			return &issuers[i];
	}
	return NULL;
}

void ask_slack_start(
	struct ask *ask, const struct issuer_config *issuers, size_t n)
{
	struct slack_action *action = arena_alloc(&ask->arena, sizeof(*action));
	const struct issuer_config *config = signed_for(ask, issuers, n);
	int64_t now_ms = loop_wall_ms(ask->common->loop);
	size_t len;
	const char *body = request_body(ask->request, &len);
	char *what;

	if (!config ||
		slack_decode(body, len, config->api_url, &ask->arena, action,
			&ask->refusal) < 0 ||
		check_whose(ask, config, action) < 0) {
		ask_refuse(ask);
		return;
	}
	ask->refusal = (struct refusal){0};
	ask->action = action;
	what = xasprintf("slack:%s:%s",
		request_header(ask->request, SLACK_TIMESTAMP),
		request_header(ask->request, SLACK_SIGNATURE));
	identity_store_seen(ask->common->store, what, now_ms,
		now_ms + SLACK_REPLAY_S * 1000, slack_seen, ask);
	xfree(&what);
}

static void slack_seen(const struct stored *stored, void *arg)
{
	struct ask *ask = arg;

	if (stored->found < 0) {
		ask_refuse_store(ask, &stored->err);
		return;
	}
	if (!stored->found) {
		(void)refuse(&ask->refusal, REFUSAL_REPLAY,
			"Slack's request came before");
		ask_refuse(ask);
		return;
	}
	ask->caller.method = "slack";
	ask->caller.is_vetted = true;
	ask_key(ask, "slack:%s/%s", ask->action->team, ask->action->user);
	ask_accept(ask);
}
