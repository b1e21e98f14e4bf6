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
 *   live_preflight.c  EFFECT_PREFLIGHT
 *   fit.c             the rules it refuses by
 *   doctor*.c         `check --live`: a look without a rollout
 *   live_undo.c       what a rollout that goes straight back follows on
 *   live_traffic.c    EFFECT_READ, EFFECT_WRITE
 *   live_check.c      EFFECT_CHECK
 *   live_action.c     EFFECT_ACTION, EFFECT_CANCEL
 *   live_holding.c    what actions opened and keep
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

struct ask;
struct act;
struct holding;
struct look;
struct timer;

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
	int64_t lease_deadline_ms;
	struct look *look;
	struct cloudrun_call *read, *write;
	struct service *snapshot; /* as last read; NULL after a write */
	int64_t generation; /* the highest that was read */
	int64_t stale_ms; /* since when only older ones are; 0: they are not */
	struct timer *write_refused; /* not carried out: told in a later turn */
	enum write_result refused_result;
	char *refused_text;
	struct ask **asks; /* one per SLO, NULL: not being asked */
	struct act *act;
	LIST_HEAD(, holding) holdings;
	struct timer *closing; /* the end waits for holdings to be closed */
	void (*closed)(struct live *live);

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

/* ---- live_undo.c ---- */

/* What was recorded when the release started is what to go back to. */
void undo_inherit(struct live *live);
/* The rollout that is undone, or an attempt to undo it, ran this action of the
 * sequence well, and it may not be repeated. */
bool undo_has_done(const struct live *live, enum action_list list, int index);

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

/* ---- the effects ---- */

void look_start(struct live *live);
void look_cancel(struct look **look);

void live_read_start(struct live *live);
void live_write_start(struct live *live, const struct effect *effect);
/* Answers a write that is not carried out, in a later turn. */
void live_write_refuse(
	struct live *live, enum write_result result, const char *text);
void live_write_hurry(struct live *live);
void live_traffic_cancel(struct live *live);
/* Facts of a service as read, into an event; keeps it as the snapshot. */
void live_take_service(
	struct live *live, struct service *service, struct event *event_r);
void live_table(const struct live *live, struct buf *out);

void ask_start(struct live *live, int slo);
void ask_cancel(struct ask **ask);

void act_start(struct live *live, const struct effect *effect);
void act_refuse(
	struct live *live, const struct effect *effect, const char *text);
void act_cancel(struct act **act);
/* What actions may use of the world. */
struct action_env action_env_of(
	const struct world *world, const struct policy *policy);

/* ---- live_holding.c ---- */

/* What JOB_RECORD found for an action, for its runs; NULL: nothing. */
void live_keep(
	struct live *live, const struct action *action, const char *kept);
const char *live_kept(struct live *live, const struct action *action);
/* The same for the action of that name, if the policy has one; a recorded_fn
 * whose `arg` is the live. */
void live_keep_named(const char *name, const char *text, void *arg);
/* A run ended well: what it opened, if anything, is renewed from now on. */
void live_opened(struct live *live, enum action_list list, int index);
/* The same two out of the journal, when a rollout is taken up. */
MUST_CHECK int live_holdings_read(struct live *live, struct err *err_r);
/* Closes what is open, then calls `released`, in a later turn. */
void live_release(struct live *live, void (*released)(struct live *live));
void live_holdings_stop(struct live *live); /* leaves it open */
void live_holdings_free(struct live *live);

#endif
