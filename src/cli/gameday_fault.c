/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong for the controller on a game day, by the names that simulate
 * knows: a death of it, and what the sandbox can do to its requests. See
 * gameday.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "cli/gameday.h"
#include "io/http.h"
#include "io/loop.h"

#define ENDPOINT   "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"
#define TIMEOUT_MS 5000

static bool is_known(enum fault_type type)
{
	return type == FAULT_CRASH || type == FAULT_PATCH_503 ||
	       type == FAULT_PATCH_LOST;
}

static int fault_read(struct gameday *day, const char *text, struct err *err_r)
{
	struct fault *fault = &day->fault[day->n_faults];

	if (day->n_faults == SIM_FAULTS_MAX)
		return err_set(err_r, ERR_USAGE, "at most %d faults on a day",
			SIM_FAULTS_MAX);
	if (fault_parse(text, fault, err_r) < 0)
		return -1;
	if (!is_known(fault->type))
		return err_set(err_r, ERR_USAGE,
			"--fault %.60s: on a game day there are crash@5s+2s "
			"and, in a sandbox, patch-503@5s+10s and "
			"patch-lost@5s+10s",
			text);
	if (fault->type != FAULT_CRASH && !getenv(ENDPOINT))
		return err_set(err_r, ERR_USAGE,
			"--fault %.60s is done by a sandbox: set $%s to one",
			text, ENDPOINT);
	if (day->n_faults && fault[-1].at_ms > fault->at_ms)
		return err_set(err_r, ERR_USAGE,
			"--fault %.60s comes after one that is later: give "
			"them in the order of their times",
			text);
	day->n_faults++;
	return 0;
}

int gameday_faults_read(struct gameday *day, struct err *err_r)
{
	for (size_t i = 0; i < day->args->faults.n; i++)
		if (fault_read(day, day->args->faults.item[i], err_r) < 0)
			return -1;
	return 0;
}

struct asking {
	struct loop *loop;
	struct err err;
	int rc;
};

static void answered(const struct http_reply *reply, void *arg)
{
	struct asking *asking = arg;

	asking->rc = reply->err || reply->status / 100 != 2 ? -1 : 0;
	if (reply->err)
		asking->err = *reply->err;
	else if (asking->rc)
		(void)err_set(&asking->err, ERR_PROTOCOL,
			"the sandbox answers a fault with HTTP %d",
			reply->status);
	loop_stop(asking->loop);
}

static int post(const char *url, const struct buf *body, struct err *err_r)
{
	const struct http_request request = {.method = "POST",
		.url = url,
		.content_type = "application/json",
		.body = body->data,
		.body_len = body->len,
		.timeout_ms = TIMEOUT_MS};
	struct asking asking = {.loop = loop_new(err_r), .rc = -1};
	struct http *http;

	if (!asking.loop)
		return -1;
	http = http_new(asking.loop, err_r);
	if (http) {
		(void)http_start(http, &request, answered, &asking);
		if (loop_run(asking.loop, err_r) < 0)
			asking.rc = -1;
		else if (asking.rc)
			*err_r = asking.err;
		http_free(&http);
	}
	loop_free(&asking.loop);
	return asking.rc;
}

int gameday_fault_begin(const struct fault *fault, struct err *err_r)
{
	const char *endpoint = getenv(ENDPOINT);
	char length[DURATION_TEXT_MAX];
	struct buf url, body;
	struct jsonw w = {.out = &body};
	size_t len = strlen(endpoint);
	int rc;

	buf_init(&url, HTTP_URL_MAX);
	buf_init(&body, 1024);
	buf_addf(&url, "%s%ssandbox/faults", endpoint,
		len && endpoint[len - 1] == '/' ? "" : "/");
	jsonw_object(&w, NULL);
	jsonw_text(&w, "method", "PATCH");
	jsonw_text(&w, "times", "always");
	jsonw_text(&w, "for", duration_print(fault->for_ms, length));
	if (fault->type == FAULT_PATCH_503) {
		jsonw_text(&w, "kind", "status");
		jsonw_int(&w, "status", 503);
	} else {
		jsonw_text(&w, "kind", "reset");
		jsonw_text(&w, "when", "after");
	}
	jsonw_end(&w, '}');
	rc = post(url.data, &body, err_r);
	buf_fini(&url);
	buf_fini(&body);
	return rc;
}
