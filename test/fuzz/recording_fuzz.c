/* Recordings: whatever is accepted can be asked about any time. */
#include <assert.h>
#include <stdlib.h>

#include "sim/recording.h"

#define TIMES 50 /* that are asked for, of each series */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct recording *recording,
	const struct recording_series *series)
{
	int64_t span = recording->end_ms - recording->start_ms;
	size_t cursor = 0, i;
	int64_t time_ms;
	double value;

	for (i = 0; i <= TIMES; i++) {
		time_ms = recording->start_ms + span / TIMES * (int64_t)i;
		if (recording_at(recording, series, time_ms, &cursor, &value) ==
			RECORDED_VALUE)
			assert(recording_sample_ms(recording, series, time_ms,
				       cursor) <= time_ms);
	}
	assert(recording_find(recording, series->name) == series);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording *recording;
	struct err err;
	size_t i;

	recording =
		recording_parse("recording", (const char *)data, size, &err);
	for (i = 0; recording && i < recording->n_series; i++)
		ask(recording, &recording->series[i]);
	recording_free(&recording);
	return 0;
}
