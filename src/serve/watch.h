/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services that release themselves: which of them have the label is looked at
 * again and again, and a new revision of one starts a rollout. Decides nothing
 * about a rollout that runs.
 */
#ifndef TIDEGATE_SERVE_WATCH_H
#define TIDEGATE_SERVE_WATCH_H

#include "serve/watch_plan.h"

struct cloudrun;
struct desk;
struct driven_set;
struct loop;
struct serve_config;
struct shelf;
struct watch;
struct watched;
struct who;

struct watch_parts {
	const struct serve_config *config;
	const struct who *who;
	struct loop *loop;
	struct cloudrun *cloudrun;
	struct desk *desk;
	struct driven_set *driven;
	struct shelf *shelf;
};

/* Looks at once, and then again and again. The parts are borrowed. */
struct watch *watch_new(const struct watch_parts *parts);
/* Before the desk is freed, whose last answers are still heard. */
void watch_stop(struct watch *watch);
/* After the set of the rollouts that it has started. */
void watch_free(struct watch **watch);

/* How it stands with a service; texts are valid until the loop turns. */
struct watch_status {
	const char *service; /* its full name */
	const char *policy; /* as the label says */
	enum watch_state state;
	const char *text; /* a sentence */
	const char *ready; /* the latest ready revision; NULL: none */
	const char *waiting; /* "": none */
	const char *skipped, *skipped_for; /* the last one; "": none was */
	int64_t skipped_ms;
	int64_t seen_ms; /* of the wall clock */
};

/* NULL: it is not watched. */
const struct watched *watch_find(
	const struct watch *watch, const char *service);
const struct watched *watch_first(const struct watch *watch);
const struct watched *watch_next(const struct watched *watched);
void watch_status_of(
	const struct watched *watched, struct watch_status *status_r);

/* Places that could not be looked at, for people: "" when all were. */
const char *watch_trouble(const struct watch *watch);

#endif
