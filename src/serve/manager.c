/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager of the daemon; see manager.h. */
#include "serve/manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "io/notify.h"
#include "serve/daemon.h"
#include "serve/driven.h"

#define STATUS_MS 5000

struct manager {
	struct daemon *daemon;
	struct notify *notify;
	struct timer *status_due, *alive_due; /* NULL: not ready, or no need */
	char status[NOTIFY_STATUS_MAX]; /* as it was told */
};

struct manager *manager_new(struct daemon *daemon, struct err *err_r)
{
	struct notify *notify = notify_new(err_r);
	struct manager *manager;

	if (!notify)
		return NULL;
	manager = xcalloc(1, sizeof(*manager));
	manager->daemon = daemon;
	manager->notify = notify;
	return manager;
}

static void timers_stop(struct manager *manager)
{
	timer_cancel(&manager->status_due);
	timer_cancel(&manager->alive_due);
}

void manager_free(struct manager **manager)
{
	if (!*manager)
		return;
	timers_stop(*manager);
	notify_free(&(*manager)->notify);
	free(*manager);
	*manager = NULL;
}

static int count_waiting(const struct driven_set *set)
{
	const struct driven *driven;
	int n = 0;

	for (driven = driven_first(set); driven; driven = driven_next(driven))
		n += driver_state(driven_driver(driven))->phase ==
		     PHASE_AWAITING_APPROVAL;
	return n;
}

static void status_tell(void *arg)
{
	struct manager *manager = arg;
	const struct driven_set *set = daemon_driven(manager->daemon);
	char status[NOTIFY_STATUS_MAX];
	size_t n = driven_count(set);
	int waiting = count_waiting(set);

	snprintf(status, sizeof(status), "driving %zu %s, %d %s for approval",
		n, n == 1 ? "rollout" : "rollouts", waiting,
		waiting == 1 ? "waits" : "wait");
	if (strcmp(status, manager->status) != 0) {
		memcpy(manager->status, status, sizeof(status));
		notify_status(manager->notify, status);
	}
	manager->status_due = timer_start(
		daemon_loop(manager->daemon), STATUS_MS, status_tell, manager);
}

/* From the loop that drives: where it stands still, nothing is told. */
static void alive_tell(void *arg)
{
	struct manager *manager = arg;

	notify_alive(manager->notify);
	manager->alive_due = timer_start(daemon_loop(manager->daemon),
		notify_alive_every_ms(manager->notify), alive_tell, manager);
}

void manager_ready(struct manager *manager)
{
	notify_ready(manager->notify);
	if (!notify_is_heard(manager->notify))
		return;
	timers_stop(manager);
	status_tell(manager);
	if (notify_alive_every_ms(manager->notify))
		alive_tell(manager);
}

void manager_reloading(struct manager *manager)
{
	notify_reloading(manager->notify);
}

void manager_stopping(struct manager *manager)
{
	notify_stopping(manager->notify);
}
