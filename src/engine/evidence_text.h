/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences about evidence, with their numbers: those of the last two minutes,
 * or of the step while these are few. Pure.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_TEXT_H
#define TIDEGATE_ENGINE_EVIDENCE_TEXT_H

#include "engine/state.h"

#define EVIDENCE_METER_MAX 64

/* Why `decision` was taken, by the SLO that weighs most; returns `text`. */
const char *evidence_print_breach(const struct policy *policy,
	const struct evidence_memory *memory, const struct evidence_slo *slo,
	enum evidence_decision decision, char text[ROLLOUT_TEXT_MAX]);

/* What the step that has just begun is to show. */
const char *evidence_print_aim(const struct policy *policy,
	const struct rollout *r, char text[ROLLOUT_TEXT_MAX]);

/* What it has shown when it is left at `now_ms`: "after 2m15s: …". */
const char *evidence_print_passed(const struct policy *policy,
	const struct rollout *r, int64_t now_ms, char text[ROLLOUT_TEXT_MAX]);

/* What this SLO still has to show before the step may be left; NULL: nothing. */
const char *evidence_print_missing(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX]);

/* What there is against the candidate, though nothing is decided by it. */
const char *evidence_print_doubt(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX]);

/* How many requests there are of those that are needed to tell. */
const char *evidence_print_few(const struct slo *policy_slo,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX]);

/* What stable shows, that is too much for a step without a control. */
const char *evidence_print_uneasy(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[ROLLOUT_TEXT_MAX]);

/* What an SLO shows: "candidate 1.2 % (36 of 3,004), stable …; against …". */
const char *evidence_print_state(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[CHECK_TEXT_MAX]);
/* The same of a check that has been decided by: a step back has begun the
 * memory's numbers anew. */
const char *evidence_print_check(const struct evidence_memory *memory,
	const struct evidence_slo *slo, const struct evidence_numbers *numbers,
	char text[CHECK_TEXT_MAX]);

/*
 * How full a meter is. Against the candidate: ln E of the ln E at which this
 * SLO decides alone; for it: what the step has shown of what it has to show.
 */
struct evidence_meter {
	double now, full;
};

struct evidence_meter evidence_against(
	const struct evidence_memory *memory, const struct evidence_slo *slo);
struct evidence_meter evidence_for(
	const struct evidence_memory *memory, const struct evidence_slo *slo);
/* "against 1.2 of 3.7, for 0.4 of 3.0" */
const char *evidence_print_meters(const struct evidence_memory *memory,
	const struct evidence_slo *slo, char text[EVIDENCE_METER_MAX]);

#endif
