/* SPDX-License-Identifier: Apache-2.0 */
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
	if (secret)
		learn_webhook(loader, secret);
	if (secret && !may_be_placeholder(loader, value) &&
		url_parse(secret_reveal(secret), &url, &err) < 0)
		problem_at(loader, value, "%s", err.text);
}

static const struct reader slack_url_reader = {read_slack_url, "${VAR}",
	"'type': 'string', 'pattern': " VARIABLE_PATTERN};
static const struct reader slack_file_reader = {
	read_slack_url, "a file", "'type': 'string'"};
static const struct rule slack_rules[] = {
	{RULE_ONE_OF, {"webhook", "webhook_file"}}, {RULE_END}};

static const struct key slack_keys[] = {
	IDEMPOTENT("false"),
	{"webhook", &slack_url_reader, .about = "The URL, as ${VAR}"},
	{"webhook_file", &slack_file_reader, .detail = &from_file,
		.about = "The file that holds it, one line"},
	{"text", &template_reader, AT(text), .about = "Default: the reason"},
	{0},
};

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
	.section = {"a slack action", slack_keys, .base = &every_action_section,
		.def = "slack", .about = "A message to an incoming webhook",
		.chosen = "slack", .rules = slack_rules},
	.finish = finish_slack,
	.plan = plan_slack,
};
