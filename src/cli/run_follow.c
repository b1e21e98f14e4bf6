/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout of a daemon, shown as `run` does; see run_follow.h. Signals and keys
 * only leave a mark: what waits for answers is done between two turns.
 */
#include "cli/run_follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "cli/context.h"
#include "cli/interruption.h"
#include "cli/live_view.h"
#include "cli/local_clock.h"
#include "cli/output.h"
#include "cli/run_end.h"
#include "engine/outlook.h"
#include "io/clock.h"
#include "io/loop.h"
#include "remote/remote_store.h"
#include "remote/wire.h"
#include "status/journal_print.h"
#include "status/rollout_snapshot.h"

#define TURN_MS        1000
#define DRIVER_MS      5000 /* how often it is looked who drives it */
#define LOAD_TEXT_MS   10000 /* between lines about a load, for people */
#define LINE_BYTES_MAX (2 * STORE_EVENT_BYTES_MAX)
#define STATUS_LEFT    8

struct run_following {
	const struct run_follow_options *options;
	struct wire *wire;
	struct store *store;
	struct rollout_snapshot *snapshot;
	int64_t printed_seq;
	struct journal_place place; /* of the entry printed last, as JSON */
	struct live_view view;
	struct store_lease lease; /* while driven */
	bool driven;
	int64_t looked_ms; /* who drives it; 0: never */
	int64_t load_at_ms, load_due_ms; /* of the line about a load */

	struct interruption *interruption; /* signals, and the key to leave */
	bool has_verb; /* a key was typed */
	enum verb verb; /* that it stands for */
	char *comment;

	bool aborted; /* the daemon has taken it */
	/* A signal whose abort was refused, and at which step: the daemon may have
	 * been a step ahead. NULL: none was. */
	const char *refused;
	int refused_step;
	int64_t waited_ms, waiting_since_ms; /* 0: it does not wait */
	bool is_left;
	struct err why; /* it was left */
};

/* ---- what is printed ---- */

static void show_entry(struct run_following *f, const struct store_event *entry)
{
	struct buf line;

	if (f->view.on) {
		live_view_take(&f->view, &f->snapshot->fold.state, entry);
		return;
	}
	buf_init(&line, LINE_BYTES_MAX);
	journal_print_text(entry, &line);
	output_show(stderr, &line);
	buf_fini(&line);
}

static int print_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct run_following *f = arg;
	const char *id = f->snapshot->row.id;
	struct buf line;

	(void)err_r;
	f->printed_seq = entry->seq;
	if (f->options->format != FORMAT_JSON) {
		if (!f->options->quiet)
			show_entry(f, entry);
		return 0;
	}
	buf_init(&line, LINE_BYTES_MAX);
	journal_print_json(id, entry, &line);
	output_show(stdout, &line);
	journal_place_take(&f->place, id, entry);
	buf_fini(&line);
	return 0;
}

static void add_gap(uint64_t missing, struct buf *out, void *arg)
{
	struct run_following *f = arg;

	journal_print_dropped(&f->place, missing, out);
}

static void print_end(const struct run_following *f, int status)
{
	const struct rollout_snapshot *s = f->snapshot;
	const struct rollout *state = &s->fold.state;
	const struct rollout_end end = {
		.rollout = s->row.id,
		.service = s->row.service,
		.candidate = s->row.candidate,
		.stable = s->row.stable,
		.outcome = f->is_left ? "waiting" : phase_name(state->phase),
		.phase = phase_name(state->phase),
		.reason = f->is_left ? f->why.text : state->reason,
		.time_ms = s->fold.last_ms,
		.seq = s->fold.last_seq + 1,
		.percent = s->fold.percent,
		.exit_status = status,
		.actions_failed = state->actions_failed,
	};

	run_end_print(&end, f->options->format);
}

static int64_t now_of(const struct run_following *f)
{
	int64_t now_ms = clock_wall_ms(), last_ms = f->snapshot->fold.last_ms;

	return now_ms > last_ms ? now_ms : last_ms;
}

/* As `run` shows it; a panel has it in its sentence. */
static void show_load(struct run_following *f)
{
	const struct load_live *live = &f->snapshot->load;
	bool json = f->options->format == FORMAT_JSON;
	FILE *stream = json ? stdout : stderr;
	struct buf line;

	if (!live->total_ms || live->at_ms == f->load_at_ms || f->view.on ||
		(!json && (f->options->quiet ||
				  clock_boot_ms() < f->load_due_ms)) ||
		output_backlog(stream))
		return;
	f->load_at_ms = live->at_ms;
	f->load_due_ms = clock_boot_ms() + LOAD_TEXT_MS;
	buf_init(&line, LINE_BYTES_MAX);
	if (json)
		load_live_print_json(&f->place, now_of(f), live, &line);
	else
		load_live_print_text(now_of(f), live, &line);
	output_show(stream, &line);
	buf_fini(&line);
}

