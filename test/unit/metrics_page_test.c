/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's page of metrics counts, and its format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "io/clock.h"
#include "io/usage.h"
#include "openmetrics.h"
#include "serve/metrics_page.h"
#include "store/event_codec.h"

#define BACKEND "projects/acme/locations/us-central1/services/backend"
#define LABELS  "project=\"acme\",region=\"us-central1\",service=\"backend\""

static struct test_policy test;
static struct world world;
static struct metrics_page *page;
static struct metrics_rollout *rollout;
static struct buf text; /* the page as it was printed last */
static int64_t bad_from_ms;

static void take(const char *name, bool is_note, const char *data)
{
	struct store_event entry = {.time_ms = world.now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(world.rollout.phase),
		.percent = world.rollout.traffic.serving.candidate,
		.data = data};

	metrics_rollout_take(
		rollout, &entry, &world.rollout, "backend-2", "backend-1");
}

static void fed(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	struct event_context context = {.policy = w->policy,
		.state = &w->rollout,
		.judgement =
			event->type == EVENT_CHECK ? &out->judgement : NULL};
	struct buf data;
	size_t i;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	event_encode(event, &context, &data);
	take(event_name(event->type), false, data.data);
	for (i = 0; i < out->n_notes; i++) {
		buf_clear(&data);
		note_encode(&out->note[i], &context, &data);
		take(note_name(out->note[i].type), true, data.data);
	}
	buf_fini(&data);
}

static int setup(void **state)
{
	(void)state;
	test_policy_init(&test);
	test.slos[0].texts.max = "1%";
	world_init(&world, &test.policy);
	world.fed = fed;
	bad_from_ms = INT64_MAX;
	page = metrics_page_new();
	rollout =
		metrics_rollout_new(page, BACKEND, "backend-1-2", &test.policy);
	buf_init(&text, METRICS_PAGE_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rollout_clear(&world.rollout);
	metrics_rollout_end(&rollout);
	metrics_page_free(&page);
	buf_fini(&text);
	return 0;
}

static void print(int64_t after_ms)
{
	struct metrics_moment moment = {.wall_ms = world.now_ms + after_ms};

	buf_clear(&text);
	metrics_page_print(page, &moment, &text);
	assert_false(text.overflow);
}

/* The value of a series; fails when it is not there. */
static double value_of(const char *series)
{
	char line[512];
	const char *at;

	snprintf(line, sizeof(line), "\n%s ", series);
	at = strstr(text.data, line);
	if (!at)
		fail_msg("%s is not on the page", series);
	return strtod(at + strlen(line), NULL);
}

static bool has(const char *series)
{
	char line[512];

	snprintf(line, sizeof(line), "\n%s ", series);
	return strstr(text.data, line) != NULL;
}

#define SERIES(name, more) name "{" LABELS more "}"

static struct answers bad_after(struct world *w, int slo)
{
	double value = w->now_ms >= bad_from_ms ? 0.148 : 0;

	(void)slo;
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, value}};
}

/* ---- rollouts ---- */

static void counters_are_there_before_anything_is_counted(void **state)
{
	(void)state;
	print(0);
	assert_true(value_of(SERIES("tidegate_checks_total",
			    ",slo=\"error-rate\",outcome=\"breach\"")) == 0);
	assert_true(value_of(SERIES("tidegate_rollouts_total",
			    ",outcome=\"rollback-failed\"")) == 0);
	assert_true(value_of(SERIES("tidegate_revert_attempts_total",
			    ",result=\"failed\"")) == 0);
	assert_true(value_of(SERIES("tidegate_drift_total", "")) == 0);
	assert_true(value_of("tidegate_journal_append_errors_total") == 0);
	assert_true(value_of("tidegate_decisions_total{verb=\"abort\",result="
			     "\"refused\"}") == 0);
}

