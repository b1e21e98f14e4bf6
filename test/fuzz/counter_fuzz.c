/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with many counters: whatever comes, series that can be counted, or an
 * error that can be shown. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/counter_codec.h"
#include "metrics/counting.h"
#include "metrics/labels.h"
#include "metrics/past_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct counter_answer *counters)
{
	const struct counter_sample *sample = counters->sample;
	size_t i;
	int order;

	for (i = 0; i < counters->n; i++) {
		assert(sample[i].value >= 0 && isfinite(sample[i].value));
		assert(*sample[i].labels == '{');
		assert(!strstr(sample[i].labels, "\"" LABEL_ROLE "\":"));
		if (!i)
			continue;
		order = strcmp(sample[i - 1].labels, sample[i].labels);
		assert(order < 0 ||
			(order == 0 && sample[i - 1].le < sample[i].le));
	}
}

/* The same counters twice, and once more after a reset. */
static void count(const struct slo *slo, const struct counter_answer *counters)
{
	const struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES] = {
		{*counters, *counters}, {*counters, {NULL, 0}}};
	struct counting *counting = counting_new(slo);
	struct check_counts counts;
	struct err err;
	size_t b;

	for (int look = 0; look < 3; look++) {
		if (counting_look(counting, answers, &counts, &err) < 0) {
			assert(!strpbrk(err.text, "\n\r\x1b"));
			break;
		}
		assert(counts.bins >= 2 && counts.bins <= EVIDENCE_BINS_MAX);
		for (b = 0; b < counts.bins; b++)
			assert(counts.candidate.bin[b] >= 0 &&
				counts.stable.bin[b] == 0);
		if (look == 1)
			counting_forget(counting);
	}
	counting_free(&counting);
}

static void check(int status, const uint8_t *data, size_t size)
{
	static const struct slo plain = {.total = "a", .bad = "b"},
				latency = {.buckets = "c", .bound = 0.5};
	const struct counter_reply reply = {status, (const char *)data, size};
	struct metric_reading reading;
	struct arena arena;
	struct err err = {0};

	arena_init(&arena);
	if (counter_decode(&reply, &arena, &reading, &err) == 0) {
		assert(status / 100 == 2);
		assert(reading.series == reading.counters.n);
		check_order(&reading.counters);
		count(&plain, &reading.counters);
		count(&latency, &reading.counters);
		xfree(&reading.warnings);
	} else {
		assert(err.code > ERR_NONE && err.code < ERR_CODES);
		assert(!strpbrk(err.text, "\n\r\x1b"));
		assert(!reading.warnings);
	}
	arena_fini(&arena);
}

/* The answer to two queries in one: each has its own series, and no role is
 * left in their labels. */
static void check_joint(int status, const uint8_t *data, size_t size)
{
	static const char *const roles[] = {"total", "bad"};
	const struct counter_reply reply = {
		status, (const char *)data, size, false, roles, 2};
	struct metric_reading readings[2];
	struct arena arena;
	struct err err = {0};

	arena_init(&arena);
	if (counter_decode(&reply, &arena, readings, &err) == 0) {
		for (size_t i = 0; i < 2; i++) {
			assert(readings[i].series == readings[i].counters.n);
			check_order(&readings[i].counters);
		}
		assert(readings[0].answer.partial ==
			readings[1].answer.partial);
		assert(!readings[1].warnings);
		xfree(&readings[0].warnings);
	} else {
		assert(err.code > ERR_NONE && err.code < ERR_CODES);
		assert(!strpbrk(err.text, "\n\r\x1b"));
		assert(!readings[0].warnings && !readings[1].warnings);
	}
	arena_fini(&arena);
}

static void check_range(int status, const uint8_t *data, size_t size)
{
	static const struct past_grid grid = {0, 30000, 6};
	const struct counter_reply reply = {status, (const char *)data, size};
	struct metric_reading reading;
	struct past_table table;
	struct err err = {0};

	past_table_init(&table, &grid);
	if (counter_decode_range(&reply, 1, 4, &table, &reading, &err) == 0) {
		for (size_t i = 0; i < table.n; i++)
			assert(isnan(table.row[i].values[0]) &&
				isnan(table.row[i].values[5]));
		past_table_extend(&table, 3);
		past_table_no_counter(&table);
		xfree(&reading.warnings);
	} else {
		assert(err.code > ERR_NONE && err.code < ERR_CODES);
		assert(!strpbrk(err.text, "\n\r\x1b"));
	}
	past_table_fini(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 302, 400, 503};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		check(statuses[i], data, size);
		check_joint(statuses[i], data, size);
		check_range(statuses[i], data, size);
	}
	return 0;
}
