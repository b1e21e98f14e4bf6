/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type pagerduty: an incident. */
#include <ctype.h>

#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define ROUTING_KEY_LEN 32

#define AT(member) offsetof(struct action, u.pagerduty.member)

static void read_routing_key(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;
	struct secret *secret =
		variable_or_file(loader, value, key, "routing_key_file");
	const char *p;

	action->u.pagerduty.routing_key = secret;
	if (!secret || may_be_placeholder(loader, value))
		return;
	for (p = secret_reveal(secret); isalnum((unsigned char)*p);)
		p++;
	if (*p || secret_len(secret) != ROUTING_KEY_LEN)
		problem_at(loader, value,
			"this is not an Events API v2 routing key, which has "
			"%d letters and digits",
			ROUTING_KEY_LEN);
}

static const struct reader routing_key_reader = {read_routing_key, "${VAR}",
	"'type': 'string', 'pattern': " VARIABLE_PATTERN};
static const struct reader routing_file_reader = {
	read_routing_key, "a file", "'type': 'string'"};
static const struct rule pagerduty_rules[] = {
	{RULE_ONE_OF, {"routing_key", "routing_key_file"}}, {RULE_END}};
static const struct choice severities[] = {
	{"critical", 0}, {"error", 1}, {"warning", 2}, {"info", 3}, {0}};

static const struct key pagerduty_keys[] = {
	IDEMPOTENT("true"), /* the incident keeps its dedup_key */
	{"routing_key", &routing_key_reader,
		.about = "Of an Events API v2 integration, as ${VAR}"},
	{"routing_key_file", &routing_file_reader, .detail = &from_file,
		.about = "The file that holds it, one line"},
	{"severity", &word_reader, AT(severity), severities,
		.value = "critical", .about = "Of the incident"},
	{"url", &url_reader, AT(url),
		.about = "Default: https://events.pagerduty.com/v2/enqueue"},
	{0},
};

static void finish_pagerduty(
	struct loader *loader, const struct node *node, struct action *action)
{
	need_one_of(loader, node, "routing_key", "routing_key_file");
}

static void plan_pagerduty(struct buf *out, const struct action *action)
{
	plan_named(out, "pagerduty ", action->u.pagerduty.severity);
}

const struct policy_action policy_action_pagerduty = {
	.section = {"a pagerduty action", pagerduty_keys,
		.base = &every_action_section, .def = "pagerduty",
		.about = "Triggers an incident; in hooks.promoted resolves it",
		.chosen = "pagerduty", .rules = pagerduty_rules},
	.finish = finish_pagerduty,
	.plan = plan_pagerduty,
};
