/*
 * Group commit: entries wait for each other until the end of a turn or for some
 * milliseconds, and then are written in one transaction. See journal.h.
 *
 * While the file is locked or the disk full entries wait in memory, and a timer
 * tries again: nothing here holds the loop. Only what did not begin yet is lost
 * then: a writer's first entries share their transaction with its lease.
 */
#include "store/journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"

#define COMMIT_PAUSE_MS   20 /* between commits of what is no verdict */
#define RETRY_MS_MIN      10 /* after a commit that failed, doubled each time */
#define RETRY_MS_MAX      200
#define PENDING_BYTES_MAX (32 * 1024 * 1024) /* in memory, of all writers */

struct journal_entry {
	STAILQ_ENTRY(journal_entry) link;
	struct journal_writer *writer; /* NULL: it is closed */
	struct store_event event;
	struct command_ack ack;
	size_t bytes;
	bool ended;
};

STAILQ_HEAD(journal_entries, journal_entry);
TAILQ_HEAD(journal_writers, journal_writer);

struct journal_writer {
	TAILQ_ENTRY(journal_writer) link; /* of `dirty` */
	struct journal *journal;
	struct journal_entries entries; /* not durable yet; dirty if any */
	bool dirty;
	bool begun; /* some of its entries are durable */
	char *candidate, *stable; /* to be written; or NULL */
	const char *rollout;
	int64_t fence;
	char *reason; /* the rollout's after the last entry */
	const struct journal_owner *owner;
	void *arg;
};

struct journal {
	struct loop *loop;
	struct store *store;
	struct journal_writers dirty; /* who has entries on their way */
	bool open; /* a transaction is, for more than entries */
	bool deferred; /* journal_turn_end is */
	struct timer *pause; /* after which it will be */
	int64_t committed_ms; /* the last time; INT64_MIN: never */
	struct journal_entries durable; /* to be told, in a later turn */
	struct timer *tell;

	/* Commits fail. */
	bool failing;
	unsigned n_failures;
	struct err err; /* why the last one did */
	struct timer *retry, *patience;
	int64_t retry_ms; /* until the next but one */
	bool late;
	size_t pending_bytes;
};

static void journal_turn_end(void *arg);
static void journal_retry(void *arg);
static void journal_patience_over(void *arg);

struct journal *journal_new(struct loop *loop, struct store *store)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));

	journal->loop = loop;
	journal->store = store;
	store_hurry(store);
	TAILQ_INIT(&journal->dirty);
	STAILQ_INIT(&journal->durable);
	journal->committed_ms = INT64_MIN;
	return journal;
}

static void entries_free(struct journal_entries *entries)
{
	struct journal_entry *entry;

	while ((entry = STAILQ_FIRST(entries))) {
		STAILQ_REMOVE_HEAD(entries, link);
		free(entry);
	}
}

void journal_free(struct journal **journal_p)
{
	struct journal *journal = *journal_p;

	if (!journal)
		return;
	if (journal->open)
		store_rollback(journal->store);
	loop_defer_cancel(journal->loop, journal_turn_end, journal);
	timer_cancel(&journal->pause);
	timer_cancel(&journal->tell);
	timer_cancel(&journal->retry);
	timer_cancel(&journal->patience);
	entries_free(&journal->durable);
	free(journal);
	*journal_p = NULL;
}

/* ---- writers ---- */

struct journal_writer *journal_open(struct journal *journal,
	const char *rollout, int64_t fence, const struct journal_owner *owner,
	void *arg)
{
	struct journal_writer *writer = xcalloc(1, sizeof(*writer));

	writer->journal = journal;
	STAILQ_INIT(&writer->entries);
	writer->rollout = rollout;
	writer->fence = fence;
	writer->owner = owner;
	writer->arg = arg;
	return writer;
}

static void entries_leave(struct journal_writer *writer)
{
	struct journal_entry *entry;

	STAILQ_FOREACH(entry, &writer->entries, link)
		writer->journal->pending_bytes -= entry->bytes;
}

