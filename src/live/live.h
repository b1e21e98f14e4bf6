/*
 * Drives the engine against the real world: carries out its effects, turns
 * answers into events, journals each event before its effects.
 *
 * One `struct live` drives one rollout. Many share a `struct hub`: the world,
 * one durable journal write per turn of the loop, one look for operators'
 * commands, one heartbeat for all leases.
 */
#ifndef TIDEGATE_LIVE_LIVE_H
#define TIDEGATE_LIVE_LIVE_H

#include "engine/rollout.h"
#include "live/release.h"
#include "policy/policy.h"
#include "store/store.h"

struct hub;
struct live;
struct world;

/* The world is borrowed. */
struct hub *hub_new(struct world *world);
void hub_free(struct hub **hub); /* when no rollout is left */

struct live_options {
	const char *service; /* full name */
	const char *starter;
	struct release_wish wish;
	int64_t wait_ms; /* held or waiting for people, in sum; < 0: for ever */
};

/* Told of every journal entry after it is durable. Must not free the live. */
typedef void (*live_entry_fn)(
	struct live *live, const struct store_event *entry, void *arg);
/* The end: exit status and, when it is not that of an end phase, why. Once,
 * last; may free the live. */
typedef void (*live_end_fn)(
	struct live *live, int exit_status, const struct err *err, void *arg);

struct live_listener {
	live_entry_fn entry;
	live_end_fn end;
	void *arg;
};

/* A new rollout: takes the lease (waits up to 30 s for it), then starts.
 * `policy` is borrowed; texts of the options are copied. */
MUST_CHECK struct live *live_run(struct hub *hub, const struct policy *policy,
	const struct live_options *options,
	const struct live_listener *listener, struct err *err_r);
/* Goes on with one that was left: takes the lease, folds its journal. Of the
 * options only `starter` (who resumes) and `wait_ms` are used. `policy` is
 * the one that was journaled with the rollout. */
MUST_CHECK struct live *live_resume(struct hub *hub,
	const struct policy *policy, const char *rollout,
	const struct live_options *options,
	const struct live_listener *listener, struct err *err_r);
void live_free(struct live **live); /* stops driving; journals nothing */

/* SIGINT or SIGTERM arrived: does what the policy says. */
void live_interrupt(struct live *live, const char *signal_name);

const char *live_id(const struct live *live);
const char *live_service(const struct live *live); /* full name */
int64_t live_seq(const struct live *live); /* of the last entry */
/* The rollout's time (io/clock.h): the journal's stamps, never before the last
 * of them, and what the engine's durations are measured in. */
int64_t live_now(const struct live *live);
const struct rollout *live_state(const struct live *live);
const struct policy *live_policy(const struct live *live);
const char *live_candidate(const struct live *live); /* "" at first */
const char *live_stable(const struct live *live);

#endif
