/* The queries of one SLO, asked together; see measurement.h. */
#include "live/measurement.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/provider.h"
#include "live/release.h"
#include "live/world.h"

#define TROUBLE_MAX  2048
#define WARNINGS_MAX (QUERY_ROLES * SAMPLE_WARNINGS_MAX)

struct query {
	struct measurement *measurement;
	enum query_role role;
	struct provider_call *call;
	char *text; /* resolved; NULL: not asked */
	size_t series;
};

struct measurement {
	const struct provider *provider;
	struct query query[QUERY_ROLES];
	int pending;
	struct timer *unable;
	struct answers answers;
	struct buf trouble, warnings;
	bool wrong, lasting;
	int64_t latency_us;
	measurement_fn fn;
	void *arg;
};

static int query_start(struct query *query, struct world *world,
	const struct measurement_what *what);
static void take_trouble(struct query *query, const struct err *err);
static void query_answered(const struct sample *sample, int64_t latency_us,
	const struct err *err, void *arg);
static void measurement_unable(void *arg);
static void measurement_finish(struct measurement *measurement);

const char *query_role_name(enum query_role role)
{
	static const char *const names[QUERY_ROLES] = {
		[QUERY_VALUE] = "query",
		[QUERY_BASELINE] = "baseline",
		[QUERY_REQUESTS] = "requests",
	};

	return names[role];
}

struct measurement *measurement_start(struct world *world,
	const struct measurement_what *what, measurement_fn fn, void *arg)
{
	const struct slo *slo = &what->release->policy->slos[what->slo];
	struct measurement *measurement = xcalloc(1, sizeof(*measurement));

	measurement->provider = provider_find(slo->provider);
	measurement->fn = fn;
	measurement->arg = arg;
	buf_init(&measurement->trouble, TROUBLE_MAX);
	buf_init(&measurement->warnings, WARNINGS_MAX);
	for (enum query_role role = 0; role < QUERY_ROLES; role++) {
		measurement->query[role].measurement = measurement;
		measurement->query[role].role = role;
		if (query_start(&measurement->query[role], world, what) < 0)
			break;
	}
	if (!measurement->pending)
		measurement->unable = timer_start(
			world->loop, 0, measurement_unable, measurement);
	return measurement;
}

/* -1: this provider cannot be asked, whatever the query. */
static int query_start(struct query *query, struct world *world,
	const struct measurement_what *what)
{
	struct measurement *measurement = query->measurement;
	const struct release *release = what->release;
	const struct slo *slo = &release->policy->slos[what->slo];
	struct metric_query wanted = {
		.slo = slo, .role = query->role, .timeout_ms = slo->timeout_ms};
	struct release_values values;
	struct err err;

	release_values(release, what->state,
		query->role == QUERY_BASELINE ? release->stable
					      : what->candidate,
		slo->window_ms, &values);
	values.values.candidate = what->candidate;
	wanted.values = &values.values;
	query->text = measurement->provider->text(&wanted);
	if (!query->text)
		return 0;
	wanted.text = query->text;
	wanted.release = release;
	query->call = measurement->provider->start(
		world->metrics, &wanted, query_answered, query, &err);
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
		query_role_name(query->role), text);
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

static void take_sample(struct query *query, const struct sample *sample)
{
	struct measurement *measurement = query->measurement;
	struct err err;

	query->series = sample->series;
	if (sample->warnings[0])
		add_text(&measurement->warnings, query, sample->warnings);
	switch (sample->kind) {
	case SAMPLE_VALUE:
		*answer_of(query) =
			(struct answer){ANSWER_VALUE, sample->value};
		break;
	case SAMPLE_NONE:
	case SAMPLE_NAN:
		*answer_of(query) = (struct answer){ANSWER_NO_DATA, 0};
		break;
	case SAMPLE_SEVERAL:
		err_set(&err, ERR_INVALID,
			"%zu series where there must be one: aggregate them, "
			"as with sum(…)",
			sample->series);
		take_trouble(query, &err);
		break;
	}
}

static void query_answered(const struct sample *sample, int64_t latency_us,
	const struct err *err, void *arg)
{
	struct query *query = arg;
	struct measurement *measurement = query->measurement;

	query->call = NULL;
	if (latency_us > measurement->latency_us)
		measurement->latency_us = latency_us;
	if (sample)
		take_sample(query, sample);
	else
		take_trouble(query, err);
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
	buf_fini(&measurement->trouble);
	buf_fini(&measurement->warnings);
	free(measurement);
}

static void measurement_finish(struct measurement *measurement)
{
	struct measurement_end end = {
		.answers = measurement->answers,
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
		measurement->provider->cancel(&measurement->query[role].call);
	timer_cancel(&measurement->unable);
	measurement_free(measurement);
	*measurement_p = NULL;
}
