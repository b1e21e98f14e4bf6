/* SPDX-License-Identifier: Apache-2.0 */
/* Freezes and time zones, compared with what libc makes of the same zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/timestamp.h"
#include "policy/freeze.h"
#include "policy/policy_load.h"
#include "sample.h"

#define HOUR_MS INT64_C(3600000)

static struct arena arena;

static const char *const zones[] = {"Europe/Berlin", "America/New_York",
	"Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns",
	"Asia/Kolkata", "Pacific/Chatham", "Europe/Dublin", "Pacific/Apia"};

#define ZONES (sizeof(zones) / sizeof(zones[0]))

static const struct zone *zone_of(const char *name)
{
	struct zone *zone = arena_alloc(&arena, sizeof(*zone));
	struct buf bytes;
	struct err err;
	char path[128];

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	buf_init(&bytes, ZONE_BYTES_MAX);
	assert_int_equal(
		policy_env_real.read_file(path, &bytes, &err, NULL), 0);
	assert_int_equal(
		zone_parse(name, bytes.data, bytes.len, &arena, zone, &err), 0);
	buf_fini(&bytes);
	return zone;
}

static void libc_is_in(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

static int64_t at(const char *text)
{
	struct err err;
	int64_t ms;

	assert_int_equal(timestamp_parse(text, &ms, &err), 0);
	return ms;
}

static void offsets_are_those_of_libc(void **state)
{
	/* Every 6 h 7 min from 1990 to 2090: within the tables, and beyond. */
	(void)state;
	for (size_t i = 0; i < ZONES; i += (size_t)sample_every()) {
		const struct zone *zone = zone_of(zones[i]);

		libc_is_in(zones[i]);
		for (time_t t = 631152000; t < 3786912000; t += 22020) {
			struct tm tm;

			localtime_r(&t, &tm);
			if (zone_offset_s(zone, t) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", zones[i],
					(long long)t, zone_offset_s(zone, t),
					tm.tm_gmtoff);
		}
	}
}

/* ---- the windows of a year, found by libc alone ---- */

/* All moments of a minute at which clocks show this, first and last; where they
 * never do, what they would have shown without the change, by the clocks before
 * it and after it. */
static void moments(const struct tm *shown, time_t *first, time_t *last)
{
	time_t found[2];

	for (int summer = 0; summer < 2; summer++) {
		struct tm tm = *shown;

		tm.tm_isdst = -1;
		found[summer] = mktime(&tm);
	}
	*first = *last = found[0];
	/* Half an hour to two hours is what clocks are changed by. */
	for (int minutes = -180; minutes <= 180; minutes += 15) {
		time_t t = found[0] + minutes * 60;
		struct tm back;

		localtime_r(&t, &back);
		if (back.tm_mday != shown->tm_mday ||
			back.tm_hour != shown->tm_hour ||
			back.tm_min != shown->tm_min)
			continue;
		*first = t < *first ? t : *first;
		*last = t > *last ? t : *last;
	}
}

static bool is_shown(time_t t, const struct tm *shown)
{
	struct tm back;

	localtime_r(&t, &back);
	return back.tm_hour == shown->tm_hour && back.tm_min == shown->tm_min;
}

/* The last moment before a change is one of them. */
static time_t next(time_t now, time_t change, time_t step)
{
	if (change - now > step)
		return now + step;
	return change - now > 1 ? change - 1 : change;
}

/* From a day and a minute of each week on, to another. */
static void check_year(const char *name, int from_min, int to_min)
{
	const struct freeze f = {.weekly = true,
		.from_s = from_min * 60,
		.to_s = to_min * 60,
		.zone = zone_of(name)};
	const struct freezes freezes = {&f, 1};
	int length_min = (to_min - from_min + 10080) % 10080, checked = 0;
	time_t now = at("2025-12-01T00:00:00Z") / 1000;

	libc_is_in(name);
	/* 58 Mondays, by date: 2025-12-01 is one. */
	for (int week = 0; week < 58; week++) {
		struct tm from = {.tm_year = 125,
			.tm_mon = 11,
			.tm_mday = 1 + 7 * week + from_min / 1440,
			.tm_hour = from_min / 60 % 24,
			.tm_min = from_min % 60,
			.tm_isdst = -1};
		struct tm to = from;
		time_t begin, end, unused;
		struct tm shown_from, shown_to;

		to.tm_mday = 1 + 7 * week + (from_min + length_min) / 1440;
		to.tm_hour = to_min / 60 % 24;
		to.tm_min = to_min % 60;
		/* The dates, without a zone that may change them. */
		shown_from = from;
		shown_to = to;
		shown_from.tm_mday = shown_to.tm_mday = 0;
		{
			time_t day = timegm(&from), other = timegm(&to);

			gmtime_r(&day, &shown_from);
			gmtime_r(&other, &shown_to);
		}
		moments(&shown_from, &begin, &unused);
		moments(&shown_to, &unused, &end);
		if (!is_shown(begin, &shown_from) || !is_shown(end, &shown_to))
			continue; /* never shown: has a test of its own */
		checked++;
		for (now = begin - 7200; now < begin;
			now = next(now, begin, 900))
			assert_false(
				freeze_until_ms(&freezes, now * INT64_C(1000)));
		for (now = begin; now < end; now = next(now, end, 3600))
			assert_int_equal(
				freeze_until_ms(&freezes, now * INT64_C(1000)),
				end * INT64_C(1000));
		for (now = end; now < end + 7200;
			now = next(now, end + 7200, 900))
			assert_false(
				freeze_until_ms(&freezes, now * INT64_C(1000)));
	}
	assert_true(checked >= 54);
}

