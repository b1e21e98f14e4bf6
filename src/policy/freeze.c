/* SPDX-License-Identifier: Apache-2.0 */
/* Windows in which nothing goes forward; see freeze.h. */
#include "policy/freeze.h"

#define WEEK_S    INT64_C(604800)
#define MONDAY_S  (INT64_C(4) * 86400) /* the first one after 1970 began */
#define JOINS_MAX 64 /* windows that follow each other */

/* When the window ends that this moment is in, its week moved by `weeks`; 0: it
 * is not in it. A window begins as early and ends as late as clocks that are
 * changed may mean. */
static int64_t end_s(const struct freeze *f, int64_t base_s, int64_t now_s)
{
	int64_t to_s = f->to_s;

	if (f->weekly && to_s <= f->from_s)
		to_s += WEEK_S;
	if (now_s < zone_to_utc_s(f->zone, base_s + f->from_s, false))
		return 0;
	to_s = zone_to_utc_s(f->zone, base_s + to_s, true);
	return now_s < to_s ? to_s : 0;
}

static int64_t window_end_s(const struct freeze *f, int64_t now_s)
{
	int64_t shown_s, week, latest = 0, at;

	if (!f->weekly)
		return end_s(f, 0, now_s);
	shown_s = now_s + zone_offset_s(f->zone, now_s) - MONDAY_S;
	week = shown_s / WEEK_S - (shown_s % WEEK_S < 0);
	for (int i = -1; i <= 1; i++) {
		at = end_s(f, MONDAY_S + (week + i) * WEEK_S, now_s);
		latest = at > latest ? at : latest;
	}
	return latest;
}

int64_t freeze_until_ms(const struct freezes *freezes, int64_t now_ms)
{
	int64_t now_s = now_ms / 1000 - (now_ms % 1000 < 0);
	int64_t until_s = now_s, end;

	for (int joins = 0; joins < JOINS_MAX; joins++) {
		int64_t before_s = until_s;

		for (size_t i = 0; i < freezes->n; i++) {
			end = window_end_s(&freezes->list[i], until_s);
			until_s = end > until_s ? end : until_s;
		}
		if (until_s == before_s)
			break;
	}
	return until_s == now_s ? 0 : until_s * 1000;
}
