/* SPDX-License-Identifier: Apache-2.0 */
/* Slack, webhooks, PagerDuty: what is sent, and what refusals become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/api_call.h"
#include "action_fixture.h"
#include "base/xalloc.h"
#include "fake_api.h"

static struct fake_api api;

static int setup(void **state)
{
	fixture_open();
	fake_api_init(&api, loop);
	policy.name = "p";
	values.reason = "5xx 4 % > 1 % & <!channel>";
	return 0;
}

static int teardown(void **state)
{
	fake_api_fini(&api);
	fixture_close();
	return 0;
}

static struct secret *secret_of(const char *path)
{
	char *url = fake_api_url(&api, path);
	struct secret *secret = secret_new(url, strlen(url));

	free(url);
	return secret;
}

/* "blocks.1.text" */
static const char *sent(const char *path)
{
	const json_t *at = api.last;
	char key[32];
	size_t len;

	while (at && *path) {
		len = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key))
				       : json_object_get(at, key);
		path += len + (path[len] == '.');
	}
	return json_string_value(at) ? json_string_value(at) : "(nothing)";
}

/* ---- Slack ---- */

static void a_message_has_all_facts_and_nobody_can_be_called(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");

	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	action.u.slack.text = "<!here> {{service}}: {{reason}}";
	policy.lists[LIST_ROLLBACK] = (struct actions){&action, 1};
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "message sent");
	assert_string_equal(sent("blocks.0.text.text"), "shop: rollback");
	assert_string_equal(sent("blocks.1.text.text"),
		"<!here> shop: 5xx 4 % &gt; 1 % &amp; &lt;!channel&gt;");
	assert_string_equal(
		sent("blocks.2.fields.0.text"), "*Candidate*\nshop-2");
	assert_non_null(strstr(sent("blocks.3.elements.0.text"),
		"us-central1/shop/revisions?project=acme|Cloud Run>"));
	assert_non_null(strstr(sent("text"), "shop: rollback - "));
	secret_free(&url);
}

/* The sections' texts, put together again. */
static void sections(struct buf *out)
{
	const json_t *blocks = json_object_get(api.last, "blocks"), *block;
	const char *text;
	size_t i;

	buf_init(out, 100000);
	buf_adds(out, "");
	json_array_foreach(blocks, i, block) {
		text = json_string_value(json_object_get(
			json_object_get(block, "text"), "text"));
		if (i && text && json_object_get(block, "text") &&
			strlen(text) <= 3000)
			buf_adds(out, text);
	}
}

static void a_long_text_is_told_whole_in_several_sections(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");
	struct buf told, wanted;
	char text[5000];

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 3 ? '&' : 'x';
	text[sizeof(text) - 1] = '\0';
	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	values.reason = text;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "message sent");
	buf_init(&wanted, 100000);
	for (const char *p = text; *p; p++)
		buf_adds(&wanted, *p == '&' ? "&amp;" : "x");
	sections(&told);
	assert_string_equal(told.data, wanted.data);
	assert_true(strlen(sent("text")) <= 3000);
	buf_fini(&told);
	buf_fini(&wanted);
	secret_free(&url);
}

static void a_text_of_the_policy_with_an_ampersand_stays_whole(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");
	struct buf text, told;

	buf_init(&text, 100000);
	buf_adds(&text, "R&D, <https://x.example/?a=1&b=2|log> &amp; ");
	while (text.len < 3500)
		buf_adds(&text, "words without end ");
	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	action.u.slack.text = text.data;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "message sent");
	assert_int_equal(
		strncmp(sent("blocks.1.text.text"),
			"R&amp;D, <https://x.example/?a=1&amp;b=2|log> &amp; "
			"words",
			57),
		0);
	sections(&told);
	assert_int_equal(told.len, text.len + 8);
	assert_string_equal(told.data + told.len - 8, "out end ");
	buf_fini(&told);
	buf_fini(&text);
	secret_free(&url);
}

static void more_than_slack_takes_is_cut_between_characters(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");
	struct buf text, told;

	buf_init(&text, 100000);
	while (text.len < 40000)
		buf_adds(&text, "é&");
	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	values.reason = text.data;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "message sent");
	sections(&told);
	assert_in_range(told.len, 29000, 30000);
	assert_string_equal(told.data + told.len - 10, "&amp;é…");
	buf_fini(&told);
	buf_fini(&text);
	secret_free(&url);
}

static void any_2xx_that_is_slack_s_is_a_success(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum action_result result;
	} rows[] = {
		{200, "ok\n", ACTION_OK},
		{202, "", ACTION_OK},
		{200, "<html>sign in</html>", ACTION_FAILED},
		{201, "okay", ACTION_FAILED},
	};
	struct secret *url = secret_of("/services/T0/B0/secret-path");

	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		api.n_scripted = 1;
		api.status = rows[i].status;
		api.body = rows[i].body;
		run_job(JOB_RUN, NULL);
		assert_int_equal(end.result, rows[i].result);
	}
	secret_free(&url);
}

