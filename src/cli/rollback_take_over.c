/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout that is aborted and brought to its end; see rollback_take_over.h. */
#include "cli/rollback_take_over.h"

#include <string.h>

#include "base/xalloc.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "engine/event.h"

#define ARGUMENTS_MAX 16
#define LOOK_PAUSE_MS 200

extern const struct command cmd_abort, cmd_watch;

struct words {
	char *item[ARGUMENTS_MAX]; /* NULL-terminated; owned */
	int n;
};

static void say(struct words *words, const char *option, const char *value)
{
	if (!value)
		return;
	words->item[words->n++] =
		option ? xasprintf("--%s=%s", option, value) : xstrdup(value);
}

/* Another verb, as a person would type it. */
static int call(const struct command *verb, const struct rollback_taken *t,
	struct err *err_r)
{
	struct words words = {.n = 0};
	int status;

	say(&words, NULL, verb->name);
	say(&words, NULL, t->rollout);
	say(&words, "state", t->state);
	say(&words, "format", context_formats[t->format]);
	if (verb == &cmd_abort)
		say(&words, "comment", t->comment);
	if (verb != &cmd_watch)
		say(&words, "as", t->as);
	status = verb->run(words.n, words.item, err_r);
	for (int i = 0; i < ARGUMENTS_MAX; i++)
		xfree(&words.item[i]);
	return status;
}

/* How the rollout ended is what counts, whoever brought it there. */
static int ended_status(const struct rollback_taken *t, int status,
	struct arena *arena, struct err *err_r)
{
	struct store_rollout row;

	if (store_rollout_get(t->store, t->rollout, arena, &row, err_r) <= 0)
		return -1;
	if (!strcmp(row.phase, phase_name(PHASE_ROLLED_BACK)) ||
		!strcmp(row.phase, phase_name(PHASE_REFUSED)))
		return 0;
	/* It was promoted meanwhile. */
	return status ? status : err_exit_status(ERR_REFUSED);
}

/* Whether somebody drives what is to be taken back. A process that is seen and
 * has just answered does. One that has not may be stopped or stuck, and of one
 * elsewhere nothing is seen: they do when they renew their lease. */
static int is_driven(const struct rollback_taken *t, bool answered,
	struct lease_watch *seen, struct arena *arena, struct err *err_r)
{
	struct store_lease lease;
	int64_t renewed_ms = 0;
	int held;

	for (bool first = true;; first = false) {
		held = store_lease_look(
			t->store, t->service, arena, &lease, err_r);
		if (held <= 0 || strcmp(lease.rollout, t->rollout) != 0)
			return held < 0 ? -1 : 0;
		if (first)
			renewed_ms = lease.renewed_ms;
		if ((answered && lease.alive) || lease.renewed_ms != renewed_ms)
			return 1;
		if (lease_watch_is_over(seen, &lease))
			return t->fence_out(t, seen, arena, err_r);
		context_pause(LOOK_PAUSE_MS);
	}
}

static int has_ended(
	const struct rollback_taken *t, struct arena *arena, struct err *err_r)
{
	struct store_rollout row;

	if (store_rollout_get(t->store, t->rollout, arena, &row, err_r) <= 0)
		return -1;
	return row.ended_ms != 0;
}

static int bring_to_end(const struct rollback_taken *t,
	const struct command *verb, struct arena *arena, struct err *err_r)
{
	int status = call(verb, t, err_r);

	return status < 0 ? -1 : ended_status(t, status, arena, err_r);
}

/* Who drives it may die before the end. 1: it did, and nobody drives it. */
static int follow(const struct rollback_taken *t, int *status_r,
	struct arena *arena, struct err *err_r)
{
	bool alone = false;
	const struct watch_options options = {.state = t->state,
		.as = t->as,
		.format = t->format,
		.alone_r = &alone};
	int status = watch_follow(&options, t->rollout, err_r);

	if (status < 0 || alone)
		return status < 0 ? -1 : 1;
	*status_r = ended_status(t, status, arena, err_r);
	return *status_r < 0 ? -1 : 0;
}

/* What is waited for the answer counts as time without a renewal. */
static int finish(
	const struct rollback_taken *t, struct arena *arena, struct err *err_r)
{
	struct lease_watch seen = {0};
	struct store_lease lease;
	int status, driven, ended, alone;

	driven = store_lease_look(t->store, t->service, arena, &lease, err_r);
	if (driven < 0)
		return -1;
	if (driven)
		(void)lease_watch_is_over(&seen, &lease);
	status = call(&cmd_abort, t, err_r);
	if (status < 0 && err_r->code != ERR_REFUSED)
		return -1;
	if (status < 0) /* it goes back already, or has ended meanwhile */
		output_error(err_r->text);
	driven = is_driven(t, status == 0, &seen, arena, err_r);
	for (;;) {
		ended = driven ? driven : has_ended(t, arena, err_r);
		if (driven < 0 || ended < 0)
			return -1;
		if (!ended)
			return bring_to_end(t, t->resume, arena, err_r);
		alone = follow(t, &status, arena, err_r);
		if (alone <= 0)
			return alone < 0 ? -1 : status;
		driven = is_driven(t, false, &seen, arena, err_r);
	}
}

int rollback_watch(const struct rollback_taken *taken, struct err *err_r)
{
	struct arena arena;
	int status;

	arena_init(&arena);
	status = bring_to_end(taken, &cmd_watch, &arena, err_r);
	arena_fini(&arena);
	return status;
}

void rollback_say_taken(const char *rollout)
{
	output_text(stderr,
		"%s has not ended: it is aborted, by the policy it was started "
		"with\n",
		rollout);
}

int rollback_take_over(const struct rollback_taken *taken, struct err *err_r)
{
	struct arena arena;
	int status;

	rollback_say_taken(taken->rollout);
	arena_init(&arena);
	status = finish(taken, &arena, err_r);
	arena_fini(&arena);
	return status;
}
