/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are, by way of others: people, federation, acting as an account; and
 * ID tokens of them all. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "credentials_fixture.h"
#include "google/source.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/process.h"
#include "until.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define AUDIENCE "https://shop-abc123-uc.a.run.app"

/* ---- Federation. ---- */

static void the_file_of_the_github_action_gives_a_token(void **state)
{
	struct world *world = *state;
	struct credentials_about about;

	open_json(world, github_file(world));
	credentials_about(world->credentials, &about);
	assert_string_equal(about.type, "external_account");
	assert_string_equal(about.account, FAKE_DEPLOYER);
	assert_string_equal(about.path, world->key_path);
	assert_int_equal(world->google.requests, 0);
	/* The federated token is 1, the account's 2. */
	assert_string_equal(ask(world).token, "ya29.2");
	assert_int_equal(world->google.requests, 3);
	assert_in_range(
		token_expires_ms(world->credentials) - loop_now(world->loop),
		3500000, 3600000);
}

static void a_subject_token_is_got_anew_each_time(void **state)
{
	struct world *world = *state;

	open_json(world, github_file(world));
	world->google.life = "3600";
	ask(world);
	until_later(world->loop, (3600 - 180) * 1000);
	assert_string_equal(ask(world).token, "ya29.2"); /* nobody waits */
	RUN_UNTIL(world->loop, !strcmp(ask(world).token, "ya29.4"));
	assert_int_equal(world->google.subjects, 2);
	assert_int_equal(world->google.exchanges, 2);
}

static void a_federated_identity_may_be_used_directly(void **state)
{
	struct world *world = *state;
	struct credentials_about about;

	open_json(world, direct_file(world, NULL));
	credentials_about(world->credentials, &about);
	assert_string_equal(about.account,
		"projects/123456789012/locations/global/workloadIdentityPools/"
		"gh/providers/github");
	assert_string_equal(ask(world).token, "ya29.1");
	assert_int_equal(world->google.requests, 2);
	world->google.no_life = true; /* then it is asked for again soon */
	forget_token(world);
	assert_string_equal(ask(world).token, "ya29.2");
	assert_in_range(
		token_expires_ms(world->credentials) - loop_now(world->loop),
		200000, 300000);
}

static void a_file_that_rotates_is_read_each_time(void **state)
{
	struct world *world = *state;
	char *path = xasprintf("%s/subject", world->folder), *jwt, *text;
	int as_json;

	for (as_json = 0; as_json < 2; as_json++) {
		open_json(world, direct_file(world,
					 json_pack("{ss s{ss ss*}}", "file",
						 path, "format", "type",
						 as_json ? "json" : "text",
						 "subject_token_field_name",
						 as_json ? "id_token" : NULL)));
		for (int i = 0; i < 2; i++) {
			jwt = fake_subject_new(&world->google);
			text = xasprintf(
				as_json ? "{\"id_token\": \"%s\"}" : "%s\r\n",
				jwt);
			write_file(path, text);
			if (i)
				forget_token(world);
			assert_int_equal(ask(world).err.code, ERR_NONE);
			assert_string_equal(world->google.subject, jwt);
			free(text);
			free(jwt);
		}
		credentials_free(&world->credentials);
	}
	xfree(&path);
}

static void a_bad_subject_file_is_named(void **state)
{
	struct world *world = *state;
	char *path = xasprintf("%s/subject", world->folder);
	char *big = xcalloc(70000, 1);

	open_json(world, direct_file(world, json_pack("{ss}", "file", path)));
	EXPECT_FAILURE(world, world->key_path, path, "No such file");
	write_file(path, " \n");
	EXPECT_FAILURE(world, path, "it is empty");
	write_file(path, "{\"id_token\": \"s3cr3t\"}");
	EXPECT_FAILURE(world, "if it is JSON, \"format\" has to say so");
	memset(big, 'x', 69999);
	write_file(path, big);
	EXPECT_FAILURE(world, "more than 65536 bytes");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody ever writes */
	EXPECT_FAILURE(world, "not a regular file");
	assert_int_equal(world->google.requests, 0);
	free(big);
	xfree(&path);
}

