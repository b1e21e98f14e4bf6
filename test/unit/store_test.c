/* SPDX-License-Identifier: Apache-2.0 */
/* The state file: journal, leases, commands, and what can be wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/clock.h"
#include "store/holder.h"
#include "store/store.h"
#include "until.h"

#define SERVICE "projects/p/locations/r/services/shop"
#define NOBODY  65534

static char folder[64], path[128];
static struct arena arena;

static int setup(void **state)
{
	strcpy(folder, "/tmp/store_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a/b.db", folder);
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	char command[256];

	arena_fini(&arena);
	snprintf(command, sizeof(command), "chmod -R u+w %s; rm -r %s", folder,
		folder);
	return system(command);
}

static struct store *open_ok(enum store_mode mode)
{
	struct err err = {0};
	struct store *store = store_open(path, mode, &err);

	if (!store)
		fail_msg("%s", err.text);
	return store;
}

static void open_fails(enum store_mode mode, const char *text)
{
	struct err err = {0};
	struct store *store = store_open(path, mode, &err);

	assert_null(store);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" lacks \"%s\"", err.text, text);
}

/* SQL through a connection that is not ours. */
static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static void create(struct store *store, const char *id, const char *service)
{
	struct store_rollout rollout = {
		.id = id,
		.service = service,
		.candidate = "",
		.stable = "",
		.policy_name = "policy",
		.policy_path = "p.yaml",
		.policy_source = "version: 1\n",
		.policy_digest = "00ff",
		.options = "{}",
		.starter = "alice",
		.started_ms = 1000,
		.phase = "preflight",
	};
	struct err err;

	ok(store_rollout_create(store, &rollout, &err), &err);
}

/* One who wants the lease and looks once more; the fence, 0: it is held. */
static int64_t look(
	struct store *store, const char *service, struct lease_watch *watch)
{
	struct store_lease lease;
	struct err err;
	int rc = store_lease_take(
		store, service, "r", watch, &arena, &lease, &err);

	ok(rc, &err);
	return rc ? lease.fence : 0;
}

static int64_t take(struct store *store, const char *service)
{
	struct lease_watch watch = {0};

	return look(store, service, &watch);
}

/* Waits for a lease that nobody renews, with looks a second apart. */
static int64_t take_over(struct store *store, const char *service)
{
	struct lease_watch watch = {0};
	int64_t fence;
	int looks = 0;

	while (!(fence = look(store, service, &watch))) {
		clock_shift(1000, 1000);
		assert_true(++looks <= STORE_LEASE_MS / 1000 + 1);
	}
	assert_true(looks >= STORE_LEASE_MS / 1000);
	return fence;
}

static const char *entry_data = "{}";

static int append(struct store *store, const char *id, int64_t fence,
	int64_t seq, struct err *err)
{
	struct store_event event = {
		.seq = seq,
		.time_ms = 1000 + seq,
		.name = "timer",
		.phase = "baking",
		.percent = 10,
		.data = entry_data,
	};

	return store_append(store, id, fence, &event, 1, "because", false, err);
}

static int count(const struct store_event *event, void *arg, struct err *err)
{
	++*(int *)arg;
	return 0;
}

static int entries(struct store *store, const char *id, int64_t after)
{
	struct err err;
	int n = 0;

	ok(store_each_event(store, id, after, count, &n, &err), &err);
	return n;
}

static void a_new_file_is_for_its_owner_alone(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	char parent[128];
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(parent, sizeof(parent), "%s/a", folder);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(store_is_owned_by_us(store));
	store_free(&store);
	assert_null(store);
	store = open_ok(STORE_LOOK);
	store_free(&store);
	store_free(&store);
}

static void a_missing_file_is_said_to_be_missing(void **state)
{
	open_fails(STORE_LOOK, "there is no state file");
	open_fails(STORE_EDIT, "there is no state file");
	assert_int_equal(access(path, F_OK), -1);
}

static void a_file_of_the_future_names_both_versions(void **state)
{
	struct store *store = open_ok(STORE_CREATE);

	store_free(&store);
	sql("PRAGMA user_version = 7");
	open_fails(STORE_CREATE, "has version 7, this tidegate knows versions "
				 "up to 6");
	open_fails(STORE_LOOK, "has version 7");
}

