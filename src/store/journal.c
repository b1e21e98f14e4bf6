/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: entries wait for each other for some milliseconds, and then are
 * written by the journal's thread in one transaction. See journal.h.
 *
 *   append -> next -> (a batch is begun) -> sent -> durable -> told
 *
 * One batch at a time is on the thread; what is appended meanwhile is for the
 * next. While the file is locked or the disk full the same batch is tried again
 * by timer: nothing here holds the loop.
 */
#include "store/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "store/journal_parts.h"

#define COMMIT_PAUSE_MS   20 /* between commits of what is no verdict */
#define RETRY_MS_MIN      10 /* after a commit that failed, doubled each time */
#define RETRY_MS_MAX      200
#define PENDING_BYTES_MAX (32 * 1024 * 1024) /* in memory, of all writers */

static void flush_soon(struct journal *journal);
static void journal_turn_end(void *arg);
static void batch_begin(struct journal *journal);
static void batch_send(struct journal *journal);
static void batch_done(void *arg);
static void journal_retry(void *arg);
static void journal_patience_over(void *arg);
static void journal_tell_later(void *arg);

/* ---- on the thread ---- */

static void batch_run(void *arg)
{
	struct journal *journal = arg;
	struct store *store =
		journal_store_use(journal->store, &journal->batch_err);

	journal->batch_rc = store ? journal_batch_write(store, &journal->batch,
					    &journal->batch_err)
				  : -1;
}

/* ---- making and freeing ---- */

struct journal *journal_new(
	struct loop *loop, struct store *store, struct err *err_r)
{
	struct journal_store *own = journal_store_new(loop, store, err_r);
	struct journal *journal;

	if (!own)
		return NULL;
	journal = xcalloc(1, sizeof(*journal));
	journal->loop = loop;
	journal->store = own;
	store_hurry(store);
	TAILQ_INIT(&journal->batch);
	TAILQ_INIT(&journal->dirty);
	STAILQ_INIT(&journal->asks);
	STAILQ_INIT(&journal->asked);
	STAILQ_INIT(&journal->durable);
	journal->committed_ms = INT64_MIN;
	return journal;
}

static void writer_free(struct journal_writer *writer)
{
	journal_part_clear(&writer->next);
	journal_part_clear(&writer->sent);
	free(writer->reason);
	free(writer->whose.service);
	free(writer->whose.rollout);
	free(writer);
}

/* A closed one that has nothing to write any more. */
void journal_free_if_closed(struct journal_writer *writer)
{
	if (!writer->owner && !writer->dirty && !writer->in_batch &&
		!writer->asks)
		writer_free(writer);
}

/* All are closed, since none is left. */
static void writers_free(struct journal *journal)
{
	struct journal_writer *writer;
	struct journal_part *part;
	struct lease_call *call;

	STAILQ_CONCAT(&journal->asks, &journal->asked);
	while ((call = STAILQ_FIRST(&journal->asks))) {
		STAILQ_REMOVE_HEAD(&journal->asks, link);
		call->writer->asks = false;
		journal_free_if_closed(call->writer);
		arena_fini(&call->arena);
		free(call);
	}
	while ((part = TAILQ_FIRST(&journal->batch))) {
		TAILQ_REMOVE(&journal->batch, part, link);
		part->writer->in_batch = false;
		journal_free_if_closed(part->writer);
	}
	while ((writer = TAILQ_FIRST(&journal->dirty))) {
		TAILQ_REMOVE(&journal->dirty, writer, link);
		writer_free(writer);
	}
}

/* What waits is written, unless commits fail or take too long. */
static void write_last(struct journal *journal)
{
	do
		journal_flush(journal);
	while (journal_store_wait(journal->store, JOURNAL_END_MS) &&
		!journal->failing && !TAILQ_EMPTY(&journal->dirty));
}

void journal_free(struct journal **journal_p)
{
	struct journal *journal = *journal_p;
	struct journal_entry *entry;

	if (!journal)
		return;
	*journal_p = NULL;
	write_last(journal);
	loop_defer_cancel(journal->loop, journal_turn_end, journal);
	timer_cancel(&journal->pause);
	timer_cancel(&journal->tell);
	timer_cancel(&journal->retry);
	timer_cancel(&journal->patience);
	while ((entry = STAILQ_FIRST(&journal->durable))) {
		STAILQ_REMOVE_HEAD(&journal->durable, link);
		free(entry);
	}
	if (!journal_store_free(&journal->store))
		return; /* a disk that hangs keeps what is being written */
	writers_free(journal);
	free(journal);
}

/* ---- what writers have given ---- */

/* Something was put into `next`. */
void journal_touch(struct journal_writer *writer)
{
	struct journal *journal = writer->journal;

	if (!writer->dirty)
		TAILQ_INSERT_TAIL(&journal->dirty, writer, link);
	writer->dirty = true;
	flush_soon(journal);
}

