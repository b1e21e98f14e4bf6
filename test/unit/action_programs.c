/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of actions that are functions: "act" and "guard", which do or say
 * nothing but their status, and "kubectl" with one Deployment. They stand for
 * io/process.h on the virtual clock.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replay/fake_loop.h"
#include "action_peers.h"
#include "base/buf.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/process.h"

#define TAKES_MS     20
#define TELLS_MS     1 /* after its effect */
#define OUTPUT_MAX   4096
#define REPLICAS_MAX 8

bool programs_paused;

/* A ReplicaSet: going back to it gives it a new number. */
static struct replica {
	int revision, image;
	int was; /* the number before; 0: none */
} replicas[REPLICAS_MAX];
static int n_replicas;

static struct replica *newest(void)
{
	struct replica *found = &replicas[0];

	for (int i = 1; i < n_replicas; i++)
		if (replicas[i].revision > found->revision)
			found = &replicas[i];
	return found;
}

int programs_image(void)
{
	return newest()->image;
}

static void deploy(int image)
{
	int revision = n_replicas ? newest()->revision + 1 : 7;

	assert(n_replicas < REPLICAS_MAX);
	replicas[n_replicas++] = (struct replica){revision, image, 0};
}

void programs_release(void)
{
	deploy(2);
}

void programs_person_acts(void)
{
	deploy(3);
}

/* ---- kubectl ---- */

static int undo(const char *argument, struct buf *out)
{
	int wanted = atoi(argument + strlen("--to-revision="));
	struct replica *replica = NULL;

	for (int i = 0; i < n_replicas; i++)
		if (replicas[i].revision == wanted)
			replica = &replicas[i];
	if (programs_paused) {
		buf_adds(out, "error: you cannot rollback a paused deployment; "
			      "resume it first\n");
		return 1;
	}
	if (!replica) {
		buf_addf(out,
			"error: unable to find specified revision %d in "
			"history\n",
			wanted);
		return 1;
	}
	replica->was = replica->revision;
	replica->revision = newest()->revision + 1;
	peers.effects++;
	buf_adds(out, "deployment.apps/w rolled back\n");
	return 0;
}

static int get(struct buf *out)
{
	buf_addf(out, "%d\n%s 10\n{\"image\":%d}", newest()->revision,
		programs_paused ? "true" : "", newest()->image);
	return 0;
}

static int get_replicas(struct buf *out)
{
	buf_adds(out, "other,7,8\n");
	for (int i = 0; i < n_replicas; i++) {
		buf_adds(out, "w,");
		if (replicas[i].was)
			buf_addf(out, "%d", replicas[i].was);
		buf_addf(out, ",%d\n", replicas[i].revision);
	}
	return 0;
}

static int kubectl(char **argv, struct buf *out)
{
	if (!strcmp(argv[1], "get"))
		return strcmp(argv[2], "replicasets") ? get(out)
						      : get_replicas(out);
	if (!strcmp(argv[1], "auth")) {
		buf_adds(out, "yes\n");
		return 0;
	}
	if (!strcmp(argv[2], "undo"))
		return undo(argv[4], out);
	buf_adds(out, "deployment \"w\" successfully rolled out\n");
	return 0;
}

static int act(char **argv, struct buf *out)
{
	peers.effects++;
	return 0;
}

static int guard(char **argv, struct buf *out)
{
	return 0;
}

static const struct {
	const char *name;
	int (*run)(char **argv, struct buf *out);
} programs[] = {{"act", act}, {"guard", guard}, {"kubectl", kubectl}};

static bool writes(char **argv)
{
	return !strcmp(argv[0], "act") ||
	       (!strcmp(argv[0], "kubectl") && argv[2] &&
		       !strcmp(argv[2], "undo"));
}

/* ---- io/process.h ---- */

struct child {
	struct process *process; /* NULL: the caller has given up */
	char *argv[16];
	struct buf output;
	struct child *next;
};

struct process {
	struct child *child;
	struct timer *told, *late;
	process_fn fn;
	void *arg;
	int64_t started_ms;
	int status;
};

static struct child *children;

static void tell(struct process *process, bool timed_out)
{
	struct child *child = process->child;
	struct process_end end = {
		.exit_status = timed_out ? -1 : process->status,
		.timed_out = timed_out,
		.output = child->output.data,
		.output_len = child->output.len,
		.duration_ms = fake_now() - process->started_ms,
	};

	child->process = NULL;
	timer_cancel(&process->told);
	timer_cancel(&process->late);
	process->fn(&end, process->arg);
	free(process);
}

static void told(void *arg)
{
	struct process *process = arg;

	process->told = NULL;
	tell(process, false);
}

static void late(void *arg)
{
	struct process *process = arg;

	process->late = NULL;
	tell(process, true);
}

static int run(struct child *child)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (!strcmp(child->argv[0], programs[i].name))
			return programs[i].run(child->argv, &child->output);
	assert(!"there is no such program");
	return 127;
}

static void child_ends(void *arg)
{
	struct child *child = arg;
	struct mishap mishap;
	int status;

	if (!child->process)
		return; /* it was killed with its caller */
	if (!writes(child->argv) || !peers_take_mishap(&mishap)) {
		status = run(child);
	} else {
		if (mishap.has_effect)
			run(child);
		if (!mishap.status)
			return; /* it never ends */
		status = 1;
	}
	child->process->status = status;
	child->process->told =
		timer_start(NULL, TELLS_MS, told, child->process);
}

struct process *process_start(struct loop *loop,
	const struct process_spec *spec, process_fn fn, void *arg)
{
	struct process *process = xcalloc(1, sizeof(*process));
	struct child *child = xcalloc(1, sizeof(*child));

	process->child = child;
	process->fn = fn;
	process->arg = arg;
	process->started_ms = fake_now();
	process->late = timer_start(NULL, spec->timeout_ms, late, process);
	child->process = process;
	buf_init(&child->output, OUTPUT_MAX);
	buf_adds(&child->output, "");
	for (size_t i = 0; spec->argv[i]; i++)
		child->argv[i] = xstrdup(spec->argv[i]);
	child->next = children;
	children = child;
	fake_world_after(TAKES_MS, child_ends, child);
	return process;
}

void process_cancel(struct process **process_p)
{
	struct process *process = *process_p;

	*process_p = NULL;
	if (!process)
		return;
	timer_cancel(&process->told);
	timer_cancel(&process->late);
	process->child->process = NULL;
	free(process);
}

int process_find(const char *program, const char *cwd, struct err *err_r)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (!strcmp(program, programs[i].name))
			return 0;
	return err_set(err_r, ERR_POLICY, "no such program: %s", program);
}

void programs_open(void)
{
	n_replicas = 0;
	programs_paused = false;
	deploy(1);
}

void programs_close(void)
{
	struct child *child;

	while ((child = children)) {
		children = child->next;
		for (char **arg = child->argv; *arg; arg++)
			free(*arg);
		buf_fini(&child->output);
		free(child);
	}
}
