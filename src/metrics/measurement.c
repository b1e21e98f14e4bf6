/* The queries of one SLO, asked together; see measurement.h. */
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
	struct query query[QUERY_ROLES];
	int64_t asked_ms;
	int pending;
	struct timer *unable;
	struct answers answers;
	struct counter_answer counters[QUERY_ROLES];
	struct arena arena; /* of the counters */
	struct buf trouble, warnings;
	bool wrong, lasting;
	int64_t latency_us;
	measurement_fn fn;
	void *arg;
};

static int query_start(struct query *query, struct metrics_pool *pool,
	const struct measurement_what *what);
static void take_trouble(struct query *query, const struct err *err);
static void query_answered(const struct metric_reading *reading,
	int64_t latency_us, const struct err *err, void *arg);
static void measurement_unable(void *arg);
static void measurement_finish(struct measurement *measurement);

struct measurement *measurement_start(struct metrics_pool *pool,
	const struct measurement_what *what, measurement_fn fn, void *arg)
{
	struct measurement *measurement = xcalloc(1, sizeof(*measurement));

	measurement->provider = provider_find(what->slo->provider);
	measurement->asked_ms = loop_wall_ms(metrics_pool_loop(pool)) -
				what->policy->metrics.delay_ms;
	measurement->fn = fn;
	measurement->arg = arg;
	arena_init(&measurement->arena);
	buf_init(&measurement->trouble, TROUBLE_MAX);
	buf_init(&measurement->warnings, WARNINGS_MAX);
	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		measurement->query[role].measurement = measurement;
		measurement->query[role].slo = what->slo;
		measurement->query[role].role = role;
		if (query_start(&measurement->query[role], pool, what) < 0)
			break;
	}
	if (!measurement->pending)
		measurement->unable = timer_start(metrics_pool_loop(pool), 0,
			measurement_unable, measurement);
	return measurement;
}

/* -1: this provider cannot be asked, whatever the query. */
static int query_start(struct query *query, struct metrics_pool *pool,
	const struct measurement_what *what)
{
	struct measurement *measurement = query->measurement;
	struct template_values values = *what->values;
	struct metric_query wanted = {
		.slo = what->slo,
		.role = query->role,
		.values = &values,
		.timeout_ms = what->slo->timeout_ms,
	};
	struct buf text;
	struct err err;
	void *client;

	if (!query_role_text(what->slo, query->role))
		return 0;
	values.revision = query_role_revision(
		query->role, values.candidate, values.stable);
	buf_init(&text, QUERY_BYTES_MAX);
	query_role_render(what->slo, query->role, &values, &text);
	query->text = buf_steal(&text);
	wanted.text = query->text;
	client = metrics_pool_client(
		pool, measurement->provider, what->policy, what->project, &err);
	if (client)
		query->call = measurement->provider->start(
			client, &wanted, query_answered, query, &err);
	if (query->call) {
		measurement->pending++;
		return 0;
	}
	take_trouble(query, &err);
	return -1;
}

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

static void take_trouble(struct query *query, const struct err *err)
{
	struct measurement *measurement = query->measurement;

	*answer_of(query) = (struct answer){ANSWER_ERROR, 0};
	add_text(&measurement->trouble, query, err->text);
	if (err->code == ERR_INVALID)
		measurement->wrong = true;
	if (!err_is_retryable(err->code))
		measurement->lasting = true;
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
	if (latency_us > measurement->latency_us)
		measurement->latency_us = latency_us;
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
	timer_cancel(&measurement->unable);
	measurement_free(measurement);
	*measurement_p = NULL;
}
