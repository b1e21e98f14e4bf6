/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is always there: these abort when there is none, so that error
 * paths speak of the world, not of malloc. free() gives it back.
 */
#ifndef TIDEGATE_BASE_XALLOC_H
#define TIDEGATE_BASE_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t n, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xmemdup0(const void *bytes, size_t len); /* adds a NUL */
char *xasprintf(const char *fmt, ...) PRINTFLIKE(1, 2);

/* Bytes of what is printed, without the NUL; `args` may be used again. */
size_t xprintf_len(const char *fmt, va_list args) PRINTFLIKE(1, 0);

/* Frees what *p points at and sets it to NULL; NULL inside is accepted. */
void xfree(char **p);

#endif
