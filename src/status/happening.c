/* SPDX-License-Identifier: Apache-2.0 */
/* What matters of the journal; see happening.h. */
#include "status/happening.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct past_outcome {
	enum outcome outcome;
	int breaches; /* as they were told */
};

struct happenings {
	const struct policy *policy;
	struct past_outcome slo[];
};

struct happenings *happenings_new(const struct policy *policy)
{
	struct happenings *h =
		xcalloc(1, sizeof(*h) + policy->n_slos * sizeof(h->slo[0]));

	h->policy = policy;
	return h;
}

void happenings_free(struct happenings **happenings)
{
	free(*happenings);
	*happenings = NULL;
}

/* An entry on its way to a line. */
struct telling {
	struct happenings *h;
	const struct rollout *r;
	const struct store_event *entry;
	const json_t *root; /* NULL: it makes no sense */
	enum happening_tone tone;
	struct buf *out;
};

static const char *text_of(const struct telling *t, const char *key)
{
	const char *text = json_string_value(json_object_get(t->root, key));

	return text ? text : "";
}

static void tell(struct telling *t, enum happening_tone tone)
{
	t->tone = tone;
}

/* ": why", where it says why. */
static void add_why(struct telling *t, const char *key)
{
	const char *text = text_of(t, key);

	if (*text)
		buf_addf(t->out, ": %s", text);
}

/* ---- events ---- */

static void tell_started(struct telling *t)
{
	buf_addf(t->out, "started by %s", text_of(t, "who"));
}

static void tell_preflight(struct telling *t)
{
	if (json_is_true(json_object_get(t->root, "ok"))) {
		buf_adds(t->out, "preflight has passed");
		return;
	}
	tell(t, HAPPENING_BAD);
	buf_adds(t->out, "refused");
	add_why(t, "text");
}

static size_t slo_of(const struct telling *t)
{
	size_t i;

	for (i = 0; i < t->h->policy->n_slos; i++) {
		if (!strcmp(t->h->policy->slos[i].name, text_of(t, "slo")))
			break;
	}
	return i;
}

static const char *what_fails(const struct policy *policy)
{
	switch (policy->on_breach) {
	case ON_BREACH_HOLD:
		return "hold";
	case ON_BREACH_OBSERVE:
		return "are told of";
	default:
		return "revert";
	}
}

/* "error-rate: 14.8 % > 5 % (1 of the last 3; 2 of 3 revert)" */
static void tell_breach(struct telling *t, size_t i, int breaches)
{
	const struct slo *slo = &t->h->policy->slos[i];

	tell(t, HAPPENING_WAIT);
	buf_adds(t->out, slo->name);
	add_why(t, "text");
	if (breaches)
		buf_addf(t->out, " (%d of the last %d; %d of %d %s)", breaches,
			slo->fail_of, slo->fail_breaches, slo->fail_of,
			what_fails(t->h->policy));
	else
		buf_adds(t->out, " (does not count while it settles)");
}

/* A check is told of when it says another thing than the one before. */
static void tell_check(struct telling *t)
{
	enum outcome outcome = outcome_find(text_of(t, "outcome")), last;
	size_t i = slo_of(t);
	int breaches, told;

	if (i == t->h->policy->n_slos)
		return;
	last = t->h->slo[i].outcome;
	told = t->h->slo[i].breaches;
	breaches = __builtin_popcountll(t->r->check[i].breaches);
	t->h->slo[i] = (struct past_outcome){outcome, breaches};
	switch (outcome) {
	case OUTCOME_BREACH:
		if (last != outcome || breaches != told)
			tell_breach(t, i, breaches);
		break;
	case OUTCOME_NO_DATA:
	case OUTCOME_ERROR:
		if (last == outcome)
			break;
		tell(t, HAPPENING_WAIT);
		buf_adds(t->out, t->h->policy->slos[i].name);
		add_why(t, "text");
		break;
	case OUTCOME_PASS:
		if (last == OUTCOME_PASS || last == OUTCOME_NONE)
			break;
		tell(t, HAPPENING_GOOD);
		buf_addf(t->out, "%s passes again", t->h->policy->slos[i].name);
		break;
	default:
		break;
	}
}

static void tell_action(struct telling *t)
{
	const char *result = text_of(t, "result");

	tell(t, !strcmp(result, "ok") ? HAPPENING_PLAIN : HAPPENING_BAD);
	buf_addf(t->out, "action %s: %s", text_of(t, "name"), result);
	if (strcmp(result, "ok") != 0)
		add_why(t, "detail");
}

static void tell_command(struct telling *t)
{
	static const char *const deeds[VERBS] = {
		[VERB_APPROVE] = "approves",
		[VERB_REJECT] = "rejects",
		[VERB_PAUSE] = "pauses it",
		[VERB_CONTINUE] = "lets it go on",
		[VERB_ABORT] = "aborts it",
	};
	enum verb verb = verb_find(text_of(t, "verb"));

	if (verb == VERBS)
		return;
	buf_addf(t->out, "%s %s", text_of(t, "who"), deeds[verb]);
	add_why(t, "comment");
}

static void tell_stable(struct telling *t)
{
	if (!*text_of(t, "text"))
		return;
	tell(t, HAPPENING_WAIT);
	buf_addf(t->out, "the stable revision: %s", text_of(t, "text"));
}

static void tell_interrupt(struct telling *t)
{
	tell(t, HAPPENING_WAIT);
	buf_adds(t->out, "told to stop");
	add_why(t, "text");
}

