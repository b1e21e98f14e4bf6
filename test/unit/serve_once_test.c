/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request with a key whose daemon died before its answer. */
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
#include "io/clock.h"
#include "io/digest.h"
#include "serve_fixture.h"
#include "store/store_once.h"

#define ROLLOUTS  "/api/v1/rollouts"
#define ROLLBACKS "/api/v1/rollbacks"
#define BODY      "{\"policy\":\"e2e\"}"
#define KEY       "Idempotency-Key: k"

static struct served served;
/* As they are kept, of the owner. */
static char key[DIGEST_TEXT_MAX], digest[DIGEST_TEXT_MAX];
static struct arena arena;

static int setup(void **state)
{
	static const char text[] = "owner\nk";
	static const char start[] = "POST\n" ROLLOUTS "\n" BODY;

	digest_text(text, strlen(text), key);
	digest_text(start, strlen(start), digest);
	arena_init(&arena);
	served_open(&served);
	return 0;
}

static int teardown(void **state)
{
	served_close(&served);
	arena_fini(&arena);
	return 0;
}

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

static struct store *opened(void)
{
	struct err err;
	struct store *store =
		store_open(served.config->state, STORE_EDIT, &err);

	if (!store)
		fail_msg("%s", err.text);
	return store;
}

static void expect(int status, const char *pointer, const char *wanted)
{
	char *text;

	if (served.status != status)
		fail_msg("%d and not %d: %s", served.status, status,
			served.body.data);
	text = served_text(&served, pointer);
	assert_string_equal(text, wanted);
	free(text);
}

/* The same process, and nothing is held by the file. */
static void without_daemon(void (*fn)(void))
{
	served_stop(&served);
	fn();
	served_start(&served);
}

/* ---- another daemon ---- */

static pid_t other;

static int begin_work(void)
{
	struct store_once once = {
		.key = key, .digest = digest, .time_ms = clock_wall_ms()};
	struct store_once known;
	struct err err;
	struct store *store =
		store_open(served.config->state, STORE_EDIT, &err);
	int is_new =
		store ? store_once_begin(store, &once, &arena, &known, &err)
		      : -1;

	store_free(&store);
	return is_new == 1 ? 0 : -1;
}

/* A process that is at work on the key, and says so by a byte. */
static void let_other_begin(void)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	other = fork();
	if (other == 0) {
		if (begin_work() || write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
}

static void kill_other(void)
{
	int status;

	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, &status, 0), other);
}

static void what_a_dead_daemon_has_not_begun_is_begun(void **state)
{
	without_daemon(let_other_begin);
	kill_other();
	served_ask(&served, "POST", ROLLOUTS, BODY, KEY);
	expect(201, "/service", SERVED_SERVICE);
}

static void begin_here(void)
{
	assert_int_equal(begin_work(), 0);
}

/* The disk was full as it was to forget that. */
static void what_came_to_nothing_here_is_begun(void **state)
{
	without_daemon(begin_here);
	served_ask(&served, "POST", ROLLOUTS, BODY, KEY);
	expect(201, "/service", SERVED_SERVICE);
}

static void what_another_daemon_is_at_work_on_is_waited_for(void **state)
{
	without_daemon(let_other_begin);
	served_ask(&served, "POST", ROLLOUTS, BODY, KEY);
	kill_other();
	expect(409, "/code", "key-in-use");
	served_ask(&served, "POST", ROLLOUTS, BODY, KEY);
	expect(201, "/service", SERVED_SERVICE);
}

/* ---- one of which nobody knows ---- */

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(served.config->state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void begin_in_a_container(void)
{
	struct store_once known;
	struct store_once once = {
		.key = key, .digest = "d", .time_ms = clock_wall_ms()};
	struct store *store = opened();
	struct err err;

	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 1);
	store_free(&store);
	sql("UPDATE request SET pid_space = 'another'");
	store = opened();
	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 0);
	assert_true(known.is_held);
	once.time_ms += STORE_ONCE_WORK_MS;
	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 1);
	store_free(&store);
}

static void who_may_live_is_waited_for_for_a_while(void **state)
{
	without_daemon(begin_in_a_container);
}

static struct store_rollout row(const char *id)
{
	return (struct store_rollout){.id = id,
		.service = "projects/p/locations/r/services/s",
		.candidate = "",
		.stable = "",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = "",
		.policy_digest = "d",
		.options = "{}",
		.starter = "alice",
		.started_ms = 1000,
		.phase = "preflight",
		.reason = "",
		.once = key};
}

