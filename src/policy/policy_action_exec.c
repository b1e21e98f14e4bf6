/* Actions of type exec: a program. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.exec.member)

static const size_t n_command_at = AT(n_command);
static const size_t n_env_at = AT(n_env);

static const struct key exec_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("false"),
	{"command", read_argv, AT(command), &n_command_at, .required = true},
	{"env", read_env, AT(env), &n_env_at},
	{"cwd", read_text, AT(cwd)},
	{0},
};

const struct section exec_section = {"an exec action", exec_keys};

static void plan_exec(struct buf *out, const struct action *action)
{
	buf_adds(out, "exec");
	plan_argv(out, action->u.exec.command, action->u.exec.n_command);
}

const struct policy_action policy_action_exec = {
	.section = &exec_section,
	.plan = plan_exec,
};
