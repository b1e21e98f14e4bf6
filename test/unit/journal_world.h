/* A world (engine_world.h) whose engine's events go into a state file, as a
 * driver would write them. */
#ifndef TIDEGATE_TEST_JOURNAL_WORLD_H
#define TIDEGATE_TEST_JOURNAL_WORLD_H

#include "engine_world.h"
#include "store/store.h"

#define JOURNAL_SERVICE "projects/p/locations/r/services/shop"

struct journal {
	struct store *store;
	const char *id;
	int64_t fence, seq;
};

/* Makes the rollout `id` in the state file and takes its lease. */
void journal_open(struct journal *journal, const char *path, const char *id,
	const char *policy_source, int64_t now_ms);
void journal_close(struct journal *journal); /* drops the lease */
/* From now on everything the world is fed is journaled. */
void journal_attach(struct journal *journal, struct world *world);
/* Takes the commands that wait, as a driver does; how many there were. */
int journal_take_commands(struct journal *journal, struct world *world);

#endif