/* What was not made durable will not be. */
static void entries_drop(struct journal_writer *writer)
{
	entries_leave(writer);
	entries_free(&writer->entries);
	if (writer->dirty)
		TAILQ_REMOVE(&writer->journal->dirty, writer, link);
	writer->dirty = false;
}

void journal_close(struct journal_writer **writer_p)
{
	struct journal_writer *writer = *writer_p;
	struct journal_entry *entry;

	if (!writer)
		return;
	STAILQ_FOREACH(entry, &writer->journal->durable, link)
		if (entry->writer == writer)
			entry->writer = NULL;
	entries_drop(writer);
	free(writer->reason);
	free(writer->candidate);
	free(writer->stable);
	free(writer);
	*writer_p = NULL;
}

bool journal_has_pending(const struct journal_writer *writer)
{
	return writer->dirty;
}

void journal_drop(struct journal_writer *writer)
{
	entries_drop(writer);
}

void journal_revisions(struct journal_writer *writer, const char *candidate,
	const char *stable)
{
	free(writer->candidate);
	writer->candidate = xstrdup(candidate);
	free(writer->stable);
	writer->stable = xstrdup(stable);
}

/* ---- entries ---- */

static void flush_at_turn_end(struct journal *journal)
{
	timer_cancel(&journal->pause);
	if (journal->deferred)
		return;
	journal->deferred = true;
	loop_defer(journal->loop, journal_turn_end, journal);
}

static void journal_pause_over(void *arg)
{
	struct journal *journal = arg;

	journal->pause = NULL;
	flush_at_turn_end(journal);
}

/* A commit costs the same for one entry as for many: they wait for each other
 * a little when there was one just before. */
static void flush_soon(struct journal *journal)
{
	int64_t now = loop_now(journal->loop);
	int64_t due = journal->committed_ms == INT64_MIN
			      ? now
			      : journal->committed_ms + COMMIT_PAUSE_MS;

	if (journal->deferred || journal->pause)
		return;
	if (due <= now)
		flush_at_turn_end(journal);
	else
		journal->pause = timer_start(
			journal->loop, due - now, journal_pause_over, journal);
}

int journal_begin(struct journal *journal, struct err *err_r)
{
	if (journal->open)
		return 0;
	if (journal->failing) {
		*err_r = journal->err;
		return -1;
	}
	if (store_begin(journal->store, err_r) < 0)
		return -1;
	journal->open = true;
	flush_at_turn_end(journal);
	return 0;
}

/* In one block with its texts. */
static struct journal_entry *entry_new(
	const struct store_event *event, const struct command_ack *ack)
{
	const char *answer = ack ? ack->answer : "";
	size_t data_len = strlen(event->data) + 1;
	size_t answer_len = strlen(answer) + 1;
	struct journal_entry *entry =
		xcalloc(1, sizeof(*entry) + data_len + answer_len);
	char *text = (char *)(entry + 1);

	entry->bytes = sizeof(*entry) + data_len + answer_len;
	entry->event = *event;
	entry->event.data = memcpy(text, event->data, data_len);
	if (ack)
		entry->ack = *ack;
	entry->ack.answer = memcpy(text + data_len, answer, answer_len);
	return entry;
}

void journal_append(struct journal_writer *writer,
	const struct store_event *event, const char *reason, bool ended,
	const struct command_ack *ack)
{
	struct journal *journal = writer->journal;
	struct journal_entry *entry = entry_new(event, ack);

	entry->writer = writer;
	entry->ended = ended;
	if (!writer->reason || strcmp(writer->reason, reason) != 0) {
		free(writer->reason);
		writer->reason = xstrdup(reason);
	}
	STAILQ_INSERT_TAIL(&writer->entries, entry, link);
	journal->pending_bytes += entry->bytes;
	if (!writer->dirty) {
		writer->dirty = true;
		TAILQ_INSERT_TAIL(&journal->dirty, writer, link);
	}
	flush_soon(journal);
}

