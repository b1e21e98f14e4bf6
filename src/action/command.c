/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of actions; see command.h. Their world is built, not inherited: the
 * variables the policy names, PATH, HOME and LANG, and the facts of the
 * rollout as TIDEGATE_*.
 */
#include "action/command.h"

#include <stdlib.h>
#include <string.h>

#include "action/template_sample.h"
#include "base/sanitize.h"
#include "base/xalloc.h"
#include "io/loop.h"

#define ARGUMENT_BYTES_MAX (64 * 1024)
#define OUTPUT_SHOWN_MAX   (8 * 1024)
#define INHERITED_MAX      32

static char *render(const char *text, const struct template_values *values)
{
	struct buf out;

	buf_init(&out, ARGUMENT_BYTES_MAX);
	template_render(&out, text, values, ESCAPE_NONE);
	return buf_steal(&out);
}

/* Relative folders are meant from where the policy lies. */
static char *folder_of(const struct action_env *env, const char *cwd)
{
	const char *base = env->policy->folder ? env->policy->folder : ".";

	if (!cwd)
		return xstrdup(base);
	if (*cwd == '/')
		return xstrdup(cwd);
	return xasprintf("%s/%s", base, cwd);
}

int command_check(const struct action_env *env, const struct command *command,
	struct err *err_r)
{
	char *program = render(command->argv[0], &template_sample);
	char *folder = folder_of(env, command->cwd);
	int rc = process_find(program, folder, err_r);

	free(folder);
	free(program);
	return rc;
}

/* ---- the environment ---- */

static bool is_named(const struct command *command, const char *name)
{
	for (size_t i = 0; i < command->n_env; i++)
		if (!strcmp(command->env[i].name, name))
			return true;
	return false;
}

/* What the policy names wins. */
static void env_add(char **env, size_t *n, const struct command *command,
	const char *name, const char *value)
{
	if (value && !is_named(command, name))
		env[(*n)++] = xasprintf("%s=%s", name, value);
}

static char **env_make(
	const struct command *command, const struct template_values *values)
{
	const struct {
		const char *name, *value;
	} facts[] = {
		{"PATH", getenv("PATH")},
		{"HOME", getenv("HOME")},
		{"LANG", getenv("LANG")},
		{"TIDEGATE_CANDIDATE", values->candidate},
		{"TIDEGATE_CANDIDATE_URL", values->candidate_url},
		{"TIDEGATE_PERCENT", values->percent},
		{"TIDEGATE_PROJECT", values->project},
		{"TIDEGATE_REASON", values->reason},
		{"TIDEGATE_REGION", values->region},
		{"TIDEGATE_ROLLOUT", values->rollout},
		{"TIDEGATE_SERVICE", values->service},
		{"TIDEGATE_STABLE", values->stable},
	};
	size_t n_facts = sizeof(facts) / sizeof(*facts), n = 0;
	const char *const *name = command->inherited;
	char **env = xcalloc(
		command->n_env + n_facts + INHERITED_MAX + 1, sizeof(*env));

	for (size_t i = 0; i < command->n_env; i++)
		env[n++] = xasprintf("%s=%s", command->env[i].name,
			secret_reveal(command->env[i].value));
	for (size_t i = 0; i < n_facts; i++)
		env_add(env, &n, command, facts[i].name, facts[i].value);
	for (size_t i = 0; name && name[i] && i < INHERITED_MAX; i++)
		env_add(env, &n, command, name[i], getenv(name[i]));
	return env;
}

static void strings_free(char **strings)
{
	for (char **s = strings; *s; s++) {
		explicit_bzero(*s, strlen(*s)); /* env may hold secrets */
		free(*s);
	}
	free(strings);
}

/* ---- run ---- */

static char **argv_make(
	const struct command *command, const struct template_values *values)
{
	char **argv = xcalloc(command->n_argv + 1, sizeof(*argv));

	for (size_t i = 0; i < command->n_argv; i++)
		argv[i] = render(command->argv[i], values);
	return argv;
}

struct process *command_start(
	struct action_run *run, const struct command *command, process_fn fn)
{
	char **argv = argv_make(command, run->values);
	char **env = env_make(command, run->values);
	char *folder = folder_of(run->env, command->cwd);
	struct process_spec spec = {
		.argv = (const char *const *)argv,
		.env = (const char *const *)env,
		.cwd = folder,
		.timeout_ms = action_time_left(run),
		.input = command->input,
		.crew = run->env->programs,
		.stopped_ms_max = action_stopped_ms_max(run),
	};
	struct process *process;

	timer_cancel(&run->timer);
	process = process_start(run->env->loop, &spec, fn, run);
	strings_free(argv);
	strings_free(env);
	free(folder);
	return process;
}

void command_describe(struct action_run *run, const struct process_end *end)
{
	struct buf *out = &run->detail;

	if (end->err)
		buf_adds(out, end->err->text);
	else if (end->timed_out)
		buf_addf(out, "stopped after %lld ms: it had not finished",
			(long long)end->duration_ms);
	else if (end->signal)
		buf_addf(out, "ended by signal %d", end->signal);
	else
		buf_addf(out, "exit %d", end->exit_status);
	if (!end->output_len)
		return;
	buf_adds(out, ": ");
	sanitize_add(out, end->output, end->output_len, OUTPUT_SHOWN_MAX,
		end->output_dropped);
}

enum action_result command_result(
	const struct action_run *run, const struct process_end *end)
{
	if (!end->err && !end->timed_out && end->exit_status == 0)
		return ACTION_OK;
	if (end->timed_out || end->signal)
		return action_cut_off(run->action);
	return ACTION_FAILED;
}

void command_show(struct action_run *run, const struct command *command)
{
	char **argv = argv_make(command, run->values);

	buf_adds(&run->detail, "would run");
	for (char **arg = argv; *arg; arg++)
		buf_addf(&run->detail,
			**arg && !strpbrk(*arg, " \t\n") ? " %s" : " '%s'",
			*arg);
	strings_free(argv);
}
