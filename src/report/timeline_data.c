/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what happened over time; see timeline_data.h. */
#include "report/timeline_data.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/evidence_text.h"

void timeline_data_init(struct timeline_data *data, const struct policy *policy)
{
	*data = (struct timeline_data){.policy = policy, .decisive = -1};
	arena_init(&data->arena);
}

void timeline_data_fini(struct timeline_data *data)
{
	free(data->lines.item);
	free(data->checks.item);
	free(data->percents.item);
	arena_fini(&data->arena);
}

void timeline_add_line(
	struct timeline_data *data, const struct timeline_line *line)
{
	struct timeline_line *added = TIMELINE_ADD(&data->lines);

	*added = *line;
	added->what = arena_strdup(&data->arena, line->what);
}

struct timeline_check *timeline_add_check(
	struct timeline_data *data, int64_t time_ms, int slo)
{
	struct timeline_check *check;

	if (data->checks.n >= TIMELINE_CHECKS_MAX)
		return NULL;
	check = TIMELINE_ADD(&data->checks);
	*check = (struct timeline_check){.time_ms = time_ms,
		.slo = slo,
		.value = NAN,
		.limit = NAN,
		.other = NAN,
		.text = ""};
	return check;
}

void timeline_add_percent(
	struct timeline_data *data, int64_t time_ms, int percent)
{
	size_t n = data->percents.n;

	if (n && data->percents.item[n - 1].percent == percent)
		return;
	*TIMELINE_ADD(&data->percents) =
		(struct timeline_percent){time_ms, percent};
}

enum tone timeline_tone(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_PASS:
		return TONE_GOOD;
	case OUTCOME_BREACH:
		return TONE_BAD;
	default:
		return TONE_WAIT;
	}
}

enum tone timeline_tone_of_phase(enum phase phase)
{
	switch (phase) {
	case PHASE_PROMOTED:
		return TONE_GOOD;
	case PHASE_REVERTING:
	case PHASE_ROLLED_BACK:
	case PHASE_ROLLBACK_FAILED:
	case PHASE_STOPPED:
		return TONE_BAD;
	case PHASE_HELD:
	case PHASE_PAUSED:
	case PHASE_AWAITING_APPROVAL:
	case PHASE_REFUSED:
		return TONE_WAIT;
	default:
		return TONE_PLAIN;
	}
}

double timeline_value(const struct timeline_check *check)
{
	return check->outcome == OUTCOME_PASS ||
			       check->outcome == OUTCOME_BREACH
		       ? check->value
		       : NAN;
}

void timeline_take_evidence(struct timeline_data *data,
	struct timeline_check *check, struct evidence_memory *memory,
	double log_e, double log_pass)
{
	const struct evidence_slo *slo = evidence_find(memory, check->slo);
	struct timeline_counts *counts;
	struct evidence_arms late;
	const struct evidence_numbers numbers = {
		.log_e = log_e, .log_pass = log_pass};
	char text[CHECK_TEXT_MAX];

	if (!slo)
		return;
	counts = arena_alloc(&data->arena, sizeof(*counts));
	*counts = (struct timeline_counts){.arms = slo->recent[0],
		.log_e = log_e,
		.log_pass = log_pass,
		.full_e = evidence_against(memory, slo).full,
		.full_pass = evidence_for(memory, slo).full};
	check->counts = counts;
	late = evidence_recent(slo);
	check->value = evidence_share(slo);
	check->limit = slo->spec.objective;
	if (late.stable.n > 0)
		check->other = late.stable.x / late.stable.n;
	check->text = arena_strdup(&data->arena,
		evidence_print_check(memory, slo, &numbers, text));
}
