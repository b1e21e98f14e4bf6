/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One action against real servers and programs: a loop, a client, the action
 * and what its run became. A test's own setup changes what it needs.
 */
#ifndef TEST_ACTION_FIXTURE_H
#define TEST_ACTION_FIXTURE_H

#include "action/action.h"
#include "io/http.h"
#include "io/loop.h"

extern struct loop *loop;
extern struct http *http;
extern struct policy policy; /* its folder is "/" */
extern struct action_env env;
extern struct action action; /* it has 10 s */
extern struct template_values values; /* of shop-2, after shop-1 */

/* How the last run ended. */
extern struct ended {
	bool there;
	enum action_result result;
	char detail[ACTION_DETAIL_MAX + 1], captured[ACTION_CAPTURED_MAX];
	int64_t duration_ms;
} end;

void fixture_open(void);
void fixture_close(void);

void ended(const struct action_end *told, void *arg); /* an action_fn */
/* Until the job has ended; `captured` NULL: nothing was. */
void run_job(enum action_job job, const char *captured);
/* The run ended so, and its detail has this part. */
void expect(enum action_result result, const char *part);

#endif
