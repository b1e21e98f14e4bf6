/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that can be replayed: SplitMix64 (Steele, Lea, Flood 2014).
 * The whole state is one word, so that it lives inside a rollout's state. Not
 * for secrets.
 */
#ifndef TIDEGATE_BASE_RNG_H
#define TIDEGATE_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void rng_init(struct rng *rng, uint64_t seed)
{
	rng->state = seed;
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* A whole number from 0 to n - 1; n > 0. The bias is below n / 2^64. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return (uint64_t)((unsigned __int128)rng_next(rng) * n >> 64);
}

/* From 0 up to but not including 1, in steps of 2^-53. */
static inline double rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

/* Normal, of mean 0 and deviation 1. */
double rng_normal(struct rng *rng);
/* How often something happens that does so `mean` times on average: Poisson's,
 * from 30 on the normal distribution that comes close to it. */
double rng_poisson(struct rng *rng, double mean);

#endif
