/* SPDX-License-Identifier: Apache-2.0 */
/* hiredis on our loop; see redis_attach.h. Sends and reads nothing itself. */
#include "action/redis_attach.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"

struct attachment {
	struct loop *loop;
	redisAsyncContext *context;
	struct watch *read, *write;
	void (*too_large)(redisAsyncContext *context);
};

/* Either of these may free the attachment: nothing follows the call. */
static void on_read(int fd, int what, void *arg)
{
	struct attachment *attachment = arg;
	redisAsyncContext *context = attachment->context;

	if (context->c.reader->len > REDIS_UNREAD_MAX)
		attachment->too_large(context);
	else
		redisAsyncHandleRead(context);
}

static void on_write(int fd, int what, void *arg)
{
	struct attachment *attachment = arg;

	redisAsyncHandleWrite(attachment->context);
}

static void add_read(void *arg)
{
	struct attachment *a = arg;

	if (!a->read)
		a->read = watch_start(
			a->loop, a->context->c.fd, WATCH_READ, on_read, a);
}

static void del_read(void *arg)
{
	watch_cancel(&((struct attachment *)arg)->read);
}

static void add_write(void *arg)
{
	struct attachment *a = arg;

	if (!a->write)
		a->write = watch_start(
			a->loop, a->context->c.fd, WATCH_WRITE, on_write, a);
}

static void del_write(void *arg)
{
	watch_cancel(&((struct attachment *)arg)->write);
}

static void cleanup(void *arg)
{
	del_read(arg);
	del_write(arg);
	free(arg);
}

void redis_attach(struct loop *loop, redisAsyncContext *context,
	void (*too_large)(redisAsyncContext *context))
{
	struct attachment *a = xcalloc(1, sizeof(*a));

	*a = (struct attachment){
		.loop = loop, .context = context, .too_large = too_large};
	context->ev.data = a;
	context->ev.addRead = add_read;
	context->ev.delRead = del_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = del_write;
	context->ev.cleanup = cleanup;
}
