/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From which value on a recording ends otherwise; see simulate_sweep.h. Between
 * two neighbouring values that end differently the place is bisected, in steps
 * of the axis' grain.
 */
#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "cli/simulate_sweep.h"

#define TURNS_MAX 8 /* that are looked for between two neighbours */

struct probe {
	struct sweep *sweep;
	const struct recording *recording;
	const struct sim_options *options;
	struct sweep_course *course;
};

bool sweep_are_alike(const struct sweep_cell *a, const struct sweep_cell *b)
{
	return a->end == b->end && a->slo == b->slo && a->cause == b->cause;
}

static void add(struct sweep_course *course, struct sweep_stretch stretch)
{
	if (course->n == course->size) {
		course->size = course->size ? 2 * course->size : 4;
		course->item = xrealloc(
			course->item, course->size, sizeof(*course->item));
	}
	course->item[course->n++] = stretch;
}

/* The secrets of all policies are in one register, which has no lock. */
static struct policy *load(struct sweep *s, double number)
{
	struct policy *policy;

	pthread_mutex_lock(&s->lock);
	policy = sweep_policy(s, &number, true, NULL);
	pthread_mutex_unlock(&s->lock);
	return policy;
}

static void drop(struct sweep *s, struct policy **policy)
{
	pthread_mutex_lock(&s->lock);
	policy_free(policy);
	pthread_mutex_unlock(&s->lock);
}

/* False: the key does not take such a value, as a count takes whole ones. */
static bool try_value(
	const struct probe *probe, double number, struct sweep_cell *cell_r)
{
	struct policy *policy = load(probe->sweep, number);
	struct sim_result result;
	struct err err;
	bool done = false;

	if (policy && sim_check(policy, probe->recording, &err) == 0) {
		sim_run(policy, probe->recording, probe->options, NULL, NULL,
			&result);
		sweep_take(cell_r, probe->recording, &result, probe->course);
		done = true;
	}
	drop(probe->sweep, &policy);
	return done;
}

/* Where `before` ends, in steps of `grain`: moves its end up, and the begin of
 * `after` down, or of what is found between them. False: the key does not take
 * one of the values. */
static bool bisect(const struct probe *probe, double grain,
	struct sweep_stretch *before, struct sweep_stretch *after)
{
	bool rises = before->to < after->from;
	double low = before->to / grain, high = after->from / grain, middle;
	struct sweep_cell cell;

	low = rises ? floor(low + 1e-6) : ceil(low - 1e-6);
	high = rises ? ceil(high - 1e-6) : floor(high + 1e-6);
	while (fabs(high - low) > 1) {
		middle = floor((low + high) / 2);
		if (!try_value(probe, middle * grain, &cell))
			return false;
		if (sweep_are_alike(&before->cell, &cell)) {
			before->to = middle * grain;
			low = middle;
		} else {
			after->cell = cell;
			after->from = middle * grain;
			high = middle;
		}
	}
	return true;
}

/* Counts and times are whole numbers of their unit. */
static void find_turn(const struct probe *probe, struct sweep_stretch *before,
	struct sweep_stretch *after)
{
	double grain = axis_grain(&probe->sweep->axis[0]);

	after->exact = bisect(probe, grain, before, after) ||
		       (grain < 1 && bisect(probe, 1, before, after));
}

/* Adds what lies between the last stretch and a value that ends otherwise, and
 * that value. */
static void add_turns(
	const struct probe *probe, const struct sweep_stretch *next)
{
	struct sweep_course *course = probe->course;
	struct sweep_stretch found;
	int i;

	for (i = 0; i < TURNS_MAX; i++) {
		found = *next;
		find_turn(probe, &course->item[course->n - 1], &found);
		if (sweep_are_alike(&found.cell, &next->cell)) {
			add(course, found);
			return;
		}
		found.to = found.from;
		add(course, found);
	}
	add(course, *next);
}

void sweep_course_make(struct sweep *s, size_t i,
	const struct recording *recording, const struct sim_options *options,
	struct sweep_course *course)
{
	const struct probe probe = {s, recording, options, course};
	const struct sweep_cell *cell = &s->cell[i * s->n];
	struct sweep_stretch next;
	double number;
	size_t k;

	for (k = 0; k < s->n; k++) {
		number = axis_number(&s->axis[0], k);
		if (k && sweep_are_alike(
				 &course->item[course->n - 1].cell, &cell[k])) {
			course->item[course->n - 1].to = number;
			continue;
		}
		next = (struct sweep_stretch){.cell = cell[k],
			.from = number,
			.to = number,
			.point = k};
		if (k)
			add_turns(&probe, &next);
		else
			add(course, next);
	}
}
