/*
 * Drives the engine against the real world: carries out its effects, turns
 * answers into events, journals each event before its effects. One object
 * drives one rollout; many share a loop, an HTTP client and a store.
 */
#ifndef TIDEGATE_LIVE_LIVE_H
#define TIDEGATE_LIVE_LIVE_H

#include "engine/rollout.h"
#include "policy/policy.h"
#include "store/store.h"

struct cloudrun;
struct credentials;
struct http;
struct live;
struct loop;

/* The world, shared by all rollouts of the process. All borrowed. */
struct live_world {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials;
	struct cloudrun *cloudrun;
	struct store *store;
};

struct live_options {
	const char *service; /* full name */
	const char *candidate; /* NULL: the latest ready revision */
	const char *project, *region;
	const char *starter;
	const char *options; /* JSON, kept with the rollout for resume */
	bool adopt, again;
	int64_t wait_ms; /* held or waiting for people, in sum; < 0: for ever */
};

/* Told of every journal entry after it is durable. */
typedef void (*live_entry_fn)(
	struct live *live, const struct store_event *entry, void *arg);
/* The end: exit status and, for exit 8 or an error, why. Once, last. */
typedef void (*live_end_fn)(
	struct live *live, int exit_status, const struct err *err, void *arg);

struct live_listener {
	live_entry_fn entry;
	live_end_fn end;
	void *arg;
};

/* A new rollout: takes the lease (waits up to 30 s for it), then starts. */
MUST_CHECK struct live *live_run(const struct live_world *world,
	const struct policy *policy, const struct live_options *options,
	const struct live_listener *listener, struct err *err_r);
/* Goes on with one that was left: folds its journal, takes the lease. */
MUST_CHECK struct live *live_resume(const struct live_world *world,
	const struct policy *policy, const char *rollout,
	const struct live_options *options,
	const struct live_listener *listener, struct err *err_r);
void live_free(struct live **live); /* stops driving; journals nothing */

/* SIGINT or SIGTERM arrived: does what the policy says. */
void live_interrupt(struct live *live, const char *signal_name);

const char *live_id(const struct live *live);
const struct rollout *live_state(const struct live *live);
const struct policy *live_policy(const struct live *live);
const char *live_candidate(const struct live *live); /* "" at first */
const char *live_stable(const struct live *live);

#endif
