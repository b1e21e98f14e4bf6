/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a region's services, of which those with labels are kept. Pure JSON
 * text -> struct; see service_codec.h.
 */
#ifndef TIDEGATE_CLOUDRUN_SERVICES_CODEC_H
#define TIDEGATE_CLOUDRUN_SERVICES_CODEC_H

#include <jansson.h>

#include "cloudrun/service_codec.h"

#define PAGE_TOKEN_MAX  4096 /* bytes */
#define LABEL_VALUE_MAX 63

/* One service with its labels, an object. */
struct labelled {
	struct service *service;
	json_t *labels;
};

struct services_page {
	struct labelled *list;
	size_t n;
	int n_bad; /* with labels, and not to be read */
	char *next; /* token of the next page; NULL: this was the last */
};

MUST_CHECK int services_page_decode(const char *bytes, size_t len,
	struct services_page *page_r, struct err *err_r);
void services_page_fini(struct services_page *page);
/* NULL: it is not there, or nothing that may be a label's value. Borrowed. */
const char *labelled_get(const struct labelled *labelled, const char *label);

/* service_codec.c: one service out of an answer with many. */
MUST_CHECK struct service *service_of_json(
	const json_t *root, struct err *err_r);

#endif