static void what_the_exchange_refuses_has_a_remedy(void **state)
{
	struct world *world = *state;
	struct fake_google *google = &world->google;
	json_t *file;

	open_json(world, direct_file(world, NULL));
	google->audience = "https://example.com";
	EXPECT_FAILURE(world, world->key_path, "exchanging the subject token",
		"invalid_grant", "--allowed-audiences");
	google->audience = NULL;
	google->repository = "mallory/shop";
	EXPECT_FAILURE(world, "unauthorized_client",
		"the provider's attribute condition does not take");
	google->repository = NULL;
	google->id_life_s = -10;
	EXPECT_FAILURE(world, "invalid_grant", "it may have expired");
	google->id_life_s = 3600;
	google->clock_ahead_s = 7200;
	assert_int_equal(ask(world).err.code, ERR_NONE); /* GitHub's clock */
	credentials_free(&world->credentials);
	google->clock_ahead_s = 0;
	google->wants_project = true;
	open_json(world, direct_file(world, NULL));
	EXPECT_FAILURE(world, "invalid_request");
	google->wants_project = false;
	credentials_free(&world->credentials);
	file = direct_file(world, NULL);
	json_object_set_new(file, "audience", json_string("//other"));
	open_json(world, file);
	EXPECT_FAILURE(world, "invalid_target",
		"does not exist, or is disabled or deleted");
}

static void a_wrong_clock_is_measured(void **state)
{
	struct world *world = *state;
	char *path = xasprintf("%s/subject", world->folder), *jwt;

	jwt = fake_subject_new(&world->google);
	write_file(path, jwt);
	open_json(world, direct_file(world, json_pack("{ss}", "file", path)));
	world->google.clock_ahead_s = 7200;
	EXPECT_FAILURE(world, "stale",
		"the clock of this machine is 2h behind Google's: set it right "
		"(NTP)");
	free(jwt);
	xfree(&path);
}

static void trouble_at_the_subjects_url_is_told(void **state)
{
	static const struct fake_answer answers[] = {
		{403, "{\"message\": \"no\"}"}, {200, "{\"value\": \"\"}"},
		{200, "{\"value\": 7}"}, {200, "<html>"}, {503, ""}, {503, ""},
		{503, ""}, {503, ""}, /* and then well */
	};
	struct world *world = *state;

	open_json(world, direct_file(world, NULL));
	world->google.script = answers;
	world->google.n_script = N(answers);
	EXPECT_FAILURE(world, world->key_path, "/oidc: HTTP 403");
	EXPECT_FAILURE(world, "its answer: \"value\" must be 1 to");
	EXPECT_FAILURE(world, "its answer: \"value\" is not a string");
	EXPECT_FAILURE(world, "its answer: it is not JSON");
	EXPECT_FAILURE(world, "HTTP 503"); /* after three */
	assert_int_equal(world->google.requests, 7);
	assert_string_equal(ask(world).token, "ya29.1");
}

static void a_client_and_a_project_are_sent_along(void **state)
{
	struct world *world = *state;
	json_t *file = direct_file(world, NULL);

	json_object_set_new(file, "client_id", json_string(FAKE_CLIENT));
	json_object_set_new(file, "client_secret", json_string(FAKE_SECRET));
	world->google.wants_client = true;
	open_json(world, file);
	assert_string_equal(ask(world).token, "ya29.1");
	credentials_free(&world->credentials);
	world->google.wants_client = false;
	world->google.wants_project = true;
	file = direct_file(world, NULL);
	json_object_set_new(file, "audience", json_string(FAKE_WORKFORCE));
	json_object_set_new(
		file, "workforce_pool_user_project", json_string("acme"));
	open_json(world, file);
	assert_string_equal(ask(world).token, "ya29.2");
}

/* ---- Programs. ---- */

#define PROGRAM_MS 120000 /* the most that files grant: the machine is busy */

static char *write_program(struct world *world, const char *script)
{
	char *path = xasprintf("%s/program", world->folder);
	char *text = xasprintf("#!/bin/sh\n%s\n", script);

	write_file(path, text);
	assert_int_equal(chmod(path, 0700), 0);
	free(text);
	return path;
}

