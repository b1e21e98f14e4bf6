/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the journal: for programs, for people, from anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "status/journal_print.h"

#define TIME_MS INT64_C(1767225605123)

static const struct {
	struct store_event entry;
	const char *json, *text;
} rows[] = {
	{{7, TIME_MS, false, "check", "baking", 10,
		 "{\"slo\":\"error-rate\",\"value\":0.034,\"outcome\":"
		 "\"breach\",\"text\":\"0.034 > max 0.01\"}"},
		"\"seq\":7,\"event\":\"check\",\"phase\":\"baking\","
		"\"percent\":10,\"slo\":\"error-rate\",\"value\":0.034,"
		"\"outcome\":\"breach\",\"text\":\"0.034 > max 0.01\"}\n",
		"00:00:05  baking 10 %        check error-rate breach: 0.034 > "
		"max 0.01\n"},
	{{8, TIME_MS, true, "phase", "reverting", 10,
		 "{\"from\":\"baking\",\"to\":\"reverting\",\"text\":\"x\"}"},
		"\"to\":\"reverting\",\"text\":\"x\"}\n",
		"00:00:05  reverting 10 %     phase baking -> reverting: x\n"},
	/* The name is said once. */
	{{8, TIME_MS, true, "breach", "reverting", 10,
		 "{\"slo\":\"p95\",\"text\":\"p95: 0.8 > max 0.5\"}"},
		"\"slo\":\"p95\",\"text\":\"p95: 0.8 > max 0.5\"}\n",
		"00:00:05  reverting 10 %     breach p95: 0.8 > max 0.5\n"},
	{{9, TIME_MS, false, "timer", "baking", 10, "{}"},
		"\"phase\":\"baking\",\"percent\":10}\n", ""},
	{{9, TIME_MS, false, "preflight", "preflight", 0,
		 "{\"ok\":false,\"reason\":\"two revisions\\nserve\"}"},
		"\"ok\":false,\"reason\":\"two revisions\\nserve\"}\n",
		"00:00:05  preflight 0 %      preflight refused: two "
		"revisions\\nserve\n"},
	/* The last line says why. */
	{{9, TIME_MS, false, "preflight", "refused", 0,
		 "{\"ok\":false,\"reason\":\"two revisions\\nserve\"}"},
		"\"ok\":false,\"reason\":\"two revisions\\nserve\"}\n",
		"00:00:05  refused 0 %        preflight refused\n"},
	{{10, TIME_MS, true, "phase", "refused", 0,
		 "{\"from\":\"preflight\",\"to\":\"refused\",\"text\":\"x\"}"},
		"\"to\":\"refused\",\"text\":\"x\"}\n",
		"00:00:05  refused 0 %        phase preflight -> refused\n"},
	{{11, TIME_MS, true, "warning", "refused", 0, "{\"text\":\"x\"}"},
		"\"text\":\"x\"}\n",
		"00:00:05  refused 0 %        warning: x\n"},
	{{9, TIME_MS, false, "command", "paused", 50,
		 "{\"who\":\"bob\",\"verb\":\"pause\",\"comment\":\"hm\"}"},
		"\"comment\":\"hm\"}\n",
		"00:00:05  paused 50 %        command pause by bob: hm\n"},
	/* From a state file of anybody. */
	{{9, TIME_MS, false, "x\033[2J\"", "\n", 0,
		 " { \"a\" :\n\t\"\xc2\x9b\x7f\xe2\x80\xae\" } "},
		"\"event\":\"x\\u001b[2J\\\"\",\"phase\":\"\\n\",\"percent\":0,"
		"\"a\" :  \"\\u009b\\u007f\\u202e\" }\n",
		"00:00:05  \\n 0 %             x\\x1b[2J\"\n"},
	{{9, TIME_MS, false, "check", "baking", 0, "{\"seq\":1}"},
		"\"percent\":0,\"damaged\":true}\n",
		"00:00:05  baking 0 %         check\n"},
	{{9, TIME_MS, false, "check", "baking", 0, "{\"a\":1}}"},
		"\"percent\":0,\"damaged\":true}\n",
		"00:00:05  baking 0 %         check (damaged)\n"},
	{{9, TIME_MS, false, "check", "baking", 0, "[1]"},
		"\"percent\":0,\"damaged\":true}\n",
		"00:00:05  baking 0 %         check (damaged)\n"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void programs_get_one_object_per_line(void **state)
{
	static const char begin[] = "{\"time\":\"2026-01-01T00:00:05.123Z\","
				    "\"rollout\":\"shop-1\",\"seq\":";
	struct buf out;
	size_t i;

	buf_init(&out, 4096);
	for (i = 0; i < ROWS; i++) {
		buf_clear(&out);
		journal_print_json("shop-1", &rows[i].entry, &out);
		if (strncmp(out.data, begin, strlen(begin)) != 0 ||
			!strstr(out.data, rows[i].json) ||
			strlen(strstr(out.data, rows[i].json)) !=
				strlen(rows[i].json))
			fail_msg("%s", out.data);
	}
	buf_fini(&out);
}

static void people_get_one_harmless_line(void **state)
{
	struct buf out;
	size_t i;

	buf_init(&out, 4096);
	for (i = 0; i < ROWS; i++) {
		buf_clear(&out);
		journal_print_text(&rows[i].entry, &out);
		if (strcmp(out.data, rows[i].text) != 0)
			fail_msg("%s%s", out.data, rows[i].text);
	}
	buf_fini(&out);
}

static void lines_that_were_dropped_have_the_place_of_the_last(void **state)
{
	const struct store_event entry = {
		9, TIME_MS, false, "check", "baking", 10, "{}"};
	struct journal_place place;
	struct buf out;

	journal_place_take(&place, "shop-1", &entry);
	buf_init(&out, 4096);
	journal_print_dropped(&place, 3, &out);
	assert_string_equal(out.data,
		"{\"time\":\"2026-01-01T00:00:05.123Z\","
		"\"rollout\":\"shop-1\",\"seq\":9,\"event\":\"dropped\","
		"\"phase\":\"baking\",\"percent\":10,\"count\":3}\n");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			lines_that_were_dropped_have_the_place_of_the_last),
		cmocka_unit_test(programs_get_one_object_per_line),
		cmocka_unit_test(people_get_one_harmless_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
