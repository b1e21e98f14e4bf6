/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of ours, rights and keys: what may be kept, and what is taken. */
#include <setjmp.h>
#include <sqlite3.h>
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
#include "identity/api_token.h"
#include "identity/caller.h"
#include "store/store_schema.h"

#define TEST(name) cmocka_unit_test(name)
#define NOW        INT64_C(1790000000000)

static void base64url_reads_back_every_length(void **state)
{
	unsigned char bytes[70];
	struct buf text, back;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 200);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		buf_init(&text, 200);
		buf_init(&back, 200);
		base64url_add(&text, bytes, len);
		assert_int_equal(text.len, BASE64URL_LEN(len));
		assert_int_equal(
			base64url_decode(text.data, text.len, &back), 0);
		assert_int_equal(back.len, len);
		assert_memory_equal(back.data, bytes, len);
		buf_fini(&text);
		buf_fini(&back);
	}
}

static void base64url_has_one_text_for_each_value(void **state)
{
	static const char *const wrong[] = {"A", "AB", "AAB",
		"AA==", "AA=", "A+AA", "A/AA", "AA A", "AAAA\n", "AAAA=",
		"\xc3\xa4"
		"AA",
		"AAAAA"};
	struct buf out;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		buf_init(&out, 64);
		if (base64url_decode(wrong[i], strlen(wrong[i]), &out) == 0)
			fail_msg("\"%s\" was taken", wrong[i]);
		buf_fini(&out);
	}
	buf_init(&out, 64);
	assert_int_equal(base64url_decode("A\0AA", 4, &out), -1);
	buf_fini(&out);
	buf_init(&out, 2);
	assert_int_equal(base64url_decode("AAAA", 4, &out), -1);
	buf_fini(&out);
}

static void a_token_is_told_once_and_kept_as_a_hash(void **state)
{
	struct api_token token, again;
	struct secret *text = api_token_mint(&token);
	const char *told = secret_reveal(text);
	struct secret *other = api_token_mint(&again);

	assert_int_equal(secret_len(text), API_TOKEN_LEN);
	assert_true(api_token_claims(told));
	assert_string_not_equal(token.id, again.id);
	assert_int_equal(api_token_parse(told, strlen(told), &again), 0);
	assert_string_equal(token.id, again.id);
	assert_string_equal(token.hash, again.hash);
	assert_null(strstr(told, token.hash));
	secret_free(&text);
	secret_free(&other);
}

static void what_is_nearly_a_token_is_none(void **state)
{
	struct api_token token;
	struct secret *text = api_token_mint(&token);
	static const struct {
		size_t at;
		char c;
	} damage[] = {{0, 'T'}, {3, '-'}, {4, 'A'}, {4, '1'}, {11, '\''},
		{12, '-'}, {13, '='}, {20, '+'}, {55, '!'}, {55, 'B'}};
	char damaged[API_TOKEN_LEN + 2];

	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		snprintf(damaged, sizeof(damaged), "%s", secret_reveal(text));
		damaged[damage[i].at] = damage[i].c;
		if (api_token_parse(damaged, API_TOKEN_LEN, &token) == 0)
			fail_msg("damage %zu was taken", i);
		assert_string_equal(token.hash, "");
	}
	snprintf(damaged, sizeof(damaged), "%sA", secret_reveal(text));
	assert_int_equal(
		api_token_parse(damaged, API_TOKEN_LEN + 1, &token), -1);
	assert_int_equal(
		api_token_parse(damaged, API_TOKEN_LEN - 1, &token), -1);
	assert_int_equal(api_token_parse("", 0, &token), -1);
	secret_free(&text);
}

static void a_token_is_taken_until_it_is_over_or_revoked(void **state)
{
	struct api_token token, other;
	struct secret *text = api_token_mint(&token);
	struct secret *text2 = api_token_mint(&other);
	struct store_token row = {.id = token.id,
		.hash = token.hash,
		.name = "ci",
		.expires_ms = NOW + 1};
	struct refusal why;

	assert_int_equal(api_token_check(&token, &row, NOW, &why), 0);
	assert_int_equal(api_token_check(&token, NULL, NOW, &why), -1);
	assert_int_equal(why.code, REFUSAL_TOKEN_UNKNOWN);
	assert_int_equal(api_token_check(&token, &row, NOW + 1, &why), -1);
	assert_int_equal(why.code, REFUSAL_TOKEN_EXPIRED);
	row.revoked_ms = NOW;
	assert_int_equal(api_token_check(&token, &row, NOW, &why), -1);
	assert_int_equal(why.code, REFUSAL_TOKEN_REVOKED);
	/* Whoever has another secret is not told that it was revoked. */
	row.hash = other.hash;
	assert_int_equal(api_token_check(&token, &row, NOW, &why), -1);
	assert_int_equal(why.code, REFUSAL_TOKEN_UNKNOWN);
	row.hash = "";
	assert_int_equal(api_token_check(&token, &row, NOW, &why), -1);
	assert_int_equal(why.code, REFUSAL_TOKEN_UNKNOWN);
	assert_null(strstr(why.reason, secret_reveal(text)));
	secret_free(&text);
	secret_free(&text2);
}

