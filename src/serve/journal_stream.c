/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal as it grows; see journal_stream.h. Entries are read at the desk, a
 * batch at a time and the next one when the peer has read most of it: when the
 * rollout changed, and every second, since others may drive it.
 */
#include "serve/journal_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/changes.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/sse.h"
#include "status/journal_print.h"
#include "store/store.h"

#define POLL_MS     1000
#define ENTRIES_MAX 200 /* of a batch */
#define LINES_MAX   (SSE_BATCH_MAX + 2 * STORE_EVENT_BYTES_MAX)

struct journal_stream {
	struct desk_job job;
	struct daemon *daemon;
	struct visit *visit; /* NULL: it is answered */
	struct server_stream *out; /* NULL: not yet, or not any more */
	struct following *following;
	struct visitor *visitor;
	struct timer *poll, *end;
	char *id;
	int64_t told_seq;
	uint64_t seen; /* the last change of any rollout */
	bool is_reading;
	bool is_wanted; /* to be read again */
	/* The desk's while it reads. */
	struct arena arena;
	struct store_rollout row;
	struct buf lines;
	int64_t read_seq;
	int n_read;
};

static void journal_read(struct journal_stream *stream);

/* ---- its end ---- */

static void journal_free(struct journal_stream *stream)
{
	changes_unfollow(&stream->following);
	timer_cancel(&stream->poll);
	timer_cancel(&stream->end);
	visitor_free(&stream->visitor);
	arena_fini(&stream->arena);
	buf_fini(&stream->lines);
	free(stream->id);
	free(stream);
}

/* What the desk has is freed when it gives it back. */
static void journal_closed(void *arg)
{
	struct journal_stream *stream = arg;

	stream->out = NULL;
	if (!stream->is_reading)
		journal_free(stream);
}

/* The last event, and the end; `text` is all of it but its data. */
static void journal_finish(struct journal_stream *stream, struct buf *text)
{
	struct server_stream *out = stream->out;

	buf_adds(text, "data: {}\n\n");
	if (server_stream_send(out, text->data, text->len))
		server_stream_end(out);
	journal_closed(stream);
}

static void journal_bye(void *arg)
{
	struct journal_stream *stream = arg;
	struct buf text;

	buf_init(&text, 256);
	sse_add_bye(&text, daemon_loop(stream->daemon));
	timer_cancel(&stream->end);
	changes_unfollow(&stream->following);
	journal_finish(stream, &text);
	buf_fini(&text);
}

static void journal_nothing_follows(void *arg)
{
	struct journal_stream *stream = arg;

	stream->following = NULL;
	journal_bye(stream);
}

/* ---- reading ---- */

static int journal_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct journal_stream *stream = arg;

	(void)err_r;
	buf_addf(&stream->lines, "id: %" PRId64 "\ndata: ", entry->seq);
	journal_print_json(stream->id, entry, &stream->lines);
	buf_addc(&stream->lines, '\n');
	stream->read_seq = entry->seq;
	return ++stream->n_read == ENTRIES_MAX ||
	       stream->lines.len >= SSE_BATCH_MAX;
}

static int journal_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct journal_stream *stream = (struct journal_stream *)job;
	int found = store_rollout_find(
		store, stream->id, &stream->arena, &stream->row, err_r);

	if (found < 0)
		return -1;
	if (!found)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\"", stream->id);
	return store_each_event(store, stream->id, stream->read_seq,
		       journal_entry, stream, err_r) < 0
		       ? -1
		       : 0;
}

static void on_poll(void *arg)
{
	struct journal_stream *stream = arg;

	stream->poll = NULL;
	journal_read(stream);
}

static void poll_start(struct journal_stream *stream)
{
	if (!stream->poll)
		stream->poll = timer_start(
			daemon_loop(stream->daemon), POLL_MS, on_poll, stream);
}

/* Unless there is enough that the peer has not read yet. */
static void journal_read(struct journal_stream *stream)
{
	stream->is_wanted = stream->is_reading;
	if (stream->is_reading)
		return;
	if (stream->out && server_stream_behind(stream->out) > SSE_BEHIND_MAX) {
		poll_start(stream);
		return;
	}
	stream->is_reading = true;
	stream->read_seq = stream->told_seq;
	stream->n_read = 0;
	arena_fini(&stream->arena);
	desk_give(daemon_desk(stream->daemon), &stream->job);
}

