/* SPDX-License-Identifier: Apache-2.0 */
/* Journal entries as lines; see journal_print.h. */
#include "status/journal_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "base/timestamp.h"
#include "engine/event.h"

#define TEXT_SHOWN_MAX   400 /* bytes of a detail on a line */
#define REASON_SHOWN_MAX 1200 /* of a reason, which ends in what to do */

/* NULL: it is not a JSON object. */
static json_t *entry_load(const struct store_event *entry)
{
	json_t *root = json_loads(entry->data, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* The entry's own fields may not pose as those that every line has. */
static bool is_clean(const json_t *root)
{
	static const char *const ours[] = {
		"time", "rollout", "seq", "event", "phase", "percent"};
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (json_object_get(root, ours[i]))
			return false;
	}
	return root != NULL;
}

void journal_print_json(
	const char *rollout, const struct store_event *entry, struct buf *out)
{
	json_t *root = entry_load(entry);
	struct jsonw w = {.out = out};
	char time[TIMESTAMP_TEXT_MAX];

	jsonw_object(&w, NULL);
	jsonw_text(&w, "time", timestamp_print(entry->time_ms, time));
	jsonw_text(&w, "rollout", rollout);
	jsonw_int(&w, "seq", entry->seq);
	jsonw_text(&w, "event", entry->name);
	jsonw_text(&w, "phase", entry->phase);
	jsonw_int(&w, "percent", entry->percent);
	if (is_clean(root))
		jsonw_members(&w, entry->data);
	else
		jsonw_bool(&w, "damaged", true);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
	json_decref(root);
}

void journal_place_take(struct journal_place *place, const char *rollout,
	const struct store_event *entry)
{
	snprintf(place->rollout, sizeof(place->rollout), "%s", rollout);
	snprintf(place->phase, sizeof(place->phase), "%s", entry->phase);
	place->seq = entry->seq;
	place->time_ms = entry->time_ms;
	place->percent = entry->percent;
}

void journal_place_begin(struct jsonw *w, const struct journal_place *place,
	int64_t time_ms, const char *event)
{
	char time[TIMESTAMP_TEXT_MAX];

	jsonw_object(w, NULL);
	jsonw_text(w, "time", timestamp_print(time_ms, time));
	jsonw_text(w, "rollout", place->rollout);
	jsonw_int(w, "seq", place->seq);
	jsonw_text(w, "event", event);
	jsonw_text(w, "phase", place->phase);
	jsonw_int(w, "percent", place->percent);
}

void journal_print_dropped(
	const struct journal_place *place, uint64_t count, struct buf *out)
{
	struct jsonw w = {.out = out};

	journal_place_begin(&w, place, place->time_ms, "dropped");
	jsonw_int(&w, "count", (int64_t)count);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

/* What a line shows, in this order; the first text that is there ends it. */
static const struct part {
	const char *key, *before;
	bool is_text;
} parts[] = {
	{"slo", " "},
	{"name", " "},
	{"verb", " "},
	{"from", " "},
	{"to", " -> "},
	{"outcome", " "},
	{"result", " "},
	{"who", " by "},
	{"text", ": ", true},
	{"reason", ": ", true},
	{"detail", ": ", true},
	{"comment", ": ", true},
	{"trouble", " (", false},
};

static void add_part(struct buf *out, const struct part *part, const char *text)
{
	bool is_reason = strcmp(part->key, "reason") == 0;
	char shown[REASON_SHOWN_MAX];

	buf_adds(out, part->before);
	printable_copy(
		shown, is_reason ? REASON_SHOWN_MAX : TEXT_SHOWN_MAX, text);
	buf_adds(out, shown);
	if (part->before[1] == '(')
		buf_addc(out, ')');
}

/* The text without the SLO's name in front, which stands there already. */
static const char *without_slo(const char *text, const json_t *root)
{
	const char *slo = json_string_value(json_object_get(root, "slo"));
	size_t len = slo ? strlen(slo) : 0;

	if (len && !strncmp(text, slo, len) && !strncmp(text + len, ": ", 2))
		return text + len + 2;
	return text;
}

/* What an incomplete answer says is missing. PromQL's remarks about the query
 * stand in JSON only: they are the same each time. */
static void add_partial(struct buf *out, const json_t *root)
{
	static const struct part part = {"warnings", " (", false};
	const char *text = json_string_value(json_object_get(root, part.key));

	if (text &&
		json_object_get(json_object_get(root, "answers"), "partial"))
		add_part(out, &part, text);
}

/* Why it was refused is the last line that follows, whole if it is this short:
 * it is said once. */
static bool is_said_at_the_end(
	const struct store_event *entry, const json_t *root)
{
	bool is_phase = !strcmp(entry->name, note_name(NOTE_PHASE));
	const char *text = json_string_value(
		json_object_get(root, is_phase ? "text" : "reason"));

	return !strcmp(entry->phase, phase_name(PHASE_REFUSED)) && text &&
	       strlen(text) < ROLLOUT_TEXT_MAX - 1;
}

static void add_parts(
	struct buf *out, const struct store_event *entry, const json_t *root)
{
	/* Warnings of a preflight that is fine: each follows as a note. */
	bool have_text = json_is_true(json_object_get(root, "ok")) ||
			 is_said_at_the_end(entry, root);
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		text = json_string_value(json_object_get(root, parts[i].key));
		if (!text || !*text || (parts[i].is_text && have_text))
			continue;
		if (parts[i].is_text)
			text = without_slo(text, root);
		have_text |= parts[i].is_text;
		add_part(out, &parts[i], text);
	}
	add_partial(out, root);
}

static bool is_worth_a_line(const struct store_event *entry)
{
	static const char *const quiet[] = {"timer", "traffic"};
	size_t i;

	for (i = 0; !entry->is_note && i < sizeof(quiet) / sizeof(quiet[0]);
		i++) {
		if (strcmp(entry->name, quiet[i]) == 0)
			return false;
	}
	return true;
}

void journal_print_text(const struct store_event *entry, struct buf *out)
{
	char time[TIMESTAMP_TEXT_MAX];
	struct buf where;
	json_t *root, *ok;

	if (!is_worth_a_line(entry))
		return;
	buf_init(&where, 2 * TEXT_SHOWN_MAX);
	printable_add(&where, entry->phase);
	buf_addf(&where, " %d %%", entry->percent);
	buf_addf(out, "%s  %-17s  ",
		timestamp_print_clock(entry->time_ms, time), where.data);
	buf_fini(&where);
	printable_add(out, entry->name);
	root = entry_load(entry);
	ok = json_object_get(root, "ok");
	if (ok)
		buf_adds(out, json_is_true(ok) ? " ok" : " refused");
	add_parts(out, entry, root);
	if (!root)
		buf_adds(out, " (damaged)");
	buf_addc(out, '\n');
	json_decref(root);
}
