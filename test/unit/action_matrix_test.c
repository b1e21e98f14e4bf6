/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each type of action in each situation: once, again, cut off anywhere, by a
 * second rollback, after a person has decided otherwise, and whatever the
 * answer is. What counts are the effects at the other side and the words.
 *
 * Redis and reports are not among them: redis_test.c and action_test.c have
 * them, with a real server and real files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../replay/fake_http.h"
#include "../replay/fake_loop.h"
#include "action/action.h"
#include "action_peers.h"
#include "base/secret.h"
#include "google/credentials.h"

#define RUN_MS_MAX 120000

enum situation {
	FIRST,
	AGAIN,
	KILLED_BEFORE, /* the request, then run again where that is allowed */
	KILLED_IN, /* it: it has arrived */
	KILLED_AFTER, /* its end, which was not journaled */
	SECOND_ROLLBACK, /* of the same release */
	DECIDED, /* a person has, between two of those */
	STATUS_200,
	STATUS_202,
	STATUS_204,
	STATUS_301,
	STATUS_401_ONCE,
	STATUS_404,
	STATUS_409,
	STATUS_429, /* "in a second" */
	STATUS_500, /* though it was done */
	HANG, /* though it was done; then run again where that is allowed */
	SITUATIONS
};

static const char *const situation_names[SITUATIONS] = {"first", "again",
	"killed before", "killed in", "killed after", "second rollback",
	"decided", "200", "202", "204", "301", "401 once", "404", "409", "429",
	"500", "hang"};

static const struct mishap mishaps[SITUATIONS] = {
	[STATUS_200] = {1, 200, true, 0},
	[STATUS_202] = {1, 202, true, 0},
	[STATUS_204] = {1, 204, true, 0},
	[STATUS_301] = {9, 301, false, 0},
	[STATUS_401_ONCE] = {1, 401, false, 0},
	[STATUS_404] = {9, 404, false, 0},
	[STATUS_409] = {9, 409, false, 0},
	[STATUS_429] = {1, 429, false, 1000},
	[STATUS_500] = {1, 500, true, 0},
	[HANG] = {1, 0, true, 0},
};

/* ---- the actions ---- */

static const char *argv_act[] = {"act", NULL};
static const char *argv_guard[] = {"guard", NULL};
static const struct matcher matchers[] = {{"service", "shop", false, true}};
static struct action actions[ACTION_KINDS] = {
	[ACTION_HTTP] = {.u.http = {.body = "{}", .attempts = 1}},
	[ACTION_EXEC] = {.u.exec = {.command = argv_act, .n_command = 1}},
	[ACTION_SILENCE] = {.idempotent = true,
		.u.silence = {.matchers = matchers,
			.n_matchers = 1,
			.lease_ms = 600000}},
	[ACTION_DATABASE] = {.u.database = {.exec = {.command = argv_act,
						    .n_command = 1},
				     .guard = argv_guard,
				     .n_guard = 1}},
	[ACTION_SLACK] = {.u.slack = {.text = "{{reason}}"}},
	[ACTION_WEBHOOK] = {.idempotent = true},
	[ACTION_PAGERDUTY] = {.idempotent = true,
		.u.pagerduty = {.severity = "error"}},
	[ACTION_SECRET] = {.idempotent = true, .u.secret = {.secret = "flag"}},
	[ACTION_FIREBASE] = {.idempotent = true, .u.firebase = {"shop"}},
	[ACTION_KUBERNETES] = {.idempotent = true,
		.u.kubernetes = {"deployment/w", NULL, NULL}},
};

static struct secret *secret(const char *text)
{
	return secret_new(text, strlen(text));
}

static void actions_open(void)
{
	actions[ACTION_HTTP].u.http.url = secret(PEERS_ORIGIN "/do");
	actions[ACTION_HTTP].u.http.auth.type = AUTH_GOOGLE;
	actions[ACTION_SILENCE].u.silence.url = secret(PEERS_ORIGIN "/am");
	actions[ACTION_SLACK].u.slack.webhook =
		secret(PEERS_ORIGIN "/services/T0/B0/hook");
	actions[ACTION_WEBHOOK].u.webhook.url = secret(PEERS_ORIGIN "/events");
	actions[ACTION_WEBHOOK].u.webhook.auth.type = AUTH_GOOGLE;
	actions[ACTION_PAGERDUTY].u.pagerduty.url =
		secret(PEERS_ORIGIN "/v2/enqueue");
	actions[ACTION_PAGERDUTY].u.pagerduty.routing_key =
		secret("0123456789abcdef0123456789abcdef");
	actions[ACTION_SECRET].u.secret.value = secret("off");
	for (int kind = 0; kind < ACTION_KINDS; kind++) {
		actions[kind].kind = (enum action_kind)kind;
		actions[kind].name = action_kind_name((enum action_kind)kind);
		actions[kind].timeout_ms = 30000;
	}
}

