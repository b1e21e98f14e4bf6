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
static const char *kept_again(
	const struct report_reader *r, const char *key, const char *before)
{
	const char *text = text_of(r, key);

	if (before && !strcmp(before, text))
		return before;
	return *text ? kept(r, key) : NULL;
}

/* jsonw writes what JSON lacks as strings. */
static double number_of(const struct report_reader *r, const char *key)
{
	const json_t *value = json_object_get(r->root, key);
	const char *text = json_string_value(value);

	if (json_is_number(value))
		return json_number_value(value);
	if (text && !strcmp(text, "+Inf"))
		return INFINITY;
	if (text && !strcmp(text, "-Inf"))
		return -INFINITY;
	return NAN;
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

/* The requests of an arm and the bad ones among them, which are those of the
 * bins after `bound`. */
static struct request_sum sum_of(const json_t *bins, size_t bound)
{
	struct request_sum sum = {0, 0};
	const json_t *bin;
	size_t i;

	json_array_foreach(bins, i, bin) {
		sum.n += json_number_value(bin);
		sum.x += i > bound ? json_number_value(bin) : 0;
	}
	return sum;
}

/* Of a histogram the last bin that is good. */
static size_t bound_of(const struct slo *slo, const json_t *le)
{
	size_t i = 0;

	while (i + 1 < json_array_size(le) &&
		json_number_value(json_array_get(le, i)) < slo->bound_le)
		i++;
	return i;
}

static const struct timeline_counts *counts_of(
	const struct report_reader *r, int slo)
{
	const json_t *counts = json_object_get(r->root, "counts");
	const json_t *evidence = json_object_get(r->root, "evidence");
	const json_t *log_e = json_object_get(evidence, "log_e");
	struct timeline_counts *kept;
	size_t bound;

	if (!counts || !log_e)
		return NULL;
	bound = bound_of(&r->report->data.policy->slos[slo],
		json_object_get(counts, "le"));
	kept = arena_alloc(&r->report->data.arena, sizeof(*kept));
	kept->arms.candidate =
		sum_of(json_object_get(counts, "candidate"), bound);
	kept->arms.stable = sum_of(json_object_get(counts, "stable"), bound);
	kept->log_e = json_number_value(log_e);
	kept->log_pass =
		json_number_value(json_object_get(evidence, "log_pass"));
	return kept;
}

static void take_check(struct report_reader *r)
{
	static const struct timeline_check none;
	struct timeline_data *data = &r->report->data;
	enum outcome outcome = outcome_find(text_of(r, "outcome"));
	int slo = slo_of(r);
	struct timeline_check *check, before = none;

	if (slo < 0)
		return;
	if (r->latest[slo] >= 0)
		before = data->checks.item[r->latest[slo]];
	check = timeline_add_check(data, r->entry->time_ms, slo);
	if (!check)
		return;
	r->latest[slo] = (int)data->checks.n - 1;
	check->outcome = outcome;
	check->partial = json_object_get(json_object_get(r->root, "answers"),
				 "partial") != NULL;
	check->value = number_of(r, "value");
	check->limit = number_of(r, "limit");
	check->counts = counts_of(r, slo);
	check->text = kept(r, *text_of(r, "trouble") ? "trouble" : "text");
	for (size_t i = 0; i < QUERY_ROLES; i++)
		check->query[i] =
			kept_again(r, event_query_keys[i], before.query[i]);
	/* Only a change is news; the rest is drawn. */
	if (outcome == r->last[slo])
		return;
	r->last[slo] = outcome;
	add_line(r, timeline_tone(outcome),
		arena_printf(&data->arena, "%s: %s%s%s",
			data->policy->slos[slo].name, outcome_name(outcome),
			*check->text ? ", " : "", check->text));
}

static void take_breach(struct report_reader *r)
{
	int slo = slo_of(r);

	add_line(r, TONE_BAD, kept(r, "text"));
	if (slo >= 0 && r->latest[slo] >= 0)
		r->report->data.decisive = r->latest[slo];
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
	const char *to = text_of(r, "to"), *text = text_of(r, "text");

	if (!strcmp(to, phase_name(PHASE_REVERTING)))
		r->report->reverting_ms = r->entry->time_ms;
	add_line(r, TONE_PLAIN,
		arena_printf(&r->report->data.arena, "%s → %s%s%s",
			text_of(r, "from"), to, *text ? ": " : "", text));
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
	for (size_t i = 0; i < POLICY_SLOS_MAX; i++)
		reader->latest[i] = -1;
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
	return 0;
}

struct report *report_reader_finish(struct report_reader **reader)
{
	struct report *report = (*reader)->report;

	/* An SLO may have breached long before a person decided. */
	if (report->fold.state.cause != CAUSE_SLO)
		report->data.decisive = -1;
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
	free(report->actions.item);
	free(report->people.item);
	timeline_data_fini(&report->data);
	free(report);
	*report_p = NULL;
}
