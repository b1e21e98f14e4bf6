/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recording has from before its span. Of stable's counters it is the past:
 * with few bad requests in what `evidence.history` says it is a day, as it is for
 * `run`. Of everything else it is what the first checks ask about, when samples
 * are late: see `delay` of metrics.
 */
#include "sim/recording.h"

#include "metrics/slo_history.h"
#include "sim/recorder_state.h"
#include "sim/sim_past.h"

#define PAST_TEXT_MAX ((size_t)1024 * 1024 * 1024)

static bool is_of_stable(enum query_role kind)
{
	return kind == QUERY_TOTAL_STABLE || kind == QUERY_BAD_STABLE;
}

int64_t recorder_past_ms(const struct track *track)
{
	const struct policy *policy = track->recorder->plan.policy;
	int64_t ms = policy->evidence.history_ms;

	if (policy->slos[track->slo].kind != SLO_EVIDENCE ||
		!is_of_stable(track->kind))
		return 0;
	if (track->is_longer && ms < HISTORY_MS_MAX)
		ms = HISTORY_MS_MAX;
	return ms / HISTORY_STEP_MS * HISTORY_STEP_MS;
}

int64_t recorder_lead_ms(const struct recorder_plan *plan)
{
	int64_t delay_ms = plan->policy->metrics.delay_ms;

	return (delay_ms + plan->step_ms - 1) / plan->step_ms * plan->step_ms;
}

/* Of metrics that tell what came in each span: `run` asks about whole ones; else
 * 0. */
static int64_t span_of(const struct track *track)
{
	const struct slo *slo = &track->recorder->plan.policy->slos[track->slo];

	return query_role_counts(track->kind) ? query_role_delta_ms(slo) : 0;
}

int64_t recorder_begin_ms(const struct track *track)
{
	const struct recorder_plan *plan = &track->recorder->plan;
	int64_t past_ms = recorder_past_ms(track), span_ms = span_of(track);
	int64_t ms =
		plan->from_ms - (past_ms ? past_ms : recorder_lead_ms(plan));

	return span_ms ? ms - ms % span_ms : ms;
}

/* Stable's past is asked in steps of its own. */
static bool is_past(const struct track *track, int64_t ms)
{
	return ms < track->recorder->plan.from_ms && recorder_past_ms(track);
}

int64_t recorder_step_ms(const struct track *track, int64_t ms)
{
	int64_t span_ms = span_of(track);

	if (span_ms)
		return span_ms;
	return is_past(track, ms) ? HISTORY_STEP_MS
				  : track->recorder->plan.step_ms;
}

int64_t recorder_chunk_end_ms(const struct track *track, int64_t from_ms)
{
	const struct recorder_plan *plan = &track->recorder->plan;
	int64_t step_ms = recorder_step_ms(track, from_ms);
	int64_t last_ms =
		is_past(track, from_ms) ? plan->from_ms - 1 : plan->to_ms;
	int64_t points = (last_ms - from_ms) / step_ms;

	if (points > (int64_t)track->chunk_points - 1)
		points = (int64_t)track->chunk_points - 1;
	return from_ms + points * step_ms;
}

bool recorder_past_is_kept_longer(const struct track *track, int64_t to_ms)
{
	return !track->is_longer && recorder_past_ms(track) &&
	       to_ms >= track->recorder->plan.from_ms - HISTORY_MS_MAX;
}

/* What is there of stable's counters, as a recording. */
static void print_past(
	const struct recorder *recorder, size_t slo, struct buf *out)
{
	const struct recorder_plan *plan = &recorder->plan;
	const struct track *track = recorder->tracks;
	const struct track *end = track + recorder->n_tracks;
	char name[SERIES_NAME_MAX];
	const char *comma = "";

	buf_addf(out,
		"{\"version\":1,\"start\":%.3f,\"end\":%.3f,\"interval\":%.3f,"
		"\"series\":{",
		(double)plan->from_ms / 1000, (double)plan->to_ms / 1000,
		(double)plan->step_ms / 1000);
	for (; track < end; track++) {
		if (track->slo != slo || !is_of_stable(track->kind))
			continue;
		buf_addf(out, "%s\"%s\":{\"query\":\"\",\"data\":", comma,
			series_name(
				&plan->policy->slos[slo], track->kind, name));
		range_print(&track->range, out);
		buf_addc(out, '}');
		comma = ",";
	}
	buf_adds(out, "}}");
}

/* It is judged by what `simulate` will make of it. */
static bool is_short(const struct recorder *recorder, size_t slo)
{
	struct recording *recording;
	bool is_short = false;
	struct buf text;
	struct err err;

	buf_init(&text, PAST_TEXT_MAX);
	print_past(recorder, slo, &text);
	recording = text.overflow ? NULL
				  : recording_parse(
					    "past", text.data, text.len, &err);
	if (recording)
		is_short = sim_past_is_short(
			recorder->plan.policy, recording, (int)slo);
	recording_free(&recording);
	buf_fini(&text);
	return is_short;
}

bool recorder_past_wants_longer(const struct recorder *recorder, size_t slo)
{
	const struct track *track = recorder->tracks;
	const struct track *end = track + recorder->n_tracks;
	bool any = false, longer = false, all = true;

	for (; track < end; track++) {
		if (track->slo != slo || !recorder_past_ms(track) ||
			track->counted)
			continue;
		any = true;
		longer |= track->is_longer;
		all &= track->is_longer;
	}
	/* Its queries reach equally far back. */
	return any && !all && (longer || is_short(recorder, slo));
}
