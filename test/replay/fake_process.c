/* SPDX-License-Identifier: Apache-2.0 */
/* Deeds; see fake_process.h. */
#include "fake_process.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "fake_http.h"
#include "fake_loop.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/program.h"

#define TAKES_MS    20
#define LOAD_SAYS   "{\"text\": \"so many requests\"}\n"
#define LOAD_MISSES 5

struct deed {
	char name[32];
	int done, cancelled;
	bool fails, without_effect;
	int64_t takes_ms, lingers_ms;
};

static struct {
	struct deed deed[FAKE_DEEDS_MAX];
	size_t n;
	char order[512];
	LIST_HEAD(, child) children;
	LIST_HEAD(, process) lingering;
	int n_lingering;
} deeds;

/* A child outlives who started it, as a real one may. */
struct child {
	LIST_ENTRY(child) link;
	struct deed *deed;
	struct process *process; /* NULL: nobody waits for it */
	bool killed;
	bool is_load; /* which ends with who started it */
};

struct process {
	struct child *child; /* NULL: it was not started, or is over */
	struct timer *told;
	process_fn fn;
	void *arg;
	int64_t started_ms;
	bool failed, gone;
	struct process_crew *crew; /* NULL: none, or it has gone */
	LIST_ENTRY(process) of_crew, link; /* while it lingers */
	int load; /* how one ends that has missed something; 0: it is none */
};

static struct deed *deed_find(const char *name)
{
	struct deed *deed;

	for (size_t i = 0; i < deeds.n; i++)
		if (strcmp(deeds.deed[i].name, name) == 0)
			return &deeds.deed[i];
	assert(deeds.n < FAKE_DEEDS_MAX);
	deed = &deeds.deed[deeds.n++];
	*deed = (struct deed){.takes_ms = TAKES_MS};
	snprintf(deed->name, sizeof(deed->name), "%s", name);
	return deed;
}

/* False: it failed. */
static bool deed_do(struct deed *deed)
{
	size_t len = strlen(deeds.order);

	if (!deed->fails || !deed->without_effect) {
		deed->done++;
		snprintf(deeds.order + len, sizeof(deeds.order) - len, "%s%s",
			len ? " " : "", deed->name);
	}
	return !deed->fails;
}

int fake_deeds(const char *name)
{
	return deed_find(name)->done;
}

int fake_deeds_cancelled(const char *name)
{
	return deed_find(name)->cancelled;
}

const char *fake_deeds_order(void)
{
	return deeds.order;
}

void fake_deed_fails(const char *name, bool done)
{
	struct deed *deed = deed_find(name);

	deed->fails = true;
	deed->without_effect = !done;
}

void fake_deed_works(const char *name)
{
	deed_find(name)->fails = false;
}

void fake_deed_takes(const char *name, int64_t ms)
{
	deed_find(name)->takes_ms = ms;
}

void fake_deed_lingers(const char *name, int64_t ms)
{
	deed_find(name)->lingers_ms = ms;
}

int fake_deeds_lingering(void)
{
	return deeds.n_lingering;
}

bool fake_load_is_made(void)
{
	struct child *child;

	LIST_FOREACH(child, &deeds.children, link)
		if (child->is_load && !child->killed)
			return true;
	return false;
}

/* ---- requests ---- */

static void serve(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer)
{
	struct deed *deed = deed_find(request->target + 1);

	answer->delay_ms = deed->takes_ms;
	if (!deed_do(deed))
		answer->status = 500;
}

/* ---- programs ---- */

static void child_free(struct child *child)
{
	LIST_REMOVE(child, link);
	free(child);
}

static void linger_no_more(struct process *process)
{
	if (process->crew)
		LIST_REMOVE(process, of_crew);
	process->crew = NULL;
	deeds.n_lingering -= !process->gone;
	process->gone = true;
}

static void linger_end(void *arg)
{
	struct process *process = arg;

	linger_no_more(process);
	LIST_REMOVE(process, link);
	free(process);
}

