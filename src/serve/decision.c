/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision on its way; see decision.h.
 *
 *   decision_make ─ decision_seen ─ decision_left ─ decision_look … ─ tell
 *                        └ would not be taken: decision_sought, was it before?
 */
#include "serve/decision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/driven.h"
#include "serve/meter.h"
#include "serve/rulings.h"
#include "serve/shelf.h"
#include "serve/visitor.h"

#define ANSWER_MS 10000 /* for which its driver is waited for */
#define LOOK_MS   10 /* between two looks for its answer */

struct decision {
	struct desk_job job;
	struct daemon *daemon;
	const struct visitor *visitor;
	struct arena arena;
	struct decision_order order;
	struct store_once once, known;
	bool is_known;
	struct store_command command;
	enum decision_result judged;
	bool is_there, is_driven, was_sought;
	struct timer *look;
	int64_t until_ms;
	struct daemon_waiter waiter; /* while it is looked for the answer */
	decision_fn fn;
	void *arg;
};

static void decision_seen(
	const struct view *view, const struct err *err, void *arg);
static int decision_seek(
	struct desk_job *job, struct store *store, struct err *err_r);
static void decision_sought(struct desk_job *job, const struct err *err);
static int decision_leave(
	struct desk_job *job, struct store *store, struct err *err_r);
static void decision_left(struct desk_job *job, const struct err *err);
static void decision_look(void *arg);
static void decision_cancelled(struct daemon_waiter *waiter);

static const struct {
	int status;
	const char *code;
} results[] = {
	[DECIDED_TAKEN] = {202, "taken"},
	[DECIDED_WAITING] = {202, "waiting"},
	[DECIDED_BEFORE] = {202, "before"},
	[DECIDED_UNKNOWN] = {404, "not-found"},
	[DECIDED_DENIED] = {403, "denied"},
	[DECIDED_UNLISTED] = {403, "not-an-approver"},
	[DECIDED_MOVED_ON] = {409, "moved-on"},
	[DECIDED_UNCOMMENTED] = {400, "comment-needed"},
	[DECIDED_REFUSED] = {409, "refused"},
	[DECIDED_FAILED] = {503, "unavailable"},
};

int decision_status(enum decision_result result)
{
	return results[result].status;
}

const char *decision_code(enum decision_result result)
{
	return results[result].code;
}

/* ---- the beginning and the end ---- */

void decision_make(struct daemon *daemon, const struct visitor *visitor,
	const struct decision_order *order, decision_fn fn, void *arg)
{
	struct decision *d = xcalloc(1, sizeof(*d));

	arena_init(&d->arena);
	d->daemon = daemon;
	d->visitor = visitor;
	d->order = *order;
	d->order.rollout = arena_strdup(&d->arena, order->rollout);
	d->order.candidate = arena_strdup(&d->arena, order->candidate);
	d->order.comment = arena_strdup(&d->arena, order->comment);
	d->order.part_of = arena_strdup(&d->arena, order->part_of);
	if (order->once) {
		d->once = *order->once;
		d->once.key = arena_strdup(&d->arena, order->once->key);
		d->once.digest = arena_strdup(&d->arena, order->once->digest);
		d->order.once = &d->once;
	}
	d->waiter =
		(struct daemon_waiter){.cancel = decision_cancelled, .arg = d};
	d->fn = fn;
	d->arg = arg;
	(void)views_ask(
		daemon_views(daemon), d->order.rollout, decision_seen, d);
}

/* What came to no journal; the rest is counted by its entry there. */
static void count(const struct decision *d, enum decision_result result)
{
	struct metrics_page *page = meter_page(daemon_meter(d->daemon));

	if (result == DECIDED_DENIED || result == DECIDED_UNLISTED)
		metrics_decision(page, d->order.verb, DECISION_DENIED);
	else if (result == DECIDED_MOVED_ON)
		metrics_decision(page, d->order.verb, DECISION_MOVED_ON);
}

static bool may_see(const struct decision *d, const struct view *view)
{
	return view &&
	       access_may(daemon_access(d->daemon), d->visitor, RIGHT_READ,
		       view->snapshot->row.service, NULL, NULL);
}

