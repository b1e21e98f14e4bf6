/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon asks of the state file: what was left, once, what is old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "store/store_drill.h"
#include "store/store_notice.h"
#include "store/store_once.h"
#include "store/store_schema.h"
#include "store/store_watch.h"

#define SERVICE "projects/p/locations/r/services/"

static char *path;
static struct store *store;
static struct arena arena;

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static int setup(void **state)
{
	char template[] = "/tmp/tidegate-store-XXXXXX";
	int fd = mkstemp(template);
	struct err err;

	close(fd);
	unlink(template);
	path = xstrdup(template);
	arena_init(&arena);
	store = store_open(path, STORE_CREATE, &err);
	assert_non_null(store);
	return 0;
}

static int teardown(void **state)
{
	char *wal = xasprintf("%s-wal", path), *shm = xasprintf("%s-shm", path);

	store_free(&store);
	arena_fini(&arena);
	unlink(path);
	unlink(wal);
	unlink(shm);
	free(wal);
	free(shm);
	free(path);
	return 0;
}

/* One that has ended then; 0: it has not. `after` is what it undoes, or NULL. */
static void add_as(const char *id, const char *service, int64_t ended_ms,
	const char *phase, const char *after)
{
	const struct store_rollout row = {.id = id,
		.service = service,
		.candidate = "b",
		.stable = strcmp(phase, "refused") != 0 ? "a" : "",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = id,
		.policy_digest = id,
		.options = after ? arena_printf(&arena,
					   "{\"again\":false,\"after\":\"%s\"}",
					   after)
				 : "{}",
		.starter = "alice",
		.started_ms = 1000,
		.phase = "baking",
		.reason = ""};
	struct lease_watch watch = {0};
	struct store_lease lease;
	struct store_event event = {.seq = 1,
		.time_ms = ended_ms,
		.name = "started",
		.phase = phase,
		.data = "{}"};
	struct err err;

	ok(store_rollout_create(store, &row, &err), &err);
	assert_int_equal(store_lease_take(store, service, id, &watch, &arena,
				 &lease, &err),
		1);
	ok(store_append(store, id, lease.fence, &event, 1, NULL, ended_ms != 0,
		   &err),
		&err);
	store_lease_drop(store, service, lease.fence);
}

static void add(const char *id, const char *service, int64_t ended_ms)
{
	add_as(id, service, ended_ms, "promoted", NULL);
}

static void begin(const char *id, const char *service, const char *phase)
{
	struct store_rollout rollout = {.id = id,
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
		.phase = phase};
	struct err err;

	ok(store_rollout_create(store, &rollout, &err), &err);
}

static void expect_overtaken(const char *id, const char *later)
{
	struct store_rollout rollout;
	struct err err;
	int found = store_rollout_overtaken(store, id, &arena, &rollout, &err);

	assert_int_equal(found, later != NULL);
	if (later)
		assert_string_equal(rollout.id, later);
}

static void who_has_overtaken_a_rollout_is_known(void **state)
{
	begin("shop-0", SERVICE "shop", "promoted");
	begin("shop-1", SERVICE "shop", "baking");
	begin("web-1", SERVICE "web", "promoted");
	begin("shop-2", SERVICE "shop", "preflight");
	expect_overtaken("shop-1", NULL);
	begin("shop-3", SERVICE "shop", "promoted");
	begin("shop-4", SERVICE "shop", "rolled-back");
	begin("shop-5", SERVICE "shop", "refused");
	expect_overtaken("shop-1", "shop-4");
	expect_overtaken("shop-4", NULL);
	expect_overtaken("nobody-1", NULL);
}

static void begin_at(const char *id, int64_t started_ms)
{
	const struct store_rollout row = {.id = id,
		.service = SERVICE "shop",
		.candidate = "b",
		.stable = "a",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = "p",
		.policy_digest = "p",
		.options = "{}",
		.starter = "alice",
		.started_ms = started_ms,
		.phase = "promoted",
		.reason = ""};
	struct err err;

	ok(store_rollout_create(store, &row, &err), &err);
}

