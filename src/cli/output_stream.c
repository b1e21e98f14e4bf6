/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where all that is printed leaves the process: straight, or by queues that
 * never wait; see output.h. Nothing else in this folder writes to a stream.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "base/secret.h"
#include "cli/output.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/file_job.h"
#include "io/writer.h"

#define SHOW_BYTES_MAX   (256 * 1024) /* that wait for a reader */
#define RESULT_BYTES_MAX (1024 * 1024 + SHOW_BYTES_MAX)
#define FILES_MAX        4
#define CATCH_UP_MS      1000
#define FLUSH_MS         3000 /* at the end, for all that is left */
#define LAST_WORD_MS     500 /* after that, for what it came to */

struct queued_file {
	const char *name; /* for people: a literal */
	struct file_job *job;
};

static struct {
	bool on;
	/* The same one when both lead to the same place: order is kept. */
	struct writer *out, *err;
	bool json; /* standard output is lines of it */
	output_gap_fn gap;
	void *gap_arg;
	bool impatient; /* its reader did not catch up when it was waited for */
	struct queued_file file[FILES_MAX];
	size_t n_files;
	int out_errno; /* of the first write that standard output refused */
} queue;

/* ---- queues ---- */

static void add_gap(int fd, uint64_t missing, struct buf *out, void *arg)
{
	struct jsonw w = {.out = out};

	if (fd != STDOUT_FILENO || !queue.json) {
		buf_addf(out, "… %llu line%s dropped: there was no room\n",
			(unsigned long long)missing, missing == 1 ? "" : "s");
	} else if (queue.gap) {
		queue.gap(missing, out, queue.gap_arg);
	} else {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "event", "dropped");
		jsonw_int(&w, "count", (int64_t)missing);
		jsonw_end(&w, '}');
		buf_addc(out, '\n');
	}
}

static bool lead_to_the_same_place(void)
{
	struct stat out, err;

	if (output_is_terminal(stdout) && output_is_terminal(stderr))
		return true;
	return fstat(STDOUT_FILENO, &out) == 0 &&
	       fstat(STDERR_FILENO, &err) == 0 && out.st_dev == err.st_dev &&
	       out.st_ino == err.st_ino;
}

void output_never_wait(bool json)
{
	static const struct writer_spec spec = {
		.show_max = SHOW_BYTES_MAX,
		.result_max = RESULT_BYTES_MAX,
		.gap = add_gap,
	};

	if (queue.on)
		return;
	queue.on = true;
	queue.json = json;
	queue.out = writer_new(&spec);
	queue.err = lead_to_the_same_place() ? queue.out : writer_new(&spec);
}

void output_set_gap(output_gap_fn gap, void *arg)
{
	queue.gap = gap;
	queue.gap_arg = arg;
}

static struct writer *writer_of(FILE *stream)
{
	return stream == stdout ? queue.out : queue.err;
}

static bool put(FILE *stream, enum writer_rank rank, const struct buf *text)
{
	if (queue.on)
		return writer_put(
			writer_of(stream), fileno(stream), rank, text);
	if (fwrite(text->data, 1, text->len, stream) < text->len &&
		stream == stdout && !queue.out_errno)
		queue.out_errno = errno;
	return true;
}

void output_write(FILE *stream, const struct buf *text)
{
	put(stream, WRITER_RESULT, text);
}

bool output_show(FILE *stream, const struct buf *text)
{
	return put(stream, WRITER_SHOW, text);
}

bool output_is_stdout(const char *path)
{
	return !path || !strcmp(path, "-");
}

int output_save(const char *path, const struct buf *text, struct err *err_r)
{
	if (!output_is_stdout(path))
		return file_replace(path, text, err_r);
	output_write(stdout, text);
	return 0;
}

void output_text(FILE *stream, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, OUTPUT_BYTES_MAX);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	output_write(stream, &text);
	buf_fini(&text);
}

void output_error(const char *text)
{
	struct buf masked, line;

	buf_init(&masked, OUTPUT_BYTES_MAX);
	buf_adds(&masked, text);
	redact(&masked);
	buf_init(&line, OUTPUT_BYTES_MAX);
	buf_adds(&line, "tidegate: ");
	printable_add_lines(&line, masked.data);
	buf_addc(&line, '\n');
	output_write(stderr, &line);
	buf_fini(&line);
	buf_fini(&masked);
}

size_t output_backlog(FILE *stream)
{
	return queue.on ? writer_backlog(writer_of(stream)) : 0;
}

/* A reader that did not catch up once is not waited for again before it has. */
static void wait_for_reader(struct writer *writer)
{
	queue.impatient = !writer_wait(
		writer, SHOW_BYTES_MAX / 2, queue.impatient ? 0 : CATCH_UP_MS);
}

int output_catch_up(FILE *stream, struct err *err_r)
{
	if (queue.on)
		wait_for_reader(writer_of(stream));
	else if (fflush(stream))
		return err_set(err_r, ERR_IO, "cannot write to %s: %s",
			stream == stdout ? "standard output" : "standard error",
			strerror(errno));
	return 0;
}

/* ---- files ---- */

static void say_trouble(const char *what, const struct err *err)
{
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "%s: %s", what, err->text);
	output_error(text);
}

void output_append(const char *name, const char *path, struct buf *text)
{
	struct queued_file *file = &queue.file[queue.n_files];
	struct err err;

	if (!queue.on) {
		if (file_append(path, text, &err) < 0)
			say_trouble(name, &err);
		return;
	}
	assert(queue.n_files < FILES_MAX);
	file->name = name;
	file->job = file_job_start(FILE_APPEND, path, text, &err);
	if (file->job)
		queue.n_files++;
	else
		say_trouble(name, &err);
}

/* ---- the end ---- */

static int64_t time_left(int64_t until_ms)
{
	int64_t left_ms = until_ms - clock_boot_ms();

	return left_ms > 0 ? left_ms : 0;
}

static void finish_files(int64_t until_ms)
{
	struct queued_file *file;
	struct pollfd poll_fd;
	struct err err;

	for (size_t i = 0; i < queue.n_files; i++) {
		file = &queue.file[i];
		poll_fd = (struct pollfd){
			.fd = file_job_fd(file->job), .events = POLLIN};
		poll(&poll_fd, 1, (int)time_left(until_ms));
		if (file_job_end(&file->job, &err) < 0)
			say_trouble(file->name, &err);
	}
	queue.n_files = 0;
}

static void finish_queues(void)
{
	int64_t until_ms = clock_boot_ms() + FLUSH_MS;
	bool is_shared = queue.out == queue.err;
	struct err err;

	finish_files(until_ms);
	if (!is_shared &&
		writer_close(&queue.out, time_left(until_ms), &err) < 0)
		say_trouble("cannot write to standard output", &err);
	/* Standard output is for results: this loss is not told there. */
	(void)!writer_close(
		&queue.err, time_left(until_ms) + LAST_WORD_MS, &err);
	queue.out = NULL;
	queue.on = false;
}

int output_finish(struct err *err_r)
{
	if (queue.on)
		finish_queues();
	else if (fflush(stdout) || ferror(stdout))
		return err_set(err_r, ERR_IO,
			"cannot write to standard output: %s",
			strerror(queue.out_errno ? queue.out_errno : errno));
	return 0;
}
