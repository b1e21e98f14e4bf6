/* SPDX-License-Identifier: Apache-2.0 */
/* What is posted to Slack of rollouts: one message each, kept up to date, however
 * Slack and the daemon fare. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server.h"
#include "serve/slack_notices.h"
#include "slack_fixture.h"
#include "store/store_notice.h"
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

static void waits_for(const char *text)
{
	char *is;

	for (int looks = 0; !fake_post_has(first(), text); looks++) {
		if (looks == UNTIL_LOOKS_MAX) {
			is = json_dumps(first()->body, 0);
			fail_msg("\"%s\" is not in %s", text, is);
		}
		slacked_later(&s, 40);
	}
}

static void ends_as(const char *id, const char *phase)
{
	served_wait_phase(&s.served, id, phase);
}

/* Of one rollout, and Slack had nothing to complain of. */
static void one_message_says(const char *text)
{
	waits_for(text);
	if (s.slack.refused)
		fail_msg("%s", s.slack.why);
	assert_int_equal(s.slack.n_posts, 1);
}

/* ---- messages ---- */

static void a_rollout_has_one_message_that_follows_it_to_its_end(void **state)
{
	char *id = served_rollout(&s.served, "awaiting-approval");

	waits_for("waits for approval");
	assert_true(fake_post_has(first(), "`backend-2` serves 20 %"));
	assert_true(fake_post_has(first(), "step 2 of 2"));
	assert_true(fake_post_has(first(), "errors: pass, 0 (limit 1)"));
	assert_true(fake_post_has(
		first(), "<https://tidegate.example/ops/rollouts/backend-"));
	assert_non_null(fake_post_button(first(), "approve"));
	assert_null(fake_post_button(first(), "continue"));
	slacked_decide(&s, id, "approve", "go on");
	ends_as(id, "promoted");
	one_message_says("Promoted: backend-2 serves 100 %");
	assert_true(fake_post_has(first(), "approve by owner: “go on”"));
	assert_null(fake_post_button(first(), "approve"));
	assert_int_equal(s.slack.limited, 0);
	free(id);
}

static void a_channel_is_told_of_what_it_lists(void **state)
{
	char *id;

	slacked_stop(&s);
	s.rows[0].on = NOTIFY_BIT(NOTIFY_PROMOTED);
	slacked_start(&s);
	id = served_rollout(&s.served, "awaiting-approval");
	until_later(daemon_loop(s.served.daemon), 5000);
	slacked_decide(&s, id, "approve", "");
	ends_as(id, "promoted");
	one_message_says("Promoted");
	assert_int_equal(first()->updates, 0);
	free(id);
}

static void a_channel_that_waits_for_a_breach_hears_of_nothing_else(
	void **state)
{
	char *id;

	slacked_stop(&s);
	s.rows[0].on = NOTIFY_BIT(NOTIFY_BREACH);
	slacked_start(&s);
	id = served_rollout(&s.served, "awaiting-approval");
	slacked_decide(&s, id, "approve", "");
	ends_as(id, "promoted");
	until_later(daemon_loop(s.served.daemon), 5000);
	for (int i = 0; i < 20; i++)
		served_expect(&s.served, 200, "GET", "/api/v1/me", NULL);
	assert_int_equal(s.slack.calls, 0);
	free(id);
}

static void what_others_wrote_is_text(void **state)
{
	char *id = served_rollout(&s.served, "awaiting-approval");

	waits_for("waits for approval");
	slacked_decide(&s, id, "abort",
		"<!channel> <@U1> &amp; <https://evil.example|here>");
	ends_as(id, "rolled-back");
	one_message_says("Rolled back");
	assert_true(fake_post_has(first(),
		"“&lt;!channel&gt; &lt;@U1&gt; &amp;amp; "
		"&lt;https://evil.example|here&gt;”"));
	free(id);
}

/* ---- a daemon that dies ---- */

static void a_restart_goes_on_with_the_same_message(void **state)
{
	char *id = served_rollout(&s.served, "awaiting-approval");

	waits_for("waits for approval");
	slacked_stop(&s);
	slacked_start(&s);
	ends_as(id, "awaiting-approval");
	slacked_decide(&s, id, "approve", "");
	ends_as(id, "promoted");
	one_message_says("Promoted");
	free(id);
}

