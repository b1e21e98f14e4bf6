/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of bytes from outside: masked, printable, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sanitize.h"
#include "base/secret.h"

static const struct {
	const char *bytes, *shown;
} cases[] = {
	{"plain", "plain"},
	{"  two\nlines\n\n", "two\nlines"},
	{"dos\r\nlines", "dos\nlines"},
	{"\x1b[31mred", "\\x1b[31mred"},
	{"bad \xff\xfe utf-8", "bad \\xff\\xfe utf-8"},
	{"the password is open-sesame!", "the password is ***!"},
	{"", ""},
};

static void bytes_become_fit_to_be_shown(void **state)
{
	struct secret *secret = secret_new("open-sesame", 11);
	struct buf out;

	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&out);
		sanitize_add(
			&out, cases[i].bytes, strlen(cases[i].bytes), 1000, 0);
		assert_string_equal(out.data, cases[i].shown);
	}
	buf_fini(&out);
	secret_free(&secret);
}

static void nothing_is_cut_in_the_middle_of_a_character(void **state)
{
	struct buf out;

	buf_init(&out, 4096);
	sanitize_add(&out, "ab\xc3\xa9\xc3\xa9", 6, 3, 0);
	assert_string_equal(out.data, "ab [4 bytes more]");
	buf_clear(&out);
	sanitize_add(&out, "abc", 3, 3, 5);
	assert_string_equal(out.data, "abc [5 bytes more]");
	buf_clear(&out);
	sanitize_add(&out, "a\0b", 3, 10, 0);
	assert_string_equal(out.data, "a?b");
	buf_fini(&out);
}

/* The cut comes after the masks: half a secret would not be recognised. */
static void a_secret_at_the_cut_is_masked_whole(void **state)
{
	struct secret *secret = secret_new("0123456789", 10);
	struct buf out;

	buf_init(&out, 4096);
	sanitize_add(&out, "key 0123456789 and more", 23, 8, 0);
	assert_null(strstr(out.data, "0123"));
	buf_fini(&out);
	secret_free(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_fit_to_be_shown),
		cmocka_unit_test(nothing_is_cut_in_the_middle_of_a_character),
		cmocka_unit_test(a_secret_at_the_cut_is_masked_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