/* ---- the commit ---- */

/* Another process has acknowledged the command already: no error. */
static int ack_write(
	struct store *store, const struct command_ack *ack, struct err *err_r)
{
	if (!ack->command_id || store_command_settle(store, ack->command_id,
					ack->refused, ack->answer, err_r) == 0)
		return 0;
	return err_r->code == ERR_CONFLICT ? 0 : -1;
}

/* All entries of one rollout. */
static int entries_write(struct journal_writer *writer, struct err *err_r)
{
	struct store *store = writer->journal->store;
	struct store_event *events;
	struct journal_entry *entry;
	bool ended = false;
	size_t n = 0;
	int rc = 0;

	STAILQ_FOREACH(entry, &writer->entries, link)
		n++;
	events = xcalloc(n, sizeof(*events));
	n = 0;
	STAILQ_FOREACH(entry, &writer->entries, link) {
		events[n++] = entry->event;
		ended = ended || entry->ended;
	}
	if (writer->candidate)
		rc = store_rollout_set_revisions(store, writer->rollout,
			writer->candidate, writer->stable, err_r);
	if (rc == 0)
		rc = store_append(store, writer->rollout, writer->fence, events,
			n, writer->reason, ended, err_r);
	free(events);
	STAILQ_FOREACH(entry, &writer->entries, link)
		if (rc == 0)
			rc = ack_write(store, &entry->ack, err_r);
	if (rc == 0 && ended)
		rc = store_commands_refuse(
			store, writer->rollout, "the rollout has ended", err_r);
	return rc;
}

/* Writers who lost their lease are told so; the others go on. */
static int write_dirty(
	struct journal *journal, struct journal_writer *only, struct err *err_r)
{
	struct journal_writer *writer, *next;

	for (writer = only ? only : TAILQ_FIRST(&journal->dirty); writer;
		writer = next) {
		next = only ? NULL : TAILQ_NEXT(writer, link);
		if (!writer->dirty || entries_write(writer, err_r) == 0)
			continue;
		if (err_r->code != ERR_LEASE)
			return -1;
		entries_drop(writer);
		writer->owner->lost(err_r, writer->arg);
	}
	return store_commit(journal->store, err_r);
}

/* ---- when it fails ---- */

/* Which writers: all, or those whose lease was in the transaction. */
static void writers_lose(
	struct journal *journal, bool begun, const struct err *err)
{
	struct journal_writers lost = TAILQ_HEAD_INITIALIZER(lost);
	struct journal_writer *writer, *next;

	for (writer = TAILQ_FIRST(&journal->dirty); writer; writer = next) {
		next = TAILQ_NEXT(writer, link);
		if (writer->begun && !begun)
			continue;
		TAILQ_REMOVE(&journal->dirty, writer, link);
		TAILQ_INSERT_TAIL(&lost, writer, link);
	}
	while ((writer = TAILQ_FIRST(&lost))) {
		TAILQ_REMOVE(&lost, writer, link);
		writer->dirty = false;
		entries_leave(writer);
		entries_free(&writer->entries);
		writer->owner->lost(err, writer->arg);
	}
}

static void commit_failed(struct journal *journal, const struct err *err)
{
	bool had_begun = journal->open;

	if (journal->open)
		store_rollback(journal->store);
	journal->open = false;
	journal->n_failures++;
	journal->err = *err;
	if (!err_is_retryable(err->code) ||
		journal->pending_bytes > PENDING_BYTES_MAX) {
		writers_lose(journal, true, err);
		return;
	}
	if (!journal->failing) {
		log_line(LOG_WARN, "event=journal-waits error=\"%s\"",
			err->text);
		journal->failing = true;
		journal->retry_ms = RETRY_MS_MIN;
		journal->patience = timer_start(journal->loop,
			JOURNAL_PATIENCE_MS, journal_patience_over, journal);
	}
	timer_cancel(&journal->retry);
	journal->retry = timer_start(
		journal->loop, journal->retry_ms, journal_retry, journal);
	if (journal->retry_ms < RETRY_MS_MAX)
		journal->retry_ms *= 2;
	if (had_begun)
		writers_lose(journal, false, err);
}