/* ---- the view ---- */

/* How an action goes, a load, changes each second. */
static int look_for_driver(struct run_following *f, struct err *err_r)
{
	bool makes = f->snapshot->fold.state.sequence.running;
	int64_t now_ms = clock_boot_ms();
	int held;

	if (f->looked_ms &&
		now_ms - f->looked_ms < (makes ? TURN_MS : DRIVER_MS))
		return 0;
	f->looked_ms = now_ms;
	held = rollout_snapshot_driver(f->snapshot, f->store, &f->lease, err_r);
	f->driven = held > 0;
	return held < 0 ? -1 : 0;
}

static const struct summary *look(struct arena *arena, void *arg)
{
	const struct run_following *f = arg;

	return rollout_snapshot_summary(f->snapshot,
		f->driven ? &f->lease : NULL, now_of(f), f->view.host.clock,
		arena);
}

static bool may(enum verb verb, void *arg)
{
	const struct run_following *f = arg;
	const struct rollout *state = &f->snapshot->fold.state;
	char text[ROLLOUT_TEXT_MAX];

	return f->snapshot->fold.last_seq && !f->has_verb &&
	       !rollout_refuses(f->snapshot->policy, state, verb, state->step,
		       f->options->who, text);
}

static void decide(enum verb verb, const char *comment, void *arg)
{
	struct run_following *f = arg;

	f->has_verb = true;
	f->verb = verb;
	free(f->comment);
	f->comment = xstrdup(comment);
	wire_wake(f->wire);
}

static bool leaves(const struct run_following *f)
{
	return f->snapshot->policy->on_interrupt == ON_INTERRUPT_LEAVE;
}

static const char *leaving(char text[LIVE_VIEW_TEXT_MAX], void *arg)
{
	const struct run_following *f = arg;

	if (leaves(f))
		snprintf(text, LIVE_VIEW_TEXT_MAX,
			"The daemon drives it, and goes on with it "
			"(on_interrupt: leave).");
	else
		snprintf(text, LIVE_VIEW_TEXT_MAX,
			"Leaving takes the traffic back, as Ctrl-C does "
			"(on_interrupt: rollback); tidegate watch is for "
			"looking on.");
	return text;
}

static void leave(void *arg)
{
	struct run_following *f = arg;

	interruption_note(f->interruption, "the key q");
}

static int start_view(struct run_following *f, struct err *err_r)
{
	const struct live_view_host host = {
		.policy = f->snapshot->policy,
		.service = f->snapshot->row.service,
		.clock = local_clock_unless(f->options->utc),
		.look = look,
		.may = may,
		.decide = decide,
		.leaving = leaving,
		.leave = leave,
		.arg = f,
	};

	if (f->options->format != FORMAT_TEXT || f->options->quiet ||
		!f->options->who || !screen_can_paint(stderr))
		return 0;
	if (look_for_driver(f, err_r) < 0)
		return -1;
	return live_view_start(&f->view, wire_loop(f->wire), &host, err_r);
}

/* ---- decisions ---- */

static int send_verb(struct run_following *f, enum verb verb,
	const char *comment, struct err *err_r)
{
	struct store_command command = {
		.rollout = f->snapshot->row.id,
		.verb = verb_name(verb),
		.comment = comment,
		.step = f->snapshot->fold.state.step,
	};

	return store_command_add(f->store, &command, &command.id, err_r);
}

static void decide_by_key(struct run_following *f)
{
	struct err err;

	if (send_verb(f, f->verb, f->comment, &err) < 0)
		wire_say(f->wire, "%s", err.text);
	f->has_verb = false;
}

static void leave_it(struct run_following *f, const char *why)
{
	f->is_left = true;
	err_set(&f->why, ERR_REFUSED,
		"%s; the rollout goes on at %s, follow it by: tidegate watch "
		"%s",
		why, store_path(f->store), f->snapshot->row.id);
}

/* As `run` does on that signal: it takes the traffic back. What the daemon does
 * not take, or cannot hear, holds nobody here who asks twice. */
static void deal_with_interruption(struct run_following *f)
{
	char text[ERR_TEXT_MAX];
	const char *what = f->interruption->what;
	struct err err;

	f->interruption->what = NULL;
	if (f->aborted)
		return;
	if (leaves(f)) {
		leave_it(f, "interrupted, and the policy says on_interrupt: "
			    "leave");
		return;
	}
	snprintf(text, sizeof(text), "%s of tidegate run", what);
	if (send_verb(f, VERB_ABORT, text, &err) == 0) {
		f->aborted = true;
		return;
	}
	wire_say(f->wire, "%s", err.text);
	if (err.code == ERR_REFUSED) {
		f->refused = what;
		f->refused_step = f->snapshot->fold.state.step;
	}
	if (f->interruption->n < 2)
		return;
	snprintf(text, sizeof(text), "%s came twice, and it is not aborted",
		what);
	leave_it(f, text);
}

