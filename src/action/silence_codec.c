/* Silences of Alertmanager as JSON; see silence_codec.h. */
#include "action/silence_codec.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"

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

/* Only plain matchers can be filtered by: those of a silence are compared as
 * they are written. */
void silence_filter(const struct silence_spec *spec, struct buf *out)
{
	const struct matcher *m = spec->matchers;
	struct buf text;

	for (size_t i = 0; i < spec->n_matchers; i++, m++) {
		if (m->is_regex || !m->is_equal || strpbrk(m->value, "\"\\\n"))
			continue;
		buf_init(&text, out->max);
		buf_addf(&text, "%s=\"%s\"", m->name, m->value);
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

static bool is_ours(const json_t *silence, const struct silence_spec *spec)
{
	const json_t *list = json_object_get(silence, "matchers");

	if (strcmp(text_of(silence, "createdBy"), spec->author) != 0 ||
		!strcmp(text_of(json_object_get(silence, "status"), "state"),
			"expired") ||
		json_array_size(list) != spec->n_matchers)
		return false;
	for (size_t i = 0; i < spec->n_matchers; i++)
		if (!has_matcher(list, &spec->matchers[i]))
			return false;
	return true;
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

int silence_find(const struct silence_spec *spec, const char *bytes, size_t len,
	struct silence_found found_r[SILENCES_OURS_MAX], size_t *n_r,
	struct err *err_r)
{
	json_t *list = load(bytes, len, err_r);
	const json_t *silence;
	int rc = 0;
	size_t i;

	*n_r = 0;
	if (!list)
		return -1;
	if (!json_is_array(list))
		rc = err_set(err_r, ERR_PROTOCOL,
			"the answer is no list of silences: is this an "
			"Alertmanager?");
	json_array_foreach(list, i, silence) {
		if (rc < 0 || !is_ours(silence, spec))
			continue;
		if (*n_r == SILENCES_OURS_MAX) {
			rc = err_set(err_r, ERR_LIMIT,
				"this rollout has more than %d silences there: "
				"expire them by hand",
				SILENCES_OURS_MAX);
			break;
		}
		snprintf(found_r[*n_r].starts, sizeof(found_r->starts), "%s",
			text_of(silence, "startsAt"));
		rc = take_id(text_of(silence, "id"), found_r[*n_r].id, err_r);
		++*n_r;
	}
	json_decref(list);
	return rc;
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
