/* SPDX-License-Identifier: Apache-2.0 */
/* Requests by the second; see sandbox_counts.h. Pure. */
#include "sandbox/sandbox_counts.h"

#include <string.h>

enum count_kind sandbox_counts_kind(const char *method)
{
	return strcmp(method, "PATCH") == 0 ? COUNT_WRITES : COUNT_READS;
}

static unsigned counts_within(const struct sandbox_counts *counts,
	enum count_kind kind, int64_t second)
{
	unsigned n = 0;
	int i;

	for (i = 0; i < COUNTS_SECONDS; i++) {
		if (counts->slot[i].second > second - COUNTS_SECONDS)
			n += counts->slot[i].n[kind];
	}
	return n;
}

unsigned sandbox_counts_add(
	struct sandbox_counts *counts, const char *method, int64_t now_ms)
{
	enum count_kind kind = sandbox_counts_kind(method);
	int64_t second = now_ms / 1000;
	size_t i = (size_t)(second % COUNTS_SECONDS);
	unsigned n;

	if (counts->slot[i].second != second) {
		memset(&counts->slot[i], 0, sizeof(counts->slot[i]));
		counts->slot[i].second = second;
	}
	counts->slot[i].n[kind]++;
	counts->all[kind]++;
	n = counts_within(counts, kind, second);
	if (n > counts->most[kind])
		counts->most[kind] = n;
	return n;
}

json_t *sandbox_counts_json(const struct sandbox_counts *counts, int64_t now_ms)
{
	int64_t second = now_ms / 1000;

	return json_pack("{s:{s:i, s:i}, s:{s:i, s:i}, s:{s:I, s:I}}", "minute",
		"reads", (int)counts_within(counts, COUNT_READS, second),
		"writes", (int)counts_within(counts, COUNT_WRITES, second),
		"most", "reads", (int)counts->most[COUNT_READS], "writes",
		(int)counts->most[COUNT_WRITES], "all", "reads",
		(json_int_t)counts->all[COUNT_READS], "writes",
		(json_int_t)counts->all[COUNT_WRITES]);
}
