/* SPDX-License-Identifier: Apache-2.0 */
/* Who the command line says it is to a daemon, and what it tells nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64url.h"
#include "base/xalloc.h"
#include "credentials_fixture.h"
#include "io/loop.h"
#include "remote/bearer.h"

#define SERVER "https://tidegate.example.com/ops"

static const struct server_url far = {.said = SERVER "/", .base = SERVER};
static const struct server_url near = {.said = "http://127.0.0.1:8080",
	.base = "http://127.0.0.1:8080",
	.is_plain = true};
static const struct server_url socket_url = {.said = "unix:/run/t.sock",
	.base = "http://localhost",
	.unix_socket = "/run/t.sock",
	.is_plain = true};

struct named {
	struct world *world;
	int calls;
	char *token; /* NULL: none */
	struct err err; /* ERR_NONE: none */
};

static void named(const struct secret *token, const struct err *err, void *arg)
{
	struct named *answer = arg;

	answer->calls++;
	answer->token = token ? xstrdup(secret_reveal(token)) : NULL;
	if (err)
		answer->err = *err;
	loop_stop(answer->world->loop);
}

static struct bearer *bearer_of(struct world *world,
	const struct server_url *url, const char *token_file)
{
	struct err err;
	struct bearer *bearer =
		bearer_new(world->loop, world->http, url, token_file, &err);

	if (!bearer)
		fail_msg("%s", err.text);
	return bearer;
}

static struct named name(struct world *world, struct bearer *bearer)
{
	struct named answer = {.world = world};

	(void)bearer_start(bearer, named, &answer);
	run(world);
	assert_int_equal(answer.calls, 1);
	return answer;
}

static bool has_audience(const char *token, const char *audience)
{
	const char *payload = strchr(token, '.') + 1;
	char *wanted = xasprintf("\"%s\"", audience);
	struct buf text;
	bool has;

	buf_init(&text, 4096);
	assert_int_equal(
		base64url_decode(payload, strcspn(payload, "."), &text), 0);
	has = strstr(text.data, wanted) != NULL;
	buf_fini(&text);
	free(wanted);
	return has;
}

static void an_id_token_is_for_this_server_alone(void **state)
{
	struct world *world = *state;
	struct bearer *bearer;
	struct named first, again, anew;
	int asked;

	open_metadata(world);
	bearer = bearer_of(world, &far, NULL);
	first = name(world, bearer);
	assert_true(has_audience(first.token, SERVER));
	asked = world->google.requests;
	again = name(world, bearer);
	assert_string_equal(again.token, first.token);
	assert_int_equal(world->google.requests, asked);
	/* What the daemon refused is not shown to it again. */
	bearer_reject(bearer);
	anew = name(world, bearer);
	assert_true(has_audience(anew.token, SERVER));
	assert_true(world->google.requests > asked);
	free(first.token);
	free(again.token);
	free(anew.token);
	bearer_free(&bearer);
}

static void a_job_has_a_token_for_this_server(void **state)
{
	/* The one audience that the fake gives tokens for. */
	static const struct server_url url_there = {
		.said = "https://" FAKE_PROVIDER,
		.base = "https://" FAKE_PROVIDER};
	struct world *world = *state;
	char *url = fake_google_url(&world->google, "/oidc?api-version=2.0");
	struct bearer *bearer;
	struct named answer;
	struct err err;

	setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url, 1);
	assert_null(
		bearer_new(world->loop, world->http, &url_there, NULL, &err));
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.text, "id-token: write"));
	setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", FAKE_REQUEST, 1);
	bearer = bearer_of(world, &url_there, NULL);
	answer = name(world, bearer);
	if (!answer.token)
		fail_msg("%s", answer.err.text);
	assert_true(has_audience(answer.token, "https://" FAKE_PROVIDER));
	free(answer.token);
	free(url);
	bearer_free(&bearer);
}

static void a_file_goes_first_and_is_read_again(void **state)
{
	struct world *world = *state;
	char *path = xasprintf("%s/token", world->folder);
	struct bearer *bearer;
	struct named answer;

	setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:1/", 1);
	setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", FAKE_REQUEST, 1);
	write_file(path, "tgt_one\n");
	bearer = bearer_of(world, &far, path);
	answer = name(world, bearer);
	assert_string_equal(answer.token, "tgt_one");
	free(answer.token);
	write_file(path, "tgt_two\n");
	bearer_reject(bearer);
	answer = name(world, bearer);
	assert_string_equal(answer.token, "tgt_two");
	free(answer.token);
	write_file(path, "");
	bearer_reject(bearer);
	answer = name(world, bearer);
	assert_null(answer.token);
	assert_non_null(strstr(answer.err.text, path));
	bearer_free(&bearer);
	free(path);
}

static void a_file_that_holds_no_token_is_said_at_once(void **state)
{
	static const char *const texts[] = {"", "one\ntwo\n"};
	struct world *world = *state;
	char *path = xasprintf("%s/token", world->folder);
	struct err err;

	for (size_t i = 0; i < 2; i++) {
		write_file(path, texts[i]);
		assert_null(
			bearer_new(world->loop, world->http, &far, path, &err));
		assert_int_equal(err.code, ERR_AUTH);
		assert_non_null(strstr(err.text, "holds no token"));
		assert_null(strstr(err.text, "two"));
	}
	assert_int_equal(unlink(path), 0);
	assert_null(bearer_new(world->loop, world->http, &far, path, &err));
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.text, path));
	free(path);
}

static void this_machine_is_told_nothing(void **state)
{
	struct world *world = *state;
	const struct server_url *urls[] = {&near, &socket_url};
	struct bearer *bearer;
	struct named answer;

	open_metadata(world);
	for (size_t i = 0; i < 2; i++) {
		bearer = bearer_of(world, urls[i], NULL);
		answer = name(world, bearer);
		assert_null(answer.token);
		assert_int_equal(answer.err.code, ERR_NONE);
		bearer_free(&bearer);
	}
	assert_int_equal(world->google.tokens, 0);
}

/* Of a job that runs these tests, too. */
static int set_up_no_job(void **state)
{
	unsetenv("ACTIONS_ID_TOKEN_REQUEST_URL");
	unsetenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
	return set_up(state);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up_no_job, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_id_token_is_for_this_server_alone),
		TEST(a_job_has_a_token_for_this_server),
		TEST(a_file_goes_first_and_is_read_again),
		TEST(a_file_that_holds_no_token_is_said_at_once),
		TEST(this_machine_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
