/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and people behind proxies: who they are by tokens that come with
 * each request, and where keys come from. */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "identity/api_token.h"
#include "identity/key_set.h"
#include "identity_fixture.h"
#include "io/clock.h"
#include "io/loop.h"
#include "jwt_fixture.h"
#include "store/store_identity.h"
#include "until.h"

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)
#define ASK(...) (&(struct identity_ask_spec){__VA_ARGS__})
#define GITHUB_CLAIMS                                                         \
	"\"aud\":\"" WORLD_URL "\",\"repository_id\":\"123456\","             \
	"\"repository\":\"acme/shop\",\"repository_owner_id\":\"77\","        \
	"\"actor\":\"alice\",\"actor_id\":\"583231\",\"run_id\":\"9\","       \
	"\"runner_environment\":\"github-hosted\",\"environment\":\"prod\","  \
	"\"workflow_ref\":\"acme/shop/.github/workflows/r.yml@refs/heads/m\"" \
	","

static EVP_PKEY *rsa, *ec, *rsa2;
static struct identity_world w;

static int keys_make(void **state)
{
	rsa = jwt_rsa_key(2048);
	rsa2 = jwt_rsa_key(2048);
	ec = jwt_ec_key("P-256");
	return 0;
}

static int keys_unmake(void **state)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa2);
	EVP_PKEY_free(ec);
	return 0;
}

static int world_make(void **state)
{
	identity_world_init(&w, rsa, ec);
	return 0;
}

static int world_unmake(void **state)
{
	identity_world_fini(&w);
	return 0;
}

/* Frees the token. */
static void ask_bearer(char *token)
{
	identity_world_ask(&w, ASK(.bearer = token));
	free(token);
}

static void refused_bearer(char *token, const char *code)
{
	identity_world_refused(&w, ASK(.bearer = token), code);
	free(token);
}

/* ---- tokens of ours ---- */

static void a_token_says_whose_it_is_and_what_it_may(void **state)
{
	char *token = identity_world_token(
		&w, "laptop", "alice", "read,approve", 60000);

	identity_world_ask(&w, ASK(.bearer = token));
	assert_int_equal(w.status, 200);
	assert_string_equal(w.method, "token");
	assert_string_equal(w.keys, "token:laptop ");
	assert_string_equal(w.person, "alice");
	assert_false(w.is_machine);
	assert_true(w.is_vetted);
	assert_int_equal(
		w.rights, RIGHT_BIT(RIGHT_READ) | RIGHT_BIT(RIGHT_APPROVE));
	assert_memory_equal(token + 4, w.proof, 8);
	assert_string_equal(w.form_token, ""); /* no browser sends it */
	identity_world_ask(&w, ASK(.own_token = token));
	assert_string_equal(w.person, "alice");
	free(token);
}

static void a_token_of_a_program_never_approves(void **state)
{
	ask_bearer(identity_world_token(&w, "ci", "", "start,approve", 60000));
	assert_true(w.is_machine);
	assert_string_equal(w.person, "");
	assert_int_equal(w.rights, RIGHT_BIT(RIGHT_START));
}

static void a_token_ends_at_once_when_it_is_revoked(void **state)
{
	char *token = identity_world_token(&w, "ci", "", "read", 60000);
	struct store *store;
	struct err err;
	char id[9];

	identity_world_ask(&w, ASK(.bearer = token));
	assert_int_equal(w.status, 200);
	snprintf(id, sizeof(id), "%.8s", token + 4);
	store = store_open(w.state, STORE_EDIT, &err); /* another process */
	assert_int_equal(
		store_token_revoke(store, id, clock_wall_ms(), &err), 1);
	store_free(&store);
	identity_world_refused(&w, ASK(.bearer = token), "token-revoked");
	assert_int_equal(w.status, 401);
	free(token);
}

static void a_token_is_over_when_its_time_is(void **state)
{
	char *token = identity_world_token(&w, "ci", "", "read", 600000);

	until_later(w.loop, 599000);
	identity_world_ask(&w, ASK(.bearer = token));
	assert_int_equal(w.status, 200);
	until_later(w.loop, 2000);
	identity_world_refused(&w, ASK(.bearer = token), "token-expired");
	free(token);
}

