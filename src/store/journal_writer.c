/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What writers give to the journal: their leases, entries and answers. See
 * journal.h. Decides nothing about when it is written.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/journal_parts.h"

struct journal_writer *journal_open(struct journal *journal,
	const char *service, const char *rollout,
	const struct journal_owner *owner, void *arg)
{
	struct journal_writer *writer = xcalloc(1, sizeof(*writer));

	writer->journal = journal;
	writer->whose.service = xstrdup(service);
	writer->whose.rollout = xstrdup(rollout);
	journal_part_init(&writer->next, writer, &writer->whose);
	journal_part_init(&writer->sent, writer, &writer->whose);
	writer->owner = owner;
	writer->arg = arg;
	return writer;
}

void journal_close(struct journal_writer **writer_p)
{
	struct journal_writer *writer = *writer_p;
	struct journal_entry *entry;

	if (!writer)
		return;
	*writer_p = NULL;
	STAILQ_FOREACH(entry, &writer->journal->durable, link)
		if (entry->writer == writer)
			entry->writer = NULL;
	writer->owner = NULL;
	journal_free_if_closed(writer);
}

bool journal_has_pending(const struct journal_writer *writer)
{
	return !STAILQ_EMPTY(&writer->next.entries) ||
	       !STAILQ_EMPTY(&writer->sent.entries);
}

/* ---- leases ---- */

static void leases_ask(struct journal *journal);

/* On the thread. */
static int leases_take(struct journal *journal, struct err *err_r)
{
	struct store *store = journal_store_use(journal->store, err_r);
	struct lease_call *call;

	if (!store || store_begin(store, err_r) < 0)
		return -1;
	STAILQ_FOREACH(call, &journal->asked, link) {
		call->taken =
			store_lease_take(store, call->writer->whose.service,
				call->writer->whose.rollout, &call->watch,
				&call->arena, &call->lease, err_r);
		if (call->taken < 0) {
			store_rollback(store);
			return -1;
		}
	}
	if (store_commit(store, err_r) == 0)
		return 0;
	store_rollback(store);
	return -1;
}

/* Those that were asked for meanwhile share a commit, as entries do. */
static void leases_run(void *arg)
{
	struct journal *journal = arg;

	journal->asked_rc = leases_take(journal, &journal->asked_err);
}

static void lease_told(struct lease_call *call, const struct err *err)
{
	struct journal_writer *writer = call->writer;
	int taken = err ? -1 : call->taken;

	writer->asks = false;
	writer->watch = call->watch;
	if (taken > 0)
		writer->whose.fence = call->lease.fence;
	if (writer->owner)
		writer->owner->lease(taken, &call->lease, err, writer->arg);
	else if (taken > 0)
		journal_drop_lease(writer);
	journal_free_if_closed(writer);
	arena_fini(&call->arena);
	free(call);
}

static void leases_done(void *arg)
{
	struct journal *journal = arg;
	struct err err = journal->asked_err;
	bool failed = journal->asked_rc < 0;
	struct lease_calls told = STAILQ_HEAD_INITIALIZER(told);
	struct lease_call *call;

	STAILQ_CONCAT(&told, &journal->asked);
	journal->asking = false;
	while ((call = STAILQ_FIRST(&told))) {
		STAILQ_REMOVE_HEAD(&told, link);
		lease_told(call, failed ? &err : NULL);
	}
	leases_ask(journal);
}

static void leases_ask(struct journal *journal)
{
	struct lease_call *call;

	if (journal->asking || STAILQ_EMPTY(&journal->asks))
		return;
	journal->asking = true;
	for (int n = 0;
		n < JOURNAL_BATCH_MAX && (call = STAILQ_FIRST(&journal->asks));
		n++) {
		STAILQ_REMOVE_HEAD(&journal->asks, link);
		STAILQ_INSERT_TAIL(&journal->asked, call, link);
	}
	journal_store_work(journal->store, leases_run, leases_done, journal);
}

void journal_take_lease(struct journal_writer *writer)
{
	struct lease_call *call = xcalloc(1, sizeof(*call));

	assert(!writer->asks && !writer->in_batch);
	writer->asks = true;
	call->writer = writer;
	call->watch = writer->watch;
	arena_init(&call->arena);
	STAILQ_INSERT_TAIL(&writer->journal->asks, call, link);
	leases_ask(writer->journal);
}

void journal_renew_lease(struct journal_writer *writer)
{
	writer->next.renew = true;
	journal_touch(writer);
}

void journal_drop_lease(struct journal_writer *writer)
{
	writer->next.drop = true;
	journal_touch(writer);
	journal_flush(writer->journal);
}

/* ---- entries ---- */

void journal_create(
	struct journal_writer *writer, const struct store_rollout *rollout)
{
	free(writer->next.create);
	writer->next.create = journal_row_copy(rollout);
}

void journal_revisions(struct journal_writer *writer, const char *candidate,
	const char *stable)
{
	free(writer->next.candidate);
	writer->next.candidate = xstrdup(candidate);
	free(writer->next.stable);
	writer->next.stable = xstrdup(stable);
}

static void entry_add(
	struct journal_writer *writer, struct journal_entry *entry)
{
	entry->writer = writer;
	STAILQ_INSERT_TAIL(&writer->next.entries, entry, link);
	writer->journal->pending_bytes += entry->bytes;
	journal_touch(writer);
}

void journal_append(struct journal_writer *writer,
	const struct store_event *event, const char *reason, bool ended,
	const struct command_ack *ack)
{
	struct journal_entry *entry = journal_entry_new(event, ack);

	if (!writer->reason || strcmp(writer->reason, reason) != 0) {
		free(writer->reason);
		writer->reason = xstrdup(reason);
		free(writer->next.reason);
		writer->next.reason = xstrdup(reason);
	}
	entry->ended = ended;
	entry_add(writer, entry);
}

void journal_settle(
	struct journal_writer *writer, const struct command_ack *ack)
{
	entry_add(writer, journal_entry_new(NULL, ack));
}

bool journal_settles(const struct journal_writer *writer, int64_t command_id)
{
	return journal_part_settles(&writer->sent, command_id) ||
	       journal_part_settles(&writer->next, command_id);
}
