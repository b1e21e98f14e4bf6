/* SPDX-License-Identifier: Apache-2.0 */
/* Credential files, token answers and assertions. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "fake_google.h"
#include "google/assertion_codec.h"
#include "google/credentials.h"
#include "google/key_codec.h"
#include "google/secret_json.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define URI      "https://oauth2.googleapis.com/token"
#define CANARY   "c4n4ry"

static EVP_PKEY *key_pair;

static int make_key(void **state)
{
	key_pair = fake_key_new(2048);
	return 0;
}

static int drop_key(void **state)
{
	EVP_PKEY_free(key_pair);
	return 0;
}

/* A key file with one member set to a JSON text; NULL takes it away. */
static char *file_with(const char *name, const char *value)
{
	char *text = fake_key_file(key_pair, URI);
	json_t *file = json_loads(text, 0, NULL);

	free(text);
	if (value)
		json_object_set_new(
			file, name, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(file, name);
	text = json_dumps(file, 0);
	json_decref(file);
	return text;
}

static void a_key_file_is_read(void **state)
{
	char *file = file_with("quota_project_id", "\"billing-1\"");
	struct service_account_key key;
	struct err err;
	char *type;

	assert_int_equal(key_type_decode(file, strlen(file), &type, &err), 0);
	assert_string_equal(type, "service_account");
	assert_int_equal(key_decode(file, strlen(file), &key, &err), 0);
	assert_string_equal(key.client_email, FAKE_EMAIL);
	assert_string_equal(key.private_key_id, FAKE_KID);
	assert_string_equal(key.token_uri, URI);
	assert_string_equal(key.quota_project, "billing-1");
	assert_int_equal(assertion_check_key(&key, &err), 0);
	key_fini(&key);
	xfree(&type);
	free(file);
}

static void what_a_key_file_lacks_is_named(void **state)
{
	static const struct {
		const char *name, *value; /* JSON; NULL: taken away */
		const char *text; /* of the message; NULL: accepted */
	} rows[] = {
		{"client_email", NULL, "\"client_email\" is missing"},
		{"client_email", "7", "\"client_email\" is not a string"},
		{"client_email", "\"\"", "\"client_email\" must be"},
		{"client_email", "\"a b\"", "\"client_email\" must be"},
		{"client_email", "\"a\\nb\"", "\"client_email\" must be"},
		{"private_key", NULL, "\"private_key\" must be a PEM"},
		{"private_key", "[]", "\"private_key\" must be a PEM"},
		{"token_uri", NULL, "\"token_uri\" is missing"},
		{"private_key_id", "{}", "\"private_key_id\" is not a string"},
		{"private_key_id", "null", NULL},
		{"private_key_id", NULL, NULL},
		{"project_id", NULL, NULL},
		{"project_id", "\"\"", NULL},
	};
	struct service_account_key key;
	struct err err;
	char *file;
	size_t i;
	int rc;

	for (i = 0; i < N(rows); i++) {
		file = file_with(rows[i].name, rows[i].value);
		rc = key_decode(file, strlen(file), &key, &err);
		free(file);
		key_fini(&key);
		assert_int_equal(rc, rows[i].text ? -1 : 0);
		if (!rows[i].text)
			continue;
		assert_int_equal(err.code, ERR_AUTH);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: %s", rows[i].name, err.text);
	}
}

static void a_key_file_cannot_choose_who_gets_the_assertion(void **state)
{
	static const struct {
		const char *uri;
		int rc;
	} rows[] = {
		{"https://oauth2.googleapis.com/token", 0},
		{"https://oauth2.googleapis.com", 0},
		{"HTTPS://oauth2.googleapis.com/token", 0},
		{"https://oauth2.europe-west1.rep.googleapis.com/token", 0},
		{"http://oauth2.googleapis.com/token", -1},
		{"https://accounts.google.com/o/oauth2/token", -1},
		{"https://example.com/token", -1},
		{"https://googleapis.com/token", -1},
		{"https://.googleapis.com/token", -1},
		{"https://..googleapis.com/token", -1},
		{"https://evilgoogleapis.com/token", -1},
		{"https://oauth2.googleapis.com.example.com/token", -1},
		{"https://oauth2.googleapis.com@example.com/token", -1},
		{"https://example.com/.googleapis.com", -1},
		{"https://example.com?.googleapis.com/", -1},
		{"https://example.com\\\\.googleapis.com/", -1},
		{"https://oauth2.googleapis.com:444/token", -1},
		{"https://oauth2.googleapis.com/token?x=1", -1},
		{"https://oauth2.googleapis.com/token#x", -1},
		{"https:/oauth2.googleapis.com/token", -1},
		{"file:///etc/passwd", -1},
		{"https://127.0.0.1/.googleapis.com", -1},
	};
	struct service_account_key key;
	struct err err;
	char *file, *value;
	size_t i;
	int rc;

	for (i = 0; i < N(rows); i++) {
		value = xasprintf("\"%s\"", rows[i].uri);
		file = file_with("token_uri", value);
		rc = key_decode(file, strlen(file), &key, &err);
		if (rc != rows[i].rc)
			fail_msg("%s gives %d", rows[i].uri, rc);
		key_fini(&key);
		free(file);
		xfree(&value);
	}
}

static void another_universe_is_refused(void **state)
{
	char *file = file_with("universe_domain", "\"example.cloud\"");
	struct err err;
	char *type;

	assert_int_equal(key_type_decode(file, strlen(file), &type, &err), -1);
	assert_null(type);
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.text, "\"example.cloud\" is not supported"));
	free(file);
}