static void commit_succeeded(struct journal *journal)
{
	journal->open = false;
	journal->committed_ms = loop_now(journal->loop);
	if (journal->failing)
		log_line(LOG_WARN, "event=journal-goes-on");
	journal->failing = journal->late = false;
	timer_cancel(&journal->retry);
	timer_cancel(&journal->patience);
}

static void journal_patience_over(void *arg)
{
	struct journal *journal = arg;
	struct journal_writer *writer, *next;

	journal->patience = NULL;
	journal->late = true;
	for (writer = TAILQ_FIRST(&journal->dirty); writer; writer = next) {
		next = TAILQ_NEXT(writer, link);
		writer->owner->late(&journal->err, writer->arg);
	}
}

const struct err *journal_lateness(const struct journal *journal)
{
	return journal->late ? &journal->err : NULL;
}

unsigned journal_failures(const struct journal *journal)
{
	return journal->n_failures;
}

/* ---- when it succeeds ---- */

static void writer_durable(
	struct journal_writers *dirty, struct journal_writer *writer)
{
	entries_leave(writer);
	STAILQ_CONCAT(&writer->journal->durable, &writer->entries);
	TAILQ_REMOVE(dirty, writer, link);
	writer->dirty = false;
	writer->begun = true;
	xfree(&writer->candidate);
	xfree(&writer->stable);
	writer->owner->durable(writer->arg);
}

static void journal_tell_later(void *arg);

/* `first`: its effects are carried out before those of others, if any. */
static void commit(struct journal *journal, struct journal_writer *first)
{
	struct journal_writers dirty = TAILQ_HEAD_INITIALIZER(dirty);
	bool all = journal->open || !first;
	struct journal_writer *writer;
	struct err err;

	if ((!journal->open && store_begin(journal->store, &err) < 0)) {
		commit_failed(journal, &err);
		return;
	}
	journal->open = true;
	if (write_dirty(journal, all ? NULL : first, &err) < 0) {
		commit_failed(journal, &err);
		return;
	}
	commit_succeeded(journal);
	if (first) /* one that is due in this turn would be in the way */
		timer_cancel(&journal->tell);
	if (!journal->tell)
		journal->tell = timer_start(
			journal->loop, 0, journal_tell_later, journal);
	if (all)
		TAILQ_CONCAT(&dirty, &journal->dirty, link);
	if (first && first->dirty)
		writer_durable(all ? &dirty : &journal->dirty, first);
	while ((writer = TAILQ_FIRST(&dirty)))
		writer_durable(&dirty, writer);
}

static void flush(struct journal *journal, struct journal_writer *first)
{
	if (!journal->failing &&
		(journal->open || !TAILQ_EMPTY(&journal->dirty)))
		commit(journal, first);
}

static void journal_retry(void *arg)
{
	struct journal *journal = arg;

	journal->retry = NULL;
	commit(journal, NULL);
}

void journal_flush(struct journal *journal)
{
	flush(journal, NULL);
}

void journal_flush_first(struct journal_writer *writer)
{
	flush(writer->journal, writer);
}

static void journal_turn_end(void *arg)
{
	struct journal *journal = arg;

	journal->deferred = false;
	flush(journal, NULL);
}

/* ---- telling ---- */

void journal_tell(struct journal *journal)
{
	struct journal_entry *entry;
	struct journal_writer *writer;

	while ((entry = STAILQ_FIRST(&journal->durable))) {
		STAILQ_REMOVE_HEAD(&journal->durable, link);
		writer = entry->writer;
		if (writer && writer->owner->written)
			writer->owner->written(&entry->event, writer->arg);
		free(entry);
	}
}

static void journal_tell_later(void *arg)
{
	struct journal *journal = arg;

	journal->tell = NULL;
	journal_tell(journal);
}
