/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics of a daemon that drives a rollout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "openmetrics.h"
#include "serve_fixture.h"
#include "until.h"

#define LABELS "project=\"acme\",region=\"us-central1\",service=\"backend\""

static struct served served;

static int setup(void **state)
{
	(void)state;
	served_open(&served);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	served_close(&served);
	return 0;
}

static void scrape(void)
{
	served_expect(&served, 200, "GET", "/metrics", NULL);
	assert_string_equal(served.content_type,
		"text/plain; version=0.0.4; charset=utf-8");
}

/* The value of a series; fails when it is not there. */
static double value_of(const char *series)
{
	char line[512];
	const char *at;

	snprintf(line, sizeof(line), "\n%s ", series);
	at = strstr(served.body.data, line);
	if (!at)
		fail_msg("%s is not on the page", series);
	return strtod(at + strlen(line), NULL);
}

static void decide(const char *id, int status, const char *verb, int step)
{
	char *path = xasprintf("/api/v1/rollouts/%s/decisions", id);
	char *body = xasprintf("{\"verb\":\"%s\",\"step\":%d,"
			       "\"candidate\":\"backend-2\"}",
		verb, step);

	served_expect(&served, status, "POST", path, body);
	free(path);
	free(body);
}

static void expect_good_format(void)
{
	FILE *promtool = popen("promtool check metrics 2>&1", "w");
	int status;

	assert_non_null(promtool);
	assert_int_equal(fwrite(served.body.data, 1, served.body.len, promtool),
		served.body.len);
	status = pclose(promtool);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_page_follows_a_rollout_through_its_life(void **state)
{
	char *id, *info;

	(void)state;
	scrape();
	assert_true(value_of("tidegate_rollouts{phase=\"baking\"}") == 0);
	assert_true(value_of("tidegate_http_refused_total{"
			     "reason=\"duplicate-parameter\"}") == 0);
	id = served_rollout(&served, "awaiting-approval");
	decide(id, 409, "approve", 1);
	served_expect(&served, 400, "GET", "/me?a=1&a=2", NULL);
	scrape();
	assert_true(value_of("tidegate_http_refused_total{"
			     "reason=\"duplicate-parameter\"}") == 1);
	assert_true(value_of("tidegate_http_timeouts_total") == 0);
	expect_good_format();
	info = xasprintf(
		"tidegate_rollout_info{" LABELS
		",rollout=\"%s\",candidate=\"backend-2\",stable=\"backend-1\"}",
		id);
	assert_true(value_of(info) == 1);
	assert_true(value_of("tidegate_rollout_phase{" LABELS
			     ",phase=\"awaiting-approval\"}") == 1);
	assert_true(
		value_of("tidegate_candidate_traffic_ratio{" LABELS "}") > 0);
	assert_true(value_of("tidegate_store_commit_seconds_count") > 0);
	assert_true(value_of("tidegate_journal_append_errors_total") == 0);
	assert_true(value_of("tidegate_decisions_total{verb=\"approve\","
			     "result=\"moved-on\"}") == 1);
	assert_true(value_of("tidegate_http_requests_total{code=\"201\","
			     "route=\"/api/v1/rollouts\"}") == 1);
	assert_true(value_of("process_resident_memory_bytes") > 0);

	decide(id, 202, "approve", 2);
	served_wait_phase(&served, id, "promoted");
	RUN_UNTIL(daemon_loop(served.daemon), !served_is_driven(&served, id));
	scrape();
	assert_true(value_of("tidegate_rollouts_total{" LABELS
			     ",outcome=\"promoted\"}") == 1);
	assert_true(value_of("tidegate_decisions_total{verb=\"approve\","
			     "result=\"taken\"}") == 1);
	assert_null(strstr(served.body.data, info));
	free(info);
	free(id);
}

#define PROMETHEUS                                                        \
	"Accept: application/openmetrics-text;version=1.0.0,application/" \
	"openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;" \
	"q=0.5,*/*;q=0.1"

static void openmetrics_is_for_whom_it_is_asked_by(void **state)
{
	static const struct {
		const char *accept;
		bool is_open;
	} rows[] = {
		{PROMETHEUS, true},
		{"Accept: application/openmetrics-text", true},
		{"Accept: */*", false},
		{"Accept: text/plain,application/openmetrics-text;q=0.9",
			false},
		{"Accept: application/openmetrics-text;q=0", false},
		{"Accept: application/openmetrics-text;version=2.0.0", false},
		{NULL, false},
	};
	const char *trouble;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		served_ask(&served, "GET", "/metrics", NULL, rows[i].accept);
		assert_int_equal(served.status, 200);
		assert_string_equal(served.content_type,
			rows[i].is_open
				? "application/openmetrics-text; version=1.0.0;"
				  " charset=utf-8"
				: "text/plain; version=0.0.4; charset=utf-8");
		trouble = openmetrics_trouble(served.body.data);
		if (rows[i].is_open && trouble)
			fail_msg("%s", trouble);
		assert_true(rows[i].is_open || trouble);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_page_follows_a_rollout_through_its_life, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			openmetrics_is_for_whom_it_is_asked_by, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
