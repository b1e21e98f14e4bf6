/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often somebody may try: a bucket of attempts for each name (an address, a
 * token's id, a person), which fills up again with time. A fixed number of
 * buckets: names share them by four, and the fullest of these is forgotten
 * first, which never forgets those who try most. Pure.
 */
#ifndef TIDEGATE_IDENTITY_ATTEMPTS_H
#define TIDEGATE_IDENTITY_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

struct attempts;

struct attempts_rule {
	int burst; /* in a bucket that is full */
	int64_t refill_ms; /* for one more */
};

/* The seed is not to be guessed: it says who shares. */
struct attempts *attempts_new(struct attempts_rule rule, uint64_t seed);
void attempts_free(struct attempts **attempts);

/* In how many milliseconds there is one; 0: now. */
int64_t attempts_wait_ms(
	const struct attempts *attempts, const char *name, int64_t now_ms);
/* Takes one; when there is none: in how many milliseconds there is. */
int64_t attempts_take(
	struct attempts *attempts, const char *name, int64_t now_ms);

#endif
