/* SPDX-License-Identifier: Apache-2.0 */
/* The generator of a load against a server of ours, which stalls and errs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/loop.h"
#include "io/server.h"
#include "load/generator.h"

#define DEADLINE_MS 30000
#define HELD_MAX    2000

struct world {
	struct loop *loop;
	struct server *server;
	struct load_spec spec;
	struct load_spec_request request;
	char url[64];
	struct generator *generator;
	struct timer *timer, *deadline;
	struct server_request *held[HELD_MAX];
	int n_served, n_held, n_foreign; /* other agents */
	int n_known; /* who showed the token */
	bool stalls;
	int64_t stall_ms;
	const char *body;
	int status;
	int n_live;
	bool over;
	struct load_figures figures;
	char error[ERR_TEXT_MAX], reason[LOAD_REASON_MAX];
};

static struct load_stage steady[2];

/* ---- instead of Google's credentials ---- */

#define TOKEN "an-id-token-0123456789"

static struct {
	struct loop *loop;
	char audience[128];
	bool refuses;
	int asked;
	token_fn fn;
	void *arg;
	struct timer *timer;
} google;

struct credentials *credentials_new(
	struct loop *loop, struct http *http, struct err *err_r)
{
	google.loop = loop;
	return (struct credentials *)&google;
}

void credentials_free(struct credentials **credentials)
{
	*credentials = NULL;
}

static void give_token(void *arg)
{
	struct secret *token = secret_new(TOKEN, strlen(TOKEN));
	struct err err;

	google.timer = NULL;
	(void)!err_set(&err, ERR_DENIED, "no token for you");
	google.fn(google.refuses ? NULL : token, google.refuses ? &err : NULL,
		google.arg);
	secret_free(&token);
}

struct token_call *id_token_start(struct credentials *credentials,
	const char *audience, token_fn fn, void *arg)
{
	google.asked++;
	snprintf(google.audience, sizeof(google.audience), "%s", audience);
	google.fn = fn;
	google.arg = arg;
	google.timer = timer_start(google.loop, 50, give_token, NULL);
	return NULL;
}

void token_cancel(struct token_call **call)
{
	timer_cancel(&google.timer);
	*call = NULL;
}

/* ---- the server ---- */

static void serve(struct server_request *request, void *arg)
{
	struct world *w = arg;
	const char *agent = request_header(request, "User-Agent");
	const char *authorization = request_header(request, "Authorization");

	w->n_served++;
	w->n_known += authorization && !strcmp(authorization, "Bearer " TOKEN);
	w->n_foreign += !agent || strncmp(agent, "tidegate-load/", 14) != 0;
	if (w->stalls) {
		assert_in_range(w->n_held, 0, HELD_MAX - 1);
		w->held[w->n_held++] = request;
		return;
	}
	request_answer(request, w->status, "application/json", w->body,
		strlen(w->body));
}

static void stall_ends(void *arg)
{
	struct world *w = arg;

	w->timer = NULL;
	w->stalls = false;
	for (int i = 0; i < w->n_held; i++)
		request_answer(w->held[i], 200, "application/json", w->body,
			strlen(w->body));
}

static void stall_begins(void *arg)
{
	struct world *w = arg;

	w->stalls = true;
	w->timer = timer_start(w->loop, w->stall_ms, stall_ends, w);
}

/* ---- the load ---- */

static void too_late(void *arg)
{
	fail_msg("the load does not end");
}

static void live(
	const struct tally *tally, const struct tally_now *now, void *arg)
{
	struct world *w = arg;

	w->n_live++;
}

static void over(const struct tally *tally, const struct err *err, void *arg)
{
	struct world *w = arg;

	assert_false(w->over);
	w->over = true;
	tally_figures(tally, &w->figures);
	snprintf(w->reason, sizeof(w->reason), "%s", tally->reason[0].text);
	w->figures.reason = NULL;
	if (err)
		snprintf(w->error, sizeof(w->error), "%s", err->text);
	loop_stop(w->loop);
}

