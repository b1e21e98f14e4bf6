/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time zone: how far its clocks are ahead of UTC, at any moment. Out of a file
 * of the time zone database (TZif, RFC 8536), its table first and the rule at
 * its end after that. Pure.
 */
#ifndef TIDEGATE_POLICY_ZONE_H
#define TIDEGATE_POLICY_ZONE_H

#include "base/arena.h"
#include "base/err.h"

#define ZONE_BYTES_MAX       (64 * 1024) /* of a file */
#define ZONE_TRANSITIONS_MAX 4000

/* One of the two days of a year on which clocks are changed. */
struct zone_day {
	enum { ZONE_MONTH, ZONE_JULIAN, ZONE_COUNTED } kind;
	int month, week,
		day; /* ZONE_MONTH: the week's day, 0 is Sunday; week 5:
			       * the last; else `day` of the year, from 1
			       * without a February 29th, or from 0 */
	int at_s; /* by the clock that holds until then */
};

struct zone_rule {
	int offset_s, summer_s; /* ahead of UTC */
	bool has_summer;
	struct zone_day begin, end; /* of summer */
};

struct zone {
	const char *name;
	const int64_t *from_s; /* when each offset begins */
	const int *offset_s; /* one more: the first holds before all of them */
	size_t n;
	struct zone_rule rule; /* after the last of them */
};

extern const struct zone zone_utc;

/* Texts and tables are in the arena. */
MUST_CHECK int zone_parse(const char *name, const void *bytes, size_t len,
	struct arena *arena, struct zone *zone_r, struct err *err_r);

int zone_offset_s(const struct zone *zone, int64_t utc_s);

/* When its clocks show this, in seconds as if it were UTC. They show it twice
 * when they are set back, and never when they are set forward: then it is the
 * earliest moment that may be meant, or the latest. */
int64_t zone_to_utc_s(const struct zone *zone, int64_t shown_s, bool latest);

/* Days since 1970 of a date that is one. */
int64_t zone_days(int year, int month, int day);

#endif
