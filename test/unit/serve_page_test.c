/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's pages, as a browser without a script asks for them. */
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
#include "serve/page_assets.h"
#include "serve_fixture.h"
#include "store/store.h"
#include "until.h"

static struct served served;

static int setup(void **state)
{
	served_open(&served);
	return 0;
}

static int teardown(void **state)
{
	served_close(&served);
	return 0;
}

static void expect_page(int status, const char *path)
{
	served_ask(&served, "GET", path, NULL, "Accept: text/html");
	if (served.status != status)
		fail_msg("%s: %d and not %d: %s", path, served.status, status,
			served.body.data);
	assert_string_equal(served.content_type, "text/html; charset=utf-8");
}

static void expect_text(const char *text)
{
	if (!served_has(&served, text))
		fail_msg("\"%s\" is not in %s", text, served.body.data);
}

/* The form of a rollout's page. */
static void decide(const char *id, const char *fields, int status)
{
	char *path = xasprintf("/rollouts/%s/decide", id);

	served_ask(&served, "POST", path, fields, NULL);
	if (served.status != status)
		fail_msg("%s: %d and not %d: %s", fields, served.status, status,
			served.body.data);
	free(path);
}

static void a_person_decides_about_what_they_saw(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");
	char *path = xasprintf("/rollouts/%s", id);

	expect_page(200, "/");
	expect_text("<title>(1) Rollouts");
	expect_text("Needs you <span class=\"count\">1</span>");
	expect_page(200, path);
	expect_text("<span id=\"phase\">awaiting-approval</span>");
	expect_text("value=\"approve\"");
	expect_text("it is neither paused nor held");
	expect_text("Share of the candidate");
	expect_text("name=\"candidate\" value=\"backend-2\"");

	/* Asked before it is done. */
	decide(id, "verb=abort&step=2&candidate=backend-2&comment=a%26b", 200);
	expect_text("Comment: why?");
	expect_text(">a&amp;b</textarea>");
	expect_text("name=\"confirmed\" value=\"yes\"");
	decide(id, "verb=continue&step=2&candidate=backend-2", 409);
	expect_text("it is neither paused nor held");
	decide(id, "verb=approve&step=1&candidate=backend-2", 409);
	expect_text("You decided to <b>approve</b> when you saw step 1 with "
		    "backend-2.");
	/* And when it is. */
	decide(id, "verb=approve&step=2&candidate=backend-1&confirmed=yes",
		409);
	expect_text("It has moved on");
	decide(id, "verb=abort&step=2&candidate=backend-2&confirmed=yes", 400);
	expect_text("role=\"alert\"");
	decide(id, "verb=abort&step=2x&candidate=backend-2", 400);
	decide(id, "verb=drop&step=2&candidate=backend-2", 400);
	decide(id, "verb=abort&verb=pause&step=2", 400);
	decide("backend-20200101-000000-nope", "verb=abort&step=2", 404);

	decide(id,
		"verb=approve&step=2&candidate=backend-2&confirmed=yes&"
		"comment=looks+good",
		303);
	served_wait_phase(&served, id, "promoted");
	expect_page(200, path);
	expect_text("<td class=\"short\" data-head=\"comment\">looks good");
	assert_false(served_has(&served, "<button"));
	free(path);
	free(id);
}

/* What nobody has told is not made up. */
static void delivery_knows_its_lead_time_when_a_start_says_it(void **state)
{
	static const char path[] = "/api/v1/services/acme/us-central1/backend";
	char *id, *decide_path, *text;

	served_expect(&served, 400, "POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"committed\":\"yesterday\"}");
	served_expect(&served, 201, "POST", "/api/v1/rollouts",
		"{\"policy\":\"e2e\",\"committed\":"
		"\"2026-01-01T00:00:00Z\"}");
	id = served_text(&served, "/rollout");
	served_wait_phase(&served, id, "awaiting-approval");
	served_expect(&served, 200, "GET", path, NULL);
	expect_text("\"median_lead_time_ms\":null");
	expect_text("\"median_restore_ms\":null");
	/* It is kept with the rollout. */
	served_stop(&served);
	served_start(&served);
	RUN_UNTIL(daemon_loop(served.daemon), served_is_driven(&served, id));
	decide_path = xasprintf("/api/v1/rollouts/%s/decisions", id);
	served_expect(&served, 202, "POST", decide_path,
		"{\"verb\":\"approve\",\"step\":2,\"candidate\":"
		"\"backend-2\"}");
	served_wait_phase(&served, id, "promoted");
	served_expect(&served, 200, "GET", path, NULL);
	text = served_text(&served, "/delivery/median_lead_time_ms");
	assert_true(strtoll(text, NULL, 10) > 0);
	free(text);
	text = served_text(&served, "/delivery/p90_lead_time_ms");
	assert_true(strtoll(text, NULL, 10) > 0);
	expect_page(200, "/services/acme/us-central1/backend");
	expect_text("lead time");
	expect_text("not known"); /* time to restore */
	served_expect(&served, 200, "GET", "/metrics", NULL);
	expect_text("tidegate_change_lead_time_seconds_count 1\n");
	expect_text("tidegate_time_to_restore_seconds_count 0\n");
	free(decide_path);
	free(text);
	free(id);
}

