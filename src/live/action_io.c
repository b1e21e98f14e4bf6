/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one action; see action_io.h. */
#include "live/action_io.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/world.h"

struct action_io {
	enum action_list list;
	int index, attempt;
	struct action_env env;
	struct action_facts facts;
	struct action_run *run;
	struct timer *refused;
	const char *why; /* not run: why not; static */
	enum action_result refused_result;
	event_fn fn;
	void *arg;
};

static void action_io_ended(const struct action_end *end, void *arg);
static void action_io_was_refused(void *arg);
static void action_io_tell(struct action_io *io, enum action_result result,
	const char *detail, int64_t duration_ms);

/* ---- what actions may use and know ---- */

struct action_env action_io_env(
	const struct world *world, const struct policy *policy)
{
	return (struct action_env){
		.loop = world->loop,
		.http = world->http,
		.credentials = world->credentials,
		.worker = world->worker,
		.policy = policy,
		.store = world->store,
	};
}

void action_facts_take(struct action_facts *facts,
	const struct release *release, const struct rollout *state)
{
	action_facts_fini(facts);
	facts->candidate_url = xstrdup(release->candidate_url);
	facts->reason = xstrdup(state->reason);
	release_values(release, state, release->candidate, 0, &facts->values);
	facts->values.values.candidate_url = facts->candidate_url;
	facts->values.values.reason = facts->reason;
}

void action_facts_fini(struct action_facts *facts)
{
	xfree(&facts->candidate_url);
	xfree(&facts->reason);
}

/* ---- a run ---- */

static struct action_io *action_io_new(
	const struct effect *effect, event_fn fn, void *arg)
{
	struct action_io *io = xcalloc(1, sizeof(*io));

	io->list = effect->list;
	io->index = effect->index;
	io->attempt = effect->attempt;
	io->fn = fn;
	io->arg = arg;
	return io;
}

struct action_io *action_io_start(struct world *world,
	const struct action_io_what *what, event_fn fn, void *arg)
{
	struct action_io *io = action_io_new(what->effect, fn, arg);
	const struct policy *policy = what->release->policy;
	struct action_order order = {&io->env,
		&policy->lists[io->list].item[io->index],
		&io->facts.values.values, JOB_RUN, what->captured};

	io->env = action_io_env(world, policy);
	io->env.programs = what->release->programs;
	if (io->list == LIST_ROLLED_BACK)
		io->env.trouble = rollback_problem(what->state);
	action_facts_take(&io->facts, what->release, what->state);
	io->run = action_job_start(&order, action_io_ended, io);
	return io;
}

struct action_io *action_io_refuse(struct world *world,
	const struct effect *effect, enum action_result result, const char *why,
	event_fn fn, void *arg)
{
	struct action_io *io = action_io_new(effect, fn, arg);

	io->why = why;
	io->refused_result = result;
	io->refused = timer_start(world->loop, 0, action_io_was_refused, io);
	return io;
}

static void action_io_ended(const struct action_end *end, void *arg)
{
	struct action_io *io = arg;

	io->run = NULL;
	action_io_tell(io, end->result, end->detail, end->duration_ms);
}

static void action_io_was_refused(void *arg)
{
	struct action_io *io = arg;

	io->refused = NULL;
	action_io_tell(io, io->refused_result, io->why, 0);
}

static void action_io_free(struct action_io *io)
{
	action_facts_fini(&io->facts);
	free(io);
}

static void action_io_tell(struct action_io *io, enum action_result result,
	const char *detail, int64_t duration_ms)
{
	struct event event = {
		.type = EVENT_ACTION,
		.list = io->list,
		.index = io->index,
		.attempt = io->attempt,
		.action_result = result,
		.text = detail,
		.duration_ms = duration_ms,
	};
	event_fn fn = io->fn;
	void *arg = io->arg;

	action_io_free(io);
	fn(&event, NULL, arg);
}

const struct load_live *action_io_load(const struct action_io *io)
{
	return io->run && io->run->live.total_ms ? &io->run->live : NULL;
}

void action_io_cancel(struct action_io **io)
{
	if (!*io)
		return;
	action_cancel(&(*io)->run);
	timer_cancel(&(*io)->refused);
	action_io_free(*io);
	*io = NULL;
}
