/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: found, fetched, kept, shared, refreshed, rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "credentials_fixture.h"
#include "google/credentials.h"
#include "google/source.h"
#include "io/http.h"
#include "io/loop.h"
#include "until.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* The search. */

static void a_key_file_gives_a_token(void **state)
{
	struct world *world = *state;
	struct token_answer answer;
	char *wanted = xasprintf(
		"service account " FAKE_EMAIL " (file %s)", world->key_path);

	open_key(world);
	assert_string_equal(credentials_describe(world->credentials), wanted);
	assert_null(credentials_quota_project(world->credentials));
	assert_null(token_cached(world->credentials));
	assert_int_equal(world->google.requests, 0);
	answer = ask(world);
	assert_string_equal(answer.token, "ya29.1");
	assert_string_equal(
		secret_reveal(token_cached(world->credentials)), "ya29.1");
	xfree(&wanted);
}

static void a_metadata_server_gives_a_token(void **state)
{
	struct world *world = *state;

	open_metadata(world);
	assert_string_equal(ask(world).token, "ya29.1");
}

/* ---- a file that changes ---- */

static int n_errors;

static void count_errors(const char *line, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	n_errors += strstr(line, "event=credentials") &&
		    strstr(line, "stay as they were");
}

static void write_key(const struct world *world, EVP_PKEY *key)
{
	char *text = fake_key_file(key, URI);

	write_file(world->key_path, text);
	free(text);
}

static void a_key_that_is_rotated_is_read_by_the_next_token(void **state)
{
	struct world *world = *state;
	EVP_PKEY *key = fake_key_new(2048);

	open_key(world);
	assert_string_equal(ask(world).token, "ya29.1");
	world->google.key = key; /* the other one was deleted there */
	forget_token(world);
	EXPECT_FAILURE(world, "Invalid JWT Signature");
	write_key(world, key);
	assert_string_equal(ask(world).token, "ya29.2");
	credentials_free(&world->credentials);
	EVP_PKEY_free(key);
}

static void a_file_that_cannot_be_used_leaves_the_key_as_it_was(void **state)
{
	static const char *const files[] = {
		"", "{\"type\": \"service_account\"", "{}"};
	struct world *world = *state;

	n_errors = 0;
	log_set_sink(count_errors, NULL);
	open_key(world);
	for (size_t i = 0; i < N(files); i++) {
		write_file(world->key_path, files[i]);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(ask(world).calls, 1);
			assert_non_null(token_cached(world->credentials));
			forget_token(world);
		}
		assert_int_equal(n_errors, i + 1); /* once for each change */
	}
	assert_int_equal(unlink(world->key_path), 0);
	assert_string_equal(ask(world).token, "ya29.7");
	assert_int_equal(n_errors, N(files) + 1);
	write_key(world, key_pair);
	forget_token(world);
	assert_string_equal(ask(world).token, "ya29.8");
	assert_int_equal(n_errors, N(files) + 1);
	log_set_sink(NULL, NULL);
}

/* Of the kind of file, too; what is under way goes on by the one before. */
static void what_is_under_way_ends_by_the_file_that_it_began_with(void **state)
{
	struct world *world = *state;
	struct token_answer id = {.world = world}, other = {.world = world};

	open_key(world);
	world->google.delay_ms = 50;
	id_token_start(world->credentials, "https://a.example", answered, &id);
	RUN_UNTIL(world->loop, world->google.requests == 1);
	write_json(world, user_file());
	id_token_start(
		world->credentials, "https://b.example", answered, &other);
	assert_non_null(strstr(
		credentials_describe(world->credentials), "eve@example.com"));
	write_key(world, key_pair);
	assert_string_equal(ask(world).token, "ya29.1");
	RUN_UNTIL(world->loop, id.calls && other.calls);
	assert_string_not_equal(id.token, "");
	assert_non_null(
		strstr(credentials_describe(world->credentials), FAKE_EMAIL));
}

/* ---- the search, once more ---- */

static void gclouds_file_is_found(void **state)
{
	struct world *world = *state;
	char *path = xasprintf(
		"%s/application_default_credentials.json", world->folder);

	assert_int_equal(rename(world->key_path, path), 0);
	setenv("CLOUDSDK_CONFIG", world->folder, 1);
	open_found(world);
	assert_non_null(strstr(credentials_describe(world->credentials), path));
	xfree(&path);
}

