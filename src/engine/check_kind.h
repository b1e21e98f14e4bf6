/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kind of SLO: what turns the answers of one check into an outcome and, over
 * time, into a verdict. Inside the engine only: everybody else calls check_*
 * of check.h, which finds the kind.
 */
#ifndef TIDEGATE_ENGINE_CHECK_KIND_H
#define TIDEGATE_ENGINE_CHECK_KIND_H

#include "engine/check.h"

struct check_kind {
	const char *name;
	void (*judge)(const struct slo *slo, const struct check_state *state,
		const struct answers *answers, struct judgement *judgement_r);
	enum verdict (*apply)(const struct slo *slo, struct check_state *state,
		const struct judgement *judgement, bool settling);
	void (*begin_settle)(struct check_state *state);
	enum verdict (*end_settle)(
		const struct slo *slo, struct check_state *state);
	bool (*is_satisfied)(
		const struct slo *slo, const struct check_state *state);
	void (*begin_step)(struct check_state *state);
	void (*reset)(struct check_state *state);
	void (*observe)(const struct slo *slo, struct check_state *state);
	void (*discard)(
		struct check_state *state, const struct check_state *before);
	void (*expire)(struct check_state *state);
};

/* Of any role that was asked. Nearly no answer has either, so that all of them
 * are looked at without a branch. */

static inline bool answers_have_error(const struct answers *answers)
{
	bool error = false;

	for (size_t role = 0; role < QUERY_ROLES; role++)
		error |= answers->item[role].kind == ANSWER_ERROR;
	return error;
}

static inline bool answers_are_partial(const struct answers *answers)
{
	bool partial = false;

	for (size_t role = 0; role < QUERY_ROLES; role++)
		partial |= answers->item[role].partial;
	return partial;
}

extern const struct check_kind check_threshold;
extern const struct check_kind check_evidence;

#endif
