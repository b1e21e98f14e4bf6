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

static bool twos(double *v, size_t n, bool one)
{
	double both[2] = {v[0], v[0]};

	if (n > 1)
		return logs_near(v, n, one);
	if (!logs_near(both, 2, one))
		return false;
	v[0] = both[0];
	return true;
}

void logs_of(double *v, size_t n)
{
	if (n && !(n >= LOGS_FOUR && logs_have_fours() ? logs_fours(v, n, false)
						       : twos(v, n, false)))
		apart(logs_of, log, v, n);
}

void logs_of_1p(double *v, size_t n)
{
	if (n && !(n >= LOGS_FOUR && logs_have_fours() ? logs_fours(v, n, true)
						       : twos(v, n, true)))
		apart(logs_of_1p, log1p, v, n);
}

void exps_of(double *v, size_t n)
{
	double both[2];

	if (!n)
		return;
	if (n >= LOGS_FOUR && logs_have_fours()) {
		if (exps_fours(v, n))
			return;
	} else if (n > 1) {
		if (exps_near(v, n))
			return;
	} else {
		both[0] = both[1] = v[0];
		if (exps_near(both, 2)) {
			v[0] = both[0];
			return;
		}
	}
	apart(exps_of, exp, v, n);
}
