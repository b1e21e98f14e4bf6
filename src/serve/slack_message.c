/* SPDX-License-Identifier: Apache-2.0 */
/* What is posted to Slack; see slack_message.h. */
#include "serve/slack_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mrkdwn.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "identity/slack_codec.h"
#include "io/digest.h"
#include "serve/rulings.h"

/* Slack's limits, in characters; bytes are never fewer. Those of texts that may
 * be long are lower than Slack's, for the sake of SLACK_MESSAGE_MAX. */
#define SECTION_MAX  1800
#define FALLBACK_MAX 500
#define CONFIRM_MAX  300
#define SLOS_MAX     10
#define SLO_MAX      160
#define DEEDS_MAX    3
#define DEED_MAX     300
#define LINES_MAX    (16 * 1024)

/* ---- pieces ---- */

/* Strangers' text: one line, whole characters, nothing but text. */
static void add_text(struct buf *out, const char *text, size_t max)
{
	struct buf plain, safe;

	buf_init(&plain, LINES_MAX);
	buf_init(&safe, LINES_MAX);
	printable_add(&plain, text ? text : "");
	mrkdwn_escape(&safe, plain.data);
	mrkdwn_cut(&safe, max);
	buf_adds(out, safe.data);
	buf_fini(&safe);
	buf_fini(&plain);
}

static void put_text(
	struct jsonw *w, const char *key, const char *type, const char *text)
{
	jsonw_object(w, key);
	jsonw_text(w, "type", type);
	jsonw_text(w, "text", text);
	/* No name of a channel or a person is looked for in it. */
	if (!strcmp(type, "mrkdwn"))
		jsonw_bool(w, "verbatim", true);
	else
		jsonw_bool(w, "emoji", false);
	jsonw_end(w, '}');
}

/* Nothing where there is no text. */
static void put_section(struct jsonw *w, const struct buf *text)
{
	if (!text->len)
		return;
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "section");
	put_text(w, "text", "mrkdwn", text->data);
	jsonw_end(w, '}');
}

/* ---- what is said ---- */

static void say_now(const struct summary *s, struct buf *out)
{
	buf_adds(out, "*");
	add_text(out, s->service, 100);
	buf_adds(out, "*: ");
	add_text(out, s->now, SECTION_MAX / 2);
	if (*s->next) {
		buf_addc(out, '\n');
		add_text(out, s->next, SECTION_MAX / 2);
	}
}

static void say_split(const struct summary *s, struct buf *out)
{
	if (*s->candidate) {
		buf_adds(out, "`");
		add_text(out, s->candidate, 100);
		buf_addf(out, "` serves %d %%", s->candidate_percent);
	}
	if (*s->stable) {
		buf_adds(out, ", `");
		add_text(out, s->stable, 100);
		buf_addf(out, "` %d %%", s->stable_percent);
	}
	if (s->step > 0 && s->step <= s->n_steps)
		buf_addf(out, "%sstep %d of %d", out->len ? "; " : "", s->step,
			s->n_steps);
}

static void say_slo(const struct summary_slo *slo, struct buf *out)
{
	struct buf line;

	buf_init(&line, LINES_MAX);
	buf_addf(&line, "%s: %s", slo->name, slo->says);
	if (*slo->value_text)
		buf_addf(&line, ", %s", slo->value_text);
	if (*slo->limit_text)
		buf_addf(&line, " (limit %s)", slo->limit_text);
	if (slo->meters_text && *slo->meters_text)
		buf_addf(&line, ", %s", slo->meters_text);
	else if (slo->passes_text && *slo->passes_text)
		buf_addf(&line, ", %s passes", slo->passes_text);
	buf_addf(out, "%s• ", out->len ? "\n" : "");
	add_text(out, line.data, SLO_MAX);
	buf_fini(&line);
}

/* Those that do not pass are what people look for. */
static void say_slos(const struct summary *s, struct buf *out)
{
	size_t n = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < s->n_slos && n < SLOS_MAX; i++)
			if ((s->slos[i].verdict == SLO_PASSES) == pass) {
				say_slo(&s->slos[i], out);
				n++;
			}
	if (n < s->n_slos)
		buf_addf(out, "\n… and %zu more", s->n_slos - n);
}

static void say_deed(const struct deed *deed, struct buf *out)
{
	struct buf line;
	char at[SUMMARY_TIME_MAX];

	buf_init(&line, LINES_MAX);
	buf_addf(&line, "%s %s by %s",
		summary_clock_utc(deed->time_ms, deed->time_ms, at),
		verb_name(deed->verb), deed->who);
	if (deed->refused)
		buf_addf(&line, ", not taken: %s", deed->refusal);
	if (*deed->comment)
		buf_addf(&line, ": “%s”", deed->comment);
	buf_addf(out, "%s", out->len ? "\n" : "");
	add_text(out, line.data, DEED_MAX);
	buf_fini(&line);
}

