/* SPDX-License-Identifier: Apache-2.0 */
/* Part files of recordings; see recorder_part.h. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/file.h"
#include "sim/recorder_part.h"

struct part {
	char *path;
	FILE *file;
};

static int trouble(const struct part *part, struct err *err_r)
{
	return err_set(err_r, ERR_IO, "%s: %s", part->path, strerror(errno));
}

/* The next whole line as an object; NULL: there is none. */
static json_t *read_line(struct part *part)
{
	json_t *root = NULL;
	struct buf line;
	int c = 0;

	buf_init(&line, PART_LINE_MAX);
	while (c != '\n' && !line.overflow && (c = getc(part->file)) != EOF)
		buf_addc(&line, (char)c);
	if (c == '\n' && !line.overflow)
		root = json_loadb(
			line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	buf_fini(&line);
	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

static int write_line(struct part *part, json_t *root, struct err *err_r)
{
	char *line = json_dumps(root, JSON_COMPACT);
	int rc = 0;

	json_decref(root);
	if (!line)
		return err_set(err_r, ERR_PROTOCOL,
			"an answer is not text that can be kept");
	if (fputs(line, part->file) < 0 || fputc('\n', part->file) < 0 ||
		fflush(part->file) != 0)
		rc = trouble(part, err_r);
	free(line);
	return rc;
}

static int begin(
	struct part *part, const struct part_head *head, struct err *err_r)
{
	return write_line(part,
		json_pack("{s:s, s:I, s:I}", "identity", head->identity, "from",
			(json_int_t)head->from_ms, "to",
			(json_int_t)head->to_ms),
		err_r);
}

static int take_head(struct part *part, const json_t *root,
	struct part_head *head, struct err *err_r)
{
	const char *identity =
		json_string_value(json_object_get(root, "identity"));
	int64_t from = json_integer_value(json_object_get(root, "from"));
	int64_t to = json_integer_value(json_object_get(root, "to"));

	if (!identity || strcmp(identity, head->identity) != 0 || from <= 0 ||
		from >= to)
		return err_set(err_r, ERR_INVALID,
			"%s was begun for another policy, time or interval; "
			"remove it to begin anew",
			part->path);
	head->from_ms = from;
	head->to_ms = to;
	return 0;
}

struct part *part_open(
	const char *path, struct part_head *head, struct err *err_r)
{
	int rc, fd = file_open_kept(path, err_r);
	struct part *part;
	json_t *root;

	if (fd < 0)
		return NULL;
	part = xcalloc(1, sizeof(*part));
	part->path = xstrdup(path);
	part->file = fdopen(fd, "a+e");
	if (!part->file) {
		trouble(part, err_r);
		close(fd);
		part_free(&part);
		return NULL;
	}
	rewind(part->file);
	root = read_line(part);
	if (root)
		rc = take_head(part, root, head, err_r);
	else if (fseek(part->file, 0, SEEK_END) == 0 && ftell(part->file) == 0)
		rc = begin(part, head, err_r);
	else
		rc = err_set(err_r, ERR_INVALID,
			"%s is not a part of a recording; remove it", path);
	json_decref(root);
	if (rc < 0)
		part_free(&part);
	return part;
}

static int tell(
	const json_t *root, part_chunk_fn fn, void *arg, struct err *err_r)
{
	const json_t *body = json_object_get(root, "answer");
	json_int_t series = json_integer_value(json_object_get(root, "series"));
	const struct part_chunk chunk = {
		.series = series < 0 || series > INT_MAX ? -1 : (int)series,
		.to_ms = json_integer_value(json_object_get(root, "to")),
		.body = json_string_value(body),
		.body_len = json_string_length(body),
	};

	return chunk.body ? fn(&chunk, arg, err_r) : 0;
}

int part_each_chunk(
	struct part *part, part_chunk_fn fn, void *arg, struct err *err_r)
{
	long good = ftell(part->file);
	json_t *root;
	int rc = 0;

	while (rc == 0 && (root = read_line(part))) {
		rc = tell(root, fn, arg, err_r);
		json_decref(root);
		good = ftell(part->file);
	}
	if (rc == 0 && (good < 0 || ftruncate(fileno(part->file), good) != 0 ||
			       fseek(part->file, 0, SEEK_END) != 0))
		rc = trouble(part, err_r);
	return rc;
}

int part_add(
	struct part *part, const struct part_chunk *chunk, struct err *err_r)
{
	return write_line(part,
		json_pack("{s:i, s:I, s:s%}", "series", chunk->series, "to",
			(json_int_t)chunk->to_ms, "answer", chunk->body,
			chunk->body_len),
		err_r);
}

void part_free(struct part **part)
{
	if (!*part)
		return;
	if ((*part)->file)
		fclose((*part)->file);
	free((*part)->path);
	free(*part);
	*part = NULL;
}
