/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the journal share; no other file includes this. From the
 * bottom up:
 *
 *   journal_batch.c   what one commit writes
 *   journal_store.c   the thread that writes it
 *   journal.c         when: batches, what becomes of them
 *   journal_writer.c  what writers give
 */
#ifndef TIDEGATE_STORE_JOURNAL_PARTS_H
#define TIDEGATE_STORE_JOURNAL_PARTS_H

#include "store/journal_batch.h"
#include "store/journal_store.h"

/* Writers that share a commit: all are told of it in one turn. */
#define JOURNAL_BATCH_MAX 200

TAILQ_HEAD(journal_writers, journal_writer);
STAILQ_HEAD(lease_calls, lease_call);

/* A lease that is asked for. */
struct lease_call {
	STAILQ_ENTRY(lease_call) link;
	struct journal_writer *writer;
	struct lease_watch watch;
	struct arena arena;
	struct store_lease lease;
	int taken;
};

struct journal_writer {
	TAILQ_ENTRY(journal_writer) link; /* of `dirty` */
	struct journal *journal;
	struct journal_whose whose;
	struct journal_part next, sent;
	bool dirty; /* something is in `next` */
	bool urgent; /* it is at the front of `dirty` */
	bool in_batch; /* `sent` is */
	bool dropped; /* what is in `sent` is not told */
	bool asks; /* for the lease */
	struct lease_watch watch;
	char *reason; /* the rollout's after the last entry */
	const struct journal_owner *owner; /* NULL: it is closed */
	void *arg;
};

struct journal {
	struct loop *loop;
	struct journal_store *store;

	/* The thread's, while `busy`. */
	struct journal_parts batch; /* on its way, or to be tried again */
	int batch_rc;
	struct err batch_err;
	bool busy;

	/* Leases that are asked for; `asked` is the thread's, while `asking`. */
	struct lease_calls asks, asked;
	int asked_rc;
	struct err asked_err;
	bool asking;

	struct journal_writers dirty; /* who has entries for the next batch */
	bool telling; /* what became of a batch */
	bool crowded; /* some had to wait for the next batch */
	bool deferred; /* the next batch is begun at the end of the turn … */
	struct timer *pause; /* … or after this */
	int64_t committed_ms; /* the last time; INT64_MIN: never */
	struct journal_entries durable; /* to be told, in a later turn */
	struct timer *tell;

	/* Commits fail, or one takes long. */
	bool failing;
	struct err err; /* why */
	struct timer *retry, *patience;
	int64_t patience_ms; /* 0: it was had twice */
	int64_t retry_ms; /* until the next but one */
	bool late;
	size_t pending_bytes;

	journal_commit_fn commit_fn; /* NULL: nobody counts */
	void *commit_arg;
	int64_t sent_us; /* when the batch was begun */
};

/* ---- journal.c ---- */

/* Something was put into `next`: it is written soon. */
void journal_touch(struct journal_writer *writer);
/* A closed one that has nothing to write any more. */
void journal_free_if_closed(struct journal_writer *writer);

#endif