static void say_deeds(const struct summary *s, struct buf *out)
{
	const struct summary_people *p = &s->people;
	size_t first = p->n_deeds > DEEDS_MAX ? p->n_deeds - DEEDS_MAX : 0;

	for (size_t i = first; i < p->n_deeds; i++)
		say_deed(&p->deeds[i], out);
}

static void put_said(struct jsonw *w, const struct summary *s,
	void (*say)(const struct summary *, struct buf *))
{
	struct buf text;

	buf_init(&text, LINES_MAX);
	say(s, &text);
	put_section(w, &text);
	buf_fini(&text);
}

static void put_context(struct jsonw *w, const struct slack_message *m)
{
	const struct summary *s = m->summary;
	char at[SUMMARY_TIME_MAX];
	struct buf text;

	buf_init(&text, LINES_MAX);
	buf_adds(&text, "<");
	mrkdwn_escape(&text, m->public_url);
	buf_addf(&text, "%srollouts/",
		m->public_url[strlen(m->public_url) - 1] == '/' ? "" : "/");
	mrkdwn_escape(&text, s->id);
	buf_adds(&text, "|");
	mrkdwn_escape(&text, s->id);
	buf_addf(&text, "> as of %s",
		summary_clock_utc(
			s->read_ms ? s->read_ms : s->now_ms, s->now_ms, at));
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "context");
	jsonw_array(w, "elements");
	put_text(w, NULL, "mrkdwn", text.data);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
	buf_fini(&text);
}

/* ---- buttons ---- */

void slack_nonce(const struct summary *summary, const char *mark,
	char nonce[SLACK_NONCE_MAX])
{
	const struct summary_people *p = &summary->people;
	int64_t last_ms = p->n_deeds ? p->deeds[p->n_deeds - 1].time_ms : 0;
	char digest[DIGEST_TEXT_MAX];
	char *text = xasprintf("%s\n%d\n%d\n%zu\n%" PRId64, mark,
		(int)summary->phase, summary->step, p->n_deeds, last_ms);

	digest_text(text, strlen(text), digest);
	snprintf(nonce, SLACK_NONCE_MAX, "%.32s", digest);
	free(text);
}

static const char *title_of(enum verb verb)
{
	static const char *const titles[VERBS] = {
		[VERB_APPROVE] = "Approve",
		[VERB_REJECT] = "Reject",
		[VERB_PAUSE] = "Pause",
		[VERB_CONTINUE] = "Continue",
		[VERB_ABORT] = "Abort",
	};

	return titles[verb];
}

/* What a modal asks for needs no second question. */
static void put_confirm(
	struct jsonw *w, const struct summary *s, enum verb verb)
{
	struct buf text;

	buf_init(&text, LINES_MAX);
	buf_addf(&text, "%s ", verb_name(verb));
	printable_add(&text, s->verbs[verb].says);
	buf_adds(&text, ". ");
	printable_add(&text, s->candidate);
	buf_addf(&text, " serves %d %%; %zu of %zu SLOs pass.",
		s->candidate_percent, s->n_passing, s->n_slos);
	mrkdwn_cut(&text, CONFIRM_MAX);
	jsonw_object(w, "confirm");
	put_text(w, "title", "plain_text", title_of(verb));
	put_text(w, "text", "plain_text", text.data);
	put_text(w, "confirm", "plain_text", title_of(verb));
	put_text(w, "deny", "plain_text", "Not now");
	jsonw_end(w, '}');
	buf_fini(&text);
}

static void put_button(struct jsonw *w, const struct slack_message *m,
	const char *nonce, enum verb verb)
{
	const struct summary *s = m->summary;
	struct slack_value value = {.verb = verb, .step = s->step};
	struct buf text;

	snprintf(value.rollout, sizeof(value.rollout), "%s", s->id);
	snprintf(value.candidate, sizeof(value.candidate), "%s", s->candidate);
	snprintf(value.nonce, sizeof(value.nonce), "%s", nonce);
	buf_init(&text, SLACK_VALUE_BYTES);
	slack_value_print(&value, &text);
	if (text.overflow) { /* no name of Cloud Run's is so long */
		buf_fini(&text);
		return;
	}
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "button");
	jsonw_text(w, "action_id", verb_name(verb));
	put_text(w, "text", "plain_text", title_of(verb));
	jsonw_text(w, "value", text.data);
	if (verb == VERB_APPROVE)
		jsonw_text(w, "style", "primary");
	if (verb == VERB_REJECT || verb == VERB_ABORT)
		jsonw_text(w, "style", "danger");
	if (!ruling_needs_comment(s->phase, s->cause,
		    s->outlook.waits_for == OUTLOOK_FREEZE, verb))
		put_confirm(w, s, verb);
	jsonw_end(w, '}');
	buf_fini(&text);
}

