/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers and chat: logging in, sessions, pages of others, Slack's buttons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/request.h"
#include "base/form.h"
#include "base/xalloc.h"
#include "identity/attempts.h"
#include "identity/cookie.h"
#include "identity/login_secret.h"
#include "identity/mac.h"
#include "identity/session.h"
#include "identity/session_codec.h"
#include "identity/slack_codec.h"
#include "identity_fixture.h"
#include "io/clock.h"
#include "io/loop.h"
#include "jwt_fixture.h"
#include "until.h"

#define WORLD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)
#define TEST(name) cmocka_unit_test(name)
#define ASK(...)   (&(struct identity_ask_spec){__VA_ARGS__})
#define HOUR_MS    INT64_C(3600000)
#define ID_CHARS   43 /* of 32 bytes, in the cookie */

#define ALICE                                             \
	"\"sub\":\"42\",\"email\":\"Alice@Example.com\"," \
	"\"email_verified\":true"

static EVP_PKEY *rsa, *ec, *stranger;
static struct identity_world w;

static int keys_make(void **state)
{
	rsa = jwt_rsa_key(2048);
	stranger = jwt_rsa_key(2048);
	ec = jwt_ec_key("P-256");
	return 0;
}

static int keys_unmake(void **state)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(stranger);
	EVP_PKEY_free(ec);
	return 0;
}

static int world_make(void **state)
{
	identity_world_init(&w, rsa, ec);
	w.domains[0] = "example.com";
	w.issuer.claims = ALICE;
	return 0;
}

static int world_unmake(void **state)
{
	identity_world_fini(&w);
	return 0;
}

/* ---- the three steps of a login ---- */

/* The cookie of the login that was begun; the caller frees it. */
static char *go_to_issuer(const char *path)
{
	identity_world_ask(&w, ASK(.path = path));
	assert_int_equal(w.status, 303);
	return identity_world_cookie(&w);
}

/* The path to which the issuer sends the browser back; the caller frees it. */
static char *pass_issuer(void)
{
	char *location = xstrdup(w.location);

	assert_int_equal(
		strncmp(location, w.issuer.url, strlen(w.issuer.url)), 0);
	identity_world_ask(&w, ASK(.path = location));
	free(location);
	assert_int_equal(w.status, 302);
	return xstrdup(w.location);
}

/* The cookie of the session; the caller frees it. */
static char *log_in(void)
{
	char *cookie = go_to_issuer("/login?next=/ops/rollouts%3Fx%3D1");
	char *back = pass_issuer(), *session;

	identity_world_ask(&w, ASK(.path = back, .cookie = cookie));
	if (w.status != 303)
		fail_msg("%s: %s", w.code, w.reason);
	session = identity_world_cookie(&w);
	free(cookie);
	free(back);
	return session;
}

static void refused_login(const char *code)
{
	char *cookie = go_to_issuer("/login");
	char *back = pass_issuer();

	identity_world_refused(&w, ASK(.path = back, .cookie = cookie), code);
	assert_null(strstr(w.cookie, "__Host-tidegate="));
	free(cookie);
	free(back);
}

static void a_person_logs_in_and_is_known(void **state)
{
	char *session = log_in();

	assert_string_equal(w.location, "/ops/rollouts?x=1");
	assert_non_null(strstr(w.cookie, "__Host-tidegate="));
	assert_non_null(strstr(w.cookie, "; Path=/; Secure; HttpOnly; "
					 "SameSite=Lax; Max-Age=86400"));
	identity_world_ask(&w, ASK(.cookie = session));
	assert_int_equal(w.status, 200);
	assert_string_equal(w.method, "oidc");
	assert_non_null(strstr(w.keys, "oidc:http://127.0.0.1:"));
	assert_non_null(strstr(w.keys, "|42 email:alice@example.com "));
	assert_true(w.is_vetted);
	assert_int_equal(strlen(w.proof), 12);
	assert_null(strstr(session, w.proof));
	free(session);
}

static void an_issuer_that_takes_the_secret_in_the_form_gets_it_there(
	void **state)
{
	w.issuer.posts_secret = true;
	free(log_in());
	assert_int_equal(w.issuer.tokens_asked, 1);
}

static void a_login_is_of_the_browser_that_began_it(void **state)
{
	char *cookie = go_to_issuer("/login");
	char *back = pass_issuer();
	char *other = go_to_issuer("/login");

	identity_world_refused(&w, ASK(.path = back), "login-state");
	identity_world_refused(
		&w, ASK(.path = back, .cookie = other), "login-state");
	identity_world_refused(&w,
		ASK(.path = "/callback?code=x", .cookie = cookie),
		"login-state");
	assert_int_equal(w.issuer.tokens_asked, 0);
	free(cookie);
	free(back);
	free(other);
}

