/* SPDX-License-Identifier: Apache-2.0 */
/* Recording against a fake Prometheus: chunks, retries, what is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "fake_google.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"
#include "metrics/prometheus.h"
#include "sim/recorder.h"
#include "sim/recording.h"
#include "sim/sim_past.h"

#define DEADLINE_MS  60000
#define SEEN_MAX     64
#define START_S      INT64_C(1767225600)
#define ANSWER_BYTES (4 * 1024 * 1024)

struct seen {
	char query[64];
	int64_t start_ms, end_ms, step_ms;
};

struct world {
	struct loop *loop;
	struct http *http;
	struct server *server;
	struct metrics metrics;
	struct prometheus *prometheus;
	struct policy policy;
	struct slo slos[2];
	struct recorder_plan plan;
	struct recorder *recorder;
	struct seen seen[SEEN_MAX];
	int n_seen;
	int fail_status, n_fail; /* so many requests are answered with it */
	const char *fail_body;
	const char *more; /* members of every answer; NULL: none */
	int64_t most_ms; /* a longer span is too much for one answer */
	int64_t bad_each_ms; /* stable fails so often; 0: anything is answered */
	int stop_after; /* good answers; 0: never */
	bool ended;
	struct err err; /* code ERR_NONE: all of it is there */
};

static int64_t field_ms(const char *form, const char *name)
{
	char *text = fake_form_field(form, name);
	int64_t ms = (int64_t)(strtod(text, NULL) * 1000 + 0.5);

	free(text);
	return ms;
}

static void look_at(struct seen *seen, struct server_request *request)
{
	size_t len;
	const char *form = request_body(request, &len);
	char *query = fake_form_field(form, "query");

	assert_string_equal(request_path(request), "/api/v1/query_range");
	snprintf(seen->query, sizeof(seen->query), "%s", query);
	seen->start_ms = field_ms(form, "start");
	seen->end_ms = field_ms(form, "end");
	seen->step_ms = field_ms(form, "step");
	free(query);
}

/* A value at every step, as query_range gives it; `steady`: it grows by one in
 * so long. */
static void answer_range(struct server_request *request,
	const struct seen *seen, int64_t steady, const char *more)
{
	struct buf body;
	int64_t t;

	buf_init(&body, ANSWER_BYTES);
	buf_adds(&body, "{\"status\":\"success\",\"data\":{\"resultType\":"
			"\"matrix\",\"result\":[{\"metric\":{},\"values\":[");
	for (t = seen->start_ms; t <= seen->end_ms; t += seen->step_ms)
		buf_addf(&body, "%s[%lld.%03lld,\"%lld\"]",
			t > seen->start_ms ? "," : "", (long long)t / 1000,
			(long long)t % 1000,
			(long long)(steady ? t / steady : t % 997));
	buf_addf(&body, "]}]}%s}", more ? more : "");
	assert_false(body.overflow);
	request_answer(request, 200, "application/json", body.data, body.len);
	buf_fini(&body);
}

/* More than the recorder reads at once. */
static void answer_too_much(struct server_request *request)
{
	size_t len = 17 * 1024 * 1024;
	char *body = xcalloc(1, len);

	memset(body, ' ', len);
	request_answer(request, 200, "application/json", body, len);
	free(body);
}

static void serve(struct server_request *request, void *arg)
{
	struct world *world = arg;
	struct seen *seen = &world->seen[world->n_seen++];

	assert_true(world->n_seen < SEEN_MAX);
	look_at(seen, request);
	if (world->n_fail > 0) {
		world->n_fail--;
		request_answer(request, world->fail_status, "text/plain",
			world->fail_body, strlen(world->fail_body));
		return;
	}
	if (seen->end_ms - seen->start_ms > world->most_ms)
		answer_too_much(request);
	else
		answer_range(request, seen,
			*seen->query == 'x'  ? world->bad_each_ms
			: world->bad_each_ms ? 100
					     : 0,
			world->more);
	if (world->stop_after && --world->stop_after == 0)
		loop_stop(world->loop);
}

