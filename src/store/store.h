/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: journal, leases and operator commands in one SQLite file (WAL,
 * synchronous=FULL). The journal is append-only; all state is derived from it
 * by folding (event_codec.h, engine/rollout.h).
 *
 * Several processes may have the same file open: one drives a rollout, others
 * look or leave commands. A call waits for a lock of another process for
 * STORE_WAIT_MS, and fails then with ERR_BUSY. Whoever has a loop says
 * store_hurry: it waits for no more than STORE_TURN_MS from then on, and tries
 * again by timer. A full or failing disk is ERR_DISK.
 */
#ifndef TIDEGATE_STORE_STORE_H
#define TIDEGATE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define STORE_VERSION         6 /* of the schema; older ones are migrated */
#define STORE_WAIT_MS         5000 /* for a lock, at most … */
#define STORE_TURN_MS         5 /* … and on the loop's thread */
#define STORE_LEASE_MS        15000 /* without a renewal, then it is free */
#define STORE_HEARTBEAT_MS    5000
#define STORE_ROLLOUT_ID_MAX  128
#define STORE_EVENT_BYTES_MAX (256 * 1024)
#define STORE_COMMENT_MAX     1024
#define STORE_LIST_MAX        100000 /* rollouts in one list */
#define STORE_COMMANDS_MAX    64 /* waiting commands told at once */

struct loop;
struct store;

enum store_mode {
	STORE_LOOK, /* must exist; never written, works on a read-only file */
	STORE_EDIT, /* must exist */
	STORE_CREATE, /* made when missing, with its folder, mode 0600 */
};

MUST_CHECK struct store *store_open(
	const char *path, enum store_mode mode, struct err *err_r);
void store_free(struct store **store);
const char *store_path(const struct store *store);
void store_hurry(struct store *store); /* see above */
/* The loop that turns while a call waits for somebody else's answer; NULL: none
 * does. store_interrupt cuts such a wait short, and the call fails. */
struct loop *store_loop(const struct store *store);
void store_interrupt(struct store *store);
/* How the load goes that the rollout makes which was looked at last, as far as
 * somebody else tells; NULL: it is not known. Good until the next look. */
struct load_live;
const struct load_live *store_load(const struct store *store);
/* Whether the file is in memory, where no write waits for a disk. */
bool store_is_in_memory(const struct store *store);

/* The default: $TIDEGATE_STATE, else $XDG_STATE_HOME/tidegate/tidegate.db,
 * else ~/.local/state/tidegate/tidegate.db. Caller owns it. */
char *store_default_path(void);

/* Whether the calling OS user owns the file (operators may then use --as). */
bool store_is_owned_by_us(const struct store *store);

/* Rollouts. Texts in results live in the arena given. */
struct store_rollout {
	const char *id; /* <service>-<yyyymmdd-hhmmss>-<4 random> */
	const char *service; /* projects/P/locations/R/services/S */
	const char *candidate, *stable; /* "" while not known */
	const char *policy_name, *policy_path;
	const char *policy_source; /* bytes of the file, ${VAR} not replaced;
				    * "" in lists */
	const char *policy_digest; /* hex SHA-256 of it */
	const char *
		options; /* JSON: what run was asked for (project, endpoint …) */
	const char *starter;
	int64_t started_ms, ended_ms; /* 0: not ended */
	const char *phase; /* as of the last event appended */
	const char *reason; /* "" or the last reason */
	int64_t last_seq; /* 0: no event yet */
	/* Of a new one: the key of the request that began it, which is kept with
	 * it (store_once.h); NULL: none. */
	const char *once;
};

/* ERR_LEASE: another rollout was begun for its request. */
MUST_CHECK int store_rollout_create(struct store *store,
	const struct store_rollout *rollout, struct err *err_r);
/* Who is stable and candidate is learnt by preflight. */
MUST_CHECK int store_rollout_set_revisions(struct store *store, const char *id,
	const char *candidate, const char *stable, struct err *err_r);
/* That of just this id: 1 found, 0 not there, -1 error. */
MUST_CHECK int store_rollout_find(struct store *store, const char *id,
	struct arena *arena, struct store_rollout *rollout_r,
	struct err *err_r);
