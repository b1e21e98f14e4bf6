/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EFFECT_READ, EFFECT_WRITE, EFFECT_HURRY: the service's traffic. Reads it for
 * the engine and writes what the engine wants over what was last read. Nothing
 * is written that was not read first, and what was read is written over once
 * at most.
 */
#ifndef TIDEGATE_LIVE_TRAFFIC_IO_H
#define TIDEGATE_LIVE_TRAFFIC_IO_H

#include <stdint.h>

#include "cloudrun/cloudrun.h"
#include "engine/rollout.h"
#include "live/event_fn.h"

struct buf;
struct release;
struct traffic_io;
struct world;

/* The release learns the candidate's URL. */
struct traffic_io *traffic_io_new(
	struct world *world, struct release *release, event_fn fn, void *arg);
void traffic_io_free(struct traffic_io **io);
void traffic_io_cancel(struct traffic_io *io); /* all that is under way */

/* Nobody waits for the read that is under way. */
void traffic_io_cancel_read(struct traffic_io *io);
void traffic_io_read(struct traffic_io *io, const struct effect *effect);
/* Its operation is followed for what is left, or for a time that is usual. */
void traffic_io_write(
	struct traffic_io *io, const struct effect *effect, int64_t left_ms);
/* Answers a write that is not carried out, in a later turn. */
void traffic_io_refuse(struct traffic_io *io, const struct effect *effect,
	enum write_result result, const char *text);
void traffic_io_hurry(struct traffic_io *io);

/* A service that was read elsewhere: keeps it as the one last read, and puts
 * its facts into the event. */
void traffic_io_take(
	struct traffic_io *io, struct service *service, struct event *event_r);
/* The traffic as last read, as JSON; nothing when there is none. */
void traffic_io_print(const struct traffic_io *io, struct buf *out);

#endif
