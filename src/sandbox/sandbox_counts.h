/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many requests came to the admin API, by the second, so that a test can
 * see what a client does to a quota. Pure: the time is an argument.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_COUNTS_H
#define TIDEGATE_SANDBOX_SANDBOX_COUNTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define COUNTS_SECONDS 60

enum count_kind { COUNT_READS, COUNT_WRITES, COUNT_KINDS };

struct sandbox_counts {
	struct {
		int64_t second; /* since 1970 */
		unsigned n[COUNT_KINDS];
	} slot[COUNTS_SECONDS];
	unsigned most[COUNT_KINDS]; /* within any 60 seconds */
	uint64_t all[COUNT_KINDS];
};

/* A PATCH is a write, all else are reads. Returns how many of its kind came
 * within the last 60 seconds, with this one. */
unsigned sandbox_counts_add(
	struct sandbox_counts *counts, const char *method, int64_t now_ms);
enum count_kind sandbox_counts_kind(const char *method);

/* {"minute": {"reads": 3, "writes": 1}, "most": {…}, "all": {…}}: the last 60
 * seconds, the most within any 60 seconds, and since the start. */
json_t *sandbox_counts_json(
	const struct sandbox_counts *counts, int64_t now_ms);

#endif
