/* SPDX-License-Identifier: Apache-2.0 */
/* Events and notes as JSON; see event_codec.h. Never fails. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "engine/evidence_text.h"
#include "store/event_codec.h"
#include "store/event_fields.h"
#include "store/evidence_codec.h"

/* Of a text in an entry that was too large; the engine keeps less of it. */
#define BRIEF_TEXT_MAX (2 * ROLLOUT_TEXT_MAX)

static void encode_split(
	struct jsonw *w, const char *key, const struct split *split)
{
	jsonw_object(w, key);
	jsonw_int(w, "candidate", split->candidate);
	jsonw_int(w, "stable", split->stable);
	jsonw_int(w, "other", split->other);
	jsonw_end(w, '}');
}

/* Which of the answers said that they were incomplete; mostly none does. */
static void encode_partial(struct jsonw *w, const struct answers *answers)
{
	bool any = false;

	for (size_t i = 0; i < QUERY_ROLES; i++) {
		if (!answers->item[i].partial)
			continue;
		if (!any)
			jsonw_array(w, "partial");
		any = true;
		jsonw_text(w, NULL, answer_keys[i]);
	}
	if (any)
		jsonw_end(w, ']');
}

static void encode_answers(
	struct jsonw *w, const char *key, const struct answers *answers)
{
	const struct answer *a;
	size_t i;

	jsonw_object(w, key);
	for (i = 0; i < QUERY_ROLES; i++) {
		a = &answers->item[i];
		switch (a->kind) {
		case ANSWER_NOT_ASKED:
			break;
		case ANSWER_VALUE:
			jsonw_number(w, answer_keys[i], a->value);
			break;
		case ANSWER_NO_DATA:
			jsonw_text(w, answer_keys[i], "no-data");
			break;
		case ANSWER_ERROR:
			jsonw_text(w, answer_keys[i], "error");
			break;
		}
	}
	encode_partial(w, answers);
	jsonw_end(w, '}');
}

static void encode_slo(struct jsonw *w, const struct policy *policy, int slo)
{
	if (slo >= 0 && (size_t)slo < policy->n_slos)
		jsonw_text(w, "slo", policy->slos[slo].name);
}

static void encode_action(struct jsonw *w, const struct policy *policy,
	enum action_list list, int index)
{
	const struct action *action;

	jsonw_text(w, "list", action_list_name(list));
	if (index < 0 || (size_t)index >= policy->lists[list].n)
		return;
	action = &policy->lists[list].item[index];
	jsonw_text(w, "name", action->name);
	jsonw_text(w, "type", action_kind_name(action->kind));
}

/* Steps are counted from 1 where people see them. */
static void encode_step(struct jsonw *w, int step)
{
	if (step >= 0)
		jsonw_int(w, "step", (int64_t)step + 1);
}

static void encode_text(struct jsonw *w, const char *key, const char *text)
{
	if (text && *text)
		jsonw_text(w, key, text);
}

static void encode_seed(struct jsonw *w, const char *key, uint64_t seed)
{
	char text[JSONW_NUMBER_MAX];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	jsonw_text(w, key, text);
}

static void encode_field(struct jsonw *w, const struct field *field,
	const struct event *event, const struct policy *policy)
{
	const void *at = (const char *)event + field->offset;

	switch (field->kind) {
	case KIND_TEXT:
		encode_text(w, field->key, *(const char *const *)at);
		break;
	case KIND_BOOL:
		jsonw_bool(w, field->key, *(const bool *)at);
		break;
	case KIND_FLAG:
		if (*(const bool *)at)
			jsonw_bool(w, field->key, true);
		break;
	case KIND_INT:
		jsonw_int(w, field->key, *(const int *)at);
		break;
	case KIND_LONG:
		jsonw_int(w, field->key, *(const int64_t *)at);
		break;
	case KIND_COUNT:
		if (*(const int64_t *)at)
			jsonw_int(w, field->key, *(const int64_t *)at);
		break;
	case KIND_SEED:
		encode_seed(w, field->key, *(const uint64_t *)at);
		break;
	case KIND_STEP:
		encode_step(w, *(const int *)at);
		break;
	case KIND_SPLIT:
		encode_split(w, field->key, at);
		break;
	case KIND_ANSWERS:
		encode_answers(w, field->key, at);
		break;
	case KIND_COUNTS:
		counts_encode(
			w, field->key, *(const struct check_counts *const *)at);
		break;
	case KIND_HISTORIES:
		histories_encode(w, field->key, policy, event);
		break;
	case KIND_SLO:
		encode_slo(w, policy, *(const int *)at);
		break;
	case KIND_ACTION:
		encode_action(w, policy, event->list, *(const int *)at);
		break;
	case KIND_CHOICE:
		if (*(const int *)at)
			jsonw_text(w, field->key,
				field->names->name(*(const int *)at));
		break;
	case KIND_NAME:
		/* Every enum here is as wide as an int. */
		jsonw_text(w, field->key, field->names->name(*(const int *)at));
		break;
	}
}

