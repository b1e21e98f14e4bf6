/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon answers; see remote_codec.h. */
#include "remote/remote_codec.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/printable.h"
#include "base/service_name.h"
#include "base/timestamp.h"
#include "cloudrun/json_get.h"
#include "engine/event.h"

#define REMOTE_DRILL_MAX 1000 /* looks of one */
#define PHASE_MAX        32
#define ENTRY_START      1024 /* bytes of a line before the entry's own fields */

/* ---- names and times ---- */

#define WORD_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"
/* What a service's name may have, of which a rollout's id is made. */
#define ID_CHARS WORD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.:"

static bool is_made_of(const char *chars, const char *text, size_t max)
{
	return text && *text && strlen(text) <= max &&
	       !text[strspn(text, chars)];
}

static bool is_word(const char *text, size_t max)
{
	return is_made_of(WORD_CHARS, text, max);
}

static int bad_member(const char *key, const char *rule, struct err *err_r)
{
	return err_set(err_r, ERR_PROTOCOL, "\"%s\" is not %s", key, rule);
}

/* A text that is there, perhaps "". */
static int take_text(const json_t *object, const char *key, struct arena *arena,
	const char **text_r, struct err *err_r)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return bad_member(key, "a text", err_r);
	*text_r = arena_strdup(arena, text);
	return 0;
}

static int take_id(const json_t *object, const char *key, struct arena *arena,
	const char **id_r, struct err *err_r)
{
	if (take_text(object, key, arena, id_r, err_r) < 0)
		return -1;
	return is_made_of(ID_CHARS, *id_r, STORE_ROLLOUT_ID_MAX - 1)
		       ? 0
		       : bad_member(key, "the id of a rollout", err_r);
}

/* A revision's name; "" while it is not known. */
static int take_revision(const json_t *object, const char *key,
	struct arena *arena, const char **name_r, struct err *err_r)
{
	if (take_text(object, key, arena, name_r, err_r) < 0)
		return -1;
	return !**name_r || resource_is_label(*name_r)
		       ? 0
		       : bad_member(key, "the name of a revision", err_r);
}

static int take_phase(const json_t *object, const char *key,
	struct arena *arena, const char **phase_r, struct err *err_r)
{
	if (take_text(object, key, arena, phase_r, err_r) < 0)
		return -1;
	return !**phase_r || is_word(*phase_r, PHASE_MAX - 1)
		       ? 0
		       : bad_member(key, "a phase", err_r);
}

static int take_whole(const json_t *object, const char *key, int64_t min,
	int64_t max, int64_t *number_r, struct err *err_r)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < min ||
		json_integer_value(value) > max)
		return bad_member(key, "a whole number that may be", err_r);
	*number_r = json_integer_value(value);
	return 0;
}

/* null: 0. */
static int take_time(
	const json_t *object, const char *key, int64_t *ms_r, struct err *err_r)
{
	const json_t *value = json_object_get(object, key);

	*ms_r = 0;
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) ||
		timestamp_parse(json_string_value(value), ms_r, err_r) < 0)
		return bad_member(key, "a time", err_r);
	return 0;
}

static json_t *object_load(const char *bytes, size_t len, struct err *err_r)
{
	return json_get_root("answer", bytes, len, err_r);
}

/* ---- rollouts ---- */

static int take_row(const json_t *object, struct arena *arena,
	struct store_rollout *row, struct err *err_r)
{
	*row = (struct store_rollout){.policy_path = "",
		.policy_source = "",
		.policy_digest = "",
		.options = ""};
	if (take_id(object, "rollout", arena, &row->id, err_r) < 0 ||
		take_text(object, "service", arena, &row->service, err_r) < 0 ||
		take_revision(object, "candidate", arena, &row->candidate,
			err_r) < 0 ||
		take_revision(object, "stable", arena, &row->stable, err_r) <
			0 ||
		take_text(object, "policy", arena, &row->policy_name, err_r) <
			0 ||
		take_phase(object, "phase", arena, &row->phase, err_r) < 0 ||
		take_text(object, "reason", arena, &row->reason, err_r) < 0 ||
		take_text(object, "starter", arena, &row->starter, err_r) < 0 ||
		take_time(object, "started", &row->started_ms, err_r) < 0 ||
		take_time(object, "ended", &row->ended_ms, err_r) < 0)
		return -1;
	return resource_name_is(row->service, "services")
		       ? 0
		       : bad_member("service", "a service's full name", err_r);
}