static int open_world(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err;

	w->loop = loop_new(&err);
	w->server = server_new(w->loop, 0, serve, w, &err);
	assert_non_null(w->server);
	snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d/",
		server_port(w->server));
	w->request = (struct load_spec_request){
		.method = "GET", .url = w->url, .weight = 1};
	w->spec = (struct load_spec){.requests = &w->request,
		.n_requests = 1,
		.weights = 1,
		.stages = steady,
		.n_stages = 2,
		.think_ms = 20,
		.request_timeout_ms = 10000};
	memset(&google, 0, sizeof(google));
	w->status = 200;
	w->body = "{\"balance\": 12}";
	w->deadline = timer_start(w->loop, DEADLINE_MS, too_late, w);
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;

	generator_free(&w->generator);
	timer_cancel(&w->timer);
	timer_cancel(&w->deadline);
	server_free(&w->server);
	loop_free(&w->loop);
	free(w);
	return 0;
}

static void begin(struct world *w, int to, int64_t ms)
{
	const struct generator_events events = {live, over, w};
	struct err err;

	steady[0] = (struct load_stage){50, to};
	steady[1] = (struct load_stage){ms, to};
	w->generator = generator_start(w->loop, &w->spec, &events, &err);
	if (!w->generator)
		fail_msg("%s", err.text);
}

static void run_to_end(struct world *w)
{
	struct err err;

	while (!w->over)
		assert_int_equal(loop_run(w->loop, &err), 0);
}

/* ---- tests ---- */

/* Four users, each with a request every 20 ms. The server stalls for 0.6 s: it
 * sees four slow requests of some 300, and so would a generator that waits for
 * answers and times from when it sends. In truth everybody waited. */
static void a_server_that_stalls_is_seen_to_stall(void **state)
{
	struct world *w = *state;

	w->stall_ms = 600;
	w->timer = timer_start(w->loop, 400, stall_begins, w);
	begin(w, 4, 1500);
	run_to_end(w);
	assert_in_range(w->n_held, 1, 4);
	assert_in_range(w->figures.requests, 200, 310);
	/* Of what was sent: so few that its 95 % would not show them. */
	assert_true(20 * w->n_held < (int)w->figures.requests);
	assert_true(w->figures.p95_ms > 400);
	assert_true(w->figures.max_ms >= 500);
	assert_int_equal(w->figures.failed, 0);
	assert_int_equal(w->n_foreign, 0);
	assert_in_range(w->n_live, 1, DEADLINE_MS / 1000);
}

/* Ten users for 1.05 s, a request every 50 ms each; fewer on a starved machine. */
static void each_user_asks_once_in_every_think(void **state)
{
	struct world *w = *state;

	w->spec.think_ms = 50;
	begin(w, 10, 1000);
	run_to_end(w);
	assert_in_range(w->figures.requests + w->figures.dropped, 100, 211);
	assert_int_equal(w->figures.requests, w->n_served);
}

static void a_rate_goes_on_while_the_server_stalls(void **state)
{
	struct world *w = *state;

	w->spec.by_rate = true;
	w->stall_ms = 500;
	w->timer = timer_start(w->loop, 300, stall_begins, w);
	begin(w, 100, 1000);
	run_to_end(w);
	/* 2 in the ramp, 100 in the second after it. */
	assert_int_equal(w->figures.requests, 102);
	assert_in_range(w->n_held, 20, 102);
	assert_true(w->figures.p95_ms > 300);
	assert_int_equal(w->figures.dropped, 0);
}

/* What cannot be sent within its timeout is no request that was fast. */
static void what_is_never_sent_is_dropped(void **state)
{
	struct world *w = *state;

	w->spec.request_timeout_ms = 150;
	w->stall_ms = 600;
	w->timer = timer_start(w->loop, 200, stall_begins, w);
	begin(w, 1, 1200);
	run_to_end(w);
	assert_true(w->figures.failed >= 1);
	assert_non_null(strstr(w->reason, "no answer"));
	assert_true(w->figures.requests + w->figures.dropped <= 64);
	assert_true(w->figures.requests + w->figures.dropped >= 40);
}

