/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state file that is made: how often the disk is waited for, and what is there
 * when a step on the way fails.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>

#include "failing_disk.h"
#include "store/store.h"

/* Of the file, and of its name. */
#define SYNCS     2
#define CALLS_MAX 100

static char folder[64], path[96];

static void forget_files(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
	char name[128];

	for (size_t i = 0; i < sizeof(suffix) / sizeof(*suffix); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
		unlink(name);
	}
}

static int setup(void **state)
{
	disk_install();
	strcpy(folder, "/tmp/state_file.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	return 0;
}

static int teardown(void **state)
{
	forget_files();
	return rmdir(folder);
}

static int files_in_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += *entry->d_name != '.';
	closedir(dir);
	return n;
}

static void it_can_be_used(void)
{
	struct err err;
	struct store *store = store_open(path, STORE_CREATE, &err);
	struct arena arena;
	struct store_rollout row;

	if (!store)
		fail_msg("%s", err.text);
	arena_init(&arena);
	assert_int_equal(
		store_rollout_get(store, "none", &arena, &row, &err), 0);
	arena_fini(&arena);
	store_free(&store);
	assert_int_equal(files_in_folder(), 1);
}

static void a_new_file_is_waited_for_twice(void **state)
{
	int fd = open(folder, O_TMPFILE | O_WRONLY, 0600);
	int before = disk_syncs();
	struct store *store;
	struct err err;

	if (fd < 0) /* this file system has no files without a name */
		skip();
	close(fd);
	store = store_open(path, STORE_CREATE, &err);
	assert_non_null(store);
	assert_int_equal(disk_syncs() - before, SYNCS);
	store_free(&store);
	it_can_be_used();
	forget_files();
}

/* False: nothing failed any more. */
static bool making_fails_at(int call, enum disk_trouble trouble, bool lasts)
{
	struct err err = {0};
	struct store *store;
	bool failed;

	disk_fail_own(call, trouble, lasts);
	store = store_open(path, STORE_CREATE, &err);
	failed = disk_heal();
	if (!store && !strstr(err.text, folder))
		fail_msg("call %d: \"%s\" names no place", call, err.text);
	assert_true(store || failed);
	store_free(&store);
	assert_in_range(files_in_folder(), 0, 1);
	it_can_be_used();
	forget_files();
	return failed;
}

/* The other way to make it does without that step. */
static void whichever_step_fails_nothing_is_left_and_it_is_made_later(
	void **state)
{
	static const enum disk_trouble troubles[] = {DISK_ERROR, DISK_FULL};

	for (int i = 0; i < 4; i++) {
		int call = 1;

		while (making_fails_at(call, troubles[i / 2], i % 2 != 0))
			assert_true(++call < CALLS_MAX);
		/* The folder, the file, its bytes, name and both syncs. */
		assert_true(call - 1 >= 6);
	}
}

/* ---- a log without its file ---- */

static const struct store_rollout row = {.id = "shop-1",
	.service = "projects/p/locations/r/services/shop",
	.candidate = "",
	.stable = "",
	.policy_name = "test",
	.policy_path = "test.yaml",
	.policy_source = "version: 1",
	.policy_digest = "d",
	.options = "{}",
	.starter = "alice",
	.started_ms = 1,
	.reason = "",
	.phase = "preflight"};

/* A process was killed, and its state file alone was removed. */
static void leave_a_log(void)
{
	char log[128], aside[128];
	struct store *store;
	struct err err;

	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(aside, sizeof(aside), "%s-aside", path);
	store = store_open(path, STORE_CREATE, &err);
	assert_non_null(store);
	assert_int_equal(store_rollout_create(store, &row, &err), 0);
	assert_int_equal(link(log, aside), 0);
	store_free(&store);
	forget_files();
	assert_int_equal(rename(aside, log), 0);
}

static void what_is_made_anew_has_nothing_of_a_log_that_was_left(void **state)
{
	struct store_rollout found;
	struct store *store;
	struct arena arena;
	struct err err;

	leave_a_log();
	store = store_open(path, STORE_CREATE, &err);
	if (!store)
		fail_msg("%s", err.text);
	arena_init(&arena);
	assert_int_equal(
		store_rollout_get(store, row.id, &arena, &found, &err), 0);
	arena_fini(&arena);
	store_free(&store);
	it_can_be_used();
	forget_files();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_waited_for_twice),
		cmocka_unit_test(
			whichever_step_fails_nothing_is_left_and_it_is_made_later),
		cmocka_unit_test(
			what_is_made_anew_has_nothing_of_a_log_that_was_left),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