static int take_page(const json_t *root, struct arena *arena,
	struct remote_page *page, struct err *err_r)
{
	const json_t *list = json_object_get(root, "rollouts"), *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > REMOTE_PAGE_MAX)
		return bad_member("rollouts", "a list of at most 200", err_r);
	json_array_foreach(list, i, item) {
		if (take_row(item, arena, &page->row[i], err_r) < 0)
			return err_wrap(err_r, "rollouts[%zu]", i);
		page->n = i + 1;
	}
	if (json_is_null(json_object_get(root, "cursor")))
		return 0;
	return take_id(root, "cursor", arena, &page->cursor, err_r);
}

int remote_page_decode(const char *bytes, size_t len, struct arena *arena,
	struct remote_page *page_r, struct err *err_r)
{
	json_t *root = object_load(bytes, len, err_r);
	int rc = -1;

	page_r->n = 0;
	page_r->cursor = NULL;
	if (root)
		rc = take_page(root, arena, page_r, err_r);
	json_decref(root);
	return rc;
}

/* ---- what is kept of one ---- */

static int take_lease(const json_t *root, struct arena *arena,
	struct remote_record *record, struct err *err_r)
{
	const json_t *object = json_object_get(root, "lease");
	struct store_lease *lease = &record->lease;

	record->is_held = false;
	if (json_is_null(object))
		return 0;
	if (!json_is_object(object) ||
		!json_is_boolean(json_object_get(object, "alive")))
		return bad_member("lease", "a lease", err_r);
	if (take_text(object, "holder", arena, &lease->holder, err_r) < 0 ||
		take_text(object, "rollout", arena, &lease->rollout, err_r) <
			0 ||
		take_whole(object, "fence", 0, INT64_MAX, &lease->fence,
			err_r) < 0 ||
		take_time(object, "renewed", &lease->renewed_ms, err_r) < 0)
		return err_wrap(err_r, "\"lease\"");
	lease->alive = json_is_true(json_object_get(object, "alive"));
	lease->service = record->row.service;
	record->is_held = true;
	return 0;
}

static int take_command(const json_t *object, struct arena *arena,
	struct store_command *command, struct err *err_r)
{
	int64_t step = 0;

	if (take_whole(object, "command_id", 0, INT64_MAX, &command->id,
		    err_r) < 0 ||
		take_text(object, "command", arena, &command->verb, err_r) <
			0 ||
		take_text(object, "who", arena, &command->who, err_r) < 0 ||
		take_text(object, "comment", arena, &command->comment, err_r) <
			0 ||
		take_time(object, "time", &command->time_ms, err_r) < 0)
		return -1;
	if (verb_find(command->verb) == VERBS)
		return bad_member("command", "a verb", err_r);
	if (!json_is_null(json_object_get(object, "step")) &&
		take_whole(object, "step", 1, 1000, &step, err_r) < 0)
		return -1;
	command->step = (int)step - 1;
	command->answer = "";
	return 0;
}

static int take_waiting(const json_t *root, struct arena *arena,
	struct remote_record *record, struct err *err_r)
{
	const json_t *list = json_object_get(root, "waiting"), *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > REMOTE_WAITING_MAX)
		return bad_member("waiting", "a list of commands", err_r);
	json_array_foreach(list, i, item) {
		if (take_command(item, arena, &record->waiting[i], err_r) < 0)
			return err_wrap(err_r, "waiting[%zu]", i);
		record->waiting[i].rollout = record->row.id;
		record->n_waiting = i + 1;
	}
	return 0;
}

