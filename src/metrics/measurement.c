/* SPDX-License-Identifier: Apache-2.0 */
/* The queries of one SLO, asked together; see measurement.h.
 *
 *   measurement_start ─┬─ query_start … query_answered … ── measurement_finish
 *                      └─ joint_start ─ joint_answered ─┬── measurement_finish
 *                                                       └─ query_start …
 *
 * Queries for counters go as one where the provider has such a thing. When that
 * one is refused each is asked by itself: then the error names its query, and
 * what is only too much for one answer is answered all the same.
 */
#include "metrics/measurement.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "metrics/metrics_pool.h"
#include "metrics/query_role.h"

#define QUERY_BYTES_MAX (64 * 1024) /* of a resolved query */
#define TROUBLE_MAX     2048
#define WARNINGS_MAX    (QUERY_ROLES * WARNINGS_BYTES_MAX)

struct query {
	struct measurement *measurement;
	const struct slo *slo; /* of the policy */
	enum query_role role;
	struct provider_call *call;
	char *text; /* resolved; NULL: not asked */
	size_t series;
};

struct measurement {
	const struct provider *provider;
	void *client; /* the provider's; NULL: it cannot be asked */
	struct query query[QUERY_ROLES];
	struct provider_call *joint;
	int64_t asked_ms;
	int pending; /* queries that are asked one by one */
	struct timer *unable;
	struct answers answers;
	struct counter_answer counters[QUERY_ROLES];
	struct arena arena; /* of the counters, when they came one by one */
	struct buf trouble, warnings;
	bool wrong, lasting;
	int64_t latency_us;
	measurement_fn fn;
	void *arg;
};

static void render(
	struct measurement *measurement, const struct measurement_what *what);
static bool joint_start(struct measurement *measurement);
static void joint_answered(const struct metric_reading *readings,
	int64_t latency_us, const struct err *err, void *arg);
static void ask_each(
	struct measurement *measurement, const struct template_values *values);
static void query_answered(const struct metric_reading *reading,
	int64_t latency_us, const struct err *err, void *arg);
static void take_trouble(struct query *query, const struct err *err);
static void measurement_unable(void *arg);
static void measurement_finish(struct measurement *measurement);

static struct query *first_asked(struct measurement *measurement)
{
	struct query *query = measurement->query;

	while (!query->text)
		query++;
	return query;
}

struct measurement *measurement_start(struct metrics_pool *pool,
	const struct measurement_what *what, measurement_fn fn, void *arg)
{
	struct measurement *measurement = xcalloc(1, sizeof(*measurement));
	struct loop *loop = metrics_pool_loop(pool);
	struct err err;

	measurement->provider = provider_find(what->slo->provider);
	measurement->asked_ms =
		loop_wall_ms(loop) - what->policy->metrics.delay_ms;
	measurement->fn = fn;
	measurement->arg = arg;
	arena_init(&measurement->arena);
	buf_init(&measurement->trouble, TROUBLE_MAX);
	buf_init(&measurement->warnings, WARNINGS_MAX);
	render(measurement, what);
	measurement->client = metrics_pool_client(
		pool, measurement->provider, what->policy, what->project, &err);
	if (!measurement->client)
		take_trouble(first_asked(measurement), &err);
	else if (!joint_start(measurement))
		ask_each(measurement, what->values);
	if (!measurement->joint && !measurement->pending)
		measurement->unable =
			timer_start(loop, 0, measurement_unable, measurement);
	return measurement;
}

static struct template_values values_of(
	enum query_role role, const struct template_values *values)
{
	struct template_values own = *values;

	own.revision = query_role_revision(role, own.candidate, own.stable);
	return own;
}

static void render(
	struct measurement *measurement, const struct measurement_what *what)
{
	struct template_values values;
	struct buf text;

	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		measurement->query[role] = (struct query){
			.measurement = measurement,
			.slo = what->slo,
			.role = role,
		};
		if (!query_role_text(what->slo, role))
			continue;
		values = values_of(role, what->values);
		buf_init(&text, QUERY_BYTES_MAX);
		query_role_render(what->slo, role, &values, &text);
		measurement->query[role].text = buf_steal(&text);
	}
}

