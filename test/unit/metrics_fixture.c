/* SPDX-License-Identifier: Apache-2.0 */
/* A policy and the Prometheus that it asks; see metrics_fixture.h. */
#include "metrics_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "fake_google.h"
#include "io/http.h"
#include "io/server.h"
#include "metrics/metrics_pool.h"
#include "policy_fixture.h"

#define BODY_MAX (32 * 1024 * 1024)

static int64_t field_ms(const char *form, const char *name)
{
	char *text = fake_form_field(form, name);
	int64_t ms = text ? llround(strtod(text, NULL) * 1000) : 0;

	free(text);
	return ms;
}

static const char *empty(const struct metrics_asked *asked)
{
	return asked->step_ms ? "{\"status\":\"success\",\"data\":{"
				"\"resultType\":\"matrix\",\"result\":[]}}"
			      : "{\"status\":\"success\",\"data\":{"
				"\"resultType\":\"vector\",\"result\":[]}}";
}

static void serve(struct server_request *request, void *arg)
{
	struct metrics_fixture *f = arg;
	struct metrics_asked *asked = &f->asked[f->n_asked];
	struct buf body;
	size_t len;
	const char *form = request_body(request, &len);
	int status = 200;

	assert_true(f->n_asked++ < METRICS_ASKED_MAX);
	asked->query = fake_form_field(form, "query");
	asked->start_ms = field_ms(form, "start");
	asked->end_ms = field_ms(form, "end");
	asked->step_ms = field_ms(form, "step");
	buf_init(&body, BODY_MAX);
	if (f->answer)
		status = f->answer(asked, &body, f->arg);
	else
		buf_adds(&body, empty(asked));
	request_answer(
		request, status, "application/json", body.data, body.len);
	buf_fini(&body);
}

static struct policy *make_policy(int port, const char *more, const char *slo)
{
	return policy_given(&policy_env_real,
		"version: 1\nname: p\nmetrics: {url: 'http://127.0.0.1:%d', "
		"timeout: 14s}\n"
		"steps: [{percent: 10, bake: 1h}, {percent: 100, bake: 1h}]\n"
		"%sslos:\n  - {name: s, kind: evidence, objective: 1%%, %s}\n",
		port, more, slo);
}

void metrics_fixture_init(
	struct metrics_fixture *f, const char *more, const char *slo)
{
	struct api api = {0};
	struct err err;

	*f = (struct metrics_fixture){.loop = loop_new(&err)};
	f->http = http_new(f->loop, &err);
	f->server = server_new(f->loop, 0, serve, f, &err);
	assert_non_null(f->server);
	api.loop = f->loop;
	api.http = f->http;
	f->pool = metrics_pool_new(&api);
	f->policy = make_policy(server_port(f->server), more, slo);
	f->values.candidate = "s-2";
	f->values.stable = "s-1";
}

void metrics_fixture_fini(struct metrics_fixture *f)
{
	metrics_pool_free(&f->pool);
	server_free(&f->server);
	http_free(&f->http);
	loop_free(&f->loop);
	policy_free(&f->policy);
	while (f->n_asked)
		free(f->asked[--f->n_asked].query);
}