/* What a program prints for this token. */
static char *printed(const char *jwt, long long exp_s)
{
	return xasprintf("{\"version\": 1, \"success\": true, "
			 "\"token_type\": \"" JWT_TYPE "\", "
			 "\"id_token\": \"%s\", \"expiration_time\": %lld}",
		jwt, exp_s);
}

static json_t *program_file(
	struct world *world, const char *command, const char *output_file)
{
	return direct_file(
		world, json_pack("{s{ss si ss*}}", "executable", "command",
			       command, "timeout_millis", PROGRAM_MS,
			       "output_file", output_file));
}

static void a_program_gives_a_subject_token(void **state)
{
	struct world *world = *state;
	char *jwt = fake_subject_new(&world->google);
	char *says = printed(jwt, 4102444800);
	char *script = xasprintf(
		"echo a warning >&2\n"
		"test \"$1\" = 'two words' &&\n"
		"test \"$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE\" = //" FAKE_PROVIDER
		" &&\ntest \"$GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE\" = " JWT_TYPE
		" &&\ntest \"$GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE\" = 0 &&\n"
		"test \"$GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL\" = "
		"" FAKE_DEPLOYER " &&\n"
		"test -n \"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE\" &&\n"
		"test -n \"$PATH\" &&\necho '%s'",
		says);
	char *path = write_program(world, script);
	char *command = xasprintf("%s \"two words\"", path);
	json_t *file = program_file(world, command, "/nonexistent/cache");

	json_object_set_new(file, "service_account_impersonation_url",
		json_string(ACT_AS(FAKE_DEPLOYER)));
	setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	open_json(world, file);
	assert_string_equal(ask(world).token, "ya29.2");
	assert_string_equal(world->google.subject, jwt);
	xfree(&command);
	xfree(&path);
	xfree(&script);
	xfree(&says);
	free(jwt);
}

static void a_program_runs_only_when_that_is_allowed(void **state)
{
	static const char *const values[] = {NULL, "", "0", "true", "1 "};
	struct world *world = *state;
	char *path = write_program(world, "echo '{}'");
	size_t i;

	for (i = 0; i < N(values); i++) {
		if (values[i])
			setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
				values[i], 1);
		write_json(world, program_file(world, path, NULL));
		expect_refused(world,
			"allowed only with "
			"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1");
		expect_refused(world, path);
	}
	setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	write_json(world, program_file(world, "/nonexistent/program", NULL));
	expect_refused(world, "there is no program \"/nonexistent/program\"");
	xfree(&path);
}

static void what_a_program_says_wrong_is_told(void **state)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{"exit 3", "ended with exit status 3"},
		{"kill -9 $$", "signal 9 killed it"},
		{"echo s3cr3t", "what it printed: it is not JSON"},
		{"echo '{\"version\": 2}'", "\"version\" is not 1"},
		{"echo '{\"version\": 1}'", "\"success\" is neither"},
		{"echo '{\"version\": 1, \"success\": false, \"code\": "
		 "\"401\", \"message\": \"log in\"}'",
			"it failed with code 401, message log in"},
		{"echo '{\"version\": 1, \"success\": true, \"token_type\": "
		 "\"x\", \"id_token\": \"s3cr3t\"}'",
			"\"token_type\" is none of"},
		{"echo '{\"version\": 1, \"success\": true, \"token_type\": "
		 "\"" JWT_TYPE "\", \"id_token\": \"s3cr3t\", "
		 "\"expiration_time\": 5}'",
			"has expired"},
		{"head -c 100000000 /dev/zero", "it printed 100000000 bytes"},
	};
	struct world *world = *state;
	char *path;
	size_t i;

	setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	for (i = 0; i < N(rows); i++) {
		path = write_program(world, rows[i].script);
		open_json(world, program_file(world, path, NULL));
		EXPECT_FAILURE(world, world->key_path, "by running", path,
			rows[i].text);
		credentials_free(&world->credentials);
		xfree(&path);
	}
	assert_int_equal(world->google.requests, 0);
}

/* What a program says of itself there; 0: nothing yet. */
static pid_t number_in(const char *path)
{
	char text[32] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file) || !strchr(text, '\n'))
		text[0] = '\0';
	fclose(file);
	return atoi(text);
}

