/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a grid and single checks as one series; see weave.h. */
#include "sim/weave.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/answer_codec.h"

struct weave {
	const struct remembered_grid *grid;
	struct buf *out;
	const char *rest; /* of the grid's samples */
	int64_t rest_ms; /* time of its first; INT64_MAX: none is left */
	int64_t last_ms; /* what was written last; < 0: nothing was */
	double value;
	bool found; /* by a check */
};

static void look_ahead(struct weave *w)
{
	char *end;

	w->rest_ms = INT64_MAX;
	if (*w->rest == '[') {
		w->rest_ms = strtoll(w->rest + 1, &end, 10) * 1000;
		if (*end == '.')
			w->rest_ms += strtoll(end + 1, NULL, 10);
	}
}

static void begin_sample(struct weave *w, int64_t ms, double value, bool found)
{
	if (w->last_ms >= 0)
		buf_addc(w->out, ',');
	w->last_ms = ms;
	w->value = value;
	w->found = found;
}

static void copy_until(struct weave *w, int64_t until_ms)
{
	const char *text;
	double value;
	size_t len;

	while (w->rest_ms <= until_ms) {
		len = strcspn(w->rest, "]") + 1;
		text = w->rest + strcspn(w->rest, "\"") + 1;
		if (sample_value_parse(text, strcspn(text, "\""), &value) < 0)
			value = NAN;
		begin_sample(w, w->rest_ms, value, false);
		buf_add(w->out, w->rest, len);
		w->rest += len;
		w->rest += *w->rest == ',';
		look_ahead(w);
	}
}

static void add(struct weave *w, int64_t ms, double value)
{
	if (ms <= w->last_ms)
		ms = w->last_ms + 1;
	if (ms >= w->rest_ms || ms > w->grid->to_ms)
		return;
	begin_sample(w, ms, value, true);
	buf_addf(w->out, "[%lld.%03lld,\"", (long long)(ms / 1000),
		(long long)(ms % 1000));
	if (isnan(value))
		buf_adds(w->out, "NaN");
	else
		buf_addf(w->out, "%.17g", value);
	buf_adds(w->out, "\"]");
}

static double value_at(const struct weave *w, int64_t ms)
{
	bool holds = w->last_ms >= 0 && ms - w->last_ms < 2 * w->grid->step_ms;

	return holds ? w->value : NAN;
}

void weave(const char *values, const struct remembered *found,
	const struct remembered_grid *grid, struct buf *out)
{
	struct weave w = {
		.grid = grid, .out = out, .rest = values, .last_ms = -1};
	const struct remembered_point *p = found->points;
	int64_t before_ms, after_ms, since_ms = INT64_MIN;
	double known;
	size_t i;

	look_ahead(&w);
	for (i = 0; i < found->n; i++, p++) {
		if (p->asked_ms < grid->from_ms)
			continue;
		before_ms = p->asked_ms -
			    (p->asked_ms - grid->from_ms) % grid->step_ms;
		after_ms = before_ms + grid->step_ms;
		copy_until(&w, p->asked_ms);
		known = value_at(&w, p->asked_ms);
		if (since_ms < before_ms)
			since_ms = before_ms;
		if (known != p->value && !(isnan(known) && isnan(p->value)))
			add(&w, since_ms + (p->asked_ms - since_ms) / 2,
				p->value);
		since_ms = p->asked_ms;
		if (w.found && !isnan(w.value) && w.rest_ms > after_ms &&
			(i + 1 == found->n || p[1].asked_ms >= after_ms))
			add(&w, after_ms, NAN);
	}
	copy_until(&w, INT64_MAX - 1);
}
