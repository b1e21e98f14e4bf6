/* SPDX-License-Identifier: Apache-2.0 */
/* projects/P/locations/R/services/S; see service_name.h. */
#include "base/service_name.h"

#include <string.h>

#define PROJECT_BYTES_MAX 127
#define NAME_BYTES_MAX    63 /* of a region or a service: a DNS label */
#define NAME_CHARS                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-_."

struct part {
	const char *at;
	size_t len;
};

enum { PROJECT, REGION, NAME, PARTS };

static bool take_part(const char **at, const char *word, struct part *part)
{
	bool is_project = strcmp(word, "projects") == 0;
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0 || (*at)[len] != '/')
		return false;
	part->at = *at + len + 1;
	part->len = strspn(part->at, is_project ? NAME_CHARS ":" : NAME_CHARS);
	*at = part->at + part->len;
	return part->len > 0 && part->at[0] != '.' &&
	       part->len <= (is_project ? PROJECT_BYTES_MAX : NAME_BYTES_MAX);
}

static bool split(const char *name, const char *kind, struct part part[PARTS])
{
	const char *const words[PARTS] = {"projects", "locations", kind};

	for (int i = 0; i < PARTS; i++) {
		if (i > 0 && *name++ != '/')
			return false;
		if (!take_part(&name, words[i], &part[i]))
			return false;
	}
	return *name == '\0';
}

bool resource_name_is(const char *name, const char *kind)
{
	struct part part[PARTS];

	return split(name, kind, part);
}

bool service_name_is_alike(const char *a, const char *b)
{
	struct part ours[PARTS], theirs[PARTS];

	return split(a, "services", ours) && split(b, "services", theirs) &&
	       strcmp(ours[REGION].at, theirs[REGION].at) == 0;
}

static const char *copy(struct arena *arena, const struct part *part)
{
	return arena_strndup(arena, part->at, part->len);
}

int service_name_parse(struct service_name *name, const char *full,
	struct arena *arena, struct err *err_r)
{
	struct part part[PARTS];

	*name = (struct service_name){0};
	if (!split(full, "services", part))
		return err_set(err_r, ERR_USAGE,
			"\"%.200s\" is not the full name of a service "
			"(projects/…/locations/…/services/…)",
			full);
	name->full = arena_strdup(arena, full);
	name->project = copy(arena, &part[PROJECT]);
	name->region = copy(arena, &part[REGION]);
	name->name = copy(arena, &part[NAME]);
	return 0;
}
