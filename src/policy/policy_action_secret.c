/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type secret: a version is added to a secret of Secret Manager. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.secret.member)

static void read_secret_value(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;

	action->u.secret.value = secret_template(loader, value);
}

static const struct reader value_reader = {
	read_secret_value, "a template", TEXT_SCHEMA};
static const struct rule secret_rules[] = {
	{RULE_ONE_OF, {"value", "restore"}}, {RULE_END}};

static const struct key secret_keys[] = {
	IDEMPOTENT("true"), /* it looks whether the value is there */
	{"project", &path_part_reader, AT(project),
		"-.:", .about = "Default: the service's"},
	{"secret", &path_part_reader, AT(secret), "-_", .need = KEY_REQUIRED,
		.about = "Its name"},
	{"value", &value_reader, .about = "With ${VAR} and {{templates}}"},
	{"restore", &bool_reader, AT(restore), .value = "false",
		.about = "Instead of value: what it held in preflight"},
	{0},
};

static void finish_secret(
	struct loader *loader, const struct node *node, struct action *action)
{
	const struct action_secret *secret = &action->u.secret;

	if (secret->restore && node_get(node, "value"))
		problem_at(loader, node_get(node, "value")->key,
			"both value and restore: true: remove one");
	else if (!secret->restore && !node_get(node, "value"))
		problem_at(loader, node,
			"the secret action \"%s\" needs value, or restore: "
			"true for what it held in preflight",
			action->name ? action->name : "");
}

static void plan_secret(struct buf *out, const struct action *action)
{
	const struct action_secret *secret = &action->u.secret;

	plan_named(out,
		secret->restore ? "secret restore " : "secret new version of ",
		secret->secret);
	plan_named(out, " in ", secret->project);
}

const struct policy_action policy_action_secret = {
	.section = {"a secret action", secret_keys,
		.base = &every_action_section, .def = "secret_version",
		.about = "A new version of a secret in Secret Manager",
		.chosen = "secret", .rules = secret_rules},
	.finish = finish_secret,
	.plan = plan_secret,
};
