/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where situations are played: a rollout in a world, with its journal as a
 * lookback sees it.
 */
#ifndef TIDEGATE_TEST_STAGE_H
#define TIDEGATE_TEST_STAGE_H

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
	const struct load_live *load;
	const struct store_command *waiting;
	size_t n_waiting;
};

/* An empty stage: a policy of three steps, nothing started. */
void stage_init(struct stage *stage);
void stage_fini(struct stage *stage);
/* The rollout as it is now; lives as long as the stage. */
const struct summary *stage_look(struct stage *stage);
struct summary_source stage_source(const struct stage *stage);

void stage_run(struct stage *stage, int64_t seconds);
void stage_start(struct stage *stage, int64_t seconds); /* and runs */
/* Somebody decides; the comment may be NULL. */
void stage_say(struct stage *stage, enum verb verb, const char *who,
	const char *comment);

#endif