static void the_first_of_the_search_order_wins(void **state)
{
	struct world *world = *state;

	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "ready", 1);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", world->key_path, 1);
	setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
	open_found(world);
	assert_non_null(strstr(credentials_describe(world->credentials),
		"CLOUDSDK_AUTH_ACCESS_TOKEN"));
	/* It can be named when it is to be rejected: 0 means none. */
	assert_non_null(token_cached(world->credentials));
	assert_int_equal(token_serial(world->credentials), 1);
	credentials_free(&world->credentials);
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "", 1);
	open_found(world);
	assert_non_null(strstr(
		credentials_describe(world->credentials), "service account"));
	credentials_free(&world->credentials);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", "", 1);
	open_found(world);
	assert_string_equal(credentials_describe(world->credentials),
		"the metadata server at 127.0.0.1:1");
}

static void what_was_found_is_told_without_a_request(void **state)
{
	struct world *world = *state;
	struct credentials_about about;
	int64_t ahead_ms;

	open_key(world);
	credentials_about(world->credentials, &about);
	assert_string_equal(about.type, "service_account");
	assert_string_equal(about.origin, "GOOGLE_APPLICATION_CREDENTIALS");
	assert_string_equal(about.path, world->key_path);
	assert_string_equal(about.account, FAKE_EMAIL);
	assert_false(about.is_guess);
	assert_false(credentials_clock(world->credentials, &ahead_ms));
	assert_int_equal(token_expires_ms(world->credentials), 0);
	assert_int_equal(world->google.requests, 0);
	credentials_free(&world->credentials);
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	setenv("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", world->key_path, 1);
	open_found(world);
	credentials_about(world->credentials, &about);
	assert_string_equal(
		about.origin, "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE");
	credentials_free(&world->credentials);
	unsetenv("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE");
	open_found(world);
	credentials_about(world->credentials, &about);
	assert_string_equal(about.type, "metadata server");
	assert_null(about.path);
	assert_null(about.account);
}

static void a_token_tells_its_end_and_the_clocks_difference(void **state)
{
	struct world *world = *state;
	int64_t ahead_ms, left_ms;

	open_key(world);
	ask(world);
	left_ms = token_expires_ms(world->credentials) - loop_now(world->loop);
	assert_in_range(left_ms, 3500000, 3599000);
	assert_true(credentials_clock(world->credentials, &ahead_ms));
	assert_in_range(ahead_ms + CREDENTIALS_CLOCK_MS_EXACT, 0,
		2 * CREDENTIALS_CLOCK_MS_EXACT);
	world->google.clock_ahead_s = 30;
	forget_token(world);
	ask(world);
	assert_true(credentials_clock(world->credentials, &ahead_ms));
	assert_in_range(ahead_ms + 30000 + CREDENTIALS_CLOCK_MS_EXACT, 0,
		2 * CREDENTIALS_CLOCK_MS_EXACT);
}

static void what_cannot_be_used_is_named(void **state)
{
	static const struct {
		const char *file; /* NULL: the one before */
		const char *text;
	} rows[] = {
		{"", "is empty"},
		{"x", "is not JSON: error at line 1, column 1"},
		{"{}", "\"type\" is missing"},
		{"{\"type\": \"wonder\"}", "the unknown type \"wonder\""},
		{"{\"type\": \"authorized_user\"}", "\"client_id\" is missing"},
		{"{\"type\": \"external_account\"}", "\"audience\" is missing"},
		{"{\"type\": \"impersonated_service_account\"}",
			"\"service_account_impersonation_url\" is missing"},
		{"{\"type\": \"gdch_service_account\"}", "gdch_service"},
		{"{\"type\": \"service_account\"}",
			"\"client_email\" is missing"},
		{"{\"type\": \"service_account\", \"client_email\": \"a@b\", "
		 "\"token_uri\": \"" URI "\", \"private_key\": \"x\"}",
			"not an unencrypted private key"},
		{"{\"type\": \"service_account\", \"universe_domain\": "
		 "\"example.cloud\"}",
			"universe_domain \"example.cloud\""},
	};
	struct world *world = *state;
	char *long_file = xcalloc(CREDENTIALS_FILE_MAX + 2, 1);
	size_t i;

	setenv("GOOGLE_APPLICATION_CREDENTIALS", world->key_path, 1);
	for (i = 0; i < N(rows); i++) {
		write_file(world->key_path, rows[i].file);
		expect_refused(world, rows[i].text);
		expect_refused(world, world->key_path);
	}
	memset(long_file, ' ', CREDENTIALS_FILE_MAX + 1);
	write_file(world->key_path, long_file);
	expect_refused(world, "more than 65536 bytes");
	xfree(&long_file);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key", 1);
	expect_refused(world,
		"GOOGLE_APPLICATION_CREDENTIALS, /nonexistent/key: cannot be "
		"read: No such file or directory");
	setenv("GOOGLE_APPLICATION_CREDENTIALS", world->folder, 1);
	expect_refused(world, "Is a directory");
}

