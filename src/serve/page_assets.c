/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what was embedded; see page_assets.h. */
#include "serve/page_assets.h"

#include <string.h>

const struct page_asset *page_asset_find(const char *name)
{
	for (size_t i = 0; i < PAGE_ASSETS; i++)
		if (!strcmp(page_assets[i].name, name))
			return &page_assets[i];
	return NULL;
}
