/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a few numbers; see timeline_data.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/timeline_data.h"

#define DATE_LENGTH 10 /* 2026-01-31 */

/* ---- the candidate's users ---- */

static void count_exposure(
	const struct timeline_data *data, struct timeline_figures *f)
{
	size_t n = data->percents.n, i;

	for (i = 0; i < n; i++) {
		const struct timeline_percent *p = &data->percents.item[i];
		int64_t until_ms = i + 1 < n ? p[1].time_ms : data->last_ms;
		int64_t length_ms = until_ms - p->time_ms;

		if (p->percent <= 0 || length_ms <= 0)
			continue;
		f->exposed_ms += length_ms;
		f->exposure_s += p->percent / 100.0 * (double)length_ms / 1000;
	}
	for (i = 0; i < n; i++)
		if (data->percents.item[i].percent > f->highest)
			f->highest = data->percents.item[i].percent;
}

/* The SLO that counted most; a latency's slow requests have not failed. */
static void count_requests(
	const struct timeline_data *data, struct timeline_figures *f)
{
	struct request_sum sums[POLICY_SLOS_MAX] = {{0, 0}};
	const struct timeline_check *check;
	const struct request_sum *sum;
	size_t i;

	for (i = 0; i < data->checks.n; i++) {
		check = &data->checks.item[i];
		if (!check->counts)
			continue;
		sums[check->slo].n += check->counts->arms.candidate.n;
		sums[check->slo].x += check->counts->arms.candidate.x;
	}
	f->requests = f->bad = NAN;
	for (i = 0; i < data->policy->n_slos; i++) {
		sum = &sums[i];
		if (sum->n > 0 && !(f->requests >= sum->n))
			f->requests = sum->n;
		if (sum->n > 0 && !data->policy->slos[i].buckets &&
			!(f->bad >= sum->x))
			f->bad = sum->x;
	}
}

/* ---- from the first bad sample to the end of it ---- */

struct streak {
	uint64_t breaches; /* of the last fail_of that say anything */
	int64_t from_ms; /* 0: nothing is bad */
	int64_t before_ms; /* the check before */
};

/* What came with a check of evidence began after the one before. */
static void take_evidence(
	struct streak *streak, const struct timeline_check *check)
{
	if (!check->counts || check->counts->log_e <= 0)
		streak->from_ms = 0;
	else if (!streak->from_ms)
		streak->from_ms =
			streak->before_ms ? streak->before_ms : check->time_ms;
	streak->before_ms = check->time_ms;
}

static void take_outcome(struct streak *streak, const struct slo *slo,
	const struct timeline_check *check)
{
	uint64_t of = slo->fail_of >= 64 ? UINT64_MAX
					 : (UINT64_C(1) << slo->fail_of) - 1;
	bool breach = check->outcome == OUTCOME_BREACH;

	if (!breach && check->outcome != OUTCOME_PASS)
		return;
	streak->breaches = (streak->breaches << 1 | breach) & of;
	if (!streak->breaches)
		streak->from_ms = 0;
	else if (!streak->from_ms)
		streak->from_ms = check->time_ms;
}

static int64_t first_bad(const struct timeline_data *data)
{
	struct streak streak = {0, 0, 0};
	const struct timeline_check *check;
	const struct slo *slo;
	int i;

	if (data->decisive < 0)
		return 0;
	slo = &data->policy->slos[data->checks.item[data->decisive].slo];
	for (i = 0; i <= data->decisive; i++) {
		check = &data->checks.item[i];
		if (&data->policy->slos[check->slo] != slo)
			continue;
		if (slo->kind == SLO_EVIDENCE)
			take_evidence(&streak, check);
		else
			take_outcome(&streak, slo, check);
	}
	return streak.from_ms ? streak.from_ms
			      : data->checks.item[data->decisive].time_ms;
}

static int64_t users_back(const struct timeline_data *data)
{
	size_t i;

	for (i = 0; data->reverting_ms && i < data->percents.n; i++) {
		const struct timeline_percent *p = &data->percents.item[i];

		if (p->percent == 0 && p->time_ms >= data->reverting_ms)
			return p->time_ms;
	}
	return 0;
}

void timeline_figure_out(
	const struct timeline_data *data, struct timeline_figures *figures_r)
{
	*figures_r = (struct timeline_figures){
		.decided_ms = data->reverting_ms,
		.first_bad_ms = first_bad(data),
		.back_ms = users_back(data),
	};
	count_exposure(data, figures_r);
	count_requests(data, figures_r);
}

/* Nobody needs milliseconds, nor seconds of what takes hours. */
const char *timeline_length(int64_t ms, char text[DURATION_TEXT_MAX])
{
	if (ms < 1000)
		return duration_print(ms > 0 ? ms : 0, text);
	if (ms < 60000 && ms % 1000 >= 100) {
		snprintf(text, DURATION_TEXT_MAX, "%lld.%llds",
			(long long)ms / 1000, (long long)ms % 1000 / 100);
		return text;
	}
	return duration_print(ms - ms % (ms < 3600000 ? 1000 : 60000), text);
}

const char *timeline_clock(const struct timeline_data *data, int64_t ms,
	char text[TIMESTAMP_TEXT_MAX])
{
	char first[TIMESTAMP_TEXT_MAX], last[TIMESTAMP_TEXT_MAX];
	char clock[TIMESTAMP_TEXT_MAX];

	timestamp_print(data->first_ms, first);
	timestamp_print(data->last_ms, last);
	if (strncmp(first, last, DATE_LENGTH) == 0)
		return timestamp_print_clock(ms, text);
	timestamp_print_clock(ms, clock);
	timestamp_print(ms, text);
	snprintf(text + DATE_LENGTH, TIMESTAMP_TEXT_MAX - DATE_LENGTH, " %.8s",
		clock);
	return text;
}
