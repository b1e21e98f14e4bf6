/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that the engine says of a rollout, as text: events, answers as they are
 * judged, effects, notes, refusals, when it wants to be woken. Two engines that
 * tell the same of seeded rollouts decide alike; what they said once is in
 * test/vectors/told-NAME.txt.
 */
#ifndef TIDEGATE_TEST_TOLD_H
#define TIDEGATE_TEST_TOLD_H

#include "base/buf.h"
#include "engine_fixture.h"

/* One step of the engine. */
void told_add(struct buf *told, const struct world *world,
	const struct event *event, const struct outcome_list *out);

/* Tells one rollout. */
typedef void (*told_fn)(uint64_t seed, struct buf *told);

/* Compares the rollouts that `name` has lines for, with $TIDEGATE_SAMPLE=N every
 * N-th; or with $TIDEGATE_TOLD=write writes `n` anew; with $TIDEGATE_TOLD=SEED
 * only prints the text of that one.
 * Prints what differs; false: something does. */
bool told_compare(const char *name, size_t n, told_fn fn);

#endif
