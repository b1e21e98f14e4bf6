/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all streams of server-sent events have in common: how they begin, how
 * long they last, and that their end spreads those who come back.
 */
#ifndef TIDEGATE_SERVE_SSE_H
#define TIDEGATE_SERVE_SSE_H

#include <stdint.h>

#include "base/buf.h"
#include "io/server.h"

struct loop;
struct visit;
struct visitor;

#define SSE_TYPE        "text/event-stream"
#define SSE_LIFE_MIN_MS (10 * 60 * 1000) /* what stands between cuts later */
#define SSE_LIFE_MAX_MS (15 * 60 * 1000)
#define SSE_RETRY_MS    2000 /* after a cut */
#define SSE_BYE_MIN_MS  1000 /* after a "bye": not all at once … */
#define SSE_BYE_MAX_MS  10000 /* … but soon */
#define SSE_BEHIND_MAX  (64 * 1024) /* bytes; beyond that events wait */
#define SSE_BATCH_MAX   (128 * 1024) /* bytes of events at once */

/* Gives the visit up, but for its visitor, who is the caller's from now on. NULL
 * as by request_stream: then the visitor is freed. */
struct server_stream *sse_open(struct visit **visit, server_closed_fn fn,
	void *arg, struct visitor **visitor_r);

/* How long one lasts: as the proof of who follows at most. */
int64_t sse_life_ms(struct loop *loop, const struct visitor *visitor);

/* The first line, and those of the last event but for its data. */
void sse_add_retry(struct buf *out);
void sse_add_bye(struct buf *out, struct loop *loop);

#endif
