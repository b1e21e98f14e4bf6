/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logarithms and exponentials of several numbers at once; see logs.h. Four in
 * a register where the processor can, else two. Numbers that do not fit into the
 * series, such as 0, infinities and subnormal ones, are left to libm.
 */
#include "engine/logs.h"

#include <math.h>

#include "engine/logs_fours.h"

#define LANES 2
#define LANES_OF_CPU
#include "engine/logs_lanes.h"

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

/* One number is taken twice. */
static bool logs_twos(double *v, size_t n, bool one)
{
	double both[2] = {v[0], v[0]};
	bool fit = logs_near(n > 1 ? v : both, n > 1 ? n : 2, one);

	if (fit && n == 1)
		v[0] = both[0];
	return fit;
}

static bool exps_twos(double *v, size_t n)
{
	double both[2] = {v[0], v[0]};
	bool fit = exps_near(n > 1 ? v : both, n > 1 ? n : 2);

	if (fit && n == 1)
		v[0] = both[0];
	return fit;
}

static bool take_logs(double *v, size_t n, bool one)
{
	return n >= LOGS_FOUR && logs_have_fours() ? logs_fours(v, n, one)
						   : logs_twos(v, n, one);
}

void logs_of(double *v, size_t n)
{
	if (n && !take_logs(v, n, false))
		apart(logs_of, log, v, n);
}

void logs_of_1p(double *v, size_t n)
{
	if (n && !take_logs(v, n, true))
		apart(logs_of_1p, log1p, v, n);
}

void exps_of(double *v, size_t n)
{
	if (n && !(n >= LOGS_FOUR && logs_have_fours() ? exps_fours(v, n)
						       : exps_twos(v, n)))
		apart(exps_of, exp, v, n);
}