static void a_broken_gcloud_file_does_not_fall_through(void **state)
{
	struct world *world = *state;
	char *path = xasprintf(
		"%s/application_default_credentials.json", world->folder);

	setenv("CLOUDSDK_CONFIG", world->folder, 1);
	setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
	write_file(path, "{\"type\": \"authorized_user\"}");
	expect_refused(world, "gcloud's credentials");
	expect_refused(world, "\"client_id\" is missing");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(world, "cannot be read: Is a directory");
	xfree(&path);
}

static void bad_environment_is_refused(void **state)
{
	static const struct {
		const char *name, *value, *text;
	} rows[] = {
		{"CLOUDSDK_AUTH_ACCESS_TOKEN", "a b", "is not a token"},
		{"CLOUDSDK_AUTH_ACCESS_TOKEN", "a\r\nX: y", "is not a token"},
		{"GCE_METADATA_HOST", "a/b",
			"GCE_METADATA_HOST: it is not a host or host:port"},
		{"GCE_METADATA_ROOT", "a@b", "GCE_METADATA_ROOT: it is not"},
		{"NO_GCE_CHECK", "True", "NO_GCE_CHECK forbids the metadata"},
	};
	struct world *world = *state;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		setenv(rows[i].name, rows[i].value, 1);
		expect_refused(world, rows[i].text);
		unsetenv(rows[i].name);
	}
	setenv("GOOGLE_APPLICATION_CREDENTIALS", world->key_path, 1);
	setenv("CLOUDSDK_AUTH_TOKEN_HOST", "http://example.com/token", 1);
	expect_refused(world, "CLOUDSDK_AUTH_TOKEN_HOST");
	unsetenv("CLOUDSDK_AUTH_TOKEN_HOST");
	setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "a\r\nX: y", 1);
	expect_refused(world, "GOOGLE_CLOUD_QUOTA_PROJECT");
}

static void the_quota_project_is_overridden(void **state)
{
	struct world *world = *state;

	setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "billing-2", 1);
	open_key(world);
	assert_string_equal(
		credentials_quota_project(world->credentials), "billing-2");
}

/* Sharing. */

static void a_token_is_kept(void **state)
{
	struct world *world = *state;

	open_key(world);
	ask(world);
	assert_string_equal(ask(world).token, "ya29.1");
	assert_int_equal(world->google.requests, 1);
}

static void many_who_ask_at_once_share_one_request(void **state)
{
	struct world *world = *state;
	struct token_answer answers[8] = {{0}};
	struct token_call *calls[8];
	size_t i;

	open_key(world);
	for (i = 0; i < N(answers); i++) {
		answers[i].world = world;
		answers[i].stops = i == N(answers) - 1;
		calls[i] =
			token_start(world->credentials, answered, &answers[i]);
	}
	token_cancel(&calls[0]);
	token_cancel(&calls[3]);
	assert_null(calls[3]);
	answers[1].victim = &calls[2];
	answers[4].again = world->credentials;
	run(world);
	for (i = 0; i < N(answers); i++)
		assert_int_equal(answers[i].calls, i != 0 && i != 2 && i != 3);
	assert_int_equal(world->google.requests, 1);
}

static void a_cancelled_call_of_a_kept_token_stays_silent(void **state)
{
	struct world *world = *state;
	struct token_answer answer = {.world = world};
	struct token_call *call;

	open_key(world);
	ask(world);
	call = token_start(world->credentials, answered, &answer);
	token_cancel(&call);
	token_cancel(&call);
	ask(world); /* behind it, in the same way */
	assert_int_equal(answer.calls, 0);
}

static void credentials_may_go_while_asking(void **state)
{
	struct world *world = *state;
	struct token_answer answer = {.world = world};

	open_key(world);
	token_start(world->credentials, answered, &answer);
	credentials_free(&world->credentials);
	open_key(world);
	ask(world); /* behind it, in the same way */
	assert_int_equal(answer.calls, 0);
}

/* Refreshing. */

