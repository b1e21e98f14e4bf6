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

/* `end_ms`: when the next was asked; then nothing is left to say. */
static void add_point(
	struct samples *s, const struct remembered_point *p, int64_t end_ms)
{
	const struct remembered_grid *grid = s->grid;
	int64_t last_ms = p->asked_ms + grid->hold_ms;
	int64_t before_ms = p->asked_ms - grid->step_ms;

	add_sample(s, before_ms > grid->from_ms ? before_ms : grid->from_ms,
		p->value);
	for (int64_t ms = p->asked_ms;
		ms < end_ms && ms < last_ms && ms <= grid->to_ms;
		ms += grid->step_ms)
		add_sample(s, ms, p->value);
	if (last_ms < end_ms)
		add_sample(s, last_ms, NAN);
	s->known_ms = last_ms < end_ms ? last_ms + 1 : end_ms;
}

void remembered_print(const struct remembered *remembered,
	const struct remembered_grid *grid, struct buf *out)
{
	struct samples s = {.grid = grid, .out = out};
	const struct remembered_point *p = remembered->points;

	buf_adds(out, "{\"resultType\":\"matrix\",\"result\":[");
	if (remembered->n)
		buf_adds(out, "\n    {\"metric\":{},\"values\":[");
	for (size_t i = 0; i < remembered->n; i++)
		add_point(&s, &p[i],
			i + 1 < remembered->n ? p[i + 1].asked_ms : INT64_MAX);
	buf_adds(out, remembered->n ? "]}]}" : "]}");
}
