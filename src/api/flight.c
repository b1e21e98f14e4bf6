/* Questions under way and who waits for them; see flight.h. */
#include "api/flight.h"

#include <stddef.h>

void flights_init(struct flights *flights, const struct flight_type *type)
{
	flights->type = type;
	for (size_t i = 0; i < FLIGHT_BUCKETS; i++)
		LIST_INIT(&flights->buckets[i]);
}

static void flight_drop(struct flight *flight)
{
	const struct flight_type *type = flight->flights->type;
	struct flight_caller *caller;

	LIST_REMOVE(flight, link);
	while ((caller = TAILQ_FIRST(&flight->callers))) {
		TAILQ_REMOVE(&flight->callers, caller, link);
		type->free_caller(caller);
	}
	type->free(flight);
}

void flights_fini(struct flights *flights)
{
	for (size_t i = 0; i < FLIGHT_BUCKETS; i++)
		while (!LIST_EMPTY(&flights->buckets[i]))
			flight_drop(LIST_FIRST(&flights->buckets[i]));
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
	LIST_INSERT_HEAD(
		&flights->buckets[flight->hash % FLIGHT_BUCKETS], flight, link);
}

struct flight *flight_share(
	struct flights *flights, struct flight *flight, bool *is_new_r)
{
	struct flight *other;

	*is_new_r = false;
	LIST_FOREACH(
		other, &flights->buckets[flight->hash % FLIGHT_BUCKETS], link) {
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
		LIST_REMOVE(flight, link);
	flight->landed = true;
	if (caller)
		TAILQ_REMOVE(&flight->callers, caller, link);
	else
		flight->flights->type->free(flight);
	return caller;
}