static int64_t used_ms(const char *token)
{
	struct store_token row = {0};
	struct store *store;
	struct arena arena;
	struct err err;
	char id[9];

	snprintf(id, sizeof(id), "%.8s", token + 4);
	arena_init(&arena);
	store = store_open(w.state, STORE_LOOK, &err);
	assert_int_equal(store_token_get(store, id, &arena, &row, &err), 1);
	store_free(&store);
	arena_fini(&arena);
	return row.used_ms;
}

static void its_last_use_is_noted_once_a_minute(void **state)
{
	char *token = identity_world_token(&w, "ci", "", "read", 6000000);
	int64_t first;

	assert_int_equal(used_ms(token), 0);
	identity_world_ask(&w, ASK(.bearer = token));
	RUN_UNTIL(w.loop, used_ms(token) > 0);
	first = used_ms(token);
	until_later(w.loop, 30000);
	identity_world_ask(&w, ASK(.bearer = token));
	identity_world_ask(&w, ASK(.bearer = token)); /* a job behind it */
	assert_int_equal(used_ms(token), first);
	until_later(w.loop, 31000);
	identity_world_ask(&w, ASK(.bearer = token));
	RUN_UNTIL(w.loop, used_ms(token) > first);
	free(token);
}

static void what_is_no_proof_is_said_to_be_none(void **state)
{
	char *unknown = identity_world_token(&w, "ci", "", "read", 60000);

	identity_world_refused(&w, ASK(.bearer = NULL), "no-identity");
	assert_int_equal(w.status, 401);
	identity_world_refused(&w, ASK(.bearer = "tgt_x"), "proof-malformed");
	identity_world_refused(&w, ASK(.bearer = "x.y"), "proof-malformed");
	identity_world_refused(&w, ASK(.own_token = "x"), "proof-malformed");
	identity_world_refused(
		&w, ASK(.bearer = "Basic YTpi"), "identity-not-configured");
	unknown[20] = unknown[20] == 'A' ? 'B' : 'A';
	identity_world_refused(&w, ASK(.bearer = unknown), "token-unknown");
	assert_null(strstr(w.reason, unknown + 13));
	free(unknown);
}