static void a_login_is_used_once(void **state)
{
	char *cookie = go_to_issuer("/login");
	char *back = pass_issuer();

	identity_world_ask(&w, ASK(.path = back, .cookie = cookie));
	assert_int_equal(w.status, 303);
	identity_world_refused(
		&w, ASK(.path = back, .cookie = cookie), "login-failed");
	/* Also where the issuer would give another token for the code. */
	w.issuer.code = xstrdup("c0de/with+signs");
	identity_world_refused(
		&w, ASK(.path = back, .cookie = cookie), "proof-used-before");
	free(cookie);
	free(back);
}

static void a_login_has_ten_minutes(void **state)
{
	char *cookie = go_to_issuer("/login");
	char *back = pass_issuer();

	until_later(w.loop, 601000);
	identity_world_refused(
		&w, ASK(.path = back, .cookie = cookie), "login-state");
	free(cookie);
	free(back);
}

static void an_id_token_is_of_this_login(void **state)
{
	w.issuer.nonce = "another";
	refused_login("proof-nonce");
}

static void an_account_of_another_domain_is_refused(void **state)
{
	w.issuer.claims = "\"sub\":\"42\",\"email\":\"alice@evil.example\","
			  "\"email_verified\":true";
	refused_login("domain-not-ours");
	assert_int_equal(w.status, 403);
	w.issuer.claims = "\"sub\":\"42\",\"email\":\"alice@example.com\"";
	refused_login("domain-not-ours");
	w.issuer.claims = "\"sub\":\"42\",\"hd\":\"example.com\"";
	refused_login("domain-not-ours"); /* anybody may claim that */
}

static void an_id_token_of_anothers_key_is_refused(void **state)
{
	char *cookie = go_to_issuer("/login"); /* the keys are known now */
	char *back = pass_issuer();

	w.issuer.rsa = stranger;
	identity_world_refused(
		&w, ASK(.path = back, .cookie = cookie), "proof-signature");
	free(cookie);
	free(back);
}

static void an_answer_of_another_issuer_is_refused(void **state)
{
	char *cookie = go_to_issuer("/login");
	char *back = pass_issuer(), *at = strstr(back, "&iss=");
	char *mixed;

	assert_non_null(at);
	*at = '\0';
	mixed = xasprintf("%s&iss=https://evil.example", back);
	identity_world_refused(
		&w, ASK(.path = mixed, .cookie = cookie), "proof-issuer");
	free(mixed);
	free(back);
	free(cookie);
}

static void what_an_issuer_says_is_not_shown(void **state)
{
	char *cookie = go_to_issuer("/login");
	char *back = pass_issuer(), *state_at = strstr(back, "state=");
	char *path = xasprintf(
		"/callback?error=access_denied%%0a<b>&%.49s", state_at);

	identity_world_refused(
		&w, ASK(.path = path, .cookie = cookie), "login-failed");
	assert_non_null(strstr(w.reason, "access_denied\\n<b>"));
	free(path);
	free(back);
	free(cookie);
}

static void one_goes_on_to_a_path_of_ours_only(void **state)
{
	static const char *const wrong[] = {"//evil.example",
		"https://evil.example", "/\\evil.example", "\\evil", "evil", "",
		"/a\tb", "/a\nb", "/a b", "/\xc3\xa4"};
	static const char *const right[] = {"/", "/ops/", "/ops/a?b=c#d"};
	char *large = xcalloc(LOGIN_NEXT_MAX + 2, 1);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(login_next_is_ours(wrong[i]));
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		assert_true(login_next_is_ours(right[i]));
	memset(large, '/', LOGIN_NEXT_MAX + 1);
	memset(large + 1, 'a', LOGIN_NEXT_MAX);
	assert_false(login_next_is_ours(large));
	large[LOGIN_NEXT_MAX] = '\0';
	assert_true(login_next_is_ours(large));
	free(large);
}

