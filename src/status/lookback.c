/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout's past out of its journal; see lookback.h. */
#include "status/lookback.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/xalloc.h"

#define ENTRIES_BYTES_MAX 4096 /* of a list of traffic, for people */

struct past_slo {
	struct past_check check[LOOKBACK_CHECKS];
	size_t n; /* that were taken in all */
	const char *query; /* the latest, as it was asked; "": not known */
	struct arena texts;
};

struct lookback {
	const struct policy *policy;
	struct deed deeds[LOOKBACK_DEEDS];
	struct arena texts[LOOKBACK_DEEDS]; /* of each deed */
	size_t n_deeds;
	enum phase phase; /* after the last entry */
	struct found_drift drift;
	struct arena drift_texts, action_texts, service_texts;
	const char *modifier, *entries, *action_trouble;
	size_t n_slos; /* as the policy had them when this was made */
	struct past_slo slo[];
};

struct lookback *lookback_new(const struct policy *policy)
{
	struct lookback *l = xcalloc(
		1, sizeof(*l) + policy->n_slos * sizeof(struct past_slo));
	size_t i;

	l->policy = policy;
	l->n_slos = policy->n_slos;
	l->action_trouble = "";
	l->modifier = l->entries = "";
	l->drift.text = l->drift.modifier = l->drift.entries = "";
	for (i = 0; i < policy->n_slos; i++)
		l->slo[i].query = "";
	return l;
}

void lookback_free(struct lookback **lookback)
{
	struct lookback *l = *lookback;
	size_t i;

	if (!l)
		return;
	for (i = 0; i < LOOKBACK_DEEDS; i++)
		arena_fini(&l->texts[i]);
	for (i = 0; i < l->n_slos; i++)
		arena_fini(&l->slo[i].texts);
	arena_fini(&l->drift_texts);
	arena_fini(&l->action_texts);
	arena_fini(&l->service_texts);
	free(l);
	*lookback = NULL;
}

/* ---- fields of an entry ---- */

static const char *text_of(const json_t *root, const char *key)
{
	const char *text = json_string_value(json_object_get(root, key));

	return text ? text : "";
}

/* jsonw writes what JSON lacks as strings. */
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

static size_t slo_of(const struct lookback *l, const json_t *root)
{
	const char *name = text_of(root, "slo");
	size_t i;

	for (i = 0; i < l->policy->n_slos; i++) {
		if (!strcmp(l->policy->slos[i].name, name))
			break;
	}
	return i;
}

/* ---- what is kept ---- */

static void take_query(struct past_slo *slo, const char *query)
{
	if (!*query || !strcmp(query, slo->query))
		return;
	arena_fini(&slo->texts);
	slo->query = arena_strdup(&slo->texts, query);
}

static void take_check(
	struct lookback *l, const json_t *root, const struct store_event *entry)
{
	const json_t *answers = json_object_get(root, "answers");
	size_t i = slo_of(l, root);
	struct past_slo *slo = &l->slo[i];

	if (i == l->policy->n_slos)
		return;
	take_query(slo, text_of(root, "query"));
	slo->check[slo->n++ % LOOKBACK_CHECKS] = (struct past_check){
		.time_ms = entry->time_ms,
		.outcome = outcome_find(text_of(root, "outcome")),
		.value = number_of(root, "value"),
		.limit = number_of(root, "limit"),
		.stable = number_of(answers, "baseline"),
	};
}

static struct deed *new_deed(struct lookback *l, struct arena **texts_r)
{
	if (l->n_deeds == LOOKBACK_DEEDS) {
		arena_fini(&l->texts[0]);
		memmove(l->texts, l->texts + 1,
			(LOOKBACK_DEEDS - 1) * sizeof(l->texts[0]));
		memmove(l->deeds, l->deeds + 1,
			(LOOKBACK_DEEDS - 1) * sizeof(l->deeds[0]));
		arena_init(&l->texts[--l->n_deeds]);
	}
	*texts_r = &l->texts[l->n_deeds];
	return &l->deeds[l->n_deeds++];
}

static void take_command(
	struct lookback *l, const json_t *root, const struct store_event *entry)
{
	enum verb verb = verb_find(text_of(root, "verb"));
	struct arena *texts;
	struct deed *deed;

	if (verb == VERBS)
		return;
	deed = new_deed(l, &texts);
	*deed = (struct deed){
		.time_ms = entry->time_ms,
		.who = arena_strdup(texts, text_of(root, "who")),
		.comment = arena_strdup(texts, text_of(root, "comment")),
		.verb = verb,
		.step = (int)json_integer_value(json_object_get(root, "step")),
		.phase = l->phase,
		.refusal = "",
	};
}