/* ---- what was answered ---- */

static struct answer *answer_of(struct query *query)
{
	return &query->measurement->answers.item[query->role];
}

static void add_text(
	struct buf *out, const struct query *query, const char *text)
{
	buf_addf(out, "%s%s: %s", out->len ? "; " : "",
		query_role_name(query->slo, query->role), text);
}

static void note_trouble(struct measurement *measurement, const struct err *err)
{
	if (err->code == ERR_INVALID)
		measurement->wrong = true;
	if (!err_is_retryable(err->code))
		measurement->lasting = true;
}

static void take_trouble(struct query *query, const struct err *err)
{
	*answer_of(query) = (struct answer){ANSWER_ERROR, 0};
	add_text(&query->measurement->trouble, query, err->text);
	note_trouble(query->measurement, err);
}

static void take_latency(struct measurement *measurement, int64_t latency_us)
{
	if (latency_us > measurement->latency_us)
		measurement->latency_us = latency_us;
}

/* ---- all counters at once ---- */

/* The queries that are asked, in the order of their roles; how many. */
static size_t list_asked(struct measurement *measurement, struct query **list_r)
{
	size_t n = 0;

	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		if (measurement->query[role].text)
			list_r[n++] = &measurement->query[role];
	}
	return n;
}

/* False: they are to be asked one by one. */
static bool joint_start(struct measurement *measurement)
{
	struct metric_query wanted[QUERY_ROLES];
	struct query *asked[QUERY_ROLES];
	size_t n = list_asked(measurement, asked), i;

	if (!measurement->provider->start_joint ||
		!query_role_counts(asked[0]->role))
		return false;
	for (i = 0; i < n; i++)
		wanted[i] = (struct metric_query){
			.slo = asked[i]->slo,
			.role = asked[i]->role,
			.text = asked[i]->text,
			.timeout_ms = asked[i]->slo->timeout_ms,
		};
	measurement->joint = measurement->provider->start_joint(
		measurement->client, wanted, n, joint_answered, measurement);
	return measurement->joint != NULL;
}

/* "total, bad: …": what concerns all of them. */
static void add_joint_text(
	struct buf *out, struct query **asked, size_t n, const char *text)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_addf(out, "%s%s", i ? ", " : "",
			query_role_name(asked[i]->slo, asked[i]->role));
	buf_addf(out, ": %s", text);
}

/* Whether the queries, or what they yield, are at fault and not who was asked.
 */
static bool is_refusal(enum err_code code)
{
	return code == ERR_INVALID || code == ERR_LIMIT || code == ERR_PROTOCOL;
}

static void joint_answered(const struct metric_reading *readings,
	int64_t latency_us, const struct err *err, void *arg)
{
	struct measurement *measurement = arg;
	struct query *asked[QUERY_ROLES];
	size_t n = list_asked(measurement, asked), i;

	measurement->joint = NULL;
	if (err && is_refusal(err->code)) {
		ask_each(measurement, NULL);
		if (!measurement->pending)
			measurement_finish(measurement);
		return;
	}
	take_latency(measurement, latency_us);
	for (i = 0; i < n; i++) {
		if (err) {
			*answer_of(asked[i]) = (struct answer){ANSWER_ERROR, 0};
			continue;
		}
		*answer_of(asked[i]) = readings[i].answer;
		asked[i]->series = readings[i].series;
		measurement->counters[asked[i]->role] = readings[i].counters;
	}
	if (err) {
		add_joint_text(&measurement->trouble, asked, n, err->text);
		note_trouble(measurement, err);
	} else if (readings->warnings) {
		add_joint_text(
			&measurement->warnings, asked, n, readings->warnings);
	}
	measurement_finish(measurement);
}