static void who_died_before_the_answer_came_does_not_post_twice(void **state)
{
	char *id;

	s.slack.mood = FAKE_SLACK_SWALLOWS;
	id = served_rollout(&s.served, "awaiting-approval");
	SLACKED_UNTIL(&s, s.slack.n_posts);
	slacked_stop(&s);
	s.slack.mood = FAKE_SLACK_WELL;
	slacked_start(&s);
	SLACKED_UNTIL(&s, first()->updates);
	one_message_says("waits for approval");
	free(id);
}

static void an_end_that_was_not_told_is_told_by_the_next_life(void **state)
{
	char *id = served_rollout(&s.served, "awaiting-approval");

	waits_for("waits for approval");
	s.slack.mood = FAKE_SLACK_HANGS;
	slacked_decide(&s, id, "abort", "no");
	ends_as(id, "rolled-back");
	/* It is long over: the row alone knows. */
	until_later(daemon_loop(s.served.daemon), 1200000);
	slacked_stop(&s);
	s.slack.mood = FAKE_SLACK_WELL;
	slacked_start(&s);
	one_message_says("Rolled back");
	free(id);
}

/* ---- a Slack that is not well ---- */

static void an_answer_that_was_lost_is_looked_for(void **state)
{
	char *id;

	s.slack.mood = FAKE_SLACK_SWALLOWS;
	id = served_rollout(&s.served, "awaiting-approval");
	SLACKED_UNTIL(&s, s.slack.n_posts);
	s.slack.mood = FAKE_SLACK_WELL;
	SLACKED_MINUTES(&s, first()->updates);
	one_message_says("waits for approval");
	free(id);
}

/* No clock is moved on meanwhile: nothing that waits for Slack has given up. */
static void a_slack_that_hangs_holds_no_revert(void **state)
{
	char *id;

	s.slack.mood = FAKE_SLACK_HANGS;
	id = served_rollout(&s.served, "awaiting-approval");
	RUN_UNTIL(daemon_loop(s.served.daemon), s.slack.n_held);
	slacked_decide(&s, id, "abort", "bad");
	ends_as(id, "rolled-back");
	assert_int_equal(s.slack.n_held, 1);
	assert_int_equal(s.slack.n_posts, 0);
	s.slack.mood = FAKE_SLACK_WELL;
	SLACKED_MINUTES(&s, s.slack.n_posts);
	one_message_says("Rolled back");
	free(id);
}

static void a_slack_that_is_down_is_told_the_newest_when_it_is_back(
	void **state)
{
	char *id;

	s.slack.mood = FAKE_SLACK_DOWN;
	id = served_rollout(&s.served, "awaiting-approval");
	SLACKED_UNTIL(&s, s.slack.calls > 2);
	slacked_decide(&s, id, "approve", "");
	ends_as(id, "promoted");
	s.slack.mood = FAKE_SLACK_WELL;
	one_message_says("Promoted");
	assert_int_equal(first()->updates, 0);
	free(id);
}

static void a_pause_that_slack_wants_is_kept(void **state)
{
	char *id;
	int calls;

	s.slack.mood = FAKE_SLACK_LIMITED;
	s.slack.retry_after = "120";
	id = served_rollout(&s.served, "awaiting-approval");
	SLACKED_UNTIL(&s, s.slack.limited);
	s.slack.mood = FAKE_SLACK_WELL;
	calls = s.slack.calls;
	until_later(daemon_loop(s.served.daemon), 100000);
	/* There was time for a call of its own. */
	for (int i = 0; i < 20; i++)
		served_expect(&s.served, 200, "GET", "/api/v1/me", NULL);
	assert_int_equal(s.slack.calls, calls);
	one_message_says("waits for approval");
	free(id);
}

static void what_cannot_be_looked_for_is_posted_once_more(void **state)
{
	char *id;

	s.slack.mood = FAKE_SLACK_SWALLOWS;
	id = served_rollout(&s.served, "awaiting-approval");
	SLACKED_UNTIL(&s, s.slack.n_posts);
	s.slack.mood = FAKE_SLACK_SCOPE;
	SLACKED_MINUTES(&s, s.slack.n_posts == 2);
	assert_string_equal(s.slack.why, "missing_scope: channels:history");
	free(id);
}

