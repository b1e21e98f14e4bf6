/* SPDX-License-Identifier: Apache-2.0 */
/* Output that never waits: into pipes that nobody reads, that are closed, that
 * are read slowly, and into a disk that is full. */
#define _GNU_SOURCE /* F_SETPIPE_SZ, O_DIRECT, gettid */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/writer.h"

#define SHOW_MAX   4096
#define RESULT_MAX 8192
#define LINE       64 /* bytes, with the newline */
#define AMPLE_MS   20000 /* for what happens at once on an idle machine */
#define SHORT_MS   200
#define READ_MAX   (4 * 1024 * 1024)

struct pipes {
	int in, out; /* what is written to `in` is read from `out` */
	struct writer *writer;
	struct buf text, found;
	int n_put, n_dropped;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void add_gap(int fd, uint64_t missing, struct buf *out, void *arg)
{
	buf_addf(out, "missing %llu\n", (unsigned long long)missing);
}

static int pipes_setup(void **state)
{
	const struct writer_spec spec = {
		.show_max = SHOW_MAX, .result_max = RESULT_MAX, .gap = add_gap};
	struct pipes *p = xcalloc(1, sizeof(*p));
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(ends))
		return -1;
	p->out = ends[0];
	p->in = ends[1];
	/* As small as the kernel has them. */
	fcntl(p->in, F_SETPIPE_SZ, 4096);
	p->writer = writer_new(&spec);
	buf_init(&p->text, READ_MAX);
	buf_init(&p->found, READ_MAX);
	*state = p;
	return 0;
}

static int pipes_teardown(void **state)
{
	struct pipes *p = *state;
	struct err err;

	(void)!writer_close(&p->writer, 0, &err);
	if (p->out >= 0)
		close(p->out);
	if (p->in >= 0)
		close(p->in);
	buf_fini(&p->text);
	buf_fini(&p->found);
	free(p);
	return 0;
}

static bool put(struct pipes *p, enum writer_rank rank, const char *line)
{
	buf_clear(&p->text);
	buf_adds(&p->text, line);
	return writer_put(p->writer, p->in, rank, &p->text);
}

/* Numbered lines of LINE bytes, until `n` are put or the queue has dropped as
 * many. */
static void put_lines(struct pipes *p, int n, int dropped_max)
{
	char line[LINE + 1];

	while (n-- > 0 && p->n_dropped < dropped_max) {
		snprintf(line, sizeof(line), "%-*d\n", LINE - 1, p->n_put);
		if (!put(p, WRITER_SHOW, line))
			p->n_dropped++;
		p->n_put++;
	}
}

/* Until `n` bytes are there, or the other end is closed. */
static void read_bytes(struct pipes *p, size_t n)
{
	struct pollfd poll_fd = {.fd = p->out, .events = POLLIN};
	char bytes[512];
	ssize_t got;

	while (p->found.len < n) {
		if (poll(&poll_fd, 1, AMPLE_MS) != 1)
			fail_msg("%zu bytes came, then none", p->found.len);
		got = read(p->out, bytes, sizeof(bytes));
		if (got <= 0)
			break;
		buf_add(&p->found, bytes, (size_t)got);
	}
}

static void *read_to_the_end(void *arg)
{
	read_bytes(arg, READ_MAX);
	return NULL;
}

static void close_in(struct pipes *p)
{
	close(p->in);
	p->in = -1;
}

/* What the reader has: every line that was taken, in order, and at each place
 * where some are missing how many. */
static void assert_accounted(struct pipes *p)
{
	char *line = p->found.data, *end;
	int next = 0, taken = 0, missing;

	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		if (sscanf(line, "missing %d", &missing) == 1) {
			assert_true(missing > 0);
			next += missing;
			continue;
		}
		assert_int_equal(end - line, LINE - 1);
		assert_int_equal(atoi(line), next);
		next++;
		taken++;
	}
	assert_int_equal(next, p->n_put);
	assert_int_equal(taken, p->n_put - p->n_dropped);
}

static void what_is_put_comes_out_in_order(void **state)
{
	struct pipes *p = *state;
	struct err err;

	put_lines(p, 20, 1);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	assert_null(p->writer);
	close_in(p);
	read_to_the_end(p);
	assert_accounted(p);
	assert_int_equal(p->n_dropped, 0);
}

static void nothing_put_is_nothing_to_wait_for(void **state)
{
	struct pipes *p = *state;
	struct err err;

	assert_true(put(p, WRITER_SHOW, ""));
	assert_int_equal(writer_backlog(p->writer), 0);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
}

