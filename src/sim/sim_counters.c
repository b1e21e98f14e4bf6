/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recording's counters answer to the checks of an SLO of kind evidence.
 * The counting is that of the live program.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "metrics/counting.h"
#include "metrics/query_role.h"
#include "sim/sim_state.h"

/* One query: where its series were read last, and what they showed. */
struct look {
	const struct recording_series *series; /* NULL: not asked */
	size_t *cursors;
	struct counter_sample *samples;
	double *values; /* of all series, when they are looked at again */
	size_t n;
};

struct sim_counters {
	struct counting *counting;
	struct look look[QUERY_ROLES];
	/* Looks of this run that are remembered, and how many of those
	 * `counting` has taken itself. */
	size_t n, n_taken;
	bool alone; /* this run has gone its own way */
	bool whole; /* the look before was of all series, and could be taken */
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
		look->values =
			xcalloc(look->series->n_results, sizeof(*look->values));
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
			free(c->look[role].values);
		}
		counting_free(&c->counting);
		free(c);
	}
}

void sim_counters_forget(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->policy->n_slos; i++) {
		if (!s->counters[i])
			continue;
		counting_forget(s->counters[i]->counting);
		s->counters[i]->whole = false;
		s->counters[i]->n_taken = s->counters[i]->n;
		s->counters[i]->alone = true;
	}
}

/* Asks one query; its answer's kind only says whether there was trouble. */
static bool ask(const struct sim *s, struct look *look, int64_t time_ms,
	int64_t span_ms, struct answer *answer)
{
	if (!look->series)
		return true;
	switch (recording_look(s->recording, look->series, time_ms, span_ms,
		look->cursors, look->samples, &look->n)) {
	case RECORDED_OUTAGE:
	case RECORDED_TIMEOUT:
		answer->kind = ANSWER_ERROR;
		return false;
	default:
		answer->partial = look->series->n_outages &&
				  recording_is_partial(look->series, time_ms);
		return true;
	}
}

static const int role_of[COUNTER_ARMS][COUNTER_ROLES] = {
	[ARM_CANDIDATE] =
		{[COUNTER_TOTAL] = QUERY_TOTAL, [COUNTER_BAD] = QUERY_BAD},
	[ARM_STABLE] = {[COUNTER_TOTAL] = QUERY_TOTAL_STABLE,
		[COUNTER_BAD] = QUERY_BAD_STABLE},
};

/* A look at all series once more, as it mostly is: only their values are others.
 * False: it is none, and nothing was taken. */
static bool repeat_look(
	const struct sim *s, struct sim_counters *c, int64_t time_ms)
{
	struct counter_values values[COUNTER_ARMS][COUNTER_ROLES];
	struct look *look;
	int arm, role;

	for (arm = 0; c->whole && arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++) {
			look = &c->look[role_of[arm][role]];
			values[arm][role] = (struct counter_values){NULL, 0};
			if (!look->series)
				continue;
			if (!recording_values(s->recording, look->series,
				    time_ms, look->cursors, look->values))
				return false;
			values[arm][role] = (struct counter_values){
				look->values, look->series->n_results};
		}
	}
	return c->whole && counting_repeat(c->counting, values, &c->counts);
}

/* True: the answers are there, and nothing but counts. */
static bool take_look(struct sim *s, struct sim_counters *c, int slo,
	int64_t time_ms, struct event *event)
{
	struct counter_answer counters[QUERY_ROLES] = {{NULL, 0}};
	struct answers *answers = &event->answers;
	int64_t span_ms = query_role_delta_ms(&s->policy->slos[slo]);
	struct look *look;
	bool whole = true, plain = true;
	int role;

	if (repeat_look(s, c, time_ms)) {
		answers->counts = &c->counts;
		return true;
	}
	for (role = 0; role < QUERY_ROLES; role++) {
		look = &c->look[role];
		if (ask(s, look, time_ms, span_ms, &answers->item[role]))
			counters[role] =
				(struct counter_answer){look->samples, look->n};
		else
			plain = false;
		plain = plain && !answers->item[role].partial;
		whole = whole &&
			(!look->series || look->n == look->series->n_results);
	}
	if (counting_check(c->counting, &s->policy->slos[slo], time_ms,
		    counters, answers, &c->counts, &c->err) < 0)
		event->text = c->err.text;
	plain = plain && answers->counts;
	c->whole = whole && plain && !span_ms;
	return plain;
}

/* The look is the next one that is remembered. */
static bool is_remembered(const struct sim_looks *looks,
	const struct sim_counters *c, int slo, int64_t time_ms)
{
	return !c->alone && c->n < sim_looks_count(looks, slo) &&
	       sim_looks_time(looks, slo, c->n) == time_ms;
}

/* Takes the looks that did not have to be taken so far. */
static void catch_up(struct sim *s, struct sim_counters *c, int slo)
{
	struct event event;

	for (; c->n_taken < c->n; c->n_taken++) {
		event = (struct event){.type = EVENT_CHECK};
		take_look(s, c, slo,
			sim_looks_time(s->options->looks, slo, c->n_taken),
			&event);
	}
}

void sim_count(struct sim *s, int slo, int64_t time_ms, struct event *event)
{
	struct sim_looks *looks = s->options->looks;
	struct sim_counters *c = counters_of(s, slo);
	bool plain;

	if (looks && is_remembered(looks, c, slo, time_ms)) {
		sim_looks_get(looks, slo, c->n++, &c->counts);
		event->answers.counts = &c->counts;
		return;
	}
	if (looks)
		catch_up(s, c, slo);
	plain = take_look(s, c, slo, time_ms, event);
	if (!looks || c->alone)
		return;
	if (plain && sim_looks_put(looks, slo, c->n, time_ms, &c->counts))
		c->n_taken = ++c->n;
	else
		c->alone = true;
}
