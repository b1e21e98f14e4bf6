/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets and what redact() masks, and what it leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/secret.h"

struct row {
	const char *text, *masked; /* NULL: it stays as it is */
};

static void expect_rows(const struct row *rows, size_t n)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, 4096);
	for (i = 0; i < n; i++) {
		buf_clear(&buf);
		buf_adds(&buf, rows[i].text);
		redact(&buf);
		assert_string_equal(buf.data,
			rows[i].masked ? rows[i].masked : rows[i].text);
		assert_int_equal(buf.len, strlen(buf.data));
		/* Masking what is masked changes nothing. */
		redact(&buf);
		assert_string_equal(buf.data,
			rows[i].masked ? rows[i].masked : rows[i].text);
	}
	buf_fini(&buf);
}

#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void values_of_secret_fields_are_masked(void **state)
{
	static const struct row rows[] = {
		{"{\"password\": \"hunter2\"}", "{\"password\": \"***\"}"},
		{"{\"a\":{\"clientSecret\":\"x\\\"y\",\"b\":1}}",
			"{\"a\":{\"clientSecret\":\"***\",\"b\":1}}"},
		{"{\"tokens\": [\"a\", [\"b\"]], \"c\": [\"d\"]}",
			"{\"tokens\": [\"***\", [\"***\"]], \"c\": [\"d\"]}"},
		{"{\"api_key\" :\n 12345}", "{\"api_key\" :\n \"***\"}"},
		{"{\"secret\": null, \"token\": true}", NULL},
		{"{\"body\": \"{\\\"jwt\\\":\\\"a\\\\\\\"b\\\",\\\"n\\\":1}\"}",
			"{\"body\": "
			"\"{\\\"jwt\\\":\\\"***\\\",\\\"n\\\":1}\"}"},
		{"{\"password\": \"cut of", "{\"password\": \"***"},
		{"{'passwd': 'x'}", "{'passwd': '***'}"},
		{"password=hunter2 user=bob", "password=*** user=bob"},
		{"DB_PASSWORD='a b' x", "DB_PASSWORD='***' x"},
		{"secret = s3cr3t", "secret = ***"},
		{"?access_token=abc&x=1", "?access_token=***&x=1"},
		{"level=info token=\"a b\" x=1",
			"level=info token=\"***\" x=1"},
		{"Authorization: Digest a=\"b\", c=d\r\nHost: x",
			"Authorization: ***\r\nHost: x"},
		{"> Set-Cookie: a=b; c=d", "> Set-Cookie: ***"},
		{"curl -H 'Cookie: a=b; c=d' http://x",
			"curl -H 'Cookie: ***' http://x"},
		{"sent X-Api-Key: abc123 today", "sent X-Api-Key: *** today"},
		{"  password: correct horse\n  user: bob",
			"  password: ***\n  user: bob"},
		{"private_key: \"x\\ny\"", "private_key: \"***\""},
		{"refresh-token:1//0abc", "refresh-token:***"},
	};

	EXPECT_ROWS(rows);
}

