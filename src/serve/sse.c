/* SPDX-License-Identifier: Apache-2.0 */
/* What streams of events have in common; see sse.h. */
#include "serve/sse.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/rng.h"
#include "io/loop.h"
#include "serve/visit.h"

/* A comment would keep the connection alive, too, but no page would see it. */
static const char heartbeat[] = "event: heartbeat\ndata: {}\n\n";

struct server_stream *sse_open(struct visit **visit, server_closed_fn fn,
	void *arg, struct visitor **visitor_r)
{
	struct server_request *request = (*visit)->request;
	struct server_stream *out;

	*visitor_r = (*visit)->visitor;
	(*visit)->visitor = NULL;
	visit_free(visit);
	request_set_header(request, "Cache-Control", "no-store");
	request_set_header(request, "X-Accel-Buffering", "no"); /* nginx */
	out = request_stream(request, 200, SSE_TYPE, fn, arg);
	if (out)
		server_stream_heartbeat(out, heartbeat);
	else
		visitor_free(visitor_r);
	return out;
}

int64_t sse_life_ms(struct loop *loop, const struct visitor *visitor)
{
	int64_t ms =
		SSE_LIFE_MIN_MS + (int64_t)rng_below(loop_rng(loop),
					  SSE_LIFE_MAX_MS - SSE_LIFE_MIN_MS);
	int64_t left_ms = visitor->caller.expires_ms - loop_wall_ms(loop);

	if (visitor->caller.expires_ms && left_ms < ms)
		ms = left_ms > 0 ? left_ms : 0;
	return ms;
}

void sse_add_retry(struct buf *out)
{
	buf_addf(out, "retry: %d\n", SSE_RETRY_MS);
}

void sse_add_bye(struct buf *out, struct loop *loop)
{
	uint64_t spread =
		rng_below(loop_rng(loop), SSE_BYE_MAX_MS - SSE_BYE_MIN_MS);

	buf_addf(out, "retry: %" PRIu64 "\nevent: bye\n",
		SSE_BYE_MIN_MS + spread);
}
