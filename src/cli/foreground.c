/* SPDX-License-Identifier: Apache-2.0 */
/* One rollout in the foreground; see foreground.h. Decides nothing about it. */
#include "cli/foreground.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/context.h"
#include "cli/local_clock.h"
#include "cli/output.h"
#include "cli/run_end.h"
#include "engine/outlook.h"
#include "io/loop.h"
#include "status/journal_print.h"
#include "status/outcome_print.h"
#include "status/rollout_snapshot.h"

#define LINE_BYTES_MAX (2 * STORE_EVENT_BYTES_MAX)
#define LOAD_MS        1000 /* between lines about a load, for programs */
#define LOAD_TEXT_MS   10000 /* … and for people, without a terminal */

/* ---- the world ---- */

int foreground_open(struct foreground *foreground, struct err *err_r)
{
	struct world_options options = {
		.project = foreground->project,
		.region = foreground->region,
		.store = foreground->store,
	};

	foreground->status = -1;
	foreground->listens = false;
	if (world_open(&foreground->world, &options, err_r) < 0)
		return -1;
	foreground->fleet = fleet_new(&foreground->world, err_r);
	return foreground->fleet ? 0 : -1;
}

/* ---- the view ---- */

static enum summary_journal journal_of(const struct driver *driver)
{
	if (driver_is_unjournaled(driver))
		return SUMMARY_UNJOURNALED;
	return driver_is_late(driver) ? SUMMARY_JOURNAL_LATE
				      : SUMMARY_JOURNALED;
}

static const struct summary *look(struct arena *arena, void *arg)
{
	const struct foreground *foreground = arg;
	const struct driver *driver = foreground->driver;
	struct summary_source source = {
		.policy = driver_policy(driver),
		.rollout = driver_state(driver),
		.lookback = foreground->lookback,
		.id = driver_id(driver),
		.service = driver_service(driver),
		.candidate = driver_candidate(driver),
		.stable = driver_stable(driver),
		.starter = driver_state(driver)->starter,
		.started_ms = driver_state(driver)->started_ms,
		.now_ms = driver_now(driver),
		.driver = SUMMARY_DRIVEN,
		.journal = journal_of(driver),
		.load = driver_load(driver),
		.clock = foreground->view.host.clock,
	};

	return summary_make(&source, arena);
}

static bool may(enum verb verb, void *arg)
{
	const struct foreground *foreground = arg;
	const struct driver *driver = foreground->driver;
	char text[ROLLOUT_TEXT_MAX];

	return driver_seq(driver) &&
	       !rollout_refuses(driver_policy(driver), driver_state(driver),
		       verb, driver_state(driver)->step, foreground->who, text);
}

static void decide(enum verb verb, const char *comment, void *arg)
{
	const struct foreground *foreground = arg;

	driver_decide(foreground->driver, verb, foreground->who, comment);
}

static const char *leaving(char text[LIVE_VIEW_TEXT_MAX], void *arg)
{
	const struct foreground *foreground = arg;
	const struct driver *driver = foreground->driver;
	bool leaves = driver_policy(driver)->on_interrupt == ON_INTERRUPT_LEAVE;

	if (leaves)
		snprintf(text, LIVE_VIEW_TEXT_MAX,
			"This process drives it: leaving lets it stand as it "
			"is, and nobody watches the SLOs before `tidegate "
			"resume %s`.",
			driver_id(driver));
	else
		snprintf(text, LIVE_VIEW_TEXT_MAX,
			"This process drives it: leaving takes the traffic "
			"back, as Ctrl-C does (on_interrupt: rollback).");
	return text;
}

static void leave(void *arg)
{
	const struct foreground *foreground = arg;

	driver_interrupt(foreground->driver, "the key q");
}

static int look_back(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct foreground *foreground = arg;

	(void)err_r;
	lookback_take(foreground->lookback, entry);
	return 0;
}

