/* Actions of type secret: a version is added to a secret of Secret Manager. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.secret.member)

static void read_value(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;

	action->u.secret.value = secret_template(loader, value);
}

static const struct key secret_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("true"), /* it looks whether the value is there */
	{"project", read_path_part, AT(project), "-.:"},
	{"secret", read_path_part, AT(secret), "-_", .required = true},
	{"value", read_value},
	{"restore", read_bool, AT(restore)},
	{0},
};

const struct section secret_section = {"a secret action", secret_keys};

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
	.section = &secret_section,
	.finish = finish_secret,
	.plan = plan_secret,
};