static void which_rollout_is_newest_no_clock_says(void **state)
{
	struct store_filter filter = {.service = SERVICE "shop"};
	struct store_rollout *list;
	struct err err;
	size_t n;

	begin_at("ahead", 9000); /* and then its clock was set right */
	begin_at("second", 2000);
	begin_at("third", 3000);
	ok(store_rollout_list(store, &filter, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 3);
	assert_string_equal(list[0].id, "third");
	assert_string_equal(list[1].id, "second");
	assert_string_equal(list[2].id, "ahead");
	filter.after = "second";
	ok(store_rollout_list(store, &filter, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, "ahead");
}

static void only_what_somebody_else_might_drive_is_left(void **state)
{
	struct lease_watch watch = {0};
	struct store_rollout *left;
	struct store_lease lease;
	struct err err;
	size_t n;

	add("one", SERVICE "one", 0);
	add("two", SERVICE "two", 0);
	add("three", SERVICE "three", 5000);
	ok(store_rollouts_left(store, &arena, &left, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(left[0].id, "one");
	assert_string_equal(left[1].id, "two");
	assert_int_equal(store_lease_take(store, SERVICE "one", "one", &watch,
				 &arena, &lease, &err),
		1);
	ok(store_rollouts_left(store, &arena, &left, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_string_equal(left[0].id, "two");
}

static void a_service_is_found_by_its_other_name(void **state)
{
	static const struct {
		const char *end;
		bool by_number;
		const char *id; /* NULL: none */
	} rows[] = {
		{"/locations/r/services/shop", true, "by-number"},
		{"/locations/r/services/shop", false, "by-id"},
		{"/locations/q/services/shop", true, NULL},
		{"/locations/r/services/op", false, NULL},
	};
	struct store_rollout *list;
	struct err err;
	size_t n;

	add("by-number", "projects/123/locations/r/services/shop", 0);
	add("by-id", "projects/acme/locations/r/services/shop", 0);
	add("old", SERVICE "shop", 5000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ok(store_rollouts_named(store, rows[i].end, rows[i].by_number,
			   &arena, &list, &n, &err),
			&err);
		assert_int_equal(n, rows[i].id != NULL);
		if (n)
			assert_string_equal(list[0].id, rows[i].id);
	}
}

/* A child that holds the lease, stopped. */
static pid_t stopped_holder(const char *service)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct lease_watch watch = {0};
		struct store_lease lease;
		struct err err;
		struct store *own = store_open(path, STORE_EDIT, &err);

		if (!own || store_lease_take(own, service, "one", &watch,
				    &arena, &lease, &err) != 1)
			_exit(1);
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void a_holder_that_is_stopped_is_not_known_to_live(void **state)
{
	const char *service = SERVICE "one";
	pid_t pid = stopped_holder(service);
	struct store_lease stopped, goes_on, dead;
	struct err err;
	int held[3], status;

	/* The child is ended before anything can fail. */
	held[0] = store_lease_look(store, service, &arena, &stopped, &err);
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	held[1] = store_lease_look(store, service, &arena, &goes_on, &err);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	held[2] = store_lease_look(store, service, &arena, &dead, &err);
	assert_int_equal(held[0], 1);
	assert_false(stopped.alive);
	assert_int_equal(held[1], 1);
	assert_true(goes_on.alive);
	assert_int_equal(held[2], 0);
}

static void a_key_is_new_once_within_a_day(void **state)
{
	struct store_once once = {.key = "k", .digest = "d", .time_ms = 1000};
	struct store_once known;
	struct err err;

	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 1);
	ok(store_once_command(store, "k", 7, &err), &err);
	ok(store_once_answer(store, "k", 202, "{}", &err), &err);
	once.time_ms += STORE_ONCE_MS;
	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 0);
	assert_int_equal(known.command_id, 7);
	assert_int_equal(known.status, 202);
	assert_string_equal(known.answer, "{}");
	/* One that was answered is not forgotten before its time. */
	ok(store_once_forget(store, "k", &err), &err);
	assert_int_equal(store_once_find(store, "k", &arena, &known, &err), 1);
	once.time_ms++;
	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 1);
	ok(store_once_forget(store, "k", &err), &err);
	assert_int_equal(store_once_find(store, "k", &arena, &known, &err), 0);
}

/* As the program before left it. */
static void a_key_of_version_5_is_known(void **state)
{
	struct store_once known;
	struct err err;
	sqlite3 *db;

	store_free(&store);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
			sqlite3_exec(db, store_migrations[i], NULL, NULL, NULL),
			SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "INSERT INTO once VALUES ('k', 'd', 1000, 7, "
				 "202, '{}')",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	store = store_open(path, STORE_EDIT, &err);
	assert_non_null(store);
	assert_int_equal(store_once_find(store, "k", &arena, &known, &err), 1);
	assert_string_equal(known.digest, "d");
	assert_int_equal(known.time_ms, 1000);
	assert_int_equal(known.command_id, 7);
	assert_int_equal(known.status, 202);
	assert_string_equal(known.answer, "{}");
	assert_string_equal(known.rollout, "");
}

static int count(const struct store_event *event, void *arg, struct err *err_r)
{
	++*(int *)arg;
	return 0;
}

static void what_is_old_is_deleted_but_the_newest_of_a_service(void **state)
{
	struct store_rollout row;
	struct err err;
	int events = 0;

	add("old", SERVICE "one", 2000);
	add("late", SERVICE "one", 9000);
	add("running", SERVICE "one", 0);
	add("alone", SERVICE "two", 2000);
	assert_int_equal(store_rollouts_forget(store, 5000, &err), 1);
	assert_int_equal(store_rollouts_forget(store, 5000, &err), 0);
	assert_int_equal(
		store_rollout_get(store, "old", &arena, &row, &err), 0);
	ok(store_each_event(store, "old", 0, count, &events, &err), &err);
	assert_int_equal(events, 0);
	ok(store_each_event(store, "late", 0, count, &events, &err), &err);
	assert_int_equal(events, 1);
	assert_int_equal(
		store_rollout_get(store, "alone", &arena, &row, &err), 1);
	assert_string_equal(row.policy_source, "alone");
}

static bool is_there(const char *id)
{
	struct store_rollout row;
	struct err err;
	int found = store_rollout_get(store, id, &arena, &row, &err);

	ok(found, &err);
	return found > 0;
}

static void what_the_way_back_is_known_from_is_not_deleted(void **state)
{
	struct err err;

	add_as("bad", SERVICE "one", 1000, "rolled-back", NULL);
	add("older", SERVICE "one", 1100);
	add("good", SERVICE "one", 1200);
	add_as("refusal", SERVICE "one", 1300, "refused", NULL);
	add_as("denial", SERVICE "one", 9000, "refused", NULL);
	add("released", SERVICE "two", 1000);
	add_as("undone", SERVICE "two", 1100, "rollback-failed", "released");
	add_as("none", SERVICE "two", 1200, "refused", NULL);
	assert_int_equal(store_rollouts_forget(store, 5000, &err), 2);
	assert_false(is_there("older"));
	assert_false(is_there("refusal"));
	assert_true(is_there("bad"));
	assert_true(is_there("good"));
	assert_true(is_there("denial"));
	assert_true(is_there("released"));
	assert_true(is_there("undone"));
	/* When others have come, all of it goes. */
	add_as("worse", SERVICE "two", 9000, "rolled-back", NULL);
	assert_int_equal(store_rollouts_forget(store, 5000, &err), 2);
	assert_int_equal(store_rollouts_forget(store, 5000, &err), 1);
	assert_false(is_there("released"));
}

static void drilled(const char *service, int64_t time_ms)
{
	const struct store_drill drill = {
		.service = service, .who = "alice", .time_ms = time_ms};
	struct err err;

	ok(store_drill_note(store, &drill, &err), &err);
}

static void of_each_service_the_last_drill_is_kept(void **state)
{
	struct store_drill *list;
	struct err err;
	size_t n;

	ok(store_drills_list(store, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 0);
	drilled(SERVICE "a", 5000);
	drilled(SERVICE "b", 7000);
	drilled(SERVICE "a", 9000);
	drilled(SERVICE "a", 8000); /* told late */
	ok(store_drills_list(store, &arena, &list, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].service, SERVICE "a");
	assert_int_equal(list[0].time_ms, 9000);
	assert_string_equal(list[1].service, SERVICE "b");
	assert_string_equal(list[1].who, "alice");
}

static int claim(struct store *by, const char *revision, int64_t now_ms)
{
	struct err err;
	int rc = store_watch_claim(by, SERVICE "a", revision, now_ms, &err);

	ok(rc, &err);
	return rc;
}

static struct store_past look(const char *service, const char *revision,
	int64_t now_ms, struct store_watched *watched_r)
{
	struct store_past past;
	struct err err;

	ok(store_watch_look(store, service, revision, now_ms, &arena, watched_r,
		   &past, &err),
		&err);
	return past;
}

static void of_two_daemons_one_starts_a_revision(void **state)
{
	struct store_watched watched;
	struct store *other;
	struct err err;

	other = store_open(path, STORE_EDIT, &err);
	assert_non_null(other);
	(void)look(SERVICE "a", "c", 1000, &watched);
	assert_int_equal(claim(store, "c", 1000), 1);
	assert_int_equal(claim(other, "c", 1001), 0);
	assert_int_equal(claim(store, "c", 1000 + STORE_CLAIM_MS), 0);
	/* Who claimed it has died before it began. */
	assert_int_equal(claim(other, "c", 1001 + STORE_CLAIM_MS), 1);
	assert_int_equal(claim(store, "c", 1002 + STORE_CLAIM_MS), 0);
	ok(store_watch_unclaim(store, SERVICE "a", "c", &err), &err);
	assert_int_equal(claim(store, "c", 1003 + STORE_CLAIM_MS), 1);
	/* Its rollout ended without a candidate in its row. */
	add("r1", SERVICE "a", 5000);
	assert_int_equal(claim(store, "b", 900000), 0);
	assert_int_equal(claim(store, "d", 900000), 1);
	add("r2", SERVICE "a", 0);
	assert_int_equal(claim(store, "e", 900000), 0); /* one runs */
	store_free(&other);
}

static void what_was_asked_for_counts_before_preflight(void **state)
{
	struct store_rollout row = {.id = "r1",
		.service = SERVICE "a",
		.candidate = "",
		.stable = "",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = "x",
		.policy_digest = "x",
		.options = "{\"candidate\":\"c-1\",\"adopt\":false}",
		.starter = "watch",
		.started_ms = 1000,
		.phase = "preflight",
		.reason = ""};
	struct store_watched watched;
	struct store_past past;
	struct err err;

	ok(store_rollout_create(store, &row, &err), &err);
	past = look(SERVICE "a", "c-1", 1000, &watched);
	assert_string_equal(past.running, "r1");
	assert_string_equal(past.of_revision, "r1");
	past = look(SERVICE "a", "c-11", 1000, &watched);
	assert_null(past.of_revision);
	past = look(SERVICE "a", "c-", 1000, &watched);
	assert_null(past.of_revision);
}

static void what_is_watched_is_remembered_and_forgotten(void **state)
{
	const char *const kept[] = {SERVICE "b"};
	struct store_watched watched;
	struct err err;

	(void)look(SERVICE "a", "c", 1000, &watched);
	(void)look(SERVICE "b", "c", 1000, &watched);
	(void)look("projects/p/locations/r2/services/a", "c", 1000, &watched);
	ok(store_watch_wait(store, SERVICE "b", "d", "c", 1500, &err), &err);
	ok(store_watch_keep(store, "p", "r", kept, 1, &err), &err);
	(void)look(SERVICE "b", "c", 2000, &watched);
	assert_int_equal(watched.since_ms, 1000);
	assert_string_equal(watched.waiting, "d");
	assert_string_equal(watched.skipped, "c");
	assert_string_equal(watched.skipped_for, "d");
	(void)look("projects/p/locations/r2/services/a", "c", 2000, &watched);
	assert_int_equal(watched.since_ms, 1000);
	(void)look(SERVICE "a", "c", 2000, &watched); /* it begins anew */
	assert_int_equal(watched.since_ms, 2000);
}

/* How it stood before; NULL: it is new. */
static const struct store_notice *noticed(
	const char *rollout, const char *mark, int64_t begun_ms)
{
	static struct store_notice known;
	const struct store_notice notice = {.rollout = rollout,
		.place = "slack:C1",
		.mark = mark,
		.begun_ms = begun_ms};
	struct err err;
	int is_new = store_notice_begin(store, &notice, &arena, &known, &err);

	ok(is_new, &err);
	return is_new ? NULL : &known;
}

static size_t notices_left(void)
{
	struct store_notice *list;
	struct err err;
	size_t n;

	ok(store_notice_list(store, &arena, &list, &n, &err), &err);
	return n;
}

static void a_message_has_one_row_that_learns_where_it_is(void **state)
{
	const struct store_notice *known;
	struct store_notice again = {
		.rollout = "one", .place = "slack:C1", .begun_ms = 9000};
	struct err err;

	add("one", SERVICE "one", 5000);
	add("two", SERVICE "two", 0);
	assert_null(noticed("one", "first", 5000));
	assert_null(noticed("two", "other", 5000));
	known = noticed("one", "second", 6000);
	assert_string_equal(known->mark, "first");
	assert_string_equal(known->message, "");
	assert_int_equal(known->begun_ms, 5000);
	/* Those of rollouts that go on are not among the rest. */
	assert_int_equal(notices_left(), 1);
	ok(store_notice_begin_again(store, &again, &err), &err);
	ok(store_notice_posted(store, "one", "slack:C1", "1.2", &err), &err);
	known = noticed("one", "second", 6000);
	assert_string_equal(known->message, "1.2");
	assert_int_equal(known->begun_ms, 9000);
	assert_false(known->over);
	ok(store_notice_over(store, "one", "slack:C1", &err), &err);
	assert_true(noticed("one", "second", 6000)->over);
	assert_int_equal(notices_left(), 0);
}

static void a_message_goes_with_its_rollout(void **state)
{
	const struct store_notice strange = {
		.rollout = "nobody", .place = "slack:C1", .mark = "m"};
	struct store_notice known;
	struct err err;

	add("old", SERVICE "one", 5000);
	add("new", SERVICE "one", 6000);
	assert_null(noticed("old", "m", 5000));
	assert_int_equal(notices_left(), 1);
	assert_int_equal(store_rollouts_forget(store, 7000, &err), 1);
	assert_int_equal(notices_left(), 0);
	assert_int_equal(
		store_notice_begin(store, &strange, &arena, &known, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* It ended between a person's look and the decision: nobody would take it. */
static void what_has_ended_takes_no_command(void **state)
{
	const struct store_command command = {.rollout = "shop-1",
		.verb = "abort",
		.who = "bob",
		.comment = "",
		.answer = ""};
	struct store_command *list;
	struct err err;
	int64_t id;
	size_t n;

	add("shop-1", SERVICE "shop", 5000);
	assert_int_equal(store_command_add(store, &command, &id, &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	assert_non_null(strstr(err.text, "shop-1 has ended: promoted"));
	ok(store_commands_waiting(store, "shop-1", &arena, &list, &n, &err),
		&err);
	assert_int_equal(n, 0);
}

int main(void)
{
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		FILE_TEST(only_what_somebody_else_might_drive_is_left),
		FILE_TEST(a_service_is_found_by_its_other_name),
		FILE_TEST(what_has_ended_takes_no_command),
		FILE_TEST(a_holder_that_is_stopped_is_not_known_to_live),
		FILE_TEST(a_key_is_new_once_within_a_day),
		FILE_TEST(a_key_of_version_5_is_known),
		FILE_TEST(what_is_old_is_deleted_but_the_newest_of_a_service),
		FILE_TEST(what_the_way_back_is_known_from_is_not_deleted),
		FILE_TEST(of_each_service_the_last_drill_is_kept),
		FILE_TEST(of_two_daemons_one_starts_a_revision),
		FILE_TEST(what_was_asked_for_counts_before_preflight),
		FILE_TEST(who_has_overtaken_a_rollout_is_known),
		FILE_TEST(which_rollout_is_newest_no_clock_says),
		FILE_TEST(what_is_watched_is_remembered_and_forgotten),
		FILE_TEST(a_message_has_one_row_that_learns_where_it_is),
		FILE_TEST(a_message_goes_with_its_rollout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