static void freshness_leaves_a_margin_but_never_more_than_half(void **state)
{
	struct rng rng;
	int64_t fresh_ms;
	int i;

	rng_init(&rng, 7);
	for (i = 0; i < 1000; i++) {
		fresh_ms = token_fresh_ms(3600000, &rng);
		assert_in_range(fresh_ms, 3600000 - 225000, 3600000 - 202500);
		assert_in_range(token_fresh_ms(300000, &rng), 150000, 150000);
		assert_in_range(token_fresh_ms(1000, &rng), 500, 500);
	}
}

/* A token of two hours is fetched again in its last four minutes. */
#define LIFE       "7200"
#define NEAR_END   (7200 - 180) * INT64_C(1000)
#define AFTER_LIFE 7200 * INT64_C(1000)

static bool cached_is(struct world *world, const char *text)
{
	const struct secret *token = token_cached(world->credentials);

	return token && strcmp(secret_reveal(token), text) == 0;
}

static void nobody_waits_for_a_refresh(void **state)
{
	struct world *world = *state;

	open_key(world);
	world->google.life = LIFE;
	ask(world);
	until_later(world->loop, NEAR_END);
	assert_string_equal(ask(world).token, "ya29.1");
	RUN_UNTIL(world->loop, cached_is(world, "ya29.2"));
	assert_int_equal(world->google.requests, 2);
	until_later(world->loop, NEAR_END);
	assert_true(cached_is(world, "ya29.2"));
	RUN_UNTIL(world->loop, cached_is(world, "ya29.3"));
	assert_int_equal(world->google.requests, 3);
}

static void a_failed_refresh_leaves_the_token_that_holds(void **state)
{
	static const struct fake_answer bad[] = {
		{0, NULL}, {400, "{\"error\":\"invalid_grant\"}"}};
	struct world *world = *state;

	open_key(world);
	world->google.life = LIFE;
	world->google.script = bad;
	world->google.n_script = N(bad);
	ask(world);
	until_later(world->loop, NEAR_END);
	assert_string_equal(ask(world).token, "ya29.1");
	/* Not asked for again at once, and handed out all the same … */
	RUN_UNTIL(world->loop, world->google.requests == 2);
	for (int i = 0; i < 20; i++)
		assert_string_equal(ask(world).token, "ya29.1");
	assert_int_equal(world->google.requests, 2);
	/* … but after half a minute. */
	until_later(world->loop, 31000);
	RUN_UNTIL(world->loop, cached_is(world, "ya29.2"));
	assert_int_equal(world->google.requests, 3);
}

static void after_its_end_a_token_is_waited_for(void **state)
{
	struct world *world = *state;

	open_key(world);
	world->google.life = LIFE;
	ask(world);
	until_later(world->loop, AFTER_LIFE);
	assert_null(token_cached(world->credentials));
	assert_string_equal(ask(world).token, "ya29.2");
}

static void a_rejected_token_leads_to_one_refresh(void **state)
{
	struct world *world = *state;
	struct err err;
	unsigned old;
	int i;

	open_metadata(world);
	ask(world);
	old = token_serial(world->credentials);
	for (i = 0; i < 5; i++)
		assert_int_equal(
			token_reject(world->credentials, old, &err), 0);
	assert_null(token_cached(world->credentials));
	assert_string_equal(ask(world).token, "ya29.2");
	assert_int_equal(token_reject(world->credentials, old, &err), 0);
	assert_string_equal(ask(world).token, "ya29.2");
	assert_int_equal(world->google.requests, 2);
}

static void a_token_rejected_while_handed_out_reaches_the_others(void **state)
{
	struct world *world = *state;
	struct token_answer first = {.world = world, .rejects = true};
	struct token_answer second = {
		.world = world, .rejects = true, .stops = true};

	open_key(world);
	token_start(world->credentials, answered, &first);
	token_start(world->credentials, answered, &second);
	run(world);
	assert_string_equal(second.token, "ya29.1");
	assert_string_equal(ask(world).token, "ya29.2");
}

static void a_ready_token_cannot_be_refreshed(void **state)
{
	struct world *world = *state;
	struct err err;

	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "ya29.ready", 1);
	open_found(world);
	assert_string_equal(
		secret_reveal(token_cached(world->credentials)), "ya29.ready");
	assert_int_equal(token_serial(world->credentials), 1);
	assert_string_equal(ask(world).token, "ya29.ready");
	/* Each of those that are under way at once hears it. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(token_reject(world->credentials, 1, &err), -1);
		assert_int_equal(err.code, ERR_AUTH);
		assert_non_null(strstr(err.text, "cannot be refreshed"));
		assert_null(strstr(err.text, "ya29"));
	}
	/* A revert that is tried again is not refused unasked. */
	assert_string_equal(ask(world).token, "ya29.ready");
}

