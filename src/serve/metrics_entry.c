/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of a rollout's journal counts for; see metrics_page.h. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "serve/metrics_parts.h"

/* ---- fields of an entry ---- */

static const char *text_of(const json_t *root, const char *key)
{
	const char *text = json_string_value(json_object_get(root, key));

	return text ? text : "";
}

/* Milliseconds; below 0: there is none. */
static int64_t span_of(const json_t *root, const char *key)
{
	const json_t *value = json_object_get(root, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* What JSON lacks is a string there. */
static double number_of(const json_t *root, const char *key)
{
	const json_t *value = json_object_get(root, key);
	const char *text = json_string_value(value);

	if (json_is_number(value))
		return json_number_value(value);
	if (text && !strcmp(text, "+Inf"))
		return INFINITY;
	if (text && !strcmp(text, "-Inf"))
		return -INFINITY;
	return NAN;
}

static enum action_kind kind_of(const char *name)
{
	int kind;

	for (kind = 0; kind < ACTION_KINDS; kind++)
		if (!strcmp(action_kind_name((enum action_kind)kind), name))
			break;
	return (enum action_kind)kind;
}

/* ---- events ---- */

/* An interval begins at each whole one from the grid. */
static void count_lateness(struct metrics_page *page,
	const struct rollout *state, int64_t asked_ms, double interval_s)
{
	int64_t since_ms = asked_ms - state->grid_ms;

	if (state->grid_ms && since_ms >= 0 && interval_s > 0)
		metrics_observe(&page->check_lateness, metrics_bounds_short,
			fmod((double)since_ms / 1e3, interval_s));
}

static void take_check(struct metrics_rollout *r, const json_t *root,
	const struct store_event *entry, const struct rollout *state)
{
	enum outcome outcome = outcome_find(text_of(root, "outcome"));
	bool own = metrics_service_is_own(r->page, r->service);
	const char *name = own ? text_of(root, "slo") : METRICS_OTHER;
	struct metrics_slo *slo = metrics_slo_of(r->service, name);
	int64_t latency_ms = span_of(root, "latency_ms");

	slo->checks[outcome]++;
	if (outcome != OUTCOME_ERROR && outcome != OUTCOME_NONE)
		count_lateness(r->page, state, entry->time_ms - latency_ms,
			slo->interval_s);
	if (latency_ms >= 0)
		metrics_observe(&r->page->check_duration, metrics_bounds_short,
			(double)latency_ms / 1e3);
	if (!own)
		return;
	if (outcome == OUTCOME_PASS || outcome == OUTCOME_BREACH)
		slo->success_s = (double)entry->time_ms / 1e3;
	slo->value = number_of(root, "value");
	slo->limit = number_of(root, "limit");
	slo->stable = number_of(json_object_get(root, "answers"), "baseline");
}

static void take_written(struct metrics_rollout *r, const json_t *root)
{
	enum write_result result = write_result_find(text_of(root, "result"));

	if (result == WRITE_RESULTS)
		return;
	r->page->writes[result]++;
	if (r->phase == PHASE_REVERTING)
		r->service->attempts[result]++;
}

static void take_action(struct metrics_page *page, const json_t *root)
{
	enum action_result result = action_result_find(text_of(root, "result"));
	enum action_kind kind = kind_of(text_of(root, "type"));

	if (kind != ACTION_KINDS && result != ACTION_RESULTS)
		page->actions[kind][result]++;
}

static void take_event(struct metrics_rollout *r, const json_t *root,
	const struct store_event *entry, const struct rollout *state)
{
	switch (event_find(entry->name)) {
	case EVENT_CHECK:
		take_check(r, root, entry, state);
		break;
	case EVENT_WRITTEN:
		take_written(r, root);
		break;
	case EVENT_TRAFFIC_ERROR:
		if (r->phase == PHASE_REVERTING)
			r->service->attempts[ATTEMPT_UNREAD]++;
		break;
	case EVENT_ACTION:
		take_action(r->page, root);
		break;
	case EVENT_COMMAND:
		r->verb = verb_find(text_of(root, "verb"));
		break;
	default:
		break;
	}
}

/* A refusal follows its command at once. */
static void take_note(struct metrics_rollout *r, const char *name)
{
	if (!strcmp(name, note_name(NOTE_DRIFT)))
		r->service->drift++;
	if (!strcmp(name, note_name(NOTE_REFUSED)) && r->verb != VERBS) {
		r->page->decisions[r->verb][RESULT_REFUSED]++;
		r->verb = VERBS;
	}
}

/* ---- phases ---- */

static void begin_reverting(struct metrics_rollout *r,
	const struct store_event *entry, const struct rollout *state)
{
	r->revert_ms = entry->time_ms;
	r->service->reverts[state->cause]++;
}

static void end_reverting(
	struct metrics_rollout *r, const struct store_event *entry)
{
	if (!r->revert_ms)
		return;
	metrics_observe(&r->page->revert_duration, metrics_bounds_short,
		(double)(entry->time_ms - r->revert_ms) / 1e3);
	r->revert_ms = 0;
}

static void enter_phase(struct metrics_rollout *r, enum phase phase,
	const struct store_event *entry, const struct rollout *state)
{
	bool is_first = r->phase == PHASES;

	r->phase = phase;
	/* One that is taken up was in its phase before. */
	r->phase_ms = is_first && state->phase == phase && state->phase_ms
			      ? state->phase_ms
			      : entry->time_ms;
	if (is_first)
		r->began_ms =
			state->started_ms ? state->started_ms : entry->time_ms;
	if (phase == PHASE_REVERTING && !is_first)
		begin_reverting(r, entry, state);
	else if (phase != PHASE_ROLLBACK_FAILED)
		end_reverting(r, entry);
	if (!phase_is_end(phase))
		return;
	r->service->ended[phase - PHASE_PROMOTED]++;
	metrics_observe(&r->page->rollout_duration[phase - PHASE_PROMOTED],
		metrics_bounds_long, (double)(r->last_ms - r->began_ms) / 1e3);
	if (phase == PHASE_PROMOTED && r->committed_ms &&
		r->committed_ms <= r->last_ms)
		metrics_observe(&r->page->lead_time, metrics_bounds_long,
			(double)(r->last_ms - r->committed_ms) / 1e3);
}

static void set_text(char **text, const char *value)
{
	if (*text && !strcmp(*text, value))
		return;
	free(*text);
	*text = xstrdup(value);
}

/* What the page says of the one rollout that a service has. */
static void show(struct metrics_rollout *r, const struct store_event *entry,
	const char *candidate, const char *stable)
{
	struct metrics_service *service = r->service;

	if (!metrics_service_is_own(r->page, service))
		return;
	set_text(&service->id, r->id);
	set_text(&service->candidate, candidate);
	set_text(&service->stable, stable);
	service->driven = true;
	service->over_ms = 0;
	service->phase = r->phase;
	service->phase_ms = r->phase_ms;
	service->percent = entry->percent;
}

/* Once, when stable serves everything again. */
static void restore(struct metrics_rollout *r, const struct store_event *entry)
{
	bool was_restored = r->recovery.restored_ms != 0;

	recovery_take(&r->recovery, entry);
	if (!was_restored && r->recovery.restored_ms &&
		recovery_ms(&r->recovery) >= 0)
		metrics_observe(&r->page->restore_time, metrics_bounds_long,
			(double)recovery_ms(&r->recovery) / 1e3);
}

void metrics_rollout_take(struct metrics_rollout *r,
	const struct store_event *entry, const struct rollout *state,
	const char *candidate, const char *stable)
{
	json_t *root = json_loads(entry->data, JSON_REJECT_DUPLICATES, NULL);
	enum phase phase = phase_find(entry->phase);

	r->last_ms = entry->time_ms;
	if (!entry->is_note || strcmp(entry->name, note_name(NOTE_REFUSED)))
		metrics_rollout_settle(r);
	if (entry->is_note)
		take_note(r, entry->name);
	else
		take_event(r, root, entry, state);
	if (phase != r->phase && phase != PHASES)
		enter_phase(r, phase, entry, state);
	restore(r, entry);
	show(r, entry, candidate, stable);
	json_decref(root);
}
