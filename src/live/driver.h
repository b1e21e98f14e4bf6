/*
 * One rollout being driven: what the files of src/live share. Not for anybody
 * else.
 *
 *   hub.c             what rollouts share: the journal, commands, heartbeats
 *   world.c           what is outside; metrics_pool.c, its metrics
 *   release.c         the facts of what is released
 *   live.c            events in, effects out, waiting, the end
 *   live_start.c      the lease, a new rollout's first event, resume
 *   live_command.c    what operators want
 *   live_journal.c    events and notes into the journal and the log
 *   live_unjournaled.c  what is still done when that is impossible
 *   preflight.c, traffic_io.c, check_run.c, action_io.c, keepalive.c
 *                     runners: carry effects out, know no driver
 *   predecessor.c     what a rollout that goes straight back follows on
 */
#ifndef TIDEGATE_LIVE_DRIVER_H
#define TIDEGATE_LIVE_DRIVER_H

#include <sys/queue.h>

#include "action/action.h"
#include "base/duration.h"
#include "cloudrun/cloudrun.h"
#include "live/live.h"
#include "live/release.h"
#include "live/world.h"
#include "store/event_codec.h"
#include "store/journal.h"

struct action_io;
struct check_run;
struct keepalive;
struct preflight;
struct timer;
struct traffic_io;

struct live {
	TAILQ_ENTRY(live) link; /* of hub->lives */
	int64_t renewed_ms; /* when its lease was */
	struct hub *hub;
	struct world *world; /* the hub's */
	struct live_listener listener;

	struct release *release; /* owned */
	bool resuming;

	/* The engine's. */
	struct rollout state;
	struct effect *effects; /* decided, not carried out yet */
	size_t n_effects, effects_size;
	struct timer *wake;

	/* The journal's. */
	int64_t fence; /* of the lease; 0: not held */
	struct journal_writer *writer; /* since it is held */
	int64_t seq;
	int64_t ahead_ms; /* the rollout's time before the boot clock */
	bool unjournaled; /* the store is broken: revert in memory, then end */

	/* Waiting for people. */
	int64_t wait_ms, waited_ms, waiting_since_ms; /* 0: not waiting */
	struct timer *patience;

	/* Under way. */
	struct timer *lease_retry;
	struct lease_watch lease_watch;
	int64_t lease_deadline_ms; /* of the boot clock */
	struct preflight *preflight;
	struct traffic_io *traffic;
	struct check_run **checks; /* one per SLO, NULL: not under way */
	struct action_io *action;
	struct keepalive *keepalive;

	/* The end. */
	bool over; /* nothing may start any more */
	struct timer *end; /* tells the listener */
	int end_status;
	struct err *end_err; /* NULL: the end phase says it all */
};

/* ---- hub.c ---- */

TAILQ_HEAD(live_list, live);

struct hub {
	struct world *world;
	struct live_list lives; /* whose lease was renewed longest ago first */
	int n_lives;
	struct journal *journal;

	struct timer *poll, *heartbeat;
	struct gap_listener *gaps;
	int64_t counter; /* of the store, at the last look */
};

/* From now on commands are looked for and its lease is renewed. */
void hub_join(struct hub *hub, struct live *live);
void hub_leave(struct live *live);

/* ---- live.c ---- */

struct loop *live_loop(const struct live *live);

/* Feeds the engine, journals, queues the effects. `context` may be NULL. The
 * texts of the event are masked on the way in. */
void live_event(struct live *live, const struct event *event,
	const struct event_context *context);
/* What a runner tells; an event_fn whose `arg` is the live. */
void live_answered(const struct event *event,
	const struct event_context *context, void *arg);
void live_carry_out(struct live *live);
void live_carry_out_one(struct live *live, const struct effect *effect);
extern const struct journal_owner live_journal_owner; /* arg: the live */

/* Stops driving; the listener is told in a later turn. err NULL: an end. */
void live_finish(struct live *live, int exit_status, const struct err *err);
/* Somebody else drives it now: nothing more is done, no lease is dropped. */
void live_taken_over(struct live *live, const struct err *err);
bool live_is_over(const struct live *live);

/* ---- live_command.c ---- */

void live_commands(struct live *live); /* takes those that wait */

/* ---- live_journal.c ---- */

/* Appends the event and its notes, settles the command, logs the notes. */
MUST_CHECK int live_journal(struct live *live, const struct event *event,
	const struct event_context *context, const struct outcome_list *outcome,
	struct err *err_r);
void live_log_notes(
	const struct live *live, const struct outcome_list *outcome, bool loud);

/* ---- live_unjournaled.c ---- */

/* The journal cannot be written: revert what can hurt, then end. */
void live_unjournal(struct live *live, const struct err *err);
void live_carry_out_unjournaled(
	struct live *live, const struct outcome_list *outcome);

#endif
