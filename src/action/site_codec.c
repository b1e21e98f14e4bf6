/* SPDX-License-Identifier: Apache-2.0 */
/* Releases of a site as JSON; see site_codec.h. */
#include "action/site_codec.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

/* One of a site; its texts are the list's. */
struct release {
	int64_t time_ms;
	const char *version; /* its name; "": it has none */
	bool disabled; /* the site was taken down */
	bool ours;
	bool rollback; /* ours may have had to be sent without a type */
	bool kept; /* its content is still there */
};

/* The newest first. */
struct site_list {
	struct release item[SITE_RELEASES_MAX];
	size_t n;
	bool wrong; /* it was no list */
	struct arena arena;
};

static int bad(struct err *err_r, const char *why)
{
	return err_set(err_r, ERR_PROTOCOL, "the answer %s", why);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static const char *version_of(const json_t *release)
{
	return text_of(json_object_get(release, "version"), "name");
}

static bool is_of(const struct release *release, const char *version)
{
	return !strcmp(release->version, version);
}

static void release_read(const json_t *json, struct site_list *list)
{
	const json_t *version = json_object_get(json, "version");
	const char *type = text_of(json, "type");
	struct release release = {
		.disabled = !strcmp(type, "SITE_DISABLE"),
		.ours = !strncmp(
			text_of(json, "message"), SITE_MARK, strlen(SITE_MARK)),
		.kept = !strcmp(text_of(version, "status"), "FINALIZED"),
	};
	struct err err;

	if (timestamp_parse(
		    text_of(json, "releaseTime"), &release.time_ms, &err) < 0)
		return;
	release.rollback = release.ours || !strcmp(type, "ROLLBACK");
	release.version = arena_strdup(&list->arena, version_of(json));
	list->item[list->n++] = release;
}

static int later_first(const void *a, const void *b)
{
	const struct release *x = a, *y = b;

	return (x->time_ms < y->time_ms) - (x->time_ms > y->time_ms);
}

/* The order of the list means nothing. */
struct site_list *site_list_decode(const char *bytes, size_t len)
{
	struct site_list *list = xcalloc(1, sizeof(*list));
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *releases = json_object_get(root, "releases"), *release;
	size_t i;

	arena_init(&list->arena);
	list->wrong = !root || (releases && !json_is_array(releases) &&
				       !json_is_null(releases));
	json_array_foreach(releases, i, release) {
		if (list->n == SITE_RELEASES_MAX)
			break;
		release_read(release, list);
	}
	json_decref(root);
	qsort(list->item, list->n, sizeof(list->item[0]), later_first);
	return list;
}

void site_list_free(struct site_list **list)
{
	if (!*list)
		return;
	arena_fini(&(*list)->arena);
	free(*list);
	*list = NULL;
}

/* Somebody took this version back: it is no better than the live one. */
static bool was_taken_back(const struct site_list *list, const char *version)
{
	for (size_t i = 0; i + 1 < list->n; i++)
		if (list->item[i].rollback && !is_of(&list->item[i], version) &&
			is_of(&list->item[i + 1], version))
			return true;
	return false;
}

static const struct release *find_previous(const struct site_list *list)
{
	const struct release *release;

	for (size_t i = 1; i < list->n; i++) {
		release = &list->item[i];
		if (!release->disabled && *release->version && release->kept &&
			!is_of(release, list->item[0].version) &&
			!was_taken_back(list, release->version))
			return release;
	}
	return NULL;
}

static void look_for(const struct site_list *list,
	const struct site_record *wanted, struct site_releases *found)
{
	const struct release *release;

	for (size_t i = 0; i < list->n; i++) {
		release = &list->item[i];
		if (!is_of(release, wanted->version))
			continue;
		found->wanted_is_gone |= !release->kept;
		found->wanted_was_released |=
			release->ours && release->time_ms > wanted->released_ms;
	}
}

/* sites/SITE/versions/V, which becomes part of a URL. */
static int take_version(const struct release *release, const char *site,
	char version_r[SITE_VERSION_MAX], struct err *err_r)
{
	const char *name = release->version, *p;
	char prefix[SITE_VERSION_MAX + 64];
	size_t len = (size_t)snprintf(
		prefix, sizeof(prefix), "sites/%.180s/versions/", site);

	if (strncmp(name, prefix, len) != 0 || strlen(name) >= SITE_VERSION_MAX)
		return bad(err_r, "names a version of another site");
	for (p = name + len;
		isalnum((unsigned char)*p) || *p == '-' || *p == '_';)
		p++;
	if (*p || p == name + len)
		return bad(err_r, "names a version that is none");
	snprintf(version_r, SITE_VERSION_MAX, "%s", name);
	return 0;
}

int site_list_look(const struct site_list *list, const char *site,
	const struct site_record *wanted, struct site_releases *found_r,
	struct err *err_r)
{
	const struct release *newest = &list->item[0], *previous;

	*found_r = (struct site_releases){0};
	if (list->wrong)
		return bad(err_r, "is no list of releases");
	if (!list->n)
		return 0;
	found_r->live.released_ms = newest->time_ms;
	found_r->disabled = newest->disabled;
	found_r->rolled_back = newest->rollback;
	if (!found_r->disabled &&
		take_version(newest, site, found_r->live.version, err_r) < 0)
		return -1;
	if (wanted)
		look_for(list, wanted, found_r);
	previous = find_previous(list);
	return previous ? take_version(previous, site, found_r->previous, err_r)
			: 0;
}

bool site_release_is_of(const char *bytes, size_t len, const char *version)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	bool found = root && !strcmp(version_of(root), version);

	json_decref(root);
	return found;
}