static int take_load(
	const json_t *root, struct remote_record *record, struct err *err_r)
{
	const json_t *load = json_object_get(root, "load");

	if (!load || json_is_null(load) || load_live_take(load, &record->load))
		return 0;
	return bad_member("load", "how a load goes", err_r);
}

static int take_record(const json_t *root, struct arena *arena,
	struct remote_record *record, struct err *err_r)
{
	struct store_rollout *row = &record->row;

	if (take_row(json_object_get(root, "row"), arena, row, err_r) < 0)
		return err_wrap(err_r, "\"row\"");
	if (take_whole(root, "seq", 0, INT64_MAX, &row->last_seq, err_r) < 0 ||
		take_text(root, "policy_path", arena, &row->policy_path,
			err_r) < 0 ||
		take_text(root, "policy_source", arena, &row->policy_source,
			err_r) < 0 ||
		take_text(root, "policy_digest", arena, &row->policy_digest,
			err_r) < 0 ||
		take_lease(root, arena, record, err_r) < 0 ||
		take_load(root, record, err_r) < 0)
		return -1;
	return take_waiting(root, arena, record, err_r);
}

int remote_record_decode(const char *bytes, size_t len, struct arena *arena,
	struct remote_record *record_r, struct err *err_r)
{
	json_t *root = object_load(bytes, len, err_r);
	int rc = -1;

	*record_r = (struct remote_record){0};
	if (root)
		rc = take_record(root, arena, record_r, err_r);
	json_decref(root);
	return rc;
}

/* ---- the journal ---- */

static bool is_note(const char *name)
{
	for (int note = 0; note < NOTES; note++)
		if (!strcmp(note_name((enum note_type)note), name))
			return true;
	return false;
}

static int take_entry(const json_t *root, const char *rollout,
	struct arena *arena, struct store_event *entry, struct err *err_r)
{
	const char *id;
	int64_t percent;

	if (take_id(root, "rollout", arena, &id, err_r) < 0 ||
		take_time(root, "time", &entry->time_ms, err_r) < 0 ||
		take_whole(root, "seq", 1, INT64_MAX, &entry->seq, err_r) < 0 ||
		take_text(root, "event", arena, &entry->name, err_r) < 0 ||
		take_phase(root, "phase", arena, &entry->phase, err_r) < 0 ||
		take_whole(root, "percent", -1, 100, &percent, err_r) < 0)
		return -1;
	if (strcmp(id, rollout) != 0)
		return bad_member(
			"rollout", "the one that was asked for", err_r);
	if (!is_word(entry->name, PHASE_MAX - 1))
		return bad_member("event", "the name of an event", err_r);
	entry->percent = (int)percent;
	entry->is_note = is_note(entry->name);
	return 0;
}

/* As status/journal_print.h prints it: what every line has comes first, and the
 * rest are the entry's own fields, taken over as they stand. */
static int take_fields(const char *line, size_t len, const char *rollout,
	struct arena *arena, struct store_event *entry, struct err *err_r)
{
	char time[TIMESTAMP_TEXT_MAX];
	struct buf start;
	struct jsonw w = {.out = &start};
	int rc = 0;

	buf_init(&start, ENTRY_START);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "time", timestamp_print(entry->time_ms, time));
	jsonw_text(&w, "rollout", rollout);
	jsonw_int(&w, "seq", entry->seq);
	jsonw_text(&w, "event", entry->name);
	jsonw_text(&w, "phase", entry->phase);
	jsonw_int(&w, "percent", entry->percent);
	if (len <= start.len || memcmp(line, start.data, start.len) != 0 ||
		line[len - 1] != '}' ||
		(len > start.len + 1 &&
			memcmp(line + start.len, ",\"", 2) != 0))
		rc = err_set(err_r, ERR_PROTOCOL,
			"it is not written as this version writes it");
	else if (line[start.len] == ',')
		entry->data = arena_printf(arena, "{%.*s",
			(int)(len - start.len - 1), line + start.len + 1);
	else
		entry->data = "{}";
	buf_fini(&start);
	return rc;
}

