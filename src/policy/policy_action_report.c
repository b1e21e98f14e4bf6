/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type report: what happened, in a file. */
#include <string.h>

#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.report.member)

static const struct key report_keys[] = {
	IDEMPOTENT("true"), /* the file is written anew */
	{"path", &template_reader, AT(path), .need = KEY_REQUIRED,
		.about = "Where to; relative to the policy's folder"},
	{0},
};

/* Elsewhere "-" is standard output, which a rollout has for its own lines. */
static void finish_report(
	struct loader *loader, const struct node *node, struct action *action)
{
	const char *path = action->u.report.path;

	if (path && !strcmp(path, "-"))
		problem_at(loader, node_get(node, "path"),
			"a report goes into a file, and \"-\" is none: write "
			"its path, such as report.md");
}

static void plan_report(struct buf *out, const struct action *action)
{
	plan_named(out, "report into ", action->u.report.path);
}

const struct policy_action policy_action_report = {
	.section = {"a report action", report_keys,
		.base = &every_action_section, .def = "report",
		.about = "What happened, as Markdown in a file",
		.chosen = "report"},
	.finish = finish_report,
	.plan = plan_report,
};
