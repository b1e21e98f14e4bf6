/*
 * Inside the event codec and for recordings: counts and histories of SLOs of
 * kind evidence.
 *
 * Counts are {"candidate": [good, bad], "stable": [good, bad]}, or the
 * requests of each bucket with "le", the upper bounds of all but the last;
 * null stands for an arm without a fresh sample.
 */
#ifndef TIDEGATE_STORE_EVIDENCE_CODEC_H
#define TIDEGATE_STORE_EVIDENCE_CODEC_H

#include <jansson.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "engine/event.h"

/* Nothing is written when there are no counts, or no histories. */
void counts_encode(
	struct jsonw *w, const char *key, const struct check_counts *counts);
void histories_encode(struct jsonw *w, const char *key,
	const struct policy *policy, const struct event *event);

/* NULL when `value` is NULL; else in the arena. Return what a wrong value
 * should have been, or NULL. */
const char *counts_decode(const json_t *value, struct arena *arena,
	const struct check_counts **counts_r);
const char *histories_decode(const json_t *value, const struct policy *policy,
	struct arena *arena, struct event *event);

#endif
