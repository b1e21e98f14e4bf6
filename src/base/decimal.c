/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers as doubles; see decimal.h. */
#include "base/decimal.h"

#include <float.h>
#include <stdlib.h>

#define EXACT_DIGITS 15 /* a double holds so many exactly … */
#define EXACT_TENS   22 /* … and so big a power of ten */
#define LONG_DIGITS  19 /* the same of 64 bits */
#define LONG_TENS    27

/* What was read: digits * 10^exponent. */
struct parts {
	uint64_t digits; /* right when there are at most 19 */
	int64_t n_digits; /* significant ones */
	int exponent;
	bool negative;
};

static const char *read_exponent(const char *p, const char *end, int *value_r)
{
	bool minus;
	int value = 0;

	minus = p < end && *p == '-';
	p += p < end && (*p == '+' || *p == '-');
	if (p == end || !is_digit(*p))
		return NULL;
	for (; p < end && is_digit(*p); p++)
		value = value < 10000 ? value * 10 + (*p - '0') : value;
	*value_r = minus ? -value : value;
	return p;
}

static const char *read_parts(
	const char *p, const char *end, struct parts *parts)
{
	const char *start, *from;

	parts->digits = 0;
	parts->exponent = 0;
	parts->negative = p < end && *p == '-';
	p += parts->negative;
	if (p == end || !is_digit(*p))
		return NULL;
	start = p;
	while (p < end && *p == '0')
		p++;
	from = p;
	p = digits_read(p, end, &parts->digits);
	parts->n_digits = p - from;
	if (p < end && *p == '.') {
		start = from = ++p;
		/* Zeros before the first digit that counts. */
		while (!parts->n_digits && p < end && *p == '0')
			p++;
		if (!parts->n_digits)
			from = p;
		p = digits_read(p, end, &parts->digits);
		parts->n_digits += p - from;
		if (p == start)
			return NULL;
		parts->exponent =
			p - start < 10000 ? -(int)(p - start) : -10000;
	}
	return p;
}

static double slowly(const char *p, size_t len)
{
	char copy[DECIMAL_BYTES_MAX + 1];

	memcpy(copy, p, len);
	copy[len] = '\0';
	return strtod(copy, NULL); /* no locale is ever set: it reads a point */
}

/* Up to 15 digits and powers up to 22 are exact in doubles, so that one
 * operation rounds once (W. D. Clinger, 1990). */
static bool exactly(const struct parts *parts, double *value_r)
{
	static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
		1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
		1e19, 1e20, 1e21, 1e22};
	int e = parts->exponent;

	if (parts->n_digits > EXACT_DIGITS || e < -EXACT_TENS || e > EXACT_TENS)
		return false;
	*value_r = e < 0 ? (double)parts->digits / tens[-e]
			 : (double)parts->digits * tens[e];
	return true;
}

/*
 * The same with the 64 bits of an x87 number: it is rounded twice, to 64 bits
 * and then to 53, which is right unless the first lands exactly half-way
 * between two doubles: one in 2048, and not for us to decide.
 */
static bool in_64_bits(const struct parts *parts, double *value_r)
{
#if LDBL_MANT_DIG == 64
	static const long double tens[] = {1e0L, 1e1L, 1e2L, 1e3L, 1e4L, 1e5L,
		1e6L, 1e7L, 1e8L, 1e9L, 1e10L, 1e11L, 1e12L, 1e13L, 1e14L,
		1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L,
		1e24L, 1e25L, 1e26L, 1e27L};
	int e = parts->exponent;
	long double x;
	uint64_t bits;

	if (parts->n_digits > LONG_DIGITS || e < -LONG_TENS || e > LONG_TENS)
		return false;
	x = e < 0 ? (long double)parts->digits / tens[-e]
		  : (long double)parts->digits * tens[e];
	memcpy(&bits, &x, sizeof(bits));
	if ((bits & 0x7ff) == 0x400)
		return false;
	*value_r = (double)x;
	return true;
#else
	return false;
#endif
}

const char *decimal_read(const char *start, const char *end, double *value_r)
{
	struct parts parts;
	const char *p = read_parts(start, end, &parts);
	int exponent;

	if (p && p < end && (*p | 32) == 'e') {
		p = read_exponent(p + 1, end, &exponent);
		parts.exponent += p ? exponent : 0;
	}
	if (!p || p - start > DECIMAL_BYTES_MAX)
		return NULL;
	if (!exactly(&parts, value_r) && !in_64_bits(&parts, value_r)) {
		*value_r = slowly(start, (size_t)(p - start));
		return p; /* with its sign */
	}
	if (parts.negative)
		*value_r = -*value_r;
	return p;
}