static void answers_are_looked_at(void **state)
{
	static const struct json_expect exists = {
		.pointer = "/balance", .exists = true};
	struct world *w = *state;

	w->body = "{\"credit\": 12}";
	w->spec.expect.answer.json = &exists;
	w->spec.expect.answer.n_json = 1;
	begin(w, 2, 200);
	run_to_end(w);
	assert_int_equal(w->figures.failed, w->figures.requests);
	assert_non_null(strstr(w->reason, "/balance"));
}

static void a_long_answer_that_nobody_looks_at_is_an_answer(void **state)
{
	struct world *w = *state;
	char *body = xcalloc(1, 2 * 1024 * 1024);

	memset(body, 'x', 2 * 1024 * 1024 - 1);
	w->body = body;
	begin(w, 2, 200);
	run_to_end(w);
	assert_true(w->figures.requests > 0);
	assert_int_equal(w->figures.failed, 0);
	xfree(&body);
}

static void statuses_are_looked_at(void **state)
{
	struct world *w = *state;

	w->status = 503;
	begin(w, 2, 200);
	run_to_end(w);
	assert_int_equal(w->figures.failed, w->figures.requests);
	assert_string_equal(w->reason, "status 503");
}

static void nothing_is_sent_without_the_token_it_wants(void **state)
{
	struct world *w = *state;

	w->spec.auth.type = AUTH_ID_TOKEN;
	begin(w, 2, 300);
	run_to_end(w);
	assert_int_equal(google.asked, 1);
	assert_true(w->n_served > 10 && w->n_known == w->n_served);
	assert_true(!strncmp(w->url, google.audience, strlen(google.audience)));
}

static void a_token_that_is_refused_is_told(void **state)
{
	struct world *w = *state;

	google.refuses = true;
	w->spec.auth.type = AUTH_ID_TOKEN;
	begin(w, 2, 300);
	run_to_end(w);
	assert_string_equal(w->error, "no token for you");
	assert_int_equal(w->n_served, 0);
}

/* It would go to somebody whom it is not for. */
static void one_token_is_not_for_two_services(void **state)
{
	struct load_spec_request two[2];
	const struct generator_events events = {live, over, NULL};
	struct world *w = *state;
	struct err err;

	two[0] = two[1] = w->request;
	two[1].url = "https://example.com/";
	w->spec.requests = two;
	w->spec.n_requests = w->spec.weights = 2;
	w->spec.stages = steady;
	w->spec.auth.type = AUTH_ID_TOKEN;
	assert_null(generator_start(w->loop, &w->spec, &events, &err));
	assert_non_null(strstr(err.text, "auth.audience"));
}

static void stop_it(void *arg)
{
	struct world *w = arg;

	w->timer = NULL;
	generator_stop(w->generator);
}

static void leave(void *arg)
{
	struct world *w = arg;

	w->timer = NULL;
	loop_stop(w->loop);
}

static void nothing_is_sent_after_the_stop(void **state)
{
	struct world *w = *state;
	struct err err;
	int served;

	w->timer = timer_start(w->loop, 300, stop_it, w);
	begin(w, 20, 20000);
	run_to_end(w);
	assert_true(w->figures.stopped);
	/* What had left may still arrive, in this turn of the loop. */
	w->timer = timer_start(w->loop, 20, leave, w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	served = w->n_served;
	w->timer = timer_start(w->loop, 200, leave, w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(w->n_served, served);
	generator_stop(w->generator); /* again: nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_server_that_stalls_is_seen_to_stall, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			each_user_asks_once_in_every_think, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			a_rate_goes_on_while_the_server_stalls, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			what_is_never_sent_is_dropped, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			answers_are_looked_at, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			statuses_are_looked_at, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_long_answer_that_nobody_looks_at_is_an_answer,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(
			nothing_is_sent_without_the_token_it_wants, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(a_token_that_is_refused_is_told,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(
			one_token_is_not_for_two_services, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(nothing_is_sent_after_the_stop,
			open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
