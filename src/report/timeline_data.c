/* Keeps what happened over time; see timeline_data.h. */
#include "report/timeline_data.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"

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

double timeline_value(const struct timeline_check *check)
{
	return check->outcome == OUTCOME_PASS ||
			       check->outcome == OUTCOME_BREACH
		       ? check->value
		       : NAN;
}
