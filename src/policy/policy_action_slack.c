/* Actions of type slack: a message to an incoming webhook. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"
#include "policy/url.h"

#define AT(member) offsetof(struct action, u.slack.member)

static void read_slack_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;
	struct secret *secret =
		variable_or_file(loader, value, key, "webhook_file");
	struct url url;
	struct err err;

	action->u.slack.webhook = secret;
	if (secret && !may_be_placeholder(loader, value) &&
		url_parse(secret_reveal(secret), &url, &err) < 0)
		problem_at(loader, value, "%s", err.text);
}

static const struct key slack_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("false"),
	{"webhook", read_slack_url},
	{"webhook_file", read_slack_url, .detail = &from_file},
	{"text", read_template, AT(text)},
	{0},
};

const struct section slack_section = {"a slack action", slack_keys};

static void finish_slack(
	struct loader *loader, const struct node *node, struct action *action)
{
	need_one_of(loader, node, "webhook", "webhook_file");
}

static void plan_slack(struct buf *out, const struct action *action)
{
	const char *text = action->u.slack.text;

	/* Its address is a secret. */
	plan_named(out, "slack message ", text ? text : "{{reason}}");
}

const struct policy_action policy_action_slack = {
	.section = &slack_section,
	.finish = finish_slack,
	.plan = plan_slack,
};