static void slack_s_refusals_are_readable_and_the_url_stays_unseen(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");

	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	api.n_scripted = 1;
	api.status = 404;
	api.body = "no_service";
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 404: no_service: the webhook was");
	api.n_scripted = 1;
	api.status = 400;
	api.body = "something /services/T0/B0/secret-path";
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 400: something");
	assert_int_equal(api.requests, 2);
	secret_free(&url);
}

static void too_many_messages_wait_as_slack_asks(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");

	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	api.n_scripted = 1;
	api.status = 429;
	api.retry_after = "1";
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "message sent");
	assert_int_equal(api.requests, 2);
	api.n_scripted = 1;
	api.retry_after = "60"; /* more than the action has */
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 429");
	assert_int_equal(api.requests, 3);
	secret_free(&url);
}

/* ---- webhooks ---- */

static void an_event_keeps_its_id_when_it_is_sent_again(void **state)
{
	struct secret *url = secret_of("/events/{{service}}");
	struct header header = {"X-Key", secret_new("k-0123456789", 12)};
	char id[128];

	action.kind = ACTION_WEBHOOK;
	action.idempotent = true;
	action.u.webhook.url = url;
	action.u.webhook.headers = &header;
	action.u.webhook.n_headers = 1;
	policy.lists[LIST_ROLLED_BACK] = (struct actions){&action, 1};
	api.n_scripted = 1;
	api.status = 503;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "answered 202");
	assert_int_equal(api.requests, 2);
	assert_string_equal(sent("type"), "dev.tidegate.rollout.rolledback.v1");
	assert_string_equal(sent("source"),
		"//tidegate.dev/projects/acme/locations/us-central1/services/"
		"shop");
	assert_string_equal(sent("subject"), "shop-2");
	assert_string_equal(sent("data.reason"), values.reason);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(api.last, "data"), "percent")),
		10);
	assert_string_equal(api.last_key, "k-0123456789");
	snprintf(id, sizeof(id), "%s", sent("id"));
	run_job(JOB_RUN, NULL);
	assert_string_equal(sent("id"), id);
	values.percent = "50";
	run_job(JOB_RUN, NULL);
	assert_string_not_equal(sent("id"), id);
	secret_free(&header.value);
	secret_free(&url);
}

static void a_receiver_s_no_is_final(void **state)
{
	static const struct {
		int status;
		const char *said;
	} rows[] = {
		{410, "answered 410: the receiver wants no more events"},
		{415, "does not take CloudEvents"},
		{302, "never followed"},
	};
	struct secret *url = secret_of("/events/shop");

	action.kind = ACTION_WEBHOOK;
	action.u.webhook.url = url;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		api.n_scripted = 1;
		api.status = rows[i].status;
		run_job(JOB_RUN, NULL);
		expect(ACTION_FAILED, rows[i].said);
	}
	assert_int_equal(api.requests, 3);
	secret_free(&url);
}

/* It is parsed between two turns of the loop. */
static void an_answer_that_is_too_long_is_not_read(void **state)
{
	struct secret *url = secret_of("/events/shop");
	char *body = xcalloc(1, API_CALL_ANSWER_MAX + 2);

	memset(body, ' ', API_CALL_ANSWER_MAX);
	action.kind = ACTION_WEBHOOK;
	action.u.webhook.url = url;
	api.status = 200;
	api.body = body;
	api.n_scripted = 1;
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "answered 200");
	body[API_CALL_ANSWER_MAX] = ' ';
	api.n_scripted = 1;
	run_job(JOB_RUN, NULL);
	expect(ACTION_UNKNOWN, "the answer is larger than 262144 bytes");
	free(body);
	secret_free(&url);
}

/* ---- PagerDuty ---- */

static void an_incident_is_triggered_and_a_promotion_resolves_it(void **state)
{
	struct secret *url = secret_of("/v2/enqueue");
	struct secret *key = secret_new(FAKE_ROUTING_KEY, 32);

	action.kind = ACTION_PAGERDUTY;
	action.u.pagerduty = (struct action_pagerduty){
		.routing_key = key, .url = url, .severity = "error"};
	policy.lists[LIST_ROLLBACK] = (struct actions){&action, 1};
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "triggered an incident");
	assert_string_equal(api.incident, "tidegate/acme/us-central1/shop");
	assert_string_equal(sent("payload.severity"), "error");
	assert_string_equal(sent("payload.summary"),
		"shop: shop-2: 5xx 4 % > 1 % & <!channel>");
	policy.lists[LIST_ROLLBACK].n = 0;
	policy.lists[LIST_PROMOTED] = (struct actions){&action, 1};
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "resolved");
	assert_string_equal(api.incident, "");
	secret_free(&key);
	secret_free(&url);
}

