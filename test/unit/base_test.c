/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, timestamps, buffers, arenas, errors: the smallest parts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/accept.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/duration.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loopback.h"
#include "base/rng.h"
#include "base/service_name.h"
#include "base/timestamp.h"

static void durations_are_read_and_printed(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *printed;
	} rows[] = {
		{"0", 0, "0s"},
		{"500ms", 500, "500ms"},
		{"30s", 30000, "30s"},
		{"1.5s", 1500, "1s500ms"},
		{"90s", 90000, "1m30s"},
		{"1h30m", 5400000, "1h30m"},
		{"2d", 172800000, "2d"},
	};
	char text[DURATION_TEXT_MAX];
	struct err err;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(duration_parse(rows[i].text, &ms, &err), 0);
		assert_int_equal(ms, rows[i].ms);
		assert_string_equal(duration_print(ms, text), rows[i].printed);
	}
}

static void the_name_of_a_service_is_taken_apart_or_refused(void **state)
{
	static const char *const bad[] = {"", "shop", "projects/p",
		"projects/p/locations/r/services/",
		"projects//locations/r/services/s",
		"projects/p/locations/r/services/s/",
		"projects/p/locations/r/services/s/revisions/x",
		"x/projects/p/locations/r/services/s",
		"projects/p/locations/r/services/a b",
		"projects/p/locations/r/services/..",
		"projects/p/locations/r/services/s?x=1",
		"projects/p/locations/a:b/services/s",
		"projects/p/locations/r/jobs/s",
		"projects/p/locations/r/services/"
		"a123456789a123456789a123456789a123456789a123456789a123456789"
		"abcd"};
	struct service_name name;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	assert_int_equal(
		service_name_parse(&name, "projects/p-1/locations/r/services/s",
			&arena, &err),
		0);
	assert_string_equal(name.full, "projects/p-1/locations/r/services/s");
	assert_string_equal(name.project, "p-1");
	assert_string_equal(name.region, "r");
	assert_string_equal(name.name, "s");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(
			service_name_parse(&name, bad[i], &arena, &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
	}
	arena_fini(&arena);
}

static void a_service_is_the_same_under_the_number_of_its_project(void **state)
{
#define PLACE "/locations/r/services/"
	assert_true(service_name_is_alike(
		"projects/shop" PLACE "s", "projects/1234" PLACE "s"));
	assert_false(service_name_is_alike(
		"projects/shop" PLACE "s", "projects/shop" PLACE "s2"));
	assert_false(service_name_is_alike("projects/shop" PLACE "s",
		"projects/shop/locations/r2/services/s"));
	assert_false(service_name_is_alike("s", "s"));
	assert_true(resource_name_is(
		"projects/example.com:p" PLACE "s", "services"));
	assert_false(resource_name_is("projects/p" PLACE "s", "operations"));
}

static void only_this_machine_is_loopback(void **state)
{
	static const char *const ours[] = {"localhost", "LocalHost",
		"127.0.0.1", "127.255.255.255", "127.8.0.9", "[::1]"};
	static const char *const others[] = {"", "localhost.", "localhost.x",
		"xlocalhost", "127.0.0.1.", "127.0.0.1.x", "127.0.0", "127.1",
		"127.0.0.256", "127.0.0.01", "0127.0.0.1", "127..0.1",
		"127.0.0.-1", "127.0.0.1:80", "128.0.0.1", "12.7.0.1", "::1",
		"[::2]", "[::1", "0.0.0.0", "2130706433", "0x7f.0.0.1",
		"127.0.0.99999999999"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (!loopback_host(ours[i], strlen(ours[i])))
			fail_msg("%s", ours[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (loopback_host(others[i], strlen(others[i])))
			fail_msg("%s", others[i]);
	assert_true(loopback_host("localhost:80", strlen("localhost")));
}

static void the_weight_of_a_form_is_what_is_asked_for(void **state)
{
	static const struct {
		const char *accept;
		int weight; /* of application/x, version 1.0.0 */
	} rows[] = {
		{"", 0},
		{"*/*", 0},
		{"application/*", 0},
		{"application/x", 1000},
		{"Application/X ; version=1.0.0", 1000},
		{"application/x;version=\"1.0.0\";q=0.75", 750},
		{"application/x;version=0.0.1", 0},
		{"application/x;version=0.0.1,application/x;q=0.2", 200},
		{"text/plain;q=1,application/x;q=0.5;charset=utf-8", 500},
		{"application/x;q=0", 0},
		{"application/x;q=0.000", 0},
		{"application/x;q=1.000", 1000},
		{"application/x;q=1.001", 0},
		{"application/x;q=2", 0},
		{"application/x;q=.5", 0},
		{"application/x;q=0.1234", 0},
		{"application/x;q=", 0},
		{"application/x;q", 0},
		{"application/xy", 0},
		{"text/a;b=\"c,application/x\"", 0},
		{"text/a;b=\"\\\",application/x\"", 0},
		{" ,, application/x", 1000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (accept_weight(rows[i].accept, "application/x", "1.0.0") !=
			rows[i].weight)
			fail_msg("%s", rows[i].accept);
}

static void bad_durations_are_refused(void **state)
{
	static const char *const rows[] = {"", "5", "s", "-5s", "5 s", "5x",
		"5s5m", "1.5555s", "1.5ms", "366d", "9999999999999999999d",
		"1s1s", "5m ", "1e3s", "\xff", "0x5s"};
	struct err err;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(duration_parse(rows[i], &ms, &err), -1);
	assert_non_null(strstr(err.text, "0x5s"));
}

static void times_are_read_and_printed(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *printed;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"},
		{"2024-02-29T23:59:59.123456789Z", 1709251199123,
			"2024-02-29T23:59:59.123Z"},
		{"2026-01-01T01:00:00+01:00", 1767225600000,
			"2026-01-01T00:00:00.000Z"},
		{"1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"},
		{"9999-12-31T23:59:59Z", 253402300799000,
			"9999-12-31T23:59:59.000Z"},
	};
	char text[TIMESTAMP_TEXT_MAX];
	struct err err;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(timestamp_parse(rows[i].text, &ms, &err), 0);
		assert_int_equal(ms, rows[i].ms);
		assert_string_equal(timestamp_print(ms, text), rows[i].printed);
	}
}

static void bad_times_are_refused(void **state)
{
	static const char *const rows[] = {"", "now", "2026-13-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00Zx",
		"0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z",
		"9999-12-31T23:00:00-01:00", "0001-01-01T00:00:00+00:01"};
	struct err err;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(timestamp_parse(rows[i], &ms, &err), -1);
}

static void a_buffer_drops_what_does_not_fit(void **state)
{
	struct buf buf;

	buf_init(&buf, 8);
	assert_string_equal(buf.data, "");
	buf_adds(&buf, "12345");
	buf_adds(&buf, "6789");
	assert_true(buf.overflow);
	assert_string_equal(buf.data, "12345");
	buf_addf(&buf, "%d", 678);
	assert_string_equal(buf.data, "12345678");
	buf_clear(&buf);
	assert_false(buf.overflow);
	assert_string_equal(buf.data, "");
	buf_fini(&buf);
	buf_fini(&buf);
}

static void an_arena_keeps_objects_of_any_size(void **state)
{
	struct arena arena;
	char *a, *b, *c;

	arena_init(&arena);
	a = arena_strdup(&arena, "a");
	b = arena_alloc(&arena, 100000);
	c = arena_printf(&arena, "%s-%d", "c", 3);
	assert_int_equal(b[99999], 0);
	assert_string_equal(a, "a");
	assert_string_equal(c, "c-3");
	assert_int_equal((uintptr_t)b % 16, 0);
	arena_fini(&arena);
	arena_fini(&arena);
}

static void errors_carry_context_in_front(void **state)
{
	struct err err;

	assert_int_equal(err_set(&err, ERR_TIMEOUT, "no answer in %ds", 3), -1);
	err_wrap(&err, "reading %s", "shop");
	assert_string_equal(err.text, "reading shop: no answer in 3s");
	assert_true(err_is_retryable(err.code));
	assert_int_equal(err_exit_status(ERR_POLICY), 3);
}

static void errors_that_are_too_long_lose_their_end(void **state)
{
	char context[ERR_TEXT_MAX];
	struct err err;
	size_t len;

	for (len = ERR_TEXT_MAX - 16; len < ERR_TEXT_MAX; len++) {
		memset(context, 'c', len);
		context[len] = '\0';
		err_set(&err, ERR_IO, "gone");
		err_wrap(&err, "%s", context);
		assert_memory_equal(err.text, context, len);
		if (len + 6 < ERR_TEXT_MAX)
			assert_string_equal(err.text + len, ": gone");
		else if (len + 2 < ERR_TEXT_MAX)
			assert_memory_equal(err.text + len, ": ", 2);
		assert_true(strlen(err.text) < ERR_TEXT_MAX);
	}
}

static void random_numbers_are_the_published_sequence(void **state)
{
	struct rng rng;
	int i;

	/* First outputs of SplitMix64 seeded with 1234567. */
	rng_init(&rng, 1234567);
	assert_true(rng_next(&rng) == UINT64_C(6457827717110365317));
	assert_true(rng_next(&rng) == UINT64_C(3203168211198807973));
	for (i = 0; i < 1000; i++) {
		assert_true(rng_below(&rng, 7) < 7);
		assert_true(rng_unit(&rng) < 1.0);
	}
}

static void random_counts_have_their_mean_and_variance(void **state)
{
	static const double means[] = {0.02, 3, 29, 31, 2500};
	double k, sum, squares, mean, variance;
	struct rng rng;
	size_t i;
	int n;

	rng_init(&rng, 7);
	for (i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		sum = squares = 0;
		for (n = 0; n < 20000; n++) {
			k = rng_poisson(&rng, means[i]);
			assert_true(k >= 0 && k == floor(k));
			sum += k;
			squares += k * k;
		}
		mean = sum / n;
		variance = squares / n - mean * mean;
		/* Five times what chance does. */
		assert_true(fabs(mean - means[i]) < 5 * sqrt(means[i] / n));
		assert_true(fabs(variance / means[i] - 1) <
			    5 * sqrt((2 + 1 / means[i]) / n));
	}
	assert_true(rng_poisson(&rng, 0) == 0);
	assert_true(rng_poisson(&rng, NAN) == 0);
}

static void keep_line(const char *line, size_t len, void *arg)
{
	struct buf *out = arg;

	buf_clear(out);
	buf_add(out, line, len);
}

static void what_is_put_into_a_line_of_the_log_stays_in_its_place(void **state)
{
	struct buf line;

	buf_init(&line, 1024);
	log_set_sink(keep_line, &line);
	log_line(LOG_WARN, "n=%d big=%lld size=%zu long=%ld who=\"%s\"%s", -7,
		-1234567890123LL, (size_t)5, 6L, "al\"ice", " more=\"x\"");
	assert_string_equal(line.data,
		"level=warn n=-7 big=-1234567890123 size=5 long=6 "
		"who=\"al'ice\" more=\"x\"");
	log_line(LOG_INFO, "a=%s text=\"%.14s\" b=%s", "1",
		"no\" c=\"2\"\nlevel=info d=3", "4\x1b[2J");
	assert_string_equal(line.data,
		"level=info a=1 text=\"no' c='2'\\nleve\" b=4\\x1b[2J");
	log_set_sink(NULL, NULL);
	buf_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_and_printed),
		cmocka_unit_test(only_this_machine_is_loopback),
		cmocka_unit_test(the_weight_of_a_form_is_what_is_asked_for),
		cmocka_unit_test(bad_durations_are_refused),
		cmocka_unit_test(
			the_name_of_a_service_is_taken_apart_or_refused),
		cmocka_unit_test(
			a_service_is_the_same_under_the_number_of_its_project),
		cmocka_unit_test(times_are_read_and_printed),
		cmocka_unit_test(bad_times_are_refused),
		cmocka_unit_test(a_buffer_drops_what_does_not_fit),
		cmocka_unit_test(
			what_is_put_into_a_line_of_the_log_stays_in_its_place),
		cmocka_unit_test(an_arena_keeps_objects_of_any_size),
		cmocka_unit_test(errors_carry_context_in_front),
		cmocka_unit_test(errors_that_are_too_long_lose_their_end),
		cmocka_unit_test(random_numbers_are_the_published_sequence),
		cmocka_unit_test(random_counts_have_their_mean_and_variance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
