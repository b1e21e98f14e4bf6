/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Releases of a site: the JSON of Firebase Hosting v1beta1, and what a list of
 * them means for going back. Pure: bytes in, struct out.
 */
#ifndef TIDEGATE_ACTION_SITE_CODEC_H
#define TIDEGATE_ACTION_SITE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SITE_VERSION_MAX  200 /* bytes of its name with the NUL */
#define SITE_RELEASES_MAX 100 /* that are looked at; a page of the API */

/* What the message of a release of ours begins with. */
#define SITE_MARK "tidegate rollback "

/* What was live at some time, to go back to. */
struct site_record {
	char version[SITE_VERSION_MAX]; /* sites/SITE/versions/V; "": nothing */
	int64_t released_ms; /* when the release began that was live then */
};

struct site_list;

struct site_releases {
	struct site_record live; /* now */
	bool disabled; /* somebody has taken the site down: nothing is live */
	bool rolled_back; /* the newest release goes back to its version */
	/* The newest version before the live one that no rollback has replaced
	 * and whose content is still there; "": there is none. */
	char previous[SITE_VERSION_MAX];
	/* About the wanted version: gone back to by us since the record, its
	 * content is not kept any more. */
	bool wanted_was_released, wanted_is_gone;
};

/* What an answer lists, which may be long: what is left of it is not. Never
 * NULL; an answer that is no list is told when it is looked at. */
struct site_list *site_list_decode(const char *bytes, size_t len);
void site_list_free(struct site_list **list); /* NULL inside is accepted */

/* `wanted` (may be NULL): what was recorded. */
MUST_CHECK int site_list_look(const struct site_list *list, const char *site,
	const struct site_record *wanted, struct site_releases *releases_r,
	struct err *err_r);

/* The answer to a release: whether it is one of this version. */
bool site_release_is_of(const char *bytes, size_t len, const char *version);

#endif