/* It is kept of every message whose rollout has ended that it is done with. */
static bool all_are_over(void)
{
	struct store_notice *open;
	struct arena arena;
	struct store *store;
	struct err err;
	size_t n;

	store = store_open(s.served.config->state, STORE_LOOK, &err);
	assert_non_null(store);
	arena_init(&arena);
	assert_int_equal(store_notice_list(store, &arena, &open, &n, &err), 0);
	arena_fini(&arena);
	store_free(&store);
	return n == 0;
}

static void a_message_that_somebody_deleted_is_not_posted_anew(void **state)
{
	char *id = served_rollout(&s.served, "awaiting-approval");
	int refused;

	waits_for("waits for approval");
	strcpy(s.slack.posts[0].ts, "1.0"); /* another one now */
	slacked_decide(&s, id, "approve", "");
	ends_as(id, "promoted");
	SLACKED_UNTIL(&s, s.slack.refused && all_are_over());
	slacked_stop(&s);
	refused = s.slack.refused; /* twice when the first answer was late */
	slacked_start(&s);
	until_later(daemon_loop(s.served.daemon), 5000);
	until_later(daemon_loop(s.served.daemon), 5000);
	assert_int_equal(s.slack.refused, refused);
	assert_int_equal(s.slack.n_posts, 1);
	free(id);
}

static void a_token_that_is_put_right_brings_the_message(void **state)
{
	struct secret *wrong = secret_new("xoxb-wrong", 10);
	char *id;

	s.issuers[1].bot_token = wrong;
	id = served_rollout(&s.served, "awaiting-approval");
	SLACKED_UNTIL(&s, s.slack.refused);
	assert_string_equal(s.slack.why, "invalid_auth: ");
	assert_int_equal(s.slack.n_posts, 0);
	s.issuers[1].bot_token = s.token;
	slacked_decide(&s, id, "approve", "");
	waits_for("Promoted");
	assert_int_equal(s.slack.n_posts, 1);
	secret_free(&wrong);
	free(id);
}

/* The channel lists nothing that comes after the gate: the message is followed
 * all the same. */
static void a_message_that_was_refused_once_is_changed_again(void **state)
{
	struct secret *wrong = secret_new("xoxb-wrong", 10);
	char *id;

	slacked_stop(&s);
	s.rows[0].on = NOTIFY_BIT(NOTIFY_APPROVAL);
	slacked_start(&s);
	id = served_rollout(&s.served, "awaiting-approval");
	waits_for("waits for approval");
	s.issuers[1].bot_token = wrong;
	slacked_decide(&s, id, "approve", "");
	SLACKED_UNTIL(&s, s.slack.refused);
	s.issuers[1].bot_token = s.token;
	ends_as(id, "promoted");
	waits_for("Promoted");
	assert_int_equal(s.slack.n_posts, 1);
	secret_free(&wrong);
	free(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(
			a_rollout_has_one_message_that_follows_it_to_its_end),
		WORLD_TEST(a_channel_is_told_of_what_it_lists),
		WORLD_TEST(
			a_channel_that_waits_for_a_breach_hears_of_nothing_else),
		WORLD_TEST(what_others_wrote_is_text),
		WORLD_TEST(a_restart_goes_on_with_the_same_message),
		WORLD_TEST(who_died_before_the_answer_came_does_not_post_twice),
		WORLD_TEST(an_end_that_was_not_told_is_told_by_the_next_life),
		WORLD_TEST(an_answer_that_was_lost_is_looked_for),
		WORLD_TEST(a_slack_that_hangs_holds_no_revert),
		WORLD_TEST(
			a_slack_that_is_down_is_told_the_newest_when_it_is_back),
		WORLD_TEST(a_pause_that_slack_wants_is_kept),
		WORLD_TEST(what_cannot_be_looked_for_is_posted_once_more),
		WORLD_TEST(a_message_that_somebody_deleted_is_not_posted_anew),
		WORLD_TEST(a_token_that_is_put_right_brings_the_message),
		WORLD_TEST(a_message_that_was_refused_once_is_changed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