static void actions_close(void)
{
	secret_free(&actions[ACTION_HTTP].u.http.url);
	secret_free(&actions[ACTION_SILENCE].u.silence.url);
	secret_free(&actions[ACTION_SLACK].u.slack.webhook);
	secret_free(&actions[ACTION_WEBHOOK].u.webhook.url);
	secret_free(&actions[ACTION_PAGERDUTY].u.pagerduty.url);
	secret_free(&actions[ACTION_PAGERDUTY].u.pagerduty.routing_key);
	secret_free(&actions[ACTION_SECRET].u.secret.value);
}

/* ---- runs ---- */

static struct policy policy = {.folder = "/"};
static struct action_env env;
static struct template_values values;
static const struct action *action;

static struct end {
	bool there;
	enum action_result result;
	char detail[ACTION_DETAIL_MAX + 1];
} end;

static char captured[ACTION_CAPTURED_MAX];

static void ended(const struct action_end *told, void *arg)
{
	assert_false(end.there);
	end.there = true;
	end.result = told->result;
	snprintf(end.detail, sizeof(end.detail), "%s", told->detail);
	if (arg)
		snprintf(captured, sizeof(captured), "%s", told->captured);
}

static struct action_run *start(enum action_job job)
{
	struct action_order order = {&env, action, &values, job,
		job == JOB_CAPTURE || !*captured ? NULL : captured};

	end.there = false;
	return action_job_start(
		&order, ended, job == JOB_CAPTURE ? captured : NULL);
}

static void run(enum action_job job)
{
	int64_t until = fake_now() + RUN_MS_MAX;

	start(job);
	while (!end.there && fake_loop_turn(until))
		;
	assert_true(end.there);
}

static void kill_before(void)
{
	struct action_run *cut = start(JOB_RUN);

	action_cancel(&cut);
}

static void kill_in(void)
{
	int64_t until = fake_now() + RUN_MS_MAX;
	struct action_run *cut = start(JOB_RUN);

	while (!peers.writes && !end.there && fake_loop_turn(until))
		;
	assert_false(end.there);
	action_cancel(&cut);
}

/* What a process that takes the rollout up does with an action that was
 * started and has no end in the journal. */
static void run_after_a_kill(void)
{
	if (action->idempotent)
		run(JOB_RUN);
	else
		end = (struct end){true, ACTION_UNKNOWN, ""};
}

static void second_rollback(void)
{
	values.rollout = "shop-20260101-001500-bbbb";
	run(JOB_RUN);
}

static void live_through(enum situation situation)
{
	struct end first;

	switch (situation) {
	case AGAIN:
		run(JOB_RUN);
		run(JOB_RUN);
		return;
	case KILLED_BEFORE:
		kill_before();
		run_after_a_kill();
		return;
	case KILLED_IN:
		kill_in();
		run_after_a_kill();
		return;
	case KILLED_AFTER:
		run(JOB_RUN);
		run_after_a_kill();
		return;
	case SECOND_ROLLBACK:
		run(JOB_RUN);
		second_rollback();
		return;
	case DECIDED:
		run(JOB_RUN);
		peers_person_acts();
		if (action_has_job(action, JOB_RENEW))
			run(JOB_RENEW);
		else
			second_rollback();
		return;
	case HANG:
		run(JOB_RUN);
		first = end;
		run_after_a_kill();
		assert_int_equal(end.result,
			action->idempotent ? ACTION_OK : ACTION_UNKNOWN);
		end = first;
		return;
	default:
		run(JOB_RUN);
	}
}