/* Who may neither decide nor see it is not told that it is there. */
static void hide(const struct decision *d, struct decision_answer *answer,
	char text[ERR_TEXT_MAX])
{
	answer->may_see = may_see(d, answer->view);
	if (answer->result != DECIDED_DENIED || answer->may_see ||
		d->order.was_shown)
		return;
	snprintf(text, ERR_TEXT_MAX, "there is no rollout \"%.160s\"",
		d->order.rollout);
	answer->text = text;
	answer->result = DECIDED_UNKNOWN;
}

/* Every decision and every refusal is in the log; what the engine is told of is
 * in the journal, too. */
static void tell(struct decision *d, enum decision_result result,
	const char *text, const struct view *view)
{
	char text_of_none[ERR_TEXT_MAX];
	struct decision_answer answer = {
		.result = result,
		.text = text,
		.view = view,
		.command = result == DECIDED_TAKEN || result == DECIDED_WAITING
				   ? &d->command
				   : NULL,
		.known = d->is_known ? &d->known : NULL,
		.is_driven = d->is_driven,
	};

	log_line(result <= DECIDED_BEFORE ? LOG_INFO : LOG_WARN,
		"rollout=%s event=decision verb=%s who=\"%s\" method=%s "
		"proof=\"%s\" peer=\"%s\" result=%s text=\"%s\"",
		/* The text has what is none. */
		d->is_there ? d->order.rollout : "none",
		verb_name(d->order.verb), d->visitor->name,
		d->visitor->caller.method, d->visitor->caller.proof,
		d->visitor->caller.peer, decision_code(result), text);
	count(d, result);
	timer_cancel(&d->look);
	daemon_wait_ends(&d->waiter);
	hide(d, &answer, text_of_none);
	d->fn(&answer, d->arg);
	arena_fini(&d->arena);
	free(d);
}

/* ---- what there is ---- */

/* What was shown: the step from 1, 0 or nothing outside of the steps. */
static bool has_moved_on(const struct decision *d, const struct view *view)
{
	const struct rollout *r = &view->snapshot->fold.state;
	bool in_step = r->step >= 0 &&
		       (size_t)r->step < view->snapshot->policy->n_steps;

	if (strcmp(d->order.candidate, view->snapshot->row.candidate) != 0)
		return true;
	return d->order.step != r->step + 1 && (in_step || d->order.step);
}

static enum decision_result judge(const struct decision *d,
	const struct view *view, struct ruling *ruling)
{
	const struct rollout_snapshot *s = view->snapshot;
	char policy[SHELF_NAME_MAX];
	const struct ruling_case about = {
		.access = daemon_access(d->daemon),
		.visitor = d->visitor,
		.policy = s->policy,
		.rollout = &s->fold.state,
		.service = s->row.service,
		.policy_name = shelf_name_of(s->row.policy_path, policy),
	};

	*ruling = ruling_of(&about, d->order.verb);
	if (ruling->why == RULING_DENIED)
		return DECIDED_DENIED;
	if (has_moved_on(d, view))
		return DECIDED_MOVED_ON;
	if (ruling->why == RULING_UNLISTED)
		return DECIDED_UNLISTED;
	if (ruling->why == RULING_REFUSED)
		return DECIDED_REFUSED;
	if (!*d->order.comment &&
		ruling_needs_comment(s->fold.state.phase, s->fold.state.cause,
			rollout_is_frozen(&s->fold.state), d->order.verb))
		return DECIDED_UNCOMMENTED;
	return DECIDED_TAKEN;
}

static const char *why_not(
	enum decision_result result, const struct ruling *ruling)
{
	if (result == DECIDED_MOVED_ON)
		return "the rollout has moved on since: look at what is now";
	if (result == DECIDED_UNCOMMENTED)
		return "a comment is needed: say why";
	return ruling->text;
}

static void give(struct decision *d,
	int (*run)(struct desk_job *, struct store *, struct err *),
	void (*done)(struct desk_job *, const struct err *))
{
	d->job.run = run;
	d->job.done = done;
	desk_give(daemon_desk(d->daemon), &d->job);
}

