/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are lists of names: which permissions are held, which
 * revisions there are. Pure JSON text -> struct; see service_codec.h.
 */
#ifndef TIDEGATE_CLOUDRUN_LIST_CODEC_H
#define TIDEGATE_CLOUDRUN_LIST_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define PERMISSIONS_MAX 32 /* asked for at once */

/* {"permissions": […]}, asked for these (ended by NULL). */
void permissions_encode(const char *const *asked, struct buf *out);
/* A bit for each of `asked` that is held; what was not asked for is a bad
 * answer. */
MUST_CHECK int permissions_decode(const char *bytes, size_t len,
	const char *const *asked, unsigned *held_r, struct err *err_r);

/* A page of revisions, newest first. */
struct revisions_page {
	bool found; /* the one looked for is in it */
	int newer; /* revisions before it, or all of them */
	char *next; /* token of the next page; NULL: this was the last */
};

MUST_CHECK int revisions_page_decode(const char *bytes, size_t len,
	const char *looked_for, struct revisions_page *page_r,
	struct err *err_r);
void revisions_page_fini(struct revisions_page *page);

#endif
