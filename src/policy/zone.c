/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones; see zone.h. */
#include "policy/zone.h"

#define DAY_S  INT64_C(86400)
#define YEAR_S INT64_C(31556952)

const struct zone zone_utc = {.name = "UTC", .offset_s = (const int[]){0}};

static int64_t floor_of(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Howard Hinnant, "chrono-compatible low-level date algorithms". */
int64_t zone_days(int year, int month, int day)
{
	int64_t y = year - (month <= 2), era = floor_of(y, 400);
	int64_t of_era = y - era * 400;
	int64_t of_year =
		(153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day of a year, as days since 1970. */
static int64_t day_of(const struct zone_day *day, int year)
{
	int64_t first = zone_days(year, 1, 1), month, next, at;

	if (day->kind == ZONE_COUNTED)
		return first + day->day;
	if (day->kind == ZONE_JULIAN)
		return first + day->day - 1 + (is_leap(year) && day->day > 59);
	month = zone_days(year, day->month, 1);
	next = day->month == 12 ? zone_days(year + 1, 1, 1)
				: zone_days(year, day->month + 1, 1);
	/* 1970 began on a Thursday. */
	at = month + (day->day - (month + 4) % 7 + 7) % 7;
	at += 7 * (day->week - 1);
	return at < next ? at : at - 7;
}

static int rule_offset_s(const struct zone_rule *rule, int64_t utc_s)
{
	int64_t shown_s = utc_s + rule->offset_s, begin_s, end_s;
	int year = 1970 + (int)floor_of(shown_s, YEAR_S);

	if (!rule->has_summer)
		return rule->offset_s;
	while (zone_days(year, 1, 1) * DAY_S > shown_s)
		year--;
	while (zone_days(year + 1, 1, 1) * DAY_S <= shown_s)
		year++;
	begin_s = day_of(&rule->begin, year) * DAY_S + rule->begin.at_s -
		  rule->offset_s;
	end_s = day_of(&rule->end, year) * DAY_S + rule->end.at_s -
		rule->summer_s;
	if (begin_s < end_s)
		return begin_s <= utc_s && utc_s < end_s ? rule->summer_s
							 : rule->offset_s;
	return end_s <= utc_s && utc_s < begin_s ? rule->offset_s
						 : rule->summer_s;
}

int zone_offset_s(const struct zone *zone, int64_t utc_s)
{
	size_t low = 0, high = zone->n;

	if (!zone->n || utc_s >= zone->from_s[zone->n - 1])
		return rule_offset_s(&zone->rule, utc_s);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (zone->from_s[middle] <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	return zone->offset_s[low];
}

int64_t zone_to_utc_s(const struct zone *zone, int64_t shown_s, bool latest)
{
	int before = zone_offset_s(zone, shown_s - DAY_S);
	int after = zone_offset_s(zone, shown_s + DAY_S);
	int64_t a = shown_s - before, b = shown_s - after;
	bool a_is = zone_offset_s(zone, a) == before;
	bool b_is = zone_offset_s(zone, b) == after;

	if (a_is != b_is)
		return a_is ? a : b;
	return (a < b) == latest ? b : a;
}
