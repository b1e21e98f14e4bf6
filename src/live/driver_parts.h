/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rollout being driven: what the files of the driver and the fleet share.
 * No other file includes this. From the bottom up:
 *
 *   driver_facts.c      what others may know
 *   driver_journal.c    events and notes into the journal and the log
 *   driver_preflight.c  EFFECT_PREFLIGHT
 *   driver_effects.c    effects to the runners that carry them out
 *   driver_end.c        the end
 *   driver_late.c       what is done while the journal waits for the store
 *   driver_unjournaled.c  what is still done when the journal is lost
 *   driver.c            events in
 *   driver_command.c    what operators want
 *   driver_resume.c     the journal of one that was left
 *   driver_start.c      the lease, a new rollout's first event
 */
#ifndef TIDEGATE_LIVE_DRIVER_PARTS_H
#define TIDEGATE_LIVE_DRIVER_PARTS_H

#include <sys/queue.h>

#include "io/process.h"
#include "live/driver.h"
#include "live/event_fn.h"
#include "live/release.h"
#include "live/world.h"
#include "store/event_codec.h"
#include "store/journal.h"

struct action_io;
struct check_run;
struct keepalive;
struct fold;
struct predecessor_search;
struct preflight;
struct timer;
struct traffic_io;
struct walk;

/* An effect, and the last entry of the event that it follows from: it waits
 * until that is durable. */
struct decided {
	struct effect effect;
	int64_t seq;
};

struct driver {
	/* The fleet's. */
	TAILQ_ENTRY(driver) link;
	int64_t renewed_ms; /* when its lease was */

	struct world *world;
	struct journal *journal;
	struct observer observer;

	struct release *release; /* owned */
	bool resuming;
	struct walk *walk; /* through its journal; NULL: it is read */
	struct fold *fold; /* of what was read; owned */
	const char *signal_name; /* that came meanwhile; NULL: none */

	/* The engine's. */
	struct rollout *state; /* owned */
	struct decided *effects; /* not carried out yet, in order */
	size_t n_effects, effects_size;
	struct timer *wake;

	/* The journal's. */
	int64_t fence; /* of the lease; 0: not held */
	struct journal_writer *writer;
	int64_t seq;
	bool begun; /* an entry of this driver is durable */
	int64_t ahead_ms; /* the rollout's time before the boot clock */
	bool unjournaled; /* the store is broken: revert in memory, then end */
	bool late; /* the store is locked or full: entries wait in memory */
	struct timer *late_timer; /* until that is too long: */
	int64_t late_until_ms; /* by the boot clock */
	void (*late_over)(void *arg);
	/* Told then: take back what can hurt, or (for good) end. */
	void (*too_late)(struct driver *driver, bool for_good);
	/* What became of the lease that was asked for. */
	void (*lease)(struct driver *driver, int taken,
		const struct store_lease *lease, const struct err *err);

	/* Waiting for people. */
	int64_t wait_ms, waited_ms, waiting_since_ms; /* 0: not waiting */
	struct timer *patience;

	/* Under way. */
	event_fn answered; /* what runners tell; arg: the driver */
	struct timer *lease_retry;
	int64_t lease_deadline_ms; /* of the boot clock */
	char *rival; /* who held the lease when it was asked for, as said */
	struct preflight *preflight;
	struct traffic_io *traffic;
	struct check_run **checks; /* one per SLO, NULL: not under way */
	struct counting **counting; /* one per SLO, NULL: it has no counters */
	struct action_io *action;
	struct predecessor_search *search; /* before that: is it done? */
	struct effect searched;
	struct keepalive *keepalive;
	struct process_crew programs; /* of all actions */

	/* The end. */
	bool over; /* nothing may start any more */
	struct timer *end; /* tells the observer */
	int64_t end_since_ms; /* by the boot clock; 0: it has not come */
	int end_status;
	struct err *end_err; /* NULL: the end phase says it all */
};

/* ---- driver_facts.c ---- */

bool driver_is_reverting(const struct driver *driver);

/* ---- driver_journal.c ---- */

/* Appends the event and its notes, acknowledges the command, logs the notes. */
void driver_journal(struct driver *driver, const struct event *event,
	const struct event_context *context,
	const struct outcome_list *outcome);
void driver_log_notes(const struct driver *driver,
	const struct outcome_list *outcome, bool loud);

/* ---- driver_preflight.c ---- */

void driver_preflight(struct driver *driver);

/* ---- driver_effects.c ---- */

/* What was decided up to this entry. */
void driver_carry_out(struct driver *driver, int64_t seq);
/* Preflight, which only reads: what it finds is journaled in its turn. */
void driver_carry_out_preflight(struct driver *driver);
/* What may leave before it is durable; the rest stays. */
void driver_carry_out_early(struct driver *driver);
void driver_carry_out_one(struct driver *driver, const struct effect *effect);

/* This one is queued next: the engine waits no longer for what was asked before
 * it, be that under way or not carried out yet. An answer to it that still came
 * would be taken for the answer to this one. */
void driver_replace(struct driver *driver, const struct effect *effect);

/* The action that runs, or is about to. */
void driver_cancel_action(struct driver *driver);

/* What counters show until the next check is not known to be theirs. */
void driver_forget_counters(struct driver *driver);

/* ---- driver_end.c ---- */

void driver_stop(struct driver *driver); /* cancels all that is under way */
/* Stops driving; the observer is told in a later turn. err NULL: an end. */
void driver_finish(
	struct driver *driver, int exit_status, const struct err *err);
/* The entries that the end waits for are durable. */
void driver_end_soon(struct driver *driver);
/* Another process drives it now: stops, and leaves the lease to it. */
void driver_taken_over(struct driver *driver, const struct err *err);

/* ---- driver_late.c ---- */

/* The journal is late, or still is, with a new event. */
void driver_late(struct driver *driver, const struct err *err);
void driver_not_late(struct driver *driver); /* it caught up */
/* The machine stood still: a late journal is tried again before that is held
 * against it. */
void driver_late_stood(struct driver *driver);
/* Whether nothing is left but to wait for the journal. */
bool driver_waits_for_journal(const struct driver *driver);

/* ---- driver_unjournaled.c ---- */

/* The journal cannot be written. True: the engine is to be interrupted, so
 * that it takes back what can hurt. */
MUST_CHECK bool driver_unjournal_begin(
	struct driver *driver, const struct err *err);
void driver_carry_out_unjournaled(
	struct driver *driver, const struct outcome_list *outcome);

/* ---- driver.c ---- */

/* Takes the release over. World and journal are borrowed; of the options only
 * `wait_ms` is used. */
struct driver *driver_new(struct world *world, struct journal *journal,
	struct release *release, const struct driver_options *options,
	const struct observer *observer);
void driver_free(struct driver **driver); /* NULL inside is accepted */
/* Feeds the engine, journals, queues the effects. `context` may be NULL. The
 * texts of the event are masked on the way in. */
void driver_event(struct driver *driver, const struct event *event,
	const struct event_context *context);
/* The journal is lost: revert what can hurt, then end. */
void driver_unjournal(struct driver *driver, const struct err *err);
extern const struct journal_owner driver_journal_owner; /* arg: the driver */

/* ---- driver_command.c ---- */

/* Takes commands that wait, STORE_COMMANDS_MAX at most; false: there may be
 * more to take, look again. */
bool driver_commands(struct driver *driver);

/* ---- driver_resume.c ---- */

/* The lease is held: goes on from what the journal leads to. */
void driver_resume(struct driver *driver);

/* ---- driver_start.c ---- */

void driver_start(struct driver *driver);

#endif
