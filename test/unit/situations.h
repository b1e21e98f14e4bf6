/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Situations in which people may find a rollout, each built by events through
 * the engine, with its journal as a lookback sees it: for tests of what is
 * shown. The rollout is `backend`, started by alice at midnight of 2026, from
 * backend-1 to backend-2.
 */
#ifndef TIDEGATE_TEST_SITUATIONS_H
#define TIDEGATE_TEST_SITUATIONS_H

#include "engine_fixture.h"
#include "status/summary.h"

#define SITUATION_ID "backend-20260101-000000-abcd"

struct stage {
	struct test_policy test;
	struct world world;
	struct lookback *lookback;
	struct arena arena;
	enum summary_driver driver;
	enum summary_journal journal;
	const char *holder;
	const struct store_command *waiting;
	size_t n_waiting;
};

struct situation {
	const char *name;
	void (*build)(struct stage *stage);
	const char *now,
		*next; /* what people are told, as they would accept it */
};

extern const struct situation situations[];
extern const size_t n_situations;

/* An empty stage: a policy of three steps, nothing started. */
void stage_init(struct stage *stage);
void stage_fini(struct stage *stage);
/* The rollout as it is now; lives as long as the stage. */
const struct summary *stage_look(struct stage *stage);
struct summary_source stage_source(const struct stage *stage);

#endif
