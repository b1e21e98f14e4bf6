/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type report: what happened, in a file. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.report.member)

static const struct key report_keys[] = {
	IDEMPOTENT("true"), /* the file is written anew */
	{"path", &template_reader, AT(path), .need = KEY_REQUIRED,
		.about = "Where to; relative to the policy's folder"},
	{0},
};

static void plan_report(struct buf *out, const struct action *action)
{
	plan_named(out, "report into ", action->u.report.path);
}

const struct policy_action policy_action_report = {
	.section = {"a report action", report_keys,
		.base = &every_action_section, .def = "report",
		.about = "What happened, as Markdown in a file",
		.chosen = "report"},
	.plan = plan_report,
};
