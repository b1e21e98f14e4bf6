/* SPDX-License-Identifier: Apache-2.0 */
/* The journal and a real state file that another process keeps locked. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/loop.h"
#include "store/journal.h"
#include "store/walk.h"

#define TURNS   20 /* while it is locked */
#define HELD_S  60 /* if each of them waited for the lock: 100 s */
#define SERVICE "projects/p/locations/r/services/shop"

static char folder[32], path[64];

struct world {
	struct loop *loop;
	struct store *store;
	struct journal *journal;
	struct journal_writer *writer;
	struct timer *append;
	int64_t seq, written; /* the last one appended, and told */
	int lates;
	bool ready; /* all that was appended is durable */
	enum err_code lost;
	pid_t locker;
	int release; /* a pipe: the other process ends when it is closed */
};

static void on_lease(int taken, const struct store_lease *lease,
	const struct err *err, void *arg)
{
	struct world *w = arg;

	assert_int_equal(taken, 1);
	loop_stop(w->loop);
}

static void on_durable(int64_t seq, void *arg)
{
	struct world *w = arg;

	w->ready = seq == w->seq;
	if (w->ready && w->lates) {
		timer_cancel(&w->append);
		loop_stop(w->loop);
	}
}

static void on_written(const struct store_event *entry, void *arg)
{
	struct world *w = arg;

	assert_int_equal(entry->seq, ++w->written);
}

static void on_late(const struct err *err, void *arg)
{
	struct world *w = arg;

	assert_int_equal(err->code, ERR_BUSY);
	assert_false(w->ready);
	w->lates++;
}

static void on_lost(const struct err *err, void *arg)
{
	struct world *w = arg;

	w->lost = err->code;
	loop_stop(w->loop);
}

static const struct journal_owner owner = {
	on_lease, on_durable, on_written, on_late, on_lost};

/* Another process takes the lock and keeps it until the pipe is closed. */
static void lock(struct world *w)
{
	int told[2], release[2];
	struct store *store;
	struct err err;
	char c;

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(release), 0);
	w->locker = fork();
	if (w->locker == 0) {
		close(release[1]);
		store = store_open(path, STORE_EDIT, &err);
		if (!store || store_begin(store, &err) < 0 ||
			write(told[1], "", 1) != 1)
			_exit(1);
		_exit(read(release[0], &c, 1) == 0 ? 0 : 1);
	}
	close(release[0]);
	w->release = release[1];
	assert_int_equal(read(told[0], &c, 1), 1);
	close(told[0]);
	close(told[1]);
}

static void append_one(struct world *w)
{
	struct store_event event = {.seq = ++w->seq,
		.time_ms = w->seq,
		.name = "timer",
		.phase = "baking",
		.data = "{}"};

	w->ready = false;
	journal_append(w->writer, &event, "", false, NULL);
}

static void on_append(void *arg)
{
	struct world *w = arg;

	w->append = timer_start(w->loop, 1, on_append, w);
	append_one(w);
	if (w->lates && w->seq >= TURNS && w->release >= 0) {
		close(w->release);
		w->release = -1;
	}
	/* A verdict does not wait for the lock, either. */
	if (w->seq % 3 == 0)
		journal_flush_first(w->writer);
}

static void rollout_create(
	struct journal_writer *writer, const char *service, const char *id)
{
	struct store_rollout rollout = {.id = id,
		.service = service,
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

