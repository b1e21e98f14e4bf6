/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows of time in which nothing is started and no step goes forward: of each
 * week, or between two dates, by the clocks of a time zone. Pure: whoever asks
 * says what time it is.
 */
#ifndef TIDEGATE_POLICY_FREEZE_H
#define TIDEGATE_POLICY_FREEZE_H

#include "policy/zone.h"

#define FREEZE_WINDOWS_MAX 100

struct freeze {
	bool weekly;
	/* As its clocks show it: since Monday 00:00, or since 1970. */
	int64_t from_s, to_s;
	const char *from, *to; /* as written */
	const struct zone *zone;
};

struct freezes {
	const struct freeze *list;
	size_t n;
};

/* Until when it is frozen without a break; 0: it is not. */
int64_t freeze_until_ms(const struct freezes *freezes, int64_t now_ms);

#endif
