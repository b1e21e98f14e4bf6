/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one commit of the journal writes. Inside the journal only: its parts are
 * made on the loop's thread and written on the journal's, which has them to
 * itself meanwhile.
 */
#ifndef TIDEGATE_STORE_JOURNAL_BATCH_H
#define TIDEGATE_STORE_JOURNAL_BATCH_H

#include <sys/queue.h>

#include "store/journal.h"

struct journal_entry {
	STAILQ_ENTRY(journal_entry) link;
	struct journal_writer *writer; /* NULL: it is closed */
	struct store_event event; /* without a name: the command alone */
	struct command_ack ack;
	size_t bytes;
	bool ended;
};

STAILQ_HEAD(journal_entries, journal_entry);

/* Whose entries they are; does not change while a part of it is written. */
struct journal_whose {
	char *service, *rollout;
	int64_t fence; /* of the lease; 0: not held */
};

/* Of one writer, written in this order. Its texts are owned. */
struct journal_part {
	TAILQ_ENTRY(journal_part) link; /* of the batch */
	const struct journal_whose *whose;
	struct journal_writer *writer;
	struct store_rollout *create; /* in one block; NULL: it is there */
	char *candidate, *stable; /* NULL: they are known */
	struct journal_entries entries;
	char *reason; /* after the last of them; NULL: as before */
	bool renew, drop; /* the lease */
	struct err *lost; /* out: it is not ours any more; NULL: written */
};

TAILQ_HEAD(journal_parts, journal_part);

/* In one transaction. Parts whose lease is lost say so, the others are written;
 * -1: nothing is. */
MUST_CHECK int journal_batch_write(
	struct store *store, struct journal_parts *parts, struct err *err_r);

void journal_part_init(struct journal_part *part, struct journal_writer *writer,
	const struct journal_whose *whose);
/* All of it to one that is empty. */
void journal_part_move(struct journal_part *to, struct journal_part *from);
void journal_part_clear(struct journal_part *part);
size_t journal_part_bytes(const struct journal_part *part);
int64_t journal_part_seq(const struct journal_part *part); /* the last */
bool journal_part_settles(const struct journal_part *part, int64_t command_id);
/* The row and its texts in one block. */
struct store_rollout *journal_row_copy(const struct store_rollout *row);
struct journal_entry *journal_entry_new(
	const struct store_event *event, const struct command_ack *ack);

#endif
