/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon with its doors, and signals; see serve.h. */
#include "serve/serve.h"

#include <signal.h>

#include "base/log.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/front.h"
#include "serve/manager.h"

#define ADDRESS_MAX 512
#define END_MS      3000 /* for requests that are not answered yet */
#define END_LOOK_MS 20

struct serving {
	const struct serve_events *events;
	struct daemon *daemon;
	struct front *front;
	struct manager *manager;
	struct timer *end;
	int64_t end_ms;
};

static void serve_end_look(void *arg)
{
	struct serving *serving = arg;
	struct loop *loop = daemon_loop(serving->daemon);

	serving->end = NULL;
	if (!daemon_visits(serving->daemon) ||
		loop_now(loop) >= serving->end_ms)
		loop_stop(loop);
	else
		serving->end =
			timer_start(loop, END_LOOK_MS, serve_end_look, serving);
}

/* Nothing is taken any more; leases are dropped when the loop has ended, so
 * that another process goes on at once. */
static void serve_end(int signo, void *arg)
{
	struct serving *serving = arg;

	if (serving->end_ms)
		return;
	log_line(LOG_INFO, "event=end signal=%d", signo);
	manager_stopping(serving->manager);
	daemon_drain(serving->daemon);
	front_drain(serving->front);
	serving->end_ms = loop_now(daemon_loop(serving->daemon)) + END_MS;
	serve_end_look(serving);
}

static void serve_reloaded(void *arg)
{
	struct serving *serving = arg;

	if (!serving->end_ms)
		manager_ready(serving->manager);
}

static void serve_reload(int signo, void *arg)
{
	struct serving *serving = arg;

	(void)signo;
	if (serving->end_ms)
		return;
	manager_reloading(serving->manager);
	daemon_reload(serving->daemon, serve_reloaded, serving);
}

static int take_signals(struct serving *serving, struct err *err_r)
{
	struct loop *loop = daemon_loop(serving->daemon);

	signal(SIGPIPE, SIG_IGN);
	if (serving->events->hangup_ends)
		return loop_on_end_signals(loop, serve_end, serving, err_r);
	if (loop_on_signal(loop, SIGINT, serve_end, serving, err_r) < 0 ||
		loop_on_signal(loop, SIGTERM, serve_end, serving, err_r) < 0)
		return -1;
	return loop_on_signal(loop, SIGHUP, serve_reload, serving, err_r);
}

static int serve_turn(struct serving *serving, struct err *err_r)
{
	const struct serve_events *events = serving->events;
	struct buf address, invitation;
	int rc;

	if (take_signals(serving, err_r) < 0)
		return -1;
	buf_init(&address, ADDRESS_MAX);
	buf_init_secret(&invitation, ADDRESS_MAX);
	front_print_address(serving->front, &address);
	front_print_invitation(serving->front, &invitation);
	manager_ready(serving->manager);
	events->ready(address.data, invitation.len ? invitation.data : NULL,
		events->arg);
	buf_wipe(&invitation);
	buf_fini(&invitation);
	buf_fini(&address);
	if (events->begin)
		events->begin(serving->daemon, events->arg);
	rc = loop_run(daemon_loop(serving->daemon), err_r);
	if (events->end)
		events->end(events->arg);
	return rc;
}

int serve_run(const struct serve_config *config,
	const struct serve_events *events, struct buf *problems,
	struct err *err_r)
{
	struct serving serving = {.events = events};
	int rc = -1;

	serving.daemon = daemon_open(config, problems, err_r);
	if (serving.daemon)
		serving.manager = manager_new(serving.daemon, err_r);
	if (serving.manager)
		serving.front = front_open(serving.daemon, err_r);
	if (serving.front)
		rc = serve_turn(&serving, err_r);
	timer_cancel(&serving.end);
	manager_free(&serving.manager);
	front_close(&serving.front); /* its connections are the loop's */
	daemon_close(&serving.daemon);
	return rc;
}
