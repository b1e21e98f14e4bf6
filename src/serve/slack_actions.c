/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /slack/actions: somebody has pressed a button of ours in Slack, or has
 * said why in the question that came of it. It goes the way of all decisions;
 * what came of it is told by the message, or, when it was not taken, to them
 * alone.
 *
 *   slack_actions_post ─ press_known ─ press_decide ─ press_decided
 *                                                      └ a comment is needed:
 *                                        press_ask ─ press_asked
 *
 * Slack waits for 3 seconds: it is answered when the decision is, or when
 * PRESS_ANSWER_MS are over, whichever comes first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "identity/identity.h"
#include "identity/slack_codec.h"
#include "io/digest.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/decision.h"
#include "serve/handlers.h"
#include "serve/once.h"
#include "serve/slack_api.h"
#include "serve/slack_message.h"

#define PRESS_ANSWER_MS 2000
#define TRIGGER_MAX     513
#define SAID_MAX        4096 /* bytes of an answer */

struct press {
	struct daemon *daemon;
	struct visit *visit; /* NULL: Slack has its answer */
	struct visitor *visitor;
	struct timer *answer_due;
	struct slack_value value;
	char comment[STORE_COMMENT_MAX]; /* "": a button */
	char trigger[TRIGGER_MAX];
	char key[DIGEST_TEXT_MAX];
	struct slack_call *call; /* the question; NULL: none is under way */
	struct daemon_waiter waiter;
};

static void press_known(const struct identity_answer *answer, void *arg);
static void press_decide(struct press *press);
static void press_decided(const struct decision_answer *answer, void *arg);
static void press_ask(
	struct press *press, const struct decision_answer *answer);
static void press_asked(const struct slack_reply *reply, void *arg);

/* ---- answers ---- */

/* 200 without a word: Slack takes it for done. */
static void visit_done(struct visit **visit)
{
	struct buf nothing;

	buf_init(&nothing, 1);
	visit_answer(visit, 200, VISIT_JSON, &nothing);
	buf_fini(&nothing);
}

/* To who has pressed alone. */
static void say(struct daemon *daemon, const char *url, const char *text)
{
	struct slack_api *slack = daemon_slack(daemon);
	struct buf body;

	if (!slack || !url || !*url)
		return;
	buf_init(&body, SLACK_MESSAGE_MAX);
	slack_ephemeral_print(text, &body);
	slack_answer_send(slack, url, &body);
	buf_fini(&body);
}

/* ---- a press ---- */

static void press_answer(struct press *press)
{
	timer_cancel(&press->answer_due);
	if (press->visit)
		visit_done(&press->visit);
}

static void press_late(void *arg)
{
	struct press *press = arg;

	press->answer_due = NULL;
	press_answer(press);
}

static void press_end(struct press *press)
{
	press_answer(press);
	daemon_visit_ends(press->daemon);
	slack_call_cancel(&press->call);
	visitor_free(&press->visitor);
	free(press);
}

static void press_cancelled(struct daemon_waiter *waiter)
{
	daemon_wait_ends(waiter);
	press_end(waiter->arg);
}

/* The answer of each button and person is kept once, with the command. */
static void press_key(struct press *press)
{
	const struct slack_value *v = &press->value;
	char *text = xasprintf("slack\n%s\n%s\n%d\n%s\n%s\n%s", v->rollout,
		verb_name(v->verb), v->step, v->candidate, v->nonce,
		press->visitor->name);

	digest_text(text, strlen(text), press->key);
	free(text);
}

static struct press *press_new(struct visit *visit,
	const struct identity_answer *answer, const struct slack_value *value)
{
	struct press *press = xcalloc(1, sizeof(*press));
	const struct slack_action *action = answer->action;

	press->daemon = visit->daemon;
	press->visit = visit;
	press->visitor =
		visitor_new(answer->caller, daemon_people(visit->daemon));
	press->value = *value;
	snprintf(press->trigger, sizeof(press->trigger), "%s",
		action->trigger_id ? action->trigger_id : "");
	press_key(press);
	/* The end of the daemon waits for it a little. */
	daemon_visit_begins(press->daemon);
	press->answer_due = timer_start(
		daemon_loop(press->daemon), PRESS_ANSWER_MS, press_late, press);
	return press;
}