static void tell_resumed(struct telling *t)
{
	buf_adds(t->out, "taken up again");
	if (*text_of(t, "who"))
		buf_addf(t->out, " by %s", text_of(t, "who"));
}

/* ---- notes ---- */

static void tell_phase(struct telling *t)
{
	switch (phase_find(text_of(t, "to"))) {
	case PHASE_AWAITING_APPROVAL:
		tell(t, HAPPENING_WAIT);
		buf_adds(t->out, "waits for approval");
		add_why(t, "text");
		break;
	case PHASE_HELD:
		tell(t, HAPPENING_WAIT);
		buf_adds(t->out, "held");
		add_why(t, "text");
		break;
	case PHASE_REVERTING:
		tell(t, HAPPENING_BAD);
		buf_adds(t->out, "reverts");
		add_why(t, "text");
		break;
	case PHASE_ROLLING_BACK:
		tell(t, HAPPENING_GOOD);
		buf_adds(t->out, "stable has its traffic back");
		break;
	case PHASE_ROLLBACK_FAILED:
	case PHASE_STOPPED:
		tell(t, HAPPENING_BAD);
		buf_adds(t->out, text_of(t, "to"));
		add_why(t, "text");
		break;
	default:
		break;
	}
}

static void tell_note(struct telling *t)
{
	tell(t, HAPPENING_WAIT);
	buf_adds(t->out, text_of(t, "text"));
}

static void tell_good(struct telling *t)
{
	tell(t, HAPPENING_GOOD);
	buf_adds(t->out, text_of(t, "text"));
}

static void tell_plain(struct telling *t)
{
	buf_adds(t->out, text_of(t, "text"));
}

static void tell_step_passed(struct telling *t)
{
	char passed[32];

	tell(t, HAPPENING_GOOD);
	snprintf(passed, sizeof(passed), "step %d has passed",
		(int)json_integer_value(json_object_get(t->root, "step")));
	buf_adds(t->out, passed);
	/* By evidence it says what was shown. */
	if (strcmp(text_of(t, "text"), passed) != 0)
		add_why(t, "text");
}

/* The revert or the hold that follows says the same. */
static void tell_failed(struct telling *t)
{
	enum phase phase = phase_find(t->entry->phase);

	if (phase == PHASE_REVERTING || phase == PHASE_HELD)
		return;
	tell(t, HAPPENING_BAD);
	buf_adds(t->out, text_of(t, "text"));
}

static void tell_skipped(struct telling *t)
{
	buf_addf(t->out, "action %s is skipped", text_of(t, "name"));
	add_why(t, "text");
}

static void tell_refused(struct telling *t)
{
	tell(t, HAPPENING_WAIT);
	buf_addf(t->out, "refused: %s", text_of(t, "text"));
}

static void tell_drift(struct telling *t)
{
	tell(t, HAPPENING_BAD);
	buf_addf(t->out, "somebody else changed the traffic: %s",
		text_of(t, "text"));
}

static void tell_shift(struct telling *t)
{
	buf_addf(t->out, "traffic moves: %s", text_of(t, "text"));
}

/* ---- together ---- */

typedef void (*tell_fn)(struct telling *t);

/* Timers, reads and writes say nothing that the panel does not show. */
static const tell_fn events[EVENTS] = {
	[EVENT_STARTED] = tell_started,
	[EVENT_PREFLIGHT] = tell_preflight,
	[EVENT_STABLE] = tell_stable,
	[EVENT_CHECK] = tell_check,
	[EVENT_ACTION] = tell_action,
	[EVENT_COMMAND] = tell_command,
	[EVENT_INTERRUPT] = tell_interrupt,
	[EVENT_RESUMED] = tell_resumed,
};

static const tell_fn notes[NOTES] = {
	[NOTE_PHASE] = tell_phase,
	[NOTE_STEP_STARTED] = tell_plain,
	[NOTE_EVIDENCE] = tell_plain,
	[NOTE_STEP_PASSED] = tell_step_passed,
	[NOTE_BREACH] = tell_failed,
	[NOTE_WOULD_REVERT] = tell_note,
	[NOTE_DRIFT] = tell_drift,
	[NOTE_RETRY] = tell_note,
	[NOTE_ACTION_SKIPPED] = tell_skipped,
	[NOTE_APPROVED] = tell_good,
	[NOTE_REFUSED] = tell_refused,
	[NOTE_SHIFT] = tell_shift,
	[NOTE_WARNING] = tell_note,
};

static tell_fn find_telling(const struct store_event *entry)
{
	size_t i;

	if (!entry->is_note && event_find(entry->name) != EVENTS)
		return events[event_find(entry->name)];
	for (i = 0; entry->is_note && i < NOTES; i++) {
		if (!strcmp(entry->name, note_name((enum note_type)i)))
			return notes[i];
	}
	return NULL;
}

bool happenings_take(struct happenings *happenings,
	const struct rollout *rollout, const struct store_event *entry,
	enum happening_tone *tone_r, struct buf *text)
{
	json_t *root = json_loads(entry->data, JSON_REJECT_DUPLICATES, NULL);
	struct telling t = {.h = happenings,
		.r = rollout,
		.entry = entry,
		.root = root,
		.out = text};
	tell_fn fn = find_telling(entry);
	size_t before = text->len;

	if (fn)
		fn(&t);
	*tone_r = t.tone;
	json_decref(root);
	return text->len > before;
}
