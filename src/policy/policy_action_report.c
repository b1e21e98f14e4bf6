/* Actions of type report: what happened, in a file. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.report.member)

static const struct key report_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("true"), /* the file is written anew */
	{"path", read_template, AT(path), .required = true},
	{0},
};

const struct section report_section = {"a report action", report_keys};

static void plan_report(struct buf *out, const struct action *action)
{
	plan_named(out, "report into ", action->u.report.path);
}

const struct policy_action policy_action_report = {
	.section = &report_section,
	.plan = plan_report,
};
