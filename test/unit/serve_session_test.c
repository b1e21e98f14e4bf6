/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions of a person: seen, and ended, by themselves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "base/xalloc.h"
#include "identity/identity.h"
#include "io/http.h"
#include "io/loop.h"
#include "serve_fixture.h"
#include "until.h"

#define END  "/me/end-session"
#define FORM "application/x-www-form-urlencoded"

static struct served served;
static char cookie[512], location[256];

static void take_reply(const struct http_reply *reply, void *arg)
{
	const char *set = http_reply_header(reply, "Set-Cookie");
	const char *to = http_reply_header(reply, "Location");

	if (reply->err)
		fail_msg("%s", reply->err->text);
	served.status = reply->status;
	buf_clear(&served.body);
	buf_add(&served.body, reply->body, reply->body_len);
	snprintf(cookie, sizeof(cookie), "%.*s",
		set ? (int)strcspn(set, ";") : 0, set ? set : "");
	snprintf(location, sizeof(location), "%s", to ? to : "");
}

/* As a browser asks, by its cookie; a form comes from the page itself. */
static void browse(const char *path, const char *session, const char *form)
{
	char *url = xasprintf("%s%s", served.address, path);
	const struct http_header headers[] = {
		{"Sec-Fetch-Site", "same-origin"}, {"Cookie", session}};
	const struct http_request request = {
		.method = form ? "POST" : "GET",
		.url = url,
		.headers = headers,
		.n_headers = session ? 2 : 1,
		.content_type = form ? FORM : NULL,
		.body = form,
		.body_len = form ? strlen(form) : 0,
		.body_max = 1 << 20,
		.timeout_ms = 60000,
	};

	served.status = 0;
	http_start(served.http, &request, take_reply, NULL);
	RUN_UNTIL(daemon_loop(served.daemon), served.status);
	free(url);
}

/* The cookie is the caller's to free. */
static char *login(const char *user)
{
	struct secret *code =
		identity_invite(daemon_identity(served.daemon), user, 600000);
	char *path = xasprintf("/login?invite=%s", secret_reveal(code));

	browse(path, NULL, NULL);
	assert_int_equal(served.status, 303);
	assert_true(*cookie);
	secret_free(&code);
	free(path);
	return xstrdup(cookie);
}

static size_t n_sessions(void)
{
	size_t n = 0;

	for (const char *at = served.body.data;
		(at = strstr(at, "\"session\":")); at++)
		n++;
	return n;
}

/* The name of the session that this cookie is of. */
static char *name_of(const char *session)
{
	char *pointer, *is_this, *name = NULL;

	browse("/api/v1/me", session, NULL);
	assert_int_equal(served.status, 200);
	for (int i = 0; i < 3 && !name; i++) {
		pointer = xasprintf("/sessions/%d/this", i);
		is_this = served_text(&served, pointer);
		free(pointer);
		pointer = xasprintf("/sessions/%d/session", i);
		if (!strcmp(is_this, "true"))
			name = served_text(&served, pointer);
		free(pointer);
		free(is_this);
	}
	assert_non_null(name);
	return name;
}

/* What the page has put into its forms. */
static char *form_token(const char *session)
{
	static const char before[] = "name=\"form_token\" value=\"";
	const char *at;

	browse("/me", session, NULL);
	assert_int_equal(served.status, 200);
	at = strstr(served.body.data, before);
	assert_non_null(at);
	at += strlen(before);
	return xmemdup0(at, strcspn(at, "\""));
}

static void end(const char *session, const char *token, const char *name)
{
	char *form = xasprintf("form_token=%s&session=%s", token, name);

	browse(END, session, form);
	free(form);
}

static void a_person_sees_and_ends_their_own_sessions(void **state)
{
	char *here, *there, *bobs, *name, *other, *strange, *token, *of_bob;

	served_open(&served);
	here = login("owner");
	there = login("owner");
	bobs = login("bob");
	name = name_of(here);
	assert_int_equal(n_sessions(), 2);
	assert_true(served_has(&served, "\"method\":\"invite\""));
	other = name_of(there);
	strange = name_of(bobs);
	assert_int_equal(n_sessions(), 1);
	/* Of a person, not of a browser: a token sees them, too. */
	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	assert_int_equal(n_sessions(), 2);
	assert_false(served_has(&served, "\"this\":true"));

	token = form_token(here);
	assert_true(served_has(&served, name));
	assert_true(served_has(&served, other));
	assert_false(served_has(&served, strange));
	/* The token of the form is that of this very session. */
	end(here, "x", other);
	assert_int_equal(served.status, 403);
	of_bob = form_token(bobs);
	end(here, of_bob, other);
	assert_int_equal(served.status, 403);
	end(here, token, strange);
	assert_int_equal(served.status, 404);
	end(here, token, "");
	assert_int_equal(served.status, 404);
	browse("/api/v1/me", there, NULL);
	assert_int_equal(served.status, 200);

	end(here, token, other);
	assert_int_equal(served.status, 303);
	assert_string_equal(location, "../me");
	browse("/api/v1/me", there, NULL);
	assert_int_equal(served.status, 401);
	browse("/api/v1/me", bobs, NULL);
	assert_int_equal(served.status, 200);
	end(here, token, name);
	assert_int_equal(served.status, 303);
	assert_string_equal(location, "../signed-out");
	browse("/api/v1/me", here, NULL);
	assert_int_equal(served.status, 401);
	served_expect(&served, 200, "GET", "/api/v1/me", NULL);
	assert_int_equal(n_sessions(), 0);
	free(here);
	free(there);
	free(bobs);
	free(name);
	free(other);
	free(strange);
	free(token);
	free(of_bob);
	served_close(&served);
}

static void an_invitation_that_was_used_says_so(void **state)
{
	served_open(&served);
	browse("/login?invite=none", NULL, NULL);
	assert_int_equal(served.status, 403);
	assert_true(served_has(&served, "<h1>Not signed in</h1>"));
	assert_true(served_has(&served, "begin again"));
	assert_false(served_has(&served, "<code>access</code>"));
	served_close(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invitation_that_was_used_says_so),
		cmocka_unit_test(a_person_sees_and_ends_their_own_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