static void world_open(enum situation situation)
{
	struct err err;

	fake_loop_reset(0);
	fake_http_reset();
	peers_open();
	env = (struct action_env){.policy = &policy};
	env.credentials = credentials_new(NULL, NULL, &err);
	assert_non_null(env.credentials);
	values = (struct template_values){
		.candidate = "shop-2",
		.stable = "shop-1",
		.service = "shop",
		.project = "acme",
		.region = "us-central1",
		.percent = "10",
		.reason = "too many errors",
		.rollout = "shop-20260101-000000-aaaa",
	};
	policy.lists[LIST_ROLLBACK] = (struct actions){action, 1};
	captured[0] = '\0';
	if (action_has_job(action, JOB_CAPTURE)) {
		run(JOB_CAPTURE);
		assert_int_equal(end.result, ACTION_OK);
	}
	peers_release();
	peers.mishap = mishaps[situation];
}

static void world_close(void)
{
	credentials_free(&env.credentials);
	fake_http_reset();
	fake_loop_reset(0);
	peers_close();
}

/* ---- what must come of it ---- */

struct row {
	enum situation situation;
	enum action_result result;
	int effects;
	const char *words; /* part of the detail; NULL: nothing was run */
};

static const char *const results[] = {
	[ACTION_OK] = "ok",
	[ACTION_FAILED] = "failed",
	[ACTION_SKIPPED] = "skipped",
	[ACTION_UNKNOWN] = "unknown",
};

static int check_row(const struct row *row)
{
	int wrong;

	world_open(row->situation);
	live_through(row->situation);
	wrong = end.result != row->result || peers.effects != row->effects ||
		(row->words && !strstr(end.detail, row->words));
	if (wrong)
		fprintf(stderr,
			"%s, %s: %s, %d effects, \"%s\"; wanted: %s, %d "
			"effects, \"%s\"\n",
			action->name, situation_names[row->situation],
			results[end.result], peers.effects, end.detail,
			results[row->result], row->effects,
			row->words ? row->words : "");
	world_close();
	return wrong;
}

static void check_rows(enum action_kind kind, const struct row *rows, size_t n)
{
	int wrong = 0;

	action = &actions[kind];
	for (size_t i = 0; i < n; i++)
		wrong += check_row(&rows[i]);
	assert_int_equal(wrong, 0);
}

#define CHECK(kind, rows) check_rows(kind, rows, sizeof(rows) / sizeof(*(rows)))

/* clang-format off */

static void a_request_of_the_policy(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "answered 200"},
		{AGAIN, ACTION_OK, 2, "answered 200"},
		{KILLED_BEFORE, ACTION_UNKNOWN, 0, NULL},
		{KILLED_IN, ACTION_UNKNOWN, 1, NULL},
		{KILLED_AFTER, ACTION_UNKNOWN, 1, NULL},
		{STATUS_200, ACTION_OK, 1, "answered 200"},
		{STATUS_202, ACTION_OK, 1, "answered 202"},
		{STATUS_204, ACTION_OK, 1, "answered 204"},
		{STATUS_301, ACTION_FAILED, 0, "answered 301"},
		{STATUS_401_ONCE, ACTION_OK, 1, "answered 200"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "answered 200"},
		{STATUS_500, ACTION_FAILED, 1, "answered 500"},
		{HANG, ACTION_UNKNOWN, 1, "not finished after 30s"},
	};

	CHECK(ACTION_HTTP, rows);
}

static void a_program(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "exit 0"},
		{AGAIN, ACTION_OK, 2, "exit 0"},
		{KILLED_BEFORE, ACTION_UNKNOWN, 0, NULL},
		{KILLED_IN, ACTION_UNKNOWN, 1, NULL},
		{KILLED_AFTER, ACTION_UNKNOWN, 1, NULL},
		{STATUS_500, ACTION_FAILED, 1, "exit 1"},
		{HANG, ACTION_UNKNOWN, 1, "it had not finished"},
	};

	CHECK(ACTION_EXEC, rows);
}

static void a_downgrade(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "downgraded: exit 0"},
		{KILLED_BEFORE, ACTION_UNKNOWN, 0, NULL}, /* in the guard */
		{KILLED_IN, ACTION_UNKNOWN, 1, NULL},
		{KILLED_AFTER, ACTION_UNKNOWN, 1, NULL},
		{STATUS_500, ACTION_FAILED, 1, "not downgraded: exit 1"},
		{HANG, ACTION_UNKNOWN, 1, "not downgraded: stopped after"},
	};

	CHECK(ACTION_DATABASE, rows);
}

