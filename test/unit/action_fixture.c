/* SPDX-License-Identifier: Apache-2.0 */
/* One action and its world; see action_fixture.h. */
#include "action_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct loop *loop;
struct http *http;
struct policy policy;
struct action_env env;
struct action action;
struct template_values values;
struct ended end;

void fixture_open(void)
{
	struct err err;

	loop = loop_new(&err);
	assert_non_null(loop);
	http = http_new(loop, &err);
	assert_non_null(http);
	policy = (struct policy){.folder = "/"};
	env = (struct action_env){
		.loop = loop, .http = http, .policy = &policy};
	action = (struct action){.name = "probe", .timeout_ms = 60000};
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
	end = (struct ended){0};
}

void fixture_close(void)
{
	http_free(&http);
	loop_free(&loop);
}

void ended(const struct action_end *told, void *arg)
{
	assert_false(end.there);
	end.there = true;
	end.result = told->result;
	end.duration_ms = told->duration_ms;
	snprintf(end.detail, sizeof(end.detail), "%s", told->detail);
	snprintf(end.captured, sizeof(end.captured), "%s", told->captured);
	loop_stop(loop);
}

void run_job(enum action_job job, const char *captured)
{
	struct action_order order = {&env, &action, &values, job, captured};
	struct err err;

	end.there = false;
	action_job_start(&order, ended, NULL);
	assert_false(end.there);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_true(end.there);
}

void expect(enum action_result result, const char *part)
{
	if (!strstr(end.detail, part))
		fail_msg("\"%s\" is not in \"%s\"", part, end.detail);
	assert_int_equal(end.result, result);
}