/* A program that says who it is and does not want to go. */
static char *write_stubborn(struct world *world, const char *mark)
{
	char *script = xasprintf("trap '' TERM\n"
				 "echo $$ >%s\n"
				 "while :; do sleep 9; done",
		mark);
	char *path = write_program(world, script);

	free(script);
	return path;
}

static void a_program_that_hangs_is_killed(void **state)
{
	struct world *world = *state;
	char *mark = xasprintf("%s/mark", world->folder);
	char *path = write_stubborn(world, mark);
	struct token_answer answer = {.world = world};

	setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	open_json(world, program_file(world, path, NULL));
	token_start(world->credentials, answered, &answer);
	RUN_UNTIL(world->loop, number_in(mark));
	until_later(world->loop, PROGRAM_MS);
	until_later(world->loop, PROCESS_GRACE_MS);
	RUN_UNTIL(world->loop, answer.calls);
	assert_int_equal(answer.err.code, ERR_TIMEOUT);
	assert_non_null(strstr(answer.err.text, "and was killed"));
	assert_int_equal(kill(number_in(mark), 0), -1); /* it is gone */
	xfree(&path);
	xfree(&mark);
}

static void credentials_may_go_while_a_program_runs(void **state)
{
	struct world *world = *state;
	char *mark = xasprintf("%s/mark", world->folder);
	char *path = write_stubborn(world, mark);
	struct token_answer answer = {.world = world};

	setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	open_json(world, program_file(world, path, NULL));
	token_start(world->credentials, answered, &answer);
	RUN_UNTIL(world->loop, number_in(mark));
	credentials_free(&world->credentials);
	RUN_UNTIL(world->loop, kill(number_in(mark), 0) == -1);
	assert_int_equal(answer.calls, 0);
	xfree(&path);
	xfree(&mark);
}

static void a_programs_file_spares_running_it(void **state)
{
	struct world *world = *state;
	char *cache = xasprintf("%s/cache", world->folder);
	char *path = write_program(world, "exit 7");
	char *jwt = fake_subject_new(&world->google);
	char *good = printed(jwt, 4102444800), *old = printed(jwt, 5);

	setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1", 1);
	write_file(cache, good);
	open_json(world, program_file(world, path, cache));
	assert_string_equal(ask(world).token, "ya29.1");
	forget_token(world);
	write_file(cache, old);
	EXPECT_FAILURE(world, "exit status 7");
	write_file(cache, "garbage");
	EXPECT_FAILURE(world, "exit status 7");
	xfree(&good);
	xfree(&old);
	xfree(&path);
	xfree(&cache);
	free(jwt);
}

/* ---- Acting as an account. ---- */

static void who_may_not_act_as_the_account_is_told_the_role(void **state)
{
	struct world *world = *state;

	open_json(world, github_file(world));
	world->google.denies = true;
	EXPECT_FAILURE(world, world->key_path, "acting as it", "HTTP 403",
		"roles/iam.workloadIdentityUser on " FAKE_DEPLOYER,
		"principalSet");
	credentials_free(&world->credentials);
	use_fake(world, "/token");
	open_json(world, impersonated_file(user_file()));
	EXPECT_FAILURE(world, "HTTP 403",
		"roles/iam.serviceAccountTokenCreator on " FAKE_DEPLOYER);
	assert_int_equal(ask(world).err.code, ERR_DENIED);
}

static void an_account_that_is_not_there_is_told(void **state)
{
	struct world *world = *state;
	json_t *file = github_file(world);

	json_object_set_new(file, "service_account_impersonation_url",
		json_string(ACT_AS("gone@acme.iam.gserviceaccount.com")));
	open_json(world, file);
	EXPECT_FAILURE(world, "service account gone@acme",
		"there is no such service account");
}

static void a_longer_life_needs_a_policy(void **state)
{
	struct world *world = *state;
	json_t *file = github_file(world);

	json_object_set_new(file, "service_account_impersonation",
		json_pack("{si}", "token_lifetime_seconds", 7200));
	open_json(world, file);
	EXPECT_FAILURE(world, "cannot exceed 3600",
		"allowServiceAccountCredentialLifetimeExtension");
	credentials_free(&world->credentials);
	file = github_file(world);
	json_object_set_new(file, "service_account_impersonation",
		json_pack("{si}", "token_lifetime_seconds", 600));
	open_json(world, file);
	ask(world);
	assert_in_range(
		token_expires_ms(world->credentials) - loop_now(world->loop),
		500000, 600000);
}

