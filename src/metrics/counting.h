/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of an SLO of kind evidence, look by look: from the series that
 * were answered to the requests of both arms since the look before. The same
 * for what is asked live and for what was recorded. Pure.
 */
#ifndef TIDEGATE_METRICS_COUNTING_H
#define TIDEGATE_METRICS_COUNTING_H

#include "engine/check.h"
#include "engine/evidence_memory.h"
#include "metrics/counters.h"

/* What is asked about an arm. */
enum counter_role {
	COUNTER_TOTAL, /* or a histogram's buckets */
	COUNTER_BAD,
	COUNTER_ROLES
};

enum counter_arm { ARM_CANDIDATE, ARM_STABLE, COUNTER_ARMS };

struct counting; /* what was seen last */

struct counting *counting_new(const struct slo *slo);
void counting_free(struct counting **counting);

/* Before the first look: answers are of a recording, which lives longer. They
 * come in order of labels and bounds; the same labels are the same text. */
void counting_of_recording(struct counting *counting);

/* What happened since is not known: the next look is a first one. */
void counting_forget(struct counting *counting);

/*
 * Takes a look at all of the SLO's counters; of *counts_r only the bins that
 * there are, and the bounds of a histogram, are set. Fails with ERR_INVALID when the
 * answers are no such counters; the text says what to write instead.
 */
MUST_CHECK int counting_look(struct counting *counting,
	const struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES],
	struct check_counts *counts_r, struct err *err_r);

/* Values of series, in order of labels and bounds. */
struct counter_values {
	const double *value;
	size_t n;
};

/*
 * The same of a recording, when the look before was of just these series and
 * could be taken. False: it has to be taken as any other.
 */
bool counting_repeat(struct counting *counting,
	const struct counter_values values[COUNTER_ARMS][COUNTER_ROLES],
	struct check_counts *counts_r);

/*
 * The same for a check: `counters` are what was answered, by role of a query.
 * `asked_ms`: the time they are of. Its answers get their counts, or an error whose text is in err_r; then it
 * returns -1. A check that could not be read, or only in part, is no look: what
 * happens until the next one is counted then.
 */
int counting_check(struct counting *counting, const struct slo *slo,
	int64_t asked_ms, const struct counter_answer *counters,
	struct answers *answers, struct check_counts *counts_r,
	struct err *err_r);

#endif
