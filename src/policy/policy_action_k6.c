/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type k6: a script of k6, whose thresholds judge. */
#include "base/printable.h"
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.k6.member)

static void read_script(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	*(const char **)((char *)into + key->offset) = file_path(loader, value);
}

static const struct reader script_reader = {
	read_script, "a file", "'type': 'string'"};

static const struct reader limits_reader = {read_nested, "a mapping",
	.sections =
		(const struct section *const[]){&load_limits_section, NULL}};

static const size_t n_env_at = AT(n_env);

static const struct key k6_keys[] = {
	IDEMPOTENT("false"),
	{"script", &script_reader, AT(script), .need = KEY_REQUIRED,
		.about = "What k6 runs; it finds TIDEGATE_CANDIDATE_URL in "
			 "__ENV"},
	{"env", &env_reader, AT(env), &n_env_at,
		.about = "Variables beside PATH, HOME and TIDEGATE_*"},
	{"expect", &limits_reader, AT(expect), .value = "{}",
		.about = "What has to hold beside the script's thresholds"},
	{0},
};

/* What its thresholds do not say is not for us to judge unasked. */
static void finish_k6(
	struct loader *loader, const struct node *node, struct action *action)
{
	if (!node_get(node, "timeout"))
		problem_at(loader, node,
			"how long may the script take? Say it by timeout, a "
			"little more than its stages");
	if (!node_get(node_get(node, "expect"), "failed"))
		action->u.k6.expect.limits.failed = 1;
}

static void plan_k6(struct buf *out, const struct action *action)
{
	buf_adds(out, "k6 run ");
	printable_add(out, action->u.k6.script);
	buf_adds(out, ", expects its thresholds");
	plan_limits(out, &action->u.k6.expect.limits);
}

const struct policy_action policy_action_k6 = {
	.section = {"a k6 action", k6_keys, .base = &every_action_section,
		.def = "k6", .about = "A script of k6, a load of your own",
		.chosen = "k6"},
	.finish = finish_k6,
	.plan = plan_k6,
};
