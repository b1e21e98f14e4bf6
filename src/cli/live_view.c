/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout on a terminal; see live_view.h. */
#include "cli/live_view.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "cli/output.h"
#include "cli/panel.h"
#include "cli/tty.h"
#include "io/clock.h"
#include "store/store.h"

#define TICK_MS           1000 /* between paints, for times and bars */
#define PAINT_BACKLOG_MAX (16 * 1024) /* bytes: the terminal is not stopped */
#define LINE_BYTES_MAX    (2 * STORE_EVENT_BYTES_MAX)
#define KEYS_BYTES        256

/* ---- painting ---- */

static unsigned may_take(const struct live_view *view)
{
	unsigned verbs = 0;
	int verb;

	for (verb = 0; verb < VERBS; verb++) {
		if (view->host.may((enum verb)verb, view->host.arg))
			verbs |= 1U << verb;
	}
	return verbs;
}

static bool leaving_asks(
	const struct live_view *view, char text[LIVE_VIEW_TEXT_MAX])
{
	return view->host.leaving && view->host.leaving(text, view->host.arg);
}

/* What is asked, NULL: nothing. */
static const char *question_of(
	const struct live_view *view, struct buf *question)
{
	char text[LIVE_VIEW_TEXT_MAX];

	switch (view->keys.asking) {
	case KEYS_COMMENT:
		buf_addf(question,
			"%s, with a comment (Enter: go on, Esc: not):",
			verb_name(view->keys.verb));
		return question->data;
	case KEYS_SURE:
		buf_addf(question,
			"%s takes the traffic back and runs the rollback "
			"sequence. [b] again does it, any other key does not:",
			verb_name(view->keys.verb));
		return question->data;
	case KEYS_LEAVE:
		if (!leaving_asks(view, text))
			return NULL;
		buf_addf(question,
			"%s [q] again leaves, any other key does not:", text);
		return question->data;
	default:
		return NULL;
	}
}

static void add_panel(struct live_view *view, struct buf *out)
{
	struct panel panel = {
		.policy = view->host.policy,
		.service = view->host.service,
		.columns = screen_columns(&view->screen),
		.rows = screen_rows(&view->screen),
		.colour = output_has_colour(view->screen.stream),
		.utf8 = screen_has_utf8(),
		.selected = view->input ? view->selected : -1,
		.verbs = may_take(view),
		.has_keys = view->input != NULL,
	};
	struct buf question;
	struct arena arena;

	arena_init(&arena);
	buf_init(&question, 2 * LIVE_VIEW_TEXT_MAX);
	panel.summary = view->host.look(&arena, view->host.arg);
	panel.question = question_of(view, &question);
	panel.answer =
		view->keys.asking == KEYS_COMMENT ? view->keys.comment : "";
	panel_render(&panel, out);
	buf_fini(&question);
	arena_fini(&arena);
}

/* A terminal that is stopped gets the lines alone: panels are painted when it
 * goes on. */
static void paint(struct live_view *view, const struct buf *lines)
{
	bool is_stopped =
		output_backlog(view->screen.stream) > PAINT_BACKLOG_MAX;
	struct buf panel;

	if (is_stopped && !lines->len)
		return;
	buf_init(&panel, OUTPUT_BYTES_MAX);
	if (!is_stopped && !view->past)
		add_panel(view, &panel);
	screen_update(&view->screen, lines, &panel);
	buf_fini(&panel);
}

static void repaint(struct live_view *view)
{
	struct buf none;

	buf_init(&none, 0);
	paint(view, &none);
	buf_fini(&none);
}

static void tick(void *arg)
{
	struct live_view *view = arg;

	view->tick = timer_start(view->loop, TICK_MS, tick, view);
	repaint(view);
}

/* ---- the log above ---- */

void live_view_say(struct live_view *view, enum happening_tone tone,
	int64_t now_ms, const char *text)
{
	static const enum colour colours[] = {
		[HAPPENING_PLAIN] = COLOUR_NONE,
		[HAPPENING_GOOD] = COLOUR_GOOD,
		[HAPPENING_WAIT] = COLOUR_WAIT,
		[HAPPENING_BAD] = COLOUR_BAD,
	};
	const struct panel panel = {
		.columns = screen_columns(&view->screen),
		.colour = output_has_colour(view->screen.stream),
		.utf8 = screen_has_utf8(),
	};
	char time[SUMMARY_TIME_MAX], label[SUMMARY_TIME_MAX + 2];
	summary_clock_fn print = view->host.clock;
	struct buf lines;

	snprintf(label, sizeof(label), "%s  ", print(now_ms, now_ms, time));
	buf_init(&lines, LINE_BYTES_MAX);
	panel_flow(&panel, &(struct panel_text){label, text, colours[tone]},
		&lines);
	paint(view, &lines);
	buf_fini(&lines);
}

