/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a rollout as the report needs it. Entries are JSON that we
 * wrote ourselves once; what is missing or of another kind is left out, so
 * that a damaged entry costs a line and not the report.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "report/report.h"
#include "store/event_codec.h"

struct report_reader {
	struct report *report;
	const struct store_event *entry;
	json_t *root; /* of the entry */
	enum outcome last[POLICY_SLOS_MAX]; /* per SLO */
	int latest[POLICY_SLOS_MAX]; /* index of the check; -1: none */
	int breach; /* the check that the last breach was told of; -1: none */
};

/* ---- fields ---- */

static const char *text_of(const struct report_reader *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r->root, key));

	return text ? text : "";
}

static const char *kept(const struct report_reader *r, const char *key)
{
	return arena_strdup(&r->report->data.arena, text_of(r, key));
}

/* Long and mostly as it was before: then kept once. */
static void keep_again(
	const struct report_reader *r, const char *key, const char **before)
{
	const char *text = text_of(r, key);

	if (*text && (!*before || strcmp(*before, text) != 0))
		*before = kept(r, key);
}

/* jsonw writes what JSON lacks as strings. */
static double number_in(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (json_is_number(value))
		return json_number_value(value);
	if (text && !strcmp(text, "+Inf"))
		return INFINITY;
	if (text && !strcmp(text, "-Inf"))
		return -INFINITY;
	return NAN;
}

static double number_of(const struct report_reader *r, const char *key)
{
	return number_in(r->root, key);
}

static bool is_true(const struct report_reader *r, const char *key)
{
	return json_is_true(json_object_get(r->root, key));
}

static int64_t int_of(const struct report_reader *r, const char *key)
{
	return json_integer_value(json_object_get(r->root, key));
}

static int slo_of(const struct report_reader *r)
{
	const struct policy *policy = r->report->data.policy;
	const char *name = text_of(r, "slo");

	for (size_t i = 0; i < policy->n_slos; i++)
		if (!strcmp(policy->slos[i].name, name))
			return (int)i;
	return -1;
}

static bool is_called(const struct report_reader *r, const char *name)
{
	return !strcmp(r->entry->name, name);
}

/* ---- the timeline ---- */

static void add_line(struct report_reader *r, enum tone tone, const char *text)
{
	timeline_add_line(
		&r->report->data, &(struct timeline_line){
					  .time_ms = r->entry->time_ms,
					  .percent = r->entry->percent,
					  .what = r->entry->name,
					  .text = text,
					  .tone = tone,
				  });
}

static void add_person(
	struct report_reader *r, const char *verb, const char *comment)
{
	struct report_person *person = TIMELINE_ADD(&r->report->people);

	*person = (struct report_person){
		.time_ms = r->entry->time_ms,
		.who = kept(r, "who"),
		.verb = verb,
		.comment = comment,
	};
}

/* ---- traffic ---- */

/* The entries of the service's traffic, a line each. */
static const char *table_of(const struct report_reader *r)
{
	const json_t *table = json_object_get(r->root, "table"), *item;
	const char *revision, *tag, *text;
	struct buf out;
	size_t i;

	if (!json_is_array(table))
		return NULL;
	buf_init(&out, STORE_EVENT_BYTES_MAX);
	json_array_foreach(table, i, item) {
		revision = json_string_value(json_object_get(item, "revision"));
		tag = json_string_value(json_object_get(item, "tag"));
		buf_addf(&out, "%s  %d %%%s%s\n",
			revision ? revision : "LATEST",
			(int)json_integer_value(
				json_object_get(item, "percent")),
			tag ? "  tag " : "", tag ? tag : "");
	}
	text = arena_strdup(&r->report->data.arena, out.data);
	buf_fini(&out);
	return text;
}

static void take_table(struct report_reader *r)
{
	const char *table = table_of(r);

	if (!table)
		return;
	if (!r->report->table_before)
		r->report->table_before = table;
	r->report->table_after = table;
}

/* ---- checks ---- */

/* Of kind evidence: the entry is folded, so the fold knows what it counted. */
static void take_counts(struct report_reader *r, struct timeline_check *check)
{
	const json_t *evidence = json_object_get(r->root, "evidence");

	if (json_object_get(r->root, "counts") &&
		json_object_get(evidence, "log_e"))
		timeline_take_evidence(&r->report->data, check,
			r->report->fold.state.evidence,
			number_in(evidence, "log_e"),
			number_in(evidence, "log_pass"));
}

/* Only a change is news; the rest is drawn. */
static void tell_check(
	struct report_reader *r, const struct timeline_check *check)
{
	struct timeline_data *data = &r->report->data;

	if (check->outcome == r->last[check->slo])
		return;
	r->last[check->slo] = check->outcome;
	add_line(r, timeline_tone(check->outcome),
		arena_printf(&data->arena, "%s: %s%s%s",
			data->policy->slos[check->slo].name,
			outcome_name(check->outcome), *check->text ? ", " : "",
			check->text));
}

