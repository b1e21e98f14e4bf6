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

#define SERVICE "projects/p/locations/r/services/shop"

static char folder[32], path[64];

struct world {
	struct loop *loop;
	struct store *store;
	int64_t fence;
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

static void on_durable(void *arg)
{
	struct world *w = arg;

	w->ready = true;
	if (w->lates)
		loop_stop(w->loop);
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
	close(w->release);
}

static void on_lost(const struct err *err, void *arg)
{
	struct world *w = arg;

	w->lost = err->code;
	loop_stop(w->loop);
}

static const struct journal_owner owner = {
	on_durable, on_written, on_late, on_lost};

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

	w->append = timer_start(w->loop, 10, on_append, w);
	append_one(w);
	/* A verdict does not wait for the lock, either. */
	if (w->seq % 3 == 0)
		journal_flush_first(w->writer);
}

/* A rollout and its lease. */
static void begin(struct world *w)
{
	struct store_rollout rollout = {.id = "shop-1",
		.service = SERVICE,
		.candidate = "",
		.stable = "",
		.policy_name = "test",
		.policy_path = "test.yaml",
		.policy_source = "version: 1",
		.policy_digest = "d",
		.options = "{}",
		.starter = "alice",
		.started_ms = 1,
		.phase = "preflight"};
	struct lease_watch watch = {0};
	struct store_lease lease;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	w->store = store_open(path, STORE_CREATE, &err);
	assert_non_null(w->store);
	assert_int_equal(store_rollout_create(w->store, &rollout, &err), 0);
	assert_int_equal(store_lease_take(w->store, SERVICE, "shop-1", &watch,
				 &arena, &lease, &err),
		1);
	w->fence = lease.fence;
	arena_fini(&arena);
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
	w.journal = journal_new(w.loop, w.store);
	w.writer = journal_open(w.journal, "shop-1", w.fence, &owner, &w);
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
	on_append(w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	timer_cancel(&w->append);
	assert_int_equal(waitpid(w->locker, &status, 0), w->locker);
	assert_int_equal(status, 0);
	assert_int_equal(w->lates, 1);
	assert_int_equal(w->lost, ERR_NONE);
	assert_true(w->seq > 3);
	/* It was locked for longer than the journal is patient. */
	assert_true(loop_longest_turn(w->loop).wall_us <
		    JOURNAL_PATIENCE_MS * 1000 / 2);
	journal_tell(w->journal);
	assert_int_equal(w->written, w->seq);
	assert_int_equal(
		store_each_event(w->store, "shop-1", 0, count, &n, &err), 0);
	assert_int_equal(n, w->seq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_lock_of_another_process_holds_no_turn, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
