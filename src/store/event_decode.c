/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as events; see event_codec.h. A journal may come from anybody: every
 * member is typed and bounded, names must be the policy's.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/event_codec.h"
#include "store/event_fields.h"
#include "store/evidence_codec.h"
#include "store/store.h"

/* What trafficStatuses says for a moment need not sum to 100. */
#define SPLIT_MAX (100 * TRAFFIC_ENTRIES_MAX)

struct decoder {
	const char *name; /* of the event */
	const struct policy *policy;
	struct arena *arena;
	struct event *event;
	struct err *err_r;
};

static int bad(const struct decoder *d, const char *key, const char *rule)
{
	return err_set(d->err_r, ERR_STORE,
		"the journal has a \"%s\" entry whose \"%s\" is not %s",
		d->name, key, rule);
}

static int decode_int(const struct decoder *d, const char *key,
	const json_t *value, int64_t max, int64_t *number_r)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > max)
		return bad(d, key, "a whole number in its range");
	*number_r = json_integer_value(value);
	return 0;
}

static int decode_text(const struct decoder *d, const char *key,
	const json_t *value, const char **text_r)
{
	*text_r = "";
	if (!value)
		return 0;
	if (!json_is_string(value) ||
		strlen(json_string_value(value)) != json_string_length(value))
		return bad(d, key, "a text");
	*text_r = arena_strdup(d->arena, json_string_value(value));
	return 0;
}

static int decode_seed(
	const struct decoder *d, const json_t *value, uint64_t *seed_r)
{
	const char *text =
		json_is_string(value) ? json_string_value(value) : "-";
	char *end;

	errno = 0;
	*seed_r = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return bad(d, "seed", "a number of 64 bits in a string");
	return 0;
}

static int decode_step(
	const struct decoder *d, const json_t *value, int *step_r)
{
	int64_t number;

	*step_r = -1;
	if (!value)
		return 0;
	/* A command may be for any step; the engine refuses it then. */
	if (decode_int(d, "step", value, INT64_C(1) + INT_MAX, &number))
		return -1;
	if (number < 1)
		return bad(d, "step", "counted from 1");
	*step_r = (int)(number - 1);
	return 0;
}

static int decode_split(const struct decoder *d, const char *key,
	const json_t *value, struct split *split_r)
{
	static const char *const keys[] = {"candidate", "stable", "other"};
	int *const percents[] = {
		&split_r->candidate, &split_r->stable, &split_r->other};
	int64_t number;
	size_t i;

	if (!json_is_object(value))
		return bad(d, key, "an object");
	for (i = 0; i < 3; i++) {
		if (decode_int(d, key, json_object_get(value, keys[i]),
			    SPLIT_MAX, &number))
			return -1;
		*percents[i] = (int)number;
	}
	return 0;
}

static int decode_answer(
	const struct decoder *d, const json_t *value, struct answer *answer_r)
{
	const char *text = json_string_value(value);

	*answer_r = (struct answer){ANSWER_VALUE, NAN};
	if (!value)
		answer_r->kind = ANSWER_NOT_ASKED;
	else if (json_is_number(value))
		answer_r->value = json_number_value(value);
	else if (text && strcmp(text, "NaN") == 0)
		answer_r->value = NAN;
	else if (text && strcmp(text, "+Inf") == 0)
		answer_r->value = INFINITY;
	else if (text && strcmp(text, "-Inf") == 0)
		answer_r->value = -INFINITY;
	else if (text && strcmp(text, "no-data") == 0)
		answer_r->kind = ANSWER_NO_DATA;
	else if (text && strcmp(text, "error") == 0)
		answer_r->kind = ANSWER_ERROR;
	else
		return bad(d, "answers", "made of numbers and known words");
	return 0;
}

static int decode_partial(
	const struct decoder *d, const json_t *list, struct answers *answers)
{
	const json_t *name;
	size_t i, role;

	if (list && !json_is_array(list))
		return bad(d, "partial", "a list");
	json_array_foreach(list, i, name) {
		const char *text = json_string_value(name);

		for (role = 0; role < QUERY_ROLES; role++)
			if (text && strcmp(answer_keys[role], text) == 0)
				break;
		if (role == QUERY_ROLES)
			return bad(d, "partial", "made of names of answers");
		answers->item[role].partial = true;
	}
	return 0;
}

static int decode_answers(
	const struct decoder *d, const json_t *value, struct answers *answers)
{
	size_t i;

	if (!json_is_object(value))
		return bad(d, "answers", "an object");
	for (i = 0; i < QUERY_ROLES; i++) {
		if (decode_answer(d, json_object_get(value, answer_keys[i]),
			    &answers->item[i]))
			return -1;
	}
	return decode_partial(d, json_object_get(value, "partial"), answers);
}

static int decode_slo(const struct decoder *d, const json_t *value, int *slo_r)
{
	const char *name =
		json_is_string(value) ? json_string_value(value) : "";
	size_t i;

	for (i = 0; i < d->policy->n_slos; i++) {
		if (strcmp(d->policy->slos[i].name, name) == 0) {
			*slo_r = (int)i;
			return 0;
		}
	}
	return bad(d, "slo", "one of the policy's");
}

