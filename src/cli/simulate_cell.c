/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One combination of values, and what a recording comes to with it; see
 * simulate_sweep.h.
 */
#include <string.h>

#include "cli/simulate_sweep.h"

size_t sweep_index(const struct sweep *s, size_t axis, size_t point)
{
	size_t i;

	for (i = s->n_axes - 1; i > axis; i--)
		point /= s->axis[i].n;
	return point % s->axis[axis].n;
}

struct policy *sweep_policy(const struct sweep *s, const double *numbers,
	bool quietly, struct err *err_r)
{
	char value[AXIS_TEXT_MAX], texts[AXES_MAX][2 * AXIS_TEXT_MAX + 1];
	struct text_list sets = *s->wish->sets;
	size_t i;

	if (sets.n + s->n_axes > ARGS_LIST_MAX) {
		err_set(err_r, ERR_USAGE, "more than %d --set and --sweep",
			ARGS_LIST_MAX);
		return NULL;
	}
	for (i = 0; i < s->n_axes; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s=%s", s->axis[i].key,
			axis_print(&s->axis[i], numbers[i], value));
		sets.item[sets.n++] = texts[i];
	}
	if (quietly)
		return simulate_policy_quietly(s->wish->policy, &sets);
	return simulate_policy(s->wish->policy, &sets, false, err_r);
}

static enum sweep_end end_of(const char *outcome)
{
	return strcmp(outcome, "promoted") == 0      ? END_PROMOTED
	       : strcmp(outcome, "rolled-back") == 0 ? END_REVERTED
	       : strcmp(outcome, "waiting") == 0     ? END_WAITING
						     : END_OTHER;
}

/* Neighbouring values mostly have the same one. */
static const char *keep_reason(struct sweep_course *course, const char *reason)
{
	if (!course->reason || strcmp(course->reason, reason) != 0)
		course->reason = arena_strdup(&course->reasons, reason);
	return course->reason;
}

void sweep_take(struct sweep_cell *cell, const struct recording *recording,
	const struct sim_result *result, struct sweep_course *course)
{
	const char *expect = recording->expect ? recording->expect : "promoted";
	const char *outcome = sim_outcome(result);

	cell->end = end_of(outcome);
	cell->met = strcmp(expect, outcome) == 0;
	cell->wanted_back = strcmp(expect, "rolled-back") == 0;
	cell->slo = cell->end == END_REVERTED ? result->failed_slo : -1;
	cell->cause = result->cause;
	cell->reason = cell->end != END_PROMOTED && cell->slo < 0
			       ? keep_reason(course, result->reason)
			       : NULL;
	cell->revert_s = -1;
	if (result->revert_ms && result->first_bad_ms)
		cell->revert_s =
			(float)(result->revert_ms - result->first_bad_ms) /
			1000;
}