static void too_late(void *arg)
{
	fail_msg("nothing came of it");
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	struct api api;
	struct err err;
	char *url;

	world->loop = loop_new(&err);
	world->http = http_new(world->loop, &err);
	world->server = server_new(world->loop, 0, serve, world, &err);
	assert_non_null(world->server);
	url = xasprintf("http://127.0.0.1:%d", server_port(world->server));
	world->metrics.url = secret_new(url, strlen(url));
	world->metrics.url_shown = "http://shown";
	world->metrics.timeout_ms = DEADLINE_MS; /* some answers are long */
	api = (struct api){.loop = world->loop, .http = world->http};
	world->prometheus = prometheus_new(&api, &world->metrics, &err);
	assert_non_null(world->prometheus);
	world->slos[0] = (struct slo){.name = "errors", .query = "e{}"};
	world->most_ms = INT64_MAX;
	world->policy = (struct policy){.slos = world->slos, .n_slos = 1};
	world->plan = (struct recorder_plan){.policy = &world->policy,
		.from_ms = START_S * 1000,
		.to_ms = (START_S + 60) * 1000,
		.step_ms = 1000,
		.shift_ms = -1,
		.from = "then",
		.to = "later"};
	xfree(&url);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	recorder_free(&world->recorder);
	prometheus_free(&world->prometheus);
	server_free(&world->server);
	http_free(&world->http);
	loop_free(&world->loop);
	secret_free(&world->metrics.url);
	free(world);
	return 0;
}

static void on_end(const struct err *err, void *arg)
{
	struct world *world = arg;

	world->ended = true;
	if (err)
		world->err = *err;
	loop_stop(world->loop);
}

static void record(struct world *world)
{
	struct timer *deadline;
	struct err err;

	recorder_free(&world->recorder);
	world->recorder = recorder_new(
		&world->plan, world->loop, world->prometheus, &err);
	if (!world->recorder)
		fail_msg("%s", err.text);
	deadline = timer_start(world->loop, DEADLINE_MS, too_late, world);
	recorder_start(world->recorder, on_end, world);
	assert_int_equal(loop_run(world->loop, &err), 0);
	timer_cancel(&deadline);
}

/* What simulate reads out of it. */
static struct recording *printed(const struct world *world)
{
	struct recording *recording;
	struct buf json;
	struct err err;

	assert_true(world->ended);
	if (world->err.code)
		fail_msg("%s", world->err.text);
	buf_init(&json, ANSWER_BYTES);
	recorder_print(world->recorder, &json);
	recording = recording_parse("printed", json.data, json.len, &err);
	if (!recording)
		fail_msg("%s", err.text);
	buf_fini(&json);
	return recording;
}

static void long_spans_are_asked_in_chunks_that_servers_answer(void **state)
{
	struct world *world = *state;
	struct recording *recording;
	const struct recording_result *result;
	size_t i, done, all;

	world->plan.to_ms = world->plan.from_ms + 25000 * INT64_C(1000);
	record(world);
	assert_int_equal(world->n_seen, 3);
	for (i = 0; i < 3; i++)
		assert_in_range(
			(world->seen[i].end_ms - world->seen[i].start_ms) /
					world->seen[i].step_ms +
				1,
			1, PROMETHEUS_POINTS_MAX);
	recorder_progress(world->recorder, &done, &all);
	assert_int_equal(done, 3);
	assert_int_equal(all, 3);
	recording = printed(world);
	result = &recording->series[0].result[0];
	assert_int_equal(result->n, 25001);
	for (i = 0; i < result->n; i++)
		assert_int_equal(result->point[i].time_ms,
			world->plan.from_ms + (int64_t)i * 1000);
	recording_free(&recording);
}

static void incomplete_answers_are_recorded_as_such(void **state)
{
	struct world *world = *state;
	struct recording *recording;

	world->more = ",\"warnings\":[\"a store did not answer\"]";
	record(world);
	recording = printed(world);
	assert_true(recording_is_partial(
		&recording->series[0], recording->start_ms));
	assert_true(
		recording_is_partial(&recording->series[0], recording->end_ms));
	recording_free(&recording);
}