/* What a proxy tells of a person without having signed it, anybody can send. */
static void a_header_that_is_not_signed_proves_nothing(void **state)
{
	static const char *const names[] = {"X-Goog-Authenticated-User-Email",
		"X-Goog-Authenticated-User-Id", "X-Forwarded-User",
		"X-Forwarded-Email", "X-Remote-User", "X-Auth-Request-Email",
		"X-Serverless-Authorization"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		identity_world_refused(&w,
			ASK(.header = {names[i], "alice@example.com"}),
			"no-identity");
}

static void the_other_end_of_a_socket_is_an_os_user(void **state)
{
	struct passwd *me = getpwuid(geteuid());
	char key[80];

	identity_world_ask_unix(&w);
	assert_string_equal(w.code, "no-identity"); /* it was not asked for */
	w.config.unix_peers = true;
	identity_world_restart(&w);
	identity_world_ask_unix(&w);
	assert_int_equal(w.status, 200);
	assert_string_equal(w.method, "unix");
	assert_non_null(me);
	assert_string_equal(w.person, me->pw_name);
	snprintf(key, sizeof(key), "os:%s ", me->pw_name);
	assert_string_equal(w.keys, key);
	assert_true(w.is_vetted);
	assert_false(w.is_machine);
	/* Whoever comes by TCP is not. */
	identity_world_refused(&w, ASK(.bearer = NULL), "no-identity");
}

/* ---- IAP ---- */

static char *iap_token(const char *claims)
{
	long long now_s = (long long)(clock_wall_ms() / 1000);
	char *payload = xasprintf("{\"iss\":\"https://cloud.google.com/iap\","
				  "\"aud\":\"" IAP_AUDIENCE
				  "\",\"iat\":%lld,\"exp\":%lld,%s}",
		now_s, now_s + 600, claims);
	char *token =
		jwt_sign(ec, "{\"alg\":\"ES256\",\"kid\":\"e1\"}", payload);

	free(payload);
	return token;
}

#define ALICE \
	"\"sub\":\"accounts.google.com:1078\",\"email\":\"Alice@example.com\""

static void iap_says_who_is_behind_it(void **state)
{
	char *token = iap_token(ALICE);

	identity_world_ask(&w, ASK(.assertion = token));
	assert_string_equal(w.method, "iap");
	assert_string_equal(w.keys, "google:1078 email:alice@example.com ");
	assert_string_equal(w.label, "alice@example.com");
	assert_true(w.is_vetted);
	assert_false(w.is_machine);
	assert_int_equal(strlen(w.form_token), 43);
	free(token);
	token = iap_token("\"sub\":\"accounts.google.com:5\",\"email\":"
			  "\"bot@acme.iam.gserviceaccount.com\"");
	identity_world_ask(&w, ASK(.assertion = token));
	assert_true(w.is_machine);
	free(token);
}

static void an_assertion_is_not_a_bearer_and_a_bearer_no_assertion(void **state)
{
	char *iap = iap_token(ALICE);
	char *github = fake_issuer_token(&w.issuer, 300,
		GITHUB_CLAIMS "\"sub\":\"x\",\"event_name\":\"push\"");

	identity_world_refused(&w, ASK(.bearer = iap), "proof-issuer");
	identity_world_refused(&w, ASK(.assertion = github), "proof-issuer");
	identity_world_refused(
		&w, ASK(.assertion = "alice@example.com"), "proof-malformed");
	free(iap);
	free(github);
}

/* A wrong proof is not forgiven for a right one, but a token of ours is meant
 * where IAP needs Authorization for itself. */
static void one_proof_counts_and_no_other_is_looked_at(void **state)
{
	char *good = iap_token(ALICE);
	char *bad = iap_token("\"email\":\"alice@example.com\"");
	char *own = identity_world_token(&w, "ci", "", "read", 60000);

	identity_world_ask(&w, ASK(.assertion = good, .bearer = own));
	assert_string_equal(w.method, "token");
	identity_world_refused(&w, ASK(.assertion = good, .bearer = "tgt_"),
		"proof-malformed");
	identity_world_ask(&w, ASK(.assertion = good, .bearer = "x.y.z"));
	assert_string_equal(w.method, "iap");
	identity_world_refused(&w,
		ASK(.assertion = bad, .cookie = "__Host-tidegate=x"),
		"proof-claim");
	free(good);
	free(bad);
	free(own);
}

/* What IAP sends with every request a browser sends for others, too. */
static void behind_iap_a_foreign_page_changes_nothing(void **state)
{
	char *token = iap_token(ALICE);
	struct identity_ask_spec ask = {.method = "POST",
		.assertion = token,
		.content_type = "application/json",
		.body = "{}"};

	identity_world_refused(&w, &ask, "origin-missing");
	ask.origin = "https://evil.example";
	identity_world_refused(&w, &ask, "cross-site");
	ask.origin = "null";
	identity_world_refused(&w, &ask, "cross-site");
	ask.origin = WORLD_ORIGIN;
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 200);
	free(token);
}

/* ---- Google ---- */

static char *google_token(const char *iss, const char *claims)
{
	long long now_s = (long long)(clock_wall_ms() / 1000);
	char *payload = xasprintf("{\"iss\":\"%s\",\"aud\":\"" WORLD_URL "\","
				  "\"iat\":%lld,\"exp\":%lld,%s}",
		iss, now_s, now_s + 3600, claims);
	char *token =
		jwt_sign(rsa, "{\"alg\":\"RS256\",\"kid\":\"r1\"}", payload);

	free(payload);
	return token;
}

static void both_forms_of_googles_name_are_google(void **state)
{
	ask_bearer(google_token("https://accounts.google.com",
		"\"sub\":\"7\",\"email\":\"a@example.com\","
		"\"email_verified\":true,\"hd\":\"example.com\""));
	assert_string_equal(w.keys, "google:7 email:a@example.com ");
	assert_true(w.is_vetted);
	ask_bearer(google_token("accounts.google.com", "\"sub\":\"7\""));
	assert_string_equal(w.keys, "google:7 ");
	assert_false(w.is_vetted);
	refused_bearer(
		google_token("https://accounts.google.com/", "\"sub\":\"7\""),
		"proof-issuer");
}

static void an_address_that_is_not_verified_is_no_key(void **state)
{
	ask_bearer(google_token("accounts.google.com",
		"\"sub\":\"7\",\"email\":\"alice@example.com\""));
	assert_string_equal(w.keys, "google:7 ");
	ask_bearer(google_token("accounts.google.com",
		"\"sub\":\"7\",\"email\":\"alice@example.com\","
		"\"email_verified\":false"));
	assert_string_equal(w.keys, "google:7 ");
	ask_bearer(google_token("accounts.google.com",
		"\"sub\":\"7\",\"email\":\"a@b@example.com\","
		"\"email_verified\":true"));
	assert_string_equal(w.keys, "google:7 ");
	refused_bearer(google_token("accounts.google.com",
			       "\"email\":\"alice@example.com\","
			       "\"email_verified\":true"),
		"proof-claim");
}

