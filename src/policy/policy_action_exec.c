/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type exec: a program. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.exec.member)

static const size_t n_command_at = AT(n_command);
static const size_t n_env_at = AT(n_env);

static const struct key exec_keys[] = {
	IDEMPOTENT("false"),
	{"command", &argv_reader, AT(command), &n_command_at,
		.need = KEY_REQUIRED,
		.about = "Program and arguments with {{templates}}; no shell"},
	{"env", &env_reader, AT(env), &n_env_at,
		.about = "Variables beside PATH, HOME and TIDEGATE_*"},
	{"cwd", &text_reader, AT(cwd),
		.about = "Where it runs; default: the policy's folder"},
	{0},
};

static void plan_exec(struct buf *out, const struct action *action)
{
	buf_adds(out, "exec");
	plan_argv(out, action->u.exec.command, action->u.exec.n_command);
}

const struct policy_action policy_action_exec = {
	.section = {"an exec action", exec_keys, .base = &every_action_section,
		.def = "exec", .about = "A program; success is exit status 0",
		.chosen = "exec"},
	.plan = plan_exec,
};
