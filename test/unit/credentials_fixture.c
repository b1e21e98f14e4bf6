/* SPDX-License-Identifier: Apache-2.0 */
/* The world of credentials in tests; see credentials_fixture.h. */
#include "credentials_fixture.h"

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
#include "google/source.h"
#include "io/http.h"
#include "io/loop.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define STS      "https://sts.googleapis.com/v1/token"

EVP_PKEY *key_pair;

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void clear_env(void)
{
	static const char *const names[] = {"CLOUDSDK_AUTH_ACCESS_TOKEN",
		"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
		"GCE_METADATA_HOST", "GCE_METADATA_ROOT", "NO_GCE_CHECK",
		"CLOUDSDK_AUTH_TOKEN_HOST", "GOOGLE_CLOUD_QUOTA_PROJECT",
		"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
		"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "GCE_METADATA_IP",
		"K_SERVICE", "CLOUD_RUN_JOB"};
	size_t i;

	for (i = 0; i < N(names); i++)
		unsetenv(names[i]);
}

int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	struct err err;
	char *text;

	clear_env();
	strcpy(world->folder, "/tmp/tidegate-test-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	setenv("HOME", world->folder, 1);
	world->key_path = xasprintf("%s/key.json", world->folder);
	text = fake_key_file(key_pair, URI);
	write_file(world->key_path, text);
	free(text);
	world->loop = loop_new(&err);
	assert_non_null(world->loop);
	world->http = http_new(world->loop, &err);
	assert_non_null(world->http);
	fake_google_init(&world->google, world->loop, key_pair);
	*state = world;
	return 0;
}

int tear_down(void **state)
{
	struct world *world = *state;
	char *command = xasprintf("rm -r %s", world->folder);

	credentials_free(&world->credentials);
	fake_google_fini(&world->google);
	http_free(&world->http);
	loop_free(&world->loop);
	xfree(&world->key_path);
	if (system(command) != 0)
		return -1;
	xfree(&command);
	free(world);
	return 0;
}

static void too_late(void *arg)
{
	struct world *world = arg;

	world->deadline = NULL;
	loop_stop(world->loop);
}

/* Runs until something calls loop_stop. */
void run(struct world *world)
{
	struct err err;

	world->deadline =
		timer_start(world->loop, DEADLINE_MS, too_late, world);
	assert_int_equal(loop_run(world->loop, &err), 0);
	assert_non_null(world->deadline);
	timer_cancel(&world->deadline);
}

void ignore(const struct secret *token, const struct err *err, void *arg)
{
}

void answered(const struct secret *token, const struct err *err, void *arg)
{
	struct token_answer *answer = arg;

	answer->calls++;
	assert_true((token == NULL) == (err != NULL));
	if (token)
		snprintf(answer->token, sizeof(answer->token), "%s",
			secret_reveal(token));
	if (err)
		answer->err = *err;
	if (token && answer->rejects)
		forget_token(answer->world);
	if (answer->victim)
		token_cancel(answer->victim);
	if (answer->again)
		token_start(answer->again, ignore, NULL);
	if (answer->stops)
		loop_stop(answer->world->loop);
}

struct token_answer ask(struct world *world)
{
	struct token_answer answer = {.world = world, .stops = true};

	token_start(world->credentials, answered, &answer);
	assert_int_equal(answer.calls, 0); /* never inside token_start */
	run(world);
	assert_int_equal(answer.calls, 1);
	return answer;
}

void open_found(struct world *world)
{
	const struct retry_env env = {
		world->loop, world->http, BACKOFF_MS, NULL};
	struct err err;

	world->credentials = credentials_open(&env, &err);
	if (!world->credentials)
		fail_msg("%s", err.text);
}

void open_key(struct world *world)
{
	char *url = fake_google_url(&world->google, "/token");

	setenv("GOOGLE_APPLICATION_CREDENTIALS", world->key_path, 1);
	setenv("CLOUDSDK_AUTH_TOKEN_HOST", url, 1);
	xfree(&url);
	open_found(world);
}

