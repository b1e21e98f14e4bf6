/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: the one of that name out of a request's header, strictly, and the
 * header that sets one. Pure. */
#ifndef TIDEGATE_IDENTITY_COOKIE_H
#define TIDEGATE_IDENTITY_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A browser keeps cookies of such names only when they were set by exactly this
 * host, over a connection that nobody reads. */
#define COOKIE_SESSION    "__Host-tidegate"
#define COOKIE_LOGIN      "__Host-tidegate-login"
#define COOKIE_HEADER_MAX 8192 /* bytes of the request's header */
#define COOKIE_VALUE_MAX  2048

/* 1 found: a part of the header, no NUL behind it; 0 not there; -1 it comes
 * twice, or is of bytes that we never set. */
MUST_CHECK int cookie_find(const char *header, const char *name,
	const char **value_r, size_t *len_r);

/* The value of Set-Cookie. max_age_s 0: it is taken away; -1: until the browser
 * ends. */
void cookie_print(struct buf *out, const char *name, const char *value,
	int64_t max_age_s);

#endif