int remote_entry_decode(const char *line, size_t len, const char *rollout,
	struct arena *arena, struct store_event *entry_r, struct err *err_r)
{
	json_t *root;
	int rc = -1;

	*entry_r = (struct store_event){0};
	if (len > 2 * STORE_EVENT_BYTES_MAX)
		return err_set(err_r, ERR_LIMIT,
			"an entry of the journal has more than %d bytes",
			2 * STORE_EVENT_BYTES_MAX);
	root = object_load(line, len, err_r);
	if (root)
		rc = take_entry(root, rollout, arena, entry_r, err_r);
	json_decref(root);
	if (rc == 0)
		rc = take_fields(line, len, rollout, arena, entry_r, err_r);
	return rc < 0 ? err_wrap(err_r, "an entry of the journal") : 0;
}

/* ---- what was asked for ---- */

static int take_decided(const json_t *root, struct arena *arena,
	struct store_command *command, struct err *err_r)
{
	const char *state = json_string_value(json_object_get(root, "state"));

	if (!state ||
		(strcmp(state, "taken") != 0 && strcmp(state, "waiting") != 0))
		return bad_member("state", "taken or waiting", err_r);
	if (take_whole(root, "command_id", 0, INT64_MAX, &command->id, err_r) <
			0 ||
		take_id(root, "rollout", arena, &command->rollout, err_r) < 0 ||
		take_text(root, "command", arena, &command->verb, err_r) < 0 ||
		take_text(root, "who", arena, &command->who, err_r) < 0 ||
		take_text(root, "comment", arena, &command->comment, err_r) < 0)
		return -1;
	command->state = *state == 't';
	command->answer = "";
	return 0;
}

int remote_decided_decode(const char *bytes, size_t len, struct arena *arena,
	struct store_command *command_r, struct err *err_r)
{
	json_t *root = object_load(bytes, len, err_r);
	int rc = -1;

	*command_r = (struct store_command){0};
	if (root)
		rc = take_decided(root, arena, command_r, err_r);
	json_decref(root);
	return rc;
}

static int take_item(const json_t *object, struct arena *arena,
	struct drill_item *item, struct err *err_r)
{
	const json_t *ready = json_object_get(object, "ready");

	if (!json_is_boolean(ready))
		return bad_member("ready", "true or false", err_r);
	item->is_ready = json_is_true(ready);
	if (take_text(object, "what", arena, &item->what, err_r) < 0 ||
		take_text(object, "name", arena, &item->name, err_r) < 0)
		return -1;
	return take_text(object, "detail", arena, &item->detail, err_r);
}

static int take_drill(const json_t *root, struct arena *arena,
	struct drill_report *report, struct err *err_r)
{
	const json_t *list = json_object_get(root, "drill"), *item;
	size_t i, n = json_array_size(list);
	struct drill_item *items;

	if (!json_is_array(list) || n > REMOTE_DRILL_MAX)
		return bad_member("drill", "a list of looks", err_r);
	items = arena_alloc(arena, (n + 1) * sizeof(*items));
	report->item = items;
	json_array_foreach(list, i, item) {
		if (take_item(item, arena, &items[i], err_r) < 0)
			return err_wrap(err_r, "drill[%zu]", i);
		report->n = i + 1;
		report->n_missing += !items[i].is_ready;
	}
	if (take_text(root, "service", arena, &report->service, err_r) < 0 ||
		take_revision(root, "candidate", arena, &report->candidate,
			err_r) < 0)
		return -1;
	return take_revision(root, "stable", arena, &report->stable, err_r);
}

static int take_rollback(const json_t *root, struct arena *arena,
	struct remote_rollback *back, struct err *err_r)
{
	const json_t *outcome = json_object_get(root, "outcome");
	const char *text = json_string_value(outcome);