	journal_create(writer, &rollout);
}

/* A rollout and its lease. */
static void begin(struct world *w)
{
	struct err err;

	w->store = store_open(path, STORE_CREATE, &err);
	assert_non_null(w->store);
	w->journal = journal_new(w->loop, w->store, &err);
	w->writer = journal_open(w->journal, SERVICE, "shop-1", &owner, w);
	journal_take_lease(w->writer);
	assert_int_equal(loop_run(w->loop, &err), 0);
	rollout_create(w->writer, SERVICE, "shop-1");
}

static void silence(const char *line, size_t len, void *arg)
{
}

static int setup(void **state)
{
	static struct world w;
	struct err err;

	log_set_sink(silence, NULL);
	w = (struct world){0};
	strcpy(folder, "/tmp/tidegate-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/state.db", folder);
	w.loop = loop_new(&err);
	assert_non_null(w.loop);
	begin(&w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[64];

	journal_close(&w->writer);
	journal_free(&w->journal);
	store_free(&w->store);
	loop_free(&w->loop);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static int count(const struct store_event *event, void *arg, struct err *err_r)
{
	assert_int_equal(event->seq, ++*(int *)arg);
	return 0;
}

static void a_lock_of_another_process_holds_no_turn(void **state)
{
	struct world *w = *state;
	int status, n = 0;
	struct err err;

	lock(w);
	alarm(HELD_S);
	on_append(w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	timer_cancel(&w->append);
	assert_int_equal(waitpid(w->locker, &status, 0), w->locker);
	assert_int_equal(status, 0);
	alarm(0);
	assert_true(w->lates >= 1); /* again, if the disk is slow */
	assert_int_equal(w->lost, ERR_NONE);
	journal_tell(w->journal);
	assert_int_equal(w->written, w->seq);
	assert_int_equal(
		store_each_event(w->store, "shop-1", 0, count, &n, &err), 0);
	assert_int_equal(n, w->seq);
}

static int take_named(
	const struct store_event *event, void *arg, struct err *err)
{
	int64_t *seqs = arg;

	*seqs = *seqs * 10 + event->seq;
	assert_string_equal(event->name, "action");
	assert_string_equal(event->data, "{}");
	return 0;
}

static void entries_of_one_name_are_read_in_order_without_the_rest(void **state)
{
	static const struct {
		const char *name;
		bool is_note;
	} rows[] = {{"timer", false}, {"action", false}, {"action", true},
		{"check", false}, {"action", false}};
	struct world *w = *state;
	struct store_event event = {
		.time_ms = 1, .phase = "baking", .data = "{}"};
	int64_t seqs = 0;
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		event.seq = ++w->seq;
		event.name = rows[i].name;
		event.is_note = rows[i].is_note;
		journal_append(w->writer, &event, "", false, NULL);
	}
	journal_drop_lease(w->writer);
	journal_close(&w->writer);
	journal_free(&w->journal);
	assert_int_equal(store_each_named(w->store, "shop-1", "action",
				 take_named, &seqs, &err),
		0);
	assert_int_equal(seqs, 25);
	assert_int_equal(store_each_named(w->store, "shop-2", "action",
				 take_named, &seqs, &err),
		0);
	assert_int_equal(seqs, 25);
}

static void what_waits_at_the_end_is_still_written(void **state)
{
	struct world *w = *state;
	struct store_lease lease;
	struct arena arena;
	struct err err;
	int n = 0;

	for (int i = 0; i < TURNS; i++)
		append_one(w);
	journal_drop_lease(w->writer);
	journal_close(&w->writer);
	journal_free(&w->journal);
	assert_int_equal(w->written, 0);
	assert_int_equal(
		store_each_event(w->store, "shop-1", 0, count, &n, &err), 0);
	assert_int_equal(n, TURNS);
	arena_init(&arena);
	assert_int_equal(
		store_lease_look(w->store, SERVICE, &arena, &lease, &err), 0);
	arena_fini(&arena);
}

static void a_lease_that_comes_too_late_is_given_back(void **state)
{
	struct world *w = *state;
	struct journal_writer *other;
	struct store_lease lease;
	struct arena arena;
	struct err err;

	other = journal_open(w->journal, SERVICE "-2", "shop-2", &owner, w);
	journal_take_lease(other);
	journal_close(&other);
	journal_drop_lease(w->writer);
	journal_close(&w->writer);
	journal_free(&w->journal);
	arena_init(&arena);
	assert_int_equal(
		store_lease_look(w->store, SERVICE "-2", &arena, &lease, &err),
		0);
	arena_fini(&arena);
}

static void who_has_lost_the_lease_is_told_and_others_go_on(void **state)
{
	struct world *w = *state;
	struct lease_watch watch = {0};
	struct store_rollout row;
	struct store_lease lease;
	struct arena arena;
	struct err err;

	/* The holder is this process, so that another has to wait it out: it
	 * gives the lease away and another rollout takes it. */
	arena_init(&arena);
	store_lease_drop(w->store, SERVICE, 1);
	assert_int_equal(store_lease_take(w->store, SERVICE, "shop-2", &watch,
				 &arena, &lease, &err),
		1);
	arena_fini(&arena);
	append_one(w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(w->lost, ERR_LEASE);
	assert_false(journal_has_pending(w->writer));
	/* Nor is there a rollout that never began. */
	arena_init(&arena);
	assert_int_equal(
		store_rollout_find(w->store, "shop-1", &arena, &row, &err), 0);
	arena_fini(&arena);
}

/* ---- a crowd ---- */

#define CROWD 450

struct crowd {
	struct world *world;
	struct crowded {
		struct crowd *crowd;
		struct journal_writer *writer;
		char service[80], rollout[32];
	} one[CROWD];
	int held, durable;
	int told, told_max; /* of durable entries, in one turn */
	bool turn_wanted;
};

static void crowd_held(int taken, const struct store_lease *lease,
	const struct err *err, void *arg)
{
	struct crowd *crowd = ((struct crowded *)arg)->crowd;

	assert_int_equal(taken, 1);
	if (++crowd->held == CROWD)
		loop_stop(crowd->world->loop);
}

static void crowd_turn_over(void *arg)
{
	struct crowd *crowd = arg;

	crowd->turn_wanted = false;
	if (crowd->told > crowd->told_max)
		crowd->told_max = crowd->told;
	crowd->told = 0;
}

static void crowd_durable(int64_t seq, void *arg)
{
	struct crowd *crowd = ((struct crowded *)arg)->crowd;

	crowd->told++;
	if (!crowd->turn_wanted)
		loop_defer(crowd->world->loop, crowd_turn_over, crowd);
	crowd->turn_wanted = true;
	if (++crowd->durable == CROWD)
		loop_stop(crowd->world->loop);
}

static void crowd_late(const struct err *err, void *arg)
{
}

static void crowd_lost(const struct err *err, void *arg)
{
	fail_msg("lost: %s", err->text);
}

static void crowd_append(struct crowded *one)
{
	struct store_event event = {.seq = 1,
		.time_ms = 1,
		.name = "timer",
		.phase = "baking",
		.data = "{}"};

	rollout_create(one->writer, one->service, one->rollout);
	journal_append(one->writer, &event, "", false, NULL);
}

static void many_writers_are_told_in_several_turns(void **state)
{
	static const struct journal_owner crowd_owner = {
		crowd_held, crowd_durable, NULL, crowd_late, crowd_lost};
	static struct crowd crowd;
	struct err err;

	crowd.world = *state;
	for (int i = 0; i < CROWD; i++) {
		struct crowded *one = &crowd.one[i];

		one->crowd = &crowd;
		snprintf(one->service, sizeof(one->service), "%s-%d", SERVICE,
			i);
		snprintf(one->rollout, sizeof(one->rollout), "crowd-%d", i);
		one->writer = journal_open(crowd.world->journal, one->service,
			one->rollout, &crowd_owner, one);
		journal_take_lease(one->writer);
	}
	assert_int_equal(loop_run(crowd.world->loop, &err), 0);
	for (int i = 0; i < CROWD; i++)
		crowd_append(&crowd.one[i]);
	assert_int_equal(loop_run(crowd.world->loop, &err), 0);
	assert_int_equal(crowd.durable, CROWD);
	assert_in_range(crowd.told_max, 1, 200);
	for (int i = 0; i < CROWD; i++)
		journal_close(&crowd.one[i].writer);
}

/* ---- a long journal ---- */

#define LONG 1000

struct walked {
	struct world *world;
	struct walk *walk;
	int64_t seq, fails_at;
	int turns; /* in which entries were read */
	bool turn_wanted;
	enum err_code ended; /* ERR_NONE: well */
	int ends;
};

static void on_durable_wait(void *arg)
{
	struct world *w = arg;

	if (w->ready)
		loop_stop(w->loop);
	else
		timer_start(w->loop, 1, on_durable_wait, w);
}

static void walk_turn_over(void *arg)
{
	struct walked *walked = arg;

	walked->turn_wanted = false;
	walked->turns++;
}

static int walk_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct walked *walked = arg;

	assert_int_equal(entry->seq, ++walked->seq);
	if (!walked->turn_wanted)
		loop_defer(walked->world->loop, walk_turn_over, walked);
	walked->turn_wanted = true;
	if (walked->seq == walked->fails_at)
		return err_set(err_r, ERR_LIMIT, "enough");
	return 0;
}

static void walk_end(const struct err *err, void *arg)
{
	struct walked *walked = arg;

	walked->walk = NULL;
	walked->ends++;
	walked->ended = err ? err->code : ERR_NONE;
	loop_stop(walked->world->loop);
}

static void walk(struct walked *walked)
{
	struct world *w = walked->world;
	struct err err;

	walked->walk = walk_start(
		w->loop, w->store, "shop-1", walk_entry, walk_end, walked);
	assert_int_equal(walked->seq, 0);
	while (!walked->ends) /* what is durable late stops it, too */
		assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(walked->ends, 1);
}

static void a_long_journal_is_read_in_several_turns(void **state)
{
	struct world *w = *state;
	struct walked all = {.world = w}, half = {.world = w, .fails_at = 500};
	struct walked none = {.world = w};
	struct err err;

	while (w->seq < LONG)
		append_one(w);
	on_durable_wait(w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	walk(&all);
	assert_int_equal(all.ended, ERR_NONE);
	assert_int_equal(all.seq, LONG);
	assert_true(all.turns >= LONG / 200);
	walk(&half);
	assert_int_equal(half.ended, ERR_LIMIT);
	assert_int_equal(half.seq, 500);
	none.walk = walk_start(
		w->loop, w->store, "shop-1", walk_entry, walk_end, &none);
	walk_cancel(&none.walk);
	w->ready = true;
	timer_start(w->loop, 1, on_durable_wait, w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(none.seq + none.ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_lock_of_another_process_holds_no_turn, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			entries_of_one_name_are_read_in_order_without_the_rest,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_waits_at_the_end_is_still_written, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_lease_that_comes_too_late_is_given_back, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			who_has_lost_the_lease_is_told_and_others_go_on, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			many_writers_are_told_in_several_turns, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_long_journal_is_read_in_several_turns, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
