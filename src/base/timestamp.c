/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time as text; see timestamp.h. The calendar is Howard Hinnant's
 * "chrono-Compatible Low-Level Date Algorithms" (days_from_civil and back).
 */
#include "base/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

#define DAY_MS INT64_C(86400000)

#define POINT_NUMBER_MAX 32
#define POINT_SHOWN_MAX  40

struct civil {
	int year, month, day, hour, minute, second, ms;
};

static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct civil civil_from_ms(int64_t ms)
{
	int64_t days, rest, era, doe, yoe, doy, mp;
	struct civil c;

	if (ms < TIMESTAMP_MS_MIN)
		ms = TIMESTAMP_MS_MIN;
	if (ms > TIMESTAMP_MS_MAX)
		ms = TIMESTAMP_MS_MAX;
	days = ms / DAY_MS;
	rest = ms % DAY_MS;
	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	c.hour = (int)(rest / 3600000);
	c.minute = (int)(rest / 60000 % 60);
	c.second = (int)(rest / 1000 % 60);
	c.ms = (int)(rest % 1000);
	return c;
}

const char *timestamp_print(int64_t ms, char text[TIMESTAMP_TEXT_MAX])
{
	struct civil c = civil_from_ms(ms);

	snprintf(text, TIMESTAMP_TEXT_MAX,
		"%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)c.year % 10000,
		(unsigned)c.month % 100, (unsigned)c.day % 100,
		(unsigned)c.hour % 100, (unsigned)c.minute % 100,
		(unsigned)c.second % 100, (unsigned)c.ms % 1000);
	return text;
}

const char *timestamp_print_id(int64_t ms, char text[TIMESTAMP_TEXT_MAX])
{
	struct civil c = civil_from_ms(ms);

	snprintf(text, TIMESTAMP_TEXT_MAX, "%04u%02u%02u-%02u%02u%02u",
		(unsigned)c.year % 10000, (unsigned)c.month % 100,
		(unsigned)c.day % 100, (unsigned)c.hour % 100,
		(unsigned)c.minute % 100, (unsigned)c.second % 100);
	return text;
}

const char *timestamp_print_clock(int64_t ms, char text[TIMESTAMP_TEXT_MAX])
{
	struct civil c = civil_from_ms(ms);

	snprintf(text, TIMESTAMP_TEXT_MAX, "%02u:%02u:%02u",
		(unsigned)c.hour % 100, (unsigned)c.minute % 100,
		(unsigned)c.second % 100);
	return text;
}

/* Exactly `n` digits; -1 when there are other bytes among them. */
static int digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool skip(const char **p, const char *set)
{
	if (!**p || !strchr(set, **p))
		return false;
	(*p)++;
	return true;
}

static bool fraction_parse(const char **p, int *ms_r)
{
	int n, scale = 100;

	*ms_r = 0;
	if (!skip(p, "."))
		return true;
	for (n = 0; **p >= '0' && **p <= '9'; n++, (*p)++) {
		*ms_r += (**p - '0') * scale;
		scale /= 10;
	}
	return n >= 1 && n <= 9;
}

static bool offset_parse(const char **p, int *minutes_r)
{
	int sign = **p == '-' ? -1 : 1, hour, minute;

	*minutes_r = 0;
	if (skip(p, "Zz"))
		return true;
	if (!skip(p, "+-"))
		return false;
	hour = digits(p, 2);
	if (hour < 0 || hour > 23 || !skip(p, ":"))
		return false;
	minute = digits(p, 2);
	if (minute < 0 || minute > 59)
		return false;
	*minutes_r = sign * (hour * 60 + minute);
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool civil_parse(const char **p, struct civil *c)
{
	c->year = digits(p, 4);
	if (c->year < 1 || !skip(p, "-"))
		return false;
	c->month = digits(p, 2);
	if (c->month < 1 || c->month > 12 || !skip(p, "-"))
		return false;
	c->day = digits(p, 2);
	if (c->day < 1 || c->day > month_days(c->year, c->month) ||
		!skip(p, "Tt "))
		return false;
	c->hour = digits(p, 2);
	if (c->hour < 0 || c->hour > 23 || !skip(p, ":"))
		return false;
	c->minute = digits(p, 2);
	if (c->minute < 0 || c->minute > 59 || !skip(p, ":"))
		return false;
	c->second = digits(p, 2);
	return c->second >= 0 && c->second <= 60 && fraction_parse(p, &c->ms);
}

int timestamp_parse(const char *text, int64_t *ms_r, struct err *err_r)
{
	const char *p = text;
	struct civil c;
	int64_t ms;
	int offset;

	if (!civil_parse(&p, &c) || !offset_parse(&p, &offset) || *p)
		return err_set(err_r, ERR_INVALID,
			"\"%.40s\" is not a time: write RFC 3339, such as "
			"2026-01-31T12:00:00Z",
			text);
	ms = days_from_civil(c.year, c.month, c.day) * DAY_MS +
	     (c.hour * 60 + c.minute - offset) * 60000LL + c.second * 1000LL +
	     c.ms;
	/* An offset or a leap second leads out of the years that have a text. */
	if (ms < TIMESTAMP_MS_MIN || ms > TIMESTAMP_MS_MAX)
		return err_set(err_r, ERR_INVALID,
			"\"%.40s\" is out of range: years 1 to 9999 in UTC",
			text);
	*ms_r = ms;
	return 0;
}

static int seconds_parse(const char *text, int64_t *ms_r)
{
	char *end;
	double s;

	if (!*text || strlen(text) > POINT_NUMBER_MAX ||
		text[strspn(text, "0123456789.")])
		return -1;
	s = strtod(text, &end);
	if (*end || !(s >= 1) || s * 1000 > (double)TIMESTAMP_MS_MAX)
		return -1;
	*ms_r = (int64_t)(s * 1000 + 0.5);
	return 0;
}

int timestamp_parse_point(
	const char *text, int64_t now_ms, int64_t *ms_r, struct err *err_r)
{
	int64_t ms;

	if (strcmp(text, "now") == 0) {
		*ms_r = now_ms;
		return 0;
	}
	if (*text == '-' && duration_parse(text + 1, &ms, err_r) == 0) {
		*ms_r = now_ms - ms;
		return 0;
	}
	if (seconds_parse(text, ms_r) == 0 ||
		timestamp_parse(text, ms_r, err_r) == 0)
		return 0;
	return err_set(err_r, ERR_USAGE,
		"\"%.*s\" is not a time: write 2026-01-31T12:00:00Z, Unix "
		"seconds, -2h, or now",
		POINT_SHOWN_MAX, text);
}
