/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions by the buttons of messages in Slack: who may, about what they have
 * seen, once, and what they are told when it was not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/loop.h"
#include "slack_fixture.h"
#include "until.h"

static struct slacked s;

static int open_world(void **state)
{
	slacked_open(&s);
	return 0;
}

static int close_world(void **state)
{
	slacked_close(&s);
	return 0;
}

#define WORLD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)

static const struct fake_post *first(void)
{
	return fake_slack_post(&s.slack, FAKE_SLACK_CHANNEL, 0);
}

static void message_says(const char *text)
{
	SLACKED_UNTIL(&s, fake_post_has(first(), text));
	if (s.slack.refused)
		fail_msg("%s", s.slack.why);
}

static void push(const char *user, const char *verb)
{
	slacked_push(&s, user, verb);
	assert_int_equal(s.served.status, 200);
}

/* Who has pressed last is told this, as answer `n`. */
static void is_told(int n, const char *text)
{
	char *told = slacked_told(&s, n);

	if (!strstr(told, text))
		fail_msg("\"%s\" lacks \"%s\"", told, text);
	assert_int_equal(s.slack.answers, n);
	free(told);
}

/* A button as it is now, pressed later. */
static void press_kept(const char *user, const char *verb, const char *value)
{
	char *url = xasprintf("http://127.0.0.1:%d/api/response/1", s.port);

	slacked_press(&s, &(struct fake_press){.user = user,
				  .verb = verb,
				  .value = value,
				  .answer_url = url});
	assert_int_equal(s.served.status, 200);
	free(url);
}

static char *keep_button(const char *verb)
{
	char *value = xstrdup(fake_post_button(first(), verb));

	assert_non_null(value);
	return value;
}

/* ---- approvals ---- */

static void two_people_approve_by_buttons(void **state)
{
	char *id = slacked_rollout(&s);

	push("U3", "approve");
	message_says("1 of 2 given");
	push("U4", "approve");
	served_wait_phase(&s.served, id, "promoted");
	message_says("Promoted");
	assert_true(fake_post_has(first(), "approve by bob"));
	assert_true(fake_post_has(first(), "approve by carol"));
	assert_int_equal(s.slack.answers, 0);
	assert_int_equal(s.slack.n_posts, 1);
	free(id);
}

static void who_presses_before_the_message_shows_the_first_counts(void **state)
{
	char *id = slacked_rollout(&s);
	char *value = keep_button("approve");

	push("U3", "approve");
	press_kept("U4", "approve", value);
	served_wait_phase(&s.served, id, "promoted");
	free(value);
	free(id);
}

static void nobody_approves_their_own_by_another_login(void **state)
{
	char *id = slacked_rollout(&s);

	push("U2", "approve");
	is_told(1, "approve was not taken: ");
	served_wait_phase(&s.served, id, "awaiting-approval");
	push("U3", "approve");
	push("U3", "approve");
	is_told(2, "used already");
	message_says("1 of 2 given");
	push("U3", "approve");
	is_told(3, "approve was not taken: ");
	served_wait_phase(&s.served, id, "awaiting-approval");
	free(id);
}

static void who_is_nobody_here_decides_nothing(void **state)
{
	char *id = slacked_rollout(&s);

	push("U9", "approve");
	is_told(1, "slack:T1/U9");
	push("U9", "pause");
	is_told(2, "pause was not taken");
	served_wait_phase(&s.served, id, "awaiting-approval");
	free(id);
}

/* ---- once, and of now ---- */

static void a_button_of_what_is_over_changes_nothing(void **state)
{
	char *id = slacked_rollout(&s);
	char *value = keep_button("approve");

	push("U3", "approve");
	push("U4", "approve");
	served_wait_phase(&s.served, id, "promoted");
	press_kept("U2", "approve", value);
	is_told(1, "moved on");
	is_told(1, "The last decision is approve by carol at ");
	free(value);
	free(id);
}