static void take_check(struct report_reader *r)
{
	const json_t *answers = json_object_get(r->root, "answers");
	struct timeline_data *data = &r->report->data;
	struct timeline_check *check;
	int slo = slo_of(r);

	if (slo < 0)
		return;
	for (size_t i = 0; i < QUERY_ROLES; i++)
		keep_again(r, event_query_keys[i], &data->query[slo][i]);
	check = timeline_add_check(data, r->entry->time_ms, slo);
	if (!check)
		return;
	r->latest[slo] = (int)data->checks.n - 1;
	check->outcome = outcome_find(text_of(r, "outcome"));
	check->partial = json_object_get(answers, "partial") != NULL;
	check->value = number_of(r, "value");
	check->limit = number_of(r, "limit");
	check->other = number_in(answers, "baseline");
	check->text = kept(r, *text_of(r, "trouble") ? "trouble" : "text");
	take_counts(r, check);
	tell_check(r, check);
}

static void take_breach(struct report_reader *r)
{
	int slo = slo_of(r);

	add_line(r, TONE_BAD, kept(r, "text"));
	if (slo >= 0 && r->latest[slo] >= 0)
		r->breach = r->latest[slo];
}

/* ---- actions ---- */

static enum action_list list_of(const struct report_reader *r)
{
	int list = 0;

	while (list < ACTION_LISTS &&
		strcmp(action_list_name((enum action_list)list),
			text_of(r, "list")) != 0)
		list++;
	return (enum action_list)list;
}

static enum tone tone_of_result(enum action_result result)
{
	return result == ACTION_OK        ? TONE_GOOD
	       : result == ACTION_SKIPPED ? TONE_WAIT
					  : TONE_BAD;
}

static void add_action(
	struct report_reader *r, enum action_result result, const char *detail)
{
	struct report_action *action;

	action = TIMELINE_ADD(&r->report->actions);
	*action = (struct report_action){
		.ended_ms = r->entry->time_ms,
		.list = list_of(r),
		.name = kept(r, "name"),
		.type = kept(r, "type"),
		.attempt = (int)int_of(r, "attempt"),
		.result = result,
		.duration_ms = int_of(r, "duration_ms"),
		.detail = detail,
	};
	add_line(r, tone_of_result(result),
		arena_printf(&r->report->data.arena, "%s, %s: %s%s%s",
			text_of(r, "list"), action->name,
			result < ACTION_RESULTS ? action_result_name(result)
						: "?",
			*detail ? ", " : "", detail));
}

/* ---- entries ---- */

static void take_phase(struct report_reader *r)
{
	struct timeline_data *data = &r->report->data;
	enum phase to = phase_find(text_of(r, "to"));

	if (to == PHASE_REVERTING)
		data->reverting_ms = r->entry->time_ms;
	timeline_add_line(data, &(struct timeline_line){
					.time_ms = r->entry->time_ms,
					.percent = r->entry->percent,
					.what = text_of(r, "to"),
					.text = kept(r, "text"),
					.tone = timeline_tone_of_phase(to),
				});
}

static void take_note(struct report_reader *r)
{
	if (is_called(r, note_name(NOTE_BREACH)))
		take_breach(r);
	else if (is_called(r, note_name(NOTE_WARNING)) && *text_of(r, "name"))
		add_action(r, ACTION_UNKNOWN, kept(r, "text")); /* a crash */
	else if (is_called(r, note_name(NOTE_ACTION_SKIPPED)))
		add_action(r, ACTION_SKIPPED, kept(r, "text"));
	else if (is_called(r, note_name(NOTE_ACTION_STARTED)))
		return; /* its end says more */
	else if (is_called(r, note_name(NOTE_PHASE)))
		take_phase(r);
	else
		add_line(r,
			is_called(r, note_name(NOTE_STEP_PASSED)) ? TONE_GOOD
			: is_called(r, note_name(NOTE_DRIFT)) ||
					is_called(r, note_name(NOTE_WARNING))
				? TONE_WAIT
				: TONE_PLAIN,
			kept(r, "text"));
}

/* Stable's past, of which the plan is made again. */
static void take_histories(struct report_reader *r)
{
	struct timeline_data *data = &r->report->data;
	struct event event;
	struct err ignored;

	if (event_decode(r->entry->name, r->entry->data, data->policy,
		    &data->arena, &event, &ignored) < 0)
		return;
	data->histories = event.histories;
	data->n_histories = event.n_histories;
}

static void take_command(struct report_reader *r)
{
	struct arena *arena = &r->report->data.arena;
	const char *comment = kept(r, "comment");

	add_person(r, kept(r, "verb"), comment);
	add_line(r, TONE_PLAIN,
		arena_printf(arena, "%s by %s%s%s", text_of(r, "verb"),
			text_of(r, "who"), *comment ? ": " : "", comment));
}

