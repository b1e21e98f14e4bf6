/* The queries of one SLO, asked together; see inquiry.h. */
#include "live/inquiry.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/provider.h"
#include "live/release.h"
#include "live/world.h"

#define TROUBLE_MAX  2048
#define WARNINGS_MAX (QUERY_ROLES * SAMPLE_WARNINGS_MAX)

struct leg {
	struct inquiry *inquiry;
	enum query_role kind;
	struct provider_call *call;
	char *query; /* resolved; NULL: not asked */
	size_t series;
};

struct inquiry {
	const struct provider *provider;
	struct leg leg[QUERY_ROLES];
	int pending;
	struct timer *unable;
	struct answers answers;
	struct buf trouble, warnings;
	bool wrong, lasting;
	int64_t latency_us;
	inquiry_fn fn;
	void *arg;
};

static int leg_start(
	struct leg *leg, struct world *world, const struct inquiry_what *what);
static void take_trouble(struct leg *leg, const struct err *err);
static void leg_answered(const struct sample *sample, int64_t latency_us,
	const struct err *err, void *arg);
static void inquiry_unable(void *arg);
static void inquiry_finish(struct inquiry *inquiry);

const char *query_role_name(enum query_role kind)
{
	static const char *const names[QUERY_ROLES] = {
		[QUERY_VALUE] = "query",
		[QUERY_BASELINE] = "baseline",
		[QUERY_REQUESTS] = "requests",
	};

	return names[kind];
}

struct inquiry *inquiry_start(struct world *world,
	const struct inquiry_what *what, inquiry_fn fn, void *arg)
{
	const struct slo *slo = &what->release->policy->slos[what->slo];
	struct inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

	inquiry->provider = provider_find(slo->provider);
	inquiry->fn = fn;
	inquiry->arg = arg;
	buf_init(&inquiry->trouble, TROUBLE_MAX);
	buf_init(&inquiry->warnings, WARNINGS_MAX);
	for (enum query_role kind = 0; kind < QUERY_ROLES; kind++) {
		inquiry->leg[kind].inquiry = inquiry;
		inquiry->leg[kind].kind = kind;
		if (leg_start(&inquiry->leg[kind], world, what) < 0)
			break;
	}
	if (!inquiry->pending)
		inquiry->unable =
			timer_start(world->loop, 0, inquiry_unable, inquiry);
	return inquiry;
}

/* -1: this provider cannot be asked, whatever the query. */
static int leg_start(
	struct leg *leg, struct world *world, const struct inquiry_what *what)
{
	struct inquiry *inquiry = leg->inquiry;
	const struct release *release = what->release;
	const struct slo *slo = &release->policy->slos[what->slo];
	struct question question = {
		.slo = slo, .kind = leg->kind, .timeout_ms = slo->timeout_ms};
	struct release_values values;
	struct err err;

	release_values(release, what->state,
		leg->kind == QUERY_BASELINE ? release->stable : what->candidate,
		slo->window_ms, &values);
	values.values.candidate = what->candidate;
	question.values = &values.values;
	leg->query = inquiry->provider->text(&question);
	if (!leg->query)
		return 0;
	question.text = leg->query;
	question.release = release;
	leg->call = inquiry->provider->start(
		world->metrics, &question, leg_answered, leg, &err);
	if (leg->call) {
		inquiry->pending++;
		return 0;
	}
	take_trouble(leg, &err);
	return -1;
}

static struct answer *answer_of(struct leg *leg)
{
	return &leg->inquiry->answers.item[leg->kind];
}

static void add_text(struct buf *out, const struct leg *leg, const char *text)
{
	buf_addf(out, "%s%s: %s", out->len ? "; " : "",
		query_role_name(leg->kind), text);
}

static void take_trouble(struct leg *leg, const struct err *err)
{
	struct inquiry *inquiry = leg->inquiry;

	*answer_of(leg) = (struct answer){ANSWER_ERROR, 0};
	add_text(&inquiry->trouble, leg, err->text);
	if (err->code == ERR_INVALID)
		inquiry->wrong = true;
	if (!err_is_retryable(err->code))
		inquiry->lasting = true;
}

static void take_sample(struct leg *leg, const struct sample *sample)
{
	struct inquiry *inquiry = leg->inquiry;
	struct err err;

	leg->series = sample->series;
	if (sample->warnings[0])
		add_text(&inquiry->warnings, leg, sample->warnings);
	switch (sample->kind) {
	case SAMPLE_VALUE:
		*answer_of(leg) = (struct answer){ANSWER_VALUE, sample->value};
		break;
	case SAMPLE_NONE:
	case SAMPLE_NAN:
		*answer_of(leg) = (struct answer){ANSWER_NO_DATA, 0};
		break;
	case SAMPLE_SEVERAL:
		err_set(&err, ERR_INVALID,
			"%zu series where there must be one: aggregate them, "
			"as with sum(…)",
			sample->series);
		take_trouble(leg, &err);
		break;
	}
}

static void leg_answered(const struct sample *sample, int64_t latency_us,
	const struct err *err, void *arg)
{
	struct leg *leg = arg;
	struct inquiry *inquiry = leg->inquiry;

	leg->call = NULL;
	if (latency_us > inquiry->latency_us)
		inquiry->latency_us = latency_us;
	if (sample)
		take_sample(leg, sample);
	else
		take_trouble(leg, err);
	if (--inquiry->pending == 0)
		inquiry_finish(inquiry);
}

static void inquiry_unable(void *arg)
{
	struct inquiry *inquiry = arg;

	inquiry->unable = NULL;
	inquiry_finish(inquiry);
}

static void inquiry_free(struct inquiry *inquiry)
{
	for (enum query_role kind = 0; kind < QUERY_ROLES; kind++)
		free(inquiry->leg[kind].query);
	buf_fini(&inquiry->trouble);
	buf_fini(&inquiry->warnings);
	free(inquiry);
}

static void inquiry_finish(struct inquiry *inquiry)
{
	struct inquiry_end end = {
		.answers = inquiry->answers,
		.trouble = inquiry->trouble.data,
		.wrong = inquiry->wrong,
		.retryable = !inquiry->lasting,
		.warnings = inquiry->warnings.data,
		.latency_us = inquiry->latency_us,
	};

	for (enum query_role kind = 0; kind < QUERY_ROLES; kind++) {
		end.query[kind] = inquiry->leg[kind].query;
		end.series[kind] = inquiry->leg[kind].series;
	}
	inquiry->fn(&end, inquiry->arg);
	inquiry_free(inquiry);
}

void inquiry_cancel(struct inquiry **inquiry_p)
{
	struct inquiry *inquiry = *inquiry_p;

	if (!inquiry)
		return;
	for (enum query_role kind = 0; kind < QUERY_ROLES; kind++)
		inquiry->provider->cancel(&inquiry->leg[kind].call);
	timer_cancel(&inquiry->unable);
	inquiry_free(inquiry);
	*inquiry_p = NULL;
}
