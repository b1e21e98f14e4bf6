/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon without its doors: the world, the policies, and all rollouts that
 * it drives. It takes up every rollout of its state file that nobody drives any
 * more, at its start and later. Knows no HTTP.
 */
#ifndef TIDEGATE_SERVE_DAEMON_H
#define TIDEGATE_SERVE_DAEMON_H

#include <sys/queue.h>

#include "base/buf.h"
#include "serve/serve_config.h"

struct changes;
struct daemon;
struct desk;
struct drills;
struct driven_set;
struct identity;
struct loop;
struct meter;
struct once_works;
struct shelf;
struct slack_api;
struct store;
struct views;
struct watch;
struct world;

/* Opens the state file, finds credentials, reads all policies, and begins to
 * look for rollouts that were left. The configuration is borrowed. What is
 * wrong with policies is in `problems`. NULL with err_r. */
MUST_CHECK struct daemon *daemon_open(const struct serve_config *config,
	struct buf *problems, struct err *err_r);
/* Lets go of all rollouts, with their leases: somebody else goes on with them
 * at once. Nothing is reverted. */
void daemon_close(struct daemon **daemon);

/* Reads the policies, people and access, and the secrets of identity again, while the
 * loop turns; a file that is wrong leaves them as they were, and the log says so. When
 * one is under way another follows it. `done` is told when all is over, unless the
 * daemon is closed before; NULL: nobody is. */
void daemon_reload(struct daemon *daemon, void (*done)(void *arg), void *arg);
bool daemon_is_reloading(const struct daemon *daemon);

/* From now on nothing is started or taken up any more; who follows is told. */
void daemon_drain(struct daemon *daemon);
bool daemon_is_draining(const struct daemon *daemon);
/* NULL: it can work. Else why not: it is draining, or the state file cannot be
 * reached. */
const char *daemon_unready(const struct daemon *daemon);

/* As it was at the start: people and access may be others by now. */
const struct serve_config *daemon_config(const struct daemon *daemon);
/* From any thread; who looks at them may go on with that until the end. */
const struct people *daemon_people(const struct daemon *daemon);
const struct access *daemon_access(const struct daemon *daemon);
struct loop *daemon_loop(const struct daemon *daemon);
/* The loop's connection: for small reads alone. */
struct store *daemon_store(const struct daemon *daemon);
struct desk *daemon_desk(const struct daemon *daemon);
struct shelf *daemon_shelf(const struct daemon *daemon);
struct driven_set *daemon_driven(const struct daemon *daemon);
struct once_works *daemon_once_works(struct daemon *daemon);
struct identity *daemon_identity(const struct daemon *daemon);
struct changes *daemon_changes(const struct daemon *daemon);
struct slack_api *daemon_slack(const struct daemon *daemon); /* NULL: none */
struct views *daemon_views(const struct daemon *daemon);
struct drills *daemon_drills(const struct daemon *daemon);
struct watch *daemon_watch(const struct daemon *daemon);
struct meter *daemon_meter(const struct daemon *daemon);
struct world *daemon_world(struct daemon *daemon);

/* What waits for the world on behalf of a request: when the daemon is closed
 * before, it is cancelled, and ends its wait by that. */
struct daemon_waiter {
	LIST_ENTRY(daemon_waiter) link;
	bool waits;
	void (*cancel)(struct daemon_waiter *waiter);
	void *arg;
};

void daemon_wait_begins(struct daemon *daemon, struct daemon_waiter *waiter);
void daemon_wait_ends(struct daemon_waiter *waiter); /* also when it has not */

/* Requests that are not answered yet: the end waits for them a little. */
void daemon_visit_begins(struct daemon *daemon);
void daemon_visit_ends(struct daemon *daemon);
int daemon_visits(const struct daemon *daemon);

/* Its messages elsewhere may not show what it is now: they are looked at. */
void daemon_touch(struct daemon *daemon, const char *rollout);

#endif
