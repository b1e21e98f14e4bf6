/* One rollout in the foreground; see drive.h. Decides nothing about it. */
#include "cli/drive.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/context.h"
#include "cli/finished.h"
#include "cli/journal_print.h"
#include "cli/output.h"
#include "io/loop.h"
#include "policy/policy_load.h"

#define LINE_BYTES_MAX     (2 * STORE_EVENT_BYTES_MAX)
#define PROBLEMS_BYTES_MAX (256 * 1024)
#define TICK_MS            1000 /* between paints, for the bar of the bake */
#define PAINT_BACKLOG_MAX  (16 * 1024) /* bytes: the terminal is not stopped */

/* ---- the policy ---- */

struct policy *drive_policy(
	const char *path, const char *source, struct err *err_r)
{
	struct policy *policy;
	struct buf problems;

	buf_init(&problems, PROBLEMS_BYTES_MAX);
	if (source)
		policy = policy_parse(path, source, strlen(source),
			&policy_env_real, &problems, err_r);
	else
		policy = policy_load(path, &policy_env_real, &problems, err_r);
	if (!policy && problems.len) {
		output_write(stderr, &problems);
		err_set(err_r, ERR_POLICY, "%s is not a policy to work with",
			path);
	}
	buf_fini(&problems);
	return policy;
}

/* ---- the world ---- */

int drive_open(struct drive *drive, struct err *err_r)
{
	struct world_options options = {
		.project = drive->project,
		.region = drive->region,
		.store = drive->store,
	};

	drive->status = -1;
	if (world_open(&drive->world, &options, err_r) < 0)
		return -1;
	drive->fleet = fleet_new(&drive->world);
	return 0;
}

/* ---- the view ---- */

static void add_view(struct drive *drive, struct buf *out)
{
	struct view view = {
		.policy = driver_policy(drive->driver),
		.rollout = driver_state(drive->driver),
		.id = driver_id(drive->driver),
		.candidate = driver_candidate(drive->driver),
		.stable = driver_stable(drive->driver),
		.now_ms = driver_now(drive->driver),
		.columns = screen_columns(&drive->screen),
		.colour = output_has_colour(stderr),
		.utf8 = screen_has_utf8(),
	};

	view_render(&view, out);
}

/* Progress, above the view where there is one. A terminal that is stopped gets
 * the lines alone: views are painted when it goes on. */
static void show_lines(struct drive *drive, const struct buf *lines)
{
	bool is_stopped = output_backlog(stderr) > PAINT_BACKLOG_MAX;
	struct buf view;

	if (!drive->painting) {
		output_show(stderr, lines);
		return;
	}
	if (is_stopped && !lines->len)
		return;
	buf_init(&view, OUTPUT_BYTES_MAX);
	if (!is_stopped)
		add_view(drive, &view);
	screen_update(&drive->screen, lines, &view);
	buf_fini(&view);
}

static void tick(void *arg)
{
	struct drive *drive = arg;
	struct buf none;

	drive->tick = timer_start(drive->world.loop, TICK_MS, tick, drive);
	buf_init(&none, 0);
	show_lines(drive, &none);
	buf_fini(&none);
}

static void start_view(struct drive *drive)
{
	drive->painting = drive->format == FORMAT_TEXT && !drive->quiet &&
			  output_is_terminal(stderr);
	if (!drive->painting)
		return;
	screen_init(&drive->screen, stderr);
	drive->tick = timer_start(drive->world.loop, 0, tick, drive);
}

static void stop_view(struct drive *drive)
{
	timer_cancel(&drive->tick);
	if (drive->painting)
		screen_clear(&drive->screen);
	drive->painting = false;
}

/* ---- what is printed ---- */