/* ---- what was pressed ---- */

static void take_button(
	struct visit *visit, const struct identity_answer *answer)
{
	const struct slack_action *action = answer->action;
	struct slack_value value;
	struct press *press;
	struct err err;

	if (slack_value_parse(action->value, &value, &err) < 0 ||
		!action->action_id ||
		strcmp(action->action_id, verb_name(value.verb)) != 0 ||
		*value.answer_url) {
		say(visit->daemon, action->response_url,
			"This is no button of a message of tidegate.");
		visit_done(&visit);
		return;
	}
	if (action->response_url)
		snprintf(value.answer_url, sizeof(value.answer_url), "%s",
			action->response_url);
	press = press_new(visit, answer, &value);
	press_decide(press);
}

/* What is wrong with a comment stands beside it, and nothing is lost. */
static void refuse_comment(struct visit *visit, const char *why)
{
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, SAID_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "response_action", "errors");
	jsonw_object(&w, "errors");
	jsonw_text(&w, SLACK_COMMENT_ID, why);
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	visit_answer(&visit, 200, VISIT_JSON, &body);
	buf_fini(&body);
}

static const char *comment_problem(const char *comment)
{
	if (!comment || !comment[strspn(comment, " \t\r\n")])
		return "Say why.";
	if (strlen(comment) >= STORE_COMMENT_MAX)
		return "This is too long: 1023 bytes are kept.";
	return NULL;
}

static void take_modal(
	struct visit *visit, const struct identity_answer *answer)
{
	const struct slack_action *action = answer->action;
	const char *api_url = daemon_config(visit->daemon)->notify.app->api_url;
	const char *problem = comment_problem(action->comment);
	struct slack_value value;
	struct press *press;
	struct err err;

	if (!action->callback_id ||
		strcmp(action->callback_id, SLACK_MODAL_ID) != 0 ||
		slack_value_parse(action->metadata, &value, &err) < 0) {
		refuse_comment(visit, "This is no question of tidegate's.");
		return;
	}
	if (problem) {
		refuse_comment(visit, problem);
		return;
	}
	/* It has been at Slack's: it is looked at once more. */
	if (!slack_may_answer(value.answer_url, api_url))
		value.answer_url[0] = '\0';
	press = press_new(visit, answer, &value);
	snprintf(press->comment, sizeof(press->comment), "%s", action->comment);
	press_decide(press);
}

/* Shortcuts and their like: there is nothing of that kind here. */
static void take_other(
	struct visit *visit, const struct identity_answer *answer)
{
	log_line(LOG_INFO,
		"event=slack who=\"%s\" text=\"nothing is done for an "
		"interaction of type %.40s\"",
		answer->caller->keys[0], answer->action->type);
	say(visit->daemon, answer->action->response_url,
		"tidegate takes the buttons of its messages, and nothing "
		"else.");
	visit_done(&visit);
}

static void press_known(const struct identity_answer *answer, void *arg)
{
	struct visit *visit = arg;
	enum refusal_code code;

	if (answer->refusal) {
		code = answer->refusal->code;
		visit_problem(&visit, refusal_status(code), refusal_name(code),
			"this is not taken for a request of Slack's");
		return;
	}
	if (!strcmp(answer->action->type, "block_actions"))
		take_button(visit, answer);
	else if (!strcmp(answer->action->type, "view_submission"))
		take_modal(visit, answer);
	else
		take_other(visit, answer);
}

void slack_actions_post(struct visit *visit)
{
	if (!daemon_slack(visit->daemon)) {
		visit_problem(&visit, 404, "not-found",
			"nothing is posted to Slack: \"notify\" of the "
			"configuration does not name it");
		return;
	}
	identity_ask_slack(daemon_identity(visit->daemon), visit->request,
		press_known, visit);
}

/* ---- the decision ---- */

static void press_decide(struct press *press)
{
	const struct store_once once = {.key = press->key,
		.digest = press->key,
		.time_ms = loop_wall_ms(daemon_loop(press->daemon)),
		.answer = ""};
	const struct decision_order order = {
		.rollout = press->value.rollout,
		.verb = press->value.verb,
		.step = press->value.step,
		.candidate = press->value.candidate,
		.comment = press->comment,
		.was_shown = true,
		.once = &once,
	};

	decision_make(
		press->daemon, press->visitor, &order, press_decided, press);
}