static void a_long_reason_stands_whole_in_the_incident(void **state)
{
	struct secret *url = secret_of("/v2/enqueue");
	struct secret *key = secret_new(FAKE_ROUTING_KEY, 32);
	struct buf reason;

	buf_init(&reason, 10000);
	while (reason.len < 3000)
		buf_adds(&reason, "é");
	values.reason = reason.data;
	action.kind = ACTION_PAGERDUTY;
	action.u.pagerduty = (struct action_pagerduty){
		.routing_key = key, .url = url, .severity = "error"};
	run_job(JOB_RUN, NULL);
	expect(ACTION_OK, "triggered an incident");
	assert_true(strlen(sent("payload.summary")) <= 1000);
	assert_string_equal(
		sent("payload.summary") + strlen(sent("payload.summary")) - 5,
		"é…");
	assert_string_equal(sent("payload.custom_details.reason"), reason.data);
	buf_fini(&reason);
	secret_free(&key);
	secret_free(&url);
}

static void pagerduty_s_refusal_is_shown_without_the_key(void **state)
{
	struct secret *url = secret_of("/v2/enqueue");
	struct secret *key = secret_new("fedcba98765432100123456789abcdef", 32);

	action.kind = ACTION_PAGERDUTY;
	action.u.pagerduty = (struct action_pagerduty){
		.routing_key = key, .url = url, .severity = "error"};
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 400: ");
	expect(ACTION_FAILED, "is invalid");
	assert_null(strstr(end.detail, "fedcba"));
	api.n_scripted = 1;
	api.status = 200; /* a proxy's answer is no success */
	run_job(JOB_RUN, NULL);
	expect(ACTION_FAILED, "answered 200: it does not say that the event "
			      "was taken");
	secret_free(&key);
	secret_free(&url);
}

static void a_rollback_that_failed_is_not_told_as_done(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");

	env.trouble = "stable is not healthy after the rollback";
	policy.lists[LIST_ROLLED_BACK] = (struct actions){&action, 1};
	action.kind = ACTION_SLACK;
	action.u.slack.webhook = url;
	action.u.slack.text = "back on {{stable}}";
	run_job(JOB_RUN, NULL);
	assert_string_equal(sent("blocks.0.text.text"),
		"shop: ROLLBACK FAILED, a person is needed");
	assert_string_equal(sent("blocks.1.text.text"),
		"*stable is not healthy after the rollback*\nback on shop-1");
	secret_free(&url);
	url = secret_of("/events/shop");
	action.kind = ACTION_WEBHOOK;
	action.u.webhook = (struct action_webhook){.url = url};
	run_job(JOB_RUN, NULL);
	assert_string_equal(
		sent("type"), "dev.tidegate.rollout.rollbackfailed.v1");
	assert_string_equal(sent("data.trouble"), env.trouble);
	secret_free(&url);
}

static void a_drill_sends_nothing(void **state)
{
	struct secret *url = secret_of("/services/T0/B0/secret-path");

	action.u.slack.webhook = url;
	action.kind = ACTION_SLACK;
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would send a message: 5xx");
	action.kind = ACTION_WEBHOOK;
	action.u.webhook = (struct action_webhook){.url = url};
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would send a dev.tidegate.rollout.message.v1");
	action.kind = ACTION_PAGERDUTY;
	action.u.pagerduty = (struct action_pagerduty){
		.routing_key = url, .severity = "info"};
	run_job(JOB_DRILL, NULL);
	expect(ACTION_OK, "would trigger an incident (info)");
	assert_int_equal(api.requests, 0);
	secret_free(&url);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_message_has_all_facts_and_nobody_can_be_called),
		TEST(a_long_text_is_told_whole_in_several_sections),
		TEST(a_text_of_the_policy_with_an_ampersand_stays_whole),
		TEST(more_than_slack_takes_is_cut_between_characters),
		TEST(any_2xx_that_is_slack_s_is_a_success),
		TEST(slack_s_refusals_are_readable_and_the_url_stays_unseen),
		TEST(too_many_messages_wait_as_slack_asks),
		TEST(an_answer_that_is_too_long_is_not_read),
		TEST(an_event_keeps_its_id_when_it_is_sent_again),
		TEST(a_receiver_s_no_is_final),
		TEST(an_incident_is_triggered_and_a_promotion_resolves_it),
		TEST(a_long_reason_stands_whole_in_the_incident),
		TEST(pagerduty_s_refusal_is_shown_without_the_key),
		TEST(a_rollback_that_failed_is_not_told_as_done),
		TEST(a_drill_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