static void errors_never_quote_a_file(void **state)
{
	static const char *const rows[] = {
		"{\"type\": " CANARY "}",
		"{\"type\": \"" CANARY,
		"{\"private_key\": \"" CANARY "\", \"private_key\": \"x\"}",
		"{\"type\": \"x\" \"" CANARY "\"}",
		"\"" CANARY "\"",
		"{\"access_token\": \"" CANARY " " CANARY "\"}",
		"{\"access_token\": \"" CANARY "\", \"expires_in\": \"" CANARY
		"\"}",
		"{\"access_token\": \"" CANARY "\", \"expires_in\": 1,"
		" \"token_type\": \"" CANARY "\"}",
		"{\"access_token\": [\"" CANARY "\"]}",
		"{\"token_type\": \"" CANARY "\"} " CANARY,
		"{\"type\": \"service_account\", \"client_email\": \"a@b\","
		" \"token_uri\": \"" URI "\", \"private_key\": 1, "
		"\"x\": \"" CANARY "\"}",
	};
	struct service_account_key key;
	struct secret *token;
	int64_t life_s;
	struct err err;
	char *type;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		err.text[0] = '\0';
		if (key_type_decode(rows[i], strlen(rows[i]), &type, &err) < 0)
			assert_null(strstr(err.text, CANARY));
		xfree(&type);
		assert_int_equal(
			key_decode(rows[i], strlen(rows[i]), &key, &err), -1);
		assert_null(strstr(err.text, CANARY));
		assert_int_equal(token_decode(rows[i], strlen(rows[i]), &token,
					 &life_s, &err),
			-1);
		assert_int_equal(err.code, ERR_PROTOCOL);
		assert_null(strstr(err.text, CANARY));
	}
}

static void a_token_answer_is_read(void **state)
{
	static const struct {
		const char *json;
		int64_t life_s; /* 0: refused */
	} rows[] = {
		{"{\"access_token\":\"t\",\"expires_in\":3599}", 3599},
		{"{\"access_token\":\"t\",\"expires_in\":\"3599\"}", 3599},
		{"{\"access_token\":\"t\",\"expires_in\":1.9}", 1},
		{"{\"access_token\":\"t\",\"expires_in\":1,"
		 "\"token_type\":\"bearer\"}",
			1},
		{"{\"access_token\":\"t\",\"expires_in\":1e300}",
			TOKEN_LIFE_S_MAX},
		{"{\"access_token\":\"t\",\"expires_in\":"
		 "\"99999999999999999999999\"}",
			TOKEN_LIFE_S_MAX},
		{"{\"access_token\":\"t\"}", 0},
		{"{\"access_token\":\"t\",\"expires_in\":0}", 0},
		{"{\"access_token\":\"t\",\"expires_in\":-5}", 0},
		{"{\"access_token\":\"t\",\"expires_in\":\"1h\"}", 0},
		{"{\"access_token\":\"t\",\"expires_in\":\"\"}", 0},
		{"{\"access_token\":\"t\",\"expires_in\":null}", 0},
		{"{\"access_token\":\"\",\"expires_in\":1}", 0},
		{"{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":1}", 0},
		{"{\"access_token\":\"\xc3\xbc\",\"expires_in\":1}", 0},
		{"{\"access_token\":\"t\",\"expires_in\":1,"
		 "\"token_type\":\"mac\"}",
			0},
		{"{\"id_token\":\"t\",\"expires_in\":1}", 0},
		{"[]", 0},
		{"", 0},
	};
	struct secret *token;
	int64_t life_s;
	struct err err;
	size_t i;
	int rc;

	for (i = 0; i < N(rows); i++) {
		rc = token_decode(rows[i].json, strlen(rows[i].json), &token,
			&life_s, &err);
		if (rc != (rows[i].life_s ? 0 : -1))
			fail_msg("%s gives %d", rows[i].json, rc);
		if (rc < 0)
			continue;
		assert_int_equal(life_s, rows[i].life_s);
		assert_string_equal(secret_reveal(token), "t");
		secret_free(&token);
	}
}