static int decode_action(const struct decoder *d, const json_t *root)
{
	const char *list = json_string_value(json_object_get(root, "list"));
	const char *name = json_string_value(json_object_get(root, "name"));
	const struct actions *actions;
	size_t i;
	int l;

	for (l = 0; list && name && l < ACTION_LISTS; l++) {
		if (strcmp(action_list_name((enum action_list)l), list) != 0)
			continue;
		actions = &d->policy->lists[l];
		for (i = 0; i < actions->n; i++) {
			if (strcmp(actions->item[i].name, name) != 0)
				continue;
			d->event->list = (enum action_list)l;
			d->event->index = (int)i;
			return 0;
		}
	}
	return bad(d, "name", "an action of the policy");
}

static int decode_name(const struct decoder *d, const struct field *field,
	const json_t *value, int *value_r)
{
	const char *name = json_string_value(value);

	*value_r = name ? field->names->find(name) : field->names->n;
	if (*value_r >= field->names->n)
		return bad(d, field->key, "a word this version knows");
	return 0;
}

static int decode_field(
	const struct decoder *d, const struct field *field, const json_t *root)
{
	const json_t *value = json_object_get(root, field->key);
	void *at = (char *)d->event + field->offset;
	const char *wrong;
	int64_t number;

	switch (field->kind) {
	case KIND_TEXT:
		return decode_text(d, field->key, value, at);
	case KIND_BOOL:
		if (!json_is_boolean(value))
			return bad(d, field->key, "true or false");
		*(bool *)at = json_is_true(value);
		return 0;
	case KIND_FLAG:
		if (value && !json_is_boolean(value))
			return bad(d, field->key, "true or false");
		*(bool *)at = json_is_true(value);
		return 0;
	case KIND_INT:
		if (decode_int(d, field->key, value, field->max, &number))
			return -1;
		*(int *)at = (int)number;
		return 0;
	case KIND_LONG:
		return decode_int(d, field->key, value, field->max, at);
	case KIND_COUNT:
		*(int64_t *)at = 0;
		return value ? decode_int(d, field->key, value, field->max, at)
			     : 0;
	case KIND_SEED:
		return decode_seed(d, value, at);
	case KIND_STEP:
		return decode_step(d, value, at);
	case KIND_SPLIT:
		return decode_split(d, field->key, value, at);
	case KIND_ANSWERS:
		return decode_answers(d, value, at);
	case KIND_COUNTS:
		wrong = counts_decode(value, d->arena, at);
		return wrong ? bad(d, field->key, wrong) : 0;
	case KIND_HISTORIES:
		wrong = histories_decode(value, d->policy, d->arena, d->event);
		return wrong ? bad(d, field->key, wrong) : 0;
	case KIND_SLO:
		return decode_slo(d, value, at);
	case KIND_ACTION:
		return decode_action(d, root);
	case KIND_CHOICE:
		*(int *)at = 0;
		return value ? decode_name(d, field, value, at) : 0;
	case KIND_NAME:
		return decode_name(d, field, value, at);
	}
	abort();
}

/* Journals of 0.1.0 say only whether the service had settled. */
static void decode_settled(struct event *event, const json_t *root)
{
	if (!json_is_false(json_object_get(root, "settled")))
		return;
	event->reconciling = true;
	event->moving = true;
}

static int decode_root(const struct decoder *d, const json_t *root)
{
	const struct field *field = event_fields[d->event->type];

	if (!json_is_object(root))
		return err_set(d->err_r, ERR_STORE,
			"the journal has a \"%s\" entry that is not a JSON "
			"object",
			d->name);
	for (; field->key; field++) {
		if (decode_field(d, field, root))
			return -1;
	}
	if (d->event->type == EVENT_TRAFFIC ||
		d->event->type == EVENT_PREFLIGHT)
		decode_settled(d->event, root);
	return 0;
}

int event_decode(const char *name, const char *data,
	const struct policy *policy, struct arena *arena, struct event *event_r,
	struct err *err_r)
{
	struct decoder d = {
		.policy = policy,
		.arena = arena,
		.event = event_r,
		.err_r = err_r,
	};
	size_t len = strlen(data);
	json_t *root;
	int rc;

	*event_r = (struct event){.type = event_find(name)};
	if (event_r->type == EVENTS)
		return err_set(err_r, ERR_STORE,
			"the journal has an entry \"%.40s\" that this version "
			"does not know",
			name);
	if (len > STORE_EVENT_BYTES_MAX)
		return err_set(err_r, ERR_STORE,
			"the journal has a \"%s\" entry of %zu bytes", name,
			len);
	d.name = event_name(event_r->type);
	root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	rc = decode_root(&d, root);
	json_decref(root);
	return rc;
}

static const char *text_of(
	const json_t *root, const char *key, struct arena *arena)
{
	const char *text = json_string_value(json_object_get(root, key));

	return text ? arena_strdup(arena, text) : NULL;
}

void event_queries(
	const char *data, struct arena *arena, struct event_context *context_r)
{
	json_t *root = json_loads(data, JSON_REJECT_DUPLICATES, NULL);

	*context_r = (struct event_context){0};
	for (size_t i = 0; i < QUERY_ROLES; i++)
		context_r->query[i] = text_of(root, event_query_keys[i], arena);
	json_decref(root);
}
