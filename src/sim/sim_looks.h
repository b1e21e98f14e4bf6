/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the counters of a recording showed from check to check, for several runs
 * of it one after another: as long as a run checks at the times of the one
 * before, nothing has to be read and differenced again. Only for policies whose
 * SLOs are the same. Pure.
 */
#ifndef TIDEGATE_SIM_SIM_LOOKS_H
#define TIDEGATE_SIM_SIM_LOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/evidence_memory.h"

struct sim_looks;

struct sim_looks *sim_looks_new(void);
void sim_looks_free(struct sim_looks **looks); /* NULL inside is accepted */

/* How many looks of an SLO are remembered, from the recording's start on. */
size_t sim_looks_count(const struct sim_looks *looks, int slo);
int64_t sim_looks_time(const struct sim_looks *looks, int slo, size_t i);

/* What look `i` showed; of *counts_r only the bins that there are, and the
 * bounds, are set. */
void sim_looks_get(const struct sim_looks *looks, int slo, size_t i,
	struct check_counts *counts_r);

/* Forgets what came at look `i` and later, and remembers this one there. False:
 * it cannot, and nothing later is to be put either. */
bool sim_looks_put(struct sim_looks *looks, int slo, size_t i, int64_t time_ms,
	const struct check_counts *counts);

#endif
