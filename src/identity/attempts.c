/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets of attempts; see attempts.h. */
#include "identity/attempts.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"

#define SETS 1024
#define WAYS 4

/* It is full at `full_ms`; every attempt takes that later by refill_ms. */
struct bucket {
	uint64_t hash; /* 0: nobody's */
	int64_t full_ms;
};

struct attempts {
	struct attempts_rule rule;
	uint64_t seed;
	struct bucket buckets[SETS][WAYS];
};

struct attempts *attempts_new(struct attempts_rule rule, uint64_t seed)
{
	struct attempts *attempts = xcalloc(1, sizeof(*attempts));

	attempts->rule = rule;
	attempts->seed = seed;
	return attempts;
}

void attempts_free(struct attempts **attempts)
{
	free(*attempts);
	*attempts = NULL;
}

static uint64_t hash_of(const struct attempts *attempts, const char *name)
{
	struct rng rng;

	rng_init(&rng, attempts->seed);
	for (const char *p = name; *p; p++)
		rng.state = rng_next(&rng) ^ (unsigned char)*p;
	return rng_next(&rng) | 1;
}

static const struct bucket *find(const struct bucket *set, uint64_t hash)
{
	for (int i = 0; i < WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
	}
	return NULL;
}

static int64_t wait_ms(const struct attempts *attempts,
	const struct bucket *bucket, int64_t now_ms)
{
	const struct attempts_rule *rule = &attempts->rule;
	int64_t room_ms = (rule->burst - 1) * rule->refill_ms;
	int64_t behind_ms = bucket ? bucket->full_ms - now_ms : 0;

	return behind_ms > room_ms ? behind_ms - room_ms : 0;
}

int64_t attempts_wait_ms(
	const struct attempts *attempts, const char *name, int64_t now_ms)
{
	uint64_t hash = hash_of(attempts, name);

	return wait_ms(attempts, find(attempts->buckets[hash / 2 % SETS], hash),
		now_ms);
}

int64_t attempts_take(
	struct attempts *attempts, const char *name, int64_t now_ms)
{
	uint64_t hash = hash_of(attempts, name);
	struct bucket *set = attempts->buckets[hash / 2 % SETS];
	struct bucket *bucket = (struct bucket *)find(set, hash);
	int64_t wait = wait_ms(attempts, bucket, now_ms);

	if (wait)
		return wait;
	for (int i = 0; !bucket && i < WAYS; i++) {
		if (!set[i].hash)
			bucket = &set[i];
	}
	if (!bucket) {
		bucket = set;
		for (int i = 1; i < WAYS; i++) {
			if (set[i].full_ms < bucket->full_ms)
				bucket = &set[i];
		}
	}
	if (bucket->hash != hash || bucket->full_ms < now_ms)
		*bucket = (struct bucket){hash, now_ms};
	bucket->full_ms += attempts->rule.refill_ms;
	return 0;
}
