/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue and the thread that writes it; see writer.h.
 *
 *   put -> waiting -> (the thread writes it) -> written -> freed by a later put
 *
 * The lock is held to move texts between the lists, never while one is written.
 * The thread allocates and frees nothing: that would cost an arena of its own.
 * A thread that is still held by a write when its time is over is left behind;
 * it owns the writer then, writes nothing more and frees it.
 */
#include "io/writer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/thread.h"

#define RETRY_MS      1000 /* while a disk is full */
#define GAP_BYTES_MAX 4096

struct text {
	STAILQ_ENTRY(text) link;
	int fd;
	uint64_t stands_for; /* texts: one, or those that are missing here */
	size_t len, done;
	char bytes[];
};

STAILQ_HEAD(text_list, text);

struct writer {
	struct writer_spec spec;
	/* Of the caller alone. */
	uint64_t missing; /* dropped since the reader was told last */
	int missing_fd;
	bool started;
	pthread_t thread;

	struct monitor monitor;
	struct text_list waiting, written; /* the first one is being written */
	size_t backlog;
	int trouble; /* errno of the last write; 0: it succeeded */
	bool broken; /* no use to go on */
	bool closing, ended;
	bool left_behind;
};

/* ---- the thread ---- */

static bool is_left_behind(struct writer *w)
{
	bool left_behind;

	monitor_lock(&w->monitor);
	left_behind = w->left_behind;
	monitor_unlock(&w->monitor);
	return left_behind;
}

/* 0, or errno. A descriptor that somebody has made non-blocking is waited for
 * as if nobody had. */
static int text_write(struct writer *w, struct text *text)
{
	struct pollfd poll_fd = {.fd = text->fd, .events = POLLOUT};
	ssize_t n;

	while (text->done < text->len && !is_left_behind(w)) {
		n = write(text->fd, text->bytes + text->done,
			text->len - text->done);
		if (n > 0)
			text->done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			poll(&poll_fd, 1, -1);
		else if (n < 0 && errno != EINTR)
			return errno;
	}
	return 0;
}

/* Locked. A full disk may have room again: the text is tried anew until the
 * writer is closed. A reader that has gone stays gone. */
static void text_failed(struct writer *w, int error)
{
	w->trouble = error;
	if ((error != ENOSPC && error != EDQUOT) || w->closing)
		w->broken = true;
	else
		monitor_wait_until(&w->monitor, clock_awake_ms() + RETRY_MS);
}

static void text_written(struct writer *w, struct text *text)
{
	w->trouble = 0;
	STAILQ_REMOVE_HEAD(&w->waiting, link);
	STAILQ_INSERT_TAIL(&w->written, text, link);
	w->backlog -= text->len;
	monitor_tell(&w->monitor);
}

static void texts_free(struct text_list *list)
{
	struct text *text;

	while ((text = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, link);
		free(text);
	}
}

static void writer_free(struct writer *w)
{
	texts_free(&w->waiting);
	texts_free(&w->written);
	monitor_fini(&w->monitor);
	free(w);
}

/* Locked. The next text, waiting for it; NULL: that was all. */
static struct text *text_next(struct writer *w)
{
	while (!w->broken && !w->left_behind && !w->closing &&
		STAILQ_EMPTY(&w->waiting))
		monitor_wait(&w->monitor);
	return w->broken || w->left_behind ? NULL : STAILQ_FIRST(&w->waiting);
}

static void *writer_run(void *arg)
{
	struct writer *w = arg;
	struct text *text;
	bool is_ours;
	int error;

	monitor_lock(&w->monitor);
	while ((text = text_next(w))) {
		monitor_unlock(&w->monitor);
		error = text_write(w, text);
		monitor_lock(&w->monitor);
		if (error)
			text_failed(w, error);
		else if (!w->left_behind)
			text_written(w, text);
	}
	w->ended = true;
	is_ours = w->left_behind;
	monitor_tell(&w->monitor);
	monitor_unlock(&w->monitor);
	if (is_ours)
		writer_free(w);
	return NULL;
}

/* When there is no thread to be had, the next put tries again. */
static void writer_start(struct writer *w)
{
	int error;

	if (w->started)
		return;
	error = thread_start(&w->thread, writer_run, w);
	w->started = error == 0;
	if (error)
		w->trouble = error;
}

/* ---- the caller ---- */

struct writer *writer_new(const struct writer_spec *spec)
{
	struct writer *w = xcalloc(1, sizeof(*w));

	assert(spec->show_max < spec->result_max);
	w->spec = *spec;
	STAILQ_INIT(&w->waiting);
	STAILQ_INIT(&w->written);
	monitor_init(&w->monitor);
	return w;
}