static int start_view(struct foreground *foreground, struct err *err_r)
{
	const struct driver *driver = foreground->driver;
	const struct live_view_host host = {
		.policy = driver_policy(driver),
		.service = driver_service(driver),
		.clock = local_clock_unless(foreground->utc),
		.look = look,
		.may = may,
		.decide = decide,
		.leaving = leaving,
		.leave = leave,
		.arg = foreground,
	};

	if (foreground->format != FORMAT_TEXT || foreground->quiet ||
		!screen_can_paint(stderr))
		return 0;
	foreground->lookback = lookback_new(host.policy);
	/* Of a rollout that is resumed. */
	if (store_each_event(foreground->store, driver_id(driver), 0, look_back,
		    foreground, err_r) < 0)
		return -1;
	return live_view_start(
		&foreground->view, foreground->world.loop, &host, err_r);
}

static void stop_view(struct foreground *foreground)
{
	timer_cancel(&foreground->load_timer);
	live_view_stop(&foreground->view);
	lookback_free(&foreground->lookback);
}

/* ---- what is printed ---- */

/* Trouble; decisions are printed as entries of the journal. */
static void print_log(const char *text, size_t len, void *arg)
{
	struct foreground *foreground = arg;
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	buf_add(&line, text, len);
	if (foreground->view.on) {
		live_view_say(&foreground->view, HAPPENING_WAIT,
			driver_now(foreground->driver), line.data);
	} else {
		buf_addc(&line, '\n');
		output_show(stderr, &line);
	}
	buf_fini(&line);
}

static void show_entry(
	struct foreground *foreground, const struct store_event *entry)
{
	struct buf line;

	if (foreground->view.on) {
		lookback_take(foreground->lookback, entry);
		live_view_take(&foreground->view,
			driver_state(foreground->driver), entry);
		return;
	}
	buf_init(&line, LINE_BYTES_MAX);
	journal_print_text(entry, &line);
	output_show(stderr, &line);
	buf_fini(&line);
}

static void print_entry(
	struct driver *driver, const struct store_event *entry, void *arg)
{
	struct foreground *foreground = arg;
	struct buf line;

	if (entry->seq == 1)
		foreground->exporter = exporter_start(&foreground->wish,
			store_path(foreground->store), driver_id(driver));
	if (foreground->format != FORMAT_JSON) {
		if (!foreground->quiet)
			show_entry(foreground, entry);
		return;
	}
	buf_init(&line, LINE_BYTES_MAX);
	journal_print_json(driver_id(driver), entry, &line);
	output_show(stdout, &line);
	journal_place_take(&foreground->place, driver_id(driver), entry);
	buf_fini(&line);
}

static void add_load(const struct foreground *foreground,
	const struct load_live *live, struct buf *line)
{
	int64_t now_ms = driver_now(foreground->driver);

	if (foreground->format == FORMAT_JSON)
		load_live_print_json(&foreground->place, now_ms, live, line);
	else
		load_live_print_text(now_ms, live, line);
}

/* How a load goes: where a reader is slow, only what is journaled waits. */
static void show_load(void *arg)
{
	struct foreground *foreground = arg;
	bool json = foreground->format == FORMAT_JSON;
	FILE *stream = json ? stdout : stderr;
	const struct load_live *live = driver_load(foreground->driver);
	struct buf line;

	foreground->load_timer = timer_start(foreground->world.loop,
		json ? LOAD_MS : LOAD_TEXT_MS, show_load, foreground);
	if (!live || live->at_ms == foreground->load_at_ms ||
		output_backlog(stream))
		return;
	foreground->load_at_ms = live->at_ms;
	buf_init(&line, LINE_BYTES_MAX);
	add_load(foreground, live, &line);
	output_show(stream, &line);
	buf_fini(&line);
}

/* Between the last line that was taken and the next. */
static void add_gap(uint64_t missing, struct buf *out, void *arg)
{
	struct foreground *foreground = arg;

	journal_print_dropped(&foreground->place, missing, out);
}

static const char *outcome_of(const struct foreground *foreground)
{
	enum phase phase = driver_state(foreground->driver)->phase;

	if (foreground->status == 8)
		return "waiting";
	if (!foreground->err.code)
		return phase_name(phase);
	return foreground->status == err_exit_status(ERR_REFUSED)
		       ? phase_name(PHASE_REFUSED)
		       : "error";
}

