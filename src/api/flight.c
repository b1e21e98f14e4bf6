/* SPDX-License-Identifier: Apache-2.0 */
/* Questions under way and who waits for them; see flight.h. */
#include "api/flight.h"

#include <stdlib.h>

#include "base/xalloc.h"

#define BUCKETS_MIN 64

static struct flight_bucket *bucket_of(struct flights *flights, uint32_t hash)
{
	return &flights->buckets[hash & (flights->n_buckets - 1)];
}

/* All are empty. */
static void buckets_make(struct flights *flights, size_t n)
{
	flights->buckets = xcalloc(n, sizeof(*flights->buckets));
	flights->n_buckets = n;
	for (size_t i = 0; i < n; i++)
		LIST_INIT(&flights->buckets[i]);
}

void flights_init(struct flights *flights, const struct flight_type *type)
{
	flights->type = type;
	flights->n = 0;
	buckets_make(flights, BUCKETS_MIN);
}

static void buckets_grow(struct flights *flights)
{
	struct flight_bucket *old = flights->buckets;
	size_t n_old = flights->n_buckets;
	struct flight *flight;

	buckets_make(flights, 2 * n_old);
	for (size_t i = 0; i < n_old; i++) {
		while ((flight = LIST_FIRST(&old[i]))) {
			LIST_REMOVE(flight, link);
			LIST_INSERT_HEAD(
				bucket_of(flights, flight->hash), flight, link);
		}
	}
	free(old);
}

static void flight_remove(struct flight *flight)
{
	LIST_REMOVE(flight, link);
	flight->flights->n--;
}

static void flight_drop(struct flight *flight)
{
	const struct flight_type *type = flight->flights->type;
	struct flight_caller *caller;

	flight_remove(flight);
	while ((caller = TAILQ_FIRST(&flight->callers))) {
		TAILQ_REMOVE(&flight->callers, caller, link);
		type->free_caller(caller);
	}
	type->free(flight);
}

void flights_fini(struct flights *flights)
{
	for (size_t i = 0; i < flights->n_buckets; i++)
		while (!LIST_EMPTY(&flights->buckets[i]))
			flight_drop(LIST_FIRST(&flights->buckets[i]));
	free(flights->buckets);
	flights->buckets = NULL;
}

/* FNV-1a; a text that is missing differs from an empty one. */
uint32_t flight_hash(uint32_t hash, const char *text)
{
	hash ^= 2166136261U;
	if (!text)
		return hash;
	hash = (hash ^ 1) * 16777619U;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash;
}

void flight_alone(struct flights *flights, struct flight *flight)
{
	flight->flights = flights;
	TAILQ_INIT(&flight->callers);
	if (flights->n++ == flights->n_buckets)
		buckets_grow(flights);
	LIST_INSERT_HEAD(bucket_of(flights, flight->hash), flight, link);
}

struct flight *flight_share(
	struct flights *flights, struct flight *flight, bool *is_new_r)
{
	struct flight *other;

	*is_new_r = false;
	LIST_FOREACH(other, bucket_of(flights, flight->hash), link) {
		if (other->hash == flight->hash &&
			flights->type->is_same(other, flight)) {
			flights->type->free(flight);
			return other;
		}
	}
	flight_alone(flights, flight);
	*is_new_r = true;
	return flight;
}

void flight_join(struct flight *flight, struct flight_caller *caller)
{
	caller->flight = flight;
	TAILQ_INSERT_TAIL(&flight->callers, caller, link);
}

void flight_leave(struct flight_caller *caller)
{
	struct flight *flight = caller->flight;

	TAILQ_REMOVE(&flight->callers, caller, link);
	flight->flights->type->free_caller(caller);
	if (TAILQ_EMPTY(&flight->callers) && !flight->landed)
		flight_drop(flight);
}

struct flight_caller *flight_land(struct flight *flight)
{
	struct flight_caller *caller = TAILQ_FIRST(&flight->callers);

	if (!flight->landed)
		flight_remove(flight);
	flight->landed = true;
	if (caller)
		TAILQ_REMOVE(&flight->callers, caller, link);
	else
		flight->flights->type->free(flight);
	return caller;
}
