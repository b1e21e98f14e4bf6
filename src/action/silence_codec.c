/* SPDX-License-Identifier: Apache-2.0 */
/* Silences of Alertmanager as JSON; see silence_codec.h. */
#define _GNU_SOURCE /* memmem */
#include "action/silence_codec.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"

#define BY_HAND_MS 5000 /* between an end and the last change: both are now */

void silence_encode(const struct silence_spec *spec, int64_t now_ms,
	const struct silence_found *renewed, struct buf *out)
{
	struct jsonw w = {.out = out};
	char time[TIMESTAMP_TEXT_MAX];

	jsonw_object(&w, NULL);
	if (renewed)
		jsonw_text(&w, "id", renewed->id);
	jsonw_array(&w, "matchers");
	for (size_t i = 0; i < spec->n_matchers; i++) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "name", spec->matchers[i].name);
		jsonw_text(&w, "value", spec->matchers[i].value);
		jsonw_bool(&w, "isRegex", spec->matchers[i].is_regex);
		jsonw_bool(&w, "isEqual", spec->matchers[i].is_equal);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_text(&w, "startsAt",
		renewed ? renewed->starts : timestamp_print(now_ms, time));
	jsonw_text(&w, "endsAt", timestamp_print(spec->ends_ms, time));
	jsonw_text(&w, "createdBy", spec->author);
	jsonw_text(&w, "comment", spec->comment);
	jsonw_end(&w, '}');
}

static void add_escaped(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (isalnum(*p) || strchr("-_.~", *p))
			buf_addc(out, (char)*p);
		else
			buf_addf(out, "%%%02X", *p);
}

/* As Alertmanager reads the value of a filter. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(out, '\\');
		if (*text == '\n')
			buf_adds(out, "\\n");
		else
			buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

static bool is_named_once(const struct silence_spec *spec, const char *name)
{
	int times = 0;

	for (size_t i = 0; i < spec->n_matchers; i++)
		times += !strcmp(spec->matchers[i].name, name);
	return times == 1;
}

/* Alertmanagers compare a filter with the matchers of a silence in different
 * ways. They agree about plain ones, if the silence has one of that name. */
