/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type kubernetes: a Deployment goes back to the revision that it
 * had in preflight, with kubectl. What was undone to gets a new number, so the
 * pod template is captured as well, as a checksum: by it a second run sees that
 * it is there already. What somebody has deployed since we went back, or rolled
 * back by hand, stays.
 *
 *   capture, drill:  kubernetes_look -> kubernetes_looked
 *                      -> kubernetes_permitted …
 *   run:             kubernetes_look -> kubernetes_looked
 *                      [-> kubernetes_history_read -> kubernetes_undone]
 *                      -> kubernetes_settled
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
#define FLAGS_MAX     32
#define OWNED_MAX     1024 /* bytes of a line about a ReplicaSet */
#define ANNOTATION(name) \
	"{.metadata.annotations.deployment\\.kubernetes\\.io/" name "}"
#define STATE_OF                                                          \
	"jsonpath=" ANNOTATION("revision") "{'\\n'}{.spec.paused}{' '}"   \
					   "{.spec.revisionHistoryLimit}" \
					   "{'\\n'}{.spec.template}"
/* Lines of "OWNER,HISTORY,REVISION". */
#define REPLICASETS_OF                                                        \
	"jsonpath={range "                                                    \
	".items[*]}{.metadata.ownerReferences[0].name}{','}" ANNOTATION(      \
		"revision-history") "{','}" ANNOTATION("revision") "{'\\n'}{" \
								   "end}"
#define SETTLE_MARGIN_S 1 /* kubectl's own timeout comes before ours */

static void kubernetes_looked(const struct process_end *end, void *arg);
static void kubernetes_ask_permission(struct action_run *run, size_t index);
static void kubernetes_may_patch(const struct process_end *end, void *arg);
static void kubernetes_may_list(const struct process_end *end, void *arg);
static void kubernetes_history_read(const struct process_end *end, void *arg);
static void kubernetes_undone(const struct process_end *end, void *arg);
static void kubernetes_settled(const struct process_end *end, void *arg);

/* What kubectl and its credential plugins read. */
static const char *const inherited[] = {"KUBECONFIG", "KUBERNETES_SERVICE_HOST",
	"KUBERNETES_SERVICE_PORT", "USER", "HTTPS_PROXY", "https_proxy",
	"HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy",
	"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
	"CLOUDSDK_CORE_ACCOUNT", "CLOUDSDK_AUTH_ACCESS_TOKEN",
	"USE_GKE_GCLOUD_AUTH_PLUGIN", NULL};

/* "REVISION" or "REVISION CHECKSUM", as it is captured. */
struct place {
	char revision[NUMBER_MAX];
	char checksum[CHECKSUM_MAX]; /* of the pod template; "": not known */
};

struct undoing {
	struct process *process;
	struct place now, wanted;
};

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
	struct undoing *u = run->data;

	u->process = command_start(run, &command, fn);
}

static int kubernetes_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	struct arguments arguments = kubectl(action);
	struct command command = command_of(&arguments);

	return command_check(env, &command, err_r);
}

static void kubernetes_stop(struct action_run *run)
{
	struct undoing *u = run->data;

	if (!u)
		return;
	process_cancel(&u->process);
	free(u);
	run->data = NULL;
}

/* The callback of a process runs: it is no more. */
static struct undoing *process_over(struct action_run *run)
{
	struct undoing *u = run->data;

	u->process = NULL;
	return u;
}

static void kubernetes_look(struct action_run *run)
{
	struct arguments arguments = kubectl(run->action);

	run->data = xcalloc(1, sizeof(struct undoing));
	add(&arguments, "get");
	add(&arguments, run->action->u.kubernetes.resource);
	add(&arguments, "-o");
	add(&arguments, STATE_OF);
	start(run, &arguments, kubernetes_looked);
}

/* Why kubectl would refuse to undo anything, whatever it is asked; NULL: it
 * would not. `flags` is "PAUSED LIMIT". */
static const char *refusal_of(const char *flags)
{
	const char *limit = strchr(flags, ' ');

	if (!strncmp(flags, "true ", 5))
		return "it is paused, and kubectl takes no paused Deployment "
		       "back: kubectl rollout resume it, or take this action "
		       "out of the policy";
	if (limit && !strcmp(limit, " 0"))
		return "it keeps no earlier revisions: set its "
		       "revisionHistoryLimit to more than 0";
	return NULL;
}

