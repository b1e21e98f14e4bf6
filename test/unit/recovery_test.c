/* SPDX-License-Identifier: Apache-2.0 */
/* How long it took to restore a service, out of a journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "status/recovery.h"
#include "store/store.h"

struct line {
	int64_t time_ms;
	const char *name, *phase, *data;
	bool is_note;
};

#define CHECK(slo, outcome) "{\"slo\":\"" slo "\",\"outcome\":\"" outcome "\"}"

static int64_t read_journal(const struct line *lines)
{
	struct recovery recovery = {0};
	int64_t ms;

	for (const struct line *line = lines; line->name; line++) {
		const struct store_event entry = {.time_ms = line->time_ms,
			.name = line->name,
			.phase = line->phase,
			.data = line->data,
			.is_note = line->is_note};

		recovery_take(&recovery, &entry);
	}
	ms = recovery_ms(&recovery);
	recovery_fini(&recovery);
	return ms;
}

static void it_counts_from_the_first_bad_check_that_led_there(void **state)
{
	static const struct line lines[] = {
		{1000, "started", "preflight", "{}"},
		{2000, "check", "baking", CHECK("errors", "breach")},
		{3000, "check", "baking", CHECK("errors", "pass")},
		{3500, "check", "baking", CHECK("latency", "breach")},
		/* A text is none of ours, whatever stands in it. */
		{3700, "check", "baking",
			"{\"slo\":\"errors\",\"outcome\":\"no-data\",\"text\":"
			"\"\\\"outcome\\\":\\\"breach\\\"\"}"},
		{4000, "check", "baking", CHECK("errors", "breach")},
		{4000, "check", "baking", CHECK("errors", "breach"), true},
		{4500, "check", "baking", CHECK("errors", "no-data")},
		{5000, "check", "reverting", CHECK("errors", "breach")},
		{5500, "written", "reverting", "{}"},
		{6000, "traffic", "rolling-back", "{}"},
		{9000, "action", "rolled-back", "{}"},
		{0},
	};

	assert_int_equal(read_journal(lines), 2000);
}

static void who_aborts_for_what_is_bad_restores_too(void **state)
{
	static const struct line bad[] = {
		{2000, "check", "held", CHECK("errors", "breach")},
		{3000, "check", "held", CHECK("latency", "breach")},
		{5000, "command", "reverting", "{}"},
		{8000, "traffic", "rolled-back", "{}"},
		{0},
	};
	static const struct line good[] = {
		{2000, "check", "baking", CHECK("errors", "breach")},
		{3000, "check", "baking", CHECK("errors", "pass")},
		{5000, "command", "reverting", "{}"},
		{8000, "traffic", "rolled-back", "{}"},
		{0},
	};

	assert_int_equal(read_journal(bad), 6000);
	assert_int_equal(read_journal(good), -1);
}

static void what_is_not_restored_has_no_time(void **state)
{
	static const struct line reverting[] = {
		{2000, "check", "reverting", CHECK("errors", "breach")},
		{3000, "written", "reverting", "{}"},
		{0},
	};
	static const struct line failed[] = {
		{2000, "check", "reverting", CHECK("errors", "breach")},
		{3000, "written", "rollback-failed", "{}"},
		{0},
	};
	static const struct line promoted[] = {
		{2000, "check", "baking", CHECK("errors", "pass")},
		{3000, "traffic", "promoted", "{}"},
		{0},
	};

	assert_int_equal(read_journal(reverting), -1);
	assert_int_equal(read_journal(failed), -1);
	assert_int_equal(read_journal(promoted), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			it_counts_from_the_first_bad_check_that_led_there),
		cmocka_unit_test(who_aborts_for_what_is_bad_restores_too),
		cmocka_unit_test(what_is_not_restored_has_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
