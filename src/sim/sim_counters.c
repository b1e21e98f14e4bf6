/*
 * What a recording's counters answer to the checks of an SLO of kind evidence.
 * The counting is that of the live program.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "metrics/counting.h"
#include "sim/sim_state.h"

/* One query: where its series were read last, and what they showed. */
struct look {
	const struct recording_series *series; /* NULL: not asked */
	size_t *cursors;
	struct counter_sample *samples;
	size_t n;
};

struct sim_counters {
	struct counting *counting;
	struct look look[QUERY_ROLES];
	struct check_counts counts; /* of the check that is under way */
	struct err err;
};

static struct sim_counters *counters_of(struct sim *s, int slo)
{
	struct sim_counters *c = s->counters[slo];
	struct look *look;
	int role;

	if (c)
		return c;
	c = s->counters[slo] = xcalloc(1, sizeof(*c));
	c->counting = counting_new(&s->policy->slos[slo]);
	counting_of_recording(c->counting);
	for (role = 0; role < QUERY_ROLES; role++) {
		look = &c->look[role];
		look->series = s->chain[slo][role].series;
		if (!look->series || !query_role_counts(role) ||
			!look->series->n_results)
			continue;
		look->cursors = xcalloc(
			look->series->n_results, sizeof(*look->cursors));
		look->samples = xcalloc(
			look->series->n_results, sizeof(*look->samples));
	}
	return c;
}

void sim_counters_free(struct sim *s)
{
	struct sim_counters *c;
	size_t i;
	int role;

	for (i = 0; i < s->policy->n_slos; i++) {
		c = s->counters[i];
		if (!c)
			continue;
		for (role = 0; role < QUERY_ROLES; role++) {
			free(c->look[role].cursors);
			free(c->look[role].samples);
		}
		counting_free(&c->counting);
		free(c);
	}
}

void sim_counters_forget(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->policy->n_slos; i++) {
		if (s->counters[i])
			counting_forget(s->counters[i]->counting);
	}
}

/* Asks one query; its answer's kind only says whether there was trouble. */
static bool ask(const struct sim *s, struct look *look, int64_t time_ms,
	struct answer *answer)
{
	if (!look->series)
		return true;
	switch (recording_look(s->recording, look->series, time_ms,
		look->cursors, look->samples, &look->n)) {
	case RECORDED_OUTAGE:
	case RECORDED_TIMEOUT:
		answer->kind = ANSWER_ERROR;
		return false;
	default:
		answer->partial = recording_is_partial(look->series, time_ms);
		return true;
	}
}

void sim_count(struct sim *s, int slo, int64_t time_ms, struct event *event)
{
	struct sim_counters *c = counters_of(s, slo);
	struct counter_answer counters[QUERY_ROLES] = {{NULL, 0}};
	struct look *look;
	int role;

	for (role = 0; role < QUERY_ROLES; role++) {
		look = &c->look[role];
		if (ask(s, look, time_ms, &event->answers.item[role]))
			counters[role] =
				(struct counter_answer){look->samples, look->n};
	}
	if (counting_check(c->counting, &s->policy->slos[slo], time_ms,
		    counters, &event->answers, &c->counts, &c->err) < 0)
		event->text = c->err.text;
}