static void a_pipe_that_is_not_read_holds_nobody_and_is_bounded(void **state)
{
	struct pipes *p = *state;
	int64_t start_ms = now_ms();

	put_lines(p, 100000, 100000);
	assert_true(now_ms() - start_ms < AMPLE_MS);
	assert_true(writer_backlog(p->writer) <= SHOW_MAX);
	/* A queue and a pipe full were taken, no more. */
	assert_true(p->n_put - p->n_dropped <= 2 * 4096 / LINE + 1);
	assert_false(writer_wait(p->writer, 0, SHORT_MS));
}

static void the_reader_is_told_what_is_missing_and_where(void **state)
{
	struct pipes *p = *state;
	pthread_t reader;
	struct err err;
	int taken;

	put_lines(p, 1000, 1000);
	taken = p->n_put - p->n_dropped;
	assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, p), 0);
	assert_true(writer_wait(p->writer, 0, AMPLE_MS));
	/* There is room again. */
	put_lines(p, 20, 1000);
	assert_int_equal(p->n_put - p->n_dropped, taken + 20);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close_in(p);
	pthread_join(reader, NULL);
	assert_accounted(p);
}

/* The last that is put is dropped. Some of those before may have been taken. */
static void a_gap_at_the_end_is_told_too(void **state)
{
	static const char gap[] = "missing ";
	struct pipes *p = *state;
	const char *last;
	pthread_t reader;
	struct err err;

	put_lines(p, 1000, 7);
	assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, p), 0);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close_in(p);
	pthread_join(reader, NULL);
	assert_accounted(p);
	assert_int_equal(p->n_dropped, 7);
	last = memrchr(p->found.data, '\n', p->found.len - 1);
	assert_non_null(last);
	assert_memory_equal(last + 1, gap, strlen(gap));
}

/* One that takes a little at a time gets long runs of lines, not a gap between
 * any two of them. */
static void a_slow_reader_gets_few_gaps(void **state)
{
	struct pipes *p = *state;
	int gaps = 0, gap_at = -1, ends[2];

	/* One text at a time, so that each read makes room for one. */
	close(p->in);
	close(p->out);
	assert_int_equal(pipe2(ends, O_DIRECT), 0);
	p->out = ends[0];
	p->in = ends[1];
	fcntl(p->in, F_SETPIPE_SZ, 4096);
	put_lines(p, 1000, 1);
	for (int i = 0; i < 200; i++) {
		read_bytes(p, p->found.len + 2 * LINE);
		put_lines(p, 3, 1 << 30);
	}
	for (const char *s = p->found.data; (s = strstr(s, "missing")); s++) {
		gaps++;
		gap_at = (int)(s - p->found.data);
	}
	assert_true(gap_at > 0);
	assert_true(gaps <= 200 * 2 * LINE / (SHOW_MAX / 2) + 1);
}

static void a_result_has_room_where_a_show_has_none(void **state)
{
	struct pipes *p = *state;
	pthread_t reader;
	struct err err;

	put_lines(p, 1000, 1);
	assert_true(put(p, WRITER_RESULT, "the end\n"));
	assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, p), 0);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close_in(p);
	pthread_join(reader, NULL);
	/* Behind the word about what is missing before it. */
	assert_non_null(strstr(p->found.data, "\nmissing 1\nthe end\n"));
}

static void results_are_bounded_as_well(void **state)
{
	struct pipes *p = *state;
	int taken = 0;

	for (int i = 0; i < 10000; i++)
		taken += put(p, WRITER_RESULT, "a result\n");
	assert_true(taken < 10000);
	assert_true(writer_backlog(p->writer) <= RESULT_MAX);
}

static void a_text_longer_than_the_queue_is_taken_alone(void **state)
{
	struct pipes *p = *state;
	char *line = xcalloc(1, 3 * RESULT_MAX + 1);
	pthread_t reader;
	struct err err;

	memset(line, 'x', 3 * RESULT_MAX);
	assert_true(put(p, WRITER_SHOW, line));
	assert_false(put(p, WRITER_SHOW, line));
	assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, p), 0);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close_in(p);
	pthread_join(reader, NULL);
	assert_memory_equal(p->found.data, line, 3 * RESULT_MAX);
	assert_string_equal(p->found.data + 3 * RESULT_MAX, "missing 1\n");
	free(line);
}

static void a_reader_that_is_gone_is_said_at_the_end(void **state)
{
	struct pipes *p = *state;
	struct err err = {0};

	close(p->out);
	p->out = -1;
	put_lines(p, 3, 3);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.text, "Broken pipe (3 lines lost)");
}

