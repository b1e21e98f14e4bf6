/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon reads its policies again while it works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/shelf.h"
#include "serve_fixture.h"
#include "until.h"

#define POLICIES    500
#define TURN_US_MAX 50000

static struct served served;

static int setup(void **state)
{
	served_open(&served);
	return 0;
}

static int teardown(void **state)
{
	served_close(&served);
	return 0;
}

static void write_policy(int i, const char *bake, const char *more)
{
	char *name = xasprintf("policies/p%03d.yaml", i);
	struct buf text;

	buf_init(&text, 65536);
	buf_addf(&text,
		"version: 1\nname: number %d\n"
		"metrics: {url: \"${PROMETHEUS_URL}\"}\n"
		"steps: [{percent: 10, bake: %s}, {percent: 100, bake: 1h}]\n"
		"slos:\n",
		i, bake);
	for (int n = 0; n < 16; n++)
		buf_addf(&text,
			"  - {name: s%d, query: 'sum(rate(x{r=\"{{candidate}}"
			"\"}[5m])) / sum(rate(y{r=\"{{candidate}}\"}[5m]))', "
			"max: 1%%}\n",
			n);
	buf_adds(&text, more);
	served_write(&served, name, text.data);
	buf_fini(&text);
	free(name);
}

static int n_done;

static void reload_done(void *arg)
{
	n_done++;
}

static void reload(void)
{
	struct loop *loop = daemon_loop(served.daemon);

	daemon_reload(served.daemon, reload_done, NULL);
	RUN_UNTIL(loop, !daemon_is_reloading(served.daemon));
}

static int64_t bake_of(const char *name)
{
	struct shelf *shelf = daemon_shelf(served.daemon);
	const struct policy *policy;
	struct err err;
	int64_t bake_ms;

	policy = shelf_take(shelf, name, &err);
	if (!policy)
		return -1;
	bake_ms = policy->steps[0].bake_ms;
	shelf_give_back(shelf, &policy);
	return bake_ms;
}

/* By processor time, which is the same beside busy neighbours. */
static void no_turn_of_a_reload_is_long(void **state)
{
	struct loop *loop = daemon_loop(served.daemon);
	struct loop_turn turn;

	for (int i = 0; i < POLICIES; i++)
		write_policy(i, "10m", "");
	loop_measure_turns(loop);
	reload();
	assert_int_equal(n_done, 1);
	assert_int_equal(bake_of("p000"), 600000);
	assert_int_equal(bake_of("p499"), 600000);
	turn = loop_busiest_turn(loop);
	if (turn.cpu_us >= TURN_US_MAX)
		fail_msg("a turn took %lld us", (long long)turn.cpu_us);
	/* Requests are answered meanwhile. */
	daemon_reload(served.daemon, reload_done, NULL);
	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	RUN_UNTIL(loop, !daemon_is_reloading(served.daemon));
	assert_int_equal(n_done, 2);
}

static void what_has_changed_is_read_and_what_is_wrong_stays(void **state)
{
	char *gone = xasprintf("%s/policies/p002.yaml", served.folder);

	for (int i = 0; i < 3; i++)
		write_policy(i, "10m", "");
	reload();
	write_policy(0, "20m", "");
	write_policy(1, "20m", "nmae: x\n");
	write_policy(3, "30m", "");
	assert_int_equal(unlink(gone), 0);
	/* Who asks twice has what was there at the second time. */
	n_done = 0;
	daemon_reload(served.daemon, reload_done, NULL);
	write_policy(4, "40m", "");
	reload();
	assert_int_equal(n_done, 1);
	assert_int_equal(bake_of("p000"), 1200000);
	assert_int_equal(bake_of("p001"), 600000);
	assert_int_equal(bake_of("p002"), -1);
	assert_int_equal(bake_of("p003"), 1800000);
	assert_int_equal(bake_of("p004"), 2400000);
	assert_int_equal(bake_of("e2e"), 1000);
	free(gone);
}

static void the_daemon_may_end_while_it_reads(void **state)
{
	for (int turns = 0; turns < 6; turns++) {
		for (int i = 0; i < 40; i++)
			write_policy(i, turns % 2 ? "10m" : "20m", "");
		daemon_reload(served.daemon, reload_done, NULL);
		for (int i = 0; i < turns; i++)
			until_turn(daemon_loop(served.daemon));
		served_stop(&served);
		served_start(&served);
	}
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(no_turn_of_a_reload_is_long),
		WORLD(what_has_changed_is_read_and_what_is_wrong_stays),
		WORLD(the_daemon_may_end_while_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