void open_metadata(struct world *world)
{
	char *url = fake_google_url(&world->google, "");

	setenv("GCE_METADATA_HOST", url + strlen("http://"), 1);
	xfree(&url);
	open_found(world);
}

int make_key(void **state)
{
	key_pair = fake_key_new(2048);
	return 0;
}

int drop_key(void **state)
{
	EVP_PKEY_free(key_pair);
	return 0;
}

void expect_refused(struct world *world, const char *text)
{
	const struct retry_env env = {
		world->loop, world->http, BACKOFF_MS, NULL};
	struct err err;

	world->credentials = credentials_open(&env, &err);
	if (world->credentials)
		fail_msg("accepted, though: %s", text);
	assert_int_equal(err.code, ERR_AUTH);
	if (!strstr(err.text, text))
		fail_msg("%s", err.text);
}

/* ---- Files. ---- */

/* Points the addresses of Google at the fake. */
void use_fake(struct world *world, const char *token_path)
{
	char *token = fake_google_url(&world->google, token_path);
	char *iam = fake_google_url(&world->google, "/");

	setenv("CLOUDSDK_AUTH_TOKEN_HOST", token, 1);
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", iam, 1);
	xfree(&token);
	xfree(&iam);
}

/* Takes the file over. */
void write_json(struct world *world, json_t *file)
{
	char *text = json_dumps(file, JSON_INDENT(2));

	write_file(world->key_path, text);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", world->key_path, 1);
	free(text);
	json_decref(file);
}

void open_json(struct world *world, json_t *file)
{
	write_json(world, file);
	open_found(world);
}

/* As google-github-actions/auth writes it. */
json_t *github_file(struct world *world)
{
	char *url = fake_google_url(&world->google,
		"/oidc?api-version=2.0&audience=https%3A%2F%2F"
		"iam.googleapis.com%2Fprojects%2F123456789012%2Flocations%2F"
		"global%2FworkloadIdentityPools%2Fgh%2Fproviders%2Fgithub");
	json_t *file = json_pack("{ss ss ss ss s{ss s{ss} s{ss ss}} ss}",
		"type", "external_account", "audience", "//" FAKE_PROVIDER,
		"subject_token_type", JWT_TYPE, "token_url", STS,
		"credential_source", "url", url, "headers", "Authorization",
		"Bearer " FAKE_REQUEST, "format", "type", "json",
		"subject_token_field_name", "value",
		"service_account_impersonation_url", ACT_AS(FAKE_DEPLOYER));

	use_fake(world, "/v1/token");
	xfree(&url);
	return file;
}

/* The same without an account, and with another credential_source. */
json_t *direct_file(struct world *world, json_t *source)
{
	json_t *file = github_file(world);

	json_object_del(file, "service_account_impersonation_url");
	if (source)
		json_object_set_new(file, "credential_source", source);
	return file;
}

json_t *user_file(void)
{
	return json_pack("{ss ss ss ss ss}", "type", "authorized_user",
		"client_id", FAKE_CLIENT, "client_secret", FAKE_SECRET,
		"refresh_token", FAKE_REFRESH, "account", "eve@example.com");
}

json_t *impersonated_file(json_t *source)
{
	return json_pack("{ss ss so}", "type", "impersonated_service_account",
		"service_account_impersonation_url", ACT_AS(FAKE_DEPLOYER),
		"source_credentials", source);
}

void expect_failure(struct world *world, const char *const texts[])
{
	struct token_answer answer = ask(world);

	/* It is read where secrets are masked. */
	redact_text(answer.err.text, sizeof(answer.err.text));
	for (; *texts; texts++) {
		if (!strstr(answer.err.text, *texts))
			fail_msg("no \"%s\" in: %s", *texts, answer.err.text);
	}
	if (strstr(answer.err.text, "s3cr3t") ||
		strstr(answer.err.text, FAKE_REQUEST) ||
		strstr(answer.err.text, "eyJ"))
		fail_msg("a secret in: %s", answer.err.text);
}

void forget_token(struct world *world)
{
	struct err err;

	assert_int_equal(token_reject(world->credentials,
				 token_serial(world->credentials), &err),
		0);
}