static void a_button_is_used_once(void **state)
{
	char *id = slacked_rollout(&s);
	char *value = keep_button("pause");

	press_kept("U3", "pause", value);
	served_wait_phase(&s.served, id, "paused");
	press_kept("U3", "pause", value);
	is_told(1, "used already");
	message_says("pause by bob");
	push("U3", "continue");
	served_wait_phase(&s.served, id, "awaiting-approval");
	/* Also when the engine would take it again, and by no other life. */
	slacked_stop(&s);
	slacked_start(&s);
	served_wait_phase(&s.served, id, "awaiting-approval");
	press_kept("U3", "pause", value);
	is_told(2, "used already");
	served_wait_phase(&s.served, id, "awaiting-approval");
	free(value);
	free(id);
}

static void what_was_sent_before_is_not_taken_again(void **state)
{
	char *id = slacked_rollout(&s);
	char *body = fake_slack_payload(&(struct fake_press){.user = "U3",
		.verb = "approve",
		.value = fake_post_button(first(), "approve")});
	char *headers = fake_slack_sign(body, clock_wall_ms() / 1000);
	static const char form[] = "application/x-www-form-urlencoded";

	served_ask_as(&s.served, "POST", "/slack/actions", body, form, headers);
	assert_int_equal(s.served.status, 200);
	served_ask_as(&s.served, "POST", "/slack/actions", body, form, headers);
	assert_int_equal(s.served.status, 401);
	assert_true(served_has(&s.served, "proof-used-before"));
	body[strlen(body) - 1] ^= 1;
	served_ask_as(&s.served, "POST", "/slack/actions", body, form, headers);
	assert_int_equal(s.served.status, 401);
	assert_true(served_has(&s.served, "proof-signature"));
	free(headers);
	free(body);
	free(id);
}

static void other_teams_and_apps_are_refused(void **state)
{
	char *id = slacked_rollout(&s);
	const char *value = fake_post_button(first(), "pause");

	slacked_press(
		&s, &(struct fake_press){
			    .team = "T2", .verb = "pause", .value = value});
	assert_int_equal(s.served.status, 403);
	slacked_press(
		&s, &(struct fake_press){
			    .app = "A2", .verb = "pause", .value = value});
	assert_int_equal(s.served.status, 403);
	served_wait_phase(&s.served, id, "awaiting-approval");
	free(id);
}

/* ---- comments ---- */

static char *metadata(void)
{
	return xstrdup(json_string_value(
		json_object_get(s.slack.view, "private_metadata")));
}

static void submit(const char *user, const char *kept, const char *comment)
{
	slacked_press(&s, &(struct fake_press){.type = "view_submission",
				  .user = user,
				  .metadata = kept,
				  .comment = comment});
	assert_int_equal(s.served.status, 200);
}

static void a_verb_that_needs_a_comment_asks_for_it(void **state)
{
	char *id = slacked_rollout(&s), *kept;

	push("U3", "reject");
	assert_non_null(s.slack.view);
	kept = metadata();
	submit("U3", kept, " \n");
	assert_true(served_has(&s.served, "\"response_action\":\"errors\""));
	submit("U3", kept, NULL);
	assert_true(served_has(&s.served, "Say why"));
	served_wait_phase(&s.served, id, "awaiting-approval");
	submit("U3", kept, "<!here> errors & worse");
	assert_int_equal(s.served.body.len, 0);
	served_wait_phase(&s.served, id, "rolled-back");
	message_says("reject by bob: “&lt;!here&gt; errors &amp; worse”");
	/* It is still open somewhere else. */
	submit("U4", kept, "me, too");
	is_told(1, "reject was not taken: the rollout has ended");
	free(kept);
	free(id);
}

static void who_may_not_is_told_before_they_write(void **state)
{
	char *id = slacked_rollout(&s);

	push("U9", "abort");
	is_told(1, "abort was not taken");
	assert_null(s.slack.view);
	free(id);
}