static void take_event(struct report_reader *r)
{
	struct arena *arena = &r->report->data.arena;

	switch (event_find(r->entry->name)) {
	case EVENT_STARTED:
		add_person(r, "started", kept(r, "reason"));
		add_line(r, TONE_PLAIN,
			arena_printf(arena, "by %s", text_of(r, "who")));
		break;
	case EVENT_RESUMED:
		add_person(r, "resumed", "");
		add_line(r, TONE_PLAIN,
			arena_printf(arena, "by %s", text_of(r, "who")));
		break;
	case EVENT_PREFLIGHT:
		take_histories(r);
		if (is_true(r, "ok"))
			add_line(r, TONE_GOOD, "fit");
		else
			add_line(r, TONE_BAD, kept(r, "reason"));
		break;
	case EVENT_CHECK:
		take_check(r);
		break;
	case EVENT_ACTION:
		add_action(r, action_result_find(text_of(r, "result")),
			kept(r, "detail"));
		break;
	case EVENT_COMMAND:
		take_command(r);
		break;
	case EVENT_INTERRUPT:
		add_line(r, TONE_WAIT, kept(r, "text"));
		break;
	default:
		break; /* traffic is drawn; timers say nothing */
	}
}

static void take_entry(struct report_reader *r, const struct store_event *entry)
{
	r->entry = entry;
	r->root = json_loads(entry->data, JSON_REJECT_DUPLICATES, NULL);
	if (!r->report->data.first_ms)
		r->report->data.first_ms = entry->time_ms;
	r->report->data.last_ms = entry->time_ms;
	timeline_add_percent(&r->report->data, entry->time_ms, entry->percent);
	take_table(r);
	if (!json_is_object(r->root))
		add_line(r, TONE_BAD, "the entry is damaged");
	else if (entry->is_note)
		take_note(r);
	else
		take_event(r);
	json_decref(r->root);
}

static int take_row(struct report *report, struct store *store,
	const char *rollout, struct err *err_r)
{
	int found = store_rollout_get(
		store, rollout, &report->data.arena, &report->row, err_r);

	if (found == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\" in %s: tidegate list "
			"shows them",
			rollout, store_path(store));
	return found < 0 ? -1 : 0;
}

struct report_reader *report_reader_new(struct store *store,
	const char *rollout, const struct policy *policy, struct err *err_r)
{
	struct report_reader *reader = xcalloc(1, sizeof(*reader));

	reader->report = xcalloc(1, sizeof(*reader->report));
	timeline_data_init(&reader->report->data, policy);
	fold_init(&reader->report->fold);
	reader->report->lookback = lookback_new(policy);
	reader->report->driver = SUMMARY_UNDRIVEN;
	for (size_t i = 0; i < POLICY_SLOS_MAX; i++)
		reader->latest[i] = -1;
	reader->breach = -1;
	if (take_row(reader->report, store, rollout, err_r) < 0)
		report_reader_free(&reader);
	return reader;
}

int report_reader_take(struct report_reader *reader,
	const struct store_event *entry, struct err *err_r)
{
	struct report *report = reader->report;

	if (fold_take(&report->fold, report->data.policy, entry, err_r) < 0)
		return err_wrap(err_r, "%s", report->row.id);
	take_entry(reader, entry);
	if (entry->is_note || strcmp(entry->name, event_name(EVENT_CHECK)) != 0)
		lookback_take(report->lookback, entry);
	return 0;
}

const struct report *report_reader_look(
	struct report_reader *reader, const struct store_rollout *row)
{
	struct report *report = reader->report;

	/* An SLO may have breached long before a person decided. */
	report->data.decisive =
		report->fold.state.cause == CAUSE_SLO ? reader->breach : -1;
	if (row)
		report->row = *row;
	return report;
}

struct report *report_reader_finish(struct report_reader **reader)
{
	struct report *report = (*reader)->report;

	report_reader_look(*reader, NULL);
	(*reader)->report = NULL;
	report_reader_free(reader);
	return report;
}

void report_reader_free(struct report_reader **reader)
{
	if (!*reader)
		return;
	report_free(&(*reader)->report);
	free(*reader);
	*reader = NULL;
}

static int read_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	return report_reader_take(arg, entry, err_r);
}

struct report *report_load(struct store *store, const char *rollout,
	const struct policy *policy, struct err *err_r)
{
	struct report_reader *reader =
		report_reader_new(store, rollout, policy, err_r);

	if (!reader)
		return NULL;
	if (store_each_event(store, reader->report->row.id, 0, read_entry,
		    reader, err_r) < 0) {
		report_reader_free(&reader);
		return NULL;
	}
	return report_reader_finish(&reader);
}

void report_free(struct report **report_p)
{
	struct report *report = *report_p;

	if (!report)
		return;
	fold_fini(&report->fold);
	lookback_free(&report->lookback);
	free(report->actions.item);
	free(report->people.item);
	timeline_data_fini(&report->data);
	free(report);
	*report_p = NULL;
}
