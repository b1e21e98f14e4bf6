/* Releases of a site as JSON; see site_codec.h. */
#include "action/site_codec.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"

struct release {
	const json_t *json;
	int64_t time_ms;
};

/* The newest first. */
struct releases {
	struct release item[SITE_RELEASES_MAX];
	size_t n;
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

static const char *version_of(const struct release *release)
{
	return text_of(json_object_get(release->json, "version"), "name");
}

static bool is_of(const struct release *release, const char *version)
{
	return !strcmp(version_of(release), version);
}

static bool is_disabled(const struct release *release)
{
	return !strcmp(text_of(release->json, "type"), "SITE_DISABLE");
}

static bool is_ours(const struct release *release)
{
	return !strncmp(text_of(release->json, "message"), SITE_MARK,
		strlen(SITE_MARK));
}

/* Ours may have had to be sent without a type. */
static bool is_rollback(const struct release *release)
{
	return !strcmp(text_of(release->json, "type"), "ROLLBACK") ||
	       is_ours(release);
}

static bool content_is_kept(const struct release *release)
{
	return !strcmp(
		text_of(json_object_get(release->json, "version"), "status"),
		"FINALIZED");
}

static int later_first(const void *a, const void *b)
{
	const struct release *x = a, *y = b;

	return (x->time_ms < y->time_ms) - (x->time_ms > y->time_ms);
}

/* The order of the list means nothing. */
static void sort(const json_t *list, struct releases *releases)
{
	struct release release = {.time_ms = 0};
	struct err err;
	size_t i;

	releases->n = 0;
	json_array_foreach(list, i, release.json) {
		if (releases->n == SITE_RELEASES_MAX)
			break;
		if (timestamp_parse(text_of(release.json, "releaseTime"),
			    &release.time_ms, &err) == 0)
			releases->item[releases->n++] = release;
	}
	qsort(releases->item, releases->n, sizeof(release), later_first);
}

/* Somebody took this version back: it is no better than the live one. */
static bool was_taken_back(const struct releases *releases, const char *version)
{
	for (size_t i = 0; i + 1 < releases->n; i++)
		if (is_rollback(&releases->item[i]) &&
			!is_of(&releases->item[i], version) &&
			is_of(&releases->item[i + 1], version))
			return true;
	return false;
}

static const struct release *find_previous(const struct releases *releases)
{
	const struct release *release;

	for (size_t i = 1; i < releases->n; i++) {
		release = &releases->item[i];
		if (!is_disabled(release) && *version_of(release) &&
			content_is_kept(release) &&
			!is_of(release, version_of(&releases->item[0])) &&
			!was_taken_back(releases, version_of(release)))
			return release;
	}
	return NULL;
}

static void look_for(const struct releases *releases,
	const struct site_record *wanted, struct site_releases *found)
{
	const struct release *release;

	for (size_t i = 0; i < releases->n; i++) {
		release = &releases->item[i];
		if (!is_of(release, wanted->version))
			continue;
		found->wanted_is_gone |= !content_is_kept(release);
		found->wanted_was_released |=
			is_ours(release) &&
			release->time_ms > wanted->released_ms;
	}
}

/* sites/SITE/versions/V, which becomes part of a URL. */
static int take_version(const struct release *release, const char *site,
	char version_r[SITE_VERSION_MAX], struct err *err_r)
{
	const char *name = version_of(release), *p;
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

static int take(const struct releases *releases, const char *site,
	const struct site_record *wanted, struct site_releases *found,
	struct err *err_r)
{
	const struct release *newest = &releases->item[0], *previous;

	if (!releases->n)
		return 0;
	found->live.released_ms = newest->time_ms;
	found->disabled = is_disabled(newest);
	found->rolled_back = is_rollback(newest);
	if (!found->disabled &&
		take_version(newest, site, found->live.version, err_r) < 0)
		return -1;
	if (wanted)
		look_for(releases, wanted, found);
	previous = find_previous(releases);
	return previous ? take_version(previous, site, found->previous, err_r)
			: 0;
}

int site_releases_decode(const char *bytes, size_t len, const char *site,
	const struct site_record *wanted, struct site_releases *releases_r,
	struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	const json_t *list = json_object_get(root, "releases");
	struct releases releases;
	int rc;

	*releases_r = (struct site_releases){0};
	if (!root || (list && !json_is_array(list) && !json_is_null(list))) {
		rc = bad(err_r, "is no list of releases");
	} else {
		sort(list, &releases);
		rc = take(&releases, site, wanted, releases_r, err_r);
	}
	json_decref(root);
	return rc;
}

bool site_release_is_of(const char *bytes, size_t len, const char *version)
{
	json_t *root = json_loadb(bytes, len, 0, NULL);
	struct release release = {.json = root};
	bool found = root && is_of(&release, version);

	json_decref(root);
	return found;
}