static void the_cookie_of_a_login_cannot_be_changed(void **state)
{
	struct login_secret secret, again;
	struct arena arena;
	struct buf value;
	size_t len;

	arena_init(&arena);
	login_secret_make(&secret, 3, "/a?b", 1000, &arena);
	buf_init(&value, 4096);
	login_secret_print(&secret, &value);
	len = value.len;
	assert_int_equal(
		login_secret_parse(value.data, len, 1000, &arena, &again), 0);
	assert_string_equal(secret.state, again.state);
	assert_string_equal(secret.verifier, again.verifier);
	assert_string_equal(again.next, "/a?b");
	assert_int_equal(again.issuer, 3);
	/* Neither its end nor where it goes to. */
	value.data[ID_CHARS + 1]++;
	assert_int_equal(
		login_secret_parse(value.data, len, 1000, &arena, &again), 0);
	assert_string_not_equal(secret.state, again.state);
	value.data[ID_CHARS + 1]--;
	assert_int_equal(
		login_secret_parse(value.data, len, 1600, &arena, &again), -1);
	assert_int_equal(
		login_secret_parse(value.data, len, 999, &arena, &again), -1);
	for (size_t cut = 0; cut < len - 5; cut++)
		assert_int_equal(login_secret_parse(
					 value.data, cut, 1000, &arena, &again),
			-1);
	buf_fini(&value);
	arena_fini(&arena);
}

static void a_login_that_is_not_configured_is_refused(void **state)
{
	identity_world_refused(
		&w, ASK(.path = "/login?issuer=1"), "identity-not-configured");
	identity_world_refused(
		&w, ASK(.path = "/login?issuer=x"), "identity-not-configured");
}

/* ---- sessions ---- */

static void a_session_outlives_the_daemon(void **state)
{
	char *session = log_in();

	identity_world_restart(&w);
	identity_world_ask(&w, ASK(.cookie = session));
	assert_int_equal(w.status, 200);
	free(session);
}

static void a_session_that_is_not_used_ends(void **state)
{
	char *session = log_in();

	until_later(w.loop, 7 * HOUR_MS);
	identity_world_ask(&w, ASK(.cookie = session));
	assert_int_equal(w.status, 200);
	until_later(w.loop, 7 * HOUR_MS);
	identity_world_ask(&w, ASK(.cookie = session)); /* it was used */
	assert_int_equal(w.status, 200);
	until_later(w.loop, 8 * HOUR_MS);
	identity_world_refused(&w, ASK(.cookie = session), "session-over");
	assert_int_equal(w.status, 401);
	free(session);
}

static void a_session_ends_after_a_day_however_it_is_used(void **state)
{
	char *session = log_in();

	for (int i = 0; i < 23; i++) {
		until_later(w.loop, HOUR_MS);
		identity_world_ask(&w, ASK(.cookie = session));
		assert_int_equal(w.status, 200);
	}
	until_later(w.loop, HOUR_MS);
	identity_world_refused(&w, ASK(.cookie = session), "session-over");
	free(session);
}

static void a_new_login_ends_the_session_before(void **state)
{
	char *first = log_in(), *cookie = go_to_issuer("/login"), *both;
	char *back = pass_issuer(), *second;

	both = xasprintf("%s; %s", first, cookie);
	identity_world_ask(&w, ASK(.path = back, .cookie = both));
	assert_int_equal(w.status, 303);
	second = identity_world_cookie(&w);
	assert_string_not_equal(first, second);
	identity_world_refused(&w, ASK(.cookie = first), "session-over");
	identity_world_ask(&w, ASK(.cookie = second));
	assert_int_equal(w.status, 200);
	free(first);
	free(second);
	free(cookie);
	free(both);
	free(back);
}

static void who_logs_out_is_out(void **state)
{
	char *session = log_in();
	struct identity_ask_spec ask = {.path = "/logout",
		.method = "POST",
		.cookie = session,
		.content_type = "application/json",
		.body = "{}",
		.origin = "https://evil.example"};

	identity_world_refused(&w, &ask, "cross-site");
	ask.origin = WORLD_ORIGIN;
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 303);
	assert_string_equal(w.location, "/ops/signed-out");
	assert_non_null(strstr(w.cookie, "__Host-tidegate=; Path=/; "));
	assert_non_null(strstr(w.cookie, "Max-Age=0"));
	identity_world_refused(&w, ASK(.cookie = session), "session-over");
	free(session);
}

static void a_session_that_was_guessed_is_none(void **state)
{
	static const char *const wrong[] = {
		"__Host-tidegate=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		identity_world_refused(
			&w, ASK(.cookie = wrong[i]), "session-over");
	identity_world_refused(
		&w, ASK(.cookie = "__Host-tidegate=x"), "proof-malformed");
	identity_world_refused(&w,
		ASK(.cookie = "__Host-tidegate=x; __Host-tidegate=y"),
		"proof-malformed");
	identity_world_refused(&w, ASK(.cookie = "tidegate=x"), "no-identity");
}