static void a_service_account_is_a_machine(void **state)
{
	ask_bearer(google_token("https://accounts.google.com",
		"\"sub\":\"99\",\"email\":"
		"\"ci@acme.iam.gserviceaccount.com\","
		"\"email_verified\":true,\"azp\":\"99\""));
	assert_true(w.is_machine);
	assert_false(w.is_vetted); /* anybody can make one */
	assert_int_equal(w.rights & RIGHT_BIT(RIGHT_APPROVE), 0);
}

static void a_name_that_shows_something_else_is_no_key(void **state)
{
	refused_bearer(
		google_token("accounts.google.com", "\"sub\":\"7\\u202e8\""),
		"proof-claim");
}

static void a_reason_stays_between_its_quotes(void **state)
{
	refused_bearer(google_token("x\\\" status=200\\n", "\"sub\":\"7\""),
		"proof-issuer");
	assert_null(strchr(w.reason, '"'));
	assert_null(strchr(w.reason, '\n'));
	assert_non_null(strstr(w.reason, "x' status=200\\n"));
}

/* ---- GitHub ---- */

static void a_workflow_is_what_its_claims_say_whatever_its_sub(void **state)
{
	static const char *const subs[] = {"repo:acme/shop:ref:refs/heads/main",
		"repo:acme@77/shop@123456:ref:refs/heads/main",
		"repo:evil/shop:environment:a%3Ab", "anything"};
	char *claims;

	for (size_t i = 0; i < sizeof(subs) / sizeof(*subs); i++) {
		claims = xasprintf(GITHUB_CLAIMS
			"\"sub\":\"%s\",\"ref\":\"refs/heads/main\","
			"\"event_name\":\"push\"",
			subs[i]);
		ask_bearer(fake_issuer_token(&w.issuer, 300, claims));
		free(claims);
		assert_string_equal(w.method, "github");
		assert_string_equal(w.keys,
			"github:repository_id=123456 "
			"github:repository_owner_id=77 "
			"github:ref=refs/heads/main github:environment=prod "
			"github:workflow_ref=acme/shop/.github/workflows/"
			"r.yml@refs/heads/m github:event_name=push "
			"github:runner_environment=github-hosted ");
		assert_string_equal(w.actor, "github:583231");
		assert_string_equal(w.label, "acme/shop");
		assert_true(w.is_machine);
		assert_false(w.is_vetted);
	}
}

/* Whoever is made to set off a workflow of a stranger would lend them a key. */
static void whose_deed_made_a_workflow_run_is_no_key_of_it(void **state)
{
	ask_bearer(fake_issuer_token(&w.issuer, 300,
		GITHUB_CLAIMS "\"sub\":\"x\",\"event_name\":\"push\""));
	assert_null(strstr(w.keys, "583231"));
	assert_int_equal(w.rights & RIGHT_BIT(RIGHT_APPROVE), 0);
}

static void a_pull_requests_workflow_does_nothing(void **state)
{
	refused_bearer(fake_issuer_token(&w.issuer, 300,
			       GITHUB_CLAIMS "\"sub\":\"x\",\"event_name\":"
					     "\"pull_request\""),
		"workflow-event");
	assert_int_equal(w.status, 403);
	refused_bearer(fake_issuer_token(&w.issuer, 300,
			       GITHUB_CLAIMS "\"sub\":\"x\",\"event_name\":"
					     "\"pull_request_target\""),
		"workflow-event");
	refused_bearer(fake_issuer_token(
			       &w.issuer, 300, GITHUB_CLAIMS "\"sub\":\"x\""),
		"proof-claim");
}

static void an_id_of_github_is_a_number(void **state)
{
	refused_bearer(fake_issuer_token(&w.issuer, 300,
			       "\"aud\":\"" WORLD_URL "\",\"sub\":\"x\","
			       "\"event_name\":\"push\",\"repository_id\":"
			       "\"1,ref=x\",\"repository_owner_id\":\"7\""),
		"proof-claim");
}