static void every_query_of_an_slo_is_asked(void **state)
{
	struct world *world = *state;
	struct recording *recording;

	world->slos[0].requests = "r{}";
	world->slos[1] = (struct slo){.name = "other",
		.query = "q{v=\"{{revision}}\"}",
		.compare_stable = true};
	world->policy.n_slos = 2;
	world->plan.context.candidate = "new";
	world->plan.context.stable = "old";
	record(world);
	recording = printed(world);
	assert_int_equal(recording->n_series, 4);
	assert_string_equal(
		recording_find(recording, "errors/requests")->query, "r{}");
	assert_string_equal(
		recording_find(recording, "other")->query, "q{v=\"new\"}");
	assert_string_equal(recording_find(recording, "other/baseline")->query,
		"q{v=\"old\"}");
	recording_free(&recording);
}

static void given_counters(struct world *world)
{
	world->slos[0] = (struct slo){.name = "errors",
		.kind = SLO_EVIDENCE,
		.total = "n{v=\"{{revision}}\"}",
		.bad = "x{v=\"{{revision}}\"}",
		.interval_ms = 15000};
	world->policy.evidence.history_ms = 3600000;
	world->plan.context.candidate = "new";
	world->plan.context.stable = "old";
	world->plan.step_ms = 15000;
}

static const struct seen *first_seen(
	const struct world *world, const char *query)
{
	int i;

	for (i = 0; i < world->n_seen; i++) {
		if (strcmp(world->seen[i].query, query) == 0)
			return &world->seen[i];
	}
	fail_msg("%s was not asked", query);
	return NULL;
}

/* Stable's past is asked in steps of 30 s, as `run` would look at it. */
static void counters_are_asked_with_stables_past(void **state)
{
	struct world *world = *state;
	struct recording *recording;
	const struct seen *seen;
	size_t done, all;

	given_counters(world);
	record(world);
	seen = first_seen(world, "n{v=\"new\"}");
	assert_int_equal(seen->start_ms, world->plan.from_ms);
	assert_int_equal(seen->step_ms, 15000);
	seen = first_seen(world, "n{v=\"old\"}");
	assert_int_equal(seen->start_ms, world->plan.from_ms - 3600000);
	assert_int_equal(seen->end_ms, world->plan.from_ms - 30000);
	assert_int_equal(seen->step_ms, 30000);
	assert_int_equal(world->n_seen, 6);
	recorder_progress(world->recorder, &done, &all);
	assert_int_equal(done, 6);
	assert_int_equal(all, 6);
	recording = printed(world);
	assert_int_equal(recording_find(recording, "errors/bad")->result[0].n,
		60 / 15 + 1);
	assert_int_equal(
		recording_find(recording, "errors/baseline-bad")->result[0].n,
		3600 / 30 + 60 / 15 + 1);
	recording_free(&recording);
}

/* When samples are late the first checks ask about the time before. */
static void what_the_first_checks_ask_about_is_there(void **state)
{
	struct world *world = *state;
	struct recording *recording;
	const struct recording_series *series;

	given_counters(world);
	world->policy.metrics.delay_ms = 50000;
	record(world);
	assert_int_equal(first_seen(world, "n{v=\"new\"}")->start_ms,
		world->plan.from_ms - 60000);
	assert_int_equal(first_seen(world, "n{v=\"old\"}")->start_ms,
		world->plan.from_ms - 3600000);
	recording = printed(world);
	series = recording_find(recording, "errors/total");
	assert_int_equal(series->result[0].n, 120 / 15 + 1);
	assert_int_equal(recording->start_ms, world->plan.from_ms);
	recording_free(&recording);
}

/* Those of Google: `run` asks about whole minutes, whatever the time is. */
static void what_came_in_a_minute_is_asked_at_its_end(void **state)
{
	struct world *world = *state;
	const struct seen *seen;

	given_counters(world);
	world->slos[0].total = "run_googleapis_com:n{v=\"{{revision}}\"}";
	world->slos[0].interval_ms = 60000;
	world->plan.from_ms += 37000;
	record(world);
	seen = first_seen(
		world, "increase(run_googleapis_com:n{v=\"new\"}[60s])");
	assert_int_equal(seen->step_ms, 60000);
	assert_int_equal(seen->start_ms, world->plan.from_ms / 60000 * 60000);
	seen = first_seen(
		world, "increase(run_googleapis_com:n{v=\"old\"}[60s])");
	assert_int_equal(seen->step_ms, 60000);
	assert_int_equal(seen->start_ms,
		(world->plan.from_ms - 3600000) / 60000 * 60000);
	assert_int_equal(
		seen->end_ms, (world->plan.from_ms - 1) / 60000 * 60000);
}