void silence_filter(const struct silence_spec *spec, struct buf *out)
{
	const struct matcher *m = spec->matchers;
	struct buf text;

	for (size_t i = 0; i < spec->n_matchers; i++, m++) {
		if (m->is_regex || !m->is_equal ||
			!is_named_once(spec, m->name))
			continue;
		buf_init(&text, out->max);
		buf_addf(&text, "%s=", m->name);
		add_quoted(&text, m->value);
		buf_adds(out, out->len ? "&filter=" : "filter=");
		add_escaped(out, text.data);
		buf_fini(&text);
	}
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool has_matcher(const json_t *list, const struct matcher *m)
{
	const json_t *item, *equal;
	size_t i;

	json_array_foreach(list, i, item) {
		equal = json_object_get(item, "isEqual"); /* default: true */
		if (!strcmp(text_of(item, "name"), m->name) &&
			!strcmp(text_of(item, "value"), m->value) &&
			json_is_true(json_object_get(item, "isRegex")) ==
				m->is_regex &&
			!json_is_false(equal) == m->is_equal)
			return true;
	}
	return false;
}

static bool has_our_matchers(
	const json_t *silence, const struct silence_spec *spec)
{
	const json_t *list = json_object_get(silence, "matchers");

	if (json_array_size(list) != spec->n_matchers)
		return false;
	for (size_t i = 0; i < spec->n_matchers; i++)
		if (!has_matcher(list, &spec->matchers[i]))
			return false;
	return true;
}

static bool is_over(const json_t *silence)
{
	return !strcmp(text_of(json_object_get(silence, "status"), "state"),
		"expired");
}

static int64_t time_of(const json_t *silence, const char *key)
{
	struct err err;
	int64_t ms;

	return timestamp_parse(text_of(silence, key), &ms, &err) < 0 ? 0 : ms;
}

/* What ends by itself was not touched for all of its lease: then its end is
 * later than its last change. */
static bool was_ended_by_hand(const json_t *silence)
{
	int64_t ends_ms = time_of(silence, "endsAt");
	int64_t updated_ms = time_of(silence, "updatedAt");

	return ends_ms && updated_ms && ends_ms - updated_ms < BY_HAND_MS;
}

/* It becomes part of a path. */
static int take_id(const char *id, char id_r[SILENCE_ID_MAX], struct err *err_r)
{
	for (const char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-')
			id = "";
	if (!*id || strlen(id) >= SILENCE_ID_MAX)
		return err_set(err_r, ERR_PROTOCOL,
			"the answer has a silence without a usable id: is "
			"this an Alertmanager?");
	snprintf(id_r, SILENCE_ID_MAX, "%s", id);
	return 0;
}

static json_t *load(const char *bytes, size_t len, struct err *err_r)
{
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);

	if (!root)
		err_set(err_r, ERR_PROTOCOL,
			"the answer is not JSON: is this an Alertmanager?");
	return root;
}

static int add_found(
	const json_t *silence, struct silences_found *found, struct err *err_r)
{
	struct silence_found *one = &found->item[found->n];

	if (found->n == SILENCES_OURS_MAX)
		return err_set(err_r, ERR_LIMIT,
			"this rollout has more than %d silences there: expire "
			"them by hand",
			SILENCES_OURS_MAX);
	snprintf(one->starts, sizeof(one->starts), "%s",
		text_of(silence, "startsAt"));
	one->ends_ms = time_of(silence, "endsAt");
	found->n++;
	return take_id(text_of(silence, "id"), one->id, err_r);
}

static int look_at(const json_t *silence, const struct silence_spec *spec,
	struct silences_found *found, struct err *err_r)
{
	bool is_ours = !strcmp(text_of(silence, "createdBy"), spec->author);
	const char *comment = text_of(silence, "comment");

	if (!has_our_matchers(silence, spec))
		return 0;
	if (is_ours && !is_over(silence))
		return add_found(silence, found, err_r);
	if (is_ours && was_ended_by_hand(silence))
		return take_id(text_of(silence, "id"), found->ended, err_r);
	if (!is_ours && !is_over(silence) && *spec->rollout &&
		strstr(comment, spec->rollout))
		return take_id(text_of(silence, "id"), found->taken, err_r);
	return 0;
}

/* ---- a list that may be long ---- */

/* The quote at the end of the string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
	const char *begin = at + 1, *quote, *slash;

	while ((quote = memchr(at + 1, '"', (size_t)(end - at - 1)))) {
		for (slash = quote; slash > begin && slash[-1] == '\\';)
			slash--;
		if ((quote - slash) % 2 == 0)
			return quote;
		at = quote;
	}
	return NULL;
}

/* The end of the value that begins at `at` with a bracket; NULL: it has none. */
static const char *skip_value(const char *at, const char *end)
{
	int depth = 0;

	for (; at < end; at++) {
		if (*at == '"') {
			at = skip_string(at, end);
			if (!at)
				return NULL;
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if ((*at == '}' || *at == ']') && --depth == 0) {
			return at + 1;
		}
	}
	return NULL;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end &&
		(*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at;
}

static int no_list(struct err *err_r)
{
	return err_set(err_r, ERR_PROTOCOL,
		"the answer is no list of silences: is this an Alertmanager?");
}

/* Where one is named that may be ours, in the author or the comment. */
static const char *next_named(
	const struct silence_spec *spec, const char *at, const char *end)
{
	const char *name = *spec->rollout ? spec->rollout : spec->author;

	return memmem(at, (size_t)(end - at), name, strlen(name));
}

/* `parsed` is the length of all that were. */
static int look_at_text(const struct silence_spec *spec, const char *bytes,
	size_t len, size_t *parsed, struct silences_found *found,
	struct err *err_r)
{
	json_t *silence;
	int rc;

	*parsed += len;
	if (*parsed > SILENCES_PARSED_MAX)
		return err_set(err_r, ERR_LIMIT,
			"the silences that name this rollout have more than "
			"%d bytes: is this an Alertmanager?",
			SILENCES_PARSED_MAX);
	silence = load(bytes, len, err_r);
	if (!silence)
		return -1;
	rc = look_at(silence, spec, found, err_r);
	json_decref(silence);
	return rc;
}

/* A list without entries may be written so. */
static bool is_null(const char *at, const char *end)
{
	return end - at >= 4 && !memcmp(at, "null", 4) &&
	       skip_space(at + 4, end) == end;
}

int silence_find(const struct silence_spec *spec, const char *bytes, size_t len,
	struct silences_found *found_r, struct err *err_r)
{
	const char *end = bytes + len, *at = skip_space(bytes, end), *next;
	const char *named = next_named(spec, at, end);
	size_t parsed = 0, n = 0;

	*found_r = (struct silences_found){0};
	if (is_null(at, end))
		return 0;
	if (at == end || *at != '[')
		return no_list(err_r);
	at = skip_space(at + 1, end);
	while (at < end && *at == '{') {
		next = skip_value(at, end);
		if (!next)
			return no_list(err_r);
		if (++n > SILENCES_LISTED_MAX)
			return err_set(err_r, ERR_LIMIT,
				"the answer has more than %d silences",
				SILENCES_LISTED_MAX);
		if (named && named < next) {
			if (look_at_text(spec, at, (size_t)(next - at), &parsed,
				    found_r, err_r) < 0)
				return -1;
			named = next_named(spec, next, end);
		}
		at = skip_space(next, end);
		if (at < end && *at == ',')
			at = skip_space(at + 1, end);
	}
	if (at == end || *at != ']' || skip_space(at + 1, end) != end)
		return no_list(err_r);
	return 0;
}

int silence_decode_id(const char *bytes, size_t len, char id_r[SILENCE_ID_MAX],
	struct err *err_r)
{
	json_t *root = load(bytes, len, err_r);
	int rc;

	if (!root)
		return -1;
	rc = take_id(text_of(root, "silenceID"), id_r, err_r);
	json_decref(root);
	return rc;
}