static void a_bearer_is_asked_and_its_cookie_is_not(void **state)
{
	char *session = log_in();

	identity_world_refused(&w, ASK(.bearer = "tgt_x", .cookie = session),
		"proof-malformed");
	free(session);
}

static void a_session_reads_back_as_it_was(void **state)
{
	static const char *const keys[] = {
		"google:7", "email:a\"b@example.com"};
	const struct caller caller = {.method = "oidc",
		.issuer = "https://i",
		.keys = keys,
		.n_keys = 2,
		.label = "x",
		.is_vetted = true,
		.rights = RIGHTS_ALL};
	const char *room[CALLER_KEYS_MAX];
	char *text = session_encode(&caller);
	struct caller back;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	assert_int_equal(session_decode(text, &arena, room, &back, &err), 0);
	assert_string_equal(back.method, "oidc");
	assert_int_equal(back.n_keys, 2);
	assert_string_equal(back.keys[1], keys[1]);
	assert_null(back.person);
	assert_true(back.is_vetted);
	assert_false(back.is_machine);
	assert_int_equal(back.rights, RIGHTS_ALL);
	assert_int_equal(session_decode("{}", &arena, room, &back, &err), -1);
	assert_int_equal(session_decode("", &arena, room, &back, &err), -1);
	assert_int_equal(session_decode("{\"method\":\"token\",\"keys\":"
					"[\"a:b\"]}",
				 &arena, room, &back, &err),
		-1);
	arena_fini(&arena);
	free(text);
}

/* ---- invitations ---- */

static void an_invitation_lets_one_person_in_once(void **state)
{
	struct secret *code = identity_invite(w.identity, "bob", 600000);
	struct secret *late = identity_invite(w.identity, "bob", 1000);
	char *path = xasprintf("/login?invite=%s", secret_reveal(code));
	char *session;

	identity_world_ask(&w, ASK(.path = path));
	assert_int_equal(w.status, 303);
	assert_string_equal(w.location, "/ops/"); /* as browsers know it */
	session = identity_world_cookie(&w);
	identity_world_ask(&w, ASK(.cookie = session));
	assert_string_equal(w.method, "invite");
	assert_string_equal(w.keys, "os:bob ");
	assert_string_equal(w.person, "bob");
	identity_world_refused(&w, ASK(.path = path), "login-state");
	until_later(w.loop, 2000);
	free(path);
	path = xasprintf("/login?invite=%s", secret_reveal(late));
	identity_world_refused(&w, ASK(.path = path), "login-state");
	free(path);
	free(session);
	secret_free(&code);
	secret_free(&late);
}

/* ---- pages of others ---- */

static void a_request_that_changes_something_comes_from_our_page(void **state)
{
	static const struct {
		const char *origin, *site, *type, *code;
	} rows[] = {
		{WORLD_ORIGIN, "same-origin", "application/json", NULL},
		{WORLD_ORIGIN, NULL, "application/json", NULL},
		{NULL, "same-origin", "application/json", NULL},
		{WORLD_ORIGIN, NULL, "Application/JSON; charset=utf-8", NULL},
		{NULL, NULL, "application/json", "origin-missing"},
		{"null", NULL, "application/json", "cross-site"},
		{"null", "same-origin", "application/json", "cross-site"},
		{"https://evil.example", NULL, "application/json",
			"cross-site"},
		{"http://tidegate.example.com", NULL, "application/json",
			"cross-site"},
		{WORLD_ORIGIN ":443", NULL, "application/json", "cross-site"},
		{WORLD_ORIGIN ".evil.example", NULL, "application/json",
			"cross-site"},
		{WORLD_ORIGIN, "cross-site", "application/json", "cross-site"},
		{WORLD_ORIGIN, "same-site", "application/json", "cross-site"},
		{NULL, "none", "application/json", "cross-site"},
		{WORLD_ORIGIN, NULL, "text/plain", "content-type"},
		{WORLD_ORIGIN, NULL, "application/jsonx", "content-type"},
		{WORLD_ORIGIN, NULL, "multipart/form-data; boundary=x",
			"content-type"},
	};
	char *session = log_in();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		identity_world_ask(
			&w, ASK(.method = "POST", .cookie = session,
				    .body = "{}", .origin = rows[i].origin,
				    .fetch_site = rows[i].site,
				    .content_type = rows[i].type));
		if (strcmp(w.code, rows[i].code ? rows[i].code : "") != 0)
			fail_msg("row %zu: %s (%s)", i, w.code, w.reason);
	}
	/* What reads may be asked from anywhere: a link in chat. */
	identity_world_ask(
		&w, ASK(.cookie = session, .fetch_site = "cross-site",
			    .origin = "https://evil.example"));
	assert_int_equal(w.status, 200);
	free(session);
}