/* A note that follows the command: "approve by bob: why". */
static void take_refusal(struct lookback *l, const json_t *root)
{
	struct deed *deed = l->n_deeds ? &l->deeds[l->n_deeds - 1] : NULL;
	const char *text = text_of(root, "text"), *why = strstr(text, ": ");

	if (!deed)
		return;
	deed->refused = true;
	deed->refusal =
		arena_strdup(&l->texts[l->n_deeds - 1], why ? why + 2 : text);
}

static void take_drift(
	struct lookback *l, const json_t *root, const struct store_event *entry)
{
	arena_fini(&l->drift_texts);
	l->drift = (struct found_drift){
		.time_ms = entry->time_ms,
		.text = arena_strdup(&l->drift_texts, text_of(root, "text")),
		.entries = arena_strdup(&l->drift_texts, l->entries),
		.modifier = arena_strdup(&l->drift_texts, l->modifier),
	};
}

/* "backend-2 10 %, LATEST 90 %": those with a percent. */
static const char *say_entries(struct lookback *l, const json_t *table)
{
	const char *text, *revision;
	struct buf out;
	int64_t percent;
	size_t i;

	buf_init(&out, ENTRIES_BYTES_MAX);
	for (i = 0; i < json_array_size(table); i++) {
		const json_t *entry = json_array_get(table, i);

		revision = text_of(entry, "revision");
		percent = json_integer_value(json_object_get(entry, "percent"));
		if (percent > 0)
			buf_addf(&out, "%s%s %lld %%", out.len ? ", " : "",
				*revision ? revision : "LATEST",
				(long long)percent);
	}
	text = arena_strdup(&l->service_texts, out.data);
	buf_fini(&out);
	return text;
}

/* A list stands in the journal when it has changed. */
static void take_traffic(struct lookback *l, const json_t *root)
{
	const json_t *table = json_object_get(root, "table");

	if (!json_is_array(table))
		return;
	arena_fini(&l->service_texts);
	l->modifier =
		arena_strdup(&l->service_texts, text_of(root, "modifier"));
	l->entries = say_entries(l, table);
}

static void take_action(struct lookback *l, const json_t *root)
{
	if (action_result_find(text_of(root, "result")) != ACTION_FAILED)
		return;
	arena_fini(&l->action_texts);
	l->action_trouble = arena_printf(&l->action_texts, "%s%s%s",
		text_of(root, "name"), *text_of(root, "detail") ? ": " : "",
		text_of(root, "detail"));
}

static void take_root(
	struct lookback *l, const json_t *root, const struct store_event *entry)
{
	switch (entry->is_note ? EVENTS : event_find(entry->name)) {
	case EVENT_CHECK:
		take_check(l, root, entry);
		break;
	case EVENT_COMMAND:
		take_command(l, root, entry);
		break;
	case EVENT_ACTION:
		take_action(l, root);
		break;
	case EVENT_TRAFFIC:
		take_traffic(l, root);
		break;
	default:
		break;
	}
	if (!entry->is_note)
		return;
	if (!strcmp(entry->name, note_name(NOTE_REFUSED)))
		take_refusal(l, root);
	else if (!strcmp(entry->name, note_name(NOTE_DRIFT)))
		take_drift(l, root, entry);
}

void lookback_take(struct lookback *l, const struct store_event *entry)
{
	json_t *root = json_loads(entry->data, JSON_REJECT_DUPLICATES, NULL);

	take_root(l, root, entry);
	l->phase = phase_find(entry->phase);
	json_decref(root);
}

/* ---- what is asked for ---- */

size_t lookback_checks(const struct lookback *l, size_t slo,
	struct past_check checks[LOOKBACK_CHECKS])
{
	const struct past_slo *past = &l->slo[slo];
	size_t n = past->n < LOOKBACK_CHECKS ? past->n : LOOKBACK_CHECKS;
	size_t i;

	for (i = 0; i < n; i++)
		checks[i] = past->check[(past->n - n + i) % LOOKBACK_CHECKS];
	return n;
}

const char *lookback_query(const struct lookback *l, size_t slo)
{
	return l->slo[slo].query;
}

const struct deed *lookback_deeds(const struct lookback *l, size_t *n_r)
{
	*n_r = l->n_deeds;
	return l->deeds;
}

const struct found_drift *lookback_drift(const struct lookback *l)
{
	return &l->drift;
}

const char *lookback_action_trouble(const struct lookback *l)
{
	return l->action_trouble;
}