/* Ten bad requests in an hour say little: a day of them, as `run` looks at. */
static void with_few_bad_requests_the_past_is_a_day(void **state)
{
	static const int64_t day_ms = 86400000;
	struct world *world = *state;
	struct recording *recording;
	struct sim_past *past;
	int i, longer = 0;

	given_counters(world);
	world->bad_each_ms = 360000;
	record(world);
	assert_int_equal(first_seen(world, "n{v=\"old\"}")->start_ms,
		world->plan.from_ms - 3600000);
	for (i = 0; i < world->n_seen; i++)
		longer +=
			world->seen[i].start_ms == world->plan.from_ms - day_ms;
	assert_int_equal(longer, 2);
	recording = printed(world);
	assert_int_equal(
		recording_find(recording, "errors/baseline-bad")->result[0].n,
		day_ms / 30000 + 60 / 15 + 1);
	assert_int_equal(recording_find(recording, "errors/bad")->result[0].n,
		60 / 15 + 1);
	past = sim_past_new(&world->policy, recording);
	assert_true(past->history[0].seconds == 86400);
	assert_true(past->history[0].past.x == 240);
	free(past);
	recording_free(&recording);
}

/* An interruption in the middle of the longer look. */
static void a_longer_past_goes_on_where_it_was(void **state)
{
	struct world *world = *state;
	char part[] = "/tmp/recorder-test.XXXXXX";
	struct recording *recording;

	given_counters(world);
	world->bad_each_ms = 360000;
	close(mkstemp(part));
	unlink(part);
	world->plan.part = part;
	world->stop_after = 9; /* two of an hour, then some of the day */
	record(world);
	assert_false(world->ended);
	world->n_seen = 0;
	record(world);
	assert_true(world->n_seen < 24);
	recording = printed(world);
	assert_int_equal(
		recording_find(recording, "errors/baseline-total")->result[0].n,
		86400 / 30 + 60 / 15 + 1);
	assert_int_equal(
		recording_find(recording, "errors/baseline-bad")->result[0].n,
		86400 / 30 + 60 / 15 + 1);
	recording_free(&recording);
	unlink(part);
}

/* Many instances with many buckets each: fewer times at once. */
static void counters_that_are_too_many_for_one_answer_are_asked_in_parts(
	void **state)
{
	struct world *world = *state;
	struct recording *recording;

	given_counters(world);
	world->most_ms = 1800000;
	record(world);
	recording = printed(world);
	assert_int_equal(
		recording_find(recording, "errors/baseline-bad")->result[0].n,
		3600 / 30 + 60 / 15 + 1);
	recording_free(&recording);
}

static struct check_counts counts_of(double candidate, double stable)
{
	struct check_counts counts = {.bins = 2,
		.candidate = {.known = true, .bin = {candidate, 1}},
		.stable = {.known = true, .bin = {stable, 2}}};

	return counts;
}

/* What the look number `i`, a little late, finds in a series. */
static double looked_at(const struct recording *recording, const char *name,
	int i, int64_t late_ms)
{
	const struct recording_series *series = recording_find(recording, name);
	struct counter_sample sample;
	size_t cursor = 0, n;

	recording_look(recording, series, START_S * 1000 + i * 15000 + late_ms,
		0, &cursor, &sample, &n);
	return n ? sample.value : -1;
}

/* A rollout's checks have counted: a simulation counts the same, whether it
 * comes a little earlier or later. Nobody is asked. */
