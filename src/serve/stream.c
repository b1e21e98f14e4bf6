/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/stream: what changes, as it happens, as server-sent events. Of a
 * rollout only its newest state is told: who reads slowly gets fewer events and
 * not later ones. An event's id is a place in the order of all changes, from
 * which a connection that was cut goes on; where that is not known any more a
 * "reset" says that all has to be looked at again.
 *
 * It ends by itself: when the daemon does ("bye"), when the proof of who
 * follows does, and now and then, so that what stands between does not cut it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server.h"
#include "serve/changes.h"
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/sse.h"

#define CATCH_UP_MS 1000 /* until who was behind is looked at again */
#define EVENT_MAX   4096 /* bytes of one */
#define PLACE_MAX   64 /* bytes of an id */

enum { QUERY_ROLLOUT };

const struct field stream_query[] = {
	[QUERY_ROLLOUT] = {"rollout", FIELD_TEXT, .max = 160,
		.about = "Only this rollout, and each of its checks"},
	{0},
};

struct stream {
	struct daemon *daemon;
	struct server_stream *out;
	struct following *following;
	struct visitor *visitor;
	char *rollout; /* NULL: all that may be read */
	uint64_t told; /* what came up to this number */
	struct timer *end, *catch_up;
	struct buf batch;
};

static void stream_changed(void *arg);

/* ---- its end ---- */

static void stream_free(struct stream *stream)
{
	changes_unfollow(&stream->following);
	timer_cancel(&stream->end);
	timer_cancel(&stream->catch_up);
	visitor_free(&stream->visitor);
	buf_fini(&stream->batch);
	free(stream->rollout);
	free(stream);
}

static void stream_closed(void *arg)
{
	stream_free(arg);
}

/* false: nobody reads it; the stream is gone. */
static bool batch_send(struct stream *stream)
{
	bool sent = server_stream_send(
		stream->out, stream->batch.data, stream->batch.len);

	if (!sent)
		stream_free(stream);
	else
		buf_clear(&stream->batch);
	return sent;
}

static void place_add(struct stream *stream, uint64_t number)
{
	buf_addf(&stream->batch, "id: %s-%" PRIu64 "\n",
		changes_epoch(daemon_changes(stream->daemon)), number);
}

/* The rest of an event that is about no rollout: where it has come to. */
static void mark_add(struct stream *stream)
{
	place_add(stream, stream->told);
	buf_adds(&stream->batch, "data: {}\n\n");
}

static void stream_bye(void *arg)
{
	struct stream *stream = arg;

	timer_cancel(&stream->end);
	sse_add_bye(&stream->batch, daemon_loop(stream->daemon));
	mark_add(stream);
	if (!batch_send(stream))
		return;
	server_stream_end(stream->out);
	stream_free(stream);
}

static void stream_nothing_follows(void *arg)
{
	struct stream *stream = arg;

	stream->following = NULL;
	stream_bye(stream);
}

/* ---- what is told ---- */

static bool stream_wants(
	const struct stream *stream, const struct change *change)
{
	const struct access *access = daemon_access(stream->daemon);

	if (stream->rollout) {
		if (strcmp(stream->rollout, change->rollout) != 0)
			return false;
	} else if (change->weighty <= stream->told) {
		return false;
	}
	return access_may(access, stream->visitor, RIGHT_READ, change->service,
		NULL, NULL);
}

static void change_print(const struct change *change, struct buf *out)
{
	char time[TIMESTAMP_TEXT_MAX];
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "time", timestamp_print(change->time_ms, time));
	jsonw_text(&w, "rollout", change->rollout);
	jsonw_text(&w, "service", change->service);
	jsonw_int(&w, "seq", change->seq);
	if (*change->event)
		jsonw_text(&w, "event", change->event);
	else
		jsonw_null(&w, "event");
	jsonw_text(&w, "phase", change->phase);
	if (change->percent >= 0)
		jsonw_int(&w, "percent", change->percent);
	else
		jsonw_null(&w, "percent");
	jsonw_bool(&w, "driven", change->is_driven);
	jsonw_end(&w, '}');
}

struct round {
	struct stream *stream;
	uint64_t seen;
};

static bool change_add(const struct change *change, void *arg)
{
	struct round *round = arg;
	struct buf *batch = &round->stream->batch;

	if (stream_wants(round->stream, change)) {
		place_add(round->stream, change->number);
		buf_adds(batch, "event: rollout\ndata: ");
		change_print(change, batch);
		buf_adds(batch, "\n\n");
	}
	round->seen = change->number;
	return batch->len < SSE_BATCH_MAX - EVENT_MAX;
}

static void on_catch_up(void *arg)
{
	struct stream *stream = arg;

	stream->catch_up = NULL;
	stream_changed(stream);
}

/* Tells what is new, unless there is enough that was not read yet. */
static void stream_changed(void *arg)
{
	struct stream *stream = arg;
	const struct changes *changes = daemon_changes(stream->daemon);
	struct round round = {stream, stream->told};

	if (server_stream_behind(stream->out) <= SSE_BEHIND_MAX) {
		changes_after(changes, stream->told, change_add, &round);
		if (stream->batch.len && !batch_send(stream))
			return;
		stream->told = round.seen;
	}
	if (stream->told < changes_last(changes) && !stream->catch_up)
		stream->catch_up = timer_start(daemon_loop(stream->daemon),
			CATCH_UP_MS, on_catch_up, stream);
}

/* ---- its beginning ---- */

/* A place of this epoch, from which all is known; false: it is not. */
static bool place_parse(
	const struct changes *changes, const char *place, uint64_t *number_r)
{
	const char *epoch = changes_epoch(changes);
	size_t len = strlen(epoch);

	if (strlen(place) >= PLACE_MAX || strncmp(place, epoch, len) != 0 ||
		place[len] != '-')
		return false;
	place += len + 1;
	if (!*place || strlen(place) > 19 || place[strspn(place, "0123456789")])
		return false;
	*number_r = strtoull(place, NULL, 10);
	return changes_cover(changes, *number_r);
}

static void stream_begin(struct stream *stream, const char *place)
{
	struct changes *changes = daemon_changes(stream->daemon);
	struct loop *loop = daemon_loop(stream->daemon);
	const struct follower follower = {
		stream_changed, stream_nothing_follows, stream};
	bool known = place && place_parse(changes, place, &stream->told);

	if (!known)
		stream->told = changes_last(changes);
	stream->following = changes_follow(changes, &follower);
	stream->end = timer_start(
		loop, sse_life_ms(loop, stream->visitor), stream_bye, stream);
	sse_add_retry(&stream->batch);
	buf_addf(&stream->batch, "event: %s\n",
		place && !known ? "reset" : "heartbeat");
	mark_add(stream);
	if (batch_send(stream) && known)
		stream_changed(stream);
}

void stream_open(struct visit *visit)
{
	const char *last = request_header(visit->request, "Last-Event-ID");
	struct field_value value[FIELDS_MAX];
	struct stream *stream;
	struct err err;
	char *place;

	if (fields_of_query(visit, stream_query, value, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	stream = xcalloc(1, sizeof(*stream));
	place = xstrdup(last && *last ? last : NULL);
	stream->daemon = visit->daemon;
	stream->rollout = xstrdup(value[QUERY_ROLLOUT].text);
	buf_init(&stream->batch, SSE_BATCH_MAX);
	stream->out = sse_open(&visit, stream_closed, stream, &stream->visitor);
	if (stream->out)
		stream_begin(stream, place);
	else
		stream_free(stream);
	free(place);
}
