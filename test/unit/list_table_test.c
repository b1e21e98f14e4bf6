/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate list`: what runs is seen, whatever was refused since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/list_table.h"
#include "cli/local_clock.h"

#define HOUR INT64_C(3600000)

static struct store_rollout rollout(const char *id, const char *service,
	const char *phase, int64_t ended_ms)
{
	return (struct store_rollout){.id = id,
		.service = service,
		.candidate = "b2",
		.stable = "b1",
		.phase = phase,
		.reason = ended_ms ? "why" : "",
		.started_ms = 25 * HOUR,
		.ended_ms = ended_ms};
}

static void what_runs_comes_first_and_tries_are_one_row(void **state)
{
	const struct store_rollout newest[] = {
		rollout("r7", "s/backend", "refused", HOUR),
		rollout("r6", "s/backend", "refused", HOUR),
		rollout("r5", "s/backend", "refused", HOUR),
		rollout("r4", "s/other", "refused", HOUR),
		rollout("r3", "s/backend", "promoted", HOUR),
		rollout("r2", "s/backend", "baking", 0),
		rollout("r1", "s/backend", "rolled-back", HOUR)};
	const struct list_table list = {.running = &newest[5],
		.n_running = 1,
		.newest = newest,
		.n_newest = 7,
		.limit = 3,
		.clock = summary_clock_utc};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	assert_int_equal(list_table_print(&list, &out), 4);
	assert_string_equal(out.data,
		"ROLLOUT  SERVICE  CANDIDATE  PHASE             "
		"STARTED                  REASON\n"
		"r2       backend  b2         baking            "
		"1970-01-02 01:00:00 UTC  \n"
		"r7       backend  b2         refused, 3 tries  "
		"1970-01-02 01:00:00 UTC  why\n"
		"r4       other    b2         refused           "
		"1970-01-02 01:00:00 UTC  why\n"
		"r3       backend  b2         promoted          "
		"1970-01-02 01:00:00 UTC  why\n");
	buf_fini(&out);
}

static void a_line_is_as_wide_as_the_terminal(void **state)
{
	struct store_rollout one = rollout("r1", "s/b", "promoted", HOUR);
	const struct list_table list = {.newest = &one,
		.n_newest = 1,
		.limit = 1,
		.columns = 64,
		.clock = summary_clock_utc};
	struct buf out;
	char *end;

	(void)state;
	one.reason = "a reason that is far too long for such a terminal";
	buf_init(&out, 65536);
	list_table_print(&list, &out);
	end = strstr(out.data, "r1");
	assert_non_null(end);
	assert_int_equal(strchr(end, '\n') - end, 64);
	assert_non_null(strstr(end, "...\n"));
	buf_fini(&out);
}

/* What runs is there, whatever else has room. */
static void more_rows_than_lines_are_counted(void **state)
{
	const struct store_rollout newest[] = {
		rollout("r4", "s/a", "promoted", HOUR),
		rollout("r3", "s/b", "promoted", HOUR),
		rollout("r2", "s/c", "promoted", HOUR),
		rollout("r1", "s/d", "baking", 0)};
	struct list_table list = {.running = &newest[3],
		.n_running = 1,
		.newest = newest,
		.n_newest = 4,
		.limit = 20,
		.lines = 4,
		.clock = summary_clock_utc};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	list_table_print(&list, &out);
	assert_non_null(strstr(out.data, "\nr1 "));
	assert_non_null(strstr(out.data, "\nr4 "));
	assert_null(strstr(out.data, "\nr3 "));
	assert_non_null(strstr(out.data, "\n... and 2 more\n"));
	buf_clear(&out);
	list.lines = 5;
	list_table_print(&list, &out);
	assert_non_null(strstr(out.data, "\nr2 "));
	assert_null(strstr(out.data, "more\n"));
	buf_fini(&out);
}

/* Times are of the zone of who reads, which is named. */
static void times_are_of_the_local_zone(void **state)
{
	const struct store_rollout one = rollout("r1", "s/b", "promoted", HOUR);
	const struct list_table list = {.newest = &one,
		.n_newest = 1,
		.limit = 1,
		.clock = local_clock};
	struct buf out;

	(void)state;
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	buf_init(&out, 65536);
	list_table_print(&list, &out);
	assert_non_null(strstr(out.data, "1970-01-02 06:30:00 XYZ"));
	buf_fini(&out);
}

/* Wide characters take two cells of a terminal, combining ones none. */
static void columns_and_cuts_are_of_cells(void **state)
{
	struct store_rollout both[] = {rollout("\xe6\x97\xa5\xe6\x9c\xac",
					       "s/e\xcc\x81", "promoted", HOUR),
		rollout("plain", "s/b", "promoted", HOUR)};
	struct list_table list = {.newest = both,
		.n_newest = 2,
		.limit = 2,
		.clock = summary_clock_utc};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	list_table_print(&list, &out);
	assert_non_null(strstr(out.data,
		"\n\xe6\x97\xa5\xe6\x9c\xac     e\xcc\x81        b2"));
	assert_non_null(strstr(out.data, "\nplain    b        b2"));
	buf_clear(&out);
	both[0].reason = "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac";
	list.columns = 71;
	list_table_print(&list, &out);
	/* Of eight cells seven are there: two characters and the dots. */
	assert_non_null(strstr(out.data, "UTC  \xe6\x97\xa5\xe6\x9c\xac...\n"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runs_comes_first_and_tries_are_one_row),
		cmocka_unit_test(a_line_is_as_wide_as_the_terminal),
		cmocka_unit_test(more_rows_than_lines_are_counted),
		cmocka_unit_test(times_are_of_the_local_zone),
		cmocka_unit_test(columns_and_cuts_are_of_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
