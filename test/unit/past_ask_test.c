/* SPDX-License-Identifier: Apache-2.0 */
/* Stable's past: which pieces of it are asked for, and what is made of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/clock.h"
#include "metrics/past_ask.h"
#include "metrics_fixture.h"
#include "until.h"

#define RATIO "total: 'all{r=\"{{revision}}\"}', bad: 'bad{r=\"{{revision}}\"}'"
#define GROWING                                                      \
	"total: 'run_googleapis_com:request_count{" CLOUD_RUN "}', " \
	"bad: 'run_googleapis_com:request_count{" CLOUD_RUN          \
	",response_code_class=\"5xx\"}'"
#define CLOUD_RUN                                    \
	"monitored_resource=\"cloud_run_revision\"," \
	"revision_name=\"{{revision}}\""
#define TWO_HOURS "evidence: {history: 2h}\n"
#define LOOKS     241 /* of two hours */
#define DAY_LOOKS 2881
#define PIECE_MAX 120
#define CELLS_MAX 150000

struct world {
	struct metrics_fixture metrics;
	struct past_ask *ask;
	int series; /* of an answer */
	double bad; /* of a hundred requests */
	int too_long; /* looks that are more than an answer may have */
	int64_t slow_ms; /* each answer takes so long */
	int64_t answered_us; /* the one before */
	bool ended;
	struct slo_history history;
	struct err err;
};

static int tear_down(void **state)
{
	struct world *world = *state;

	past_ask_cancel(&world->ask);
	metrics_fixture_fini(&world->metrics);
	free(world);
	return 0;
}

static bool is_bad(const struct metrics_asked *asked)
{
	return strncmp(asked->query, "bad", 3) == 0;
}

static int64_t looks_of(const struct metrics_asked *asked)
{
	return (asked->end_ms - asked->start_ms) / asked->step_ms + 1;
}

/* A hundred requests between two looks, in the first series; the others
 * have none, and are there at the first look of a piece only. */
static void add_series(const struct world *world, struct buf *body,
	const struct metrics_asked *asked, int i)
{
	int64_t t = asked->start_ms;

	buf_addf(body,
		"%s{\"metric\":{\"__name__\":\"c\",\"i\":\"%d\"},\"values\":[",
		i ? "," : "", i);
	do
		buf_addf(body, "%s[%lld.%03lld,\"%.0f\"]",
			t > asked->start_ms ? "," : "", (long long)t / 1000,
			(long long)t % 1000,
			i ? 0
			  : floor((double)t / (double)asked->step_ms *
				    (is_bad(asked) ? world->bad : 100)));
	while (i == 0 && (t += asked->step_ms) <= asked->end_ms);
	buf_adds(body, "]}");
}

/* More than an answer may be long: 17 MB. */
static void add_blanks(struct buf *body)
{
	static char blanks[1024 * 1024];

	memset(blanks, ' ', sizeof(blanks));
	for (int i = 0; i < 17; i++)
		buf_add(body, blanks, sizeof(blanks));
}

/* What the machine takes for all these megabytes counts for nothing. */
static void stand_still(struct world *world)
{
	int64_t took_ms = (clock_boot_us() - world->answered_us) / 1000;

	if (world->answered_us)
		clock_shift(-took_ms, -took_ms);
	world->answered_us = clock_boot_us();
}

static int answer(
	const struct metrics_asked *asked, struct buf *body, void *arg)
{
	struct world *world = arg;
	int i;

	stand_still(world);
	assert_true(asked->step_ms > 0);
	buf_adds(body, "{\"status\":\"success\",\"data\":{"
		       "\"resultType\":\"matrix\",\"result\":[");
	for (i = 0; i < world->series; i++)
		add_series(world, body, asked, i);
	buf_adds(body, "]}}");
	if (world->too_long && looks_of(asked) > world->too_long)
		add_blanks(body);
	clock_shift(world->slow_ms, world->slow_ms);
	world->answered_us += world->slow_ms * 1000;
	return 200;
}

static struct world *open_world(void **state, const char *slo)
{
	struct world *world = calloc(1, sizeof(*world));

	metrics_fixture_init(&world->metrics, TWO_HOURS, slo);
	world->metrics.answer = answer;
	world->metrics.arg = world;
	world->series = 1;
	world->bad = 1;
	*state = world;
	return world;
}

static void ended(const struct slo_history *history, const char *remark,
	const struct err *err, void *arg)
{
	struct world *world = arg;

	world->ask = NULL;
	world->ended = true;
	world->history = *history;
	if (err)
		world->err = *err;
}

static void ask(struct world *world)
{
	const struct past_ask_what what = {
		.policy = world->metrics.policy,
		.project = "p",
		.values = &world->metrics.values,
	};

	world->ask = past_ask_start(world->metrics.pool, &what, ended, world);
	RUN_UNTIL(world->metrics.loop, world->ended);
}

/* The pieces from `at` on are of one query, in order, without a gap and without
 * a look twice, and together `looks` of them; gives the next one. */
static int check_pieces(
	const struct world *world, int at, const char *query, int64_t looks)
{
	const struct metrics_asked *asked = world->metrics.asked;
	int64_t sum = 0;

	for (; sum < looks; at++) {
		assert_true(at < world->metrics.n_asked);
		assert_string_equal(asked[at].query, query);
		assert_int_equal(asked[at].step_ms, 30000);
		assert_int_equal(asked[at].start_ms % 30000, 0);
		assert_true(looks_of(&asked[at]) <= PIECE_MAX);
		if (sum)
			assert_int_equal(asked[at].start_ms,
				asked[at - 1].end_ms + 30000);
		sum += looks_of(&asked[at]);
	}
	assert_int_equal(sum, looks);
	return at;
}

