/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A URL that has passed the rules of http.h, taken apart. Part of http.c.
 */
#ifndef TIDEGATE_IO_HTTP_URL_H
#define TIDEGATE_IO_HTTP_URL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"

#define ORIGIN_HOST_MAX 255

struct origin {
	CURLU *url; /* the whole */
	char *scheme, *host, *port; /* libcurl's memory; port never NULL */
	bool plain, loopback;
};

/* Messages name the host only: the rest of a URL may be secret. */
MUST_CHECK int origin_init(struct origin *origin, const char *url,
	bool plain_ok, struct err *err_r);
void origin_fini(struct origin *origin);

#endif
