/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a rollout; see watch.h. */
#include "cli/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/live_view.h"
#include "cli/output.h"
#include "engine/outlook.h"
#include "io/clock.h"
#include "status/journal_print.h"
#include "status/outcome_print.h"
#include "status/rollout_snapshot.h"

#define PAUSE_MS  50
#define DRIVER_MS 5000 /* how often it is looked who drives it */

struct watching {
	const struct watch_options *options;
	struct store *store;
	struct rollout_snapshot *snapshot;
	int format;
	int64_t counter; /* of the store when it was read last; -1: not yet */
	struct lease_watch lease_watch;
	struct store_lease lease; /* while driven */
	bool driven;
	int64_t driver_due_ms; /* when the driver is looked for again */
	bool alone_told;

	/* On a terminal. */
	struct live_view view;
	struct loop *loop; /* the store's, or our own */
	struct timer *pause;
	char who[CONTEXT_NAME_MAX];
	bool left; /* by a key */
	int signo; /* that ends it; 0: none came */
	bool has_verb; /* a key was typed */
	enum verb verb; /* that it stands for */
	char *comment;
};

/* ---- who drives it ---- */

static int look_for_driver(struct watching *watch, struct err *err_r)
{
	int held;

	if (clock_boot_ms() < watch->driver_due_ms)
		return 0;
	watch->driver_due_ms = clock_boot_ms() + DRIVER_MS;
	held = rollout_snapshot_driver(
		watch->snapshot, watch->store, &watch->lease, err_r);
	if (held < 0)
		return -1;
	/* A process that is there may be stopped: only its renewals count. */
	if (held && lease_watch_is_over(&watch->lease_watch, &watch->lease))
		held = 0;
	watch->driven = held > 0;
	return 0;
}

/* Who asked to be told so goes on with it. */
static bool is_left_alone(const struct watching *watch)
{
	if (watch->driven || !watch->options->alone_r)
		return false;
	*watch->options->alone_r = true;
	return true;
}

/* A rollout that nobody drives goes nowhere: say so once. */
static int tell_driver(struct watching *watch, struct err *err_r)
{
	if (look_for_driver(watch, err_r))
		return -1;
	if (!watch->driven && !watch->alone_told && !watch->options->alone_r)
		output_text(stderr,
			"nobody drives %s: tidegate resume %s goes on with "
			"it\n",
			watch->snapshot->row.id, watch->snapshot->row.id);
	watch->alone_told = !watch->driven;
	return 0;
}

/* ---- lines ---- */

static int print_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct watching *watch = arg;
	struct buf line;

	buf_init(&line, OUTPUT_BYTES_MAX);
	if (watch->format == FORMAT_JSON)
		journal_print_json(watch->snapshot->row.id, entry, &line);
	else
		journal_print_text(entry, &line);
	output_write(stdout, &line);
	buf_fini(&line);
	return output_catch_up(stdout, err_r);
}

/* What is new is printed; 1 when that was the end. */
static int read_news(struct watching *watch, struct err *err_r)
{
	struct rollout_snapshot *snapshot = watch->snapshot;

	if (rollout_snapshot_follow(
		    snapshot, watch->store, print_entry, watch, err_r))
		return -1;
	return phase_is_end(snapshot->fold.state.phase);
}

/* The last line, as `run` prints it. */
static void print_end(const struct watching *watch)
{
	const struct rollout_snapshot *snapshot = watch->snapshot;
	const struct rollout *state = &snapshot->fold.state;
	struct rollout_end end = {
		.rollout = snapshot->row.id,
		.service = snapshot->row.service,
		.candidate = snapshot->row.candidate,
		.stable = snapshot->row.stable,
		.outcome = phase_name(state->phase),
		.phase = phase_name(state->phase),
		.reason = state->reason,
		.time_ms = snapshot->fold.last_ms,
		.seq = snapshot->fold.last_seq + 1,
		.percent = snapshot->fold.percent,
		.exit_status = rollout_exit_status(state),
		.actions_failed = state->actions_failed,
	};
	struct buf line;

	buf_init(&line, OUTPUT_BYTES_MAX);
	if (watch->format == FORMAT_JSON)
		outcome_print_json(&end, &line);
	else
		outcome_print_text(&end, &line);
	output_write(stdout, &line);
	buf_fini(&line);
}

