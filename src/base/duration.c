/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths of time as people write them; see duration.h. */
#include "base/duration.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{"d", 86400000},
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static int bad(const char *text, const char *why, struct err *err_r)
{
	return err_set(err_r, ERR_INVALID,
		"\"%.40s\" is not a duration: %s (write 500ms, 30s, 10m, "
		"1h30m or 2d)",
		text, why);
}

/* Digits with an optional fraction, in thousandths. */
static const char *number_parse(const char *p, int64_t *milli_r)
{
	int64_t whole = 0, part = 0, scale = 100;
	const char *start = p;

	for (; isdigit((unsigned char)*p); p++) {
		if (whole > DURATION_MS_MAX)
			return NULL;
		whole = whole * 10 + (*p - '0');
	}
	if (p == start)
		return NULL;
	if (*p == '.') {
		for (p++, start = p; isdigit((unsigned char)*p); p++) {
			part += (*p - '0') * scale;
			scale /= 10;
		}
		if (p == start || p - start > 3)
			return NULL;
	}
	*milli_r = whole * 1000 + part;
	return p;
}

static const struct unit *unit_find(const char **p)
{
	size_t len = 0, i;

	while (isalpha((unsigned char)(*p)[len]))
		len++;
	for (i = 0; i < UNITS; i++) {
		if (strlen(units[i].name) == len &&
			memcmp(units[i].name, *p, len) == 0) {
			*p += len;
			return &units[i];
		}
	}
	return NULL;
}

int duration_parse(const char *text, int64_t *ms_r, struct err *err_r)
{
	const struct unit *unit, *last = NULL;
	const char *p = text;
	int64_t milli, total = 0;

	if (strcmp(text, "0") == 0) {
		*ms_r = 0;
		return 0;
	}
	if (!*p)
		return bad(text, "it is empty", err_r);
	while (*p) {
		p = number_parse(p, &milli);
		if (!p)
			return bad(text, "a number is expected", err_r);
		unit = unit_find(&p);
		if (!unit)
			return bad(text, "a unit is missing or unknown", err_r);
		if (last && unit <= last)
			return bad(text, "units go from large to small", err_r);
		if (milli / 1000 > DURATION_MS_MAX / unit->ms)
			return bad(text, "it is longer than 365d", err_r);
		if (milli * unit->ms % 1000)
			return bad(text, "it is finer than 1ms", err_r);
		total += milli * unit->ms / 1000;
		last = unit;
	}
	if (total > DURATION_MS_MAX)
		return bad(text, "it is longer than 365d", err_r);
	*ms_r = total;
	return 0;
}

const char *duration_print(int64_t ms, char text[DURATION_TEXT_MAX])
{
	bool negative = ms < 0;
	size_t i, n = 0;

	if (!ms)
		return strcpy(text, "0s");
	if (negative) {
		text[n++] = '-';
		ms = -ms;
	}
	for (i = 0; i < UNITS && n < DURATION_TEXT_MAX; i++) {
		if (ms < units[i].ms)
			continue;
		n += (size_t)snprintf(text + n, DURATION_TEXT_MAX - n, "%lld%s",
			(long long)(ms / units[i].ms), units[i].name);
		ms %= units[i].ms;
	}
	return text;
}

void duration_add(struct buf *out, int64_t ms)
{
	char text[DURATION_TEXT_MAX];

	buf_adds(out, duration_print(ms, text));
}