void live_view_take(struct live_view *view, const struct rollout *rollout,
	const struct store_event *entry)
{
	enum happening_tone tone;
	struct buf text;

	buf_init(&text, LINE_BYTES_MAX);
	if (happenings_take(view->happenings, rollout, entry, &tone, &text))
		live_view_say(view, tone, entry->time_ms, text.data);
	buf_fini(&text);
}

/* ---- keys ---- */

static void select_slo(struct live_view *view, int by)
{
	int n = (int)view->host.policy->n_slos;
	int to = view->selected + by;

	if (to >= 0 && to < n)
		view->selected = to;
}

static void decide(struct live_view *view)
{
	char comment[KEYS_COMMENT_MAX];

	printable_copy(comment, sizeof(comment), view->keys.comment);
	view->host.decide(view->keys.verb, comment, view->host.arg);
}

/* False: the view was left. */
static bool act(struct live_view *view, char byte, bool alone)
{
	char text[LIVE_VIEW_TEXT_MAX];

	switch (keys_take(&view->keys, byte, alone, may_take(view),
		leaving_asks(view, text))) {
	case WANT_UP:
		select_slo(view, -1);
		break;
	case WANT_DOWN:
		select_slo(view, 1);
		break;
	case WANT_DECISION:
		decide(view);
		break;
	case WANT_LEAVE:
		view->host.leave(view->host.arg);
		break;
	default:
		break;
	}
	return view->on;
}

static void on_input(int fd, int what, void *arg)
{
	struct live_view *view = arg;
	char bytes[KEYS_BYTES];
	ssize_t n, i;

	(void)what;
	/* In the background a read would stop us. */
	n = tty_is_ours() ? read(fd, bytes, sizeof(bytes)) : 0;
	if (n <= 0)
		watch_cancel(&view->input);
	for (i = 0; i < n; i++) {
		if (!act(view, bytes[i], n == 1))
			return;
	}
	repaint(view);
}

static void take_keyboard(struct live_view *view)
{
	if (tty_enter() && !view->input)
		view->input = watch_start(
			view->loop, STDIN_FILENO, WATCH_READ, on_input, view);
}

/* ---- signals of the terminal ---- */

static void on_resize(int signo, void *arg)
{
	struct live_view *view = arg;

	(void)signo;
	if (view->on)
		repaint(view);
}

/* Ctrl-Z: the keyboard is the shell's until SIGCONT. */
static void on_stop(int signo, void *arg)
{
	struct live_view *view = arg;

	(void)signo;
	if (view->on) {
		watch_cancel(&view->input);
		tty_leave();
	}
	raise(SIGSTOP);
}

static void on_continue(int signo, void *arg)
{
	struct live_view *view = arg;

	(void)signo;
	if (!view->on)
		return;
	screen_forget(&view->screen);
	take_keyboard(view);
	repaint(view);
}

static int take_signals(struct live_view *view, struct err *err_r)
{
	if (loop_on_signal(view->loop, SIGWINCH, on_resize, view, err_r) < 0 ||
		loop_on_signal(view->loop, SIGTSTP, on_stop, view, err_r) < 0)
		return -1;
	return loop_on_signal(view->loop, SIGCONT, on_continue, view, err_r);
}

/* ---- begin and end ---- */

static struct live_view *shown; /* NULL: there is none */

bool live_view_tell(const char *text)
{
	if (shown)
		live_view_say(shown, HAPPENING_WAIT, clock_wall_ms(), text);
	return shown != NULL;
}

int live_view_start(struct live_view *view, struct loop *loop,
	const struct live_view_host *host, struct err *err_r)
{
	*view = (struct live_view){.host = *host, .loop = loop};
	if (take_signals(view, err_r) < 0)
		return -1;
	view->on = true;
	shown = view;
	view->happenings = happenings_new(host->policy);
	screen_init(&view->screen, stderr);
	take_keyboard(view);
	view->tick = timer_start(loop, 0, tick, view);
	return 0;
}

void live_view_stop(struct live_view *view)
{
	if (!view->on)
		return;
	view->on = false;
	shown = NULL;
	timer_cancel(&view->tick);
	watch_cancel(&view->input);
	tty_leave();
	screen_clear(&view->screen);
	screen_fini(&view->screen);
	happenings_free(&view->happenings);
}