/* 1 when it has ended; 0: nobody drives it. */
static int follow(struct watching *watch, struct err *err_r)
{
	int64_t counter;
	int ended = 0;

	watch->counter = -1;
	while (!ended) {
		if (store_change_counter(watch->store, &counter, err_r))
			return -1;
		if (counter != watch->counter || watch->counter == -1) {
			watch->counter = counter;
			ended = read_news(watch, err_r);
			continue;
		}
		if (tell_driver(watch, err_r))
			return -1;
		if (is_left_alone(watch))
			return 0;
		context_pause(PAUSE_MS);
	}
	return ended;
}

/* ---- on a terminal ---- */

static const struct summary *look(struct arena *arena, void *arg)
{
	const struct watching *watch = arg;
	int64_t now_ms = clock_wall_ms();
	int64_t last_ms = watch->snapshot->fold.last_ms;

	return rollout_snapshot_summary(watch->snapshot,
		watch->driven ? &watch->lease : NULL,
		now_ms > last_ms ? now_ms : last_ms, watch->view.host.clock,
		arena);
}

static bool may(enum verb verb, void *arg)
{
	const struct watching *watch = arg;
	const struct rollout *state = &watch->snapshot->fold.state;
	char text[ROLLOUT_TEXT_MAX];

	return watch->snapshot->fold.last_seq && !watch->has_verb &&
	       !rollout_refuses(watch->snapshot->policy, state, verb,
		       state->step, watch->who, text);
}

static void say(struct watching *watch, enum happening_tone tone,
	const char *fmt, ...) PRINTFLIKE(3, 4);

static void say(
	struct watching *watch, enum happening_tone tone, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, OUTPUT_BYTES_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	live_view_say(&watch->view, tone, clock_wall_ms(), text.data);
	buf_fini(&text);
}

/* As `tidegate approve` leaves it for the process that drives the rollout. */
static int leave_decision(struct watching *watch, enum verb verb,
	const char *comment, struct err *err_r)
{
	struct store *store =
		context_store(watch->options->state, STORE_EDIT, err_r);
	struct store_command command = {
		.rollout = watch->snapshot->row.id,
		.verb = verb_name(verb),
		.who = watch->who,
		.comment = comment,
		.step = watch->snapshot->fold.state.step,
		.time_ms = clock_wall_ms(),
	};
	int status;

	if (!store)
		return -1;
	status = store_command_add(store, &command, &command.id, err_r);
	store_free(&store);
	return status;
}

static void decide_now(struct watching *watch)
{
	enum verb verb = watch->verb;
	struct err err;

	watch->has_verb = false;
	if (!may(verb, watch))
		say(watch, HAPPENING_WAIT, "%s came too late", verb_name(verb));
	else if (leave_decision(watch, verb, watch->comment, &err) < 0)
		say(watch, HAPPENING_BAD, "%s: %s", verb_name(verb), err.text);
	else if (!watch->driven)
		say(watch, HAPPENING_WAIT,
			"%s is recorded; nobody drives the rollout, it is "
			"taken by tidegate resume %s",
			verb_name(verb), watch->snapshot->row.id);
}

/* Keys and signals only leave a mark: they may come while an answer is waited
 * for. */
static void decide(enum verb verb, const char *comment, void *arg)
{
	struct watching *watch = arg;

	watch->has_verb = true;
	watch->verb = verb;
	free(watch->comment);
	watch->comment = xstrdup(comment);
	loop_stop(watch->loop);
}

static void leave(void *arg)
{
	struct watching *watch = arg;

	watch->left = true;
	store_interrupt(watch->store);
	loop_stop(watch->loop);
}

static int show_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct watching *watch = arg;

	(void)err_r;
	live_view_take(&watch->view, &watch->snapshot->fold.state, entry);
	return 0;
}

static int show_news(struct watching *watch, struct err *err_r)
{
	struct rollout_snapshot *snapshot = watch->snapshot;
	int64_t counter;

	if (look_for_driver(watch, err_r) ||
		store_change_counter(watch->store, &counter, err_r))
		return -1;
	if (counter == watch->counter)
		return 0;
	watch->counter = counter;
	if (rollout_snapshot_follow(
		    snapshot, watch->store, show_entry, watch, err_r))
		return -1;
	/* Preflight learns the revisions. */
	if (!*snapshot->row.candidate)
		return rollout_snapshot_reload_row(
			snapshot, watch->store, err_r);
	return 0;
}

static void pause_over(void *arg)
{
	struct watching *watch = arg;

	watch->pause = NULL;
	loop_stop(watch->loop);
}