static void an_issuer_may_be_configured_for_several_audiences(void **state)
{
	w.issuers[w.config.n_issuers++] =
		(struct issuer_config){.kind = ISSUER_GITHUB,
			.audience = "second",
			.issuer = w.issuer.url};
	identity_world_restart(&w);
	ask_bearer(fake_issuer_token(&w.issuer, 300,
		"\"aud\":\"second\",\"sub\":\"x\",\"repository_id\":\"1\","
		"\"repository_owner_id\":\"2\",\"event_name\":\"push\""));
	assert_int_equal(w.status, 200);
	ask_bearer(fake_issuer_token(&w.issuer, 300,
		GITHUB_CLAIMS "\"sub\":\"x\",\"event_name\":\"push\""));
	assert_int_equal(w.status, 200);
	refused_bearer(fake_issuer_token(&w.issuer, 300,
			       "\"aud\":\"third\",\"sub\":\"x\""),
		"proof-audience");
}

static void a_token_for_others_or_for_ever_is_refused(void **state)
{
	refused_bearer(fake_issuer_token(&w.issuer, 300,
			       "\"aud\":\"https://github.com/acme\","
			       "\"sub\":\"x\""),
		"proof-audience");
	assert_non_null(strstr(w.reason, "https://github.com/acme"));
	refused_bearer(fake_issuer_token(
			       &w.issuer, 3601, GITHUB_CLAIMS "\"sub\":\"x\""),
		"proof-time");
	assert_int_equal(w.issuer.keys_asked, 0); /* no key was needed */
}

/* ---- keys ---- */

static char *push_token(void)
{
	return fake_issuer_token(&w.issuer, 300,
		GITHUB_CLAIMS "\"sub\":\"x\",\"event_name\":\"push\"");
}

static void keys_are_fetched_once_for_many(void **state)
{
	char *token = push_token();

	for (int i = 0; i < 5; i++)
		identity_world_ask(&w, ASK(.bearer = token));
	assert_int_equal(w.status, 200);
	assert_int_equal(w.issuer.keys_asked, 1);
	assert_int_equal(w.issuer.discovery_asked, 1);
	free(token);
}

static void those_who_wait_share_one_fetch(void **state)
{
	char *token = push_token();
	int n;

	w.issuer.holds_keys = true;
	for (int i = 0; i < 5; i++)
		identity_world_ask_soon(&w, ASK(.bearer = token));
	RUN_UNTIL(w.loop, w.issuer.n_held == 1);
	for (n = 0; n < 20; n++)
		until_turn(w.loop);
	assert_int_equal(w.issuer.n_held, 1);
	assert_false(w.answered);
	fake_issuer_release(&w.issuer);
	RUN_UNTIL(w.loop, w.answered);
	assert_int_equal(w.status, 200);
	assert_int_equal(w.issuer.keys_asked, 1);
	free(token);
}

static void who_waits_too_long_is_told_to_come_again(void **state)
{
	char *token = push_token();

	w.issuer.holds_keys = true;
	identity_world_ask_soon(&w, ASK(.bearer = token));
	RUN_UNTIL(w.loop, w.issuer.n_held == 1);
	until_later(w.loop, KEY_SET_WAIT_MS + 100);
	RUN_UNTIL(w.loop, w.answered);
	assert_int_equal(w.status, 503);
	assert_string_equal(w.code, "keys-unavailable");
	fake_issuer_release(&w.issuer);
	free(token);
}

static void a_new_key_is_found(void **state)
{
	ask_bearer(push_token());
	assert_int_equal(w.status, 200);
	w.issuer.rsa = rsa2;
	w.issuer.rsa_kid = "r2";
	until_later(w.loop, KEY_SET_REFETCH_MS + 1000);
	ask_bearer(push_token());
	assert_int_equal(w.status, 200);
	assert_int_equal(w.issuer.keys_asked, 2);
}

static void a_stranger_with_any_kid_makes_us_fetch_once_a_minute(void **state)
{
	char *header, *token;

	ask_bearer(push_token());
	until_later(w.loop, KEY_SET_REFETCH_MS + 1000);
	for (int i = 0; i < 10; i++) {
		char *payload =
			xasprintf("{\"iss\":\"%s\",\"iat\":%lld,\"exp\":%lld,"
				  "\"aud\":\"" WORLD_URL "\"}",
				w.issuer.url, (long long)clock_wall_ms() / 1000,
				(long long)clock_wall_ms() / 1000 + 300);

		header = xasprintf("{\"alg\":\"RS256\",\"kid\":\"k%d\"}", i);
		token = jwt_sign(rsa2, header, payload);
		refused_bearer(token, "proof-key-unknown");
		free(header);
		free(payload);
	}
	assert_int_equal(w.issuer.keys_asked, 2);
}

