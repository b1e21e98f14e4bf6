/* SPDX-License-Identifier: Apache-2.0 */
/* The recording as a file: tidegate-recording(5); see recorder.h. */
#include "base/jsonw.h"
#include "sim/recorder_state.h"
#include "sim/weave.h"
#include "store/evidence_codec.h"

static void print_seconds(
	struct buf *out, const char *key, int64_t ms, const char *then)
{
	buf_addf(out, "\"%s\": %lld", key, (long long)(ms / 1000));
	if (ms % 1000)
		buf_addf(out, ".%03lld", (long long)(ms % 1000));
	buf_adds(out, then);
}

static const char *trouble_name(enum recorder_trouble type)
{
	static const char *const names[] = {
		[TROUBLE_ERROR] = "error",
		[TROUBLE_TIMEOUT] = "timeout",
		[TROUBLE_PARTIAL] = "partial",
	};

	return names[type];
}

static void print_outages(const struct track *track, struct buf *out)
{
	if (!track->n_outages)
		return;
	buf_adds(out, "\"errors\": [");
	for (size_t i = 0; i < track->n_outages; i++) {
		buf_adds(out, i ? ", {" : "{");
		print_seconds(out, "from", track->outages[i].from_ms, ", ");
		print_seconds(out, "to", track->outages[i].to_ms, ", ");
		buf_addf(out, "\"type\": \"%s\"}",
			trouble_name(track->outages[i].type));
	}
	buf_adds(out, "],\n   ");
}

static void print_woven(const struct track *track,
	const struct remembered_grid *grid, struct buf *out)
{
	const struct range_series *series = track->range.series;
	bool any = track->range.n != 0;

	buf_adds(out, "{\"resultType\":\"matrix\",\"result\":[\n    ");
	buf_addf(out, "{\"metric\":%s,\"values\":[",
		any ? series->labels : "{}");
	weave(any && series->n ? series->values.data : "", &track->remembered,
		grid, out);
	buf_adds(out, "]}]}");
}

/* It was too long ago for the provider; the checks knew. */
static bool knows_nothing(const struct track *track)
{
	const struct range *range = &track->range;
	size_t n = 0, i;

	for (i = 0; i < range->n; i++)
		n += range->series[i].n;
	return !n && track->remembered.n;
}

static void print_data(const struct track *track, struct buf *out)
{
	const struct recorder_plan *plan = &track->recorder->plan;
	const struct remembered_grid grid = {
		.from_ms = plan->from_ms - recorder_lead_ms(plan),
		.to_ms = plan->to_ms,
		.step_ms = plan->step_ms,
		.hold_ms = 2 * plan->policy->slos[track->slo].interval_ms,
	};

	if (track->counted)
		counted_print(track->counted, out);
	else if (track->is_remembered || knows_nothing(track))
		remembered_print(&track->remembered, &grid, out);
	else if (track->remembered.n && track->range.n <= 1)
		print_woven(track, &grid, out);
	else
		range_print(&track->range, out);
}

static void print_track(const struct track *track, struct buf *out)
{
	const struct policy *policy = track->recorder->plan.policy;
	char name[SERIES_NAME_MAX];
	struct jsonw w = {.out = out};

	buf_addf(out, "\n  \"%s\": {\"query\": ",
		series_name(&policy->slos[track->slo], track->kind, name));
	jsonw_text(&w, NULL, track->query);
	buf_adds(out, ",\n   ");
	print_outages(track, out);
	buf_adds(out, "\"data\": ");
	print_data(track, out);
	buf_addc(out, '}');
}

static void print_context(const struct recorder_plan *plan, struct buf *out)
{
	const struct series_context *context = &plan->context;
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "service", context->service ? context->service : "");
	jsonw_text(
		&w, "candidate", context->candidate ? context->candidate : "");
	jsonw_text(&w, "stable", context->stable ? context->stable : "");
	if (context->project)
		jsonw_text(&w, "project", context->project);
	if (context->region)
		jsonw_text(&w, "region", context->region);
	if (context->rollout)
		jsonw_text(&w, "rollout", context->rollout);
	if (plan->seed)
		jsonw_text(&w, "seed", plan->seed);
	if (plan->shift_ms >= 0)
		jsonw_number(&w, "shift", (double)plan->shift_ms / 1000);
	jsonw_end(&w, '}');
}

static void print_histories(const struct recorder_plan *plan, struct buf *out)
{
	const struct event event = {
		.histories = plan->histories, .n_histories = plan->n_histories};
	struct jsonw w = {.out = out};

	if (!plan->n_histories)
		return;
	buf_adds(out, ",\n ");
	histories_encode(&w, "history", plan->policy, &event);
}

void recorder_print(const struct recorder *recorder, struct buf *out)
{
	const struct recorder_plan *plan = &recorder->plan;
	size_t i;

	buf_adds(out, "{\"version\": 1, ");
	print_seconds(out, "start", plan->from_ms, ", ");
	print_seconds(out, "end", plan->to_ms, ", ");
	print_seconds(out, "interval", plan->step_ms, ",\n \"context\": ");
	print_context(plan, out);
	print_histories(plan, out);
	buf_adds(out, ",\n \"series\": {");
	for (i = 0; i < recorder->n_tracks; i++) {
		if (i)
			buf_addc(out, ',');
		print_track(&recorder->tracks[i], out);
	}
	buf_adds(out, "}}\n");
}
