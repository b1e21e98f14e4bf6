/* SPDX-License-Identifier: Apache-2.0 */
/* What a query would have answered at a time; see recording.h. */
#include <math.h>
#include <string.h>

#include "sim/recording.h"

#define NEAR_POINTS 8 /* that are looked through one by one */

static int64_t more_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* `partial`: no outage, but a time whose answers were incomplete. */
static const struct recording_outage *outage_at(
	const struct recording_series *series, int64_t time_ms, bool partial)
{
	const struct recording_outage *outage = series->outage;

	for (size_t i = 0; i < series->n_outages; i++, outage++)
		if (time_ms >= outage->from_ms && time_ms < outage->to_ms &&
			partial == !strcmp(outage->type, "partial"))
			return outage;
	return NULL;
}

bool recording_times_out(const struct recording_series *series, int64_t time_ms)
{
	const struct recording_outage *outage =
		outage_at(series, time_ms, false);

	return outage && strcmp(outage->type, "timeout") == 0;
}

bool recording_is_partial(
	const struct recording_series *series, int64_t time_ms)
{
	return outage_at(series, time_ms, true) != NULL;
}

/* The last point at or before a time, from the one at `i` on, which is. */
static size_t last_until(
	const struct recording_result *result, size_t i, int64_t time_ms)
{
	size_t end = result->n, middle;

	while (end - i > 1) {
		middle = i + (end - i) / 2;
		if (result->point[middle].time_ms <= time_ms)
			i = middle;
		else
			end = middle;
	}
	return i;
}

static const struct recording_point *far_point_at(
	const struct recording_result *result, int64_t hold_ms, int64_t time_ms,
	size_t *cursor)
{
	const struct recording_point *p = result->point;
	size_t i = *cursor < result->n ? *cursor : 0;
	int near = 0;

	if (!result->n || p[0].time_ms > time_ms)
		return NULL;
	while (p[i].time_ms > time_ms)
		i--;
	while (i + 1 < result->n && p[i + 1].time_ms <= time_ms) {
		if (++near > NEAR_POINTS) {
			i = last_until(result, i, time_ms);
			break;
		}
		i++;
	}
	*cursor = i;
	return time_ms - p[i].time_ms < hold_ms ? &p[i] : NULL;
}

/* The last point at or before a time that still holds, or NULL. From check to
 * check it is mostly the next one. */
static inline const struct recording_point *point_at(
	const struct recording_result *result, int64_t hold_ms, int64_t time_ms,
	size_t *cursor)
{
	const struct recording_point *p = result->point + *cursor;

	if (*cursor + 2 >= result->n || p[1].time_ms > time_ms ||
		p[2].time_ms <= time_ms)
		return far_point_at(result, hold_ms, time_ms, cursor);
	++*cursor;
	return time_ms - p[1].time_ms < hold_ms ? p + 1 : NULL;
}

enum recorded recording_at(const struct recording *rec,
	const struct recording_series *series, int64_t time_ms, size_t *cursor,
	double *value_r)
{
	const struct recording_point *p, *found = NULL;
	const struct recording_outage *outage;
	int64_t hold_ms = 2 * rec->interval_ms, before_ms = INT64_MIN;
	size_t i, other = 0;

	outage = series->n_outages ? outage_at(series, time_ms, false) : NULL;
	if (outage)
		return strcmp(outage->type, "timeout") == 0 ? RECORDED_TIMEOUT
							    : RECORDED_OUTAGE;
	for (i = 0; i < series->n_results; i++) {
		other = 0;
		p = point_at(&series->result[i], hold_ms, time_ms,
			i ? &other : cursor);
		if (!p)
			continue;
		if (found && p->time_ms < found->time_ms) {
			before_ms = more_of(before_ms, p->time_ms);
			continue;
		}
		before_ms = found ? found->time_ms : before_ms;
		found = p;
	}
	if (!found)
		return RECORDED_NOTHING;
	/* One that has no sample where the other has has ended. */
	if (before_ms > found->time_ms - rec->interval_ms)
		return RECORDED_SEVERAL;
	*value_r = found->value;
	return RECORDED_VALUE;
}

/* What came in a span is not told once more in the next one. */
static int64_t hold_of(
	const struct recording *rec, int64_t step_ms, int64_t span_ms)
{
	return span_ms ? span_ms : 2 * more_of(rec->interval_ms, step_ms);
}

enum recorded recording_look(const struct recording *rec,
	const struct recording_series *series, int64_t time_ms, int64_t span_ms,
	size_t *cursors, struct counter_sample *samples, size_t *n_r)
{
	const struct recording_outage *outage =
		series->n_outages ? outage_at(series, time_ms, false) : NULL;
	const struct recording_result *result = series->result;
	int64_t hold_ms = hold_of(rec, 0, span_ms);
	const struct recording_point *p;
	size_t i, n = 0;

	*n_r = 0;
	if (outage)
		return strcmp(outage->type, "timeout") == 0 ? RECORDED_TIMEOUT
							    : RECORDED_OUTAGE;
	for (i = 0; i < series->n_results; i++, result++) {
		p = point_at(result, hold_ms, time_ms, &cursors[i]);
		if (!p || isnan(p->value))
			continue;
		samples[n].labels = result->labels;
		samples[n].le = result->le;
		samples[n++].value = p->value;
	}
	*n_r = n;
	return n ? RECORDED_VALUE : RECORDED_NOTHING;
}

/* Series are mostly sampled together: then what holds of each is where it is in
 * the first one. */
static inline bool is_beside(const struct recording_result *result, size_t i,
	const struct recording_point *first, int64_t time_ms)
{
	const struct recording_point *p = result->point + i;

	return i + 1 < result->n && p->time_ms == first->time_ms &&
	       p[1].time_ms > time_ms;
}

bool recording_values(const struct recording *rec,
	const struct recording_series *series, int64_t time_ms, size_t *cursors,
	double *values)
{
	const struct recording_result *result = series->result;
	int64_t hold_ms = 2 * rec->interval_ms;
	const struct recording_point *p = NULL, *first = NULL;
	size_t i;

	if (series->n_outages)
		return false;
	for (i = 0; i < series->n_results; i++, result++) {
		if (first && is_beside(result, cursors[0], first, time_ms))
			p = result->point + cursors[0];
		else
			p = point_at(result, hold_ms, time_ms, &cursors[i]);
		if (!p || isnan(p->value))
			return false;
		values[i] = p->value;
		if (!first)
			first = p;
	}
	return true;
}

void recording_past(const struct recording *rec,
	const struct recording_result *result, int64_t from_ms, int64_t step_ms,
	int64_t span_ms, size_t looks, double *values)
{
	int64_t hold_ms = hold_of(rec, step_ms, span_ms);
	const struct recording_point *p;
	size_t i, cursor = 0;

	for (i = 0; i < looks; i++) {
		p = point_at(result, hold_ms, from_ms + (int64_t)i * step_ms,
			&cursor);
		values[i] = p ? p->value : NAN;
	}
}

int64_t recording_sample_ms(const struct recording *rec,
	const struct recording_series *series, int64_t time_ms, size_t cursor)
{
	const struct recording_point *p;
	size_t i;

	for (i = 0; i < series->n_results; i++) {
		p = point_at(&series->result[i], 2 * rec->interval_ms, time_ms,
			&cursor);
		if (p)
			return p->time_ms;
	}
	return time_ms;
}
