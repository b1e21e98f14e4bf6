/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events and the engine's notes into the journal, one turn's together, and one
 * log line for each decision. Never carries anything out.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "live/driver_parts.h"

static struct store_event entry_of(
	const struct driver *driver, const char *name, const struct buf *data)
{
	return (struct store_event){
		.seq = driver->seq + 1,
		.time_ms = driver->state->now_ms,
		.name = name,
		.phase = phase_name(driver->state->phase),
		.percent = driver->state->traffic.serving.candidate,
		.data = data->data,
	};
}

static void append(struct driver *driver, const struct store_event *entry,
	bool last, const struct command_ack *ack)
{
	journal_append(driver->writer, entry, driver->state->reason,
		last && phase_is_end(driver->state->phase), ack);
	driver->seq++;
}

static void append_notes(struct driver *driver,
	const struct event_context *context, const struct outcome_list *outcome)
{
	struct store_event entry;
	struct buf data;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	for (size_t i = 0; i < outcome->n_notes; i++) {
		buf_clear(&data);
		note_encode(&outcome->note[i], context, &data);
		assert(!data.overflow); /* its texts are short */
		entry = entry_of(
			driver, note_name(outcome->note[i].type), &data);
		entry.is_note = true;
		append(driver, &entry, i + 1 == outcome->n_notes, NULL);
	}
	buf_fini(&data);
}

static void append_event(struct driver *driver, const struct event *event,
	const struct event_context *context, const struct outcome_list *outcome)
{
	struct command_ack ack = {
		.command_id =
			event->type == EVENT_COMMAND ? event->command_id : 0,
		.refused = outcome->refused,
		.answer = outcome->refused ? outcome->refusal : "",
	};
	struct store_event entry;
	struct buf data;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	event_encode_to_fit(event, context, &data);
	entry = entry_of(driver, event_name(event->type), &data);
	append(driver, &entry, outcome->n_notes == 0, &ack);
	buf_fini(&data);
}

void driver_journal(struct driver *driver, const struct event *event,
	const struct event_context *context, const struct outcome_list *outcome)
{
	struct event_context full = {0};

	if (context)
		full = *context;
	full.policy = driver->release->policy;
	full.state = driver->state;
	full.judgement =
		event->type == EVENT_CHECK ? &outcome->judgement : NULL;
	full.seen = event->type == EVENT_CHECK ? &outcome->seen : NULL;
	driver_log_notes(driver, outcome, false);
	append_event(driver, event, &full, outcome);
	append_notes(driver, &full, outcome);
}

/* ---- the log ---- */

static void log_note(
	const struct driver *driver, const struct note *note, bool loud)
{
	char numbers[80] = "";
	const char *slo = "";

	if (note->slo >= 0 &&
		(size_t)note->slo < driver->release->policy->n_slos &&
		note->type != NOTE_PHASE)
		slo = driver->release->policy->slos[note->slo].name;
	if (!isnan(note->value) && !isnan(note->limit))
		snprintf(numbers, sizeof(numbers), " value=%g limit=%g",
			note->value, note->limit);
	log_line(loud ? LOG_ERROR : LOG_INFO,
		"rollout=%s phase=%s event=%s%s%s%s text=\"%s\"",
		driver->release->id, phase_name(driver->state->phase),
		note_name(note->type), *slo ? " slo=" : "", slo, numbers,
		note->text);
}

void driver_log_notes(const struct driver *driver,
	const struct outcome_list *outcome, bool loud)
{
	for (size_t i = 0; i < outcome->n_notes; i++)
		log_note(driver, &outcome->note[i], loud);
}
