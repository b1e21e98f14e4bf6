/* SPDX-License-Identifier: Apache-2.0 */
/* Four logarithms or exponentials at a time; see logs_fours.h. */
#include "engine/logs_fours.h"

#ifdef __x86_64__

#define LANES 4
/* Without fused multiplications, which would round otherwise. */
#define LANES_OF_CPU __attribute__((target("avx2,no-fma")))
#include "engine/logs_lanes.h"

LANES_OF_CPU bool logs_fours(double *v, size_t n, bool one)
{
	return logs_near(v, n, one);
}

LANES_OF_CPU bool exps_fours(double *v, size_t n)
{
	return exps_near(v, n);
}

#endif