static void rights_have_names(void **state)
{
	struct err err;
	struct buf out;
	unsigned rights;

	assert_int_equal(rights_parse("operate,read", &rights, &err), 0);
	assert_int_equal(
		rights, RIGHT_BIT(RIGHT_READ) | RIGHT_BIT(RIGHT_OPERATE));
	buf_init(&out, 100);
	rights_print(&out, rights);
	assert_string_equal(out.data, "read,operate");
	buf_fini(&out);
	assert_int_equal(rights_parse("", &rights, &err), -1);
	assert_int_equal(rights_parse("read,", &rights, &err), -1);
	assert_int_equal(rights_parse("read,read", &rights, &err), -1);
	assert_int_equal(rights_parse("Read", &rights, &err), -1);
	assert_non_null(strstr(err.text, "\"Read\" is not a right"));
}

static void a_rule_about_workflows_asks_for_all_of_it(void **state)
{
	const char *const keys[] = {"github:repository_id=1",
		"github:ref=refs/heads/main", "github:event_name=push"};
	const struct caller caller = {.keys = keys, .n_keys = 3};

	assert_true(caller_has_all(
		&caller, "github:repository_id=1,ref=refs/heads/main"));
	assert_false(caller_has_all(
		&caller, "github:repository_id=1,ref=refs/heads/other"));
	assert_false(caller_has_all(&caller, "github:repository_id=12"));
	assert_false(caller_has_all(&caller, "github:repository_id=1,"));
	assert_true(caller_has_all(&caller, "github:repository_id=1"));
}

static void a_rule_about_anybodys_workflows_is_none(void **state)
{
	const char *const keys[] = {"github:ref=refs/heads/main"};
	const struct caller caller = {.keys = keys, .n_keys = 1};
	struct err err;

	assert_int_equal(
		caller_rule_check("github:ref=refs/heads/main", &err), -1);
	assert_non_null(strstr(err.text, "workflows of anybody"));
	assert_false(caller_has_all(&caller, "github:ref=refs/heads/main"));
	assert_int_equal(
		caller_rule_check("github:repository_id=1,sub=repo:a/b", &err),
		-1);
	assert_int_equal(caller_rule_check("github:repository_id=", &err), -1);
	assert_int_equal(caller_rule_check("alice", &err), -1);
	assert_int_equal(caller_rule_check("email:", &err), -1);
	assert_int_equal(caller_rule_check("github:583231", &err), 0);
	assert_int_equal(caller_rule_check("slack:T1/U1", &err), 0);
}

/* Nobody would come in by another, and no watch would know who it is. */
static void an_address_is_written_in_lower_case(void **state)
{
	struct err err;

	assert_int_equal(
		caller_rule_check("email:Alice@example.com", &err), -1);
	assert_non_null(strstr(err.text, "in lower case"));
	assert_int_equal(caller_rule_check("email:alice@example.com", &err), 0);
}

/* The state file's part. */

static char folder[64], path[96];

static struct store *store_make(void)
{
	struct store *store;
	struct err err;

	snprintf(folder, sizeof(folder), "/tmp/api-token-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/t.db", folder);
	store = store_open(path, STORE_CREATE, &err);
	assert_non_null(store);
	return store;
}

static void store_unmake(struct store **store)
{
	char *rest;

	store_free(store);
	for (int i = 0; i < 3; i++) {
		rest = xasprintf("%s%s", path,
			i == 0   ? ""
			: i == 1 ? "-wal"
				 : "-shm");
		unlink(rest);
		free(rest);
	}
	rmdir(folder);
}

static void tokens_are_found_listed_and_revoked(void **state)
{
	struct store *store = store_make();
	struct store_token token = {.id = "aaaaaaaa",
		.hash = "h",
		.name = "ci",
		.person = "alice",
		.rights = "read",
		.created_by = "bob",
		.created_ms = NOW,
		.expires_ms = NOW + 10};
	struct store_token got, *list;
	struct arena arena;
	struct err err;
	size_t n;

	arena_init(&arena);
	assert_int_equal(store_token_add(store, &token, &err), 0);
	token.id = "bbbbbbbb";
	token.created_ms++;
	assert_int_equal(store_token_add(store, &token, &err), 0);
	assert_int_equal(store_token_add(store, &token, &err), -1);
	assert_int_equal(
		store_token_get(store, "cccccccc", &arena, &got, &err), 0);
	assert_int_equal(
		store_token_get(store, "aaaaaaaa", &arena, &got, &err), 1);
	assert_string_equal(got.person, "alice");
	assert_string_equal(got.created_by, "bob");
	assert_int_equal(got.expires_ms, NOW + 10);
	assert_int_equal(store_token_used(store, "aaaaaaaa", NOW + 2, &err), 0);
	assert_int_equal(
		store_token_revoke(store, "aaaaaaaa", NOW + 3, &err), 1);
	assert_int_equal(
		store_token_revoke(store, "aaaaaaaa", NOW + 4, &err), 0);
	assert_int_equal(store_token_list(store, &arena, &list, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].id, "bbbbbbbb");
	assert_int_equal(list[1].used_ms, NOW + 2);
	assert_int_equal(list[1].revoked_ms, NOW + 3);
	arena_fini(&arena);
	store_unmake(&store);
}

