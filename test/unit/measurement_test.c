/* SPDX-License-Identifier: Apache-2.0 */
/* The queries of one SLO: asked as one, and one by one when that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics/measurement.h"
#include "metrics_fixture.h"
#include "until.h"

#define RATIO      "total: 'all{r=\"{{revision}}\"}', bad: 'bad{r=\"{{revision}}\"}'"
#define LATENCY    "bound: 500ms, buckets: 'd_bucket{r=\"{{revision}}\"}'"
#define ROLE(role) "\"__name__\":\"a\",\"__tidegate_role__\":\"" role "\""
#define SERIES(labels, value) \
	"{\"metric\":{" labels "},\"value\":[1,\"" value "\"]}"
#define ANSWER(series)                                                 \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"," \
	"\"result\":[" series "]}"
#define REFUSAL \
	"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"why\"}"

struct world {
	struct metrics_fixture metrics;
	struct measurement *measurement;
	bool ended;
	/* Of the end, in its order. */
	struct answers answers;
	double sum[QUERY_ROLES]; /* of the values that were answered */
	char trouble[2048], warnings[2048];
	bool wrong, retryable;
};

static int tear_down(void **state)
{
	struct world *world = *state;

	metrics_fixture_fini(&world->metrics);
	free(world);
	return 0;
}

static struct world *open_world(void **state, const char *slo)
{
	struct world *world = calloc(1, sizeof(*world));

	metrics_fixture_init(&world->metrics, "", slo);
	world->metrics.arg = world;
	*state = world;
	return world;
}

static void ended(const struct measurement_end *end, void *arg)
{
	struct world *world = arg;

	world->measurement = NULL;
	world->ended = true;
	world->answers = end->answers;
	world->wrong = end->wrong;
	world->retryable = end->retryable;
	snprintf(world->trouble, sizeof(world->trouble), "%s", end->trouble);
	snprintf(world->warnings, sizeof(world->warnings), "%s", end->warnings);
	for (int role = 0; role < QUERY_ROLES; role++) {
		assert_int_equal(end->series[role], end->counters[role].n);
		for (size_t i = 0; i < end->counters[role].n; i++)
			world->sum[role] += end->counters[role].sample[i].value;
	}
}

static void start(struct world *world)
{
	const struct measurement_what what = {
		.policy = world->metrics.policy,
		.slo = &world->metrics.policy->slos[0],
		.project = "p",
		.values = &world->metrics.values,
	};

	world->measurement =
		measurement_start(world->metrics.pool, &what, ended, world);
}

static void measure(struct world *world)
{
	start(world);
	RUN_UNTIL(world->metrics.loop, world->ended);
}

static bool is_joint(const struct metrics_asked *asked)
{
	return strstr(asked->query, "label_replace") != NULL;
}

static int all_at_once(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	assert_true(is_joint(asked));
	buf_adds(body,
		ANSWER(SERIES(ROLE("bad") ",\"i\":\"1\"", "4") "," SERIES(
			ROLE("total") ",\"i\":\"2\"",
			"30") "," SERIES(ROLE("total") ",\"i\":\"1\"",
			"20") "," SERIES(ROLE("baseline-total"), "500")) "}");
	return 200;
}

static void all_counters_of_an_slo_are_asked_as_one(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->metrics.answer = all_at_once;
	measure(world);
	assert_int_equal(world->metrics.n_asked, 1);
	assert_string_equal(world->metrics.asked[0].query,
		"label_replace((all{r=\"s-2\"}\n), "
		"\"__tidegate_role__\", \"total\", \"\", \"\") or "
		"label_replace((all{r=\"s-1\"}\n), "
		"\"__tidegate_role__\", \"baseline-total\", \"\", \"\") or "
		"label_replace((bad{r=\"s-2\"}\n), "
		"\"__tidegate_role__\", \"bad\", \"\", \"\") or "
		"label_replace((bad{r=\"s-1\"}\n), "
		"\"__tidegate_role__\", \"baseline-bad\", \"\", \"\")");
	assert_true(world->sum[QUERY_TOTAL] == 50);
	assert_true(world->sum[QUERY_TOTAL_STABLE] == 500);
	assert_true(world->sum[QUERY_BAD] == 4);
	assert_true(world->answers.item[QUERY_TOTAL].value == 2);
	assert_int_equal(world->answers.item[QUERY_BAD].kind, ANSWER_VALUE);
	assert_int_equal(
		world->answers.item[QUERY_BAD_STABLE].kind, ANSWER_NO_DATA);
	assert_string_equal(world->trouble, "");
}

static int empty_buckets(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	buf_adds(body, ANSWER("") "}");
	return 200;
}

static void a_histogram_is_two_queries_in_one(void **state)
{
	struct world *world = open_world(state, LATENCY);

	world->metrics.answer = empty_buckets;
	measure(world);
	assert_int_equal(world->metrics.n_asked, 1);
	assert_non_null(strstr(world->metrics.asked[0].query, "\"buckets\""));
	assert_non_null(
		strstr(world->metrics.asked[0].query, "\"baseline-buckets\""));
	assert_int_equal(world->answers.item[QUERY_TOTAL].kind, ANSWER_NO_DATA);
	assert_string_equal(world->trouble, "");
}

/* Refuses the bad ones, also as a part of the whole. */
static int refuse_bad(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	bool bad = strstr(asked->query, "bad{") != NULL;

	buf_adds(body,
		bad ? REFUSAL : ANSWER(SERIES("\"__name__\":\"a\"", "7")) "}");
	return bad ? 400 : 200;
}