static void begin_twice(void)
{
	struct store_once once = {.key = key, .digest = "d", .time_ms = 1000};
	struct store_rollout first = row("s-1"), second = row("s-2");
	struct store *store = opened();
	struct store_once known;
	struct err err;

	ok(store_once_begin(store, &once, &arena, &known, &err), &err);
	ok(store_rollout_create(store, &first, &err), &err);
	assert_int_equal(store_rollout_create(store, &second, &err), -1);
	assert_int_equal(err.code, ERR_LEASE);
	/* What began does not come to nothing. */
	ok(store_once_forget(store, key, &err), &err);
	assert_int_equal(
		store_once_begin(store, &once, &arena, &known, &err), 0);
	assert_string_equal(known.rollout, "s-1");
	assert_int_equal(
		store_rollout_find(store, "s-2", &arena, &second, &err), 0);
	store_free(&store);
}

static void of_two_who_are_at_work_one_begins(void **state)
{
	without_daemon(begin_twice);
}

/* ---- an answer that was lost ---- */

/* As a daemon leaves it that is killed before it has kept that. */
static void lose_answer(void)
{
	struct store *store = opened();
	struct err err;

	ok(store_once_answer(store, key, 0, "", &err), &err);
	store_free(&store);
}

static void what_was_begun_is_answered_with_its_rollout(void **state)
{
	char *id, *first;

	served_ask(&served, "POST", ROLLOUTS, BODY, KEY);
	expect(201, "/service", SERVED_SERVICE);
	id = served_text(&served, "/rollout");
	first = xstrdup(served.body.data);
	for (int i = 0; i < 2; i++) {
		served_ask(&served, "POST", ROLLOUTS, BODY, KEY);
		expect(201, "/rollout", id);
		assert_string_equal(served.body.data, first);
		without_daemon(lose_answer);
	}
	served_ask(&served, "POST", ROLLOUTS, "{\"policy\":\"x\"}", KEY);
	expect(404, "/code", "not-found");
	served_ask(&served, "POST", ROLLOUTS,
		"{\"policy\":\"e2e\",\"again\":true}", KEY);
	expect(422, "/code", "key-used");
	served_expect(&served, 200, "GET", ROLLOUTS, NULL);
	expect(200, "/rollouts/0/rollout", id);
	expect(200, "/rollouts/1/rollout", "");
	free(first);
	free(id);
}

/* The next release is nobody's to abort. */
static void a_rollback_that_has_aborted_aborts_nothing_else(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval"), *next;

	served_ask(&served, "POST", ROLLBACKS, BODY, KEY);
	expect(202, "/outcome", "aborted");
	served_wait_phase(&served, id, "rolled-back");
	without_daemon(lose_answer);
	served_expect(&served, 201, "POST", ROLLOUTS,
		"{\"policy\":\"e2e\",\"again\":true}");
	next = served_text(&served, "/rollout");
	served_wait_phase(&served, next, "awaiting-approval");
	served_ask(&served, "POST", ROLLBACKS, BODY, KEY);
	expect(202, "/rollout", id);
	expect(202, "/outcome", "aborted");
	served_ask(&served, "POST", ROLLBACKS, BODY, KEY);
	expect(202, "/rollout", id);
	served_wait_phase(&served, next, "awaiting-approval");
	free(next);
	free(id);
}

static void a_rollback_that_is_cut_off_goes_on(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");

	served_ask(&served, "POST", ROLLBACKS, BODY, KEY);
	expect(202, "/outcome", "aborted");
	without_daemon(lose_answer);
	served_ask(&served, "POST", ROLLBACKS, BODY, KEY);
	expect(202, "/rollout", id);
	served_wait_phase(&served, id, "rolled-back");
	free(id);
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(what_a_dead_daemon_has_not_begun_is_begun),
		WORLD(what_came_to_nothing_here_is_begun),
		WORLD(what_another_daemon_is_at_work_on_is_waited_for),
		WORLD(who_may_live_is_waited_for_for_a_while),
		WORLD(of_two_who_are_at_work_one_begins),
		WORLD(what_was_begun_is_answered_with_its_rollout),
		WORLD(a_rollback_that_has_aborted_aborts_nothing_else),
		WORLD(a_rollback_that_is_cut_off_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
