/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th call to a disk fails, for n = 1, 2, … until a run comes to its end
 * without it. Whatever fails: the error names the place, what was acknowledged
 * is there, the journal is the beginning of what was to be written and folds,
 * and a later run goes on to the end.
 */
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

#include "base/log.h"
#include "base/xalloc.h"
#include "failing_disk.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/loop.h"
#include "journal_fixture.h"
#include "sample.h"
#include "store/fold.h"
#include "store/journal.h"
#include "until.h"

#define ID          "shop-1"
#define ENTRIES_MAX 512
#define COMMITS     4 /* in which a journal is written */
#define CALLS_MAX   20000 /* of one run */
/* SQLite allocates thousands of times, and hears of each failure in the same
 * way: one in so many fails, all with TIDEGATE_FAIL_EVERY=1. */
#define ALLOCATIONS 13

static char folder[64], path[96];
static struct test_policy test;

/* A rollout that is taken back, as an engine tells it. */
static struct store_event entry[ENTRIES_MAX];
static int n_entries;
static struct arena texts;

static int entry_take(
	const struct store_event *event, void *arg, struct err *err_r)
{
	struct store_event *to = &entry[n_entries++];

	assert_true(n_entries < ENTRIES_MAX);
	*to = *event;
	to->name = arena_strdup(&texts, event->name);
	to->phase = arena_strdup(&texts, event->phase);
	to->data = arena_strdup(&texts, event->data);
	return 0;
}

static struct answers bad_after_a_minute(struct world *world, int slo)
{
	double value = world->now_ms - world->start_ms > 60000 ? 1 : 0;

	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, value}};
}

static void forget_files(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
	char name[128];

	for (size_t i = 0; i < sizeof(suffix) / sizeof(*suffix); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
		unlink(name);
	}
}

static void silence(const char *line, size_t len, void *arg)
{
}

