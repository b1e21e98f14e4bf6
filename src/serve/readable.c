/* SPDX-License-Identifier: Apache-2.0 */
/* What may be read of lists; see readable.h. */
#include "serve/readable.h"

#include "serve/access.h"
#include "serve/daemon.h"
#include "serve/visit.h"

#define BATCH       200 /* rows */
#define BATCHES_MAX 50

bool readable_row(const struct visit *visit, const struct store_rollout *row)
{
	return access_may(daemon_access(visit->daemon), visit->visitor,
		RIGHT_READ, row->service, NULL, NULL);
}

int readable_list(const struct visit *visit, struct store *store,
	const struct store_filter *filter, struct store_rollout **rollouts_r,
	size_t *n_r, struct err *err_r)
{
	struct arena *arena = (struct arena *)&visit->arena;
	struct store_filter batch = *filter;
	size_t limit = (size_t)filter->limit, n, i;
	struct store_rollout *list;

	*n_r = 0;
	*rollouts_r = arena_alloc(arena, (limit + 1) * sizeof(**rollouts_r));
	/* Most may read all of it. */
	for (int b = 0; b < BATCHES_MAX && *n_r < limit; b++) {
		if (store_rollout_list(store, &batch, arena, &list, &n, err_r) <
			0)
			return -1;
		for (i = 0; i < n && *n_r < limit; i++)
			if (readable_row(visit, &list[i]))
				(*rollouts_r)[(*n_r)++] = list[i];
		if (n < (size_t)batch.limit)
			break;
		batch.after = list[n - 1].id;
		batch.limit = BATCH;
	}
	return 0;
}
