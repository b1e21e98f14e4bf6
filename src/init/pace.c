/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of a release; see pace.h. */
#include "init/pace.h"

#include <math.h>

#define MINUTE_MS      INT64_C(60000)
#define REQUESTS_GOOD  200 /* expected in a window: twice what is needed */
#define REQUESTS_MIN   100 /* of these one failure is 1 % */
#define REQUESTS_LEAST 20
#define GAPS           4 /* samples that make a rate to rely on */

/* From the quickest on. A short window sees noise, a large first step hurts
 * many: five minutes and a tenth are the usual, less where there is plenty. */
static const struct {
	int minutes, percent;
} choices[] = {
	{2, 5}, {5, 10}, {5, 20}, {10, 20}, {10, 50}, {15, 50}, {30, 50}};

#define CHOICES (sizeof(choices) / sizeof(choices[0]))
#define USUAL   1 /* when nothing is known */

/* The first of several thousand requests may be a twentieth. */
#define PLENTY 2000

static double expected(double quiet, size_t i)
{
	return quiet * choices[i].percent / 100 * choices[i].minutes * 60;
}

static bool holds_samples(const struct pace_what *what, size_t i)
{
	int64_t least_ms = what->is_late ? 5 * MINUTE_MS : GAPS * what->gap_ms;

	return choices[i].minutes * MINUTE_MS >= least_ms;
}

static size_t choose(const struct pace_what *what)
{
	size_t i;

	if (!(what->quiet > 0)) {
		for (i = USUAL; i + 1 < CHOICES; i++)
			if (holds_samples(what, i))
				break;
		return i;
	}
	for (i = 0; i + 1 < CHOICES; i++)
		if (holds_samples(what, i) &&
			expected(what->quiet, i) >=
				(i < USUAL ? PLENTY : REQUESTS_GOOD))
			break;
	return i;
}

/* An SLO must pass three times in each step, and the window be its own. */
static int64_t bake_ms(const struct pace *pace)
{
	int64_t ms = 2 * pace->window_ms;

	return ms > 10 * MINUTE_MS ? ms : 10 * MINUTE_MS;
}

static void add_step(struct pace *pace, int percent, int64_t ms)
{
	pace->step[pace->n].percent = percent;
	pace->step[pace->n++].bake_ms = ms;
}

static void take_steps(
	const struct pace_what *what, struct pace *pace, int percent)
{
	/* At half of the traffic stable could be compared with still, but a
	 * smaller step comes first. */
	if (what->is_evidence && percent > 20)
		percent = 20;
	add_step(pace, percent, bake_ms(pace));
	if (percent < 50)
		add_step(pace, percent < 10 ? 25 : 50, bake_ms(pace));
	add_step(pace, 100, 60 * MINUTE_MS);
}

static int64_t interval_ms(const struct pace_what *what)
{
	int64_t ms = (what->gap_ms + 14999) / 15000 * 15000;

	if (what->is_late)
		return MINUTE_MS;
	return ms > 30000 ? ms : 30000;
}

static int requests_min(double expected_in_window)
{
	double half = floor(expected_in_window / 2);

	if (half >= REQUESTS_MIN || !(expected_in_window > 0))
		return REQUESTS_MIN;
	return half > REQUESTS_LEAST ? (int)half : REQUESTS_LEAST;
}

void pace_choose(const struct pace_what *what, struct pace *pace_r)
{
	size_t i = choose(what);

	*pace_r = (struct pace){.window_ms = choices[i].minutes * MINUTE_MS};
	take_steps(what, pace_r, choices[i].percent);
	pace_r->interval_ms = interval_ms(what);
	pace_r->settle_ms = what->is_late ? 0 : 2 * what->gap_ms;
	if (!what->is_late && pace_r->settle_ms < MINUTE_MS)
		pace_r->settle_ms = MINUTE_MS;
	pace_r->expected = what->quiet * pace_r->step[0].percent / 100 *
			   (double)pace_r->window_ms / 1000;
	pace_r->requests_min = requests_min(pace_r->expected);
	pace_r->is_thin =
		pace_r->expected > 0 && pace_r->expected < REQUESTS_GOOD;
}
