/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How logarithms and exponentials are worked out, LANES numbers in a register:
 * to be included by a file that says how many these are, and in LANES_OF_CPU
 * what a processor must be able to do for it. Each number has the same bits
 * whatever the others are and however many lanes there are, since each lane
 * does the same in the same order. The series are those of fdlibm (Sun
 * Microsystems, 1993: e_log.c, e_exp.c).
 */
#ifndef TIDEGATE_ENGINE_LOGS_LANES_H
#define TIDEGATE_ENGINE_LOGS_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MANTISSA 52 /* bits */
#define EXP_MAX  700 /* beyond that the result may be no normal number */

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef uint64_t lanes_bits
	__attribute__((vector_size(LANES * sizeof(uint64_t))));

#if LANES == 4
#define ALL(v)             \
	{                  \
		v, v, v, v \
	}
#else
#define ALL(v)       \
	{            \
		v, v \
	}
#endif

/* Constants, as they are in a register. */
struct logs {
	lanes none, half, one, two;
	lanes ln2_high, ln2_low; /* the first times a whole number is exact */
	lanes bias;
	lanes_bits mantissa, sqrt_half, exponent_0, whole, normal_min;
	lanes series[7];
};

struct exps {
	lanes one, two;
	lanes ln2_high, ln2_low, ln2_inverse;
	lanes most; /* squared, of what may be taken */
	lanes rounding; /* added and taken away again: no fraction is left */
	lanes series[5];
};

#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW  1.90821492927058770002e-10

static const struct logs logs = {
	.none = ALL(0),
	.half = ALL(0.5),
	.one = ALL(1),
	.two = ALL(2),
	.ln2_high = ALL(LN2_HIGH),
	.ln2_low = ALL(LN2_LOW),
	.bias = ALL(0x1p52 + 1023),
	.mantissa = ALL(0x000fffffffffffff),
	.sqrt_half = ALL(0x3fe6a09e00000000),
	.exponent_0 = ALL(0x3ff0000000000000),
	.whole = ALL(0x4330000000000000), /* 2^52 */
	.normal_min = ALL(0x0010000000000000),
	.series = {ALL(6.666666666666735130e-01), ALL(3.999999999940941908e-01),
		ALL(2.857142874366239149e-01), ALL(2.222219843214978396e-01),
		ALL(1.818357216161805012e-01), ALL(1.531383769920937332e-01),
		ALL(1.479819860511658591e-01)},
};

static const struct exps exps = {
	.one = ALL(1),
	.two = ALL(2),
	.ln2_high = ALL(LN2_HIGH),
	.ln2_low = ALL(LN2_LOW),
	.ln2_inverse = ALL(1.44269504088896338700e+00),
	.most = ALL(EXP_MAX * EXP_MAX),
	.rounding = ALL(0x1.8p52),
	.series = {ALL(1.66666666666666019037e-01),
		ALL(-2.77777777770155933842e-03),
		ALL(6.61375632143793436117e-05),
		ALL(-1.65339022054652515390e-06),
		ALL(4.13813679705723846039e-08)},
};

/* Else gcc makes lanes of single constants, in each call. */
#define READ_AS_THEY_ARE(constants) __asm__("" : "+r"(constants))

/* ln(v) + more: v = 2^k m with m near 1, and ln(m) by a series of
 * s = (m - 1) / (m + 1). */
LANES_OF_CPU static inline lanes log_lanes(
	const struct logs *c, lanes v, lanes more)
{
	lanes_bits bits = (lanes_bits)v - c->sqrt_half + c->exponent_0;
	lanes k = (lanes)(bits >> MANTISSA | c->whole) - c->bias;
	lanes f = (lanes)((bits & c->mantissa) + c->sqrt_half) - c->one;
	lanes square = c->half * f * f, s = f / (c->two + f);
	lanes z = s * s, w = z * z, odd, even;

	odd = w * c->series[6] + c->series[4];
	odd = w * odd + c->series[2];
	odd = z * (w * odd + c->series[0]);
	even = w * c->series[5] + c->series[3];
	even = w * (w * even + c->series[1]);
	return s * (square + (odd + even)) + (k * c->ln2_low + more) - square +
	       f + k * c->ln2_high;
}

