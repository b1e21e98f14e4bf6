/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rollouts as far as a visitor may read them. */
#ifndef TIDEGATE_SERVE_READABLE_H
#define TIDEGATE_SERVE_READABLE_H

#include "store/store.h"

struct visit;

bool readable_row(const struct visit *visit, const struct store_rollout *row);

/* As store_rollout_list, for the desk's thread: up to `filter->limit` of those
 * that may be read, however many others lie between, within bounds. Memory from
 * the visit's arena. */
MUST_CHECK int readable_list(const struct visit *visit, struct store *store,
	const struct store_filter *filter, struct store_rollout **rollouts_r,
	size_t *n_r, struct err *err_r);

#endif
