/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alphabet of tokens: RFC 4648 section 5, without padding. Pure.
 */
#ifndef TIDEGATE_BASE_BASE64URL_H
#define TIDEGATE_BASE_BASE64URL_H

#include "base/buf.h"

/* Characters, without a NUL, that so many bytes take. */
#define BASE64URL_LEN(bytes) (((bytes)*4 + 2) / 3)

void base64url_add(struct buf *out, const void *bytes, size_t len);

/* Appends the bytes. -1 unless the text is the only one for them: the alphabet
 * alone, no padding, no unused bit set; or when they do not fit. */
MUST_CHECK int base64url_decode(const char *text, size_t len, struct buf *out);

#endif
