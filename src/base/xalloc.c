/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is always there; see xalloc.h. */
#include "base/xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		abort();
	return p;
}

void *xrealloc(void *old, size_t n, size_t size)
{
	size_t bytes = n * size;
	void *p;

	if (size && n > SIZE_MAX / size)
		abort();
	p = realloc(old, bytes ? bytes : 1);
	if (!p)
		abort();
	return p;
}

char *xmemdup0(const void *bytes, size_t len)
{
	char *p = xrealloc(NULL, len + 1, 1);

	if (len)
		memcpy(p, bytes, len);
	p[len] = '\0';
	return p;
}

char *xstrdup(const char *s)
{
	return s ? xmemdup0(s, strlen(s)) : NULL;
}

size_t xprintf_len(const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort();
	return (size_t)n;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	size_t size;
	char *p;

	va_start(args, fmt);
	size = xprintf_len(fmt, args) + 1;
	p = xrealloc(NULL, size, 1);
	vsnprintf(p, size, fmt, args);
	va_end(args);
	return p;
}

void xfree(char **p)
{
	free(*p);
	*p = NULL;
}
