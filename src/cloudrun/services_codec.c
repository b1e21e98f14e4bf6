/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of services; see services_codec.h. */
#include "cloudrun/services_codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cloudrun/json_get.h"

const char *labelled_get(const struct labelled *labelled, const char *label)
{
	const char *value = json_get_hint(labelled->labels, label);

	return value && strlen(value) <= LABEL_VALUE_MAX &&
			       resource_is_label(value)
		       ? value
		       : NULL;
}

/* What cannot be read of one service takes nothing from the others. */
static void take_service(const json_t *item, struct services_page *page)
{
	json_t *labels = json_object_get(item, "labels");
	struct service *service;
	struct err err;

	if (!json_object_size(labels))
		return;
	service = service_of_json(item, &err);
	if (service)
		page->list[page->n++] =
			(struct labelled){service, json_incref(labels)};
	else
		page->n_bad++;
}

int services_page_decode(const char *bytes, size_t len,
	struct services_page *page_r, struct err *err_r)
{
	json_t *root = json_get_root("list of services", bytes, len, err_r);
	const char *next;
	json_t *list, *item;
	int rc = -1;
	size_t i;

	if (!root)
		return -1;
	*page_r = (struct services_page){0};
	if (json_get_array(root, "services", &list, err_r) < 0 ||
		json_get_text(root, "nextPageToken", &next, err_r) < 0)
		goto out;
	if (next && strlen(next) > PAGE_TOKEN_MAX) {
		err_set(err_r, ERR_LIMIT,
			"\"nextPageToken\" has more than %d bytes",
			PAGE_TOKEN_MAX);
		goto out;
	}
	page_r->list =
		xcalloc(json_array_size(list) + 1, sizeof(*page_r->list));
	json_array_foreach(list, i, item) {
		take_service(item, page_r);
	}
	page_r->next = xstrdup(next);
	rc = 0;
out:
	json_decref(root);
	return rc;
}

void services_page_fini(struct services_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		if (page->list[i].service)
			service_free(&page->list[i].service);
		json_decref(page->list[i].labels);
	}
	free(page->list);
	page->list = NULL;
	xfree(&page->next);
	page->n = 0;
}