/* "Step 2 was decided by bob at 12:03": what is, and who was last. */
static void add_what_is(struct buf *out, const struct view *view)
{
	const struct summary *summary;
	const struct deed *last;
	char at[SUMMARY_TIME_MAX];
	struct arena arena;

	arena_init(&arena);
	summary = rollout_snapshot_summary(
		view->snapshot, view->driver, view->now_ms, NULL, &arena);
	buf_addf(out, " %s", summary->now);
	if (summary->people.n_deeds) {
		last = &summary->people.deeds[summary->people.n_deeds - 1];
		buf_addf(out, " The last decision is %s by %s at %s.",
			verb_name(last->verb), last->who,
			summary_clock_utc(last->time_ms, summary->now_ms, at));
	}
	arena_fini(&arena);
}

static void add_result(struct buf *out, const struct press *press,
	const struct decision_answer *answer)
{
	const char *verb = verb_name(press->value.verb);

	switch (answer->result) {
	case DECIDED_WAITING:
		buf_addf(out,
			answer->is_driven
				? "%s is recorded; its driver has not answered "
				  "yet."
				: "%s is recorded; nobody drives the rollout "
				  "now.",
			verb);
		break;
	case DECIDED_BEFORE:
		buf_addf(out,
			"This button was used already: your %s is recorded.",
			verb);
		break;
	case DECIDED_MOVED_ON:
		buf_addf(out, "%s was not taken: %s.", verb, answer->text);
		if (answer->may_see)
			add_what_is(out, answer->view);
		break;
	default:
		buf_addf(out, "%s was not taken: %s.", verb, answer->text);
	}
}

static void press_tell(
	const struct press *press, const struct decision_answer *answer)
{
	struct buf text;

	buf_init(&text, SAID_MAX);
	add_result(&text, press, answer);
	say(press->daemon, press->value.answer_url, text.data);
	buf_fini(&text);
}

static void press_decided(const struct decision_answer *answer, void *arg)
{
	struct press *press = arg;

	if (answer->result == DECIDED_UNCOMMENTED && !*press->comment) {
		press_ask(press, answer);
		return;
	}
	if (answer->result == DECIDED_TAKEN)
		once_keep(daemon_desk(press->daemon), press->key, 202, "{}");
	else
		press_tell(press, answer);
	daemon_touch(press->daemon, press->value.rollout);
	press_end(press);
}

/* ---- the question why ---- */

static void press_ask(struct press *press, const struct decision_answer *answer)
{
	const struct slack_question question = {.value = &press->value,
		.trigger = press->trigger,
		.is_grave = press->value.verb != VERB_CONTINUE};
	struct slack_api *slack = daemon_slack(press->daemon);
	struct buf body;

	if (!slack || !*press->trigger) {
		press_tell(press, answer);
		press_end(press);
		return;
	}
	buf_init(&body, SLACK_MESSAGE_MAX);
	slack_question_print(&question, &body);
	press->waiter =
		(struct daemon_waiter){.cancel = press_cancelled, .arg = press};
	daemon_wait_begins(press->daemon, &press->waiter);
	press->call = slack_call_start(
		slack, "views.open", &body, press_asked, press);
	buf_fini(&body);
}

static void press_asked(const struct slack_reply *reply, void *arg)
{
	struct press *press = arg;
	char text[SAID_MAX];

	press->call = NULL;
	daemon_wait_ends(&press->waiter);
	if (reply->result != SLACK_DONE) {
		log_line(LOG_WARN,
			"rollout=%s event=slack error=\"the question for a "
			"comment was not shown: %s\" remedy=\"%s\"",
			press->value.rollout, reply->word, reply->remedy);
		snprintf(text, sizeof(text),
			"%s needs a comment, and Slack did not show the "
			"question for it (%.200s): press again, or decide on "
			"the page.",
			verb_name(press->value.verb), reply->word);
		say(press->daemon, press->value.answer_url, text);
	}
	press_end(press);
}
