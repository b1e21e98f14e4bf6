/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single flight: what several callers want at the same moment is asked once.
 * A flight is one question under way; its callers wait for the answer. What a
 * question is and how it is asked is the owner's, whose structs begin with
 * these.
 */
#ifndef TIDEGATE_API_FLIGHT_H
#define TIDEGATE_API_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct flight;
struct flights;

struct flight_caller {
	TAILQ_ENTRY(flight_caller) link;
	struct flight *flight;
};

struct flight {
	LIST_ENTRY(flight) link; /* in its bucket, until it lands */
	TAILQ_HEAD(, flight_caller) callers;
	struct flights *flights;
	uint32_t hash; /* of the question */
	bool landed; /* being told: no caller can end it any more */
};

struct flight_type {
	/* Whether two flights of one hash ask the same. */
	bool (*is_same)(const struct flight *, const struct flight *);
	void (*free)(struct flight *); /* and what is under way for it */
	void (*free_caller)(struct flight_caller *);
};

LIST_HEAD(flight_bucket, flight);

struct flights {
	const struct flight_type *type;
	struct flight_bucket *buckets; /* as many as flights, about */
	size_t n_buckets, n; /* a power of two; under way */
};

void flights_init(struct flights *flights, const struct flight_type *type);
/* Frees all flights and callers; not from inside a callback of one. */
void flights_fini(struct flights *flights);

/* Hashes one text more; begin with 0. NULL: none. Texts come from policies:
 * no stranger can forge collisions. */
uint32_t flight_hash(uint32_t hash, const char *text);

/* The flight that asks the same, if one is under way: then `flight` is freed.
 * Else `flight` itself, which others may join from now on: start it. */
struct flight *flight_share(
	struct flights *flights, struct flight *flight, bool *is_new_r);
/* The same for one that nobody joins. */
void flight_alone(struct flights *flights, struct flight *flight);

void flight_join(struct flight *flight, struct flight_caller *caller);
/* Cancels a caller, and the flight when it was the last. Frees both. */
void flight_leave(struct flight_caller *caller);

/* The answer is there: the caller that is to be told next, which belongs to
 * the callee then; NULL: all know, and the flight is gone. A caller that asks
 * the same from inside its callback asks anew. */
struct flight_caller *flight_land(struct flight *flight);

#endif
