/* SPDX-License-Identifier: Apache-2.0 */
/* Series out of single checks; see remembered.h. */
#include "sim/remembered.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/xalloc.h"

void remembered_fini(struct remembered *remembered)
{
	free(remembered->points);
	*remembered = (struct remembered){.n = 0};
}

void remembered_add(
	struct remembered *remembered, int64_t asked_ms, double value)
{
	size_t n = remembered->n;

	if (n == REMEMBERED_MAX ||
		(n && asked_ms <= remembered->points[n - 1].asked_ms))
		return;
	if (n == remembered->size) {
		remembered->size = n ? 2 * n : 64;
		remembered->points = xrealloc(remembered->points,
			remembered->size, sizeof(*remembered->points));
	}
	remembered->points[remembered->n++] =
		(struct remembered_point){asked_ms, value};
}

/* Samples while they are printed. */
struct samples {
	const struct remembered_grid *grid;
	struct buf *out;
	int64_t known_ms; /* what is before has its sample */
	bool any;
};

static void add_sample(struct samples *s, int64_t ms, double value)
{
	if (ms < s->known_ms || ms > s->grid->to_ms)
		return;
	buf_addf(s->out, "%s[%lld.%03lld,\"", s->any ? "," : "",
		(long long)(ms / 1000), (long long)(ms % 1000));
	if (isnan(value))
		buf_adds(s->out, "NaN");
	else
		buf_addf(s->out, "%.17g", value);
	buf_adds(s->out, "\"]");
	s->any = true;
	s->known_ms = ms + 1;
}

/* Between two checks in the middle, as far from those of a simulation as can be;
 * a check that comes long after the one before tells of an interval. */
static int64_t begin_of(const struct remembered *remembered, size_t i,
	const struct remembered_grid *grid)
{
	const struct remembered_point *p = &remembered->points[i];
	int64_t ms = p->asked_ms - grid->hold_ms / 2, middle_ms = grid->from_ms;

	if (i)
		middle_ms = p[-1].asked_ms + (p->asked_ms - p[-1].asked_ms) / 2;
	return ms > middle_ms ? ms : middle_ms;
}

/* `end_ms`: when the next begins; then nothing is left to say. */
static void add_point(struct samples *s, const struct remembered_point *p,
	int64_t begin_ms, int64_t end_ms)
{
	const struct remembered_grid *grid = s->grid;
	int64_t last_ms = p->asked_ms + grid->hold_ms;

	for (int64_t ms = begin_ms;
		ms < end_ms && ms < last_ms && ms <= grid->to_ms;
		ms += grid->step_ms)
		add_sample(s, ms, p->value);
	if (last_ms < end_ms)
		add_sample(s, last_ms, NAN);
}

void remembered_print(const struct remembered *remembered,
	const struct remembered_grid *grid, struct buf *out)
{
	struct samples s = {.grid = grid, .out = out};
	size_t n = remembered->n;

	buf_adds(out, "{\"resultType\":\"matrix\",\"result\":[");
	if (n)
		buf_adds(out, "\n    {\"metric\":{},\"values\":[");
	for (size_t i = 0; i < n; i++)
		add_point(&s, &remembered->points[i],
			begin_of(remembered, i, grid),
			i + 1 < n ? begin_of(remembered, i + 1, grid)
				  : INT64_MAX);
	buf_adds(out, n ? "]}]}" : "]}");
}
