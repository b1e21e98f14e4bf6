/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of recorded series; see recording_labels.h. */
#include "sim/recording_labels.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/labels.h"

bool labels_are_kept(const char *series)
{
	static const char *const roles[] = {"total", "bad", "buckets",
		"baseline-total", "baseline-bad", "baseline-buckets"};
	const char *role = strchr(series, '/');
	size_t i;

	for (i = 0; role && i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(role + 1, roles[i]) == 0)
			return true;
	}
	return false;
}

bool labels_read(
	struct scan *s, struct arena *arena, struct recording_result *result)
{
	struct labels labels;
	struct arena scratch;
	bool ok;

	arena_init(&scratch);
	ok = labels_scan(s, &scratch, &labels);
	if (ok) {
		result->labels = arena_strdup(arena, labels.text);
		result->le = labels.le;
	}
	arena_fini(&scratch);
	return ok;
}

static int by_labels(const void *a, const void *b)
{
	const struct recording_result *left = a, *right = b;
	int order = strcmp(left->labels, right->labels);

	if (order)
		return order;
	return (left->le > right->le) - (left->le < right->le);
}

bool labels_sort(struct recording_result *results, size_t n)
{
	size_t i;

	if (n)
		qsort(results, n, sizeof(*results), by_labels);
	for (i = 1; i < n; i++) {
		if (by_labels(&results[i - 1], &results[i]) == 0)
			return false;
		/* One text for all buckets of a histogram. */
		if (strcmp(results[i - 1].labels, results[i].labels) == 0)
			results[i].labels = results[i - 1].labels;
	}
	return true;
}