static void credentials_and_urls_are_masked(void **state)
{
	static const struct row rows[] = {
		{"sent Bearer ya29.a0_-~+/= ok", "sent Bearer *** ok"},
		{"bearer abc", "bearer ***"},
		{"Basic dXNlcjpwYXNz", "Basic ***"},
		{"https://bob:p%40ss@host/x", "https://***@host/x"},
		{"got tgt_2da6xedm_ADiv-_wGzd2r58RZX3IRiLxqfuzT, not that",
			"got tgt_2da6xedm_***, not that"},
		{"tgt_2da6xedm_x", "tgt_2da6xedm_***"},
		{"redis://:pw@127.0.0.1:6379/0",
			"redis://***@127.0.0.1:6379/0"},
		{"\"https://h/p?key=1&b=2#f\"", "\"https://h/p?***#f\""},
		{"POST https://hooks.slack.com/services/T0/B0/xyz failed",
			"POST https://hooks.slack.com/services/*** failed"},
		{"https://h?x=1", "https://h?***"},
		{"https://h/a:b?to=https://c?d and more",
			"https://h/a:b?*** and more"},
		{"https://console.cloud.google.com.evil/x?y=z",
			"https://console.cloud.google.com.evil/x?***"},
		{"https://u:console.cloud.google.com/@h/x?y=z",
			"https://u:console.cloud.google.com/@h/x?***"},
		{"https://console.cloud.google.com/x?project=p&token=abc&b=c",
			"https://console.cloud.google.com/x?project=p&token=***"
			"&b=c"},
		{"https://h/to/https://u:p@c/x",
			"https://h/to/https://***@c/x"},
		{"{\"token\":[ x: Bearer abc", "{\"token\":[ x: Bearer ***"},
		{"hooks.slack.com/workflows/T0/A/1/x",
			"hooks.slack.com/workflows/***"},
		{"POST https://discord.com/api/webhooks/1/aB: 404",
			"POST https://discord.com/api/webhooks/*** 404"},
		{"https://acme.webhook.office.com/webhookb2/1@2/x, y",
			"https://acme.webhook.office.com/***, y"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMII\nabc\n"
		 "-----END RSA PRIVATE KEY-----\n",
			"-----BEGIN RSA PRIVATE KEY-----***"
			"-----END RSA PRIVATE KEY-----\n"},
	};

	EXPECT_ROWS(rows);
}

static void harmless_texts_stay(void **state)
{
	static const struct row rows[] = {
		{"", NULL},
		{"tgt_ and tgt_2da6xedm_ and tgt_2da6xed_m", NULL},
		{"the token expired", NULL},
		{"cannot get a token: expired", NULL},
		{"bearer token is missing", NULL},
		{"basic checks passed", NULL},
		{"level=info rollout=web-20260101-000000-ab12 percent=10",
			NULL},
		{"sum(rate(x{revision=\"web-1\",code=~\"5..\"}[2m]))", NULL},
		{"https://run.googleapis.com/v2/projects/p", NULL},
		{"policy.yaml:3:5: error: unknown key \"tokn\"", NULL},
		{"Logs URL: https://console.cloud.google.com/logs/viewer?"
		 "project=p&resource=cloud_run_revision/service_name/s/"
		 "revision_name/s-2&advancedFilter=resource.type%3D%22x%22",
			NULL},
		{"user@example.com wrote: hello", NULL},
		{"12:00:01 step=2 token_uri=x etag=\"abc\"", NULL},
		{"password=", NULL},
		{"{\"password\": \"\"}", NULL},
		{"://", NULL},
		{"=", NULL},
		{":", NULL},
		{"Bearer ", NULL},
	};

	EXPECT_ROWS(rows);
}

static void known_values_are_masked_in_every_spelling(void **state)
{
	static const struct row rows[] = {
		{"say p\"a/s s+1 twice p\"a/s s+1", "say *** twice ***"},
		{"q=p%22a%2Fs%20s%2B1", "q=***"},
		{"q=p%22a%2fs%20s%2b1", "q=***"},
		{"\"p\\\"a/s s+1\"", "\"***\""},
		{"\"p\\\"a\\/s s+1\"", "\"***\""},
		/* base64 of it, of "u:" and it, of "u1:" and it and "!" */
		{"x cCJhL3MgcysxMg", "x ***Mg"},
		{"x dTpwImEvcyBzKzE=", "x dTp***E="},
		{"x dTE6cCJhL3MgcysxIQ==", "x dTE6***IQ=="},
	};
	struct secret *secret = secret_new("p\"a/s s+1", 9);

	EXPECT_ROWS(rows);
	secret_free(&secret);
}

