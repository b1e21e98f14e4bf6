/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing string of bytes with a named maximum. The bytes are always
 * followed by a NUL, so that `b.data` is a C string when there is none inside.
 * What does not fit is dropped whole and `overflow` is set: look at it once,
 * at the end.
 */
#ifndef TIDEGATE_BASE_BUF_H
#define TIDEGATE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
	char *data; /* never NULL after buf_init */
	size_t len, size, max;
	bool overflow;
};

void buf_init(struct buf *buf, size_t max); /* max: bytes without the NUL */
/* For secrets: takes all its room at once, since growing leaves copies behind;
 * to be wiped before it is finished. */
void buf_init_secret(struct buf *buf, size_t max);
void buf_fini(struct buf *buf); /* wipes nothing; may be called twice */
void buf_clear(struct buf *buf);
void buf_wipe(struct buf *buf); /* for secrets: overwrites, then clears */

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_adds(struct buf *buf, const char *s);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *fmt, ...) PRINTFLIKE(2, 3);
void buf_addv(struct buf *buf, const char *fmt, va_list args) PRINTFLIKE(2, 0);
void buf_truncate(struct buf *buf, size_t len);

/* The bytes, owned by the caller from now on; the buffer is empty again. */
char *buf_steal(struct buf *buf);

#endif