/* e^v: v = k ln(2) + r, and e^r as a fraction. */
LANES_OF_CPU static inline lanes exp_lanes(const struct exps *c, lanes v)
{
	lanes rounded = v * c->ln2_inverse + c->rounding;
	lanes k = rounded - c->rounding, low = k * c->ln2_low;
	lanes high = v - k * c->ln2_high, r = high - low, t = r * r, part;

	part = t * c->series[4] + c->series[3];
	part = t * part + c->series[2];
	part = t * part + c->series[1];
	part = r - t * (t * part + c->series[0]);
	v = c->one - ((low - r * part / (c->two - part)) - high);
	return (lanes)((lanes_bits)v + ((lanes_bits)rounded << MANTISSA));
}

/* The sign is set unless v is positive and normal. */
LANES_OF_CPU static inline lanes_bits abnormal(const struct logs *c, lanes v)
{
	lanes_bits bits = (lanes_bits)v;

	return (bits - c->normal_min) | (bits + c->normal_min);
}

LANES_OF_CPU static inline bool has_sign(lanes_bits bits)
{
#if LANES == 4
	return (bits[0] | bits[1] | bits[2] | bits[3]) >> 63;
#else
	return (bits[0] | bits[1]) >> 63;
#endif
}

LANES_OF_CPU static inline lanes load(const double *v)
{
	lanes p;

	memcpy(&p, v, sizeof(p));
	return p;
}

LANES_OF_CPU static inline void store(double *v, lanes p)
{
	memcpy(v, &p, sizeof(p));
}

/* Those from `i` on; the last ones may lie over those before, and were taken
 * before any was put. */
LANES_OF_CPU static inline lanes take(
	const double *v, size_t i, size_t n, lanes last)
{
	return i + LANES < n ? load(v + i) : last;
}

LANES_OF_CPU static inline void put(double *v, size_t i, size_t n, lanes p)
{
	store(v + (i + LANES < n ? i : n - LANES), p);
}

/* ln(v[i]), or with `one` ln(1 + v[i]); n >= LANES. False, and nothing has
 * changed: one of them does not fit. */
LANES_OF_CPU static inline bool logs_near(double *v, size_t n, bool one)
{
	const struct logs *c = &logs;
	lanes last = load(v + n - LANES), p, sum, more = c->none;
	lanes plus = one ? c->one : c->none;
	lanes_bits wrong = abnormal(c, last + plus);
	size_t i;

	READ_AS_THEY_ARE(c);
	for (i = 0; i + LANES < n; i += LANES)
		wrong |= abnormal(c, load(v + i) + plus);
	if (has_sign(wrong))
		return false;
	for (i = 0; i < n; i += LANES) {
		p = take(v, i, n, last);
		sum = p + plus;
		/* What the sum has lost by rounding is put back. */
		if (one)
			more = (p - (sum - plus)) / sum;
		put(v, i, n, log_lanes(c, sum, more));
	}
	return true;
}

/* The same of e^v[i]. */
LANES_OF_CPU static inline bool exps_near(double *v, size_t n)
{
	const struct exps *c = &exps;
	lanes last = load(v + n - LANES), p, squares = last * last;
	size_t i;

	READ_AS_THEY_ARE(c);
	for (i = 0; i + LANES < n; i += LANES) {
		p = load(v + i);
		squares += p * p;
	}
	/* One may be too large; what is no number is not smaller either. */
	if (has_sign(~(lanes_bits)(squares <= c->most)))
		return false;
	for (i = 0; i < n; i += LANES)
		put(v, i, n, exp_lanes(c, take(v, i, n, last)));
	return true;
}

#endif