/* What was meant for the step before is meant for this one, too. */
static void interrupt_again(struct run_following *f)
{
	if (!f->refused || f->refused_step == f->snapshot->fold.state.step)
		return;
	f->interruption->what = f->refused;
	f->refused = NULL;
}

/* ---- for how long it waits ---- */

static int64_t patience_left_ms(struct run_following *f)
{
	bool waits = rollout_waits_for_people(&f->snapshot->fold.state) ||
		     rollout_is_frozen(&f->snapshot->fold.state);
	int64_t now_ms = clock_boot_ms(), waited_ms = f->waited_ms;

	if (f->options->wait_ms < 0)
		return TURN_MS;
	if (waits && !f->waiting_since_ms)
		f->waiting_since_ms = now_ms;
	if (f->waiting_since_ms)
		waited_ms += now_ms - f->waiting_since_ms;
	if (!waits) {
		f->waited_ms = waited_ms;
		f->waiting_since_ms = 0;
		return TURN_MS;
	}
	return f->options->wait_ms - waited_ms;
}

static void patience_is_over(struct run_following *f)
{
	char text[ERR_TEXT_MAX / 2], time[DURATION_TEXT_MAX];

	snprintf(text, sizeof(text), "%s for longer than --wait %s",
		phase_name(f->snapshot->fold.state.phase),
		duration_print(f->options->wait_ms, time));
	leave_it(f, text);
}

/* ---- in order ---- */

static int read_news(struct run_following *f, struct err *err_r)
{
	struct rollout_snapshot *s = f->snapshot;

	if (rollout_snapshot_follow(s, f->store, print_entry, f, err_r) < 0 ||
		look_for_driver(f, err_r) < 0)
		return -1;
	/* Preflight learns the revisions. */
	if (!*s->row.candidate && s->fold.state.phase != PHASE_PREFLIGHT)
		return rollout_snapshot_reload_row(s, f->store, err_r);
	return 0;
}

static bool is_over(const struct run_following *f)
{
	return f->is_left || phase_is_end(f->snapshot->fold.state.phase);
}

static int follow(struct run_following *f, struct err *err_r)
{
	int64_t left_ms;

	for (;;) {
		if (read_news(f, err_r) < 0)
			return -1;
		show_load(f);
		if (f->has_verb)
			decide_by_key(f);
		interrupt_again(f);
		if (f->interruption->what && !is_over(f))
			deal_with_interruption(f);
		left_ms = patience_left_ms(f);
		if (left_ms <= 0 && !is_over(f))
			patience_is_over(f);
		if (is_over(f))
			return 0;
		if (f->has_verb || f->interruption->what)
			continue;
		if (remote_store_wait(f->store,
			    (int)(left_ms < TURN_MS ? left_ms : TURN_MS),
			    err_r) < 0)
			return -1;
	}
}

static int end_status(const struct run_following *f)
{
	const struct rollout *state = &f->snapshot->fold.state;

	if (f->is_left)
		return STATUS_LEFT;
	if (f->options->going_back && state->phase == PHASE_ROLLED_BACK)
		return 0;
	return rollout_exit_status(state);
}

static int follow_to_end(struct run_following *f, struct err *err_r)
{
	int rc;

	output_set_gap(add_gap, f);
	rc = start_view(f, err_r);
	if (rc == 0)
		rc = follow(f, err_r);
	live_view_stop(&f->view);
	/* What is known by now is not waited for. */
	if (rc == 0 && !*f->snapshot->row.candidate)
		rc = rollout_snapshot_reload_row(f->snapshot, f->store, err_r);
	if (rc == 0) {
		rc = end_status(f);
		print_end(f, rc);
	}
	output_set_gap(NULL, NULL);
	return rc;
}

int run_follow(struct interruption *interruption, const char *rollout,
	const struct run_follow_options *options, struct err *err_r)
{
	struct run_following f = {.options = options,
		.wire = interruption->wire,
		.interruption = interruption};
	int status = -1;

	f.store = context_store(NULL, STORE_LOOK, err_r);
	if (!f.store)
		return -1;
	f.snapshot = rollout_snapshot_open(
		f.store, rollout, SNAPSHOT_UNFINISHED, err_r);
	if (f.snapshot)
		status = follow_to_end(&f, err_r);
	if (status < 0)
		err_wrap(err_r, "%s, which goes on without being followed",
			rollout);
	free(f.comment);
	rollout_snapshot_free(&f.snapshot);
	store_free(&f.store);
	return status;
}
