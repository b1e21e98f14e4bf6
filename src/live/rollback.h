/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is found out before a rollback: who goes back to whom, by the journal and
 * by the service as it is, and whether all is there that its sequence needs.
 * Only reads. A rollout that goes back (release.h) does the work.
 *
 *   rollback_find.c     the journal and the service: who is stable
 *   rollback_drill.c    every read and probe of the sequence
 *   drill_report.c      what they came to
 */
#ifndef TIDEGATE_LIVE_ROLLBACK_H
#define TIDEGATE_LIVE_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct captured;
struct policy;
struct rollback_drill;
struct rollback_survey;
struct service;
struct store;
struct world;

struct rollback {
	/* Asked for; borrowed. */
	const char *service; /* full name */
	const char *to, *wanted_candidate; /* NULL: not said */
	bool again;
	const struct policy *policy;
	/* How messages name what can be asked for: "--" before an option, ""
	 * before a field. */
	const char *dashes;
	const char *state; /* the state file, for messages; NULL: not named */

	/* Found; texts live in the arena. */
	struct arena arena;
	const char *stable, *candidate; /* NULL: not known (yet) */
	const char *after; /* the rollout that is undone; NULL: none */
	bool unfinished; /* `after` has not ended */
	/* A later rollout that has not begun to move anything: it is ended, and
	 * not gone back from. NULL: there is none. */
	const char *unbegun;
	bool failed; /* `after` is a rollback that failed */
	bool anew; /* users are with who is not stable: see release.h */
	const char *newest; /* of all rollouts of the service; "": none */
	struct captured *captured; /* by `after`, newest first; NULL: nothing */
	struct service *found; /* as read; owned */
};

/* What was asked for is the caller's to set. */
void rollback_init(struct rollback *rollback);
void rollback_fini(struct rollback *rollback);

/* What the journal knows, as of now: it may be asked anew. -1: refused. Touches
 * nothing but the two. */
MUST_CHECK int rollback_look_back(
	struct rollback *rollback, struct store *store, struct err *err_r);

/* The rollout that has to end before anything else is done; NULL: there is none.
 * What is known may be another thing afterwards: look back anew. */
const char *rollback_to_end(const struct rollback *rollback);

/* For a drill: what actions of `after` captured, which a rollback goes back to.
 * Touches nothing but the two, either. */
MUST_CHECK int rollback_recall(
	struct rollback *rollback, struct store *store, struct err *err_r);

/* Reads the service, again and again for `patience_ms`. `fn` once, later, never
 * after the cancel: err NULL, the service is in `found`. The rollback is
 * borrowed until then. */
typedef void (*rollback_survey_fn)(const struct err *err, void *arg);
struct rollback_survey *rollback_survey_start(struct world *world,
	struct rollback *rollback, int64_t patience_ms, rollback_survey_fn fn,
	void *arg);
void rollback_survey_cancel(struct rollback_survey **survey); /* also NULL */

/* When the service was read. 1: `stable` and `candidate` are known and there is
 * something to do; 0: nothing is to be done; -1: refused. */
MUST_CHECK int rollback_decide(struct rollback *rollback, struct err *err_r);

/* What a drill has looked at. */
struct drill_item {
	const char *what, *name; /* "rollback", "silence alerts" */
	bool is_ready;
	const char *detail;
};

struct drill_report {
	const char *service, *candidate, *stable; /* candidate "": none */
	const struct drill_item *item;
	size_t n, n_missing;
};

/* Every read and probe that a rollback would make, and no write, in order; each
 * as long as its action may take. The rollback has been decided, and is borrowed.
 * `fn` once, later, never after the cancel; the report is valid during the call.
 * NULL with err_r: the service is not one by its name. */
typedef void (*rollback_drill_fn)(const struct drill_report *report, void *arg);
MUST_CHECK struct rollback_drill *rollback_drill_start(struct world *world,
	struct rollback *rollback, rollback_drill_fn fn, void *arg,
	struct err *err_r);
void rollback_drill_cancel(struct rollback_drill **drill); /* also NULL */

/* The report as members of a JSON object. */
struct jsonw;
void drill_report_print(const struct drill_report *report, struct jsonw *w);

#endif
