/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets, one after the other; see secret_list.h. */
#include "serve/secret_list.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct secret_list {
	struct secret **all;
	size_t n;
};

struct secret_list *secret_list_new(void)
{
	return xcalloc(1, sizeof(struct secret_list));
}

void secret_list_free(struct secret_list **list_p)
{
	struct secret_list *list = *list_p;

	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++)
		secret_free(&list->all[i]);
	free(list->all);
	free(list);
	*list_p = NULL;
}

void secret_list_put(struct secret_list *list, const struct secret **place,
	const struct secret *secret)
{
	if (!secret || (*place && secret_is_same(*place, secret)))
		return;
	list->all = xrealloc(list->all, list->n + 1, sizeof(*list->all));
	list->all[list->n] = secret_dup(secret);
	*place = list->all[list->n++];
}