static void long_tokens_fit_and_endless_ones_do_not(void **state)
{
	size_t lens[] = {12288, TOKEN_BYTES_MAX, TOKEN_BYTES_MAX + 1}, i;
	struct secret *token;
	int64_t life_s;
	struct err err;
	char *text, *json;
	int rc;

	for (i = 0; i < N(lens); i++) {
		text = xcalloc(lens[i] + 1, 1);
		memset(text, 'a', lens[i]);
		json = xasprintf(
			"{\"access_token\":\"%s\",\"expires_in\":9}", text);
		rc = token_decode(json, strlen(json), &token, &life_s, &err);
		assert_int_equal(rc, lens[i] <= TOKEN_BYTES_MAX ? 0 : -1);
		if (rc == 0)
			assert_string_equal(secret_reveal(token), text);
		secret_free(&token);
		xfree(&json);
		xfree(&text);
	}
}

static void oauth_errors_become_one_line(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
		const char *text;
	} rows[] = {
		{400,
			"{\"error\":\"invalid_grant\",\"error_description\":"
			"\"Invalid\\nJWT\"}",
			ERR_AUTH, "HTTP 400, invalid_grant: Invalid\\nJWT"},
		{401, "{\"error\":\"invalid_client\"}", ERR_AUTH,
			"HTTP 401, invalid_client"},
		{400, "{\"error\":\"server_error\"}", ERR_UNAVAILABLE,
			"HTTP 400, server_error"},
		{400,
			"{\"error\":\"x\",\"error_description\":"
			"\"internal_failure\"}",
			ERR_UNAVAILABLE, "HTTP 400, x: internal_failure"},
		{403,
			"{\"error\":{\"status\":\"PERMISSION_DENIED\","
			"\"message\":\"no\"}}",
			ERR_DENIED, "HTTP 403, PERMISSION_DENIED: no"},
		{403,
			"{\"$id\":\"1\",\"message\":\"the job has ended\","
			"\"typeName\":\"GitHub.Actions.X\",\"errorCode\":0}",
			ERR_DENIED, "HTTP 403: the job has ended"},
		{400, "{\"error\":{\"message\":\"no\"}}", ERR_AUTH,
			"HTTP 400: no"},
		{404, "<html>", ERR_NOT_FOUND, "HTTP 404"},
		{408, "", ERR_TIMEOUT, "HTTP 408"},
		{429, "", ERR_THROTTLED, "HTTP 429"},
		{500, "{\"error\":7}", ERR_UNAVAILABLE, "HTTP 500"},
		{503, "{", ERR_UNAVAILABLE, "HTTP 503"},
		{504, "[]", ERR_TIMEOUT, "HTTP 504"},
		{302, "", ERR_AUTH, "HTTP 302"},
	};
	struct err err;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		oauth_error_decode(rows[i].status, rows[i].body,
			strlen(rows[i].body), &err);
		assert_string_equal(err.text, rows[i].text);
		assert_int_equal(err.code, rows[i].code);
	}
}

static void an_assertion_is_signed_as_google_wants_it(void **state)
{
	char *file = fake_key_file(key_pair, URI);
	struct service_account_key key;
	json_t *header, *claims, *wanted;
	struct secret *jwt;
	struct err err;

	assert_int_equal(key_decode(file, strlen(file), &key, &err), 0);
	assert_int_equal(assertion_sign(&key,
				 &(struct assertion_wish){.scope = "scope/x",
					 .iat_s = 1786950000},
				 &jwt, &err),
		0);
	assert_null(strpbrk(secret_reveal(jwt), "+/="));
	assert_true(fake_jwt_verify(
		key_pair, secret_reveal(jwt), &header, &claims));
	wanted = json_pack(
		"{ss ss ss}", "alg", "RS256", "typ", "JWT", "kid", FAKE_KID);
	assert_true(json_equal(header, wanted));
	json_decref(wanted);
	wanted = json_pack("{ss ss ss si si}", "iss", FAKE_EMAIL, "aud", URI,
		"scope", "scope/x", "iat", 1786950000, "exp", 1786953600);
	assert_true(json_equal(claims, wanted));
	json_decref(wanted);
	json_decref(header);
	json_decref(claims);
	secret_free(&jwt);
	key_fini(&key);
	free(file);
}

