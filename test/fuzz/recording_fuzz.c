/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: whatever is accepted can be asked about any time, and it is
 * accepted or refused alike whole and in pieces. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/recording.h"

#define TIMES 50 /* that are asked for, of each series */
#define PIECE 97 /* bytes that come at once */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct recording *recording,
	const struct recording_series *series)
{
	int64_t span = recording->end_ms - recording->start_ms;
	size_t cursor = 0, i;
	int64_t time_ms;
	bool partial;
	double value;

	for (i = 0; i <= TIMES; i++) {
		time_ms = recording->start_ms + span / TIMES * (int64_t)i;
		partial = recording_is_partial(series, time_ms);
		assert(!partial || series->n_outages);
		if (recording_at(recording, series, time_ms, &cursor, &value) ==
			RECORDED_VALUE)
			assert(recording_sample_ms(recording, series, time_ms,
				       cursor) <= time_ms);
	}
	assert(recording_find(recording, series->name) == series);
}

/* The same as counters. */
static void look(const struct recording *recording,
	const struct recording_series *series)
{
	int64_t span = recording->end_ms - recording->start_ms;
	size_t size = series->n_results ? series->n_results : 1, n, i;
	size_t *cursors = calloc(size, sizeof(*cursors));
	struct counter_sample *samples = calloc(size, sizeof(*samples));

	for (i = 0; i <= TIMES; i++) {
		recording_look(recording, series,
			recording->start_ms + span / TIMES * (int64_t)i,
			i % 2 ? 60000 : 0, cursors, samples, &n);
		assert(n <= series->n_results);
		assert(!n || (samples[0].labels &&
				     samples[0].value == samples[0].value));
	}
	free(cursors);
	free(samples);
}

struct pieces {
	const uint8_t *data;
	size_t size;
};

static ssize_t next_piece(
	char *bytes, size_t size, void *arg, struct err *err_r)
{
	struct pieces *p = arg;
	size_t n = p->size < PIECE ? p->size : PIECE;

	n = n < size ? n : size;
	memcpy(bytes, p->data, n);
	p->data += n;
	p->size -= n;
	return (ssize_t)n;
}

/* `whole` and `err` are what came of it in one. */
static void read_pieces(const uint8_t *data, size_t size,
	const struct recording *whole, const struct err *err)
{
	struct pieces pieces = {data, size};
	const struct recording_source source = {next_piece, &pieces, 0};
	struct recording *recording;
	struct err other;

	recording = recording_read("recording", &source, &other);
	assert(!recording == !whole);
	assert(recording ? recording->n_points == whole->n_points
			 : strcmp(err->text, other.text) == 0);
	recording_free(&recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording *recording;
	struct err err;
	size_t i;

	recording =
		recording_parse("recording", (const char *)data, size, &err);
	read_pieces(data, size, recording, &err);
	for (i = 0; recording && i < recording->n_series; i++) {
		ask(recording, &recording->series[i]);
		if (recording->series[i].n_results &&
			recording->series[i].result[0].labels)
			look(recording, &recording->series[i]);
	}
	recording_free(&recording);
	return 0;
}
