/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events and notes as JSON, and back: the fields of a journal entry. One table
 * says which type has which fields. Pure: JSON text <-> struct.
 *
 * A check's entry also carries, for people and machines, what the engine made
 * of it: step, slo (name), query, value, limit, outcome, latency_ms. Steps are
 * counted from 1 in JSON. An empty text is left out, and read back as "".
 */
#ifndef TIDEGATE_STORE_EVENT_CODEC_H
#define TIDEGATE_STORE_EVENT_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/rollout.h"

/* What a journal entry says beyond the event itself. NULL and 0: left out. */
struct event_context {
	const struct policy *policy; /* for names of SLOs and actions */
	const struct rollout *state; /* after the event; for the step */
	const struct judgement *judgement; /* check */
	const struct evidence_seen *seen; /* check, of kind evidence */
	const char *query[QUERY_ROLES]; /* check: resolved */
	const char *warnings; /* check: of the provider */
	const char *table; /* traffic, preflight: JSON array of the entries */
	const char *extra; /* JSON object whose members are added as they are */
	bool cut; /* something for people was left out: it was too much */
};

/* The keys of a check's queries: "query", "baseline_query" …, by role. */
extern const char *const event_query_keys[QUERY_ROLES];

/* Appends one JSON object; numbers that JSON lacks become strings ("NaN"). */
void event_encode(const struct event *event,
	const struct event_context *context, struct buf *out);
/* The same into an empty buffer whose size it may exceed: then what is only for
 * people is cut, the longest first. What the engine folds always fits. */
void event_encode_to_fit(const struct event *event,
	const struct event_context *context, struct buf *out);
void note_encode(const struct note *note, const struct event_context *context,
	struct buf *out);

/* The event of a journal entry; texts live in `arena`. SLOs and actions are
 * found by name in `policy`. -1 when it is not one of ours. */
MUST_CHECK int event_decode(const char *name, const char *data,
	const struct policy *policy, struct arena *arena, struct event *event_r,
	struct err *err_r);

/* The queries of a check's entry as they were asked; NULL: not there. */
void event_queries(
	const char *data, struct arena *arena, struct event_context *context_r);

#endif