/* ---- one by one ---- */

/* -1: this provider cannot be asked, whatever the query. */
static int query_start(
	struct query *query, const struct template_values *values)
{
	struct measurement *measurement = query->measurement;
	const struct metric_query wanted = {
		.slo = query->slo,
		.role = query->role,
		.values = values,
		.text = query->text,
		.timeout_ms = query->slo->timeout_ms,
	};
	struct err err;

	query->call = measurement->provider->start(
		measurement->client, &wanted, query_answered, query, &err);
	if (query->call) {
		measurement->pending++;
		return 0;
	}
	take_trouble(query, &err);
	return -1;
}

/* `values` NULL: counters, which are asked for by their texts. */
static void ask_each(
	struct measurement *measurement, const struct template_values *all)
{
	struct template_values values;
	struct query *query;

	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		query = &measurement->query[role];
		if (all)
			values = values_of(role, all);
		if (query->text && query_start(query, all ? &values : NULL) < 0)
			return;
	}
}

/* They are compared when all answers are there. */
static void keep_counters(
	struct query *query, const struct counter_answer *counters)
{
	struct measurement *measurement = query->measurement;
	size_t size = counters->n * sizeof(*counters->sample);
	struct counter_sample *sample;

	if (!counters->n)
		return;
	sample = arena_alloc(&measurement->arena, size);
	memcpy(sample, counters->sample, size);
	for (size_t i = 0; i < counters->n; i++)
		sample[i].labels = i && !strcmp(counters->sample[i].labels,
						counters->sample[i - 1].labels)
					   ? sample[i - 1].labels
					   : arena_strdup(&measurement->arena,
						     sample[i].labels);
	measurement->counters[query->role] =
		(struct counter_answer){sample, counters->n};
}

static void query_answered(const struct metric_reading *reading,
	int64_t latency_us, const struct err *err, void *arg)
{
	struct query *query = arg;
	struct measurement *measurement = query->measurement;

	query->call = NULL;
	take_latency(measurement, latency_us);
	if (reading)
		query->series = reading->series;
	if (err) {
		take_trouble(query, err);
	} else {
		*answer_of(query) = reading->answer;
		keep_counters(query, &reading->counters);
		if (reading->warnings)
			add_text(&measurement->warnings, query,
				reading->warnings);
	}
	if (--measurement->pending == 0)
		measurement_finish(measurement);
}

/* ---- the end ---- */

static void measurement_unable(void *arg)
{
	struct measurement *measurement = arg;

	measurement->unable = NULL;
	measurement_finish(measurement);
}

static void measurement_free(struct measurement *measurement)
{
	for (enum query_role role = 0; role < QUERY_ROLES; role++)
		free(measurement->query[role].text);
	arena_fini(&measurement->arena);
	buf_fini(&measurement->trouble);
	buf_fini(&measurement->warnings);
	free(measurement);
}

static void measurement_finish(struct measurement *measurement)
{
	struct measurement_end end = {
		.answers = measurement->answers,
		.counters = measurement->counters,
		.asked_ms = measurement->asked_ms,
		.trouble = measurement->trouble.data,
		.wrong = measurement->wrong,
		.retryable = !measurement->lasting,
		.warnings = measurement->warnings.data,
		.latency_us = measurement->latency_us,
	};

	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		end.query[role] = measurement->query[role].text;
		end.series[role] = measurement->query[role].series;
	}
	measurement->fn(&end, measurement->arg);
	measurement_free(measurement);
}

void measurement_cancel(struct measurement **measurement_p)
{
	struct measurement *measurement = *measurement_p;

	if (!measurement)
		return;
	for (enum query_role role = 0; role < QUERY_ROLES; role++)
		provider_cancel(&measurement->query[role].call);
	provider_cancel(&measurement->joint);
	timer_cancel(&measurement->unable);
	measurement_free(measurement);
	*measurement_p = NULL;
}