static void a_full_disk_costs_no_time(void **state)
{
	struct pipes *p = *state;
	int64_t start_ms = now_ms();
	struct err err = {0};

	close_in(p);
	p->in = open("/dev/full", O_WRONLY);
	put_lines(p, 1, 1);
	assert_int_equal(writer_close(&p->writer, 60 * AMPLE_MS, &err), -1);
	assert_string_equal(err.text, "No space left on device (1 line lost)");
	assert_true(now_ms() - start_ms < AMPLE_MS);
}

static void a_disk_that_has_room_again_gets_every_line(void **state)
{
	struct pipes *p = *state;
	int full = open("/dev/full", O_WRONLY), good = dup(p->in);
	struct err err = {0};

	dup2(full, p->in);
	close(full);
	put_lines(p, 3, 3);
	assert_false(writer_wait(p->writer, 0, SHORT_MS));
	dup2(good, p->in);
	close(good);
	assert_true(writer_wait(p->writer, 0, AMPLE_MS));
	put_lines(p, 3, 3);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close_in(p);
	read_to_the_end(p);
	assert_int_equal(p->n_dropped, 0);
	assert_accounted(p);
}

static void what_is_not_read_at_the_end_is_given_up_in_time(void **state)
{
	struct pipes *p = *state;
	int64_t start_ms = now_ms(), took_ms;
	struct err err = {0};
	char lost[64];
	int unread;

	put_lines(p, 1000, 5);
	assert_int_equal(writer_close(&p->writer, SHORT_MS, &err), -1);
	took_ms = now_ms() - start_ms;
	assert_true(took_ms >= SHORT_MS && took_ms < AMPLE_MS);
	close_in(p);
	/* What the thread was held by may still come; all else is lost. */
	read_to_the_end(p);
	unread = p->n_put - (int)(p->found.len / LINE);
	snprintf(lost, sizeof(lost), "it is not read (%d lines lost)", unread);
	if (strcmp(err.text, lost) != 0) {
		snprintf(lost, sizeof(lost), "it is not read (%d lines lost)",
			unread + 1);
		assert_string_equal(err.text, lost);
	}
}

static void a_descriptor_that_others_made_non_blocking_is_waited_for(
	void **state)
{
	struct pipes *p = *state;
	pthread_t reader;
	struct err err;

	fcntl(p->in, F_SETFL, O_NONBLOCK);
	put_lines(p, 1000, 1);
	assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, p), 0);
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close_in(p);
	pthread_join(reader, NULL);
	assert_accounted(p);
}

/* As standard output and standard error of one terminal. */
static void texts_for_several_descriptors_keep_their_order(void **state)
{
	struct pipes *p = *state;
	int one = p->in, two = dup(p->in);
	struct err err;

	for (int i = 0; i < 20; i++) {
		p->in = i % 2 ? one : two;
		put_lines(p, 1, 1);
	}
	assert_int_equal(writer_close(&p->writer, AMPLE_MS, &err), 0);
	close(one);
	close(two);
	p->in = -1;
	read_to_the_end(p);
	assert_accounted(p);
}

static volatile sig_atomic_t signalled_in;

static void on_signal(int signo)
{
	signalled_in = (sig_atomic_t)gettid();
}

static void signals_are_not_for_the_thread(void **state)
{
	struct pipes *p = *state;
	struct sigaction action = {.sa_handler = on_signal}, saved;
	sigset_t term, mask;
	struct err err;

	put_lines(p, 1000, 1); /* its thread is held */
	sigaction(SIGTERM, &action, &saved);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, &mask);
	kill(getpid(), SIGTERM);
	assert_int_equal(writer_close(&p->writer, SHORT_MS, &err), -1);
	assert_int_equal(signalled_in, 0);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	assert_int_equal(signalled_in, getpid());
	sigaction(SIGTERM, &saved, NULL);
}

int main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, pipes_setup, pipes_teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_put_comes_out_in_order),
		T(nothing_put_is_nothing_to_wait_for),
		T(a_pipe_that_is_not_read_holds_nobody_and_is_bounded),
		T(the_reader_is_told_what_is_missing_and_where),
		T(a_gap_at_the_end_is_told_too),
		T(a_slow_reader_gets_few_gaps),
		T(a_result_has_room_where_a_show_has_none),
		T(results_are_bounded_as_well),
		T(a_text_longer_than_the_queue_is_taken_alone),
		T(a_reader_that_is_gone_is_said_at_the_end),
		T(a_full_disk_costs_no_time),
		T(a_disk_that_has_room_again_gets_every_line),
		T(what_is_not_read_at_the_end_is_given_up_in_time),
		T(a_descriptor_that_others_made_non_blocking_is_waited_for),
		T(texts_for_several_descriptors_keep_their_order),
		T(signals_are_not_for_the_thread),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