static void a_person_may_act_as_an_account(void **state)
{
	struct world *world = *state;
	json_t *file = impersonated_file(user_file());

	use_fake(world, "/token");
	json_object_set_new(file, "quota_project_id", json_string("billing"));
	json_object_set_new(file, "delegates",
		json_pack("[s]", "projects/-/serviceAccounts/" FAKE_DELEGATE));
	world->google.wants_delegate = true;
	open_json(world, file);
	assert_string_equal(
		credentials_quota_project(world->credentials), "billing");
	assert_string_equal(ask(world).token, "ya29.2");
}

static void an_account_may_act_as_another(void **state)
{
	struct world *world = *state;
	char *text = fake_key_file(key_pair, URI);

	use_fake(world, "/token");
	open_json(world, impersonated_file(json_loads(text, 0, NULL)));
	assert_string_equal(ask(world).token, "ya29.2");
	free(text);
}

/* ---- People. ---- */

static void a_login_gives_a_token(void **state)
{
	struct world *world = *state;
	struct credentials_about about;

	use_fake(world, "/token");
	open_json(world, user_file());
	credentials_about(world->credentials, &about);
	assert_string_equal(about.account, "eve@example.com");
	assert_string_equal(ask(world).token, "ya29.1");
}

static void a_new_refresh_token_replaces_the_old_one(void **state)
{
	struct world *world = *state;

	use_fake(world, "/token");
	world->google.rotated = "1//another-s3cr3t";
	open_json(world, user_file());
	ask(world);
	forget_token(world);
	assert_string_equal(ask(world).token, "ya29.2");
}

static void a_login_that_has_ended_is_told(void **state)
{
	static const struct fake_answer rapt = {400,
		"{\"error\": \"invalid_grant\", \"error_subtype\": "
		"\"invalid_rapt\", \"error_description\": \"reauth\"}"};
	struct world *world = *state;
	json_t *file = user_file();

	use_fake(world, "/token");
	json_object_set_new(file, "refresh_token", json_string("1//s3cr3t"));
	open_json(world, file);
	EXPECT_FAILURE(world, world->key_path, "eve@example.com",
		"expired or was revoked, log in again: gcloud auth "
		"application-default login");
	world->google.script = &rapt;
	world->google.n_script = 1;
	EXPECT_FAILURE(world, "(invalid_rapt): reauth",
		"your organisation wants you to log in again");
	credentials_free(&world->credentials);
	file = user_file();
	json_object_set_new(file, "client_secret", json_string("other-s3cr3t"));
	open_json(world, file);
	EXPECT_FAILURE(world, "invalid_client", "make it anew");
}

static void a_workforce_login_gives_a_token(void **state)
{
	struct world *world = *state;

	world->google.wants_client = true;
	use_fake(world, "/v1/oauthtoken");
	open_json(world, json_pack("{ss ss ss ss ss ss}", "type",
				 "external_account_authorized_user", "audience",
				 FAKE_WORKFORCE, "client_id", FAKE_CLIENT,
				 "client_secret", FAKE_SECRET, "refresh_token",
				 FAKE_REFRESH, "token_url",
				 "https://sts.googleapis.com/v1/oauthtoken"));
	assert_string_equal(ask(world).token, "ya29.1");
}

static void a_token_may_be_longer_than_is_told(void **state)
{
	struct world *world = *state;

	world->google.long_tokens = true;
	open_json(world, github_file(world));
	ask(world);
	assert_int_equal(
		secret_len(token_cached(world->credentials)), 13000 + 7);
}

/* ---- ID tokens. ---- */

struct id_answer {
	struct world *world;
	int calls;
	char audience[128]; /* of the token; "" when there was none */
	struct secret *token;
	struct err err;
};