static void expect_bad_key(const char *pem, const char *text)
{
	struct service_account_key key = {0};
	struct secret *jwt;
	struct err err;

	key.private_key = secret_new(pem, strlen(pem));
	assert_int_equal(assertion_check_key(&key, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	if (!strstr(err.text, text))
		fail_msg("%s", err.text);
	assert_int_equal(
		assertion_sign(&key,
			&(struct assertion_wish){.scope = "s", .iat_s = 1},
			&jwt, &err),
		-1);
	assert_null(jwt);
	key_fini(&key);
}

static void a_key_that_cannot_sign_is_told_at_once(void **state)
{
	EVP_PKEY *small = fake_key_new(1024), *curve = EVP_EC_gen("P-256");
	char *file = fake_key_file(small, URI);
	struct service_account_key key;
	struct err err;

	assert_int_equal(key_decode(file, strlen(file), &key, &err), 0);
	expect_bad_key(secret_reveal(key.private_key), "RSA with 1024 bits");
	key_fini(&key);
	free(file);
	file = fake_key_file(curve, URI);
	assert_int_equal(key_decode(file, strlen(file), &key, &err), 0);
	expect_bad_key(secret_reveal(key.private_key), "not RSA");
	key_fini(&key);
	free(file);
	EVP_PKEY_free(small);
	EVP_PKEY_free(curve);
	expect_bad_key("x", "not an unencrypted private key in PEM");
	expect_bad_key("-----BEGIN PRIVATE KEY-----\nMIIE\n"
		       "-----END PRIVATE KEY-----\n",
		"not an unencrypted private key in PEM");
	/* Encrypted: nobody is asked for a password. */
	expect_bad_key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n"
		       "-----END ENCRYPTED PRIVATE KEY-----\n",
		"not an unencrypted private key in PEM");
}

static void json_with_secrets_leaves_jansson_as_it_was(void **state)
{
	json_malloc_t new_before, new_after;
	json_free_t free_before, free_after;
	struct err err;
	json_t *root;

	json_get_alloc_funcs(&new_before, &free_before);
	root = secret_json_load("{\"a\": \"b\"}", 10, &err);
	assert_string_equal(secret_json_word(root, "a", 1, &err), "b");
	json_get_alloc_funcs(&new_after, &free_after);
	assert_ptr_equal(new_before, new_after);
	secret_json_free(&root);
	assert_null(root);
	json_get_alloc_funcs(&new_after, &free_after);
	assert_ptr_equal(new_before, new_after);
	assert_ptr_equal(free_before, free_after);
}

/* A worker decodes a long answer of Cloud Run while a token comes. */
static atomic_bool reading;

static void *read_answers(void *arg)
{
	const char *text = arg;
	json_t *root;

	while (reading) {
		root = json_loads(text, 0, NULL);
		assert_non_null(root);
		json_decref(root);
	}
	return NULL;
}

static void json_with_secrets_leaves_other_threads_alone(void **state)
{
	struct buf text;
	struct err err;
	pthread_t thread;
	json_t *root;
	int i;

	buf_init(&text, 1024 * 1024);
	buf_adds(&text, "[0");
	for (i = 0; i < 2000; i++)
		buf_addf(&text, ",{\"revision\":\"shop-%05d\"}", i);
	buf_adds(&text, "]");
	reading = true;
	assert_int_equal(
		pthread_create(&thread, NULL, read_answers, text.data), 0);
	for (i = 0; i < 20000; i++) {
		root = secret_json_load("{\"a\": \"b\"}", 10, &err);
		assert_non_null(root);
		secret_json_free(&root);
	}
	reading = false;
	pthread_join(thread, NULL);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_file_is_read),
		cmocka_unit_test(what_a_key_file_lacks_is_named),
		cmocka_unit_test(
			a_key_file_cannot_choose_who_gets_the_assertion),
		cmocka_unit_test(another_universe_is_refused),
		cmocka_unit_test(errors_never_quote_a_file),
		cmocka_unit_test(a_token_answer_is_read),
		cmocka_unit_test(long_tokens_fit_and_endless_ones_do_not),
		cmocka_unit_test(oauth_errors_become_one_line),
		cmocka_unit_test(an_assertion_is_signed_as_google_wants_it),
		cmocka_unit_test(a_key_that_cannot_sign_is_told_at_once),
		cmocka_unit_test(json_with_secrets_leaves_jansson_as_it_was),
		cmocka_unit_test(json_with_secrets_leaves_other_threads_alone),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
