/* SPDX-License-Identifier: Apache-2.0 */
/* From a release to what is measured; see measure.h. */
#include "live/measure.h"

#include "live/release.h"
#include "live/world.h"

struct measurement *measure_start(struct world *world,
	const struct measure_what *what, measurement_fn fn, void *arg)
{
	const struct release *release = what->release;
	const struct slo *slo = &release->policy->slos[what->slo];
	struct release_values values;
	const struct measurement_what measured = {
		.policy = release->policy,
		.slo = slo,
		.project = release->service.project,
		.values = &values.values,
	};

	release_values(
		release, what->state, what->candidate, slo->window_ms, &values);
	values.values.candidate = what->candidate;
	return measurement_start(world->metrics, &measured, fn, arg);
}