#define ALL_OF_STABLE "all{r=\"s-1\"}"
#define BAD_OF_STABLE "bad{r=\"s-1\"}"

static void each_query_is_asked_from_its_oldest_piece_on(void **state)
{
	struct world *world = open_world(state, RATIO);
	int n;

	ask(world);
	assert_int_equal(world->err.code, ERR_NONE);
	n = check_pieces(world, 0, ALL_OF_STABLE, LOOKS);
	assert_int_equal(n, 3); /* 120, 120 and 1 */
	n = check_pieces(world, n, BAD_OF_STABLE, LOOKS);
	assert_int_equal(n, world->metrics.n_asked);
	assert_true(world->history.seconds == (LOOKS - 1) * 30);
	assert_true(world->history.past.n == (LOOKS - 1) * 100);
	assert_true(world->history.past.x == LOOKS - 1);
}

/* What was asked already is not asked again. */
static void few_bad_requests_make_it_a_day(void **state)
{
	struct world *world = open_world(state, RATIO);
	const struct metrics_asked *asked = world->metrics.asked;
	int first, n;

	world->bad = 0.1; /* 24 of two hours */
	ask(world);
	assert_int_equal(world->err.code, ERR_NONE);
	first = check_pieces(world, 0, ALL_OF_STABLE, LOOKS);
	first = check_pieces(world, first, BAD_OF_STABLE, LOOKS);
	n = check_pieces(world, first, ALL_OF_STABLE, DAY_LOOKS - LOOKS);
	assert_int_equal(asked[n - 1].end_ms + 30000, asked[0].start_ms);
	n = check_pieces(world, n, BAD_OF_STABLE, DAY_LOOKS - LOOKS);
	assert_int_equal(n, world->metrics.n_asked);
	assert_true(world->history.seconds == 86400);
	assert_true(world->history.past.x == 288);
}

static void many_series_make_shorter_pieces(void **state)
{
	struct world *world = open_world(state, RATIO);
	const struct metrics_asked *asked = world->metrics.asked;

	world->series = 2500;
	ask(world);
	assert_int_equal(world->err.code, ERR_NONE);
	assert_int_equal(looks_of(&asked[0]), PIECE_MAX); /* nothing is known */
	assert_int_equal(looks_of(&asked[1]), CELLS_MAX / 2500);
	check_pieces(world, 0, ALL_OF_STABLE, LOOKS);
	assert_true(world->history.past.n == (LOOKS - 1) * 100);
}

static void an_answer_that_is_too_long_is_asked_for_in_quarters(void **state)
{
	struct world *world = open_world(state, RATIO);
	const struct metrics_asked *asked = world->metrics.asked;
	int n;

	world->too_long = 50;
	ask(world);
	assert_int_equal(world->err.code, ERR_NONE);
	assert_int_equal(looks_of(&asked[0]), PIECE_MAX);
	assert_int_equal(looks_of(&asked[1]), PIECE_MAX / 4);
	assert_int_equal(asked[1].start_ms, asked[0].start_ms);
	n = check_pieces(world, 1, ALL_OF_STABLE, LOOKS);
	check_pieces(world, n, BAD_OF_STABLE, LOOKS); /* not as long again */
	assert_true(world->history.past.n == (LOOKS - 1) * 100);
}

static void one_look_that_is_too_long_is_an_error(void **state)
{
	struct world *world = open_world(state, RATIO);
	const struct metrics_asked *asked = world->metrics.asked;

	world->too_long = -1; /* every answer is */
	ask(world);
	assert_int_equal(world->err.code, ERR_LIMIT);
	assert_int_equal(world->metrics.n_asked, 4); /* 120, 30, 7, 1 */
	assert_int_equal(looks_of(&asked[3]), 1);
}

static void a_rollout_does_not_wait_for_all_of_it(void **state)
{
	struct world *world = open_world(state, RATIO);

	world->slow_ms = 9000;
	ask(world);
	assert_int_equal(world->err.code, ERR_TIMEOUT);
	assert_non_null(strstr(world->err.text, "within 30 s"));
	assert_true(world->metrics.n_asked <= 4);
}

/* The number of each minute is added up, whatever the piece it came in. */
static void what_grows_by_the_minute_is_asked_by_the_minute(void **state)
{
	struct world *world = open_world(state, GROWING);
	const struct metrics_asked *asked = world->metrics.asked;

	ask(world);
	assert_int_equal(asked[0].step_ms, 60000);
	assert_int_equal(asked[0].start_ms % 60000, 0);
	assert_non_null(strstr(asked[0].query, "increase("));
	assert_non_null(strstr(asked[0].query, "[60s])"));
	assert_int_equal(looks_of(&asked[0]), PIECE_MAX);
	assert_int_equal(looks_of(&asked[1]), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_query_is_asked_from_its_oldest_piece_on),
		TEST(few_bad_requests_make_it_a_day),
		TEST(many_series_make_shorter_pieces),
		TEST(an_answer_that_is_too_long_is_asked_for_in_quarters),
		TEST(one_look_that_is_too_long_is_an_error),
		TEST(a_rollout_does_not_wait_for_all_of_it),
		TEST(what_grows_by_the_minute_is_asked_by_the_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