/* Which of its bytes somebody escapes, and how, is not ours to say. */
static void a_value_is_masked_however_others_write_it(void **state)
{
	static const struct row rows[] = {
		{"plain k<&\xc3\xa9' \"$+z", "plain ***"},
		{"Go {\"k\":\"k\\u003c\\u0026\xc3\xa9' \\\"$+z\"}",
			"Go {\"k\":\"***\"}"},
		{"Python k<&\\u00e9' \\\"$+z!", "Python ***!"},
		{"all of it \\u006b\\u003C\\u0026\\u00e9\\u0027\\u0020\\u0022"
		 "\\u0024\\u002b\\u007A",
			"all of it ***"},
		{"HTML k&lt;&amp;\xc3\xa9&#39; &quot;$+z", "HTML ***"},
		{"HTML k&#60;&#x26;&#xE9;&apos; &#34;$&#43;z;", "HTML ***;"},
		{"shell 'k<&\xc3\xa9'\\'' \"$+z'", "shell '***'"},
		{"shlex 'k<&\xc3\xa9'\"'\"' \"$+z'", "shlex '***'"},
		{"sh k\\<\\&\xc3\xa9\\'\\ \\\"\\$+z", "sh ***"},
		{"ANSI-C $'k<&\\303\\251\\' \"$+z'", "ANSI-C $'***'"},
		{"repr b'k<&\\xc3\\xa9\\' \"$+z'", "repr b'***'"},
		{"YAML \"k<&\\xe9' \\\"$\\\n    +z\"", "YAML \"***\""},
		{"YAML 'k<&\xc3\xa9'' \"$+z'", "YAML '***'"},
		{"CSV \"k<&\xc3\xa9' \"\"$+z\"", "CSV \"***\""},
		{"form a=k%3C%26%C3%A9%27+%22%24%2Bz&b=1", "form a=***&b=1"},
		{"URI k%3C&%c3%a9'%20%22$+z", "URI ***"},
		{"JSON in JSON k<&\\\\u00e9' \\\\\\\"$+z", "JSON in JSON ***"},
		{"JSON in a URL k%5Cu003c%5Cu0026%5Cu00e9'%20%5C%22$%2Bz",
			"JSON in a URL ***"},
		{"hex 6b3c26c3a9272022242b7a", "hex ***"},
		{"HEX 6B3C26C3A9272022242B7A", "HEX ***"},
		{"cut k&lt;&amp;\xc3\xa9&#39; &quot;$&#4", "cut ***&#4"},
		{"another k<&\\u00e8' \\\"$+z", NULL},
	};
	struct secret *secret = secret_new("k<&\xc3\xa9' \"$+z", 11);

	EXPECT_ROWS(rows);
	secret_free(&secret);
}

/* What is read back at once is a part of the text. */
static void an_escaped_value_is_found_wherever_it_stands(void **state)
{
	struct secret *secret = secret_new("be&tween", 8);
	struct buf buf;

	for (size_t before = 65520; before < 65540; before++) {
		buf_init(&buf, 1 << 20);
		buf_addf(&buf, "%*sbe&amp;tween%*s", (int)before, "", 100, "");
		redact(&buf);
		assert_memory_equal(buf.data + before, "*** ", 4);
		assert_int_equal(buf.len, before + 103);
		buf_fini(&buf);
	}
	secret_free(&secret);
}

static void a_value_is_known_as_long_as_one_secret_holds_it(void **state)
{
	struct secret *a = secret_new("tide-and-time", 13);
	struct secret *b = secret_dup(a);
	const struct row known = {"a tide-and-time b", "a *** b"};
	const struct row unknown = {"a tide-and-time b", NULL};

	assert_string_equal(secret_reveal(a), "tide-and-time");
	assert_int_equal(secret_len(b), 13);
	expect_rows(&known, 1);
	secret_free(&a);
	assert_null(a);
	expect_rows(&known, 1);
	secret_free(&b);
	expect_rows(&unknown, 1);
	secret_free(&b);
	assert_null(secret_dup(NULL));
}

static void what_is_only_held_is_not_masked(void **state)
{
	static const struct row row[] = {{"https://held.example.com/x", NULL}};
	struct secret *held = secret_hold(row[0].text, strlen(row[0].text));
	struct secret *copy = secret_dup(held);
	struct secret *known;

	assert_string_equal(secret_reveal(copy), row[0].text);
	EXPECT_ROWS(row);
	/* Freeing what was not taught does not unteach another. */
	known = secret_new("held.example.com", 16);
	secret_free(&held);
	secret_free(&copy);
	expect_rows(&(struct row){"held.example.com", "***"}, 1);
	secret_free(&known);
}

