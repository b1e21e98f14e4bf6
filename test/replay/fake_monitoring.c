/* SPDX-License-Identifier: Apache-2.0 */
/* Cloud Monitoring's request counts; see fake_monitoring.h. */
#include "fake_monitoring.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fake_loop.h"
#include "fake_metrics.h"
#include "fake_run.h"
#include "metrics/labels.h"

#define METRIC    "run_googleapis_com:request_count"
#define LATE_S    180 /* until a sample can be seen */
#define TICK_MS   1000
#define TICKS_MAX (6 * 3600)
#define BASE      0.001
#define PAST_S    86400.0
#define BYTES_MAX (8 * 1024 * 1024)

enum { STABLE, CANDIDATE, REVISIONS };

struct sum {
	double all, bad;
};

static const char *const names[REVISIONS] = {FAKE_STABLE, FAKE_NEW};

/* What came until each second of the scenario. */
static struct {
	double rate, errors[REVISIONS];
	struct sum until[TICKS_MAX + 1][REVISIONS];
	int n;
} service;

static void tick(void *arg)
{
	struct sum *sum;
	double n;
	int i;

	if (service.n == TICKS_MAX)
		return;
	service.n++;
	for (i = 0; i < REVISIONS; i++) {
		sum = &service.until[service.n][i];
		*sum = service.until[service.n - 1][i];
		n = service.rate * fake_run_serves(names[i]) / 100;
		sum->all += n;
		sum->bad += n * service.errors[i];
	}
	fake_world_after(TICK_MS, tick, arg);
}

/* Until a second, counted from the begin; before it stable served alone. */
static double count_until(int revision, double s, bool bad)
{
	const struct sum *sum;
	double before = fmin(0, fmax(s, -PAST_S)) * service.rate;

	if (s < 0)
		return revision == CANDIDATE ? 0
					     : before * (bad ? BASE : 1 - BASE);
	sum = &service.until[(int)fmin(s, service.n)][revision];
	return bad ? sum->bad : sum->all - sum->bad;
}

/* Whole requests in the minute before. */
static double growth(int revision, double s, bool bad)
{
	return floor(count_until(revision, s, bad)) -
	       floor(count_until(revision, s - 60, bad));
}

static double field(const char *form, const char *name)
{
	const char *at = strstr(form, name);

	return at ? strtod(at + strlen(name), NULL) : NAN;
}

static double now_s(void)
{
	return (double)(FAKE_EPOCH_MS + fake_now()) / 1000;
}

/* A sample of a time that can be seen; a minute without requests has none. */
static void add_sample(
	struct buf *out, int revision, bool bad, double time_s, bool is_range)
{
	double value =
		growth(revision, time_s - (double)FAKE_EPOCH_MS / 1000, bad);

	if (time_s > now_s() - LATE_S || value <= 0)
		return;
	if (out->data[out->len - 1] == ']')
		buf_addc(out, ',');
	buf_addf(out, is_range ? "[%.3f,\"%.0f\"]" : "%.3f,\"%.0f\"", time_s,
		value);
}

static void add_series(struct buf *out, const char *form, int revision,
	bool bad, const char *role)
{
	double t, step = field(form, "step="), end = field(form, "end=");
	size_t before = out->len, begun;

	buf_addf(out, "%s{\"metric\":{",
		out->data[out->len - 1] == '[' ? "" : ",");
	if (*role)
		buf_addf(out, "\"" LABEL_ROLE "\":\"%s\",", role);
	buf_addf(out,
		"\"response_code_class\":\"%s\",\"revision_name\":\"%s\"},"
		"\"value%s\":[",
		bad ? "5xx" : "2xx", names[revision], isnan(step) ? "" : "s");
	begun = out->len;
	if (isnan(step))
		add_sample(out, revision, bad, field(form, "time="), false);
	for (t = field(form, "start="); t <= end; t += step)
		add_sample(out, revision, bad, t, true);
	if (out->len == begun)
		out->len = before;
	else
		buf_adds(out, "]}");
}

/* One part of a joint query; failures are among all requests. */
static void add_part(
	struct buf *out, const char *form, const char *part, const char *role)
{
	int i;

	for (i = 0; i < REVISIONS; i++) {
		if (!strstr(part, names[i]))
			continue;
		add_series(out, form, i, true, role);
		if (!strstr(part, "response_code_class"))
			add_series(out, form, i, false, role);
	}
}

static void add_parts(struct buf *out, const char *form, const char *query)
{
	static const char mark[] = "\n), \"" LABEL_ROLE "\", \"";
	char part[2048], role[32];
	const char *end;

	if (!strstr(query, mark))
		add_part(out, form, query, "");
	for (; (end = strstr(query, mark)) != NULL; query = end) {
		snprintf(part, sizeof(part), "%.*s", (int)(end - query), query);
		end += strlen(mark);
		snprintf(role, sizeof(role), "%.*s", (int)strcspn(end, "\""),
			end);
		add_part(out, form, part, role);
	}
}

/* Growth is asked for whole minutes, and nothing else. */
static bool answer(
	const char *query, const char *form, struct fake_answer *answer)
{
	struct buf body;

	if (!strstr(query, METRIC))
		return false;
	if (!strstr(query, "increase(" METRIC) || !strstr(query, "[60s])")) {
		answer->status = 400;
		return true;
	}
	buf_init(&body, BYTES_MAX);
	buf_addf(&body,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"%s\","
		"\"result\":[",
		strstr(form, "step=") ? "matrix" : "vector");
	add_parts(&body, form, query);
	buf_adds(&body, "]}}");
	answer->body = buf_steal(&body);
	return true;
}

void fake_monitoring_open(double rate)
{
	memset(&service, 0, sizeof(service));
	service.rate = rate;
	service.errors[STABLE] = service.errors[CANDIDATE] = BASE;
	fake_metrics.answer = answer;
	fake_world_after(TICK_MS, tick, NULL);
}

void fake_monitoring_errors(const char *revision, double share)
{
	service.errors[strcmp(revision, FAKE_NEW) == 0 ? CANDIDATE : STABLE] =
		share;
}
