/* SPDX-License-Identifier: Apache-2.0 */
/* A world (engine_fixture.h) whose engine's events go into a state file, as a
 * driver would write them. */
#ifndef TIDEGATE_TEST_JOURNAL_FIXTURE_H
#define TIDEGATE_TEST_JOURNAL_FIXTURE_H

#include "engine_fixture.h"
#include "store/store.h"

#define JOURNAL_SERVICE "projects/p/locations/r/services/shop"

struct journal_fixture {
	struct store *store;
	const char *id;
	int64_t fence, seq;
};

/* Makes the rollout `id` in the state file and takes its lease. */
void journal_fixture_open(struct journal_fixture *journal, const char *path,
	const char *id, const char *policy_source, int64_t now_ms);
void journal_fixture_close(
	struct journal_fixture *journal); /* drops the lease */
/* From now on everything the world is fed is journaled. */
void journal_fixture_attach(
	struct journal_fixture *journal, struct world *world);
/* Takes the commands that wait, as a driver does; how many there were. */
int journal_fixture_take_commands(
	struct journal_fixture *journal, struct world *world);

/* Fails unless what was folded is what is in memory, bit by bit. */
void journal_fixture_expect_evidence(
	const struct evidence_memory *a, const struct evidence_memory *b);

#endif