/* null: there is none; jsonw has strings for the infinities. */
static void encode_value(struct jsonw *w, const char *key, double value)
{
	if (isnan(value))
		jsonw_null(w, key);
	else
		jsonw_number(w, key, value);
}

/* Of a check whose counts were taken: what its SLO shows since; NULL: none. */
static const struct evidence_slo *find_counted(
	const struct event *event, const struct event_context *context)
{
	if (!context->state || !context->seen || !context->seen->counted)
		return NULL;
	return evidence_find(context->state->evidence, event->slo);
}

static void encode_judgement(struct jsonw *w, const struct event *event,
	const struct event_context *context)
{
	const struct judgement *j = context->judgement;
	const struct evidence_slo *counted = find_counted(event, context);
	char text[CHECK_TEXT_MAX];

	if (context->state)
		encode_step(w, context->state->step);
	if (counted) {
		encode_value(w, "value", evidence_share(counted));
		encode_value(w, "limit", counted->spec.objective);
	} else {
		encode_value(w, "value", j->value);
		encode_value(w, "limit", j->limit);
	}
	jsonw_text(w, "outcome", outcome_name(j->outcome));
	if (j->critical)
		jsonw_bool(w, "critical", true);
	encode_text(w, "text",
		counted ? evidence_print_check(context->state->evidence,
				  counted, &context->seen->own, text)
			: judgement_print(
				  &context->policy->slos[event->slo], j, text));
}

static void encode_evidence(struct jsonw *w, const struct event *event,
	const struct event_context *context)
{
	if (event->type == EVENT_PREFLIGHT && context->state &&
		context->state->evidence)
		evidence_rules_encode(
			w, context->policy, context->state->evidence);
	evidence_check_encode(w, context->seen);
}

static void encode_context(struct jsonw *w, const struct event *event,
	const struct event_context *context)
{
	if (context->judgement)
		encode_judgement(w, event, context);
	encode_evidence(w, event, context);
	for (size_t i = 0; i < QUERY_ROLES; i++)
		encode_text(w, event_query_keys[i], context->query[i]);
	encode_text(w, "warnings", context->warnings);
	if (context->table && *context->table)
		jsonw_raw(w, "table", context->table);
	if (context->extra)
		jsonw_members(w, context->extra);
	if (context->cut)
		jsonw_bool(w, "cut", true);
}

void event_encode(const struct event *event,
	const struct event_context *context, struct buf *out)
{
	struct jsonw w = {.out = out};
	const struct field *field = event_fields[event->type];

	jsonw_object(&w, NULL);
	for (; field->key; field++)
		encode_field(&w, field, event, context->policy);
	encode_context(&w, event, context);
	jsonw_end(&w, '}');
}

/* Not through the middle of a UTF-8 sequence. */
static void text_cut(char text[BRIEF_TEXT_MAX], const char *from)
{
	size_t len = strnlen(from, BRIEF_TEXT_MAX - 1);

	while (len && from[len] && ((unsigned char)from[len] & 0xc0) == 0x80)
		len--;
	memcpy(text, from, len);
	text[len] = '\0';
}

static bool fits(const struct event *event, const struct event_context *context,
	struct buf *out)
{
	buf_clear(out);
	event_encode(event, context, out);
	return !out->overflow;
}

void event_encode_to_fit(const struct event *event,
	const struct event_context *context, struct buf *out)
{
	struct event_context less = *context;
	struct event brief = *event;
	char text[BRIEF_TEXT_MAX];

	if (fits(event, &less, out))
		return;
	less.cut = true;
	less.table = NULL;
	if (fits(event, &less, out))
		return;
	memset(less.query, 0, sizeof(less.query));
	less.warnings = NULL;
	if (fits(event, &less, out))
		return;
	if (event->text) {
		text_cut(text, event->text);
		brief.text = text;
	}
	if (fits(&brief, &less, out))
		return;
	less.extra = NULL;
	assert(fits(&brief, &less, out));
}

void note_encode(const struct note *note, const struct event_context *context,
	struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	if (note->type == NOTE_PHASE) {
		jsonw_text(&w, "from", phase_name(note->from));
		jsonw_text(&w, "to", phase_name(note->to));
	}
	if ((size_t)note->step < context->policy->n_steps)
		encode_step(&w, note->step);
	encode_slo(&w, context->policy, note->slo);
	if (note->index >= 0) {
		encode_action(&w, context->policy, note->list, note->index);
		jsonw_int(&w, "attempt", note->attempt);
	}
	if (!isnan(note->value))
		jsonw_number(&w, "value", note->value);
	if (!isnan(note->limit))
		jsonw_number(&w, "limit", note->limit);
	encode_text(&w, "text", note->text);
	if (note->type == NOTE_EVIDENCE && context->state)
		evidence_step_encode(
			&w, context->policy, context->state->evidence);
	jsonw_end(&w, '}');
}