/* Those whose ids begin so, in the order of ids, STORE_BEGINNING_MAX at most. */
#define STORE_BEGINNING_MAX 200
MUST_CHECK int store_rollouts_beginning(struct store *store, const char *prefix,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r);
/* What was given, and two that begin so. */
#define STORE_AMBIGUOUS                                                  \
	"\"%.160s\" is the beginning of more than one rollout (%.160s, " \
	"%.160s): give more of it"
/* 1 found, 0 not there, -1 error. An unambiguous prefix of an id is enough. */
MUST_CHECK int store_rollout_get(struct store *store, const char *id,
	struct arena *arena, struct store_rollout *rollout_r,
	struct err *err_r);

enum store_state {
	STORE_ANY,
	STORE_ACTIVE, /* not ended */
	STORE_WAITING, /* held, paused or before a gate: for people */
	STORE_ENDED,
};

struct store_filter {
	const char *service; /* NULL: all; short or full name */
	bool unfinished; /* only those that have not ended */
	int limit; /* newest first; 0: STORE_LIST_MAX */
	enum store_state state;
	int64_t since_ms; /* started then or later */
	const char *after; /* only older ones than this rollout; NULL: all */
};
MUST_CHECK int store_rollout_list(struct store *store,
	const struct store_filter *filter, struct arena *arena,
	struct store_rollout **rollouts_r, size_t *n_r, struct err *err_r);

/* The unfinished ones of services with this end of their names, from "/locations" on,
 * whose project is given by its number, or by its id. */
MUST_CHECK int store_rollouts_named(struct store *store, const char *end,
	bool by_number, struct arena *arena, struct store_rollout **rollouts_r,
	size_t *n_r, struct err *err_r);

/* The newest rollout of the same service that began after this one and came
 * beyond preflight: 1, 0 none, -1 error. */
MUST_CHECK int store_rollout_overtaken(struct store *store, const char *id,
	struct arena *arena, struct store_rollout *rollout_r,
	struct err *err_r);

/* Deletes some of the rollouts that ended before then, with their journals, but
 * never what the next rollback or release of a service goes by: how many, 0 when
 * there are no more, -1 error. */
MUST_CHECK int store_rollouts_forget(
	struct store *store, int64_t before_ms, struct err *err_r);

/* Whether the last rollout of this revision that ended promoted or rolled back
 * was rolled back: 1 with its id, 0 no, -1 error. */
MUST_CHECK int store_was_rolled_back(struct store *store, const char *service,
	const char *candidate, struct arena *arena, const char **id_r,
	struct err *err_r);

/* The journal. */
struct store_event {
	int64_t seq; /* 1, 2, … without gaps in a rollout */
	int64_t time_ms;
	bool is_note; /* a decision of the engine: not folded */
	const char *name; /* of the event or note */
	const char *phase; /* after it */
	int percent; /* what the candidate was last seen serving */
	const char *data; /* JSON object: the event's own fields */
};

/* Between begin and commit appends are grouped into one durable write. When
 * commit returns 0 they survive a power cut; when it fails, none of them was
 * made. After a failure in between call store_rollback. Not nested. */
MUST_CHECK int store_begin(struct store *store, struct err *err_r);
MUST_CHECK int store_commit(struct store *store, struct err *err_r);
void store_rollback(struct store *store);

/* Appends entries that follow each other, with the fencing token of the lease
 * held: -1 with ERR_LEASE when somebody else has taken the service over since,
 * with ERR_CONFLICT when the first is not the next. reason NULL: stays. `ended`
 * says that the last one is the end. Nothing is appended when it fails. */
MUST_CHECK int store_append(struct store *store, const char *rollout,
	int64_t fence, const struct store_event *events, size_t n,
	const char *reason, bool ended, struct err *err_r);

/* In order. The texts are valid during the call; no second walk inside it. */
typedef int (*store_event_fn)(const struct store_event *event, void *arg,
	struct err *err_r); /* -1 stops, and so does 1, which is no error */
MUST_CHECK int store_each_event(struct store *store, const char *rollout,
	int64_t after_seq, store_event_fn fn, void *arg, struct err *err_r);

/* The events of this name alone, no notes; a long journal is not read for them,
 * nor is it seen whether it is whole. */