static void a_file_of_another_program_is_left_alone(void **state)
{
	struct store *store = open_ok(STORE_CREATE);

	store_free(&store);
	assert_int_equal(unlink(path), 0);
	sql("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
	open_fails(STORE_CREATE, "database of another program");
	sql("SELECT a FROM theirs; PRAGMA application_id = 5");
	open_fails(STORE_CREATE, "database of another program");
}

static void write_file(const char *bytes, size_t len, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void a_text_file_is_not_a_state_file(void **state)
{
	static char text[5000];
	struct store *store = open_ok(STORE_CREATE);

	store_free(&store);
	memset(text, 'x', sizeof(text));
	write_file(text, sizeof(text), 0);
	open_fails(STORE_CREATE, "not a state file of tidegate");
	open_fails(STORE_LOOK, "not a state file of tidegate");
	assert_int_equal(truncate(path, 0), 0);
	open_fails(STORE_LOOK, "is empty");
	open_fails(STORE_EDIT, "is empty");
	strcpy(path, folder);
	open_fails(STORE_CREATE, "not a regular file");
}

static void a_damaged_file_is_an_error_not_a_crash(void **state)
{
	static char junk[4096];
	struct store *store = open_ok(STORE_CREATE);
	struct store_rollout rollout;
	struct stat st;
	struct err err;
	off_t at;
	int rc;

	create(store, "shop-1", SERVICE);
	store_free(&store);
	memset(junk, 0xa5, sizeof(junk));
	assert_int_equal(stat(path, &st), 0);
	for (at = 4096; at < 8 * 4096; at += 4096) /* the oldest tables */
		write_file(junk, sizeof(junk), at);
	store = open_ok(STORE_LOOK);
	rc = store_rollout_get(store, "shop-1", &arena, &rollout, &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERR_STORE);
	assert_non_null(strstr(err.text, "is damaged"));
	store_free(&store);
	for (; at < st.st_size; at += 4096)
		write_file(junk, sizeof(junk), at);
	open_fails(STORE_LOOK, "is damaged");
}

static void a_truncated_file_is_an_error_not_a_crash(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct store_rollout rollout;
	struct err err;

	create(store, "shop-1", SERVICE);
	store_free(&store);
	assert_int_equal(truncate(path, 4096), 0);
	store = store_open(path, STORE_EDIT, &err);
	if (store) {
		assert_int_equal(store_rollout_get(store, "shop-1", &arena,
					 &rollout, &err),
			-1);
		store_free(&store);
	}
	assert_non_null(strstr(err.text, "is damaged"));
}

/* Runs `fn` in a child without root's rights; its result is the status. */
static int as_nobody(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (getuid() == 0 && setuid(NOBODY))
			_exit(99);
		_exit(fn());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int look_and_count(void)
{
	struct err err = {0};
	struct store *store = store_open(path, STORE_LOOK, &err);
	int n = store ? entries(store, "shop-1", 0) : -1;

	if (!store)
		fprintf(stderr, "%s\n", err.text);
	store_free(&store);
	return n < 0 ? 97 : n;
}

static int edit_is_refused(void)
{
	struct store *store;
	struct err err = {0};

	store = store_open(path, STORE_EDIT, &err);
	if (store && store_begin(store, &err) == 0)
		return 1;
	store_free(&store);
	if (!strstr(err.text, "read-only") && !strstr(err.text, "cannot be"))
		fprintf(stderr, "%s\n", err.text);
	return !strstr(err.text, "read-only") && !strstr(err.text, "cannot be");
}

static void make_read_only(void)
{
	char parent[128];

	snprintf(parent, sizeof(parent), "%s/a", folder);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(chmod(parent, 0555), 0);
}

static void looking_works_on_a_read_only_file_and_folder(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct err err;

	create(store, "shop-1", SERVICE);
	ok(append(store, "shop-1", take(store, SERVICE), 1, &err), &err);
	store_free(&store);
	make_read_only();
	assert_int_equal(as_nobody(look_and_count), 1);
	assert_int_equal(as_nobody(edit_is_refused), 0);
}

static void looking_works_while_somebody_writes(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	int64_t fence = take(store, SERVICE);
	struct err err;

	create(store, "shop-1", SERVICE);
	ok(append(store, "shop-1", fence, 1, &err), &err);
	ok(store_begin(store, &err), &err);
	ok(append(store, "shop-1", fence, 2, &err), &err);
	assert_int_equal(as_nobody(look_and_count), getuid() ? 1 : 97);
	make_read_only();
	/* The log's index is there but not readable for others: refused. */
	assert_int_equal(as_nobody(look_and_count), getuid() ? 1 : 97);
	ok(store_commit(store, &err), &err);
	store_free(&store);
}

/* What waits in the log, which is not beside the link, is missed by nobody. */
static void a_link_stands_for_the_file_that_it_leads_to(void **state)
{
	snprintf(path, sizeof(path), "%s/link.db", folder);
	assert_int_equal(symlink("a/b.db", path), 0);
	looking_works_while_somebody_writes(state);
}

static int small_limit(sqlite3 *db, const char **text, const void *api)
{
	return sqlite3_exec(db, "PRAGMA max_page_count=40", NULL, NULL, NULL);
}

static void a_full_disk_is_said_and_loses_nothing(void **state)
{
	static char large[1000]; /* each entry is a commit of its own */
	struct store *store;
	struct err err = {0};
	int64_t fence, seq = 0;

	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, "{}", 2);
	entry_data = large;
	sqlite3_auto_extension((void (*)(void))small_limit);
	store = open_ok(STORE_CREATE);
	sqlite3_cancel_auto_extension((void (*)(void))small_limit);
	create(store, "shop-1", SERVICE);
	fence = take(store, SERVICE);
	while (seq < 100000 &&
		append(store, "shop-1", fence, seq + 1, &err) == 0)
		seq++;
	assert_int_equal(err.code, ERR_DISK);
	assert_non_null(strstr(err.text, "no space is left"));
	assert_true(seq > 10);
	assert_int_equal(entries(store, "shop-1", 0), seq);
	store_free(&store);
	/* With space again it goes on where it was. */
	store = open_ok(STORE_EDIT);
	ok(append(store, "shop-1", fence, seq + 1, &err), &err);
	store_free(&store);
	entry_data = "{}";
}

static void a_locked_file_is_said_to_be_locked(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct err err;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(store_begin(store, &err), -1);
	assert_non_null(strstr(err.text, "is locked"));
	sqlite3_close(db);
	ok(store_begin(store, &err), &err);
	store_free(&store);
}

static void a_hostile_schema_has_no_power(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct err err;

	create(store, "shop-1", SERVICE);
	store_free(&store);
	sql("CREATE TRIGGER t AFTER INSERT ON event BEGIN"
	    " UPDATE rollout SET reason = 'owned'; END");
	store = open_ok(STORE_EDIT);
	ok(append(store, "shop-1", take(store, SERVICE), 1, &err), &err);
	store_free(&store);
	sql("CREATE TABLE seen AS SELECT 1 / (reason = 'because') AS x"
	    " FROM rollout;"
	    "CREATE TABLE strict (x NOT NULL);"
	    "INSERT INTO strict SELECT x FROM seen");
}

static void the_journal_has_no_gaps(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	int64_t fence = take(store, SERVICE);
	struct store_rollout rollout;
	struct err err;

	create(store, "shop-1", SERVICE);
	ok(append(store, "shop-1", fence, 1, &err), &err);
	assert_int_equal(append(store, "shop-1", fence, 1, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(append(store, "shop-1", fence, 3, &err), -1);
	assert_int_equal(append(store, "nobody", fence, 1, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	ok(append(store, "shop-1", fence, 2, &err), &err);
	assert_int_equal(entries(store, "shop-1", 0), 2);
	assert_int_equal(entries(store, "shop-1", 1), 1);
	assert_int_equal(
		store_rollout_get(store, "shop-1", &arena, &rollout, &err), 1);
	assert_int_equal(rollout.last_seq, 2);
	assert_string_equal(rollout.phase, "baking");
	assert_string_equal(rollout.reason, "because");
	assert_string_equal(rollout.policy_source, "version: 1\n");
	store_free(&store);
	sql("UPDATE event SET seq = 5 WHERE seq = 1");
	store = open_ok(STORE_LOOK);
	assert_int_equal(
		store_each_event(store, "shop-1", 0, count, &(int){0}, &err),
		-1);
	assert_non_null(strstr(err.text, "is damaged"));
	store_free(&store);
}

static void what_is_rolled_back_was_never_there(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	int64_t fence = take(store, SERVICE);
	struct err err;

	create(store, "shop-1", SERVICE);
	ok(store_begin(store, &err), &err);
	ok(append(store, "shop-1", fence, 1, &err), &err);
	ok(append(store, "shop-1", fence, 2, &err), &err);
	store_rollback(store);
	assert_int_equal(entries(store, "shop-1", 0), 0);
	ok(store_begin(store, &err), &err);
	ok(append(store, "shop-1", fence, 1, &err), &err);
	ok(store_commit(store, &err), &err);
	assert_int_equal(entries(store, "shop-1", 0), 1);
	store_free(&store);
}

static void a_fence_that_is_not_the_newest_writes_nothing(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	int64_t old = take(store, SERVICE), new;
	struct err err;

	create(store, "shop-1", SERVICE);
	ok(append(store, "shop-1", old, 1, &err), &err);
	new = take_over(store, SERVICE);
	assert_int_equal(new, old + 1);
	assert_int_equal(append(store, "shop-1", old, 2, &err), -1);
	assert_int_equal(err.code, ERR_LEASE);
	assert_int_equal(store_lease_renew(store, SERVICE, old, &err), -1);
	assert_int_equal(err.code, ERR_LEASE);
	ok(append(store, "shop-1", new, 2, &err), &err);
	store_free(&store);
}

static void a_lease_is_held_until_it_is_dropped(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	int64_t fence = take(store, SERVICE);
	struct lease_watch watch = {0};
	struct store_lease lease;
	char text[64];
	struct err err;

	assert_int_equal(fence, 1);
	assert_int_equal(store_lease_take(store, SERVICE, "x", &watch, &arena,
				 &lease, &err),
		0);
	snprintf(text, sizeof(text), " pid %d", (int)getpid());
	assert_non_null(strstr(lease.holder, text));
	assert_string_equal(lease.rollout, "r");
	assert_true(lease.alive);
	assert_in_range(
		lease.renewed_ms, clock_wall_ms() - 60000, clock_wall_ms());
	assert_int_equal(take(store, "other"), 1);
	store_lease_drop(store, SERVICE, fence);
	assert_int_equal(
		store_lease_look(store, SERVICE, &arena, &lease, &err), 0);
	fence = take(store, SERVICE);
	assert_int_equal(fence, 2);
	/* An old holder cannot drop it. */
	store_lease_drop(store, SERVICE, 1);
	assert_int_equal(
		store_lease_look(store, SERVICE, &arena, &lease, &err), 1);
	store_free(&store);
}

static void who_renews_keeps_its_lease_whatever_its_clock_says(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	int64_t fence = take(store, SERVICE);
	struct lease_watch watch = {0};
	struct err err;

	for (int i = 0; i < 60; i++) {
		/* An hour ahead, and back: two machines, or one that is set. */
		clock_shift(1000, i % 2 ? -3600000 : 3600000);
		if (i % 4 == 0)
			ok(store_lease_renew(store, SERVICE, fence, &err),
				&err);
		assert_int_equal(look(store, SERVICE, &watch), 0);
	}
	store_free(&store);
}

static void who_does_not_renew_loses_its_lease_after_its_time(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct lease_watch watch = {0}, late = {0};

	assert_int_equal(take(store, SERVICE), 1);
	/* A clock that is set, also far ahead, ends no lease. */
	clock_shift(0, 10 * 3600 * 1000);
	assert_int_equal(look(store, SERVICE, &watch), 0);
	clock_shift(0, -10 * 3600 * 1000);
	/* The machine of both was suspended: nobody could renew. */
	assert_int_equal(look(store, SERVICE, &late), 0);
	clock_shift(3600 * 1000, 3600 * 1000);
	assert_int_equal(look(store, SERVICE, &late), 0);
	assert_int_equal(take_over(store, SERVICE), 2);
	store_free(&store);
}

/* The row of a holder on another host. */
static void who_looks_once_does_not_judge_by_a_foreign_clock(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct store_lease lease;
	struct err err;

	assert_int_equal(take(store, SERVICE), 1);
	sql("UPDATE lease SET host = 'elsewhere', expires_ms = 16000");
	assert_int_equal(
		store_lease_look(store, SERVICE, &arena, &lease, &err), 1);
	assert_false(lease.alive);
	assert_int_equal(lease.renewed_ms, 1000);
	assert_int_equal(take_over(store, SERVICE), 2);
	store_free(&store);
}

static void a_holder_that_is_dead_is_replaced_at_once(void **state)
{
	struct store *store;
	int status;
	pid_t pid;

	store = open_ok(STORE_CREATE);
	store_free(&store);
	pid = fork();
	if (pid == 0) {
		store = open_ok(STORE_EDIT);
		_exit(take(store, SERVICE) == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store = open_ok(STORE_EDIT);
	assert_int_equal(take(store, SERVICE), 2);
	store_free(&store);
}

static void only_what_is_certain_counts(void **state)
{
	struct holder holder;

	holder_self(&holder);
	assert_int_equal(holder_state(&holder), HOLDER_ALIVE);
	assert_true(holder.start > 0);
	holder.start++; /* a later process with our number */
	assert_int_equal(holder_state(&holder), HOLDER_DEAD);
	strcpy(holder.host, "elsewhere");
	assert_int_equal(holder_state(&holder), HOLDER_UNKNOWN);
	holder_self(&holder);
	holder.start++;
	holder.boot[0] ^= 1;
	assert_int_equal(holder_state(&holder), HOLDER_UNKNOWN);
	holder_self(&holder);
	holder.start++;
	strcpy(holder.pid_space, "pid:[1]");
	assert_int_equal(holder_state(&holder), HOLDER_UNKNOWN);
	holder_self(&holder);
	holder.pid = 0;
	assert_int_equal(holder_state(&holder), HOLDER_UNKNOWN);
}

static void a_rollout_is_found_by_the_beginning_of_its_id(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct store_rollout r;
	struct err err;

	create(store, "shop-1", SERVICE);
	create(store, "shop-12", SERVICE);
	create(store, "web-1", SERVICE);
	assert_int_equal(store_rollout_get(store, "w", &arena, &r, &err), 1);
	assert_string_equal(r.id, "web-1");
	assert_int_equal(
		store_rollout_get(store, "shop-1", &arena, &r, &err), 1);
	assert_string_equal(r.id, "shop-1");
	assert_int_equal(
		store_rollout_get(store, "shop", &arena, &r, &err), -1);
	assert_non_null(strstr(err.text, "shop-1, shop-12"));
	assert_int_equal(
		store_rollout_get(store, "shop-2", &arena, &r, &err), 0);
	assert_int_equal(store_rollout_get(store, "", &arena, &r, &err), 0);
	assert_int_equal(store_rollout_get(store, "%", &arena, &r, &err), 0);
	store_free(&store);
}

static void end(struct store *store, const char *id, const char *phase)
{
	struct store_event event = {.seq = 1,
		.time_ms = 5,
		.name = "x",
		.phase = phase,
		.data = ""};
	struct err err;

	ok(store_append(store, id, take(store, SERVICE), &event, 1, NULL, true,
		   &err),
		&err);
	sql("DELETE FROM lease");
}

static void lists_are_filtered_and_newest_first(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct store_filter filter = {.service = "shop"};
	struct store_rollout *list;
	struct err err;
	size_t n;

	create(store, "shop-1", SERVICE);
	create(store, "shop-2", SERVICE);
	create(store, "web-1", "projects/p/locations/r/services/web-shop");
	ok(store_rollout_list(store, &filter, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].id, "shop-2");
	end(store, "shop-2", "promoted");
	filter = (struct store_filter){.service = SERVICE, .unfinished = true};
	ok(store_rollout_list(store, &filter, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, "shop-1");
	filter = (struct store_filter){.limit = 1};
	ok(store_rollout_list(store, &filter, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, "web-1");
	store_free(&store);
}

static void a_revision_that_was_rolled_back_is_remembered(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	const char *id = NULL;
	struct err err;

	create(store, "shop-1", SERVICE);
	ok(store_rollout_set_revisions(store, "shop-1", "rev-2", "rev-1", &err),
		&err);
	assert_int_equal(store_was_rolled_back(
				 store, SERVICE, "rev-2", &arena, &id, &err),
		0);
	end(store, "shop-1", "rolled-back");
	assert_int_equal(store_was_rolled_back(
				 store, SERVICE, "rev-2", &arena, &id, &err),
		1);
	assert_string_equal(id, "shop-1");
	assert_int_equal(store_was_rolled_back(
				 store, SERVICE, "rev-1", &arena, &id, &err),
		0);
	create(store, "shop-2", SERVICE);
	ok(store_rollout_set_revisions(store, "shop-2", "rev-2", "rev-1", &err),
		&err);
	end(store, "shop-2", "promoted");
	assert_int_equal(store_was_rolled_back(
				 store, SERVICE, "rev-2", &arena, &id, &err),
		0);
	store_free(&store);
}

static int64_t add_command(struct store *store, const char *verb)
{
	struct store_command command = {.rollout = "shop-1",
		.verb = verb,
		.who = "bob",
		.comment = "",
		.answer = ""};
	struct err err;
	int64_t id;

	ok(store_command_add(store, &command, &id, &err), &err);
	return id;
}

static void an_abort_is_told_first_and_nothing_behind_it_is_lost(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct store_command *list;
	int64_t abort_id, last_id = 0;
	size_t n, told = 0;
	struct err err;

	create(store, "shop-1", SERVICE);
	for (int i = 0; i < 140; i++)
		add_command(store, "approve");
	abort_id = add_command(store, "abort");
	ok(store_commands_waiting(store, "shop-1", &arena, &list, &n, &err),
		&err);
	assert_int_equal(list[0].id, abort_id);
	assert_int_equal(n, STORE_COMMANDS_MAX);
	do {
		for (size_t i = 0; i < n; i++) {
			assert_true(
				list[i].id == abort_id || list[i].id > last_id);
			last_id = list[i].id == abort_id ? 0 : list[i].id;
			ok(store_command_settle(
				   store, list[i].id, true, "", &err),
				&err);
		}
		told += n;
		ok(store_commands_waiting(
			   store, "shop-1", &arena, &list, &n, &err),
			&err);
	} while (n);
	assert_int_equal(told, 141);
	store_free(&store);
}

static void a_command_is_taken_once_and_answered(void **state)
{
	struct store *store = open_ok(STORE_CREATE), *other;
	struct store_command command = {.rollout = "shop-1",
		.verb = "approve",
		.who = "bob",
		.comment = "fine",
		.step = -1,
		.time_ms = 7};
	struct store_command *list, got;
	int64_t id, before, after;
	struct err err;
	size_t n;

	create(store, "shop-1", SERVICE);
	ok(store_change_counter(store, &before, &err), &err);
	other = open_ok(STORE_EDIT);
	ok(store_command_add(other, &command, &id, &err), &err);
	ok(store_change_counter(store, &after, &err), &err);
	assert_true(before != after);
	ok(store_commands_waiting(store, "shop-1", &arena, &list, &n, &err),
		&err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].who, "bob");
	assert_int_equal(list[0].step, -1);
	ok(store_command_settle(store, id, true, "too late", &err), &err);
	assert_int_equal(store_command_settle(store, id, false, "", &err), -1);
	ok(store_command_get(other, id, &arena, &got, &err), &err);
	assert_int_equal(got.state, 2);
	assert_string_equal(got.answer, "too late");
	ok(store_commands_waiting(store, "shop-1", &arena, &list, &n, &err),
		&err);
	assert_int_equal(n, 0);
	command.rollout = "nobody";
	assert_int_equal(store_command_add(other, &command, &id, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	store_free(&other);
	store_free(&store);
}

/* Says that it has come one step further. */
static void step_done(int fd)
{
	if (write(fd, "", 1) != 1)
		_exit(5);
}

#define STEPS 5 /* of a group: begin, three entries, commit */

/* Appends in groups of three for ever; killed from outside. */
static void append_for_ever(int64_t seq, int fd)
{
	struct store *store = open_ok(STORE_EDIT);
	int64_t fence = take(store, SERVICE);
	struct err err;
	int i;

	if (!fence)
		_exit(1);
	for (;;) {
		if (store_begin(store, &err))
			_exit(2);
		step_done(fd);
		for (i = 0; i < 3; i++) {
			if (append(store, "shop-1", fence, ++seq, &err))
				_exit(3);
			step_done(fd);
		}
		if (store_commit(store, &err))
			_exit(4);
		step_done(fd);
	}
}

/* It is killed somewhere behind that many of its steps. */
static void kill_after(int steps, int64_t seq)
{
	int status, fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		append_for_ever(seq, fds[1]);
	}
	close(fds[1]);
	while (steps-- && read(fds[0], &byte, 1) == 1)
		;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	assert_true(WIFSIGNALED(status));
}

static void a_kill_at_any_instant_leaves_a_whole_journal(void **state)
{
	struct store *store = open_ok(STORE_CREATE);
	struct store_rollout r;
	int round, before, n = 0;
	struct err err;

	create(store, "shop-1", SERVICE);
	for (round = 0; round < 3 * STEPS; round++) {
		before = n;
		kill_after(STEPS + round, n);
		n = entries(store, "shop-1", 0);
		assert_int_equal(n % 3, 0);
		assert_true(n >= before + (STEPS + round) / STEPS * 3);
		assert_int_equal(
			store_rollout_get(store, "shop-1", &arena, &r, &err),
			1);
		assert_int_equal(r.last_seq, n);
	}
	store_free(&store);
	/* A CHECK that fails when the answer is anything but "ok". */
	sql("CREATE TABLE answer (text CHECK (text = 'ok'));"
	    "INSERT INTO answer SELECT * FROM pragma_integrity_check");
}

static void two_may_create_the_file_at_once(void **state)
{
	pid_t pid[4];
	int i, status;

	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct store *store = open_ok(STORE_CREATE);

			store_free(&store);
			_exit(0);
		}
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
}

static void the_default_path_follows_the_environment(void **state)
{
	char *text;

	unsetenv("TIDEGATE_STATE");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/x", 1);
	text = store_default_path();
	assert_string_equal(text, "/home/x/.local/state/tidegate/tidegate.db");
	free(text);
	setenv("XDG_STATE_HOME", "relative", 1);
	text = store_default_path();
	assert_string_equal(text, "/home/x/.local/state/tidegate/tidegate.db");
	free(text);
	setenv("XDG_STATE_HOME", "/var/s", 1);
	text = store_default_path();
	assert_string_equal(text, "/var/s/tidegate/tidegate.db");
	free(text);
	setenv("TIDEGATE_STATE", "x.db", 1);
	text = store_default_path();
	assert_string_equal(text, "x.db");
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_is_for_its_owner_alone),
		TEST(a_missing_file_is_said_to_be_missing),
		TEST(a_file_of_the_future_names_both_versions),
		TEST(a_file_of_another_program_is_left_alone),
		TEST(a_text_file_is_not_a_state_file),
		TEST(a_damaged_file_is_an_error_not_a_crash),
		TEST(a_truncated_file_is_an_error_not_a_crash),
		TEST(looking_works_on_a_read_only_file_and_folder),
		TEST(looking_works_while_somebody_writes),
		TEST(a_link_stands_for_the_file_that_it_leads_to),
		TEST(a_full_disk_is_said_and_loses_nothing),
		TEST(a_locked_file_is_said_to_be_locked),
		TEST(a_hostile_schema_has_no_power),
		TEST(the_journal_has_no_gaps),
		TEST(what_is_rolled_back_was_never_there),
		TEST(a_fence_that_is_not_the_newest_writes_nothing),
		TEST(a_lease_is_held_until_it_is_dropped),
		TEST(who_renews_keeps_its_lease_whatever_its_clock_says),
		TEST(who_does_not_renew_loses_its_lease_after_its_time),
		TEST(who_looks_once_does_not_judge_by_a_foreign_clock),
		TEST(a_holder_that_is_dead_is_replaced_at_once),
		TEST(only_what_is_certain_counts),
		TEST(a_rollout_is_found_by_the_beginning_of_its_id),
		TEST(lists_are_filtered_and_newest_first),
		TEST(a_revision_that_was_rolled_back_is_remembered),
		TEST(an_abort_is_told_first_and_nothing_behind_it_is_lost),
		TEST(a_command_is_taken_once_and_answered),
		TEST(a_kill_at_any_instant_leaves_a_whole_journal),
		TEST(two_may_create_the_file_at_once),
		TEST(the_default_path_follows_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
