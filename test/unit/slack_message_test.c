/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for Slack, out of every situation in which people may find a rollout:
 * Slack would take each, and what others wrote is text there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mrkdwn.h"
#include "base/xalloc.h"
#include "fake_slack.h"
#include "io/http.h"
#include "serve/slack_message.h"
#include "situations.h"

#define MARK "0123456789abcdef0123456789abcdef"

static json_t *message_of(const struct summary *summary, const char *ts)
{
	const struct slack_message message = {.summary = summary,
		.channel = "C1",
		.ts = ts,
		.mark = MARK,
		.public_url = "https://tidegate.example/"};
	const char *problem;
	json_t *body;
	struct buf out;

	buf_init(&out, SLACK_MESSAGE_MAX);
	slack_message_print(&message, &out);
	assert_false(out.overflow);
	body = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(body);
	problem = fake_slack_message_problem(body);
	if (problem)
		fail_msg("%s: %s", problem, out.data);
	buf_fini(&out);
	return body;
}

static bool has(const json_t *body, const char *text)
{
	char *dumped = json_dumps(body, JSON_COMPACT);
	bool found = strstr(dumped, text) != NULL;

	free(dumped);
	return found;
}

/* ---- situations ---- */

static void look_at(const struct situation *situation)
{
	const struct summary *summary;
	struct fake_post post = {0};
	struct slack_value value;
	const char *button;
	struct stage stage;
	struct err err;

	stage_init(&stage);
	situation->build(&stage);
	summary = stage_look(&stage);
	post.body = message_of(summary, "1.2");
	for (int i = 0; i < VERBS; i++) {
		button = fake_post_button(&post, verb_name((enum verb)i));
		if (!button != !summary->verbs[i].is_taken)
			fail_msg("%s: %s", situation->name,
				verb_name((enum verb)i));
		if (!button)
			continue;
		assert_int_equal(slack_value_parse(button, &value, &err), 0);
		assert_int_equal(value.verb, i);
		assert_int_equal(value.step, summary->step);
		assert_string_equal(value.candidate, summary->candidate);
		assert_string_equal(value.rollout, summary->id);
	}
	json_decref(post.body);
	stage_fini(&stage);
}

static void every_situation_has_a_message_with_the_buttons_of_now(void **state)
{
	for (size_t i = 0; i < n_situations; i++)
		look_at(&situations[i]);
}

/* ---- much, and hostile ---- */

#define MUCH       64
#define LONG_BYTES 4000

static const char call[] = "<!channel> & <https://evil.example|x> \x1b[2J é";

/* The pattern again and again. */
static char *much_of(const char *pattern)
{
	struct buf text;

	buf_init(&text, LONG_BYTES + 100);
	while (text.len < LONG_BYTES)
		buf_adds(&text, pattern);
	return buf_steal(&text);
}

struct crowd {
	struct summary summary;
	struct summary_slo slos[MUCH];
	struct deed deeds[MUCH];
	char *text;
};

static void crowd_init(struct crowd *crowd, const struct summary *like)
{
	crowd->text = much_of(call);
	crowd->summary = *like;
	for (int i = 0; i < MUCH; i++) {
		crowd->slos[i] = (struct summary_slo){.name = crowd->text,
			.says = crowd->text,
			.value_text = crowd->text,
			.limit_text = crowd->text,
			.passes_text = crowd->text};
		crowd->deeds[i] = (struct deed){.who = crowd->text,
			.comment = crowd->text,
			.refusal = crowd->text,
			.refused = true,
			.time_ms = 1};
	}
	crowd->summary.now = crowd->summary.next = crowd->text;
	crowd->summary.service = crowd->text;
	crowd->summary.slos = crowd->slos;
	crowd->summary.n_slos = MUCH;
	crowd->summary.people.deeds = crowd->deeds;
	crowd->summary.people.n_deeds = MUCH;
	for (int i = 0; i < VERBS; i++)
		crowd->summary.verbs[i] = (struct summary_command){
			.is_taken = true, .says = crowd->text};
}

/* What Slack sends back with a button is the whole message, escaped twice. */
static void assert_fits(const json_t *body)
{
	char *dumped = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
	char *escaped = http_escape(dumped);

	assert_true(strlen(escaped) < 60 * 1024);
	free(escaped);
	free(dumped);
}

static void what_is_too_much_is_cut_and_calls_nobody(void **state)
{
	struct crowd crowd;
	struct stage stage;
	json_t *body;

	stage_init(&stage);
	situations[0].build(&stage);
	crowd_init(&crowd, stage_look(&stage));
	body = message_of(&crowd.summary, NULL);
	assert_true(has(body, "… and 54 more"));
	assert_true(has(body, "&lt;!channel&gt; &amp; "));
	assert_false(has(body, "\\u001b"));
	assert_fits(body);
	json_decref(body);
	free(crowd.text);
	stage_fini(&stage);
}

/* ---- nonces ---- */

static void a_nonce_changes_when_somebody_has_decided(void **state)
{
	char one[SLACK_NONCE_MAX], two[SLACK_NONCE_MAX];
	struct deed deed = {.time_ms = 5, .who = "bob", .comment = ""};
	struct summary summary = {.step = 2, .phase = PHASE_BAKING};

	slack_nonce(&summary, MARK, one);
	slack_nonce(&summary, MARK, two);
	assert_string_equal(one, two);
	slack_nonce(&summary, "another", two);
	assert_string_not_equal(one, two);
	summary.people.deeds = &deed;
	summary.people.n_deeds = 1;
	slack_nonce(&summary, MARK, two);
	assert_string_not_equal(one, two);
}

/* ---- the question, and texts ---- */

static void a_question_is_one_that_slack_takes(void **state)
{
	struct slack_value value = {.verb = VERB_CONTINUE, .step = 3};
	const struct slack_question question = {
		.value = &value, .trigger = "t"};
	const char *problem;
	struct buf out;
	json_t *body;

	snprintf(value.rollout, sizeof(value.rollout), "%s", SITUATION_ID);
	snprintf(value.nonce, sizeof(value.nonce), "%s", MARK);
	memset(value.candidate, '<', 63);
	memset(value.answer_url, 'u', sizeof(value.answer_url) - 1);
	buf_init(&out, SLACK_MESSAGE_MAX);
	slack_question_print(&question, &out);
	body = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	problem = fake_slack_view_problem(body);
	if (problem)
		fail_msg("%s: %s", problem, out.data);
	json_decref(body);
	buf_fini(&out);
}

static void a_text_is_cut_between_characters_and_entities(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *cut;
	} rows[] = {
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"éééé", 7, "éé…"},
		{"ab&amp;cd", 8, "ab…"},
		{"ab&amp;cdefg", 10, "ab&amp;…"},
	};
	struct buf text;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_init(&text, 64);
		buf_adds(&text, rows[i].text);
		mrkdwn_cut(&text, rows[i].max);
		assert_string_equal(text.data, rows[i].cut);
		buf_fini(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_situation_has_a_message_with_the_buttons_of_now),
		cmocka_unit_test(what_is_too_much_is_cut_and_calls_nobody),
		cmocka_unit_test(a_nonce_changes_when_somebody_has_decided),
		cmocka_unit_test(a_question_is_one_that_slack_takes),
		cmocka_unit_test(a_text_is_cut_between_characters_and_entities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