static void id_answered(
	const struct secret *token, const struct err *err, void *arg)
{
	struct id_answer *answer = arg;
	json_t *header, *claims;

	answer->calls++;
	loop_stop(answer->world->loop);
	if (err) {
		answer->err = *err;
		return;
	}
	assert_true(fake_jwt_verify(answer->world->google.key,
		secret_reveal(token), &header, &claims));
	snprintf(answer->audience, sizeof(answer->audience), "%s",
		json_string_value(json_object_get(claims, "aud")));
	json_decref(header);
	json_decref(claims);
	secret_free(&answer->token);
	answer->token = secret_dup(token);
}

static struct id_answer ask_id(struct world *world, const char *audience)
{
	struct id_answer answer = {.world = world};

	id_token_start(world->credentials, audience, id_answered, &answer);
	assert_int_equal(answer.calls, 0);
	run(world);
	assert_int_equal(answer.calls, 1);
	return answer;
}

/* For this audience, kept, and again after it was rejected. */
static void expect_id_token(struct world *world, int requests)
{
	struct id_answer first, second, third;

	world->google.requests = 0;
	first = ask_id(world, AUDIENCE);
	if (!first.token)
		fail_msg("%s", first.err.text);
	assert_string_equal(first.audience, AUDIENCE);
	second = ask_id(world, AUDIENCE);
	assert_int_equal(world->google.requests, requests);
	id_token_reject(world->credentials, AUDIENCE,
		id_token_serial(world->credentials, AUDIENCE));
	third = ask_id(world, AUDIENCE);
	assert_int_equal(world->google.requests, 2 * requests);
	secret_free(&first.token);
	secret_free(&second.token);
	secret_free(&third.token);
	second = ask_id(world, "https://other.run.app");
	assert_string_equal(second.audience, "https://other.run.app");
	secret_free(&second.token);
	assert_null(token_cached(world->credentials)); /* not its business */
	credentials_free(&world->credentials);
}

static void expect_no_id_token(struct world *world, const char *text)
{
	struct id_answer answer = ask_id(world, AUDIENCE);

	assert_null(answer.token);
	assert_int_equal(answer.err.code, ERR_AUTH);
	if (!strstr(answer.err.text, text) ||
		!strstr(answer.err.text, AUDIENCE))
		fail_msg("no \"%s\" in: %s", text, answer.err.text);
	credentials_free(&world->credentials);
}

static void each_credential_that_can_gives_id_tokens(void **state)
{
	struct world *world = *state;

	open_key(world);
	expect_id_token(world, 1);
	open_json(world, github_file(world));
	expect_id_token(world, 3);
	use_fake(world, "/token");
	open_json(world, impersonated_file(user_file()));
	expect_id_token(world, 2);
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	open_metadata(world);
	expect_id_token(world, 1);
}

static void each_credential_that_cannot_says_who_can(void **state)
{
	struct world *world = *state;

	open_json(world, direct_file(world, NULL));
	expect_no_id_token(world, "name a service account to act as");
	use_fake(world, "/token");
	open_json(world, user_file());
	expect_no_id_token(world, "--impersonate-service-account");
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "ready", 1);
	open_found(world);
	expect_no_id_token(world, "use a service account");
}

static void an_id_token_for_others_is_not_taken(void **state)
{
	struct world *world = *state;
	struct fake_answer answer = {200, NULL};
	char *jwt = fake_id_token(&world->google, "https://evil.run.app");
	char *body = xasprintf("{\"id_token\": \"%s\"}", jwt);
	struct id_answer got;

	open_key(world);
	answer.body = body;
	world->google.script = &answer;
	world->google.n_script = 1;
	got = ask_id(world, AUDIENCE);
	assert_null(got.token);
	assert_non_null(strstr(got.err.text,
		"for the audience https://evil.run.app, not for " AUDIENCE));
	free(jwt);
	free(body);
}

static void an_id_tokens_end_is_in_it(void **state)
{
	struct world *world = *state;
	struct id_answer answer;

	open_metadata(world);
	world->google.id_life_s = 7200;
	answer = ask_id(world, AUDIENCE);
	secret_free(&answer.token);
	until_later(world->loop, 7200 * 1000);
	world->google.requests = 0;
	answer = ask_id(world, AUDIENCE);
	secret_free(&answer.token);
	assert_int_equal(world->google.requests, 1);
}

/* ---- The metadata server. ---- */

