/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout's row as JSON, as `list` and the daemon tell it. */
#ifndef TIDEGATE_STATUS_ROLLOUT_ROW_H
#define TIDEGATE_STATUS_ROLLOUT_ROW_H

struct jsonw;
struct store_rollout;

/* One object; `key` as in jsonw.h. */
void rollout_row_add(
	struct jsonw *w, const char *key, const struct store_rollout *rollout);
/* The same without a key. */
void rollout_row_print(struct jsonw *w, const struct store_rollout *rollout);

#endif
