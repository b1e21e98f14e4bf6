/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journals of earlier versions, written by their programs (test/journals/make):
 * today's fold has to come to what they said themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/xalloc.h"
#include "status/rollout_snapshot.h"

#define LINE_MAX_BYTES 512

static const char *const versions[] = {"0.1.0"};

/* A line of the index. */
struct archived {
	char story[64], rollout[STORE_ROLLOUT_ID_MAX], phase[64];
	int percent;
	long long entries;
};

static char *archive_path(const char *version, const char *name)
{
	const char *top = getenv("srcdir");

	return xasprintf(
		"%s/test/journals/%s/%s", top ? top : ".", version, name);
}

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text;
	long size;

	if (!file)
		fail_msg("%s cannot be read", path);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size > 0);
	rewind(file);
	text = xcalloc(1, (size_t)size + 1);
	assert_int_equal(fread(text, 1, (size_t)size, file), size);
	fclose(file);
	return text;
}

/* The state file that the text was made of. */
static void state_file_make(
	const char *path, const char *version, const struct archived *archived)
{
	char *name = xasprintf("%s.sql", archived->story);
	char *sql_path = archive_path(version, name);
	char *text = file_text(sql_path);
	sqlite3 *db = NULL;

	unlink(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql_path, sqlite3_errmsg(db));
	sqlite3_close(db);
	free(text);
	free(sql_path);
	free(name);
}

/* Returns how many answers are wrong. */
static int fold_is_the_same(const char *path, const struct archived *archived)
{
	struct err err;
	struct store *store = store_open(path, STORE_EDIT, &err);
	struct rollout_snapshot *snapshot = NULL;
	const char *phase;
	int wrong = 1;

	if (store)
		snapshot = rollout_snapshot_load(
			store, archived->rollout, SNAPSHOT_NEWEST, &err);
	if (!snapshot) {
		print_message("%s: %s\n", archived->story, err.text);
		store_free(&store);
		return 1;
	}
	phase = phase_name(snapshot->fold.state.phase);
	if (strcmp(phase, archived->phase) != 0 ||
		snapshot->fold.percent != archived->percent ||
		snapshot->fold.last_seq != archived->entries)
		print_message("%s %s: %s at %d %% after %lld entries, it was "
			      "%s at %d %% after %lld\n",
			archived->story, archived->rollout, phase,
			snapshot->fold.percent,
			(long long)snapshot->fold.last_seq, archived->phase,
			archived->percent, archived->entries);
	else
		wrong = 0;
	rollout_snapshot_free(&snapshot);
	store_free(&store);
	return wrong;
}

static void each_journal_folds_to_its_end(void **state)
{
	char path[] = "/tmp/tidegate-archive-XXXXXX", line[LINE_MAX_BYTES];
	int fd = mkstemp(path), wrong = 0, rollouts = 0;

	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		char *index_path = archive_path(versions[i], "index");
		FILE *index = fopen(index_path, "r");
		struct archived archived;

		assert_non_null(index);
		while (fgets(line, sizeof(line), index)) {
			assert_int_equal(
				sscanf(line, "%63s %127s %63s %d %lld",
					archived.story, archived.rollout,
					archived.phase, &archived.percent,
					&archived.entries),
				5);
			state_file_make(path, versions[i], &archived);
			wrong += fold_is_the_same(path, &archived);
			rollouts++;
		}
		fclose(index);
		free(index_path);
	}
	unlink(path);
	print_message("%d rollouts\n", rollouts);
	assert_true(rollouts > 50);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_journal_folds_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
