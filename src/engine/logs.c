/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logarithms and exponentials in pairs; see logs.h. The series are those of
 * fdlibm (Sun Microsystems, 1993: e_log.c, e_exp.c). Numbers that do not fit into
 * them, such as 0, infinities and subnormal ones, are left to libm.
 */
#include "engine/logs.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MANTISSA 52 /* bits */
#define EXP_MAX  700 /* beyond that the result may be no normal number */

typedef double pair __attribute__((vector_size(16)));
typedef uint64_t pair_bits __attribute__((vector_size(16)));

#define BOTH(v)      \
	{            \
		v, v \
	}

/* Constants, as they are in a register. */
struct logs {
	pair half, one, two;
	pair ln2_high, ln2_low; /* the first times a whole number is exact */
	pair bias;
	pair_bits mantissa, sqrt_half, exponent_0, whole, normal_min;
	pair series[7];
};

struct exps {
	pair one, two;
	pair ln2_high, ln2_low, ln2_inverse;
	pair rounding; /* added and taken away again: no fraction is left */
	pair series[5];
};

#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW  1.90821492927058770002e-10

static const struct logs logs = {
	.half = BOTH(0.5),
	.one = BOTH(1),
	.two = BOTH(2),
	.ln2_high = BOTH(LN2_HIGH),
	.ln2_low = BOTH(LN2_LOW),
	.bias = BOTH(0x1p52 + 1023),
	.mantissa = BOTH(0x000fffffffffffff),
	.sqrt_half = BOTH(0x3fe6a09e00000000),
	.exponent_0 = BOTH(0x3ff0000000000000),
	.whole = BOTH(0x4330000000000000), /* 2^52 */
	.normal_min = BOTH(0x0010000000000000),
	.series = {BOTH(6.666666666666735130e-01),
		BOTH(3.999999999940941908e-01), BOTH(2.857142874366239149e-01),
		BOTH(2.222219843214978396e-01), BOTH(1.818357216161805012e-01),
		BOTH(1.531383769920937332e-01), BOTH(1.479819860511658591e-01)},
};

static const struct exps exps = {
	.one = BOTH(1),
	.two = BOTH(2),
	.ln2_high = BOTH(LN2_HIGH),
	.ln2_low = BOTH(LN2_LOW),
	.ln2_inverse = BOTH(1.44269504088896338700e+00),
	.rounding = BOTH(0x1.8p52),
	.series = {BOTH(1.66666666666666019037e-01),
		BOTH(-2.77777777770155933842e-03),
		BOTH(6.61375632143793436117e-05),
		BOTH(-1.65339022054652515390e-06),
		BOTH(4.13813679705723846039e-08)},
};

/* Else gcc makes pairs of single constants, in each call. */
#define READ_AS_THEY_ARE(constants) __asm__("" : "+r"(constants))

/* ln(v) + more: v = 2^k m with m near 1, and ln(m) by a series of
 * s = (m - 1) / (m + 1). */
static inline pair log_pair(const struct logs *c, pair v, pair more)
{
	pair_bits bits = (pair_bits)v - c->sqrt_half + c->exponent_0;
	pair k = (pair)(bits >> MANTISSA | c->whole) - c->bias;
	pair f = (pair)((bits & c->mantissa) + c->sqrt_half) - c->one;
	pair square = c->half * f * f, s = f / (c->two + f);
	pair z = s * s, w = z * z, odd, even;

	odd = w * c->series[6] + c->series[4];
	odd = w * odd + c->series[2];
	odd = z * (w * odd + c->series[0]);
	even = w * c->series[5] + c->series[3];
	even = w * (w * even + c->series[1]);
	return s * (square + (odd + even)) + (k * c->ln2_low + more) - square +
	       f + k * c->ln2_high;
}

/* e^v: v = k ln(2) + r, and e^r as a fraction. */
static inline pair exp_pair(const struct exps *c, pair v)
{
	pair rounded = v * c->ln2_inverse + c->rounding;
	pair k = rounded - c->rounding, low = k * c->ln2_low;
	pair high = v - k * c->ln2_high, r = high - low, t = r * r, part;

	part = t * c->series[4] + c->series[3];
	part = t * part + c->series[2];
	part = t * part + c->series[1];
	part = r - t * (t * part + c->series[0]);
	v = c->one - ((low - r * part / (c->two - part)) - high);
	return (pair)((pair_bits)v + ((pair_bits)rounded << MANTISSA));
}

/* Two from `i` on, or the last one twice. */
static inline pair take(const double *v, size_t i, size_t n)
{
	pair p = BOTH(v[i]);

	if (i + 1 < n)
		memcpy(&p, v + i, sizeof(p));
	return p;
}

static inline void put(double *v, size_t i, size_t n, pair p)
{
	if (i + 1 < n)
		memcpy(v + i, &p, sizeof(p));
	else
		v[i] = p[0];
}

/* The sign is set unless v is positive and normal. */
static inline pair_bits abnormal(const struct logs *c, pair v)
{
	pair_bits bits = (pair_bits)v;

	return (bits - c->normal_min) | (bits + c->normal_min);
}

static inline bool has_sign(pair_bits bits)
{
	return (bits[0] | bits[1]) >> 63;
}

/* Few numbers get there. One by one, those that fit as they would with others. */
static void apart(void (*of)(double *, size_t), double (*alone)(double),
	double *v, size_t n)
{
	size_t i;

	if (n == 1)
		*v = alone(*v);
	for (i = 0; n > 1 && i < n; i++)
		of(v + i, 1);
}

/* ln(v + more). What the sum has lost by rounding is put back. */
static bool logs_near(double *v, size_t n, pair more)
{
	const struct logs *c = &logs;
	pair_bits wrong = BOTH(0);
	pair p, sum;
	size_t i;

	READ_AS_THEY_ARE(c);
	for (i = 0; i < n; i += 2)
		wrong |= abnormal(c, take(v, i, n) + more);
	if (has_sign(wrong))
		return false;
	for (i = 0; i < n; i += 2) {
		p = take(v, i, n);
		sum = p + more;
		put(v, i, n, log_pair(c, sum, (p - (sum - more)) / sum));
	}
	return true;
}

void logs_of(double *v, size_t n)
{
	if (!logs_near(v, n, (pair)BOTH(0)))
		apart(logs_of, log, v, n);
}

void logs_of_1p(double *v, size_t n)
{
	if (!logs_near(v, n, (pair)BOTH(1)))
		apart(logs_of_1p, log1p, v, n);
}

void exps_of(double *v, size_t n)
{
	const struct exps *c = &exps;
	pair squares = BOTH(0), p;
	size_t i;

	READ_AS_THEY_ARE(c);
	for (i = 0; i < n; i += 2) {
		p = take(v, i, n);
		squares += p * p;
	}
	/* One may be too large; what is no number is not smaller either. */
	if (!(squares[0] <= EXP_MAX * EXP_MAX &&
		    squares[1] <= EXP_MAX * EXP_MAX)) {
		apart(exps_of, exp, v, n);
		return;
	}
	for (i = 0; i < n; i += 2)
		put(v, i, n, exp_pair(c, take(v, i, n)));
}