static void decision_seen(
	const struct view *view, const struct err *err, void *arg)
{
	struct decision *d = arg;
	struct ruling ruling;

	if (err) {
		tell(d,
			err->code == ERR_NOT_FOUND ? DECIDED_UNKNOWN
						   : DECIDED_FAILED,
			err->text, NULL);
		return;
	}
	d->is_there = true;
	d->judged = judge(d, view, &ruling);
	if (d->judged != DECIDED_TAKEN) {
		if (d->order.once && !d->was_sought)
			give(d, decision_seek, decision_sought);
		else
			tell(d, d->judged, why_not(d->judged, &ruling), view);
		return;
	}
	d->command = (struct store_command){
		.rollout = d->order.rollout,
		.verb = verb_name(d->order.verb),
		.who = d->visitor->name,
		.comment = d->order.comment,
		/* The gate that they have seen: a late approval must not
		 * answer the next one. */
		.step = d->order.step - 1,
		.time_ms = view->now_ms,
		.answer = "",
	};
	d->is_driven = view->driver != NULL;
	give(d, decision_leave, decision_left);
}

/* ---- sent once more ---- */

/* It was taken before, and the world has moved on by it. */
static int decision_seek(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct decision *d = (struct decision *)job;
	int found = store_once_find(
		store, d->once.key, &d->arena, &d->known, err_r);

	d->is_known = found > 0;
	return found < 0 ? -1 : 0;
}

static void decision_sought(struct desk_job *job, const struct err *err)
{
	struct decision *d = (struct decision *)job;

	d->was_sought = true;
	if (err || d->is_known)
		decision_left(job, err);
	else
		(void)views_ask(daemon_views(d->daemon), d->order.rollout,
			decision_seen, d);
}

/* ---- left for the driver ---- */

static int leave_in(struct decision *d, struct store *store, struct err *err_r)
{
	const char *key = d->order.once ? d->once.key : d->order.part_of;
	int is_new = 1;

	if (d->order.once)
		is_new = store_once_begin(
			store, &d->once, &d->arena, &d->known, err_r);
	if (is_new < 0)
		return -1;
	d->is_known = !is_new;
	if (d->is_known)
		return 0;
	if (store_command_add(store, &d->command, &d->command.id, err_r) < 0)
		return -1;
	return key ? store_once_command(store, key, d->command.id, err_r) : 0;
}

static int decision_leave(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct decision *d = (struct decision *)job;

	if (store_begin(store, err_r) < 0)
		return -1;
	if (leave_in(d, store, err_r) == 0)
		return store_commit(store, err_r);
	store_rollback(store);
	return -1;
}

static void decision_left(struct desk_job *job, const struct err *err)
{
	struct decision *d = (struct decision *)job;
	struct loop *loop = daemon_loop(d->daemon);

	if (err) {
		tell(d,
			err->code == ERR_REFUSED ? DECIDED_REFUSED
						 : DECIDED_FAILED,
			err->text, NULL);
		return;
	}
	if (d->is_known && (d->known.status || !d->known.command_id ||
				   strcmp(d->known.digest, d->once.digest))) {
		tell(d, DECIDED_BEFORE, "", NULL);
		return;
	}
	if (d->is_known) /* it was cut off: its answer may be there by now */
		d->command.id = d->known.command_id;
	d->is_known = false;
	driven_hurry(daemon_driven(d->daemon));
	d->until_ms = loop_now(loop) + ANSWER_MS;
	daemon_wait_begins(d->daemon, &d->waiter);
	d->look = timer_start(loop, 0, decision_look, d);
}

/* A refusal now is the engine's, in its words. */
static void decision_look(void *arg)
{
	struct decision *d = arg;
	struct loop *loop = daemon_loop(d->daemon);
	bool ending = daemon_is_draining(d->daemon);
	struct err err;

	d->look = NULL;
	if (store_command_get(daemon_store(d->daemon), d->command.id, &d->arena,
		    &d->command, &err) < 0)
		tell(d, DECIDED_FAILED, err.text, NULL);
	else if (d->command.state == 2)
		tell(d, DECIDED_REFUSED, d->command.answer, NULL);
	else if (d->command.state == 1)
		tell(d, DECIDED_TAKEN, "", NULL);
	else if (!d->is_driven || ending || loop_now(loop) >= d->until_ms)
		tell(d, DECIDED_WAITING, "", NULL);
	else
		d->look = timer_start(loop, LOOK_MS, decision_look, d);
}

/* It is recorded, and whoever drives the rollout next takes it. */
static void decision_cancelled(struct daemon_waiter *waiter)
{
	tell(waiter->arg, DECIDED_WAITING, "", NULL);
}