/* Only this rollout's changes are worth a look. */
static bool change_is_other(const struct change *change, void *arg)
{
	struct journal_stream *stream = arg;

	if (strcmp(change->rollout, stream->id) != 0)
		return true;
	journal_read(stream);
	return false;
}

static void journal_changed(void *arg)
{
	struct journal_stream *stream = arg;
	const struct changes *changes = daemon_changes(stream->daemon);
	uint64_t seen = stream->seen;

	stream->seen = changes_last(changes);
	changes_after(changes, seen, change_is_other, stream);
}

/* ---- telling ---- */

/* The answer: false, there is none that goes on. */
static bool journal_begin(struct journal_stream *stream, const struct err *err)
{
	struct changes *changes = daemon_changes(stream->daemon);
	struct loop *loop = daemon_loop(stream->daemon);
	const struct follower follower = {
		journal_changed, journal_nothing_follows, stream};
	struct visit *visit = stream->visit;

	stream->visit = NULL;
	if (err) {
		visit_fail(&visit, err);
		return false;
	}
	if (!visit_may(&visit, RIGHT_READ, stream->row.service, NULL))
		return false;
	stream->out =
		sse_open(&visit, journal_closed, stream, &stream->visitor);
	if (!stream->out)
		return false;
	stream->seen = changes_last(changes);
	stream->following = changes_follow(changes, &follower);
	stream->end = timer_start(
		loop, sse_life_ms(loop, stream->visitor), journal_bye, stream);
	return true;
}

static bool is_told(const struct journal_stream *stream)
{
	return stream->row.ended_ms && stream->told_seq >= stream->row.last_seq;
}

/* People and access may be others than at its beginning. */
static bool may_go_on(const struct journal_stream *stream)
{
	return access_may(daemon_access(stream->daemon), stream->visitor,
		RIGHT_READ, stream->row.service, NULL, NULL);
}

static void journal_tell(struct journal_stream *stream)
{
	struct buf text;

	if (!may_go_on(stream)) {
		journal_bye(stream);
		return;
	}
	if (stream->lines.len &&
		!server_stream_send(
			stream->out, stream->lines.data, stream->lines.len)) {
		journal_closed(stream);
		return;
	}
	stream->told_seq = stream->read_seq;
	buf_clear(&stream->lines);
	if (is_told(stream)) {
		buf_init(&text, 256);
		buf_adds(&text, "event: end\n");
		journal_finish(stream, &text);
		buf_fini(&text);
	} else if (stream->is_wanted ||
		   stream->told_seq < stream->row.last_seq) {
		journal_read(stream);
	} else {
		poll_start(stream);
	}
}

static void journal_done(struct desk_job *job, const struct err *err)
{
	struct journal_stream *stream = (struct journal_stream *)job;

	stream->is_reading = false;
	if (stream->visit ? !journal_begin(stream, err) : !stream->out) {
		journal_free(stream);
		return;
	}
	if (err) { /* it may pass */
		buf_clear(&stream->lines);
		poll_start(stream);
	} else {
		journal_tell(stream);
	}
}

/* ---- its beginning ---- */

bool journal_stream_is_wanted(const struct visit *visit)
{
	const char *accept = request_header(visit->request, "Accept");

	return accept && strstr(accept, SSE_TYPE);
}

/* A seq; anything else is that of another stream. */
static int64_t last_seq(const struct visit *visit, int64_t otherwise)
{
	const char *text = request_header(visit->request, "Last-Event-ID");

	if (!text || !*text || strlen(text) > 18 ||
		text[strspn(text, "0123456789")])
		return otherwise;
	return strtoll(text, NULL, 10);
}

void journal_stream_open(struct visit *visit, int64_t after_seq)
{
	struct journal_stream *stream = xcalloc(1, sizeof(*stream));

	stream->job.run = journal_run;
	stream->job.done = journal_done;
	stream->daemon = visit->daemon;
	stream->visit = visit;
	stream->id = xstrdup(visit->part[0]);
	stream->told_seq = last_seq(visit, after_seq);
	arena_init(&stream->arena);
	buf_init(&stream->lines, LINES_MAX);
	sse_add_retry(&stream->lines);
	buf_addc(&stream->lines, '\n');
	journal_read(stream);
}