static void what_is_not_there_is_told_by_a_page(void **state)
{
	expect_page(404, "/rollouts/backend-20200101-000000-nope");
	expect_page(404, "/nothing/here");
	expect_text("href=\"../assets/");
	expect_page(400, "/services/a/b/a%20b");
	expect_page(400, "/?what=1");
	/* A program is not. */
	served_ask(&served, "GET", "/nothing/here", NULL, NULL);
	assert_string_equal(served.content_type, "application/problem+json");
	served_ask(&served, "GET", "/api/v1/nothing", NULL, NULL);
	assert_int_equal(served.status, 404);
	assert_string_equal(served.content_type, "application/problem+json");
}

/* What the front page shows of it. */
static void expect_rows(const char *id)
{
	char *path = xasprintf("/?only=x-%s,%s", id, id);
	char *row = xasprintf("id=\"r-%s\"", id);

	expect_page(200, path);
	expect_text(row);
	expect_page(200, "/?only=backend");
	assert_false(served_has(&served, row));
	expect_text("Needs you <span class=\"count\">1</span>");
	expect_page(200, "/?service=BACK&person=own");
	expect_text(row);
	expect_page(200, "/?service=other");
	assert_false(served_has(&served, row));
	expect_text("value=\"other\"");
	expect_page(200, "/?outcome=rolled-back");
	assert_false(served_has(&served, row));
	expect_text("<option selected>rolled-back</option>");
	free(row);
	free(path);
}

static void a_service_has_its_releases(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval");
	char *path = xasprintf("/rollouts/%s", id);

	expect_rows(id);
	expect_page(200, "/services/acme/us-central1/backend");
	expect_text("<dt>candidate</dt>");
	expect_text(path);
	decide(id,
		"verb=abort&step=2&candidate=backend-2&confirmed=yes&"
		"comment=slow",
		303);
	served_wait_phase(&served, id, "rolled-back");
	expect_page(200, "/services/acme/us-central1/backend");
	expect_text("Rejected revisions");
	expect_text("change failure rate</dt><dd>100 %");
	expect_page(200, "/services/acme/us-central1/other");
	expect_text("There was none yet.");
	expect_page(200, "/?outcome=rolled-back");
	expect_text(path);
	free(path);
	free(id);
}

/* What stands in the front page's row of the rollout. */
static char *row_of(struct served *of, const char *id)
{
	char *begin = xasprintf("id=\"r-%s\"", id), *row;
	const char *at;

	served_ask(of, "GET", "/", NULL, "Accept: text/html");
	assert_int_equal(of->status, 200);
	at = strstr(of->body.data, begin);
	assert_non_null(at);
	row = xmemdup0(at, (size_t)(strstr(at, "</li>") - at));
	free(begin);
	return row;
}

/* A second daemon over the same state file. */
static void what_another_one_drives_is_as_its_journal_has_it(void **state)
{
	char *id = served_rollout(&served, "awaiting-approval"), *here, *there;
	struct served other = served;

	buf_init(&other.body, 1 << 20);
	served_start(&other);
	here = row_of(&served, id);
	/* What happens meanwhile is in both of them in the end. */
	for (int i = 0; strcmp(there = row_of(&other, id), here) && i < 100;
		i++) {
		free(here);
		free(there);
		here = row_of(&served, id);
	}
	assert_false(served_is_driven(&other, id));
	assert_non_null(strstr(here, "20 %, step 2 of 2"));
	assert_string_equal(there, here);
	assert_non_null(strstr(there, "backend-2, by owner"));
	/* The owner may approve it there, too. */
	assert_non_null(strstr(there, "#decide"));
	assert_non_null(strstr(other.body.data, "<title>(1) "));
	/* Only its row, or another's, or what a filter leaves. */
	served_ask(&other, "GET", "/?only=nothing", NULL, NULL);
	assert_null(strstr(other.body.data, id));
	served_ask(&other, "GET", "/?service=frontend", NULL, NULL);
	assert_null(strstr(other.body.data, id));
	served_stop(&other);
	buf_fini(&other.body);
	free(here);
	free(there);
	free(id);
}

/* ---- what has ended ---- */

#define SERVICES "projects/acme/locations/us-central1/services/"

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

