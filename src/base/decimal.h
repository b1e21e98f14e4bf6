/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal numbers as doubles, correctly rounded, fast for what Prometheus
 * writes: up to 19 digits, such as 0.06666666666666667. Pure.
 */
#ifndef TIDEGATE_BASE_DECIMAL_H
#define TIDEGATE_BASE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DECIMAL_BYTES_MAX 64 /* of one number */

/* Reads [-]digits[.digits][e[+-]digits] at p; returns where it ends, NULL when
 * there is no such number or it is too long. Reads nothing at or after `end`.
 */
const char *decimal_read(const char *p, const char *end, double *value_r);

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Appends the digits at p to *n, eight at a time, and returns their end. More
 * than 19 significant ones do not fit: the caller counts them. */
static inline const char *digits_read(
	const char *p, const char *end, uint64_t *n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t zeros = UINT64_C(0x3030303030303030);
	const uint64_t highs = UINT64_C(0xf0f0f0f0f0f0f0f0);
	const uint64_t sixes = UINT64_C(0x0606060606060606);
	const uint64_t fours = UINT64_C(0x000000ff000000ff);
	uint64_t v;

	while (end - p >= 8) {
		memcpy(&v, p, sizeof(v));
		/* '0' to '9' are 0x30 to 0x39, and stay in 0x3. with 6 more. */
		if ((v & highs) != zeros || ((v + sixes) & highs) != zeros)
			break;
		v -= zeros;
		v = v * 10 + (v >> 8); /* pairs of digits, then of pairs … */
		v = (v & fours) * (100 + (UINT64_C(1000000) << 32)) +
		    (v >> 16 & fours) * (1 + (UINT64_C(10000) << 32));
		*n = *n * 100000000 + (v >> 32);
		p += 8;
	}
#endif
	while (p < end && is_digit(*p))
		*n = *n * 10 + (uint64_t)(*p++ - '0');
	return p;
}

#endif
