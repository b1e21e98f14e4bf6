/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of a daemon's events, for as long as somebody wants it: a connection
 * that ends, is cut or says nothing any more is made again, and goes on after
 * the event that came last. Turns with the wire's loop.
 */
#ifndef TIDEGATE_REMOTE_FOLLOW_H
#define TIDEGATE_REMOTE_FOLLOW_H

#include "base/err.h"
#include "remote/event_stream.h"

struct follow;
struct wire;

struct follow_events {
	/* An event; "" is a message. false: it makes no sense. Nothing of the
	 * wire may be called. */
	event_stream_fn event;
	void (*opened)(void *arg); /* again: what came between may be lost */
	void *arg;
};

/* `path` is copied; `after` is the id to go on after, "": from the start. */
struct follow *follow_new(struct wire *wire, const char *path,
	const char *after, const struct follow_events *events);
void follow_free(struct follow **follow);

bool follow_is_open(const struct follow *follow); /* it is connected now */
/* NULL: it goes on; else why it never will. */
const struct err *follow_failed(const struct follow *follow);

#endif