	if (json_object_get(root, "drill")) {
		back->kind = REMOTE_DRILLED;
		return take_drill(root, arena, &back->report, err_r);
	}
	if (text && !strcmp(text, "nothing-to-do")) {
		back->kind = REMOTE_NOTHING;
		return take_revision(
			root, "stable", arena, &back->stable, err_r);
	}
	if (!outcome)
		back->kind = REMOTE_BEGUN;
	else if (text && !strcmp(text, "aborted"))
		back->kind = REMOTE_ABORTED;
	else if (text && !strcmp(text, "going-back"))
		back->kind = REMOTE_GOING_BACK;
	else
		return bad_member("outcome", "one that is known", err_r);
	return take_id(root, "rollout", arena, &back->rollout, err_r);
}

int remote_rollback_decode(const char *bytes, size_t len, struct arena *arena,
	struct remote_rollback *rollback_r, struct err *err_r)
{
	json_t *root = object_load(bytes, len, err_r);
	int rc = -1;

	*rollback_r = (struct remote_rollback){0};
	if (root)
		rc = take_rollback(root, arena, rollback_r, err_r);
	json_decref(root);
	return rc;
}

int remote_started_decode(const char *bytes, size_t len,
	char id_r[STORE_ROLLOUT_ID_MAX], struct err *err_r)
{
	json_t *root = object_load(bytes, len, err_r);
	struct arena arena;
	const char *id;
	int rc = -1;

	arena_init(&arena);
	if (root)
		rc = take_id(root, "rollout", &arena, &id, err_r);
	if (rc == 0)
		snprintf(id_r, STORE_ROLLOUT_ID_MAX, "%s", id);
	arena_fini(&arena);
	json_decref(root);
	return rc;
}

int remote_me_decode(const char *bytes, size_t len,
	char name_r[REMOTE_PERSON_MAX], struct err *err_r)
{
	json_t *root = object_load(bytes, len, err_r);
	const char *name = json_string_value(json_object_get(root, "name"));
	int rc = -1;

	if (name && *name && strlen(name) < REMOTE_PERSON_MAX) {
		snprintf(name_r, REMOTE_PERSON_MAX, "%s", name);
		rc = 0;
	} else if (root) {
		(void)!bad_member("name", "a name", err_r);
	}
	json_decref(root);
	return rc;
}

/* ---- what went wrong ---- */

void remote_problem_decode(
	const char *bytes, size_t len, struct remote_problem *problem_r)
{
	char quote[PRINTABLE_QUOTE_MAX];
	struct err err;
	json_t *root = object_load(bytes, len, &err);
	const char *code = json_string_value(json_object_get(root, "code"));
	const char *detail = json_string_value(json_object_get(root, "detail"));

	*problem_r = (struct remote_problem){0};
	if (is_word(code, REMOTE_CODE_MAX - 1) && detail) {
		snprintf(problem_r->code, sizeof(problem_r->code), "%s", code);
		printable_copy(
			problem_r->detail, sizeof(problem_r->detail), detail);
	} else {
		printable_quote(quote, bytes, len);
		snprintf(problem_r->detail, sizeof(problem_r->detail), "%s",
			quote);
	}
	json_decref(root);
}

void remote_places_print(
	const char *bytes, size_t len, const char *file, struct buf *out)
{
	int64_t line, column;
	const char *text;
	json_t *item;
	struct err err;
	size_t i;
	json_t *root = object_load(bytes, len, &err);

	json_array_foreach(json_object_get(root, "problems"), i, item) {
		text = json_string_value(json_object_get(item, "text"));
		if (i == REMOTE_PLACES_MAX || !text ||
			take_whole(item, "line", 0, INT32_MAX, &line, &err) <
				0 ||
			take_whole(item, "column", 0, INT32_MAX, &column,
				&err) < 0)
			break;
		printable_add(out, file);
		buf_addf(out, ":%d:%d: error: ", (int)line, (int)column);
		printable_add(out, text);
		buf_addc(out, '\n');
	}
	json_decref(root);
}
