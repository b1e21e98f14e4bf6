/* Actions of type database: a schema is taken back, if a guard lets it. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.database.member)

static const size_t n_command_at = AT(exec.n_command);
static const size_t n_guard_at = AT(n_guard);
static const size_t n_env_at = AT(exec.n_env);

static const struct key database_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("false"),
	{"command", read_argv, AT(exec.command), &n_command_at,
		.required = true},
	{"guard", read_argv, AT(guard), &n_guard_at},
	{"env", read_env, AT(exec.env), &n_env_at},
	{"cwd", read_text, AT(exec.cwd)},
	{0},
};

const struct section database_section = {"a database action", database_keys};

static void plan_database(struct buf *out, const struct action *action)
{
	const struct action_database *db = &action->u.database;

	buf_adds(out, "database");
	plan_argv(out, db->exec.command, db->exec.n_command);
	if (!db->guard)
		return;
	buf_adds(out, ", only if this succeeds:");
	plan_argv(out, db->guard, db->n_guard);
}

const struct policy_action policy_action_database = {
	.section = &database_section,
	.plan = plan_database,
};