static void when_the_whole_is_refused_the_query_at_fault_is_named(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->metrics.answer = refuse_bad;
	measure(world);
	assert_int_equal(world->metrics.n_asked, 5);
	assert_true(strncmp(world->trouble, "bad: metrics", 12) == 0);
	assert_non_null(strstr(world->trouble, "; baseline-bad: "));
	assert_null(strstr(world->trouble, "total"));
	assert_true(world->wrong);
	assert_true(world->sum[QUERY_TOTAL] == 7);
	assert_true(world->sum[QUERY_TOTAL_STABLE] == 7);
}

/* As a server does that takes label_replace for something else. */
static int without_roles(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	buf_adds(body, ANSWER(SERIES("\"__name__\":\"a\"", "7")) "}");
	return 200;
}

/* More than one answer may have, though no query yields so much. */
static int much_together(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	for (size_t i = 0; is_joint(asked) && i < 5 * 1024 * 1024; i += 64)
		buf_addf(body, "%64s", "");
	return without_roles(asked, body, arg);
}

static void what_is_no_answer_to_the_whole_is_asked_one_by_one(void **state)
{
	static int (*const answers[])(const struct metrics_asked *,
		struct buf *, void *) = {without_roles, much_together};
	struct world *world;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		world = open_world(state, RATIO);
		world->metrics.answer = answers[i];
		measure(world);
		assert_int_equal(world->metrics.n_asked, 5);
		assert_string_equal(world->trouble, "");
		for (int role = QUERY_TOTAL; role < QUERY_ROLES; role++)
			assert_true(world->sum[role] == 7);
		if (i == 0)
			tear_down(state);
	}
}

static void what_was_too_much_together_is_not_asked_so_again(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->metrics.answer = much_together;
	measure(world);
	assert_int_equal(world->metrics.n_asked, 5);
	world->ended = false;
	measure(world);
	assert_int_equal(world->metrics.n_asked, 9);
	for (int i = 1; i < 9; i++)
		assert_false(is_joint(&world->metrics.asked[i]));
	assert_string_equal(world->trouble, "");
	world->ended = false;
	world->metrics.values.candidate = "s-3";
	measure(world);
	assert_true(is_joint(&world->metrics.asked[9]));
}

static int nowhere(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	buf_adds(body, "nothing here");
	return 404;
}

static void trouble_of_the_server_is_told_once_for_all(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->metrics.answer = nowhere;
	measure(world);
	assert_int_equal(world->metrics.n_asked, 1);
	assert_non_null(strstr(world->trouble,
		"total, baseline-total, bad, baseline-bad: metrics"));
	assert_null(strstr(world->trouble, "; bad"));
	assert_false(world->wrong);
	assert_false(world->retryable);
	for (int role = QUERY_TOTAL; role < QUERY_ROLES; role++)
		assert_int_equal(world->answers.item[role].kind, ANSWER_ERROR);
}

static int partial(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	buf_adds(body, ANSWER(SERIES(ROLE("total"),
			       "9")) ",\"warnings\":[\"a store is away\"]}");
	return 200;
}

static void what_lacks_a_part_may_lack_it_in_every_query(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->metrics.answer = partial;
	measure(world);
	for (int role = QUERY_TOTAL; role < QUERY_ROLES; role++)
		assert_true(world->answers.item[role].partial);
	assert_string_equal(world->warnings,
		"total, baseline-total, bad, baseline-bad: a store is away");
}

static void count_end(const struct measurement_end *end, void *arg)
{
	int *ends = arg;

	assert_string_equal(end->trouble, "");
	assert_true(end->counters[QUERY_TOTAL].n == 2);
	++*ends;
}

/* As rollouts of a fleet may, which look at the same revisions. */
static void who_asks_the_same_at_once_shares_the_answer(void **state)
{
	struct world *world = open_world(state, RATIO);
	const struct measurement_what what = {
		.policy = world->metrics.policy,
		.slo = &world->metrics.policy->slos[0],
		.project = "p",
		.values = &world->metrics.values,
	};
	int ends = 0;

	world->metrics.answer = all_at_once;
	for (int i = 0; i < 3; i++)
		measurement_start(world->metrics.pool, &what, count_end, &ends);
	RUN_UNTIL(world->metrics.loop, ends == 3);
	assert_int_equal(world->metrics.n_asked, 1);
}

static void it_may_be_cancelled_at_any_moment(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->metrics.answer = without_roles;
	for (int asked = 0; asked < 5; asked++) {
		world->metrics.n_asked = 0;
		start(world);
		RUN_UNTIL(world->metrics.loop, world->metrics.n_asked >= asked);
		measurement_cancel(&world->measurement);
		assert_null(world->measurement);
		world->ended = false;
		until_turn(world->metrics.loop);
		assert_false(world->ended);
		for (int i = 0; i < world->metrics.n_asked; i++)
			free(world->metrics.asked[i].query);
	}
	world->metrics.n_asked = 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_counters_of_an_slo_are_asked_as_one),
		TEST(a_histogram_is_two_queries_in_one),
		TEST(when_the_whole_is_refused_the_query_at_fault_is_named),
		TEST(what_is_no_answer_to_the_whole_is_asked_one_by_one),
		TEST(what_was_too_much_together_is_not_asked_so_again),
		TEST(trouble_of_the_server_is_told_once_for_all),
		TEST(what_lacks_a_part_may_lack_it_in_every_query),
		TEST(who_asks_the_same_at_once_shares_the_answer),
		TEST(it_may_be_cancelled_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
