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

/* A lease that is asked for. */
struct lease_call {
	struct journal_writer *writer;
	struct lease_watch watch;
	struct arena arena;
	struct store_lease lease;
	struct err err;
	int taken;
};

/* On the thread. */
static void lease_run(void *arg)
{
	struct lease_call *call = arg;
	const struct journal_whose *whose = &call->writer->whose;
	struct store *store =
		journal_store_use(call->writer->journal->store, &call->err);

	call->taken = store ? store_lease_take(store, whose->service,
				      whose->rollout, &call->watch,
				      &call->arena, &call->lease, &call->err)
			    : -1;
}

static void lease_done(void *arg)
{
	struct lease_call *call = arg;
	struct journal_writer *writer = call->writer;

	writer->asks = false;
	writer->watch = call->watch;
	if (call->taken > 0)
		writer->whose.fence = call->lease.fence;
	if (writer->owner)
		writer->owner->lease(
			call->taken, &call->lease, &call->err, writer->arg);
	else if (call->taken > 0)
		journal_drop_lease(writer);
	journal_free_if_closed(writer);
	arena_fini(&call->arena);
	free(call);
}

void journal_take_lease(struct journal_writer *writer)
{
	struct lease_call *call = xcalloc(1, sizeof(*call));

	assert(!writer->asks && !writer->in_batch);
	writer->asks = true;
	call->writer = writer;
	call->watch = writer->watch;
	arena_init(&call->arena);
	journal_store_work(writer->journal->store, lease_run, lease_done, call);
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