static void text_add(
	struct writer *w, int fd, const struct buf *bytes, uint64_t stands_for)
{
	struct text *text = xcalloc(1, sizeof(*text) + bytes->len);
	struct text_list written = STAILQ_HEAD_INITIALIZER(written);

	text->fd = fd;
	text->stands_for = stands_for;
	text->len = bytes->len;
	memcpy(text->bytes, bytes->data, bytes->len);
	monitor_lock(&w->monitor);
	STAILQ_INSERT_TAIL(&w->waiting, text, link);
	w->backlog += text->len;
	STAILQ_CONCAT(&written, &w->written);
	monitor_tell(&w->monitor);
	monitor_unlock(&w->monitor);
	texts_free(&written);
	writer_start(w);
}

/* Only the thread makes the backlog smaller: what has room now has it still
 * when it is added. After a gap half of the queue is emptied first, so that a
 * slow reader does not get a gap between any two lines. */
static bool has_room(struct writer *w, enum writer_rank rank, size_t len)
{
	size_t max = rank == WRITER_RESULT ? w->spec.result_max
		     : w->missing          ? w->spec.show_max / 2
					   : w->spec.show_max;
	size_t backlog = writer_backlog(w);

	return backlog == 0 || backlog + len <= max;
}

/* The line that tells the reader how much was dropped; empty if nothing was. */
static void gap_init(struct writer *w, struct buf *gap)
{
	buf_init(gap, GAP_BYTES_MAX);
	if (w->missing)
		w->spec.gap(w->missing_fd, w->missing, gap, w->spec.arg);
}

static void gap_add(struct writer *w, const struct buf *gap)
{
	if (!w->missing)
		return;
	text_add(w, w->missing_fd, gap, w->missing);
	w->missing = 0;
}

bool writer_put(
	struct writer *w, int fd, enum writer_rank rank, const struct buf *text)
{
	struct buf gap;
	bool fits;

	if (!text->len)
		return true;
	gap_init(w, &gap);
	fits = has_room(w, rank, gap.len + text->len);
	if (fits) {
		gap_add(w, &gap);
		text_add(w, fd, text, 1);
	} else {
		w->missing++;
		w->missing_fd = fd;
	}
	buf_fini(&gap);
	return fits;
}

size_t writer_backlog(struct writer *w)
{
	size_t backlog;

	monitor_lock(&w->monitor);
	backlog = w->backlog;
	monitor_unlock(&w->monitor);
	return backlog;
}

bool writer_wait(struct writer *w, size_t backlog_max, int64_t wait_ms)
{
	int64_t until_ms = clock_awake_ms() + wait_ms;
	bool in_time = true;

	monitor_lock(&w->monitor);
	while (in_time && !w->broken && w->backlog > backlog_max)
		in_time = monitor_wait_until(&w->monitor, until_ms);
	in_time = w->backlog <= backlog_max;
	monitor_unlock(&w->monitor);
	return in_time;
}

/* ---- the end ---- */

/* Locked. Waits for the thread's end; false: it is left behind. */
static bool thread_ends(struct writer *w, int64_t wait_ms)
{
	int64_t until_ms = clock_awake_ms() + wait_ms;
	bool in_time = true;

	w->closing = true;
	monitor_tell(&w->monitor);
	while (in_time && w->started && !w->ended)
		in_time = monitor_wait_until(&w->monitor, until_ms);
	w->left_behind = w->started && !w->ended;
	return !w->left_behind;
}

/* Locked. What still waits is lost, and so are the texts a gap stands for. */
static int say_lost(const struct writer *w, struct err *err_r)
{
	const struct text *text;
	uint64_t n = 0;

	STAILQ_FOREACH(text, &w->waiting, link)
		n += text->stands_for;
	if (n == 0)
		return 0;
	return err_set(err_r, ERR_IO, "%s (%llu line%s lost)",
		w->trouble ? strerror(w->trouble) : "it is not read",
		(unsigned long long)n, n == 1 ? "" : "s");
}

int writer_close(struct writer **writer, int64_t wait_ms, struct err *err_r)
{
	struct writer *w = *writer;
	pthread_t thread;
	bool ended, started;
	struct buf gap;
	int rc;

	if (!w)
		return 0;
	*writer = NULL;
	gap_init(w, &gap);
	gap_add(w, &gap);
	buf_fini(&gap);
	thread = w->thread;
	started = w->started;
	monitor_lock(&w->monitor);
	ended = thread_ends(w, wait_ms);
	rc = say_lost(w, err_r);
	monitor_unlock(&w->monitor);
	if (!ended) {
		pthread_detach(thread);
		return rc;
	}
	if (started)
		pthread_join(thread, NULL);
	writer_free(w);
	return rc;
}
