/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a rollout that was taken back took to restore its service: from the
 * first check that was bad, of those that led to the revert, until stable was
 * seen serving everything. Out of the entries of its journal.
 */
#ifndef TIDEGATE_STATUS_RECOVERY_H
#define TIDEGATE_STATUS_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/rollout.h"

struct recovery_slo;
struct store_event;

/* All zero at first. */
struct recovery {
	struct recovery_slo *slo; /* that were bad at some time */
	size_t n_slos;
	enum phase phase; /* of the entry before */
	int64_t bad_ms; /* what it reverts for was bad since; 0: not known */
	int64_t restored_ms; /* 0: it is not */
};

void recovery_fini(struct recovery *recovery);

/* Entries in order. */
void recovery_take(struct recovery *recovery, const struct store_event *entry);

/* -1: it was not taken back for what checks saw, or is not yet. */
int64_t recovery_ms(const struct recovery *recovery);

#endif