static void a_rollout_is_shown_while_it_runs(void **state)
{
	(void)state;
	world_start(&world);
	world_run(&world, 40000);
	assert_int_equal(world.rollout.phase, PHASE_BAKING);
	print(0);
	assert_true(value_of(SERIES("tidegate_rollout_info",
			    ",rollout=\"backend-1-2\",candidate=\"backend-2\","
			    "stable=\"backend-1\"")) == 1);
	assert_true(value_of(SERIES("tidegate_rollout_phase",
			    ",phase=\"baking\"")) == 1);
	assert_true(value_of(SERIES("tidegate_rollout_phase",
			    ",phase=\"promoted\"")) == 0);
	assert_true(value_of(SERIES("tidegate_candidate_traffic_ratio", "")) ==
		    0.1);
	assert_true(value_of(SERIES("tidegate_rollout_phase_start_timestamp_"
				    "seconds",
			    "")) == (double)world.rollout.phase_ms / 1e3);
	assert_true(value_of(SERIES(
			    "tidegate_slo_value", ",slo=\"error-rate\"")) == 0);
	assert_true(value_of(SERIES("tidegate_slo_limit",
			    ",slo=\"error-rate\"")) == 0.01);
	assert_true(value_of("tidegate_rollouts{phase=\"baking\"}") == 1);
	assert_true(value_of("tidegate_rollouts{phase=\"held\"}") == 0);
}

static void a_promotion_is_counted_and_gone_after_five_minutes(void **state)
{
	(void)state;
	world_start(&world);
	world_run(&world, 600000);
	assert_int_equal(world.rollout.phase, PHASE_PROMOTED);
	metrics_rollout_end(&rollout);
	print(1000);
	assert_true(value_of(SERIES("tidegate_rollout_phase",
			    ",phase=\"promoted\"")) == 1);
	assert_false(has(SERIES("tidegate_rollout_info",
		",rollout=\"backend-1-2\",candidate=\"backend-2\","
		"stable=\"backend-1\"")));
	print(METRICS_ENDED_MS + 600000);
	assert_false(
		has(SERIES("tidegate_rollout_phase", ",phase=\"promoted\"")));
	assert_false(has(SERIES("tidegate_slo_value", ",slo=\"error-rate\"")));
	assert_true(value_of(SERIES("tidegate_rollouts_total",
			    ",outcome=\"promoted\"")) == 1);
	assert_true(value_of("tidegate_rollout_duration_seconds_count{outcome="
			     "\"promoted\"}") == 1);
	assert_true(value_of("tidegate_rollouts{phase=\"promoted\"}") == 0);
}

static void a_revert_is_counted_with_its_reason_and_time(void **state)
{
	(void)state;
	bad_from_ms = world.now_ms + 40000;
	world.answer = bad_after;
	world_start(&world);
	world_run(&world, 600000);
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	print(0);
	assert_true(value_of(SERIES(
			    "tidegate_reverts_total", ",reason=\"slo\"")) == 1);
	assert_true(value_of(SERIES("tidegate_reverts_total",
			    ",reason=\"person\"")) == 0);
	assert_true(value_of(SERIES("tidegate_revert_attempts_total",
			    ",result=\"done\"")) == 1);
	assert_true(value_of("tidegate_revert_duration_seconds_count") == 1);
	/* What was bad was so before it was decided. */
	assert_true(value_of("tidegate_time_to_restore_seconds_count") == 1);
	assert_true(value_of("tidegate_time_to_restore_seconds_sum") >
		    value_of("tidegate_revert_duration_seconds_sum"));
	assert_true(value_of(SERIES("tidegate_checks_total",
			    ",slo=\"error-rate\",outcome=\"breach\"")) >= 2);
	assert_true(
		value_of("tidegate_traffic_writes_total{result=\"done\"}") >=
		2);
}

static void one_that_needs_a_person_stays_until_the_next(void **state)
{
	(void)state;
	bad_from_ms = world.now_ms + 40000;
	world.answer = bad_after;
	world_start(&world);
	world_run(&world, 30000);
	world.write_result = WRITE_BUSY;
	world.write_trouble = -1;
	world_run(&world, 4000000);
	assert_int_equal(world.rollout.phase, PHASE_ROLLBACK_FAILED);
	metrics_rollout_end(&rollout);
	print(48 * 3600 * INT64_C(1000));
	assert_true(value_of(SERIES("tidegate_rollout_phase",
			    ",phase=\"rollback-failed\"")) == 1);
	assert_true(value_of(SERIES("tidegate_revert_attempts_total",
			    ",result=\"busy\"")) > 3);
	assert_true(value_of("tidegate_revert_duration_seconds_count") == 0);

	rollout = metrics_rollout_new(page, BACKEND, "b-2", &test.policy);
	rollout_clear(&world.rollout);
	world_init(&world, &test.policy);
	world.fed = fed;
	world_start(&world);
	print(0);
	assert_true(value_of(SERIES("tidegate_rollout_phase",
			    ",phase=\"rollback-failed\"")) == 0);
}

