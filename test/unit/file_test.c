/* SPDX-License-Identifier: Apache-2.0 */
/* Whole texts into files: what is replaced, and what is written through. Only
 * what the test made itself in a folder of its own is written to. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
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

#include "base/xalloc.h"
#include "io/file_job.h"
#include "until.h"

#define TEXT_MAX (1024 * 1024)
#define AMPLE_MS 20000 /* for what happens at once on an idle machine */
#define SHORT_MS 200

struct folder {
	char path[64], file[96], other[96];
	struct buf text;
};

static int folder_setup(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->path, sizeof(f->path), "/tmp/file-test-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/file", f->path);
	snprintf(f->other, sizeof(f->other), "%s/other", f->path);
	buf_init(&f->text, TEXT_MAX);
	*state = f;
	return 0;
}

static int folder_teardown(void **state)
{
	struct folder *f = *state;

	unlink(f->file);
	unlink(f->other);
	buf_fini(&f->text);
	/* And no draft is left. */
	if (rmdir(f->path))
		return -1;
	free(f);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void assert_holds(const char *path, const char *text)
{
	char found[256] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(found, text);
}

static mode_t kind_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & S_IFMT;
}

static void replace(struct folder *f, const char *path, const char *text)
{
	struct err err = {0};

	buf_clear(&f->text);
	buf_adds(&f->text, text);
	if (file_replace(path, &f->text, &err))
		fail_msg("%s", err.text);
}

static void a_file_is_made_with_the_rights_of_any_other(void **state)
{
	struct folder *f = *state;
	mode_t mask = umask(027);
	struct stat st;

	replace(f, f->file, "new\n");
	umask(mask);
	assert_holds(f->file, "new\n");
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_regular_file_is_replaced_as_a_whole(void **state)
{
	struct folder *f = *state;

	put(f->file, "what was there before\n");
	assert_int_equal(link(f->file, f->other), 0);
	replace(f, f->file, "new\n");
	assert_holds(f->file, "new\n");
	/* Whoever has the old one open reads it to its end. */
	assert_holds(f->other, "what was there before\n");
}

static void a_symlink_stays_one(void **state)
{
	struct folder *f = *state;

	put(f->other, "what was there before\n");
	assert_int_equal(symlink("other", f->file), 0);
	replace(f, f->file, "new\n");
	assert_int_equal(kind_of(f->file), S_IFLNK);
	assert_int_equal(kind_of(f->other), S_IFREG);
	assert_holds(f->other, "new\n");
}

static void what_a_symlink_names_is_made(void **state)
{
	struct folder *f = *state;

	assert_int_equal(symlink("other", f->file), 0);
	replace(f, f->file, "new\n");
	assert_int_equal(kind_of(f->file), S_IFLNK);
	assert_holds(f->other, "new\n");
}

/* As /dev/null would be, which an unprivileged user cannot make. */
static void a_fifo_stays_one_and_its_reader_gets_the_text(void **state)
{
	struct folder *f = *state;
	char found[16] = "";
	pid_t reader;
	int status, fd;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	reader = fork();
	if (reader == 0) {
		fd = open(f->file, O_RDONLY);
		_exit(read(fd, found, sizeof(found)) == 4 &&
					!memcmp(found, "new\n", 4)
				? 0
				: 1);
	}
	replace(f, f->file, "new\n");
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	assert_int_equal(kind_of(f->file), S_IFIFO);
}

/* By a child that has no right to put anything in the place of a device. */
static int write_devices(struct folder *f)
{
	struct err err = {0};

	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 2;
	buf_adds(&f->text, "new\n");
	if (file_replace("/dev/null", &f->text, &err) < 0)
		return 3;
	if (file_replace("/dev/full", &f->text, &err) == 0)
		return 4;
	return strcmp(err.text,
		       "cannot write /dev/full: No space left on device")
		       ? 5
		       : 0;
}

static void devices_are_written_through(void **state)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(write_devices(*state));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(kind_of("/dev/null"), S_IFCHR);
}

/* `tidegate report -o /dev/stdout >>file`: what stands in the file stays. */
static void our_own_output_is_not_cut_off(void **state)
{
	struct folder *f = *state;
	int saved = dup(STDOUT_FILENO);
	int fd;

	put(f->other, "before\n");
	fd = open(f->other, O_WRONLY | O_APPEND);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	assert_int_equal(symlink("/proc/self/fd/1", f->file), 0);
	replace(f, f->file, "new\n");
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_holds(f->other, "before\nnew\n");
}

static void what_cannot_be_made_is_said_and_leaves_nothing(void **state)
{
	struct folder *f = *state;
	struct err err = {0};

	buf_adds(&f->text, "new\n");
	assert_int_equal(
		file_replace("/proc/self/no/file", &f->text, &err), -1);
	assert_string_equal(err.text,
		"cannot write /proc/self/no/file: No such file or directory");
	/* A folder cannot be replaced. */
	assert_int_equal(file_replace(f->path, &f->text, &err), -1);
	assert_non_null(strstr(err.text, "Is a directory"));
}

static void drafts_that_a_crash_left_are_in_nobodys_way(void **state)
{
	struct folder *f = *state;
	char draft[128];

	snprintf(draft, sizeof(draft), "%s.%ld-0", f->file, (long)getpid());
	put(draft, "half of");
	replace(f, f->file, "new\n");
	assert_holds(f->file, "new\n");
	assert_holds(draft, "half of");
	unlink(draft);
}

static void what_is_appended_stands_at_the_end(void **state)
{
	struct folder *f = *state;
	struct err err = {0};

	buf_adds(&f->text, "one\n");
	assert_int_equal(file_append(f->file, &f->text, &err), 0);
	assert_int_equal(file_append(f->file, &f->text, &err), 0);
	assert_holds(f->file, "one\none\n");
	assert_int_equal(file_append(f->path, &f->text, &err), -1);
}