static void a_silence(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "silenced what has service=shop"},
		{AGAIN, ACTION_OK, 1, "renewed the silence"},
		{KILLED_BEFORE, ACTION_OK, 1, "silenced"},
		{KILLED_IN, ACTION_OK, 1, "renewed the silence"},
		{KILLED_AFTER, ACTION_OK, 1, "renewed the silence"},
		{DECIDED, ACTION_SKIPPED, 1, "somebody has ended"},
		{STATUS_200, ACTION_OK, 1, "silence s-1"},
		{STATUS_202, ACTION_OK, 1, "silence s-1"},
		{STATUS_204, ACTION_OK, 1, "silence s-1"},
		{STATUS_301, ACTION_FAILED, 0, "answered 301"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "silence s-1"},
		{STATUS_500, ACTION_OK, 1, "silence s-1"},
		{HANG, ACTION_FAILED, 1, "not finished after 30s"},
	};

	CHECK(ACTION_SILENCE, rows);
}

static void a_message(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "message sent"},
		{AGAIN, ACTION_OK, 2, "message sent"},
		{KILLED_BEFORE, ACTION_UNKNOWN, 0, NULL},
		{KILLED_IN, ACTION_UNKNOWN, 1, NULL},
		{KILLED_AFTER, ACTION_UNKNOWN, 1, NULL},
		{STATUS_200, ACTION_OK, 1, "message sent"},
		{STATUS_202, ACTION_OK, 1, "message sent"},
		{STATUS_204, ACTION_OK, 1, "message sent"},
		{STATUS_301, ACTION_FAILED, 0, "answered 301"},
		{STATUS_401_ONCE, ACTION_FAILED, 0, "answered 401"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "message sent"},
		{STATUS_500, ACTION_FAILED, 1, "answered 500"},
		{HANG, ACTION_UNKNOWN, 1, "not finished after 30s"},
	};

	CHECK(ACTION_SLACK, rows);
}

static void an_event(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "answered 200"},
		{AGAIN, ACTION_OK, 1, "answered 200"},
		{KILLED_BEFORE, ACTION_OK, 1, "answered 200"},
		{KILLED_IN, ACTION_OK, 1, "answered 200"},
		{KILLED_AFTER, ACTION_OK, 1, "answered 200"},
		{SECOND_ROLLBACK, ACTION_OK, 2, "answered 200"},
		{STATUS_202, ACTION_OK, 1, "answered 202"},
		{STATUS_204, ACTION_OK, 1, "answered 204"},
		{STATUS_301, ACTION_FAILED, 0, "it redirects"},
		{STATUS_401_ONCE, ACTION_OK, 1, "answered 200"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "answered 200"},
		{STATUS_500, ACTION_OK, 1, "answered 200"},
		{HANG, ACTION_FAILED, 1, "not finished after 30s"},
	};

	CHECK(ACTION_WEBHOOK, rows);
}

static void an_incident(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "triggered an incident"},
		{AGAIN, ACTION_OK, 1, "triggered an incident"},
		{KILLED_BEFORE, ACTION_OK, 1, "triggered an incident"},
		{KILLED_IN, ACTION_OK, 1, "triggered an incident"},
		{KILLED_AFTER, ACTION_OK, 1, "triggered an incident"},
		{SECOND_ROLLBACK, ACTION_OK, 1, "triggered an incident"},
		{STATUS_200, ACTION_OK, 1, "triggered an incident"},
		{STATUS_202, ACTION_OK, 1, "triggered an incident"},
		{STATUS_204, ACTION_FAILED, 1, "it does not say that the event"},
		{STATUS_301, ACTION_FAILED, 0, "answered 301"},
		{STATUS_401_ONCE, ACTION_FAILED, 0, "answered 401"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "triggered an incident"},
		{STATUS_500, ACTION_OK, 1, "triggered an incident"},
		{HANG, ACTION_FAILED, 1, "not finished after 30s"},
	};

	CHECK(ACTION_PAGERDUTY, rows);
}