static void one_that_is_taken_up_was_in_its_phase_before(void **state)
{
	int64_t since_ms;

	(void)state;
	metrics_rollout_end(&rollout);
	world.fed = NULL;
	world_start(&world);
	world_run(&world, 40000);
	since_ms = world.rollout.phase_ms;
	rollout = metrics_rollout_new(page, BACKEND, "b-1", &test.policy);
	world.fed = fed;
	world_run(&world, 20000);
	print(0);
	assert_true(value_of(SERIES("tidegate_rollout_phase_start_timestamp_"
				    "seconds",
			    "")) == (double)since_ms / 1e3);
}

static void decisions_are_counted_with_what_became_of_them(void **state)
{
	(void)state;
	world_start(&world);
	world_run(&world, 20000);
	world_command(&world, VERB_PAUSE, "bob");
	world_command(&world, VERB_APPROVE, "carol");
	metrics_decision(page, VERB_ABORT, DECISION_DENIED);
	metrics_decision(page, VERB_ABORT, DECISION_MOVED_ON);
	print(0);
#define DECISION(verb, result) \
	"tidegate_decisions_total{verb=\"" verb "\",result=\"" result "\"}"
	assert_true(value_of(DECISION("pause", "taken")) == 1);
	assert_true(value_of(DECISION("pause", "refused")) == 0);
	assert_true(value_of(DECISION("approve", "taken")) == 0);
	assert_true(value_of(DECISION("approve", "refused")) == 1);
	assert_true(value_of(DECISION("abort", "denied")) == 1);
	assert_true(value_of(DECISION("abort", "moved-on")) == 1);
}

static void checks_on_their_grid_are_not_late(void **state)
{
	(void)state;
	world_start(&world);
	world_run(&world, 120000);
	print(0);
	assert_true(value_of("tidegate_check_lateness_seconds_count") > 3);
	assert_true(value_of("tidegate_check_lateness_seconds_bucket{le="
			     "\"0.0005\"}") ==
		    value_of("tidegate_check_lateness_seconds_count"));
}

static void entries_that_make_no_sense_count_for_nothing(void **state)
{
	(void)state;
	take("check", false, "[1");
	take("written", false, "{\"result\": {}}");
	take("action", false, "{\"type\": \"http\", \"result\": 7}");
	take("action", false, "{\"type\": \"dance\", \"result\": \"ok\"}");
	take("command", false, "{\"verb\": \"dance\"}");
	take("nonsense", false, "");
	take("nonsense", true, "{}");
	print(0);
	assert_true(
		value_of("tidegate_traffic_writes_total{result=\"done\"}") ==
		0);
}

/* ---- bounds ---- */

static void what_has_no_room_is_counted_together(void **state)
{
	struct metrics_rollout *more[1000];
	char name[128];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct store_event entry = {.time_ms = 1000,
			.name = "check",
			.phase = "baking",
			.data = "{\"slo\": \"error-rate\", \"outcome\": "
				"\"pass\", \"latency_ms\": 3}"};

		snprintf(name, sizeof(name), BACKEND "-%d", i);
		more[i] = metrics_rollout_new(page, name, name, &test.policy);
		metrics_rollout_take(more[i], &entry, &world.rollout, "c", "s");
	}
	print(0);
	assert_true(value_of("tidegate_rollouts{phase=\"baking\"}") == 1000);
	assert_true(value_of("tidegate_rollouts_without_series") > 500);
	assert_true(value_of("tidegate_checks_total{project=\"\",region=\"\","
			     "service=\"_other\",slo=\"_other\",outcome="
			     "\"pass\"}") ==
		    value_of("tidegate_rollouts_without_series"));
	for (int i = 0; i < 1000; i++)
		metrics_rollout_end(&more[i]);
	print(0);
	assert_true(value_of("tidegate_rollouts{phase=\"baking\"}") == 0);
	assert_true(value_of("tidegate_rollouts_without_series") == 0);
}