static void overlapping_and_nested_values_leave_nothing(void **state)
{
	static const struct row rows[] = {
		{"xabcdefy", "x***y"}, /* abcd and cdef */
		{"abcdabcd", "***"}, {"abc", NULL},
		{"1abcd2", "***"}, /* masking makes 1***2, which is one too */
	};
	struct secret *a = secret_new("abcd", 4), *b = secret_new("cdef", 4);
	struct secret *c = secret_new("1***2", 5), *d = secret_new("abc", 3);

	EXPECT_ROWS(rows);
	secret_free(&a);
	secret_free(&b);
	secret_free(&c);
	secret_free(&d);
}

static void the_beginning_of_a_value_that_was_cut_is_masked(void **state)
{
	static const struct row rows[] = {
		{"output 0123456789ab", "output ***"},
		{"output 0123456789ab and more", NULL},
		{"output 0123", NULL},
		{"begin line-one-is-long-enough\nnext", "begin ***\nnext"},
	};
	struct secret *a = secret_new("0123456789abcdef", 16);
	struct secret *b = secret_new(
		"-----BEGIN X-----\nline-one-is-long-enough\nshort\n", 48);

	EXPECT_ROWS(rows);
	secret_free(&a);
	secret_free(&b);
}

/* What a hostile program prints must not stop the loop: time grows with the
 * length, not with its square. Quadratic, this would run for minutes. */
static void much_to_mask_takes_a_moment(void **state)
{
	static const char *const rows[] = {"\"token\":[", "cookie: ", "://",
		"-----BEGIN ", "x://a/", "x://a?", "token=", "tgt_abcd1234_",
		"'token': ", "token:\"\\", "\"token\":[\"a\",", "    =",
		"bearer ", "\\", "%25", "&amp;", "''", "\\\\u0026", "+"};
	struct secret *secret = secret_new("a&b \"c\"", 7);
	struct buf buf;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&buf, 4 << 20);
		while (buf.len < 1 << 18)
			buf_adds(&buf, rows[i]);
		redact(&buf);
		assert_false(buf.overflow);
		buf_fini(&buf);
	}
	secret_free(&secret);
}

static void a_fixed_array_is_masked_and_cut_in_place(void **state)
{
	char text[24] = "token=x password=y";

	redact_text(text, sizeof(text));
	assert_string_equal(text, "token=*** password=***");
	strcpy(text, "a=1 token=x password=y");
	redact_text(text, sizeof(text));
	assert_string_equal(text, "a=1 token=*** password=");
	strcpy(text, "nothing");
	redact_text(text, sizeof(text));
	assert_string_equal(text, "nothing");
}

static void a_buffer_keeps_its_maximum(void **state)
{
	struct buf buf;

	buf_init(&buf, 8);
	buf_adds(&buf, "token=a");
	redact(&buf);
	assert_string_equal(buf.data, "token=**");
	assert_true(buf.overflow);
	assert_int_equal(buf.max, 8);
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_secret_fields_are_masked),
		cmocka_unit_test(credentials_and_urls_are_masked),
		cmocka_unit_test(harmless_texts_stay),
		cmocka_unit_test(known_values_are_masked_in_every_spelling),
		cmocka_unit_test(a_value_is_masked_however_others_write_it),
		cmocka_unit_test(an_escaped_value_is_found_wherever_it_stands),
		cmocka_unit_test(
			a_value_is_known_as_long_as_one_secret_holds_it),
		cmocka_unit_test(what_is_only_held_is_not_masked),
		cmocka_unit_test(overlapping_and_nested_values_leave_nothing),
		cmocka_unit_test(
			the_beginning_of_a_value_that_was_cut_is_masked),
		cmocka_unit_test(much_to_mask_takes_a_moment),
		cmocka_unit_test(a_fixed_array_is_masked_and_cut_in_place),
		cmocka_unit_test(a_buffer_keeps_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