MUST_CHECK int store_each_named(struct store *store, const char *rollout,
	const char *name, store_event_fn fn, void *arg, struct err *err_r);

/* Grows with every commit of another process: a cheap way to see whether
 * there is anything new. */
MUST_CHECK int store_change_counter(
	struct store *store, int64_t *counter_r, struct err *err_r);

/*
 * Leases: one writer per service, with a fencing token that only grows.
 *
 * Two machines' clocks are never compared. A caller that wants a lease looks again
 * and again, and takes it when it has seen no renewal for STORE_LEASE_MS of its
 * own clock, or at once when the holder is known to be dead on this host.
 * A single look tells whether the holder lives, if that can be told
 * here, and when it renewed by its own clock: text for people.
 */
struct store_lease {
	const char *service;
	const char *holder; /* "host pid 123" */
	const char *rollout; /* "" or the rollout driven under it */
	int64_t fence;
	int64_t renewed_ms; /* by the wall clock of the holder */
	bool alive; /* the holder was seen to run here; else nobody knows */
};
/* What one who looks again and again has seen; all zero at first. */
struct lease_watch {
	int64_t fence, renewed_ms; /* at the last look */
	int64_t since_ms, looked_ms; /* of the boot clock */
};
/* Notes a look; true when no renewal was seen for STORE_LEASE_MS. Looks that
 * are far apart begin anew: the machine of both may have been suspended. */
bool lease_watch_is_over(
	struct lease_watch *watch, const struct store_lease *lease);

/* 1 taken (fence set), 0 somebody else has it (lease_r says who), -1 error. */
MUST_CHECK int store_lease_take(struct store *store, const char *service,
	const char *rollout, struct lease_watch *watch, struct arena *arena,
	struct store_lease *lease_r, struct err *err_r);
/* -1 with ERR_LEASE when it is not ours any more; with ERR_NOT_FOUND when the
 * file is not the one that its path names any more: what is written is lost,
 * and others see no lease. */
MUST_CHECK int store_lease_renew(struct store *store, const char *service,
	int64_t fence, struct err *err_r);
void store_lease_drop(struct store *store, const char *service, int64_t fence);
/* 1 somebody has it who is not known to be dead, 0 nobody, -1 error. Changes
 * nothing. */
MUST_CHECK int store_lease_look(struct store *store, const char *service,
	struct arena *arena, struct store_lease *lease_r, struct err *err_r);
/* The rollouts that have not ended and whose lease this process does not hold:
 * somebody else drives them, or nobody. Oldest first. */
MUST_CHECK int store_rollouts_left(struct store *store, struct arena *arena,
	struct store_rollout **rollouts_r, size_t *n_r, struct err *err_r);

/* Operator commands, left by one process and taken by the one that drives. */
struct store_command {
	int64_t id;
	const char *rollout, *verb, *who, *comment;
	int step; /* -1: the open one */
	int64_t time_ms;
	int state; /* 0 waiting, 1 taken, 2 refused */
	const char *answer; /* "" or why refused */
};
MUST_CHECK int store_command_add(struct store *store,
	const struct store_command *command, int64_t *id_r, struct err *err_r);
/* The rollouts for which commands wait, each once, in strcmp's order. */
MUST_CHECK int store_commands_rollouts(struct store *store, struct arena *arena,
	const char ***ids_r, size_t *n_r, struct err *err_r);
/* What ends the rollout comes first, the rest as it was given; at most
 * STORE_COMMANDS_MAX: there may be more when these are settled. */
MUST_CHECK int store_commands_waiting(struct store *store, const char *rollout,
	struct arena *arena, struct store_command **commands_r, size_t *n_r,
	struct err *err_r);
/* In the same transaction as the event that carries it. */
MUST_CHECK int store_command_settle(struct store *store, int64_t id,
	bool refused, const char *answer, struct err *err_r);
/* All that still wait for the rollout. */
MUST_CHECK int store_commands_refuse(struct store *store, const char *rollout,
	const char *answer, struct err *err_r);
MUST_CHECK int store_command_get(struct store *store, int64_t id,
	struct arena *arena, struct store_command *command_r,
	struct err *err_r);

#endif