static void a_form_brings_back_what_our_page_has_put_in_it(void **state)
{
	char *session = log_in(), *other = log_in(), *form;
	struct identity_ask_spec ask = {.method = "POST",
		.cookie = session,
		.origin = WORLD_ORIGIN,
		.content_type = "application/x-www-form-urlencoded",
		.body = "verb=approve"};

	identity_world_refused(&w, &ask, "form-token");
	identity_world_ask(&w, ASK(.cookie = session));
	form = xasprintf("verb=approve&form_token=%s", w.form_token);
	ask.body = form;
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 200);
	ask.cookie = other; /* the same person, another session */
	identity_world_refused(&w, &ask, "form-token");
	ask.cookie = session;
	ask.body = "form_token=&form_token=";
	identity_world_refused(&w, &ask, "form-token");
	free(form);
	free(session);
	free(other);
}

/* Names of this machine are compared with Host, as the server does. */
static void without_a_public_url_our_page_is_of_this_machine(void **state)
{
	struct secret *code;
	char *path, *session, *near = xasprintf("%s.evil.example", w.url);
	struct identity_ask_spec ask = {.method = "POST",
		.content_type = "application/json",
		.body = "{}",
		.origin = w.url};

	w.config.public_url = NULL;
	identity_world_restart(&w);
	code = identity_invite(w.identity, "bob", 600000);
	path = xasprintf("/login?invite=%s", secret_reveal(code));
	identity_world_ask(&w, ASK(.path = path));
	session = identity_world_cookie(&w);
	ask.cookie = session;
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 200);
	ask.origin = near;
	identity_world_refused(&w, &ask, "cross-site");
	ask.origin = "http://127.0.0.1:1";
	identity_world_refused(&w, &ask, "cross-site");
	free(near);
	free(path);
	free(session);
	secret_free(&code);
}

static void a_public_url_is_https_and_may_end_with_a_slash(void **state)
{
	struct api api = {.loop = w.loop, .http = w.http};
	struct err err;
	char *session;

	w.config.public_url = WORLD_URL "/";
	identity_world_restart(&w);
	free(log_in()); /* the redirect URI is the one that is registered */
	/* Browsers say it in small letters and without the usual port. */
	session = log_in();
	w.config.public_url = "HTTPS://Tidegate.example.com:443/ops";
	identity_world_restart(&w);
	identity_world_ask(
		&w, ASK(.method = "POST", .cookie = session, .body = "{}",
			    .content_type = "application/json",
			    .origin = WORLD_ORIGIN));
	assert_int_equal(w.status, 200);
	free(session);
	w.config.public_url = "http://tidegate.example.com";
	assert_null(identity_new(&api, &w.config, &err));
	assert_non_null(strstr(err.text, "public_url"));
}

static void a_program_with_a_token_needs_no_origin(void **state)
{
	char *token = identity_world_token(&w, "ci", "", "start", 60000);

	identity_world_ask(
		&w, ASK(.method = "POST", .bearer = token, .body = "{}",
			    .content_type = "application/json"));
	assert_int_equal(w.status, 200);
	free(token);
}

/* ---- Slack ---- */

#define PAYLOAD                                                               \
	"{\"type\":\"block_actions\",\"api_app_id\":\"A1\",\"team\":{\"id\":" \
	"\"T1\"},\"user\":{\"id\":\"U7\",\"name\":\"bob\",\"team_id\":"       \
	"\"T1\"},\"actions\":[{\"action_id\":\"approve\",\"value\":\"v1\","   \
	"\"action_ts\":\"1.2\"}],\"channel\":{\"id\":\"C1\"},\"container\":{" \
	"\"message_ts\":\"3.4\"},\"trigger_id\":\"t\",\"response_url\":"      \
	"\"https://hooks.slack.com/actions/T1/1/x\"}"

struct slack_press {
	char *body;
	char time[32], signature[80];
};

