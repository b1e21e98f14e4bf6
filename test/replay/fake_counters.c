/* SPDX-License-Identifier: Apache-2.0 */
/* Raw counters on the virtual clock; see fake_counters.h. */
#include "fake_counters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fake_loop.h"
#include "fake_metrics.h"
#include "fake_run.h"
#include "metrics/labels.h"

#define BASE      0.001
#define PAST_S    86400.0 /* stable served alone for so long */
#define INSTANCES 2
#define BYTES_MAX (8 * 1024 * 1024)
#define REVISIONS 2

const char slo_counted[] =
	"evidence: {history: 1h}\n"
	"slos:\n"
	"  - {name: errors, kind: evidence, objective: 1%,\n"
	"     total: 'http_requests_total{revision=\"{{revision}}\"}',\n"
	"     bad: 'http_requests_total{revision=\"{{revision}}\",\n"
	"       code=\"500\"}'}\n";

struct revision {
	const char *name;
	double total, bad, errors;
	double lost, lost_bad; /* of them, with their instances */
	int instances; /* that are left */
	bool hidden;
};

static struct {
	double rate;
	bool away;
	int64_t counted_ms; /* up to then */
	struct revision revision[REVISIONS];
} service;

/* What came since it was asked last, of what serves now. */
static void advance(void)
{
	double s = (double)(fake_now() - service.counted_ms) / 1000, n;
	struct revision *r = service.revision;

	for (; r < service.revision + REVISIONS; r++) {
		n = service.rate * s * fake_run_serves(r->name) / 100;
		r->total += n;
		r->bad += n * r->errors;
	}
	service.counted_ms = fake_now();
}

static bool has(const char *query, const char *end, const char *part)
{
	const char *at = strstr(query, part);

	return at && at < end;
}

static const struct revision *revision_of(const char *query, const char *end)
{
	size_t i;

	for (i = 0; i < REVISIONS; i++) {
		if (has(query, end, service.revision[i].name))
			return &service.revision[i];
	}
	return NULL;
}

/* How much of it was counted a time ago, when stable served alone. */
static double part_at(double ago_s)
{
	double all = PAST_S + (double)service.counted_ms / 1000;

	return fmax(0, (all - ago_s) / all);
}

static double field(const char *form, const char *name)
{
	const char *at = strstr(form, name);

	return at ? strtod(at + strlen(name), NULL) : NAN;
}

static void add_values(struct buf *out, const char *form, double value)
{
	double now = (double)(FAKE_EPOCH_MS + fake_now()) / 1000, t;
	double end = field(form, "end="), step = field(form, "step=");

	if (isnan(step)) {
		buf_addf(out, "\"value\":[%.3f,\"%.0f\"]", now, floor(value));
		return;
	}
	buf_adds(out, "\"values\":[");
	for (t = field(form, "start="); t <= end && t <= now; t += step)
		buf_addf(out, "%s[%.3f,\"%.0f\"]",
			out->data[out->len - 1] == '[' ? "" : ",", t,
			floor(value * part_at(now - t)));
	buf_addc(out, ']');
}

/* Each instance has a part of the service's requests, by code. */
static void add_series(struct buf *out, const char *form,
	const struct revision *r, const char *role, const char *code,
	double value)
{
	int i;

	for (i = INSTANCES - r->instances; i < INSTANCES; i++) {
		buf_addf(out, "%s{\"metric\":{",
			out->data[out->len - 1] == '[' ? "" : ",");
		buf_adds(out, "\"__name__\":\"http_requests_total\",");
		if (*role)
			buf_addf(out, "\"" LABEL_ROLE "\":\"%s\",", role);
		buf_addf(out,
			"\"code\":\"%s\",\"instance\":\"i%d\",\"revision\":"
			"\"%s\"},",
			code, i, r->name);
		add_values(out, form, value / r->instances);
		buf_addc(out, '}');
	}
}

/* One query, or a part of a joint one. A revision that never had a request has
 * no series. */
static void add_part(struct buf *out, const char *form, const char *query,
	const char *end, const char *role)
{
	const struct revision *r = revision_of(query, end);
	double all, bad;

	if (!r)
		return;
	all = r->total - r->lost;
	bad = r->bad - r->lost_bad;
	if (all > 0 && !r->hidden && !has(query, end, "code="))
		add_series(out, form, r, role, "200", all - bad);
	if (bad >= 1 && !r->hidden)
		add_series(out, form, r, role, "500", bad);
}

/* The parts of a joint query as metrics/joint_query.h writes them. */
static void add_parts(struct buf *out, const char *form, const char *query)
{
	static const char mark[] = "\n), \"" LABEL_ROLE "\", \"";
	const char *end = strstr(query, mark), *from;
	char role[32];

	if (!end)
		add_part(out, form, query, query + strlen(query), "");
	for (; end; end = strstr(query, mark)) {
		from = end + strlen(mark);
		snprintf(role, sizeof(role), "%.*s", (int)strcspn(from, "\""),
			from);
		add_part(out, form, query, end, role);
		query = from;
	}
}

static bool answer(
	const char *query, const char *form, struct fake_answer *answer)
{
	bool is_range = strstr(form, "step=") != NULL;
	struct buf body;

	if (!strstr(query, "http_requests_total") ||
		!revision_of(query, query + strlen(query)))
		return false;
	if (service.away) {
		answer->status = 503;
		return true;
	}
	advance();
	buf_init(&body, BYTES_MAX);
	buf_addf(&body,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"%s\","
		"\"result\":[",
		is_range ? "matrix" : "vector");
	add_parts(&body, form, query);
	buf_adds(&body, "]}}");
	answer->body = buf_steal(&body);
	return true;
}

void fake_counters_open(double rate)
{
	service.rate = rate;
	service.away = false;
	service.counted_ms = fake_now();
	service.revision[0] = (struct revision){.name = FAKE_STABLE,
		.total = rate * PAST_S,
		.bad = rate * PAST_S * BASE,
		.errors = BASE,
		.instances = INSTANCES};
	service.revision[1] = (struct revision){
		.name = FAKE_NEW, .errors = BASE, .instances = INSTANCES};
	fake_metrics.answer = answer;
}

static struct revision *advanced(const char *revision)
{
	advance();
	return &service.revision[strcmp(revision, FAKE_NEW) == 0];
}

void fake_counters_errors(const char *revision, double share)
{
	advanced(revision)->errors = share;
}

void fake_counters_restart(const char *revision)
{
	struct revision *r = advanced(revision);

	r->lost = r->total;
	r->lost_bad = r->bad;
}

void fake_counters_stop_one(const char *revision)
{
	struct revision *r = advanced(revision);

	r->lost += (r->total - r->lost) / r->instances;
	r->lost_bad += (r->bad - r->lost_bad) / r->instances;
	r->instances--;
}

void fake_counters_hide(const char *revision, bool hidden)
{
	advanced(revision)->hidden = hidden;
}

void fake_counters_away(bool away)
{
	service.away = away;
}
