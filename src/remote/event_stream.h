/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events out of the bytes of an answer, however they are cut. Pure.
 * What is larger than any event of ours ends it.
 */
#ifndef TIDEGATE_REMOTE_EVENT_STREAM_H
#define TIDEGATE_REMOTE_EVENT_STREAM_H

#include <stdbool.h>

#include "base/buf.h"
#include "store/store.h"

#define EVENT_STREAM_NAME_MAX  32 /* bytes with the NUL */
#define EVENT_STREAM_PLACE_MAX 64
#define EVENT_STREAM_DATA_MAX  (2 * STORE_EVENT_BYTES_MAX)

struct event_stream {
	char name[EVENT_STREAM_NAME_MAX]; /* "" is a message */
	/* Where to go on: the id that came last; "": none. It outlives a
	 * connection. */
	char place[EVENT_STREAM_PLACE_MAX];
	struct buf line, data;
	bool has_data, after_cr;
};

/* The texts are valid during the call. false: no more is wanted. */
typedef bool (*event_stream_fn)(
	const char *name, const char *data, size_t len, void *arg);

void event_stream_init(struct event_stream *stream);
void event_stream_fini(struct event_stream *stream);
/* Another connection begins: half an event is none. */
void event_stream_restart(struct event_stream *stream);
/* false: it is no such stream, or `fn` said so. */
bool event_stream_feed(struct event_stream *stream, const char *bytes,
	size_t len, event_stream_fn fn, void *arg);

#endif