/* Of a rollout that was to be resumed, and was not: it is what others made it. */
static struct rollout_snapshot *left_by_others(
	const struct foreground *foreground, struct rollout_end *end)
{
	struct rollout_snapshot *snapshot;
	struct err err;

	if (driver_seq(foreground->driver))
		return NULL;
	snapshot = rollout_snapshot_load(
		foreground->store, end->rollout, SNAPSHOT_NEWEST, &err);
	if (!snapshot) /* a new one has no entry */
		return NULL;
	end->phase = phase_name(snapshot->fold.state.phase);
	end->candidate = snapshot->row.candidate;
	end->stable = snapshot->row.stable;
	end->percent = snapshot->fold.percent;
	end->seq = snapshot->fold.last_seq + 1;
	return snapshot;
}

static void print_end(const struct foreground *foreground)
{
	const struct rollout *state = driver_state(foreground->driver);
	struct rollout_end end = {
		.rollout = driver_id(foreground->driver),
		.service = driver_service(foreground->driver),
		.candidate = driver_candidate(foreground->driver),
		.stable = driver_stable(foreground->driver),
		.outcome = outcome_of(foreground),
		.phase = phase_name(state->phase),
		.reason = foreground->err.code ? foreground->err.text
					       : state->reason,
		.time_ms = driver_now(foreground->driver),
		.seq = driver_seq(foreground->driver) + 1,
		.percent = state->traffic.serving.candidate,
		.exit_status = foreground->status,
		.actions_failed = state->actions_failed,
	};
	struct rollout_snapshot *others = left_by_others(foreground, &end);

	run_end_print(&end, foreground->format);
	rollout_snapshot_free(&others);
}

static void ended(struct driver *driver, int exit_status, const struct err *err,
	void *arg)
{
	struct foreground *foreground = arg;

	if (err)
		foreground->err = *err;
	foreground->overtaken = foreground->going_back && err &&
				err->code == ERR_CONFLICT &&
				!driver_seq(driver);
	if (foreground->overtaken) {
		loop_stop(foreground->world.loop);
		return;
	}
	foreground->status = exit_status;
	if (foreground->going_back &&
		driver_state(driver)->phase == PHASE_ROLLED_BACK)
		foreground->status = 0;
	stop_view(foreground);
	print_end(foreground);
	loop_stop(foreground->world.loop);
}

const struct observer foreground_observer = {
	.entry = print_entry,
	.end = ended,
};

/* ---- running ---- */

static void on_signal(int signo, void *arg)
{
	struct foreground *foreground = arg;
	const char *name = signo == SIGINT    ? "SIGINT"
			   : signo == SIGTERM ? "SIGTERM"
					      : "SIGHUP";

	if (foreground->driver)
		driver_interrupt(foreground->driver, name);
	else
		output_text(stderr, "%s: what is under way is finished first\n",
			name);
}

int foreground_listen(struct foreground *foreground, struct err *err_r)
{
	log_set_sink(print_log, foreground);
	log_set_level(LOG_WARN);
	if (foreground->listens)
		return 0;
	foreground->listens = true;
	/* The reader of our output may go away: the canary stays watched. */
	signal(SIGPIPE, SIG_IGN);
	return loop_on_end_signals(
		foreground->world.loop, on_signal, foreground, err_r);
}

int foreground_run(struct foreground *foreground, struct err *err_r)
{
	output_set_gap(add_gap, foreground);
	if (foreground_listen(foreground, err_r) < 0)
		return -1;
	if (start_view(foreground, err_r) < 0)
		return -1;
	if (!foreground->view.on &&
		(foreground->format == FORMAT_JSON || !foreground->quiet))
		show_load(foreground);
	if (loop_run(foreground->world.loop, err_r) < 0)
		return -1;
	if (foreground->overtaken)
		return err_set(err_r, ERR_REFUSED, "%s", foreground->err.text);
	if (foreground->status < 0)
		return err_set(err_r, ERR_INTERNAL,
			"the loop ended before the rollout did");
	return foreground->status;
}

/* The last lines are still to be written, for which it may be waited a little:
 * how it ended is not changed by a signal any more. */
static void leave_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void foreground_close(struct foreground *foreground)
{
	stop_view(foreground);
	if (foreground->status >= 0)
		leave_signals();
	log_set_sink(NULL, NULL);
	output_set_gap(NULL, NULL);
	fleet_drop(foreground->fleet, &foreground->driver);
	fleet_free(&foreground->fleet);
	world_close(&foreground->world);
	exporter_wait(foreground->exporter);
}
