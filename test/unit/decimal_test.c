/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers: the same doubles as strtod, and nothing that is none; and how
 * they are printed. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "base/jsonw.h"
#include "base/rng.h"

#define RANDOM_NUMBERS 300000

static void expect_as_strtod(const char *text)
{
	size_t len = strlen(text);
	double value = -1, wanted = strtod(text, NULL);
	const char *end = decimal_read(text, text + len, &value);

	if (end != text + len || memcmp(&value, &wanted, sizeof(value)) != 0)
		fail_msg("\"%s\" is read as %.17g, which is %.17g", text, value,
			wanted);
}

static void numbers_are_those_of_strtod(void **state)
{
	static const char *const rows[] = {"0", "-0", "1", "-1", "0.5", "007",
		"0.1", "0.3", "1e3", "1E-3", "1e+3", "0e0", "0.000e99999",
		"12345678", "123456789", "1234567.12345678",
		"0.06666666666666667", "0.0006666666666666667",
		"123456789012345678", "9999999999999999999",
		"18446744073709551615", "18446744073709551616",
		"0.00000000000000000000000000001234567890123456", "1e22",
		"1e23", "9007199254740993", "9007199254740992.5",
		"9007199254740993.0000000001", "5e-324", "4.9e-324", "1e308",
		"1.7976931348623157e308", "1e400", "-1e400", "1e-400",
		"2.2250738585072011e-308", "0.30000000000000004",
		"1.0000000000000002", "1.00000000000000011102230246251565",
		"72057594037927928", "7205759403792793.5"};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_as_strtod(rows[i]);
}

static void print_random(struct rng *rng, char *text, size_t size)
{
	uint64_t bits = rng_next(rng);
	uint64_t n = rng_next(rng) >> rng_next(rng) % 64;
	double value;

	switch (rng_next(rng) % 4) {
	case 0: /* as Prometheus prints a ratio */
		snprintf(text, size, "%.17g", (double)(bits >> 11) * 0x1p-53);
		break;
	case 1: /* any double */
		memcpy(&value, &bits, sizeof(value));
		snprintf(text, size, "%.*g", (int)(n % 18) + 1,
			value - value == 0 ? value : 1.5);
		break;
	case 2: /* half-way between two doubles, or nearly so */
		snprintf(text, size, "%" PRIu64 "%" PRIu64 "e-%u",
			(uint64_t)1 << 53 | bits >> 11, n % 10,
			(unsigned)(bits % 30));
		break;
	default:
		snprintf(text, size, "%" PRIu64 ".%0*" PRIu64, n % 100000,
			(int)(bits % 12) + 1, bits % 1000000);
	}
}

static void random_numbers_are_those_of_strtod(void **state)
{
	struct rng rng;
	char text[128];
	int i;

	rng_init(&rng, 20260101);
	for (i = 0; i < RANDOM_NUMBERS; i++) {
		print_random(&rng, text, sizeof(text));
		expect_as_strtod(text);
	}
}

static void what_is_no_number_is_not_read(void **state)
{
	static const char *const rows[] = {"", "-", "+1", ".5", "1.", "1.e5",
		"1e", "1e+", "-e5", "x", "NaN", "--1", "-.5",
		/* longer than a number may be */
		"0.00000000000000000000000000000000000000000000000000000000000"
		"000000",
		"1e00000000000000000000000000000000000000000000000000000000000"
		"000000"};
	double value;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (decimal_read(rows[i], rows[i] + strlen(rows[i]), &value))
			fail_msg("\"%s\" is read as a number", rows[i]);
	}
}

static void reading_stops_at_the_end_it_is_given(void **state)
{
	static const char text[] = "123456789.987654321e5";
	const char *end;
	double value;

	end = decimal_read(text, text + 5, &value);
	assert_ptr_equal(end, text + 5);
	assert_true(value == 12345);
	assert_null(decimal_read(text, text + 10, &value)); /* 123456789. */
	assert_null(decimal_read(text, text + 20, &value)); /* …e */
}

/* The shortest of 15 to 17 digits that is the same number again. */
static void expect_printed(double number)
{
	char text[JSONW_NUMBER_MAX], wanted[64];
	int digits = 15;

	do
		snprintf(wanted, sizeof(wanted), "%.*g", digits, number);
	while (strtod(wanted, NULL) != number && digits++ < 17);
	assert_string_equal(jsonw_print_number(number, text), wanted);
}

static void numbers_are_printed_in_the_shortest_way(void **state)
{
	static const double rows[] = {0, -0.0, 1, 9, 10, 1024, -3, 0.01, 0.1,
		1.5, 1e14, 999999999999999, 1e15, 1e15 + 1, 9007199254740993,
		1e22, 1e300, 5e-324, 1.0 / 3, 123456.789};
	struct rng rng;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_printed(rows[i]);
	rng_init(&rng, 2);
	for (i = 0; i < RANDOM_NUMBERS / 10; i++) {
		expect_printed((double)rng_below(&rng, 1000000));
		expect_printed((double)rng_below(&rng, 1000000) / 7e3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_strtod),
		cmocka_unit_test(random_numbers_are_those_of_strtod),
		cmocka_unit_test(what_is_no_number_is_not_read),
		cmocka_unit_test(reading_stops_at_the_end_it_is_given),
		cmocka_unit_test(numbers_are_printed_in_the_shortest_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