static void next_drop(struct journal_writer *writer)
{
	writer->journal->pending_bytes -= journal_part_bytes(&writer->next);
	journal_part_clear(&writer->next);
	if (writer->dirty)
		TAILQ_REMOVE(&writer->journal->dirty, writer, link);
	writer->dirty = writer->urgent = false;
}

/* What is on the thread can only be ignored. */
void journal_drop(struct journal_writer *writer)
{
	struct journal *journal = writer->journal;

	next_drop(writer);
	if (!writer->in_batch)
		return;
	if (journal->busy) {
		writer->dropped = true;
		return;
	}
	TAILQ_REMOVE(&journal->batch, &writer->sent, link);
	writer->in_batch = false;
	journal->pending_bytes -= journal_part_bytes(&writer->sent);
	journal_part_clear(&writer->sent);
}

/* ---- when a batch is begun ---- */

static void journal_turn_end(void *arg)
{
	struct journal *journal = arg;

	journal->deferred = false;
	batch_begin(journal);
}

static void journal_pause_over(void *arg)
{
	struct journal *journal = arg;

	journal->pause = NULL;
	batch_begin(journal);
}

/* A commit costs the same for one entry as for many: they wait for each other
 * until the end of the turn, or a little longer when there was one just before.
 */
static void flush_soon(struct journal *journal)
{
	int64_t now = loop_now(journal->loop);
	int64_t pause_ms = journal->crowded ? 0 : COMMIT_PAUSE_MS;
	bool pause = journal->committed_ms != INT64_MIN &&
		     journal->committed_ms + pause_ms >= now;

	if (journal->busy || journal->failing || journal->pause ||
		journal->deferred)
		return;
	if (pause) {
		journal->pause = timer_start(journal->loop,
			journal->committed_ms + pause_ms - now,
			journal_pause_over, journal);
		return;
	}
	journal->deferred = true;
	loop_defer(journal->loop, journal_turn_end, journal);
}

void journal_flush(struct journal *journal)
{
	timer_cancel(&journal->pause);
	batch_begin(journal);
}

void journal_flush_first(struct journal_writer *writer)
{
	struct journal *journal = writer->journal;

	if (!writer->dirty)
		return;
	TAILQ_REMOVE(&journal->dirty, writer, link);
	TAILQ_INSERT_HEAD(&journal->dirty, writer, link);
	writer->urgent = true;
	batch_begin(journal);
}

static void batch_add(struct journal *journal, struct journal_writer *writer)
{
	TAILQ_REMOVE(&journal->dirty, writer, link);
	writer->dirty = writer->urgent = false;
	journal_part_move(&writer->sent, &writer->next);
	TAILQ_INSERT_TAIL(&journal->batch, &writer->sent, link);
	writer->in_batch = true;
}

/* Those in a hurry alone, if there are any; else all, as far as one turn can
 * tell them what became of it. */
static void batch_begin(struct journal *journal)
{
	struct journal_writer *writer = TAILQ_FIRST(&journal->dirty);
	bool urgent = writer && writer->urgent;
	int n = 0;

	if (journal->busy || journal->telling || journal->failing || !writer)
		return;
	while ((writer = TAILQ_FIRST(&journal->dirty)) &&
		writer->urgent == urgent && n++ < JOURNAL_BATCH_MAX)
		batch_add(journal, writer);
	journal->crowded = n > JOURNAL_BATCH_MAX;
	batch_send(journal);
}

static void patience_start(struct journal *journal, int64_t ms)
{
	timer_cancel(&journal->patience);
	journal->patience_ms = ms;
	journal->patience =
		timer_start(journal->loop, ms, journal_patience_over, journal);
}

static void batch_send(struct journal *journal)
{
	if (!journal->patience && !journal->late)
		patience_start(journal, JOURNAL_SLOW_MS);
	journal->busy = true;
	journal->sent_us = loop_now_us(journal->loop);
	journal_store_work(journal->store, batch_run, batch_done, journal);
}

/* ---- when it fails ---- */

static void writer_lose(struct journal_writer *writer, const struct err *err)
{
	if (writer->owner)
		writer->owner->lost(err, writer->arg);
	else
		journal_free_if_closed(writer);
}

/* All of them, and all that waits. */
static void writers_lose(struct journal *journal, const struct err *err)
{
	struct journal_writer *writer;
	struct journal_part *part;

	while ((part = TAILQ_FIRST(&journal->batch))) {
		journal_drop(part->writer);
		writer_lose(part->writer, err);
	}
	while ((writer = TAILQ_FIRST(&journal->dirty))) {
		journal_drop(writer);
		writer_lose(writer, err);
	}
}