static void windows_of_a_year_are_those_of_libc(void **state)
{
	static const int windows[][2] = {
		{4 * 1440 + 960, 420}, /* Fri 16:00 to Mon 07:00 */
		{6 * 1440 + 150,
			6 * 1440 + 600}, /* Sun 02:30: changed clocks */
		{5 * 1440 + 1320, 6 * 1440 + 150},
		{6 * 1440 + 90, 6 * 1440 + 105},
		{0, 1440},
		{1439, 0},
	};

	(void)state;
	for (size_t i = 0; i < ZONES; i += (size_t)sample_every())
		for (size_t w = 0; w < sizeof(windows) / sizeof(*windows); w++)
			check_year(zones[i], windows[w][0], windows[w][1]);
}

static void clocks_that_are_changed_make_a_window_longer(void **state)
{
	/* Berlin: 2026-03-29 02:30 is never shown, 2026-10-25 02:30 twice. */
	struct freeze f = {.zone = zone_of("Europe/Berlin"),
		.weekly = true,
		.from_s = (6 * 24 + 2) * 3600 + 1800,
		.to_s = (6 * 24 + 4) * 3600};
	const struct freezes freezes = {&f, 1};

	(void)state;
	assert_false(freeze_until_ms(&freezes, at("2026-03-29T00:29:59Z")));
	assert_int_equal(freeze_until_ms(&freezes, at("2026-03-29T00:30:00Z")),
		at("2026-03-29T02:00:00Z"));
	assert_false(freeze_until_ms(&freezes, at("2026-10-25T00:29:59Z")));
	assert_int_equal(freeze_until_ms(&freezes, at("2026-10-25T00:30:00Z")),
		at("2026-10-25T03:00:00Z"));
	f.from_s = (6 * 24 + 1) * 3600;
	f.to_s = (6 * 24 + 2) * 3600 + 1800;
	assert_int_equal(freeze_until_ms(&freezes, at("2026-03-29T00:00:00Z")),
		at("2026-03-29T01:30:00Z"));
	assert_int_equal(freeze_until_ms(&freezes, at("2026-10-25T00:10:00Z")),
		at("2026-10-25T01:30:00Z"));
}

static void windows_that_follow_each_other_are_one(void **state)
{
	const struct freeze list[] = {
		{.weekly = true, .from_s = 0, .to_s = 86400, .zone = &zone_utc},
		{.weekly = true,
			.from_s = 80000,
			.to_s = 2 * 86400,
			.zone = &zone_utc},
		{.from_s = 1767571200, .to_s = 1767744000, .zone = &zone_utc},
	};
	const struct freezes freezes = {list, 3};
	const struct freezes always = {
		(const struct freeze[]){{.weekly = true,
						.from_s = 0,
						.to_s = 3 * 86400,
						.zone = &zone_utc},
			{.weekly = true,
				.from_s = 3 * 86400,
				.to_s = 0,
				.zone = &zone_utc}},
		2};

	(void)state;
	/* Monday, 2026-01-05, and the date's window until the 7th. */
	assert_int_equal(freeze_until_ms(&freezes, at("2026-01-05T01:00:00Z")),
		at("2026-01-07T00:00:00Z"));
	assert_false(freeze_until_ms(&freezes, at("2026-01-07T00:00:00Z")));
	assert_true(freeze_until_ms(&always, 0) > 24 * HOUR_MS);
	assert_false(freeze_until_ms(&(struct freezes){NULL, 0}, 0));
}

static void setup(void)
{
	arena_init(&arena);
}

static int open_arena(void **state)
{
	(void)state;
	setup();
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

#define WITH_ZONES(name) \
	cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ZONES(offsets_are_those_of_libc),
		WITH_ZONES(windows_of_a_year_are_those_of_libc),
		WITH_ZONES(clocks_that_are_changed_make_a_window_longer),
		WITH_ZONES(windows_that_follow_each_other_are_one),
	};

	return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