/* The next line of what kubectl printed, without its end; false: no more. */
static bool take_line(const char **at, const char *end, char *line, size_t size)
{
	const char *newline;
	size_t len;

	if (*at >= end)
		return false;
	newline = memchr(*at, '\n', (size_t)(end - *at));
	len = (size_t)((newline ? newline : end) - *at);
	snprintf(line, size, "%.*s", (int)(len < size ? len : size - 1), *at);
	*at = newline ? newline + 1 : end;
	return true;
}

/* Digits on the first line, flags on the second, the template on the rest. A
 * template that is cut has no checksum. */
static bool take_place(const struct process_end *end, struct place *place,
	char flags[FLAGS_MAX])
{
	const char *at = end->output, *last = at + end->output_len;
	char revision[NUMBER_MAX + 1] = "";
	size_t len;

	*place = (struct place){{0}, {0}};
	*flags = '\0';
	if (!take_line(&at, last, revision, sizeof(revision)) || !*revision ||
		strlen(revision) >= NUMBER_MAX ||
		revision[strspn(revision, "0123456789")])
		return false;
	memcpy(place->revision, revision, strlen(revision) + 1);
	if (!take_line(&at, last, flags, FLAGS_MAX))
		return true;
	while (last > at && isspace((unsigned char)last[-1]))
		last--;
	len = last > at ? (size_t)(last - at) : 0;
	if (len && !end->output_dropped)
		snprintf(place->checksum, CHECKSUM_MAX, "%08lx-%zu",
			(unsigned long)crc32c(at, len), len);
	return true;
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

static void undo(struct action_run *run)
{
	const struct undoing *u = run->data;
	struct arguments arguments = kubectl(run->action);
	char *revision = xasprintf("--to-revision=%s", u->wanted.revision);

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

/* ---- what somebody has decided since ---- */

static void read_history(struct action_run *run)
{
	struct arguments arguments = kubectl(run->action);

	add(&arguments, "get");
	add(&arguments, "replicasets");
	add(&arguments, "-o");
	add(&arguments, REPLICASETS_OF);
	start(run, &arguments, kubernetes_history_read);
}

/* Numbers with commas between them. */
static bool list_has(const char *list, size_t len, const char *number)
{
	size_t n = strlen(number), i = 0;

	while (i < len) {
		size_t end = i;

		while (end < len && list[end] != ',')
			end++;
		if (end - i == n && !memcmp(list + i, number, n))
			return true;
		i = end + 1;
	}
	return false;
}

/* A line "OWNER,HISTORY,REVISION": the numbers in the history are those that
 * the ReplicaSet had before somebody went back to it. */
static bool line_decides(struct action_run *run, const char *line)
{
	const struct undoing *u = run->data;
	const char *name = strchr(run->action->u.kubernetes.resource, '/') + 1;
	const char *owner_end = strchr(line, ','), *revision;
	const char *history = owner_end ? owner_end + 1 : NULL;
	size_t len;

	if (!owner_end || (size_t)(owner_end - line) != strlen(name) ||
		strncmp(line, name, strlen(name)) != 0)
		return false;
	revision = strrchr(history, ',');
	if (!revision)
		return false;
	len = (size_t)(revision++ - history);
	if (list_has(history, len, u->wanted.revision)) {
		buf_addf(&run->detail,
			"it was gone back to already, as revision %s, and "
			"revision %s has replaced it since: that stays",
			revision, u->now.revision);
		return true;
	}
	if (!len || strcmp(revision, u->now.revision) != 0 ||
		atoll(revision) <= atoll(u->wanted.revision))
		return false;
	buf_addf(&run->detail,
		"somebody has gone back to what revision %.*s was: that stays",
		(int)len, history);
	return true;
}

/* Without the list the undo is tried all the same. */
static void kubernetes_history_read(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	const char *at = end->output, *last = at + end->output_len;
	char line[OWNED_MAX];

	process_over(run);
	while (!end->err && end->exit_status == 0 &&
		take_line(&at, last, line, sizeof(line)))
		if (line_decides(run, line)) {
			action_run_end(run, ACTION_SKIPPED);
			return;
		}
	undo(run);
}

/* Nothing is captured: what is there now would be, by a rollout. */
static void looked_first(struct action_run *run)
{
	const struct place *now = &((struct undoing *)run->data)->now;

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
	kubernetes_ask_permission(run, 0);
}

/* What there is, beside what is wanted: true when it is the same. */
static bool compare(struct action_run *run)
{
	struct undoing *u = run->data;
	bool drill = run->job == JOB_DRILL;

	u->wanted = place_of(run->captured);
	if (is_there(&u->now, &u->wanted)) {
		buf_addf(&run->detail, "already at what revision %s was%s",
			u->wanted.revision, drill ? "" : ": ");
		return true;
	}
	buf_addf(&run->detail,
		drill ? "would go from revision %s to %s"
		      : "revision %s to %s: ",
		u->now.revision, u->wanted.revision);
	return false;
}

static void looked(struct action_run *run, const char *refusal)
{
	bool there;

	if (!run->captured || run->job == JOB_CAPTURE) {
		looked_first(run);
		return;
	}
	there = compare(run);
	if (!there && refusal) {
		buf_addf(&run->detail, "%s%s",
			run->job == JOB_DRILL ? "; but " : "", refusal);
		action_run_end(run, ACTION_FAILED);
	} else if (run->job == JOB_DRILL) {
		kubernetes_ask_permission(run, 0);
	} else if (there) {
		settle(run);
	} else {
		read_history(run);
	}
}

static void look_failed(
	struct action_run *run, const struct process_end *end, const char *what)
{
	buf_adds(&run->detail, what);
	command_describe(run, end);
	action_run_end(run, ACTION_FAILED);
}

static void kubernetes_looked(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	struct undoing *u = process_over(run);
	char flags[FLAGS_MAX];
	const char *refusal;

	if (end->err || end->timed_out || end->exit_status != 0) {
		look_failed(run, end, "its revision cannot be read: ");
		return;
	}
	if (!take_place(end, &u->now, flags)) {
		look_failed(run, end, "kubectl named no revision: ");
		return;
	}
	refusal = refusal_of(flags);
	if (refusal && run->job == JOB_CAPTURE) {
		buf_adds(&run->detail, refusal);
		action_run_end(run, ACTION_FAILED);
		return;
	}
	looked(run, refusal);
}

/* ---- whether it may be done ---- */

/* Whether somebody may patch Deployments and list ReplicaSets, as an undo does.
 * Only a plain "no" counts: not everybody may ask. */
static const struct permission {
	const char *verb, *resource;
	process_fn answered;
} permissions[] = {
	{"patch", NULL, kubernetes_may_patch}, /* the Deployment itself */
	{"list", "replicasets.apps", kubernetes_may_list},
};

static void kubernetes_ask_permission(struct action_run *run, size_t index)
{
	struct arguments arguments = kubectl(run->action);
	const struct permission *permission = &permissions[index];

	if (index == sizeof(permissions) / sizeof(*permissions)) {
		action_run_end(run, ACTION_OK);
		return;
	}
	add(&arguments, "auth");
	add(&arguments, "can-i");
	add(&arguments, permission->verb);
	add(&arguments, permission->resource
				? permission->resource
				: run->action->u.kubernetes.resource);
	start(run, &arguments, permission->answered);
}

static bool says_no(const struct process_end *end)
{
	const char *at = end->output, *last = at + end->output_len;
	char line[FLAGS_MAX];

	while (take_line(&at, last, line, sizeof(line)))
		if (!strcmp(line, "no") || !strncmp(line, "no -", 4))
			return true;
	return false;
}

static void permitted(
	struct action_run *run, const struct process_end *end, size_t index)
{
	const struct permission *permission = &permissions[index];

	process_over(run);
	if (!says_no(end)) {
		kubernetes_ask_permission(run, index + 1);
		return;
	}
	buf_addf(&run->detail,
		"; but kubectl may not %s %s: give its account that right",
		permission->verb,
		permission->resource ? permission->resource
				     : run->action->u.kubernetes.resource);
	action_run_end(run, ACTION_FAILED);
}

static void kubernetes_may_patch(const struct process_end *end, void *arg)
{
	permitted(arg, end, 0);
}

static void kubernetes_may_list(const struct process_end *end, void *arg)
{
	permitted(arg, end, 1);
}

static void kubernetes_undone(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;

	process_over(run);
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

	process_over(run);
	buf_adds(&run->detail, good ? "done: " : "but not settled: ");
	command_describe(run, end);
	action_run_end(run, good ? ACTION_OK : ACTION_FAILED);
}

const struct action_type action_type_kubernetes = {
	.check = kubernetes_check,
	.start = {[JOB_RUN] = kubernetes_look,
		[JOB_DRILL] = kubernetes_look,
		[JOB_CAPTURE] = kubernetes_look},
	.cancel = kubernetes_stop,
};