/* The view below shows the checks: on a terminal only decisions scroll. */
static bool is_shown(const struct drive *drive, const struct store_event *entry)
{
	return !drive->painting || entry->is_note ||
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
	struct drive *drive = arg;
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	if (drive->format == FORMAT_JSON) {
		journal_print_json(driver_id(driver), entry, &line);
		output_show(stdout, &line);
		journal_place_take(&drive->place, driver_id(driver), entry);
	} else if (!drive->quiet) {
		if (is_shown(drive, entry))
			journal_print_text(entry, &line);
		show_lines(drive, &line);
	}
	buf_fini(&line);
}

/* Between the last line that was taken and the next. */
static void add_gap(uint64_t missing, struct buf *out, void *arg)
{
	struct drive *drive = arg;

	journal_print_dropped(&drive->place, missing, out);
}

static const char *outcome_of(const struct drive *drive)
{
	enum phase phase = driver_state(drive->driver)->phase;

	if (drive->status == 8)
		return "waiting";
	if (!drive->err.code)
		return phase_name(phase);
	return drive->status == err_exit_status(ERR_REFUSED)
		       ? phase_name(PHASE_REFUSED)
		       : "error";
}

static void print_end(const struct drive *drive)
{
	const struct rollout *state = driver_state(drive->driver);
	struct finished finished = {
		.rollout = driver_id(drive->driver),
		.service = driver_service(drive->driver),
		.candidate = driver_candidate(drive->driver),
		.stable = driver_stable(drive->driver),
		.outcome = outcome_of(drive),
		.phase = phase_name(state->phase),
		.reason = drive->err.code ? drive->err.text : state->reason,
		.time_ms = driver_now(drive->driver),
		.seq = driver_seq(drive->driver) + 1,
		.percent = state->traffic.serving.candidate,
		.exit_status = drive->status,
		.actions_failed = state->actions_failed,
	};
	struct buf line;

	buf_init(&line, LINE_BYTES_MAX);
	if (drive->format == FORMAT_JSON)
		finished_print_json(&finished, &line);
	else
		finished_print_text(&finished, &line);
	output_write(stdout, &line);
	buf_fini(&line);
	finished_tell_github(&finished);
}

static void ended(struct driver *driver, int exit_status, const struct err *err,
	void *arg)
{
	struct drive *drive = arg;

	drive->status = exit_status;
	if (drive->going_back &&
		driver_state(driver)->phase == PHASE_ROLLED_BACK)
		drive->status = 0;
	if (err)
		drive->err = *err;
	stop_view(drive);
	print_end(drive);
	loop_stop(drive->world.loop);
}

const struct observer drive_observer = {
	.entry = print_entry,
	.end = ended,
};

/* ---- running ---- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int signo, void *arg)
{
	struct drive *drive = arg;

	driver_interrupt(drive->driver, signo == SIGINT    ? "SIGINT"
					: signo == SIGTERM ? "SIGTERM"
							   : "SIGHUP");
}

static int take_signals(struct drive *drive, struct err *err_r)
{
	/* The reader of our output may go away, and a file may reach its limit:
	 * the canary stays watched. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (loop_on_signal(drive->world.loop, signals[i], on_signal,
			    drive, err_r) < 0)
			return -1;
	return 0;
}

int drive_run(struct drive *drive, struct err *err_r)
{
	output_set_gap(add_gap, drive);
	log_set_sink(print_log, drive);
	log_set_level(LOG_WARN);
	if (take_signals(drive, err_r) < 0)
		return -1;
	start_view(drive);
	if (loop_run(drive->world.loop, err_r) < 0)
		return -1;
	if (drive->status < 0)
		return err_set(err_r, ERR_INTERNAL,
			"the loop ended before the rollout did");
	return drive->status;
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

void drive_close(struct drive *drive)
{
	stop_view(drive);
	if (drive->status >= 0)
		leave_signals();
	log_set_sink(NULL, NULL);
	output_set_gap(NULL, NULL);
	fleet_drop(drive->fleet, &drive->driver);
	fleet_free(&drive->fleet);
	world_close(&drive->world);
}