static void a_question_that_slack_does_not_show_is_said(void **state)
{
	char *id = slacked_rollout(&s);
	char *url = xasprintf("http://127.0.0.1:%d/api/response/1", s.port);

	slacked_press(&s, &(struct fake_press){.user = "U3",
				  .verb = "abort",
				  .value = fake_post_button(first(), "abort"),
				  .trigger = "old",
				  .answer_url = url});
	assert_int_equal(s.served.status, 200);
	is_told(1, "expired_trigger_id");
	free(url);
	free(id);
}

/* ---- Slack and others ---- */

/* The answer comes when its time is over, and no clock but the daemon's runs. */
static void slack_has_its_answer_while_it_hangs_itself(void **state)
{
	char *id = slacked_rollout(&s);
	char *body = fake_slack_payload(&(struct fake_press){.user = "U3",
		.verb = "abort",
		.value = fake_post_button(first(), "abort")});
	int held = s.slack.n_held;

	s.slack.mood = FAKE_SLACK_HANGS;
	slacked_send(&s, body);
	RUN_UNTIL(daemon_loop(s.served.daemon), s.slack.n_held > held);
	assert_int_equal(s.served.status, 0);
	until_later(daemon_loop(s.served.daemon), 2100);
	RUN_UNTIL(daemon_loop(s.served.daemon), s.served.status);
	assert_int_equal(s.served.status, 200);
	/* The daemon ends with the question still under way. */
	free(body);
	free(id);
}

static void what_is_no_button_of_ours_is_refused_politely(void **state)
{
	char *id = slacked_rollout(&s);
	char *url = xasprintf("http://127.0.0.1:%d/api/response/1", s.port);
	char *value = keep_button("pause");

	slacked_press(&s,
		&(struct fake_press){.type = "shortcut", .answer_url = url});
	assert_int_equal(s.served.status, 200);
	is_told(1, "nothing else");
	press_kept("U3", "pause", "{\"v\":1}");
	is_told(2, "no button");
	press_kept("U3", "abort", value); /* of another verb */
	is_told(3, "no button");
	served_wait_phase(&s.served, id, "awaiting-approval");
	submit("U3", value, "no question was asked");
	served_wait_phase(&s.served, id, "paused");
	slacked_press(&s, &(struct fake_press){.type = "view_submission",
				  .metadata = "{}",
				  .comment = "x"});
	assert_true(served_has(&s.served, "no question of tidegate"));
	served_expect(&s.served, 405, "GET", "/slack/actions", NULL);
	free(value);
	free(url);
	free(id);
}

static void answers_go_to_slack_alone(void **state)
{
	char *id = slacked_rollout(&s);
	int calls = s.slack.calls;

	slacked_press(&s,
		&(struct fake_press){.user = "U9",
			.verb = "pause",
			.value = fake_post_button(first(), "pause"),
			.answer_url = "https://hooks.slack.com.evil.example/"});
	assert_int_equal(s.served.status, 200);
	slacked_press(
		&s, &(struct fake_press){.user = "U9",
			    .verb = "pause",
			    .value = fake_post_button(first(), "pause"),
			    .answer_url = "http://127.0.0.1:1/api/response/1"});
	assert_int_equal(s.slack.answers, 0);
	assert_true(s.slack.calls <= calls + 1); /* the message's own */
	free(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(two_people_approve_by_buttons),
		WORLD_TEST(
			who_presses_before_the_message_shows_the_first_counts),
		WORLD_TEST(nobody_approves_their_own_by_another_login),
		WORLD_TEST(who_is_nobody_here_decides_nothing),
		WORLD_TEST(a_button_of_what_is_over_changes_nothing),
		WORLD_TEST(a_button_is_used_once),
		WORLD_TEST(what_was_sent_before_is_not_taken_again),
		WORLD_TEST(other_teams_and_apps_are_refused),
		WORLD_TEST(a_verb_that_needs_a_comment_asks_for_it),
		WORLD_TEST(who_may_not_is_told_before_they_write),
		WORLD_TEST(a_question_that_slack_does_not_show_is_said),
		WORLD_TEST(slack_has_its_answer_while_it_hangs_itself),
		WORLD_TEST(what_is_no_button_of_ours_is_refused_politely),
		WORLD_TEST(answers_go_to_slack_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
