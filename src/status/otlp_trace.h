/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout as a trace, for OTLP over HTTP in JSON: the rollout is the root span,
 * each phase a span below it, checks are events of the phase that they fell
 * into. Made out of the journal, entry by entry. Pure.
 */
#ifndef TIDEGATE_STATUS_OTLP_TRACE_H
#define TIDEGATE_STATUS_OTLP_TRACE_H

#include "base/buf.h"
#include "engine/rollout.h"
#include "store/store.h"

#define OTLP_BYTES_MAX  (4 * 1024 * 1024)
#define OTLP_EVENTS_MAX 2000 /* of one phase; the rest is counted */

struct otlp_trace;

/* Who it is about; borrowed for the call that prints. */
struct otlp_subject {
	const char *rollout, *service, *policy; /* service: full name */
	const char *candidate, *stable;
	const char *traceparent; /* of the job that runs it; NULL: none */
	const struct rollout *state; /* at the end */
};

struct otlp_trace *otlp_trace_new(void);
void otlp_trace_free(struct otlp_trace **trace); /* NULL inside is accepted */

void otlp_trace_take(struct otlp_trace *trace, const struct store_event *entry);

/* The body of POST /v1/traces. */
void otlp_trace_print(const struct otlp_trace *trace,
	const struct otlp_subject *subject, struct buf *out);

#endif
