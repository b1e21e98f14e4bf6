/*
 * Actions of type exec: one program with its arguments, no shell. Its world is
 * built, not inherited: the variables the policy names, PATH, HOME and LANG,
 * and the facts of the rollout as TIDEGATE_*.
 */
#include "action/action.h"

#include <stdlib.h>
#include <string.h>

#include "action/shown.h"
#include "action/template_sample.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/process.h"

#define ARGUMENT_BYTES_MAX (64 * 1024)
#define OUTPUT_SHOWN_MAX   (8 * 1024)

static const struct action_exec *exec_of(const struct action *action)
{
	return &action->u.exec;
}

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

static int exec_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	const struct action_exec *exec = exec_of(action);
	char *program = render(exec->command[0], &template_sample);
	char *folder = folder_of(env, exec->cwd);
	int rc = process_find(program, folder, err_r);

	free(folder);
	free(program);
	return rc;
}

/* ---- the environment ---- */

static bool is_named(const struct action_exec *exec, const char *name)
{
	for (size_t i = 0; i < exec->n_env; i++)
		if (!strcmp(exec->env[i].name, name))
			return true;
	return false;
}

/* What the policy names wins. */
static void env_add(char **env, size_t *n, const struct action_exec *exec,
	const char *name, const char *value)
{
	if (value && !is_named(exec, name))
		env[(*n)++] = xasprintf("%s=%s", name, value);
}

static char **env_make(
	const struct action_exec *exec, const struct template_values *values)
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
	char **env = xcalloc(exec->n_env + n_facts + 1, sizeof(*env));

	for (size_t i = 0; i < exec->n_env; i++)
		env[n++] = xasprintf("%s=%s", exec->env[i].name,
			secret_reveal(exec->env[i].value));
	for (size_t i = 0; i < n_facts; i++)
		env_add(env, &n, exec, facts[i].name, facts[i].value);
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

static void exec_ended(const struct process_end *end, void *arg);

static void exec_begin(struct action_run *run)
{
	const struct action_exec *exec = exec_of(run->action);
	char **argv = xcalloc(exec->n_command + 1, sizeof(*argv));
	char **env = env_make(exec, run->values);
	char *folder = folder_of(run->env, exec->cwd);
	struct process_spec spec = {
		.argv = (const char *const *)argv,
		.env = (const char *const *)env,
		.cwd = folder,
		.timeout_ms = run->action->timeout_ms,
	};

	for (size_t i = 0; i < exec->n_command; i++)
		argv[i] = render(exec->command[i], run->values);
	/* The process has a timeout of its own, which keeps what it printed. */
	timer_cancel(&run->timer);
	run->data = process_start(run->env->loop, &spec, exec_ended, run);
	strings_free(argv);
	strings_free(env);
	free(folder);
}

static void describe(const struct process_end *end, struct buf *out)
{
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
	shown_add(out, end->output, end->output_len, OUTPUT_SHOWN_MAX,
		end->output_dropped);
}

static void exec_ended(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	enum action_result result = ACTION_FAILED;

	run->data = NULL;
	describe(end, &run->detail);
	if (!end->err && !end->timed_out && end->exit_status == 0)
		result = ACTION_OK;
	else if (end->timed_out || end->signal)
		result = action_cut_off(run->action);
	action_run_end(run, result);
}

static void exec_stop(struct action_run *run)
{
	struct process *process = run->data;

	process_cancel(&process);
	run->data = NULL;
}

const struct action_type action_type_exec = {
	.name = "exec",
	.check = exec_check,
	.start = exec_begin,
	.cancel = exec_stop,
};
