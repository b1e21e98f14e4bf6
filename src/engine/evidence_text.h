/*
 * Sentences about evidence, with their numbers: those of the last two minutes,
 * or of the step while these are few. Pure.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_TEXT_H
#define TIDEGATE_ENGINE_EVIDENCE_TEXT_H

#include "engine/state.h"

/* Why `decision` was taken, by the SLO that weighs most; returns `text`. */
const char *evidence_print_breach(const struct policy *policy,
	const struct evidence_memory *memory, const struct evidence_slo *slo,
	enum evidence_decision decision, char text[ROLLOUT_TEXT_MAX]);

/* What the step that has just begun is to show. */
const char *evidence_print_aim(const struct policy *policy,
	const struct rollout *r, char text[ROLLOUT_TEXT_MAX]);

#endif