static void a_slow_metadata_server_is_waited_for(void **state)
{
	struct world *world = *state;
	struct token_answer answer = {.world = world};

	world->google.delay_ms = 5000;
	open_metadata(world);
	token_start(world->credentials, answered, &answer);
	RUN_UNTIL(world->loop, world->google.lates);
	until_later(world->loop, 4000);
	assert_int_equal(answer.calls, 0);
	until_later(world->loop, 1000);
	RUN_UNTIL(world->loop, answer.calls);
	assert_string_equal(answer.token, "ya29.1");
}

static void fetched_none(
	struct secret *token, int64_t life_s, const struct err *err, void *arg)
{
	struct token_answer *answer = arg;

	assert_null(token);
	answer->calls++;
	answer->err = *err;
}

static void none_at_all_is_told_within_a_second(void **state)
{
	struct world *world = *state;
	char *url = fake_google_url(&world->google, "");
	const struct retry_env env = {
		world->loop, world->http, BACKOFF_MS, NULL};
	struct token_answer answer = {.world = world};
	struct source *source;

	/* There is somebody, who does not say a word. */
	world->google.delay_ms = 3600 * 1000;
	source = source_metadata_new(
		&env, url + strlen("http://"), true, &answer.err);
	fetch_start(source, NULL, fetched_none, &answer);
	RUN_UNTIL(world->loop, world->google.lates);
	/* libcurl's clock is not moved: the loop has to notice that it was. */
	until_later(world->loop, 1000 + LOOP_LATE_MS + 100);
	for (int turn = 0; turn < 20; turn++) /* far less than another second */
		until_turn(world->loop);
	assert_int_equal(answer.calls, 1);
	assert_non_null(strstr(answer.err.text, "no Google credentials"));
	source_free(&source);
	xfree(&url);
}

/* ---- Files that were tampered with. ---- */

static const struct {
	const char *path, *value; /* a member, its JSON; NULL: gone */
	const char *text;
} tampered[] = {
	{"audience", NULL, "\"audience\" is missing"},
	{"subject_token_type", NULL, "\"subject_token_type\""},
	{"token_url", "\"https://evil.example/v1/token\"",
		"\"token_url\" is "
		"\"https://evil.example/v1/token\""},
	{"token_url", "\"http://sts.googleapis.com/v1/token\"",
		"\"token_url\" is"},
	{"token_url", "\"https://sts.googleapis.com.evil/v1\"",
		"\"token_url\" is"},
	{"token_url", "\"https://sts.googleapis.net/v1/token\"",
		"\"token_url\" is"},
	{"token_url", "\"https://sts.googleapis.com@evil/v1\"",
		"\"token_url\" is"},
	{"token_url", "\"https://sts.a.b.rep.googleapis.com/v1\"",
		"\"token_url\" is"},
	{"service_account_impersonation_url",
		"\"https://evil/v1/projects/-/serviceAccounts/"
		"a:generateAccessToken\"",
		"\"service_account_impersonation_url\" is"},
	{"service_account_impersonation_url", "\"" ACT_AS("a/../b") "\"",
		"impersonation_url\" is"},
	{"service_account_impersonation", "{\"token_lifetime_seconds\": 599}",
		"from 600 to"},
	{"service_account_impersonation",
		"{\"token_lifetime_seconds\": \"900\"}", "from 600 to"},
	{"universe_domain", "\"example.cloud\"", "universe_domain"},
	{"client_secret", "\"x\"", "without \"client_id\""},
	{"workforce_pool_user_project", "\"acme\"", "is for workforce pools"},
	{"credential_source", NULL, "\"credential_source\" is missing"},
	{"credential_source", "[]", "is not an object"},
	{"credential_source", "{}", "it has none"},
	{"credential_source", "{\"file\": \"a\", \"url\": \"b\"}",
		"it has several"},
	{"credential_source", "{\"file\": \"\"}", "\"file\" must be"},
	{"credential_source",
		"{\"file\": \"a\", \"format\": {\"type\": "
		"\"xml\"}}",
		"neither text nor json"},
	{"credential_source",
		"{\"file\": \"a\", \"format\": {\"type\": "
		"\"json\"}}",
		"\"subject_token_field_name\" is missing"},
	{"credential_source", "{\"url\": \"http://example.com/\"}",
		"plain http"},
	{"credential_source",
		"{\"url\": "
		"\"http://169.254.169.254.example.com/\"}",
		"plain http"},
	{"credential_source", "{\"url\": \"file:///etc/passwd\"}",
		"\"credential_source\""},
	{"credential_source",
		"{\"url\": \"https://a/\", \"headers\": "
		"{\"a\": 1}}",
		"one of the \"headers\" is not a string"},
	{"credential_source", "{\"executable\": {\"command\": \"'a\"}}",
		"a quote ' is opened"},
	{"credential_source",
		"{\"executable\": {\"command\": \"a\", "
		"\"timeout_millis\": 4999}}",
		"from 5000 to 120000"},
	{"credential_source", "{\"environment_id\": \"aws1\"}",
		"from AWS's metadata, which this version does "
		"not"},
	{"credential_source", "{\"certificate\": {}}",
		"from a certificate (mTLS), which this "
		"version"},
};