/* As somebody has driven it to its end who has let go of it since. */
static void ends(struct store *store, const char *id, const char *service,
	const char *phase)
{
	const int64_t now_ms = clock_wall_ms();
	const struct store_rollout row = {.id = id,
		.service = service,
		.candidate = "",
		.stable = "",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = "",
		.policy_digest = "d",
		.options = "{}",
		.starter = "alice",
		.started_ms = now_ms,
		.phase = "preflight",
		.reason = ""};
	const struct store_event event = {.seq = 1,
		.time_ms = now_ms,
		.name = "started",
		.phase = phase,
		.data = "{}"};
	struct lease_watch watch = {0};
	struct store_lease lease;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	ok(store_rollout_create(store, &row, &err), &err);
	ok(store_lease_take(store, service, id, &watch, &arena, &lease, &err),
		&err);
	ok(store_append(store, id, lease.fence, &event, 1, NULL, true, &err),
		&err);
	store_lease_drop(store, service, lease.fence);
	arena_fini(&arena);
}

static void a_failed_rollback_needs_you_however_many_have_ended_since(
	void **state)
{
	struct store *store;
	char id[32];
	struct err err;

	served_stop(&served);
	store = store_open(served.config->state, STORE_EDIT, &err);
	assert_non_null(store);
	ends(store, "failed-1", SERVICES "failed", "rollback-failed");
	for (int i = 0; i <= 50; i++) {
		snprintf(id, sizeof(id), "later-%d", i);
		ends(store, id, SERVICES "later", "promoted");
	}
	store_free(&store);
	served_start(&served);
	expect_page(200, "/");
	expect_text("<title>(1) Rollouts");
	expect_text("Needs you <span class=\"count\">1</span>");
	expect_text("id=\"r-failed-1\"");
	/* Of those that need nobody the newest are enough. */
	expect_text("id=\"r-later-50\"");
	assert_false(served_has(&served, "id=\"r-later-0\""));
}

static void assets_are_kept_for_ever(void **state)
{
	for (size_t i = 0; i < PAGE_ASSETS; i++) {
		const struct page_asset *asset = &page_assets[i];
		char *path = xasprintf("/assets/%s", asset->name);

		served_expect(&served, 200, "GET", path, NULL);
		assert_string_equal(served.content_type, asset->type);
		assert_int_equal(served.body.len, asset->len);
		assert_memory_equal(served.body.data, asset->bytes, asset->len);
		free(path);
	}
	served_expect(&served, 404, "GET", "/assets/pages.css", NULL);
}

static void who_you_are_is_a_page(void **state)
{
	expect_page(200, "/me");
	expect_text("<dd>owner</dd>");
	expect_text("read,start,operate,approve");
}

static void who_cannot_log_in_is_told_how_one_comes_in(void **state)
{
	char *token = served.token;

	served.token = xstrdup("Bearer tgt_");
	expect_page(401, "/me");
	expect_text("prints an address when it starts");
	assert_null(strstr(served.body.data, "Sign in with"));
	free(served.token);
	served.token = token;
}

static void who_can_log_in_in_several_ways_chooses_one(void **state)
{
	static const struct issuer_config issuers[] = {
		{.kind = ISSUER_TOKEN},
		{.kind = ISSUER_OIDC,
			.issuer = "https://accounts.google.com",
			.client_id = "a"},
		{.kind = ISSUER_OIDC,
			.issuer = "https://login.example.com",
			.client_id = "b"},
	};

	served_stop(&served);
	served.config->identity.issuers = issuers;
	served.config->identity.n_issuers = 3;
	served_start(&served);
	free(served.token);
	served.token = xstrdup("Bearer tgt_");
	expect_page(401, "/me");
	expect_text("href=\"./login?issuer=0&amp;next=%2Fme\">Sign in with "
		    "accounts.google.com<");
	expect_text("Sign in with login.example.com<");
	served_stop(&served);
	served.config->identity.n_issuers = 2;
	served_start(&served);
	served_expect(&served, 303, "GET", "/me", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_person_decides_about_what_they_saw, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_another_one_drives_is_as_its_journal_has_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			delivery_knows_its_lead_time_when_a_start_says_it,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_failed_rollback_needs_you_however_many_have_ended_since,
			setup, teardown),
		cmocka_unit_test_setup(a_service_has_its_releases, setup),
		cmocka_unit_test(what_is_not_there_is_told_by_a_page),
		cmocka_unit_test(assets_are_kept_for_ever),
		cmocka_unit_test(who_you_are_is_a_page),
		cmocka_unit_test(who_cannot_log_in_is_told_how_one_comes_in),
		cmocka_unit_test_teardown(
			who_can_log_in_in_several_ways_chooses_one, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