static void linger(struct process *process, int64_t ms)
{
	LIST_INSERT_HEAD(&deeds.lingering, process, link);
	deeds.n_lingering++;
	if (process->crew)
		LIST_INSERT_HEAD(&process->crew->ending, process, of_crew);
	fake_world_after(ms, linger_end, process);
}

void fake_deeds_open(void)
{
	memset(&deeds, 0, sizeof(deeds));
	LIST_INIT(&deeds.children);
	LIST_INIT(&deeds.lingering);
	fake_http_serve(FAKE_DEED_ORIGIN, serve);
}

void fake_deeds_close(void)
{
	while (!LIST_EMPTY(&deeds.children))
		child_free(LIST_FIRST(&deeds.children));
	while (!LIST_EMPTY(&deeds.lingering))
		linger_end(LIST_FIRST(&deeds.lingering));
}

static void process_told(void *arg)
{
	struct process *process = arg;
	struct process_end end = {
		.exit_status = !process->failed ? 0
			       : process->load  ? process->load
						: 1,
		.output = process->load ? LOAD_SAYS : "",
		.output_len = process->load ? strlen(LOAD_SAYS) : 0,
		.duration_ms = fake_now() - process->started_ms,
	};
	process_fn fn = process->fn;
	void *fn_arg = process->arg;

	process->told = NULL;
	fn(&end, fn_arg);
	free(process);
}

static void child_ends(void *arg)
{
	struct child *child = arg;
	bool failed = child->killed || !deed_do(child->deed);

	if (child->process) {
		child->process->child = NULL;
		child->process->failed = failed;
		child->process->told =
			timer_start(NULL, 0, process_told, child->process);
	}
	child_free(child);
}

struct process *process_start(struct loop *loop,
	const struct process_spec *spec, process_fn fn, void *arg)
{
	struct process *process = xcalloc(1, sizeof(*process));
	struct child *child;

	process->fn = fn;
	process->arg = arg;
	process->crew = spec->crew;
	process->started_ms = fake_now();
	fake_instant();
	if (fake_is_dead())
		return process;
	assert(strcmp(spec->argv[0], "act") == 0 && spec->argv[1]);
	child = xcalloc(1, sizeof(*child));
	child->deed = deed_find(spec->argv[1]);
	child->is_load = strcmp(spec->argv[1], "load") == 0;
	process->load = child->is_load ? LOAD_MISSES : 0;
	child->process = process;
	LIST_INSERT_HEAD(&deeds.children, child, link);
	process->child = child;
	fake_world_after(child->deed->takes_ms, child_ends, child);
	return process;
}

void process_cancel(struct process **process_p)
{
	struct process *process = *process_p;
	int64_t lingers_ms = 0;

	*process_p = NULL;
	if (!process)
		return;
	timer_cancel(&process->told);
	if (process->child && !fake_is_dead())
		lingers_ms = process->child->deed->lingers_ms;
	if (process->child) {
		process->child->process = NULL;
		process->child->killed =
			process->child->is_load || !fake_is_dead();
		process->child->deed->cancelled += !fake_is_dead();
	}
	if (lingers_ms)
		linger(process, lingers_ms);
	else
		free(process);
}

bool process_crew_is_ending(const struct process_crew *crew)
{
	return !LIST_EMPTY(&crew->ending);
}

void process_crew_kill(const struct process_crew *crew)
{
	struct process *process;

	while ((process = LIST_FIRST(&crew->ending)))
		linger_no_more(process);
}

void process_crew_fini(struct process_crew *crew)
{
	struct process *process;

	while ((process = LIST_FIRST(&crew->ending))) {
		LIST_REMOVE(process, of_crew);
		process->crew = NULL;
	}
}

void process_let_end(struct loop *loop)
{
	int64_t until_ms = fake_now() + PROCESS_END_MS_MAX;

	while (deeds.n_lingering && !fake_is_dead() && fake_now() < until_ms)
		fake_loop_turn(until_ms);
}

int process_find(const char *program, const char *cwd, struct err *err_r)
{
	if (strcmp(program, "act") == 0)
		return 0;
	return err_set(err_r, ERR_POLICY, "no such program: %s", program);
}

char *program_find(const char *program, struct err *err_r)
{
	return xstrdup("act");
}