static void a_proof_is_new_once_and_forgotten_later(void **state)
{
	struct store *store = store_make();
	struct err err;

	assert_int_equal(store_seen_add(store, "a", NOW, NOW + 10, &err), 1);
	assert_int_equal(store_seen_add(store, "a", NOW, NOW + 10, &err), 0);
	assert_int_equal(store_seen_add(store, "b", NOW, NOW + 10, &err), 1);
	assert_int_equal(
		store_seen_add(store, "a", NOW + 10, NOW + 20, &err), 1);
	store_unmake(&store);
}

static void a_session_is_there_until_it_ends(void **state)
{
	struct store *store = store_make();
	struct store_session session = {.hash = "h1",
		.data = "{}",
		.created_ms = NOW,
		.expires_ms = NOW + 100};
	struct store_session got;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	assert_int_equal(store_session_add(store, &session, &err), 0);
	session.hash = "h2";
	session.created_ms = NOW + 100;
	session.expires_ms = NOW + 200;
	assert_int_equal(store_session_add(store, &session, &err), 0);
	assert_int_equal(store_session_get(store, "h1", &arena, &got, &err), 0);
	assert_int_equal(store_session_used(store, "h2", NOW + 150, &err), 0);
	assert_int_equal(store_session_get(store, "h2", &arena, &got, &err), 1);
	assert_int_equal(got.used_ms, NOW + 150);
	assert_int_equal(store_session_end(store, "h2", &err), 0);
	assert_int_equal(store_session_get(store, "h2", &arena, &got, &err), 0);
	arena_fini(&arena);
	store_unmake(&store);
}

static void a_key_stays_what_it_was_first(void **state)
{
	struct store *store = store_make();
	struct arena arena;
	const char *key;
	struct err err;

	arena_init(&arena);
	assert_int_equal(
		store_key_get(store, "forms", "one", &arena, &key, &err), 0);
	assert_string_equal(key, "one");
	assert_int_equal(
		store_key_get(store, "forms", "two", &arena, &key, &err), 0);
	assert_string_equal(key, "one");
	arena_fini(&arena);
	store_unmake(&store);
}

/* As programs of that version left it. */
static void a_file_of_version_1_is_looked_at_and_then_migrated(void **state)
{
	struct store *store = store_make();
	struct store_rollout *rollouts;
	struct store_filter all = {0};
	struct store_token *tokens;
	struct arena arena;
	const char *key;
	struct err err;
	sqlite3 *db;
	size_t n;

	store_free(&store);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, store_migrations[0], NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	arena_init(&arena);
	store = store_open(path, STORE_LOOK, &err);
	assert_non_null(store);
	assert_int_equal(
		store_rollout_list(store, &all, &arena, &rollouts, &n, &err),
		0);
	assert_int_equal(store_token_list(store, &arena, &tokens, &n, &err), 0);
	assert_int_equal(n, 0);
	store_free(&store);
	store = store_open(path, STORE_EDIT, &err);
	assert_non_null(store);
	assert_int_equal(store_key_get(store, "k", "v", &arena, &key, &err), 0);
	arena_fini(&arena);
	store_unmake(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(base64url_reads_back_every_length),
		TEST(base64url_has_one_text_for_each_value),
		TEST(a_token_is_told_once_and_kept_as_a_hash),
		TEST(what_is_nearly_a_token_is_none),
		TEST(a_token_is_taken_until_it_is_over_or_revoked),
		TEST(rights_have_names),
		TEST(a_rule_about_workflows_asks_for_all_of_it),
		TEST(a_rule_about_anybodys_workflows_is_none),
		cmocka_unit_test(an_address_is_written_in_lower_case),
		TEST(tokens_are_found_listed_and_revoked),
		TEST(a_proof_is_new_once_and_forgotten_later),
		TEST(a_session_is_there_until_it_ends),
		TEST(a_file_of_version_1_is_looked_at_and_then_migrated),
		TEST(a_key_stays_what_it_was_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