static void keys_stay_when_they_cannot_be_fetched(void **state)
{
	ask_bearer(push_token());
	w.issuer.keys_status = 500;
	until_later(w.loop, KEY_SET_LIFE_MS_MIN);
	ask_bearer(push_token());
	assert_int_equal(w.status, 200);
	RUN_UNTIL(w.loop, w.issuer.keys_asked == 2);
	until_later(w.loop, INT64_C(20) * 3600 * 1000);
	ask_bearer(push_token());
	assert_int_equal(w.status, 200);
	/* And not for ever. */
	until_later(w.loop, INT64_C(5) * 3600 * 1000);
	refused_bearer(push_token(), "keys-unavailable");
	assert_int_equal(w.status, 503);
}

static void an_issuer_that_fails_is_left_alone_for_a_while(void **state)
{
	w.issuer.keys_status = 500;
	refused_bearer(push_token(), "keys-unavailable");
	assert_true(w.retry_after_ms > 0);
	for (int i = 0; i < 5; i++)
		refused_bearer(push_token(), "keys-unavailable");
	assert_int_equal(w.issuer.keys_asked, 1);
	w.issuer.keys_status = 0;
	until_later(w.loop, KEY_SET_PAUSE_MS_MAX + KEY_SET_BACKOFF_MS);
	ask_bearer(push_token());
	assert_int_equal(w.status, 200);
}

static void keys_are_kept_as_long_as_they_say(void **state)
{
	w.issuer.cache_control = "public, max-age=36000";
	ask_bearer(push_token());
	until_later(w.loop, INT64_C(7) * 3600 * 1000);
	ask_bearer(push_token());
	assert_int_equal(w.issuer.keys_asked, 1);
	until_later(w.loop, INT64_C(2) * 3600 * 1000); /* four fifths */
	ask_bearer(push_token());
	RUN_UNTIL(w.loop, w.issuer.keys_asked == 2);
}

