/*
 * EFFECT_CHECK: one check of one SLO, from the queries to the event. At most one
 * check of an SLO is under way.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "live/driver.h"
#include "live/inquiry.h"

struct ask {
	struct live *live;
	int slo;
	struct inquiry *inquiry;
};

static void ask_answered(const struct inquiry_end *end, void *arg);

void ask_start(struct live *live, int slo)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));
	struct inquiry_what what = {.release = live->release,
		.state = &live->state,
		.slo = slo,
		.candidate = live->release->candidate};

	ask_cancel(&live->asks[slo]);
	live->asks[slo] = ask;
	ask->live = live;
	ask->slo = slo;
	ask->inquiry = inquiry_start(live->world, &what, ask_answered, ask);
}

static void ask_answered(const struct inquiry_end *end, void *arg)
{
	struct ask *ask = arg;
	struct live *live = ask->live;
	struct event event = {
		.type = EVENT_CHECK,
		.slo = ask->slo,
		.answers = end->answers,
		.latency_ms = end->latency_us / 1000,
		.text = *end->trouble ? end->trouble : NULL,
	};
	struct event_context context = {
		.query = end->query[QUERY_VALUE],
		.baseline_query = end->query[QUERY_BASELINE],
		.requests_query = end->query[QUERY_REQUESTS],
		.warnings = *end->warnings ? end->warnings : NULL,
	};

	live->asks[ask->slo] = NULL;
	free(ask);
	live_event(live, &event, &context);
}

void ask_cancel(struct ask **ask)
{
	if (!*ask)
		return;
	inquiry_cancel(&(*ask)->inquiry);
	free(*ask);
	*ask = NULL;
}
