/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's durable order for many writers: what several rollouts append
 * becomes durable in one commit, a verdict at once. A thread of the journal's
 * writes to the state file, by a connection of its own: nothing here waits for
 * a disk. Knows no driver: what became of the entries is told by
 * callback.
 */
#ifndef TIDEGATE_STORE_JOURNAL_H
#define TIDEGATE_STORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct journal;
struct journal_writer;
struct loop;

/* The command that an entry answers, in the same transaction. */
struct command_ack {
	int64_t command_id; /* 0: none */
	bool refused;
	const char *answer;
};

/* The writers whose entries are not durable are told after so long when they
 * cannot be written, and when they are being written for so long. */
#define JOURNAL_PATIENCE_MS 250
#define JOURNAL_SLOW_MS     1000
/* At the end the journal waits for the store no longer than this. */
#define JOURNAL_END_MS 5000

/* What one writer is told. None of these runs inside journal_append, and none
 * of them may close a writer. */
struct journal_owner {
	/* What became of journal_take_lease: 1 it is held, with its fence; 0
	 * somebody else has it, `lease` says who; -1 with err. */
	void (*lease)(int taken, const struct store_lease *lease,
		const struct err *err, void *arg);
	/* All entries up to `seq` are durable: carry their effects out. */
	void (*durable)(int64_t seq, void *arg);
	/* In a later turn, entry by entry: print it. NULL: nobody does. */
	void (*written)(const struct store_event *entry, void *arg);
	/* What was appended is not durable after JOURNAL_PATIENCE_MS: the file
	 * is locked, or the disk is full; or after JOURNAL_SLOW_MS: it hangs.
	 * Entries are kept in order and
	 * tried again until they are durable or lost. Told once for each time
	 * that it lasts; what is appended meanwhile is late, too. */
	void (*late)(const struct err *err, void *arg);
	/* What was appended never becomes durable. ERR_LEASE: somebody else
	 * drives the rollout now. Else the journal cannot be written. */
	void (*lost)(const struct err *err, void *arg);
};

/* Opens the store's file once more for its thread, where it has one; see
 * journal_store.h. The store is borrowed. */
MUST_CHECK struct journal *journal_new(
	struct loop *loop, struct store *store, struct err *err_r);
/* When no writer is left. What is still to be written is, in JOURNAL_END_MS at
 * most. */
void journal_free(struct journal **journal);

/* The owner is borrowed while the writer is open. */
struct journal_writer *journal_open(struct journal *journal,
	const char *service, const char *rollout,
	const struct journal_owner *owner, void *arg);
/* What is not durable yet is still written, if it can be; what was not told
 * stays untold. */
void journal_close(struct journal_writer **writer);

/* The lease of the service. To be held before anything is appended; asked for
 * one at a time. */
void journal_take_lease(struct journal_writer *writer);
void journal_renew_lease(struct journal_writer *writer);
/* After all that was appended. */
void journal_drop_lease(struct journal_writer *writer);

/* Makes the rollout, in the transaction of its first entry. The texts are
 * copied. */
void journal_create(
	struct journal_writer *writer, const struct store_rollout *rollout);
/* Takes an entry, which is copied. It becomes durable soon, together with what
 * others append. `reason` is the rollout's after it, `ended`: it is the
 * rollout's last. `ack` may be NULL. */
void journal_append(struct journal_writer *writer,
	const struct store_event *event, const char *reason, bool ended,
	const struct command_ack *ack);
/* Answers a command that is no event. */
void journal_settle(
	struct journal_writer *writer, const struct command_ack *ack);
/* Whether the answer to this command is on its way. */
bool journal_settles(const struct journal_writer *writer, int64_t command_id);

/* Who the rollout's revisions are, in the transaction of its next entry. */
void journal_revisions(struct journal_writer *writer, const char *candidate,
	const char *stable);
/* Whether entries wait; and gives up those that do. */
bool journal_has_pending(const struct journal_writer *writer);
void journal_drop(struct journal_writer *writer);

/* Told after each commit how long it took, and whether it failed: for whoever
 * counts. One at most. */
typedef void (*journal_commit_fn)(int64_t us, bool failed, void *arg);
void journal_watch_commits(
	struct journal *journal, journal_commit_fn fn, void *arg);

/* NULL: entries become durable, or have not been waiting for long. Else why
 * they do not. */
const struct err *journal_lateness(const struct journal *journal);

/* The process, or all of its machine, stood still: the store had no time in which
 * it could have been late. */
void journal_stood_still(struct journal *journal);

/* Writes all entries now, without a pause since the commit before. */
void journal_flush(struct journal *journal);
/* A verdict: this writer's entries are the next to be written, alone. What is
 * written is told in the next turn: printing it must not come between a verdict
 * and its request. */
void journal_flush_first(struct journal_writer *writer);
/* Tells now what is durable and was not told. */
void journal_tell(struct journal *journal);

#endif
