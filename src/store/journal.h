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

/* What one writer is told. None of these runs inside journal_append, and none
 * of them may close a writer. */
struct journal_owner {
	/* All that was appended is durable: carry the effects out. */
	void (*durable)(void *arg);
	/* In a later turn, entry by entry: print it. NULL: nobody does. */
	void (*written)(const struct store_event *entry, void *arg);
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

/* Begins a transaction, if there is none, for other writes to the store. It
 * is over at the end of the turn, with all entries that there are by then. */
MUST_CHECK int journal_begin(struct journal *journal, struct err *err_r);

/* Makes all entries durable, now. */
void journal_flush(struct journal *journal);
/* A verdict: this writer's entries first, and no others unless a transaction
 * is open already. What is written is told in the next turn: printing it must
 * not come between a verdict and its request. */
void journal_flush_first(struct journal_writer *writer);
/* Tells now what is durable and was not told. */
void journal_tell(struct journal *journal);
/* An entry cannot be appended: what waits is lost, too, whosever it is. */
void journal_fail(struct journal *journal, const struct err *err);

#endif