static int turn(struct watching *watch, struct err *err_r)
{
	int rc;

	watch->pause = timer_start(watch->loop, PAUSE_MS, pause_over, watch);
	rc = loop_run(watch->loop, err_r);
	timer_cancel(&watch->pause);
	return rc;
}

static bool is_quit(const struct watching *watch)
{
	return watch->left || watch->signo;
}

static int show_to_end(struct watching *watch, struct err *err_r)
{
	while (!is_quit(watch)) {
		if (show_news(watch, err_r) < 0)
			return -1;
		if (phase_is_end(watch->snapshot->fold.state.phase) ||
			is_left_alone(watch))
			return 0;
		if (watch->has_verb)
			decide_now(watch);
		if (turn(watch, err_r) < 0)
			return -1;
	}
	return 0;
}

static void on_signal(int signo, void *arg)
{
	struct watching *watch = arg;

	watch->signo = signo;
	store_interrupt(watch->store);
	loop_stop(watch->loop);
}

static int take_signals(struct watching *watch, struct err *err_r)
{
	return loop_on_end_signals(watch->loop, on_signal, watch, err_r);
}

/* What happened before, without a panel for each line. */
static int show_past(struct watching *watch, struct err *err_r)
{
	watch->view.past = true;
	if (rollout_snapshot_follow(
		    watch->snapshot, watch->store, show_entry, watch, err_r))
		return -1;
	watch->view.past = false;
	return 0;
}

static int run_panel(struct watching *watch, struct err *err_r)
{
	const struct live_view_host host = {
		.policy = watch->snapshot->policy,
		.service = watch->snapshot->row.service,
		.clock = local_clock_unless(watch->options->utc),
		.look = look,
		.may = may,
		.decide = decide,
		.leave = leave,
		.arg = watch,
	};

	if (take_signals(watch, err_r) < 0 ||
		live_view_start(&watch->view, watch->loop, &host, err_r) < 0 ||
		show_past(watch, err_r) < 0)
		return -1;
	return show_to_end(watch, err_r);
}

/* It dies of the signal, as if it had not been taken. */
static void die(int signo)
{
	struct err err;

	(void)!output_finish(&err);
	signal(signo, SIG_DFL);
	raise(signo);
}

/* 1: it has ended; 0: it was left. */
static int follow_on_terminal(struct watching *watch, struct err *err_r)
{
	struct loop *own = NULL;
	int status;

	output_never_wait(false);
	if (context_who(watch->store, watch->options->as, watch->who, err_r))
		return -1;
	watch->loop = store_loop(watch->store);
	if (!watch->loop)
		watch->loop = own = loop_new(err_r);
	if (!watch->loop)
		return -1;
	watch->counter = -1;
	status = run_panel(watch, err_r);
	live_view_stop(&watch->view);
	loop_free(&own);
	free(watch->comment);
	if (watch->signo)
		die(watch->signo);
	/* What was cut short by the key has failed. */
	if (watch->left)
		return 0;
	if (status < 0)
		return -1;
	return phase_is_end(watch->snapshot->fold.state.phase);
}

/* ---- together ---- */

static int follow_to_end(struct watching *watch, struct err *err_r)
{
	bool panel = watch->format == FORMAT_TEXT &&
		     output_is_terminal(stdout) && screen_can_paint(stderr);
	int ended =
		panel ? follow_on_terminal(watch, err_r) : follow(watch, err_r);

	if (ended < 0)
		return -1;
	if (!ended && watch->options->alone_r && *watch->options->alone_r)
		return 0;
	if (!ended) {
		output_text(stdout,
			"%s goes on without being watched here: tidegate watch "
			"%s\n",
			watch->snapshot->row.id, watch->snapshot->row.id);
		return 0;
	}
	if (rollout_snapshot_reload_row(watch->snapshot, watch->store, err_r))
		return -1;
	print_end(watch);
	return rollout_exit_status(&watch->snapshot->fold.state);
}

int watch_follow(const struct watch_options *options, const char *name,
	struct err *err_r)
{
	struct watching watch = {.options = options, .format = options->format};
	int status = -1;

	watch.store = context_store(options->state, STORE_LOOK, err_r);
	if (!watch.store)
		return -1;
	watch.snapshot = rollout_snapshot_open(
		watch.store, name, SNAPSHOT_UNFINISHED, err_r);
	if (watch.snapshot)
		status = follow_to_end(&watch, err_r);
	rollout_snapshot_free(&watch.snapshot);
	store_free(&watch.store);
	return status;
}
