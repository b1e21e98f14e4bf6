/* One rollout in the foreground; see foreground.h. Decides nothing about it. */
#include "cli/foreground.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/context.h"
#include "cli/github.h"
#include "cli/output.h"
#include "io/loop.h"
#include "status/journal_print.h"
#include "status/outcome_print.h"

#define LINE_BYTES_MAX    (2 * STORE_EVENT_BYTES_MAX)
#define TICK_MS           1000 /* between paints, for the bar of the bake */
#define PAINT_BACKLOG_MAX (16 * 1024) /* bytes: the terminal is not stopped */

/* ---- the world ---- */

int foreground_open(struct foreground *foreground, struct err *err_r)
{
	struct world_options options = {
		.project = foreground->project,
		.region = foreground->region,
		.store = foreground->store,
	};

	foreground->status = -1;
	if (world_open(&foreground->world, &options, err_r) < 0)
		return -1;
	foreground->fleet = fleet_new(&foreground->world);
	return 0;
}

/* ---- the view ---- */

static void add_view(struct foreground *foreground, struct buf *out)
{
	struct view view = {
		.policy = driver_policy(foreground->driver),
		.rollout = driver_state(foreground->driver),
		.id = driver_id(foreground->driver),
		.candidate = driver_candidate(foreground->driver),
		.stable = driver_stable(foreground->driver),
		.now_ms = driver_now(foreground->driver),
		.columns = screen_columns(&foreground->screen),
		.colour = output_has_colour(stderr),
		.utf8 = screen_has_utf8(),
	};

	view_render(&view, out);
}

/* Progress, above the view where there is one. A terminal that is stopped gets
 * the lines alone: views are painted when it goes on. */
static void show_lines(struct foreground *foreground, const struct buf *lines)
{
	bool is_stopped = output_backlog(stderr) > PAINT_BACKLOG_MAX;
	struct buf view;

	if (!foreground->painting) {
		output_show(stderr, lines);
		return;
	}
	if (is_stopped && !lines->len)
		return;
	buf_init(&view, OUTPUT_BYTES_MAX);
	if (!is_stopped)
		add_view(foreground, &view);
	screen_update(&foreground->screen, lines, &view);
	buf_fini(&view);
}

static void tick(void *arg)
{
	struct foreground *foreground = arg;
	struct buf none;

	foreground->tick =
		timer_start(foreground->world.loop, TICK_MS, tick, foreground);
	buf_init(&none, 0);
	show_lines(foreground, &none);
	buf_fini(&none);
}

static void start_view(struct foreground *foreground)
{
	foreground->painting = foreground->format == FORMAT_TEXT &&
			       !foreground->quiet && output_is_terminal(stderr);
	if (!foreground->painting)
		return;
	screen_init(&foreground->screen, stderr);
	foreground->tick =
		timer_start(foreground->world.loop, 0, tick, foreground);
}

static void stop_view(struct foreground *foreground)
{
	timer_cancel(&foreground->tick);
	if (foreground->painting)
		screen_clear(&foreground->screen);
	foreground->painting = false;
}

/* ---- what is printed ---- */

/* The view below shows the checks: on a terminal only decisions scroll. */
static bool is_shown(
	const struct foreground *foreground, const struct store_event *entry)
{
	return !foreground->painting || entry->is_note ||
	       strcmp(entry->name, event_name(EVENT_CHECK)) != 0;
}

/* Trouble; decisions are printed as entries of the journal. */
static void print_log(const char *text, size_t len, void *arg)
{
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	buf_add(&line, text, len);
	buf_addc(&line, '\n');
	show_lines(arg, &line);
	buf_fini(&line);
}

static void print_entry(
	struct driver *driver, const struct store_event *entry, void *arg)
{
	struct foreground *foreground = arg;
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	if (foreground->format == FORMAT_JSON) {
		journal_print_json(driver_id(driver), entry, &line);
		output_show(stdout, &line);
		journal_place_take(
			&foreground->place, driver_id(driver), entry);
	} else if (!foreground->quiet) {
		if (is_shown(foreground, entry))
			journal_print_text(entry, &line);
		show_lines(foreground, &line);
	}
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

static void tell_github(const struct rollout_end *end)
{
	struct buf out;

	buf_init(&out, GITHUB_BYTES_MAX);
	outcome_print_outputs(end, &out);
	github_append("GITHUB_OUTPUT", &out);
	buf_clear(&out);
	outcome_print_summary(end, &out);
	github_append("GITHUB_STEP_SUMMARY", &out);
	buf_fini(&out);
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
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	if (foreground->format == FORMAT_JSON)
		outcome_print_json(&end, &line);
	else
		outcome_print_text(&end, &line);
	output_write(stdout, &line);
	buf_fini(&line);
	tell_github(&end);
}

static void ended(struct driver *driver, int exit_status, const struct err *err,
	void *arg)
{
	struct foreground *foreground = arg;

	foreground->status = exit_status;
	if (foreground->going_back &&
		driver_state(driver)->phase == PHASE_ROLLED_BACK)
		foreground->status = 0;
	if (err)
		foreground->err = *err;
	stop_view(foreground);
	print_end(foreground);
	loop_stop(foreground->world.loop);
}

const struct observer foreground_observer = {
	.entry = print_entry,
	.end = ended,
};

/* ---- running ---- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int signo, void *arg)
{
	struct foreground *foreground = arg;

	driver_interrupt(foreground->driver, signo == SIGINT    ? "SIGINT"
					     : signo == SIGTERM ? "SIGTERM"
								: "SIGHUP");
}

static int take_signals(struct foreground *foreground, struct err *err_r)
{
	/* The reader of our output may go away, and a file may reach its limit:
	 * the canary stays watched. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (loop_on_signal(foreground->world.loop, signals[i],
			    on_signal, foreground, err_r) < 0)
			return -1;
	return 0;
}

int foreground_run(struct foreground *foreground, struct err *err_r)
{
	output_set_gap(add_gap, foreground);
	log_set_sink(print_log, foreground);
	log_set_level(LOG_WARN);
	if (take_signals(foreground, err_r) < 0)
		return -1;
	start_view(foreground);
	if (loop_run(foreground->world.loop, err_r) < 0)
		return -1;
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
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
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
}
