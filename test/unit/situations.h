/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Situations in which people may find a rollout, each built by events through
 * the engine, with its journal as a lookback sees it: for tests of what is
 * shown. The rollout is `backend`, started by alice at midnight of 2026, from
 * backend-1 to backend-2.
 */
#ifndef TIDEGATE_TEST_SITUATIONS_H
#define TIDEGATE_TEST_SITUATIONS_H

#include "stage.h"

struct situation {
	const char *name;
	void (*build)(struct stage *stage);
	const char *now,
		*next; /* what people are told, as they would accept it */
};

extern const struct situation situations[];
extern const size_t n_situations;

#endif
