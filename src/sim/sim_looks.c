/* SPDX-License-Identifier: Apache-2.0 */
/* Remembered increments of a recording's counters; see sim_looks.h. */
#include "sim/sim_looks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define NUMBERS_MAX (4 * 1024 * 1024) /* of all SLOs; later looks are read */
#define LOOKS_MIN   256

struct moment {
	int64_t time_ms;
	bool candidate, stable; /* known */
};

/* Of one SLO; all looks have the same bins. */
struct look_list {
	size_t n, size, bins;
	struct moment *moment;
	double *bin; /* of each look: the candidate's, then stable's */
	double bounds[EVIDENCE_BINS_MAX];
};

struct sim_looks {
	struct look_list list[POLICY_SLOS_MAX];
	size_t n_numbers; /* that there is room for */
};

struct sim_looks *sim_looks_new(void)
{
	return xcalloc(1, sizeof(struct sim_looks));
}

void sim_looks_free(struct sim_looks **looks)
{
	size_t i;

	if (!*looks)
		return;
	for (i = 0; i < POLICY_SLOS_MAX; i++) {
		free((*looks)->list[i].moment);
		free((*looks)->list[i].bin);
	}
	free(*looks);
	*looks = NULL;
}

size_t sim_looks_count(const struct sim_looks *looks, int slo)
{
	return looks->list[slo].n;
}

int64_t sim_looks_time(const struct sim_looks *looks, int slo, size_t i)
{
	return looks->list[slo].moment[i].time_ms;
}

void sim_looks_get(const struct sim_looks *looks, int slo, size_t i,
	struct check_counts *counts_r)
{
	const struct look_list *list = &looks->list[slo];
	size_t size = list->bins * sizeof(*list->bin);
	const double *bin = list->bin + 2 * list->bins * i;

	assert(i < list->n);
	counts_r->bins = list->bins;
	counts_r->candidate.known = list->moment[i].candidate;
	counts_r->stable.known = list->moment[i].stable;
	memcpy(counts_r->candidate.bin, bin, size);
	memcpy(counts_r->stable.bin, bin + list->bins, size);
	memcpy(counts_r->bounds, list->bounds, size);
}

static bool has_bins(
	const struct look_list *list, const struct check_counts *counts)
{
	return list->bins == counts->bins &&
	       (counts->bins == 2 ||
		       memcmp(list->bounds, counts->bounds,
			       counts->bins * sizeof(counts->bounds[0])) == 0);
}

static bool grow(struct sim_looks *looks, struct look_list *list)
{
	size_t size = list->size ? 2 * list->size : LOOKS_MIN;
	size_t more = (size - list->size) * 2 * list->bins;

	if (more > NUMBERS_MAX - looks->n_numbers)
		return false;
	looks->n_numbers += more;
	list->size = size;
	list->moment = xrealloc(list->moment, size, sizeof(*list->moment));
	list->bin =
		xrealloc(list->bin, size, 2 * list->bins * sizeof(*list->bin));
	return true;
}

bool sim_looks_put(struct sim_looks *looks, int slo, size_t i, int64_t time_ms,
	const struct check_counts *counts)
{
	struct look_list *list = &looks->list[slo];
	size_t size = counts->bins * sizeof(*list->bin);
	double *bin;

	assert(i <= list->n);
	list->n = i;
	if (!list->size) {
		list->bins = counts->bins;
		memcpy(list->bounds, counts->bounds, size);
	}
	if (!has_bins(list, counts) || (i == list->size && !grow(looks, list)))
		return false;
	bin = list->bin + 2 * list->bins * i;
	list->moment[i] = (struct moment){
		time_ms, counts->candidate.known, counts->stable.known};
	memcpy(bin, counts->candidate.bin, size);
	memcpy(bin + list->bins, counts->stable.bin, size);
	list->n++;
	return true;
}
