/* SPDX-License-Identifier: Apache-2.0 */
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

/*
 * What the engine made of it, for people and for a program that decides again;
 * none of this is read back. Of a rollout, once: the rules, and of each SLO
 * what is known before it. Of a step: the shares of bad requests that are to be
 * excluded, and in which climb. Of a check: the evidence of its SLO and, from
 * the last one that was asked at a time, of all of them together; natural
 * logarithms.
 */
void evidence_rules_encode(struct jsonw *w, const struct policy *policy,
	const struct evidence_memory *memory);
void evidence_step_encode(struct jsonw *w, const struct policy *policy,
	const struct evidence_memory *memory);
void evidence_check_encode(struct jsonw *w, const struct evidence_seen *seen);

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
