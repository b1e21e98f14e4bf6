/* Buttons in Slack; see ask_slack.h. */
#include "identity/ask_slack.h"

#include <string.h>

#include "base/xalloc.h"
#include "identity/slack_codec.h"
#include "io/loop.h"
#include "io/server.h"

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

void ask_slack_start(struct ask *ask, const struct issuer_config *config)
{
	struct slack_action *action = arena_alloc(&ask->arena, sizeof(*action));
	struct server_request *request = ask->request;
	const char *timestamp =
		request_header(request, "X-Slack-Request-Timestamp");
	const char *signature = request_header(request, "X-Slack-Signature");
	int64_t now_ms = loop_wall_ms(ask->common->loop);
	size_t len;
	const char *body = request_body(request, &len);
	char *what;

	if (slack_check_signature(config->signing_secret, timestamp, signature,
		    body, len, now_ms / 1000, &ask->refusal) < 0 ||
		slack_decode(body, len, &ask->arena, action, &ask->refusal) <
			0 ||
		check_whose(ask, config, action) < 0) {
		ask_refuse(ask);
		return;
	}
	ask->action = action;
	what = xasprintf("slack:%s:%s", timestamp, signature);
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