/* Failures. */

static void passing_trouble_is_tried_again(void **state)
{
	static const struct {
		struct fake_answer answers[4];
		int requests;
		enum err_code code; /* ERR_NONE: a token in the end */
		const char *text;
	} rows[] = {
		{{{503, "<html>"}, {500, ""}, {0, NULL}}, 3, ERR_NONE, ""},
		{{{429, "{}"}, {0, NULL}}, 2, ERR_NONE, ""},
		{{{400, "{\"error\":\"internal_failure\"}"}, {0, NULL}}, 2,
			ERR_NONE, ""},
		{{{503, ""}, {503, ""}, {503, ""}, {0, NULL}}, 3,
			ERR_UNAVAILABLE, "HTTP 503"},
		{{{400, "{\"error\":\"invalid_scope\"}"}, {0, NULL}}, 1,
			ERR_AUTH, "invalid_scope"},
		{{{404, "<html>"}}, 1, ERR_NOT_FOUND, "HTTP 404"},
		{{{200, "<html>"}}, 1, ERR_PROTOCOL, "is not JSON"},
		{{{200, "{\"access_token\":\"s3cr3t\"}"}}, 1, ERR_PROTOCOL,
			"\"expires_in\""},
		{{{302, ""}}, 1, ERR_AUTH, "HTTP 302"},
	};
	struct world *world = *state;
	struct token_answer answer;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		open_key(world);
		world->google.requests = 0;
		world->google.script = rows[i].answers;
		world->google.n_script = 4;
		answer = ask(world);
		if (answer.err.code != rows[i].code ||
			!strstr(answer.err.text, rows[i].text))
			fail_msg("row %zu: %s", i, answer.err.text);
		assert_null(strstr(answer.err.text, "s3cr3t"));
		assert_int_equal(world->google.requests, rows[i].requests);
		credentials_free(&world->credentials);
	}
}

static void a_wrong_clock_is_suspected(void **state)
{
	struct world *world = *state;
	struct token_answer answer;

	open_key(world);
	world->google.clock_ahead_s = 7200;
	answer = ask(world);
	assert_int_equal(answer.err.code, ERR_AUTH);
	assert_non_null(strstr(answer.err.text, "short-lived token"));
	assert_non_null(strstr(answer.err.text, "the clock of this machine"));
	assert_non_null(strstr(answer.err.text, world->key_path));
	assert_int_equal(world->google.requests, 1);
	world->google.clock_ahead_s = -7200;
	assert_int_equal(ask(world).err.code, ERR_AUTH);
	world->google.clock_ahead_s = 0;
	assert_string_equal(ask(world).token, "ya29.1");
}

static void a_key_that_google_does_not_know_is_told(void **state)
{
	struct world *world = *state;
	EVP_PKEY *other = fake_key_new(2048);
	struct token_answer answer;

	open_key(world);
	world->google.key = other;
	answer = ask(world);
	assert_non_null(strstr(answer.err.text, "Invalid JWT Signature"));
	assert_non_null(strstr(answer.err.text, "still exist"));
	EVP_PKEY_free(other);
}

static void who_does_not_answer_is_named(void **state)
{
	struct world *world = *state;
	struct token_answer answer;

	open_key(world);
	fake_google_fini(&world->google);
	answer = ask(world);
	assert_true(err_is_retryable(answer.err.code));
	assert_non_null(strstr(
		answer.err.text, "getting a token from http://127.0.0.1:"));
}

static void only_the_metadata_server_is_believed(void **state)
{
	static const struct fake_answer refusals[] = {
		{404, "<html>"}, {403, "<html>"}};
	struct world *world = *state;
	struct token_answer answer;

	open_metadata(world);
	world->google.script = refusals;
	world->google.n_script = N(refusals);
	answer = ask(world);
	assert_int_equal(answer.err.code, ERR_AUTH);
	assert_non_null(strstr(answer.err.text, "no service account is bound"));
	assert_int_equal(ask(world).err.code, ERR_AUTH);
	world->google.no_flavor = true;
	answer = ask(world);
	assert_int_equal(answer.err.code, ERR_AUTH);
	assert_non_null(
		strstr(answer.err.text, "without the header Metadata-Flavor"));
	assert_null(token_cached(world->credentials));
	world->google.no_flavor = false;
	assert_string_equal(ask(world).token, "ya29.2");
}

