/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a load; see course.h. */
#include "load/course.h"

#include <math.h>

static double stage_from(const struct course *course, size_t stage)
{
	return stage ? course->stages[stage - 1].to : 0;
}

int64_t course_ms(const struct course *course)
{
	int64_t ms = 0;

	for (size_t i = 0; i < course->n_stages; i++)
		ms += course->stages[i].for_ms;
	return ms;
}

double course_level(const struct course *course, int64_t at_us)
{
	double from, share;
	int64_t long_us;

	for (size_t i = 0; i < course->n_stages; i++) {
		long_us = course->stages[i].for_ms * 1000;
		if (at_us < long_us) {
			from = stage_from(course, i);
			share = (double)at_us / (double)long_us;
			return from + (course->stages[i].to - from) * share;
		}
		at_us -= long_us;
	}
	return 0;
}

/* After s seconds of a stage of T seconds that goes from a to b per second,
 * a s + (b - a) s² / 2T requests were due. When it is n, written so that no
 * digits are lost where the slope is small. */
static double stage_time(double from, double slope, double n)
{
	double root = sqrt(fmax(from * from + 2 * slope * n, 0));

	return from + root > 0 ? 2 * n / (from + root) : 0;
}

int64_t arrivals_next_us(struct arrivals *a)
{
	const struct course *course = a->course;
	double from, to, seconds, due, wanted = (double)a->n + 1;

	for (; a->stage < course->n_stages; a->stage++) {
		seconds = (double)course->stages[a->stage].for_ms / 1000;
		from = stage_from(course, a->stage);
		to = course->stages[a->stage].to;
		due = (from + to) / 2 * seconds;
		if (a->before + due >= wanted - 1e-9) {
			a->n++;
			return a->stage_us +
			       (int64_t)(1e6 * stage_time(from,
						       (to - from) / seconds,
						       wanted - a->before));
		}
		a->before += due;
		a->stage_us += course->stages[a->stage].for_ms * 1000;
	}
	return -1;
}