static size_t count_series(void)
{
	size_t n = 0;

	for (const char *line = text.data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		n += *line && *line != '#';
	}
	return n;
}

static void the_page_has_no_more_series_than_it_may(void **state)
{
	struct metrics_rollout *more[300];
	char name[128];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), BACKEND "-%d", i);
		more[i] = metrics_rollout_new(page, name, name, &test.policy);
	}
	for (int i = 0; i < 300; i++) {
		struct metrics_rollout *own = rollout;

		rollout = more[i];
		take("check", false,
			"{\"slo\": \"error-rate\", \"outcome\": \"pass\", "
			"\"value\": 1, \"limit\": 2, \"answers\": "
			"{\"baseline\": 3}}");
		rollout = own;
	}
	for (int i = 0; i < 300; i++)
		metrics_http_request(page, "/api/v1/rollouts/ID", 200 + i);
	print(0);
	assert_true(count_series() > METRICS_SERIES_MAX * 8 / 10);
	assert_true(
		count_series() < METRICS_SERIES_MAX + METRICS_ROUTES_MAX + 300);
	for (int i = 0; i < 300; i++)
		metrics_rollout_end(&more[i]);
}

/* ---- the format ---- */

static void promtool_finds_nothing_to_complain_of(void **state)
{
	struct metrics_moment moment;
	struct process_usage usage;
	FILE *promtool;
	int status;

	(void)state;
	bad_from_ms = world.now_ms + 40000;
	world.answer = bad_after;
	world_start(&world);
	world_run(&world, 50000);
	metrics_http_request(page, "/api/v1/rollouts", 200);
	metrics_store_commit(page, 400);
	metrics_loop_lag(page, 20000000);
	metrics_drill(page, BACKEND, world.now_ms);
	usage_read(&usage);
	moment = (struct metrics_moment){
		.wall_ms = world.now_ms, .usage = &usage};
	buf_clear(&text);
	metrics_page_print(page, &moment, &text);
	promtool = popen("promtool check metrics 2>&1", "w");
	assert_non_null(promtool);
	assert_int_equal(fwrite(text.data, 1, text.len, promtool), text.len);
	status = pclose(promtool);
	assert_int_equal(WEXITSTATUS(status), 0);
	for (size_t i = 0; metrics_family_name(i); i++) {
		char type[128];

		snprintf(type, sizeof(type), "# TYPE %s ",
			metrics_family_name(i));
		assert_non_null(strstr(text.data, type));
	}
}

static void assert_open(void)
{
	const char *trouble = openmetrics_trouble(text.data);

	if (trouble)
		fail_msg("%s", trouble);
}

/* The two forms of a page have the same series. */
static void openmetrics_is_strict_and_the_same(void **state)
{
	struct process_usage usage;
	struct metrics_moment moment = {.usage = &usage};
	char *open, *plain;

	bad_from_ms = world.now_ms + 40000;
	world.answer = bad_after;
	world_start(&world);
	world_run(&world, 50000);
	metrics_http_request(page, "/api/v1/rollouts", 200);
	metrics_store_commit(page, 400);
	metrics_loop_lag(page, 20000000);
	metrics_drill(page, "projects/p/locations/r/services/say \"a\\b\"",
		world.now_ms);
	usage_read(&usage);
	moment.wall_ms = world.now_ms;
	buf_clear(&text);
	metrics_page_print(page, &moment, &text);
	plain = metrics_series(text.data);
	moment.is_open = true;
	buf_clear(&text);
	metrics_page_print(page, &moment, &text);
	assert_open();
	open = metrics_series(text.data);
	assert_string_equal(open, plain);
	assert_non_null(
		strstr(text.data, "\n# TYPE tidegate_checks counter\n"));
	assert_non_null(strstr(text.data, "# TYPE tidegate_build info\n"));
	/* The gauge of that name was there first. */
	assert_non_null(
		strstr(text.data, "\n# TYPE tidegate_rollouts gauge\n"));
	assert_non_null(strstr(
		text.data, "\n# TYPE tidegate_rollouts_total unknown\n"));
	assert_string_equal(text.data + text.len - 6, "# EOF\n");
	free(open);
	free(plain);
}