static void counts_of_a_rollout_become_counters(void **state)
{
	static const struct slo_history history = {
		.seconds = 600, .past = {5000, 7}, .dispersion = {1.25, 2, 1}};
	static const int64_t late_ms[] = {-7000, 0, 7000};
	struct world *world = *state;
	struct recording *recording;
	struct check_counts counts;
	size_t i;

	given_counters(world);
	world->plan.counted[0] = true;
	world->plan.histories = &history;
	world->plan.n_histories = 1;
	record(world);
	for (i = 0; i < 4; i++) {
		counts = counts_of(100 + (double)i, 900);
		counts.candidate.known = i != 2;
		recorder_add_counts(world->recorder, 0,
			(START_S + (int64_t)i * 15) * 1000, &counts);
	}
	recording = printed(world);
	assert_int_equal(world->n_seen, 0);
	for (i = 0; i < 3; i++) {
		int64_t late = late_ms[i];

		assert_true(
			looked_at(recording, "errors/total", 1, late) -
				looked_at(recording, "errors/total", 0, 0) ==
			102);
		assert_true(looked_at(recording, "errors/total", 2, late) < 0);
		assert_true(
			looked_at(recording, "errors/total", 3, late) -
				looked_at(recording, "errors/total", 1, 0) ==
			104);
		assert_true(looked_at(recording, "errors/baseline-bad", 3,
				    late) == 4 * 2);
	}
	assert_int_equal(recording->n_histories, 1);
	assert_string_equal(recording->history[0].slo, "errors");
	assert_true(recording->history[0].history.past.x == 7);
	assert_true(recording->history[0].history.dispersion.phi == 1.25);
	recording_free(&recording);
}

static void trouble_of_the_server_is_tried_again(void **state)
{
	static const int statuses[] = {503, 429, 500};
	struct world *world = *state;
	struct recording *recording;
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		world->n_seen = 0;
		world->ended = false;
		world->fail_status = statuses[i];
		world->fail_body = "come back later";
		world->n_fail = 1;
		record(world);
		assert_int_equal(world->n_seen, 2);
		recording = printed(world);
		assert_int_equal(recording->n_points, 61);
		recording_free(&recording);
	}
}

static void a_query_that_is_wrong_fails_it_at_once(void **state)
{
	struct world *world = *state;

	world->fail_status = 400;
	world->fail_body = "{\"status\":\"error\",\"errorType\":\"bad_data\","
			   "\"error\":\"parse error\"}";
	world->n_fail = 100;
	record(world);
	assert_int_equal(world->n_seen, 1);
	assert_true(world->ended);
	assert_int_not_equal(world->err.code, ERR_NONE);
	assert_true(strncmp(world->err.text, "errors: ", 8) == 0);
}

/* Broken off after two of three chunks, the same again asks for the third. */
static void what_was_read_is_not_asked_again(void **state)
{
	struct world *world = *state;
	char path[] = "/tmp/recorder-test.XXXXXX";
	struct recording *recording;

	close(mkstemp(path));
	world->plan.part = path;
	world->plan.to_ms = world->plan.from_ms + 25000 * INT64_C(1000);
	world->stop_after = 3;
	record(world); /* the third is answered, and never arrives */
	assert_false(world->ended);
	assert_int_equal(world->n_seen, 3);
	record(world);
	assert_int_equal(world->n_seen, 4);
	assert_int_equal(world->seen[3].start_ms, world->seen[2].start_ms);
	recording = printed(world);
	assert_int_equal(recording->n_points, 25001);
	recording_free(&recording);
	unlink(path);
}

static void a_part_that_was_damaged_is_not_taken(void **state)
{
	static const char *const rows[] = {"nonsense\n", "{}\n", "[1]\n",
		"{\"identity\": 5, \"from\": 1, \"to\": 2}\n",
		"{\"identity\": \"another\", \"from\": 1, \"to\": 2}\n"};
	struct world *world = *state;
	char path[] = "/tmp/recorder-test.XXXXXX";
	struct err err;
	size_t i;
	FILE *file;

	close(mkstemp(path));
	world->plan.part = path;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(rows[i], file);
		fclose(file);
		if (recorder_new(
			    &world->plan, world->loop, world->prometheus, &err))
			fail_msg("row %zu is accepted", i);
		assert_non_null(strstr(err.text, "remove it"));
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			long_spans_are_asked_in_chunks_that_servers_answer,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			incomplete_answers_are_recorded_as_such, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			every_query_of_an_slo_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			counters_are_asked_with_stables_past, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_first_checks_ask_about_is_there, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_came_in_a_minute_is_asked_at_its_end, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			with_few_bad_requests_the_past_is_a_day, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_longer_past_goes_on_where_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			counters_that_are_too_many_for_one_answer_are_asked_in_parts,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			counts_of_a_rollout_become_counters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			trouble_of_the_server_is_tried_again, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_query_that_is_wrong_fails_it_at_once, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_read_is_not_asked_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_part_that_was_damaged_is_not_taken, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