/* A pod's sidecar answers for a metadata server that it cannot reach. */
static void a_proxy_before_the_metadata_server_is_passing_trouble(void **state)
{
	static const struct fake_answer troubles[] = {
		{503, "upstream connect error"}, {503, ""}, {502, ""}};
	struct world *world = *state;
	struct token_answer answer;

	open_metadata(world);
	world->google.script = troubles;
	world->google.n_script = N(troubles);
	world->google.no_flavor = true;
	answer = ask(world);
	assert_int_equal(answer.err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(answer.err.text, "a proxy in front of it"));
	assert_int_equal(world->google.requests, (int)N(troubles));
	world->google.no_flavor = false;
	assert_string_equal(ask(world).token, "ya29.1");
}

struct fetched {
	struct world *world;
	struct err err;
};

static void fetched(
	struct secret *token, int64_t life_s, const struct err *err, void *arg)
{
	struct fetched *end = arg;

	assert_null(token);
	end->err = *err;
	loop_stop(end->world->loop);
}

static void where_nothing_is_found_it_says_where_it_looked(void **state)
{
	struct world *world = *state;
	const struct retry_env env = {
		world->loop, world->http, BACKOFF_MS, NULL};
	struct fetched end = {.world = world};
	struct source *source;

	source = source_metadata_new(&env, "127.0.0.1:1", true, &end.err);
	fetch_start(source, NULL, fetched, &end);
	run(world);
	assert_int_equal(end.err.code, ERR_AUTH);
	assert_non_null(strstr(end.err.text, "no Google credentials"));
	assert_non_null(
		strstr(end.err.text, "set GOOGLE_APPLICATION_CREDENTIALS to"));
	source_free(&source);
}

/* CI images set the variable where no such server is. */
static void a_named_metadata_server_that_is_not_there_gives_the_remedies(
	void **state)
{
	struct world *world = *state;
	struct token_answer answer;

	setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
	open_found(world);
	answer = ask(world);
	assert_non_null(strstr(answer.err.text, "no Google credentials"));
	assert_non_null(strstr(
		answer.err.text, "set GOOGLE_APPLICATION_CREDENTIALS to"));
	assert_non_null(strstr(
		answer.err.text, "gcloud auth application-default login"));
	assert_non_null(strstr(answer.err.text,
		"the metadata server at 127.0.0.1:1 (GCE_METADATA_HOST) does "
		"not answer"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_file_gives_a_token),
		TEST(a_metadata_server_gives_a_token),
		TEST(a_key_that_is_rotated_is_read_by_the_next_token),
		TEST(a_file_that_cannot_be_used_leaves_the_key_as_it_was),
		TEST(what_is_under_way_ends_by_the_file_that_it_began_with),
		TEST(gclouds_file_is_found),
		TEST(the_first_of_the_search_order_wins),
		TEST(what_was_found_is_told_without_a_request),
		TEST(a_token_tells_its_end_and_the_clocks_difference),
		TEST(what_cannot_be_used_is_named),
		TEST(a_broken_gcloud_file_does_not_fall_through),
		TEST(bad_environment_is_refused),
		TEST(the_quota_project_is_overridden),
		TEST(a_token_is_kept),
		TEST(many_who_ask_at_once_share_one_request),
		TEST(a_cancelled_call_of_a_kept_token_stays_silent),
		TEST(credentials_may_go_while_asking),
		TEST(freshness_leaves_a_margin_but_never_more_than_half),
		TEST(nobody_waits_for_a_refresh),
		TEST(a_failed_refresh_leaves_the_token_that_holds),
		TEST(after_its_end_a_token_is_waited_for),
		TEST(a_rejected_token_leads_to_one_refresh),
		TEST(a_token_rejected_while_handed_out_reaches_the_others),
		TEST(a_ready_token_cannot_be_refreshed),
		TEST(passing_trouble_is_tried_again),
		TEST(a_wrong_clock_is_suspected),
		TEST(a_key_that_google_does_not_know_is_told),
		TEST(who_does_not_answer_is_named),
		TEST(only_the_metadata_server_is_believed),
		TEST(a_proxy_before_the_metadata_server_is_passing_trouble),
		TEST(a_named_metadata_server_that_is_not_there_gives_the_remedies),
		TEST(where_nothing_is_found_it_says_where_it_looked),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
