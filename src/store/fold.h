/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one fold: a rollout's state from its journal. Restart, status, reports,
 * audit and operators' commands all use it.
 */
#ifndef TIDEGATE_STORE_FOLD_H
#define TIDEGATE_STORE_FOLD_H

#include "engine/rollout.h"
#include "store/store.h"

struct fold {
	struct rollout state;
	struct outcome_list outcome; /* of the last event folded */
	int64_t last_seq;
	int64_t last_ms;
	int percent; /* as last journaled */
	size_t events; /* folded, notes not counted */
	/* The first entry whose phase is not what this version decides: the
	 * rules were others, or something is not deterministic. From there on
	 * the fold follows the journal. 0: there is none. */
	int64_t differs_seq;
	struct rollout before; /* the last event */
};

/* The whole journal. On failure *fold_r holds the part before the bad entry. */
MUST_CHECK int fold_rollout(struct store *store, const char *rollout,
	const struct policy *policy, struct fold *fold_r, struct err *err_r);

/* The same in pieces: an entry, or what was appended since the last call. */
MUST_CHECK int fold_take(struct fold *fold, const struct policy *policy,
	const struct store_event *entry, struct err *err_r);
void fold_init(struct fold *fold);
void fold_fini(struct fold *fold); /* also after fold_rollout */
void fold_free(struct fold **fold); /* of the heap; NULL inside is accepted */
MUST_CHECK int fold_more(struct store *store, const char *rollout,
	const struct policy *policy, struct fold *fold, struct err *err_r);

#endif