static void a_life_of_keys_is_bounded(void **state)
{
	static const struct {
		const char *text;
		int64_t life_ms;
	} rows[] = {
		{NULL, 300000},
		{"", 300000},
		{"max-age=600", 600000},
		{"public,MAX-AGE=600 , must-revalidate", 600000},
		{"s-maxage=600", 300000},
		{"max-age=0", 300000},
		{"max-age=-5", 300000},
		{"max-age=99999999999999999999999", 86400000},
		{"no-store", 300000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(
			key_set_life_ms(rows[i].text), rows[i].life_ms);
}

static void a_document_of_another_issuer_is_refused(void **state)
{
	w.issuer.says = "https://token.actions.githubusercontent.com";
	refused_bearer(push_token(), "keys-unavailable");
	assert_int_equal(w.issuer.keys_asked, 0);
}

/* ---- who tries too often ---- */

static void asks_from(const char *bearer, const char *address, int status)
{
	identity_world_ask(&w, ASK(.bearer = bearer, .forwarded = address));
	assert_int_equal(w.status, status);
}

/* Twenty, and one more each 3 s. */
static void spend_attempts(const char *bearer, const char *address)
{
	for (int i = 0; i < 20; i++)
		asks_from(bearer, address, 401);
	asks_from(bearer, address, 429);
	assert_true(w.retry_after_ms > 0 && w.retry_after_ms <= 3000);
}

static void behind_proxy(void)
{
	w.config.behind_proxy = true;
	identity_world_restart(&w);
}

static void wrong_proofs_are_bounded_by_address(void **state)
{
	behind_proxy();
	spend_attempts("tgt_x", "9.9.9.9, 1.2.3.4");
	/* Whatever is wrong next, and wherever it claims to have passed. */
	asks_from("e30.e30.e30", "7.7.7.7, 1.2.3.4", 429);
	/* Others are not held back, nor he for ever. */
	asks_from("tgt_x", "1.2.3.5", 401);
	until_later(w.loop, 4000);
	asks_from("tgt_x", "1.2.3.4", 401);
}

static void what_is_no_address_does_not_make_another_of_who_asks(void **state)
{
	behind_proxy();
	spend_attempts("tgt_x", NULL);
	asks_from("tgt_x", "x\" peer=\"1.1.1.1", 429);
}

/* Many people are behind one address. */
static void a_right_proof_is_taken_whatever_neighbours_bring(void **state)
{
	char *good = identity_world_token(&w, "ci", "", "read", 600000);
	char *push = push_token();

	behind_proxy();
	spend_attempts("tgt_x", "1.2.3.4");
	asks_from(good, "1.2.3.4", 200);
	asks_from(push, "1.2.3.4", 200);
	asks_from("tgt_x", "1.2.3.4", 429);
	free(push);
	free(good);
}

/* Nobody finds a secret by trying, not even where its token is used. */
static void a_token_that_is_guessed_is_not_looked_at(void **state)
{
	char *good = identity_world_token(&w, "ci", "", "read", 600000);
	char *other = identity_world_token(&w, "cd", "", "read", 600000);
	char *guess = xstrdup(good);
	char *last = guess + strlen(guess) - 1;

	*last = *last == 'A' ? 'E' : 'A';
	behind_proxy();
	spend_attempts(guess, "1.2.3.4");
	identity_world_refused(&w, ASK(.bearer = good, .forwarded = "1.2.3.4"),
		"too-many-attempts");
	asks_from(other, "1.2.3.4", 200);
	asks_from(good, "1.2.3.5", 200);
	until_later(w.loop, 4000);
	asks_from(good, "1.2.3.4", 200);
	free(guess);
	free(other);
	free(good);
}

static void the_daemon_stops_while_somebody_waits(void **state)
{
	char *token = push_token();

	w.issuer.holds_keys = true;
	identity_world_ask_soon(&w, ASK(.bearer = token));
	RUN_UNTIL(w.loop, w.issuer.n_held == 1);
	identity_world_restart(&w);
	RUN_UNTIL(w.loop, w.answered);
	assert_int_equal(w.status, 503);
	free(token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_says_whose_it_is_and_what_it_may),
		TEST(a_token_of_a_program_never_approves),
		TEST(a_token_ends_at_once_when_it_is_revoked),
		TEST(a_token_is_over_when_its_time_is),
		TEST(its_last_use_is_noted_once_a_minute),
		TEST(what_is_no_proof_is_said_to_be_none),
		TEST(a_header_that_is_not_signed_proves_nothing),
		TEST(the_other_end_of_a_socket_is_an_os_user),
		TEST(iap_says_who_is_behind_it),
		TEST(an_assertion_is_not_a_bearer_and_a_bearer_no_assertion),
		TEST(one_proof_counts_and_no_other_is_looked_at),
		TEST(behind_iap_a_foreign_page_changes_nothing),
		TEST(both_forms_of_googles_name_are_google),
		TEST(an_address_that_is_not_verified_is_no_key),
		TEST(a_service_account_is_a_machine),
		TEST(a_name_that_shows_something_else_is_no_key),
		TEST(a_reason_stays_between_its_quotes),
		TEST(a_workflow_is_what_its_claims_say_whatever_its_sub),
		TEST(whose_deed_made_a_workflow_run_is_no_key_of_it),
		TEST(a_pull_requests_workflow_does_nothing),
		TEST(an_id_of_github_is_a_number),
		TEST(an_issuer_may_be_configured_for_several_audiences),
		TEST(a_token_for_others_or_for_ever_is_refused),
		TEST(keys_are_fetched_once_for_many),
		TEST(those_who_wait_share_one_fetch),
		TEST(who_waits_too_long_is_told_to_come_again),
		TEST(a_new_key_is_found),
		TEST(a_stranger_with_any_kid_makes_us_fetch_once_a_minute),
		TEST(keys_stay_when_they_cannot_be_fetched),
		TEST(an_issuer_that_fails_is_left_alone_for_a_while),
		TEST(keys_are_kept_as_long_as_they_say),
		TEST(a_life_of_keys_is_bounded),
		TEST(a_document_of_another_issuer_is_refused),
		TEST(wrong_proofs_are_bounded_by_address),
		TEST(what_is_no_address_does_not_make_another_of_who_asks),
		TEST(a_right_proof_is_taken_whatever_neighbours_bring),
		TEST(a_token_that_is_guessed_is_not_looked_at),
		TEST(the_daemon_stops_while_somebody_waits),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_unmake);
}
