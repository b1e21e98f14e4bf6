/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the process: which streams share a queue, what a reader is told,
 * how long the end may take. Each test is a process with streams of its own. */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/output.h"
#include "io/clock.h"

#define AMPLE_MS 20000 /* for what takes a moment on an idle machine */

#define MUCH 4000 /* lines of a KiB: more than a queue takes */

struct pipe {
	int out, in;
};

/* Full: nobody reads what stands in it. */
static struct pipe pipe_full(void)
{
	char bytes[4096];
	struct pipe pipe;
	int ends[2];

	memset(bytes, '\n', sizeof(bytes));
	if (pipe2(ends, O_CLOEXEC))
		abort();
	pipe = (struct pipe){.out = ends[0], .in = ends[1]};
	fcntl(pipe.in, F_SETPIPE_SZ, sizeof(bytes));
	fcntl(pipe.in, F_SETFL, O_NONBLOCK);
	while (write(pipe.in, bytes, sizeof(bytes)) > 0)
		;
	fcntl(pipe.in, F_SETFL, 0);
	return pipe;
}

static bool show(FILE *stream, const char *text)
{
	struct buf line;
	bool taken;

	buf_init(&line, OUTPUT_BYTES_MAX);
	buf_adds(&line, text);
	taken = output_show(stream, &line);
	buf_fini(&line);
	return taken;
}

/* The exit status of a child that does this with these two streams. */
static int child(int (*fn)(void), int out, int err)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* 1: what waits for standard error waits before standard output, too. */
static int are_shared(void)
{
	output_never_wait(false);
	show(stderr, "a line\n");
	return output_backlog(stdout) > 0 ? 1 : 0;
}

static void streams_that_lead_to_the_same_place_share_a_queue(void **state)
{
	struct pipe one = pipe_full(), other = pipe_full();
	int again = dup(one.in);

	assert_int_equal(child(are_shared, one.in, again), 1);
	assert_int_equal(child(are_shared, one.in, other.in), 0);
}

static int finish_in_time(void)
{
	int64_t start_ms = clock_boot_ms();
	struct err err;

	output_never_wait(true);
	show(stdout, "{}\n");
	show(stderr, "a line\n");
	if (output_finish(&err) < 0)
		return 2;
	return clock_boot_ms() - start_ms < AMPLE_MS ? 0 : 3;
}

static void a_full_disk_is_no_error_of_a_rollout(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(child(finish_in_time, full, full), 0);
}

static int finish_at_once(void)
{
	struct err err;

	show(stdout, "a result\n");
	return output_finish(&err) < 0 && err.code == ERR_IO ? 1 : 0;
}

static void without_queues_a_lost_result_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_int_equal(child(finish_at_once, full, null), 1);
	assert_int_equal(child(finish_at_once, null, null), 0);
}

/* Lines until one is dropped; then the reader comes. */
static int drop_one(int out)
{
	char bytes[4096];
	struct err err;
	pid_t reader;
	int taken = 0, status, last = -1;

	output_never_wait(true);
	while (show(stdout, "{\"event\":\"check\"}\n"))
		taken++;
	reader = fork();
	if (reader == 0) {
		FILE *file = fdopen(out, "r");

		close(STDOUT_FILENO);
		while (fgets(bytes, sizeof(bytes), file)) {
			if (strstr(bytes, "{\"event\":\"check\"}\n"))
				taken--;
			last = strcmp(
				bytes, "{\"event\":\"dropped\",\"count\":1}\n");
		}
		_exit(taken == 0 && last == 0 ? 0 : 1);
	}
	if (output_finish(&err) < 0)
		return 2;
	close(STDOUT_FILENO);
	waitpid(reader, &status, 0);
	return WEXITSTATUS(status);
}

static void programs_are_told_by_a_line_of_json(void **state)
{
	struct pipe one = pipe_full();
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = fork();
	int status;

	/* Nobody else holds the pipe open, or its reader would see no end. */
	if (pid == 0) {
		dup2(one.in, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(one.in);
		_exit(drop_one(one.out));
	}
	close(one.in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As watch does with a long journal that is there already. */
static int print_much(FILE *stream, int n)
{
	char line[1024];
	struct err err;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	while (n-- > 0) {
		output_text(stream, "%s\n", line);
		if (output_catch_up(stream, &err) < 0)
			return -1;
	}
	return 0;
}

static int print_to_a_reader(void)
{
	struct err err;

	output_never_wait(false);
	return print_much(stdout, MUCH) || output_finish(&err) ? 1 : 0;
}

static void who_prints_much_lets_the_reader_catch_up(void **state)
{
	struct pipe one = pipe_full();
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
	char bytes[8]; /* slower than the other side prints */
	size_t found = 0;
	ssize_t n;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(one.in, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		_exit(print_to_a_reader());
	}
	close(one.in);
	while ((n = read(one.out, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			found += bytes[i] == 'x';
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(found, MUCH * 1023);
}

/* Neither then nor at the end for longer than a little, and it is no error. */
static int print_to_nobody(void)
{
	int64_t start_ms = clock_boot_ms();
	struct err err;

	output_never_wait(false);
	if (print_much(stdout, MUCH) || output_finish(&err))
		return 1;
	return clock_boot_ms() - start_ms < AMPLE_MS ? 0 : 2;
}

static void a_reader_that_never_comes_is_waited_for_once(void **state)
{
	struct pipe one = pipe_full(), other = pipe_full();

	assert_int_equal(child(print_to_nobody, one.in, other.in), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			streams_that_lead_to_the_same_place_share_a_queue),
		cmocka_unit_test(a_full_disk_is_no_error_of_a_rollout),
		cmocka_unit_test(without_queues_a_lost_result_is_an_error),
		cmocka_unit_test(programs_are_told_by_a_line_of_json),
		cmocka_unit_test(who_prints_much_lets_the_reader_catch_up),
		cmocka_unit_test(a_reader_that_never_comes_is_waited_for_once),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
