/* SPDX-License-Identifier: Apache-2.0 */
/* One load in the foreground; see load_session.h. */
#include "cli/load_session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "action/load_codec.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "io/loop.h"
#include "load/load_job.h"

#define LINE_MAX_BYTES (64 * 1024)
#define PLAIN_LIVE_MS  10000 /* between two lines, where it is no terminal */

struct load_session {
	struct loop *loop;
	struct load_spec *spec;
	struct load_job *job;
	struct watch *orders; /* NULL: nobody gives them */
	bool json, live, terminal, over;
	int64_t shown_ms;
	int status; /* -1: `err` says why */
	struct err *err_r;
};

/* ---- what is shown ---- */

static void show_progress(struct load_session *s, const struct tally *tally,
	const struct tally_now *now, struct buf *line)
{
	if (!s->terminal && now->at_ms - s->shown_ms < PLAIN_LIVE_MS)
		return;
	s->shown_ms = now->at_ms;
	if (s->terminal)
		buf_adds(line, "\r\033[K");
	tally_print_progress(tally, now, line);
	if (!s->terminal)
		buf_addc(line, '\n');
	(void)output_show(stderr, line);
}

static void session_live(
	const struct tally *tally, const struct tally_now *now, void *arg)
{
	struct load_session *s = arg;
	struct buf line;

	if (!s->live)
		return;
	buf_init(&line, LINE_MAX_BYTES);
	if (s->json) {
		tally_print_live(tally, now, &line);
		(void)output_show(stdout, &line);
	} else {
		show_progress(s, tally, now, &line);
	}
	buf_fini(&line);
}

static bool print_result(
	struct load_session *s, const struct load_figures *figures)
{
	const struct load_limits *limits = &s->spec->expect.limits;
	struct buf line;
	bool passed;

	buf_init(&line, LINE_MAX_BYTES);
	if (s->json) {
		passed = figures_print_json(figures, limits, &line);
	} else {
		if (s->terminal)
			output_text(stderr, "\r\033[K");
		passed = figures_print_text(figures, limits, &line);
		buf_addc(&line, '\n');
	}
	redact(&line);
	output_write(stdout, &line);
	buf_fini(&line);
	return passed;
}

static void session_over(
	const struct load_figures *figures, const struct err *err, void *arg)
{
	struct load_session *s = arg;

	if (s->over)
		return;
	s->over = true;
	if (err)
		*s->err_r = *err;
	else if (print_result(s, figures))
		s->status = LOAD_PASSED;
	else
		s->status = figures->stopped ? LOAD_STOPPED : LOAD_MISSED;
	loop_stop(s->loop);
}

/* ---- what stops it ---- */

static void on_signal(int signo, void *arg)
{
	struct load_session *s = arg;

	if (s->job && !s->over)
		load_job_stop(s->job);
}

/* Nothing comes any more but the end. */
static void on_orders(int fd, int what, void *arg)
{
	struct load_session *s = arg;
	char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	watch_cancel(&s->orders);
	on_signal(SIGTERM, s);
}

static int take_signals(struct load_session *s, struct err *err_r)
{
	return loop_on_end_signals(s->loop, on_signal, s, err_r);
}

/* ---- from the start to the end ---- */

static int run_spec(struct load_session *s, struct err *err_r)
{
	const struct load_job_events events = {session_live, session_over, s};

	log_set_level(LOG_WARN);
	if (take_signals(s, err_r) < 0)
		return -1;
	s->job = load_job_start(s->loop, s->spec, &events, err_r);
	if (!s->job)
		return -1;
	if (loop_run(s->loop, err_r) < 0)
		return -1;
	if (!s->over)
		return err_set(err_r, ERR_INTERNAL,
			"the loop ended before the load did");
	return s->status;
}

static int run_order(struct load_session *s, const char *order, size_t len,
	struct err *err_r)
{
	int status = -1;

	s->status = -1;
	s->err_r = err_r;
	output_never_wait(s->json);
	s->spec = load_spec_parse(order, len, err_r);
	if (s->spec) {
		s->live = s->spec->live;
		status = run_spec(s, err_r);
	}
	load_job_free(&s->job);
	load_spec_free(&s->spec);
	watch_cancel(&s->orders);
	loop_free(&s->loop);
	return status;
}

int load_session_run(
	const char *order, size_t len, bool json, struct err *err_r)
{
	struct load_session s = {
		.json = json, .terminal = !json && output_is_terminal(stderr)};

	s.loop = loop_new(err_r);
	return s.loop ? run_order(&s, order, len, err_r) : -1;
}

/* Up to the first line's end; what gives orders says nothing behind it. */
static int read_order(struct buf *order, struct err *err_r)
{
	char bytes[16384];
	ssize_t n;

	while (!order->overflow && !memchr(order->data, '\n', order->len)) {
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err_r, ERR_INVALID,
				"no order on standard input: it is one line of "
				"JSON, which tidegate gives");
		buf_add(order, bytes, (size_t)n);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return order->overflow
		       ? err_set(err_r, ERR_LIMIT,
				 "the order of this load is longer than "
				 "%d bytes",
				 LOAD_ORDER_MAX)
		       : 0;
}

int load_session_obey(struct err *err_r)
{
	struct load_session s = {.json = true};
	struct buf order;
	int status = -1;

	/* By a signal that lets us clear up; the end of the input says it, too.
	 */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	buf_init_secret(&order, LOAD_ORDER_MAX);
	if (read_order(&order, err_r) == 0)
		s.loop = loop_new(err_r);
	if (s.loop) {
		s.orders = watch_start(
			s.loop, STDIN_FILENO, WATCH_READ, on_orders, &s);
		status = run_order(&s, order.data, order.len, err_r);
	}
	buf_wipe(&order);
	buf_fini(&order);
	return status;
}
