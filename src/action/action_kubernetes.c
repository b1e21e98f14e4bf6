/*
 * Actions of type kubernetes: a Deployment goes back to the revision that it
 * had in preflight, with kubectl. What was undone to gets a new number, so the
 * pod template is recorded as well, as a checksum: by it a second run sees that
 * it is there already.
 *
 *   record:  kubernetes_look -> kubernetes_looked
 *   run:     kubernetes_look -> kubernetes_looked [-> kubernetes_undone]
 *              -> kubernetes_settled
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/command.h"
#include "base/crc32c.h"
#include "base/xalloc.h"

#define ARGUMENTS_MAX 12
#define NUMBER_MAX    24
#define CHECKSUM_MAX  40
#define REVISION_OF                                                     \
	"jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/" \
	"revision}{'\\n'}{.spec.template}"
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

/* "REVISION" or "REVISION CHECKSUM", as it is recorded. */
struct place {
	char revision[NUMBER_MAX];
	char checksum[CHECKSUM_MAX]; /* of the pod template; "": not known */
};

/* Digits on the first line, the template on the rest. A template that is cut
 * has no checksum. */
static bool take_place(const struct process_end *end, struct place *place)
{
	const char *newline = memchr(end->output, '\n', end->output_len);
	size_t len =
		newline ? (size_t)(newline - end->output) : end->output_len;
	const char *rest = newline ? newline + 1 : "";
	size_t rest_len = newline ? end->output_len - len - 1 : 0;

	*place = (struct place){{0}, {0}};
	if (!len || len >= NUMBER_MAX)
		return false;
	memcpy(place->revision, end->output, len);
	while (rest_len && isspace((unsigned char)rest[rest_len - 1]))
		rest_len--;
	if (rest_len && !end->output_dropped)
		snprintf(place->checksum, CHECKSUM_MAX, "%08lx-%zu",
			(unsigned long)crc32c(rest, rest_len), rest_len);
	return strspn(place->revision, "0123456789") == len;
}

static struct place place_of(const char *recorded)
{
	size_t len = strcspn(recorded, " ");
	struct place place;

	snprintf(place.revision, NUMBER_MAX, "%.*s", (int)len, recorded);
	snprintf(place.checksum, CHECKSUM_MAX, "%s",
		recorded[len] ? recorded + len + 1 : "");
	return place;
}

static bool is_there(const struct place *now, const struct place *wanted)
{
	return !strcmp(now->revision, wanted->revision) ||
	       (*wanted->checksum && !strcmp(now->checksum, wanted->checksum));
}

static void undo(struct action_run *run, const struct place *wanted)
{
	struct arguments arguments = kubectl(run->action);
	char *revision = xasprintf("--to-revision=%s", wanted->revision);

	add(&arguments, "rollout");
	add(&arguments, "undo");
	add(&arguments, run->action->u.kubernetes.resource);
	add(&arguments, revision);
	start(run, &arguments, kubernetes_undone);
	free(revision);
}

/* A crash may have come between the undo and its end: in either case it counts
 * when the pods are there. */
static void settle(struct action_run *run)
{
	struct arguments arguments = kubectl(run->action);
	int64_t left_s = action_time_left(run) / 1000 - SETTLE_MARGIN_S;
	char *timeout = xasprintf(
		"--timeout=%llds", (long long)(left_s > 1 ? left_s : 1));

	add(&arguments, "rollout");
	add(&arguments, "status");
	add(&arguments, run->action->u.kubernetes.resource);
	add(&arguments, timeout);
	start(run, &arguments, kubernetes_settled);
	free(timeout);
}

/* Nothing is recorded: what is there now would be, by a rollout. */
static void looked_first(struct action_run *run, const struct place *now)
{
	if (run->job == JOB_RUN) {
		buf_adds(&run->detail,
			"preflight has recorded no revision to go back to");
		action_run_end(run, ACTION_FAILED);
		return;
	}
	if (run->job == JOB_CAPTURE) {
		snprintf(run->capture, sizeof(run->capture), "%s%s%s",
			now->revision, *now->checksum ? " " : "",
			now->checksum);
		buf_addf(&run->detail, "is at revision %s", now->revision);
	} else {
		buf_addf(&run->detail,
			"is at revision %s, which a rollout records and goes "
			"back to; without a rollout it stays",
			now->revision);
	}
	action_run_end(run, ACTION_OK);
}

static void looked(struct action_run *run, const struct place *now)
{
	bool drill = run->job == JOB_DRILL;
	struct place wanted;

	if (!run->captured || run->job == JOB_CAPTURE) {
		looked_first(run, now);
		return;
	}
	wanted = place_of(run->captured);
	if (is_there(now, &wanted)) {
		buf_addf(&run->detail, "already at what revision %s was%s",
			wanted.revision, drill ? "" : ": ");
	} else {
		buf_addf(&run->detail,
			drill ? "would go from revision %s to %s"
			      : "revision %s to %s: ",
			now->revision, wanted.revision);
	}
	if (drill)
		action_run_end(run, ACTION_OK);
	else if (is_there(now, &wanted))
		settle(run);
	else
		undo(run, &wanted);
}

static void kubernetes_looked(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	struct place now;

	run->data = NULL;
	if (end->err || end->timed_out || end->exit_status != 0) {
		buf_adds(&run->detail, "its revision cannot be read: ");
		command_describe(run, end);
		action_run_end(run, ACTION_FAILED);
	} else if (take_place(end, &now)) {
		looked(run, &now);
	} else {
		buf_adds(&run->detail, "kubectl named no revision: ");
		command_describe(run, end);
		action_run_end(run, ACTION_FAILED);
	}
}

static void kubernetes_undone(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;

	run->data = NULL;
	if (command_result(run, end) == ACTION_OK) {
		settle(run);
		return;
	}
	command_describe(run, end);
	action_run_end(run, command_result(run, end));
}

static void kubernetes_settled(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	bool good = !end->err && !end->timed_out && end->exit_status == 0;

	run->data = NULL;
	buf_adds(&run->detail, good ? "done: " : "but not settled: ");
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
		[JOB_CAPTURE] = kubernetes_look},
	.cancel = kubernetes_stop,
};