static void press_sign(struct slack_press *p, const char *payload, int ago_s)
{
	unsigned char mac[MAC_BYTES];
	char *escaped = http_escape(payload);

	p->body = xasprintf("payload=%s", escaped);
	snprintf(p->time, sizeof(p->time), "%lld",
		(long long)(clock_wall_ms() / 1000 - ago_s));
	mac_make(SLACK_SECRET, strlen(SLACK_SECRET),
		(const struct mac_part[]){{"v0:", 3},
			{p->time, strlen(p->time)}, {":", 1},
			{p->body, strlen(p->body)}, {NULL, 0}},
		mac);
	strcpy(p->signature, "v0=");
	for (int i = 0; i < MAC_BYTES; i++)
		snprintf(p->signature + 3 + 2 * i, 3, "%02x", mac[i]);
	free(escaped);
}

static struct identity_ask_spec press_ask(const struct slack_press *p)
{
	return (struct identity_ask_spec){.path = "/slack/actions",
		.method = "POST",
		.content_type = "application/x-www-form-urlencoded",
		.body = p->body,
		.slack_time = p->time,
		.slack_signature = p->signature};
}

static void refused_press(const char *payload, int ago_s, const char *code)
{
	struct slack_press p;
	struct identity_ask_spec ask;

	press_sign(&p, payload, ago_s);
	ask = press_ask(&p);
	identity_world_refused(&w, &ask, code);
	free(p.body);
}

static void a_button_in_slack_says_who_pressed_it_and_which(void **state)
{
	struct slack_press p;
	struct identity_ask_spec ask;

	press_sign(&p, PAYLOAD, 0);
	ask = press_ask(&p);
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 200);
	assert_string_equal(w.method, "slack");
	assert_string_equal(w.keys, "slack:T1/U7 ");
	assert_string_equal(w.button, "v1");
	free(p.body);
}

static void a_press_is_taken_once(void **state)
{
	struct slack_press p;
	struct identity_ask_spec ask;

	press_sign(&p, PAYLOAD, 0);
	ask = press_ask(&p);
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 200);
	identity_world_refused(&w, &ask, "proof-used-before");
	identity_world_restart(&w); /* by no other process either */
	identity_world_refused(&w, &ask, "proof-used-before");
	free(p.body);
}

static void a_press_is_slacks_and_of_now(void **state)
{
	struct slack_press p;
	struct identity_ask_spec ask;
	char time[40];

	refused_press(PAYLOAD, 302, "proof-time");
	refused_press(PAYLOAD, -302, "proof-time");
	press_sign(&p, PAYLOAD, 0);
	ask = press_ask(&p);
	p.signature[10] = p.signature[10] == 'a' ? 'b' : 'a';
	identity_world_refused(&w, &ask, "proof-signature");
	p.signature[10] = 'A'; /* digits are small */
	identity_world_refused(&w, &ask, "proof-malformed");
	free(p.body);
	press_sign(&p, PAYLOAD, 0);
	ask = press_ask(&p);
	p.body[strlen(p.body) - 1] = 'C'; /* the last byte of %7D */
	identity_world_refused(&w, &ask, "proof-signature");
	free(p.body);
	press_sign(&p, PAYLOAD, 0);
	ask = press_ask(&p);
	snprintf(time, sizeof(time), "%s.0", p.time);
	ask.slack_time = time;
	identity_world_refused(&w, &ask, "proof-malformed");
	ask.slack_time = NULL;
	identity_world_refused(&w, &ask, "proof-malformed");
	ask = press_ask(&p);
	ask.slack_signature = NULL;
	identity_world_refused(&w, &ask, "proof-malformed");
	free(p.body);
}

static void people_of_other_teams_and_apps_are_refused(void **state)
{
	static const char head[] = "{\"type\":\"block_actions\",";
	static const char tail[] = "\"actions\":[{\"action_id\":\"a\"}]}";
	static const struct {
		const char *members, *code;
	} rows[] = {
		{"\"api_app_id\":\"A2\",\"team\":{\"id\":\"T1\"},\"user\":{"
		 "\"id\":\"U7\"},",
			"app-not-ours"},
		{"\"api_app_id\":\"A1\",\"team\":{\"id\":\"T2\"},\"user\":{"
		 "\"id\":\"U7\"},",
			"team-not-ours"},
		{"\"api_app_id\":\"A1\",\"team\":null,\"user\":{\"id\":\"U7\"}"
		 ",",
			"team-not-ours"},
		{"\"api_app_id\":\"A1\",\"team\":{\"id\":\"T1\"},\"user\":{"
		 "\"id\":\"U7\",\"team_id\":\"T2\"},",
			"team-not-ours"},
		{"\"api_app_id\":\"A1\",\"team\":{\"id\":\"T1\"},",
			"proof-malformed"},
	};
	char *payload;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		payload = xasprintf("%s%s%s", head, rows[i].members, tail);
		refused_press(payload, 0, rows[i].code);
		free(payload);
	}
	refused_press("{}", 0, "proof-malformed");
	refused_press("[]", 0, "proof-malformed");
	refused_press("{\"type\":\"shortcut\"}", 0, "proof-malformed");
}

