/*
 * Actions of type kubernetes: a Deployment goes back to the revision that it
 * had in preflight, with kubectl. A revision that was undone to gets a new
 * number, so that the same undo can never happen twice.
 *
 *   record:  kubernetes_look -> kubernetes_looked
 *   run:     kubernetes_look -> kubernetes_looked -> kubernetes_undone
 *              -> kubernetes_settled
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/command.h"
#include "base/xalloc.h"

#define ARGUMENTS_MAX 12
#define NUMBER_MAX    24
#define REVISION_OF                        \
	"jsonpath={.metadata.annotations." \
	"deployment\\.kubernetes\\.io/revision}"
#define SETTLE_MARGIN_S 1 /* kubectl's own timeout comes before ours */

static void kubernetes_looked(const struct process_end *end, void *arg);
static void kubernetes_undone(const struct process_end *end, void *arg);
static void kubernetes_settled(const struct process_end *end, void *arg);

/* What kubectl and its credential plugins read. */
static const char *const inherited[] = {"KUBECONFIG", "KUBERNETES_SERVICE_HOST",
	"KUBERNETES_SERVICE_PORT", "USER", "HTTPS_PROXY", "https_proxy",
	"HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy",
	"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
	"CLOUDSDK_CORE_ACCOUNT", "CLOUDSDK_AUTH_ACCESS_TOKEN",
	"USE_GKE_GCLOUD_AUTH_PLUGIN", NULL};

struct arguments {
	const char *argv[ARGUMENTS_MAX];
	size_t n;
};

static void add(struct arguments *arguments, const char *text)
{
	arguments->argv[arguments->n++] = text;
}

static struct arguments kubectl(const struct action *action)
{
	const struct action_kubernetes *kubernetes = &action->u.kubernetes;
	struct arguments arguments = {{0}, 0};

	add(&arguments, "kubectl");
	if (kubernetes->context) {
		add(&arguments, "--context");
		add(&arguments, kubernetes->context);
	}
	if (kubernetes->namespace) {
		add(&arguments, "--namespace");
		add(&arguments, kubernetes->namespace);
	}
	return arguments;
}

static struct command command_of(const struct arguments *arguments)
{
	return (struct command){.argv = arguments->argv,
		.n_argv = arguments->n,
		.inherited = inherited};
}

static void start(struct action_run *run, const struct arguments *arguments,
	process_fn fn)
{
	struct command command = command_of(arguments);

	run->data = command_start(run, &command, fn);
}

static int kubernetes_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	struct arguments arguments = kubectl(action);
	struct command command = command_of(&arguments);

	return command_check(env, &command, err_r);
}

static void kubernetes_look(struct action_run *run)
{
	struct arguments arguments = kubectl(run->action);

	add(&arguments, "get");
	add(&arguments, run->action->u.kubernetes.resource);
	add(&arguments, "-o");
	add(&arguments, REVISION_OF);
	start(run, &arguments, kubernetes_looked);
}

/* The digits that kubectl printed, and nothing else. */
static bool take_revision(
	const struct process_end *end, char number_r[NUMBER_MAX])
{
	size_t len = end->output_len;

	while (len && isspace((unsigned char)end->output[len - 1]))
		len--;
	if (!len || len >= NUMBER_MAX)
		return false;
	memcpy(number_r, end->output, len);
	number_r[len] = '\0';
	return strspn(number_r, "0123456789") == len;
}

static void undo(struct action_run *run)
{
	struct arguments arguments = kubectl(run->action);
	char *revision = xasprintf("--to-revision=%s", run->recorded);

	add(&arguments, "rollout");
	add(&arguments, "undo");
	add(&arguments, run->action->u.kubernetes.resource);
	add(&arguments, revision);
	start(run, &arguments, kubernetes_undone);
	free(revision);
}

static void looked(struct action_run *run, const char *number)
{
	if (run->job == JOB_RECORD) {
		snprintf(run->kept, sizeof(run->kept), "%s", number);
		buf_addf(&run->detail, "is at revision %s", number);
		action_run_end(run, ACTION_OK);
	} else if (run->job == JOB_DRILL && !run->recorded) {
		buf_addf(&run->detail,
			"is at revision %s, which a rollout would go back to",
			number);
		action_run_end(run, ACTION_OK);
	} else if (!run->recorded) {
		buf_adds(&run->detail,
			"preflight has recorded no revision to go back to");
		action_run_end(run, ACTION_FAILED);
	} else if (!strcmp(run->recorded, number)) {
		buf_addf(&run->detail, "already at revision %s", number);
		action_run_end(run, ACTION_OK);
	} else if (run->job == JOB_DRILL) {
		buf_addf(&run->detail, "would go from revision %s to %s",
			number, run->recorded);
		action_run_end(run, ACTION_OK);
	} else {
		buf_addf(&run->detail, "revision %s to %s: ", number,
			run->recorded);
		undo(run);
	}
}

static void kubernetes_looked(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	char number[NUMBER_MAX];

	run->data = NULL;
	if (end->err || end->timed_out || end->exit_status != 0) {
		buf_adds(&run->detail, "its revision cannot be read: ");
		command_describe(run, end);
		action_run_end(run, ACTION_FAILED);
	} else if (take_revision(end, number)) {
		looked(run, number);
	} else {
		buf_adds(&run->detail, "kubectl named no revision: ");
		command_describe(run, end);
		action_run_end(run, ACTION_FAILED);
	}
}

static void kubernetes_undone(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	struct arguments arguments = kubectl(run->action);
	int64_t left_s = action_time_left(run) / 1000 - SETTLE_MARGIN_S;
	char *timeout;

	run->data = NULL;
	if (command_result(run, end) != ACTION_OK) {
		command_describe(run, end);
		action_run_end(run, command_result(run, end));
		return;
	}
	timeout = xasprintf(
		"--timeout=%llds", (long long)(left_s > 1 ? left_s : 1));
	add(&arguments, "rollout");
	add(&arguments, "status");
	add(&arguments, run->action->u.kubernetes.resource);
	add(&arguments, timeout);
	start(run, &arguments, kubernetes_settled);
	free(timeout);
}

static void kubernetes_settled(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	bool good = !end->err && !end->timed_out && end->exit_status == 0;

	run->data = NULL;
	buf_adds(&run->detail, good ? "done: " : "undone, but not settled: ");
	command_describe(run, end);
	action_run_end(run, good ? ACTION_OK : ACTION_FAILED);
}

static void kubernetes_stop(struct action_run *run)
{
	struct process *process = run->data;

	process_cancel(&process);
	run->data = NULL;
}

const struct action_type action_type_kubernetes = {
	.name = "kubernetes",
	.check = kubernetes_check,
	.start = {[JOB_RUN] = kubernetes_look,
		[JOB_DRILL] = kubernetes_look,
		[JOB_RECORD] = kubernetes_look},
	.cancel = kubernetes_stop,
};
