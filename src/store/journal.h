/*
 * The journal's durable order for many writers: what several rollouts append
 * in one turn of the loop becomes durable in one commit, a verdict at once.
 * Knows no driver: what became of the entries is told by callback.
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

/* For so long entries may wait for a store that is locked or full before the
 * writers are told that they are late. */
#define JOURNAL_PATIENCE_MS 250

/* What one writer is told. None of these runs inside journal_append, and none
 * of them may close a writer. */
struct journal_owner {
	/* All that was appended is durable: carry the effects out. */
	void (*durable)(void *arg);
	/* In a later turn, entry by entry: print it. NULL: nobody does. */
	void (*written)(const struct store_event *entry, void *arg);
	/* What was appended is not durable after JOURNAL_PATIENCE_MS: the file
	 * is locked, or the disk is full. Entries are kept in order and tried
	 * again until they are durable or lost. Told once for each time that it
	 * lasts; what is appended meanwhile is late, too. */
	void (*late)(const struct err *err, void *arg);
	/* What was appended never becomes durable. ERR_LEASE: somebody else
	 * drives the rollout now. Else the journal cannot be written. */
	void (*lost)(const struct err *err, void *arg);
};

struct journal *journal_new(struct loop *loop, struct store *store);
void journal_free(struct journal **journal); /* when no writer is left */

/* The text and the owner are borrowed while the writer is open. */
struct journal_writer *journal_open(struct journal *journal,
	const char *rollout, int64_t fence, const struct journal_owner *owner,
	void *arg);
/* What is not durable yet is dropped; what was not told stays untold. */
void journal_close(struct journal_writer **writer);

/* Takes an entry, which is copied. It becomes durable at the end of the turn
 * or, when a commit was made just before, some milliseconds later. `reason` is
 * the rollout's after it, `ended`: it is the rollout's last. `ack` may be NULL.
 */
void journal_append(struct journal_writer *writer,
	const struct store_event *event, const char *reason, bool ended,
	const struct command_ack *ack);

/* Who the rollout's revisions are, in the transaction of its next entry. */
void journal_revisions(struct journal_writer *writer, const char *candidate,
	const char *stable);
/* Whether entries wait; and gives up those that do. */
bool journal_has_pending(const struct journal_writer *writer);
void journal_drop(struct journal_writer *writer);

/* Begins a transaction, if there is none, for other writes to the store. It
 * is over at the end of the turn, with all entries that there are by then.
 * While commits fail: -1, with why. Whether one failed since, and took what was
 * written with it, is seen by the number of failures. */
MUST_CHECK int journal_begin(struct journal *journal, struct err *err_r);

unsigned journal_failures(const struct journal *journal);
/* NULL: commits succeed, or have not failed for long. Else why they do. */
const struct err *journal_lateness(const struct journal *journal);

/* Makes all entries durable, now, unless commits fail. */
void journal_flush(struct journal *journal);
/* A verdict: this writer's entries first, and no others unless a transaction
 * is open already. What is written is told in the next turn: printing it must
 * not come between a verdict and its request. */
void journal_flush_first(struct journal_writer *writer);
/* Tells now what is durable and was not told. */
void journal_tell(struct journal *journal);

#endif
