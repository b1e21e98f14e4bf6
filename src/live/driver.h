/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives one rollout: feeds the engine with events, journals each before its
 * effects, and has them carried out in the world. Made and freed by a fleet.
 */
#ifndef TIDEGATE_LIVE_DRIVER_H
#define TIDEGATE_LIVE_DRIVER_H

#include "engine/rollout.h"
#include "live/release.h"
#include "policy/policy.h"
#include "store/store.h"

struct driver;
struct load_live;

struct driver_options {
	const char *service; /* full name */
	const char *starter;
	struct release_wish wish;
	int64_t wait_ms; /* held or waiting for people, in sum; < 0: for ever */
};

/* Told of every journal entry after it is durable. Must not free the driver. */
typedef void (*observer_entry_fn)(
	struct driver *driver, const struct store_event *entry, void *arg);
/* The end: exit status and, when it is not that of an end phase, why. Once,
 * last; may free the driver. */
typedef void (*observer_end_fn)(struct driver *driver, int exit_status,
	const struct err *err, void *arg);

struct observer {
	observer_entry_fn entry;
	observer_end_fn end;
	void *arg;
};

/* SIGINT or SIGTERM arrived: does what the policy says. The name is static. */
void driver_interrupt(struct driver *driver, const char *signal_name);

/* Stops driving, and the observer is told nothing more: it is to be dropped. True:
 * programs of its actions have yet to end, which are to be let end before that;
 * with it the lease goes to others. */
bool driver_quit(struct driver *driver);

/* A person at the terminal of this process decides; what the engine refuses is
 * told by a note, as with every decision. */
void driver_decide(struct driver *driver, enum verb verb, const char *who,
	const char *comment);

const char *driver_id(const struct driver *driver);
const char *driver_service(const struct driver *driver); /* full name */
int64_t driver_seq(const struct driver *driver); /* of the last entry */
/* The rollout's time (io/clock.h): the journal's stamps, never before the last
 * of them, and what the engine's durations are measured in. */
int64_t driver_now(const struct driver *driver);
const struct rollout *driver_state(const struct driver *driver);
const struct policy *driver_policy(const struct driver *driver);
bool driver_is_late(const struct driver *driver); /* its journal */
bool driver_is_unjournaled(const struct driver *driver); /* it was given up */
/* When what is released was committed; 0: not known. */
int64_t driver_committed_ms(const struct driver *driver);
/* How the load goes that is made; NULL: there is none, or it is not known. */
const struct load_live *driver_load(const struct driver *driver);
const char *driver_candidate(const struct driver *driver); /* "" at first */
const char *driver_stable(const struct driver *driver);

#endif
