/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollouts that this daemon drives: started, or taken up where somebody
 * left them. Finds them by id and by service, and tells what is journaled.
 */
#ifndef TIDEGATE_SERVE_DRIVEN_H
#define TIDEGATE_SERVE_DRIVEN_H

#include "live/driver.h"

struct driven;
struct driven_set;
struct own_service;
struct fleet;
struct shelf;

/* Who wants to know: called on the loop, must not drop a rollout. */
struct driven_listener {
	/* A durable entry. */
	void (*entry)(const struct driven *driven,
		const struct store_event *entry, void *arg);
	/* It is not driven any more; err NULL: it ended as its phase says. */
	void (*end)(
		const struct driven *driven, const struct err *err, void *arg);
	void *arg;
};

/* Fleet and shelf are borrowed. */
struct driven_set *driven_new(struct fleet *fleet, struct shelf *shelf);
/* Nothing of them is driven or told any more. Those whose lease can go at once go;
 * of the others programs of actions have yet to end. */
void driven_stop(struct driven_set *set);
/* Lets go of all: turns the loop until such programs are gone, a few seconds at
 * most. Leases are dropped, nothing is journaled. */
void driven_free(struct driven_set **set);
/* What this process is itself: neither started nor resumed. Borrowed. */
void driven_own(struct driven_set *set, const struct own_service *own);
void driven_listen(
	struct driven_set *set, const struct driven_listener *listener);

/* What became of a start: `err` NULL: its first entry is durable, it is
 * driven. Once, later. */
typedef void (*driven_begun_fn)(
	const char *rollout, const struct err *err, void *arg);

/* Begins a rollout by a policy that was taken from the shelf, which is given
 * back when it is over, also after -1. */
MUST_CHECK int driven_start(struct driven_set *set, const struct policy *policy,
	const struct driver_options *options, driven_begun_fn fn, void *arg,
	struct err *err_r);
/* Goes on with one that was left, as `who`; it counts as its starter's. Its policy
 * likewise. */
struct driven_left {
	const char *rollout, *service, *starter;
};
MUST_CHECK int driven_resume(struct driven_set *set,
	const struct policy *policy, const struct driven_left *left,
	const char *who, struct err *err_r);

/* A command was left for one of them: it is taken now. */
void driven_hurry(struct driven_set *set);

/* NULL: it is not among them. */
const struct driven *driven_find(
	const struct driven_set *set, const char *rollout);
const struct driven *driven_of_service(
	const struct driven_set *set, const char *service);
const struct driven *driven_first(const struct driven_set *set);
const struct driven *driven_next(const struct driven *driven);
size_t driven_count(const struct driven_set *set);
size_t driven_count_of(const struct driven_set *set, const char *starter);

/* How the load goes that it makes; NULL: there is none, or it is not known, or
 * the rollout is not driven here. Good until the loop goes on. */
const struct load_live *driven_load(
	const struct driven_set *set, const char *rollout);
const struct driver *driven_driver(const struct driven *driven);
/* The full name of its service. */
const char *driven_service(const struct driven *driven);

#endif
