/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the time zone database; see zone.h. */
#include <ctype.h>
#include <string.h>

#include "policy/zone.h"

#define HEADER_BYTES 44
#define OFFSET_S_MAX (26 * 3600)
#define TYPES_MAX    256

/* Counts of a header, in its order. */
enum { UTC_FLAGS, STD_FLAGS, LEAPS, TIMES, TYPES, CHARS, COUNTS };

struct zone_reader {
	const unsigned char *at, *end;
};

static uint64_t number(const unsigned char *at, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

/* The bytes of so many items; NULL: there are not as many. */
static const unsigned char *zone_take(
	struct zone_reader *reader, uint64_t n, size_t size)
{
	const unsigned char *at = reader->at;

	if (n > (uint64_t)(reader->end - at) / size)
		return NULL;
	reader->at += n * size;
	return at;
}

static bool zone_header(struct zone_reader *reader, uint64_t count[COUNTS])
{
	const unsigned char *at = zone_take(reader, 1, HEADER_BYTES);

	if (!at || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
		return false;
	for (int i = 0; i < COUNTS; i++)
		count[i] = number(at + 20 + 4 * i, 4);
	return true;
}

/* The first block, with 32 bits, is for old readers. */
static bool zone_skip_first(struct zone_reader *reader)
{
	uint64_t count[COUNTS];

	return zone_header(reader, count) &&
	       zone_take(reader, count[TIMES], 5) &&
	       zone_take(reader, count[TYPES], 6) &&
	       zone_take(reader, count[CHARS], 1) &&
	       zone_take(reader, count[LEAPS], 8) &&
	       zone_take(reader, count[STD_FLAGS], 1) &&
	       zone_take(reader, count[UTC_FLAGS], 1);
}

static bool zone_table(const uint64_t count[COUNTS], const unsigned char *times,
	const unsigned char *kinds, const unsigned char *types,
	struct arena *arena, struct zone *zone)
{
	size_t n = count[TIMES];
	int64_t *from_s = arena_alloc(arena, (n + 1) * sizeof(*from_s));
	int *offset_s = arena_alloc(arena, (n + 1) * sizeof(*offset_s));

	for (size_t i = 0; i <= n; i++) {
		size_t kind = i ? kinds[i - 1] : 0;

		if (kind >= count[TYPES])
			return false;
		offset_s[i] = (int32_t)number(types + 6 * kind, 4);
		if (offset_s[i] > OFFSET_S_MAX || offset_s[i] < -OFFSET_S_MAX)
			return false;
		if (i == n)
			break;
		from_s[i] = (int64_t)number(times + 8 * i, 8);
		if (i && from_s[i] <= from_s[i - 1])
			return false;
	}
	zone->from_s = from_s;
	zone->offset_s = offset_s;
	zone->n = n;
	return true;
}

/* ---- the rule, as POSIX writes $TZ ---- */

static bool rule_number(const char **at, int max, int *value_r)
{
	if (!isdigit((unsigned char)**at))
		return false;
	for (*value_r = 0; isdigit((unsigned char)**at); (*at)++) {
		*value_r = *value_r * 10 + (**at - '0');
		if (*value_r > max)
			return false;
	}
	return true;
}

/* [-+]hh[:mm[:ss]] */
static bool rule_time(const char **at, int *seconds_r)
{
	int sign = **at == '-' ? -1 : 1, part, unit = 3600;

	*at += **at == '-' || **at == '+';
	if (!rule_number(at, 167, seconds_r))
		return false;
	*seconds_r *= unit;
	while (**at == ':' && unit > 1) {
		(*at)++;
		unit /= 60;
		if (!rule_number(at, 59, &part))
			return false;
		*seconds_r += part * unit;
	}
	*seconds_r *= sign;
	return true;
}

static bool rule_name(const char **at)
{
	const char *begin = *at;

	if (*begin == '<') {
		*at += strcspn(begin, ">");
		return *(*at)++ == '>';
	}
	while (isalpha((unsigned char)**at))
		(*at)++;
	return *at - begin >= 3;
}

static bool rule_day(const char **at, struct zone_day *day)
{
	bool is = **at == ',';

	*at += is;
	day->at_s = 2 * 3600;
	if (is && **at == 'M') {
		++*at;
		day->kind = ZONE_MONTH;
		is = rule_number(at, 12, &day->month) && day->month &&
		     *(*at)++ == '.' && rule_number(at, 5, &day->week) &&
		     day->week && *(*at)++ == '.' &&
		     rule_number(at, 6, &day->day);
	} else if (is) {
		day->kind = **at == 'J' ? ZONE_JULIAN : ZONE_COUNTED;
		*at += **at == 'J';
		is = rule_number(at, 365, &day->day) &&
		     (day->kind == ZONE_COUNTED || day->day);
	}
	if (!is || **at != '/')
		return is;
	++*at;
	return rule_time(at, &day->at_s);
}

static bool rule_parse(const char *text, struct zone_rule *rule)
{
	const char *at = text;

	if (!rule_name(&at) || !rule_time(&at, &rule->offset_s))
		return false;
	rule->offset_s = -rule->offset_s; /* POSIX counts westwards */
	if (!*at)
		return true;
	rule->has_summer = true;
	rule->summer_s = rule->offset_s + 3600;
	if (!rule_name(&at))
		return false;
	if (*at != ',') {
		if (!rule_time(&at, &rule->summer_s))
			return false;
		rule->summer_s = -rule->summer_s;
	}
	return rule_day(&at, &rule->begin) && rule_day(&at, &rule->end) && !*at;
}

/* Between two line feeds; empty: the last offset holds for ever. */
static bool zone_rule_of(struct zone_reader *reader, struct zone *zone)
{
	const unsigned char *begin = reader->at, *stop;
	char text[128];
	size_t len;

	if (begin == reader->end || *begin++ != '\n')
		return false;
	stop = memchr(begin, '\n', (size_t)(reader->end - begin));
	len = stop ? (size_t)(stop - begin) : sizeof(text);
	if (len >= sizeof(text) || memchr(begin, '\0', len))
		return false;
	if (!len) {
		zone->rule.offset_s = zone->offset_s[zone->n];
		return true;
	}
	memcpy(text, begin, len);
	text[len] = '\0';
	return rule_parse(text, &zone->rule);
}

static bool zone_read(
	struct zone_reader *reader, struct arena *arena, struct zone *zone)
{
	const unsigned char *times, *kinds, *types;
	uint64_t count[COUNTS];

	if (!zone_skip_first(reader) || !zone_header(reader, count) ||
		count[TIMES] > ZONE_TRANSITIONS_MAX || !count[TYPES] ||
		count[TYPES] > TYPES_MAX)
		return false;
	times = zone_take(reader, count[TIMES], 8);
	kinds = zone_take(reader, count[TIMES], 1);
	types = zone_take(reader, count[TYPES], 6);
	return times && kinds && types && zone_take(reader, count[CHARS], 1) &&
	       zone_take(reader, count[LEAPS], 12) &&
	       zone_take(reader, count[STD_FLAGS], 1) &&
	       zone_take(reader, count[UTC_FLAGS], 1) &&
	       zone_table(count, times, kinds, types, arena, zone) &&
	       zone_rule_of(reader, zone);
}

int zone_parse(const char *name, const void *bytes, size_t len,
	struct arena *arena, struct zone *zone_r, struct err *err_r)
{
	struct zone_reader reader = {bytes, (const unsigned char *)bytes + len};

	*zone_r = (struct zone){.name = arena_strdup(arena, name)};
	if (zone_read(&reader, arena, zone_r))
		return 0;
	return err_set(err_r, ERR_POLICY,
		"the time zone %.60s is not as RFC 8536 has it", name);
}
