/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What k6 says; see k6_codec.h. Its statuses are those of errext/exitcodes in
 * k6 2.2. In the summary "thresholds" are true when they failed, and
 * http_req_failed counts as "passes" what failed; the first is not read, since
 * the exit status says it.
 */
#include "load/k6_codec.h"

#include <jansson.h>
#include <math.h>

#define COUNT_MAX 1e15

enum k6_verdict k6_verdict_of(int exit_status, const char **why_r)
{
	static const struct {
		int status;
		enum k6_verdict verdict;
		const char *why;
	} rows[] = {
		{0, K6_PASSED, NULL},
		{97, K6_ERROR, "its run in the cloud failed"},
		{98, K6_ERROR, "its run in the cloud was lost"},
		{99, K6_MISSED, "a threshold of the script was missed"},
		{100, K6_ERROR, "the script's setup took too long"},
		{101, K6_ERROR, "the script's teardown took too long"},
		{102, K6_ERROR, "it ran into a timeout"},
		{103, K6_ERROR, "its own API could not be started"},
		{104, K6_ERROR, "the script's options are not valid"},
		{105, K6_ERROR, "a signal stopped it"},
		{106, K6_ERROR, "its own API could not be started"},
		{107, K6_ERROR, "the script threw an exception"},
		{108, K6_MISSED, "the script aborted the test"},
		{109, K6_ERROR, "it panicked"},
		{110, K6_MISSED, "the script marked the test as failed"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].status != exit_status)
			continue;
		*why_r = rows[i].why;
		return rows[i].verdict;
	}
	*why_r = "it ended for a reason of its own";
	return K6_ERROR;
}

/* Below 0: it is not there, or no number that can be used. */
static double take(const json_t *metrics, const char *metric, const char *value)
{
	const json_t *number =
		json_object_get(json_object_get(metrics, metric), value);
	double is = json_number_value(number);

	return json_is_number(number) && is >= 0 && is <= COUNT_MAX ? is : -1;
}

static uint64_t take_count(
	const json_t *metrics, const char *metric, const char *value)
{
	double n = take(metrics, metric, value);

	return n > 0 ? (uint64_t)llround(n) : 0;
}

static int not_one(json_t *root, const char *why, struct err *err_r)
{
	json_decref(root);
	return err_set(err_r, ERR_PROTOCOL,
		"the summary of k6 is not understood: %s", why);
}

int k6_summary_parse(const char *bytes, size_t len, struct load_figures *f,
	struct err *err_r)
{
	const json_t *metrics;
	json_error_t error;
	json_t *root;

	if (len > K6_SUMMARY_MAX)
		return not_one(NULL, "it is larger than 1 MiB", err_r);
	root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return not_one(NULL, error.text, err_r);
	metrics = json_object_get(root, "metrics");
	if (!json_is_object(metrics))
		return not_one(root, "it has no metrics", err_r);
	*f = (struct load_figures){
		.generator = "k6",
		.requests = take_count(metrics, "http_reqs", "count"),
		.failed = take_count(metrics, "http_req_failed", "passes"),
		.dropped = take_count(metrics, "dropped_iterations", "count"),
		.rate = fmax(take(metrics, "http_reqs", "rate"), 0),
		.p50_ms = take(metrics, "http_req_duration", "med"),
		.p95_ms = take(metrics, "http_req_duration", "p(95)"),
		.p99_ms = take(metrics, "http_req_duration", "p(99)"),
		.max_ms = take(metrics, "http_req_duration", "max"),
		.mean_ms = take(metrics, "http_req_duration", "avg"),
		.users = (int)fmin(take(metrics, "vus_max", "max"), 1e9),
	};
	if (f->users < 0)
		f->users = 0;
	json_decref(root);
	if (f->failed <= f->requests)
		return 0;
	return not_one(NULL, "more requests failed than there were", err_r);
}