static void a_secret(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "added version 3 of flag"},
		{AGAIN, ACTION_OK, 1, "version 3 holds the value already"},
		{KILLED_BEFORE, ACTION_OK, 1, "added version 3"},
		{KILLED_IN, ACTION_OK, 1, "version 3 holds the value already"},
		{KILLED_AFTER, ACTION_OK, 1, "version 3 holds the value"},
		{SECOND_ROLLBACK, ACTION_OK, 1, "version 3 holds the value"},
		{DECIDED, ACTION_SKIPPED, 1, "version 4 has replaced it"},
		{STATUS_200, ACTION_OK, 1, "added version 3"},
		{STATUS_202, ACTION_OK, 1, "added version 3"},
		{STATUS_204, ACTION_OK, 1, "added version 3"},
		{STATUS_301, ACTION_FAILED, 0, "answered 301"},
		{STATUS_401_ONCE, ACTION_OK, 1, "added version 3"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "added version 3"},
		{STATUS_500, ACTION_OK, 1, "added version 3"},
		{HANG, ACTION_FAILED, 1, "not finished after 30s"},
	};

	CHECK(ACTION_SECRET, rows);
}

static void a_site(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "released sites/shop/versions/two again"},
		{AGAIN, ACTION_OK, 1, "sites/shop/versions/two is live"},
		{KILLED_BEFORE, ACTION_OK, 1, "versions/two again"},
		{KILLED_IN, ACTION_OK, 1, "versions/two is live"},
		{KILLED_AFTER, ACTION_OK, 1, "versions/two is live"},
		{SECOND_ROLLBACK, ACTION_OK, 1, "versions/two is live"},
		{DECIDED, ACTION_SKIPPED, 1, "versions/four has been released"},
		{STATUS_200, ACTION_OK, 1, "versions/two again"},
		{STATUS_202, ACTION_OK, 1, "versions/two again"},
		{STATUS_204, ACTION_OK, 1, "versions/two again"},
		{STATUS_301, ACTION_FAILED, 0, "answered 301"},
		{STATUS_401_ONCE, ACTION_OK, 1, "versions/two again"},
		{STATUS_404, ACTION_FAILED, 0, "answered 404"},
		{STATUS_409, ACTION_FAILED, 0, "answered 409"},
		{STATUS_429, ACTION_OK, 1, "versions/two again"},
		{STATUS_500, ACTION_OK, 1, "versions/two again"},
		{HANG, ACTION_FAILED, 1, "not finished after 30s"},
	};

	CHECK(ACTION_FIREBASE, rows);
}

static void a_deployment(void **state)
{
	static const struct row rows[] = {
		{FIRST, ACTION_OK, 1, "revision 8 to 7: done"},
		{AGAIN, ACTION_OK, 1, "already at what revision 7 was: done"},
		{KILLED_BEFORE, ACTION_OK, 1, "revision 8 to 7: done"},
		{KILLED_IN, ACTION_OK, 1, "already at what revision 7 was"},
		{KILLED_AFTER, ACTION_OK, 1, "already at what revision 7 was"},
		{SECOND_ROLLBACK, ACTION_OK, 1, "already at what revision 7"},
		{DECIDED, ACTION_SKIPPED, 1, "revision 10 has replaced it"},
		{STATUS_500, ACTION_FAILED, 1, "revision 8 to 7: exit 1"},
		{HANG, ACTION_FAILED, 1, "it had not finished"},
	};

	CHECK(ACTION_KUBERNETES, rows);
}

/* clang-format on */

static void a_secret_that_the_policy_sets_twice_is_set_each_time(void **state)
{
	struct action both[] = {actions[ACTION_SECRET], actions[ACTION_SECRET]};

	both[1].u.secret.value = secret("on");
	action = &both[0];
	world_open(FIRST);
	policy.lists[LIST_ROLLBACK] = (struct actions){both, 2};
	for (int i = 0; i < 4; i++) {
		action = &both[i % 2];
		run(JOB_RUN);
		assert_int_equal(end.result, ACTION_OK);
		assert_int_equal(peers.effects, i + 1);
	}
	world_close();
	secret_free(&both[1].u.secret.value);
}

static int open_all(void **state)
{
	actions_open();
	return 0;
}

static int close_all(void **state)
{
	actions_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_the_policy),
		cmocka_unit_test(a_program),
		cmocka_unit_test(a_downgrade),
		cmocka_unit_test(a_silence),
		cmocka_unit_test(a_message),
		cmocka_unit_test(an_event),
		cmocka_unit_test(an_incident),
		cmocka_unit_test(a_secret),
		cmocka_unit_test(
			a_secret_that_the_policy_sets_twice_is_set_each_time),
		cmocka_unit_test(a_site),
		cmocka_unit_test(a_deployment),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