static void a_second_app_has_a_secret_of_its_own(void **state)
{
	static const char other[] = "another-secret-of-another-app";
	struct secret *secret = secret_new(other, strlen(other));
	struct identity_ask_spec ask;
	struct slack_press p;

	w.issuers[6] = w.issuers[5];
	w.issuers[5].signing_secret = secret;
	w.issuers[5].app = "A0";
	w.config.n_issuers = 7;
	identity_world_restart(&w);
	press_sign(&p, PAYLOAD, 0);
	ask = press_ask(&p);
	identity_world_ask(&w, &ask);
	assert_int_equal(w.status, 200);
	w.config.n_issuers = 5;
	identity_world_restart(&w);
	identity_world_refused(&w, &ask, "identity-not-configured");
	secret_free(&secret);
	free(p.body);
}

static void an_answer_goes_to_slack_only(void **state)
{
	static const char *const urls[] = {"https://evil.example/x",
		"http://hooks.slack.com/x", "https://hooks.slack.com.evil/x",
		"https://hooks.slack.com/@evil.example"};
	struct slack_action action;
	struct refusal why;
	struct arena arena;
	char *body;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		body = xasprintf(
			"payload={\"type\":\"block_actions\",\"api_app_id\":"
			"\"A\",\"user\":{\"id\":\"U\"},\"actions\":[{}],"
			"\"response_url\":\"%s\"}",
			urls[i]);
		assert_int_equal(slack_decode(body, strlen(body), NULL, &arena,
					 &action, &why),
			0);
		assert_null(action.response_url);
		free(body);
	}
	arena_fini(&arena);
}

static void a_modal_brings_a_comment(void **state)
{
	static const char body[] =
		"payload={\"type\":\"view_submission\",\"api_app_id\":\"A\","
		"\"team\":{\"id\":\"T\"},\"user\":{\"id\":\"U\"},\"view\":{"
		"\"callback_id\":\"decide\",\"private_metadata\":\"m\","
		"\"state\":{\"values\":{\"comment\":{\"comment\":{\"type\":"
		"\"plain_text_input\",\"value\":\"looks+good\"}}}}}}";
	struct slack_action action;
	struct refusal why;
	struct arena arena;

	arena_init(&arena);
	assert_int_equal(
		slack_decode(body, strlen(body), NULL, &arena, &action, &why),
		0);
	assert_string_equal(action.comment, "looks good");
	assert_string_equal(action.metadata, "m");
	assert_string_equal(action.callback_id, "decide");
	arena_fini(&arena);
}

/* ---- small parsers ---- */

static void a_cookie_is_found_among_others(void **state)
{
	static const struct {
		const char *header;
		int found;
		const char *value;
	} rows[] = {
		{"n=v", 1, "v"},
		{"a=b; n=v; c=d", 1, "v"},
		{"a=b;n=v;c=d", 1, "v"},
		{"nn=v; xn=v; n2=v", 0, NULL},
		{"", 0, NULL},
		{";;; ;n=v", 1, "v"},
		{"n", 0, NULL},
		{"n=", -1, NULL},
		{"n=\"v\"", -1, NULL},
		{"n=v=", -1, NULL},
		{"n=v ;", -1, NULL},
		{"n=v\x01", -1, NULL},
		{"n=v; n=v", -1, NULL},
		{"N=v", 0, NULL},
	};
	const char *value;
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (cookie_find(rows[i].header, "n", &value, &len) !=
			rows[i].found)
			fail_msg("\"%s\"", rows[i].header);
		if (rows[i].found > 0)
			assert_memory_equal(value, rows[i].value, len);
	}
}

