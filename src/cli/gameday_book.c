/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book of game days, beside the state file: a line of JSON for each thing
 * that has begun or ended, durable before the next. Whatever kills a game day,
 * the next one, or `gameday --clean`, reads here what there is to be put back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "cli/gameday.h"
#include "io/clock.h"
#include "io/file.h"
#include "store/store_file.h"

#define BOOK_BYTES_MAX (4 * 1024 * 1024) /* read; thousands of days */

int gameday_book_open(
	struct gameday_book *book, const char *state, struct err *err_r)
{
	if (!*state)
		return err_set(err_r, ERR_USAGE,
			"there is no path for the state file, which the book "
			"of game days lies beside: give --state or set "
			"$TIDEGATE_STATE");
	book->path = xasprintf("%s.gameday", state);
	if (store_file_make_folders(book->path, err_r) < 0)
		return -1;
	book->fd = file_open_kept(book->path, err_r);
	if (book->fd < 0)
		return -1;
	if (flock(book->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return err_set(err_r, ERR_BUSY,
		"another game day is under way, which keeps %s: wait for its "
		"end",
		book->path);
}

void gameday_book_close(struct gameday_book *book)
{
	if (book->fd >= 0)
		close(book->fd);
	book->fd = -1;
	xfree(&book->path);
}

/* A line that a full disk has cut is none, and takes no other with it. */
static bool is_cut(const struct gameday_book *book)
{
	struct stat st;
	char last;

	return fstat(book->fd, &st) == 0 && st.st_size > 0 &&
	       pread(book->fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

int gameday_book_write(
	struct gameday_book *book, json_t *entry, struct err *err_r)
{
	char time[TIMESTAMP_TEXT_MAX], *text;
	struct buf line;
	int rc;

	json_object_set_new(entry, "time",
		json_string(timestamp_print(clock_wall_ms(), time)));
	text = json_dumps(entry, JSON_COMPACT);
	json_decref(entry);
	buf_init(&line, BOOK_BYTES_MAX);
	buf_addf(&line, "%s%s\n", is_cut(book) ? "\n" : "", text);
	free(text);
	rc = file_append(book->path, &line, err_r);
	buf_fini(&line);
	if (rc == 0 && fsync(book->fd) < 0)
		rc = err_set(err_r, ERR_IO, "cannot write %.300s: %s",
			book->path, strerror(errno));
	return rc;
}

static const char *text_of(
	const json_t *entry, const char *key, struct arena *arena)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text ? arena_strdup(arena, text) : NULL;
}

int64_t gameday_time(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	int64_t ms;
	struct err err;

	return text && timestamp_parse(text, &ms, &err) == 0 ? ms : 0;
}

/* What came later counts. */
static void take(
	const json_t *entry, struct arena *arena, struct gameday_left *left)
{
	const char *event = json_string_value(json_object_get(entry, "event"));

	if (!event)
		return;
	if (!strcmp(event, "begun"))
		*left = (struct gameday_left){
			.place = {text_of(entry, "service", arena),
				text_of(entry, "policy", arena),
				text_of(entry, "project", arena),
				text_of(entry, "region", arena)},
			.stable = text_of(entry, "stable", arena),
			.bad = text_of(entry, "bad", arena),
			.began_ms = gameday_time(entry, "time")};
	else if (!strcmp(event, "releasing")) {
		left->revision = text_of(entry, "revision", arena);
		left->moved = true;
	} else if (!strcmp(event, "released"))
		left->moved = json_is_true(json_object_get(entry, "moved"));
	else if (!strcmp(event, "ended"))
		*left = (struct gameday_left){0};
}

/* A last line without an end was never durable. */
static void take_lines(
	const struct buf *text, struct arena *arena, struct gameday_left *left)
{
	const char *at = text->data, *end;
	json_t *entry;

	for (; (end = memchr(at, '\n', text->len - (size_t)(at - text->data)));
		at = end + 1) {
		entry = json_loadb(at, (size_t)(end - at), 0, NULL);
		take(entry, arena, left);
		json_decref(entry);
	}
}

int gameday_book_read(struct gameday_book *book, struct arena *arena,
	struct gameday_left *left_r, struct err *err_r)
{
	char piece[4096];
	struct buf text;
	ssize_t n;
	off_t at = 0;
	int rc = 0;

	*left_r = (struct gameday_left){0};
	buf_init(&text, BOOK_BYTES_MAX);
	while ((n = pread(book->fd, piece, sizeof(piece), at)) > 0) {
		buf_add(&text, piece, (size_t)n);
		at += n;
	}
	if (n < 0)
		rc = err_set(err_r, ERR_IO, "cannot read %.300s: %s",
			book->path, strerror(errno));
	else if (text.overflow)
		rc = err_set(err_r, ERR_LIMIT,
			"%.300s has more than %d bytes: move it away, when "
			"nothing of a game day is left",
			book->path, BOOK_BYTES_MAX);
	else if (text.len)
		take_lines(&text, arena, left_r);
	buf_fini(&text);
	return rc;
}