static void batch_failed(struct journal *journal)
{
	const struct err *err = &journal->batch_err;

	journal->err = *err;
	if (!err_is_retryable(err->code) ||
		journal->pending_bytes > PENDING_BYTES_MAX) {
		timer_cancel(&journal->patience);
		journal->failing = journal->late = false;
		writers_lose(journal, err);
		return;
	}
	if (!journal->failing) {
		log_line(LOG_WARN, "event=journal-waits error=\"%s\"",
			err->text);
		journal->failing = true;
		journal->retry_ms = RETRY_MS_MIN;
		if (!journal->late)
			patience_start(journal, JOURNAL_PATIENCE_MS);
	}
	journal->retry = timer_start(
		journal->loop, journal->retry_ms, journal_retry, journal);
	if (journal->retry_ms < RETRY_MS_MAX)
		journal->retry_ms *= 2;
}

static void journal_retry(void *arg)
{
	struct journal *journal = arg;

	journal->retry = NULL;
	batch_send(journal);
}

static bool is_late(const struct journal_writer *writer)
{
	return writer->owner && (!STAILQ_EMPTY(&writer->next.entries) ||
					!STAILQ_EMPTY(&writer->sent.entries));
}

static void journal_patience_over(void *arg)
{
	struct journal *journal = arg;
	struct journal_writer *writer, *next;
	struct journal_part *part, *next_part;

	journal->patience = NULL;
	journal->late = true;
	if (!journal->failing)
		err_set(&journal->err, ERR_BUSY,
			"the state file %s takes longer than %d ms to be "
			"written: its disk is busy, or it hangs",
			journal_store_path(journal->store), JOURNAL_SLOW_MS);
	for (part = TAILQ_FIRST(&journal->batch); part; part = next_part) {
		next_part = TAILQ_NEXT(part, link);
		if (is_late(part->writer))
			part->writer->owner->late(
				&journal->err, part->writer->arg);
	}
	for (writer = TAILQ_FIRST(&journal->dirty); writer; writer = next) {
		next = TAILQ_NEXT(writer, link);
		if (!writer->in_batch && is_late(writer))
			writer->owner->late(&journal->err, writer->arg);
	}
}

void journal_stood_still(struct journal *journal)
{
	int64_t ms = journal->patience_ms;

	if (!journal->patience || !ms)
		return;
	patience_start(journal, ms);
	journal->patience_ms = 0; /* once, however often it stops */
}

const struct err *journal_lateness(const struct journal *journal)
{
	return journal->late ? &journal->err : NULL;
}

/* ---- when it succeeds ---- */

/* `part` is out of the batch. */
static void part_written(struct journal *journal, struct journal_part *part)
{
	struct journal_writer *writer = part->writer;
	int64_t seq = journal_part_seq(part);
	bool dropped = writer->dropped;
	struct err lost = {0};

	writer->in_batch = writer->dropped = false;
	journal->pending_bytes -= journal_part_bytes(part);
	if (part->lost)
		lost = *part->lost;
	else if (writer->owner && !dropped)
		STAILQ_CONCAT(&journal->durable, &part->entries);
	journal_part_clear(part);
	if (lost.code) {
		next_drop(writer);
		writer_lose(writer, &lost);
	} else if (writer->owner && !dropped && seq) {
		writer->owner->durable(seq, writer->arg);
	} else {
		journal_free_if_closed(writer);
	}
}

static void batch_succeeded(struct journal *journal)
{
	struct journal_parts parts = TAILQ_HEAD_INITIALIZER(parts);
	struct journal_part *part;

	journal->committed_ms = loop_now(journal->loop);
	if (journal->failing)
		log_line(LOG_WARN, "event=journal-goes-on");
	journal->failing = journal->late = false;
	timer_cancel(&journal->patience);
	timer_cancel(&journal->tell); /* it would be in a verdict's way */
	journal->tell =
		timer_start(journal->loop, 0, journal_tell_later, journal);
	TAILQ_CONCAT(&parts, &journal->batch, link);
	while ((part = TAILQ_FIRST(&parts))) {
		TAILQ_REMOVE(&parts, part, link);
		part_written(journal, part);
	}
}

static void batch_done(void *arg)
{
	struct journal *journal = arg;
	struct journal_writer *writer;

	journal->busy = false;
	if (journal->commit_fn)
		journal->commit_fn(
			loop_now_us(journal->loop) - journal->sent_us,
			journal->batch_rc < 0, journal->commit_arg);
	journal->telling = true;
	if (journal->batch_rc == 0)
		batch_succeeded(journal);
	else
		batch_failed(journal);
	journal->telling = false;
	writer = TAILQ_FIRST(&journal->dirty);
	if (writer && writer->urgent)
		batch_begin(journal);
	else if (writer)
		flush_soon(journal);
}

void journal_watch_commits(
	struct journal *journal, journal_commit_fn fn, void *arg)
{
	journal->commit_fn = fn;
	journal->commit_arg = arg;
}

/* ---- telling ---- */

void journal_tell(struct journal *journal)
{
	struct journal_entry *entry;
	struct journal_writer *writer;

	while ((entry = STAILQ_FIRST(&journal->durable))) {
		STAILQ_REMOVE_HEAD(&journal->durable, link);
		writer = entry->writer;
		if (writer && entry->event.name && writer->owner->written)
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