static void what_a_file_may_not_say_is_refused(void **state)
{
	struct world *world = *state;
	json_t *file;
	size_t i;

	for (i = 0; i < N(tampered); i++) {
		file = github_file(world);
		if (tampered[i].value)
			json_object_set_new(file, tampered[i].path,
				json_loads(tampered[i].value, JSON_DECODE_ANY,
					NULL));
		else
			json_object_del(file, tampered[i].path);
		write_json(world, file);
		expect_refused(world, tampered[i].text);
		expect_refused(world, world->key_path);
	}
}

static void what_acts_as_an_account_is_checked(void **state)
{
	struct world *world = *state;
	json_t *file = impersonated_file(impersonated_file(user_file()));

	write_json(world, file);
	expect_refused(world, "\"source_credentials\" are of type "
			      "\"impersonated_service_account\"");
	file = impersonated_file(json_pack("{ss}", "type", "authorized_user"));
	write_json(world, file);
	expect_refused(
		world, "\"source_credentials\": \"client_id\" is missing");
	file = impersonated_file(user_file());
	json_object_set_new(file, "delegates", json_pack("[s]", "a/b"));
	write_json(world, file);
	expect_refused(world, "delegate 1 is not projects/-/");
	file = impersonated_file(user_file());
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
		"http://example.com", 1);
	write_json(world, file);
	expect_refused(world, "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_file_of_the_github_action_gives_a_token),
		TEST(a_subject_token_is_got_anew_each_time),
		TEST(a_federated_identity_may_be_used_directly),
		TEST(a_file_that_rotates_is_read_each_time),
		TEST(a_bad_subject_file_is_named),
		TEST(what_the_exchange_refuses_has_a_remedy),
		TEST(a_wrong_clock_is_measured),
		TEST(trouble_at_the_subjects_url_is_told),
		TEST(a_client_and_a_project_are_sent_along),
		TEST(a_program_gives_a_subject_token),
		TEST(a_program_runs_only_when_that_is_allowed),
		TEST(what_a_program_says_wrong_is_told),
		TEST(a_program_that_hangs_is_killed),
		TEST(credentials_may_go_while_a_program_runs),
		TEST(a_programs_file_spares_running_it),
		TEST(who_may_not_act_as_the_account_is_told_the_role),
		TEST(an_account_that_is_not_there_is_told),
		TEST(a_longer_life_needs_a_policy),
		TEST(a_person_may_act_as_an_account),
		TEST(an_account_may_act_as_another),
		TEST(a_login_gives_a_token),
		TEST(a_new_refresh_token_replaces_the_old_one),
		TEST(a_login_that_has_ended_is_told),
		TEST(a_workforce_login_gives_a_token),
		TEST(a_token_may_be_longer_than_is_told),
		TEST(each_credential_that_can_gives_id_tokens),
		TEST(each_credential_that_cannot_says_who_can),
		TEST(an_id_token_for_others_is_not_taken),
		TEST(an_id_tokens_end_is_in_it),
		TEST(a_slow_metadata_server_is_waited_for),
		TEST(none_at_all_is_told_within_a_second),
		TEST(what_a_file_may_not_say_is_refused),
		TEST(what_acts_as_an_account_is_checked),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
