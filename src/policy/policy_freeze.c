/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of time in which nothing goes forward; see policy_freeze.h. */
#include "policy/policy_freeze.h"

#include <stdio.h>
#include <string.h>

#define MEMBER(m) offsetof(struct freeze, m)
#define WEEKDAYS  "MonTueWedThuFriSatSun"
#define ZONES     "/usr/share/zoneinfo/"
#define NAME_CHARS                                                         \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/" \
	"+-"

static bool clock_of(const char *text, int64_t *seconds)
{
	int hour, minute, n = 0;

	if (strlen(text) != 5 ||
		sscanf(text, "%2d:%2d%n", &hour, &minute, &n) != 2 || n != 5 ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*seconds += hour * 3600 + minute * 60;
	return true;
}

static bool date_of(const char *text, int64_t *seconds)
{
	int year, month, day, n = 0;

	if (strspn(text, "0123456789-") != 10 ||
		sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &n) != 3 ||
		n != 10 || year < 1970 || month < 1 || month > 12 || day < 1 ||
		zone_days(year, month, day) >=
			zone_days(year + month / 12, month % 12 + 1, 1))
		return false;
	*seconds = zone_days(year, month, day) * 86400;
	return text[10] == ' ' && clock_of(text + 11, seconds);
}

/* A day of the week, or a date, and the time of day. */
static bool moment_of(const char *text, bool *weekly_r, int64_t *seconds_r)
{
	char name[4];
	const char *at;

	*weekly_r = strlen(text) == 9 && text[3] == ' ';
	if (!*weekly_r)
		return date_of(text, seconds_r);
	memcpy(name, text, 3);
	name[3] = '\0';
	at = strstr(WEEKDAYS, name);
	if (!at || (at - WEEKDAYS) % 3)
		return false;
	*seconds_r = (at - WEEKDAYS) / 3 * 86400;
	return clock_of(text + 4, seconds_r);
}

static void read_moment(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	int64_t seconds;
	bool weekly;

	if (text && !moment_of(text, &weekly, &seconds))
		problem_at(loader, value,
			"\"%.40s\" is no such time: write it as \"Fri 16:00\", "
			"or as \"2026-12-20 00:00\"",
			text);
	else if (text)
		*(const char **)((char *)into + key->offset) = text;
}

static const struct reader moment_reader = {read_moment,
	"Fri 16:00, or 2026-12-20 00:00",
	"'type': 'string', 'pattern': '^((Mon|Tue|Wed|Thu|Fri|Sat|Sun)|"
	"[0-9]{4}-[0-9]{2}-[0-9]{2}) [0-2][0-9]:[0-5][0-9]$'"};

/* The database is no secret and not the policy's: it is the same for whoever
 * sent it. */
static void zone_load(struct loader *loader, const struct node *value,
	const char *name, struct zone *zone)
{
	struct buf bytes;
	struct err err;
	char path[128];

	snprintf(path, sizeof(path), ZONES "%.80s", name);
	buf_init(&bytes, ZONE_BYTES_MAX);
	if (policy_env_real.read_file(path, &bytes, &err, NULL) < 0)
		problem_at(loader, value,
			"there is no time zone \"%.80s\": write one as "
			"Europe/Berlin, or UTC; %s has them, of the package "
			"tzdata",
			name, ZONES);
	else if (zone_parse(name, bytes.data, bytes.len, loader->arena, zone,
			 &err) < 0)
		problem_at(loader, value, "%s", err.text);
	buf_fini(&bytes);
}

static void read_zone(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	struct zone *zone;

	(void)key;
	if (!text || !strcmp(text, zone_utc.name))
		return;
	if (!*text || *text == '/' ||
		strspn(text, NAME_CHARS) != strlen(text)) {
		problem_at(loader, value,
			"\"%.80s\" is no time zone: write one as Europe/Berlin",
			text);
		return;
	}
	zone = arena_alloc(loader->arena, sizeof(*zone));
	*zone = zone_utc;
	zone_load(loader, value, text, zone);
	((struct freeze *)into)->zone = zone;
}

static const struct reader zone_reader = {read_zone, "a time zone",
	"'type': 'string', 'pattern': '^[A-Za-z][A-Za-z0-9_+/-]*$'"};

static const struct key freeze_keys[] = {
	{"from", &moment_reader, MEMBER(from), .need = KEY_REQUIRED,
		.about = "Each week from then on, or once"},
	{"to", &moment_reader, MEMBER(to), .need = KEY_REQUIRED,
		.about = "Likewise"},
	{"zone", &zone_reader, .need = KEY_REQUIRED,
		.about = "Whose clocks; a name of the time zone database"},
	{0},
};

static const struct section freeze_section = {"a freeze", freeze_keys,
	.def = "freeze",
	.about = "Nothing is started then, and no step goes forward"};

static void freeze_check(
	struct loader *loader, const struct node *node, struct freeze *f)
{
	bool weekly_to = true;

	if (!f->from || !f->to)
		return;
	(void)moment_of(f->from, &f->weekly, &f->from_s);
	(void)moment_of(f->to, &weekly_to, &f->to_s);
	if (f->weekly != weekly_to)
		problem_at(loader, place_of(node, "to"),
			"a day of the week and a date do not make a window: "
			"write both in the same way");
	else if (f->weekly ? f->to_s == f->from_s : f->to_s <= f->from_s)
		problem_at(loader, place_of(node, "to"),
			"the window ends %s it begins",
			f->to_s == f->from_s ? "when" : "before");
}

static void read_freezes(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct freezes *freezes = (void *)((char *)into + key->offset);
	size_t n = list_len(loader, value, "freezes", FREEZE_WINDOWS_MAX);
	struct freeze *list =
		arena_alloc(loader->arena, (n + 1) * sizeof(*list));
	size_t i = 0;

	for (const struct node *node = value->first; node && i < n;
		node = node->next, i++) {
		list[i].zone = &zone_utc;
		read_section(loader, node, &freeze_section, &list[i]);
		freeze_check(loader, node, &list[i]);
	}
	*freezes = (struct freezes){list, n};
}

const struct reader freeze_reader = {read_freezes, "a list of windows",
	.sections = (const struct section *const[]){&freeze_section, NULL},
	.list_max = FREEZE_WINDOWS_MAX};

void freezes_print(const struct freezes *freezes, struct buf *out)
{
	for (size_t i = 0; i < freezes->n; i++) {
		const struct freeze *f = &freezes->list[i];

		buf_addf(out, "%s%s to %s %s", i ? ", " : "", f->from, f->to,
			f->zone->name);
	}
}