/* Those that the engine would take from somebody. */
static void put_buttons(struct jsonw *w, const struct slack_message *m)
{
	char nonce[SLACK_NONCE_MAX];
	bool any = false;

	slack_nonce(m->summary, m->mark, nonce);
	for (int i = 0; i < VERBS; i++)
		any |= m->summary->verbs[i].is_taken;
	if (!any)
		return;
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "actions");
	jsonw_text(w, "block_id", "decide");
	jsonw_array(w, "elements");
	for (int i = 0; i < VERBS; i++)
		if (m->summary->verbs[i].is_taken)
			put_button(w, m, nonce, (enum verb)i);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

/* ---- the message ---- */

static void put_metadata(struct jsonw *w, const struct slack_message *m)
{
	jsonw_object(w, "metadata");
	jsonw_text(w, "event_type", SLACK_EVENT_TYPE);
	jsonw_object(w, "event_payload");
	jsonw_text(w, "mark", m->mark);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

/* For notifications, and for who sees no blocks. */
static void put_fallback(struct jsonw *w, const struct summary *s)
{
	struct buf text;

	buf_init(&text, LINES_MAX);
	add_text(&text, s->service, 100);
	buf_adds(&text, ": ");
	add_text(&text, s->now, FALLBACK_MAX);
	jsonw_text(w, "text", text.data);
	buf_fini(&text);
}

void slack_message_print(const struct slack_message *m, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "channel", m->channel);
	if (m->ts)
		jsonw_text(&w, "ts", m->ts);
	put_fallback(&w, m->summary);
	if (!m->ts) {
		jsonw_bool(&w, "unfurl_links", false);
		jsonw_bool(&w, "unfurl_media", false);
	}
	put_metadata(&w, m);
	jsonw_array(&w, "blocks");
	put_said(&w, m->summary, say_now);
	put_said(&w, m->summary, say_split);
	put_said(&w, m->summary, say_slos);
	put_said(&w, m->summary, say_deeds);
	put_buttons(&w, m);
	put_context(&w, m);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
}

/* ---- the question ---- */

static void put_input(struct jsonw *w)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "type", "input");
	jsonw_text(w, "block_id", SLACK_COMMENT_ID);
	put_text(w, "label", "plain_text", "Why");
	jsonw_object(w, "element");
	jsonw_text(w, "type", "plain_text_input");
	jsonw_text(w, "action_id", SLACK_COMMENT_ID);
	jsonw_bool(w, "multiline", true);
	jsonw_int(w, "min_length", 1);
	jsonw_int(w, "max_length", SLACK_INPUT_MAX);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void put_what(struct jsonw *w, const struct slack_question *q)
{
	struct buf text;

	buf_init(&text, LINES_MAX);
	buf_addf(&text, "*%s* ", verb_name(q->value->verb));
	add_text(&text, q->value->rollout, SLACK_ROLLOUT_MAX);
	if (q->value->step)
		buf_addf(&text, ", step %d", q->value->step);
	if (*q->value->candidate) {
		buf_adds(&text, ", `");
		add_text(&text, q->value->candidate, 100);
		buf_adds(&text, "`");
	}
	if (q->is_grave)
		buf_adds(&text, ". The stable revision gets all traffic back.");
	buf_adds(&text, "\nYour name and this comment stand in the journal.");
	put_section(w, &text);
	buf_fini(&text);
}

void slack_question_print(
	const struct slack_question *question, struct buf *out)
{
	struct jsonw w = {.out = out};
	struct buf metadata;

	buf_init(&metadata, SLACK_VALUE_BYTES);
	slack_value_print(question->value, &metadata);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "trigger_id", question->trigger);
	jsonw_object(&w, "view");
	jsonw_text(&w, "type", "modal");
	jsonw_text(&w, "callback_id", SLACK_MODAL_ID);
	jsonw_text(&w, "private_metadata", metadata.data);
	put_text(&w, "title", "plain_text", title_of(question->value->verb));
	put_text(&w, "submit", "plain_text", title_of(question->value->verb));
	put_text(&w, "close", "plain_text", "Not now");
	jsonw_array(&w, "blocks");
	put_what(&w, question);
	put_input(&w);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	buf_fini(&metadata);
}

void slack_ephemeral_print(const char *text, struct buf *out)
{
	struct jsonw w = {.out = out};
	struct buf safe;

	buf_init(&safe, LINES_MAX);
	add_text(&safe, text, SECTION_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "response_type", "ephemeral");
	jsonw_bool(&w, "replace_original", false);
	jsonw_text(&w, "text", safe.data);
	jsonw_end(&w, '}');
	buf_fini(&safe);
}
