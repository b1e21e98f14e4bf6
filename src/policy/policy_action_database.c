/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type database: a schema is taken back, if a guard lets it. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.database.member)

static const size_t n_command_at = AT(exec.n_command);
static const size_t n_guard_at = AT(n_guard);
static const size_t n_env_at = AT(exec.n_env);

static const struct key database_keys[] = {
	IDEMPOTENT("false"),
	{"command", &argv_reader, AT(exec.command), &n_command_at,
		.need = KEY_REQUIRED,
		.about = "Program and arguments with {{templates}}; no shell"},
	{"guard", &argv_reader, AT(guard), &n_guard_at,
		.about = "Run first: when it fails the schema is kept"},
	{"env", &env_reader, AT(exec.env), &n_env_at,
		.about = "Variables beside PATH, HOME and TIDEGATE_*"},
	{"cwd", &text_reader, AT(exec.cwd),
		.about = "Where they run; default: the policy's folder"},
	{0},
};

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
	.section = {"a database action", database_keys,
		.base = &every_action_section, .def = "database",
		.about = "A schema is taken back, if the guard lets it",
		.chosen = "database"},
	.plan = plan_database,
};