static void the_reader_of_openmetrics_is_strict(void **state)
{
	static const char *const wrong[] = {
		"",
		"# EOF",
		"# TYPE a gauge\na 1\n",
		"# TYPE a gauge\na 1\n# EOF\na 2\n",
		"# TYPE a gauge\n\na 1\n# EOF\n",
		"# TYPE a gauge\n# a comment\na 1\n# EOF\n",
		"# TYPE a_total counter\na_total 1\n# EOF\n",
		"# TYPE a counter\na 1\n# EOF\n",
		"# TYPE a counter\na_total -1\n# EOF\n",
		"# TYPE a gauge\na 1\n# TYPE a counter\na_total 1\n# EOF\n",
		"# TYPE a gauge\na 1\na 2\n# EOF\n",
		"# TYPE a gauge\n# HELP b c\na 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a \"b\"\na 1\n# EOF\n",
		"# TYPE a gauge\na{b=\"\\t\"} 1\n# EOF\n",
		"# TYPE a gauge\na{b=\"c} 1\n# EOF\n",
		"# TYPE a gauge\na 0x1\n# EOF\n",
		"# TYPE a info\na_info 2\n# EOF\n",
		"# TYPE a histogram\na_bucket{le=\"1\"} 2\n"
		"a_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n",
		"# TYPE a histogram\na_bucket{le=\"1\"} 1\n"
		"a_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n# EOF\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (!openmetrics_trouble(wrong[i]))
			fail_msg("%s", wrong[i]);
	assert_null(openmetrics_trouble(
		"# TYPE a gauge\n# HELP a b\\\"c\na{b=\"\\\\\\n\\\"\"} NaN\n"
		"# TYPE b counter\nb_total{a=\"1\"} 1e3\nb_total 0\n"
		"# EOF\n"));
}

static void names_from_outside_are_escaped(void **state)
{
	struct store_event entry = {.time_ms = 1000,
		.name = "started",
		.phase = "preflight",
		.data = "{}"};

	(void)state;
	metrics_rollout_take(rollout, &entry, &world.rollout, "a\"b\\c\nd", "");
	print(0);
	assert_non_null(
		strstr(text.data, "candidate=\"a\\\"b\\\\c\\nd\",stable=\"\""));
}

static void the_process_says_what_it_uses(void **state)
{
	struct process_usage usage;

	(void)state;
	usage_read(&usage);
	assert_true(usage.cpu_s >= 0 && usage.cpu_s < 3600);
	assert_true(usage.resident > 100000);
	assert_true(usage.virtual >= usage.resident);
	assert_true(usage.fds >= 3 && usage.fds < usage.fds_max);
	assert_true(llabs(usage.started_ms - clock_wall_ms()) < 600000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counters_are_there_before_anything_is_counted),
		TEST(a_rollout_is_shown_while_it_runs),
		TEST(a_promotion_is_counted_and_gone_after_five_minutes),
		TEST(a_revert_is_counted_with_its_reason_and_time),
		TEST(one_that_needs_a_person_stays_until_the_next),
		TEST(one_that_is_taken_up_was_in_its_phase_before),
		TEST(decisions_are_counted_with_what_became_of_them),
		TEST(checks_on_their_grid_are_not_late),
		TEST(entries_that_make_no_sense_count_for_nothing),
		TEST(what_has_no_room_is_counted_together),
		TEST(the_page_has_no_more_series_than_it_may),
		TEST(promtool_finds_nothing_to_complain_of),
		TEST(openmetrics_is_strict_and_the_same),
		TEST(the_reader_of_openmetrics_is_strict),
		TEST(names_from_outside_are_escaped),
		TEST(the_process_says_what_it_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
