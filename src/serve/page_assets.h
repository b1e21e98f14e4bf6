/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Style, script and icon of the pages, made at build time out of assets/ by
 * assets/embed. Their names change with their content, so that a browser may
 * keep them for ever.
 */
#ifndef TIDEGATE_SERVE_PAGE_ASSETS_H
#define TIDEGATE_SERVE_PAGE_ASSETS_H

#include <stddef.h>

struct page_asset {
	const char *name; /* "pages-0123456789abcdef.css" */
	const char *type; /* of the content */
	const unsigned char *bytes;
	size_t len;
	const unsigned char *gzipped; /* the same, by gzip */
	size_t gzipped_len;
};

enum page_asset_kind { ASSET_STYLE, ASSET_SCRIPT, ASSET_ICON, PAGE_ASSETS };

extern const struct page_asset page_assets[PAGE_ASSETS];

/* NULL: there is none of this name. */
const struct page_asset *page_asset_find(const char *name);

#endif