/* ---- beside a loop ---- */

static struct file_job *start_job(
	struct folder *f, enum file_how how, const char *text)
{
	struct err err = {0};
	struct file_job *job;

	buf_adds(&f->text, text);
	job = file_job_start(how, f->file, &f->text, &err);
	if (!job)
		fail_msg("%s", err.text);
	assert_int_equal(f->text.len, 0);
	return job;
}

static bool is_done_within(const struct file_job *job, int ms)
{
	struct pollfd poll_fd = {.fd = file_job_fd(job), .events = POLLIN};

	return poll(&poll_fd, 1, ms) == 1;
}

static void a_job_says_when_it_is_done(void **state)
{
	struct folder *f = *state;
	struct file_job *job = start_job(f, FILE_REPLACE, "new\n");
	struct err err = {0};

	assert_true(is_done_within(job, AMPLE_MS));
	assert_int_equal(file_job_end(&job, &err), 0);
	assert_null(job);
	assert_holds(f->file, "new\n");
	job = start_job(f, FILE_APPEND, "more\n");
	assert_true(is_done_within(job, AMPLE_MS));
	assert_int_equal(file_job_end(&job, &err), 0);
	assert_holds(f->file, "new\nmore\n");
}

static void a_job_says_what_went_wrong(void **state)
{
	struct folder *f = *state;
	struct file_job *job;
	struct err err = {0};

	assert_int_equal(symlink("no/such/folder", f->file), 0);
	job = start_job(f, FILE_REPLACE, "new\n");
	assert_true(is_done_within(job, AMPLE_MS));
	assert_int_equal(file_job_end(&job, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "No such file or directory"));
}

/* Until a name is gone: the thread that had it open has come to its end. */
static bool holds_open(const char *path)
{
	char link[64], name[128];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, name, sizeof(name) - 1);
		if (n < 0)
			continue;
		name[n] = '\0';
		if (strncmp(name, path, strlen(path)) == 0)
			return true;
	}
	return false;
}

static void a_job_that_is_given_up_changes_nothing_later(void **state)
{
	struct folder *f = *state;
	struct pollfd reader = {.events = POLLIN};
	struct file_job *job;
	struct err err = {0};
	char byte;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	job = start_job(f, FILE_REPLACE, "new\n");
	assert_false(is_done_within(job, SHORT_MS));
	assert_int_equal(file_job_end(&job, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	/* The reader comes too late: its end is all that it sees. */
	reader.fd = open(f->file, O_RDONLY | O_NONBLOCK);
	assert_int_equal(poll(&reader, 1, AMPLE_MS), 1);
	assert_int_equal(read(reader.fd, &byte, 1), 0);
	close(reader.fd);
	UNTIL(!holds_open(f->file));
}

static void no_job_is_nothing_to_end(void **state)
{
	struct file_job *job = NULL;
	struct err err;

	assert_int_equal(file_job_end(&job, &err), 0);
}

/* ---- kept between runs ---- */

static void what_is_kept_is_added_to(void **state)
{
	struct folder *f = *state;
	char read_back[8] = "";
	struct err err;
	int fd, i;

	for (i = 0; i < 2; i++) {
		fd = file_open_kept(f->file, &err);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, "ab", 2), 2);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(read(fd, read_back, 7), 2 * i + 2);
		close(fd);
	}
	assert_holds(f->file, "abab");
}

static void refuse_to_keep(struct folder *f, const char *why)
{
	struct err err = {0};
	int fd = file_open_kept(f->file, &err);

	if (fd >= 0)
		fail_msg("%s is opened", f->file);
	assert_non_null(strstr(err.text, why));
	assert_non_null(strstr(err.text, "remove it"));
}

static void what_somebody_else_put_there_is_not_kept_in(void **state)
{
	struct folder *f = *state;

	assert_int_equal(symlink("other", f->file), 0);
	refuse_to_keep(f, "it is a symlink"); /* nor is "other" made */
	assert_int_equal(access(f->other, F_OK), -1);
	unlink(f->file);
	assert_int_equal(mkfifo(f->file, 0600), 0);
	refuse_to_keep(f, "not a regular file"); /* at once */
	unlink(f->file);
	put(f->other, "theirs\n");
	assert_int_equal(link(f->other, f->file), 0);
	refuse_to_keep(f, "another name");
	assert_holds(f->other, "theirs\n");
}

static void what_belongs_to_another_user_is_not_kept_in(void **state)
{
	struct folder *f = *state;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	put(f->file, "theirs\n");
	assert_int_equal(chown(f->file, 65534, 65534), 0);
	refuse_to_keep(f, "another user");
}

int main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		T(a_file_is_made_with_the_rights_of_any_other),
		T(a_regular_file_is_replaced_as_a_whole),
		T(a_symlink_stays_one),
		T(what_a_symlink_names_is_made),
		T(a_fifo_stays_one_and_its_reader_gets_the_text),
		T(devices_are_written_through),
		T(our_own_output_is_not_cut_off),
		T(what_cannot_be_made_is_said_and_leaves_nothing),
		T(drafts_that_a_crash_left_are_in_nobodys_way),
		T(what_is_appended_stands_at_the_end),
		T(what_is_kept_is_added_to),
		T(what_somebody_else_put_there_is_not_kept_in),
		T(what_belongs_to_another_user_is_not_kept_in),
		T(a_job_says_when_it_is_done),
		T(a_job_says_what_went_wrong),
		T(a_job_that_is_given_up_changes_nothing_later),
		T(no_job_is_nothing_to_end),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
