/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters made of what the checks of a rollout counted: they grow between two
 * checks by what the later one found, in the middle, as far as can be from the
 * checks of a simulation, which come a little earlier or later. Metrics that say
 * themselves what they grew by are no counters: their samples are that.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "metrics/query_role.h"
#include "sim/recorder_state.h"

#define COUNTED_BYTES_MAX ((size_t)256 * 1024 * 1024) /* of one series */

struct counted *counted_new(void)
{
	struct counted *c = xcalloc(1, sizeof(*c));
	size_t b;

	for (b = 0; b < EVIDENCE_BINS_MAX; b++)
		buf_init(&c->text[b], COUNTED_BYTES_MAX);
	return c;
}

void counted_free(struct counted **counted)
{
	size_t b;

	if (!*counted)
		return;
	for (b = 0; b < EVIDENCE_BINS_MAX; b++)
		buf_fini(&(*counted)->text[b]);
	free(*counted);
	*counted = NULL;
}

/* One sample of each series. */
static void add_sample(struct counted *c, int64_t ms)
{
	char number[JSONW_NUMBER_MAX];
	struct buf *text;
	size_t b;

	for (b = 0; b < c->bins; b++) {
		text = &c->text[b];
		buf_addf(text, "%s[%lld", text->len ? "," : "",
			(long long)(ms / 1000));
		if (ms % 1000)
			buf_addf(text, ".%03lld", (long long)(ms % 1000));
		buf_addf(text, ",\"%s\"]",
			c->known ? jsonw_print_number(c->value[b], number)
				 : "NaN");
	}
	c->next_ms = ms + 1;
}

/* A sample does not hold for long. */
static void fill(struct counted *c, int64_t to_ms, int64_t step_ms)
{
	int64_t ms;

	for (ms = c->next_ms - 1 + step_ms; ms < to_ms; ms += step_ms)
		add_sample(c, ms);
}

/* What the arm's series show now: all, bad, or at most so slow. */
static void grow(struct counted *c, const struct slo *slo, enum query_role kind,
	const struct check_counts *counts, const struct evidence_counts *arm)
{
	double sum = 0;
	size_t b;

	c->known = arm->known;
	if (!arm->known)
		return;
	if (query_role_delta_ms(slo))
		memset(c->value, 0, sizeof(c->value));
	if (kind == QUERY_BAD || kind == QUERY_BAD_STABLE) {
		c->value[0] += arm->bin[1];
		return;
	}
	for (b = 0; b < counts->bins; b++) {
		sum += arm->bin[b];
		if (c->bins > 1)
			c->value[b] += sum;
	}
	if (c->bins == 1)
		c->value[0] += sum;
}

/* Other bounds than before cannot be told: it stays with the first. */
static bool begin(struct counted *c, const struct slo *slo,
	const struct check_counts *counts)
{
	size_t bins = slo->buckets ? counts->bins : 1, b;

	if (c->bins)
		return c->bins == bins;
	c->bins = bins;
	for (b = 0; b < bins; b++)
		c->bounds[b] = b + 1 < bins ? counts->bounds[b] : INFINITY;
	return true;
}

static void add(struct track *track, int64_t asked_ms,
	const struct check_counts *counts)
{
	const struct recorder_plan *plan = &track->recorder->plan;
	const struct slo *slo = &plan->policy->slos[track->slo];
	bool stable = track->kind == QUERY_TOTAL_STABLE ||
		      track->kind == QUERY_BAD_STABLE;
	struct counted *c = track->counted;
	int64_t at_ms = plan->from_ms - plan->policy->metrics.delay_ms;

	if (c->bins && asked_ms <= c->asked_ms)
		return;
	if (c->bins) {
		at_ms = c->asked_ms + (asked_ms - c->asked_ms) / 2;
		fill(c, at_ms, plan->step_ms);
	}
	if (!begin(c, slo, counts))
		return;
	grow(c, slo, track->kind, counts,
		stable ? &counts->stable : &counts->candidate);
	add_sample(c, at_ms > c->next_ms ? at_ms : c->next_ms);
	c->asked_ms = asked_ms;
}

void recorder_add_counts(struct recorder *recorder, size_t slo,
	int64_t asked_ms, const struct check_counts *counts)
{
	size_t i;

	for (i = 0; i < recorder->n_tracks; i++) {
		if (recorder->tracks[i].slo == slo &&
			recorder->tracks[i].counted)
			add(&recorder->tracks[i], asked_ms, counts);
	}
}

void counted_print(const struct counted *c, struct buf *out)
{
	char number[JSONW_NUMBER_MAX];
	size_t b;

	buf_adds(out, "{\"resultType\":\"matrix\",\"result\":[");
	for (b = 0; b < c->bins; b++) {
		buf_addf(out, "%s\n    {\"metric\":{", b ? "," : "");
		if (c->bins > 1)
			buf_addf(out, "\"le\":\"%s\"",
				jsonw_print_number(c->bounds[b], number));
		buf_adds(out, "},\"values\":[");
		buf_add(out, c->text[b].data, c->text[b].len);
		buf_adds(out, "]}");
	}
	buf_adds(out, "]}");
}
