/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string of bytes; see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static char empty[1];

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.data = empty, .max = max};
}

void buf_init_secret(struct buf *buf, size_t max)
{
	buf_init(buf, max);
	buf->size = max + 1;
	buf->data = xcalloc(buf->size, 1);
}

void buf_fini(struct buf *buf)
{
	if (buf->size)
		free(buf->data);
	buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
	buf_truncate(buf, 0);
	buf->overflow = false;
}

void buf_wipe(struct buf *buf)
{
	if (buf->size)
		explicit_bzero(buf->data, buf->size);
	buf->len = 0;
	buf->overflow = false;
}

static bool reserve(struct buf *buf, size_t len)
{
	size_t need, size;

	if (len > buf->max - buf->len) {
		buf->overflow = true;
		return false;
	}
	need = buf->len + len + 1;
	if (need <= buf->size)
		return true;
	size = buf->size ? buf->size * 2 : 128;
	if (size < need)
		size = need;
	buf->data = xrealloc(buf->size ? buf->data : NULL, size, 1);
	buf->size = size;
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!len || !reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_addc(struct buf *buf, char c)
{
	if (!reserve(buf, 1))
		return;
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

/* Most texts fit into the room that there is: they are formatted once. */
void buf_addv(struct buf *buf, const char *fmt, va_list args)
{
	size_t room = buf->size ? buf->size - buf->len : 0;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, args);
	assert(n >= 0);
	if (!reserve(buf, (size_t)n)) {
		if (room)
			buf->data[buf->len] = '\0'; /* nothing was added */
	} else {
		if ((size_t)n >= room)
			vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt,
				again);
		buf->len += (size_t)n;
	}
	va_end(again);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_addv(buf, fmt, args);
	va_end(args);
}

void buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	if (buf->size)
		buf->data[len] = '\0';
}

char *buf_steal(struct buf *buf)
{
	char *data = buf->size ? buf->data : xstrdup("");

	buf_init(buf, buf->max);
	return data;
}