static int setup(void **state)
{
	struct journal_fixture journal;
	static struct world world;
	struct err err;

	log_set_sink(silence, NULL);
	disk_install();
	strcpy(folder, "/tmp/failing_calls.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	arena_init(&texts);
	test_policy_init(&test);
	test_policy_add(&test, LIST_ROLLBACK, "tell");
	world_init(&world, &test.policy);
	world.answer = bad_after_a_minute;
	journal_fixture_open(&journal, path, ID, "", 0);
	journal_fixture_attach(&journal, &world);
	world_start(&world);
	world_run(&world, 3600000);
	assert_int_equal(
		store_each_event(journal.store, ID, 0, entry_take, NULL, &err),
		0);
	journal_fixture_close(&journal);
	forget_files();
	return 0;
}

static int teardown(void **state)
{
	arena_fini(&texts);
	forget_files();
	return rmdir(folder);
}

/* ---- what must hold ---- */

static int entry_compare(
	const struct store_event *event, void *arg, struct err *err_r)
{
	const struct store_event *was = &entry[(*(int *)arg)++];

	assert_int_equal(event->seq, was->seq);
	assert_int_equal(event->time_ms, was->time_ms);
	assert_string_equal(event->name, was->name);
	assert_string_equal(event->phase, was->phase);
	assert_string_equal(event->data, was->data);
	return 0;
}

static void names_the_place(const struct err *err)
{
	if (!strstr(err->text, path))
		fail_msg("\"%s\" names no file", err->text);
}

/* The last entry of the commit in which an entry is. */
static int commit_end(int commit)
{
	return n_entries * commit / COMMITS;
}

static bool is_commit_end(int n)
{
	for (int i = 0; i <= COMMITS; i++)
		if (commit_end(i) == n)
			return true;
	return false;
}

/* How many entries there are: all those that were acknowledged, whole commits,
 * and what they say is a rollout. */
static int look(int acknowledged)
{
	struct err err = {0};
	struct store *store;
	struct fold fold;
	int n = 0;

	if (access(path, F_OK) != 0)
		return acknowledged ? -1 : 0;
	store = store_open(path, STORE_LOOK, &err);
	if (!store) { /* not even the tables were made */
		assert_int_equal(acknowledged, 0);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		return 0;
	}
	assert_int_equal(
		store_each_event(store, ID, 0, entry_compare, &n, &err), 0);
	assert_true(n >= acknowledged);
	assert_true(is_commit_end(n));
	assert_int_equal(fold_rollout(store, ID, &test.policy, &fold, &err), 0);
	assert_int_equal(fold.last_seq, n);
	assert_int_equal(fold.differs_seq, 0);
	if (n == n_entries)
		assert_int_equal(fold.state.phase, PHASE_ROLLED_BACK);
	fold_fini(&fold);
	store_free(&store);
	return n;
}

/* ---- by the store ---- */

static const struct store_rollout row = {.id = ID,
	.service = JOURNAL_SERVICE,
	.candidate = "shop-00002-new",
	.stable = "shop-00001-old",
	.policy_name = "test",
	.policy_path = "test.yaml",
	.policy_source = "",
	.policy_digest = "d",
	.options = "{}",
	.starter = "alice",
	.started_ms = 1,
	.reason = "",
	.phase = "preflight"};

/* Of an earlier run of this process the lease runs out. */
static int lease_take(struct store *store, int64_t *fence_r, struct err *err_r)
{
	struct lease_watch watch = {0};
	struct store_lease lease;
	struct arena arena;
	int rc;

	arena_init(&arena);
	while ((rc = store_lease_take(store, JOURNAL_SERVICE, ID, &watch,
			&arena, &lease, err_r)) == 0)
		clock_shift(1000, 1000);
	*fence_r = lease.fence;
	arena_fini(&arena);
	return rc < 0 ? -1 : 0;
}

/* The rollout, made when it is not there; how far it has come. */
static int rollout_find(struct store *store, int *n_r, struct err *err_r)
{
	struct store_rollout found;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = store_rollout_get(store, ID, &arena, &found, err_r);
	*n_r = rc > 0 ? (int)found.last_seq : 0;
	arena_fini(&arena);
	return rc == 0 ? store_rollout_create(store, &row, err_r) : rc;
}

static int commit_write(
	struct store *store, int64_t fence, int from, int to, struct err *err_r)
{
	bool ended = to == n_entries;

	if (store_begin(store, err_r) < 0)
		return -1;
	if (store_append(store, ID, fence, &entry[from], (size_t)(to - from),
		    "", ended, err_r) < 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err_r);
}

static int entries_write(
	struct store *store, int *acknowledged, struct err *err_r)
{
	int64_t fence;
	int at;

	if (rollout_find(store, &at, err_r) < 0 ||
		lease_take(store, &fence, err_r) < 0)
		return -1;
	for (int i = 1; i <= COMMITS; i++) {
		if (commit_end(i) <= at)
			continue;
		if (commit_write(store, fence, at, commit_end(i), err_r) < 0)
			return -1;
		at = *acknowledged = commit_end(i);
	}
	if (store_lease_renew(store, JOURNAL_SERVICE, fence, err_r) < 0)
		return -1;
	store_lease_drop(store, JOURNAL_SERVICE, fence);
	return 0;
}

/* The whole story; once more goes on where it was left. */
static int story(int *acknowledged, struct err *err_r)
{
	struct store *store = store_open(path, STORE_CREATE, err_r);
	int rc;

	if (!store)
		return -1;
	rc = entries_write(store, acknowledged, err_r);
	store_free(&store);
	return rc;
}

/* Every journal begins anew. False: nothing failed any more. */
static bool story_fails_at(int call, enum disk_trouble trouble, bool lasts)
{
	int acknowledged = 0, rc;
	struct err err = {0};
	bool failed;

	forget_files();
	disk_fail(call, trouble, lasts);
	rc = story(&acknowledged, &err);
	failed = disk_heal();
	if (rc < 0 && !failed)
		fail_msg("call %d: %s", call, err.text);
	if (rc < 0)
		names_the_place(&err);
	else
		assert_int_equal(acknowledged, n_entries);
	look(acknowledged);
	if (rc < 0 && story(&acknowledged, &err) < 0)
		fail_msg("after call %d: %s", call, err.text);
	assert_int_equal(look(acknowledged), n_entries);
	return failed;
}

static void story_fails_everywhere(enum disk_trouble trouble, bool lasts)
{
	const char *every = getenv("TIDEGATE_FAIL_EVERY");
	int step = trouble != DISK_NO_MEMORY ? 1
		   : every                   ? atoi(every)
					     : ALLOCATIONS * sample_every();
	int call = 1;

	while (story_fails_at(call, trouble, lasts))
		assert_true((call += step) < CALLS_MAX);
	print_message("# %d calls\n", call - step);
	assert_true(call > 20);
}

static void one_call_of_the_disk_fails(void **state)
{
	story_fails_everywhere(DISK_ERROR, false);
}

static void the_disk_is_full_from_a_write_on(void **state)
{
	story_fails_everywhere(DISK_FULL, true);
}

static void the_disk_is_gone_from_a_call_on(void **state)
{
	story_fails_everywhere(DISK_ERROR, true);
}

static void sqlite_gets_no_memory_once(void **state)
{
	story_fails_everywhere(DISK_NO_MEMORY, false);
}

/* ---- by the journal's thread ---- */

struct teller {
	struct loop *loop;
	int64_t durable;
	int written, lates;
	bool leased, lost;
	struct err err;
};

static void on_lease(int taken, const struct store_lease *lease,
	const struct err *err, void *arg)
{
	struct teller *t = arg;

	t->leased = taken > 0;
	t->lost = taken < 0;
	if (taken < 0)
		t->err = *err;
}

static void on_durable(int64_t seq, void *arg)
{
	struct teller *t = arg;

	assert_true(seq > t->durable);
	t->durable = seq;
}

static void on_written(const struct store_event *event, void *arg)
{
	struct teller *t = arg;

	assert_int_equal(event->seq, ++t->written);
}

/* Somebody has made room. */
static void on_late(const struct err *err, void *arg)
{
	struct teller *t = arg;

	t->err = *err;
	names_the_place(err);
	t->lates++;
	disk_heal();
}

static void on_lost(const struct err *err, void *arg)
{
	struct teller *t = arg;

	t->lost = true;
	t->err = *err;
}

static const struct journal_owner owner = {
	on_lease, on_durable, on_written, on_late, on_lost};

static void journal_write(struct journal_writer *writer, struct teller *t)
{
	journal_take_lease(writer);
	RUN_UNTIL(t->loop, t->leased || t->lost);
	if (t->lost)
		return;
	journal_create(writer, &row);
	for (int i = 0, end = 1; i < n_entries && !t->lost; i++) {
		journal_append(writer, &entry[i], "", i + 1 == n_entries, NULL);
		if (i + 1 != commit_end(end))
			continue;
		end++;
		journal_flush_first(writer);
		RUN_UNTIL(t->loop, t->durable == i + 1 || t->lost);
	}
}

/* What came of it; the last look sees a healthy disk. */
static void journal_run(int call, bool lasts, struct teller *t)
{
	struct journal_writer *writer;
	struct journal *journal;
	struct store *store;
	struct err err;

	*t = (struct teller){.loop = loop_new(&err)};
	store = store_open(path, STORE_CREATE, &err);
	assert_non_null(store);
	disk_fail(call, lasts ? DISK_FULL : DISK_ERROR, lasts);
	journal = journal_new(t->loop, store, &err);
	writer = journal_open(journal, JOURNAL_SERVICE, ID, &owner, t);
	journal_write(writer, t);
	journal_tell(journal);
	journal_drop_lease(writer);
	journal_close(&writer);
	journal_free(&journal);
	store_free(&store);
	loop_free(&t->loop);
}

static bool journal_fails_at(int call, bool lasts, int *late)
{
	int acknowledged = 0;
	struct teller t;
	struct err err;
	bool failed;

	forget_files();
	journal_run(call, lasts, &t);
	failed = disk_heal() || t.lates;
	assert_true(failed || !t.lost);
	if (t.lost)
		names_the_place(&t.err);
	/* Who could not begin is told; who has begun loses nothing. */
	assert_int_equal(t.lost, !t.leased);
	if (t.leased)
		assert_int_equal(t.durable, n_entries);
	*late += t.lates != 0;
	assert_int_equal(t.written, t.durable);
	look((int)t.durable);
	if (t.lost && story(&acknowledged, &err) < 0)
		fail_msg("after call %d: %s", call, err.text);
	assert_int_equal(look((int)t.durable), n_entries);
	return failed;
}

static void journal_fails_everywhere(bool lasts)
{
	int call = 1, step = sample_every(), late = 0;

	while (journal_fails_at(call, lasts, &late))
		assert_true((call += step) < CALLS_MAX);
	print_message("# %d calls, %d times late\n", call - step, late);
	assert_true(call > 20);
	/* The first open the file, the last close it. */
	assert_true(!lasts || late * step > call / 3);
}

static void one_call_fails_under_the_journal(void **state)
{
	journal_fails_everywhere(false);
}

static void the_disk_is_full_until_the_writer_is_told(void **state)
{
	journal_fails_everywhere(true);
}

/* Two rollouts that have begun. */
static void both_begin(struct teller *t, struct journal_writer *a,
	struct journal_writer *b, struct teller *u)
{
	struct store_rollout other = row;

	other.id = "shop-2";
	other.service = JOURNAL_SERVICE "-2";
	journal_take_lease(a);
	journal_take_lease(b);
	RUN_UNTIL(t->loop, t->leased && u->leased);
	journal_create(a, &row);
	journal_create(b, &other);
	journal_append(a, &entry[0], "", false, NULL);
	journal_append(b, &entry[0], "", false, NULL);
	RUN_UNTIL(t->loop, t->durable == 1 && u->durable == 1);
}

/* One gives its lease back in the commit of the other's entry. */
static bool giving_back_fails_at(int call)
{
	struct journal_writer *a, *b;
	struct journal *journal;
	struct store *store;
	struct teller t, u;
	struct err err;
	bool failed;
	int n = 0;

	forget_files();
	t = u = (struct teller){.loop = loop_new(&err)};
	store = store_open(path, STORE_CREATE, &err);
	assert_non_null(store);
	journal = journal_new(t.loop, store, &err);
	a = journal_open(journal, JOURNAL_SERVICE, ID, &owner, &t);
	b = journal_open(journal, JOURNAL_SERVICE "-2", "shop-2", &owner, &u);
	both_begin(&t, a, b, &u);
	/* Another connection writes, so that all has to be read again. */
	assert_int_equal(
		store_rollout_set_revisions(store, ID, "new", "old", &err), 0);
	disk_fail(call, DISK_ERROR, false);
	journal_renew_lease(a);
	journal_append(b, &entry[1], "", false, NULL);
	journal_drop_lease(a);
	RUN_UNTIL(t.loop, u.durable == 2 || u.lost);
	failed = disk_heal();
	if (u.lost)
		fail_msg("call %d: lost: %s", call, u.err.text);
	assert_int_equal(
		store_each_event(store, "shop-2", 0, entry_compare, &n, &err),
		0);
	assert_int_equal(n, 2);
	journal_close(&a);
	journal_close(&b);
	journal_free(&journal);
	store_free(&store);
	loop_free(&t.loop);
	return failed;
}

static void a_lease_that_is_given_back_takes_no_entry_with_it(void **state)
{
	int call = 1;

	while (giving_back_fails_at(call))
		assert_true(++call < CALLS_MAX);
	assert_true(call > 3);
}

/* ---- files ---- */

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void get(const char *name, char found[64])
{
	FILE *file = fopen(name, "r");

	found[0] = '\0';
	if (!file)
		return;
	found[fread(found, 1, 63, file)] = '\0';
	fclose(file);
}

static bool replace_fails_at(int call, enum disk_trouble trouble)
{
	struct buf text;
	struct err err = {0};
	char found[64];
	bool failed;
	int rc;

	buf_init(&text, 64);
	buf_adds(&text, "what is new\n");
	put(path, "what was before\n");
	disk_fail_own(call, trouble, true);
	rc = file_replace(path, &text, &err);
	failed = disk_heal();
	get(path, found);
	assert_string_equal(found, rc ? "what was before\n" : "what is new\n");
	if (rc)
		names_the_place(&err);
	assert_int_equal(rc != 0, failed);
	/* No draft is left: the teardown removes the folder. */
	assert_int_equal(file_replace(path, &text, &err), 0);
	get(path, found);
	assert_string_equal(found, "what is new\n");
	buf_fini(&text);
	return failed;
}

static void a_report_is_replaced_whole_or_not_at_all(void **state)
{
	int call;

	for (call = 1; replace_fails_at(call, DISK_ERROR); call++)
		;
	assert_int_equal(call - 1, 5); /* open write fsync close rename */
	for (call = 1; replace_fails_at(call, DISK_FULL); call++)
		;
	assert_true(call - 1 >= 5);
}

static bool make_fails_at(int call)
{
	char deep[128], *end;
	struct store *store;
	struct err err = {0};
	bool failed;

	snprintf(deep, sizeof(deep), "%s/a/b/db", folder);
	disk_fail_own(call, DISK_FULL, false);
	store = store_open(deep, STORE_CREATE, &err);
	failed = disk_heal();
	assert_true(
		store || failed); /* a close that fails takes nothing away */
	if (!store && !strstr(err.text, folder))
		fail_msg("\"%s\" names no file", err.text);
	if (!store)
		store = store_open(deep, STORE_CREATE, &err);
	assert_non_null(store);
	store_free(&store);
	unlink(deep);
	for (int i = 0; i < 2; i++) {
		end = strrchr(deep, '/');
		*end = '\0';
		assert_int_equal(rmdir(deep), 0);
	}
	return failed;
}

static void a_state_file_is_made_once_there_is_room(void **state)
{
	int call;

	for (call = 1; make_fails_at(call); call++)
		;
	/* Each folder on the way, and the file. */
	assert_true(call - 1 >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_replaced_whole_or_not_at_all),
		cmocka_unit_test(a_state_file_is_made_once_there_is_room),
		cmocka_unit_test(one_call_of_the_disk_fails),
		cmocka_unit_test(the_disk_is_full_from_a_write_on),
		cmocka_unit_test(the_disk_is_gone_from_a_call_on),
		cmocka_unit_test(sqlite_gets_no_memory_once),
		cmocka_unit_test(one_call_fails_under_the_journal),
		cmocka_unit_test(
			a_lease_that_is_given_back_takes_no_entry_with_it),
		cmocka_unit_test(the_disk_is_full_until_the_writer_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
