/* SPDX-License-Identifier: Apache-2.0 */
/* Random counts; see rng.h. */
#include "base/rng.h"

#include <math.h>

#define POISSON_SMALL 30 /* means below it are counted out one by one */
#define TWO_PI        6.283185307179586

double rng_normal(struct rng *rng)
{
	double u = 1 - rng_unit(rng), v = rng_unit(rng);

	return sqrt(-2 * log(u)) * cos(TWO_PI * v);
}

double rng_poisson(struct rng *rng, double mean)
{
	double limit, product = 1, k = -1;

	if (!(mean > 0))
		return 0;
	if (mean >= POISSON_SMALL)
		return fmax(
			0, floor(mean + sqrt(mean) * rng_normal(rng) + 0.5));
	limit = exp(-mean);
	do {
		product *= rng_unit(rng);
		k++;
	} while (product > limit);
	return k;
}
