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

static void read_pagerduty_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;

	action->u.pagerduty.url = secret_url(loader, value, false, NULL);
}

static void read_severity(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct choice severities[] = {{"critical", 0},
		{"error", 1}, {"warning", 2}, {"info", 3}, {0}};
	struct action *action = into;
	int severity;

	if (choose(loader, value, severities, &severity))
		action->u.pagerduty.severity = severities[severity].name;
}

static const struct key pagerduty_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("true"), /* the incident keeps its dedup_key */
	{"routing_key", read_routing_key},
	{"routing_key_file", read_routing_key, .detail = &from_file},
	{"severity", read_severity, .value = "critical"},
	{"url", read_pagerduty_url},
	{0},
};

const struct section pagerduty_section = {"a pagerduty action", pagerduty_keys};

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
	.section = &pagerduty_section,
	.finish = finish_pagerduty,
	.plan = plan_pagerduty,
};
