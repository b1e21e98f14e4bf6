/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names; see list_codec.h. */
#include "cloudrun/list_codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cloudrun/json_get.h"
#include "cloudrun/services_codec.h"

void permissions_encode(const char *const *asked, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_array(&w, "permissions");
	for (; *asked; asked++)
		jsonw_text(&w, NULL, *asked);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
}

static int take_permission(const json_t *item, const char *const *asked,
	unsigned *held, struct err *err_r)
{
	const char *text = json_string_value(item);

	for (int i = 0; text && asked[i]; i++) {
		assert(i < PERMISSIONS_MAX);
		if (strcmp(asked[i], text) != 0)
			continue;
		*held |= 1U << i;
		return 0;
	}
	return err_set(err_r, ERR_PROTOCOL,
		"\"permissions\" has an entry that was not asked for");
}

int permissions_decode(const char *bytes, size_t len, const char *const *asked,
	unsigned *held_r, struct err *err_r)
{
	json_t *root = json_get_root("answer", bytes, len, err_r);
	json_t *list, *item;
	int rc;
	size_t i;

	if (!root)
		return -1;
	*held_r = 0;
	rc = json_get_array(root, "permissions", &list, err_r);
	for (i = 0; rc == 0 && i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		rc = take_permission(item, asked, held_r, err_r);
	}
	json_decref(root);
	return rc;
}

static int count_newer(const json_t *list, const char *looked_for,
	struct revisions_page *page, struct err *err_r)
{
	const char *name;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		name = json_get_hint(item, "name");
		if (!name || !resource_is_label(resource_short_name(name)))
			return err_set(err_r, ERR_PROTOCOL,
				"revisions[%zu] has no name", i);
		if (strcmp(resource_short_name(name), looked_for) == 0) {
			page->found = true;
			return 0;
		}
		page->newer++;
	}
	return 0;
}

int revisions_page_decode(const char *bytes, size_t len, const char *looked_for,
	struct revisions_page *page_r, struct err *err_r)
{
	json_t *root = json_get_root("list of revisions", bytes, len, err_r);
	const char *next;
	json_t *list;
	int rc = -1;

	if (!root)
		return -1;
	*page_r = (struct revisions_page){0};
	if (json_get_array(root, "revisions", &list, err_r) < 0 ||
		json_get_text(root, "nextPageToken", &next, err_r) < 0 ||
		count_newer(list, looked_for, page_r, err_r) < 0)
		goto out;
	if (next && strlen(next) > PAGE_TOKEN_MAX) {
		err_set(err_r, ERR_LIMIT,
			"\"nextPageToken\" has more than %d bytes",
			PAGE_TOKEN_MAX);
		goto out;
	}
	page_r->next = xstrdup(next);
	rc = 0;
out:
	json_decref(root);
	return rc;
}

void revisions_page_fini(struct revisions_page *page)
{
	xfree(&page->next);
}