static void a_form_is_read_strictly(void **state)
{
	static const char *const wrong[] = {"a", "=b", "a=%", "a=%4", "a=%zz",
		"a=%00", "a=%ff", "a=1&a=2", "a=1&%61=2", "a=1&&b=2", "a=\xff",
		"a=%C0%80"};
	char many[400] = "";
	struct arena arena;
	struct form form;
	struct err err;

	arena_init(&arena);
	assert_int_equal(
		form_parse("a=1+2%2B&b=%C3%A4&c=", 20, &arena, &form, &err), 0);
	assert_int_equal(form.n, 3);
	assert_string_equal(form_get(&form, "a"), "1 2+");
	assert_string_equal(form_get(&form, "b"), "\xc3\xa4");
	assert_string_equal(form_get(&form, "c"), "");
	assert_null(form_get(&form, "d"));
	assert_int_equal(form_parse("", 0, &arena, &form, &err), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (form_parse(wrong[i], strlen(wrong[i]), &arena, &form,
			    &err) == 0)
			fail_msg("\"%s\"", wrong[i]);
	}
	assert_int_equal(form_parse("a=\0b", 4, &arena, &form, &err), -1);
	for (int i = 0; i <= FORM_FIELDS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			"&f%02d=1", i);
	assert_int_equal(
		form_parse(many + 1, strlen(many + 1), &arena, &form, &err),
		-1);
	arena_fini(&arena);
}

static void attempts_come_back_with_time(void **state)
{
	struct attempts *a = attempts_new((struct attempts_rule){3, 100}, 7);
	char name[32];

	for (int i = 0; i < 3; i++)
		assert_int_equal(attempts_take(a, "x", 1000), 0);
	assert_int_equal(attempts_take(a, "x", 1000), 100);
	assert_int_equal(attempts_wait_ms(a, "x", 1060), 40);
	assert_int_equal(attempts_take(a, "y", 1000), 0);
	assert_int_equal(attempts_take(a, "x", 1100), 0);
	assert_int_equal(attempts_take(a, "x", 1100), 100);
	assert_int_equal(attempts_wait_ms(a, "x", 5000), 0);
	/* Whoever tries most is not forgotten for many who try once. */
	for (int i = 0; i < 3; i++)
		(void)attempts_take(a, "busy", 5000);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		(void)attempts_take(a, name, 5000);
	}
	assert_int_equal(attempts_wait_ms(a, "busy", 5000), 100);
	attempts_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_person_logs_in_and_is_known),
		WORLD_TEST(
			an_issuer_that_takes_the_secret_in_the_form_gets_it_there),
		WORLD_TEST(a_login_is_of_the_browser_that_began_it),
		WORLD_TEST(a_login_is_used_once),
		WORLD_TEST(a_login_has_ten_minutes),
		WORLD_TEST(an_id_token_is_of_this_login),
		WORLD_TEST(an_account_of_another_domain_is_refused),
		WORLD_TEST(an_id_token_of_anothers_key_is_refused),
		WORLD_TEST(an_answer_of_another_issuer_is_refused),
		WORLD_TEST(what_an_issuer_says_is_not_shown),
		TEST(one_goes_on_to_a_path_of_ours_only),
		TEST(the_cookie_of_a_login_cannot_be_changed),
		WORLD_TEST(a_login_that_is_not_configured_is_refused),
		WORLD_TEST(a_session_outlives_the_daemon),
		WORLD_TEST(a_session_that_is_not_used_ends),
		WORLD_TEST(a_session_ends_after_a_day_however_it_is_used),
		WORLD_TEST(a_new_login_ends_the_session_before),
		WORLD_TEST(who_logs_out_is_out),
		WORLD_TEST(a_session_that_was_guessed_is_none),
		WORLD_TEST(a_bearer_is_asked_and_its_cookie_is_not),
		TEST(a_session_reads_back_as_it_was),
		WORLD_TEST(an_invitation_lets_one_person_in_once),
		WORLD_TEST(
			a_request_that_changes_something_comes_from_our_page),
		WORLD_TEST(a_form_brings_back_what_our_page_has_put_in_it),
		WORLD_TEST(without_a_public_url_our_page_is_of_this_machine),
		WORLD_TEST(a_public_url_is_https_and_may_end_with_a_slash),
		WORLD_TEST(a_program_with_a_token_needs_no_origin),
		WORLD_TEST(a_button_in_slack_says_who_pressed_it_and_which),
		WORLD_TEST(a_press_is_taken_once),
		WORLD_TEST(a_press_is_slacks_and_of_now),
		WORLD_TEST(people_of_other_teams_and_apps_are_refused),
		WORLD_TEST(a_second_app_has_a_secret_of_its_own),
		TEST(an_answer_goes_to_slack_only),
		TEST(a_modal_brings_a_comment),
		TEST(a_cookie_is_found_among_others),
		TEST(a_form_is_read_strictly),
		TEST(attempts_come_back_with_time),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_unmake);
}
